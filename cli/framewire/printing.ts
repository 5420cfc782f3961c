/**
 * Frames as they are printed, and what somebody typed as what is sent: text, `--hex` or `--json`.
 *
 * @module
 */

import type { Switch, Terminal } from "../program.ts";
import type { Input } from "./values.ts";
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
  about: "print a JSON object a line, and take objects that are typed",
};

/** Bytes as digits. */
export const HEX: Switch = {
  name: "hex",
  about: "frames in hexadecimal digits, in and out",
};

/** What the switches say. */
export function formOf({ has }: Terminal): Form {
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
  if (form === "json") return JSON.stringify({ ...about, ...frameJson(frame) });
  const bytes = form === "hex" ? frameBytes(frame) : undefined;
  return bytes === undefined ? frameText(frame) : bytes.toHex();
}

/**
 * Reads what somebody typed.
 *
 * @param line A line, without its line feed.
 * @param form How it is written.
 * @returns What to send.
 * @throws {SyntaxError} If it is not written so.
 */
export function inputOf(line: string, form: Form): Input {
  switch (form) {
    case "text":
      return { kind: "text", text: line };
    case "hex":
      return { kind: "bytes", bytes: bytesOfHex(line) };
    case "json":
      return inputOfJson(line);
  }
}
