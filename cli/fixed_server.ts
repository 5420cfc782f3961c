/**
 * Fixed-length server: receives a message of twelve bytes and sends it back.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/fixed_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     received b'Hello, world' from 127.0.0.1:61354
 *     sending b'Hello, world' to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/fixed_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * The loops that it takes are written out in `cli/my_socket.ts`; with the library it is
 *
 *     serve({ port: 65432 }, fixedLength(MSGLEN), reply((msg) => msg));
 *
 * A client that closes too early is reported as in the HOWTO: `error: socket connection broken from …`.
 *
 * It does not handle a second message on the same connection.
 *
 * @module
 */

import { bytesLiteral } from "../mod.ts";
import { MSGLEN, myReceive, mySend } from "./my_socket.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveConns } from "./serving.ts";

/** Sends messages of twelve bytes back. */
export const fixedServer: Program = program({
  name: "fixed-server",
  about: "Receives a message of twelve bytes and sends it back",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveConns(terminal, async (conn, from) => {
      const msg = await myReceive(conn, MSGLEN);
      terminal.print(`received ${bytesLiteral(msg)} from ${from}`);
      terminal.print(`sending ${bytesLiteral(msg)} to ${from}`);
      await mySend(conn, msg);
    }),
});

if (import.meta.main) Deno.exit(await fixedServer.run(Deno.args));
