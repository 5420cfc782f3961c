import { assertEquals, assertThrows } from "@std/assert";
import { decodeUtf8 } from "../../lib/bytes/utf8.ts";

const encoder = new TextEncoder();

for (
  const [name, text] of [
    ["no text", ""],
    ["ASCII", "hello"],
    ["characters of two, three and four bytes", "né €uro 🐰"],
    ["a byte order mark", "\uFEFFhello"],
    ["a replacement character that was sent", "what\uFFFD?"],
    ["a zero", "a\0b"],
  ]
) {
  Deno.test(`decodeUtf8() decodes ${name}`, () => {
    assertEquals(decodeUtf8(encoder.encode(text)), text);
  });
}

for (
  const [name, bytes] of [
    ["a byte that no character has", [0x61, 0xff]],
    ["a character that is cut off", [0x61, 0xe2, 0x82]],
    ["a character that lacks its first byte", [0x82, 0x61]],
    ["half a surrogate pair", [0xed, 0xa0, 0x80]],
    ["a character laid out too long", [0xc0, 0x80]],
    ["a fault behind a replacement that was sent", [0xef, 0xbf, 0xbd, 0xff]],
  ] as const
) {
  Deno.test(`decodeUtf8() refuses ${name}`, () => {
    assertThrows(
      () => decodeUtf8(new Uint8Array(bytes)),
      TypeError,
      "the bytes are not valid UTF-8",
    );
  });
}
