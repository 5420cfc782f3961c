/**
 * What was seen of a connection, as `tap` and `decode` print it: a line for each frame, and its bytes below.
 *
 *     client  @0  9 B in 4 + 5  hello
 *     00000000  00 00 00 05 68 65 6c 6c  6f                       |....hello|
 *     ──┬───  ─┬─ ───────┬────  ──┬──
 *      who  where   its size    what it says
 *
 * @module
 */

import { TruncatedFrameError } from "../../mod.ts";
import { oneLine } from "../python_literal.ts";
import type { FrameSeen, Seen } from "./conversation.ts";
import { hexdump } from "./hexdump.ts";
import type { Paint } from "./output.ts";
import { frameJson, frameText, type Json, jsonLine } from "./values.ts";

/** How much is printed. */
export interface ReportStyle {
  /** Colours. */
  paint: Paint;
  /** Whether each frame's bytes are dumped below it; those of what is no frame always are. */
  hex: boolean;
  /** The most bytes of one dump. */
  maxDump: number;
  /** Whether to say in which pieces a frame came. */
  pieces: boolean;
  /** The most characters of what a frame says; all of them unless it is given. */
  maxText?: number;
}

/** The most pieces that are named one by one. */
const MOST_PIECES = 16;

/** In which pieces a frame came, with `…` where the chunk has bytes of other frames too. */
function piecesText({ pieces, shared }: FrameSeen): string {
  const named = pieces.slice(0, MOST_PIECES).join(" + ");
  const left = pieces.length - MOST_PIECES;
  const all = left > 0 ? `${named} + ${left} more` : named;
  return `${shared.before ? "…" : ""}${all}${shared.behind ? "…" : ""}`;
}

/** Bytes as a dump with where they are in the stream, cut off where it is long. */
export function dump(
  bytes: Uint8Array,
  offset: number,
  maxDump: number,
): string[] {
  const lines = hexdump(bytes.subarray(0, maxDump), offset);
  const left = bytes.length - maxDump;
  return left > 0 ? [...lines, `… ${left} bytes more`] : lines;
}

/** Bytes that are no frame as a dump, with a mark below where they begin. */
export function faultDump(
  wire: Uint8Array,
  offset: number,
  { paint, maxDump }: Pick<ReportStyle, "paint" | "maxDump">,
): string[] {
  const here = " ".repeat("00000000  ".length) + "^^ here";
  return dump(wire, offset, maxDump).flatMap((row, i) =>
    i === 0 ? [row, paint.fault(here)] : [row]
  );
}

/**
 * Writes what was seen for people.
 *
 * @param seen What was seen.
 * @param style How much is printed.
 * @param label What stands in front, such as the time and the connection; nothing by default.
 * @returns The lines, each with a line feed.
 */
export function reportText(
  seen: Seen,
  { paint, hex, maxDump, pieces, maxText = Infinity }: ReportStyle,
  label = "",
): string {
  const { from, offset } = seen;
  const who = `${paint.dim(label)}${paint[from](from)}  @${offset}  `;
  switch (seen.kind) {
    case "frame": {
      const { wire, frame } = seen;
      const size = seen.pieces.reduce((sum, piece) => sum + piece, 0);
      const { before, behind } = seen.shared;
      const came = pieces && (seen.pieces.length > 1 || before || behind)
        ? ` in ${piecesText(seen)}`
        : "";
      const text = shortened(frameText(frame), maxText);
      const line = `${who}${paint.dim(`${size} B${came}`)}  ${text}`;
      return lined([line, ...hex ? dump(wire, offset, maxDump) : []]);
    }
    case "fault":
      return lined([
        `${who}${paint.fault(oneLine(seen.error.message))}`,
        ...faultDump(seen.wire, offset, { paint, maxDump }),
      ]);
    case "opaque":
      return lined([`${who}${paint.dim(`from here on ${seen.reason}`)}`]);
  }
}

function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}… ${text.length - most} characters more`;
}

function lined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * Writes what was seen as JSON.
 *
 * @param seen What was seen.
 * @param style How much is printed: with `hex`, each frame has its bytes as `wire`; `pieces` adds those.
 * @param about What else there is to say, such as the time.
 * @returns One object, with a line feed.
 */
export function reportJson(
  seen: Seen,
  { hex, maxDump, pieces }: Omit<ReportStyle, "paint">,
  about: { [name: string]: Json } = {},
): string {
  const { from, offset } = seen;
  const common = { ...about, from, offset };
  let rest: { [name: string]: Json };
  switch (seen.kind) {
    case "frame":
      rest = {
        size: seen.pieces.reduce((sum, piece) => sum + piece, 0),
        ...pieces && { pieces: seen.pieces },
        ...hex && { wire: seen.wire.subarray(0, maxDump).toHex() },
        ...frameJson(seen.frame),
      };
      break;
    case "fault": {
      const { error, wire } = seen;
      rest = {
        fault: error.message,
        code: error.code,
        ...error instanceof TruncatedFrameError &&
          { have: error.have, need: error.need ?? null },
        wire: wire.subarray(0, maxDump).toHex(),
      };
      break;
    }
    case "opaque":
      rest = { opaque: seen.reason };
  }
  return `${jsonLine({ ...common, ...rest })}\n`;
}
