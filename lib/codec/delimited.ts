/**
 * Frames that a delimiter ends.
 *
 *     delimited("\r\n")                     h e l l o \r \n   → "hello"
 *     delimited("\r\n", {include: "suffix"})                  → "hello\r\n"
 *     delimited("\r\n", {include: "prefix"})  \r \n h e l l o → "\r\nhello", once another \r\n begins
 *
 * Of several delimiters the one that begins first ends the frame, and of those that begin together the
 * longest: while a longer one may still come, the frame waits.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import { bytesLiteral } from "../bytes/print_bytes.ts";
import type { BytesCodec, LimitOptions } from "./codec.ts";
import { tooLarge, tooLargeToWrite } from "./faults.ts";
import { checkLimits, checkOneOf } from "./options.ts";

/** A delimiter: bytes, or a text that stands for its UTF-8. */
export type Delimiter = Uint8Array | string;

/** What becomes of delimiters and of what has none. */
export interface DelimitedOptions extends LimitOptions {
  /**
   * Whether the delimiter is part of the frame: `false` leaves it off, `"suffix"` keeps the one that ends
   * the frame, `"prefix"` the one that begins it. `maxFrameLength` does not count it.
   *
   * @default {false}
   */
  include?: false | "suffix" | "prefix";
  /**
   * What bytes without a delimiter are at the end of the stream: `"error"`, a truncated frame, or
   * `"emit"`, the last frame. With `include: "prefix"` it is always `"emit"`, as no delimiter ends a frame.
   *
   * @default {"error"}
   */
  tail?: "error" | "emit";
}

/** A delimiter that was found, or the place where one may have begun. */
interface Match {
  /** Where it begins. */
  index: number;
  /** How long it is; 0 if what is here is too little to tell. */
  length: number;
}

const encoder = new TextEncoder();

/** Finds delimiters, the longest first. */
class Finder {
  /** From the longest to the shortest. */
  readonly delimiters: readonly Uint8Array[];
  readonly longest: number;
  /** The byte that ends every delimiter and occurs nowhere else in them, if there is one. */
  readonly lastByte: number | undefined;
  /** Which bytes delimiters begin with: 1 for those. */
  readonly #begins = new Uint8Array(256);

  constructor(delimiters: readonly Uint8Array[]) {
    this.delimiters = delimiters.toSorted((a, b) => b.length - a.length);
    this.longest = this.delimiters[0].length;
    for (const [first] of delimiters) this.#begins[first] = 1;
    const last = this.delimiters[0][this.longest - 1];
    this.lastByte =
      delimiters.every((delimiter) =>
          delimiter.indexOf(last) === delimiter.length - 1
        )
        ? last
        : undefined;
  }

  /** The first delimiter from `from` on, or the first place where one may have begun unless `final`. */
  find(bytes: Uint8Array, from: number, final: boolean): Match | undefined {
    for (let index = from; index < bytes.length; index++) {
      if (this.#begins[bytes[index]] === 0) continue;
      const length = this.lengthAt(bytes, index, final);
      if (length !== undefined) return { index, length };
    }
    return undefined;
  }

  /** The length of the delimiter that begins at `index`; 0 if one may, unless `final`. */
  lengthAt(
    bytes: Uint8Array,
    index: number,
    final: boolean,
  ): number | undefined {
    for (const delimiter of this.delimiters) {
      const here = Math.min(delimiter.length, bytes.length - index);
      if (here < delimiter.length && final) continue;
      let same = 0;
      while (same < here && bytes[index + same] === delimiter[same]) same++;
      if (same === here) return here < delimiter.length ? 0 : here;
    }
    return undefined;
  }

  /**
   * The first delimiter among the bytes received, or the place where one may have begun. It remembers how
   * far it got, so that what was searched is not searched again.
   */
  next(received: ByteQueue, final: boolean): Match | undefined {
    if (this.lastByte !== undefined) {
      return this.#nextByLast(received, this.lastByte);
    }
    const from = received.searched;
    const bytes = received.peek(received.length);
    const match = this.find(bytes, from, final);
    received.searched = match?.index ?? bytes.length;
    return match;
  }

  /** As above, by the byte that ends every delimiter: found that, only what is before it matters. */
  #nextByLast(received: ByteQueue, lastByte: number): Match | undefined {
    let last: number | undefined;
    while ((last = received.indexOf(lastByte)) !== undefined) {
      for (const { length, [length - 2]: before } of this.delimiters) {
        const index = last + 1 - length;
        if (length === 1) return { index, length };
        if (index < 0 || received.at(last - 1) !== before) continue;
        const bytes = received.peek(length, index);
        if (this.lengthAt(bytes, 0, true) === length) return { index, length };
      }
      received.searched = last + 1;
    }
    return undefined;
  }

  /** How many bytes there are before any that may belong to a delimiter that is still arriving. */
  contentLength(received: ByteQueue): number {
    const { length } = received;
    const from = Math.max(length - this.longest + 1, 0);
    const match = this.find(received.peek(length - from, from), 0, false);
    return match === undefined ? length : from + match.index;
  }
}

/** Whether a delimiter lies at `index`, given that its last byte does. */
function liesAt(
  received: ByteQueue,
  index: number,
  delimiter: Uint8Array,
): boolean {
  for (let i = 0; i < delimiter.length - 1; i++) {
    if (received.at(index + i) !== delimiter[i]) return false;
  }
  return true;
}

function endsWith(bytes: Uint8Array, end: Uint8Array): boolean {
  const start = bytes.length - end.length;
  return start >= 0 && end.every((byte, i) => byte === bytes[start + i]);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function bytesOf(delimiter: Delimiter): Uint8Array {
  const bytes = typeof delimiter === "string"
    ? encoder.encode(delimiter)
    : delimiter.slice();
  if (bytes.length > 0) return bytes;
  throw new RangeError("Cannot make codec: delimiter must not be empty");
}

/**
 * Cuts frames that end with a delimiter. What is written may not contain one: the frame would be cut there.
 *
 * The delimiter that is written is the first of the list that is not the beginning of another.
 *
 * @param delimiter The delimiter, or several of which any ends a frame.
 * @param options What becomes of delimiters, and the limit.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit, and for one that would
 * be cut elsewhere than at its end.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If a delimiter is empty, there is none, or an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { delimited, FrameDecoder, text } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(text(delimited([",", ";"])));
 * decoder.push(new TextEncoder().encode("a,b;c"));
 * assertEquals([decoder.next(), decoder.next(), decoder.next()], ["a", "b", undefined]);
 * ```
 */
export function delimited(
  delimiter: Delimiter | readonly Delimiter[],
  options: DelimitedOptions = {},
): BytesCodec {
  const list = typeof delimiter === "string" || delimiter instanceof Uint8Array
    ? [delimiter]
    : delimiter;
  if (list.length === 0) {
    throw new RangeError("Cannot make codec: there must be a delimiter");
  }
  const delimiters = list.map(bytesOf);
  const finder = new Finder(delimiters);
  const written =
    delimiters.find((one) =>
      delimiters.every((other) =>
        other.length <= one.length || one.some((byte, i) => byte !== other[i])
      )
    ) ?? finder.delimiters[0];
  const include = checkOneOf("include", options.include ?? false, [
    false,
    "suffix",
    "prefix",
  ]);
  const tail = checkOneOf(
    "tail",
    options.tail ?? (include === "prefix" ? "emit" : "error"),
    ["error", "emit"],
  );
  if (include === "prefix" && tail === "error") {
    throw new RangeError(
      'Cannot make codec: tail must be "emit" with include "prefix", as no delimiter ends the last frame',
    );
  }
  const { limit, onOversize } = checkLimits(options);
  const { lastByte } = finder;
  /** What makes the delimiter that is written a longer one, when a frame ends with it. */
  const growths = finder.delimiters
    .filter((one) => one.length > written.length && endsWith(one, written))
    .map((one) => one.subarray(0, -written.length));

  /** Whether it is known at a glance that a frame has no delimiter in it, and makes none with the one behind it. */
  function isClear(frame: Uint8Array): boolean {
    if (lastByte === undefined) {
      return finder.longest === 1 && finder.find(frame, 0, true) === undefined;
    }
    return frame.indexOf(lastByte) < 0 &&
      !growths.some((growth) => endsWith(frame, growth));
  }

  /** How many bytes the delimiter takes that begins the frame; `undefined` if it is still arriving. */
  function leadLength(received: ByteQueue, final: boolean): number | undefined {
    if (include !== "prefix") return 0;
    const bytes = received.peek(Math.min(received.length, finder.longest));
    const length = finder.lengthAt(bytes, 0, final);
    return length === 0 ? undefined : length ?? 0;
  }

  /** Refuses the frame, of which `lead` bytes are delimiter. */
  function refuse(
    received: ByteQueue,
    lead: number,
    final: boolean,
  ): undefined {
    const seen = lead + limit + 1;
    if (onOversize === "error") {
      const what = "a length of at least";
      throw tooLarge(received, { length: limit + 1, limit, what, seen });
    }
    const preview = received.preview(seen);
    const place = { offset: received.offset, preview: () => preview };
    let length = 0;
    received.drop(lead);
    const step = (rest: ByteQueue, atEnd: boolean): Error | undefined => {
      const ended = atEnd && tail === "emit";
      const match = finder.next(rest, atEnd);
      const content = match?.index ??
        (ended ? rest.length : finder.contentLength(rest));
      length += content;
      rest.drop(content);
      const ending = match?.length ?? 0;
      if (ending === 0 && !ended) return undefined;
      if (include !== "prefix") rest.drop(ending);
      return tooLarge(place, { length, limit, seen, skipped: true });
    };
    const report = step(received, final);
    if (report !== undefined) throw report;
    received.skipBy(step);
    return undefined;
  }

  function cut(
    received: ByteQueue,
    final: boolean,
  ): Uint8Array<ArrayBuffer> | undefined {
    const lead = leadLength(received, final);
    if (lead === undefined) return undefined;
    if (received.searched < lead) received.searched = lead;
    const match = finder.next(received, final);
    if (match !== undefined && match.length > 0) {
      const { index, length } = match;
      if (index - lead > limit) return refuse(received, lead, final);
      if (include === "suffix") return received.take(index + length);
      const frame = received.take(index);
      if (include === false) received.drop(length);
      return frame;
    }
    const most = received.length - lead;
    if (most <= limit) return undefined;
    // What may be the beginning of a delimiter is not content, unless it is the end of the last frame.
    const content = final && tail === "emit"
      ? most
      : finder.contentLength(received) - lead;
    return content > limit ? refuse(received, lead, final) : undefined;
  }

  /** The common case, one delimiter that is left off, without an object for each match. */
  function cutPlain(
    received: ByteQueue,
    lastByte: number,
  ): Uint8Array<ArrayBuffer> | undefined {
    const [delimiter] = delimiters;
    const { length } = delimiter;
    let last: number | undefined;
    while ((last = received.indexOf(lastByte)) !== undefined) {
      const index = last + 1 - length;
      if (index >= 0 && liesAt(received, index, delimiter)) {
        if (index > limit) break;
        const frame = received.take(index);
        received.drop(length);
        return frame;
      }
      received.searched = last + 1;
    }
    return cut(received, false);
  }

  const plain = delimiters.length === 1 && include === false &&
    lastByte !== undefined;
  const codec: BytesCodec = {
    decode: plain
      ? (received) => cutPlain(received, lastByte)
      : (received) => cut(received, false),
    encode(frame, out) {
      const plainly = include === false && frame instanceof Uint8Array;
      if (plainly && frame.length <= limit && isClear(frame)) {
        out.write(frame);
        for (let i = 0; i < written.length; i++) out.byte(written[i]);
        return;
      }
      const lead = include === "prefix"
        ? finder.lengthAt(frame, 0, true) ?? -1
        : 0;
      const content = frame.subarray(Math.max(lead, 0));
      // A delimiter that the next frame may make longer is no end to rely on.
      const ending = finder.find(content, 0, include !== "suffix");
      const length = ending?.index ?? content.length;
      if (length > limit) throw tooLargeToWrite(length, limit);
      if (include === "suffix") {
        if (ending === undefined || length + ending.length < content.length) {
          throw new RangeError(
            "Cannot write frame: it must end with a delimiter and have no other",
          );
        }
        return out.write(frame);
      }
      if (lead < 0) {
        throw new RangeError(
          "Cannot write frame: it must begin with a delimiter",
        );
      }
      // The last bytes and the delimiter together may be a delimiter too.
      const end = content.subarray(Math.max(length - finder.longest + 1, 0));
      for (const next of include === "prefix" ? delimiters : [written]) {
        const match = finder.find(joined(end, next), 0, false);
        const grows = include === "prefix" &&
          finder.lengthAt(joined(frame, next), 0, false) !== lead;
        if (ending === undefined && match?.index === end.length && !grows) {
          continue;
        }
        const why = ending === undefined
          ? `its end and the delimiter ${bytesLiteral(next)} make another one`
          : `it has the delimiter ${
            bytesLiteral(content.subarray(length, length + ending.length))
          } in it`;
        const hint = include === false && ending !== undefined
          ? ", which is added when it is written"
          : "";
        throw new RangeError(`Cannot write frame: ${why}${hint}`);
      }
      out.write(frame);
      if (include === false) out.write(written);
    },
  };
  // At the end of the stream the rest may be a frame. And where a longer delimiter can no longer come, a
  // shorter one inside what has come of it ends one; with the last byte in no other place, there is none.
  const nested = delimiters.length > 1 && finder.lastByte === undefined;
  if (tail === "emit" || nested) {
    codec.decodeEnd = (received) => {
      const frame = cut(received, true);
      if (frame !== undefined || tail === "error") return frame;
      return received.take(received.length);
    };
  }
  return codec;
}
