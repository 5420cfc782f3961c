/**
 * Frames that announce their length in binary.
 *
 * @module
 */

import {
  ByteSink,
  encodeFrame,
  FrameBody,
  FrameDecoder,
  FrameTooLargeError,
  lengthPrefixed,
  MalformedFrameError,
  type StreamedLengthPrefixedOptions,
  TruncatedFrameError,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { outcomes, testStreams } from "../support/outcomes.ts";
import { byteByByte, hex, raw, unraw } from "../support/wire.ts";

const NINE = "\0\0\0\x09abcdefghi";
const THREE = "\0\0\0\x03123";
const ELEVEN = "\0\0\0\x0bhello world";

testStreams("lengthPrefixed()", [
  { name: "has no frame in nothing", codec: lengthPrefixed(), steps: [] },
  {
    name: "reads a frame",
    codec: lengthPrefixed(),
    steps: [[NINE, "=abcdefghi"]],
  },
  {
    name: "reads a little-endian length",
    codec: lengthPrefixed({ byteOrder: "little" }),
    steps: [["\x09\0\0\0abcdefghi", "=abcdefghi"]],
  },
  {
    name: "reads all frames of one chunk, in order",
    codec: lengthPrefixed(),
    steps: [[NINE + THREE + ELEVEN, "=abcdefghi", "=123", "=hello world"]],
  },
  {
    name: "puts a frame together that came in pieces",
    codec: lengthPrefixed(),
    steps: [["\0\0"], ["\0\x09abc"], ["defghi", "=abcdefghi"]],
  },
  {
    name: "yields frames as their last bytes come, not before and not later",
    codec: lengthPrefixed(),
    steps: [
      ["\0\0"],
      ["\0\x09abc"],
      [""],
      ["defghi", "=abcdefghi"],
      ["\0\0\0\x0312"],
      ["3\0\0\0\x0bhello world", "=123", "=hello world"],
    ],
  },
  {
    name: "notices that the stream ended inside a length",
    codec: lengthPrefixed(),
    steps: [["\0\0"]],
    end: ["truncated: 2 of 4"],
  },
  {
    name: "notices that the stream ended inside a payload, and gives the part",
    codec: lengthPrefixed(),
    steps: [["\0\0\0\x09ab"], ["cd"]],
    end: ["truncated: 8 of 13, abcd"],
  },
  {
    name: "notices that the stream ended right behind a length",
    codec: lengthPrefixed(),
    steps: [[THREE, "=123"], ["\0\0\0\x09"]],
    end: ["truncated: 4 of 13 at 7"],
  },
  {
    name: "refuses a length over the limit before the payload has come",
    codec: lengthPrefixed({ maxFrameLength: 5 }),
    steps: [["\0\0\0"], ["\x09", "too large: 9 > 5"]],
  },
  {
    name: "takes exactly the limit, and no byte more",
    codec: lengthPrefixed({ maxFrameLength: 3 }),
    steps: [[THREE, "=123"], ["\0\0\0\x04", "too large: 4 > 3 at 7"]],
  },
  {
    name: "reads a length of one byte",
    codec: lengthPrefixed({ width: 1 }),
    steps: [["\x09abcdefghi", "=abcdefghi"]],
  },
  {
    name: "reads a length of three bytes",
    codec: lengthPrefixed({ width: 3 }),
    steps: [["\0\0\x0bhello world", "=hello world"]],
  },
  {
    name: "reads a length of eight bytes",
    codec: lengthPrefixed({ width: 8 }),
    steps: [["\0\0\0\0\0\0\0\x0bhello world", "=hello world"]],
  },
  {
    name: "reads a length behind other bytes",
    codec: lengthPrefixed({ width: 2, offset: 4 }),
    steps: [["zzzz\0\x09abcdefghi", "=abcdefghi"]],
  },
  {
    name: "hands the header out if it is not to be stripped",
    codec: lengthPrefixed({ width: 2, offset: 2, strip: 0 }),
    steps: [[
      "xx\0\x09abcdefghiyy\0\x03123zz\0\x0bhello world",
      "=xx\0\x09abcdefghi",
      "=yy\0\x03123",
      "=zz\0\x0bhello world",
    ]],
  },
  {
    name: "reads a length that leaves a part of the frame out of count",
    codec: lengthPrefixed({ width: 2, adjustment: 4, strip: 0 }),
    steps: [["\0\x05flaghello", "=\0\x05flaghello"]],
  },
  {
    name: "strips a byte that stands between length and payload",
    codec: lengthPrefixed({ width: 3, strip: 4 }),
    steps: [["\0\0\x0c\x0cHello world", "=Hello world"]],
  },
  {
    name: "reads a length that counts itself by an adjustment",
    codec: lengthPrefixed({ width: 2, adjustment: -2 }),
    steps: [[
      "\0\x0babcdefghi\0\x05123\0\x0dhello world",
      "=abcdefghi",
      "=123",
      "=hello world",
    ]],
  },
  {
    name: "reads a length that counts itself by includesHeader",
    codec: lengthPrefixed({ width: 2, includesHeader: true }),
    steps: [[
      "\0\x0babcdefghi\0\x05123\0\x0dhello world\0\x02",
      "=abcdefghi",
      "=123",
      "=hello world",
      "=",
    ]],
  },
  {
    name: "refuses a length that counts itself and is too small for that",
    codec: lengthPrefixed({ width: 2, includesHeader: true }),
    steps: [["\0\x02", "="], ["\0\x01", "malformed at 2"]],
  },
  {
    name: "refuses an adjusted length below zero",
    codec: lengthPrefixed({ width: 1, adjustment: -3 }),
    steps: [["\x03", "="], ["\x02", "malformed at 1"]],
  },
  {
    name: "refuses a length that does not cover what is to be stripped",
    codec: lengthPrefixed({ width: 1, strip: 4 }),
    steps: [["\x03\0\0\0", "="], ["\x02", "malformed at 4"]],
  },
  {
    name: "takes a length for unsigned, little-endian too",
    codec: lengthPrefixed({ byteOrder: "little" }),
    steps: [["\xfc\xff\xff\xff", "too large: 4294967292 > 1048576"]],
  },
  {
    name: "yields empty frames around a real one",
    codec: lengthPrefixed(),
    steps: [["\0\0\0\0", "="], ["\0\0\0\x01*\0\0\0\0", "=*", "="]],
  },
  {
    name:
      "leaves out an oversize frame and reads the next one of the same chunk",
    codec: lengthPrefixed({ maxFrameLength: 16, onOversize: "skip" }),
    steps: [[
      "\0\0\0\x20" + "x".repeat(32) + "\0\0\0\x01a",
      "left out: 32 > 16",
      "=a",
    ]],
  },
  {
    name:
      "leaves out an oversize frame over several chunks, and reports it once",
    codec: lengthPrefixed({ maxFrameLength: 16, onOversize: "skip" }),
    steps: [
      ["\0\0\0\x20" + "x".repeat(10), "left out: 32 > 16"],
      ["x".repeat(22) + "\0\0\0\x01a", "=a"],
      ["\0\0\0\x11", "left out: 17 > 16 at 41"],
      ["x".repeat(17)],
      ["\0\0\0\0", "="],
    ],
  },
  {
    name: "reports each of several oversize frames",
    codec: lengthPrefixed({ width: 1, maxFrameLength: 1, onOversize: "skip" }),
    steps: [
      ["\x02", "left out: 2 > 1"],
      ["xx\x01A", "=A"],
      ["\x02xx\x03xxx", "left out: 2 > 1 at 5", "left out: 3 > 1 at 8"],
      ["\x01B", "=B"],
    ],
  },
  {
    name: "counts a header that is handed out when it leaves out a frame",
    codec: lengthPrefixed({
      width: 1,
      includesHeader: true,
      strip: 0,
      maxFrameLength: 3,
      onOversize: "skip",
    }),
    steps: [["\x04abc\x03ab", "left out: 4 > 3", "=\x03ab"]],
  },
  {
    name: "notices that the stream ended inside a frame that it leaves out",
    codec: lengthPrefixed({ width: 1, maxFrameLength: 1, onOversize: "skip" }),
    steps: [["\x05abc", "left out: 5 > 1"]],
    end: ["truncated: 0 at 4"],
  },
  {
    name: "reads on to the end of a frame left out that is the last",
    codec: lengthPrefixed({ width: 1, maxFrameLength: 1, onOversize: "skip" }),
    steps: [["\x03a", "left out: 3 > 1"], ["bc"]],
  },
]);

testEncoding("lengthPrefixed()", [
  {
    name: "writes a length in network byte order",
    codec: lengthPrefixed(),
    frame: raw("A"),
    wire: "\0\0\0\x01A",
  },
  {
    name: "writes a length that counts itself",
    codec: lengthPrefixed({ includesHeader: true }),
    frame: raw("A"),
    wire: "\0\0\0\x05A",
  },
  {
    name: "writes a length that counts less than what follows",
    codec: lengthPrefixed({ adjustment: 1 }),
    frame: raw("A"),
    wire: "\0\0\0\0A",
  },
  {
    name: "refuses a frame whose adjusted length is below zero",
    codec: lengthPrefixed({ adjustment: 2 }),
    frame: raw("A"),
    fault: [RangeError, "would be announced as -1, which 4 bytes cannot say"],
  },
  {
    name: "writes a length that counts more than what follows",
    codec: lengthPrefixed({ adjustment: -2 }),
    frame: raw("abcdefghi"),
    wire: "\0\0\0\x0babcdefghi",
  },
  {
    name: "writes zeros for header bytes that it knows nothing of",
    codec: lengthPrefixed({ width: 2, offset: 1, adjustment: 2, strip: 5 }),
    frame: raw("hi"),
    wire: "\0\0\x02\0\0hi",
  },
  {
    name: "sets the length in a header that the frame brings along",
    codec: lengthPrefixed({ width: 2, offset: 1, adjustment: 2, strip: 0 }),
    frame: raw("t??flhi"),
    wire: "t\0\x02flhi",
  },
  {
    name: "sets the length in a header that the frame brings in part",
    codec: lengthPrefixed({ width: 2, offset: 2, strip: 3 }),
    frame: raw("?hi"),
    wire: "\0\0\0\x02hi",
  },
  {
    name: "refuses a frame too short for the header that it must bring",
    codec: lengthPrefixed({ width: 2, offset: 1, strip: 0 }),
    frame: raw("ab"),
    fault: [RangeError, "cannot say"],
  },
  {
    name: "refuses a frame over the limit",
    codec: lengthPrefixed({ maxFrameLength: 5 }),
    frame: raw("hello!"),
    fault: [
      RangeError,
      "Cannot write frame: length 6 exceeds maxFrameLength of 5 bytes",
    ],
  },
  {
    name: "refuses a frame longer than its length can say",
    codec: lengthPrefixed({ width: 1 }),
    frame: new Uint8Array(256),
    fault: [
      RangeError,
      "length 256 exceeds 255 bytes, the most that a width of 1 can say",
    ],
  },
]);

Deno.test("lengthPrefixed() knows the largest payload of an adjusted length", () => {
  for (const [adjustment, largest] of [[-1, 254], [0, 255], [1, 256]]) {
    const codec = lengthPrefixed({ width: 1, adjustment });
    const wire = encodeFrame(codec, new Uint8Array(largest));
    assertEquals([wire[0], wire.length], [0xff, 1 + largest]);
    assertThrows(
      () => encodeFrame(codec, new Uint8Array(largest + 1)),
      RangeError,
    );
  }
});

Deno.test("lengthPrefixed() lays frames out behind whatever is there", () => {
  for (const before of [1023, 1024, 65_535, 65_536]) {
    const out = new ByteSink();
    out.write(new Uint8Array(before));
    lengthPrefixed().encode(raw("hi"), out);
    assertEquals(unraw(out.bytes().subarray(before)), "\0\0\0\x02hi");
  }
});

Deno.test("lengthPrefixed() sets the length of a frame that the sink keeps as it is", () => {
  const out = new ByteSink({ keepFrom: 4 });
  const frame = raw("head??payload");
  lengthPrefixed({ width: 2, offset: 4, strip: 0 }).encode(frame, out);
  assertEquals(unraw(out.bytes()), "head\0\x07payload");
  assertEquals(unraw(frame), "head??payload");
});

Deno.test("lengthPrefixed() says in its errors what was found and allowed", () => {
  const decoder = new FrameDecoder(lengthPrefixed({ maxFrameLength: 5 }));
  decoder.push(hex("00 89 54 40"));
  const large = assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals(
    large.message,
    "Cannot read frame: length 9000000 exceeds maxFrameLength of 5 bytes",
  );
  assertEquals(large.preview, hex("00 89 54 40"));

  const counting = new FrameDecoder(lengthPrefixed({ includesHeader: true }));
  counting.push(hex("00 00 00 03"));
  const small = assertThrows(() => counting.next(), MalformedFrameError);
  assertEquals(
    small.message,
    "Cannot read frame: announced length 3 is less than the frame's header",
  );

  const ended = new FrameDecoder(lengthPrefixed());
  ended.push(hex("00 00 00 09 61 62"));
  assertEquals(ended.next(), undefined);
  const cut = assertThrows(() => ended.end(), TruncatedFrameError);
  assertEquals(
    cut.message,
    "Cannot read frame: stream ended after 6 of 13 bytes",
  );
});

Deno.test("lengthPrefixed() says how many bytes it needs", () => {
  for (
    const [width, wire, needed] of [
      [1, "05 01 02 03 04", 6],
      [4, "00 00 00 05 01 02 03 04", 9],
      [4, "00 00", 4],
    ] as const
  ) {
    const decoder = new FrameDecoder(lengthPrefixed({ width }));
    decoder.push(hex(wire));
    assertEquals(decoder.next(), undefined);
    assertEquals(decoder.needed, needed);
  }
});

Deno.test("lengthPrefixed() reads ten thousand empty frames of one chunk", () => {
  const decoder = new FrameDecoder(lengthPrefixed());
  decoder.push(new Uint8Array(40_000));
  let count = 0;
  while (decoder.next() !== undefined) count++;
  assertEquals([count, decoder.buffered], [10_000, 0]);
});

Deno.test("lengthPrefixed() is tried a fixed number of times, however a frame is cut", () => {
  const codec = lengthPrefixed();
  for (const length of [10, 1000, 65_536]) {
    let calls = 0;
    const decoder = new FrameDecoder({
      ...codec,
      decode(received) {
        calls++;
        return codec.decode(received);
      },
    });
    const wire = encodeFrame(codec, new Uint8Array(length));
    let frames = 0;
    for (const byte of byteByByte(wire)) {
      decoder.push(byte);
      if (decoder.next() !== undefined) frames++;
    }
    // Once for the first byte, once for the length, once for the frame.
    assertEquals([frames, calls], [1, 3]);
  }
});

Deno.test("lengthPrefixed() notices the loss of the last byte, whatever its layout", () => {
  for (const width of [1, 2, 3, 4, 8] as const) {
    for (const byteOrder of ["big", "little"] as const) {
      for (const offset of [0, 3]) {
        for (const includesHeader of [false, true]) {
          const codec = lengthPrefixed({
            width,
            byteOrder,
            offset,
            includesHeader,
          });
          const wire = encodeFrame(codec, raw("hello"));
          const total = offset + width + 5;
          assertEquals(outcomes(codec, [wire, wire]), [
            "=hello",
            "=hello",
            "end",
          ]);
          assertEquals(
            outcomes(codec, [wire, wire.subarray(0, -1)]),
            ["=hello", `truncated: ${total - 1} of ${total}, hell at ${total}`],
          );
        }
      }
    }
  }
});

Deno.test("lengthPrefixed() with maxBodyLength refuses options that cannot work together", () => {
  const refused: [StreamedLengthPrefixedOptions, string][] = [
    [{ maxFrameLength: 10, maxBodyLength: 9 }, "a whole number from 10 to"],
    [{ width: 1, maxBodyLength: 256 }, "a whole number from 255 to 255"],
    [
      { strip: 3, maxFrameLength: 9, maxBodyLength: 99 },
      "strip must be at least 4",
    ],
  ];
  for (const [options, message] of refused) {
    assertThrows(() => lengthPrefixed(options), RangeError, message);
  }
});

Deno.test("lengthPrefixed() with maxBodyLength lays out bodies of any length, and long bytes too", () => {
  const codec = lengthPrefixed({
    width: 1,
    offset: 1,
    maxFrameLength: 2,
    maxBodyLength: 5,
  });
  assertEquals(unraw(encodeFrame(codec, raw("hello"))), "\0\x05hello");
  const out = new ByteSink();
  codec.encode(new FrameBody(1, []), out);
  codec.encode(raw("a"), out);
  assertEquals([out.length, out.bodyLength], [6, 1]);
  assertEquals(unraw(out.takeChunk() ?? raw("")), "\0\x01");
  assertEquals(out.takeBody()?.length, 1);
  assertEquals(unraw(out.takeChunk() ?? raw("")), "\0\x01a");
  for (const frame of [raw("hello!"), new FrameBody(6, [])]) {
    assertThrows(
      () => codec.encode(frame, out),
      RangeError,
      "length 6 exceeds maxBodyLength of 5 bytes",
    );
  }
});
