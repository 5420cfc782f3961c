/**
 * Frames that announce their length in binary.
 *
 *     | offset bytes | length: width bytes |  more header  |  payload  |
 *     |<------------------- strip ----------------------->|<- frame ->|
 *
 *     lengthPrefixed()                      00 00 00 05 | h e l l o
 *     {width: 2, includesHeader: true}            00 07 | h e l l o
 *     {width: 2, byteOrder: "little"}             05 00 | h e l l o
 *     {width: 1, offset: 1, strip: 0}     | 7f 05 h e l l o
 *
 * @module
 */

import {
  type ByteOrder,
  maxUint,
  type UintWidth,
} from "../bytes/byte_order.ts";
import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { FrameBody } from "../bytes/frame_body.ts";
import type { BytesCodec, Codec, LimitOptions } from "./codec.ts";
import {
  countTelling,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "./faults.ts";
import { checkInteger, checkLimits, checkOneOf } from "./options.ts";

/** How a frame announces its length. */
export interface LengthPrefixedOptions extends LimitOptions {
  /**
   * How many bytes the length takes: 1, 2, 3, 4 or 8.
   *
   * @default {4}
   */
  width?: UintWidth;
  /**
   * The order of its bytes.
   *
   * @default {"big"}
   */
  byteOrder?: ByteOrder;
  /**
   * How many bytes of header come before the length.
   *
   * @default {0}
   */
  offset?: number;
  /**
   * What is to be added to the announced length to get the number of bytes that follow it.
   *
   * @default {0}
   */
  adjustment?: number;
  /**
   * Whether the announced length counts the whole frame, from its first byte, rather than what follows
   * the length.
   *
   * @default {false}
   */
  includesHeader?: boolean;
  /**
   * How many bytes to leave off the front of what is handed out; 0 keeps the header. Stripped bytes other
   * than the length are written as zeros.
   *
   * @default {offset + width}
   */
  strip?: number;
}

/** How a frame announces its length, where long frames are handed out as they come. */
export interface StreamedLengthPrefixedOptions extends LengthPrefixedOptions {
  /**
   * The longest frame that is accepted and laid out, in bytes. One that is longer than `maxFrameLength`, which is
   * the most that is held, is a {@linkcode FrameBody}.
   */
  maxBodyLength: number;
}

/** A codec whose frames are bytes, or bodies if they are long. */
export type StreamedBytesCodec = Codec<
  Uint8Array<ArrayBuffer> | FrameBody,
  Uint8Array | FrameBody
>;

/**
 * Cuts frames that begin with their length as a binary number, and hands out those that are longer than
 * `maxFrameLength` as they come.
 *
 * @param options The layout and both limits.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over `maxBodyLength`, or longer than the
 * length can say.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range, or the limit more than the length can say.
 *
 * @example Usage
 * ```ts
 * import { FrameBody, Framing, lengthPrefixed } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lengthPrefixed({ width: 8, maxBodyLength: 2 ** 40 });
 * const [here, there] = connPair();
 * await using client = new Framing(here, codec);
 * await using server = new Framing(there, codec);
 *
 * const film = new Blob([new Uint8Array(3_000_000)]); // or a file: its size and its `readable`
 * const sent = client.write(new FrameBody(film.size, film.stream()));
 *
 * const frame = await server.read();
 * if (frame instanceof FrameBody) {
 *   let count = 0;
 *   await frame.stream().pipeTo(
 *     new WritableStream({ write: (chunk) => void (count += chunk.length) }),
 *   );
 *   assertEquals(count, 3_000_000);
 * }
 * await sent;
 * ```
 */
export function lengthPrefixed(
  options: StreamedLengthPrefixedOptions,
): StreamedBytesCodec;
/**
 * Cuts frames that begin with their length as a binary number, in network byte order unless told otherwise.
 *
 * `maxFrameLength` counts what is handed out. It is compared with the announced length before anything is
 * waited for, and no memory is taken because of an announcement.
 *
 * @param options The layout and the limit.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit, or longer than the
 * length can say.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range, or the limit more than the length can say.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder, lengthPrefixed } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lengthPrefixed({ width: 2 });
 * const wire = encodeFrame(codec, new Uint8Array([7, 8, 9]));
 * assertEquals(wire, new Uint8Array([0, 3, 7, 8, 9]));
 *
 * const decoder = new FrameDecoder(codec);
 * decoder.push(wire);
 * assertEquals(decoder.next(), new Uint8Array([7, 8, 9]));
 * ```
 */
export function lengthPrefixed(options?: LengthPrefixedOptions): BytesCodec;
export function lengthPrefixed(
  options: LengthPrefixedOptions & { maxBodyLength?: number } = {},
): StreamedBytesCodec {
  const width = checkOneOf("width", options.width ?? 4, [1, 2, 3, 4, 8]);
  const byteOrder = checkOneOf("byteOrder", options.byteOrder ?? "big", [
    "big",
    "little",
  ]);
  const offset = checkInteger("offset", options.offset ?? 0, 0, 0xffff);
  const header = offset + width;
  const added = checkInteger(
    "adjustment",
    options.adjustment ?? 0,
    -0xffff_ffff,
    0xffff_ffff,
  );
  const includesHeader = checkOneOf(
    "includesHeader",
    options.includesHeader ?? false,
    [true, false],
  );
  const strip = checkInteger("strip", options.strip ?? header, 0, 0xffff);
  /** The announced length plus this is the length of the whole frame. */
  const surplus = added + (includesHeader ? 0 : header);
  const largest = maxUint(width);
  const most = largest + surplus - strip;
  const announceable = Math.min(Math.max(most, 0), Number.MAX_SAFE_INTEGER);
  const { limit, onOversize } = checkLimits(options, announceable);
  const { maxBodyLength } = options;
  const streams = maxBodyLength !== undefined;
  /** What no frame may be longer than, held or not, and the option that says it. */
  const bound = streams
    ? checkInteger("maxBodyLength", maxBodyLength, limit, announceable)
    : limit;
  const boundOption = streams ? "maxBodyLength" : "maxFrameLength";
  if (streams && strip < header) {
    throw new RangeError(
      `Cannot make codec: strip must be at least ${header}, the length of the header, with maxBodyLength: it is ${strip}`,
    );
  }
  const least = Math.max(header - strip, 0);
  if (limit < least || most < 0) {
    throw new RangeError(
      `Cannot make codec: no frame can be within maxFrameLength of ${limit} bytes`,
    );
  }

  const shortest = Math.max(header, strip);
  const longest = limit + strip;

  /** Hands out what is too long to be held, or says what is wrong with it. */
  function stream(received: ByteQueue, total: number): FrameBody | undefined {
    const length = total - strip;
    const short = total < header || length < 0;
    if (!short && length <= bound) {
      if (received.length >= strip) return received.body(length, strip);
      received.need(strip);
      return undefined;
    }
    const skipped = !short && onOversize === "skip";
    const seen = skipped ? header : countTelling(received, header);
    if (seen === undefined) return undefined;
    if (short) {
      throw malformed(
        received,
        `announced length ${total - surplus} is less than the frame's header`,
        seen,
      );
    }
    const error = tooLarge(received, {
      binary: true,
      length,
      limit: bound,
      option: boundOption,
      seen,
      skipped,
    });
    if (skipped) received.skip(total);
    throw error;
  }

  return {
    decode(received) {
      if (received.length < header) {
        received.need(header);
        return undefined;
      }
      const total = received.uint(offset, width, byteOrder) + surplus;
      if (total < shortest || total > longest) return stream(received, total);
      if (received.length < total) {
        received.need(total, strip);
        return undefined;
      }
      return received.take(total - strip, strip);
    },
    encode(frame, out) {
      const { length } = frame;
      if (length > bound) {
        if (bound < most) throw tooLargeToWrite(length, bound, boundOption);
        throw new RangeError(
          `Cannot write frame: length ${length} exceeds ${limit} bytes, the most that a width of ${width} can say`,
        );
      }
      const total = strip + length;
      const announced = total - surplus;
      if (total < header || announced < 0 || announced > largest) {
        throw new RangeError(
          `Cannot write frame: its length of ${length} bytes would be announced as ${announced}, which ${width} bytes cannot say`,
        );
      }
      // The header is laid out as far as it is stripped; a frame that brings it along has its length set.
      out.reserve(shortest);
      if (strip === width && offset === 0) {
        out.uint(announced, width, byteOrder);
        out.write(frame);
        return;
      }
      const start = out.position;
      for (let i = 0; i < strip; i++) out.byte(0);
      const behind = Math.max(header - strip, 0);
      const rest = frame instanceof Uint8Array ? frame.subarray(behind) : frame;
      if (frame instanceof Uint8Array) {
        for (const byte of frame.subarray(0, behind)) out.byte(byte);
      }
      out.setUint(start + offset, announced, width, byteOrder);
      out.write(rest);
    },
  };
}
