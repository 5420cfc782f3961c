/**
 * The header of a message: what its content is, as a JSON object on the wire.
 *
 *     {"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 41}
 *
 * @module
 */

import type { ByteOrder } from "../bytes/byte_order.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
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

const NO_EXTRA = Object.freeze({});

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

/** Lays a header out as the wire has it. */
export function layOutHeader(header: MessageHeader): string {
  const type = JSON.stringify(header.contentType);
  const encoding = JSON.stringify(header.contentEncoding);
  let text = `{"byteorder": "${header.byteorder}", "content-type": ${type}, ` +
    `"content-encoding": ${encoding}, "content-length": ${header.contentLength}`;
  for (const name in header.extra) {
    if (NAMES.has(name)) {
      throw new RangeError(
        `Cannot write message: "${name}" must not be among the extra fields`,
      );
    }
    text += `, ${JSON.stringify(name)}: ${layOutJson(header.extra[name])}`;
  }
  return text + "}";
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
  function fault(what: string, field?: string, cause?: unknown): Error {
    const message = `Cannot read message: ${what}`;
    return new MessageHeaderError(message, { ...place(), field, cause });
  }
  let fields: unknown;
  try {
    fields = JSON.parse(decodeUtf8(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fault(`header is not JSON: ${reason}`, undefined, cause);
  }
  if (!isRecord(fields)) {
    throw fault(`header must be a JSON object: it is ${show(fields)}`);
  }
  const record = fields;

  function field(name: string): unknown {
    const value = record[name];
    if (value === undefined) throw fault(`header lacks "${name}"`, name);
    return value;
  }
  function textField(name: string): string {
    const value = field(name);
    if (typeof value === "string") return value;
    throw fault(`"${name}" must be a string: it is ${show(value)}`, name);
  }

  const byteorder = textField("byteorder");
  if (byteorder !== "big" && byteorder !== "little") {
    const found = show(byteorder);
    throw fault(
      `"byteorder" must be "big" or "little": it is ${found}`,
      "byteorder",
    );
  }
  const contentType = textField("content-type");
  const contentEncoding = textField("content-encoding");
  const contentLength = field("content-length");
  if (
    typeof contentLength !== "number" || contentLength < 0 ||
    !Number.isSafeInteger(contentLength)
  ) {
    const found = show(contentLength);
    throw fault(
      `"content-length" must be a whole number of bytes, not negative: it is ${found}`,
      "content-length",
    );
  }
  const entries = Object.entries(record);
  const extra = entries.length === NAMES.size
    ? NO_EXTRA
    : Object.fromEntries(entries.filter(([name]) => !NAMES.has(name)));
  return { byteorder, contentType, contentEncoding, contentLength, extra };
}

/** Whether a value that JSON made is an object. */
function isRecord(value: unknown): value is Record<string, JsonValue> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as an error shows it, not longer than a line. */
function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
