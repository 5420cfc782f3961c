/**
 * What a tap says at its end.
 *
 * @module
 */

import {
  type FramingError,
  MalformedFrameError,
  TruncatedFrameError,
} from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import type { Side } from "../../../cli/framewire/dialect.ts";
import type { TapEvent } from "../../../cli/framewire/tap_events.ts";
import { TapSummary } from "../../../cli/framewire/tap_summary.ts";

const HERE: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 5 };
const OPEN: TapEvent = {
  connection: 1,
  time: 0,
  kind: "open",
  client: HERE,
  server: HERE,
};
const CLOSE: TapEvent = {
  connection: 1,
  time: 0,
  kind: "close",
  totals: {
    client: { frames: 1, bytes: 1000 },
    server: { frames: 0, bytes: 7 },
  },
};

function frame(from: Side): TapEvent {
  return {
    connection: 1,
    time: 0,
    kind: "seen",
    seen: {
      kind: "frame",
      from,
      offset: 0,
      frame: "",
      wire: new Uint8Array(),
      pieces: [1],
      shared: { before: false, behind: false },
    },
    number: 1,
    before: new Uint8Array(),
  };
}

function fault(connection: number, error: FramingError): TapEvent {
  return {
    connection,
    time: 0,
    kind: "seen",
    seen: {
      kind: "fault",
      from: "server",
      offset: 8,
      error,
      wire: new Uint8Array(),
    },
    number: 2,
    before: new Uint8Array(),
  };
}

function summaryOf(events: readonly TapEvent[]): TapSummary {
  const summary = new TapSummary();
  for (const event of events) summary.add(event);
  return summary;
}

Deno.test("TapSummary counts connections, frames and bytes", () => {
  const summary = summaryOf([
    OPEN,
    frame("client"),
    frame("client"),
    frame("server"),
    CLOSE,
    OPEN,
    CLOSE,
  ]);
  assertEquals([summary.frames, summary.inStep], [3, true]);
  assertEquals(summary.lines(), [
    "2 connections: 2 frames, 2,000 B from the client; 1 frame, 14 B from the server",
  ]);
});

Deno.test("TapSummary names where streams went out of step, but not those that go on", () => {
  const summary = summaryOf([
    fault(1, new MalformedFrameError("bad")),
    fault(2, new MalformedFrameError("left out", { recoverable: true })),
    fault(3, new TruncatedFrameError("short", { have: 1 })),
  ]);
  assertEquals(summary.inStep, false);
  assertEquals(summary.lines().slice(1), [
    "#1 server: out of step at offset 8, behind 2 good frames",
    "#3 server: cut short inside a frame at offset 8, behind 2 good frames",
  ]);
});

Deno.test("TapSummary names ten of many", () => {
  const lines = summaryOf(Array.from(
    { length: 1234 },
    (_, i) => fault(i + 1, new MalformedFrameError("bad")),
  )).lines();
  assertEquals(lines.length, 12);
  assertEquals(lines.at(-1), "1,224 more out of step");
});
