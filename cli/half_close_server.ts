/**
 * Half-close server: waits until the client is done sending, then answers.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/half_close_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     received b'Hello, world' from 127.0.0.1:61354
 *     sending b'You sent 12 bytes' to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/half_close_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * The client closes its direction only. The server's read gives the end of the stream, so that it has the
 * complete request; the other direction is open, and it answers.
 *
 * It does not handle a second request on the same connection, and refuses one of more than 1 MiB.
 *
 * @module
 */

import { bytesLiteral, untilClose } from "../mod.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveFrames } from "./serving.ts";

/** Waits until the client is done sending, then answers. */
export const halfCloseServer: Program = program({
  name: "half-close-server",
  about: "Waits until the client is done sending, then answers",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveFrames(terminal, untilClose(), async (peer, from, wait) => {
      const request = await peer.read(wait); // everything up to the end of the stream
      if (request === null) return; // the client has sent nothing
      terminal.print(`received ${bytesLiteral(request)} from ${from}`);
      const answer = new TextEncoder().encode(
        `You sent ${request.length} bytes`,
      );
      terminal.print(`sending ${bytesLiteral(answer)} to ${from}`);
      peer.write(answer);
      await peer.drain(wait);
    }),
});

if (import.meta.main) Deno.exit(await halfCloseServer.run(Deno.args));
