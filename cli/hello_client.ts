/**
 * Hello client: greets the server, is greeted back, and waits for its goodbye.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/hello_client.ts
 *     sending b'Hello World' to 127.0.0.1:65432
 *     received b'Hello Yourself' from 127.0.0.1:65432
 *     received b'Goodbye' from 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/hello_server.ts` in another terminal first.
 *
 * The two answers may well come in one read. What keeps them apart is that both sides know them by heart, and
 * so how long they are.
 *
 * @module
 */

import { bytesLiteral } from "../mod.ts";
import { PATIENCE, serverAddress } from "./asking.ts";
import { GuardedConn } from "./guarded_conn.ts";
import { myReceive, mySend } from "./my_socket.ts";
import { PEER_HOST, PEER_PORT, type Program, program } from "./program.ts";

/** Greets the server and waits for its goodbye. */
export const helloClient: Program = program({
  name: "hello-client",
  about: "Greets the hello server and waits for its goodbye",
  takes: [PEER_HOST, PEER_PORT],

  async main(terminal) {
    const { print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    using conn = new GuardedConn(await Deno.connect(address), PATIENCE);
    const greeting = new TextEncoder().encode("Hello World");
    print(`sending ${bytesLiteral(greeting)} to ${to}`);
    await mySend(conn, greeting);
    for (const { length } of ["Hello Yourself", "Goodbye"]) {
      const answer = await myReceive(conn, length);
      print(`received ${bytesLiteral(answer)} from ${to}`);
    }
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await helloClient.run(Deno.args));
