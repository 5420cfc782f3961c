/**
 * The protocol of Redis, version 2 and 3: values that begin with their type, and may lie in each other.
 *
 *     + O K \r\n                               a short text, as are errors (-) and numbers (: , ( # _)
 *     $ 5 \r\n h e l l o \r\n                  a string of so many bytes, as are errors (!) and texts to show (=)
 *     * 2 \r\n  $ 3 \r\n G E T \r\n  $ 1 …     an array of so many values, as are sets (~) and pushes (>)
 *     % 1 \r\n  + k e y \r\n  : 1 \r\n         a map of so many pairs, as are attributes (|) of what comes next
 *     $ ? \r\n  ; 4 \r\n H e l l \r\n  ; 0 \r\n    a string in chunks
 *     * ? \r\n  : 1 \r\n  : 2 \r\n  . \r\n     an array of who knows how many
 *
 * @module
 */

import type { ByteSink } from "../bytes/byte_sink.ts";
import type { Codec } from "../codec/codec.ts";
import { tooLargeToWrite } from "../codec/faults.ts";
import { checkInteger, checkLimits } from "../codec/options.ts";
import { encodeToWrite } from "../codec/text.ts";
import {
  type CheckedRespLimits,
  fits64Bits,
  LONGEST_NUMBER,
  RespSearch,
  TYPES,
} from "./resp_search.ts";
import type {
  RespBytes,
  RespCommand,
  RespLimits,
  RespPair,
  RespValue,
} from "./resp_values.ts";

const MAX_DEPTH = 32;
/** What the program's own stack bears. */
const MOST_DEPTH = 1000;
const MAX_ELEMENTS = 1024 * 1024;
const CR = 13;
const LINE_END = "\r\n";
/** How many bytes of a short text are made characters one by one. */
const SHORT_TEXT = 16;
const FORMAT_LENGTH = 3;

/** What is not UTF-8 is replaced: servers quote in errors what they were sent. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Makes a value of bytes of which it is known that they are one. */
class ValueReader {
  #bytes: Uint8Array<ArrayBuffer>;
  #index = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** The value that comes next, with its attributes. */
  value(): RespValue {
    let attributes: RespPair[] | undefined;
    while (this.#bytes[this.#index] === TYPES.attributes) {
      attributes ??= [];
      for (const pair of this.#pairs()) attributes.push(pair);
    }
    const value = this.#plainValue();
    if (attributes !== undefined) value.attributes = attributes;
    return value;
  }

  #plainValue(): RespValue {
    const type = this.#bytes[this.#index];
    switch (type) {
      case TYPES.simple:
        return { type: "simple", value: this.#text() };
      case TYPES.error:
        return { type: "error", value: this.#text() };
      case TYPES.integer: {
        const text = this.#text();
        const value = Number(text);
        return {
          type: "integer",
          value: Number.isSafeInteger(value) ? value : BigInt(text),
        };
      }
      case TYPES.bigNumber:
        return { type: "bigNumber", value: BigInt(this.#text()) };
      case TYPES.double:
        return { type: "double", value: doubleOf(this.#text()) };
      case TYPES.boolean:
        return { type: "boolean", value: this.#text() === "t" };
      case TYPES.bulk: {
        const value = this.#string();
        return value === undefined
          ? { type: "null", value: null, of: "bulk" }
          : { type: "bulk", value };
      }
      case TYPES.bulkError:
        return { type: "error", value: decoder.decode(this.#string()) };
      case TYPES.verbatim: {
        const text = this.#string() ?? new Uint8Array();
        const format = String.fromCharCode(...text.subarray(0, FORMAT_LENGTH));
        const value = text.subarray(FORMAT_LENGTH + 1);
        return { type: "verbatim", format, value };
      }
      case TYPES.array: {
        const value = this.#list();
        return value === undefined
          ? { type: "null", value: null, of: "array" }
          : { type: "array", value };
      }
      case TYPES.set:
        return { type: "set", value: this.#list() ?? [] };
      case TYPES.push:
        return { type: "push", value: this.#list() ?? [] };
      case TYPES.map:
        return { type: "map", value: this.#pairs() };
      default:
        this.#text();
        return { type: "null", value: null };
    }
  }

  /** The text behind a type, up to the end of the line. */
  #text(): string {
    const bytes = this.#bytes;
    const start = this.#index + 1;
    const end = bytes.indexOf(CR, start);
    this.#index = end + LINE_END.length;
    if (end - start > SHORT_TEXT) {
      return decoder.decode(bytes.subarray(start, end));
    }
    let text = "";
    for (let i = start; i < end; i++) {
      if (bytes[i] >= 0x80) return decoder.decode(bytes.subarray(start, end));
      text += String.fromCharCode(bytes[i]);
    }
    return text;
  }

  /** The length or count behind a type: `Infinity` if a mark ends it, -1 if there is nothing. */
  #announced(): number {
    const text = this.#text();
    return text === "?" ? Infinity : Number(text);
  }

  /** A string, whole or in chunks; `undefined` if there is none. */
  #string(): Uint8Array<ArrayBuffer> | undefined {
    const length = this.#announced();
    if (length < 0) return undefined;
    if (length < Infinity) return this.#content(length);
    const chunks: Uint8Array[] = [];
    let total = 0;
    while (true) {
      const chunk = this.#announced();
      if (chunk === 0) break;
      chunks.push(this.#content(chunk));
      total += chunk;
    }
    const whole = new Uint8Array(total);
    let index = 0;
    for (const chunk of chunks) {
      whole.set(chunk, index);
      index += chunk.length;
    }
    return whole;
  }

  #content(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#index;
    this.#index = start + length + LINE_END.length;
    return this.#bytes.subarray(start, start + length);
  }

  /** Whether there is another element of those that were announced. */
  #hasMore(count: number, read: number): boolean {
    if (count < Infinity) return read < count;
    if (this.#bytes[this.#index] !== TYPES.end) return true;
    this.#index += 1 + LINE_END.length;
    return false;
  }

  #list(): RespValue[] | undefined {
    const count = this.#announced();
    if (count < 0) return undefined;
    const values: RespValue[] = [];
    while (this.#hasMore(count, values.length)) values.push(this.value());
    return values;
  }

  #pairs(): RespPair[] {
    const count = this.#announced();
    const pairs: RespPair[] = [];
    while (this.#hasMore(count, pairs.length)) {
      const key = this.value();
      pairs.push([key, this.value()]);
    }
    return pairs;
  }
}

/** The value of a double, as it stands in a line. */
function doubleOf(text: string): number {
  const infinite = text.endsWith("inf");
  if (infinite) return text.startsWith("-") ? -Infinity : Infinity;
  return Number(text); // NaN for `nan`
}

/** A double as it stands in a line. */
function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (Object.is(value, -0)) return "-0";
  return String(value).replace("Infinity", "inf");
}

/** Lays a value out, and holds to the limits. */
class ValueWriter {
  #out: ByteSink;
  #start: number;
  #limits: CheckedRespLimits;
  #elements = 0;

  constructor(out: ByteSink, limits: CheckedRespLimits) {
    this.#out = out;
    this.#start = out.position;
    this.#limits = limits;
  }

  command(command: RespCommand): void {
    if (command.length === 0) {
      throw new RangeError("Cannot write frame: a command must have a name");
    }
    this.#aggregate(TYPES.array, command.length, command.length, 1);
    for (const argument of command) {
      this.#string(
        TYPES.bulk,
        typeof argument === "number" || typeof argument === "bigint"
          ? String(argument)
          : argument,
      );
    }
  }

  value(value: RespValue<RespBytes>, depth = 1): void {
    const { attributes } = value;
    if (attributes !== undefined) {
      this.#pairs(TYPES.attributes, attributes, depth);
    }
    switch (value.type) {
      case "simple":
        return this.#text(TYPES.simple, value.value);
      case "error":
        return /[\r\n]/.test(value.value)
          ? this.#string(TYPES.bulkError, value.value)
          : this.#text(TYPES.error, value.value);
      case "integer":
        return this.#line(TYPES.integer, integerText(value.value));
      case "bigNumber":
        return this.#line(TYPES.bigNumber, bigNumberText(value.value));
      case "double":
        return this.#line(TYPES.double, doubleText(value.value));
      case "boolean":
        return this.#line(TYPES.boolean, value.value ? "t" : "f");
      case "null":
        if (value.of === "bulk") return this.#line(TYPES.bulk, "-1");
        if (value.of === "array") return this.#line(TYPES.array, "-1");
        return this.#line(TYPES.null, "");
      case "bulk":
        return this.#string(TYPES.bulk, value.value);
      case "verbatim":
        return this.#verbatim(value.format, value.value);
      case "array":
      case "set":
      case "push": {
        const { type, value: values } = value;
        if (type === "push" && depth > 1) {
          throw new TypeError(
            "Cannot write frame: a push must not be inside another value",
          );
        }
        this.#aggregate(TYPES[type], values.length, values.length, depth);
        for (const element of values) this.value(element, depth + 1);
        return;
      }
      case "map":
        return this.#pairs(TYPES.map, value.value, depth);
      default:
        return refuseValue(value);
    }
  }

  #pairs(
    type: number,
    pairs: readonly RespPair<RespBytes>[],
    depth: number,
  ): void {
    this.#aggregate(type, pairs.length, 2 * pairs.length, depth);
    for (const [key, value] of pairs) {
      this.value(key, depth + 1);
      this.value(value, depth + 1);
    }
  }

  #aggregate(
    type: number,
    count: number,
    elements: number,
    depth: number,
  ): void {
    const { maxDepth, maxElements } = this.#limits;
    if (depth > maxDepth) {
      throw new RangeError(
        `Cannot write frame: depth ${depth} exceeds maxDepth of ${maxDepth} levels`,
      );
    }
    this.#elements += elements;
    if (this.#elements > maxElements) {
      throw new RangeError(
        `Cannot write frame: element count ${this.#elements} exceeds maxElements of ${maxElements} elements`,
      );
    }
    this.#line(type, String(count));
  }

  #verbatim(format: string, text: RespBytes): void {
    if (!/^[\x20-\x7e]{3}$/.test(format)) {
      throw new RangeError(
        `Cannot write frame: format must be ${FORMAT_LENGTH} ASCII characters: it is ${
          JSON.stringify(format)
        }`,
      );
    }
    const bytes = bytesOf(text);
    this.#line(TYPES.verbatim, String(FORMAT_LENGTH + 1 + bytes.length));
    this.#out.text(`${format}:`);
    this.#content(bytes);
  }

  #string(type: number, text: RespBytes): void {
    const bytes = bytesOf(text);
    this.#line(type, String(bytes.length));
    this.#content(bytes);
  }

  #content(bytes: Uint8Array): void {
    this.#check(bytes.length + LINE_END.length);
    this.#out.write(bytes);
    this.#out.text(LINE_END);
  }

  /** A line of a text that may have anything in it but line ends. */
  #text(type: number, text: string): void {
    const bytes = encodeToWrite(text);
    if (/[\r\n]/.test(text)) {
      throw new RangeError(
        "Cannot write frame: a simple string must not have CR or LF in it",
      );
    }
    this.#check(1 + bytes.length + LINE_END.length);
    this.#out.byte(type);
    this.#out.write(bytes);
    this.#out.text(LINE_END);
  }

  /** A line in ASCII. */
  #line(type: number, text: string): void {
    this.#check(1 + text.length + LINE_END.length);
    this.#out.byte(type);
    this.#out.text(text);
    this.#out.text(LINE_END);
  }

  /** Throws if so many bytes more are too many. */
  #check(more: number): void {
    const { limit } = this.#limits;
    const length = this.#out.position - this.#start + more;
    if (length > limit) throw tooLargeToWrite(length, limit);
  }
}

function bytesOf(text: RespBytes): Uint8Array {
  return text instanceof Uint8Array ? text : encodeToWrite(text);
}

function integerText(value: number | bigint): string {
  const fits = typeof value === "bigint"
    ? fits64Bits(value)
    : Number.isSafeInteger(value);
  if (fits) return String(value);
  throw new RangeError(
    `Cannot write frame: an integer must be a whole number of 64 bits, beyond 2^53 a bigint: it is ${value}`,
  );
}

function bigNumberText(value: bigint): string {
  const text = String(value);
  if (text.length + 1 + LINE_END.length <= LONGEST_NUMBER) return text;
  throw new RangeError(
    `Cannot write frame: a big number takes ${text.length} digits, of which some would not be read`,
  );
}

/** What is thrown for what types do not allow. */
function refuseValue(value: never): never {
  const { type }: { type?: unknown } = Object(value);
  throw new TypeError(
    `Cannot write frame: no value is of type ${JSON.stringify(type)}`,
  );
}

/**
 * Cuts values of RESP2 and RESP3, the protocol of Redis and those that are like it: "Redis serialization protocol
 * specification", and "RESP3 specification" for streamed strings and aggregates. It reads both versions at any
 * time; which of them the server speaks, the command `HELLO` decides.
 *
 * A frame is a whole value, with everything in it. Where it ends is found in time that grows with its length,
 * however many elements it has, however deep they lie, and however it is cut: no part is looked at twice before
 * all are here, and nothing is made of them before. An oversized value ends the stream: no answer can be left out
 * of a sequence.
 *
 * Strict: lengths have no sign and no zeros on the left, every line ends with CR LF, a push is in no other value,
 * numbers are in range and in at most 1,021 characters. Errors that the server answers are values, not exceptions.
 *
 * @param options The limits. RESP has no longest value; Redis has one of 512 MiB, which its settings change.
 * @returns The codec. Its `encode` takes values, with texts for strings if you like, and commands as arrays of their
 * words. It throws a `RangeError` for a value over a limit, a number out of range, a line end in a short text and
 * a command without a name, and a `TypeError` for what is no value, half a surrogate pair, and a push in
 * another value.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { resp } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(resp(), ["GET", "key"]);
 * assertEquals(new TextDecoder().decode(wire), "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
 *
 * const decoder = new FrameDecoder(resp());
 * decoder.push(new TextEncoder().encode("%1\r\n+hits\r\n:3\r\n-ERR no\r\n"));
 * assertEquals(decoder.next(), {
 *   type: "map",
 *   value: [[{ type: "simple", value: "hits" }, { type: "integer", value: 3 }]],
 * });
 * assertEquals(decoder.next(), { type: "error", value: "ERR no" });
 * ```
 */
export function resp(
  options: RespLimits = {},
): Codec<RespValue, RespCommand | RespValue<RespBytes>> {
  const limits: CheckedRespLimits = {
    limit: checkLimits(options).limit,
    maxDepth: checkInteger(
      "maxDepth",
      options.maxDepth ?? MAX_DEPTH,
      0,
      MOST_DEPTH,
    ),
    maxElements: checkInteger(
      "maxElements",
      options.maxElements ?? MAX_ELEMENTS,
      0,
    ),
  };
  return {
    decode(received) {
      const { progress } = received;
      const search = progress instanceof RespSearch
        ? progress
        : new RespSearch(limits);
      const length = search.find(received);
      if (length === undefined) {
        if (search.done > 0) received.progress = search;
        return undefined;
      }
      received.progress = undefined;
      return new ValueReader(received.take(length)).value();
    },
    encode(frame, out) {
      const start = out.position;
      const writer = new ValueWriter(out, limits);
      try {
        if ("type" in frame) writer.value(frame);
        else writer.command(frame);
      } catch (error) {
        out.truncate(start);
        throw error;
      }
    },
  };
}
