/**
 * Captures as Wireshark reads them: blocks of the pcapng format.
 *
 *     ┌ type ┬ length ┬──────────── body ───────────┬ length ┐
 *     0a0d0d0a         a section: byte order, version          once, at the start
 *     00000001         an interface: what packets are          once
 *     00000006         a packet: when, how long, its bytes     each
 *     00000005         statistics: how many are missing        once, at the end
 *
 * All numbers are little-endian, which the section says of itself, and each body ends at a multiple of 4 bytes. The
 * packets are IP packets, and their time is in microseconds.
 *
 * @module
 */

import { concat } from "@std/bytes";

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const STATISTICS = 5;
const PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const RAW_IP = 101;

/** Options, by the blocks that they belong to. */
const SECTION_PROGRAM = 4;
const INTERFACE_NAME = 2;
const STATISTICS_RECEIVED = 4;
const STATISTICS_DROPPED = 5;

/** Numbers of 16, 32 and 64 bits. */
function u16(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * values.length));
  for (const [i, value] of values.entries()) view.setUint16(2 * i, value, true);
  return new Uint8Array(view.buffer);
}

function u32(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}

function u64(value: number): Uint8Array {
  return u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
}

/** A time in two halves, the high one first. */
function timestamp(milliseconds: number): Uint8Array {
  const time = Math.round(milliseconds * 1000);
  return u32(Math.floor(time / 2 ** 32), time % 2 ** 32);
}

/** What fills bytes up to a multiple of 4. */
function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}

function block(type: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(parts);
  const length = u32(12 + body.length + (-body.length & 3));
  return concat([u32(type), length, body, padding(body.length), length]);
}

function option(code: number, value: Uint8Array): Uint8Array {
  return concat([u16(code, value.length), value, padding(value.length)]);
}

const END_OF_OPTIONS = u16(0, 0);

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** What a capture begins with. */
export function captureStart(): Uint8Array {
  return concat([
    block(
      SECTION,
      u32(BYTE_ORDER),
      u16(1, 0), // the version
      u32(0xffffffff, 0xffffffff), // the length of the section is not known
      option(SECTION_PROGRAM, text("framewire tap")),
      END_OF_OPTIONS,
    ),
    block(
      INTERFACE,
      u16(RAW_IP, 0),
      u32(0), // packets are whole, however long
      option(INTERFACE_NAME, text("framewire")),
      END_OF_OPTIONS,
    ),
  ]);
}

/**
 * A packet.
 *
 * @param packet An IP packet.
 * @param time When, in milliseconds since 1970.
 * @returns The block.
 */
export function packetBlock(packet: Uint8Array, time: number): Uint8Array {
  const length = u32(packet.length, packet.length);
  return block(PACKET, u32(0), timestamp(time), length, packet);
}

/**
 * What a capture ends with.
 *
 * @param received How many packets there were.
 * @param dropped How many of them are not in the capture.
 * @param time When, in milliseconds since 1970.
 * @returns The block.
 */
export function captureEnd(
  received: number,
  dropped: number,
  time: number,
): Uint8Array {
  return block(
    STATISTICS,
    u32(0),
    timestamp(time),
    option(STATISTICS_RECEIVED, u64(received)),
    option(STATISTICS_DROPPED, u64(dropped)),
    END_OF_OPTIONS,
  );
}
