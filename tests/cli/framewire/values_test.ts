/**
 * What codecs give and take, as text and as JSON.
 *
 * @module
 */

import { Message } from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bytesJson,
  bytesOfHex,
  bytesText,
  frameBytes,
  frameJson,
  frameOfJson,
  frameText,
  inputOfFrame,
  inputOfJson,
  JsonFrame,
  jsonLine,
  textOf,
} from "../../../cli/framewire/values.ts";
import { Random } from "../../support/random.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A frame, what it is under `--json`, and for people. */
const FRAMES: readonly [
  name: string,
  frame: unknown,
  json: unknown,
  text: string,
][] = [
  ["text", "hé\n", { text: "hé\n" }, "hé\\n"],
  ["bytes that are UTF-8", utf8("hé"), { text: "hé" }, "hé"],
  [
    "bytes with a byte order mark",
    utf8("\ufeffa"),
    { text: "\ufeffa" },
    "\ufeffa",
  ],
  ["no bytes", new Uint8Array(), { text: "" }, ""],
  [
    "bytes that are not UTF-8",
    Uint8Array.of(0xfb, 0xff, 0x0a, 0x61),
    { base64: "+/8KYQ==" },
    String.raw`\xfb\xff\x0aa`,
  ],
  ["text that would steer a terminal", "\x1b[2J\x9b1m", {
    text: "\x1b[2J\x9b1m",
  }, String.raw`\x1b[2J\x9b1m`],
  [
    "an object with bytes in it",
    { type: "bulk", value: utf8("hi") },
    { value: { type: "bulk", value: { text: "hi" } } },
    '{"type":"bulk","value":"hi"}',
  ],
  ["null", null, { value: null }, "null"],
  ["a list", [1, "a", true, [utf8("b")]], {
    value: [1, "a", true, [{ text: "b" }]],
  }, '[1,"a",true,["b"]]'],
  [
    "numbers that JSON does not have",
    [2n ** 64n, NaN, -Infinity],
    { value: ["18446744073709551616", "NaN", "-Infinity"] },
    '["18446744073709551616","NaN","-Infinity"]',
  ],
  ["what is undefined", { a: undefined, b: 1 }, { value: { b: 1 } }, '{"b":1}'],
  ["a map", new Map([["a", 1]]), { value: [["a", 1]] }, '[["a",1]]'],
];

for (const [name, frame, json, text] of FRAMES) {
  Deno.test(`a frame that is ${name} is written as JSON and for people`, () => {
    assertEquals<unknown>(frameJson(frame), json);
    assertEquals(frameText(frame), text);
  });
}

Deno.test("a message is its header and its content, decoded where it is JSON", () => {
  const message = Message.json({ action: "search", value: "ring" });
  const { value } = frameJson(message);
  assertEquals<unknown>(value, {
    header: JSON.parse(JSON.stringify(message.header)),
    content: { action: "search", value: "ring" },
  });
  const broken = new Message(utf8("{"), { contentType: "text/json" });
  assert(frameText(broken).endsWith('"content":"{"}'), frameText(broken));
});

Deno.test("a value that is nested deeper than the stack is written down to a depth", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const deep = new JsonFrame(JSON.parse(nested(500_000)));
  const cut = `${"[".repeat(1000)}"… more than 1000 levels deep"${
    "]".repeat(1000)
  }`;
  assert(frameText(deep) === cut, "text");
  assert(jsonLine(frameJson(deep)) === `{"value":${cut}}`, "JSON");
  const known = new JsonFrame(JSON.parse(nested(1000)));
  assert(frameText(known) === nested(1000), "text that is not too deep");
  // What is sent is whole, or not sent.
  assertThrows(() => inputOfFrame(deep), RangeError, "Cannot write frame");
  assertEquals(inputOfFrame(known), { kind: "json", json: nested(1000) });
});

Deno.test("frameBytes() are the bytes of text and bytes only", () => {
  assertEquals(frameBytes("é"), Uint8Array.of(0xc3, 0xa9));
  assertEquals(frameBytes(Uint8Array.of(1)), Uint8Array.of(1));
  assertEquals(frameBytes({ type: "x" }), undefined);
});

Deno.test("textOf() and bytesJson() take no bytes for text that are not", () => {
  for (const bytes of [[0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff]]) {
    assertEquals(textOf(Uint8Array.from(bytes)), undefined);
    assertEquals(Object.keys(bytesJson(Uint8Array.from(bytes))), ["base64"]);
  }
});

Deno.test("what is written for people has nothing in it that steers a terminal", () => {
  const random = new Random(29);
  for (let i = 0; i < 1000; i++) {
    const bytes = random.bytes(random.below(20));
    const text = String.fromCharCode(...bytes);
    for (
      const shown of [
        bytesText(bytes),
        frameText(bytes),
        frameText(text),
        frameText([text, bytes]),
        frameText({ [text]: 1 }),
      ]
    ) {
      assert(
        // deno-lint-ignore no-control-regex
        !/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(shown),
        `seed ${random.seed}: ${JSON.stringify(shown)}`,
      );
    }
  }
});

Deno.test("jsonLine() is JSON, on one line, with nothing in it that steers a terminal", () => {
  const text = Array.from(
    { length: 0x2100 },
    (_, code) => String.fromCharCode(code),
  ).join("");
  const line = jsonLine({ [text]: [text, 1, null] });
  assertEquals(JSON.parse(line), { [text]: [text, 1, null] });
  assert(
    !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(line),
    JSON.stringify(line),
  );
  assert(line.includes("é"));
});

Deno.test("frameOfJson() gives bytes back that were written as text or base64", () => {
  assertEquals<unknown>(
    frameOfJson(
      '{"a":{"text":"hé"},"b":[{"base64":"+/8="}],"c":{"text":1},"d":{"text":"a","e":1}}',
    ),
    {
      a: utf8("hé"),
      b: [Uint8Array.of(0xfb, 0xff)],
      c: { text: 1 },
      d: { text: "a", e: 1 },
    },
  );
  assertThrows(() => frameOfJson('{"base64":"***"}'), SyntaxError);
  assertThrows(() => frameOfJson("{"), SyntaxError);
});

const LINES: readonly [name: string, line: string, input: unknown][] = [
  ["text", '{"text":"a\\n"}', { kind: "text", text: "a\n" }],
  ["base64", '{"base64":"+/8="}', {
    kind: "bytes",
    bytes: Uint8Array.of(0xfb, 0xff),
  }],
  ["a value", '{"value":{"type":"x"}}', { kind: "json", json: '{"type":"x"}' }],
  ["a value that is null", '{"value":null}', { kind: "json", json: "null" }],
  ["what else is said of a frame", '{"peer":"127.0.0.1:1","text":"a"}', {
    kind: "text",
    text: "a",
  }],
  ["an object that is the frame", '{"action":"search"}', {
    kind: "json",
    json: '{"action":"search"}',
  }],
  ["a frame with a type and a value", '{"type":"bulk","value":1}', {
    kind: "json",
    json: '{"type":"bulk","value":1}',
  }],
  ["a text that is a number", '{"text":5}', {
    kind: "json",
    json: '{"text":5}',
  }],
  ["an object behind blanks", '  {"text":"a"}', { kind: "text", text: "a" }],
  ["what is no object", "[1]", { kind: "text", text: "[1]" }],
  ["nothing", "", { kind: "text", text: "" }],
];
for (const [name, line, input] of LINES) {
  Deno.test(`inputOfJson() reads ${name}`, () => {
    assertEquals<unknown>(inputOfJson(line), input);
  });
}

Deno.test("inputOfJson() refuses what begins as an object and is none", () => {
  for (const line of ["{", '{"base64":"*"}', '{"text":"a"} x']) {
    assertThrows(() => inputOfJson(line), SyntaxError);
  }
});

Deno.test("inputOfFrame() reads what --json prints", () => {
  for (
    const frame of ["hé", utf8("é"), Uint8Array.of(0xff), {
      type: "x",
      data: Uint8Array.of(0xff),
    }]
  ) {
    const printed = inputOfJson(JSON.stringify(frameJson(frame)));
    const input = inputOfFrame(frame);
    if (printed.kind === "text" && input.kind === "bytes") {
      assertEquals(utf8(printed.text), input.bytes);
    } else assertEquals(printed, input);
  }
});

Deno.test("bytesOfHex() reads digits in pairs, however they are parted", () => {
  for (
    const text of [
      "00ff0a",
      "00 ff 0a",
      "00:FF:0a",
      "0x00ff0a",
      " 00 ff\t0a ",
      "0x00 0xff 0x0a",
    ]
  ) {
    assertEquals(bytesOfHex(text), Uint8Array.of(0, 255, 10), text);
  }
  assertEquals(bytesOfHex(""), new Uint8Array());
  for (const text of ["0", "0g", "00,ff", "é", "\x1b[2J"]) {
    const error = assertThrows(() => bytesOfHex(text), SyntaxError);
    assert(!error.message.includes("\x1b"), error.message);
    assert(
      error.message.startsWith(
        "Cannot read hexadecimal digits: they must come in pairs",
      ),
      error.message,
    );
  }
});
