/**
 * Unsigned integers as bytes, in either order.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  hostByteOrder,
  maxUint,
  readUint,
  type UintWidth,
  writeUint,
} from "../../lib/bytes/byte_order.ts";
import { hex } from "../support/wire.ts";

/** A number, its width, and its bytes in network order. */
const NUMBERS: readonly [number, UintWidth, string][] = [
  [0, 1, "00"],
  [0x80, 1, "80"],
  [0xff, 1, "ff"],
  [0x0102, 2, "01 02"],
  [0xffff, 2, "ff ff"],
  [0x010203, 3, "01 02 03"],
  [0xffffff, 3, "ff ff ff"],
  [0x01020304, 4, "01 02 03 04"],
  [0x80000000, 4, "80 00 00 00"],
  [0xffffffff, 4, "ff ff ff ff"],
  [0x0102030405060, 8, "00 00 10 20 30 40 50 60"],
  [2 ** 32, 8, "00 00 00 01 00 00 00 00"],
  [2 ** 53 - 1, 8, "00 1f ff ff ff ff ff ff"],
];

Deno.test("writeUint() lays numbers out in either order, and touches nothing else", () => {
  for (const [value, width, digits] of NUMBERS) {
    const bytes = hex(digits);
    for (const byteOrder of ["big", "little"] as const) {
      const expected = new Uint8Array(width + 2).fill(0xaa);
      expected.set(byteOrder === "big" ? bytes : bytes.toReversed(), 1);
      const written = new Uint8Array(width + 2).fill(0xaa);
      writeUint(written, 1, value, width, byteOrder);
      assertEquals(written, expected, `${value}, ${width} bytes, ${byteOrder}`);
    }
  }
});

Deno.test("readUint() reads numbers in either order, and looks at nothing else", () => {
  for (const [value, width, digits] of NUMBERS) {
    for (const byteOrder of ["big", "little"] as const) {
      const bytes = new Uint8Array(width + 2).fill(0xff);
      const number = hex(digits);
      bytes.set(byteOrder === "big" ? number : number.toReversed(), 1);
      const name = `${value}, ${width} bytes, ${byteOrder}`;
      assertEquals(readUint(bytes, 1, width, byteOrder), value, name);
    }
  }
});

Deno.test("readUint() rounds what a number cannot hold exactly", () => {
  const most = hex("ff ff ff ff ff ff ff ff");
  assertEquals(readUint(most, 0, 8, "big"), 2 ** 64);
  assertEquals(readUint(most, 0, 8, "little"), 2 ** 64);
});

Deno.test("maxUint() is the largest number of a width that is exact", () => {
  assertEquals(
    ([1, 2, 3, 4, 8] as const).map(maxUint),
    [0xff, 0xffff, 0xffffff, 0xffffffff, Number.MAX_SAFE_INTEGER],
  );
});

Deno.test("hostByteOrder is the order that typed arrays have", () => {
  const [first] = new Uint8Array(new Uint32Array([0x01020304]).buffer);
  assertEquals(first === 4 ? "little" : "big", hostByteOrder);
});
