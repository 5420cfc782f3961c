/**
 * Frames as they are printed, and what somebody typed as what is sent: text, `--hex` or `--json`.
 *
 * @module
 */

import { ProgramError, type Switch, type Terminal } from "../program.ts";
import { USAGE } from "./command.ts";
import { type Input, jsonLine } from "./values.ts";
import {
  bytesOfHex,
  frameBytes,
  frameJson,
  frameText,
  inputOfJson,
  type Json,
} from "./values.ts";

/** How frames are written. */
export type Form = "text" | "hex" | "json";

/** One JSON object a line. */
export const JSON_LINES: Switch = {
  name: "json",
  about: "JSON objects, one a line, in place of text",
};

/** Bytes as digits. */
export const HEX: Switch = {
  name: "hex",
  about: "hexadecimal digits in place of text",
};

/**
 * What the switches say.
 *
 * @throws {ProgramError} If they say two things.
 */
export function formOf({ has }: Terminal): Form {
  if (has(JSON_LINES) && has(HEX)) {
    throw new ProgramError("--hex and --json exclude each other", USAGE);
  }
  return has(JSON_LINES) ? "json" : has(HEX) ? "hex" : "text";
}

/**
 * Writes a frame on a line.
 *
 * @param frame The frame.
 * @param form How.
 * @param about What else JSON is to say of it.
 * @returns The line, without a line feed. Values have no bytes of their own: under `hex` they are JSON.
 */
export function frameLine(
  frame: unknown,
  form: Form,
  about: { [name: string]: Json } = {},
): string {
  if (form === "json") return jsonLine({ ...about, ...frameJson(frame) });
  const bytes = form === "hex" ? frameBytes(frame) : undefined;
  return bytes === undefined ? frameText(frame) : bytes.toHex();
}

/**
 * Reads what somebody typed.
 *
 * @param line A line, without its line feed; bytes if it is no text.
 * @param form How it is written.
 * @returns What to send.
 * @throws {SyntaxError} If it is not written so.
 */
export function inputOf(line: string | Uint8Array, form: Form): Input {
  if (form === "text") {
    return typeof line === "string"
      ? { kind: "text", text: line }
      : { kind: "bytes", bytes: line };
  }
  if (typeof line !== "string") {
    throw new SyntaxError(`Cannot read ${NAMES[form]}: it is not UTF-8`);
  }
  return form === "json"
    ? inputOfJson(line)
    : { kind: "bytes", bytes: bytesOfHex(line) };
}

const NAMES = { hex: "hexadecimal digits", json: "JSON" };
