/**
 * What codecs give and take, as text and as JSON.
 *
 *     Uint8Array of "hi"       hi          {"text":"hi"}
 *     Uint8Array of fb ff      \xfb\xff    {"base64":"+/8="}
 *     {type: "bulk", …}        {…}         {"value":{"type":"bulk",…}}    bytes inside as above
 *
 * The JSON can be read back: what one `framewire` prints by `--json`, another one sends.
 *
 * @module
 */

import { Message } from "../../mod.ts";
import { oneLine } from "../python_literal.ts";

/** A JSON value that is laid out. */
export type Json =
  | null
  | boolean
  | number
  | string
  | Json[]
  | { [name: string]: Json };

/** What is to be sent, before a codec's own rules are applied to it. */
export type Input =
  | { kind: "text"; text: string }
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "json"; json: string };

/** A frame that is JSON all through: a text in it is a JSON string, and bytes are none. */
export class JsonFrame {
  /** What the JSON says. */
  readonly value: unknown;

  /** Makes one of what JSON was read as. */
  constructor(value: unknown) {
    this.value = value;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text, if they are UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes as JSON: as `text` when they are UTF-8, else as `base64`. */
export function bytesJson(bytes: Uint8Array): { [name: string]: Json } {
  const text = textOf(bytes);
  return text === undefined ? { base64: bytes.toBase64() } : { text };
}

/** How many levels deep a value is written: a peer may nest so deeply that the stack would not do. */
const MAX_DEPTH = 1000;

/** Stands for what is nested more deeply. */
function tooDeep(): Json {
  return `… more than ${MAX_DEPTH} levels deep`;
}

/** Any value as JSON; `ofBytes` says how bytes are written, wherever they are, and `deeper` what is too deep. */
function jsonOf(
  value: unknown,
  ofBytes: (bytes: Uint8Array) => Json,
  deeper: () => Json = tooDeep,
  depth = 0,
): Json {
  if (value instanceof Uint8Array) return ofBytes(value);
  if (depth > MAX_DEPTH) return deeper();
  const inner = (one: unknown) => jsonOf(one, ofBytes, deeper, depth + 1);
  if (value instanceof JsonFrame) return inner(value.value);
  if (value instanceof Message) {
    return {
      header: inner(value.header),
      content: contentOf(value, ofBytes, inner),
    };
  }
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Map) return [...value].map(inner);
  switch (typeof value) {
    case "object":
      if (value === null) return null;
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, one]) => one !== undefined)
          .map(([name, one]) => [name, inner(one)]),
      );
    case "boolean":
    case "string":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    default:
      return String(value); // `bigint`: more digits than a number of JSON is read with
  }
}

/** Whether a content type says that the content is JSON. */
export function isJson(contentType: string): boolean {
  return /\bjson\b/.test(contentType);
}

function contentOf(
  message: Message,
  ofBytes: (bytes: Uint8Array) => Json,
  ofValue: (value: unknown) => Json,
): Json {
  if (!isJson(message.header.contentType)) return ofBytes(message.content);
  let value: unknown;
  try {
    value = message.json();
  } catch {
    return ofBytes(message.content); // it says that it is JSON, and is not
  }
  return ofValue(value);
}

/** Whether a value is printed as text or base64, and not as a `value`. */
function isPlain(value: unknown): value is Uint8Array | string {
  return typeof value === "string" || value instanceof Uint8Array;
}

/** What a frame is under `--json`: `text`, `base64` or `value`. */
export function frameJson(frame: unknown): { [name: string]: Json } {
  if (typeof frame === "string") return { text: frame };
  if (frame instanceof Uint8Array) return bytesJson(frame);
  return { value: jsonOf(frame, bytesJson) };
}

/** Writes JSON on one line, with nothing in it that steers a terminal: JSON leaves DEL and what is behind it as it is. */
export function jsonLine(value: Json): string {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Bytes as text for people: what is not UTF-8 is escaped, and so is what would steer the terminal. */
export function bytesText(bytes: Uint8Array): string {
  const text = textOf(bytes);
  if (text !== undefined) return oneLine(text);
  return Array.from(
    bytes,
    (byte) =>
      byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`,
  ).join("");
}

/** A frame for people, on one line. */
export function frameText(frame: unknown): string {
  if (frame instanceof Uint8Array) return bytesText(frame);
  if (typeof frame === "string") return oneLine(frame);
  return oneLine(JSON.stringify(jsonOf(frame, bytesText)));
}

/** What a frame has under a name; `undefined` if it has nothing there, or no names. */
export function fieldOf(frame: unknown, name: string): unknown {
  if (typeof frame !== "object" || frame === null) return undefined;
  return Object.entries(frame).find(([key]) => key === name)?.[1];
}

/** Of which kind a frame is, where its protocol has kinds. */
export function typeOf(frame: unknown): unknown {
  return fieldOf(frame, "type");
}

/** The bytes that a frame is made of, if it is bytes or a text. */
export function frameBytes(frame: unknown): Uint8Array | undefined {
  if (!isPlain(frame)) return undefined;
  return typeof frame === "string" ? new TextEncoder().encode(frame) : frame;
}

/** Gives bytes back that were written as `{"text": …}` or `{"base64": …}`. */
function revive(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length !== 1) return value;
  const [[kind, written]] = entries;
  if (typeof written !== "string") return value;
  if (kind === "text") return new TextEncoder().encode(written);
  if (kind === "base64") return Uint8Array.fromBase64(written);
  return value;
}

/**
 * Reads JSON as a codec's frame. Whether it is one, the codec says.
 *
 * @typeParam W The frames.
 * @param json The JSON, with bytes in it as `--json` prints them.
 * @param also What else is to be made of a value in it.
 * @returns What it says.
 * @throws {SyntaxError} If it is no JSON, or a `base64` in it is none.
 */
export function frameOfJson<W>(
  json: string,
  also: (value: unknown) => unknown = (value) => value,
): W {
  // Nobody has looked at its type: codecs refuse at run time what they cannot lay out.
  return JSON.parse(json, (name, value) => also(revive(name, value)));
}

/**
 * Reads a line of what `--json` prints: an object with `text`, `base64` or `value`, whatever else there is in it. Any
 * other object is the frame itself, and any other line is text.
 *
 * @param line The line.
 * @returns What to send.
 * @throws {SyntaxError} If it begins as an object and is none, or if `base64` is none.
 */
export function inputOfJson(line: string): Input {
  if (!/^\s*\{/.test(line)) return { kind: "text", text: line };
  const parsed: unknown = JSON.parse(line);
  // Some frames have a `value` themselves; those have a `type` beside it.
  if (typeof parsed === "object" && parsed !== null && !("type" in parsed)) {
    if ("text" in parsed && typeof parsed.text === "string") {
      return { kind: "text", text: parsed.text };
    }
    if ("base64" in parsed && typeof parsed.base64 === "string") {
      return { kind: "bytes", bytes: Uint8Array.fromBase64(parsed.base64) };
    }
    if ("value" in parsed) {
      return { kind: "json", json: JSON.stringify(parsed.value) };
    }
  }
  return { kind: "json", json: line };
}

/**
 * Makes what was received something to send.
 *
 * @throws {RangeError} If it is nested too deeply.
 */
export function inputOfFrame(frame: unknown): Input {
  if (typeof frame === "string") return { kind: "text", text: frame };
  if (frame instanceof Uint8Array) return { kind: "bytes", bytes: frame };
  const json = jsonOf(frame, bytesJson, () => {
    throw new RangeError(
      `Cannot write frame: it is nested more than ${MAX_DEPTH} levels deep`,
    );
  });
  return { kind: "json", json: JSON.stringify(json) };
}

/** Bytes written as hexadecimal digits, with blanks or colons between them, or not. */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/[\s:]|0x/g, "");
  if (/^(?:[0-9a-f]{2})*$/i.test(digits)) return Uint8Array.fromHex(digits);
  throw new SyntaxError(
    `Cannot read hexadecimal digits: they must come in pairs of 0 to 9 and a to f: they are "${
      oneLine(text.slice(0, 60))
    }"`,
  );
}
