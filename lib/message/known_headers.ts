/**
 * Headers that were read lately, by their bytes.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import { type MessageHeader, NO_EXTRA } from "./header.ts";

/** How many headers are remembered, and how long they may be. */
const SLOTS = 16;
const LONGEST = 256;

interface Known {
  length: number;
  bytes: DataView<ArrayBuffer>;
  header: MessageHeader;
}

/**
 * Remembers headers: most messages of a connection have the same few, and comparing bytes costs a fraction of
 * reading them. Those with further fields are not remembered, as a program may change these.
 */
export class KnownHeaders {
  /** By the length of the header, modulo their number. */
  #slots: (Known | undefined)[] = new Array(SLOTS).fill(undefined);

  /**
   * Finds the header that lies in the queue.
   *
   * @param received The queue.
   * @param length How long the header is.
   * @param index Where it begins.
   * @returns What it says; `undefined` if it is not remembered.
   */
  find(
    received: ByteQueue,
    length: number,
    index: number,
  ): MessageHeader | undefined {
    const known = this.#slots[length % SLOTS];
    return known !== undefined && known.length === length &&
        received.matches(known.bytes, length, index)
      ? known.header
      : undefined;
  }

  /**
   * Remembers a header, in place of one as long.
   *
   * @param bytes The bytes that it was read from.
   * @param header What it says.
   * @returns The header.
   */
  keep(bytes: Uint8Array, header: MessageHeader): MessageHeader {
    const { length } = bytes;
    if (length > LONGEST || header.extra !== NO_EXTRA) return header;
    const slot = length % SLOTS;
    const known = this.#slots[slot];
    const kept = known?.bytes ?? new DataView(new ArrayBuffer(LONGEST));
    new Uint8Array(kept.buffer).set(bytes);
    this.#slots[slot] = { length, bytes: kept, header };
    return header;
  }
}
