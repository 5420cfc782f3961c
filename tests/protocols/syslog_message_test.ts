/**
 * What syslog's messages say.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  readMessage,
  type SyslogMessage,
  type SyslogMessageInit,
  type SyslogStructuredMessageInit,
  writeMessage,
} from "../../lib/protocols/syslog_message.ts";
import { raw, unraw } from "../support/wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

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

Deno.test("messages of RFC 5424 are read, and written as they were", () => {
  for (
    const [wire, message] of [...STRUCTURED, [LONGEST_WIRE, LONGEST]] as const
  ) {
    assertEquals(readMessage(raw(wire)), message);
    assertEquals(unraw(writeMessage(message)), wire);
  }
});

for (const [what, text] of Object.entries(PLAIN)) {
  Deno.test(`${what} makes a plain message, written as it was`, () => {
    const message = readMessage(raw(`<13>${text}`));
    assertEquals(message, {
      type: "rfc3164",
      facility: 1,
      severity: 5,
      message: raw(text),
    });
    assertEquals(unraw(writeMessage(message)), `<13>${text}`);
  });
}

Deno.test("a backslash that escapes nothing is one", () => {
  const message = readMessage(raw('<13>1 - - - - - [a b="C:\\new"]'));
  assert(message.type === "rfc5424");
  assertEquals(message.structuredData[0].params, [["b", "C:\\new"]]);
});

Deno.test("no message and an empty one are the same", () => {
  assertEquals(
    readMessage(raw("<13>1 - - - - - -")),
    readMessage(raw("<13>1 - - - - - - ")),
  );
});

Deno.test("a value of a megabyte is read", () => {
  const value = "\\\\".repeat(500_000);
  const message = readMessage(raw(`<13>1 - - - - - [a b="${value}"]`));
  assert(message.type === "rfc5424");
  assertEquals(message.structuredData[0].params[0][1].length, 500_000);
});

Deno.test("a message must begin with a priority", () => {
  for (const text of ["", "<>", "<192>", "<013>", "<00>", "<1", "< 1>", "x"]) {
    assertThrows(
      () => readMessage(raw(text)),
      RangeError,
      "a message must begin with its priority, from <0> to <191>",
    );
  }
});

/** What cannot be written, and a part of what is said about it. */
const REFUSED: Record<
  string,
  [Omit<SyslogStructuredMessageInit, "message">, string]
> = {
  "a facility that is too high": [{ facility: 24 }, "facility must be from 0"],
  "a severity that is too high": [{ severity: 8 }, "severity must be from 0"],
  "a severity that is no whole number": [{ severity: 1.5 }, "severity must"],
  "an empty host": [{ hostname: "" }, 'hostname cannot be ""'],
  "a host with a space": [{ hostname: "a b" }, 'hostname cannot be "a b"'],
  "a host in another alphabet": [{ hostname: "ü" }, "hostname cannot be"],
  "a program that is too long": [{ appName: "a".repeat(49) }, "appName"],
  "a time in words": [{ timestamp: "today" }, 'timestamp cannot be "today"'],
  "an element without a name": [
    { structuredData: [{ id: "", params: [] }] },
    'a name in structured data cannot be ""',
  ],
  "a name with an equals sign": [
    { structuredData: [{ id: "a", params: [["b=", ""]] }] },
    'a name in structured data cannot be "b="',
  ],
};

for (const [what, [rest, reason]] of Object.entries(REFUSED)) {
  Deno.test(`${what} is not written`, () => {
    const message = { ...rest, message: "x" };
    assertThrows(() => writeMessage(message), RangeError, reason);
  });
}

Deno.test("half a surrogate pair is not written", () => {
  const half: SyslogMessageInit[] = [
    { message: "\ud800" },
    {
      structuredData: [{ id: "a", params: [["b", "\ud800"]] }],
      message: "",
    },
  ];
  for (const message of half) {
    assertThrows(() => writeMessage(message), TypeError, "surrogate");
  }
});
