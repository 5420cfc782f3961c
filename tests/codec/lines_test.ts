/**
 * Lines of text.
 *
 * @module
 */

import {
  ByteSink,
  type Codec,
  delimited,
  FrameDecoder,
  lines,
  MalformedFrameError,
  text,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { outcomes, testStreams } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { raw } from "../support/wire.ts";

testStreams("lines()", [
  {
    name: "reads either end of line, and a last line without one",
    codec: lines(),
    steps: [
      [
        "line 1\nline 2\r\nline 3\n\r\n\r",
        "=line 1",
        "=line 2",
        "=line 3",
        "=",
      ],
      ["k"],
    ],
    end: ["=\rk", "end"],
  },
  {
    name: "has no line in a carriage return alone at the end",
    codec: lines(),
    steps: [["a\n\r", "=a"]],
  },
  {
    name:
      "leaves a carriage return off that the stream's end cut from its line feed",
    codec: lines(),
    steps: [["y\nz\r", "=y"]],
    end: ["=z", "end"],
  },
  {
    name: "leaves only one carriage return off at the end",
    codec: lines(),
    steps: [["z\r\r"]],
    end: ["=z\r", "end"],
  },
  {
    name: "does not count that carriage return",
    codec: lines({ maxFrameLength: 4 }),
    steps: [["abcd\r"]],
    end: ["=abcd", "end"],
  },
  {
    name: "counts a carriage return that is content",
    codec: lines({ maxFrameLength: 4 }),
    steps: [["abcd\r"], ["\r", "too large: 5 > 4"]],
  },
  {
    name: "reads an empty line",
    codec: lines(),
    steps: [["\nabcna\r\n", "=", "=abcna"]],
  },
  {
    name: "reads a line that came in pieces",
    codec: lines(),
    steps: [["huu"], ["haa\r"], ["\nhuuhaa\r\n", "=huuhaa", "=huuhaa"]],
  },
  {
    name: "has no empty line behind the last line feed",
    codec: lines(),
    steps: [["abc\ndef\n", "=abc", "=def"]],
  },
  {
    name: "is not disturbed by empty chunks",
    codec: lines(),
    steps: [[""], ["abc\nd", "=abc"], [""], ["ef"], [""]],
    end: ["=def", "end"],
  },
  {
    name: "takes a last line without an end for truncated if told to",
    codec: lines({ tail: "error" }),
    steps: [["a\nb\r", "=a"]],
    end: ["truncated: 2, b\r at 2"],
  },
  {
    name: "takes a carriage return alone at the end for truncated if told to",
    codec: lines({ tail: "error" }),
    steps: [["\r"]],
    end: ["truncated: 1, \r"],
  },
  {
    name: "ends a line at a carriage return if allowed",
    codec: lines({ allowCR: true }),
    steps: [["abc\r"], ["def", "=abc"]],
    end: ["=def", "end"],
  },
  {
    name:
      "takes a carriage return and a line feed for one end, in two chunks too",
    codec: lines({ allowCR: true }),
    steps: [["a\r"], ["\nb\n\r", "=a", "=b"], ["\rc", "=", "="]],
    end: ["=c", "end"],
  },
  {
    name: "ends a line at a carriage return that is the last byte, if allowed",
    codec: lines({ allowCR: true }),
    steps: [["\r\r", "="]],
    end: ["=", "end"],
  },
  {
    name: "does not count line ends",
    codec: lines({ maxFrameLength: 6 }),
    steps: [["line 3\r"], ["\nline 4\n", "=line 3", "=line 4"]],
  },
  {
    name: "yields a line at the limit before it refuses the next",
    codec: lines({ maxFrameLength: 5 }),
    steps: [["hello"], ["\nworld", "=hello"], ["!", "too large: 6 > 5 at 6"]],
  },
  {
    name: "leaves out just the line that is too long",
    codec: lines({ maxFrameLength: 7, onOversize: "skip" }),
    steps: [
      ["1234567\n12345678\n", "=1234567", "left out: 8 > 7 at 8"],
      ["1234567\n", "=1234567"],
    ],
  },
  {
    name: "leaves out a line over several chunks, and reports it at its end",
    codec: lines({ maxFrameLength: 2, onOversize: "skip" }),
    steps: [
      ["\x00\x01\x02"],
      ["\x03\x04"],
      ["\n", "left out: 5 > 2"],
      ["5"],
      ["\n", "=5"],
    ],
  },
  {
    name: "leaves out a last line without an end",
    codec: lines({ maxFrameLength: 2, onOversize: "skip" }),
    steps: [["abc"]],
    end: ["left out: 3 > 2", "end"],
  },
  {
    name: "leaves out a last line that a carriage return ends, if allowed",
    codec: lines({ maxFrameLength: 2, onOversize: "skip", allowCR: true }),
    steps: [["abc\r"]],
    end: ["left out: 3 > 2", "end"],
  },
  {
    name: "goes on behind a line that is not UTF-8",
    codec: lines(),
    steps: [["line 1 \xc3(\n", "malformed, goes on"], [
      "line 22\n",
      "=line 22",
    ]],
  },
  {
    name: "says that a last line is not UTF-8",
    codec: lines(),
    steps: [["ok\nline 1 \xc3(", "=ok"]],
    end: ["malformed, goes on at 3", "end"],
  },
]);

testEncoding("lines()", [
  { name: "writes a line feed", codec: lines(), frame: "a", wire: "a\n" },
  {
    name: "writes the end that it was told to",
    codec: lines({ newline: "\r\n" }),
    frame: "é",
    wire: "\xc3\xa9\r\n",
  },
  {
    name: "refuses a line with a line feed in it",
    codec: lines(),
    frame: "a\nb",
    fault: [RangeError, "in it, which is added when it is written"],
  },
  {
    name: "refuses a line whose carriage return would be taken for its end",
    codec: lines(),
    frame: "a\r",
    fault: [RangeError, "make another one"],
  },
  {
    name: "writes a line that ends with a carriage return before CR LF",
    codec: lines({ newline: "\r\n" }),
    frame: "a\r",
    wire: "a\r\r\n",
  },
  {
    name: "refuses a carriage return if it ends a line",
    codec: lines({ allowCR: true }),
    frame: "a\rb",
    fault: [RangeError, "in it, which is added when it is written"],
  },
  {
    name: "counts bytes, not characters",
    codec: lines({ maxFrameLength: 3 }),
    frame: "éé",
    fault: [RangeError, "length 4 exceeds maxFrameLength of 3 bytes"],
  },
  {
    name: "refuses half a surrogate pair",
    codec: lines(),
    frame: "\ud83d",
    fault: [TypeError, "half a surrogate pair"],
  },
]);

Deno.test("lines() puts a character together that was cut in two", () => {
  const stream = new TextEncoder().encode("né 😀\n");
  for (let cut = 1; cut < stream.length; cut++) {
    const chunks = [stream.subarray(0, cut), stream.subarray(cut)];
    assertEquals(outcomes(lines(), chunks), ["=né 😀", "end"]);
  }
});

Deno.test("lines() says what is wrong with a line that is not UTF-8", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(raw("ok\nline 1 \xc3(\n"));
  assertEquals(decoder.next(), "ok");
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals(
    error.message,
    "Cannot decode frame: the bytes are not valid UTF-8",
  );
  assertEquals([error.offset, error.preview], [3, raw("line 1 \xc3(")]);
});

Deno.test("lines() leaves what follows a line left out to whoever goes on", () => {
  const decoder = new FrameDecoder(
    lines({ maxFrameLength: 3, onOversize: "skip" }),
  );
  decoder.push(raw("li"));
  assertEquals(decoder.next(), undefined);
  decoder.push(raw("ne1\nline2\n"));
  assertThrows(() => decoder.next(), "left out");
  assertEquals(decoder.takeRest(), raw("line2\n"));
});

Deno.test("lines() reads twenty thousand empty lines of one chunk", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(new Uint8Array(20_000).fill(10));
  let count = 0;
  while (decoder.next() === "") count++;
  assertEquals([count, decoder.end()], [20_000, undefined]);
});

Deno.test("lines() cuts as a delimiter and text do, whatever comes and however it is cut", () => {
  const alphabet = raw("\n\n\r\rab\xc3\xa9\xf0\x9f\x90\xb0\xff");
  for (let seed = 0; seed < 400; seed++) {
    const random = new Random(seed);
    const bytes = [...random.bytes(random.below(300), alphabet), 10];
    const chunks = random.chunks(Uint8Array.from(bytes));
    const maxFrameLength = random.pick([2, 5, 1000]);
    const onOversize = random.pick(["error", "skip"] as const);
    const limits = { maxFrameLength, onOversize };
    assertEquals(
      outcomes(lines(limits), chunks),
      outcomes(text(delimited(["\n", "\r\n"], limits)), chunks),
      `seed ${seed}`,
    );
  }
});

Deno.test("lines() writes and refuses what a delimiter and text do", () => {
  const alphabet = ["a", "b", "c", "é", "🐰", "\n", "\r", "\ud83d"];
  for (let seed = 0; seed < 2000; seed++) {
    const random = new Random(seed);
    const usual = random.below(2) === 0 ? 5 : alphabet.length;
    const units = Array.from(
      { length: random.below(12) },
      () => alphabet[random.below(usual)],
    );
    const line = units.join("").repeat(random.pick([1, 1, 1, 3000]));
    const maxFrameLength = random.pick([5, 12, 1 << 20]);
    const newline = random.pick(["\n", "\r\n"] as const);
    const allowCR = random.below(2) === 0;
    const ends = [newline, "\n", "\r\n", ...allowCR ? ["\r"] : []];
    assertEquals(
      written(lines({ newline, allowCR, maxFrameLength }), line),
      written(
        text(delimited(new Set(ends).values().toArray(), { maxFrameLength })),
        line,
      ),
      `seed ${seed}`,
    );
  }
});

/** What a codec lays out, behind something else, or the error that it throws. */
function written(codec: Codec<string>, line: string): unknown {
  const out = new ByteSink();
  out.byte(1);
  try {
    codec.encode(line, out);
    return out.bytes();
  } catch (error) {
    return String(error);
  }
}
