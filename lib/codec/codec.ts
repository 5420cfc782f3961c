/**
 * What a codec is.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { ByteSink } from "../bytes/byte_sink.ts";

/**
 * The rule by which frames are cut from, and laid out into, a stream of bytes. A codec holds no state: one
 * can serve any number of connections at once.
 *
 * When `decode` is called, the bytes received are in one of three situations:
 *
 * 1. less than a frame: leave them, say with `received.need(count)` how many it takes if that is known,
 *    and return `undefined`;
 * 2. exactly a frame: remove it and return it;
 * 3. more than a frame: remove the frame and return it; the rest belongs to the next.
 *
 * `undefined` means "not yet" and nothing else: `""`, `0` and an empty payload are frames. Bytes that can
 * never become a frame are a {@linkcode FramingError}.
 *
 * @typeParam T What `decode` gives.
 * @typeParam W What `encode` takes.
 *
 * @example Frames of a one-byte number
 * ```ts
 * import { type Codec, encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const smallNumber: Codec<number> = {
 *   decode(received) {
 *     return received.take(1)[0];
 *   },
 *   encode(frame, out) {
 *     out.byte(frame);
 *   },
 * };
 * const decoder = new FrameDecoder(smallNumber);
 * decoder.push(encodeFrame(smallNumber, 0));
 * assertEquals(decoder.next(), 0);
 * ```
 */
export interface Codec<T, W = T> {
  /**
   * Takes one whole frame off the front of `received`, or leaves it untouched.
   *
   * @param received What has arrived: at least one byte, and at least as many as were asked for.
   * @returns The frame; `undefined` if it is not whole.
   * @throws {FramingError} If no frame can begin with these bytes.
   */
  decode(received: ByteQueue): T | undefined;
  /**
   * Says what the bytes left at the end of the stream mean. Without it they are a truncated frame.
   *
   * @param received What is left, and not a whole frame: at least one byte, unless a tag of `typed` came
   * before it.
   * @returns The last frame, removed from `received`; `undefined` if it is truncated, or if nothing but
   * meaningless bytes was there and was removed.
   */
  decodeEnd?(received: ByteQueue): T | undefined;
  /**
   * Lays `frame` out, whole, or throws before a byte is sent.
   *
   * @param frame The frame.
   * @param out Where to.
   * @throws {RangeError} If the frame is too long, or its value out of range.
   * @throws {TypeError} If the frame is not of the kind that the codec lays out.
   */
  encode(frame: W, out: ByteSink): void;
}

/** A codec whose frames are bytes: any bytes go in, memory that is the caller's comes out. */
export type BytesCodec = Codec<Uint8Array<ArrayBuffer>, Uint8Array>;

/** What a codec does with a frame longer than its limit. */
export type OversizePolicy = "error" | "skip";

/** The limit that every codec has. */
export interface LimitOptions {
  /**
   * The longest payload that is accepted and laid out, in bytes.
   *
   * @default {1_048_576}
   */
  maxFrameLength?: number;
  /**
   * What a received frame that is longer does: `"error"` ends the stream, `"skip"` leaves out just that
   * frame, reports it once by an error whose `recoverable` is `true`, and goes on behind it.
   *
   * @default {"error"}
   */
  onOversize?: OversizePolicy;
}
