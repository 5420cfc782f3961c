/**
 * What a tap prints.
 *
 *     0.000000 #1 opened by 127.0.0.1:55340, to 127.0.0.1:65432
 *     0.001204 #1 → 1  client  @0  9 B in 4 + 5  hello
 *              00000000  00 00 00 05 68 65 6c 6c  6f                       |....hello|
 *     ───┬──── ┬  ┬ ┬  ───┬──  ┬── ─────┬──────  ──┬──
 *      when   on  │ its  who  where  its size    what it says
 *             a connection number    and pieces
 *
 * @module
 */

import { formatAddr, TruncatedFrameError } from "../../mod.ts";
import { oneLine } from "../python_literal.ts";
import type { FaultSeen, FrameSeen } from "./conversation.ts";
import type { Side } from "./dialect.ts";
import {
  dump,
  faultDump,
  reportJson,
  type ReportStyle,
  reportText,
} from "./frame_report.ts";
import type { LeftOut } from "./printer.ts";
import type { TapEvent, Totals } from "./tap_events.ts";
import { frameBytes, type Json, jsonLine } from "./values.ts";
import { counted, grouped } from "./units.ts";

/** How a tap prints. */
export interface TapStyle extends Omit<ReportStyle, "hex"> {
  /** Whether frames are dumped: `auto` dumps those that are bytes or text. */
  hex: boolean | "auto";
  /** Whether to print JSON. */
  json: boolean;
  /** When it began, in milliseconds since 1970. */
  start: number;
}

const ARROWS: Record<Side, string> = { client: "→", server: "←" };

/** What was left out, in words. */
function leftOutText({ frames, others }: LeftOut): string {
  const words = [
    ...frames > 0 ? [counted(frames, "frame")] : [],
    ...others > 0 ? [counted(others, "other event")] : [],
  ];
  return words.join(" and ");
}

/** What stands in place of what was left out. */
export function gapText(leftOut: LeftOut, { json }: TapStyle): string {
  return json
    ? `${jsonLine({ event: "left-out", ...leftOut })}\n`
    : `… ${leftOutText(leftOut)} left out here\n`;
}

function dumps(seen: FrameSeen, { hex }: TapStyle): boolean {
  return hex === "auto" ? frameBytes(seen.frame) !== undefined : hex;
}

function totalsText(side: Side, { frames, bytes }: Totals): string {
  return `${ARROWS[side]} ${counted(frames, "frame")}, ${grouped(bytes)} B`;
}

/**
 * Writes an event.
 *
 * @param event The event.
 * @param style How.
 * @returns Lines, each with a line feed.
 */
export function tapText(event: TapEvent, style: TapStyle): string {
  if (style.json) return tapJson(event, style);
  const { connection, time } = event;
  const { paint, maxDump } = style;
  const seconds = Math.max(0, time - style.start) / 1000;
  const clock = seconds.toFixed(6);
  const label = `${clock} #${connection} `;
  const indent = " ".repeat(clock.length + 1);
  const line = (text: string) => `${paint.dim(label)}${text}\n`;
  switch (event.kind) {
    case "open": {
      const { client, server } = event;
      return line(`opened by ${formatAddr(client)}, to ${formatAddr(server)}`);
    }
    case "refused":
      return line(paint.fault(oneLine(event.reason)));
    case "end": {
      const { from, bytes } = event;
      return line(
        `${ARROWS[from]} end  ${paint[from](from)}  @${bytes}  sends no more`,
      );
    }
    case "reset":
      return line(paint.fault(`reset by the ${event.from}`));
    case "close": {
      const { client, server } = event.totals;
      return line(
        `closed: ${totalsText("client", client)}; ${
          totalsText("server", server)
        }`,
      );
    }
    case "seen": {
      const { seen, number } = event;
      const arrow = `${label}${ARROWS[seen.from]} `;
      if (seen.kind === "fault") {
        return paint.dim(arrow) + faultText(event, seen, style, indent);
      }
      const hex = seen.kind === "frame" && dumps(seen, style);
      const text = reportText(
        seen,
        { ...style, maxDump, hex },
        seen.kind === "frame" ? `${arrow}${number}  ` : arrow,
      );
      const [first, ...dumped] = text.trimEnd().split("\n");
      return [first, ...dumped.map((row) => indent + row)].join("\n") + "\n";
    }
  }
}

/** Says where a stream went out of step: the last bytes that were in step, and those that are not. */
function faultText(
  { number, before }: Extract<TapEvent, { kind: "seen" }>,
  { from, offset, error, wire }: FaultSeen,
  { paint, maxDump }: TapStyle,
  indent: string,
): string {
  const good = `behind ${counted(number, "good frame")}`;
  const what = error.recoverable
    ? "frame refused"
    : error instanceof TruncatedFrameError
    ? "cut short inside a frame"
    : "out of step";
  return [
    `${paint[from](from)}  @${offset}  ${
      paint.fault(oneLine(`${what}, ${good}: ${error.message}`))
    }`,
    ...before.length > 0
      ? dump(before, offset - before.length, maxDump).map(paint.dim)
      : [],
    ...faultDump(wire, offset, { paint, maxDump }),
    ...error.recoverable || error instanceof TruncatedFrameError
      ? []
      : ["from here on its bytes pass through unread"],
  ].map((row, i) => i === 0 ? row : indent + row).join("\n") + "\n";
}

/** Writes an event as JSON. */
function tapJson(event: TapEvent, style: TapStyle): string {
  const { connection, time, kind } = event;
  const about: { [name: string]: Json } = {
    event: kind,
    connection,
    time: Math.round(Math.max(0, time - style.start) * 1000) / 1e6,
  };
  const object = (more: { [name: string]: Json }) =>
    `${jsonLine({ ...about, ...more })}\n`;
  switch (event.kind) {
    case "open":
      return object({
        date: new Date(time).toISOString(),
        client: formatAddr(event.client),
        server: formatAddr(event.server),
      });
    case "refused":
      return object({
        client: formatAddr(event.client),
        reason: event.reason,
      });
    case "reset":
      return object({ from: event.from });
    case "end":
      return object({ from: event.from, bytes: event.bytes });
    case "close": {
      const { client, server } = event.totals;
      return object({ client: { ...client }, server: { ...server } });
    }
    case "seen": {
      const { seen, number } = event;
      const hex = style.hex === true;
      return reportJson(seen, { ...style, hex }, {
        ...about,
        event: seen.kind,
        ...seen.kind === "frame" ? { number } : { frames: number },
        ...seen.kind === "frame" && { shared: { ...seen.shared } },
      });
    }
  }
}
