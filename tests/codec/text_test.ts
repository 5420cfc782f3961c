/**
 * Frames of text in UTF-8.
 *
 * @module
 */

import {
  ByteSink,
  encodeFrame,
  fixedLength,
  FrameDecoder,
  lengthPrefixed,
  MalformedFrameError,
  netstring,
  text,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { testStreams } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { raw } from "../support/wire.ts";

testStreams("text()", [
  {
    name: "goes on behind a frame that is not UTF-8",
    codec: text(netstring()),
    steps: [["1:\xff,2:\xc3\xa9,", "malformed, goes on", "=é"]],
  },
  {
    name: "refuses a character that the frame cuts in two",
    codec: text(fixedLength(1)),
    steps: [["\xc3\xa9", "malformed, goes on", "malformed, goes on at 1"]],
  },
  {
    name: "leaves a byte order mark where it is",
    codec: text(lengthPrefixed({ width: 1 })),
    steps: [["\x04\xef\xbb\xbfa", "=\ufeffa"]],
  },
]);

testEncoding("text()", [
  {
    name: "writes UTF-8",
    codec: text(netstring()),
    frame: "né",
    wire: "3:n\xc3\xa9,",
  },
  {
    name: "refuses half a surrogate pair",
    codec: text(netstring()),
    frame: "a\ud83d",
    fault: [
      TypeError,
      "Cannot write frame: the text has half a surrogate pair, which UTF-8 cannot hold",
    ],
  },
  {
    name: "refuses what is no text",
    codec: text(netstring()),
    // As it may come from JSON, about which the compiler knows nothing.
    frame: JSON.parse("5"),
    fault: [
      TypeError,
      "Cannot write frame: it must be a string: it is of type number",
    ],
  },
]);

Deno.test("text() shows the frame that is not UTF-8", () => {
  const decoder = new FrameDecoder(text(netstring()));
  decoder.push(raw("40:" + "\xff".repeat(40) + ","));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals(error.preview, new Uint8Array(32).fill(0xff));
  assertEquals(error.recoverable, true);
});

Deno.test("text() writes to no memory that a frame before it has", () => {
  const codec = text(lengthPrefixed({ width: 2 }));
  const out = new ByteSink({ keepFrom: 1 }); // keeps the memory that the texts lie in
  const decoder = new FrameDecoder(codec);
  const random = new Random(1);
  const frames = Array.from(
    { length: 2000 },
    (_, i) => `${i} é`.repeat(random.below(400)),
  );
  for (const frame of frames) codec.encode(frame, out);
  decoder.push(out.bytes());
  for (const frame of frames) assertEquals(decoder.next(), frame);
});

Deno.test("text() goes on when a codec has given the memory of its frame away", () => {
  const lengths: number[] = [];
  const codec = text({
    decode: () => undefined,
    encode(frame) {
      lengths.push(frame.length);
      if (frame.buffer instanceof ArrayBuffer) frame.buffer.transfer();
    },
  });
  for (const frame of ["", "", "", "ab", "é"]) encodeFrame(codec, frame);
  assertEquals(lengths, [0, 0, 0, 2, 2]);
});
