/**
 * What was recorded of connections: bytes as they were, a dump of them, or packets. All three come out as what
 * happened to connections.
 *
 *     raw  ─────────────────────────────► connection 1
 *     hex  ─ HexReader ─────────────────► connection 1, or packets
 *     pcap ─ PacketReader ─ TcpStreams ─► connection 1, 2, …
 *
 * @module
 */

import { concat } from "@std/bytes";
import { ProgramError } from "../program.ts";
import { inputFault, USAGE } from "./command.ts";
import type { Side } from "./dialect.ts";
import {
  type HexBytes,
  type HexLayout,
  hexLayout,
  HexReader,
  pastedLayout,
  type Unread,
} from "./hex_reader.ts";
import { type Packet, PacketReader } from "./pcapng_reader.ts";
import { type TcpEvent, TcpStreams } from "./tcp_streams.ts";

/** What a file is. */
export type Kind = "raw" | "hex" | "pcap";

/** What happened, and when, in nanoseconds since 1970, if that is known. */
export interface Recorded {
  event: TcpEvent;
  time: bigint | undefined;
}

/** How something recorded is read. */
export interface RecordedOptions {
  /** What it is; it is told by how it begins, unless it is said. */
  kind: Kind | undefined;
  /** Who sent raw bytes. */
  side: Side;
  /** Says to whoever watches how it is understood. */
  tell(text: string): void;
}

const latin1 = new TextDecoder("latin1");
/** How much is looked at to tell what it is. */
const HEAD = 8192;

function is(bytes: Uint8Array, at: number, ...words: string[]): boolean {
  const hex = bytes.subarray(at, at + 4).toHex();
  return words.includes(hex);
}

/** How captures begin: pcap in either order of bytes, in microseconds or nanoseconds, and pcapng. */
const CAPTURES = ["a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1"];
const SECTION = "0a0d0d0a";

/** Whether these are packets; `undefined` if more has to come to tell. */
function isCapture(head: Uint8Array, whole: boolean): boolean | undefined {
  if (head.length < 4 && !whole) {
    const hex = head.toHex();
    const open = [...CAPTURES, SECTION].some((magic) => magic.startsWith(hex));
    return open ? undefined : false;
  }
  if (is(head, 0, ...CAPTURES)) return true;
  if (!is(head, 0, SECTION)) return false;
  // Four line ends may be text as well.
  if (head.length < 12 && !whole) return undefined;
  return is(head, 8, "1a2b3c4d", "4d3c2b1a");
}

/** What something is by its beginning. */
type Found = { kind: "raw" | "pcap" } | {
  kind: "hex";
  layout: HexLayout;
  /** How much is in front of it. */
  skip: number;
} | { kind: "unread"; what: Unread };

/** Says what something is; `undefined` if more has to come to tell. */
function foundIn(
  head: Uint8Array,
  whole: boolean,
  asked: Kind | undefined,
): Found | undefined {
  if (asked === "raw" || asked === "pcap") return { kind: asked };
  if (asked === undefined) {
    const packets = isCapture(head, whole);
    if (packets === undefined) return undefined;
    if (packets) return { kind: "pcap" };
  }
  const text = latin1.decode(head.subarray(0, HEAD));
  const all = whole || head.length >= HEAD;
  if (asked === "hex") {
    const pasted = pastedLayout(text, all);
    if (pasted === "unknown") return undefined;
    return foundDump(pasted ?? { layout: "digits", skip: 0 });
  }
  const layout = hexLayout(text, all);
  if (layout === "unknown") return undefined;
  return layout === undefined
    ? { kind: "raw" }
    : foundDump({ layout, skip: 0 });
}

function foundDump(
  { layout, skip }: { layout: HexLayout | Unread; skip: number },
): Found {
  return isUnread(layout)
    ? { kind: "unread", what: layout }
    : { kind: "hex", layout, skip };
}

/** What of bytes is not read. */
const UNREAD: Record<Unread, string> = {
  words: "words, of hexdump or od, which do not say the order of their bytes",
  bits: "bits, of xxd -b",
  array: "an array, of xxd -i",
};

function isUnread(layout: HexLayout | Unread): layout is Unread {
  return Object.hasOwn(UNREAD, layout);
}

const MEANING: Record<HexLayout, string> = {
  rows: "a dump",
  packets: "a dump of packets",
  digits: "hexadecimal digits",
};

/** Numbers of link types that a dump does not say. */
const ETHERNET = 1;
const RAW_IP = 101;

/** Makes events of bytes. */
interface Reader {
  push(chunk: Uint8Array): Iterable<Recorded>;
  end(): Iterable<Recorded>;
}

/** Bytes as they were sent, by one side. */
class RawReader implements Reader {
  #from: Side;

  constructor(from: Side) {
    this.#from = from;
  }

  *push(bytes: Uint8Array): Iterable<Recorded> {
    const from = this.#from;
    yield { event: { kind: "bytes", id: 1, from, bytes }, time: undefined };
  }

  *end(): Iterable<Recorded> {
    const from = this.#from;
    yield { event: { kind: "end", id: 1, from }, time: undefined };
  }
}

/** Digits, in place of what another reader takes. */
class DumpReader implements Reader {
  #hex: HexReader;
  #inner: Reader;

  constructor(layout: HexLayout, inner: Reader) {
    this.#hex = new HexReader(layout);
    this.#inner = inner;
  }

  *push(chunk: Uint8Array): Iterable<Recorded> {
    yield* this.#pass(this.#hex.push(chunk));
  }

  *end(): Iterable<Recorded> {
    yield* this.#pass(this.#hex.end());
    yield* this.#inner.end();
  }

  *#pass(pieces: Iterable<HexBytes>): Iterable<Recorded> {
    const each = pieces[Symbol.iterator]();
    while (true) {
      let next: IteratorResult<HexBytes>;
      try {
        next = each.next();
      } catch (error) {
        throw inputFault(error, "cannot read the dump");
      }
      if (next.done) return;
      // A packet ends where the next one begins.
      if (next.value.begins) yield* this.#inner.end();
      yield* this.#inner.push(next.value.bytes);
    }
  }
}

/** Packets that a dump has, each in pieces and at its `end`. */
class DumpedPackets implements Reader {
  #streams: TcpStreams;
  #packet: Uint8Array = NOTHING;

  constructor(streams: TcpStreams) {
    this.#streams = streams;
  }

  push(bytes: Uint8Array): Iterable<Recorded> {
    if (this.#packet.length + bytes.length <= LONGEST_PACKET) {
      this.#packet = concat([this.#packet, bytes]);
    }
    return [];
  }

  *end(): Iterable<Recorded> {
    const packet = this.#packet;
    this.#packet = NOTHING;
    if (packet.length === 0) return;
    // Which of the two `tcpdump` was asked for, it does not say: a version of IP and its least length come first.
    const isIp = packet[0] >= 0x45 && packet[0] < 0x50 || packet[0] >> 4 === 6;
    const linkType = isIp ? RAW_IP : ETHERNET;
    for (const event of this.#streams.push(linkType, packet)) {
      yield { event, time: undefined };
    }
  }
}

/** Packets of a capture file. */
class CaptureReader implements Reader {
  #packets = new PacketReader();
  #streams: TcpStreams;

  constructor(streams: TcpStreams) {
    this.#streams = streams;
  }

  *push(chunk: Uint8Array): Iterable<Recorded> {
    this.#packets.push(chunk);
    yield* this.#all(false);
  }

  *end(): Iterable<Recorded> {
    yield* this.#all(true);
  }

  *#all(ended: boolean): Iterable<Recorded> {
    let packet: Packet | undefined;
    while ((packet = this.#packets.next(ended)) !== undefined) {
      const { linkType, bytes, time } = packet;
      for (const event of this.#streams.push(linkType, bytes)) {
        yield { event, time };
      }
    }
  }
}

const NOTHING = new Uint8Array();
/** The longest packet that a dump may have. */
const LONGEST_PACKET = 2 ** 18;

/** Something that was recorded, as it is read. */
export class Recording {
  /** The connections that packets are put together to. */
  readonly streams: TcpStreams = new TcpStreams();
  #options: RecordedOptions;
  #head: Uint8Array = NOTHING;
  #reader: Reader | undefined;
  #found: Found | undefined;

  /** Begins to read. */
  constructor(options: RecordedOptions) {
    this.#options = options;
  }

  /** Whether it is packets; `undefined` as long as that is open. */
  get hasPackets(): boolean | undefined {
    const found = this.#found;
    if (found === undefined) return undefined;
    return found.kind === "pcap" ||
      found.kind === "hex" && found.layout === "packets";
  }

  /**
   * Takes what was read.
   *
   * @param chunk The bytes, which belong to the recording from now on.
   * @returns What happened, in order: all of it is to be taken before the next chunk.
   * @throws {FramingError} If packets are damaged.
   * @throws {ProgramError} If a dump is none.
   */
  *push(chunk: Uint8Array): Iterable<Recorded> {
    if (this.#reader === undefined) {
      this.#head = concat([this.#head, chunk]);
      yield* this.#begin(false);
    } else yield* this.#reader.push(chunk);
  }

  /** Takes the end. */
  *end(): Iterable<Recorded> {
    if (this.#reader === undefined) yield* this.#begin(true);
    let fault: { error: unknown } | undefined;
    try {
      yield* this.#reader?.end() ?? [];
    } catch (error) {
      fault = { error }; // what came before it counts
    }
    for (const event of this.streams.end()) yield { event, time: undefined };
    if (fault !== undefined) throw fault.error;
  }

  /** Whether what it is shall be told by more that comes. */
  get waits(): boolean {
    return this.#head.length > 0;
  }

  /** Takes that nothing more comes for a while: what it is, is told by what there is. */
  *pause(): Iterable<Recorded> {
    if (this.#reader !== undefined || !this.waits) return;
    yield* this.#begin(true);
    if (this.#found?.kind === "raw") {
      this.#options.tell(
        "read as bytes: what has come so far is no dump; --from hex takes it for one",
      );
    }
  }

  *#begin(whole: boolean): Iterable<Recorded> {
    const { kind, side, tell } = this.#options;
    const head = this.#head;
    if (head.length === 0) return;
    const found = foundIn(head, whole, kind);
    if (found === undefined) return;
    this.#found = found;
    if (found.kind === "unread") {
      throw new ProgramError(
        `this looks like ${
          UNREAD[found.what]
        }: of dumps, those of hexdump -C, xxd, xxd -p and od -A x -t x1 are read; --from raw takes it as it is`,
        USAGE,
      );
    }
    if (found.kind === "hex" && kind === undefined) {
      tell(`read as ${MEANING[found.layout]}; --from raw takes it as it is`);
    }
    this.#reader = this.#readerOf(found, side);
    this.#head = NOTHING;
    const skip = found.kind === "hex" ? found.skip : 0;
    yield* this.#reader.push(head.subarray(skip));
  }

  #readerOf(found: Exclude<Found, { kind: "unread" }>, side: Side): Reader {
    switch (found.kind) {
      case "raw":
        return new RawReader(side);
      case "pcap":
        return new CaptureReader(this.streams);
      case "hex": {
        const { layout } = found;
        const inner = layout === "packets"
          ? new DumpedPackets(this.streams)
          : new RawReader(side);
        return new DumpReader(layout, inner);
      }
    }
  }
}
