/**
 * The checksum CRC32c.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { crc32c } from "../../lib/codec/crc32c.ts";
import { raw } from "../support/wire.ts";

const CASES: [name: string, bytes: Uint8Array, sum: number][] = [
  ["no bytes", new Uint8Array(), 0],
  ["the digits from 1 to 9", raw("123456789"), 0xe3069283],
  // RFC 3720, appendix B.4, where the bytes of the sum are in reverse order.
  ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [
    "32 numbers upwards",
    Uint8Array.from({ length: 32 }, (_, i) => i),
    0x46dd794e,
  ],
  [
    "32 numbers downwards",
    Uint8Array.from({ length: 32 }, (_, i) => 31 - i),
    0x113fdb5c,
  ],
];

for (const [name, bytes, sum] of CASES) {
  Deno.test(`crc32c() works out the sum of ${name}`, () => {
    assertEquals(crc32c(bytes), sum);
  });
}
