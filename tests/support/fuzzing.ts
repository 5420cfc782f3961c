/**
 * Input that nobody thought of, for codecs: random bytes, and what they would accept with something wrong.
 *
 * Every input follows from one number, which a failure names: `deno task fuzz 1 NUMBER` makes it again.
 *
 * @module
 */

import { FrameDecoder, FramingError } from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  Bodies,
  describeError,
  describeFrame,
  type ReadCodec,
} from "./outcomes.ts";
import { Random } from "./random.ts";
import { byteByByte, raw, unraw } from "./wire.ts";

/** A codec, and what its frames look like. */
export interface Fuzzed {
  /** The function that made the codec. */
  maker: string;
  /** What is special about it. */
  name: string;
  /** The codec's reading half. */
  codec: ReadCodec;
  /** Wires of a frame each. */
  wires: readonly Uint8Array[];
}

/** Bytes at which something often changes, and beginnings of other protocols. */
const TOKENS = [
  ...'\0 \x01 \x7f \x80 \xff \xff\xff\xff\xff \x80\x80\x80\x80\x80 \n \r \r\n \r\n\r\n 0 9 : , { } "'
    .split(" "),
  " ",
  "\xc3",
  "\xed\xa0\x80",
  "\u2028",
  "GET / HTTP/1.1\r\n",
  "PO",
  "\x16\x03\x01\0\xf8",
  "SSH-2.0-x\r\n",
  "PROXY TCP4 ",
  "\r\n\r\n\0\r\nQUIT\n",
  "Content-Length: 99999999999\r\n\r\n",
  "99999999999999999999",
].map((token) => raw(token.replace("\u2028", "\xe2\x80\xa8")));

/** The longest wire that is made use of: what is wrong shows in short ones, and sooner. */
const SHORT = 300;
/** What an input ends at, in bytes. */
const LONGEST = 2000;
/** What a decoder that was given no more may take for its buffers, in bytes. */
const MOST_MEMORY = 64 * 1024;

/**
 * Makes a wire with something wrong in one to four places: a bit, a byte, some bytes more or fewer, a part
 * twice, a part of another wire, or its end somewhere else.
 */
export function mutate(
  random: Random,
  wire: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  let bytes = wire;
  for (let i = random.below(4); i >= 0; i--) {
    const start = random.below(bytes.length + 1);
    const end = Math.min(start + 1 + random.below(5), bytes.length);
    const before = bytes.subarray(0, start);
    const after = bytes.subarray(end);
    switch (random.below(8)) {
      case 0: {
        bytes = bytes.slice();
        if (start < bytes.length) bytes[start] ^= 1 << random.below(8);
        break;
      }
      case 1: {
        bytes = bytes.slice();
        if (start < bytes.length) bytes[start] += random.pick([1, 255, 128]);
        break;
      }
      case 2:
        bytes = concat([before, after]);
        break;
      case 3:
        bytes = concat([before, random.bytes(1 + random.below(5)), after]);
        break;
      case 4:
        bytes = before;
        break;
      case 5:
        bytes = concat([before, bytes.subarray(random.below(start + 1))]);
        break;
      case 6:
        bytes = concat([before, random.pick(TOKENS), after]);
        break;
      default: {
        const other = random.pick(others);
        const from = random.below(other.length + 1);
        bytes = concat([before, other.subarray(from)]);
      }
    }
  }
  return bytes.subarray(0, LONGEST);
}

/** What comes of a stream that a decoder is given in chunks, as from a socket or as they are. */
function eventsOf(
  codec: ReadCodec,
  chunks: readonly Uint8Array[],
  asFromSocket: boolean,
): string[] {
  const decoder = new FrameDecoder(codec);
  const events: string[] = [];
  const bodies = new Bodies(decoder);
  let given = 0;
  let failed = false;
  function drain(next: () => unknown): void {
    // Each turn takes a byte at least, or is the last.
    for (let turn = 0; !failed; turn++) {
      assert(turn <= given + 2, "a decoder must come to an end");
      try {
        events.push(...bodies.ended());
        const frame = next();
        if (frame === undefined) return;
        events.push(describeFrame(frame));
      } catch (error) {
        events.push(...bodies.broken(), describeError(error));
        if (!(error instanceof FramingError)) throw error;
        events.push(error.message);
        assert(
          error.message.length < 400 &&
            !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(error.message),
          `a message must be one line: ${JSON.stringify(error.message)}`,
        );
        failed = !error.recoverable;
      }
    }
  }
  for (const chunk of chunks) {
    given += chunk.length;
    for (let rest = chunk; rest.length > 0 && !failed && asFromSocket;) {
      const room = decoder.room();
      assert(
        room.buffer.byteLength <= MOST_MEMORY,
        `${room.buffer.byteLength} bytes of memory for ${given} bytes`,
      );
      const count = Math.min(room.length, rest.length);
      room.set(rest.subarray(0, count));
      decoder.commit(count);
      rest = rest.subarray(count);
      drain(() => decoder.next());
    }
    if (asFromSocket || failed) continue;
    decoder.push(chunk.slice());
    drain(() => decoder.next());
  }
  drain(() => decoder.end());
  if (!failed) events.push("end");
  assert(decoder.buffered <= given, "no more can be left than was given");
  return events;
}

/** What came of an input. */
export type Fate = "read" | "refused" | "truncated";

/**
 * Gives a codec the input that follows from a number: only documented errors may come of it, the same however
 * it is cut.
 *
 * @param number What the input follows from.
 * @param fuzzed The codec.
 * @param others Wires of other codecs.
 * @returns What came of it.
 */
export function fuzz(
  number: number,
  { maker, name, codec, wires }: Fuzzed,
  others: readonly Uint8Array[],
): Fate {
  const random = new Random(number);
  const short = wires.filter(({ length }) => length <= SHORT);
  const kind = random.below(10);
  let bytes: Uint8Array;
  if (kind === 0) bytes = random.bytes(random.below(random.pick([8, 40, 200])));
  else if (kind === 1) {
    bytes = random.bytes(random.below(60), random.pick(short));
  } else {
    const count = 1 + random.below(3);
    const valid = Array.from({ length: count }, () => random.pick(short));
    bytes = mutate(random, concat(valid), others);
  }
  try {
    const events = eventsOf(codec, [bytes], false);
    const chunks = random.below(4) === 0
      ? byteByByte(bytes)
      : random.chunks(bytes);
    const asFromSocket = random.below(2) === 0;
    assertEquals(eventsOf(codec, chunks, asFromSocket), events);
    if (events.at(-1) === "end") return "read";
    return events.at(-2)?.startsWith("truncated") ? "truncated" : "refused";
  } catch (cause) {
    throw new Error(
      `${maker}() ${name}, input ${number}, to be had again by \`deno task fuzz 1 ${number}\`: ${
        JSON.stringify(unraw(bytes))
      }`,
      { cause },
    );
  }
}

/** The wires of codecs that are short enough to be put into others. */
export function wiresOf(all: readonly Fuzzed[]): Uint8Array[] {
  return all.flatMap(({ wires }) =>
    wires.filter(({ length }) => length > 0 && length <= SHORT)
  );
}

/** The codec that the input of a number is for. */
export function codecFor<F extends Fuzzed>(
  number: number,
  all: readonly F[],
): F {
  return all[number % all.length];
}
