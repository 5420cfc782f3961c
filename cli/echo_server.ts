/**
 * Echo server: answers one client with what it sends, then ends.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/echo_server.ts
 *     Connected by 127.0.0.1:64623
 *
 * It prints nothing until a client connects: run `cli/echo_client.ts` in another terminal.
 *
 * It does not handle a second client: that one is refused once the first is gone. It knows no messages
 * either: it sends back whatever one read happens to give.
 *
 * @module
 */

import { formatAddr } from "../mod.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";

/** Answers one client with what it sends. */
export const echoServer: Program = program({
  name: "echo-server",
  about: "Answers one client with what it sends, then ends",
  takes: [LISTEN_HOST, LISTEN_PORT],

  async main({ get, print }) {
    const [hostname, port] = [get(LISTEN_HOST), get(LISTEN_PORT)];
    using listener = Deno.listen({ hostname, port });
    // Whoever leaves the port to the system has to be told which one it is.
    if (port === 0) print(`listening on ${formatAddr(listener.addr)}`);

    using conn = await listener.accept();
    print(`Connected by ${formatAddr(conn.remoteAddr)}`);
    const chunk = new Uint8Array(1024);
    while (true) {
      const count = await conn.read(chunk);
      if (count === null) break; // the client has closed
      // One write may take only a part.
      for (let sent = 0; sent < count;) {
        sent += await conn.write(chunk.subarray(sent, count));
      }
    }
  },
});

if (import.meta.main) Deno.exit(await echoServer.run(Deno.args));
