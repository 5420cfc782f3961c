/**
 * The header of a message: what its content is, as a JSON object on the wire.
 *
 *     {"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 41}
 *
 * @module
 */

import type { ByteOrder } from "../bytes/byte_order.ts";
import type { ByteSink } from "../bytes/byte_sink.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
import { inOneLine } from "../codec/faults.ts";
import { encodeUtf8 } from "../codec/text.ts";
import { MessageHeaderError } from "../errors.ts";

/** A value that JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** What the header of a {@linkcode Message} says. */
export interface MessageHeader {
  /** The byte order of the machine that made the message, `byteorder` on the wire. */
  readonly byteorder: ByteOrder;
  /** What the content is, for example `text/json`; `content-type` on the wire. */
  readonly contentType: string;
  /** How the content is encoded: `binary`, or the label of a text encoding; `content-encoding` on the wire. */
  readonly contentEncoding: string;
  /** How many bytes the content has, `content-length` on the wire. */
  readonly contentLength: number;
  /** Any further fields, by their names on the wire. */
  readonly extra: Readonly<Record<string, JsonValue>>;
}

/** Where the message lies of which a header is read. */
export interface HeaderPlace {
  /** Where in the stream the message begins, in bytes. */
  offset: number;
  /** The first bytes of the message. */
  preview: Uint8Array;
}

const NAMES = new Set([
  "byteorder",
  "content-type",
  "content-encoding",
  "content-length",
]);

/** What headers without further fields have for them. */
export const NO_EXTRA: Readonly<Record<string, JsonValue>> = Object.freeze({});
/** The `content-encoding` of text that is made here. */
export const UTF_8 = "utf-8";
/** How many bytes say how long a header is. */
export const HEADER_PREFIX = 2;

/** What stands in front of a content type, between it and a content encoding, and behind that. */
const BEGINNINGS = {
  big: encodeUtf8('{"byteorder": "big", "content-type": "'),
  little: encodeUtf8('{"byteorder": "little", "content-type": "'),
};
const ENCODING = encodeUtf8('", "content-encoding": "');
const LENGTH = encodeUtf8('", "content-length": ');
/** The last two with the encoding that nearly all text has. */
const UTF_8_LENGTH = encodeUtf8(
  `", "content-encoding": "${UTF_8}", "content-length": `,
);
/** More than all of that takes. */
const LITERALS = 128;

/** Lays a value out as Python's `json.dumps` does: a space behind each comma and each colon. */
export function layOutJson(value: unknown): string {
  const text: string | undefined = JSON.stringify(value, null, 1);
  if (text === undefined) {
    throw new TypeError(
      `Cannot make message: JSON cannot hold a value of type ${typeof value}`,
    );
  }
  // No line break can be inside a string, where it would be escaped.
  return text.replace(/(,?)\n */g, (_, comma) => comma && ", ");
}

/** Lays out what stands between two quotation marks. */
function layOutString(text: string, out: ByteSink): void {
  let plain = 0;
  while (plain < text.length && isPlain(text.charCodeAt(plain))) plain++;
  out.text(plain === text.length ? text : JSON.stringify(text).slice(1, -1));
}

/** Whether a character stands for itself in JSON, in one byte. */
function isPlain(unit: number): boolean {
  return unit >= 0x20 && unit < 0x7f && unit !== 0x22 && unit !== 0x5c;
}

/**
 * Lays a header out as the wire has it, with the two bytes that say how long it is.
 *
 * @param header What it says.
 * @param limit How long it may be, in bytes.
 * @param out Where to.
 * @throws {RangeError} If it is too long, or has a field twice; nothing is laid out.
 */
export function layOutHeader(
  header: MessageHeader,
  limit: number,
  out: ByteSink,
): void {
  let rest = `${header.contentLength}`;
  for (const name in header.extra) {
    if (NAMES.has(name)) {
      throw new RangeError(
        `Cannot write message: "${name}" must not be among the extra fields`,
      );
    }
    rest += `, ${JSON.stringify(name)}: ${layOutJson(header.extra[name])}`;
  }
  rest += "}";
  const { byteorder, contentType, contentEncoding } = header;
  // An escape is six bytes long.
  out.reserve(
    LITERALS + 6 * (contentType.length + contentEncoding.length) +
      3 * rest.length,
  );
  const { position } = out;
  out.uint(0, HEADER_PREFIX);
  out.write(BEGINNINGS[byteorder]);
  layOutString(contentType, out);
  if (contentEncoding === UTF_8) out.write(UTF_8_LENGTH);
  else {
    out.write(ENCODING);
    layOutString(contentEncoding, out);
    out.write(LENGTH);
  }
  out.text(rest);
  const length = out.position - position - HEADER_PREFIX;
  if (length > limit) {
    out.truncate(position);
    throw new RangeError(
      `Cannot write message: header length ${length} exceeds maxHeaderLength of ${limit} bytes`,
    );
  }
  out.setUint(position, length, HEADER_PREFIX);
}

/**
 * Reads a header, strictly: it must be a JSON object in UTF-8 with the four fields, each of its type.
 *
 * @param bytes The header without the length before it.
 * @param place Gives where the message lies, for the error.
 * @returns What it says.
 * @throws {MessageHeaderError} If it is anything else.
 */
export function parseHeader(
  bytes: Uint8Array,
  place: () => HeaderPlace,
): MessageHeader {
  let fields: unknown;
  try {
    fields = JSON.parse(decodeUtf8(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fault(place, `header is not JSON: ${reason}`, undefined, cause);
  }
  if (!isRecord(fields)) {
    throw fault(place, `header must be a JSON object: it is ${show(fields)}`);
  }
  // Each name written out: looking up a name that varies costs as much as all the rest.
  const { byteorder } = fields;
  if (byteorder !== "big" && byteorder !== "little") {
    throw fieldFault(place, "byteorder", byteorder, 'be "big" or "little"');
  }
  const contentType = fields["content-type"];
  if (typeof contentType !== "string") {
    throw fieldFault(place, "content-type", contentType, A_STRING);
  }
  const contentEncoding = fields["content-encoding"];
  if (typeof contentEncoding !== "string") {
    throw fieldFault(place, "content-encoding", contentEncoding, A_STRING);
  }
  const contentLength = fields["content-length"];
  if (
    typeof contentLength !== "number" || contentLength < 0 ||
    !Number.isSafeInteger(contentLength)
  ) {
    throw fieldFault(place, "content-length", contentLength, A_LENGTH);
  }
  const extra = extraFields(fields);
  return { byteorder, contentType, contentEncoding, contentLength, extra };
}

type Fields = Record<string, JsonValue>;

const A_STRING = "be a string";
const A_LENGTH = "be a whole number of bytes, not negative";

function fault(
  place: () => HeaderPlace,
  what: string,
  field?: string,
  cause?: unknown,
): MessageHeaderError {
  const message = `Cannot read message: ${inOneLine(what)}`;
  return new MessageHeaderError(message, { ...place(), field, cause });
}

/** What to throw for a field that is missing, or is not what it must be. */
function fieldFault(
  place: () => HeaderPlace,
  name: string,
  value: JsonValue | undefined,
  must: string,
): MessageHeaderError {
  if (value === undefined) return fault(place, `header lacks "${name}"`, name);
  const what = name === "byteorder" && typeof value !== "string"
    ? A_STRING
    : must;
  return fault(place, `"${name}" must ${what}: it is ${show(value)}`, name);
}

/** The fields beside the four that every header has. */
function extraFields(fields: Fields): Fields {
  let count = 0;
  for (const _ in fields) count++;
  if (count === NAMES.size) return NO_EXTRA;
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.filter(([name]) => !NAMES.has(name)));
}

/** Whether a value that JSON made is an object. */
function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as an error shows it, not longer than a line. */
function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
