/**
 * The grammar of `--codec`.
 *
 * @module
 */

import { encodeFrame, FrameDecoder, FramingError } from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CODEC_NAMES,
  CodecSpecError,
  dialectOf,
} from "../../../cli/framewire/codec_names.ts";
import type { Side } from "../../../cli/framewire/dialect.ts";
import {
  frameJson,
  type Input,
  inputOfFrame,
  inputOfJson,
} from "../../../cli/framewire/values.ts";
import { Random } from "../../support/random.ts";
import { raw, unraw } from "../../support/wire.ts";

const text = (text: string): Input => ({ kind: "text", text });

/** What `from` writes of an input, a character for a byte. */
function wireOf(spec: string, input: Input, from: Side = "client"): string {
  return unraw(encodeFrame(dialectOf(spec).codec(from), input));
}

/** What is read of a wire on the other side. */
function framesOf(
  spec: string,
  wire: string,
  from: Side = "client",
): unknown[] {
  const side = from === "client" ? "server" : "client";
  const decoder = new FrameDecoder(dialectOf(spec).codec(side));
  decoder.push(raw(wire));
  const frames: unknown[] = [];
  let frame: unknown;
  while ((frame = decoder.end()) !== undefined) frames.push(frame);
  return frames;
}

/** A specification, what is typed, and its wire. */
const WIRES: readonly [spec: string, typed: string, wire: string][] = [
  ["length", "hi", "\0\0\0\x02hi"],
  ["length:1", "hi", "\x02hi"],
  ["length:2", "hi", "\0\x02hi"],
  ["length:2be", "hi", "\0\x02hi"],
  ["length:2le", "hi", "\x02\0hi"],
  ["length:3", "hi", "\0\0\x02hi"],
  ["length:8le", "hi", "\x02\0\0\0\0\0\0\0hi"],
  ["length:1,includes-header", "hi", "\x03hi"],
  ["length:1,adjust=1", "hi", "\x01hi"],
  ["length,max=64k", "hi", "\0\0\0\x02hi"],
  ["length:", "hi", "\0\0\0\x02hi"],
  ["varint", "hi", "\x02hi"],
  ["varint:2", "hi", "\x02hi"],
  ["lines", "hé", "h\xc3\xa9\n"],
  ["lines:crlf", "hi", "hi\r\n"],
  ["lines,crlf", "hi", "hi\r\n"],
  ["lines,cr,tail=error", "hi", "hi\n"],
  ["delim:;", "hi", "hi;"],
  ["delim:\\r\\n\\r\\n", "hi", "hi\r\n\r\n"],
  ["delim:\\0", "hi", "hi\0"],
  ["delim:\\t", "hi", "hi\t"],
  ["delim:\\xff\\x00", "hi", "hi\xff\0"],
  ["delim:\\,", "hi", "hi,"],
  ["delim:\\=", "hi", "hi="],
  ["delim:\\:", "hi", "hi:"],
  ["delim::", "hi", "hi:"],
  ["delim:\\\\", "hi", "hi\\"],
  ["delim:€", "hi", "hi\xe2\x82\xac"],
  ["delim:END", "hi", "hiEND"],
  ["delim:end", "hi", "hiend"],
  ["delim:\\x6beep,keep", "hikeep", "hikeep"],
  ["delim:\\n,\\r\\n", "hi", "hi\n"],
  ["delim:;,keep", "hi;", "hi;"],
  ["fixed:2", "hi", "hi"],
  ["ascii:5", "hi", "00002hi"],
  ["ascii:4,hex", "x".repeat(26), `001a${"x".repeat(26)}`],
  ["ascii:4,includes-header", "hi", "0006hi"],
  ["ascii:3,terminator=\\,", "hi", "2,hi"],
  ["ascii,terminator=:,trailer=\\n", "hi", "2:hi\n"],
  ["netstring", "hi", "2:hi,"],
  ["typed", '{"tag":7,"payload":{"text":"hi"}}', "\x07\0\0\0\x02hi"],
  ["typed:2le,length=1", '{"tag":7,"payload":{"text":"hi"}}', "\x07\0\x02hi"],
  ["header-block", "hi", "Content-Length: 2\r\n\r\nhi"],
  ["until-close", "hi", "hi"],
  ["until-close,max=3", "hi", "hi"],
  ["json-lines", '{"text": "hi"}', '{"text":"hi"}\n'],
  ["json-lines", '"hi"', '"hi"\n'],
  ["json-lines", "null", "null\n"],
  [
    "lsp",
    '{"type":"notification","method":"m","params":{"changes":[{"text":"x"}]}}',
    'Content-Length: 68\r\n\r\n{"jsonrpc":"2.0","method":"m","params":{"changes":[{"text":"x"}]}}',
  ],
  ["resp", "PING", "*1\r\n$4\r\nPING\r\n"],
  [
    "resp",
    'SET a \'b c\' "d\\"e"',
    '*4\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nb c\r\n$3\r\nd"e\r\n',
  ],
  ["resp", '["GET",{"base64":"/w=="}]', "*2\r\n$3\r\nGET\r\n$1\r\n\xff\r\n"],
  [
    "resp",
    '{"type":"integer","value":"9223372036854775807"}',
    ":9223372036854775807\r\n",
  ],
  ["resp", '{"type":"double","value":"-Infinity"}', ",-inf\r\n"],
  ["postgres", '{"type":"terminate"}', "X\0\0\0\x04"],
  ["mqtt", '{"type":"pingreq"}', "\xc0\0"],
  ["mqtt:5", '{"type":"disconnect","reasonCode":4}', "\xe0\x01\x04"],
  ["syslog", "<34>hi", "24 <13>1 - - - - - - <34>hi"],
  ["syslog,lf", "<34>hi", "<13>1 - - - - - - <34>hi\n"],
  ["git", "hi", "0006hi"],
];

for (const [spec, typed, wire] of WIRES) {
  Deno.test(`--codec ${spec} writes ${typed.slice(0, 60)}`, () => {
    assertEquals(
      wireOf(spec, text(typed)).replace(/^Content-Length: \d+/, ""),
      wire.replace(/^Content-Length: \d+/, ""),
    );
  });
}

Deno.test("what --codec writes it reads, and what it reads --json can write again", () => {
  const samples = WIRES.map(([spec, , wire]): [string, string] => [spec, wire]);
  for (const [spec, wire] of samples.filter(([spec]) => spec !== "lsp")) {
    const frames = framesOf(spec, wire);
    assertEquals(frames.length, 1, spec);
    const [frame] = frames;
    const printed = inputOfJson(JSON.stringify(frameJson(frame)));
    assertEquals(wireOf(spec, printed), wire, `--json of ${spec}`);
    assertEquals(wireOf(spec, inputOfFrame(frame)), wire, `an echo of ${spec}`);
  }
});

Deno.test("options of --codec change how frames are read", () => {
  const cases: [spec: string, wire: string, frames: unknown[]][] = [
    ["length:1,offset=1", "T\x02hi", [raw("hi")]],
    ["length:1,offset=1,strip=0", "T\x02hi", [raw("T\x02hi")]],
    ["length:1,adjust=-1", "\x03hi", [raw("hi")]],
    ["lines", "a\r\nb\nc", ["a", "b", "c"]],
    ["lines,cr", "a\rb\n", ["a", "b"]],
    ["delim:\\n,\\r\\n", "a\r\nb\n", [raw("a"), raw("b")]],
    ["delim:;,keep", "a;b;", [raw("a;"), raw("b;")]],
    ["delim:ab,cd", "1ab2cd", [raw("1"), raw("2")]],
    ["delim:;,tail=emit", "a;b", [raw("a"), raw("b")]],
    ["fixed:1k", "x".repeat(1024), [raw("x".repeat(1024))]],
    ["fixed:2", "abcd", [raw("ab"), raw("cd")]],
    ["until-close", "a\nb", [raw("a\nb")]],
  ];
  for (const [spec, wire, frames] of cases) {
    assertEquals(framesOf(spec, wire), frames, spec);
  }
});

Deno.test("max is a limit for every codec that has limits, and skip goes on behind what is longer", () => {
  for (
    const [spec, wire] of [
      ["length:1", "\x05hello"],
      ["varint", "\x05hello"],
      ["lines", "hello\n"],
      ["delim:;", "hello;"],
      ["ascii:1", "5hello"],
      ["netstring", "5:hello,"],
      ["until-close", "hello"],
      ["header-block", "Content-Length: 5\r\n\r\nhello"],
      ["git", "0009hello"],
    ]
  ) {
    assertEquals(framesOf(`${spec},max=9`, wire).length, 1, spec);
    assertThrows(
      () => framesOf(`${spec},max=4`, wire),
      FramingError,
      "4",
      spec,
    );
  }
  const decoder = new FrameDecoder(
    dialectOf("lines,max=4,skip").codec("server"),
  );
  decoder.push(raw("hello\nhi\n"));
  const error = assertThrows(() => decoder.next(), FramingError);
  assert(error.recoverable);
  assertEquals(decoder.next(), "hi");
});

Deno.test("scgi and postgres are not the same on both sides", () => {
  const request: Input = {
    kind: "json",
    json: '{"headers":{"A":"b"},"body":{"text":"hi"}}',
  };
  assertEquals(
    wireOf("scgi", request),
    "28:CONTENT_LENGTH\x002\0SCGI\x001\0A\0b\0,hi",
  );
  assertThrows(() => wireOf("scgi", request, "server"), RangeError);
  assertEquals(
    framesOf("postgres", "Z\0\0\0\x05I", "server").map((frame) =>
      frameJson(frame)
    ),
    [{ value: { type: "readyForQuery", status: "idle" } }],
  );
});

Deno.test("message takes JSON, text and what --json printed, whatever is in it", () => {
  const roundTrip = (input: Input) => {
    const wire = wireOf("message", input);
    const [frame] = framesOf("message", wire);
    assertEquals(wireOf("message", inputOfFrame(frame)), wire);
    const { value } = frameJson(frame);
    assert(typeof value === "object" && value !== null && "content" in value);
    return value.content;
  };
  const json = (json: string): Input => ({ kind: "json", json });
  assertEquals<unknown>(roundTrip(text('{"action":"search"}')), {
    action: "search",
  });
  assertEquals<unknown>(roundTrip(json('{"text":"hi"}')), { text: "hi" });
  assertEquals<unknown>(roundTrip(text("hi")), { text: "hi" });
  assertEquals<unknown>(roundTrip(text("5")), { text: "5" });
  assertEquals<unknown>(roundTrip({ kind: "bytes", bytes: raw("\xff") }), {
    base64: "/w==",
  });
});

const FAULTS: readonly [spec: string, reason: string][] = [
  ["", 'there is no codec ""; see framewire codecs'],
  ["nope", 'there is no codec "nope"; see framewire codecs'],
  [
    "lenght:4",
    'there is no codec "lenght": did you mean length?; see framewire codecs',
  ],
  [
    "Lines",
    'there is no codec "Lines": did you mean lines?; see framewire codecs',
  ],
  [
    "postgresql",
    'there is no codec "postgresql": did you mean postgres?; see framewire codecs',
  ],
  [
    "length:5",
    'codec "length:5": the width must be 1, 2, 3, 4 or 8, with le behind it for little-endian: it is "5"; see framewire codecs',
  ],
  ["length:4xe", "the width must be 1, 2, 3, 4 or 8"],
  ["length:le", "unknown option le"],
  ["length:4,4", 'unexpected "4"'],
  ["length:4,ofset=2", "unknown option ofset: did you mean offset?"],
  ["length:4,offset=2,offset=3", "offset is given twice"],
  ["length:4,offset=", "offset needs a value: offset=…"],
  ["length:4,offset", "offset needs a value: offset=…"],
  ["length:4,offset=x", 'offset must be a whole number: it is "x"'],
  ["length:4,offset=-1", "offset"],
  ["length:4,offset=1.5", 'offset must be a whole number: it is "1.5"'],
  ["length:4,includes-header=1", "includes-header takes no value"],
  [
    "length:4,max=x",
    'max must be a size of 1 B or more, such as 512, 64k or 1M: it is "x"',
  ],
  ["length:4,max=0", "max must be a size"],
  ["length:1,max=1k", "max"],
  ["varint:x", "unknown option x"],
  ["varint:0", "maxWidth"],
  ["lines:tail=cut", 'tail must be emit or error: it is "cut"'],
  ["lines:crlf,crlf", "crlf is given twice"],
  ["lines:lf", "unknown option lf"],
  ["delim", "it needs a delimiter: delim:\\r\\n"],
  ["delim:", "it needs a delimiter: delim:\\r\\n"],
  ["delim:;,kepe", "unknown option kepe: did you mean keep?"],
  ["delim:a=b", "it needs a delimiter: delim:\\r\\n"],
  ["delim:\\q", 'unknown escape "\\q"'],
  ["delim:\\", 'unknown escape "\\"'],
  ["delim:\\x1", 'unknown escape "\\x"'],
  ["fixed", "it needs a length: fixed:16"],
  ["fixed:0", "the length must be a size of 1 B or more"],
  ["fixed:4,max=3", "unknown option max"],
  ["ascii:0", ""],
  ["ascii:5,decimal", "unknown option decimal"],
  ["netstring:5", 'unexpected "5"'],
  ["typed:3x", "the width must be 1, 2, 3, 4 or 8"],
  ["typed:1,length=7", "the width must be 1, 2, 3, 4 or 8"],
  ["until-close,skip", "unknown option skip"],
  ["mqtt:3", 'the version must be 4 or 5: it is "3"'],
  ["syslog:crlf", "unknown option crlf"],
  ["lsp,max=64k,max=1k", "max is given twice"],
];
for (const [spec, reason] of FAULTS) {
  Deno.test(`--codec ${JSON.stringify(spec)} is refused: ${reason.slice(0, 60)}`, () => {
    const { message } = assertThrows(() => dialectOf(spec), CodecSpecError);
    assert(message.includes(reason), message);
    assert(message.endsWith("; see framewire codecs"), message);
    assert(message.includes(`"${spec.match(/^[^:,]*/)}`), message);
  });
}

Deno.test("every name has an example that is one, and words to it", () => {
  const names = CODEC_NAMES.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const { name, example, about, takes } of CODEC_NAMES) {
    const { spec, codec } = dialectOf(example);
    assertEquals([spec, typeof codec("client").decode], [example, "function"]);
    assert(example.startsWith(name));
    assert(about.length > 5 && about.length < 70 && !about.endsWith("."));
    assert(takes === "" || /^\[?[:,]/.test(takes), takes);
  }
});

Deno.test("every option that a name takes is documented, and every one that is documented is taken", () => {
  const VALUES: Record<string, string> = { length: "2", tail: "emit" };
  const FIRST: Record<string, string> = {
    delim: ":;",
    fixed: ":4",
    ascii: ":4",
  };
  for (const { name, takes } of CODEC_NAMES) {
    for (const [, option, value] of takes.matchAll(/,([a-z][a-z-]*)(=?)/g)) {
      const spec = `${name}${FIRST[name] ?? ""},${option}${
        value === "" ? "" : `=${VALUES[option] ?? "2"}`
      }`;
      try {
        dialectOf(spec);
      } catch (error) {
        // Not every value goes with every other; but the option is known.
        assert(error instanceof CodecSpecError, `${spec}: ${error}`);
        assert(!error.message.includes("unknown"), error.message);
      }
    }
  }
});

Deno.test("dialectOf() gives a dialect or a CodecSpecError, whatever is written", () => {
  const random = new Random(1999);
  const words = [
    ...CODEC_NAMES.map(({ name }) => name),
    ":",
    ",",
    "=",
    "\\",
    "max",
    "skip",
    "4",
    "le",
    "x",
    "-1",
    "\n",
    "\0",
    "é",
    "tail=emit",
    "1k",
  ];
  let fine = 0;
  for (let i = 0; i < 5000; i++) {
    let spec = random.pick(words);
    for (let parts = random.below(6); parts > 0; parts--) {
      spec += random.pick(words);
    }
    try {
      assertEquals(dialectOf(spec).spec, spec);
      fine++;
    } catch (error) {
      assert(
        error instanceof CodecSpecError,
        `seed ${random.seed}: ${spec}: ${error}`,
      );
    }
  }
  assert(fine > 100);
});

Deno.test("codecs write a frame or say what is wrong with it, whatever is typed", () => {
  const random = new Random(2001);
  const alphabet = raw('{}[]":,0123abctypevalu\\ \n<>\xff');
  const decoder = new TextDecoder();
  for (let i = 0; i < 3000; i++) {
    const { example } = random.pick(CODEC_NAMES);
    const bytes = random.bytes(random.below(30), alphabet);
    const input = random.pick<Input>([
      { kind: "text", text: decoder.decode(bytes) },
      { kind: "bytes", bytes },
      {
        kind: "json",
        json: random.pick([
          "null",
          "5",
          '"a"',
          "[]",
          "{}",
          '{"type":"x"}',
          '{"type":null,"value":{}}',
          '{"header":5,"content":5}',
          '{"payload":{"base64":"/w=="}}',
          "{",
        ]),
      },
    ]);
    const side = random.pick<Side>(["client", "server"]);
    try {
      encodeFrame(dialectOf(example).codec(side), input);
    } catch (error) {
      assert(
        (error instanceof TypeError || error instanceof RangeError) &&
          error.message.startsWith("Cannot write "),
        `seed ${random.seed}: ${example}: ${JSON.stringify(input)}: ${
          error instanceof Error ? error.stack : error
        }`,
      );
    }
  }
});
