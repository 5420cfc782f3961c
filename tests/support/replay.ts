/**
 * Recorded traffic, put through a codec in every way in which it can be cut.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Capture, sentBy, type Side } from "./capture.ts";
import { outcomes, type ReadCodec } from "./outcomes.ts";
import { byteByByte } from "./wire.ts";

/**
 * Gives a codec what one side sent: whole, in the chunks in which it came, byte by byte, and cut in two at every
 * place. The same must come of it each time.
 *
 * @returns What came of it, in the words of `outcomes`.
 */
export function replay(
  codec: ReadCodec,
  side: Side,
  capture: Capture,
): string[] {
  const stream = sentBy(side, capture);
  const expected = outcomes(codec, [stream]);
  const chunks = capture.chunks.filter(([from]) => from === side)
    .map(([, bytes]) => bytes);
  assertEquals(outcomes(codec, chunks), expected, "as recorded");
  assertEquals(outcomes(codec, byteByByte(stream)), expected, "byte by byte");
  for (let i = 1; i < stream.length; i++) {
    const parts = [stream.subarray(0, i), stream.subarray(i)];
    assertEquals(outcomes(codec, parts), expected, `cut at ${i}`);
  }
  return expected;
}
