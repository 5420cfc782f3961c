/**
 * Bytes out of what people paste: dumps and hexadecimal digits.
 *
 *     00000000  68 65 6c 6c 6f 0a        |hello.|      hexdump -C, od -A x -t x1
 *     00000000: 6865 6c6c 6f0a            hello.       xxd
 *     68656c6c6f0a      68 65 6c 6c 6f 0a              xxd -p, and digits in general
 *         0x0000:  4500 003c 1c46 4000  E..<.F@.       tcpdump -x, -xx, -X, -XX: packets
 *
 * @module
 */

import { oneLine } from "../python_literal.ts";

/** How digits are laid out: in rows with where they are in front, the same packet by packet, or nothing but digits. */
export type HexLayout = "rows" | "packets" | "digits";

/** What is made of bytes too, and not read: words whose order is not said, bits, and an array in C. */
export type Unread = "words" | "bits" | "array";

/** Bytes that were written as digits. */
export interface HexBytes {
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether a packet begins with them. */
  begins: boolean;
}

/** The longest line of a dump. */
const MAX_LINE = 4096;

const COLON_ROW =
  /^\s*(0x)?([0-9a-f]{4,16}):\s{1,8}((?:[0-9a-f]{2})+(?: (?:[0-9a-f]{2})+)*)(?:\s{2}.*|\s*)$/i;
const BLANK_ROW =
  /^([0-9a-f]{4,16}) {1,3}([0-9a-f]{2}(?: {1,2}[0-9a-f]{2})*)(?: {0,60}[|>].*| {3}.*|\s*)$/i;
/** Where the last row ends. */
const END_ROW = /^\s*(?:0x)?[0-9a-f]{4,16}:?\s*$/i;

/** What `hexdump` and `od -x` print unless they are told, and plain `od`. */
const WORD_ROW =
  /^[0-9a-f]{7}(?: {1,4}[0-9a-f]{4}){1,8}\s*$|^[0-7]{7}(?: [0-7]{6}){1,8}\s*$/i;
/** What `xxd -b` prints. */
const BIT_ROW = /^[0-9a-f]{8}: ([01]{8}(?: [01]{8})*) {2,}(.*)$/i;
/** What `xxd -i` prints. */
const ARRAY = /^unsigned char \w+\[\] = \{\s*$/;

function unreadIn(line: string): Unread | undefined {
  if (WORD_ROW.test(line)) return "words";
  if (ARRAY.test(line)) return "array";
  const [, bits, text] = line.match(BIT_ROW) ?? [];
  // Digits would have four characters to a group.
  return bits?.split(" ").length === text?.length && bits !== undefined
    ? "bits"
    : undefined;
}

/** What a first line must look like as far as it has come, if it may be that of a dump. */
const BEGINNINGS: readonly RegExp[] = [
  // Where it is, and behind it pairs of digits, and behind them anything.
  /^\s*(?:0x?)?[0-9a-f]{0,16}$/i,
  /^\s*(?:0x)?[0-9a-f]{4,16}:\s{0,8}(?:[0-9a-f]{2} ?)*(?:[0-9a-f]?$|\s$|\s{2}.*$)/i,
  /^[0-9a-f]{4,16} {0,4}(?:[0-9a-f]{2} {0,4})*(?:[0-9a-f]?$| .*$|[|>].*$)/i,
  // Nothing but digits.
  /^\s*(?:[ \t:,]{0,2}(?:0x)?[0-9a-f]{2})*[ \t:,]{0,2}(?:0x?|(?:0x)?[0-9a-f])?\s*$/i,
  // A time, and behind it anything.
  /^\d{1,2}$|^\d\d:\d{0,2}$|^\d\d:\d\d:\d{0,2}$|^\d\d:\d\d:\d\d\.(?:$|\d)/,
  /^\d{4}-\d{0,2}$|^\d{4}-\d\d-\d{0,2}$|^\d{4}-\d\d-\d\d /,
  // An array in C.
  /^unsigned char \w*(?:$|\[\]?$|\[\] =? ?\{?\s*$)/,
];

/** Whether a line that has not ended may become the first one of a dump. */
function mayBecome(line: string): boolean {
  return "unsigned char ".startsWith(line) ||
    BEGINNINGS.some((beginning) => beginning.test(line));
}

/** A row of a dump. */
interface Row {
  where: string;
  bytes: Uint8Array<ArrayBuffer>;
  isPacket: boolean;
}

function rowOf(line: string): Row | undefined {
  const colon = line.match(COLON_ROW);
  const [where, digits] = colon === null
    ? line.match(BLANK_ROW)?.slice(1) ?? []
    : colon.slice(2);
  if (digits === undefined) return undefined;
  return {
    where,
    bytes: Uint8Array.fromHex(digits.replaceAll(" ", "")),
    isPacket: colon?.[1] !== undefined,
  };
}

/** The fewest digits that count as bytes where nothing is between them. */
const FEWEST_DIGITS = 8;

/**
 * Says how a text that may be a dump is laid out.
 *
 * @param head How it begins.
 * @param whole Whether that is all of it.
 * @returns The layout; `undefined` if it is no dump, `"unknown"` if more has to come to tell.
 */
export function hexLayout(
  head: string,
  whole: boolean,
): HexLayout | Unread | "unknown" | undefined {
  const [first, second, ...rest] = head.split(/\r?\n/, 3);
  // Whatever has come of it, the answer is to be the same.
  if (!/^[\x20-\x7e\t]*\r?$/.test(first)) return undefined;
  if (first.length >= MAX_LINE) {
    const some = first.slice(0, MAX_LINE);
    return isDigits(some.replace(/[ \t:,]+[^ \t:,]*$/, ""))
      ? "digits"
      : undefined;
  }
  if (!whole && second === undefined) {
    return mayBecome(first.replace(/\r$/, "")) ? "unknown" : undefined;
  }
  const unread = unreadIn(first);
  if (unread !== undefined) return unread;
  const row = rowOf(first);
  if (row !== undefined) return row.isPacket ? "packets" : "rows";
  if (isDigits(first)) return "digits";
  // Tcpdump sums each packet up on a line of its own.
  if (!/^\d\d:\d\d:\d\d\.\d|^\d{4}-\d\d-\d\d /.test(first)) return undefined;
  if (second === undefined || !/^\s/.test(second) && second !== "") {
    return undefined;
  }
  if (!whole && rest.length === 0 && second.length < MAX_LINE) return "unknown";
  return rowOf(second.slice(0, MAX_LINE))?.isPacket ? "packets" : undefined;
}

/** What mail and terminals put in front of a line. */
const QUOTED = /^[ \t>]+/;
/** How a line begins that was typed. */
const TYPED = /^[\s>]*(?:[$#%`]|\S*[$#] )/;

/**
 * Says how a dump is laid out that was pasted with what was around it: quoted, or behind the command that made it.
 *
 * @param head How it begins.
 * @param whole Whether that is all of it.
 * @returns The layout and how many characters are in front; `undefined` if it is no dump, `"unknown"` if more has to come.
 */
export function pastedLayout(
  head: string,
  whole: boolean,
): { layout: HexLayout | Unread; skip: number } | "unknown" | undefined {
  let skip = 0;
  while (true) {
    const rest = head.slice(skip);
    const found = hexLayout(rest, whole) ??
      hexLayout(rest.replaceAll(/^[ \t>]+/gm, ""), whole);
    if (found === "unknown") return found;
    if (found !== undefined) return { layout: found, skip };
    const end = rest.indexOf("\n") + 1;
    const typed = TYPED.test(rest) || rest.slice(0, end).trim() === "";
    if (end === 0 && !whole && typed) return "unknown";
    if (end === 0 || !typed) return undefined;
    skip += end;
  }
}

function isDigits(line: string): boolean {
  const digits = line.trim();
  return /^(?:0x)?[0-9a-f]{2}(?:[ \t:,]{1,2}(?:0x)?[0-9a-f]{2})+,?$/i.test(
    digits,
  ) || /^(?:[0-9a-f]{2})+$/i.test(digits) && digits.length >= FEWEST_DIGITS;
}

/** How much of what is wrong is quoted. */
const SHOWN = 60;
/** How often a row may be repeated: more are no dump that anybody made. */
const MAX_REPEATS = 2 ** 22;
/** How many digits `od` counts in where it was told nothing. */
const OCTAL_DIGITS = 7;
/** How the bytes in front of a row are counted. */
const BASES = [16, 8, 10];

/** Reads a dump, however it is cut. */
export class HexReader {
  #layout: HexLayout;
  #decoder = new TextDecoder("latin1");
  #rest = "";
  #line = 0;
  #base: number | undefined;
  /** The last row, which a `*` repeats. */
  #before: Row | undefined;
  #repeats = false;

  /** Begins to read. */
  constructor(layout: HexLayout) {
    this.#layout = layout;
  }

  /**
   * Takes what came of the text.
   *
   * @param chunk The text.
   * @returns The bytes that it says.
   * @throws {SyntaxError} If it is no such dump.
   */
  *push(chunk: Uint8Array): Iterable<HexBytes> {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    if (this.#layout === "digits") {
      yield* this.#digits(text, false);
      return;
    }
    const lines = text.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) yield* this.#row(line.replace(/\r$/, ""));
    if (this.#rest.length > MAX_LINE) throw this.#fault(this.#rest);
  }

  /** Takes what is left at the end. */
  *end(): Iterable<HexBytes> {
    const rest = this.#rest;
    this.#rest = "";
    if (this.#layout === "digits") yield* this.#digits(rest, true);
    else if (rest !== "") yield* this.#row(rest);
  }

  *#digits(text: string, whole: boolean): Iterable<HexBytes> {
    // A pair that was cut waits for its other half.
    let run = 0;
    while (!whole && /[0-9a-fx]/i.test(text.at(-1 - run) ?? "")) run++;
    const open = text.length - run % 2;
    const pairs = text.slice(0, open);
    this.#rest = text.slice(open);
    const [fine] = pairs.match(/^(?:[\s:,]|0x|[0-9a-f]{2})*/i) ?? [""];
    if (fine.length < pairs.length) {
      const strange = oneLine(pairs.slice(fine.length).slice(0, SHOWN));
      throw new SyntaxError(
        `digits must come in pairs of 0 to 9 and a to f: found "${strange}"`,
      );
    }
    const digits = pairs.replaceAll(/0x|[\s:,]/gi, "");
    if (digits !== "") {
      yield { bytes: Uint8Array.fromHex(digits), begins: false };
    }
  }

  *#row(line: string): Iterable<HexBytes> {
    this.#line++;
    const trimmed = line.trim();
    if (trimmed === "") return;
    if (this.#layout === "rows" && QUOTED.test(line)) {
      this.#line--;
      yield* this.#row(line.replace(QUOTED, ""));
      return;
    }
    if (trimmed === "*" && this.#before !== undefined) {
      this.#repeats = true;
      return;
    }
    const row = line.length > MAX_LINE ? undefined : rowOf(line);
    if (row === undefined) {
      if (this.#layout === "packets" && !/^\s/.test(line)) return;
      if (!END_ROW.test(line)) throw this.#fault(line);
      yield* this.#repeat(trimmed.replace(":", ""));
      return;
    }
    yield* this.#repeat(row.where);
    this.#count(row);
    this.#before = row;
    const begins = row.isPacket && Number.parseInt(row.where, 16) === 0;
    yield { bytes: row.bytes, begins };
  }

  /** Finds out how rows are counted. */
  #count({ where }: Row): void {
    const before = this.#before;
    if (before === undefined || this.#base !== undefined) return;
    this.#base = BASES.find((base) =>
      Number.parseInt(where, base) - Number.parseInt(before.where, base) ===
        before.bytes.length
    );
  }

  /** Says the last row again, up to a place, if that was left out. */
  *#repeat(where: string): Iterable<HexBytes> {
    const before = this.#before;
    if (!this.#repeats || before === undefined) return;
    this.#repeats = false;
    const base = this.#base ?? (where.length === OCTAL_DIGITS ? 8 : 16);
    const { bytes } = before;
    const start = Number.parseInt(before.where, base) + bytes.length;
    const count = (Number.parseInt(where, base) - start) / bytes.length;
    if (!Number.isInteger(count) || count < 0 || count > MAX_REPEATS) {
      throw this.#fault(where);
    }
    for (let i = 0; i < count; i++) {
      yield { bytes: bytes.slice(), begins: false };
    }
  }

  #fault(line: string): SyntaxError {
    return new SyntaxError(
      `line ${this.#line} is no row of a dump: "${
        oneLine(line.slice(0, SHOWN))
      }"`,
    );
  }
}
