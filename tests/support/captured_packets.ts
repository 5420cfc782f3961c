/**
 * Capture files read as their specifications say, by hand: what the command writes is to be held against something
 * else than its own reader.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/** A block of a pcapng file. */
export interface Block {
  type: number;
  body: Uint8Array;
}

/** Cuts a little-endian pcapng file into blocks; each must be framed as it should. */
export function blocksOf(file: Uint8Array): Block[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const blocks: Block[] = [];
  for (let at = 0; at < file.length;) {
    const length = view.getUint32(at + 4, true);
    assert(
      length >= 12 && length % 4 === 0,
      `the length of a block: ${length}`,
    );
    assertEquals(view.getUint32(at + length - 4, true), length);
    const type = view.getUint32(at, true);
    blocks.push({ type, body: file.slice(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

/** The options at the end of a block's body. */
export function optionsOf(
  body: Uint8Array,
  start: number,
): Map<number, Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const options = new Map<number, Uint8Array>();
  for (let at = start; at < body.length;) {
    const [code, length] = [
      view.getUint16(at, true),
      view.getUint16(at + 2, true),
    ];
    if (code === 0) {
      assertEquals([length, at + 4], [0, body.length]);
      break;
    }
    options.set(code, body.slice(at + 4, at + 4 + length));
    at += 4 + (length + 3 & ~3);
  }
  return options;
}

/** A packet of a capture file. */
export interface CapturedPacket {
  /** When, in microseconds since 1970. */
  time: number;
  bytes: Uint8Array;
}

/** The packets of a pcapng file. */
export function capturedPackets(file: Uint8Array): CapturedPacket[] {
  return blocksOf(file).filter(({ type }) => type === 6).map(({ body }) => {
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const length = view.getUint32(12, true);
    assertEquals(view.getUint32(16, true), length);
    assertEquals(body.length, 20 + (length + 3 & ~3));
    return {
      time: view.getUint32(4, true) * 2 ** 32 + view.getUint32(8, true),
      bytes: body.slice(20, 20 + length),
    };
  });
}

/** What a packet of TCP over IP says. */
export interface Segment {
  source: string;
  target: string;
  flags: string;
  sequence: number;
  acknowledged: number;
  payload: Uint8Array;
}

const FLAGS = "FSRPA";

/** The sum over 16-bit words, folded: 0xffff where a checksum among them is right. */
function folded(...parts: Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) {
      sum += part[i] * 256 + (part[i + 1] ?? 0);
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65_536);
  return sum;
}

/** Reads a packet, with all that can be wrong with it. */
export function segmentOf(packet: Uint8Array): Segment {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const version = packet[0] >> 4;
  let [source, target, tcp] = [packet, packet, packet];
  if (version === 4) {
    assertEquals(packet[0], 0x45);
    assertEquals(view.getUint16(2), packet.length);
    assertEquals(packet[9], 6);
    assertEquals(folded(packet.subarray(0, 20)), 0xffff, "checksum of IPv4");
    source = packet.subarray(12, 16);
    target = packet.subarray(16, 20);
    tcp = packet.subarray(20);
  } else {
    assertEquals(version, 6);
    assertEquals(view.getUint16(4), packet.length - 40);
    assertEquals(packet[6], 6);
    source = packet.subarray(8, 24);
    target = packet.subarray(24, 40);
    tcp = packet.subarray(40);
  }
  const pseudo = Uint8Array.of(0, 6, tcp.length >> 8, tcp.length & 255);
  assertEquals(folded(source, target, pseudo, tcp), 0xffff, "checksum of TCP");
  const header = new DataView(tcp.buffer, tcp.byteOffset, tcp.length);
  const text = (ip: Uint8Array) => ip.length === 4 ? ip.join(".") : ip.toHex();
  return {
    source: `${text(source)}:${header.getUint16(0)}`,
    target: `${text(target)}:${header.getUint16(2)}`,
    flags: [...FLAGS].filter((_, bit) => tcp[13] & [1, 2, 4, 8, 16][bit]).join(
      "",
    ),
    sequence: header.getUint32(4),
    acknowledged: header.getUint32(8),
    payload: tcp.slice((tcp[12] >> 4) * 4),
  };
}
