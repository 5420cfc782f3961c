/**
 * What was seen of a connection, as it is printed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dialectOf } from "../../../cli/framewire/codec_names.ts";
import {
  Conversation,
  type Seen,
} from "../../../cli/framewire/conversation.ts";
import {
  dump,
  reportJson,
  reportText,
} from "../../../cli/framewire/frame_report.ts";
import type { Paint } from "../../../cli/framewire/output.ts";
import { raw } from "../../support/wire.ts";

const plain = (text: string) => text;
const PAINT: Paint = { dim: plain, client: plain, server: plain, fault: plain };
const STYLE = { paint: PAINT, hex: false, maxDump: 32, pieces: true };

/** What is seen of chunks that a client sends. */
function seenOf(spec: string, ...chunks: string[]): Seen[] {
  const conversation = new Conversation(dialectOf(spec));
  const seen: Seen[] = [];
  for (const chunk of chunks) {
    seen.push(...conversation.push("client", raw(chunk)));
  }
  return [...seen, ...conversation.end("client")];
}

Deno.test("reportText() says where a frame is, how long, and in which pieces it came", () => {
  const seen = seenOf("length:1", "\x03a", "bc\x01\x1b", "\x00");
  assertEquals(
    seen.map((one) => reportText(one, STYLE)),
    [
      "client  @0  4 B in 2 + 2…  abc\n",
      "client  @4  2 B in …2  \\x1b\n",
      "client  @6  1 B  \n",
    ],
  );
  assertEquals(
    reportText(seen[0], { ...STYLE, pieces: false, hex: true }, "1.5 #1 "),
    [
      "1.5 #1 client  @0  4 B  abc",
      "00000000  03 61 62 63                                       |.abc|",
      "",
    ].join("\n"),
  );
});

Deno.test("reportText() names no more pieces than fit on a line, and no more text than it is told", () => {
  const [seen] = seenOf("length:1", ..."\x1eabcdefghijklmnopqrstuvwxyz1234");
  assertEquals(
    reportText(seen, { ...STYLE, maxText: 5 }),
    `client  @0  31 B in ${
      "1 + ".repeat(16)
    }15 more  abcde… 25 characters more\n`,
  );
});

Deno.test("reportText() and reportJson() show what is no frame, and where", () => {
  const [, fault] = seenOf("length:1", "\x01a\x05b");
  const message = "Cannot read frame: stream ended after 2 of 6 bytes";
  assertEquals(
    reportText(fault, STYLE),
    [
      `client  @2  ${message}`,
      "00000002  05 62                                             |.b|",
      "          ^^ here",
      "",
    ].join("\n"),
  );
  assertEquals(JSON.parse(reportJson(fault, STYLE, { time: 1 })), {
    time: 1,
    from: "client",
    offset: 2,
    fault: message,
    code: "ERR_FRAME_TRUNCATED",
    have: 2,
    need: 6,
    wire: "0562",
  });
});

Deno.test("reportText() says what is wrong without what would steer a terminal", () => {
  const [fault] = seenOf("json-lines", "\xe2\x80\xae\x1b[m\n");
  const [line] = reportText(fault, STYLE).split("\n");
  assert(line.includes("\\u202e"), line);
  assertEquals(line.match(/[\p{Cc}\u202e]/u), null);
});

Deno.test("reportJson() has the frame, its size, and its pieces and bytes if it is told", () => {
  const [seen] = seenOf("length:1", "\x02\xff", "\x9b");
  const common = { from: "client", offset: 0, size: 3 };
  assertEquals(
    JSON.parse(reportJson(seen, { ...STYLE, pieces: false })),
    { ...common, base64: "/5s=" },
  );
  assertEquals(
    JSON.parse(reportJson(seen, { ...STYLE, hex: true, maxDump: 2 })),
    { ...common, pieces: [2, 1], wire: "02ff", base64: "/5s=" },
  );
  const [text] = seenOf("length:1", "\x03\xc2\x9bm");
  const line = reportJson(text, STYLE);
  assert(line.includes(String.raw`"\u009bm"`), line);
});

Deno.test("reportText() and reportJson() say from where on nobody can read", () => {
  const seen: Seen = {
    kind: "opaque",
    from: "server",
    offset: 1,
    reason: "encrypted",
  };
  assertEquals(reportText(seen, STYLE), "server  @1  from here on encrypted\n");
  assertEquals(JSON.parse(reportJson(seen, STYLE)), {
    from: "server",
    offset: 1,
    opaque: "encrypted",
  });
});

Deno.test("dump() says how much it leaves out", () => {
  assertEquals(dump(new Uint8Array(20), 16, 4), [
    "00000010  00 00 00 00                                       |....|",
    "… 16 bytes more",
  ]);
  assertEquals(dump(new Uint8Array(), 0, 4), []);
});
