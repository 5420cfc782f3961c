/**
 * What syslog's messages say.
 *
 *     <165>1 2026-01-02T03:04:05.678Z host app 42 ID7 [id@1 name="value"] anything
 *     facility * 8 + severity                         structured data     message       RFC 5424
 *
 *     <34>Oct 11 22:14:15 host su: anything                                             RFC 3164
 *         message: time, host and tag are a custom
 *
 * @module
 */

import { ByteSink, takeBytes } from "../bytes/byte_sink.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
import { encodeToWrite } from "../codec/text.ts";
import { checkNumber } from "./refusal.ts";

/** An element of structured data. */
export interface SyslogElement {
  /** What it is about: a registered name, or a name, `@` and a number that IANA gave to whoever invented it. */
  id: string;
  /** Names and values, in order. A name may come more than once. */
  params: [name: string, value: string][];
}

/** A message in the form of RFC 5424. */
export interface SyslogStructuredMessage {
  /** The form of the message. */
  type: "rfc5424";
  /** Who says it, from 0 to 23: 1 is a program of a user, 3 a server, 16 to 23 are for local use. */
  facility: number;
  /** How bad it is: 0 an emergency, 3 an error, 4 a warning, 5 of note, 6 information, 7 for debugging. */
  severity: number;
  /** When it was said, in the form of RFC 3339; absent if that is not known, as are those that follow. */
  timestamp?: string;
  /** The machine. */
  hostname?: string;
  /** The program. */
  appName?: string;
  /** The process. */
  procId?: string;
  /** The kind of message. */
  msgId?: string;
  /** What is said in a form for programs. */
  structuredData: SyslogElement[];
  /** What is said, nearly always in UTF-8. */
  message: Uint8Array;
}

/** A message in any other form, such as that of RFC 3164. */
export interface SyslogPlainMessage {
  /** The form of the message. */
  type: "rfc3164";
  /** Who says it, from 0 to 23: 1 is a program of a user, 3 a server, 16 to 23 are for local use. */
  facility: number;
  /** How bad it is: 0 an emergency, 3 an error, 4 a warning, 5 of note, 6 information, 7 for debugging. */
  severity: number;
  /** All that stands behind the priority: by custom a time, a host, a tag, a colon, and what is said. */
  message: Uint8Array;
}

/** A message, as it is read. */
export type SyslogMessage = SyslogStructuredMessage | SyslogPlainMessage;

/** A message in the form of RFC 5424 as it is written: of a user's program and of note, unless it says else. */
export interface SyslogStructuredMessageInit
  extends Partial<Omit<SyslogStructuredMessage, "message">> {
  /** What is said. */
  message: Uint8Array | string;
}

/** A message in another form as it is written: of a user's program and of note, unless it says else. */
export interface SyslogPlainMessageInit
  extends
    Partial<Omit<SyslogPlainMessage, "type" | "message">>,
    Pick<SyslogPlainMessage, "type"> {
  /** All that stands behind the priority. */
  message: Uint8Array | string;
}

/** A message, as it is written: in the form of RFC 5424 unless its `type` says else. */
export type SyslogMessageInit =
  | SyslogStructuredMessageInit
  | SyslogPlainMessageInit;

const PRIORITY = /^<(0|[1-9][0-9]{0,2})>/;
const HIGHEST_PRIORITY = 191;
const TIMESTAMP =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$/;
/** How long the fields of the header may be. */
const HEADER = [
  ["timestamp", 32],
  ["hostname", 255],
  ["appName", 48],
  ["procId", 128],
  ["msgId", 32],
] as const;
/** No header is longer, its spaces and the priority included. */
const LONGEST_HEADER = 512;
const LONGEST_NAME = 32;
const NIL = "-";
const [SPACE, QUOTE, DASH, EQUALS] = [0x20, 0x22, 0x2d, 0x3d];
const [OPEN, BACKSLASH, CLOSE] = [0x5b, 0x5c, 0x5d];

/**
 * Reads a message.
 *
 * @param bytes All of it.
 * @returns What it says.
 */
export function readMessage(bytes: Uint8Array): SyslogMessage {
  const start = String.fromCharCode(...bytes.subarray(0, LONGEST_HEADER));
  const [whole, digits] = PRIORITY.exec(start) ?? [];
  if (whole === undefined || Number(digits) > HIGHEST_PRIORITY) {
    throw new RangeError(
      `a message must begin with its priority, from <0> to <${HIGHEST_PRIORITY}>`,
    );
  }
  const priority = Number(digits);
  const base = { facility: priority >> 3, severity: priority & 7 };
  return readStructured(bytes, start, whole.length, base) ??
    { type: "rfc3164", ...base, message: bytes.subarray(whole.length) };
}

/** Reads what keeps to RFC 5424; `undefined` if anything does not. */
function readStructured(
  bytes: Uint8Array,
  start: string,
  index: number,
  base: { facility: number; severity: number },
): SyslogStructuredMessage | undefined {
  const [version, ...values] = start.slice(index).split(" ", HEADER.length + 1);
  if (version !== "1" || values.length < HEADER.length) return undefined;
  const header: Partial<Record<typeof HEADER[number][0], string>> = {};
  for (const [i, [name, most]] of HEADER.entries()) {
    const value = values[i];
    if (value === NIL) continue;
    if (!isField(name, value, most)) return undefined;
    header[name] = value;
  }
  const length = [version, ...values].join(" ").length;
  if (bytes[index + length] !== SPACE) return undefined;
  const data = new DataReader(bytes, index + length + 1);
  const structuredData = data.read();
  const { end } = data;
  if (structuredData === undefined) return undefined;
  if (end < bytes.length && bytes[end] !== SPACE) return undefined;
  const message = bytes.subarray(end + 1);
  return { type: "rfc5424", ...base, ...header, structuredData, message };
}

/** Whether a field of the header can have a value. */
function isField(name: string, value: string, most: number): boolean {
  if (name === "timestamp") return TIMESTAMP.test(value);
  return value.length <= most && /^[!-~]+$/.test(value);
}

/** Whether a byte can be part of the name of an element or of a parameter. */
function isOfName(byte: number): boolean {
  return byte > SPACE && byte < 0x7f && byte !== EQUALS && byte !== QUOTE &&
    byte !== CLOSE;
}

/** Reads structured data: elements side by side, or a dash. */
class DataReader {
  #bytes: Uint8Array;
  /** What comes next. */
  end: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.end = start;
  }

  /** The elements; `undefined` if something is wrong. */
  read(): SyslogElement[] | undefined {
    if (this.#skip(DASH)) return [];
    const elements: SyslogElement[] = [];
    while (this.#skip(OPEN)) {
      const element = this.#element();
      if (element === undefined) return undefined;
      elements.push(element);
    }
    return elements.length > 0 ? elements : undefined;
  }

  #element(): SyslogElement | undefined {
    const id = this.#name();
    const params: SyslogElement["params"] = [];
    while (this.#skip(SPACE)) {
      const name = this.#name();
      const assigned = this.#skip(EQUALS) && this.#skip(QUOTE);
      const value = assigned ? this.#value() : undefined;
      if (name === undefined || value === undefined) return undefined;
      params.push([name, value]);
    }
    return this.#skip(CLOSE) && id !== undefined ? { id, params } : undefined;
  }

  /** Steps over a byte, if it comes next. */
  #skip(byte: number): boolean {
    if (this.#bytes[this.end] !== byte) return false;
    this.end++;
    return true;
  }

  #name(): string | undefined {
    const start = this.end;
    while (
      this.end < this.#bytes.length && isOfName(this.#bytes[this.end])
    ) this.end++;
    const length = this.end - start;
    if (length === 0 || length > LONGEST_NAME) return undefined;
    return String.fromCharCode(...this.#bytes.subarray(start, this.end));
  }

  /** A value, up to and with the quote that ends it. */
  #value(): string | undefined {
    const bytes = this.#bytes;
    const value: number[] = [];
    for (; this.end < bytes.length; this.end++) {
      const byte = bytes[this.end];
      if (byte === CLOSE) return undefined;
      if (byte === QUOTE) {
        this.end++;
        return textOf(value);
      }
      const next = bytes[this.end + 1];
      const escapes = byte === BACKSLASH &&
        (next === QUOTE || next === BACKSLASH || next === CLOSE);
      if (escapes) this.end++;
      value.push(escapes ? next : byte);
    }
    return undefined;
  }
}

function textOf(bytes: readonly number[]): string | undefined {
  try {
    return decodeUtf8(new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}

/**
 * Lays a message out.
 *
 * @param message What it says.
 * @returns All of it.
 */
export function writeMessage(message: SyslogMessageInit): Uint8Array {
  const out = new ByteSink();
  const { facility = 1, severity = 5, type = "rfc5424" } = message;
  const priority = checkNumber("facility", facility, 23) * 8 +
    checkNumber("severity", severity, 7);
  out.text(`<${priority}>`);
  const content = typeof message.message === "string"
    ? encodeToWrite(message.message)
    : message.message;
  if (message.type === "rfc3164") {
    out.write(content);
    return takeBytes(out);
  }
  if (type !== "rfc5424") {
    throw new RangeError(
      `type must be "rfc5424" or "rfc3164": it is ${JSON.stringify(type)}`,
    );
  }
  out.text("1 ");
  for (const [name, most] of HEADER) {
    const value = message[name] ?? NIL;
    const valid = value === NIL || isField(name, value, most);
    if (!valid) {
      throw new RangeError(`${name} cannot be ${JSON.stringify(value)}`);
    }
    out.text(`${value} `);
  }
  const { structuredData = [] } = message;
  if (structuredData.length === 0) out.text(NIL);
  for (const { id, params } of structuredData) {
    out.text(`[${checkName(id)}`);
    for (const [name, value] of params) {
      out.text(` ${checkName(name)}="`);
      out.write(encodeToWrite(value.replaceAll(/["\\\]]/g, "\\$&")));
      out.text('"');
    }
    out.text("]");
  }
  if (content.length > 0) out.byte(SPACE);
  out.write(content);
  return takeBytes(out);
}

function checkName(name: string): string {
  const codes = Array.from(name, (char) => char.charCodeAt(0));
  const { length } = codes;
  if (length > 0 && length <= LONGEST_NAME && codes.every(isOfName)) {
    return name;
  }
  throw new RangeError(
    `a name in structured data cannot be ${JSON.stringify(name)}`,
  );
}
