/**
 * One frame: everything until the peer closes.
 *
 *     | payload ............ | end of stream
 *
 * @module
 */

import type { BytesCodec } from "./codec.ts";
import { tooLarge, tooLargeToWrite } from "./faults.ts";
import { checkLimits } from "./options.ts";

/** The limit of {@linkcode untilClose}. */
export interface UntilCloseOptions {
  /**
   * The longest payload that is accepted and laid out, in bytes.
   *
   * @default {1_048_576}
   */
  maxFrameLength?: number;
}

/**
 * Takes everything that the peer sends until it closes, or half-closes, as one frame; nothing is no frame.
 * After writing a frame, `closeWrite()` ends it.
 *
 * @param options The limit.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit.
 * @throws {TypeError} If the limit is not a number.
 * @throws {RangeError} If the limit is out of range.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, untilClose } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(untilClose());
 * decoder.push(new Uint8Array([1, 2]));
 * decoder.push(new Uint8Array([3]));
 * assertEquals(decoder.next(), undefined);
 * assertEquals(decoder.end(), new Uint8Array([1, 2, 3]));
 * ```
 */
export function untilClose(options: UntilCloseOptions = {}): BytesCodec {
  const { limit } = checkLimits(options);
  return {
    decode(received) {
      if (received.length <= limit) return undefined;
      throw tooLarge(received, {
        length: limit + 1,
        limit,
        what: "a length of at least",
        seen: limit + 1,
      });
    },
    decodeEnd(received) {
      return received.take(received.length);
    },
    encode(frame, out) {
      if (frame.length > limit) throw tooLargeToWrite(frame.length, limit);
      out.write(frame);
    },
  };
}
