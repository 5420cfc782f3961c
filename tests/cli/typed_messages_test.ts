/**
 * Messages whose first character says of what type they are.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { encodeFrame } from "@framewire/framewire";
import { checkCodec } from "@framewire/framewire/testing";
import {
  typedMessage,
  typedMessages,
  typeOf,
} from "../../cli/typed_messages.ts";
import { unraw } from "../support/wire.ts";

for (
  const [text, name, payload] of [
    ["Ghello", "greeting", "hello"],
    ["T12:34:56", "time", "12:34:56"],
    ["B", "goodbye", ""],
    ["Gn\xe9o!", "greeting", "n\xc3\xa9o!"],
  ]
) {
  Deno.test(`typedMessage() makes a ${name} of ${text}`, () => {
    const message = typedMessage(text);
    assertEquals(typeOf(message.tag)?.name, name);
    assertEquals(unraw(message.payload), payload);
    assertEquals(unraw(encodeFrame(typedMessages, message)), text[0] + payload);
  });
}

for (
  const [text, reason] of [
    ["", 'message must begin with one of G, T, B: it is ""'],
    ["hello", 'message must begin with one of G, T, B: it is "hello"'],
    ["Ghell", 'greeting must be 5 bytes behind the G: it is "Ghell"'],
    ["Ghello!", 'greeting must be 5 bytes behind the G: it is "Ghello!"'],
    ["Bye", 'goodbye must be 0 bytes behind the B: it is "Bye"'],
  ]
) {
  Deno.test(`typedMessage() refuses "${text}"`, () => {
    const error = assertThrows(() => typedMessage(text), RangeError);
    assertEquals(error.message, reason);
  });
}

Deno.test("typedMessages cuts messages wherever the bytes are cut", () => {
  const samples = ["Ghello", "T12:34:56", "B"].map((text) => ({
    frame: typedMessage(text),
    wire: text,
  }));
  const report = checkCodec(typedMessages, samples, { malformed: ["hello"] });
  assertEquals(report.samples, 3);
});
