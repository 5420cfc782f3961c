/**
 * Bytes as a dump.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { hexdump } from "../../../cli/framewire/hexdump.ts";
import { Random } from "../../support/random.ts";

Deno.test("hexdump() lays out as hexdump -C does", () => {
  const bytes = new TextEncoder().encode("\0\0\0\x0fhello, world!\r\n\x7f~");
  assertEquals(hexdump(bytes), [
    "00000000  00 00 00 0f 68 65 6c 6c  6f 2c 20 77 6f 72 6c 64  |....hello, world|",
    "00000010  21 0d 0a 7f 7e                                    |!...~|",
  ]);
});

Deno.test("hexdump() counts from where the first byte is, and is nothing for nothing", () => {
  assertEquals(hexdump(new Uint8Array(), 5), []);
  assertEquals(hexdump(Uint8Array.of(0xe9), 2 ** 32 + 0x1f), [
    `10000001f  e9${" ".repeat(48)}|.|`,
  ]);
});

Deno.test("hexdump() shows every byte once, and none that steers a terminal", () => {
  const random = new Random(3);
  for (let i = 0; i < 200; i++) {
    const bytes = random.bytes(random.below(100));
    const lines = hexdump(bytes, 7);
    const shown = lines.map((line) => line.slice(10, 58).replaceAll(" ", ""));
    assertEquals(shown.join(""), bytes.toHex(), `seed ${random.seed}`);
    for (const [row, line] of lines.entries()) {
      assertEquals(/^[\x20-\x7e]+$/.test(line), true);
      assertEquals(Number.parseInt(line, 16), 7 + 16 * row);
    }
  }
});
