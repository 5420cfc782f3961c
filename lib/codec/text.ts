/**
 * Frames of text in UTF-8.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import type { BytesCodec, Codec } from "./codec.ts";
import { mapCodec } from "./map_codec.ts";

const encoder = new TextEncoder();

/** Encodes a text as UTF-8; half a surrogate pair is not replaced silently, as `TextEncoder` would. */
export function encodeUtf8(value: string): Uint8Array<ArrayBuffer> {
  checkText(value);
  return encoder.encode(value);
}

/** Throws a `TypeError` unless `value` is a string that UTF-8 can hold. */
export function checkText(value: string): void {
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot write frame: it must be a string: it is of type ${typeof value}`,
    );
  }
  if (!value.isWellFormed()) {
    throw new TypeError(
      "Cannot write frame: the text has half a surrogate pair, which UTF-8 cannot hold",
    );
  }
}

/**
 * Makes strings of a codec's frames, in strict UTF-8: bytes that are not UTF-8 are a recoverable
 * `MalformedFrameError`, and text that is not well-formed a `TypeError` when it is written.
 *
 * @param codec The codec that cuts the frames.
 * @returns The codec of strings.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, lengthPrefixed, text } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(text(lengthPrefixed({ width: 1 })), "né");
 * assertEquals(wire, new Uint8Array([3, 0x6e, 0xc3, 0xa9]));
 * ```
 */
export function text(codec: BytesCodec): Codec<string> {
  return mapCodec(codec, { decode: decodeUtf8, encode: encodeUtf8 });
}
