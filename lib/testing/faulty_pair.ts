/**
 * Two connections in memory, each the other's peer, with a bad network between them.
 *
 *     here ─► [ pipe ] ─► faults ─► [ pipe ] ─► there
 *     here ◄─ [ pipe ] ◄─ faults ◄─ [ pipe ] ◄─ there
 *
 * @module
 */

import { connPair, type MemoryConn } from "./conn_pair.ts";
import {
  checkWhole,
  type FaultPlan,
  faultsOf,
  randomFrom,
} from "./fault_plan.ts";
import { type FaultStats, FaultyLink, type LinkEnd } from "./faulty_link.ts";

/** How a faulty pair behaves beside its faults. */
export interface FaultyPairOptions {
  /**
   * What all chance follows from: a whole number below 2 ** 32. The seed of a run that failed gives the same
   * faults again, at the same bytes.
   *
   * @default {one at random}
   */
  seed?: number;
  /**
   * How many bytes each direction holds in each of three places, the sender's buffer, the network and the
   * receiver's buffer, before `write` waits.
   *
   * @default {65_536}
   */
  capacity?: number;
}

/** Two connections with faults between them. At the end of its scope both are closed, whatever is on the way. */
export interface FaultyPair extends Disposable {
  /** One end; what it writes is on the way `there`. */
  readonly here: MemoryConn;
  /** The other end; what it writes is on the way `back`. */
  readonly there: MemoryConn;
  /** What all chance followed from. It belongs in the message of every assertion about this pair. */
  readonly seed: number;
  /** What has passed so far. */
  readonly stats: FaultStats;
  /** Lets pass what is stalled now. */
  resume(): void;
}

function endOf(conn: MemoryConn): LinkEnd {
  return {
    read: (p) => conn.read(p),
    write: (p) => conn.write(p),
    closeWrite: () => conn.closeWrite(),
    reset: () => conn.reset({ keepUnread: true }),
    close: () => conn[Symbol.dispose](),
  };
}

/**
 * Makes two connections in memory, as {@linkcode connPair} does, with a bad network between them: slow, cut
 * anywhere, stalling, breaking, losing and changing bytes.
 *
 * Where in the stream a fault strikes follows from the seed alone, not from how the bytes were written or when.
 * Pieces come one to a read, if there is room for them. Only latency and bandwidth take time: without them and
 * without stalls that last a while, nothing waits for a clock.
 *
 * @param faults What the bytes suffer, in both directions or in one.
 * @param options The seed, and how much may be on the way.
 * @returns The two ends, and the seed.
 * @throws {RangeError} If a number is out of range.
 *
 * @example The same frames, wherever the bytes are cut
 * ```ts
 * import { Framing, lines } from "@framewire/framewire";
 * import { faultyPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * using pair = faultyPair({ cuts: { min: 1, max: 3 } });
 * await using client = new Framing(pair.here, lines());
 * await using server = new Framing(pair.there, lines());
 * await client.write("hello");
 * assertEquals(await server.read(), "hello", `seed ${pair.seed}`);
 * ```
 *
 * @example A connection that breaks inside a frame
 * ```ts
 * import { Framing, lines, PeerResetError } from "@framewire/framewire";
 * import { faultyPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * using pair = faultyPair({ there: { resetAfter: 9 } });
 * await using server = new Framing(pair.there, lines());
 * await pair.here.write(new TextEncoder().encode("hello\nworld\n"));
 * assertEquals(await server.read(), "hello");
 * await assertRejects(() => server.read(), PeerResetError, "after 3 bytes of a frame");
 * ```
 *
 * @example A stall that ends when the test says so
 * ```ts
 * import { Framing, lines, ReadTimeoutError } from "@framewire/framewire";
 * import { faultyPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * using pair = faultyPair({ there: { stall: { after: 2 } } });
 * await using server = new Framing(pair.there, lines());
 * await pair.here.write(new TextEncoder().encode("hello\n"));
 * const error = await assertRejects(() => server.read({ timeout: 10 }), ReadTimeoutError);
 * assertEquals(error.have, 2);
 * pair.resume();
 * assertEquals(await server.read(), "hello");
 * ```
 */
export function faultyPair(
  faults: FaultPlan,
  options: FaultyPairOptions = {},
): FaultyPair {
  const { capacity = 64 * 1024 } = options;
  checkWhole("capacity", capacity, 1);
  const random = randomFrom(options.seed);
  const directions = faultsOf(faults);
  const [here, near] = connPair({ capacity });
  const [far, there] = connPair({ capacity });
  const link = new FaultyLink(
    endOf(near),
    endOf(far),
    directions,
    random,
    capacity,
  );
  return {
    here,
    there,
    seed: random.seed,
    get stats() {
      return link.stats;
    },
    resume: () => link.resume(),
    [Symbol.dispose]() {
      here[Symbol.dispose]();
      there[Symbol.dispose]();
      link.close();
    },
  };
}
