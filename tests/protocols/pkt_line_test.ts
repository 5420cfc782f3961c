/**
 * Packets of git.
 *
 * @module
 */

import { encodeFrame, FrameDecoder, FramingError } from "@framewire/framewire";
import { type PktLine, pktLine } from "@framewire/framewire/protocols";
import { checkCodec, type CodecSample } from "@framewire/framewire/testing";
import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { readCapture } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { type Fate, fuzz } from "../support/fuzzing.ts";
import { testStreams } from "../support/outcomes.ts";
import { replay } from "../support/replay.ts";
import { raw } from "../support/wire.ts";

const LONGEST = 65516;
/** Enough for each kind of fault to come up many times. */
const INPUTS = 5000;

function data(text: string): PktLine {
  return { type: "data", payload: raw(text) };
}

const samples: CodecSample<PktLine>[] = [
  { frame: data("a\n"), wire: "0006a\n" },
  { frame: data("foobar"), wire: "000afoobar" },
  { frame: data("0000"), wire: "00080000" },
  { frame: data("0123456789"), wire: "000E0123456789", canonical: false },
  { frame: data(""), wire: "0004" },
  { frame: { type: "flush" }, wire: "0000" },
  { frame: { type: "delimiter" }, wire: "0001" },
  { frame: { type: "response-end" }, wire: "0002" },
];

Deno.test("pktLine() keeps the contract of codecs", () => {
  const { cuts, truncations } = checkCodec(pktLine(), samples, {
    malformed: ["0003", "000g", "-001", "0x10", "GET / HTTP/1.1\r\n"],
    tooLarge: ["fff1", "ffff"],
  });
  assertGreater(cuts, 100);
  assertGreater(truncations, 30);
  checkCodec(pktLine({ maxFrameLength: 10, onOversize: "skip" }), samples, {
    tooLarge: ["000f01234567890", "000f01234567890" + "0000"],
  });
});

testStreams("pktLine()", [
  {
    name: "tells a mark from data by its last digit",
    codec: pktLine(),
    steps: [["000"], ["1", '={"type":"delimiter"}'], ["000"], [
      "5x",
      '={"type":"data","payload":"x"}',
    ]],
  },
  {
    name: "refuses the one number that is neither a mark nor a length",
    codec: pktLine(),
    steps: [["000"], ["3", "malformed"]],
  },
  {
    name: "leaves out a packet over the limit and goes on with a mark",
    codec: pktLine({ maxFrameLength: 3, onOversize: "skip" }),
    steps: [["0008", "left out: 4 > 3"], ["abcd00"], [
      "00",
      '={"type":"flush"}',
    ]],
  },
  {
    name: "notices that the stream ended inside a mark",
    codec: pktLine(),
    steps: [["000"]],
    end: ["truncated: 3 of 4"],
  },
  {
    name: "notices that the stream ended inside a payload",
    codec: pktLine(),
    steps: [["0009he"]],
    end: ["truncated: 6 of 9, he"],
  },
]);

testEncoding<Parameters<ReturnType<typeof pktLine>["encode"]>[0]>(
  "pktLine()",
  [
    {
      name: "takes a text",
      codec: pktLine(),
      frame: "n\u00e9\n",
      wire: "0008n\xc3\xa9\n",
    },
    {
      name: "takes bytes",
      codec: pktLine(),
      frame: raw("\xff"),
      wire: "0005\xff",
    },
    {
      name: "takes a text as the payload of data",
      codec: pktLine(),
      frame: { type: "data", payload: "done\n" },
      wire: "0009done\n",
    },
    {
      name: "refuses a text that UTF-8 cannot hold",
      codec: pktLine(),
      frame: "\ud800",
      fault: [TypeError, "half a surrogate pair"],
    },
    {
      name: "refuses a payload that is longer than the protocol allows",
      codec: pktLine(),
      frame: raw("x".repeat(LONGEST + 1)),
      fault: [
        RangeError,
        `length ${LONGEST + 1} exceeds maxFrameLength of ${LONGEST} bytes`,
      ],
    },
  ],
);

Deno.test("pktLine() carries a payload as long as the protocol allows", () => {
  const payload = new Uint8Array(LONGEST).fill(7);
  const wire = encodeFrame(pktLine(), payload);
  assertEquals(wire.subarray(0, 4), raw("fff0"));
  const decoder = new FrameDecoder(pktLine());
  decoder.push(wire);
  assertEquals(decoder.next(), { type: "data", payload });
  decoder.push(raw("fff1"));
  const error = assertThrows(() => decoder.next(), FramingError);
  assertEquals(
    error.message,
    "Cannot read frame: length 65517 exceeds maxFrameLength of 65516 bytes",
  );
});

Deno.test("pktLine() cannot be made to accept more than the protocol allows", () => {
  assertThrows(
    () => pktLine({ maxFrameLength: LONGEST + 1 }),
    RangeError,
    "maxFrameLength must be a whole number from 0 to 65516: it is 65517",
  );
});

Deno.test("pktLine() refuses to write a packet of a type that there is not", () => {
  const codec = pktLine();
  // As from a program without types.
  const unknown = JSON.parse('{"type":"end"}');
  assertThrows(
    () => encodeFrame(codec, unknown),
    TypeError,
    'Cannot write frame: no packet is of type "end"',
  );
});

Deno.test(`pktLine() meets ${INPUTS} random inputs with documented errors only`, () => {
  const wires = samples.map((sample) => raw(String(sample.wire)));
  const fuzzed = { maker: "pktLine", name: "", codec: pktLine(), wires };
  const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
  for (let number = 0; number < INPUTS; number++) {
    fates[fuzz(number, fuzzed, wires)]++;
  }
  const { read, refused, truncated } = fates;
  assertGreater(Math.min(read, refused, truncated), INPUTS / 50);
});

Deno.test("pktLine() reads what git daemon and its client said, at every cut", async () => {
  const capture = await readCapture("pkt_line");
  const asked = replay(pktLine(), "client", capture);
  assertEquals(
    asked.filter((outcome) => !outcome.includes('"data"')),
    [
      '={"type":"flush"}',
      '={"type":"delimiter"}',
      '={"type":"flush"}',
      '={"type":"flush"}',
      "end",
    ],
  );
  const answered = replay(pktLine(), "server", capture);
  // The refs, with what version 0 says behind a zero byte and version 2 behind a space.
  assertEquals(
    answered.map((outcome) =>
      /[0-9a-f]{40} (\S+?)( |\\u0000|\\n)|flush|end$|version 2/.exec(outcome)
    ).flatMap((match) => match?.[1] ?? match?.[0] ?? []),
    [
      "HEAD",
      "refs/heads/main",
      "refs/heads/side",
      "refs/tags/v1",
      "refs/tags/v1^{}",
      "flush",
      "version 2",
      "flush",
      "HEAD",
      "refs/heads/main",
      "refs/heads/side",
      "refs/tags/v1",
      "flush",
      "end",
    ],
  );
});
