/**
 * The errors that codecs throw, worded in one place.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import { bytesLiteral } from "../bytes/print_bytes.ts";
import { FrameTooLargeError, MalformedFrameError } from "../errors.ts";

/** How other protocols begin, by their first bytes as Latin-1: a length prefix shows four or fewer. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^(GET|PUT|PRI)( |$)/, "HTTP"],
  [/^(POST|HEAD|DELE|OPTI|PATC|CONN|TRAC|HTTP)/, "HTTP"],
  // deno-lint-ignore no-control-regex -- a TLS record begins with its type, 22, and version, 3
  [/^\x16\x03/, "TLS"],
  [/^SSH-/, "SSH"],
  [/^PROXY?/, "a PROXY protocol header"],
  [/^\r\n\r\n/, "a PROXY protocol header"],
];

/**
 * Says which other protocol the bytes look like, as a clause for the end of a message; or that they are text,
 * if that is not what was expected.
 */
function resemblance(seen: Uint8Array, binary: boolean): string {
  const text = String.fromCharCode(...seen);
  const known = BEGINNINGS.find(([beginning]) => beginning.test(text));
  if (known !== undefined) {
    return `: the bytes ${bytesLiteral(seen)} look like ${known[1]}`;
  }
  return binary && seen.length >= 3 && /^[\x20-\x7e\t\r\n]+$/.test(text)
    ? `: the bytes ${bytesLiteral(seen)} are text`
    : "";
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
  const { binary = false } = fault;
  const preview = received.preview(fault.seen);
  const hint = binary && !fault.skipped
    ? resemblance(preview.subarray(0, 8), true)
    : "";
  return new FrameTooLargeError(
    `Cannot read frame: ${what} ${length} exceeds ${option} of ${limit} bytes${hint}`,
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
    `Cannot read frame: ${what}${resemblance(preview.subarray(0, 8), false)}`,
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
