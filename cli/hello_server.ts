/**
 * Hello server: is greeted, greets back, says goodbye and closes; then it accepts the next client.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/hello_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:62793
 *     received b'Hello World' from 127.0.0.1:62793
 *     sending b'Hello Yourself' to 127.0.0.1:62793
 *     sending b'Goodbye' to 127.0.0.1:62793
 *     closing connection to 127.0.0.1:62793
 *
 * Then run `cli/hello_client.ts` in another terminal, as often as you like. Ctrl-C ends the server.
 *
 * The tutorial accepts the next client when it is done with one; this server does so at once, so that a client
 * that says nothing keeps nobody waiting but itself.
 *
 * It does not understand what it is told: any eleven bytes are a greeting.
 *
 * @module
 */

import { bytesLiteral } from "../mod.ts";
import { myReceive, mySend } from "./my_socket.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveConns } from "./serving.ts";

/** Greets back, says goodbye and closes. */
export const helloServer: Program = program({
  name: "hello-server",
  about: "Greets every client back, says goodbye and closes",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveConns(terminal, async (conn, from) => {
      const greeting = await myReceive(conn, "Hello World".length);
      terminal.print(`received ${bytesLiteral(greeting)} from ${from}`);
      for (const text of ["Hello Yourself", "Goodbye"]) {
        const answer = new TextEncoder().encode(text);
        terminal.print(`sending ${bytesLiteral(answer)} to ${from}`);
        await mySend(conn, answer);
      }
    }),
});

if (import.meta.main) Deno.exit(await helloServer.run(Deno.args));
