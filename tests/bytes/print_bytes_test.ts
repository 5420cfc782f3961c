/**
 * Bytes as people read them.
 *
 * @module
 */

import { bytesLiteral } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import { raw } from "../support/wire.ts";

/** What Python 3 prints for `print(bytes)`. */
const LITERALS: readonly [string, string][] = [
  ["", "b''"],
  ["Hello, world", "b'Hello, world'"],
  ["\t\n\r\\", String.raw`b'\t\n\r\\'`],
  ["\0\x07\x08\x0b\x0c\x1b\x1f", String.raw`b'\x00\x07\x08\x0b\x0c\x1b\x1f'`],
  [" ~\x7f\x80\xff", String.raw`b' ~\x7f\x80\xff'`],
  ["it's", `b"it's"`],
  ['say "hi"', `b'say "hi"'`],
  [`it's "hi"`, String.raw`b'it\'s "hi"'`],
  ["\xc3\xa9", String.raw`b'\xc3\xa9'`],
];

Deno.test("bytesLiteral() writes bytes as Python does", () => {
  for (const [bytes, literal] of LITERALS) {
    assertEquals(bytesLiteral(raw(bytes)), literal);
  }
});

Deno.test("bytesLiteral() writes every byte so that it can be read again", () => {
  for (let byte = 0; byte < 256; byte++) {
    const literal = bytesLiteral(new Uint8Array([byte]));
    const [, quote, content] = /^b(["'])(.*)\1$/.exec(literal) ?? [];
    const escapes: Record<string, string> = { t: "\t", n: "\n", r: "\r" };
    const read = content.replace(
      /\\(x(..)|.)/,
      (_, escape, digits) =>
        digits === undefined
          ? escapes[escape] ?? escape
          : String.fromCharCode(parseInt(digits, 16)),
    );
    assertEquals(read, String.fromCharCode(byte));
    assertEquals(quote, byte === 39 ? '"' : "'");
  }
});
