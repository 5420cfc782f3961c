/**
 * The protocol of Redis.
 *
 * @module
 */

import { encodeFrame, FrameDecoder, FramingError } from "@framewire/framewire";
import {
  resp,
  type RespBytes,
  type RespCommand,
  type RespNull,
  type RespPair,
  type RespValue,
} from "@framewire/framewire/protocols";
import { checkCodec, type CodecSample } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import { readCapture } from "../support/capture.ts";
import { type EncodeCase, testEncoding } from "../support/encoding.ts";
import { type Fate, fuzz } from "../support/fuzzing.ts";
import { testStreams } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { replay } from "../support/replay.ts";
import { raw } from "../support/wire.ts";

type Written = RespCommand | RespValue<RespBytes>;

/** Enough for each kind of fault to come up many times. */
const INPUTS = 20_000;

/** Lines as on the wire: a space stands for a line end. */
function wire(text: string): string {
  return text.replaceAll(" ", "\r\n") + "\r\n";
}

function simple(value: string): RespValue {
  return { type: "simple", value };
}

function bulk(text: string): RespValue {
  return { type: "bulk", value: raw(text) };
}

function integer(value: number | bigint): RespValue {
  return { type: "integer", value };
}

function array(...value: RespValue[]): RespValue {
  return { type: "array", value };
}

/** Arrays in each other, with a value in the innermost. */
function nested(depth: number, innermost: RespValue): RespValue {
  return depth === 0 ? innermost : array(nested(depth - 1, innermost));
}

const NULL: RespNull = { type: "null", value: null };
const pair: RespPair = [simple("k"), integer(1)];

const samples: CodecSample<RespValue>[] = [
  { frame: simple("OK"), wire: "+OK\r\n" },
  { frame: simple(""), wire: "+\r\n" },
  { frame: simple("n\u00e9"), wire: "+n\u00e9\r\n" },
  { frame: { type: "error", value: "ERR no" }, wire: "-ERR no\r\n" },
  { frame: { type: "error", value: "A\r\nb" }, wire: "!4\r\nA\r\nb\r\n" },
  {
    frame: { type: "error", value: "ERR no" },
    wire: "!6\r\nERR no\r\n",
    canonical: false,
  },
  { frame: integer(0), wire: ":0\r\n" },
  { frame: integer(-12), wire: ":-12\r\n" },
  { frame: integer(12), wire: ":+12\r\n", canonical: false },
  { frame: integer(2 ** 53 - 1), wire: ":9007199254740991\r\n" },
  { frame: integer(2n ** 53n), wire: ":9007199254740992\r\n" },
  { frame: integer(-(2n ** 63n)), wire: ":-9223372036854775808\r\n" },
  { frame: bulk("a\r\n$1"), wire: "$5\r\na\r\n$1\r\n" },
  { frame: bulk(""), wire: "$0\r\n\r\n" },
  { frame: { ...NULL, of: "bulk" }, wire: "$-1\r\n" },
  { frame: { ...NULL, of: "array" }, wire: "*-1\r\n" },
  { frame: NULL, wire: "_\r\n" },
  { frame: { type: "boolean", value: true }, wire: "#t\r\n" },
  { frame: { type: "boolean", value: false }, wire: "#f\r\n" },
  { frame: { type: "double", value: 1.5 }, wire: ",1.5\r\n" },
  { frame: { type: "double", value: 10 }, wire: ",10\r\n" },
  { frame: { type: "double", value: -0 }, wire: ",-0\r\n" },
  { frame: { type: "double", value: 1e300 }, wire: ",1e+300\r\n" },
  {
    frame: { type: "double", value: 1e20 },
    wire: ",+1.0E20\r\n",
    canonical: false,
  },
  { frame: { type: "double", value: Infinity }, wire: ",inf\r\n" },
  { frame: { type: "double", value: -Infinity }, wire: ",-inf\r\n" },
  { frame: { type: "double", value: NaN }, wire: ",nan\r\n" },
  {
    frame: { type: "double", value: NaN },
    wire: ",-nan\r\n",
    canonical: false,
  },
  {
    frame: { type: "bigNumber", value: -(10n ** 40n) },
    wire: `(-1${"0".repeat(40)}\r\n`,
  },
  {
    frame: { type: "verbatim", format: "txt", value: raw("a\n") },
    wire: "=6\r\ntxt:a\n\r\n",
  },
  {
    frame: { type: "verbatim", format: "mkd", value: raw("") },
    wire: "=4\r\nmkd:\r\n",
  },
  { frame: array(), wire: "*0\r\n" },
  { frame: array(bulk("a"), NULL), wire: "*2\r\n$1\r\na\r\n_\r\n" },
  { frame: { type: "set", value: [integer(1)] }, wire: "~1\r\n:1\r\n" },
  { frame: { type: "push", value: [simple("m")] }, wire: ">1\r\n+m\r\n" },
  { frame: { type: "map", value: [] }, wire: "%0\r\n" },
  {
    frame: { type: "map", value: [pair, [array(integer(2)), NULL]] },
    wire: wire("%2 +k :1 *1 :2 _"),
  },
  { frame: nested(5, integer(7)), wire: wire("*1 *1 *1 *1 *1 :7") },
  {
    frame: array(array(), array(integer(1), array()), integer(2)),
    wire: wire("*3 *0 *2 :1 *0 :2"),
  },
  {
    frame: { ...simple("OK"), attributes: [pair] },
    wire: wire("|1 +k :1 +OK"),
  },
  {
    frame: array({ ...integer(2), attributes: [pair] }, integer(3)),
    wire: wire("*2 |1 +k :1 :2 :3"),
  },
  {
    frame: {
      ...integer(2),
      attributes: [[{ ...simple("a"), attributes: [pair] }, array()], pair],
    },
    wire: wire("|2 |1 +k :1 +a *0 +k :1 :2"),
  },
  {
    frame: { ...integer(2), attributes: [pair, pair] },
    wire: wire("|1 +k :1 |1 +k :1 :2"),
    canonical: false,
  },
  { frame: bulk("hello"), wire: wire("$? ;4 hell ;1 o ;0"), canonical: false },
  { frame: bulk(""), wire: wire("$? ;0"), canonical: false },
  { frame: array(), wire: wire("*? ."), canonical: false },
  {
    frame: array(integer(1), array(bulk("ab"), integer(2)), integer(3)),
    wire: wire("*? :1 *? $? ;2 ab ;0 :2 . :3 ."),
    canonical: false,
  },
  {
    frame: { type: "set", value: [{ ...integer(1), attributes: [pair] }] },
    wire: wire("~? |1 +k :1 :1 ."),
    canonical: false,
  },
  {
    frame: { type: "map", value: [pair, pair] },
    wire: wire("%? +k :1 +k :1 ."),
    canonical: false,
  },
];

/** What is wrong, up to the byte that shows it, and what is said of it. */
const MALFORMED: readonly (readonly [string, string])[] = [
  ["PING\r\n", "a value must begin with a type: it begins with b'P'"],
  [" ", "a value must begin with a type: it begins with b' '"],
  [
    "GET / HTTP/1.1\r\n",
    "a value must begin with a type: it begins with b'G': the bytes b'GET ' look like HTTP",
  ],
  [
    "*1\r\nx",
    "a value must begin with a type: it begins with b'x' at 4",
  ],
  [
    "$05\r",
    "a length must be at most 15 digits and CR LF: it is b'$05'",
  ],
  ["$-2", "a length must be at most 15 digits and CR LF: it is b'$-2'"],
  ["$+1", "a length must be at most 15 digits and CR LF: it is b'$+'"],
  [
    "$\r",
    String.raw`a length must be at most 15 digits and CR LF: it is b'$\r'`,
  ],
  [
    "$5\n",
    String.raw`a length must be at most 15 digits and CR LF: it is b'$5\n'`,
  ],
  ["*5\rx", "CR LF must end what ends at 2: it has b'x'"],
  [
    "$1234567890123456",
    "a length must be at most 15 digits and CR LF: it is b'$1234567890123456'",
  ],
  ["%-1", "a length must be at most 15 digits and CR LF: it is b'%-'"],
  [">?", "a length must be at most 15 digits and CR LF: it is b'>?'"],
  ["|?", "a length must be at most 15 digits and CR LF: it is b'|?'"],
  ["!?", "a length must be at most 15 digits and CR LF: it is b'!?'"],
  ["$1\r\nab", "CR LF must end what ends at 5: it has b'b'"],
  ["$1\r\na\rb", "CR LF must end what ends at 5: it has b'b'"],
  ["+a\n", "a line must end with CR LF"],
  ["+\n", "a line must end with CR LF"],
  ["+a\rb\r\n", "a line must end with CR LF"],
  [":\r\n", 'an integer cannot be ""'],
  [":1.5\r\n", 'an integer cannot be "1.5"'],
  [":01\r\n", 'an integer cannot be "01"'],
  [":- 1\r\n", 'an integer cannot be "- 1"'],
  [
    ":9223372036854775808\r\n",
    'an integer cannot be "9223372036854775808"',
  ],
  ["(1e3\r\n", 'a big number cannot be "1e3"'],
  ["(\x85\r\n", String.raw`a big number cannot be "\u0085"`],
  ["(" + "1".repeat(1023), "a number is longer than 1024 bytes"],
  [",1.\r\n", 'a double cannot be "1."'],
  [",Infinity\r\n", 'a double cannot be "Infinity"'],
  ["#true\r\n", 'a boolean cannot be "true"'],
  ["_x\r\n", 'a null cannot be "x"'],
  ["=3\r\n", "a verbatim string must be at least 4 bytes: it is 3"],
  ["=5\r\ntxt,a\r\n", "a verbatim string cannot begin with b'txt,'"],
  ["*1\r\n>0\r\n", "a push is inside another value"],
  [
    ".\r\n",
    "a value must begin with a type: it begins with b'.'",
  ],
  [
    "*1\r\n.",
    "a value must begin with a type: it begins with b'.' at 4",
  ],
  [";0\r\n", "a value must begin with a type: it begins with b';'"],
  [
    "$?\r\n$1",
    "a value must begin with a type: it begins with b'$' at 4",
  ],
  ["%?\r\n+k\r\n.", "the value of a key must come before the end at 8"],
  ["*?\r\n|0\r\n.", "a value must come before the end at 8"],
  ["*?\r\n.x", "CR LF must end what ends at 5: it has b'x'"],
];

/** With at most 50 bytes, a depth of 5, and 6 elements. */
const TOO_LARGE: readonly (readonly [string, string])[] = [
  ["$44\r\n", "a length of at least 51 exceeds maxFrameLength of 50 bytes"],
  [
    "$999999999999999\r\n",
    "a length of at least 1000000000000019 exceeds maxFrameLength of 50 bytes",
  ],
  [
    "+" + "x".repeat(49),
    "a length of at least 51 exceeds maxFrameLength of 50 bytes",
  ],
  [
    "(" + "1".repeat(49),
    "a length of at least 51 exceeds maxFrameLength of 50 bytes",
  ],
  [
    "*2\r\n$20\r\n12345678901234567890\r\n$20\r\n",
    "a length of at least 58 exceeds maxFrameLength of 50 bytes",
  ],
  [
    "*2\r\n$30\r\n123456789012345678901234567890\r\n*4\r\n",
    "a length of at least 57 exceeds maxFrameLength of 50 bytes",
  ],
  [
    "*7\r\n",
    "element count 7 exceeds maxElements of 6 elements",
  ],
  [
    "%4\r\n",
    "element count 8 exceeds maxElements of 6 elements",
  ],
  [
    "*3\r\n*4\r\n",
    "element count 7 exceeds maxElements of 6 elements",
  ],
  [
    "*?\r\n" + "_\r\n".repeat(7),
    "element count 7 exceeds maxElements of 6 elements",
  ],
  [
    "*1\r\n".repeat(6),
    "depth 6 exceeds maxDepth of 5 levels",
  ],
  [
    "*?\r\n".repeat(6),
    "depth 6 exceeds maxDepth of 5 levels",
  ],
  [
    "*1\r\n".repeat(5) + "|1\r\n",
    "depth 6 exceeds maxDepth of 5 levels",
  ],
];

Deno.test("resp() keeps the contract of codecs", () => {
  const report = checkCodec(resp(), samples, {
    malformed: MALFORMED.map(([text]) => raw(text)),
  });
  assertGreater(report.cuts, 10_000);
  const small = { maxFrameLength: 50, maxDepth: 5, maxElements: 6 };
  checkCodec(resp(small), samples.slice(0, 5), {
    tooLarge: TOO_LARGE.map(([text]) => raw(text)),
  });
});

Deno.test("resp() says what is wrong, and from which bytes it knows", () => {
  const small = { maxFrameLength: 50, maxDepth: 5, maxElements: 6 };
  for (
    const [codec, faults] of [
      [resp(), MALFORMED],
      [resp(small), TOO_LARGE],
    ] as const
  ) {
    for (const [text, message] of faults) {
      const decoder = new FrameDecoder(codec);
      decoder.push(raw(text));
      const error = assertThrows(() => decoder.next(), FramingError, "", text);
      assertEquals(error.message, `Cannot read frame: ${message}`);
      assert(!error.recoverable);
    }
  }
});

testStreams("resp()", [
  {
    name: "says how much of a string is missing",
    codec: resp(),
    steps: [["$5\r\nhel"]],
    end: ["truncated: 7 of 10, hel"],
  },
  {
    name: "does not know how long a line will be",
    codec: resp(),
    steps: [["+hel"]],
    end: ["truncated: 4, +hel"],
  },
  {
    name: "notices that the stream ended between elements",
    codec: resp(),
    steps: [[wire("*2 :1")]],
    end: ["truncated: 8 of 9"],
  },
  {
    name: "waits for what attributes belong to",
    codec: resp(),
    steps: [["|0\r\n"], [
      "_\r\n",
      '={"type":"null","value":null,"attributes":[]}',
    ]],
  },
  {
    name: "replaces what is not UTF-8 in texts, as servers quote it in errors",
    codec: resp(),
    steps: [[
      "-ERR '\xff\xfe'\r\n",
      '={"type":"error","value":"ERR \'\ufffd\ufffd\'"}',
    ], [
      "+0123456789abcdef\xff\r\n",
      '={"type":"simple","value":"0123456789abcdef\ufffd"}',
    ]],
  },
]);

const encoded: EncodeCase<Written>[] = [
  {
    name: "lays a command out as an array of strings",
    codec: resp(),
    frame: ["SET", "k\u00e9", raw("\xff"), 1.5, -(2n ** 70n)],
    wire:
      "*5\r\n$3\r\nSET\r\n$3\r\nk\xc3\xa9\r\n$1\r\n\xff\r\n$3\r\n1.5\r\n$23\r\n-1180591620717411303424\r\n",
  },
  {
    name: "takes texts for strings",
    codec: resp(),
    frame: {
      type: "map",
      value: [[{ type: "bulk", value: "k\u00e9" }, {
        type: "verbatim",
        format: "txt",
        value: "\u00e9",
      }]],
    },
    wire: "%1\r\n$3\r\nk\xc3\xa9\r\n=6\r\ntxt:\xc3\xa9\r\n",
  },
  {
    name: "refuses a command without a name",
    codec: resp(),
    frame: [],
    fault: [RangeError, "Cannot write frame: a command must have a name"],
  },
  {
    name: "refuses a line end in a short text",
    codec: resp(),
    frame: simple("a\nb"),
    fault: [RangeError, "a simple string must not have CR or LF in it"],
  },
  {
    name: "refuses half a surrogate pair",
    codec: resp(),
    frame: ["GET", "\ud800"],
    fault: [TypeError, "half a surrogate pair"],
  },
  {
    name: "refuses an integer that is not whole",
    codec: resp(),
    frame: integer(1.5),
    fault: [
      RangeError,
      "an integer must be a whole number of 64 bits, beyond 2^53 a bigint: it is 1.5",
    ],
  },
  {
    name: "refuses an integer that a number does not hold exactly",
    codec: resp(),
    frame: integer(2 ** 53),
    fault: [RangeError, "beyond 2^53 a bigint: it is 9007199254740992"],
  },
  {
    name: "refuses an integer of more than 64 bits",
    codec: resp(),
    frame: integer(2n ** 63n),
    fault: [RangeError, "it is 9223372036854775808"],
  },
  {
    name: "writes the longest big number that it reads",
    codec: resp(),
    frame: { type: "bigNumber", value: 10n ** 1020n },
    wire: `(1${"0".repeat(1020)}\r\n`,
  },
  {
    name: "refuses a big number that it would not read",
    codec: resp(),
    frame: { type: "bigNumber", value: 10n ** 1021n },
    fault: [RangeError, "a big number takes 1022 digits"],
  },
  {
    name: "refuses a format that is not three characters",
    codec: resp(),
    frame: { type: "verbatim", format: "html", value: "" },
    fault: [RangeError, 'format must be 3 ASCII characters: it is "html"'],
  },
  {
    name: "refuses a push in another value, and takes back what came before",
    codec: resp(),
    frame: array(integer(1), { type: "push", value: [] }),
    fault: [TypeError, "a push must not be inside another value"],
  },
  {
    name: "refuses a value that is too long, all of it counted",
    codec: resp({ maxFrameLength: 10 }),
    frame: bulk("12345"),
    fault: [RangeError, "length 11 exceeds maxFrameLength of 10 bytes"],
  },
  {
    name: "writes a value as long as it may be",
    codec: resp({ maxFrameLength: 11 }),
    frame: bulk("12345"),
    wire: "$5\r\n12345\r\n",
  },
  {
    name: "refuses too many elements",
    codec: resp({ maxElements: 2 }),
    frame: array(array(integer(1), integer(2))),
    fault: [RangeError, "element count 3 exceeds maxElements of 2 elements"],
  },
  {
    name: "refuses a value that is too deep",
    codec: resp({ maxDepth: 2 }),
    frame: nested(3, NULL),
    fault: [RangeError, "depth 3 exceeds maxDepth of 2 levels"],
  },
  {
    name: "counts attributes among what lies in each other",
    codec: resp({ maxDepth: 0 }),
    frame: { ...NULL, attributes: [] },
    fault: [RangeError, "depth 1 exceeds maxDepth of 0 levels"],
  },
];
testEncoding("resp()", encoded);

Deno.test("resp() refuses to write a value that lies in itself", () => {
  const value: RespValue[] = [];
  const endless: RespValue = { type: "array", value };
  value.push(endless);
  assertThrows(
    () => encodeFrame(resp({ maxDepth: 1000 }), endless),
    RangeError,
    "depth 1001 exceeds maxDepth of 1000 levels",
  );
});

Deno.test("resp() refuses to write a value of a type that there is not", () => {
  // As from a program without types.
  const unknown = JSON.parse('{"type":"float","value":1}');
  assertThrows(
    () => encodeFrame(resp(), unknown),
    TypeError,
    'Cannot write frame: no value is of type "float"',
  );
});

Deno.test("resp() checks its options", () => {
  for (
    const [options, message] of [
      [{ maxFrameLength: -1 }, "maxFrameLength must be a whole number"],
      [{ maxDepth: 1001 }, "maxDepth must be a whole number from 0 to 1000"],
      [{ maxElements: 0.5 }, "maxElements must be a whole number from 0"],
    ] as const
  ) {
    assertThrows(() => resp(options), RangeError, message);
  }
});

Deno.test("resp() reads and writes values as deep as can be allowed", () => {
  const codec = resp({ maxDepth: 1000 });
  const value = nested(1000, bulk("deep"));
  const decoder = new FrameDecoder(codec);
  decoder.push(encodeFrame(codec, value));
  assertEquals(
    encodeFrame(codec, decoder.next() ?? NULL),
    encodeFrame(codec, value),
  );
});

Deno.test("resp() takes no memory because of what is announced", () => {
  const decoder = new FrameDecoder(
    resp({ maxFrameLength: 1e9, maxElements: 1e9 }),
  );
  decoder.push(raw("*300000000\r\n$999999\r\n"));
  assertEquals(decoder.next(), undefined);
  assertLess(decoder.room().buffer.byteLength, 100_000);
});

/** A value of any kind; the deeper, the simpler. */
function randomValue(random: Random, depth = 0): RespValue {
  const kind = random.below(depth > 3 ? 9 : 13);
  const text = () =>
    String.fromCharCode(...random.bytes(random.below(30), raw("ab \u00e9")));
  const values = () =>
    Array.from(
      { length: random.below(4) },
      () => randomValue(random, depth + 1),
    );
  const pairs = () =>
    values().map((key): RespPair => [key, randomValue(random, depth + 1)]);
  const plain = (): RespValue => {
    switch (kind) {
      case 0:
        return simple(text());
      case 1:
        return { type: "error", value: text() };
      case 2:
        return integer(random.below(1e9) - 5e8);
      case 3:
        return integer(2n ** 53n + BigInt(random.below(1e9)));
      case 4:
        return { type: "double", value: random.fraction() * 1e9 };
      case 5:
        return { type: "boolean", value: random.below(2) === 1 };
      case 6:
        return random.pick<RespValue>([
          NULL,
          { ...NULL, of: "bulk" },
          { ...NULL, of: "array" },
        ]);
      case 7:
        return { type: "bulk", value: random.bytes(random.below(40)) };
      case 8:
        return {
          type: "verbatim",
          format: "txt",
          value: random.bytes(random.below(9)),
        };
      case 9:
        return { type: "set", value: values() };
      case 10:
        return { type: "map", value: pairs() };
      default:
        return { type: "array", value: values() };
    }
  };
  const value = plain();
  if (depth < 3 && random.below(8) === 0) value.attributes = pairs();
  return value;
}

Deno.test("resp() reads random values that it wrote, cut at random", () => {
  const codec = resp();
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const values = Array.from(
      { length: 1 + random.below(5) },
      () => randomValue(random),
    );
    const decoder = new FrameDecoder(codec);
    const read: RespValue[] = [];
    const whole = values.flatMap((value) => [...encodeFrame(codec, value)]);
    for (const chunk of random.chunks(new Uint8Array(whole))) {
      decoder.push(chunk);
      let value: RespValue | undefined;
      while ((value = decoder.next()) !== undefined) read.push(value);
    }
    assertEquals(decoder.end(), undefined, `seed ${seed}`);
    assertEquals(read, values, `seed ${seed}`);
  }
});

Deno.test(`resp() meets ${INPUTS} random inputs with documented errors only`, () => {
  const wires = samples.map((sample) => raw(String(sample.wire)));
  const codecs = [
    resp(),
    resp({ maxFrameLength: 60, maxDepth: 3, maxElements: 5 }),
  ];
  const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
  for (let number = 0; number < INPUTS; number++) {
    const codec = codecs[number % codecs.length];
    fates[fuzz(number, { maker: "resp", name: "", codec, wires }, wires)]++;
  }
  const { read, refused, truncated } = fates;
  assertGreater(Math.min(read, refused, truncated), INPUTS / 50);
});

Deno.test("resp() reads what Redis and its client said, at every cut", async () => {
  const capture = await readCapture("resp");
  const typesIn = (outcomes: string[]) =>
    outcomes.map((outcome) =>
      /^={"type":"(\w+)"/.exec(outcome)?.[1] ?? outcome
    );
  const asked = typesIn(replay(resp(), "client", capture));
  assertEquals(new Set(asked), new Set(["array", "end"]));
  const answered = typesIn(replay(resp(), "server", capture));
  assertEquals(answered, [
    "null",
    "null",
    "array",
    "map",
    "null",
    "bulk",
    "map",
    "set",
    "double",
    "boolean",
    "bigNumber",
    "verbatim",
    "push",
    "bulk",
    "integer",
    "double",
    "double",
    "double",
    "simple",
    "integer",
    "simple",
    "integer",
    "error",
    "array",
    "map",
    "simple",
    "end",
  ]);
});
