/**
 * What comes of a stream, in short words, so that a test can list it:
 *
 *     "=hello"                    a frame
 *     "~hello"                    its body, or as much of it as came before an error
 *     "too large: 9 > 5"          a frame over the limit, which ends the stream
 *     "left out: 9 > 5"           a frame over the limit, behind which reading goes on
 *     "truncated: 6 of 9, he"     six bytes of nine, "he" of the payload
 *     "malformed at 13"           wrong bytes in the frame that begins at byte 13
 *     "malformed, goes on"        the same, and reading goes on
 *     "bad header"                a message whose header is wrong
 *     "end"                       the regular end
 *
 * @module
 */

import {
  type Codec,
  FrameDecoder,
  FrameTooLargeError,
  FramingError,
  MalformedFrameError,
  MessageHeaderError,
  TruncatedFrameError,
} from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { byteByByte, raw, unraw } from "./wire.ts";

const ENDS_STREAM = /^(too large|truncated|malformed|bad header)(?!.*goes on)/;

/** A codec of which only the reading half is used. */
export type ReadCodec = Codec<unknown, never>;

/** A frame as text. */
export function describeFrame(frame: unknown): string {
  if (frame instanceof Uint8Array) return "=" + unraw(frame);
  if (typeof frame === "string") return "=" + frame;
  return "=" + JSON.stringify(
    frame,
    (_, value) => {
      if (value instanceof Uint8Array) return unraw(value);
      // JSON has no words for these.
      const wordless = typeof value === "bigint" ||
        typeof value === "number" && !Number.isFinite(value);
      return wordless ? String(value) : value;
    },
  );
}

/** An error as text; throws it if it is none that a codec may throw. */
export function describeError(error: unknown): string {
  if (!(error instanceof FramingError)) throw error;
  const place = error.offset === 0 ? "" : ` at ${error.offset}`;
  if (error instanceof FrameTooLargeError) {
    const { length, limit, recoverable } = error;
    const kind = recoverable ? "left out" : "too large";
    return `${kind}: ${length} > ${limit}${place}`;
  }
  if (error instanceof TruncatedFrameError) {
    const { have, need, partial } = error;
    const of = need === undefined ? "" : ` of ${need}`;
    const part = partial.length === 0 ? "" : `, ${unraw(partial)}`;
    return `truncated: ${have}${of}${part}${place}`;
  }
  const kind = error instanceof MessageHeaderError ? "bad header" : "malformed";
  assert(
    error instanceof MessageHeaderError || error instanceof MalformedFrameError,
    "A codec must throw an error of one of the four classes",
  );
  return `${kind}${error.recoverable ? ", goes on" : ""}${place}`;
}

/** Takes the bodies of frames, each to be told when it is over or will never be. */
export class Bodies {
  #decoder: FrameDecoder<unknown>;
  #bytes = "";

  /** Takes them from a decoder. */
  constructor(decoder: FrameDecoder<unknown>) {
    this.#decoder = decoder;
  }

  /** The body that has ended with what is here; nothing if none has. */
  ended(): string[] {
    for (let part; (part = this.#decoder.takeBody()) !== undefined;) {
      this.#bytes += unraw(part);
    }
    return this.#decoder.bodyLeft === 0 ? this.broken() : [];
  }

  /** The body that does not go on; nothing if there is none. */
  broken(): string[] {
    const bytes = this.#bytes;
    this.#bytes = "";
    return bytes === "" ? [] : [`~${bytes}`];
  }
}

/** What comes of each chunk, and last what comes of the end of the stream. */
export function outcomesByChunk(
  codec: ReadCodec,
  chunks: readonly Uint8Array[],
): string[][] {
  const decoder = new FrameDecoder(codec);
  const bodies = new Bodies(decoder);
  let failed = false;
  function drain(next: () => unknown): string[] {
    const outcomes: string[] = [];
    while (!failed) {
      try {
        outcomes.push(...bodies.ended());
        const frame = next();
        if (frame === undefined) break;
        outcomes.push(describeFrame(frame));
      } catch (error) {
        outcomes.push(...bodies.broken(), describeError(error));
        failed = !(error instanceof FramingError && error.recoverable);
      }
    }
    return outcomes;
  }
  const all: string[][] = [];
  for (const chunk of chunks) {
    if (!failed) decoder.push(chunk.slice());
    all.push(drain(() => decoder.next()));
  }
  const last = drain(() => decoder.end());
  all.push(failed ? last : [...last, "end"]);
  return all;
}

/** What comes of a stream that arrives in these chunks. */
export function outcomes(
  codec: ReadCodec,
  chunks: readonly Uint8Array[],
): string[] {
  return outcomesByChunk(codec, chunks).flat();
}

/** A stream, and what must come of it when. */
export interface StreamCase {
  /** What the codec does, as the end of the test's name. */
  name: string;
  /** The codec. */
  codec: ReadCodec;
  /** Each chunk, a character for a byte, and what must come of it at once. */
  steps: readonly (readonly [chunk: string, ...outcomes: string[]])[];
  /**
   * What must come of the end of the stream.
   *
   * @default {["end"], or nothing if the last step ends the stream}
   */
  end?: readonly string[];
}

/** A test for each stream: it arrives as listed, and then in every other way to the same effect. */
export function testStreams(
  subject: string,
  cases: readonly StreamCase[],
): void {
  for (const { name, codec, steps, ...rest } of cases) {
    Deno.test(`${subject} ${name}`, () => {
      const last = steps.at(-1)?.at(-1) ?? "";
      const end = rest.end ?? (ENDS_STREAM.test(last) ? [] : ["end"]);
      const chunks = steps.map(([chunk]) => raw(chunk));
      const expected = [...steps.map(([, ...then]) => then), [...end]];
      assertEquals(outcomesByChunk(codec, chunks), expected);
      const stream = concat(chunks);
      const flat = expected.flat();
      assertEquals(outcomes(codec, [stream]), flat, "whole");
      assertEquals(outcomes(codec, byteByByte(stream)), flat, "byte by byte");
      for (let i = 1; i < stream.length; i++) {
        const parts = [stream.subarray(0, i), stream.subarray(i)];
        assertEquals(outcomes(codec, parts), flat, `cut at ${i}`);
        for (let j = i + 1; j < stream.length && stream.length < 40; j++) {
          const [first, rest] = parts;
          const three = [
            first,
            rest.subarray(0, j - i),
            new Uint8Array(),
            rest.subarray(j - i),
          ];
          assertEquals(outcomes(codec, three), flat, `cut at ${i} and ${j}`);
        }
      }
    });
  }
}
