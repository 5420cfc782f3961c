/**
 * The check that any codec can be put to: it must pass what is right and find what is wrong.
 *
 * @module
 */

import {
  type BytesCodec,
  type Codec,
  delimited,
  fixedLength,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  Message,
  messages,
  netstring,
  text,
  untilClose,
} from "@framewire/framewire";
import {
  checkCodec,
  type CheckCodecOptions,
  type CodecSample,
} from "@framewire/framewire/testing";
import {
  assertEquals,
  AssertionError,
  assertIsError,
  assertThrows,
} from "@std/assert";
import { raw } from "../support/wire.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const right = lengthPrefixed({ width: 1, maxFrameLength: 9 });
const HELLO: CodecSample<Bytes> = {
  frame: raw("hello"),
  wire: raw("\x05hello"),
};
const EMPTY: CodecSample<Bytes> = { frame: raw(""), wire: "\0" };

Deno.test("checkCodec() passes a codec that keeps the contract, and counts what it did", () => {
  const report = checkCodec(right, [HELLO, EMPTY], {
    tooLarge: ["\x0a", raw("\x0a0123456789")],
  });
  assertEquals(report.samples, 2);
  // The samples of 6 bytes and 1 byte, every truncation, both together, many times, two faults, and all
  // truncations of the second.
  const cutInTwoOrThree = (length: number) =>
    3 + 2 * (length - 1) + (length - 1) * (length - 2) / 2;
  assertEquals(
    report.cuts,
    cutInTwoOrThree(6) + cutInTwoOrThree(1) + 5 + cutInTwoOrThree(7) + 1 +
      cutInTwoOrThree(6 + 1) + cutInTwoOrThree(6 + 11) + 10,
  );
  assertEquals(report.truncations, 5);
});

Deno.test("checkCodec() cuts longer samples in two only", () => {
  const count = (threeCutsUpTo: number) =>
    checkCodec(right, [HELLO], { threeCutsUpTo }).cuts;
  // Ten ways for the sample by itself, ten for all samples together, which is the same.
  assertEquals(count(6) - count(5), 20);
});

Deno.test("checkCodec() takes a sample without a wire for a round trip", () => {
  const { samples, cuts } = checkCodec(right, [{ frame: raw("hi") }]);
  assertEquals([samples, cuts > 0], [1, true]);
});

Deno.test("checkCodec() takes bytes that are read and not written this way", () => {
  checkCodec(lines(), [{ frame: "hi", wire: "hi\r\n", canonical: false }]);
});

Deno.test("checkCodec() takes a frame that goes on until the end of the stream", () => {
  const report = checkCodec(
    text(untilClose({ maxFrameLength: 5 })),
    [{ frame: "hello", wire: "hello" }, { frame: "hi", wire: "hi" }],
    { untilEnd: true, tooLarge: ["hello!"], malformed: [raw("\xff")] },
  );
  assertEquals([report.samples, report.truncations], [2, 5]);
});

Deno.test("checkCodec() takes the error of a message's header for malformed", () => {
  const sample = { frame: Message.text("hello") };
  const report = checkCodec(messages(), [sample], { malformed: ["\0\0"] });
  assertEquals(report.samples, 1);
});

/** A codec with something wrong, how the check finds it, and what it is put to. */
interface Broken {
  name: string;
  codec: BytesCodec;
  message: string;
  samples?: CodecSample<Bytes>[];
  options?: CheckCodecOptions;
}

const BROKEN: readonly Broken[] = [
  {
    name: "takes what has come for the whole frame",
    codec: {
      ...right,
      decode(received) {
        const length = Math.min(received.at(0), received.length - 1);
        received.drop(1);
        return received.take(length);
      },
    },
    message: "samples[0], byte by byte",
  },
  {
    name: "needs a byte too many",
    codec: {
      ...right,
      decode(received) {
        if (received.length < 2 + received.at(0)) return undefined;
        return right.decode(received);
      },
    },
    message: "samples[0]: decode gives another frame",
  },
  {
    name: "takes all bytes that are there",
    codec: {
      ...right,
      decode(received) {
        const frame = right.decode(received);
        if (frame !== undefined) received.drop(received.length);
        return frame;
      },
    },
    message: "all samples together",
  },
  {
    name: "removes bytes before the frame is whole",
    codec: {
      ...right,
      decode(received) {
        const length = received.at(0);
        received.drop(1);
        return received.length < length ? undefined : received.take(length);
      },
    },
    message: "samples[0], byte by byte",
  },
  {
    name: "lays out other bytes",
    codec: {
      ...right,
      encode(frame, out) {
        out.byte(frame.length + 1);
        out.write(frame);
      },
    },
    message: "samples[0]: encode lays out other bytes",
  },
  {
    name: "yields another frame",
    codec: {
      ...right,
      decode(received) {
        return right.decode(received)?.toReversed();
      },
    },
    message: "samples[0]: decode gives another frame",
  },
  {
    name: "hands out memory that it writes to again",
    codec: (() => {
      const memory = new Uint8Array(5);
      return {
        ...right,
        decode(received) {
          const frame = right.decode(received);
          if (frame === undefined) return undefined;
          memory.set(frame);
          return memory.subarray(0, frame.length);
        },
      } satisfies BytesCodec;
    })(),
    samples: [HELLO, { frame: raw("other"), wire: "\x05other" }],
    message: "All samples together give other frames",
  },
  {
    name: "has no limit",
    codec: lengthPrefixed({ width: 1 }),
    options: { tooLarge: ["\x0a0123456789"] },
    message: "tooLarge[0]: must be a FrameTooLargeError at 6",
  },
  {
    name: "holds to its limit only when the frame has come",
    codec: {
      ...right,
      decode(received) {
        if (received.length < received.at(0) + 1) return undefined;
        return right.decode(received);
      },
    },
    options: { tooLarge: ["\x0a"] },
    message: "tooLarge[0]: must be a FrameTooLargeError at 6",
  },
  {
    name: "takes what is malformed",
    codec: netstring(),
    samples: [{ frame: raw("a"), wire: "1:a," }],
    options: { malformed: ["1:a,", "2:ab,"] },
    message: "malformed[0]: must be a MalformedFrameError at 4",
  },
  {
    name: "finds a fault later if the bytes come one by one",
    codec: {
      ...fixedLength(4),
      decode(received) {
        const seen = received.peek(Math.min(received.length, 4));
        if (seen.includes(0xff)) {
          throw new MalformedFrameError("No 255 may come", {
            offset: received.offset,
          });
        }
        if (received.length >= 4) return received.take(4);
        received.need(4);
        return undefined;
      },
    },
    samples: [{ frame: raw("four"), wire: "four" }],
    options: { malformed: [raw("\0\xff\0\0")] },
    message: "malformed[0], truncated to 6 bytes, byte by byte",
  },
  {
    name: "lets a fault take the frame before it along",
    codec: {
      ...right,
      decode(received) {
        if (received.peek(received.length).includes(0xff)) {
          throw new MalformedFrameError("No 255 may come");
        }
        return right.decode(received);
      },
    },
    options: { malformed: [raw("\xff")] },
    message: "malformed[0], byte by byte",
  },
];

for (const { name, codec, message, samples, options } of BROKEN) {
  Deno.test(`checkCodec() finds a codec that ${name}`, () => {
    assertThrows(
      () => checkCodec(codec, samples ?? [HELLO, EMPTY], options),
      AssertionError,
      message,
    );
  });
}

Deno.test("checkCodec() finds a codec that throws an error of no documented class", () => {
  const codec: Codec<string> = {
    ...lines(),
    decode() {
      throw new RangeError("Undocumented");
    },
  };
  const error = assertThrows(
    () => checkCodec(codec, [{ frame: "a", wire: "a\n" }]),
    AssertionError,
    "samples[0], whole: codec threw what is no FramingError: RangeError: Undocumented",
  );
  assertIsError(error.cause, RangeError, "Undocumented");
});

Deno.test("checkCodec() finds an error that calls itself recoverable and removes nothing", () => {
  const codec: Codec<string> = {
    ...lines(),
    decode() {
      throw new MalformedFrameError("Again", { recoverable: true });
    },
  };
  assertThrows(
    () => checkCodec(codec, [{ frame: "a", wire: "a\n" }]),
    AssertionError,
    "samples[0], whole: an error must be recoverable only if bytes were removed",
  );
});

Deno.test("checkCodec() asks for samples, and for wires of those that are not written", () => {
  assertThrows(
    () => checkCodec(right, []),
    AssertionError,
    "There must be at least one sample",
  );
  assertThrows(
    () => checkCodec(right, [{ frame: raw("a"), canonical: false }]),
    AssertionError,
    "samples[0]: must have a wire, or be canonical",
  );
});

Deno.test("checkCodec() lets decodeEnd say what a truncated frame means", () => {
  const codec = delimited("\n", { tail: "emit" });
  const report = checkCodec(codec, [{ frame: raw("ab"), wire: "ab\n" }]);
  assertEquals(report.truncations, 2);
});
