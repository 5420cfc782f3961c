/**
 * How well a codec explains bytes: how many of them it makes frames of, and how unlikely it is that this came by chance.
 *
 *     score = 100 × share of bytes in frames × (1 − 2^(−(bits − 8) / 8))
 *
 * A bit is a coin that fell as it had to. For a length in front of a frame they are counted by drawing bytes from those
 * that are there: how likely is a number that points into the data, or exactly at its end? 8 bits are taken off, for so
 * many codecs are tried. Bytes behind a fault, or of a frame that is cut off, count for more the more bits there are.
 *
 * @module
 */

import { TruncatedFrameError } from "../../mod.ts";
import { Conversation } from "./conversation.ts";
import type { Dialect, Side } from "./dialect.ts";
import { fieldOf, frameBytes, textOf } from "./values.ts";

/** A frame that a codec made. */
export interface Part {
  offset: number;
  size: number;
  frame: unknown;
}

/** What a codec makes of what one side sent. */
export interface Reading {
  from: Side;
  bytes: Uint8Array;
  frames: Part[];
  /**
   * How it came to its end: behind a frame, inside one, at bytes that are none, where encryption begins, or when there
   * were enough frames to tell.
   */
  end: "boundary" | "truncated" | "fault" | "opaque" | "enough";
  /** Where the last frame ends. */
  whole: number;
  /** How many frames were wrong and could be passed over, and how many bytes they are. */
  wrong: { frames: number; bytes: number };
  /** How many bytes the truncated frame is to have, if that is known. */
  need: number | undefined;
}

/** Reads what sides sent by a codec. */
export function readBy(
  dialect: Dialect,
  sent: ReadonlyMap<Side, Uint8Array>,
): Reading[] {
  const conversation = new Conversation(dialect);
  return Array.from(sent, ([from, bytes]) => {
    const reading: Reading = {
      from,
      bytes,
      frames: [],
      end: "boundary",
      whole: 0,
      wrong: { frames: 0, bytes: 0 },
      need: undefined,
    };
    take(reading, () => conversation.push(from, bytes.slice()));
    if (reading.end === "boundary") {
      take(reading, () => conversation.end(from));
    }
    return reading;
  });
}

/** How many frames are enough. */
const MOST_FRAMES = 10_000;

function take(
  reading: Reading,
  all: () => ReturnType<Conversation["push"]>,
): void {
  for (const seen of all()) {
    switch (seen.kind) {
      case "frame": {
        const { offset, frame, pieces } = seen;
        const size = pieces.reduce((sum, piece) => sum + piece, 0);
        reading.frames.push({ offset, size, frame });
        reading.whole = offset + size;
        if (reading.frames.length < MOST_FRAMES) break;
        reading.end = "enough";
        return;
      }
      case "fault":
        if (seen.error.recoverable) {
          reading.wrong.frames++;
          reading.wrong.bytes += seen.wire.length;
          reading.whole = seen.offset + seen.wire.length;
          break;
        }
        reading.end = seen.error instanceof TruncatedFrameError
          ? "truncated"
          : "fault";
        if (seen.error instanceof TruncatedFrameError) {
          reading.need = seen.error.need;
        }
        return;
      case "opaque":
        reading.end = "opaque";
        reading.whole = reading.bytes.length;
        return;
    }
  }
}

/** How likely bytes are, by those that there are. */
export class Chance {
  #upTo: number[] = [0];

  /** How many bits all of the bytes take: what is always the same says nothing. */
  readonly said: number;

  /** Counts bytes; each that there is not counts a little too. */
  constructor(bytes: Uint8Array) {
    const counts = new Array<number>(256).fill(1);
    for (const byte of bytes) counts[byte]++;
    this.said = counts.reduce(
      (bits, count) => bits + (count - 1) * bitsOf((count - 1) / bytes.length),
      0,
    );
    let sum = 0;
    for (const count of counts) {
      sum += count / (bytes.length + 256);
      this.#upTo.push(sum);
    }
  }

  /** How likely a byte from `least` to `most` is. */
  within(least: number, most: number): number {
    return most < least ? 0 : this.#upTo[most + 1] - this.#upTo[least];
  }

  /** How likely a byte is. */
  of(byte: number): number {
    return this.within(byte, byte);
  }

  /** How likely a number of so many bytes is at most `value`, in whatever order they are. */
  atMost(value: number, width: number): number {
    if (value < 0) return 0;
    if (value >= 256 ** width) return 1;
    let sum = 0;
    let same = 1;
    for (const digit of digitsOf(value, width)) {
      if (digit > 0) sum += same * this.within(0, digit - 1);
      same *= this.of(digit);
    }
    return sum + same;
  }

  /** How likely a number is. */
  exactly(value: number, width: number): number {
    return digitsOf(value, width).reduce(
      (product, digit) => product * this.of(digit),
      1,
    );
  }

  /** How likely a digit is. */
  get digit(): number {
    return this.within(0x30, 0x39);
  }
}

function digitsOf(value: number, width: number): number[] {
  const digits: number[] = [];
  for (let rest = value; digits.length < width;) {
    digits.unshift(rest % 256);
    rest = Math.floor(rest / 256);
  }
  return digits;
}

/** How many coins fell as they had to; none for what cannot be or must be. */
function bitsOf(chance: number): number {
  return chance > 0 ? Math.max(0, -Math.log2(chance)) : 0;
}

/** Gives the bits of a reading. */
export type Weigh = (reading: Reading, chance: Chance) => number;

/** The longest frame that codecs take unless they are told. */
const MAX_FRAME = 2 ** 20;

/** Where the frames begin, and how far what is inside a length may go: the one that is cut off last. */
function* starts(
  { frames, bytes, whole, end }: Reading,
): Iterable<
  { offset: number; left: number; state: "inside" | "last" | "cut" }
> {
  for (const { offset, size } of frames) {
    const state = offset + size === bytes.length ? "last" : "inside";
    yield { offset, left: bytes.length - offset, state };
  }
  if (end === "truncated") {
    yield { offset: whole, left: bytes.length - whole, state: "cut" };
  }
}

/** For lengths of so many bytes, behind a tag perhaps, that count themselves or not. */
export function byLength(
  width: number,
  { tag = 0, includesHeader = false }: {
    tag?: number;
    includesHeader?: boolean;
  } = {},
): Weigh {
  return (reading, chance) => {
    let bits = 0;
    for (const { left, state } of starts(reading)) {
      if (left < tag + width) continue;
      const room = left - (includesHeader ? 0 : tag + width);
      const least = includesHeader ? tag + width : 0;
      const below = (value: number) =>
        chance.atMost(value, width) - chance.atMost(least - 1, width);
      bits += bitsOf(
        state === "last"
          ? chance.exactly(room, width)
          : state === "inside"
          ? below(room)
          : below(MAX_FRAME),
      );
    }
    return bits + tagBits(reading, tag, chance) + textBits(reading);
  };
}

/** The most that tags count for: what comes again in any data does so in tags too. */
const MOST_TAG_BITS = 12;

/** Tags are few, and come again: how many bits are saved by telling each from those before it. */
function tagBits({ frames }: Reading, tag: number, chance: Chance): number {
  if (tag === 0) return 0;
  const counts = new Map<number, number>();
  let bits = 0;
  for (const [seen, { frame }] of frames.entries()) {
    const value = Number(fieldOf(frame, "tag"));
    const usual = chance.exactly(value, tag);
    const count = counts.get(value) ?? 0;
    bits += Math.log2((count / usual + 2) / (seen + 2));
    counts.set(value, count + 1);
  }
  return Math.min(MOST_TAG_BITS, Math.max(0, bits));
}

/** For lengths of 7 bits a byte. */
export const byVarint: Weigh = (reading, chance) => {
  let bits = 0;
  for (const { left, state, offset } of starts(reading)) {
    if (state === "last") {
      // Bytes of a varint as they are.
      for (let at = offset;; at++) {
        bits += bitsOf(chance.of(reading.bytes[at]));
        if (!(reading.bytes[at] >= 0x80)) break;
      }
    } else {
      const room = state === "cut" ? MAX_FRAME : left;
      const long = chance.within(0x80, 0xff);
      bits += bitsOf(
        chance.within(0, Math.min(room, 0x7f)) +
          long *
            (room < 0x80 ? 0 : chance.within(0, Math.min(room >> 7, 0xff))),
      );
    }
  }
  return bits + textBits(reading);
};

/** For lengths in digits, with so many bytes of fixed value beside them. */
export function byDigits(
  digits: number | undefined,
  around: readonly string[] = [],
): Weigh {
  const fixed = around.map((text) => text.charCodeAt(0));
  return (reading, chance) => {
    let bits = 0;
    for (const { offset, left, state } of starts(reading)) {
      const count = digits ?? countDigits(reading.bytes, offset);
      if (state === "cut" && left < count + fixed.length) continue;
      // Of all numbers of so many digits, those that point into the data.
      const fits = state === "last" ? 1 : Math.min(left + 1, 10 ** count);
      const marks = state === "cut" ? fixed.slice(0, 1) : fixed;
      bits += count * (bitsOf(chance.digit) + Math.log2(10)) -
        Math.log2(state === "cut" ? 10 ** count : fits) +
        marks.reduce((sum, byte) => sum + bitsOf(chance.of(byte)), 0);
    }
    return bits + textBits(reading);
  };
}

function countDigits(bytes: Uint8Array, offset: number): number {
  let count = 0;
  while (bytes[offset + count] >= 0x30 && bytes[offset + count] <= 0x39) {
    count++;
  }
  return Math.max(count, 1);
}

/** Whether a byte is none of a text's. */
function isControl(byte: number): boolean {
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d ||
    byte === 0x7f;
}

/** The bytes inside a frame, if it is nothing but bytes, or those behind a tag. */
function payloadOf(frame: unknown): Uint8Array | undefined {
  const inside = fieldOf(frame, "tag") === undefined
    ? undefined
    : fieldOf(frame, "payload");
  return inside instanceof Uint8Array ? inside : frameBytes(frame);
}

/** The most that text counts for. */
const MOST_TEXT_BITS = 48;

/** For frames that are all text though the stream is not: all that is no text is where the framing is. */
function textBits({ frames, whole, bytes }: Reading): number {
  let framing = 0;
  let inside = 0;
  let documents = 0;
  for (const { frame, size } of frames) {
    const payload = payloadOf(frame);
    if (payload === undefined || payload.some(isControl)) return 0;
    const text = textOf(payload);
    if (text === undefined) return 0;
    if (isDocument(text)) documents++;
    framing += size - payload.length;
    inside += payload.length;
  }
  if (framing === 0 || inside === 0) return 0;
  const strange = bytes.subarray(0, whole).reduce(
    (sum, byte) => sum + (isControl(byte) ? 1 : 0),
    0,
  );
  return Math.min(
    MOST_TEXT_BITS,
    strange * Math.log2((framing + inside) / framing) +
      (documents === frames.length ? DOCUMENT_BITS * documents : 0),
  );
}

/** How much it says that a frame is a document of JSON, where all of them are. */
const DOCUMENT_BITS = 8;

function isDocument(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether all of it is text. */
function isText(bytes: Uint8Array, cut: boolean): boolean {
  // The last character may be cut off.
  for (const end of cut ? [0, 1, 2, 3] : [0]) {
    const text = textOf(bytes.subarray(0, bytes.length - end));
    if (text !== undefined) return !bytes.some(isControl);
  }
  return false;
}

const LF = 0x0a;
const CR = 0x0d;

function endsWith(bytes: Uint8Array, end: readonly number[]): boolean {
  return end.every((byte, i) => bytes.at(i - end.length) === byte);
}

/** How far bytes are text in lines. */
export const byLines: Weigh = (reading) => {
  const { bytes, frames } = reading;
  if (!isText(bytes, false)) return 0;
  const ended = endsWith(bytes, [LF]);
  const lines = frames.length - (ended ? 0 : 1);
  return Math.max(
    0,
    Math.min(24, 1.4 * bytes.length) + Math.min(16, 4 * lines) -
      (ended ? 0 : lines === 0 ? 12 : 8),
  );
};

/** The same where each line is ended by two characters. */
export const byCrlf: Weigh = (reading, chance) => {
  const { bytes } = reading;
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) return 0;
    lines++;
  }
  return lines === 0 ? 0 : byLines(reading, chance) + Math.min(16, 4 * lines);
};

/** For a delimiter that is no part of texts. */
export function byDelimiter(delimiter: readonly number[]): Weigh {
  return (reading, chance) => {
    const { bytes, frames } = reading;
    if (frames.length === 0) return 0;
    const each = delimiter.reduce(
      (sum, byte) => sum + bitsOf(chance.of(byte)),
      0,
    );
    const ended = endsWith(bytes, delimiter) ? each : 0;
    const others = bytes.filter((byte) => isControl(byte));
    const strange = others.every((byte) => delimiter.includes(byte));
    if (!strange || textOf(bytes) === undefined) return ended;
    return ended + Math.min(24, 1.4 * bytes.length) +
      Math.min(16, 4 * frames.length);
  };
}

/** For a protocol: so many bits a frame, as far as a frame has bytes for them. */
export function byProtocol(
  bits: number,
  perByte = 4,
  ofFrame: (frame: unknown) => number = () => 0,
): Weigh {
  return ({ frames, end, bytes, whole }) => {
    const last = end === "opaque" ? bits : 0;
    return frames.reduce(
      (sum, { size, frame }) =>
        sum + Math.min(bits + ofFrame(frame), perByte * size),
      last,
    ) + (end === "truncated" && whole === 0 ? Math.min(4, bytes.length) : 0);
  };
}

/** For lines that say more than that they are lines. */
export function byLinesOf(
  ofPart: (part: Part, bytes: Uint8Array) => number,
): Weigh {
  return (reading, chance) => {
    const { frames, wrong, bytes } = reading;
    const lines = byLines(reading, chance);
    if (lines === 0 || wrong.frames >= frames.length) return 0;
    const more = frames.reduce((sum, part) => sum + ofPart(part, bytes), 0);
    return more === 0 ? lines - 1 : lines + Math.min(48, more);
  };
}

/** The most that columns count for: records of one length may have another reason. */
const MOST_COLUMN_BITS = 30;
/** How much of the bytes columns are looked for in. */
const COLUMNS_IN = 8192;

/** The fewest rows that make columns. */
const FEWEST_ROWS = 5;

/** How many bits it takes to tell each byte from those above it, where rows are so long. */
function columnBits(bytes: Uint8Array, length: number, all: Chance): number {
  let bits = 0;
  for (let column = 0; column < length; column++) {
    const counts = new Uint32Array(256);
    let seen = 0;
    for (let at = column; at < bytes.length; at += length) {
      const byte = bytes[at];
      bits -= Math.log2((counts[byte] + 2 * all.of(byte)) / (seen + 2));
      counts[byte]++;
      seen++;
    }
  }
  return bits;
}

/** Finds the length of records that lie below each other in columns; `undefined` if there is none. */
export function rowLength(
  bytes: Uint8Array,
): { length: number; bits: number } | undefined {
  const { length: total } = bytes;
  const some = bytes.subarray(0, COLUMNS_IN);
  const all = new Chance(some);
  // Without columns: each byte by how often it comes, or by those so far.
  const still = some.reduce((sum, byte) => sum + bitsOf(all.of(byte)), 0);
  const one = Math.min(still, columnBits(some, 1, all));
  let best = { length: 0, bits: 0 };
  for (let length = 2; length <= 256; length++) {
    if (length * FEWEST_ROWS > total) break;
    if (total % length !== 0) continue;
    const bits = one - columnBits(some, length, all);
    if (bits > best.bits) best = { length, bits };
  }
  return best.length === 0
    ? undefined
    : { ...best, bits: Math.min(MOST_COLUMN_BITS, best.bits) };
}

/** What is taken off because so many codecs are tried. */
const TRIED = 8;

/** How sure so many bits make one. */
function confidence(bits: number): number {
  return bits <= TRIED ? 0 : 1 - 2 ** (-(bits - TRIED) / 8);
}

/** How many of those before it may be missing of a frame that is cut off. */
const LONGER = 8;

/** How many bits leave it open that something else made the frames, and how many more make that half as likely. */
const OPEN_BITS = 48;
const HALVING_BITS = 16;

/** How far to believe that it is the codec though it does not explain all bytes. */
function belief(bits: number): number {
  return 1 - 2 ** (-Math.max(0, bits - OPEN_BITS) / HALVING_BITS);
}

/** How likely so much of the frame that is cut off is still to come, by those before it. */
function likelyLength({ frames, need, bytes, whole }: Reading): number {
  if (frames.length === 0 || need === undefined) return 1;
  const longest = frames.reduce((most, { size }) => Math.max(most, size), 64);
  return Math.min(
    1,
    LONGER * longest / Math.max(1, need - (bytes.length - whole)),
  );
}

/** How far to believe that what is left is the beginning of a frame, if its length may be. */
function tailCredit({ frames, need }: Reading): number {
  if (frames.length === 0) return 0.3;
  return need === undefined ? 0.5 : 0.9;
}

/** How much of the bytes a reading explains, where all of them give so many bits for the codec. */
function explained(reading: Reading, bits: number): number {
  const { bytes, end, frames, wrong } = reading;
  const { length } = bytes;
  if (length === 0) return 0;
  // What is wrong may be so on purpose; most of it cannot be.
  const doubt = wrong.frames > frames.length ? 0.5 : 0.1;
  const whole = reading.whole - doubt * wrong.bytes;
  const sure = belief(bits);
  // Many good frames in front of what is wrong are what people look for who look at a broken stream.
  const broken = mix(sure, 0.9 * whole / length, 0.4 * (whole / length) ** 2);
  switch (end) {
    case "boundary":
    case "opaque":
      return whole / length;
    case "enough":
      return whole / reading.whole;
    case "fault":
      return broken;
    case "truncated": {
      // What is cut off costs nothing where all else speaks for the codec.
      const credit = mix(sure, 1, tailCredit(reading));
      const begun = (whole + credit * (length - whole)) / length;
      return mix(likelyLength(reading), begun, broken);
    }
  }
}

/** So much of one, and the rest of another. */
function mix(share: number, one: number, other: number): number {
  return share * one + (1 - share) * other;
}

/** The share of frames with nothing in them: a few are well, many are a sign that a length is longer than it was taken for. */
function emptyShare({ frames }: Reading): number {
  if (frames.length === 0) return 0;
  const empty = frames.filter(({ frame }) => payloadOf(frame)?.length === 0);
  return empty.length / frames.length;
}

/** What a codec is worth for some bytes. */
export interface Score {
  /** From 0 to 100. */
  score: number;
  /** How unlikely it is by chance. */
  bits: number;
}

/** Scores what a codec made of what both sides sent, or one. */
export function scoreOf(readings: readonly Reading[], weigh: Weigh): Score {
  let bits = 0;
  for (const reading of readings) {
    const chance = new Chance(reading.bytes);
    bits += Math.min(weigh(reading, chance), chance.said);
  }
  let share = 0;
  let total = 0;
  for (const reading of readings) {
    const { length } = reading.bytes;
    share += explained(reading, bits) * length *
      (1 - 0.9 * emptyShare(reading) ** 2);
    total += length;
  }
  const score = total === 0 ? 0 : 100 * share / total * confidence(bits);
  return { score: Math.round(score), bits: Math.round(bits * 10) / 10 };
}
