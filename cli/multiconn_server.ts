/**
 * Multi-connection server: sends everything back, to any number of clients at once.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/multiconn_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     accepted connection from 127.0.0.1:61355
 *     echoing b'Message 1 from client.Message 2 from client.' to 127.0.0.1:61354
 *     echoing b'Message 1 from client.Message 2 from client.' to 127.0.0.1:61355
 *     closing connection to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61355
 *
 * Then run `cli/multiconn_client.ts 127.0.0.1 65432 2` in another terminal. To be reached from other
 * machines, listen on all interfaces: `--allow-net=0.0.0.0:65432 cli/multiconn_server.ts '' 65432`. Ctrl-C
 * ends it.
 *
 * There is no `select()` here: each connection has its own loop below, and at every `await` the event loop
 * turns to whichever can go on. Clients that never close are sent away: after `--idle-timeout` seconds
 * without a byte.
 *
 * It knows no messages: a chunk is what one read gives, and TCP may cut and join what the client wrote. It
 * does not limit how many clients connect.
 *
 * @module
 */

import { bytesLiteral } from "../mod.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveConns } from "./serving.ts";

/** Sends everything back, to any number of clients at once. */
export const multiconnServer: Program = program({
  name: "multiconn-server",
  about: "Sends everything back, to any number of clients at once",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveConns(terminal, async (conn, from) => {
      const chunk = new Uint8Array(1024);
      while (true) {
        const count = await conn.read(chunk);
        if (count === null) break; // the client has closed
        const echo = chunk.subarray(0, count);
        terminal.print(`echoing ${bytesLiteral(echo)} to ${from}`);
        // One write may take only a part.
        for (let sent = 0; sent < echo.length;) {
          sent += await conn.write(echo.subarray(sent));
        }
      }
    }),
});

if (import.meta.main) Deno.exit(await multiconnServer.run(Deno.args));
