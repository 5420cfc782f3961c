/**
 * The sending half of a codec, without any I/O.
 *
 * @module
 */

import {
  asciiLength,
  ByteSink,
  type Codec,
  delimited,
  encodeFrame,
  fixedLength,
  headerBlock,
  json,
  lengthPrefixed,
  lines,
  mapCodec,
  Message,
  messages,
  netstring,
  text,
  typed,
  untilClose,
  varintPrefixed,
} from "@framewire/framewire";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { raw, unraw } from "../support/wire.ts";

Deno.test("encodeFrame() gives bytes of their own", () => {
  const payload = raw("abc");
  for (const codec of [fixedLength(3), untilClose()]) {
    const wire = encodeFrame(codec, payload);
    assertEquals(wire, payload);
    assertEquals(wire.buffer === payload.buffer, false);
    assertEquals(wire.buffer.byteLength, 3);
  }
});

Deno.test("encodeFrame() takes a frame larger than any buffer", () => {
  const wire = encodeFrame(lengthPrefixed(), new Uint8Array(1024 * 1024));
  assertEquals(wire.length, 4 + 1024 * 1024);
  assertEquals(wire.slice(0, 4), raw("\0\x10\0\0"));
});

Deno.test("encodeFrame() lets the caller see what the codec throws", () => {
  const fault = new Error("Codec is broken");
  const codec: Codec<string> = {
    decode: () => undefined,
    encode() {
      throw fault;
    },
  };
  const error = assertThrows(() => encodeFrame(codec, "a"), Error);
  assertStrictEquals(error, fault);
});

/** A codec, by what it is given, which it must refuse. */
function refuses<W>(
  codec: Codec<unknown, W>,
  frame: W,
): (out: ByteSink) => void {
  return (out) => codec.encode(frame, out);
}

Deno.test("a codec that refuses a frame leaves the send buffer as it was", () => {
  const limited = { maxFrameLength: 2 };
  const three = raw("abc");
  const faults = {
    fixedLength: refuses(fixedLength(2), three),
    delimited: refuses(delimited("\n", limited), three),
    "delimited, within": refuses(delimited("\n"), raw("a\nb")),
    lines: refuses(lines(limited), "abc"),
    lengthPrefixed: refuses(lengthPrefixed(limited), three),
    "lengthPrefixed, adjusted": refuses(
      lengthPrefixed({ adjustment: 9 }),
      three,
    ),
    varintPrefixed: refuses(varintPrefixed(limited), three),
    asciiLength: refuses(asciiLength(limited), three),
    netstring: refuses(netstring(limited), three),
    typed: refuses(typed({ length: netstring(limited) }), {
      tag: 1,
      payload: three,
    }),
    "typed, by number": refuses(typed({ length: 2 }), {
      tag: 1,
      payload: three,
    }),
    headerBlock: refuses(headerBlock(limited), three),
    untilClose: refuses(untilClose(limited), three),
    text: refuses(text(untilClose()), "\ud800"),
    json: refuses(json(lines()), undefined),
    mapCodec: refuses(
      mapCodec(typed({ length: netstring(limited) }), {
        decode: (frame) => frame,
        encode: (payload: Uint8Array) => ({ tag: 1, payload }),
      }),
      three,
    ),
    messages: refuses(messages(limited), new Message(three)),
    "messages, by header": refuses(
      messages(),
      new Message(three, { contentType: "x".repeat(70_000) }),
    ),
  };
  for (const [name, encode] of Object.entries(faults)) {
    for (const before of ["", "before", "b".repeat(40_000)]) {
      const out = new ByteSink();
      out.write(raw(before));
      assertThrows(() => encode(out), Error, "", name);
      assertEquals([unraw(out.bytes()), out.position], [before, before.length]);
    }
  }
});
