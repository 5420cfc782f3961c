/**
 * Every codec, put to input that nobody thought of.
 *
 * @module
 */

import { encodeFrame, FrameDecoder } from "@framewire/framewire";
import { assertEquals, assertGreater } from "@std/assert";
import { concat } from "@std/bytes";
import { outcomes } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { byteByByte, unraw } from "../support/wire.ts";
import { codecCases } from "./samples.ts";

const STRINGS = 500;
const MUTATIONS = 200;
const STREAMS = 60;

/** A wire with something wrong: a byte changed, taken out, put in, or its end put elsewhere. */
function mutate(random: Random, wire: Uint8Array): Uint8Array {
  const bytes = Array.from(wire);
  for (let i = 0; i <= random.below(3); i++) {
    const place = random.below(bytes.length + 1);
    switch (random.below(5)) {
      case 0:
        bytes[Math.min(place, bytes.length - 1)] = random.below(256);
        break;
      case 1:
        bytes.splice(place, 1 + random.below(4));
        break;
      case 2:
        bytes.splice(place, 0, ...random.bytes(1 + random.below(4)));
        break;
      case 3:
        bytes.length = place;
        break;
      case 4:
        bytes.splice(place, 0, ...bytes.slice(random.below(bytes.length + 1)));
        break;
    }
  }
  return new Uint8Array(bytes);
}

for (const [index, { maker, name, codec, wires }] of codecCases.entries()) {
  Deno.test(`${maker}() meets random bytes with documented errors only: ${name}`, () => {
    const random = new Random(1000 + index);
    const alphabet = concat([...wires]);
    /** Fails on any other error, and if a cut makes a difference. */
    function check(bytes: Uint8Array): void {
      const about = `seed ${random.seed}, bytes ${
        JSON.stringify(unraw(bytes))
      }`;
      let whole: string[];
      try {
        whole = outcomes(codec, [bytes]);
      } catch (cause) {
        throw new Error(`An undocumented error: ${about}`, { cause });
      }
      assertEquals(outcomes(codec, random.chunks(bytes)), whole, about);
      assertEquals(outcomes(codec, byteByByte(bytes)), whole, about);
    }
    for (let i = 0; i < STRINGS; i++) {
      const length = random.below(random.pick([8, 40, 120]));
      check(random.bytes(length, random.below(3) === 0 ? undefined : alphabet));
    }
    const short = wires.filter((wire) => wire.length <= 300);
    for (let i = 0; i < MUTATIONS; i++) {
      const count = 1 + random.below(3);
      const valid = Array.from({ length: count }, () => random.pick(short));
      check(mutate(random, concat(valid)));
    }
  });
}

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
      if (seed > 1) parts.splice(-3, 1, mutate(random, random.pick(wires)));
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
