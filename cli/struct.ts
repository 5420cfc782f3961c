/**
 * Numbers as bytes by a format, as Python's `struct` has it.
 *
 *     pack(">H", 256)           01 00
 *     pack("<H", 256)           00 01
 *     pack("!BI", 7, 1)         07 00 00 00 01
 *     unpack(">H", 01 00)       [256]
 *
 * A format begins with the order of the bytes: `>` big-endian, `!` network order, which is the same, `<`
 * little-endian, `=` this machine's. Then comes a letter for each number, or a count and a letter:
 *
 *     b B   8 bits; small letters are signed, capital ones are not
 *     h H   16 bits
 *     i I   32 bits, and so are l L
 *     q Q   64 bits
 *     f d   floating point of 32 and of 64 bits
 *
 * Python's other letters, and its `@`, which adds padding, are not known.
 *
 * @module
 */

import { hostByteOrder } from "../lib/bytes/byte_order.ts";

/** What a letter stands for. */
interface Field {
  /** How many bytes. */
  size: number;
  /** Of what kind. */
  kind: "signed" | "unsigned" | "float";
}

const FIELDS: ReadonlyMap<string, Field> = new Map([
  ["b", { size: 1, kind: "signed" }],
  ["B", { size: 1, kind: "unsigned" }],
  ["h", { size: 2, kind: "signed" }],
  ["H", { size: 2, kind: "unsigned" }],
  ["i", { size: 4, kind: "signed" }],
  ["I", { size: 4, kind: "unsigned" }],
  ["l", { size: 4, kind: "signed" }],
  ["L", { size: 4, kind: "unsigned" }],
  ["q", { size: 8, kind: "signed" }],
  ["Q", { size: 8, kind: "unsigned" }],
  ["f", { size: 4, kind: "float" }],
  ["d", { size: 8, kind: "float" }],
]);

/** A format that has been read. */
interface Layout {
  littleEndian: boolean;
  fields: Field[];
  size: number;
}

/** The most numbers in a format. */
const MAX_FIELDS = 1000;

function layoutOf(format: string): Layout {
  const found = format.match(/^([<>!=])((?:\d*[bBhHiIlLqQfd])*)$/);
  if (found === null) {
    throw new RangeError(
      `Cannot read format "${format}": it must be >, <, ! or =, and then letters of bBhHiIlLqQfd`,
    );
  }
  const [, order, letters] = found;
  const fields: Field[] = [];
  for (const [, count, letter] of letters.matchAll(/(\d*)(\D)/g)) {
    const field = FIELDS.get(letter);
    const times = count === "" ? 1 : Number(count);
    if (field === undefined || fields.length + times > MAX_FIELDS) {
      throw new RangeError(
        `Cannot read format "${format}": it must be of at most ${MAX_FIELDS} numbers`,
      );
    }
    for (let i = 0; i < times; i++) fields.push(field);
  }
  return {
    littleEndian: order === "<" || order === "=" && hostByteOrder === "little",
    fields,
    size: fields.reduce((sum, { size }) => sum + size, 0),
  };
}

/**
 * Lays numbers out as bytes.
 *
 * @param format The order of the bytes, and a letter for each number.
 * @param values The numbers. Those of 64 bits may be `bigint`.
 * @returns The bytes.
 * @throws {RangeError} If the format is none, or a number does not fit.
 */
export function pack(
  format: string,
  ...values: readonly (number | bigint)[]
): Uint8Array<ArrayBuffer> {
  const { littleEndian, fields, size } = layoutOf(format);
  if (values.length !== fields.length) {
    throw new RangeError(
      `Cannot pack: format "${format}" is of ${fields.length} numbers, not ${values.length}`,
    );
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [place, { size, kind }] of fields.entries()) {
    const value = values[place];
    if (kind === "float") {
      if (size === 4) view.setFloat32(at, Number(value), littleEndian);
      else view.setFloat64(at, Number(value), littleEndian);
    } else {
      const whole = wholeNumber(value, 8 * size, kind === "signed");
      const digits = BigInt.asUintN(8 * size, whole).toString(16);
      const part = Uint8Array.fromHex(digits.padStart(2 * size, "0"));
      bytes.set(littleEndian ? part.toReversed() : part, at);
    }
    at += size;
  }
  return bytes;
}

function wholeNumber(
  value: number | bigint,
  bits: number,
  signed: boolean,
): bigint {
  const [min, max] = signed
    ? [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n]
    : [0n, (1n << BigInt(bits)) - 1n];
  if (typeof value === "bigint" || Number.isInteger(value)) {
    const whole = BigInt(value);
    if (whole >= min && whole <= max) return whole;
  }
  throw new RangeError(
    `Cannot pack: a number of ${bits} bits must be whole and from ${min} to ${max}: it is ${value}`,
  );
}

/**
 * Reads numbers from bytes.
 *
 * @param format The order of the bytes, and a letter for each number.
 * @param bytes The bytes: exactly as many as the format takes.
 * @returns The numbers; those of 64 bits that a number does not hold exactly are `bigint`.
 * @throws {RangeError} If the format is none, or takes more or fewer bytes.
 */
export function unpack(format: string, bytes: Uint8Array): (number | bigint)[] {
  const { littleEndian, fields, size } = layoutOf(format);
  if (bytes.length !== size) {
    throw new RangeError(
      `Cannot unpack: format "${format}" takes ${size} bytes, not ${bytes.length}`,
    );
  }
  let at = 0;
  return fields.map(({ size, kind }) => {
    const part = bytes.slice(at, at += size);
    const view = new DataView(part.buffer);
    if (kind === "float") {
      return size === 4
        ? view.getFloat32(0, littleEndian)
        : view.getFloat64(0, littleEndian);
    }
    const digits = (littleEndian ? part.toReversed() : part).toHex();
    const whole = BigInt(`0x${digits}`);
    const value = kind === "signed" ? BigInt.asIntN(8 * size, whole) : whole;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  });
}

/** Turns a number of 16 bits from this machine's order into network order. */
export function htons(value: number): number {
  return inOrder("H", value, "=", "!");
}

/** Turns a number of 32 bits from this machine's order into network order. */
export function htonl(value: number): number {
  return inOrder("I", value, "=", "!");
}

/** Turns a number of 16 bits from network order into this machine's. */
export function ntohs(value: number): number {
  return inOrder("H", value, "!", "=");
}

/** Turns a number of 32 bits from network order into this machine's. */
export function ntohl(value: number): number {
  return inOrder("I", value, "!", "=");
}

/** What a number becomes if its bytes, laid out in one order, are read in another. */
function inOrder(
  letter: "H" | "I",
  value: number,
  from: string,
  to: string,
): number {
  return Number(unpack(from + letter, pack(to + letter, value))[0]);
}
