/**
 * Blocking: calls that wait until there is something to return.
 *
 *     $ deno run --allow-net=127.0.0.1 cli/blocking.ts
 *     listening on 127.0.0.1:15000
 *     accept() waits
 *     meanwhile the program goes on: 1
 *     meanwhile the program goes on: 2
 *     meanwhile the program goes on: 3
 *     accept() gave a connection from 127.0.0.1:53225
 *     sending b'Hello?' before anybody asks for it
 *     recv() gave b'Hello?', which was there
 *     recv() waits
 *     meanwhile the program goes on: 1
 *     …
 *     recv() gave b'Hello?'
 *
 * The server and its client are in one program, on a free port. In Python a call that waits stops its whole
 * thread. In Deno every call that waits gives a promise, and only the function that awaits it stops.
 *
 * It does not handle a peer that never comes or never sends: then this waits for ever, and
 * `cli/timeout.ts` is the answer.
 *
 * @module
 */

import { bytesLiteral, formatAddr } from "../mod.ts";
import { type Program, program } from "./program.ts";
import { pause } from "./waiting.ts";

const HELLO = new TextEncoder().encode("Hello?");

/** What one read gives, as `recv(8192)` does. */
async function receive(conn: Deno.Conn): Promise<string> {
  const chunk = new Uint8Array(8192);
  const count = await conn.read(chunk);
  return bytesLiteral(chunk.subarray(0, count ?? 0));
}

/** Shows calls that wait until there is something to return. */
export const blocking: Program = program({
  name: "blocking",
  about: "Shows accept and recv waiting until something comes",
  permissions: "--allow-net=127.0.0.1",

  async main({ print }) {
    async function goOn(): Promise<void> {
      for (let count = 1; count <= 3; count++) {
        await pause(100);
        print(`meanwhile the program goes on: ${count}`);
      }
    }

    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { hostname, port } = listener.addr;
    print(`listening on ${formatAddr(listener.addr)}`);
    const accepting = listener.accept();
    print("accept() waits");
    await goOn();
    using client = await Deno.connect({ hostname, port });
    using conn = await accepting;
    print(`accept() gave a connection from ${formatAddr(conn.remoteAddr)}`);

    print(`sending ${bytesLiteral(HELLO)} before anybody asks for it`);
    await conn.write(HELLO);
    await pause(100); // it takes a moment to arrive
    print(`recv() gave ${await receive(client)}, which was there`);

    const receiving = receive(client);
    print("recv() waits");
    await goOn();
    print(`sending ${bytesLiteral(HELLO)}`);
    await conn.write(HELLO);
    print(`recv() gave ${await receiving}`);
  },
});

if (import.meta.main) Deno.exit(await blocking.run(Deno.args));
