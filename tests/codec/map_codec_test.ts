/**
 * Another value in the same frame.
 *
 * @module
 */

import {
  type Codec,
  encodeFrame,
  fixedLength,
  FrameDecoder,
  FrameTooLargeError,
  lengthPrefixed,
  MalformedFrameError,
  mapCodec,
  netstring,
  typed,
  untilClose,
} from "@framewire/framewire";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { outcomes } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

/** Numbers of one digit; what is none is handled by `fault`. */
function digits(fault: (digit: string) => number | undefined): Codec<number> {
  return mapCodec<Uint8Array<ArrayBuffer>, Uint8Array, number, number>(
    fixedLength(1),
    {
      decode([code]) {
        const digit = String.fromCharCode(code);
        const value = /\d/.test(digit) ? Number(digit) : fault(digit);
        // `undefined` is what the type forbids and a careless mapping does.
        return JSON.parse(JSON.stringify({ value })).value;
      },
      encode(value) {
        if (value > 9) throw new RangeError("Cannot write more than one digit");
        return raw(String(value));
      },
    },
  );
}

Deno.test("mapCodec() changes the values and not the cut", () => {
  const codec = digits(() => 0);
  assertEquals(outcomes(codec, [raw("01"), raw("2")]), [
    "=0",
    "=1",
    "=2",
    "end",
  ]);
  assertEquals(encodeFrame(codec, 7), raw("7"));
});

Deno.test("mapCodec() reports what decode throws, and goes on behind the frame", () => {
  const cause = new Error("x is no digit");
  const decoder = new FrameDecoder(digits(() => {
    throw cause;
  }));
  decoder.push(raw("1x2"));
  assertEquals(decoder.next(), 1);
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals(error.message, "Cannot decode frame: x is no digit");
  assertStrictEquals(error.cause, cause);
  assertEquals([error.offset, error.recoverable], [1, true]);
  assertEquals(error.preview, raw("x"));
  assertEquals(decoder.next(), 2);
});

Deno.test("mapCodec() shows the payload of a frame that has a tag", () => {
  const codec = mapCodec(typed({ length: 3 }), {
    decode(): string {
      throw new RangeError("no");
    },
    encode: () => ({ tag: 1, payload: raw("abc") }),
  });
  const decoder = new FrameDecoder(codec);
  decoder.push(encodeFrame(codec, ""));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals(error.preview, raw("abc"));
});

Deno.test("mapCodec() reports what decode throws that is no error", () => {
  const decoder = new FrameDecoder(digits((digit) => {
    throw digit;
  }));
  decoder.push(raw("x"));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals([error.message, error.cause], ["Cannot decode frame: x", "x"]);
});

Deno.test("mapCodec() passes on a FramingError that decode throws", () => {
  const fault = new FrameTooLargeError("Too much", { length: 2, limit: 1 });
  const decoder = new FrameDecoder(digits(() => {
    throw fault;
  }));
  decoder.push(raw("x1"));
  for (let i = 0; i < 2; i++) {
    const error = assertThrows(() => decoder.next(), FrameTooLargeError);
    assertStrictEquals(error, fault);
  }
});

Deno.test("mapCodec() refuses a mapping that makes undefined of a frame", () => {
  const decoder = new FrameDecoder(digits(() => undefined));
  decoder.push(raw("x"));
  assertThrows(
    () => decoder.next(),
    TypeError,
    "Cannot decode frame: decode returned undefined",
  );
});

Deno.test("mapCodec() lets the caller see what encode throws", () => {
  assertThrows(
    () => encodeFrame(digits(() => 0), 10),
    RangeError,
    "Cannot write more than one digit",
  );
});

Deno.test("mapCodec() has a say at the end of the stream only if its codec has", () => {
  const mapping = {
    decode: (frame: Uint8Array) => frame.length,
    encode: (length: number) => new Uint8Array(length),
  };
  assertEquals(mapCodec(fixedLength(2), mapping).decodeEnd, undefined);
  const counted = mapCodec(untilClose(), mapping);
  assertEquals(outcomes(counted, [raw("abc")]), ["=3", "end"]);
});

Deno.test("mapCodec() maps what was mapped, and errors say what they know", () => {
  const lengths = mapCodec(
    mapCodec(netstring(), {
      decode: (frame) => frame.length,
      encode: (length: number) => new Uint8Array(length),
    }),
    {
      decode(length) {
        if (length > 1) throw new RangeError("too many");
        return length === 1;
      },
      encode: (one: boolean) => one ? 1 : 0,
    },
  );
  assertEquals(
    outcomes(lengths, [raw("1:a,2:ab,0:,")]),
    ["=true", "malformed, goes on at 4", "=false", "end"],
  );
  assertEquals(encodeFrame(lengths, true), raw("1:\0,"));
});

Deno.test("mapCodec() leaves out the body of a frame that its decode refuses", () => {
  const bodies = lengthPrefixed({
    width: 1,
    maxFrameLength: 2,
    maxBodyLength: 9,
  });
  for (const cause of [new Error("too large"), Object.create(null)]) {
    const codec = mapCodec(bodies, {
      decode(frame) {
        if (frame instanceof Uint8Array) return frame;
        throw cause;
      },
      encode: (frame: Uint8Array) => frame,
    });
    const decoder = new FrameDecoder(codec);
    decoder.push(raw("\x03ab"));
    const error = assertThrows(() => decoder.next(), MalformedFrameError);
    assertEquals(error.recoverable, true);
    decoder.push(raw("c\x01d"));
    assertEquals(decoder.next(), raw("d"));
  }
});
