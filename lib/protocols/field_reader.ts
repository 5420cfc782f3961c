/**
 * The fields of a frame that has come whole, one after another.
 *
 *     00 04 | 4d 51 54 54 | 05 | …
 *     uint(2)  take(4)      ^ position
 *
 * What it throws is for `mapCodec`, which says that a frame cannot be decoded, and why.
 *
 * @module
 */

import { readUint, type UintWidth } from "../bytes/byte_order.ts";

/** Reads big-endian numbers and bytes, and never behind the end. */
export class FieldReader {
  #bytes: Uint8Array;
  #position: number;
  #end: number;

  /** Begins at `position` of `bytes`. */
  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = bytes;
    this.#position = position;
    this.#end = bytes.length;
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** The next unsigned integer. */
  uint(width: UintWidth): number {
    return readUint(this.#bytes, this.#advance(width), width, "big");
  }

  /** The next bytes: a view. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** All bytes that are left: a view. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** Reads a part of so many bytes, all of it and nothing else. */
  within<T>(count: number, part: string, read: () => T): T {
    const end = this.#end;
    this.#end = this.#advance(count) + count;
    this.#position -= count;
    const value = read();
    this.expectEnd(part);
    this.#end = end;
    return value;
  }

  /** Throws if anything is left. */
  expectEnd(part: string): void {
    if (this.left === 0) return;
    const count = this.left === 1 ? "1 byte is" : `${this.left} bytes are`;
    throw new RangeError(`${count} left behind the last field of ${part}`);
  }

  /** Steps over bytes; says where they begin. */
  #advance(count: number): number {
    const start = this.#position;
    if (count > this.#end - start) {
      throw new RangeError(
        `the field at byte ${start} takes ${count} bytes, and there are ${
          this.#end - start
        }`,
      );
    }
    this.#position += count;
    return start;
  }
}
