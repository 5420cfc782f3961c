/**
 * The program about byte order as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { hostByteOrder } from "../../lib/bytes/byte_order.ts";
import { runProgram } from "../support/running_program.ts";

const BYTE_ORDER = "cli/byte_order.ts";
const SIZES = [
  "bytes for 0: 1 as text, 4 as binary",
  "bytes for 1: 1 as text, 4 as binary",
  "bytes for 256: 3 as text, 4 as binary",
  "bytes for 65535: 5 as text, 4 as binary",
  "bytes for 4294967295: 10 as text, 4 as binary",
];

Deno.test("byte-order shows the tutorial's 256", async () => {
  const [short, long] = hostByteOrder === "little" ? [1, 65_536] : [256, 256];
  assertEquals(await runProgram(BYTE_ORDER), {
    code: 0,
    out: [
      `this machine is ${hostByteOrder}-endian`,
      `socket.htons(256) = ${short}`,
      `socket.ntohs(${short}) = 256`,
      `socket.htonl(256) = ${long}`,
      `socket.ntohl(${long}) = 256`,
      String.raw`struct.pack('>H', 256) = b'\x01\x00'`,
      String.raw`struct.unpack('>H', b'\x01\x00') = (256,)`,
      String.raw`struct.pack('<H', 256) = b'\x00\x01'`,
      String.raw`struct.unpack('<H', b'\x00\x01') = (256,)`,
      String.raw`struct.pack('!I', 256) = b'\x00\x00\x01\x00'`,
      String.raw`struct.unpack('!I', b'\x00\x00\x01\x00') = (256,)`,
      String.raw`struct.pack('<I', 256) = b'\x00\x01\x00\x00'`,
      String.raw`struct.unpack('<I', b'\x00\x01\x00\x00') = (256,)`,
      String
        .raw`struct.pack('!Q', 256) = b'\x00\x00\x00\x00\x00\x00\x01\x00'`,
      String
        .raw`struct.unpack('!Q', b'\x00\x00\x00\x00\x00\x00\x01\x00') = (256,)`,
      String.raw`struct.unpack('<H', b'\x01\x00') = (1,): the wrong order`,
      ...SIZES,
    ],
    err: [],
  });
});

Deno.test("byte-order shows another number", async () => {
  const { code, out } = await runProgram(BYTE_ORDER, ["1"]);
  assertEquals(code, 0);
  assertEquals(out[5], String.raw`struct.pack('>H', 1) = b'\x00\x01'`);
  assertEquals(out[7], String.raw`struct.pack('<H', 1) = b'\x01\x00'`);
});

for (const number of ["65536", "-1", "1.5", "ten"]) {
  Deno.test(`byte-order refuses ${number}`, async () => {
    const { code, out, err } = await runProgram(BYTE_ORDER, ["--", number]);
    assertEquals([code, out], [2, []]);
    assertEquals(err, [
      "usage: byte-order [<number>]",
      `byte-order: number must be a whole number from 0 to 65535: it is "${number}"`,
    ]);
  });
}
