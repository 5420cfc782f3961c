/**
 * Headers as nearly everybody lays them out, read without a JSON parser.
 *
 *     {"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 41}
 *
 * The four fields in this order, strings of plain ASCII, with or without a space behind colons and commas.
 * Whatever differs is left to the parser, which alone judges what is wrong.
 *
 * @module
 */

import { type MessageHeader, NO_EXTRA } from "./header.ts";

const encoder = new TextEncoder();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7d;
const SPACE = 0x20;
const DELETE = 0x7f;
const ZERO = 0x30;
/** More digits may not be exact as a number. */
const MOST_DIGITS = 15;
const LONGEST_STRING = 64;
/** An index with no byte, nor any behind it. */
const NOWHERE = Infinity;

const BYTEORDER = encoder.encode('{"byteorder": "');
const LITTLE = encoder.encode("little");
const BIG = encoder.encode("big");
const TYPE = encoder.encode('", "content-type": "');
const ENCODING = encoder.encode('", "content-encoding": "');
const LENGTH = encoder.encode('", "content-length": ');

/** A string that was read last, with the bytes that it was read from. */
interface Remembered {
  bytes: Uint8Array;
  length: number;
  text: string;
}

const lastType = remembered();
const lastEncoding = remembered();

function remembered(): Remembered {
  return { bytes: new Uint8Array(LONGEST_STRING), length: 0, text: "" };
}

/**
 * Reads a header.
 *
 * @param bytes The header without the length before it.
 * @returns What it says; `undefined` if it is for the JSON parser to judge.
 */
export function readPlainHeader(bytes: Uint8Array): MessageHeader | undefined {
  const orderStart = behind(bytes, 0, BYTEORDER);
  const little = bytes[orderStart] === LITTLE[0];
  const orderEnd = behind(bytes, orderStart, little ? LITTLE : BIG);
  const typeStart = behind(bytes, orderEnd, TYPE);
  const typeEnd = endOfString(bytes, typeStart);
  const encodingStart = behind(bytes, typeEnd, ENCODING);
  const encodingEnd = endOfString(bytes, encodingStart);
  const lengthStart = behind(bytes, encodingEnd, LENGTH);
  if (lengthStart === NOWHERE) return undefined;
  let index = lengthStart;
  let contentLength = 0;
  while (bytes[index] >= ZERO && bytes[index] <= ZERO + 9) {
    contentLength = 10 * contentLength + bytes[index++] - ZERO;
  }
  const digits = index - lengthStart;
  const leadingZero = digits > 1 && bytes[lengthStart] === ZERO;
  const whole = bytes[index] === BRACE && index + 1 === bytes.length;
  if (digits === 0 || digits > MOST_DIGITS || leadingZero || !whole) {
    return undefined;
  }
  return {
    byteorder: little ? "little" : "big",
    contentType: textOf(bytes, typeStart, typeEnd, lastType),
    contentEncoding: textOf(bytes, encodingStart, encodingEnd, lastEncoding),
    contentLength,
    extra: NO_EXTRA,
  };
}

/** The index behind a literal, of which the spaces may be left out. */
function behind(bytes: Uint8Array, index: number, literal: Uint8Array): number {
  let at = index;
  for (let i = 0; i < literal.length; i++) {
    if (bytes[at] === literal[i]) at++;
    else if (literal[i] !== SPACE) return NOWHERE;
  }
  return at;
}

/** The index of the quotation mark that ends a string of plain ASCII, not longer than is remembered. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start; at <= start + LONGEST_STRING; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (!(byte >= SPACE && byte < DELETE) || byte === BACKSLASH) break;
  }
  return NOWHERE;
}

/** The string from `start` to `end`: the last one, if it is the same, as it nearly always is. */
function textOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  last: Remembered,
): string {
  const length = end - start;
  let same = length === last.length ? 0 : NOWHERE;
  while (same < length && bytes[start + same] === last.bytes[same]) same++;
  if (same === length) return last.text;
  let text = "";
  for (let i = 0; i < length; i++) {
    last.bytes[i] = bytes[start + i];
    text += String.fromCharCode(bytes[start + i]);
  }
  last.length = length;
  return last.text = text;
}
