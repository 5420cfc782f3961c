/**
 * Frames over a bad network in memory: the same, or a documented error.
 *
 * @module
 */

import {
  type Codec,
  ConnectionError,
  encodeFrame,
  Framing,
  FramingError,
  lengthPrefixed,
  lines,
  netstring,
  PeerResetError,
  ReadTimeoutError,
  text,
  TruncatedFrameError,
  WriteTimeoutError,
} from "@framewire/framewire";
import {
  type FaultPlan,
  faultyPair,
  type FaultyPairOptions,
} from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Random } from "../support/random.ts";
import { readAll, rejection, writeAll } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

const SEEDS = 200;
const LETTERS = raw("abcdefghijklmnopqrstuvwxyz");

const CODECS: readonly [name: string, codec: Codec<string>][] = [
  ["lengthPrefixed()", text(lengthPrefixed())],
  ["netstring()", text(netstring())],
  ["lines()", lines()],
];
/** Those for which a frame is not ended by the end of the stream. */
const STRICT = CODECS.slice(0, 2);

function randomFrames(random: Random, count = 8): string[] {
  return Array.from(
    { length: count },
    () => unraw(random.bytes(random.below(random.pick([3, 20, 80])), LETTERS)),
  );
}

/** How many of the frames are whole within so many bytes. */
function wholeWithin(
  codec: Codec<string>,
  frames: readonly string[],
  length: number,
): number {
  let end = 0;
  return frames.filter((frame) => {
    end += encodeFrame(codec, frame).length;
    return end <= length;
  }).length;
}

function lengthOf(codec: Codec<string>, frames: readonly string[]): number {
  return frames.reduce(
    (length, frame) => length + encodeFrame(codec, frame).length,
    0,
  );
}

/** What comes of frames that are written at one end and read at the other. */
interface Exchange {
  received: string[];
  /** What reading ended with; `null` for the regular end. */
  end: unknown;
  /** Frames that were left out. */
  leftOut: unknown[];
  delivered: number;
  lost: number;
  corrupted: number;
}

async function exchange(
  codec: Codec<string>,
  frames: readonly string[],
  faults: FaultPlan,
  options: FaultyPairOptions,
): Promise<Exchange> {
  using pair = faultyPair(faults, options);
  using client = new Framing(pair.here, codec);
  using server = new Framing(pair.there, codec);
  const writing = client.writeMany(frames).then(() => client.closeWrite())
    .catch((error) => assertInstanceOf(error, ConnectionError));
  const received: string[] = [];
  const leftOut: unknown[] = [];
  let end: unknown;
  while (end === undefined) {
    try {
      const frame = await server.read();
      if (frame === null) end = null;
      else received.push(frame);
    } catch (error) {
      if (error instanceof FramingError && error.recoverable) {
        leftOut.push(error);
      } else end = error;
    }
  }
  await writing;
  const { delivered, lost, corrupted } = pair.stats.there;
  return { received, end, leftOut, delivered, lost, corrupted };
}

for (const [name, codec] of CODECS) {
  Deno.test(`faultyPair() gives the same frames of ${name} wherever the bytes are cut`, async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Random(seed);
      const frames = randomFrames(random);
      const cuts = { min: 1, max: random.pick([1, 2, 7, 50]) };
      const { received, end } = await exchange(codec, frames, { cuts }, {
        seed,
      });
      assertEquals(received, frames, `seed ${seed}`);
      assertEquals(end, null, `seed ${seed}`);
    }
  });

  Deno.test(`faultyPair() resets behind whole frames of ${name}, which are all read, and PeerResetError follows`, async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const about = `seed ${seed}`;
      const frames = randomFrames(new Random(seed));
      const max = lengthOf(codec, frames) - 1;
      const faults = { cuts: { min: 1, max: 20 }, resetAfter: { min: 0, max } };
      const { received, end, delivered } = await exchange(
        codec,
        frames,
        { there: faults },
        { seed },
      );
      assertInstanceOf(end, PeerResetError, about);
      assert(delivered <= max, about);
      const count = wholeWithin(codec, frames, delivered);
      assertEquals(received, frames.slice(0, count), about);
    }
  });

  Deno.test(`faultyPair() loses and corrupts bytes of ${name} with documented errors only`, async () => {
    const seen = { lost: 0, corrupted: 0, failed: 0, unharmed: 0 };
    for (let seed = 0; seed < SEEDS; seed++) {
      const about = `seed ${seed}`;
      const frames = randomFrames(new Random(seed));
      const faults = {
        cuts: { min: 1, max: 20 },
        lost: { probability: 0.005 },
        corrupted: { probability: 0.005 },
      };
      const { received, end, leftOut, lost, corrupted } = await exchange(
        codec,
        frames,
        faults,
        { seed },
      );
      if (end !== null) assertInstanceOf(end, FramingError, about);
      seen.lost += lost;
      seen.corrupted += corrupted;
      if (lost + corrupted === 0) {
        seen.unharmed++;
        assertEquals(received, frames, about);
      } else if (end !== null || leftOut.length > 0) seen.failed++;
    }
    for (const [what, count] of Object.entries(seen)) assert(count > 0, what);
  });

  Deno.test(`faultyPair() stalls at every place of ${name}: a timeout, and nothing is lost`, async () => {
    const frames = ["hello", "", "world"];
    for (let after = 0; after < lengthOf(codec, frames); after++) {
      using pair = faultyPair({ there: { stall: { after } } });
      const about = `seed ${pair.seed}, stall after ${after}`;
      using client = new Framing(pair.here, codec);
      using server = new Framing(pair.there, codec);
      await client.writeMany(frames);
      await client.closeWrite();
      const before = wholeWithin(codec, frames, after);
      for (const frame of frames.slice(0, before)) {
        assertEquals(await server.read(), frame, about);
      }
      const error = await rejection(server.read({ timeout: 1 }));
      assertInstanceOf(error, ReadTimeoutError, about);
      const whole = lengthOf(codec, frames.slice(0, before));
      assertEquals(error.have, after - whole, about);
      pair.resume();
      for (const frame of [...frames.slice(before), null]) {
        assertEquals(await server.read(), frame, about);
      }
    }
  });
}

for (const [name, codec] of STRICT) {
  Deno.test(`faultyPair() half-closes behind whole frames of ${name}, or inside one, which is truncated`, async () => {
    const ends = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const about = `seed ${seed}`;
      const frames = randomFrames(new Random(seed), 3);
      const max = lengthOf(codec, frames);
      const { received, end, delivered } = await exchange(
        codec,
        frames,
        { halfCloseAfter: { min: 0, max } },
        { seed },
      );
      const count = wholeWithin(codec, frames, delivered);
      const whole = frames.slice(0, count);
      assertEquals(received, whole, about);
      const have = delivered - lengthOf(codec, whole);
      if (have > 0) {
        assertInstanceOf(end, TruncatedFrameError, about);
        assertEquals(end.have, have, about);
      } else assertEquals(end, null, about);
      ends.add(have > 0 ? "truncated" : "end");
    }
    assertEquals(ends.size, 2);
  });
}

Deno.test("faultyPair() tells the sender of a reset, too, whether it reads or writes", async () => {
  for (const reads of [true, false]) {
    using pair = faultyPair({ there: { resetAfter: 4 } });
    using client = new Framing(pair.here, lines());
    client.write("hello");
    await client.drain();
    await pair.there.read(new Uint8Array(9));
    const failing = reads ? client.read() : (async () => {
      await client.write("again");
      await client.drain();
    })();
    const error = await rejection(failing);
    assertInstanceOf(error, PeerResetError, `seed ${pair.seed}`);
  }
});

Deno.test("faultyPair() stalls a writer: a timeout, and nothing is lost", async () => {
  using pair = faultyPair({ there: { stall: { after: 10 } } }, {
    capacity: 16,
  });
  using client = new Framing(pair.here, lines());
  using server = new Framing(pair.there, lines());
  const line = "x".repeat(1000);
  client.write(line);
  const error = await assertRejects(
    () => client.drain({ timeout: 1 }),
    WriteTimeoutError,
  );
  // The sender's buffer and the network are full; ten bytes are through, which makes no room yet.
  assertEquals(error.pending, 1001 - 32, `seed ${pair.seed}`);
  pair.resume();
  assertEquals(await server.read(), line);
  await client.drain();
});

Deno.test("faultyPair() stalls for a while: reads with timeouts get everything in the end", async () => {
  using pair = faultyPair({
    there: { cuts: 1, stall: { after: 3, duration: 5 } },
  });
  using client = new Framing(pair.here, lines());
  using server = new Framing(pair.there, lines());
  await client.write("hello");
  await client.write("world");
  await client.closeWrite();
  const received: (string | null)[] = [];
  while (received.at(-1) !== null) {
    try {
      received.push(await server.read({ timeout: 1 }));
    } catch (error) {
      assertInstanceOf(error, ReadTimeoutError, `seed ${pair.seed}`);
    }
  }
  assertEquals(received, ["hello", "world", null], `seed ${pair.seed}`);
});

Deno.test("faultyPair() gives frames late and in order, both ways", async () => {
  using pair = faultyPair({
    latency: { min: 0, max: 2 },
    bandwidth: 1e6,
    cuts: { min: 1, max: 9 },
  });
  using client = new Framing(pair.here, lines());
  using server = new Framing(pair.there, lines());
  const echoing = (async () => {
    for await (const line of server) await server.write(line);
    await server.closeWrite();
  })();
  const frames = randomFrames(new Random(1));
  await client.writeMany(frames);
  await client.closeWrite();
  const received: string[] = [];
  for await (const line of client) received.push(line);
  await echoing;
  assertEquals(received, frames, `seed ${pair.seed}`);
});

/** What reads give of bytes, one after another. */
async function reads(
  faults: FaultPlan,
  options: FaultyPairOptions,
): Promise<[seed: number, chunks: string[]]> {
  using pair = faultyPair(faults, options);
  await writeAll(pair.here, raw("The quick brown fox jumps over the dog."));
  await pair.here.closeWrite();
  const chunks: string[] = [];
  while (true) {
    const chunk = new Uint8Array(100);
    const count = await pair.there.read(chunk).catch(() => null);
    if (count === null) return [pair.seed, chunks];
    chunks.push(unraw(chunk.subarray(0, count)));
  }
}

Deno.test("faultyPair() does the same again with the same seed, which it tells", async () => {
  const faults: FaultPlan = {
    cuts: { min: 1, max: 9 },
    lost: { probability: 0.05 },
    corrupted: { probability: 0.05 },
    resetAfter: { min: 1, max: 60 }, // with 0 there is nothing to write to
    latency: { min: 0, max: 0.1 },
  };
  const runs = new Set<string>();
  for (let run = 0; run < 20; run++) {
    const [seed, chunks] = await reads(faults, {});
    assertEquals(await reads(faults, { seed }), [seed, chunks], `seed ${seed}`);
    runs.add(chunks.join("|"));
  }
  assert(runs.size > 10);
});

Deno.test("faultyPair() has faults of its own for each direction", async () => {
  using pair = faultyPair({
    lost: { positions: [0] },
    back: { lost: { positions: [1] }, corrupted: { positions: [2] } },
  });
  const { here, there, seed } = pair;
  await here.write(raw("abcd"));
  await here.closeWrite();
  await there.write(raw("abcd"));
  await there.closeWrite();
  assertEquals(unraw(await readAll(there)), "bcd");
  const back = unraw(await readAll(here));
  assertEquals([back.length, back[0], back[2]], [3, "a", "d"], `seed ${seed}`);
  assertNotEquals(back[1], "c", `seed ${seed}`);
  assertEquals(pair.stats, {
    there: { taken: 4, delivered: 3, pieces: 1, lost: 1, corrupted: 0 },
    back: { taken: 4, delivered: 3, pieces: 1, lost: 1, corrupted: 1 },
  });
});

Deno.test("faultyPair() draws for each direction by itself", async () => {
  const ways = new Set<string>();
  for (let seed = 0; seed < 10; seed++) {
    using pair = faultyPair({ cuts: { min: 1, max: 20 } }, { seed });
    for (
      const [from, to] of [[pair.here, pair.there], [pair.there, pair.here]]
    ) {
      await from.write(new Uint8Array(100));
      await from.closeWrite();
      const counts: (number | null)[] = [];
      while (counts.at(-1) !== null) {
        counts.push(await to.read(new Uint8Array(100)));
      }
      ways.add(counts.join());
    }
  }
  assertEquals(ways.size, 20);
});

Deno.test("faultyPair() closes both ends at the end of its scope, and leaves no timer", async () => {
  const pair = faultyPair({
    latency: 1e6,
    back: { stall: { after: 0, duration: 1e6 } },
  });
  {
    using _scope = pair;
    await pair.here.write(raw("never"));
    await pair.there.write(raw("never"));
  }
  for (const end of [pair.here, pair.there]) {
    await assertRejects(
      () => end.read(new Uint8Array(1)),
      Deno.errors.BadResource,
    );
  }
  pair[Symbol.dispose]();
});

Deno.test("faultyPair() interrupts what waits when it is closed", async () => {
  const pair = faultyPair({});
  const reading = rejection(pair.here.read(new Uint8Array(1)));
  pair[Symbol.dispose]();
  assertInstanceOf(await reading, Deno.errors.Interrupted);
});

Deno.test("faultyPair() refuses numbers out of range", () => {
  for (
    const [faults, options, message] of [
      [{ cuts: 0 }, {}, "cuts must be a whole number of at least 1: it is 0"],
      [{}, { seed: -1 }, "seed must be a whole number from 0 to 4294967295"],
      [{}, { capacity: 0 }, "capacity must be a whole number of at least 1"],
    ] as const
  ) {
    assertThrows(() => faultyPair(faults, options), RangeError, message);
  }
});
