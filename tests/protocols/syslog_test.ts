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
  type SyslogStructuredMessageInit,
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
import { raw, unraw } from "../support/wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const USER_NOTICE = { facility: 1, severity: 5 } as const;

/** A message, a character for each byte, and what it says. */
type Sample = [wire: string, frame: SyslogMessage];

/** Those of RFC 5424, section 6.5, and one with all that is odd. */
const STRUCTURED: readonly Sample[] = [
  [
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed for lonvick on /dev/pts/8",
    {
      type: "rfc5424",
      facility: 4,
      severity: 2,
      timestamp: "2003-10-11T22:14:15.003Z",
      hostname: "mymachine.example.com",
      appName: "su",
      msgId: "ID47",
      structuredData: [],
      message: bytes("\ufeff'su root' failed for lonvick on /dev/pts/8"),
    },
  ],
  [
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
    {
      type: "rfc5424",
      facility: 20,
      severity: 5,
      timestamp: "2003-08-24T05:14:15.000003-07:00",
      hostname: "192.0.2.1",
      appName: "myproc",
      procId: "8710",
      structuredData: [],
      message: bytes("%% It's time to make the do-nuts."),
    },
  ],
  [
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]',
    {
      type: "rfc5424",
      facility: 20,
      severity: 5,
      timestamp: "2003-10-11T22:14:15.003Z",
      hostname: "mymachine.example.com",
      appName: "evntslog",
      msgId: "ID47",
      structuredData: [
        {
          id: "exampleSDID@32473",
          params: [["iut", "3"], ["eventSource", "Application"], [
            "eventID",
            "1011",
          ]],
        },
        { id: "examplePriority@32473", params: [["class", "high"]] },
      ],
      message: new Uint8Array(),
    },
  ],
  ['<0>1 - - - - - [a][b c="\\"\\\\\\]" c=""] \0\xff', {
    type: "rfc5424",
    facility: 0,
    severity: 0,
    structuredData: [
      { id: "a", params: [] },
      { id: "b", params: [["c", '"\\]'], ["c", ""]] },
    ],
    message: new Uint8Array([0, 0xff]),
  }],
];

/** Every field as long, and every number as high, as it can be. */
const [LONGEST_WIRE, LONGEST]: Sample = [
  `<191>1 0000-00-00T00:00:00+00:00 ${"h".repeat(255)} ${"a".repeat(48)} ${
    "p".repeat(128)
  } ${"m".repeat(32)} [${"i".repeat(32)} ${"n".repeat(32)}="\xc3\xbc"] x`,
  {
    type: "rfc5424",
    facility: 23,
    severity: 7,
    timestamp: "0000-00-00T00:00:00+00:00",
    hostname: "h".repeat(255),
    appName: "a".repeat(48),
    procId: "p".repeat(128),
    msgId: "m".repeat(32),
    structuredData: [{
      id: "i".repeat(32),
      params: [["n".repeat(32), "ü"]],
    }],
    message: bytes("x"),
  },
];

/** What does not keep to RFC 5424, behind the priority, and is handed out as it came. */
const PLAIN: Record<string, string> = {
  "the form of RFC 3164": "Oct 11 22:14:15 mymachine su: 'su root' failed",
  "nothing": "",
  "another version": "2 - - - - - -",
  "a version and no more": "1",
  "fields that are missing": "1 - - - - -",
  "no structured data": "1 - - - - - ",
  "a time in words": "1 today - - - - -",
  "a time without a zone": "1 2003-10-11T22:14:15 - - - - -",
  "a time to the nanosecond": "1 2003-10-11T22:14:15.123456789Z - - - - -",
  "a host that is too long": `1 - ${"h".repeat(256)} - - - -`,
  "a program that is too long": `1 - - ${"a".repeat(49)} - - -`,
  "a process that is too long": `1 - - - ${"p".repeat(129)} - -`,
  "a kind that is too long": `1 - - - - ${"m".repeat(33)} -`,
  "a host that is empty": "1 -  - - - -",
  "a host in another alphabet": "1 - h\xc3\xbc - - - -",
  "a message right behind structured data": "1 - - - - - [a]x",
  "a message right behind none": "1 - - - - - -x",
  "an element without an end": "1 - - - - - [a",
  "an element without a name": "1 - - - - - []",
  "an element with a long name": `1 - - - - - [${"i".repeat(33)}]`,
  "a parameter without a name": '1 - - - - - [a ="b"]',
  "a parameter with a long name": `1 - - - - - [a ${"n".repeat(33)}="b"]`,
  "a parameter without a value": "1 - - - - - [a b]",
  "a value without quotes": "1 - - - - - [a b=c]",
  "a value without an end": '1 - - - - - [a b="c',
  "a value with a bracket": '1 - - - - - [a b="]"]',
  "a value that is no UTF-8": '1 - - - - - [a b="\xff"]',
};

/** Short ones, as each is cut at every place. */
const SAMPLES: readonly Sample[] = [
  ...STRUCTURED,
  ...Object.values(PLAIN).filter(({ length }) => length < 40).map((
    text,
  ): Sample => [
    `<13>${text}`,
    { type: "rfc3164", ...USER_NOTICE, message: raw(text) },
  ]),
];

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
  const samples = SAMPLES.map(([wire, frame]) => ({
    wire: raw(`${wire}\n`),
    frame,
  }));
  const codec = syslog({ framing: "lf", maxFrameLength: 200 });
  const report = checkCodec(codec, samples, {
    tooLarge: ["201 ", `<13>${"x".repeat(197)}`],
  });
  assertEquals(report.samples, SAMPLES.length);
});

for (const [what, text] of Object.entries(PLAIN)) {
  Deno.test(`syslog() takes ${what} for a plain message`, () => {
    const decoder = new FrameDecoder(syslog());
    decoder.push(raw(`<13>${text}\n`));
    const message = decoder.next();
    assertEquals([message?.type, message && unraw(message.message)], [
      "rfc3164",
      text,
    ]);
  });
}

/** The message of a line, as it is read. */
function read(line: string): SyslogMessage | undefined {
  const decoder = new FrameDecoder(syslog());
  decoder.push(raw(`${line}\n`));
  return decoder.next();
}

Deno.test("syslog() reads and writes fields that are as long as can be", () => {
  assertEquals(read(LONGEST_WIRE), LONGEST);
  const wire = unraw(encodeFrame(syslog({ framing: "lf" }), LONGEST));
  assertEquals(wire, `${LONGEST_WIRE}\n`);
});

Deno.test("syslog() keeps a backslash that escapes nothing", () => {
  const message = read('<13>1 - - - - - [a b="C:\\new"]');
  assert(message?.type === "rfc5424");
  assertEquals(message.structuredData[0].params, [["b", "C:\\new"]]);
});

Deno.test("syslog() makes no difference between no message and an empty one", () => {
  assertEquals(read("<13>1 - - - - - -"), read("<13>1 - - - - - - "));
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
  ...([
    [
      "a facility that is too high",
      { facility: 24 },
      "facility must be from 0",
    ],
    ["a severity that is too high", { severity: 8 }, "severity must be from 0"],
    ["a severity that is no whole number", { severity: 1.5 }, "severity must"],
    ["an empty host", { hostname: "" }, 'hostname cannot be ""'],
    ["a host with a space", { hostname: "a b" }, 'hostname cannot be "a b"'],
    ["a host in another alphabet", { hostname: "ü" }, "hostname cannot be"],
    ["a program that is too long", { appName: "a".repeat(49) }, "appName"],
    ["a time in words", { timestamp: "today" }, 'timestamp cannot be "today"'],
    ["an element without a name", {
      structuredData: [{ id: "", params: [] }],
    }, 'a name in structured data cannot be ""'],
    ["a name with an equals sign", {
      structuredData: [{ id: "a", params: [["b=", ""]] }],
    }, 'a name in structured data cannot be "b="'],
  ] satisfies [string, Omit<SyslogStructuredMessageInit, "message">, string][])
    .map(([name, rest, message]) => ({
      name: `refuses to write ${name}`,
      codec: syslog(),
      frame: { ...rest, message: "x" },
      fault: [RangeError, `Cannot write frame: ${message}`] as const,
    })),
  ...([
    ["the message", { message: "\ud800" }],
    ["a value", {
      structuredData: [{ id: "a", params: [["b", "\ud800"]] }],
      message: "",
    }],
  ] satisfies [string, SyslogMessageInit][]).map(([name, frame]) => ({
    name: `refuses to write half a surrogate pair in ${name}`,
    codec: syslog(),
    frame,
    fault: [TypeError, "Cannot write frame: the text has half"] as const,
  })),
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
    wires: SAMPLES.filter(([wire]) => wire.length < 200)
      .flatMap(([wire]) => [raw(`${wire.length} ${wire}`), raw(`${wire}\n`)]),
  };
  const fates = { read: 0, refused: 0, truncated: 0 };
  for (let i = 0; i < 2000; i++) fates[fuzz(i, fuzzed, fuzzed.wires)]++;
  for (const count of Object.values(fates)) assert(count > 50);
});
