/**
 * What a request means.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  MalformedFrameError,
  Message,
  MessageHeaderError,
  messages,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { search } from "../../lib/app/search.ts";
import tutorial from "../fixtures/tutorial_messages.json" with { type: "json" };
import { hex, raw } from "../support/wire.ts";

for (
  const [request, result] of [
    [{ action: "search", value: "morpheus" }, "Follow the white rabbit. 🐰"],
    [
      { action: "search", value: "ring" },
      "In the caves beneath the Misty Mountains. 💍",
    ],
    [{ action: "search", value: "🐶" }, "🐾 Playing ball! 🏐"],
    [{ action: "search", value: "needle" }, 'No match for "needle".'],
    [{ action: "search", value: "Ring" }, 'No match for "Ring".'],
    [{ action: "search", value: "" }, 'No match for "".'],
    [{ action: "search" }, 'No match for "".'],
    [{ action: "search", value: 7 }, 'No match for "7".'],
    [{ action: "search", value: null }, 'No match for "".'],
    [
      { action: "search", value: "ring", more: 1 },
      "In the caves beneath the Misty Mountains. 💍",
    ],
    [{ action: "dance", value: "ring" }, 'Error: invalid action "dance".'],
    [{ action: "Search", value: "ring" }, 'Error: invalid action "Search".'],
    [{ value: "ring" }, 'Error: invalid action "".'],
    [{}, 'Error: invalid action "".'],
    [[], 'Error: invalid action "".'],
    [null, 'Error: invalid action "".'],
    ["search", 'Error: invalid action "".'],
    [1, 'Error: invalid action "".'],
  ] as const
) {
  Deno.test(`search() answers ${JSON.stringify(request)}`, () => {
    const response = search(Message.json(request));
    assertEquals(response.header.contentType, "text/json");
    assertEquals(response.header.contentEncoding, "utf-8");
    assertEquals<unknown>(response.json(), { result });
  });
}

Deno.test("search() does not take what every object has for a request", () => {
  const request = Message.text(
    '{"__proto__": {"action": "search", "value": "ring"}}',
    "text/json",
  );
  assertEquals(search(request).json(), { result: 'Error: invalid action "".' });
});

for (
  const [content, first] of [
    ["", ""],
    ["123456789", "123456789"],
    ["1234567890", "1234567890"],
    ["12345678901", "1234567890"],
    ["\0\xff\r\n", "\0\xff\r\n"],
  ] as const
) {
  Deno.test(`search() answers ${JSON.stringify(content)} with its first ten bytes`, () => {
    const response = search(Message.binary(raw(content), "image/png"));
    assertEquals(
      response.header.contentType,
      "binary/custom-server-binary-type",
    );
    assertEquals(response.header.contentEncoding, "binary");
    assertEquals(response.content, raw(`First 10 bytes of request: ${first}`));
  });
}

for (
  const [place, name] of [
    [0, "search for morpheus"],
    [1, "search for a dog"],
    [4, "binary request"],
  ] as const
) {
  Deno.test(`search() answers the tutorial's ${name} as the tutorial does`, () => {
    const decoder = new FrameDecoder(messages());
    decoder.push(hex(tutorial[place].wireHex));
    const request = decoder.next();
    const answer = tutorial[place === 4 ? 5 : place + 2];
    const { content, header } = search(request ?? Message.text(""));
    const response = new Message(content, { ...header, byteorder: "little" });
    assertEquals(encodeFrame(messages(), response).toHex(), answer.wireHex);
  });
}

Deno.test("search() refuses a request that says it is JSON and is not", () => {
  assertThrows(
    () => search(Message.text("search ring", "text/json")),
    MalformedFrameError,
    "Cannot read content as JSON",
  );
  assertThrows(
    () => search(Message.binary(raw("{}"), "text/json")),
    MessageHeaderError,
    '"content-encoding" is "binary"',
  );
});

Deno.test("search() answers fields that are no texts", () => {
  const fields = { action: { toString: 1, valueOf: 2 }, value: [1] };
  assertEquals(search(Message.json(fields)).json(), {
    result: 'Error: invalid action "{"toString":1,"valueOf":2}".',
  });
});
