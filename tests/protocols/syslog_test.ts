/**
 * Syslog over TCP.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  MalformedFrameError,
} from "@framewire/framewire";
import {
  syslog,
  type SyslogMessage,
  type SyslogMessageInit,
} from "@framewire/framewire/protocols";
import { checkCodec } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { readCapture } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { fuzz, type Fuzzed } from "../support/fuzzing.ts";
import { testStreams } from "../support/outcomes.ts";
import { replay } from "../support/replay.ts";
import { raw } from "../support/wire.ts";

const USER_NOTICE = { facility: 1, severity: 5 } as const;

/** A message, a character for each byte, and what it says. */
type Sample = [wire: string, frame: SyslogMessage];

const SAMPLES: readonly Sample[] = [
  ['<191>1 2003-10-11T22:14:15.003Z h a p m [i n="v"] \n\xff', {
    type: "rfc5424",
    facility: 23,
    severity: 7,
    timestamp: "2003-10-11T22:14:15.003Z",
    hostname: "h",
    appName: "a",
    procId: "p",
    msgId: "m",
    structuredData: [{ id: "i", params: [["n", "v"]] }],
    message: new Uint8Array([10, 0xff]),
  }],
  ["<0>1 - - - - - -", {
    type: "rfc5424",
    facility: 0,
    severity: 0,
    structuredData: [],
    message: new Uint8Array(),
  }],
  ["<13>", { type: "rfc3164", ...USER_NOTICE, message: new Uint8Array() }],
  ["<13>Oct 11 22:14:15 host su: x", {
    type: "rfc3164",
    ...USER_NOTICE,
    message: raw("Oct 11 22:14:15 host su: x"),
  }],
];
/** Those that can be lines. */
const LINES = SAMPLES.filter(([wire]) => !wire.includes("\n"));

Deno.test("syslog() keeps the contract behind lengths", () => {
  const samples = SAMPLES.map(([wire, frame]) => ({
    wire: raw(`${wire.length} ${wire}`),
    frame,
  }));
  const report = checkCodec(syslog({ maxFrameLength: 200 }), samples, {
    tooLarge: ["201 ", "99999999999999", `<13>${"x".repeat(197)}`],
    malformed: ["013 ", "12\t<", "11x", "5 hello", "1 <", "hello\n", " \n"],
  });
  assertEquals(report.samples, SAMPLES.length);
});

Deno.test("syslog() keeps the contract with lines", () => {
  const samples = LINES.map(([wire, frame]) => ({
    wire: raw(`${wire}\n`),
    frame,
  }));
  const codec = syslog({ framing: "lf", maxFrameLength: 200 });
  const report = checkCodec(codec, samples, {
    tooLarge: ["201 ", `<13>${"x".repeat(197)}`],
  });
  assertEquals(report.samples, LINES.length);
});

testStreams("syslog()", [
  {
    name: "reads each message as its first byte says",
    codec: syslog(),
    steps: [
      ["6 <13>a"],
      [
        "b<14>c\n5",
        '={"type":"rfc3164","facility":1,"severity":5,"message":"ab"}',
        '={"type":"rfc3164","facility":1,"severity":6,"message":"c"}',
      ],
      [
        " <0>\n\n",
        '={"type":"rfc3164","facility":0,"severity":0,"message":"\\n\\n"}',
      ],
    ],
  },
  {
    name: "goes on behind a line that is the rest of a message",
    codec: syslog(),
    steps: [
      [
        "<13>a\nb\n\n<14>c\n",
        '={"type":"rfc3164","facility":1,"severity":5,"message":"a"}',
        "malformed, goes on at 6",
        "malformed, goes on at 8",
        '={"type":"rfc3164","facility":1,"severity":6,"message":"c"}',
      ],
    ],
  },
  {
    name: "goes on behind a message without a priority",
    codec: syslog(),
    steps: [
      [
        "5 hello4 <13>",
        "malformed, goes on",
        '={"type":"rfc3164","facility":1,"severity":5,"message":""}',
      ],
    ],
  },
  {
    name: "notices that the stream ended inside a message behind its length",
    codec: syslog(),
    steps: [["6 <13>a"]],
    end: ["truncated: 7 of 8, <13>a"],
  },
  {
    name: "notices that the stream ended inside a line",
    codec: syslog(),
    steps: [["<13>a"]],
    end: ["truncated: 5, <13>a"],
  },
  {
    name: "leaves out long messages on request",
    codec: syslog({ maxFrameLength: 5, onOversize: "skip" }),
    steps: [
      ["6 <13>a", "left out: 6 > 5"],
      [
        "b<13>ab\n<14>c\n",
        "left out: 6 > 5 at 8",
        '={"type":"rfc3164","facility":1,"severity":6,"message":"c"}',
      ],
    ],
  },
]);

Deno.test("syslog() refuses a priority that cannot be, and names HTTP", () => {
  for (const text of ["", "<>", "<192>", "<013>", "<00>", "<1", "< 1>", "x"]) {
    const decoder = new FrameDecoder(syslog());
    decoder.push(raw(`${text}\n`));
    const error = assertThrows(() => decoder.next(), MalformedFrameError);
    assertEquals(
      error.message,
      "Cannot decode frame: a message must begin with its priority, from <0> to <191>",
    );
  }
  const decoder = new FrameDecoder(syslog());
  decoder.push(raw("POST / HTTP/1.1\r\n"));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertStringIncludes(error.message, "look like HTTP");
});

testEncoding<SyslogMessageInit>("syslog()", [
  {
    name: "fills in what goes without saying",
    codec: syslog(),
    frame: { message: "é" },
    wire: "20 <13>1 - - - - - - \xc3\xa9",
  },
  {
    name: "writes the older form",
    codec: syslog(),
    frame: { type: "rfc3164", facility: 4, severity: 2, message: "x" },
    wire: "5 <34>x",
  },
  {
    name: "writes lines on request",
    codec: syslog({ framing: "lf" }),
    frame: { type: "rfc3164", message: "x" },
    wire: "<13>x\n",
  },
  {
    name: "writes line feeds behind lengths",
    codec: syslog(),
    frame: { type: "rfc3164", message: "\n\n" },
    wire: "6 <13>\n\n",
  },
  {
    name: "refuses to write line feeds in lines",
    codec: syslog({ framing: "lf" }),
    frame: { message: "a\nb" },
    fault: [
      RangeError,
      "Cannot write frame: it has the delimiter b'\\n' in it",
    ],
  },
  {
    name: "refuses to write more than the limit",
    codec: syslog({ maxFrameLength: 4 }),
    frame: { type: "rfc3164", message: "x" },
    fault: [RangeError, "length 5 exceeds maxFrameLength of 4 bytes"],
  },
]);

Deno.test("syslog() refuses options that cannot be", () => {
  for (const maxFrameLength of [-1, 1.5]) {
    assertThrows(() => syslog({ maxFrameLength }), RangeError);
  }
});

Deno.test("syslog() reads what rsyslog passed on, however it is cut", async () => {
  const events = replay(syslog(), "client", await readCapture("syslog"));
  const refused = events.filter((event) => event.startsWith("malformed, goes"));
  assertEquals([events.length, refused.length], [8, 1]);
  assertEquals(events.at(-1), "end");
});

Deno.test("syslog() reads what logger sent, however it is cut", async () => {
  const capture = await readCapture("syslog_logger");
  const events = replay(syslog(), "client", capture);
  assertEquals(events.pop(), "end");
  assertEquals(
    events.map((event) => event.slice(0, '={"type":"rfc0000"'.length)),
    ["5424", "3164", "5424"].map((form) => `={"type":"rfc${form}"`),
  );
  const decoder = new FrameDecoder(syslog());
  decoder.push(concat(capture.chunks.map(([, bytes]) => bytes)));
  const messages = events.map(() => decoder.next());
  const again = new FrameDecoder(syslog());
  for (const message of messages) {
    assert(message !== undefined);
    again.push(encodeFrame(syslog(), message));
  }
  assertEquals(events.map(() => again.next()), messages);
});

Deno.test("syslog() throws documented errors only, whatever comes", () => {
  const fuzzed: Fuzzed = {
    maker: "syslog",
    name: "as it is",
    codec: syslog({ maxFrameLength: 1000 }),
    wires: [
      ...SAMPLES.map(([wire]) => raw(`${wire.length} ${wire}`)),
      ...LINES.map(([wire]) => raw(`${wire}\n`)),
    ],
  };
  const fates = { read: 0, refused: 0, truncated: 0 };
  for (let i = 0; i < 2000; i++) fates[fuzz(i, fuzzed, fuzzed.wires)]++;
  for (const count of Object.values(fates)) assert(count > 50);
});
