/**
 * Until-close server: receives a message from every client, which ends when the client closes.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/until_close_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     received b'Hello, world' from 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/until_close_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * The end of the stream is the end of the message: a read that gives no bytes says so. That is all the framing
 * there is, and a connection is good for one message. How the server can still answer is shown by
 * `cli/half_close_server.ts`.
 *
 * It does not notice that a message is not whole, if the client ends it early; only a reset is an error. It
 * refuses messages of more than 1 MiB.
 *
 * @module
 */

import { bytesLiteral, untilClose } from "../mod.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveFrames } from "./serving.ts";

/** Receives messages that end when the client closes. */
export const untilCloseServer: Program = program({
  name: "until-close-server",
  about: "Receives messages that end when the client closes",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveFrames(terminal, untilClose(), async (peer, from, wait) => {
      const message = await peer.read(wait);
      if (message === null) return; // the client has closed and sent nothing
      terminal.print(`received ${bytesLiteral(message)} from ${from}`);
    }),
});

if (import.meta.main) Deno.exit(await untilCloseServer.run(Deno.args));
