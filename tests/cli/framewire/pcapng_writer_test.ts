/**
 * Captures, block by block.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  captureEnd,
  captureStart,
  packetBlock,
} from "../../../cli/framewire/pcapng_writer.ts";
import {
  blocksOf,
  capturedPackets,
  optionsOf,
} from "../../support/captured_packets.ts";

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

Deno.test("captureStart() is a section and an interface of raw IP", () => {
  const [section, face, ...rest] = blocksOf(captureStart());
  assertEquals(rest, []);
  assertEquals([section.type, face.type], [0x0a0d0d0a, 1]);
  assertEquals(
    section.body.subarray(0, 16).toHex(),
    "4d3c2b1a" + "01000000" + "ffffffffffffffff",
  );
  assertEquals(text(optionsOf(section.body, 16).get(4)), "framewire tap");
  assertEquals(face.body.subarray(0, 8).toHex(), "65000000" + "00000000");
  assertEquals(text(optionsOf(face.body, 8).get(2)), "framewire");
});

for (const length of [0, 1, 2, 3, 4, 5, 65_535]) {
  Deno.test(`packetBlock() holds a packet of ${length} bytes`, () => {
    const bytes = new Uint8Array(length).map((_, i) => i);
    const time = Date.UTC(2026, 1, 3, 4, 5, 6, 789) + 0.123;
    const [packet, ...rest] = capturedPackets(packetBlock(bytes, time));
    assertEquals(rest, []);
    assertEquals(packet.bytes, bytes);
    assertEquals(packet.time, Math.round(time * 1000));
  });
}

Deno.test("captureEnd() says how many packets there were, and are missing", () => {
  const [statistics, ...rest] = blocksOf(captureEnd(2 ** 33 + 5, 3, 1000));
  assertEquals([statistics.type, rest], [5, []]);
  assertEquals(
    statistics.body.subarray(0, 12).toHex(),
    "00000000" + "00000000" + "40420f00",
  );
  const options = optionsOf(statistics.body, 12);
  assertEquals(options.get(4)?.toHex(), "0500000002000000");
  assertEquals(options.get(5)?.toHex(), "0300000000000000");
});

Deno.test("the blocks of a capture follow each other without gaps", () => {
  const file = concat([
    captureStart(),
    packetBlock(new Uint8Array(5), 1),
    packetBlock(new Uint8Array(6), 2),
    captureEnd(2, 0, 3),
  ]);
  assertEquals(blocksOf(file).map(({ type }) => type), [
    0x0a0d0d0a,
    1,
    6,
    6,
    5,
  ]);
});
