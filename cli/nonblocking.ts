/**
 * Non-blocking: reads that give what is there, or give up at once.
 *
 *     $ deno run --allow-net=127.0.0.1 cli/nonblocking.ts
 *     connected to 127.0.0.1:15000
 *     recv()
 *     error: Resource temporarily unavailable
 *     sending b'Hello?Hello!'
 *     recv()
 *     b'Hello?'
 *     tryRead()
 *     b'Hello!'
 *     tryRead()
 *     error: Resource temporarily unavailable
 *
 * The client and its peer are in one program, on a free port. Deno has no `setblocking(False)`: nothing here
 * blocks, and a read that has nothing to give is a promise. What comes closest are a read with no time to
 * wait, `read({ timeout: 0 })`, which is `recv()` above, and `tryRead()`, which takes a message that has
 * come together with one before it and does not even look at the socket.
 *
 * It does not handle many connections in this way: whoever tries them in turn keeps the processor busy.
 * `await` waits for all of them at once; `cli/select_server.ts` shows how.
 *
 * @module
 */

import {
  bytesLiteral,
  fixedLength,
  formatAddr,
  Framing,
  ReadTimeoutError,
} from "../mod.ts";
import { type Program, program } from "./program.ts";
import { pause } from "./waiting.ts";

const HELLO = new TextEncoder().encode("Hello?Hello!");
const MESSAGE_LENGTH = 6;

/** The next message, if it has come. */
async function receive(
  client: Framing<Uint8Array>,
): Promise<Uint8Array | undefined> {
  try {
    return await client.read({ timeout: 0 }) ?? undefined;
  } catch (error) {
    if (error instanceof ReadTimeoutError) return undefined;
    throw error;
  }
}

/** What Python prints of it. */
function described(message: Uint8Array | undefined): string {
  return message === undefined
    ? "error: Resource temporarily unavailable"
    : bytesLiteral(message);
}

/** Shows reads that give what is there, or give up at once. */
export const nonblocking: Program = program({
  name: "nonblocking",
  about: "Shows recv giving up at once when nothing is there",
  permissions: "--allow-net=127.0.0.1",

  async main({ print }) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { hostname, port } = listener.addr;
    using client = new Framing(
      await Deno.connect({ hostname, port }),
      fixedLength(MESSAGE_LENGTH),
    );
    using conn = await listener.accept();
    print(`connected to ${formatAddr(client.remoteAddr)}`);

    print("recv()");
    print(described(await receive(client)));
    print(`sending ${bytesLiteral(HELLO)}`);
    await conn.write(HELLO);
    await pause(100); // it takes a moment to arrive
    print("recv()");
    print(described(await receive(client)));
    print("tryRead()");
    print(described(client.tryRead()));
    print("tryRead()");
    print(described(client.tryRead()));
  },
});

if (import.meta.main) Deno.exit(await nonblocking.run(Deno.args));
