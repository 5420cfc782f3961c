/**
 * What codecs lay out, as tables.
 *
 * @module
 */

import { ByteSink, type Codec, encodeFrame } from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { raw, unraw } from "./wire.ts";

/** A frame, and its wire or the error that refuses it. */
export interface EncodeCase<W> {
  /** What the codec does, as the end of the test's name. */
  name: string;
  /** The codec. */
  codec: Codec<unknown, W>;
  /** What it is given. */
  frame: W;
  /** What it lays out, a character for a byte. */
  wire?: string;
  /** How it refuses. */
  fault?: readonly [new (message: string) => Error, string];
}

/** Checks that a codec lays a frame out as it should, or refuses it and leaves what was there before. */
export function testEncoding<W>(
  subject: string,
  cases: readonly EncodeCase<W>[],
): void {
  for (const { name, codec, frame, wire, fault } of cases) {
    Deno.test(`${subject} ${name}`, () => {
      const out = new ByteSink();
      out.write(raw("before"));
      if (fault === undefined) {
        assertEquals(unraw(encodeFrame(codec, frame)), wire);
        codec.encode(frame, out);
        assertEquals(unraw(out.bytes()), "before" + wire);
        return;
      }
      assertThrows(() => codec.encode(frame, out), ...fault);
      assertEquals(unraw(out.bytes()), "before");
      assertThrows(() => encodeFrame(codec, frame), ...fault);
    });
  }
}
