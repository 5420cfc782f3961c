/**
 * Frames of text in UTF-8.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import type { BytesCodec, Codec } from "./codec.ts";
import { mapCodec } from "./map_codec.ts";

/** Up to this length texts are encoded side by side: memory of its own for each costs more than all else. */
const SHORT = 1024;
const SLAB = 16 * 1024;
const encoder = new TextEncoder();
let slab = new Uint8Array(0);
/** Asked for once: that costs about as much as a view. */
let memory = slab.buffer;
let used = 0;

/** Encodes a text as UTF-8, in memory of its own; half a surrogate pair is not replaced silently, as `TextEncoder` would. */
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
 * `MalformedFrameError`, and text that is not well-formed a `TypeError` when it is written. The frames that the
 * codec is given to lay out may be parts of one `buffer`, which is not for it to look at.
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
  return mapCodec(codec, { decode: decodeUtf8, encode: encodeToWrite });
}

/** As `encodeUtf8`, for bytes that are written and not kept: a short text goes into memory that others have parts of. */
export function encodeToWrite(value: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string" || value.length > SHORT) {
    return encodeUtf8(value);
  }
  checkText(value);
  const most = 3 * value.length; // a UTF-16 unit takes at most three bytes
  if (slab.length - used <= most) { // or a codec has given it away
    slab = new Uint8Array(SLAB);
    memory = slab.buffer;
    used = 0;
  }
  const start = used;
  const room = new Uint8Array(memory, start);
  const { written } = encoder.encodeInto(value, room);
  used += written;
  return new Uint8Array(memory, start, written);
}
