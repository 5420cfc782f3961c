/**
 * Netstrings.
 *
 * @module
 */

import { FrameDecoder, netstring } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { outcomes, testStreams } from "../support/outcomes.ts";
import { raw, unraw } from "../support/wire.ts";

testStreams("netstring()", [
  {
    name: "reads netstrings, one in another too",
    codec: netstring(),
    steps: [["0:,1:a,4:1:a,,", "=", "=a", "=1:a,"]],
  },
  {
    name: "reads a netstring that came in pieces",
    codec: netstring(),
    steps: [["1"], ["2:hello"], [" world!"], [",", "=hello world!"]],
  },
  {
    name: "takes a length at the limit",
    codec: netstring({ maxFrameLength: 12 }),
    steps: [["12:"]],
    end: ["truncated: 3 of 15"],
  },
  {
    name: "refuses a length over the limit before its colon",
    codec: netstring({ maxFrameLength: 11 }),
    steps: [["12", "too large: 12 > 11"]],
  },
  {
    name: "refuses a long length at its third digit",
    codec: netstring({ maxFrameLength: 11 }),
    steps: [["10"], ["0", "too large: 100 > 11"]],
  },
  {
    name: "notices that the stream ended before the comma",
    codec: netstring(),
    steps: [["1:a"]],
    end: ["truncated: 3 of 4, a"],
  },
]);

testEncoding("netstring()", [
  {
    name: "writes the length, a colon, the payload and a comma",
    codec: netstring(),
    frame: raw("hello world!"),
    wire: "12:hello world!,",
  },
  {
    name: "refuses a frame over the limit",
    codec: netstring({ maxFrameLength: 1 }),
    frame: raw("ab"),
    fault: [RangeError, "length 2 exceeds maxFrameLength of 1 bytes"],
  },
]);

Deno.test("netstring() refuses what is no netstring", () => {
  for (
    const wire of [
      "2:aaa,",
      "0:a,",
      ":aaa,",
      "3aaa,",
      "aaa,",
      "4:abcde",
      "-1:a,",
      " 1:a,",
      "1 :a,",
      "+1:a,",
      "01:a,",
    ]
  ) {
    assertEquals(outcomes(netstring(), [raw(wire)]), ["malformed"], wire);
  }
  const long = raw("9999999999999999999999");
  assertEquals(outcomes(netstring(), [long]), ["too large: 9999999 > 1048576"]);
});

Deno.test("netstring() leaves an unframed body behind it, as in SCGI", () => {
  const headers = "CONTENT_LENGTH\0" + "27\0" + "SCGI\0" + "1\0";
  const body = "What is the answer to life?";
  const decoder = new FrameDecoder(netstring());
  decoder.push(raw(`${headers.length}:${headers},${body.slice(0, 5)}`));
  assertEquals(unraw(decoder.next() ?? new Uint8Array()), headers);
  assertEquals(unraw(decoder.takeRest()), body.slice(0, 5));
});
