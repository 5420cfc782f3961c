/**
 * Frames that announce their length as an unsigned LEB128 number.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  FrameTooLargeError,
  MalformedFrameError,
  varintPrefixed,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { outcomes, testStreams } from "../support/outcomes.ts";
import { hex, raw, unraw } from "../support/wire.ts";

const X128 = "x".repeat(128);

testStreams("varintPrefixed()", [
  {
    name: "puts a frame together that came in pieces",
    codec: varintPrefixed(),
    steps: [["\x04\x01"], ["\x01\x01"], ["\x01", "=\x01\x01\x01\x01"]],
  },
  {
    name: "puts a length together that came in pieces",
    codec: varintPrefixed(),
    steps: [["\x80"], ["\x01" + X128, "=" + X128]],
  },
  {
    name: "yields an empty frame at once",
    codec: varintPrefixed(),
    steps: [["\0", "="], ["\0\0", "=", "="]],
  },
  {
    name: "notices that the stream ended behind a length",
    codec: varintPrefixed(),
    steps: [["\x05"]],
    end: ["truncated: 1 of 6"],
  },
  {
    name: "notices that the stream ended inside a payload",
    codec: varintPrefixed(),
    steps: [["\x05a"]],
    end: ["truncated: 2 of 6, a"],
  },
  {
    name: "notices that the stream ended inside a length",
    codec: varintPrefixed(),
    steps: [["\0\x80", "="]],
    end: ["truncated: 1 of 2 at 1"],
  },
  {
    name: "refuses a length at the first byte beyond its width",
    codec: varintPrefixed(),
    steps: [["\x80\x80\x80\x80"], ["\x80", "malformed"]],
  },
  {
    name: "refuses a length beyond the width of MQTT",
    codec: varintPrefixed({ maxWidth: 4 }),
    steps: [["\x80\x80\x80"], ["\x80", "malformed"]],
  },
  {
    name: "refuses a length in more bytes than it needs",
    codec: varintPrefixed(),
    steps: [["\x81"], ["\0", "malformed"]],
  },
  {
    name: "leaves out an oversize frame, and reads on behind it",
    codec: varintPrefixed({ maxFrameLength: 2, onOversize: "skip" }),
    steps: [["\x80"], ["\x01xxx", "left out: 128 > 2"], ["x".repeat(125)], [
      "\x01a",
      "=a",
    ]],
  },
]);

testEncoding("varintPrefixed()", [
  {
    name: "writes a length in as few bytes as it needs",
    codec: varintPrefixed(),
    frame: raw(X128),
    wire: "\x80\x01" + X128,
  },
  {
    name: "refuses a frame over the limit",
    codec: varintPrefixed({ maxFrameLength: 5 }),
    frame: raw("hello!"),
    fault: [RangeError, "length 6 exceeds maxFrameLength of 5 bytes"],
  },
  {
    name: "refuses a frame longer than its length can say",
    codec: varintPrefixed({ maxWidth: 1 }),
    frame: raw(X128),
    fault: [RangeError, "length 128 exceeds maxFrameLength of 127 bytes"],
  },
]);

Deno.test("varintPrefixed() reads one frame of 2046 bytes, cut unevenly", () => {
  const payload = "p".repeat(2046);
  const wire = raw("\xfe\x0f" + payload);
  const chunks = [0, 1, 128, 728].map((start, i, starts) =>
    wire.subarray(start, starts[i + 1])
  );
  assertEquals(outcomes(varintPrefixed(), chunks), ["=" + payload, "end"]);
});

Deno.test("varintPrefixed() reads a frame of 2 MiB whose length came in two chunks", () => {
  const length = 2 ** 21;
  const decoder = new FrameDecoder(varintPrefixed({ maxFrameLength: length }));
  decoder.push(hex("80 80 80"));
  assertEquals([decoder.next(), decoder.needed], [undefined, 4]);
  decoder.push(hex("01"));
  assertEquals([decoder.next(), decoder.needed], [undefined, 4 + length]);
  decoder.push(new Uint8Array(length));
  assertEquals(decoder.next()?.length, length);
  assertEquals(decoder.end(), undefined);
});

Deno.test("varintPrefixed() writes and reads payloads about the borders of its length", () => {
  for (
    const [length, prefix] of [
      [0, "00"],
      [1, "01"],
      [127, "7f"],
      [128, "80 01"],
      [129, "81 01"],
      [255, "ff 01"],
      [256, "80 02"],
      [16_383, "ff 7f"],
      [16_384, "80 80 01"],
      [2 ** 21 - 1, "ff ff 7f"],
      [2 ** 21, "80 80 80 01"],
    ] as const
  ) {
    const codec = varintPrefixed({ maxFrameLength: 2 ** 21 });
    const wire = encodeFrame(codec, new Uint8Array(length));
    const width = hex(prefix).length;
    assertEquals(unraw(wire.subarray(0, width)), unraw(hex(prefix)));
    assertEquals(wire.length, width + length);
    const decoder = new FrameDecoder(codec);
    decoder.push(wire);
    assertEquals(decoder.next()?.length, length);
  }
});

Deno.test("varintPrefixed() reads every length that a number holds exactly", () => {
  const codec = varintPrefixed({ maxWidth: 8, maxFrameLength: 0 });
  for (const length of [1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
    const digits: number[] = [];
    for (let rest = BigInt(length); rest > 0n; rest >>= 7n) {
      digits.push(Number(rest & 0x7fn) + (rest > 0x7fn ? 0x80 : 0));
    }
    const decoder = new FrameDecoder(codec);
    decoder.push(new Uint8Array(digits));
    const error = assertThrows(() => decoder.next(), FrameTooLargeError);
    assertEquals(error.length, length);
  }
});

Deno.test("varintPrefixed() says what is wrong with a length", () => {
  for (
    const [wire, message] of [
      ["80 80 80 80 80 80 80", "length does not end within 5 bytes"],
      ["85 80 00", "length 5 takes 3 bytes and needs fewer"],
    ]
  ) {
    const decoder = new FrameDecoder(varintPrefixed());
    decoder.push(hex(wire));
    const error = assertThrows(() => decoder.next(), MalformedFrameError);
    assertEquals(error.message, `Cannot read frame: ${message}`);
  }
});
