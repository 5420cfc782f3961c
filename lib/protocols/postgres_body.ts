/**
 * What the bodies of PostgreSQL's messages are made of: numbers, texts that a zero byte ends, and values behind
 * their lengths.
 *
 * @module
 */

import { readUint, type UintWidth } from "../bytes/byte_order.ts";
import { ByteSink, takeBytes } from "../bytes/byte_sink.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
import { checkText } from "../codec/text.ts";
import type { PostgresFormat, PostgresValue } from "./postgres_messages.ts";

/** The length that stands for NULL. */
const NULL_LENGTH = -1;
const FORMATS: readonly PostgresFormat[] = ["text", "binary"];

/** Reads a body from its first byte to its last. What it throws, the codec reports. */
export class BodyReader {
  #bytes: Uint8Array;
  #position = 0;

  /** Begins at the first byte. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#position;
  }

  /** So many bytes: a view. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** All bytes that are left: a view. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** A number without a sign. */
  uint(width: UintWidth): number {
    return readUint(this.#bytes, this.#advance(width), width, "big");
  }

  /** A number with a sign. */
  int(width: UintWidth): number {
    const value = this.uint(width);
    return value < 2 ** (8 * width - 1) ? value : value - 2 ** (8 * width);
  }

  /** A text that a zero byte ends. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#position);
    if (end < 0) throw new RangeError("a text in the message has no end");
    const text = decodeUtf8(this.take(end - this.#position));
    this.take(1);
    return text;
  }

  /** One letter. */
  letter(): string {
    return String.fromCharCode(this.uint(1));
  }

  /** How something is written, as a number of so many bytes. */
  format(width: UintWidth): PostgresFormat {
    const number = this.uint(width);
    if (number < FORMATS.length) return FORMATS[number];
    throw new RangeError(`a format must be 0 or 1: it is ${number}`);
  }

  /** A value behind its length. */
  value(): PostgresValue {
    const length = this.int(4);
    if (length === NULL_LENGTH) return null;
    if (length >= 0) return this.take(length);
    throw new RangeError(`the length of a value cannot be ${length}`);
  }

  /** A list behind the number of its items, which takes two bytes unless told otherwise. */
  list<T>(item: () => T, width: UintWidth = 2): T[] {
    const count = this.uint(width);
    const items: T[] = []; // it grows with what is there, whatever was announced
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  /** Items up to the zero byte that ends them. */
  untilZero<T>(item: () => T): T[] {
    const items: T[] = [];
    while (this.left > 0 && this.#bytes[this.#position] !== 0) {
      items.push(item());
    }
    this.take(1);
    return items;
  }

  /** Throws unless that was all. */
  expectEnd(): void {
    const { left } = this;
    if (left === 0) return;
    const count = left === 1 ? "1 byte is" : `${left} bytes are`;
    throw new RangeError(`${count} left behind the last field of the message`);
  }

  /** Steps over bytes; says where they begin. */
  #advance(count: number): number {
    const start = this.#position;
    if (count > this.left) {
      throw new RangeError(
        `the field at byte ${start} takes ${count} byte${
          count === 1 ? "" : "s"
        }, and there are ${this.left}`,
      );
    }
    this.#position += count;
    return start;
  }
}

/** Lays a body out. */
export class BodyWriter {
  #out = new ByteSink();

  /** What was laid out; nothing more can be. */
  finish(): Uint8Array {
    return takeBytes(this.#out);
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#out.write(bytes);
  }

  /** A number without a sign. */
  uint(what: string, value: number, width: UintWidth): void {
    checkWhole(what, value, 0, 2 ** (8 * width) - 1);
    this.#out.uint(value, width);
  }

  /** A number with a sign. */
  int(what: string, value: number, width: UintWidth): void {
    const half = 2 ** (8 * width - 1);
    checkWhole(what, value, -half, half - 1);
    this.#out.uint(value < 0 ? value + 2 * half : value, width);
  }

  /** A text, and the zero byte that ends it. */
  text(text: string): void {
    checkText(text);
    if (text.includes("\0")) {
      throw new TypeError(
        "Cannot write frame: the text has a zero character, which would end it",
      );
    }
    this.#out.text(text);
    this.#out.byte(0);
  }

  /** One letter, or another character of ASCII. */
  letter(letter: string): void {
    this.#out.byte(letter.charCodeAt(0));
  }

  /** How something is written. */
  format(format: PostgresFormat, width: UintWidth): void {
    this.#out.uint(oneOf("format", format, FORMATS), width);
  }

  /** A value behind its length. */
  value(value: PostgresValue): void {
    this.int("length", value?.length ?? NULL_LENGTH, 4);
    if (value !== null) this.#out.write(value);
  }

  /** A list behind the number of its items. */
  list<T>(
    what: string,
    items: readonly T[],
    write: (item: T) => void,
    width: UintWidth = 2,
  ): void {
    this.uint(what, items.length, width);
    items.forEach(write);
  }
}

function checkWhole(
  what: string,
  value: number,
  min: number,
  max: number,
): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `Cannot write frame: ${what} must be a whole number from ${min} to ${max}: it is ${value}`,
  );
}

/** Which of several a word is; throws if it is none of them. */
export function oneOf(
  what: string,
  word: string,
  words: readonly string[],
): number {
  const index = words.indexOf(word);
  if (index >= 0) return index;
  const list = words.map((one) => JSON.stringify(one)).join(", ");
  throw new RangeError(
    `Cannot write frame: ${what} must be one of ${list}: it is ${
      JSON.stringify(word)
    }`,
  );
}
