/**
 * Echo client: sends one message and prints what comes back.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/echo_client.ts
 *     Received b'Hello, world'
 *
 * Start `cli/echo_server.ts` in another terminal first. `--message TEXT` sends something else.
 *
 * It knows that all is back because it knows what it sent; a client that does not needs frames. It writes
 * everything before it reads anything, so a message of some megabytes would have both sides waiting for
 * the other.
 *
 * @module
 */

import { bytesLiteral, ConnectionError } from "../mod.ts";
import { PATIENCE } from "./asking.ts";
import { GuardedConn } from "./guarded_conn.ts";
import {
  MESSAGE,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";

/** Sends one message and prints what comes back. */
export const echoClient: Program = program({
  name: "echo-client",
  about: "Sends one message to the echo server and prints what comes back",
  takes: [PEER_HOST, PEER_PORT],
  options: [MESSAGE],

  async main({ get, print }) {
    const message = new TextEncoder().encode(get(MESSAGE));
    using conn = new GuardedConn(
      await Deno.connect({ hostname: get(PEER_HOST), port: get(PEER_PORT) }),
      PATIENCE,
    );
    // One write may take only a part, and one read may give only a part.
    for (let sent = 0; sent < message.length;) {
      sent += await conn.write(message.subarray(sent));
    }
    const echo = new Uint8Array(message.length);
    for (let received = 0; received < echo.length;) {
      const count = await conn.read(echo.subarray(received));
      if (count === null) {
        throw new ConnectionError(
          `Cannot receive: the server closed after ${received} of ${echo.length} bytes`,
        );
      }
      received += count;
    }
    print(`Received ${bytesLiteral(echo)}`);
  },
});

if (import.meta.main) Deno.exit(await echoClient.run(Deno.args));
