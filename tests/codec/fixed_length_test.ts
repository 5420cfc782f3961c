/**
 * Frames that are all equally long.
 *
 * @module
 */

import { fixedLength, FrameDecoder } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { testStreams } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

testStreams("fixedLength()", [
  { name: "has no frame in nothing", codec: fixedLength(4), steps: [] },
  {
    name: "cuts frames of its length",
    codec: fixedLength(2),
    steps: [["abc", "=ab"], ["d", "=cd"], ["efgh", "=ef", "=gh"]],
  },
  {
    name: "notices bytes left that make no frame",
    codec: fixedLength(4),
    steps: [["\0\0\0\0\0", "=\0\0\0\0"]],
    end: ["truncated: 1 of 4, \0 at 4"],
  },
]);

testEncoding("fixedLength()", [
  {
    name: "writes a frame as it is",
    codec: fixedLength(2),
    frame: raw("ab"),
    wire: "ab",
  },
  {
    name: "refuses a frame of another length",
    codec: fixedLength(2),
    frame: raw("abc"),
    fault: [RangeError, "Cannot write frame: length must be 2 bytes: it is 3"],
  },
]);

Deno.test("fixedLength() reads a frame larger than a receive buffer", () => {
  const decoder = new FrameDecoder(fixedLength(32 * 1024));
  for (let i = 0; i < 32; i++) {
    assertEquals(decoder.next(), undefined);
    decoder.push(new Uint8Array(1024).fill(i));
  }
  const frame = decoder.next() ?? new Uint8Array();
  assertEquals(frame.length, 32 * 1024);
  assertEquals([frame[0], frame[1024], frame[32_767]], [0, 1, 31]);
});
