/**
 * Finds where a value of the protocol of Redis ends, however deep parts lie in parts.
 *
 *     *2 | $1 | a | *1 | :4       wire
 *     ▲    ▲       ▲    ▲         one step for each part: the place of the next is known, and how many must come
 *     2    1       1,1  whole     elements that have still to come, from the outermost to the innermost
 *
 * There is no recursion, and no part is looked at twice: when bytes are missing, the queue keeps the search, and
 * the next call goes on where it stood. Nothing is made of the parts before all are here.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import { bytesLiteral } from "../bytes/print_bytes.ts";
import {
  countTelling,
  inOneLine,
  malformed,
  tooLarge,
} from "../codec/faults.ts";

/** What each type begins with. */
export const TYPES = {
  simple: 0x2b, // +
  error: 0x2d, // -
  integer: 0x3a, // :
  bulk: 0x24, // $
  null: 0x5f, // _
  boolean: 0x23, // #
  double: 0x2c, // ,
  bigNumber: 0x28, // (
  bulkError: 0x21, // !
  verbatim: 0x3d, // =
  array: 0x2a, // *
  set: 0x7e, // ~
  push: 0x3e, // >
  map: 0x25, // %
  attributes: 0x7c, // |
  chunk: 0x3b, // ;
  end: 0x2e, // .
} as const;

/** Whether a whole number has 64 bits at the most, the sign counted. */
export function fits64Bits(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/** The longest line of a number, its type and its end counted: what takes time is not the length of a text. */
export const LONGEST_NUMBER = 1024;

const CR = 13;
const LF = 10;
const MINUS = 0x2d;
const QUESTION_MARK = 0x3f;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;
/** More digits than any length has that a limit allows. */
const MOST_DIGITS = 15;
/** So many characters are a number of 64 bits, whatever digits they are. */
const SAFE_DIGITS = 18;
/** What the shortest value takes, such as `_` and its line end. */
const LEAST_LENGTH = 3;
/** What stands in a verbatim string before its text: `txt:`. */
const FORMAT = /^[\x20-\x7e]{3}:$/;
const FORMAT_LENGTH = 4;
/** The "length" of a string or an aggregate that goes on until a mark ends it. */
const STREAMED = Infinity;
/** And of one that is not there. */
const NULL = -1;

/** What lines of numbers and the like must be, by their types. */
const LINES: ReadonlyMap<number, readonly [what: string, pattern: RegExp]> =
  new Map([
    [TYPES.integer, ["an integer", /^[+-]?(0|[1-9][0-9]{0,18})$/]],
    [TYPES.bigNumber, ["a big number", /^[+-]?(0|[1-9][0-9]*)$/]],
    [TYPES.double, [
      "a double",
      /^([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|[+-]?inf|-?nan)$/,
    ]],
    [TYPES.boolean, ["a boolean", /^[tf]$/]],
    [TYPES.null, ["a null", /^$/]],
  ]);

/** The limits that hold. */
export interface CheckedRespLimits {
  /** In bytes. */
  limit: number;
  /** In aggregates. */
  maxDepth: number;
  /** In elements. */
  maxElements: number;
}

/** An aggregate, or a streamed string, of which not everything has come. */
interface Level {
  type: number;
  /** How many elements have still to come; `STREAMED` until the mark that ends them. */
  left: number;
  /** Whether a key came last. */
  odd: boolean;
}

/** Bytes as text, a character for each. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** The search for the end of a value. */
export class RespSearch {
  #limits: CheckedRespLimits;
  /** Where the next part begins. */
  #index = 0;
  /** Where the header of the part ends that is looked at. */
  #headerEnd = 0;
  /** From the outermost to the innermost. */
  #open: Level[] = [];
  /** How many elements were announced or have come. */
  #elements = 0;
  /** Whether attributes have come and what they belong to has not. */
  #attributed = false;

  /** Begins at the front of a value. */
  constructor(limits: CheckedRespLimits) {
    this.#limits = limits;
  }

  /** How many bytes belong to parts that are done with. */
  get done(): number {
    return this.#index;
  }

  /** Gives the length of the value; `undefined` if it is not whole, and `received` was told what it takes. */
  find(received: ByteQueue): number | undefined {
    let whole: boolean | undefined;
    do {
      if (received.length === this.#index) {
        received.need(this.#index + 1);
        return undefined;
      }
      whole = this.#step(received);
    } while (whole === false);
    return whole && this.#index;
  }

  /** Steps over a part, and says whether it was the last; `undefined` if it is not all here. */
  #step(received: ByteQueue): boolean | undefined {
    const index = this.#index;
    const type = received.at(index);
    const level = this.#open.at(-1);
    if (level?.type === TYPES.bulk) return this.#chunk(received, type);
    if (type === TYPES.end && level?.left === STREAMED) {
      return this.#end(received, level);
    }
    switch (type) {
      case TYPES.simple:
      case TYPES.error:
        return this.#line(received, type, Infinity);
      case TYPES.integer:
      case TYPES.bigNumber:
      case TYPES.double:
      case TYPES.boolean:
      case TYPES.null:
        return this.#line(received, type, LONGEST_NUMBER);
      case TYPES.bulk:
      case TYPES.bulkError:
      case TYPES.verbatim:
        return this.#string(received, type);
      case TYPES.push:
        if (level !== undefined) {
          throw malformed(
            received,
            `a push is inside another value`,
            index + 1,
          );
        }
        return this.#aggregate(received, type);
      case TYPES.array:
      case TYPES.set:
      case TYPES.map:
      case TYPES.attributes:
        return this.#aggregate(received, type);
      default:
        return this.#refuseType(received);
    }
  }

  /** Refuses what no value begins with, once it can be told whether it begins another protocol. */
  #refuseType(received: ByteQueue): undefined {
    const index = this.#index;
    const seen = index === 0 ? countTelling(received, 1) : index + 1;
    if (seen === undefined) return undefined;
    const found = bytesLiteral(received.peek(1, index));
    const place = index === 0 ? "" : ` at ${index}`;
    throw malformed(
      received,
      `a value must begin with a type: it begins with ${found}${place}`,
      seen,
    );
  }

  /** Steps over a line that is a value. */
  #line(
    received: ByteQueue,
    type: number,
    longest: number,
  ): boolean | undefined {
    const index = this.#index;
    const { limit } = this.#limits;
    if (received.searched <= index) received.searched = index + 1;
    const end = received.indexOf(LF);
    // The line feed must lie in front of the stop, whether it is here or not.
    const stop = Math.min(limit, index + longest);
    if ((end ?? received.length) >= stop) {
      if (stop === limit) throw this.#tooLong(received, limit + 1, stop);
      throw malformed(
        received,
        `a number is longer than ${longest} bytes`,
        stop,
      );
    }
    if (end === undefined) return undefined;
    const content = received.peek(end - index - 1, index + 1);
    const length = content.length - 1;
    if (length < 0 || content.indexOf(CR) !== length) {
      throw malformed(received, "a line must end with CR LF", end + 1);
    }
    const rule = LINES.get(type);
    if (rule !== undefined) {
      const [what, pattern] = rule;
      const text = latin1(content.subarray(0, -1));
      const wrong = !pattern.test(text) ||
        type === TYPES.integer && text.length > SAFE_DIGITS &&
          !fits64Bits(BigInt(text));
      if (wrong) {
        const found = inOneLine(JSON.stringify(text.slice(0, 60)));
        throw malformed(received, `${what} cannot be ${found}`, end + 1);
      }
    }
    return this.#complete(received, end + 1);
  }

  /** Steps over a string that announces its length, or over the announcement of one that comes in chunks. */
  #string(received: ByteQueue, type: number): boolean | undefined {
    const length = this.#announced(received, type);
    if (length === undefined) return undefined;
    if (length === NULL) return this.#complete(received, this.#headerEnd);
    if (length === STREAMED) {
      this.#attributed = false;
      this.#open.push({ type, left: STREAMED, odd: false });
      this.#index = this.#headerEnd;
      return false;
    }
    if (type === TYPES.verbatim && length < FORMAT_LENGTH) {
      throw malformed(
        received,
        `a verbatim string must be at least ${FORMAT_LENGTH} bytes: it is ${length}`,
        this.#headerEnd,
      );
    }
    const end = this.#content(received, length);
    if (end === undefined) return undefined;
    if (type === TYPES.verbatim) {
      const format = received.peek(FORMAT_LENGTH, this.#headerEnd);
      if (!FORMAT.test(latin1(format))) {
        throw malformed(
          received,
          `a verbatim string cannot begin with ${bytesLiteral(format)}`,
          end,
        );
      }
    }
    return this.#complete(received, end);
  }

  /** Steps over a chunk of a string; the one that is empty ends it. */
  #chunk(received: ByteQueue, type: number): boolean | undefined {
    if (type !== TYPES.chunk) return this.#refuseType(received);
    const length = this.#announced(received, type);
    if (length === undefined) return undefined;
    if (length === 0) {
      this.#open.pop();
      return this.#complete(received, this.#headerEnd);
    }
    const end = this.#content(received, length);
    if (end === undefined) return undefined;
    this.#index = end;
    return false;
  }

  /** Steps over the mark that ends a streamed aggregate. */
  #end(received: ByteQueue, { odd }: Level): boolean | undefined {
    const index = this.#index;
    if (odd || this.#attributed) {
      const missing = this.#attributed ? "a value" : "the value of a key";
      throw malformed(
        received,
        `${missing} must come before the end at ${index}`,
        index + 1,
      );
    }
    if (!this.#lineEnds(received, index + 1)) return undefined;
    this.#open.pop();
    return this.#complete(received, index + LEAST_LENGTH);
  }

  /** Steps over the announcement of an aggregate. */
  #aggregate(received: ByteQueue, type: number): boolean | undefined {
    const { limit, maxDepth } = this.#limits;
    const count = this.#announced(received, type);
    if (count === undefined) return undefined;
    const headerEnd = this.#headerEnd;
    if (count === NULL) return this.#complete(received, headerEnd);
    const depth = this.#open.length + 1;
    if (depth > maxDepth) {
      throw tooLarge(received, {
        what: "depth",
        length: depth,
        option: "maxDepth",
        limit: maxDepth,
        unit: "levels",
        seen: headerEnd,
      });
    }
    if (count !== STREAMED) {
      const paired = type === TYPES.map || type === TYPES.attributes;
      const elements = paired ? 2 * count : count;
      this.#countElements(received, elements, headerEnd);
      const least = headerEnd + elements * LEAST_LENGTH;
      if (least > limit) throw this.#tooLong(received, least, headerEnd);
      if (elements > 0) {
        this.#attributed = false;
        this.#open.push({ type, left: elements, odd: false });
      } else if (type === TYPES.attributes) {
        this.#attributed = true;
      } else {
        return this.#complete(received, headerEnd);
      }
    } else {
      this.#attributed = false;
      this.#open.push({ type, left: STREAMED, odd: false });
    }
    this.#index = headerEnd;
    return false;
  }

  /** Takes note that a value ends at `end`, and says whether it was the outermost one. */
  #complete(received: ByteQueue, end: number): boolean {
    this.#index = end;
    this.#attributed = false;
    let level: Level | undefined;
    while ((level = this.#open.at(-1)) !== undefined) {
      if (level.left === STREAMED) this.#countElements(received, 1, end);
      level.left--;
      if (level.type === TYPES.map) level.odd = !level.odd;
      if (level.left > 0) return false;
      this.#open.pop();
      if (level.type === TYPES.attributes) {
        this.#attributed = true; // a value has to come that they belong to
        return false;
      }
    }
    return true;
  }

  #countElements(received: ByteQueue, count: number, seen: number): void {
    const { maxElements } = this.#limits;
    this.#elements += count;
    if (this.#elements <= maxElements) return;
    throw tooLarge(received, {
      what: "element count",
      length: this.#elements,
      option: "maxElements",
      limit: maxElements,
      unit: "elements",
      seen,
    });
  }

  /** The end of the content that begins behind the header, its line end included, if it is all here. */
  #content(received: ByteQueue, length: number): number | undefined {
    const { limit } = this.#limits;
    const header = this.#headerEnd;
    const end = header + length + 2;
    if (end > limit) throw this.#tooLong(received, end, header);
    const here = received.length;
    if (here < end - 1) {
      // Only of a value that is nothing but a string can it be said where its payload begins.
      if (this.#open.length > 0 || this.#index > 0) received.need(end - 1);
      else received.need(end - 1, header);
      return undefined;
    }
    return this.#lineEnds(received, end - 2) ? end : undefined;
  }

  /** The length or count behind a type, with its line end; `undefined` if that is not all here. */
  #announced(received: ByteQueue, type: number): number | undefined {
    const here = received.length;
    const start = this.#index + 1;
    let number = 0;
    let i = start;
    for (; i < here; i++) {
      const byte = received.at(i);
      if (byte < ZERO || byte > NINE) break;
      if (i > start && number === 0 || i - start === MOST_DIGITS) {
        return this.#refuseLength(received, i);
      }
      number = number * 10 + byte - ZERO;
    }
    if (i === start && i < here) {
      const byte = received.at(i++);
      if (byte === QUESTION_MARK && mayStream(type)) {
        number = STREAMED;
      } else if (byte === MINUS && mayBeNull(type)) {
        if (i < here && received.at(i++) !== ONE) {
          return this.#refuseLength(received, i - 1);
        }
        number = NULL;
      } else {
        return this.#refuseLength(received, i - 1);
      }
    }
    if (i >= here) {
      received.need(here + 1); // each character is judged as it comes
      return undefined;
    }
    if (received.at(i) !== CR) return this.#refuseLength(received, i);
    if (!this.#lineEnds(received, i)) return undefined;
    this.#headerEnd = i + 2;
    return number;
  }

  #refuseLength(received: ByteQueue, index: number): never {
    const found = bytesLiteral(
      received.peek(index + 1 - this.#index, this.#index),
    );
    throw malformed(
      received,
      `a length must be at most ${MOST_DIGITS} digits and CR LF: it is ${found}`,
      index + 1,
    );
  }

  /** Whether a line ends at `index`; throws if something else is there, as far as it has come. */
  #lineEnds(received: ByteQueue, index: number): boolean {
    const here = received.length;
    for (let i = index; i < index + 2; i++) {
      if (i === here) {
        received.need(i + 1);
        return false;
      }
      const byte = received.at(i);
      if (byte === (i === index ? CR : LF)) continue;
      const found = bytesLiteral(received.peek(1, i));
      throw malformed(
        received,
        `CR LF must end what ends at ${index}: it has ${found}`,
        i + 1,
      );
    }
    return true;
  }

  #tooLong(received: ByteQueue, length: number, seen: number): Error {
    const { limit } = this.#limits;
    const what = "a length of at least";
    return tooLarge(received, { what, length, limit, seen });
  }
}

/** Whether a type may come in as many parts as its sender likes. */
function mayStream(type: number): boolean {
  return type === TYPES.bulk || type === TYPES.array || type === TYPES.set ||
    type === TYPES.map;
}

/** Whether there is a way in RESP2 to say that a value of the type is not there. */
function mayBeNull(type: number): boolean {
  return type === TYPES.bulk || type === TYPES.array;
}
