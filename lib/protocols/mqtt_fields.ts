/**
 * The fields of MQTT's packets.
 *
 *     00 04 t e m p       binary data, or a text in UTF-8
 *     ac 02               a number of at most four bytes: 0x2c + 0x02 * 128 = 300
 *
 * @module
 */

import type { ByteSink } from "../bytes/byte_sink.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
import { encodeToWrite } from "../codec/text.ts";
import type { FieldReader } from "./field_reader.ts";
import { checkNumber } from "./refusal.ts";

/** The most that a number of four bytes can say. */
export const MAX_VARINT = 268_435_455;

/** A text without what the protocol forbids. */
function checkText(text: string, what: string): string {
  if (!text.includes("\0")) return text;
  throw new RangeError(`${what} must not have the character U+0000 in it`);
}

/** The next binary data. */
export function readBytes(body: FieldReader): Uint8Array {
  return body.take(body.uint(2));
}

/** The next text. */
export function readText(body: FieldReader, what: string): string {
  return checkText(decodeUtf8(readBytes(body)), what);
}

/** The next number of at most four bytes, and of no more than it needs. */
export function readVarint(body: FieldReader, what: string): number {
  let value = 0;
  for (let width = 0; width < 4; width++) {
    const byte = body.uint(1);
    value += (byte & 0x7f) * 0x80 ** width;
    if (byte >= 0x80) continue;
    if (byte > 0 || width === 0) return value;
    throw new RangeError(
      `${what} ${value} takes ${width + 1} bytes and needs fewer`,
    );
  }
  throw new RangeError(`${what} does not end within 4 bytes`);
}

/** Lays out binary data. */
export function writeBytes(
  out: ByteSink,
  bytes: Uint8Array,
  what: string,
): void {
  checkNumber(`length of ${what}`, bytes.length, 0xffff);
  out.uint(bytes.length, 2);
  out.write(bytes);
}

/** Lays out a text. */
export function writeText(out: ByteSink, text: string, what: string): void {
  writeBytes(out, encodeToWrite(checkText(text, what)), what);
}
