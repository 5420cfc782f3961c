/**
 * JSON values, one a line.
 *
 * @module
 */

import { encodeFrame, FrameDecoder } from "@framewire/framewire";
import { jsonLines } from "@framewire/framewire/protocols";
import { checkCodec } from "@framewire/framewire/testing";
import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { readCapture } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { type Fate, fuzz } from "../support/fuzzing.ts";
import { testStreams } from "../support/outcomes.ts";
import { replay } from "../support/replay.ts";
import { raw } from "../support/wire.ts";

const INPUTS = 5_000;

const samples = [
  { frame: { a: [1, "é"] }, wire: '{"a":[1,"é"]}\n' },
  { frame: null, wire: "null\n" },
  { frame: "", wire: '""\n' },
  { frame: 0, wire: "0\n" },
  { frame: "\u2028\n", wire: '"\u2028\\n"\n' },
  // As Python writes it, and others.
  { frame: { a: [1, "é"] }, wire: '{"a": [1, "\\u00e9"]}\n', canonical: false },
  { frame: true, wire: "\ttrue \r\n", canonical: false },
];

Deno.test("jsonLines() keeps the contract of a codec", () => {
  for (const blankLines of ["error", "skip"] as const) {
    const report = checkCodec<unknown>(
      jsonLines({ maxFrameLength: 30, blankLines }),
      samples,
      {
        tooLarge: ['"' + "a".repeat(30)],
        malformed: ["{\n", "NaN\n", "'a'\n", "1 2\n", "\ufeff1\n"],
      },
    );
    assertEquals(report.samples, samples.length);
  }
  assertEquals(
    checkCodec<unknown>(jsonLines({ newline: "\r\n" }), [
      { frame: [], wire: "[]\r\n" },
    ]).samples,
    1,
  );
});

testStreams("jsonLines()", [
  {
    name: "refuses a blank line, and goes on behind it",
    codec: jsonLines(),
    steps: [
      ["\n", "malformed, goes on"],
      [" \r\n1\n", "malformed, goes on at 1", "=1"],
    ],
  },
  {
    name: "leaves blank lines out if it is told to",
    codec: jsonLines({ blankLines: "skip" }),
    steps: [
      ["\n\r\n"],
      [" \t"],
      ["\n1"],
      ["\n", "=1"],
      ["\n\n2\n\n", "=2"],
    ],
  },
  {
    name: "says where in the stream a line is that is wrong behind blank ones",
    codec: jsonLines({ blankLines: "skip" }),
    steps: [["\n\n\n{\n", "malformed, goes on at 3"], ["\n1\n", "=1"]],
  },
  {
    name: "takes half a number for a truncated line",
    codec: jsonLines(),
    steps: [["12\n12", "=12"]],
    end: ["truncated: 2, 12 at 3"],
  },
  {
    name: "takes a last line without an end for a value if it is told to",
    codec: jsonLines({ tail: "emit" }),
    steps: [["12\n12", "=12"]],
    end: ["=12", "end"],
  },
  {
    name: "leaves out a last blank line without an end",
    codec: jsonLines({ tail: "emit", blankLines: "skip" }),
    steps: [["12\n \t", "=12"]],
    end: ["end"],
  },
  {
    name:
      "leaves out blanks at the end of the stream, too, and in front of a value",
    codec: jsonLines({ blankLines: "skip", maxFrameLength: 2 }),
    steps: [["12\n   \t12\n ", "=12", "=12"]],
  },
  {
    name: "leaves out a line over the limit if it is told to",
    codec: jsonLines({ maxFrameLength: 3, onOversize: "skip" }),
    steps: [["1234\n123\n", "left out: 4 > 3", "=123"]],
  },
]);

testEncoding("jsonLines()", [
  {
    name: "writes a value of several lines in one",
    codec: jsonLines(),
    frame: { a: "1\n2" },
    wire: '{"a":"1\\n2"}\n',
  },
  {
    name: "refuses a value that JSON does not have",
    codec: jsonLines(),
    frame: undefined,
    fault: [TypeError, "JSON cannot hold a value of type undefined"],
  },
  {
    name: "refuses a line over the limit",
    codec: jsonLines({ maxFrameLength: 3 }),
    frame: 1234,
    fault: [RangeError, "length 4 exceeds maxFrameLength of 3 bytes"],
  },
]);

Deno.test("jsonLines() takes lines of 1 MiB unless told otherwise", () => {
  const value = "a".repeat(1_048_574);
  const wire = encodeFrame(jsonLines(), value);
  assertEquals(wire.length, 1_048_577);
  assertThrows(() => encodeFrame(jsonLines(), value + "a"), RangeError);
  const decoder = new FrameDecoder(jsonLines());
  decoder.push(wire);
  assertEquals(decoder.next(), value);
});

Deno.test("jsonLines() refuses options that there are not", () => {
  const options = JSON.parse('{"blankLines":"ignore"}');
  assertThrows(
    () => jsonLines(options),
    RangeError,
    'blankLines must be one of "error", "skip": it is "ignore"',
  );
});

Deno.test(`jsonLines() meets ${INPUTS} random inputs with documented errors only`, () => {
  const wires = samples.map(({ wire }) => new TextEncoder().encode(wire));
  for (const blankLines of ["error", "skip"] as const) {
    const codec = jsonLines({ blankLines, maxFrameLength: 20 });
    const fuzzed = { maker: "jsonLines", name: blankLines, codec, wires };
    const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
    for (let number = 0; number < INPUTS; number++) {
      fates[fuzz(number, fuzzed, wires)]++;
    }
    const { read, refused, truncated } = fates;

    assertGreater(Math.min(read, refused, truncated), INPUTS / 50);
  }
});

Deno.test("jsonLines() skips many blank lines in one go", () => {
  const decoder = new FrameDecoder(jsonLines({ blankLines: "skip" }));
  decoder.push(raw("\n".repeat(100_000) + "1\n"));
  assertEquals(decoder.next(), 1);
});

Deno.test("jsonLines() reads what a client and Python said, at every cut", async () => {
  const capture = await readCapture("json_lines");
  const codec = jsonLines({ blankLines: "skip" });
  assertEquals(replay(codec, "client", capture), [
    '={"a":[1.5,"é😀"]}',
    '={"a":[1.5,"é😀"]}',
    "=nan",
    "=big",
    "=half",
    "=bare",
    "=beat",
    "end",
  ]);
  assertEquals(replay(codec, "server", capture), [
    '={"a":[1.5,"é😀"]}',
    '={"a":[1.5,"é😀"]}',
    "malformed, goes on at 58",
    "=18446744073709552000",
    "=\ud83d",
    "=true",
    "=null",
    "end",
  ]);
});
