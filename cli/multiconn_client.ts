/**
 * Multi-connection client: has several connections at once, and sends two messages over each.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/multiconn_client.ts 127.0.0.1 65432 2
 *     starting connection 1 to 127.0.0.1:65432
 *     starting connection 2 to 127.0.0.1:65432
 *     sending b'Message 1 from client.' to connection 1
 *     sending b'Message 2 from client.' to connection 1
 *     sending b'Message 1 from client.' to connection 2
 *     sending b'Message 2 from client.' to connection 2
 *     received b'Message 1 from client.Message 2 from client.' from connection 1
 *     closing connection 1
 *     received b'Message 1 from client.Message 2 from client.' from connection 2
 *     closing connection 2
 *
 * Start `cli/multiconn_server.ts` in another terminal first.
 *
 * The two messages of a connection leave in one write, and so, as a rule, come back in one read. TCP does
 * not promise that: they may come in any pieces, and the connections may be served in any order. That is
 * why the client counts bytes, not reads, to know when all is back.
 *
 * A connection that breaks is reported as one line, `error: … from connection 2`, and the others go on.
 *
 * @module
 */

import { concat } from "@std/bytes";
import { bytesLiteral, ConnectionError } from "../mod.ts";
import { PATIENCE, serverAddress } from "./asking.ts";
import { GuardedConn } from "./guarded_conn.ts";
import {
  explain,
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";

const NUM_CONNECTIONS: Parameter<number> = wholeNumber(
  { name: "num_connections", about: "how many connections to have at once" },
  1,
  1000,
);

const MESSAGES = ["Message 1 from client.", "Message 2 from client."]
  .map((text) => new TextEncoder().encode(text));

/** Sends the messages over one connection and waits until all is back. */
async function converse(
  conn: GuardedConn,
  id: number,
  print: (line: string) => void,
): Promise<void> {
  for (const message of MESSAGES) {
    print(`sending ${bytesLiteral(message)} to connection ${id}`);
  }
  const out = concat(MESSAGES);
  for (let sent = 0; sent < out.length;) {
    sent += await conn.write(out.subarray(sent));
  }
  const chunk = new Uint8Array(1024);
  for (let received = 0; received < out.length;) {
    const count = await conn.read(chunk);
    if (count === null) {
      throw new ConnectionError(
        `Cannot read: the server closed after ${received} of ${out.length} bytes`,
      );
    }
    received += count;
    const came = bytesLiteral(chunk.subarray(0, count));
    print(`received ${came} from connection ${id}`);
  }
  print(`closing connection ${id}`);
  conn.close();
}

/** Has several connections at once, and sends two messages over each. */
export const multiconnClient: Program = program({
  name: "multiconn-client",
  about: "Has several connections at once, and sends two messages over each",
  takes: [PEER_HOST, PEER_PORT, NUM_CONNECTIONS],

  async main(terminal) {
    const { get, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    const ids = Array.from({ length: get(NUM_CONNECTIONS) }, (_, i) => i + 1);

    const starting = await Promise.allSettled(ids.map((id) => {
      print(`starting connection ${id} to ${to}`);
      return Deno.connect(address);
    }));
    using open = new DisposableStack();
    const conns = starting.filter((start) => start.status === "fulfilled")
      .map(({ value }) => open.use(new GuardedConn(value, PATIENCE)));
    for (const start of starting) {
      if (start.status === "rejected") throw start.reason;
    }

    let failed = false;
    await Promise.all(conns.map(async (conn, i) => {
      try {
        await converse(conn, ids[i], print);
      } catch (error) {
        failed = true;
        print(`error: ${explain(error)} from connection ${ids[i]}`);
      }
    }));
    return failed ? 1 : 0;
  },
});

if (import.meta.main) Deno.exit(await multiconnClient.run(Deno.args));
