/**
 * Packets out of capture files.
 *
 * @module
 */

import { FramingError } from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  type Packet,
  PacketReader,
} from "../../../cli/framewire/pcapng_reader.ts";
import { mutate } from "../../support/fuzzing.ts";
import {
  block,
  networkInterface,
  numbers,
  type Order,
  packetBlock,
  pcap,
  pcapng,
  section,
} from "../../support/packets.ts";
import { Random } from "../../support/random.ts";
import { byteByByte, raw } from "../../support/wire.ts";

const ORDERS: readonly Order[] = ["big", "little"];

/** What is read of a file, a line for each packet. */
function packetsIn(chunks: Iterable<Uint8Array>): string[] {
  const reader = new PacketReader();
  const lines: string[] = [];
  function take(ended: boolean): void {
    let packet: Packet | undefined;
    while ((packet = reader.next(ended)) !== undefined) {
      const { time, linkType, bytes } = packet;
      lines.push(`${time} ${linkType} ${bytes.toHex()}`);
    }
  }
  for (const chunk of chunks) {
    reader.push(chunk.slice());
    take(false);
  }
  take(true);
  return lines;
}

/** A file with everything in it. */
function everything(order: Order): Uint8Array<ArrayBuffer> {
  const other = order === "big" ? "little" : "big";
  const options = concat([
    numbers(order, 2, 9, 1),
    new Uint8Array([9, 0, 0, 0]), // nanoseconds
    numbers(order, 2, 2, 5),
    raw("eth00\0\0\0"),
    numbers(order, 2, 0, 0),
    raw("behind the end"),
  ]);
  const shift = concat([
    numbers(order, 2, 9, 1),
    new Uint8Array([0x80 | 10, 0, 0, 0]), // a second has 2 ** 10 units
    numbers(order, 2, 14, 8),
    numbers(order, 4, 0xffffffff, 0xffffffff), // one second less
  ]);
  return concat([
    section(order),
    networkInterface(order, 1),
    packetBlock(order, raw("one"), { time: 5_000_000_001n }),
    block(order, 0x0bad, raw("whatever it is")),
    networkInterface(order, 101, { options }),
    packetBlock(order, raw("second"), { time: 7n, on: 1 }),
    networkInterface(order, 113, { options: shift }),
    packetBlock(order, raw("3rd!"), { time: 2048n, on: 2 }),
    block(order, 3, numbers(order, 4, 5), raw("short")), // a simple packet
    block(
      order,
      2, // as they were before
      numbers(order, 2, 1, 0),
      numbers(order, 4, 0, 9, 3, 3),
      raw("old"),
    ),
    block(order, 5, raw("statistics")),
    section(other),
    networkInterface(other, 12, { snapLength: 2 }),
    block(other, 3, numbers(other, 4, 5), raw("cu")), // cut off
    packetBlock(other, raw("next section"), { time: 1n }),
  ]);
}

const ALL_OF_IT = [
  "5000000001000 1 6f6e65",
  "7 101 7365636f6e64",
  "1000000000 113 33726421",
  "undefined 1 73686f7274",
  "9 101 6f6c64",
  "undefined 12 6375",
  "1000 12 6e6578742073656374696f6e",
];

for (const order of ORDERS) {
  Deno.test(`PacketReader reads all that pcapng has, ${order}-endian and then the other order`, () => {
    assertEquals(packetsIn([everything(order)]), ALL_OF_IT);
  });

  Deno.test(`PacketReader reads pcapng the same wherever it is cut, ${order}-endian`, () => {
    const file = everything(order);
    assertEquals(packetsIn(byteByByte(file)), ALL_OF_IT);
    for (let cut = 1; cut < file.length; cut++) {
      const parts = [file.subarray(0, cut), file.subarray(cut)];
      assertEquals(packetsIn(parts), ALL_OF_IT, `cut at ${cut}`);
    }
  });

  for (const nano of [false, true]) {
    const unit = nano ? "nanoseconds" : "microseconds";
    Deno.test(`PacketReader reads classic files in ${unit}, ${order}-endian, wherever they are cut`, () => {
      const file = pcap(113, [raw("a"), raw(""), raw("ccc")], { order, nano });
      const part = nano
        ? ["000000001", "000000002"]
        : ["000001000", "000002000"];
      const expected = [
        `0 113 61`,
        `1${part[0]} 113 `,
        `2${part[1]} 113 636363`,
      ];
      assertEquals(packetsIn([file]), expected);
      assertEquals(packetsIn(byteByByte(file)), expected);
    });
  }
}

Deno.test("PacketReader gives packets of a growing file as soon as they are whole", () => {
  const file = pcapng(1, [raw("one"), raw("two")]);
  const reader = new PacketReader();
  const seen: number[] = [];
  for (const [at, byte] of byteByByte(file).entries()) {
    reader.push(byte);
    while (reader.next(false) !== undefined) seen.push(at + 1);
  }
  assertEquals(seen, [file.length - 36, file.length]);
});

/** What is wrong with a file, the file, and what is said. */
const BROKEN: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["another format", raw("GIF89a, or so"), /neither pcapng nor pcap/],
  [
    "a section of neither order",
    raw("\n\r\r\n\0\0\0\x1c\x01\x02\x03\x04"),
    /no byte order/,
  ],
  [
    "a block of 8 bytes",
    concat([section("little"), numbers("little", 4, 6, 8, 8)]),
    /cannot be 8 bytes long/,
  ],
  [
    "a block of 0 bytes",
    concat([section("little"), numbers("little", 4, 6, 0, 8)]),
    /cannot be 0 bytes long/,
  ],
  [
    "a length that is no multiple of 4",
    concat([section("little"), numbers("little", 4, 6, 33, 8)]),
    /cannot be 33 bytes long/,
  ],
  [
    "a block of 4 GiB",
    concat([section("little"), numbers("little", 4, 6, 0xfffffffc, 8)]),
    /4294967292 exceeds the limit of 16777216/,
  ],
  [
    "two lengths that differ",
    concat([section("little"), numbers("little", 4, 6, 16, 8, 20)]),
    /16 bytes long at its beginning and 20 at its end/,
  ],
  [
    "a packet of no interface",
    concat([section("little"), packetBlock("little", raw("x"))]),
    /of interface 0, which there is not/,
  ],
  [
    "a packet larger than its block",
    concat([
      section("little"),
      networkInterface("little", 1),
      packetBlock("little", raw("x"), { kept: 5 }),
    ]),
    /a packet of 5 bytes is in a block with room for 4/,
  ],
  [
    "a packet without its fields",
    concat([
      section("little"),
      networkInterface("little", 1),
      block("little", 6, raw("1234")),
    ]),
    /type 6 ends too early/,
  ],
  [
    "an interface without its fields",
    concat([section("little"), block("little", 1, raw("1234"))]),
    /type 1 ends too early/,
  ],
  [
    "an option behind the end",
    concat([
      section("little"),
      networkInterface("little", 1, {
        options: numbers("little", 2, 9, 0xffff),
      }),
    ]),
    /an option of an interface ends behind its block/,
  ],
  [
    "a packet of 4 GiB in a classic file",
    concat([pcap(1, []), numbers("little", 4, 0, 0, 0xffffffff, 5)]),
    /4294967295 exceeds the limit/,
  ],
  [
    "an end inside a block",
    pcapng(1, [raw("one")]).subarray(0, -1),
    /stream ended after 35 of 36 bytes/,
  ],
  [
    "an end inside a classic packet",
    pcap(1, [raw("one")]).subarray(0, -1),
    /stream ended after 18 of 19 bytes/,
  ],
  ["half a magic number", raw("\n\r"), /stream ended after 2 of 4 bytes/],
];

for (const [what, file, message] of BROKEN) {
  Deno.test(`PacketReader refuses ${what}, however it is cut`, () => {
    const error = assertThrows(() => packetsIn([file]), FramingError);
    assert(message.test(error.message), error.message);
    const again = assertThrows(() => packetsIn(byteByByte(file)), FramingError);
    assertEquals(
      [again.message, again.offset],
      [error.message, error.offset],
    );
  });
}

Deno.test("PacketReader has no room for endless interfaces", () => {
  const one = networkInterface("little", 1);
  const many = concat([
    section("little"),
    ...Array.from({ length: 65_537 }, () => one),
  ]);
  const error = assertThrows(() => packetsIn([many]), FramingError);
  assertEquals(
    error.message,
    "Cannot read capture: there are more than 65536 interfaces",
  );
});

Deno.test("PacketReader leaves times that no calendar has as they are", () => {
  const options = concat([
    numbers("little", 2, 9, 1),
    new Uint8Array([127, 0, 0, 0]), // 10 ** 127 units a second
  ]);
  const file = concat([
    section("little"),
    networkInterface("little", 1, { options }),
    packetBlock("little", raw("x"), { time: 2n ** 63n }),
    networkInterface("little", 1, {
      options: concat([numbers("little", 2, 9, 1), new Uint8Array(4)]),
    }),
    packetBlock("little", raw("y"), { time: 2n ** 64n - 1n, on: 1 }),
  ]);
  assertEquals(packetsIn([file]), [
    "0 1 78",
    `${2n ** 64n - 1n}000000000 1 79`,
  ]);
});

Deno.test("PacketReader comes to an end with whatever it is given", () => {
  const files = [
    everything("big"),
    everything("little"),
    pcap(1, [raw("one"), raw("two")]),
    pcap(1, [raw("one")], { order: "big", nano: true }),
  ];
  let refused = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const file = random.below(10) === 0
      ? random.bytes(random.below(100))
      : mutate(random, random.pick(files), files);
    const outcomes = [[file], random.chunks(file)].map((chunks) => {
      try {
        return packetsIn(chunks);
      } catch (error) {
        if (!(error instanceof FramingError)) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
        refused++;
        return error.message;
      }
    });
    assertEquals<unknown>(outcomes[1], outcomes[0], `seed ${seed}`);
  }
  assert(refused > 1000, `${refused} were refused`);
});
