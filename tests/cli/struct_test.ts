/**
 * Numbers as bytes by a format. The bytes are those that Python's `struct` gives.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { htonl, htons, ntohl, ntohs, pack, unpack } from "../../cli/struct.ts";
import { hostByteOrder } from "../../lib/bytes/byte_order.ts";
import { hex } from "../support/wire.ts";
import { Random } from "../support/random.ts";

type Numbers = readonly (number | bigint)[];

const PACKED: readonly (readonly [format: string, Numbers, bytes: string])[] = [
  [">H", [256], "01 00"],
  ["<H", [256], "00 01"],
  ["!H", [256], "01 00"],
  [">H", [65_535], "ff ff"],
  [">h", [-2], "ff fe"],
  ["<h", [-32_768], "00 80"],
  [">b", [-128], "80"],
  ["<B", [255], "ff"],
  ["<I", [1], "01 00 00 00"],
  [">I", [0xfffefdfc], "ff fe fd fc"],
  [">L", [0x80000000], "80 00 00 00"],
  ["<i", [-1], "ff ff ff ff"],
  ["<l", [-2_147_483_648], "00 00 00 80"],
  ["!Q", [256], "00 00 00 00 00 00 01 00"],
  ["!Q", [2 ** 53 - 1], "00 1f ff ff ff ff ff ff"],
  ["<Q", [2n ** 64n - 1n], "ff ff ff ff ff ff ff ff"],
  [">q", [-(2n ** 63n)], "80 00 00 00 00 00 00 00"],
  ["<q", [-3], "fd ff ff ff ff ff ff ff"],
  [">f", [1.5], "3f c0 00 00"],
  ["<d", [-0.1], "9a 99 99 99 99 99 b9 bf"],
  ["!BHI", [7, 8, 9], "07 00 08 00 00 00 09"],
  ["<2Hb", [1, 2, -1], "01 00 02 00 ff"],
  [">", [], ""],
  [">0H", [], ""],
];

for (const [format, values, bytes] of PACKED) {
  Deno.test(`pack() and unpack() lay ${values.join(", ")} out as ${format}`, () => {
    assertEquals(pack(format, ...values), hex(bytes));
    assertEquals<unknown>(unpack(format, hex(bytes)), values);
  });
}

Deno.test("pack() takes = for this machine's order", () => {
  const order = hostByteOrder === "little" ? "<" : ">";
  assertEquals(pack("=HQ", 1, 2), pack(`${order}HQ`, 1, 2));
  assertEquals(unpack("=h", hex("0102")), unpack(`${order}h`, hex("0102")));
});

Deno.test("unpack() looks at a part of a larger buffer where it lies", () => {
  const bytes = hex("ff 00 01 ff").subarray(1, 3);
  assertEquals<unknown>(unpack(">H", bytes), [1]);
});

Deno.test("unpack() reverses pack() for any integer", () => {
  const random = new Random(20_240_607);
  for (let round = 0; round < 500; round++) {
    const letter = random.pick([..."bBhHiIlLqQ"]);
    const size = pack(`>${letter}`, 0).length;
    const format = random.pick(["<", ">", "!", "="]) + letter;
    const bytes = random.bytes(size);
    assertEquals(
      pack(format, ...unpack(format, bytes)),
      bytes,
      `seed ${random.seed}, round ${round}: ${format}`,
    );
  }
});

const REFUSED: readonly (readonly [
  name: string,
  work: () => unknown,
  message: string,
])[] = [
  ["too large a number", () => pack(">H", 65_536), "from 0 to 65535: it is"],
  ["a negative one", () => pack("<I", -1), "from 0 to 4294967295: it is -1"],
  ["one too negative", () => pack(">b", -129), "from -128 to 127: it is -129"],
  ["2 ** 64", () => pack(">Q", 2n ** 64n), "a number of 64 bits must be"],
  ["a fraction", () => pack(">I", 1.5), "must be whole"],
  ["no number", () => pack(">I", NaN), "must be whole"],
  ["too few numbers", () => pack(">HH", 1), "is of 2 numbers, not 1"],
  ["too many numbers", () => pack(">H", 1, 2), "is of 1 numbers, not 2"],
  ["too few bytes", () => unpack(">I", hex("00")), "takes 4 bytes, not 1"],
  ["too many bytes", () => unpack(">B", hex("0000")), "takes 1 bytes, not 2"],
  ["no order", () => pack("H", 1), 'Cannot read format "H": it must be >'],
  ["an unknown letter", () => unpack(">x", hex("00")), 'format ">x"'],
  ["a count of nothing", () => pack(">3"), 'format ">3"'],
  ["a huge count", () => pack(">999999999999B"), "at most 1000 numbers"],
];

for (const [name, work, message] of REFUSED) {
  Deno.test(`pack() and unpack() refuse ${name}`, () => {
    assertThrows(work, RangeError, message);
  });
}

Deno.test("htons() and its like give what has network order in memory", () => {
  const short = new Uint8Array(new Uint16Array([htons(0x0102)]).buffer);
  assertEquals(short, hex("01 02"));
  const long = new Uint8Array(new Uint32Array([htonl(0xf1020304)]).buffer);
  assertEquals(long, hex("f1 02 03 04"));
  assertEquals([ntohs(htons(7)), ntohl(htonl(2 ** 32 - 1))], [7, 2 ** 32 - 1]);
  assertThrows(() => htons(65_536), RangeError);
});
