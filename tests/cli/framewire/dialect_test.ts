/**
 * Codecs that take whatever somebody wrote.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  lines,
  netstring,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import {
  inputBytes,
  inputFrame,
  inputJson,
  inputText,
  taking,
} from "../../../cli/framewire/dialect.ts";
import { raw, unraw } from "../../support/wire.ts";

Deno.test("taking() reads as the codec does, to the end of the stream too", () => {
  const decoder = new FrameDecoder(taking(lines({ tail: "emit" }), inputText));
  decoder.push(raw("a\nb"));
  assertEquals([decoder.next(), decoder.next()], ["a", undefined]);
  assertEquals(decoder.end(), "b");
  assertEquals(taking(netstring(), inputBytes).decodeEnd, undefined);
});

Deno.test("taking() says what it cannot write, once", () => {
  const codec = taking(lines(), inputText);
  const write = (read: () => string) => () =>
    encodeFrame(taking(lines(), read), { kind: "text", text: "" });
  assertEquals(
    unraw(encodeFrame(codec, { kind: "bytes", bytes: raw("hi") })),
    "hi\n",
  );
  assertThrows(
    () => encodeFrame(codec, { kind: "bytes", bytes: raw("\xff") }),
    TypeError,
    "Cannot write frame: the bytes are not UTF-8",
  );
  assertThrows(
    write(() => {
      throw new SyntaxError("bad JSON");
    }),
    TypeError,
    "Cannot write frame: bad JSON",
  );
  assertThrows(
    write(() => {
      throw new TypeError("Cannot write startup: user is missing");
    }),
    TypeError,
    "Cannot write frame: user is missing",
  );
  assertThrows(
    write(() => {
      throw new RangeError("Cannot write frame: length 6 exceeds 5");
    }),
    RangeError,
    "Cannot write frame: length 6 exceeds 5",
  );
});

Deno.test("what was written is bytes, text, JSON with bytes in it, or JSON alone", () => {
  const json = '{"a":{"text":"é"}}';
  assertEquals(inputBytes({ kind: "text", text: "é" }), raw("\xc3\xa9"));
  assertEquals(
    inputBytes({ kind: "json", json }),
    new TextEncoder().encode(json),
  );
  assertEquals(inputBytes({ kind: "bytes", bytes: raw("\xff") }), raw("\xff"));
  assertEquals(inputText({ kind: "bytes", bytes: raw("\xc3\xa9") }), "é");
  assertEquals(inputText({ kind: "json", json }), json);
  assertEquals<unknown>(inputFrame({ kind: "text", text: json }), {
    a: raw("\xc3\xa9"),
  });
  assertEquals<unknown>(inputJson({ kind: "json", json }), {
    a: { text: "é" },
  });
  assertThrows(() => inputJson({ kind: "text", text: "{" }), SyntaxError);
});
