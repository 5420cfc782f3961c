/**
 * Packets out of capture files, as `tcpdump -w`, Wireshark and `framewire tap --write` make them. Chunks go in,
 * packets come out: a file that grows can be followed.
 *
 *     pcapng   | type 4 | length 4 | body … padded to 4 | length again 4 |  block after block
 *              0a0d0d0a  a section begins: byte order    1  an interface: link type, unit of time
 *              6, 3, 2   packets                         others are left out
 *     pcap     | magic 4 | version 2+2 | … 8 | snap length 4 | link type 4 |
 *              | seconds 4 | fraction 4 | captured 4 | original 4 | bytes … |  packet after packet
 *
 * @module
 */

import { type Codec, FrameDecoder, MalformedFrameError } from "../../mod.ts";
import { type ByteOrder, readUint } from "../../lib/bytes/byte_order.ts";
import type { ByteQueue } from "../../lib/bytes/byte_queue.ts";
import { malformed, tooLarge } from "../../lib/codec/faults.ts";

/** A packet. */
export interface Packet {
  /** When it came by, in nanoseconds since 1970; `undefined` where the file does not say. */
  readonly time: bigint | undefined;
  /** What its first bytes are: a number of the list of link types. */
  readonly linkType: number;
  /** What was kept of it. */
  readonly bytes: Uint8Array;
}

/** The longest block that is read. */
const MAX_BLOCK = 2 ** 24;
/** In nanoseconds. */
const SECOND = 1_000_000_000n;
/** The most interfaces of a section. */
const MAX_INTERFACES = 65_536;

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

/** Says in which order the number at `index` that ought to be `magic` has its bytes. */
function orderOf(
  received: Pick<ByteQueue, "uint">,
  index: number,
  magic: number,
): ByteOrder | undefined {
  if (received.uint(index, 4, "big") === magic) return "big";
  return received.uint(index, 4, "little") === magic ? "little" : undefined;
}

/** A block of pcapng. */
interface Block {
  kind: "block";
  type: number;
  byteOrder: ByteOrder;
  /** Where in the file it begins. */
  offset: number;
  body: Uint8Array<ArrayBuffer>;
}

const SECTION_MAGIC = 0x1a2b3c4d;
/** A type, and its length twice. */
const BLOCK_FRAMING = 12;

/** Cuts blocks; one that begins a section says itself in which order its bytes are. */
function blocks(sectionOrder: ByteOrder): Codec<Block, never> {
  return {
    decode(received) {
      if (received.length < 12) {
        received.need(12);
        return undefined;
      }
      const type = received.uint(0, 4, sectionOrder);
      const byteOrder = type === SECTION
        ? orderOf(received, 8, SECTION_MAGIC)
        : sectionOrder;
      if (byteOrder === undefined) {
        throw malformed(received, "a section has no byte order", 12);
      }
      const length = received.uint(4, 4, byteOrder);
      if (length < BLOCK_FRAMING || length % 4 !== 0) {
        throw malformed(received, `a block cannot be ${length} bytes long`, 8);
      }
      if (length > MAX_BLOCK) {
        throw tooLarge(received, {
          length,
          limit: MAX_BLOCK,
          option: "the limit",
          seen: 8,
        });
      }
      if (received.length < length) {
        received.need(length, 8);
        return undefined;
      }
      const again = received.uint(length - 4, 4, byteOrder);
      if (again !== length) {
        throw malformed(
          received,
          `a block is ${length} bytes long at its beginning and ${again} at its end`,
          8,
        );
      }
      const { offset } = received;
      const body = received.take(length, 0).subarray(8, -4);
      return { kind: "block", type, byteOrder, offset, body };
    },
    encode: readOnly,
  };
}

function readOnly(): never {
  throw new TypeError("Captures are not written here");
}

/** Where packets of pcapng came by. */
interface Interface {
  linkType: number;
  snapLength: number;
  /** How many units of time a second has. */
  perSecond: bigint;
  /** What to add to times, in seconds. */
  shift: bigint;
}

const TIME_RESOLUTION = 9;
const TIME_SHIFT = 14;

function fault({ offset, body }: Block, what: string): MalformedFrameError {
  return new MalformedFrameError(`Cannot read capture: ${what}`, {
    offset,
    preview: body.slice(0, 32),
  });
}

/** The numbers of 4 bytes that `length` bytes of the body begin with. */
function fieldsOf(block: Block, length: number): number[] {
  const { body, byteOrder } = block;
  if (body.length < length) {
    throw fault(block, `a block of type ${block.type} ends too early`);
  }
  return Array.from(
    { length: length / 4 },
    (_, i) => readUint(body, 4 * i, 4, byteOrder),
  );
}

function interfaceOf(block: Block): Interface {
  const { body, byteOrder } = block;
  const [, snapLength] = fieldsOf(block, 8);
  const found: Interface = {
    linkType: readUint(body, 0, 2, byteOrder),
    snapLength: snapLength === 0 ? MAX_BLOCK : snapLength, // 0: no limit
    perSecond: 1_000_000n,
    shift: 0n,
  };
  // Options: a code of 2 bytes, a length of 2 bytes, a value padded to 4.
  for (let at = 8; at + 4 <= body.length;) {
    const code = readUint(body, at, 2, byteOrder);
    const length = readUint(body, at + 2, 2, byteOrder);
    const value = at + 4;
    if (code === 0) break;
    if (value + length > body.length) {
      throw fault(block, "an option of an interface ends behind its block");
    }
    if (code === TIME_RESOLUTION && length === 1) {
      const exponent = BigInt(body[value] & 0x7f);
      found.perSecond = (body[value] & 0x80 ? 2n : 10n) ** exponent;
    } else if (code === TIME_SHIFT && length === 8) {
      const [high, low] = byteOrder === "big" ? [0, 4] : [4, 0];
      found.shift = BigInt.asIntN(
        64,
        BigInt(readUint(body, value + high, 4, byteOrder)) << 32n |
          BigInt(readUint(body, value + low, 4, byteOrder)),
      );
    }
    at = value + length + (-length & 3);
  }
  return found;
}

/** A packet of a classic file. */
interface RecordSeen extends Packet {
  kind: "packet";
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;

/** Cuts the packets of a classic file. */
function records(
  byteOrder: ByteOrder,
  linkType: number,
  perUnit: bigint,
): Codec<RecordSeen, never> {
  return {
    decode(received) {
      if (received.length < RECORD_HEADER) {
        received.need(RECORD_HEADER);
        return undefined;
      }
      const kept = received.uint(8, 4, byteOrder);
      if (kept > MAX_BLOCK) {
        throw tooLarge(received, {
          length: kept,
          limit: MAX_BLOCK,
          option: "the limit",
          seen: RECORD_HEADER,
        });
      }
      if (received.length < RECORD_HEADER + kept) {
        received.need(RECORD_HEADER + kept, RECORD_HEADER);
        return undefined;
      }
      const seconds = BigInt(received.uint(0, 4, byteOrder));
      const fraction = BigInt(received.uint(4, 4, byteOrder));
      return {
        kind: "packet",
        time: seconds * SECOND + fraction * perUnit,
        linkType,
        bytes: received.take(kept, RECORD_HEADER),
      };
    },
    encode: readOnly,
  };
}

/** How a classic file begins. */
interface FileHeader {
  kind: "header";
  byteOrder: ByteOrder;
  linkType: number;
  /** Nanoseconds in a unit of the packets' times. */
  perUnit: bigint;
}

const firstBlock = blocks("little");

/** Tells the two formats apart. */
const beginning: Codec<FileHeader | Block, never> = {
  decode(received) {
    if (received.length < 4) {
      received.need(4);
      return undefined;
    }
    // What begins a section reads the same in either order.
    if (received.uint(0, 4) === SECTION) return firstBlock.decode(received);
    const micro = orderOf(received, 0, MICROSECONDS);
    const byteOrder = micro ?? orderOf(received, 0, NANOSECONDS);
    if (byteOrder === undefined) {
      throw malformed(received, "it is neither pcapng nor pcap", 4);
    }
    if (received.length < FILE_HEADER) {
      received.need(FILE_HEADER);
      return undefined;
    }
    const linkType = received.uint(20, 4, byteOrder) & 0xffff;
    received.drop(FILE_HEADER);
    const perUnit = micro === undefined ? 1n : 1000n;
    return { kind: "header", byteOrder, linkType, perUnit };
  },
  encode: readOnly,
};

/** Reads packets out of a capture file, whichever of the two it is. */
export class PacketReader {
  #decoder: FrameDecoder<FileHeader | Block | RecordSeen> = new FrameDecoder<
    FileHeader | Block | RecordSeen
  >(beginning);
  #byteOrder: ByteOrder | undefined;
  #interfaces: Interface[] = [];

  /**
   * Takes what was read of the file.
   *
   * @param chunk The bytes, which belong to the reader from now on.
   */
  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  /**
   * Takes the next packet.
   *
   * @param ended Whether this is all of the file.
   * @returns The packet; `undefined` if there is no other.
   * @throws {FramingError} If the file is damaged, or ends inside a packet.
   */
  next(ended: boolean): Packet | undefined {
    while (true) {
      const item = ended ? this.#decoder.end() : this.#decoder.next();
      if (item === undefined) return undefined;
      if (item.kind === "packet") return item;
      const packet = item.kind === "header"
        ? this.#begin(item)
        : this.#packetOf(item);
      if (packet !== undefined) return packet;
    }
  }

  #begin({ byteOrder, linkType, perUnit }: FileHeader): undefined {
    const codec = records(byteOrder, linkType, perUnit);
    this.#decoder = this.#decoder.switchCodec(codec);
  }

  #packetOf(block: Block): Packet | undefined {
    const { type, body, byteOrder } = block;
    switch (type) {
      case SECTION:
        fieldsOf(block, 16);
        this.#interfaces = [];
        if (byteOrder !== this.#byteOrder) {
          this.#byteOrder = byteOrder;
          this.#decoder = this.#decoder.switchCodec(blocks(byteOrder));
        }
        return undefined;
      case INTERFACE:
        this.#interfaces.push(interfaceOf(block));
        if (this.#interfaces.length > MAX_INTERFACES) {
          throw fault(
            block,
            `there are more than ${MAX_INTERFACES} interfaces`,
          );
        }
        return undefined;
      case SIMPLE_PACKET: {
        const [original] = fieldsOf(block, 4);
        const { linkType, snapLength } = this.#interface(block, 0);
        const kept = Math.min(original, snapLength, body.length - 4);
        const bytes = body.subarray(4, 4 + kept);
        return { time: undefined, linkType, bytes };
      }
      case ENHANCED_PACKET:
      case OLD_PACKET: {
        const [first, high, low, kept] = fieldsOf(block, 20);
        const index = type === ENHANCED_PACKET
          ? first
          : readUint(body, 0, 2, byteOrder);
        const { linkType, perSecond, shift } = this.#interface(block, index);
        const room = body.length - 20;
        if (kept > room) {
          const what =
            `a packet of ${kept} bytes is in a block with room for ${room}`;
          throw fault(block, what);
        }
        const units = BigInt(high) << 32n | BigInt(low);
        return {
          time: units * SECOND / perSecond + shift * SECOND,
          linkType,
          bytes: body.subarray(20, 20 + kept),
        };
      }
      default:
        return undefined;
    }
  }

  #interface(block: Block, index: number): Interface {
    const found = this.#interfaces[index];
    if (found !== undefined) return found;
    throw fault(block, `a packet is of interface ${index}, which there is not`);
  }
}
