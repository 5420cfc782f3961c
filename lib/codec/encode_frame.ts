/**
 * The sending half of a codec, without any I/O: a frame in, bytes out.
 *
 * @module
 */

import { ByteSink, takeBytes } from "../bytes/byte_sink.ts";
import type { Codec } from "./codec.ts";

/**
 * Lays one frame out.
 *
 * @typeParam W What the codec lays out.
 * @param codec The rule by which it is laid out.
 * @param frame The frame.
 * @returns Its bytes, framing included.
 * @throws {RangeError} If the frame is too long, or its value out of range.
 * @throws {TypeError} If the frame is not of the kind that the codec lays out.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, netstring } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(netstring(), new TextEncoder().encode("hello"));
 * assertEquals(new TextDecoder().decode(wire), "5:hello,");
 * ```
 */
export function encodeFrame<W>(
  codec: Codec<unknown, W>,
  frame: W,
): Uint8Array<ArrayBuffer> {
  const out = new ByteSink();
  codec.encode(frame, out);
  return takeBytes(out);
}
