/**
 * What a tap prints.
 *
 * @module
 */

import { MalformedFrameError } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import type { FrameSeen } from "../../../cli/framewire/conversation.ts";
import type { Paint } from "../../../cli/framewire/output.ts";
import type { TapEvent } from "../../../cli/framewire/tap_events.ts";
import {
  gapText,
  type TapStyle,
  tapText,
} from "../../../cli/framewire/tap_report.ts";

const plain = (text: string) => text;
const PLAIN: Paint = { dim: plain, client: plain, server: plain, fault: plain };
const STYLE: TapStyle = {
  paint: PLAIN,
  hex: "auto",
  maxDump: 20,
  maxText: 80,
  pieces: true,
  json: false,
  start: 1_000_000,
};
const MOMENT = { connection: 2, time: 1_001_500.25 };
const HERE: Deno.Addr = { transport: "tcp", hostname: "::1", port: 5 };
const utf8 = (text: string) => new TextEncoder().encode(text);

function frame(of: Partial<FrameSeen>): TapEvent {
  const wire = utf8("hello\n");
  const seen: FrameSeen = {
    kind: "frame",
    from: "client",
    offset: 10,
    frame: "hello",
    wire,
    pieces: [wire.length],
    shared: { before: false, behind: false },
    ...of,
  };
  return { ...MOMENT, kind: "seen", seen, number: 3, before: new Uint8Array() };
}

const DUMP =
  "         0000000a  68 65 6c 6c 6f 0a                                 |hello.|\n";

const CASES: Record<
  string,
  [event: TapEvent, style: Partial<TapStyle>, text: string]
> = {
  "an opening": [
    { ...MOMENT, kind: "open", client: HERE, server: HERE },
    {},
    "1.500250 #2 opened by [::1]:5, to [::1]:5\n",
  ],
  "a refusal": [
    { ...MOMENT, kind: "refused", client: HERE, reason: "Cannot" },
    {},
    "1.500250 #2 Cannot\n",
  ],
  "a refusal for a reason that would turn the line round": [
    { ...MOMENT, kind: "refused", client: HERE, reason: "a\u202eb\x1b[m\nc" },
    {},
    "1.500250 #2 a\\u202eb\\x1b[m\\nc\n",
  ],
  "a fault that quotes what would turn the line round": [
    {
      ...MOMENT,
      kind: "seen",
      seen: {
        kind: "fault",
        from: "client",
        offset: 10,
        error: new MalformedFrameError("no: \u202e\x1b[m"),
        wire: new Uint8Array(),
      },
      number: 1,
      before: new Uint8Array(),
    },
    {},
    `1.500250 #2 → client  @10  out of step, behind 1 good frame: no: \\u202e\\x1b[m
         from here on its bytes pass through unread
`,
  ],
  "a frame that is text": [
    frame({}),
    {},
    `1.500250 #2 → 3  client  @10  6 B  hello\n${DUMP}`,
  ],
  "a frame that is text, without its bytes": [
    frame({}),
    { hex: false },
    "1.500250 #2 → 3  client  @10  6 B  hello\n",
  ],
  "a frame that is a value": [
    frame({ from: "server", frame: { type: "ok" } }),
    {},
    '1.500250 #2 ← 3  server  @10  6 B  {"type":"ok"}\n',
  ],
  "a frame that is a value, with its bytes": [
    frame({ from: "server", frame: { type: "ok" } }),
    { hex: true },
    `1.500250 #2 ← 3  server  @10  6 B  {"type":"ok"}\n${DUMP}`,
  ],
  "a frame in pieces that it shares": [
    frame({ pieces: [2, 3, 1], shared: { before: true, behind: true } }),
    { hex: false },
    "1.500250 #2 → 3  client  @10  6 B in …2 + 3 + 1…  hello\n",
  ],
  "a frame that is too long to be shown": [
    frame({ wire: new Uint8Array(30), frame: "x".repeat(100) }),
    { maxDump: 2 },
    `1.500250 #2 → 3  client  @10  6 B  ${"x".repeat(80)}… 20 characters more
         0000000a  00 00                                             |..|
         … 28 bytes more
`,
  ],
  "an end": [
    { ...MOMENT, kind: "end", from: "server", bytes: 1234 },
    {},
    "1.500250 #2 ← end  server  @1234  sends no more\n",
  ],
  "a reset": [
    { ...MOMENT, kind: "reset", from: "client" },
    {},
    "1.500250 #2 reset by the client\n",
  ],
  "a closing": [
    {
      ...MOMENT,
      kind: "close",
      totals: {
        client: { frames: 1, bytes: 6 },
        server: { frames: 0, bytes: 12_345 },
      },
    },
    {},
    "1.500250 #2 closed: → 1 frame, 6 B; ← 0 frames, 12,345 B\n",
  ],
  "what only the ends can read": [
    {
      ...MOMENT,
      kind: "seen",
      seen: {
        kind: "opaque",
        from: "server",
        offset: 1,
        reason: "encrypted by tls",
      },
      number: 1,
      before: new Uint8Array(),
    },
    {},
    "1.500250 #2 ← server  @1  from here on encrypted by tls\n",
  ],
  "a stream out of step": [
    {
      ...MOMENT,
      kind: "seen",
      seen: {
        kind: "fault",
        from: "client",
        offset: 10,
        error: new MalformedFrameError("Cannot read frame: no"),
        wire: utf8("GET / HTTP/1.0\r\n\r\nmore"),
      },
      number: 1,
      before: utf8("good\n"),
    },
    {},
    `1.500250 #2 → client  @10  out of step, behind 1 good frame: Cannot read frame: no
         00000005  67 6f 6f 64 0a                                    |good.|
         0000000a  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 30 0d 0a  |GET / HTTP/1.0..|
                   ^^ here
         0000001a  0d 0a 6d 6f                                       |..mo|
         … 2 bytes more
         from here on its bytes pass through unread
`,
  ],
  "a frame that was left out by its codec": [
    {
      ...MOMENT,
      kind: "seen",
      seen: {
        kind: "fault",
        from: "client",
        offset: 10,
        error: new MalformedFrameError("Cannot read frame: no", {
          recoverable: true,
        }),
        wire: utf8("x"),
      },
      number: 1,
      before: new Uint8Array(),
    },
    {},
    `1.500250 #2 → client  @10  frame refused, behind 1 good frame: Cannot read frame: no
         0000000a  78                                                |x|
                   ^^ here
`,
  ],
};

for (const [name, [event, style, text]] of Object.entries(CASES)) {
  Deno.test(`tapText() writes ${name}`, () => {
    assertEquals(tapText(event, { ...STYLE, ...style }), text);
  });
  Deno.test(`tapText() writes ${name} as an object on a line`, () => {
    const json = tapText(event, { ...STYLE, ...style, json: true });
    assertEquals(json.match(/\n/g)?.length, 1);
    const { connection, time, event: what } = JSON.parse(json);
    assertEquals([connection, time], [2, 1.50025]);
    assertEquals(what, event.kind === "seen" ? event.seen.kind : event.kind);
  });
}

Deno.test("gapText() says what was left out", () => {
  assertEquals(
    gapText({ frames: 1234, others: 0 }, STYLE),
    "… 1,234 frames left out here\n",
  );
  assertEquals(
    gapText({ frames: 1, others: 2 }, STYLE),
    "… 1 frame and 2 other events left out here\n",
  );
  assertEquals(
    gapText({ frames: 1, others: 2 }, { ...STYLE, json: true }),
    '{"event":"left-out","frames":1,"others":2}\n',
  );
});
