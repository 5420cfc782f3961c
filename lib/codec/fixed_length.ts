/**
 * Frames that are all equally long.
 *
 *     |  N bytes  |  N bytes  |  N bytes  |
 *
 * @module
 */

import type { BytesCodec } from "./codec.ts";
import { checkInteger } from "./options.ts";

/**
 * Cuts frames of `length` bytes each. There is nothing on the wire but the payloads.
 *
 * @param length The length of every frame in bytes, at least 1.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame of another length.
 * @throws {TypeError} If the length is not a number.
 * @throws {RangeError} If the length is not a whole number of at least 1.
 *
 * @example Usage
 * ```ts
 * import { fixedLength, FrameDecoder } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(fixedLength(2));
 * decoder.push(new Uint8Array([1, 2, 3, 4, 5]));
 * assertEquals(decoder.next(), new Uint8Array([1, 2]));
 * assertEquals(decoder.next(), new Uint8Array([3, 4]));
 * assertEquals(decoder.next(), undefined);
 * ```
 */
export function fixedLength(length: number): BytesCodec {
  checkInteger("length", length, 1);
  return {
    decode(received) {
      if (received.length >= length) return received.take(length);
      received.need(length, 0);
      return undefined;
    },
    encode(frame, out) {
      if (frame.length !== length) {
        throw new RangeError(
          `Cannot write frame: length must be ${length} bytes: it is ${frame.length}`,
        );
      }
      out.write(frame);
    },
  };
}
