/**
 * The header of the PROXY protocol, in which a proxy says whose connection it relays. It comes once, in front
 * of everything else.
 *
 *     version 1   PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n
 *
 *     version 2   | 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a | 21      | 11     | 00 0c  | addresses, TLVs
 *                   signature                             command   family   length
 *
 * @module
 */

import { readUint, writeUint } from "../bytes/byte_order.ts";
import type { ByteQueue } from "../bytes/byte_queue.ts";
import { ByteSink } from "../bytes/byte_sink.ts";
import { bytesLiteral } from "../bytes/print_bytes.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
import { MalformedFrameError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { crc32c } from "./crc32c.ts";
import { tooLarge, tooLargeToWrite } from "./faults.ts";
import { ipText, ipv4Bytes, ipv6Bytes, ipv6Text } from "./ip_address.ts";
import { checkInteger } from "./options.ts";
import { encodeUtf8 } from "./text.ts";

/** One end of a relayed TCP or UDP connection, in the form of a `Deno.NetAddr`. */
export interface ProxyNetAddr {
  /** The transport protocol. */
  transport: "tcp" | "udp";
  /** The IP address. What was read is spelt as Deno spells it: IPv6 as in RFC 5952. */
  hostname: string;
  /** The port, from 0 to 65535. */
  port: number;
}

/** One end of a relayed connection of Unix sockets, in the form of a `Deno.UnixAddr`. */
export interface ProxyUnixAddr {
  /** The kind of socket: a stream, or datagrams. */
  transport: "unix" | "unixpacket";
  /** The path; empty if the socket has none, and with a zero byte in front if it is abstract. */
  path: string;
}

/** One end of a relayed connection. */
export type ProxyAddr = ProxyNetAddr | ProxyUnixAddr;

/** A piece of information beside the addresses: type, length, value. */
export interface ProxyTlv {
  /** What it is, from 0 to 255: 1 is the ALPN, 2 the server name, 3 the checksum, 5 a unique id, 32 TLS. */
  type: number;
  /** What it says. That of a checksum is worked out when it is laid out, whatever its 4 bytes are. */
  value: Uint8Array;
}

/** The header of a connection that is relayed between two addresses. */
export interface RelayedProxyHeader {
  /** The version of the protocol. */
  version: 1 | 2;
  /** That the connection is relayed. */
  command: "proxy";
  /** Who connected to the proxy. */
  source: ProxyAddr;
  /** What address of the proxy's. It has the transport and the family of the source. */
  destination: ProxyAddr;
  /** What else is known, in the order of the wire; version 1 has none. */
  tlvs: readonly ProxyTlv[];
}

/** The header of a connection that is relayed from who knows where: the real addresses are to be used. */
export interface UnknownProxyHeader {
  /** The version of the protocol. */
  version: 1 | 2;
  /** That the connection is relayed. */
  command: "proxy";
  /** There is none. */
  source?: undefined;
  /** There is none. */
  destination?: undefined;
  /** What else is known, in the order of the wire; version 1 has none. */
  tlvs: readonly ProxyTlv[];
}

/** The header of a connection of the proxy's own, as for a health check: the real addresses are to be used. */
export interface LocalProxyHeader {
  /** The version of the protocol. */
  version: 2;
  /** That the connection is not relayed. */
  command: "local";
  /** There is none. */
  source?: undefined;
  /** There is none. */
  destination?: undefined;
  /** What else is known, in the order of the wire. */
  tlvs: readonly ProxyTlv[];
}

/** What a proxy says about a connection. */
export type ProxyHeader =
  | RelayedProxyHeader
  | UnknownProxyHeader
  | LocalProxyHeader;

/** The limit of {@linkcode proxyHeader}. */
export interface ProxyHeaderOptions {
  /**
   * The longest header that is accepted and laid out, in bytes, all of it counted: from 107, which version 1
   * may take, to 65551. The default is what fits into the smallest TCP segment, as the protocol intends.
   *
   * @default {536}
   */
  maxFrameLength?: number;
}

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
/** Length of the signature, command, family and length. */
const FIXED_LENGTH = 16;
const LOCAL = 0x20;
const RELAYED = 0x21;
/** What each family byte with known addresses says, and how long those are. */
const FAMILIES = new Map<
  number,
  { transport: ProxyAddr["transport"]; length: number }
>([
  [0x11, { transport: "tcp", length: 12 }],
  [0x12, { transport: "udp", length: 12 }],
  [0x21, { transport: "tcp", length: 36 }],
  [0x22, { transport: "udp", length: 36 }],
  [0x31, { transport: "unix", length: 216 }],
  [0x32, { transport: "unixpacket", length: 216 }],
]);
const PATH_LENGTH = 108;
const CHECKSUM = 3;
const UNIQUE_ID = 5;
const LONGEST_UNIQUE_ID = 128;

const TCP4 = "PROXY TCP4 ";
const TCP6 = "PROXY TCP6 ";
const UNKNOWN = "PROXY UNKNOWN ";
const SHORT_UNKNOWN = "PROXY UNKNOWN\r\n";
/** What may come behind a beginning of version 1, up to the line feed. */
const LINE_CHARACTERS = new Map([
  [TCP4, /[0-9. \r]/],
  [TCP6, /[0-9a-fA-F:. \r]/],
  [UNKNOWN, /[^]/],
]);
/** The longest line of version 1, its CR LF included. */
const LONGEST_LINE = 107;
const CR = 13;
const LF = 10;

/** How a header begins. No beginning is part of another. */
const BEGINNINGS = [SIGNATURE, TCP4, TCP6, UNKNOWN, SHORT_UNKNOWN];

/** Bytes that are no header; `seen` is how many were looked at to judge that. */
function malformed(
  received: ByteQueue,
  what: string,
  seen: number,
): MalformedFrameError {
  return new MalformedFrameError(`Cannot read frame: ${what}`, {
    offset: received.offset,
    preview: received.preview(seen),
  });
}

/** The beginning that the bytes have; `undefined` if more of it has to come. */
function beginningOf(received: ByteQueue): string | undefined {
  let agreed = 0;
  for (const beginning of BEGINNINGS) {
    const most = Math.min(beginning.length, received.length);
    let i = 0;
    while (i < most && received.at(i) === beginning.charCodeAt(i)) i++;
    if (i === beginning.length) return beginning;
    if (i === received.length) return undefined;
    agreed = Math.max(agreed, i);
  }
  const seen = agreed + 1;
  const bytes = bytesLiteral(received.peek(seen));
  throw malformed(
    received,
    `no PROXY protocol header begins with ${bytes}`,
    seen,
  );
}

/** The length of a line of version 1; `undefined` if its end has not come. */
function lineLength(
  received: ByteQueue,
  beginning: string,
): number | undefined {
  const characters = LINE_CHARACTERS.get(beginning);
  const most = Math.min(received.length, LONGEST_LINE);
  const start = Math.max(received.searched, beginning.length);
  for (let i = start; i < most; i++) {
    const byte = received.at(i);
    if ((byte === LF) !== (received.at(i - 1) === CR)) {
      throw malformed(received, "the line must end with CR LF", i + 1);
    }
    if (byte === LF) return i + 1;
    if (characters?.test(String.fromCharCode(byte)) === false) {
      const found = bytesLiteral(received.peek(1, i));
      throw malformed(
        received,
        `the line must be addresses and ports: it has ${found} at ${i}`,
        i + 1,
      );
    }
  }
  received.searched = most;
  if (most < LONGEST_LINE) return undefined;
  throw tooLarge(received, {
    length: LONGEST_LINE + 1,
    limit: LONGEST_LINE,
    option: "version 1's limit",
    what: "a line of at least",
    seen: LONGEST_LINE,
  });
}

/** Takes a header of version 1. */
function takeLine(
  received: ByteQueue,
  beginning: string,
): ProxyHeader | undefined {
  const length = beginning === SHORT_UNKNOWN
    ? beginning.length
    : lineLength(received, beginning);
  if (length === undefined) return undefined;
  if (beginning === SHORT_UNKNOWN || beginning === UNKNOWN) {
    received.drop(length); // whatever else the line says
    return { version: 1, command: "proxy", tlvs: [] };
  }

  const { length: start } = beginning;
  const line = String.fromCharCode(...received.peek(length - 2 - start, start));
  const fields = line.split(" ");
  if (fields.length !== 4) {
    const found = JSON.stringify(line);
    throw malformed(
      received,
      `the line must be two addresses and two ports: it is ${found}`,
      length,
    );
  }
  const parse = beginning === TCP4 ? ipv4Bytes : ipv6Bytes;
  const endOf = (address: string, port: string): ProxyNetAddr => {
    const bytes = parse(address);
    if (bytes === undefined) {
      const found = JSON.stringify(address);
      throw malformed(
        received,
        `an address of ${beginning.slice(6, 10)} cannot be ${found}`,
        length,
      );
    }
    if (!/^(0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > 0xffff) {
      const found = JSON.stringify(port);
      throw malformed(received, `a port cannot be ${found}`, length);
    }
    return { transport: "tcp", hostname: ipText(bytes), port: Number(port) };
  };
  const source = endOf(fields[0], fields[2]);
  const destination = endOf(fields[1], fields[3]);
  received.drop(length);
  return { version: 1, command: "proxy", source, destination, tlvs: [] };
}

/** The first 16 bytes of version 2, checked as far as they have come; `undefined` if that is not all. */
function fixedPart(
  received: ByteQueue,
  limit: number,
): { command: number; family: number; total: number } | undefined {
  const { length } = received;
  if (length < 13) return undefined;
  const command = received.at(12);
  if (command !== LOCAL && command !== RELAYED) {
    throw malformed(
      received,
      `version and command must be 0x20 or 0x21: they are ${hex(command)}`,
      13,
    );
  }
  if (length < 14) return undefined;
  const family = received.at(13);
  // For a connection of the proxy's own it is to be ignored.
  if (command === RELAYED && (family >> 4 > 3 || (family & 0x0f) > 2)) {
    throw malformed(
      received,
      `family and protocol cannot be ${hex(family)}`,
      14,
    );
  }
  if (length < FIXED_LENGTH) {
    received.need(FIXED_LENGTH);
    return undefined;
  }
  const total = FIXED_LENGTH + received.uint(14, 2);
  if (total > limit) {
    throw tooLarge(received, {
      length: total,
      limit,
      what: "a header of",
      seen: FIXED_LENGTH,
    });
  }
  const least = FAMILIES.get(family)?.length ?? 0;
  if (command === RELAYED && total < FIXED_LENGTH + least) {
    throw malformed(
      received,
      `addresses of ${hex(family)} must be ${least} bytes: they are ${
        total - FIXED_LENGTH
      }`,
      FIXED_LENGTH,
    );
  }
  return { command, family, total };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** Takes a header of version 2. */
function takeBlock(
  received: ByteQueue,
  limit: number,
): ProxyHeader | undefined {
  const fixed = fixedPart(received, limit);
  if (fixed === undefined) return undefined;
  const { command, family, total } = fixed;
  if (received.length < total) {
    received.need(total);
    return undefined;
  }
  const bytes = received.peek(total);
  const known = FAMILIES.get(family);
  const isKnown = known !== undefined;
  const tlvStart = FIXED_LENGTH + (known?.length ?? 0);
  // A family with an unknown protocol does not say how long its addresses are.
  let tlvs = isKnown || family < 0x10
    ? tlvsIn(bytes.subarray(tlvStart))
    : undefined;
  if (tlvs === undefined) {
    if (isKnown && command === RELAYED) {
      throw malformed(received, "a TLV ends behind the header", total);
    }
    tlvs = []; // what is there is to be ignored
  }
  const wrong = tlvFault(tlvs);
  if (wrong !== undefined) throw malformed(received, wrong, total);
  const summed = bytes.slice();
  putChecksum(summed, tlvs, tlvStart);
  if (summed.some((byte, i) => byte !== bytes[i])) {
    throw malformed(received, "the checksum is not the header's", total);
  }

  let header: ProxyHeader;
  if (command === LOCAL) {
    header = { version: 2, command: "local", tlvs };
  } else if (known === undefined) {
    header = { version: 2, command: "proxy", tlvs };
  } else {
    const block = bytes.subarray(FIXED_LENGTH, tlvStart);
    try {
      const [source, destination] = endsIn(block, known.transport);
      header = { version: 2, command: "proxy", source, destination, tlvs };
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw malformed(received, `a path is malformed: ${cause.message}`, total);
    }
  }
  received.drop(total);
  return header;
}

/** The source and the destination in a block of addresses. */
function endsIn(
  block: Uint8Array,
  transport: ProxyAddr["transport"],
): [ProxyAddr, ProxyAddr] {
  if (transport === "unix" || transport === "unixpacket") {
    return [
      { transport, path: pathIn(block.subarray(0, PATH_LENGTH)) },
      { transport, path: pathIn(block.subarray(PATH_LENGTH)) },
    ];
  }
  const ports = block.length - 4;
  const half = ports / 2;
  return [
    {
      transport,
      hostname: ipText(block.subarray(0, half)),
      port: readUint(block, ports, 2, "big"),
    },
    {
      transport,
      hostname: ipText(block.subarray(half, ports)),
      port: readUint(block, ports + 2, 2, "big"),
    },
  ];
}

/** The path that zeros fill up; behind the zero that ends it, anything may lie. */
function pathIn(bytes: Uint8Array): string {
  let end = bytes.indexOf(0);
  if (end < 0) end = bytes.length;
  if (end === 0) {
    // Abstract, where a zero is as good as any other byte, or no path at all.
    end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
  }
  return decodeUtf8(bytes.subarray(0, end));
}

/** The TLVs that the bytes are; `undefined` if they are none. */
function tlvsIn(bytes: Uint8Array): ProxyTlv[] | undefined {
  const tlvs: ProxyTlv[] = [];
  for (let start = 0; start < bytes.length;) {
    if (start + 3 > bytes.length) return undefined;
    const end = start + 3 + readUint(bytes, start + 1, 2, "big");
    if (end > bytes.length) return undefined;
    // Copied, so that who keeps a header keeps nothing else.
    tlvs.push({ type: bytes[start], value: bytes.slice(start + 3, end) });
    start = end;
  }
  return tlvs;
}

/** What is wrong with those TLVs of which the protocol says how long they are. */
function tlvFault(tlvs: readonly ProxyTlv[]): string | undefined {
  let sums = 0;
  for (const { type, value: { length } } of tlvs) {
    if (type === CHECKSUM && length !== 4) {
      return `a checksum must be 4 bytes: it is ${length}`;
    }
    if (type === CHECKSUM && ++sums > 1) return "the checksum comes twice";
    if (type === UNIQUE_ID && length > LONGEST_UNIQUE_ID) {
      return `a unique id must be at most ${LONGEST_UNIQUE_ID} bytes: it is ${length}`;
    }
  }
  return undefined;
}

/** Puts the right checksum into a header whose TLVs begin at `tlvStart`, if there is one among them. */
function putChecksum(
  header: Uint8Array,
  tlvs: readonly ProxyTlv[],
  tlvStart: number,
): void {
  let start = tlvStart;
  for (const { type, value } of tlvs) {
    if (type === CHECKSUM) {
      // It is that of the header with zeros in its place.
      writeUint(header, start + 3, 0, 4, "big");
      writeUint(header, start + 3, crc32c(header), 4, "big");
    }
    start += 3 + value.length;
  }
}

/** A value that cannot be laid out. */
function unwritable(what: string): RangeError {
  return new RangeError(`Cannot write frame: ${what}`);
}

/** The ends of the connection, if the header names them. */
function endsOf(header: ProxyHeader): [ProxyAddr, ProxyAddr] | undefined {
  const { source, destination } = header;
  if (source === undefined && destination === undefined) return undefined;
  if (source === undefined || destination === undefined) {
    throw new TypeError(
      "Cannot write frame: source and destination must both be there, or neither",
    );
  }
  if (source.transport !== destination.transport) {
    throw unwritable(
      `source and destination must have the same transport: they have ${source.transport} and ${destination.transport}`,
    );
  }
  return [source, destination];
}

/** The addresses of both ends as bytes. */
function ipPair(source: ProxyNetAddr, destination: ProxyNetAddr): number[][] {
  const pair = [source, destination].map(({ hostname, port }) => {
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
      throw unwritable(`a port must be from 0 to 65535: it is ${port}`);
    }
    const bytes = ipv4Bytes(hostname) ?? ipv6Bytes(hostname);
    if (bytes !== undefined) return bytes;
    const found = JSON.stringify(hostname);
    throw unwritable(`a hostname must be an IP address: it is ${found}`);
  });
  if (pair[0].length !== pair[1].length) {
    throw unwritable(
      `source and destination must be of the same family: they are ${source.hostname} and ${destination.hostname}`,
    );
  }
  return pair;
}

/** A path, filled up with zeros. */
function pathBytes({ path }: ProxyUnixAddr): Uint8Array {
  const bytes = encodeUtf8(path);
  if (bytes.length > PATH_LENGTH) {
    throw unwritable(
      `a path must be at most ${PATH_LENGTH} bytes: it is ${bytes.length}`,
    );
  }
  if (path.startsWith("\0") ? path.endsWith("\0") : path.includes("\0")) {
    throw unwritable("a path must not have a zero byte at or before its end");
  }
  const filled = new Uint8Array(PATH_LENGTH);
  filled.set(bytes);
  return filled;
}

/** The line of version 1. */
function lineOf(header: ProxyHeader): string {
  const { command, tlvs } = header;
  if (command !== "proxy") {
    throw unwritable(`version 1 has no command ${JSON.stringify(command)}`);
  }
  if (tlvs.length > 0) throw unwritable("version 1 has no TLVs");
  const ends = endsOf(header);
  if (ends === undefined) return SHORT_UNKNOWN;
  const [source, destination] = ends;
  if (source.transport !== "tcp" || destination.transport !== "tcp") {
    throw unwritable(`version 1 has no transport ${source.transport}`);
  }
  const pair = ipPair(source, destination);
  const isIpv4 = pair[0].length === 4;
  // In version 1, an IPv6 address is hexadecimal to its end.
  const [from, to] = pair.map(isIpv4 ? ipText : ipv6Text);
  const ports = `${source.port} ${destination.port}`;
  return `${isIpv4 ? TCP4 : TCP6}${from} ${to} ${ports}\r\n`;
}

/** The bytes of version 2. */
function blockOf(header: ProxyHeader): Uint8Array {
  const { command, tlvs } = header;
  const wrong = tlvFault(tlvs);
  if (wrong !== undefined) throw unwritable(wrong);

  const addresses = new ByteSink();
  let family = 0;
  const ends = endsOf(header);
  if (ends !== undefined) {
    const [source, destination] = ends;
    if ("path" in source && "path" in destination) {
      addresses.write(pathBytes(source));
      addresses.write(pathBytes(destination));
    } else if ("hostname" in source && "hostname" in destination) {
      addresses.write(Uint8Array.from(ipPair(source, destination).flat()));
      addresses.uint(source.port, 2);
      addresses.uint(destination.port, 2);
    }
    for (const [code, { transport, length }] of FAMILIES) {
      if (transport === source.transport && length === addresses.length) {
        family = code;
      }
    }
    if (family === 0) {
      throw unwritable(`version 2 has no transport ${source.transport}`);
    }
  }

  const block = new ByteSink();
  block.text(SIGNATURE);
  block.byte(command === "local" ? LOCAL : RELAYED);
  block.byte(family);
  block.uint(0, 2);
  block.write(addresses.bytes());
  for (const { type, value } of tlvs) {
    if (!Number.isInteger(type) || type < 0 || type > 0xff) {
      throw unwritable(
        `the type of a TLV must be from 0 to 255: it is ${type}`,
      );
    }
    block.byte(type);
    block.uint(value.length, 2);
    block.write(value);
  }
  const bytes = block.bytes();
  writeUint(bytes, 14, bytes.length - FIXED_LENGTH, 2, "big");
  putChecksum(bytes, tlvs, FIXED_LENGTH + addresses.length);
  return bytes;
}

/**
 * Cuts the header of the PROXY protocol, of version 1 or 2, from the front of a stream: exactly that, and not a
 * byte more. What comes behind it is another codec's: go on with `switchCodec`.
 *
 * Strict, as "The PROXY protocol" by Willy Tarreau demands: bytes that begin no header are refused at the first
 * that differs, a line of version 1 ends with CR LF within 107 bytes, a header of version 2 is refused by its
 * length alone. TLVs are kept; a checksum among them is verified, and worked out when it is laid out. In
 * headers that say nothing of addresses, what else there is and is no TLV is ignored, as the protocol has it.
 *
 * Anyone can send such a header. Read it only on connections that come from a proxy which you trust, and from
 * those read it always.
 *
 * @param options The limit.
 * @returns The codec. Its `encode` throws a `RangeError` for what the version cannot say and for a header over
 * the limit.
 * @throws {TypeError} If the limit is not a number.
 * @throws {RangeError} If the limit is out of range.
 *
 * @example A server behind a proxy
 * ```ts
 * import {
 *   connect,
 *   formatAddr,
 *   lengthPrefixed,
 *   proxyHeader,
 *   serve,
 *   text,
 * } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const words = text(lengthPrefixed());
 * await using server = serve({ port: 0 }, proxyHeader(), async (connection) => {
 *   const header = await connection.read({ timeout: 3000 });
 *   const peer = connection.switchCodec(words);
 *   for await (const word of peer) {
 *     await peer.write(`${word} from ${formatAddr(header?.source)}`);
 *   }
 * });
 *
 * // What a proxy does: the header first, then what the client sends.
 * const connection = await connect({ port: server.addr.port }, proxyHeader());
 * await connection.write({
 *   version: 2,
 *   command: "proxy",
 *   source: { transport: "tcp", hostname: "192.0.2.7", port: 56324 },
 *   destination: { transport: "tcp", hostname: "192.0.2.1", port: 443 },
 *   tlvs: [],
 * });
 * await using peer = connection.switchCodec(words);
 * await peer.write("hello");
 * assertEquals(await peer.read(), "hello from 192.0.2.7:56324");
 * ```
 *
 * @example Without a socket
 * ```ts
 * import { encodeFrame, FrameDecoder, lines, proxyHeader } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(proxyHeader());
 * decoder.push(
 *   new TextEncoder().encode("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n"),
 * );
 * const header = decoder.next();
 * assertEquals(header?.source, { transport: "tcp", hostname: "192.168.0.1", port: 56324 });
 * assertEquals(decoder.switchCodec(lines()).next(), "GET / HTTP/1.1");
 *
 * const wire = encodeFrame(proxyHeader(), { version: 1, command: "proxy", tlvs: [] });
 * assertEquals(new TextDecoder().decode(wire), "PROXY UNKNOWN\r\n");
 * ```
 */
export function proxyHeader(
  options: ProxyHeaderOptions = {},
): Codec<ProxyHeader> {
  const limit = checkInteger(
    "maxFrameLength",
    options.maxFrameLength ?? 536,
    LONGEST_LINE,
    FIXED_LENGTH + 0xffff,
  );
  return {
    decode(received) {
      const beginning = beginningOf(received);
      if (beginning === undefined) return undefined;
      return beginning === SIGNATURE
        ? takeBlock(received, limit)
        : takeLine(received, beginning);
    },
    encode(header, out) {
      if (header.version === 1) {
        out.text(lineOf(header));
        return;
      }
      const { version } = header;
      if (version !== 2) {
        throw unwritable(`a version must be 1 or 2: it is ${version}`);
      }
      const block = blockOf(header);
      if (block.length > limit) throw tooLargeToWrite(block.length, limit);
      out.write(block);
    },
  };
}
