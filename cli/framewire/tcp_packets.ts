/**
 * The packets that two ends would have exchanged over TCP, made up from the bytes that went through a relay.
 *
 *     client ── SYN ───────────────►        open()
 *            ◄─────────── SYN, ACK ──
 *            ── ACK ───────────────►
 *            ── 00 00 00 05 … ─────►        data("client", …)
 *            ◄───────────────── ACK ──
 *            ── FIN, ACK ──────────►        end("client")
 *
 * Each is an IP packet, without anything of the network below. Where an end has no IP address, as with Unix sockets,
 * it is given one of the loopback.
 *
 * @module
 */

import { parseIp } from "../ip_address.ts";
import { other } from "./conversation.ts";
import type { Side } from "./dialect.ts";

/** An end of a connection. */
export interface Endpoint {
  /** Its address: 4 or 16 bytes. */
  ip: Uint8Array;
  /** Its port. */
  port: number;
}

/** Both ends of a connection. */
export type Endpoints = Record<Side, Endpoint>;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;

/** The most bytes in one packet: with both headers it must stay below 65,536. */
const MOST = 65_000;
const TCP = 6;
const HOPS = 64;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
/** Options of a SYN: the most bytes in one packet; the window counts in units of 2 ** 14. */
const SYN_OPTIONS = [2, 4, MOST >> 8, MOST & 0xff, 1, 3, 3, 14];
const WINDOW = 0xffff;
/** The prefix of IPv4 addresses within IPv6. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
/** Where the ports of those begin that have none. */
const FIRST_MADE_UP_PORT = 49_152;

/** An IPv4 address that came in over IPv6, as IPv4. */
function unmapped(ip: Uint8Array): Uint8Array {
  return ip.length === 16 && MAPPED.every((byte, i) => ip[i] === byte)
    ? ip.subarray(12)
    : ip;
}

/**
 * Finds addresses for both ends, of the same kind.
 *
 * @param client Where the client is.
 * @param server Where the server is.
 * @param number The number of the connection: clients without a port get one by it.
 * @returns Both ends.
 */
export function endpointsOf(
  client: Deno.Addr,
  server: Deno.Addr,
  number: number,
): Endpoints {
  const madeUp = FIRST_MADE_UP_PORT + number % (65_536 - FIRST_MADE_UP_PORT);
  const ends = {
    client: endpointOf(client, 1, madeUp),
    server: endpointOf(server, 2, 1),
  };
  if (ends.client.ip.length === ends.server.ip.length) return ends;
  for (const end of [ends.client, ends.server]) {
    if (end.ip.length === 4) end.ip = Uint8Array.of(...MAPPED, ...end.ip);
  }
  return ends;
}

function endpointOf(addr: Deno.Addr, host: number, port: number): Endpoint {
  const ip = "hostname" in addr
    ? parseIp(addr.hostname.replace(/%.*$/, "")) // without its zone
    : undefined;
  return ip !== undefined && "port" in addr
    ? { ip: unmapped(ip), port: addr.port }
    : { ip: Uint8Array.of(127, 0, 0, host), port };
}

/** The sum of 16-bit numbers, as the Internet's checksum has it before it is turned round. */
function sumOf(bytes: Uint8Array, start = 0): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  if (even < bytes.length) sum += bytes[even] << 8;
  return sum;
}

function checksum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The packets of one connection. */
export class TcpPackets {
  readonly #ends: Endpoints;
  /** The number of the next byte that each side sends. */
  #next: Record<Side, number> = { client: 0, server: 0 };
  #packets = 0;

  /** Begins with nothing sent. */
  constructor(ends: Endpoints) {
    this.#ends = ends;
  }

  /** The three packets by which a connection is opened. */
  open(): Uint8Array[] {
    return [
      this.#packet("client", SYN),
      this.#packet("server", SYN | ACK),
      this.#packet("client", ACK),
    ];
  }

  /**
   * The packets for bytes that came in one piece, and their acknowledgement.
   *
   * @param from Who sent them.
   * @param bytes The bytes: more than fit into a packet are several.
   */
  data(from: Side, bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; start += MOST) {
      const part = bytes.subarray(start, start + MOST);
      packets.push(this.#packet(from, PSH | ACK, part));
    }
    return [...packets, this.#packet(other(from), ACK)];
  }

  /** The packets by which a side says that it sends no more. */
  end(from: Side): Uint8Array[] {
    return [this.#packet(from, FIN | ACK), this.#packet(other(from), ACK)];
  }

  /** The packet by which a side breaks the connection. */
  reset(from: Side): Uint8Array[] {
    return [this.#packet(from, RST | ACK)];
  }

  #packet(from: Side, flags: number, payload?: Uint8Array): Uint8Array {
    const { ip: source, port: sourcePort } = this.#ends[from];
    const { ip: target, port: targetPort } = this.#ends[other(from)];
    const options = flags & SYN ? SYN_OPTIONS : [];
    const length = TCP_HEADER + options.length + (payload?.length ?? 0);
    const ipHeader = source.length === 4 ? IPV4_HEADER : IPV6_HEADER;
    const packet = new Uint8Array(ipHeader + length);

    const tcp = packet.subarray(ipHeader);
    const view = new DataView(tcp.buffer, ipHeader);
    view.setUint16(0, sourcePort);
    view.setUint16(2, targetPort);
    view.setUint32(4, this.#next[from]);
    if (flags & ACK) view.setUint32(8, this.#next[other(from)]);
    view.setUint16(12, (TCP_HEADER + options.length) << 10 | flags);
    view.setUint16(14, WINDOW);
    tcp.set(options, TCP_HEADER);
    if (payload) tcp.set(payload, TCP_HEADER + options.length);
    const pseudoHeader = sumOf(source) + sumOf(target) + TCP + length;
    view.setUint16(16, checksum(sumOf(tcp, pseudoHeader)));

    const took = (payload?.length ?? 0) + (flags & (SYN | FIN) ? 1 : 0);
    this.#next[from] = (this.#next[from] + took) % 2 ** 32;
    const header = new DataView(packet.buffer, 0, ipHeader);
    if (ipHeader === IPV4_HEADER) {
      header.setUint16(0, 0x4500);
      header.setUint16(2, packet.length);
      header.setUint16(4, this.#packets++ & 0xffff);
      header.setUint16(6, 0x4000); // not to be cut
      header.setUint16(8, HOPS << 8 | TCP);
      packet.set(source, 12);
      packet.set(target, 16);
      header.setUint16(10, checksum(sumOf(packet.subarray(0, ipHeader))));
    } else {
      header.setUint32(0, 0x60000000);
      header.setUint16(4, length);
      header.setUint16(6, TCP << 8 | HOPS);
      packet.set(source, 8);
      packet.set(target, 24);
    }
    return packet;
  }
}
