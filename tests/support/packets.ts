/**
 * Packets and capture files, byte by byte, with whatever is to be wrong in them.
 *
 * @module
 */

import { concat } from "@std/bytes";

/** The order of a file's numbers. */
export type Order = "big" | "little";

/** Numbers of so many bytes each. */
export function numbers(
  order: Order,
  width: 2 | 4,
  ...values: number[]
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(width * values.length));
  for (const [i, value] of values.entries()) {
    if (width === 2) view.setUint16(2 * i, value, order === "little");
    else view.setUint32(4 * i, value >>> 0, order === "little");
  }
  return new Uint8Array(view.buffer);
}

/** A segment of TCP. */
export interface SegmentInit {
  /** Where it comes from and goes to. */
  from: number;
  to: number;
  seq: number;
  /** Letters out of `SAFR`. */
  flags?: string;
  data?: Uint8Array | string;
  /** Options of TCP, in a multiple of 4 bytes. */
  options?: Uint8Array;
}

const FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, A: 16 };

/** Lays out a segment. */
export function tcp(
  { from, to, seq, flags = "A", data = "", options = new Uint8Array() }:
    SegmentInit,
): Uint8Array<ArrayBuffer> {
  const bits = [...flags].reduce((sum, flag) => sum + FLAGS[flag], 0);
  const words = 5 + options.length / 4;
  return concat([
    numbers("big", 2, from, to),
    numbers("big", 4, seq, 0),
    new Uint8Array([words << 4, bits, 0xff, 0xff, 0, 0, 0, 0]),
    options,
    typeof data === "string" ? new TextEncoder().encode(data) : data,
  ]);
}

/** Puts a segment into an IPv4 packet from 10.0.0.1 or, with `back`, to it. */
export function ipv4(
  inside: Uint8Array,
  { back = false, options = new Uint8Array(), fragment = 0, protocol = 6 }: {
    back?: boolean;
    options?: Uint8Array;
    fragment?: number;
    protocol?: number;
  } = {},
): Uint8Array<ArrayBuffer> {
  const words = 5 + options.length / 4;
  const ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
  if (back) ends.reverse();
  return concat([
    new Uint8Array([0x40 + words, 0]),
    numbers("big", 2, words * 4 + inside.length, 0, fragment),
    new Uint8Array([64, protocol, 0, 0, ...ends.flat()]),
    options,
    inside,
  ]);
}

/** Puts a segment into an IPv6 packet from ::1 to itself, behind headers of other kinds. */
export function ipv6(
  inside: Uint8Array,
  extensions: readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  const kinds = [...extensions, 6];
  // Each is 8 bytes long, and says what comes next; that of a fragment says nothing of its length.
  const headers = extensions.map((_, i) =>
    new Uint8Array([kinds[i + 1], 0, 0, 0, 0, 0, 0, 0])
  );
  const address = new Uint8Array(16);
  address[15] = 1;
  const rest = concat([...headers, inside]);
  return concat([
    new Uint8Array([0x60, 0, 0, 0]),
    numbers("big", 2, rest.length),
    new Uint8Array([kinds[0], 64]),
    address,
    address,
    rest,
  ]);
}

/** Puts an IP packet into a frame of Ethernet, with tags of virtual networks. */
export function ethernet(
  inside: Uint8Array,
  tags: readonly number[] = [],
): Uint8Array<ArrayBuffer> {
  const type = inside[0] >> 4 === 6 ? 0x86dd : 0x0800;
  return concat([
    new Uint8Array(12),
    ...tags.map((tag) => numbers("big", 2, tag, 7)),
    numbers("big", 2, type),
    inside,
  ]);
}

/** A block of pcapng. */
export function block(
  order: Order,
  type: number,
  ...parts: Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const body = concat(parts);
  const padding = new Uint8Array(-body.length & 3);
  const length = numbers(order, 4, 12 + body.length + padding.length);
  return concat([numbers(order, 4, type), length, body, padding, length]);
}

/** The block that a section begins with. */
export function section(order: Order): Uint8Array<ArrayBuffer> {
  return block(
    order,
    0x0a0d0d0a,
    numbers(order, 4, 0x1a2b3c4d),
    numbers(order, 2, 1, 0),
    numbers(order, 4, -1, -1),
  );
}

/** The block of an interface. */
export function networkInterface(
  order: Order,
  linkType: number,
  { snapLength = 0, options = new Uint8Array() }: {
    snapLength?: number;
    options?: Uint8Array;
  } = {},
): Uint8Array<ArrayBuffer> {
  return block(
    order,
    1,
    numbers(order, 2, linkType, 0),
    numbers(order, 4, snapLength),
    options,
  );
}

/** The block of a packet, with its time in units of its interface. */
export function packetBlock(
  order: Order,
  bytes: Uint8Array,
  { time = 0n, on = 0, kept = bytes.length }: {
    time?: bigint;
    on?: number;
    kept?: number;
  } = {},
): Uint8Array<ArrayBuffer> {
  const high = Number(time >> 32n);
  const low = Number(time & 0xffffffffn);
  return block(
    order,
    6,
    numbers(order, 4, on, high, low, kept, bytes.length),
    bytes,
  );
}

/** A file of pcapng with packets of one interface. */
export function pcapng(
  linkType: number,
  packets: readonly Uint8Array[],
  order: Order = "little",
): Uint8Array<ArrayBuffer> {
  return concat([
    section(order),
    networkInterface(order, linkType),
    ...packets.map((bytes, i) =>
      packetBlock(order, bytes, { time: BigInt(i) })
    ),
  ]);
}

/** A classic file; the time of a packet is its index, in seconds and in the unit of the file. */
export function pcap(
  linkType: number,
  packets: readonly Uint8Array[],
  { order = "little", nano = false }: { order?: Order; nano?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  return concat([
    numbers(order, 4, nano ? 0xa1b23c4d : 0xa1b2c3d4),
    numbers(order, 2, 2, 4),
    numbers(order, 4, 0, 0, 65_535, linkType),
    ...packets.flatMap((bytes, i) => [
      numbers(order, 4, i, i, bytes.length, bytes.length),
      bytes,
    ]),
  ]);
}

/** What two say to each other over TCP, in packets of IPv4: from port 40,000 of 10.0.0.1 to a port of 10.0.0.2. */
export function conversation(
  said: readonly (readonly ["client" | "server", Uint8Array | string])[],
  { port = 7, from = 40_000, end = true }: {
    port?: number;
    from?: number;
    end?: boolean;
  } = {},
): Uint8Array<ArrayBuffer>[] {
  const next = { client: 1000, server: 2000 };
  const packets: Uint8Array<ArrayBuffer>[] = [];
  function send(
    side: "client" | "server",
    flags: string,
    data: Uint8Array | string = "",
  ): void {
    const back = side === "server";
    const [a, b] = back ? [port, from] : [from, port];
    packets.push(
      ipv4(tcp({ from: a, to: b, seq: next[side], flags, data }), { back }),
    );
    const { length } = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data;
    next[side] += length + (/[SF]/.test(flags) ? 1 : 0);
  }
  send("client", "S");
  send("server", "SA");
  send("client", "A");
  for (const [side, data] of said) send(side, "A", data);
  if (end) {
    send("client", "FA");
    send("server", "FA");
    send("client", "A");
  }
  return packets;
}
