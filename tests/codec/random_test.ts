/**
 * Every codec, put to input that nobody thought of.
 *
 * @module
 */

import { encodeFrame, FrameDecoder } from "@framewire/framewire";
import { assertEquals, assertGreater } from "@std/assert";
import { concat } from "@std/bytes";
import { outcomes } from "../support/outcomes.ts";
import {
  codecFor,
  type Fate,
  fuzz,
  mutate,
  wiresOf,
} from "../support/fuzzing.ts";
import { Random } from "../support/random.ts";
import { unraw } from "../support/wire.ts";
import { codecCases } from "./samples.ts";

/** How many inputs the codecs get in all, and the number that the first follows from. */
const INPUTS = 100_000;
const FIRST = 1;
const STREAMS = 60;

const others = wiresOf(codecCases);

Deno.test(`every codec meets ${INPUTS} random inputs with documented errors only`, () => {
  const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
  for (let number = FIRST; number < FIRST + INPUTS; number++) {
    fates[fuzz(number, codecFor(number, codecCases), others)]++;
  }
  const { read, refused, truncated } = fates;
  console.log(
    `survival: random input: ${INPUTS} inputs through ${codecCases.length} codecs: ${read} read, ${refused} refused, ${truncated} truncated`,
  );
  // Input that is all of one kind would put nothing to the test.
  assertGreater(Math.min(read, refused, truncated), INPUTS / 10);
});

/** Bytes of which some are random and some are as in the wires of a codec. */
function randomFrame(random: Random, wires: readonly Uint8Array[]): Uint8Array {
  const model = random.pick(wires);
  const place = random.below(model.length + 1);
  switch (random.below(4)) {
    case 0:
      return random.bytes(model.length);
    case 1:
      return random.bytes(random.below(12), concat(wires));
    case 2:
      return concat([model.subarray(0, place), random.bytes(random.below(4))]);
    default:
      return concat([random.bytes(random.below(4)), model.subarray(place)]);
  }
}

for (
  const [index, { maker, name, bytesCodec, wires }] of codecCases.entries()
) {
  if (bytesCodec === undefined) continue;
  Deno.test(`${maker}() reads random frames that it wrote: ${name}`, () => {
    const random = new Random(2000 + index);
    let count = 0;
    for (let i = 0; i < STREAMS; i++) {
      const about = `seed ${random.seed}, stream ${i}`;
      const stream: Uint8Array[] = [];
      const expected: string[] = [];
      // Only one frame fits until the end of a stream.
      const most = maker === "untilClose" ? 1 : 8;
      for (let tries = 0; tries < 16 && stream.length < most; tries++) {
        let frame = randomFrame(random, wires);
        let wire: Uint8Array;
        try {
          wire = encodeFrame(bytesCodec, frame);
        } catch (error) {
          // What would not be read again as it is must be refused.
          if (error instanceof RangeError) continue;
          throw error;
        }
        if (wire.length === 0) continue;
        if (/handed out/.test(name)) {
          // The length in the header was set to what it must be.
          const decoder = new FrameDecoder(bytesCodec);
          decoder.push(wire.slice());
          const { length } = frame;
          frame = decoder.next() ?? new Uint8Array();
          assertEquals(frame.length, length, about);
          assertEquals(encodeFrame(bytesCodec, frame), wire, about);
        }
        stream.push(wire);
        expected.push("=" + unraw(frame));
      }
      count += stream.length;
      const chunks = random.chunks(concat(stream));
      assertEquals(outcomes(bytesCodec, chunks), [...expected, "end"], about);
    }
    assertGreater(count, STREAMS / 2);
  });
}

Deno.test("every codec reads a long stream in large chunks as it does in one", () => {
  const LENGTH = 60_000;
  for (const { maker, name, codec, wires } of codecCases) {
    for (let seed = 0; seed < 4; seed++) {
      const random = new Random(seed);
      const parts: Uint8Array[] = [];
      let length = 0;
      while (length < LENGTH) {
        const part = random.pick(wires);
        parts.push(part);
        length += part.length;
      }
      // Something wrong now and then, of which some codecs go on.
      if (seed > 1) {
        parts.splice(-3, 1, mutate(random, random.pick(wires), others));
      }
      const stream = concat(parts);
      const chunks: Uint8Array[] = [];
      for (let start = 0; start < stream.length;) {
        const end = start + random.pick([1, 300, 5000, 9000, 20_000]);
        chunks.push(stream.subarray(start, end));
        start = end;
      }
      assertEquals(
        outcomes(codec, chunks),
        outcomes(codec, [stream]),
        `${maker}() ${name}, seed ${seed}`,
      );
    }
  }
});
