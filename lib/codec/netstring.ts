/**
 * Netstrings: a length in digits, a colon, the payload, a comma.
 *
 *     5 : h e l l o ,
 *
 * @module
 */

import { asciiLength } from "./ascii_length.ts";
import type { BytesCodec, LimitOptions } from "./codec.ts";

/**
 * Cuts netstrings, as D. J. Bernstein's "Netstrings" (1997) describes them. Strict: nothing but digits
 * before the colon, no zero on the left, and the comma must be there.
 *
 * @param options The limit.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, netstring, text } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(text(netstring()));
 * decoder.push(new TextEncoder().encode("5:hello,0:,"));
 * assertEquals([decoder.next(), decoder.next()], ["hello", ""]);
 * ```
 */
export function netstring(options: LimitOptions = {}): BytesCodec {
  return asciiLength({
    digits: 15,
    terminator: ":",
    trailer: ",",
    ...options,
  });
}
