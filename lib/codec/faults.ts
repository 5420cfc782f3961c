/**
 * The errors that codecs throw, worded in one place.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import { bytesLiteral } from "../bytes/print_bytes.ts";
import { FrameTooLargeError, MalformedFrameError } from "../errors.ts";

/** How other protocols begin, as Latin-1: as little of it as tells them from others. */
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ..."GET |PUT |PRI |POST|HEAD|DELE|OPTI|PATC|CONN|TRAC|HTTP".split("|").map(
    (word) => [word, "HTTP"] as const,
  ),
  ["\x16\x03", "TLS"], // a record's type, 22, and version, 3
  ["SSH-", "SSH"],
  ["PROX", "a PROXY protocol header"],
  ["\r\n\r\n\0", "a PROXY protocol header"],
];

/** How many letters of a word are enough where there are no more. */
const FEW_LETTERS = 3;

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/**
 * Says which other protocol the bytes look like, as a clause for the end of a message; or that they are text,
 * if that is not what was expected.
 *
 * @param bytes The first bytes of a frame.
 * @param binary Whether text is not what was expected.
 * @returns The clause; empty if there is nothing to say.
 */
export function resemblance(bytes: Uint8Array, binary: boolean): string {
  const shown = bytes.subarray(0, 8);
  const text = latin1(shown);
  const known = BEGINNINGS.find(([beginning]) =>
    text.startsWith(beginning) ||
    text.length === FEW_LETTERS && /^[A-Z]/.test(text) &&
      beginning.startsWith(text)
  );
  if (known !== undefined) {
    return `: the bytes ${bytesLiteral(shown)} look like ${known[1]}`;
  }
  return binary && text.length >= FEW_LETTERS &&
      /^[\x20-\x7e\t\r\n]+$/.test(text)
    ? `: the bytes ${bytesLiteral(shown)} are text`
    : "";
}

/**
 * How many bytes of a faulty frame to look at, so that an error can say which other protocol it is: those that
 * showed the fault, and more as long as they may be the beginning of another protocol. That is the same
 * however the bytes arrive.
 *
 * @param received The bytes.
 * @param seen How many showed the fault.
 * @returns The number; `undefined` if one more has to come, for which the queue has been asked.
 */
export function countTelling(
  received: ByteQueue,
  seen: number,
): number | undefined {
  for (let count = seen;; count++) {
    const text = latin1(received.preview(count));
    const open = BEGINNINGS.some(([beginning]) =>
      beginning.length > text.length && beginning.startsWith(text)
    );
    if (!open) return count;
    if (received.length === count) {
      received.need(count + 1);
      return undefined;
    }
  }
}

/** A text from elsewhere as a part of a message, which is one line: characters that are none are escaped. */
export function inOneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What was thrown as a part of a message, whatever it is: not all values can be made a string. */
export function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return `a value of type ${typeof thrown}`;
  }
}

/** What there is to say of a frame that is too large. */
export interface TooLarge {
  /** The length that was announced or reached. */
  length: number;
  /** The length that is allowed. */
  limit: number;
  /** The option that changes it. */
  option?: string;
  /** What is too long; "length" if nothing else is said. */
  what?: string;
  /** What is counted; "bytes" if nothing else is said. */
  unit?: string;
  /** How many bytes were looked at to judge it: the same however the bytes arrive. */
  seen: number;
  /** Whether the length is a binary number, which may be another protocol's text. */
  binary?: boolean;
  /** Whether the codec leaves the frame out and goes on. */
  skipped?: boolean;
}

/** Where a faulty frame begins, and its first bytes. */
type Place = Pick<ByteQueue, "offset" | "preview">;

/** A frame that is longer than it may be. */
export function tooLarge(
  received: Place,
  fault: TooLarge,
): FrameTooLargeError {
  const { length, limit, option = "maxFrameLength", what = "length" } = fault;
  const { unit = "bytes", binary = false } = fault;
  const preview = received.preview(fault.seen);
  // Where text is expected, a long one that begins like another protocol is one at the start of a stream only.
  const hint = !fault.skipped && (binary || received.offset === 0)
    ? resemblance(preview, binary)
    : "";
  return new FrameTooLargeError(
    `Cannot read frame: ${what} ${length} exceeds ${option} of ${limit} ${unit}${hint}`,
    {
      length,
      limit,
      offset: received.offset,
      preview,
      recoverable: fault.skipped ?? false,
    },
  );
}

/** Bytes that no frame begins with; `seen` is how many were looked at to judge that. */
export function malformed(
  received: Place,
  what: string,
  seen: number,
): MalformedFrameError {
  const preview = received.preview(seen);
  return new MalformedFrameError(
    `Cannot read frame: ${what}${resemblance(preview, false)}`,
    { offset: received.offset, preview },
  );
}

/** A payload that is longer than may be laid out. */
export function tooLargeToWrite(
  length: number,
  limit: number,
  option = "maxFrameLength",
): RangeError {
  return new RangeError(
    `Cannot write frame: length ${length} exceeds ${option} of ${limit} bytes`,
  );
}
