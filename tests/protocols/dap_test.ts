/**
 * Messages of the Debug Adapter Protocol.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  headerBlock,
  MalformedFrameError,
  text,
} from "@framewire/framewire";
import { dap, type DapMessage } from "@framewire/framewire/protocols";
import { checkCodec, type CodecSample } from "@framewire/framewire/testing";
import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { type Fate, fuzz } from "../support/fuzzing.ts";

const INPUTS = 5_000;

/** A message as it is on the wire. */
function framed(content: string): Uint8Array {
  return encodeFrame(text(headerBlock()), content);
}

/** Those of the specification, and what real adapters make of them. */
const samples: readonly CodecSample<DapMessage>[] = [
  {
    frame: {
      seq: 153,
      type: "request",
      command: "next",
      arguments: { threadId: 3 },
    },
    wire: framed(
      '{"seq":153,"type":"request","command":"next","arguments":{"threadId":3}}',
    ),
  },
  {
    frame: {
      type: "response",
      seq: 0,
      "request_seq": 153,
      success: true,
      command: "next",
    },
    wire: framed(
      '{"type":"response","seq":0,"request_seq":153,"success":true,"command":"next"}',
    ),
  },
  {
    frame: {
      type: "response",
      seq: 3,
      "request_seq": 2,
      success: false,
      command: "launch",
      message: "cancelled",
      body: { error: { id: 1, format: "é" } },
    },
    wire: framed(
      '{"type":"response","seq":3,"request_seq":2,"success":false,"command":"launch","message":"cancelled","body":{"error":{"id":1,"format":"é"}}}',
    ),
  },
  {
    frame: { seq: 1, type: "event", event: "initialized" },
    wire: framed('{"seq":1,"type":"event","event":"initialized"}'),
  },
];

Deno.test("dap() keeps the contract of a codec", () => {
  const report = checkCodec(dap({ maxFrameLength: 200 }), samples, {
    tooLarge: ["Content-Length: 201\r\n\r\n"],
    malformed: [framed("{}"), framed("{"), "Content-Length: x\r\n\r\n"],
  });
  assertEquals(report.samples, samples.length);
});

/** What is no message, and what is said of it. */
const malformed: readonly (readonly [content: string, what: string])[] = [
  ["[]", "a message must be an object: it is []"],
  ["null", "a message must be an object: it is null"],
  [
    '{"seq":1,"type":"requests"}',
    '"type" must be "request", "response" or "event": it is "requests"',
  ],
  [
    '{"seq":-1,"type":"event","event":"a"}',
    '"seq" of a message of type "event" must be a whole number: it is -1',
  ],
  [
    '{"type":"request","command":"a"}',
    '"seq" of a message of type "request" must be a whole number: it is undefined',
  ],
  [
    '{"seq":1,"type":"request"}',
    '"command" of a message of type "request" must be a string: it is undefined',
  ],
  [
    '{"seq":1,"type":"event","event":null}',
    '"event" of a message of type "event" must be a string: it is null',
  ],
  [
    '{"seq":1,"type":"response","success":true,"command":"a"}',
    '"request_seq" of a message of type "response" must be a whole number: it is undefined',
  ],
  [
    '{"seq":1,"type":"response","request_seq":1,"success":1,"command":"a"}',
    '"success" of a message of type "response" must be a boolean: it is 1',
  ],
  [
    '{"seq":1,"type":"response","request_seq":1,"success":true,"command":"a","message":1}',
    '"message" must be a string: it is 1',
  ],
];

Deno.test("dap() says what is wrong with a message, goes on behind it, and does not write it", () => {
  for (const [content, what] of malformed) {
    const decoder = new FrameDecoder(dap());
    decoder.push(framed(content));
    decoder.push(framed('{"seq":1,"type":"event","event":"next"}'));
    const error = assertThrows(() => decoder.next(), MalformedFrameError);
    assertEquals(error.message, `Cannot decode frame: ${what}`);
    assert(error.recoverable);
    assertEquals(decoder.next(), { seq: 1, type: "event", event: "next" });

    const message = JSON.parse(content); // as from a program without types
    const fault = assertThrows(() => encodeFrame(dap(), message), TypeError);
    assertEquals(fault.message, `Cannot write frame: ${what}`);
  }
});

Deno.test(`dap() meets ${INPUTS} random inputs with documented errors only`, () => {
  const wires = samples.map(({ frame }) => encodeFrame(dap(), frame));
  const fuzzed = { maker: "dap", name: "", codec: dap(), wires };
  const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
  for (let number = 0; number < INPUTS; number++) {
    fates[fuzz(number, fuzzed, wires)]++;
  }
  const { read, refused, truncated } = fates;
  assertGreater(Math.min(read, refused, truncated), INPUTS / 50);
});
