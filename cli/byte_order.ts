/**
 * Byte order: the same number as bytes, on machines that do not agree, and as text.
 *
 *     $ deno run cli/byte_order.ts 256
 *     this machine is little-endian
 *     socket.htons(256) = 1
 *     socket.ntohs(1) = 256
 *     socket.htonl(256) = 65536
 *     socket.ntohl(65536) = 256
 *     struct.pack('>H', 256) = b'\x01\x00'
 *     struct.unpack('>H', b'\x01\x00') = (256,)
 *     struct.unpack('<H', b'\x01\x00') = (1,): the wrong order
 *     …
 *
 * Where a machine is big-endian, as network order is, `htons` and its like do nothing. Whoever reads with the
 * wrong order gets a wrong number and no error: so a protocol says which one it uses, and it is `>`, or `!`.
 *
 * It does not handle numbers over 16 bits, with which `htons` can do nothing.
 *
 * @module
 */

import { hostByteOrder } from "../lib/bytes/byte_order.ts";
import { bytesLiteral } from "../mod.ts";
import { type Program, program, wholeNumber } from "./program.ts";
import { htonl, htons, ntohl, ntohs, pack, unpack } from "./struct.ts";

const NUMBER = wholeNumber(
  { name: "number", about: "the number to show", fallback: "256" },
  0,
  65_535,
);

/** The formats to show: a number of each size in network order, and one in the other. */
const FORMATS = [">H", "<H", "!I", "<I", "!Q"];
/** The numbers whose sizes are compared: the largest takes all of the 32 bits. */
const SIZED = [0, 1, 256, 65_535, 4_294_967_295];

/** Shows a number as bytes in either order, and as text. */
export const byteOrder: Program = program({
  name: "byte-order",
  about: "Shows a number as bytes in either order, and as text",
  takes: [NUMBER],

  main({ get, print }) {
    const number = get(NUMBER);
    print(`this machine is ${hostByteOrder}-endian`);
    const [short, long] = [htons(number), htonl(number)];
    print(`socket.htons(${number}) = ${short}`);
    print(`socket.ntohs(${short}) = ${ntohs(short)}`);
    print(`socket.htonl(${number}) = ${long}`);
    print(`socket.ntohl(${long}) = ${ntohl(long)}`);
    for (const format of FORMATS) {
      const bytes = pack(format, number);
      const literal = bytesLiteral(bytes);
      print(`struct.pack('${format}', ${number}) = ${literal}`);
      print(
        `struct.unpack('${format}', ${literal}) = (${unpack(format, bytes)},)`,
      );
    }
    const bytes = pack(">H", number);
    print(
      `struct.unpack('<H', ${bytesLiteral(bytes)}) = (${
        unpack("<H", bytes)
      },): the wrong order`,
    );
    for (const number of SIZED) {
      const text = String(number).length;
      const binary = pack("!I", number).length;
      print(`bytes for ${number}: ${text} as text, ${binary} as binary`);
    }
    return Promise.resolve();
  },
});

if (import.meta.main) Deno.exit(await byteOrder.run(Deno.args));
