/**
 * The streams of TCP connections, put together again from packets: whatever came late, twice or overlapping.
 *
 *     packets    Ethernet | IP | TCP  seq 1 "he"   seq 5 "o"   seq 3 "ll"   seq 3 "ll" again
 *     stream     "he"                                          "llo"
 *
 * What is missing is a gap: behind it nobody can say where a frame begins.
 *
 * @module
 */

import { readUint } from "../../lib/bytes/byte_order.ts";
import { formatAddr } from "../../mod.ts";
import type { Side } from "./dialect.ts";
import { other } from "./conversation.ts";

/** What happened to a connection; `id` counts connections from 1. */
export type TcpEvent =
  | { kind: "open"; id: number; client: string; server: string }
  | { kind: "bytes"; id: number; from: Side; bytes: Uint8Array }
  | { kind: "gap"; id: number; from: Side; missing: number }
  | { kind: "end"; id: number; from: Side }
  | { kind: "closed"; id: number; reason?: string };

/** How much is kept for segments in front of which others are missing. */
export interface TcpLimits {
  /** The most connections at a time; the one that was silent for longest is given up for another one. */
  connections?: number;
  /** The most segments of a direction that wait for others. */
  segments?: number;
  /** The most bytes that wait, in all connections together. */
  bytes?: number;
}

/** What there was in the packets that no connection was made of. */
export interface LeftOut {
  /** Packets that are not TCP over IP, or of a link type that is not known. */
  others: number;
  /** Packets that are parts of larger ones. */
  fragments: number;
  /** Packets whose headers cannot be, or are cut off. */
  damaged: number;
}

/** A segment of TCP. */
interface Segment {
  source: string;
  sourcePort: number;
  target: string;
  targetPort: number;
  sequence: number;
  syn: boolean;
  ack: boolean;
  fin: boolean;
  rst: boolean;
  payload: Uint8Array;
  /** How long the payload was on the wire. */
  length: number;
}

type NoSegment = keyof LeftOut;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
/** Tags of virtual networks. */
const VLAN: readonly number[] = [0x8100, 0x88a8, 0x9100];
const TCP = 6;

/** Where the IP header begins in a packet, by the type of its link; `undefined` if there is none. */
function networkStart(linkType: number, bytes: Uint8Array): number | undefined {
  switch (linkType) {
    case 1: // Ethernet
      return behindEtherType(bytes, 12);
    case 12: // IP itself, by several numbers
    case 14:
    case 101:
    case 228:
    case 229:
      return 0;
    case 0: // BSD loopback: an address family, in either order
    case 108:
      return 4;
    case 113: // Linux, all interfaces
      return behindEtherType(bytes, 14);
    case 276: // the same, version 2
      return bytes.length < 20 ? undefined : isIp(bytes, 0) ? 20 : undefined;
    default:
      return undefined;
  }
}

function isIp(bytes: Uint8Array, at: number): boolean {
  const type = readUint(bytes, at, 2, "big");
  return type === IPV4 || type === IPV6;
}

/** Passes over the type of what is inside, which lies at `at`, and over tags. */
function behindEtherType(bytes: Uint8Array, at: number): number | undefined {
  while (
    at + 2 <= bytes.length && VLAN.includes(readUint(bytes, at, 2, "big"))
  ) at += 4;
  return at + 2 <= bytes.length && isIp(bytes, at) ? at + 2 : undefined;
}

/** What IP carries. */
interface Inside {
  source: string;
  target: string;
  protocol: number;
  bytes: Uint8Array;
  /** How long it was on the wire. */
  length: number;
}

function insideIpv4(bytes: Uint8Array): Inside | NoSegment {
  if (bytes.length < 20) return "damaged";
  const header = (bytes[0] & 0x0f) * 4;
  // 0 where the network card was to cut the packet: then it is as long as what was captured.
  const total = readUint(bytes, 2, 2, "big") || bytes.length;
  if (header < 20 || header > total || header > bytes.length) return "damaged";
  if ((readUint(bytes, 6, 2, "big") & 0x3fff) !== 0) return "fragments";
  return {
    source: bytes.subarray(12, 16).join("."),
    target: bytes.subarray(16, 20).join("."),
    protocol: bytes[9],
    bytes: bytes.subarray(header, total),
    length: total - header,
  };
}

function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => readUint(bytes, 2 * i, 2, "big").toString(16),
  );
  // The URL standard writes the address in its shortest form.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;

function insideIpv6(bytes: Uint8Array): Inside | NoSegment {
  if (bytes.length < 40) return "damaged";
  const announced = readUint(bytes, 4, 2, "big");
  const total = announced === 0 ? bytes.length : 40 + announced;
  let protocol = bytes[6];
  let at = 40;
  while (true) {
    let length: number;
    switch (protocol) {
      case FRAGMENT:
        return "fragments";
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION:
        length = (bytes[at + 1] + 1) * 8;
        break;
      case AUTHENTICATION:
        length = (bytes[at + 1] + 2) * 4;
        break;
      default:
        return {
          source: ipv6Text(bytes.subarray(8, 24)),
          target: ipv6Text(bytes.subarray(24, 40)),
          protocol,
          bytes: bytes.subarray(at, total),
          length: total - at,
        };
    }
    // `NaN` if the header's own length is cut off.
    if (!(at + length <= Math.min(bytes.length, total))) return "damaged";
    protocol = bytes[at];
    at += length;
  }
}

function segmentOf(linkType: number, bytes: Uint8Array): Segment | NoSegment {
  const start = networkStart(linkType, bytes);
  if (start === undefined) return "others";
  const packet = bytes.subarray(start);
  const version = packet.length === 0 ? 0 : packet[0] >> 4;
  if (version !== 4 && version !== 6) return "others";
  const inside = version === 4 ? insideIpv4(packet) : insideIpv6(packet);
  if (typeof inside === "string") return inside;
  if (inside.protocol !== TCP) return "others";
  const { source, target, bytes: tcp } = inside;
  if (tcp.length < 20) return "damaged";
  const header = (tcp[12] >> 4) * 4;
  if (header < 20 || header > inside.length) return "damaged";
  const flags = tcp[13];
  return {
    source,
    target,
    sourcePort: readUint(tcp, 0, 2, "big"),
    targetPort: readUint(tcp, 2, 2, "big"),
    sequence: readUint(tcp, 4, 4, "big"),
    fin: (flags & 0x01) !== 0,
    syn: (flags & 0x02) !== 0,
    rst: (flags & 0x04) !== 0,
    ack: (flags & 0x10) !== 0,
    payload: tcp.subarray(header),
    length: inside.length - header,
  };
}

/** How far `a` is behind `b`, in sequence numbers that begin again at 0. */
function distance(a: number, b: number): number {
  return a - b | 0;
}

/** Bytes that wait for others. */
interface Waiting {
  sequence: number;
  bytes: Uint8Array;
}

/** One direction of a connection. */
class Stream {
  /** The sequence number of the next byte; `undefined` before the first. */
  next: number | undefined;
  /** The sequence number behind the last byte, once it is known. */
  last: number | undefined;
  /** Whether no more of it is told. */
  over = false;
  /** What has come and is not next, in order. */
  waiting: Waiting[] = [];
  waitingBytes = 0;

  /** Keeps bytes that are not next. */
  keep(sequence: number, bytes: Uint8Array): void {
    let at = this.waiting.length;
    while (at > 0 && distance(this.waiting[at - 1].sequence, sequence) > 0) {
      at--;
    }
    // The same again is not kept twice.
    const before = this.waiting[at - 1];
    if (
      before?.sequence === sequence && before.bytes.length >= bytes.length
    ) return;
    this.waiting.splice(at, 0, { sequence, bytes: bytes.slice() });
    this.waitingBytes += bytes.length;
  }

  /** Takes what is next by now; empty if nothing is. */
  take(): Uint8Array[] {
    const taken: Uint8Array[] = [];
    while (this.next !== undefined && this.waiting.length > 0) {
      const [{ sequence, bytes }] = this.waiting;
      const ahead = distance(sequence, this.next);
      if (ahead > 0) break;
      this.waiting.shift();
      this.waitingBytes -= bytes.length;
      const fresh = bytes.subarray(-ahead);
      if (fresh.length === 0) continue;
      this.next = this.next + fresh.length >>> 0;
      taken.push(fresh);
    }
    return taken;
  }

  forget(): void {
    this.over = true;
    this.waiting = [];
    this.waitingBytes = 0;
  }
}

/** A connection. */
interface Connection {
  id: number;
  /** Who is the client: as its address and port are in the key. */
  client: string;
  streams: Record<Side, Stream>;
  /** The client's first sequence number, if its SYN was seen. */
  begun: number | undefined;
  closed: boolean;
}

/** How far ahead of the next byte one may be: further is another connection's, or nonsense. */
const WINDOW = 2 ** 30;

/** Puts streams together. */
export class TcpStreams {
  #limits: Required<TcpLimits>;
  #connections = new Map<string, Connection>();
  #count = 0;
  #waitingBytes = 0;
  /** What no connection was made of. */
  readonly leftOut: LeftOut = { others: 0, fragments: 0, damaged: 0 };

  /** Makes one that has seen nothing. */
  constructor(limits: TcpLimits = {}) {
    this.#limits = {
      connections: 4096,
      segments: 256,
      bytes: 2 ** 26,
      ...limits,
    };
  }

  /** How many connections were seen. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes a packet.
   *
   * @param linkType What it begins with.
   * @param bytes The packet.
   * @returns What follows from it, in order; the bytes may be views of the packet.
   */
  push(linkType: number, bytes: Uint8Array): TcpEvent[] {
    const segment = segmentOf(linkType, bytes);
    if (typeof segment === "string") {
      this.leftOut[segment]++;
      return [];
    }
    const events: TcpEvent[] = [];
    const source = placeText(segment.source, segment.sourcePort);
    const target = placeText(segment.target, segment.targetPort);
    const key = source < target ? `${source} ${target}` : `${target} ${source}`;
    let connection = this.#connections.get(key);
    if (connection !== undefined && isAnother(connection, segment, source)) {
      events.push(...this.#close(connection));
      connection = undefined;
    }
    if (connection === undefined) {
      // Nothing is made of what is left of a connection: its end, or an acknowledgement.
      if (!segment.syn && segment.payload.length === 0) return events;
      connection = this.#open(segment, source, target, events);
    }
    // The one that is silent for longest stands first.
    this.#connections.delete(key);
    this.#connections.set(key, connection);
    if (this.#connections.size > this.#limits.connections) {
      const [[oldest, silent]] = this.#connections;
      this.#connections.delete(oldest);
      events.push(
        ...this.#close(silent, "given up: there are too many connections"),
      );
    }
    const from = source === connection.client ? "client" : "server";
    this.#take(connection, from, segment, events);
    return events;
  }

  /** Ends all connections: there are no more packets. */
  end(): TcpEvent[] {
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    return connections.flatMap((connection) => this.#close(connection));
  }

  #open(
    { syn, ack, sequence, sourcePort, targetPort }: Segment,
    source: string,
    target: string,
    events: TcpEvent[],
  ): Connection {
    // Clients send the first SYN; where it was not seen, the ports have to tell.
    const isClient = syn ? !ack : isGivenOut(sourcePort, targetPort);
    const [client, server] = isClient ? [source, target] : [target, source];
    const id = ++this.#count;
    events.push({ kind: "open", id, client, server });
    return {
      id,
      client,
      streams: { client: new Stream(), server: new Stream() },
      begun: syn && !ack ? sequence : undefined,
      closed: false,
    };
  }

  #take(
    connection: Connection,
    from: Side,
    segment: Segment,
    events: TcpEvent[],
  ): void {
    const stream = connection.streams[from];
    const { id } = connection;
    let { sequence } = segment;
    if (segment.syn) {
      sequence = sequence + 1 >>> 0;
      stream.next ??= sequence;
      if (from === "client" && !segment.ack) {
        connection.begun ??= segment.sequence;
      }
    }
    if (segment.rst) {
      events.push(...this.#close(connection, "reset"));
      return;
    }
    if (stream.over) return;
    if (segment.payload.length > 0) stream.next ??= sequence;
    if (segment.fin) stream.last ??= sequence + segment.length >>> 0;
    if (stream.next === undefined) return;
    const ahead = distance(sequence, stream.next);
    if (Math.abs(ahead) > WINDOW) return;
    if (segment.payload.length > 0) {
      if (ahead > 0) this.#keep(stream, sequence, segment.payload);
      else this.#tell(connection, from, -ahead, segment.payload, events);
    }
    if (
      stream.waiting.length > this.#limits.segments ||
      this.#waitingBytes > this.#limits.bytes
    ) {
      this.#giveUp(connection, from, events);
    } else if (
      stream.last !== undefined && distance(stream.last, stream.next) <= 0
    ) {
      this.#forget(stream);
      events.push({ kind: "end", id, from });
    }
    if (connection.streams[other(from)].over && stream.over) {
      events.push(...this.#close(connection));
    }
  }

  #keep(stream: Stream, sequence: number, bytes: Uint8Array): void {
    this.#waitingBytes -= stream.waitingBytes;
    stream.keep(sequence, bytes);
    this.#waitingBytes += stream.waitingBytes;
  }

  /** Tells of bytes that are next, of which the first `known` were there before. */
  #tell(
    { id, streams }: Connection,
    from: Side,
    known: number,
    bytes: Uint8Array,
    events: TcpEvent[],
  ): void {
    const stream = streams[from];
    const fresh = bytes.subarray(known);
    if (fresh.length === 0 || stream.next === undefined) return;
    stream.next = stream.next + fresh.length >>> 0;
    this.#waitingBytes -= stream.waitingBytes;
    for (const part of [fresh, ...stream.take()]) {
      events.push({ kind: "bytes", id, from, bytes: part });
    }
    this.#waitingBytes += stream.waitingBytes;
  }

  #forget(stream: Stream): void {
    this.#waitingBytes -= stream.waitingBytes;
    stream.forget();
  }

  /** Waits no longer for what is missing. */
  #giveUp(
    { id, streams }: Connection,
    from: Side,
    events: TcpEvent[],
  ): void {
    const stream = streams[from];
    const behind = stream.waiting[0]?.sequence ?? stream.last;
    if (behind !== undefined && stream.next !== undefined) {
      const missing = distance(behind, stream.next);
      if (missing > 0) events.push({ kind: "gap", id, from, missing });
    }
    this.#forget(stream);
  }

  /** Ends both directions; what waits behind a gap is lost. */
  #close(connection: Connection, reason?: string): TcpEvent[] {
    if (connection.closed) return [];
    connection.closed = true;
    const events: TcpEvent[] = [];
    const { id, streams } = connection;
    for (const from of ["client", "server"] as const) {
      if (streams[from].over) continue;
      this.#giveUp(connection, from, events);
      if (events.some((event) => event.kind === "gap" && event.from === from)) {
        continue;
      }
      events.push({ kind: "end", id, from });
    }
    events.push({
      kind: "closed",
      id,
      ...reason !== undefined && { reason },
    });
    return events;
  }
}

/** Whether a port is rather one that a client was given than another one: those of Linux, or else the higher. */
function isGivenOut(port: number, other: number): boolean {
  const [given, otherGiven] = [port, other].map((one) =>
    one >= 32_768 && one <= 60_999
  );
  return given === otherGiven ? port >= other : given;
}

/** Whether a segment begins another connection between the same two. */
function isAnother(
  { begun, closed, client, streams }: Connection,
  { syn, ack, sequence }: Segment,
  source: string,
): boolean {
  if (!syn || ack) return false;
  if (begun !== undefined) return begun !== sequence;
  // It was seen from the middle, or the answer to this very segment was captured before it.
  return closed || source !== client || streams.client.next !== undefined;
}

function placeText(hostname: string, port: number): string {
  return formatAddr({ transport: "tcp", hostname, port });
}
