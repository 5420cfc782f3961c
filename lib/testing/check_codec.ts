/**
 * The contract of a codec, as a check that any codec can be put to.
 *
 *     whole            5:hello,
 *     byte by byte     5|:|h|e|l|l|o|,
 *     cut in two       5:he|llo,         at every place
 *     cut in three     5:|hel|lo,        at every two places, for short samples
 *     empty chunks     |5:he||llo,|
 *     more behind      5:hello,5:hello,  and again, many
 *     truncated        5:hel             at every place
 *
 * @module
 */

import { assert, assertEquals, AssertionError } from "@std/assert";
import { concat } from "@std/bytes";
import { ByteSink } from "../bytes/byte_sink.ts";
import type { Codec } from "../codec/codec.ts";
import { FrameDecoder } from "../codec/frame_decoder.ts";
import {
  FrameTooLargeError,
  FramingError,
  MalformedFrameError,
  TruncatedFrameError,
} from "../errors.ts";

/** A frame, and how it looks on the wire. */
export interface CodecSample<T> {
  /** The frame, as `decode` gives it and `encode` takes it. */
  frame: T;
  /**
   * Its bytes, or a text that stands for its UTF-8. Without it, they are what `encode` lays out, and only
   * the round trip is checked.
   */
  wire?: Uint8Array | string;
  /**
   * The bytes of its {@linkcode FrameBody}, or a text that stands for its UTF-8, if it has one; the frame itself
   * needs to have no more of it than its length.
   */
  body?: Uint8Array | string;
  /**
   * Whether `encode` lays out exactly `wire`; `false` for bytes that are read and not written this way.
   *
   * @default {true}
   */
  canonical?: boolean;
}

/** What else is checked. */
export interface CheckCodecOptions {
  /** Bytes that begin with a frame over the limit. */
  tooLarge?: readonly (Uint8Array | string)[];
  /** Bytes that begin with what is no frame. */
  malformed?: readonly (Uint8Array | string)[];
  /**
   * The longest sample, in bytes, that is cut in three at every two places.
   *
   * @default {40}
   */
  threeCutsUpTo?: number;
  /**
   * Whether a frame goes on until the end of the stream, so that nothing can follow it.
   *
   * @default {false}
   */
  untilEnd?: boolean;
}

/** How much was checked. */
export interface CodecReport {
  /** How many samples. */
  samples: number;
  /** How many ways of cutting them were tried, whole and byte by byte included. */
  cuts: number;
  /** How many truncations were tried. */
  truncations: number;
}

/** What comes of a stream: its frames, with as much of their bodies as came, its errors in order, its regular end. */
type Event<T> =
  | { frame: T; body?: number[] }
  | { error: Record<string, unknown> }
  | "end";

const MANY = 50;
const encoder = new TextEncoder();

function bytesOf(wire: Uint8Array | string): Uint8Array {
  return typeof wire === "string" ? encoder.encode(wire) : wire;
}

/** What an error says, in the form in which it is compared. */
function describe(error: unknown, where: string): Record<string, unknown> {
  if (!(error instanceof FramingError)) {
    throw new AssertionError(
      `${where}: codec threw what is no FramingError: ${error}`,
      { cause: error },
    );
  }
  // `fromEntries` takes the numbers along, whatever the class.
  const { cause: _, stack: __, ...fields } = error;
  return { ...fields, name: error.name, message: error.message };
}

/** Everything that comes of a stream that arrives in these chunks. */
function eventsOf<T>(
  codec: Codec<T, never>,
  chunks: readonly Uint8Array[],
  where: string,
): Event<T>[] {
  const decoder = new FrameDecoder(codec);
  const events: Event<T>[] = [];
  /** The body that has not ended. */
  let body: number[] | undefined;
  function takeBody(): void {
    for (let bytes; (bytes = decoder.takeBody()) !== undefined;) {
      for (const byte of bytes) body?.push(byte);
    }
  }
  /** Takes frames until there are no more; `false` when the stream has failed. */
  function drain(next: () => T | undefined): boolean {
    let last: unknown;
    while (true) {
      try {
        takeBody();
        const frame = next();
        if (frame === undefined) return true;
        body = decoder.bodyLeft > 0 ? [] : undefined;
        events.push(body === undefined ? { frame } : { frame, body });
      } catch (error) {
        assert(
          error !== last,
          `${where}: an error must be recoverable only if bytes were removed`,
        );
        last = error;
        events.push({ error: describe(error, where) });
        if (!(error instanceof FramingError && error.recoverable)) {
          assertPoisoned(decoder, error);
          return false;
        }
      }
    }
  }
  for (const chunk of chunks) {
    decoder.push(chunk.slice());
    if (!drain(() => decoder.next())) return events;
  }
  if (drain(() => decoder.end())) events.push("end");
  return events;
}

function assertPoisoned(decoder: FrameDecoder<unknown>, error: unknown): void {
  for (const call of [() => decoder.next(), () => decoder.end()]) {
    let again: unknown;
    try {
      call();
    } catch (thrown) {
      again = thrown;
    }
    assert(again === error, "A stream that failed must throw the same error");
  }
}

/** What is to come of a sample. */
function eventOf<T>({ frame, body }: CodecSample<T>): Event<T> {
  return body === undefined
    ? { frame }
    : { frame, body: Array.from(bytesOf(body)) };
}

/** The bytes that a codec lays out for a sample; those of its body are the sample's. */
function layOut<T>(
  codec: Codec<unknown, T>,
  { frame, body }: CodecSample<T>,
  name: string,
): Uint8Array {
  const out = new ByteSink();
  codec.encode(frame, out);
  const chunks: Uint8Array[] = [];
  while (out.length > 0) {
    const chunk = out.takeChunk()?.slice();
    const bytes = chunk ?? bytesOf(body ?? "");
    chunks.push(bytes);
    if (chunk !== undefined) continue;
    const { length } = out.takeBody() ?? bytes;
    assert(
      length === bytes.length,
      `${name}: body must have the ${length} bytes of the frame's: it has ${bytes.length}`,
    );
  }
  return concat(chunks);
}

/** A stream cut before each of `places`. */
function cutAt(wire: Uint8Array, ...places: number[]): Uint8Array[] {
  const ends = [...places, wire.length];
  return ends.map((end, i) => wire.subarray(i === 0 ? 0 : ends[i - 1], end));
}

function byteByByte(wire: Uint8Array): Uint8Array[] {
  return Array.from(wire, (byte) => new Uint8Array([byte]));
}

/** Every way in which a stream is cut, with a name for each. */
function* cutsOf(
  wire: Uint8Array,
  threeCutsUpTo: number,
): Generator<[string, Uint8Array[]]> {
  const empty = new Uint8Array(0);
  yield ["whole", [wire]];
  yield ["byte by byte", byteByByte(wire)];
  yield [
    "byte by byte, with empty chunks",
    byteByByte(wire).flatMap((byte) => [empty, byte, empty]),
  ];
  for (let i = 1; i < wire.length; i++) {
    yield [`cut at ${i}`, cutAt(wire, i)];
    yield [`empty chunks at ${i}`, cutAt(wire, i).flatMap((c) => [empty, c])];
    if (wire.length > threeCutsUpTo) continue;
    for (let j = i + 1; j < wire.length; j++) {
      yield [`cut at ${i} and ${j}`, cutAt(wire, i, j)];
    }
  }
}

/**
 * Puts a codec to its contract: where the bytes are cut makes no difference, every truncation is noticed,
 * limits hold, bytes behind a frame are left alone, errors are the documented ones and stay, and what is
 * written is read again.
 *
 * @typeParam T What the codec yields.
 * @typeParam W What the codec takes.
 * @param codec The codec.
 * @param samples Frames and how they look on the wire; at least one.
 * @param options What else is checked.
 * @returns How much was checked.
 * @throws {AssertionError} If the codec does not keep its contract; the message says where.
 *
 * @example Usage
 * ```ts
 * import { lengthPrefixed } from "@framewire/framewire";
 * import { checkCodec } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const report = checkCodec(
 *   lengthPrefixed({ width: 1, maxFrameLength: 5 }),
 *   [{ frame: new Uint8Array([7, 8]), wire: new Uint8Array([2, 7, 8]) }],
 *   { tooLarge: [new Uint8Array([6])] },
 * );
 * assertEquals(report.samples, 1);
 * ```
 */
export function checkCodec<T extends W, W = T>(
  codec: Codec<T, W>,
  samples: readonly CodecSample<T>[],
  options: CheckCodecOptions = {},
): CodecReport {
  const { threeCutsUpTo = 40, untilEnd = false } = options;
  const report: CodecReport = { samples: 0, cuts: 0, truncations: 0 };
  assert(samples.length > 0, "There must be at least one sample");

  /** Checks that a stream gives the same however it is cut, and what that is. */
  function checkCuts(
    name: string,
    wire: Uint8Array,
    cuts: Iterable<[string, Uint8Array[]]> = cutsOf(wire, threeCutsUpTo),
  ): Event<T>[] {
    const expected = eventsOf(codec, [wire], `${name}, whole`);
    for (const [cut, chunks] of cuts) {
      report.cuts++;
      const where = `${name}, ${cut}`;
      assertEquals(eventsOf(codec, chunks, where), expected, where);
    }
    return expected;
  }

  function checkTruncations(name: string, wire: Uint8Array): void {
    for (let length = 1; length < wire.length; length++) {
      report.truncations++;
      const part = wire.subarray(0, length);
      const where = `${name}, truncated to ${length} bytes`;
      const cuts: [string, Uint8Array[]][] = [[
        "byte by byte",
        byteByByte(part),
      ]];
      const events = checkCuts(where, part, cuts);
      if (codec.decodeEnd !== undefined) continue; // it may know what the rest means
      const first = events[0] !== "end" && "body" in events[0]
        ? events[1]
        : events[0];
      assert(
        typeof first === "object" && "error" in first &&
          first.error.name === TruncatedFrameError.name &&
          first.error.have === length,
        `${where}: must be a TruncatedFrameError of ${length} bytes: it is ${
          Deno.inspect(first)
        }`,
      );
    }
  }

  const wires: Uint8Array[] = [];
  for (const [index, sample] of samples.entries()) {
    const name = `samples[${index}]`;
    report.samples++;
    const written = sample.canonical === false
      ? undefined
      : layOut(codec, sample, name);
    const wire = sample.wire === undefined ? written : bytesOf(sample.wire);
    assert(wire !== undefined, `${name}: must have a wire, or be canonical`);
    if (written !== undefined) {
      assertEquals(written, wire, `${name}: encode lays out other bytes`);
    }
    wires.push(wire);
    assertEquals(
      checkCuts(name, wire),
      [eventOf(sample), "end"],
      `${name}: decode gives another frame`,
    );
    checkTruncations(name, wire);
  }

  if (!untilEnd) {
    const frames = samples.map(eventOf);
    const all = concat(wires);
    assertEquals(
      checkCuts("all samples together", all, cutsOf(all, threeCutsUpTo)),
      [...frames, "end"],
      "All samples together give other frames",
    );
    const times = Array.from({ length: MANY }, () => all);
    assertEquals(
      checkCuts("all samples many times", concat(times), [[
        "byte by byte",
        byteByByte(concat(times)),
      ]]),
      [...times.flatMap(() => frames), "end"],
      "All samples many times give other frames",
    );
  }

  // What is wrong must be so wherever it is cut, and must not take a frame before it along.
  for (
    const [option, kind, faults] of [
      ["tooLarge", FrameTooLargeError.name, options.tooLarge ?? []],
      ["malformed", MalformedFrameError.name, options.malformed ?? []],
    ] as const
  ) {
    for (const [index, fault] of faults.entries()) {
      const name = `${option}[${index}]`;
      const before = untilEnd ? new Uint8Array(0) : wires[0];
      const wire = concat([before, bytesOf(fault)]);
      const events = checkCuts(name, wire);
      for (let end = before.length + 1; end < wire.length; end++) {
        const part = wire.subarray(0, end);
        const where = `${name}, truncated to ${end} bytes`;
        checkCuts(where, part, [["byte by byte", byteByByte(part)]]);
      }
      if (!untilEnd) {
        assertEquals(events[0], eventOf(samples[0]), name);
      }
      const found = events[untilEnd ? 0 : 1];
      assert(
        typeof found === "object" && "error" in found &&
          (found.error.name === kind ||
            kind === MalformedFrameError.name &&
              found.error.name === "MessageHeaderError") &&
          found.error.offset === before.length,
        `${name}: must be a ${kind} at ${before.length}: it is ${
          Deno.inspect(found)
        }`,
      );
    }
  }
  return report;
}
