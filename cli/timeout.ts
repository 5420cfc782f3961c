/**
 * Timeout: a read that waits only for so long.
 *
 *     $ deno run --allow-net=127.0.0.1 cli/timeout.ts
 *     connected to 127.0.0.1:15000
 *     recv() waits for 1000 ms
 *     error: timed out: Cannot read frame: 0 bytes came within 1000 ms
 *     sending b'Hel'
 *     recv() waits for 1000 ms
 *     error: timed out: Cannot read frame: 3 of 6 bytes came within 1000 ms
 *     sending b'lo?'
 *     recv() waits for 1000 ms
 *     recv() gave b'Hello?'
 *
 * The client and its peer are in one program, on a free port. A read that times out loses nothing: what has
 * come of a message stays where it is, and the next read goes on there. `--timeout` sets another time, in
 * milliseconds.
 *
 * It does not handle what to do after a timeout; to ask again, or to give the peer up, is for the program
 * to say. `cli/dead_peer.ts` does.
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
import {
  type Parameter,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";

const TIMEOUT: Parameter<number> & { fallback: string } = {
  fallback: "1000",
  ...wholeNumber({
    name: "timeout",
    about: "how many milliseconds to wait",
  }, 1),
};

/** What comes before each read; together it is one message of six bytes. */
const PARTS = ["", "Hel", "lo?"].map((part) => new TextEncoder().encode(part));

/** Shows a read that gives up when nothing comes in time. */
export const timeout: Program = program({
  name: "timeout",
  about: "Shows recv giving up when nothing comes in time",
  options: [TIMEOUT],
  permissions: "--allow-net=127.0.0.1",

  async main({ get, print }) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { hostname, port } = listener.addr;
    using client = new Framing(
      await Deno.connect({ hostname, port }),
      fixedLength(6),
    );
    using conn = await listener.accept();
    print(`connected to ${formatAddr(client.remoteAddr)}`);

    for (const part of PARTS) {
      if (part.length > 0) {
        print(`sending ${bytesLiteral(part)}`);
        await conn.write(part);
      }
      print(`recv() waits for ${get(TIMEOUT)} ms`);
      try {
        const message = await client.read({ timeout: get(TIMEOUT) });
        if (message !== null) print(`recv() gave ${bytesLiteral(message)}`);
      } catch (error) {
        if (!(error instanceof ReadTimeoutError)) throw error;
        print(`error: timed out: ${error.message}`);
      }
    }
  },
});

if (import.meta.main) Deno.exit(await timeout.run(Deno.args));
