/**
 * Frames that a delimiter ends.
 *
 * @module
 */

import {
  ByteSink,
  delimited,
  type DelimitedOptions,
  encodeFrame,
  FrameBody,
  FrameDecoder,
  FrameTooLargeError,
  text,
  TruncatedFrameError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertGreater,
  assertLess,
  assertThrows,
} from "@std/assert";
import { equals } from "@std/bytes";
import { testEncoding } from "../support/encoding.ts";
import { outcomes, testStreams } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { byteByByte, raw, unraw } from "../support/wire.ts";

const CRLF = "\r\n";

testStreams("delimited()", [
  { name: "has no frame in nothing", codec: delimited(CRLF), steps: [] },
  {
    name: "takes a carriage return for content until the line feed has come",
    codec: delimited(CRLF),
    steps: [["a\r"], ["\nb\r\n", "=a", "=b"]],
  },
  {
    name: "keeps delimiters at the end of frames",
    codec: delimited(CRLF, { include: "suffix" }),
    steps: [["a\r"], ["\nb\r\n", "=a\r\n", "=b\r\n"]],
  },
  {
    name: "keeps delimiters at the beginning of frames",
    codec: delimited("CRLF", { include: "prefix" }),
    steps: [["aCR"], ["L"], ["Fb", "=a"]],
    end: ["=CRLFb", "end"],
  },
  {
    name:
      "yields an empty frame with a delimiter before it when another begins",
    codec: delimited("|", { include: "prefix" }),
    steps: [["|"], ["|a", "=|"], ["||", "=|a", "=|"]],
    end: ["=|", "end"],
  },
  {
    name:
      "yields an empty frame between two delimiters, and none behind the last",
    codec: delimited(";"),
    steps: [
      [";ab;fg;hn;j", "=", "=ab", "=fg", "=hn"],
      ["k;lr;op;rt;;", "=jk", "=lr", "=op", "=rt", "="],
    ],
  },
  {
    name: "finds a delimiter that overlaps its own beginning",
    codec: delimited("AAB", { tail: "emit" }),
    steps: [["AAABA", "=A"]],
    end: ["=A", "end"],
  },
  {
    name: "finds a delimiter that begins twice",
    codec: delimited("1213", { tail: "emit" }),
    steps: [["121213", "=12"], ["12131", "="]],
    end: ["=1", "end"],
  },
  {
    name: "finds a delimiter that repeats itself",
    codec: delimited("abab", { tail: "emit" }),
    steps: [["aabab", "=a"], ["ababab", "="]],
    end: ["=ab", "end"],
  },
  {
    name: "ends frames with any of several delimiters",
    codec: delimited([",", ";", "\n", "\r"], { tail: "emit" }),
    steps: [[
      "chunk 1,chunk 2;chunk 3\n\r",
      "=chunk 1",
      "=chunk 2",
      "=chunk 3",
      "=",
    ]],
  },
  {
    name: "takes the longest of several delimiters",
    codec: delimited(["\n", CRLF]),
    steps: [["first\r\nsecond\nthird", "=first", "=second"]],
    end: ["truncated: 5, third at 14"],
  },
  {
    name: "waits while a longer delimiter may come",
    codec: delimited(["\r", CRLF]),
    steps: [["a\r"], ["b", "=a"], ["\r"], ["\n", "=b"], ["\r"], ["\r", "="]],
    end: ["=", "end"],
  },
  {
    name: "waits while an earlier delimiter may come",
    codec: delimited(["abcd", "c"]),
    steps: [["xab"], ["c"], ["d", "=x"], ["abc"], ["e", "=ab"], ["c", "=e"]],
  },
  {
    name: "takes what a longer delimiter leaves when the stream ends",
    codec: delimited(["abcd", "c"]),
    steps: [["xabc"]],
    end: ["=xab", "end"],
  },
  {
    name: "does not count the beginning of a delimiter as content",
    codec: delimited(CRLF, { maxFrameLength: 4 }),
    steps: [["abcd\r"], ["\n", "=abcd"]],
  },
  {
    name: "counts the beginning of a delimiter once it is none",
    codec: delimited(CRLF, { maxFrameLength: 4 }),
    steps: [["abcd\r"], ["x", "too large: 5 > 4"]],
  },
  {
    name: "takes frames at the limit, and no longer ones",
    codec: delimited("\n", { maxFrameLength: 1 }),
    steps: [["a\nb\n\nc\nd\n", "=a", "=b", "=", "=c", "=d"], [
      "ab\n",
      "too large: 2 > 1 at 9",
    ]],
  },
  {
    name:
      "refuses a frame as soon as it is too long, without waiting for its end",
    codec: delimited("\n", { maxFrameLength: 2 }),
    steps: [["aa"], ["A", "too large: 3 > 2"]],
  },
  {
    name: "counts neither the delimiter kept before a frame nor the one behind",
    codec: delimited("::", { include: "prefix", maxFrameLength: 2 }),
    steps: [["::ab:"], [":", "=::ab"], ["cde", "too large: 3 > 2 at 4"]],
  },
  {
    name: "takes what has no delimiter for truncated",
    codec: delimited("\n"),
    steps: [["I have no end"]],
    end: ["truncated: 13, I have no end"],
  },
  {
    name: "takes half a delimiter at the end for truncated, at the limit too",
    codec: delimited(CRLF, { maxFrameLength: 4 }),
    steps: [["abcd\r"]],
    end: ["truncated: 5, abcd\r"],
  },
  {
    name: "yields what has no delimiter if told to",
    codec: delimited("\n", { tail: "emit" }),
    steps: [["I have no end"]],
    end: ["=I have no end", "end"],
  },
  {
    name: "counts half a delimiter at the end if that is the last frame's",
    codec: delimited(CRLF, { tail: "emit", maxFrameLength: 4 }),
    steps: [["abcd\r"]],
    end: ["too large: 5 > 4"],
  },
  {
    name: "leaves out a frame, and reports it at its delimiter",
    codec: delimited("\0", { maxFrameLength: 1, onOversize: "skip" }),
    steps: [
      ["\x01\x02"],
      ["\0", "left out: 2 > 1"],
      ["A\0", "=A"],
      ["\x01\x02"],
      ["\0", "left out: 2 > 1 at 5"],
      ["A\0", "=A"],
    ],
  },
  {
    name: "reports the whole length of a frame left out, once",
    codec: delimited(CRLF, { maxFrameLength: 1, onOversize: "skip" }),
    steps: [["aa"], ["a"], ["aaa\r"], ["a\r"], [
      "\na\r\n",
      "left out: 8 > 1",
      "=a",
    ]],
  },
  {
    name: "leaves out a frame that came with its delimiter",
    codec: delimited("\n", { maxFrameLength: 1, onOversize: "skip" }),
    steps: [["abc\nd\n", "left out: 3 > 1", "=d"]],
  },
  {
    name: "waits with leaving out while a longer delimiter may come",
    codec: delimited(["\r", CRLF], { maxFrameLength: 1, onOversize: "skip" }),
    steps: [["abc\r"], ["\nd\r", "left out: 3 > 1"]],
    end: ["=d", "end"],
  },
  {
    name: "leaves out up to a delimiter that the stream's end makes one",
    codec: delimited(["\r", CRLF], { maxFrameLength: 1, onOversize: "skip" }),
    steps: [["abc\r"]],
    end: ["left out: 3 > 1", "end"],
  },
  {
    name: "leaves out a frame with a delimiter before it, up to the next",
    codec: delimited("::", {
      include: "prefix",
      maxFrameLength: 1,
      onOversize: "skip",
    }),
    steps: [["::abc:"], [":d", "left out: 3 > 1"]],
    end: ["=::d", "end"],
  },
  {
    name: "leaves out a last frame without a delimiter",
    codec: delimited(CRLF, {
      tail: "emit",
      maxFrameLength: 1,
      onOversize: "skip",
    }),
    steps: [["a\r\nabc\r", "=a"]],
    end: ["left out: 4 > 1 at 3", "end"],
  },
  {
    name: "leaves out a last frame that half a delimiter makes too long",
    codec: delimited(CRLF, {
      tail: "emit",
      maxFrameLength: 1,
      onOversize: "skip",
    }),
    steps: [["a\r"]],
    end: ["left out: 2 > 1", "end"],
  },
  {
    name:
      "leaves out a last frame that only the stream's end shows to be too long",
    codec: delimited(["ab", "abcdef"], {
      include: "prefix",
      maxFrameLength: 1,
      onOversize: "skip",
    }),
    steps: [["abcde"]],
    end: ["left out: 3 > 1", "end"],
  },
  {
    name: "notices that the stream ended inside a frame that it leaves out",
    codec: delimited(CRLF, { maxFrameLength: 1, onOversize: "skip" }),
    steps: [["abc\r"]],
    end: ["truncated: 1, \r at 3"],
  },
]);

testEncoding("delimited()", [
  {
    name: "writes the delimiter behind a frame",
    codec: delimited(CRLF),
    frame: raw("a\rb"),
    wire: "a\rb\r\n",
  },
  {
    name: "writes the first delimiter of its list",
    codec: delimited([";", ","]),
    frame: raw("a"),
    wire: "a;",
  },
  {
    name: "writes no delimiter that is the beginning of another",
    codec: delimited(["\r", "\n", CRLF]),
    frame: raw("a"),
    wire: "a\n",
  },
  {
    name: "writes a delimiter that is in the list twice",
    codec: delimited([";", ";"]),
    frame: raw("a"),
    wire: "a;",
  },
  {
    name: "refuses a frame with a delimiter in it",
    codec: delimited(CRLF),
    frame: raw("a\r\nb"),
    fault: [
      RangeError,
      String
        .raw`Cannot write frame: it has the delimiter b'\r\n' in it, which is added when it is written`,
    ],
  },
  {
    name: "refuses a frame with another delimiter of the list in it",
    codec: delimited([";", ","]),
    frame: raw("a,b"),
    fault: [RangeError, "it has the delimiter b',' in it"],
  },
  {
    name: "refuses a frame whose last bytes make an earlier delimiter",
    codec: delimited("aa"),
    frame: raw("xa"),
    fault: [RangeError, "make another one"],
  },
  {
    name: "writes a frame whose last bytes only begin a delimiter",
    codec: delimited("AAB"),
    frame: raw("xAA"),
    wire: "xAAAAB",
  },
  {
    name: "refuses a frame whose last bytes make a longer delimiter",
    codec: delimited(["\n", CRLF]),
    frame: raw("a\r"),
    fault: [RangeError, "make another one"],
  },
  {
    name: "refuses a frame that the next one could make end earlier",
    codec: delimited([CRLF, "ab\r\nzz"]),
    frame: raw("ab"),
    fault: [RangeError, "make another one"],
  },
  {
    name: "refuses a frame over the limit",
    codec: delimited("\n", { maxFrameLength: 2 }),
    frame: raw("abc"),
    fault: [RangeError, "length 3 exceeds maxFrameLength of 2 bytes"],
  },
  {
    name:
      "writes a frame that brings its delimiter, which the limit does not count",
    codec: delimited(CRLF, { include: "suffix", maxFrameLength: 2 }),
    frame: raw("ab\r\n"),
    wire: "ab\r\n",
  },
  {
    name: "refuses a frame that does not bring its delimiter",
    codec: delimited(CRLF, { include: "suffix" }),
    frame: raw("ab\r"),
    fault: [
      RangeError,
      "Cannot write frame: it must end with a delimiter and have no other",
    ],
  },
  {
    name: "refuses a frame that brings two delimiters",
    codec: delimited(CRLF, { include: "suffix" }),
    frame: raw("a\r\nb\r\n"),
    fault: [RangeError, "must end with a delimiter and have no other"],
  },
  {
    name: "refuses a frame whose delimiter the next one could make longer",
    codec: delimited(["\r", CRLF], { include: "suffix" }),
    frame: raw("a\r"),
    fault: [RangeError, "must end with a delimiter and have no other"],
  },
  {
    name: "writes a frame that begins with its delimiter",
    codec: delimited(["::", "||"], { include: "prefix", maxFrameLength: 2 }),
    frame: raw("||ab"),
    wire: "||ab",
  },
  {
    name: "refuses a frame that does not begin with its delimiter",
    codec: delimited("::", { include: "prefix" }),
    frame: raw("ab"),
    fault: [RangeError, "Cannot write frame: it must begin with a delimiter"],
  },
  {
    name: "refuses a frame that begins with one delimiter and has another",
    codec: delimited("::", { include: "prefix" }),
    frame: raw("::ab::"),
    fault: [RangeError, "Cannot write frame: it has the delimiter b'::' in it"],
  },
  {
    name:
      "refuses a frame that any delimiter of the next one could end earlier",
    codec: delimited([CRLF, "\n"], { include: "prefix" }),
    frame: raw("\nab\r"),
    fault: [RangeError, "make another one"],
  },
]);

Deno.test("delimited() cuts content that looks like the beginning of a delimiter", () => {
  for (const delimiter of ["\n", CRLF, "FOO", "aab"]) {
    const beginnings = Array.from(
      delimiter,
      (_, length) => delimiter.slice(0, length),
    );
    const contents = [...beginnings, "foo", "hello world"];
    for (const first of contents) {
      for (const second of contents) {
        const content = first + second;
        const end = content + delimiter;
        const index = end.indexOf(delimiter);
        if (index < content.length) continue;
        const stream = raw(end + "x" + delimiter);
        const expected = [`=${content}`, "=x", "end"];
        for (let cut = 0; cut <= stream.length; cut++) {
          const chunks = [stream.subarray(0, cut), stream.subarray(cut)];
          assertEquals(outcomes(delimited(delimiter), chunks), expected);
        }
      }
    }
  }
});

Deno.test("delimited() writes just those frames that are read again, whatever comes behind them", () => {
  const sets = [
    ["\n"],
    [CRLF],
    ["\n", CRLF],
    [CRLF, "\n"],
    [",", ";"],
    ["aab"],
    ["b", "ab", "aab"],
    ["ab", "\rb"],
  ];
  for (const delimiters of sets) {
    const alphabet = raw(delimiters.join("") + "x");
    const behind = [[], ...Array.from(alphabet, (byte) => [byte])];
    const codec = delimited(delimiters);
    const end = encodeFrame(codec, raw(""));
    let refused = 0;
    for (let seed = 0; seed < 500; seed++) {
      const random = new Random(seed);
      const frame = random.bytes(random.below(7), alphabet);
      const isRead = behind.every((next) => {
        const decoder = new FrameDecoder(codec);
        decoder.push(Uint8Array.from([...frame, ...end, ...next]));
        return equals(decoder.next() ?? raw("none"), frame);
      });
      const name = `${JSON.stringify(delimiters)}, seed ${seed}`;
      if (isRead) {
        const wire = Uint8Array.from([...frame, ...end]);
        assertEquals(encodeFrame(codec, frame), wire, name);
      } else {
        refused++;
        assertThrows(() => encodeFrame(codec, frame), RangeError, "", name);
      }
    }
    assertGreater(refused, 10);
  }
});

Deno.test("delimited() finds a delimiter of three hundred bytes", () => {
  const delimiter = new Uint8Array(300).fill(7);
  delimiter[299] = 8;
  for (const options of [{}, { include: "suffix" } as const]) {
    const codec = delimited(delimiter, options);
    const ended = [...raw("a"), 7, 7, ...delimiter];
    const frame = new Uint8Array(options.include ? ended : ended.slice(0, 3));
    const decoder = new FrameDecoder(codec);
    for (const byte of byteByByte(encodeFrame(codec, frame))) {
      assertEquals(decoder.next(), undefined);
      decoder.push(byte);
    }
    assertEquals(decoder.next(), frame);
    assertEquals(decoder.end(), undefined);
  }
});

Deno.test("delimited() keeps its delimiters when the caller changes the bytes", () => {
  const delimiter = raw("\n");
  const codec = delimited(delimiter);
  delimiter[0] = 0;
  assertEquals(outcomes(codec, [raw("a\n")]), ["=a", "end"]);
});

Deno.test("delimited() says in its error what the frame had reached", () => {
  const decoder = new FrameDecoder(delimited("\n", { maxFrameLength: 2 }));
  decoder.push(raw("a\n\0\0\0\0"));
  assertEquals(unraw(decoder.next() ?? new Uint8Array()), "a");
  const error = assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals(
    error.message,
    "Cannot read frame: a length of at least 3 exceeds maxFrameLength of 2 bytes",
  );
  assertEquals(error.preview, new Uint8Array(3));
});

/** How many bytes a search has looked at when `total` bytes without an end come in short chunks. */
function bytesSearched(
  delimiter: string | string[],
  content: string,
  total: number,
  options: DelimitedOptions = {},
): number {
  const codec = delimited(delimiter, { maxFrameLength: 2 * total, ...options });
  let searched = 0;
  const decoder = new FrameDecoder({
    ...codec,
    decode(received) {
      const before = received.searched;
      const frame = codec.decode(received);
      searched += received.length - before;
      return frame;
    },
  });
  const chunk = raw(content.repeat(Math.ceil(1460 / content.length)));
  for (let sent = 0; sent < total; sent += chunk.length) {
    decoder.push(chunk.slice());
    decoder.next();
  }
  return searched;
}

Deno.test("delimited() looks at each byte a fixed number of times while no delimiter comes", () => {
  const total = 1024 * 1024;
  for (
    const [delimiter, content] of [
      ["\n", "x"],
      [CRLF, "x\r"],
      ["aab", "a"],
      ["abab", "aba "],
      [["\r", CRLF], "\n\n"],
    ] as const
  ) {
    const searched = bytesSearched(
      typeof delimiter === "string" ? delimiter : [...delimiter],
      content,
      total,
    );
    assertLess(searched, 1.1 * total, `${delimiter}, among ${content}`);
  }
});

Deno.test("delimited() holds nothing of a frame that it leaves out but half a delimiter", () => {
  const total = 1024 * 1024;
  const decoder = new FrameDecoder(
    delimited("aab", { maxFrameLength: 10, onOversize: "skip" }),
  );
  for (let sent = 0; sent < total; sent += 1024) {
    decoder.push(raw("a".repeat(1024)));
    assertEquals(decoder.next(), undefined);
    assertEquals(decoder.buffered, 2);
  }
  decoder.push(raw("bxaab"));
  const error = assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals([error.length, error.offset], [total - 2, 0]);
  assertEquals(decoder.next(), raw("x"));
});

Deno.test("delimited() does not end cleanly behind half of a frame that it leaves out", () => {
  const decoder = new FrameDecoder(
    text(delimited(["\n", "\n--boundary--\n"], {
      maxFrameLength: 5,
      onOversize: "skip",
    })),
  );
  decoder.push(raw("one\n--bound"));
  assertEquals(decoder.next(), undefined);
  assertEquals(decoder.end(), "one");
  assertThrows(() => decoder.end(), TruncatedFrameError);
});

Deno.test("delimited() refuses a frame whose own delimiter the next one makes longer", () => {
  const codec = delimited(["\n", "\n\n"], { include: "prefix" });
  assertThrows(() => encodeFrame(codec, raw("\n")), RangeError);
  const other = delimited(["c", "caac"], { include: "prefix" });
  assertThrows(() => encodeFrame(other, raw("caa")), RangeError);
});

Deno.test("delimited() refuses what it cannot look for delimiters in", () => {
  const body = new FrameBody(1, [raw(",")]);
  for (const delimiters of ["\n", CRLF, [",", ";"]]) {
    // As it may come from JSON, about which the compiler knows nothing.
    for (const frame of [...JSON.parse('["a,b", 5, null, {}, []]'), body]) {
      const out = new ByteSink();
      const codec: { encode(frame: unknown, out: ByteSink): void } = delimited(
        delimiters,
      );
      assertThrows(() => codec.encode(frame, out), TypeError);
      assertEquals(out.length, 0);
    }
  }
});
