/**
 * Frames of JSON.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  json,
  lines,
  MalformedFrameError,
} from "@framewire/framewire";
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { testStreams } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

testStreams("json()", [
  {
    name: "reads every kind of value",
    codec: json(lines()),
    steps: [[
      'null\nfalse\n0\n""\n[]\n{"a":1}\n',
      "=null",
      "=false",
      "=0",
      "=",
      "=[]",
      '={"a":1}',
    ]],
  },
  {
    name: "goes on behind a frame that is not JSON",
    codec: json(lines()),
    steps: [['{"a":\n{"b":2}\n', "malformed, goes on", '={"b":2}']],
  },
  {
    name: "takes an empty frame for no JSON",
    codec: json(lines()),
    steps: [["\n1\n", "malformed, goes on", "=1"]],
  },
]);

testEncoding<unknown>("json()", [
  {
    name: "writes JSON without spaces",
    codec: json(lines()),
    frame: { a: [1, "\n"] },
    wire: '{"a":[1,"\\n"]}\n',
  },
  {
    name: "refuses undefined",
    codec: json(lines()),
    frame: undefined,
    fault: [
      TypeError,
      "Cannot write frame: JSON cannot hold a value of type undefined",
    ],
  },
  {
    name: "refuses a function",
    codec: json(lines()),
    frame: () => 5,
    fault: [TypeError, "JSON cannot hold a value of type function"],
  },
  {
    name: "refuses a bigint",
    codec: json(lines()),
    frame: 5n,
    fault: [TypeError, "BigInt"],
  },
]);

Deno.test("json() says where a frame is not JSON, and keeps the cause", () => {
  const decoder = new FrameDecoder(json(lines()));
  decoder.push(raw("1\n{]\n"));
  assertEquals<unknown>(decoder.next(), 1);
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertInstanceOf(error.cause, SyntaxError);
  assertEquals(error.message, `Cannot decode frame: ${error.cause.message}`);
  assertEquals(error.offset, 2);
});

Deno.test("json() yields the type that the caller trusts the peer with", () => {
  const codec = json<{ ask: number }>(lines());
  const decoder = new FrameDecoder(codec);
  decoder.push(encodeFrame(codec, { ask: 5 }));
  const ask: number | undefined = decoder.next()?.ask;
  assertEquals(ask, 5);
});
