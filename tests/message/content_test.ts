/**
 * The content of a message as text and as JSON.
 *
 * @module
 */

import {
  MalformedFrameError,
  Message,
  MessageHeaderError,
} from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeJson, decodeText } from "../../lib/message/content.ts";
import { hex, raw } from "../support/wire.ts";

for (
  const [encoding, bytes, text] of [
    ["utf-8", "66c3bc7220f09f90b6", "für 🐶"],
    ["UTF-8", "c3bc", "ü"],
    ["utf8", "c3bc", "ü"],
    ["utf-8", "", ""],
    ["utf-16le", "3dd836dc2100", "🐶!"],
    ["utf-16be", "d83ddc360021", "🐶!"],
    ["latin1", "66fc72", "für"],
    ["iso-8859-1", "80", "€"], // windows-1252 in the Encoding Standard
    ["ascii", "6869", "hi"],
    ["shift_jis", "83818362835a815b8357", "メッセージ"],
    ["euc-jp", "a5e1a5c3", "メッ"],
    ["gbk", "cffbcfa2", "消息"],
    ["koi8-r", "d3cfcbc5d4", "сокет"],
  ] as const
) {
  Deno.test(`Message.text() reads ${text === "" ? "nothing" : text} in ${encoding}`, () => {
    const message = new Message(hex(bytes), { contentEncoding: encoding });
    assertEquals(message.text(), text);
  });
}

Deno.test("Message.text() leaves a byte order mark in UTF-8 where it is", () => {
  assertEquals(decodeText(hex("efbbbf61"), "utf-8"), "\ufeffa");
});

for (
  const [encoding, bytes] of [
    ["utf-8", "c328"], // a lead byte without its second
    ["utf-8", "c0af"], // overlong
    ["utf-8", "eda080"], // half a surrogate pair
    ["utf-8", "f09f90"], // breaks off
    ["utf-16le", "3dd8"],
    ["utf-16le", "41"],
    ["shift_jis", "8300"],
    ["gbk", "ff"],
  ] as const
) {
  Deno.test(`Message.text() refuses ${bytes} in ${encoding}`, () => {
    const content = hex(bytes);
    const message = new Message(content, { contentEncoding: encoding });
    const error = assertThrows(() => message.text(), MalformedFrameError);
    assertEquals(
      error.message,
      `Cannot read content as text: the bytes are not valid ${encoding}`,
    );
    assertEquals(error.recoverable, true);
    assertEquals(error.preview, content);
    assertEquals(message.bytes(), content);
  });
}

for (
  const [encoding, reason] of [
    ["binary", 'is "binary"'],
    ["rot13", '"rot13" is unknown'],
    ["", '"" is unknown'],
    ['utf-8"\n', '"utf-8\\"\\n" is unknown'],
    ["utf-32", '"utf-32" is unknown'],
    ["base64", '"base64" is unknown'],
  ] as const
) {
  Deno.test(`Message.text() refuses the encoding ${JSON.stringify(encoding)} and keeps the bytes`, () => {
    const message = new Message(raw("hello"), { contentEncoding: encoding });
    for (const read of [() => message.text(), () => message.json()]) {
      const error = assertThrows(read, MessageHeaderError);
      assertEquals(
        error.message,
        `Cannot read content as text: "content-encoding" ${reason}`,
      );
      assertEquals(error.field, "content-encoding");
      assertEquals(error.preview, raw("hello"));
      assertEquals(error.recoverable, true);
    }
    assertEquals(message.bytes(), raw("hello"));
  });
}

Deno.test("Message.json() reads JSON in the encoding of the content", () => {
  const content = hex("5b0022003dd836dc22005d00");
  assertEquals(decodeJson(content, "utf-16le"), ["🐶"]);
  assertThrows(
    () => decodeJson(content.slice(0, -2), "utf-16le"),
    MalformedFrameError,
  );
});

for (const text of ["", "{", "{'a': 1}", '{"a": NaN}', "[1,]", "\ufeff{}"]) {
  Deno.test(`Message.json() refuses ${JSON.stringify(text)}`, () => {
    const message = Message.text(text, "text/json");
    const error = assertThrows(() => message.json(), MalformedFrameError);
    assert(error.message.startsWith("Cannot read content as JSON: "));
    assert(error.cause instanceof SyntaxError);
    assertEquals(error.recoverable, true);
    assertEquals(error.preview, message.content.slice(0, 32));
  });
}

Deno.test("Message.json() takes __proto__ for a name like any other", () => {
  const value = Message.text('{"__proto__": {"x": 1}}', "text/json").json();
  assert(typeof value === "object" && value !== null);
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals(Reflect.get({}, "x"), undefined);
});
