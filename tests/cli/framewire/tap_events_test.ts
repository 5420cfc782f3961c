/**
 * What a tap sees.
 *
 * @module
 */

import { lengthPrefixed } from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { dialectOf } from "../../../cli/framewire/codec_names.ts";
import { type Dialect, taking } from "../../../cli/framewire/dialect.ts";
import type { Passed } from "../../../cli/framewire/relay.ts";
import {
  type TapEvent,
  TappedConnection,
} from "../../../cli/framewire/tap_events.ts";

const CLIENT: Deno.Addr = { transport: "tcp", hostname: "::1", port: 5 };
const SERVER: Deno.Addr = { transport: "unix", path: "/run/x" };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** What is seen of what passes, one a millisecond. */
function watch(dialect: Dialect, passed: readonly Passed[]): TapEvent[] {
  const events: TapEvent[] = [];
  const tapped = new TappedConnection(
    7,
    dialect,
    (event) => events.push(event),
  );
  for (const [time, one] of passed.entries()) tapped.watch(one, time);
  assert(events.every(({ connection }) => connection === 7));
  return events;
}

const chunk = (from: "client" | "server", text: string): Passed => ({
  kind: "chunk",
  from,
  bytes: utf8(text),
});

Deno.test("TappedConnection makes frames of chunks, and counts them", () => {
  const events = watch(dialectOf("lines"), [
    { kind: "open", client: CLIENT, server: SERVER },
    chunk("client", "one\ntw"),
    chunk("server", "eins\n"),
    chunk("client", "o\n"),
    { kind: "end", from: "client" },
    { kind: "reset", from: "server" },
    { kind: "close" },
  ]);
  assertEquals(
    events.map((event) =>
      event.kind === "seen" && event.seen.kind === "frame"
        ? [event.time, event.seen.from, event.number, event.seen.frame]
        : [event.time, event.kind]
    ),
    [
      [0, "open"],
      [1, "client", 1, "one"],
      [2, "server", 1, "eins"],
      [3, "client", 2, "two"],
      [4, "end"],
      [5, "reset"],
      [6, "close"],
    ],
  );
  const close = events.at(-1);
  assert(close?.kind === "close");
  assertEquals(close.totals, {
    client: { frames: 2, bytes: 8 },
    server: { frames: 1, bytes: 5 },
  });
});

Deno.test("TappedConnection says where a direction went out of step, and what was in front of it", () => {
  const dialect = dialectOf("netstring");
  const events = watch(dialect, [
    chunk("client", "12:hello, world,bad"),
    chunk("client", "whatever"),
    chunk("server", "2:ok,"),
    { kind: "close" },
  ]);
  const [, fault, answer, close] = events;
  assert(fault.kind === "seen" && fault.seen.kind === "fault");
  assertEquals([fault.number, fault.seen.offset], [1, 16]);
  assertEquals(fault.before, utf8("12:hello, world,"));
  assert(answer.kind === "seen" && answer.seen.kind === "frame");
  assert(close.kind === "close");
  assertEquals(close.totals, {
    client: { frames: 1, bytes: 27, outOfStepAt: 16 },
    server: { frames: 1, bytes: 5 },
  });
});

Deno.test("TappedConnection goes on behind a frame that was left out", () => {
  const events = watch(dialectOf("length:1,max=3,skip"), [
    chunk("client", "\x05hello\x02hi"),
  ]);
  assertEquals(
    events.map((event) => event.kind === "seen" && event.seen.kind),
    ["fault", "frame"],
  );
  assert(events[1].kind === "seen");
  assertEquals([events[1].number, events[1].seen.offset], [1, 6]);
});

Deno.test("TappedConnection takes a codec that cannot cope for a fault, once", () => {
  const codec = taking({
    decode() {
      throw new TypeError("no idea");
    },
    encode() {},
  }, () => "");
  const events = watch({ spec: "none", codec: () => codec }, [
    chunk("client", "one"),
    chunk("client", "two"),
    { kind: "end", from: "client" },
  ]);
  assertEquals(events.map(({ kind }) => kind), ["seen", "end"]);
  assert(events[0].kind === "seen" && events[0].seen.kind === "fault");
  assert(events[0].seen.error.message.includes("no idea"));
});

Deno.test("TappedConnection holds its own of what it was given", () => {
  const bytes = utf8("\x00\x00\x00\x02hi");
  const codec = taking(lengthPrefixed(), () => new Uint8Array());
  const events = watch({ spec: "mine", codec: () => codec }, [
    { kind: "chunk", from: "client", bytes },
  ]);
  assertEquals(bytes, utf8("\x00\x00\x00\x02hi"));
  assert(events[0].kind === "seen" && events[0].seen.kind === "frame");
  assertEquals(events[0].seen.wire, bytes);
});
