/**
 * The receiving half of a codec, without any I/O.
 *
 * @module
 */

import {
  type Codec,
  delimited,
  encodeFrame,
  fixedLength,
  FrameDecoder,
  FrameTooLargeError,
  FramingError,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  netstring,
  text,
  TruncatedFrameError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { hex, raw, unraw } from "../support/wire.ts";

/** The error that a call throws, whatever it is. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

Deno.test("FrameDecoder ends regularly if nothing came, as often as it is asked", () => {
  const decoder = new FrameDecoder(lengthPrefixed());
  for (let i = 0; i < 3; i++) {
    assertEquals([decoder.next(), decoder.end()], [undefined, undefined]);
  }
});

Deno.test("FrameDecoder yields what is buffered one by one, and then the end", () => {
  const decoder = new FrameDecoder(text(netstring()));
  decoder.push(raw("1:a,1:b,1:c,1:d,1:e,"));
  const frames: unknown[] = [];
  for (let i = 0; i < 7; i++) frames.push(decoder.end());
  assertEquals<unknown>(frames, [
    "a",
    "b",
    "c",
    "d",
    "e",
    undefined,
    undefined,
  ]);
});

Deno.test("FrameDecoder tells how much is buffered, needed and received", () => {
  const decoder = new FrameDecoder(lengthPrefixed());
  const state = () => [decoder.buffered, decoder.needed, decoder.position];
  assertEquals(state(), [0, undefined, 0]);
  decoder.push(hex("00 00"));
  assertEquals(state(), [2, undefined, 2]);
  decoder.next();
  assertEquals(state(), [2, 4, 2]);
  decoder.push(hex("00 02 61"));
  decoder.next();
  assertEquals(state(), [5, 6, 5]);
  decoder.push(hex("62 00"));
  assertEquals(decoder.next(), raw("ab"));
  assertEquals(state(), [1, undefined, 7]);
  decoder.next();
  assertEquals(state(), [1, 4, 7]);
});

Deno.test("FrameDecoder does not know what is needed before a delimiter", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(raw("abc"));
  decoder.next();
  assertEquals([decoder.buffered, decoder.needed], [3, undefined]);
});

Deno.test("FrameDecoder counts bytes that it leaves out as received", () => {
  const decoder = new FrameDecoder(
    lengthPrefixed({ width: 1, maxFrameLength: 1, onOversize: "skip" }),
  );
  decoder.push(raw("\x05ab"));
  assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals([decoder.buffered, decoder.position], [0, 3]);
  decoder.push(raw("cde\x01f"));
  assertEquals([decoder.buffered, decoder.position], [2, 8]);
  assertEquals(decoder.next(), raw("f"));
});

Deno.test("FrameDecoder takes bytes that were read into its room", () => {
  const decoder = new FrameDecoder(lines());
  const room = decoder.room();
  room.set(raw("one\ntw"));
  decoder.commit(6);
  assertEquals([decoder.next(), decoder.next()], ["one", undefined]);
  decoder.room().set(raw("o\n"));
  decoder.commit(2);
  assertEquals(decoder.next(), "two");
  decoder.room();
  assertThrows(() => decoder.commit(-1), RangeError);
});

for (
  const [fault, stream, kind] of [
    ["too large", "\xff\0\0\0", "FrameTooLargeError"],
    ["malformed", "\0\0\0\0", "MalformedFrameError"],
  ] as const
) {
  Deno.test(`FrameDecoder throws the same error again after a frame that is ${fault}`, () => {
    const codec = lengthPrefixed({ includesHeader: true });
    const decoder = new FrameDecoder(codec);
    decoder.push(raw("\0\0\0\x05a" + stream + "\0\0\0\x05b"));
    assertEquals(decoder.next(), raw("a"));
    const error = assertThrows(() => decoder.next(), FramingError);
    assertEquals([error.name, error.recoverable], [kind, false]);
    for (
      const call of [
        () => decoder.next(),
        () => decoder.end(),
        () => decoder.push(raw("x")),
        () => decoder.push(raw("")),
        () => decoder.switchCodec(codec),
        () => decoder.next(),
      ]
    ) {
      assertStrictEquals(thrownBy(call), error);
    }
    // What is there can still be had, to show or to pass on.
    assertEquals(unraw(decoder.takeRest()), stream + "\0\0\0\x05b");
  });
}

Deno.test("FrameDecoder throws the same error again after a truncated frame", () => {
  const decoder = new FrameDecoder(netstring());
  decoder.push(raw("1:a,4:ab"));
  assertEquals(decoder.end(), raw("a"));
  const error = assertThrows(() => decoder.end(), TruncatedFrameError);
  assertEquals([error.have, error.need, error.offset], [4, 6, 4]);
  assertEquals([error.partial, error.preview], [raw("ab"), raw("4:ab")]);
  assertStrictEquals(thrownBy(() => decoder.end()), error);
  assertStrictEquals(thrownBy(() => decoder.next()), error);
});

Deno.test("FrameDecoder gives a truncated frame's bytes memory of their own", () => {
  const decoder = new FrameDecoder(fixedLength(2000));
  const chunk = new Uint8Array(1000);
  decoder.push(chunk);
  const error = assertThrows(() => decoder.end(), TruncatedFrameError);
  assertNotStrictEquals(error.partial.buffer, chunk.buffer);
  assertEquals([error.partial.length, error.preview.length], [1000, 32]);
});

Deno.test("FrameDecoder throws a recoverable error once, and goes on with what is buffered", () => {
  const decoder = new FrameDecoder(text(netstring()));
  decoder.push(raw("1:\xff,1:\xff,1:a,"));
  const first = assertThrows(() => decoder.next(), MalformedFrameError);
  const second = assertThrows(() => decoder.end(), MalformedFrameError);
  assertEquals([first.offset, second.offset], [0, 4]);
  assertEquals([decoder.next(), decoder.end()], ["a", undefined]);
});

Deno.test("FrameDecoder keeps any other error that a codec throws", () => {
  const fault = new Error("Codec is broken");
  const broken: Codec<string> = {
    decode() {
      throw fault;
    },
    encode() {},
  };
  const decoder = new FrameDecoder(broken);
  decoder.push(raw("a"));
  assertStrictEquals(thrownBy(() => decoder.next()), fault);
  assertStrictEquals(thrownBy(() => decoder.push(raw("b"))), fault);

  const brokenAtEnd = new FrameDecoder({
    ...broken,
    decode: () => undefined,
    decodeEnd: (received) => broken.decode(received),
  });
  brokenAtEnd.push(raw("a"));
  assertStrictEquals(thrownBy(() => brokenAtEnd.end()), fault);
  assertStrictEquals(thrownBy(() => brokenAtEnd.next()), fault);
});

Deno.test("FrameDecoder refuses a codec that returns a frame and removes nothing for it", () => {
  const message = "the codec returned one and removed no bytes for it";
  const idle: Codec<string> = { decode: () => "", encode() {} };
  const decoder = new FrameDecoder(idle);
  decoder.push(raw("a"));
  const error = assertThrows(() => decoder.next(), TypeError, message);
  assertStrictEquals(thrownBy(() => decoder.next()), error);

  const idleAtEnd = new FrameDecoder({
    ...idle,
    decode: () => undefined,
    decodeEnd: () => "",
  });
  idleAtEnd.push(raw("a"));
  assertThrows(() => idleAtEnd.end(), TypeError, message);
});

Deno.test("FrameDecoder lets a codec drop a meaningless rest", () => {
  const decoder = new FrameDecoder<string>({
    decode: () => undefined,
    decodeEnd(received) {
      received.drop(received.length);
      return undefined;
    },
    encode() {},
  });
  decoder.push(raw("\0\0\0"));
  assertEquals([decoder.next(), decoder.end()], [undefined, undefined]);
  assertEquals(decoder.buffered, 0);
});

Deno.test("FrameDecoder takes what decodeEnd leaves for truncated", () => {
  const decoder = new FrameDecoder<string>({
    decode: () => undefined,
    decodeEnd(received) {
      received.drop(1);
      return undefined;
    },
    encode() {},
  });
  decoder.push(raw("abc"));
  const error = assertThrows(() => decoder.end(), TruncatedFrameError);
  assertEquals([error.have, error.offset], [2, 1]);
});

Deno.test("FrameDecoder asks a codec only when there are as many bytes as it needs", () => {
  const lengths: number[] = [];
  const decoder = new FrameDecoder<string>({
    decode(received) {
      lengths.push(received.length);
      if (received.length < 3) received.need(3);
      if (received.length === 3) received.need(2);
      return undefined;
    },
    encode() {},
  });
  for (const chunk of ["", "a", "b", "", "c", "", "d", "ef"]) {
    decoder.push(raw(chunk));
    decoder.next();
    decoder.next();
  }
  assertEquals(lengths, [1, 3, 4, 6]);
});

Deno.test("FrameDecoder.switchCodec() goes on behind the last frame", () => {
  const wide = lengthPrefixed({ width: 8 });
  const stream = hex("00 00 00 04 00 00 00 00 00 00 00 00 00 00 00 08");
  const rest = new Uint8Array(8).fill(7);
  for (let cut = 8; cut <= stream.length; cut++) {
    const decoder = new FrameDecoder(lengthPrefixed());
    decoder.push(stream.slice(0, cut));
    assertEquals(decoder.next()?.length, 4);
    const next = decoder.switchCodec(wide);
    assertEquals([next.next(), next.position], [undefined, cut]);
    next.push(stream.slice(cut));
    next.push(rest.slice());
    assertEquals(next.next(), rest);
    assertEquals(next.end(), undefined);
  }
});

Deno.test("FrameDecoder.switchCodec() forgets how far the codec before had searched", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(raw("one\na;b"));
  assertEquals([decoder.next(), decoder.next()], ["one", undefined]);
  const next = decoder.switchCodec(text(delimited(";")));
  assertEquals([next.next(), next.next()], ["a", undefined]);
});

Deno.test("FrameDecoder.switchCodec() forgets what else the codec before knew of the frame", () => {
  const seen: unknown[] = [];
  const searching = (name: string): Codec<string> => ({
    decode(received) {
      seen.push(received.progress);
      received.progress = name;
      return undefined;
    },
    encode() {},
  });
  const decoder = new FrameDecoder(searching("first"));
  decoder.push(raw("a"));
  decoder.next();
  decoder.push(raw("b"));
  decoder.next();
  decoder.switchCodec(searching("second")).next();
  assertEquals(seen, [undefined, "first", undefined]);
});

Deno.test("FrameDecoder.switchCodec() forgets how many bytes the codec before needed", () => {
  const decoder = new FrameDecoder(fixedLength(100));
  decoder.push(raw("1:a,"));
  assertEquals([decoder.next(), decoder.needed], [undefined, 100]);
  const next = decoder.switchCodec(netstring());
  assertEquals(next.needed, undefined);
  assertEquals(next.next(), raw("a"));
});

Deno.test("FrameDecoder.switchCodec() can set another limit for the frames to come", () => {
  const decoder = new FrameDecoder(lengthPrefixed({ width: 1 }));
  decoder.push(raw("\x09abcdefghi\x09abcdefghi"));
  assertEquals(decoder.next()?.length, 9);
  const next = decoder.switchCodec(
    lengthPrefixed({ width: 1, maxFrameLength: 5 }),
  );
  const error = assertThrows(() => next.next(), FrameTooLargeError);
  assertEquals([error.length, error.limit, error.offset], [9, 5, 10]);
});

Deno.test("FrameDecoder.switchCodec() leaves the decoder before it spent", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(raw("a\nb\n"));
  const next = decoder.switchCodec(lines());
  for (const call of [() => decoder.next(), () => decoder.push(raw("c"))]) {
    assertThrows(call, TypeError, "Cannot read frame: the codec was switched");
  }
  assertEquals([next.next(), next.next()], ["a", "b"]);
});

Deno.test("FrameDecoder.switchCodec() leaves a frame out to its end first", () => {
  const decoder = new FrameDecoder(
    lines({ maxFrameLength: 3, onOversize: "skip" }),
  );
  decoder.push(raw("too lo"));
  assertEquals(decoder.next(), undefined);
  const next = decoder.switchCodec(text(netstring()));
  next.push(raw("ng\n1:a,"));
  assertThrows(() => next.next(), FrameTooLargeError);
  assertEquals(next.next(), "a");
});

Deno.test("FrameDecoder.switchCodec() takes lines and raw bytes in turn ten thousand times", () => {
  const toLines = lines();
  const toBytes = text(fixedLength(2));
  let decoder: FrameDecoder<string> = new FrameDecoder(toLines);
  decoder.push(raw("line\nxx".repeat(10_000)));
  for (let i = 0; i < 10_000; i++) {
    assertEquals(decoder.next(), "line");
    decoder = decoder.switchCodec(toBytes);
    assertEquals(decoder.next(), "xx");
    decoder = decoder.switchCodec(toLines);
  }
  assertEquals(decoder.end(), undefined);
});

Deno.test("FrameDecoder.takeRest() hands over every byte that is part of no frame", () => {
  const decoder = new FrameDecoder(lines());
  decoder.push(raw("STARTTLS\n\x16\x03\x01"));
  assertEquals(decoder.next(), "STARTTLS");
  assertEquals(decoder.next(), undefined);
  assertEquals(decoder.takeRest(), raw("\x16\x03\x01"));
  assertEquals([decoder.buffered, decoder.takeRest().length], [0, 0]);
});

Deno.test("FrameDecoder gives frames the memory that it was told to", () => {
  const chunk = new Uint8Array(1000);
  for (
    const [frames, copied] of [
      [undefined, false],
      ["owned", false],
      ["borrowed", false],
      ["copied", true],
    ] as const
  ) {
    const decoder = new FrameDecoder(fixedLength(10), frames && { frames });
    decoder.push(chunk);
    const { buffer } = decoder.next() ?? new Uint8Array();
    assertEquals(buffer !== chunk.buffer, copied);
    assertEquals(buffer.byteLength, copied ? 10 : 1000);
  }
});

Deno.test("FrameDecoder reads ten thousand empty frames of one chunk, of any codec", () => {
  for (
    const [codec, wire] of [
      [lengthPrefixed(), "\0\0\0\0"],
      [netstring(), "0:,"],
      [delimited("\r\n"), "\r\n"],
      [delimited(["\r", "\r\n"]), "\r\n"],
      [delimited("|", { include: "prefix" }), "|"],
    ] as const
  ) {
    const decoder = new FrameDecoder(codec);
    decoder.push(raw(wire.repeat(10_000)));
    let count = 0;
    while (decoder.end() !== undefined) count++;
    assertEquals(count, 10_000);
  }
});

Deno.test("FrameDecoder keeps an error that calls itself recoverable and removed nothing", () => {
  const decoder = new FrameDecoder({
    decode() {
      throw new MalformedFrameError("Again", { recoverable: true });
    },
    encode() {},
  });
  decoder.push(raw("a"));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  // The stream has failed: more bytes do not help.
  assertStrictEquals(
    assertThrows(() => decoder.push(raw("b")), MalformedFrameError),
    error,
  );
});

Deno.test("FrameDecoder counts bytes of a large chunk that its codec does not see yet", () => {
  const decoder = new FrameDecoder(lengthPrefixed({ width: 2 }));
  const frame = new Uint8Array(1000).fill(7);
  const wire = encodeFrame(lengthPrefixed({ width: 2 }), frame);
  const stream = new Uint8Array(20 * wire.length);
  for (let i = 0; i < 20; i++) stream.set(wire, i * wire.length);
  decoder.push(stream.slice(0, 500));
  assertEquals(decoder.next(), undefined);
  decoder.push(stream.slice(500, -10));
  assertEquals(decoder.position, stream.length - 10);
  assertEquals(decoder.buffered, stream.length - 10);
  assertEquals(decoder.next(), frame);
  assertEquals(decoder.buffered, stream.length - 10 - wire.length);
  assertEquals(decoder.takeRest(), stream.slice(wire.length, -10));
});

for (const length of [100, 3000, 6000, 30_000]) {
  Deno.test(`FrameDecoder completes frames of ${length} bytes that large chunks cut anywhere`, () => {
    for (const codec of [lengthPrefixed({ width: 2 }), delimited("\r\n")]) {
      const frame = Uint8Array.from({ length }, (_, i) => 65 + i % 26);
      const wire = encodeFrame(codec, frame);
      const stream = new Uint8Array(8 * wire.length);
      for (let i = 0; i < 8; i++) stream.set(wire, i * wire.length);
      for (let held = 0; held < 12; held++) {
        const decoder = new FrameDecoder(codec);
        const cut = wire.length + held;
        let frames = 0;
        for (const chunk of [stream.slice(0, cut), stream.slice(cut)]) {
          decoder.push(chunk);
          let next: Uint8Array | undefined;
          while ((next = decoder.next()) !== undefined) {
            assertEquals(next, frame, `${held} bytes waited`);
            frames++;
          }
        }
        assertEquals([frames, decoder.end(), decoder.buffered], [
          8,
          undefined,
          0,
        ]);
      }
    }
  });
}

Deno.test("FrameDecoder reads on into its room behind a large chunk", () => {
  const codec = lengthPrefixed({ width: 2 });
  const wire = encodeFrame(codec, new Uint8Array(3000).fill(7));
  const decoder = new FrameDecoder(codec);
  decoder.push(wire.slice(0, 10));
  assertEquals(decoder.next(), undefined);
  const stream = new Uint8Array(9 * wire.length);
  for (let i = 0; i < 9; i++) stream.set(wire, i * wire.length);
  decoder.push(stream.slice(10, -1));
  decoder.room().set(wire.slice(-1));
  decoder.commit(1);
  let frames = 0;
  while (decoder.next() !== undefined) frames++;
  assertEquals([frames, decoder.end(), decoder.buffered], [9, undefined, 0]);
});
