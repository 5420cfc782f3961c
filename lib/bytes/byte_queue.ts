/**
 * Bytes that have arrived and have not been taken yet.
 *
 *      slab   |  taken: frames look into it  |  waiting  |   room   |
 *             0                            start        end      capacity
 *
 * Bytes go in at `end`, either read straight into the room or pushed, and are taken from `start`. What has
 * been taken is never written again, so that a frame is a view on the slab and the caller's own. When the
 * room is used up, the bytes still waiting, which are part of one frame, move to the front of a new slab:
 * each byte moves a bounded number of times, however the input is cut.
 *
 * The queue also remembers what a codec found out about the front frame, so that codecs need no state: how
 * many bytes it needs, how far a search has got, what is left to skip of a frame that was refused, and what
 * is left of a body that is read as it comes.
 *
 * @module
 */

import { type ByteOrder, readUint, type UintWidth } from "./byte_order.ts";
import { FrameBody } from "./frame_body.ts";
import { type FramePart, Inflow } from "./inflow.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * Whose memory a frame is.
 *
 * - `"owned"`: a view on a receive buffer that is never written again. It is the caller's for good; a kept
 *   frame keeps its buffer alive (up to 64 KiB; 256 KiB if frames of 16 KiB or more come as fast as they are
 *   read), and `frame.buffer` is shared with its neighbours and with what is still to come: it must not be
 *   transferred.
 * - `"copied"`: memory of its own.
 * - `"borrowed"`: a view that is valid until the next read only.
 */
export type FrameOwnership = "owned" | "copied" | "borrowed";

/**
 * A step of leaving out a frame that was refused: gives the error to report once the end is found. `atEnd`
 * says that no more bytes will come.
 */
export type SkipStep = (
  received: ByteQueue,
  atEnd: boolean,
) => Error | undefined;

const NO_BUFFER = new ArrayBuffer(0);
const NO_BYTES = new Uint8Array(NO_BUFFER);
const NO_VIEW = new DataView(NO_BUFFER);
/** The first slab, all that a connection has that waits, and what those behind it have at the least. */
const FIRST_SLAB = 256;
const SMALLEST_SLAB = 4 * 1024;
const LARGEST_SLAB = 64 * 1024;
/** Of frames from this length on, few would fit into that; when reads fill it, they get a larger one. */
const LARGE_FRAME = 16 * 1024;
const SLAB_OF_LARGE = 256 * 1024;
/** Of a buffer of this length or more, systems give memory only for what is written to. */
const VAST = 32 * 1024 * 1024;
/** From this length on, a pushed chunk is kept as it is; copying a shorter one costs less. */
const WORTH_KEEPING = 512;
/** How much of a chunk is copied to complete a frame that began in another. */
const BRIDGE = 4 * 1024;
const PREVIEW_LENGTH = 32;
/** How far a search looks by itself. */
const NEAR = 512;

/**
 * The receive buffer, as a codec sees it: bytes that have arrived and have not been taken yet.
 *
 * A codec looks at the bytes with {@linkcode ByteQueue.at}, {@linkcode ByteQueue.uint},
 * {@linkcode ByteQueue.indexOf} and {@linkcode ByteQueue.peek}, which leave them where they are, and removes
 * them once, when its frame is whole, with {@linkcode ByteQueue.take} and {@linkcode ByteQueue.drop}.
 *
 * @example A codec for frames that a zero byte ends
 * ```ts
 * import { type Codec, FrameDecoder } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const zeroEnded: Codec<Uint8Array> = {
 *   decode(received) {
 *     const length = received.indexOf(0);
 *     if (length === undefined) return undefined;
 *     const frame = received.take(length);
 *     received.drop(1);
 *     return frame;
 *   },
 *   encode(frame, out) {
 *     out.write(frame);
 *     out.byte(0);
 *   },
 * };
 * const decoder = new FrameDecoder(zeroEnded);
 * decoder.push(new Uint8Array([104, 105, 0, 104]));
 * assertEquals(decoder.next(), new Uint8Array([104, 105]));
 * assertEquals(decoder.next(), undefined);
 * ```
 */
export class ByteQueue {
  #buffer: ArrayBuffer = NO_BUFFER;
  #bytes: Uint8Array<ArrayBuffer> = NO_BYTES;
  /** Made when it is needed. */
  #view: DataView<ArrayBuffer> = NO_VIEW;
  #start = 0;
  #end = 0;
  /** Whether the slab was made here, so that its room may be written to. */
  #owned = false;
  /** Whether views of the slab have been given away. */
  #taken = false;
  #slabSize = FIRST_SLAB;
  /** How much room the last call to `room` gave. */
  #offered = 0;
  /** Whether views stay valid, so that what has been taken is not written over. */
  #lends: boolean;
  #copies: boolean;
  /** Where in the stream the slab's index 0 lies. */
  #base = 0;
  /** How much of the front frame is out of sight of the codec that `behind` runs. */
  #lead = 0;
  /** `length` at which decoding is worth a try. */
  #wanted = 1;
  #neededKnown = false;
  #framingLength = 0;
  /** Index in the slab up to which a search found nothing. */
  #searched = 0;
  /** What a codec wants to remember of the frame that begins at a place in the stream. */
  #progress: unknown;
  #progressAt = 0;
  /** Whole lines that were decoded ahead, and which of their characters is the first one waiting. */
  #text = "";
  #textIndex = 0;
  /** Where in the slab that character lies. */
  #textStart = 0;
  /** Whether each character is one byte. */
  #textIsAscii = false;
  /** The byte that ends them. */
  #textByte = 0;
  /** How far to decode ahead: not much further than was of use where other bytes are taken in between. */
  #textReach = Infinity;
  /** Index in the slab up to which decoding ahead is of no use. */
  #undecodable = 0;
  /**
   * Most of a chunk that came while the beginning of a frame was waiting: only its first bytes are copied behind
   * that, as a bridge from the `seam` on. Once codecs stand on the bridge, they go on in the chunk itself.
   */
  #ahead: Uint8Array<ArrayBuffer> | undefined;
  #aheadLength = 0;
  #seam = 0;
  /** Bytes still to come that are to be thrown away. */
  #owed = 0;
  #owesBody = false;
  #skipStep: SkipStep | undefined;
  /** The body whose bytes are at the front. */
  #inflow: Inflow | undefined;
  /** Brings more bytes, for who reads a body of which nothing is here. */
  more: (() => Promise<void>) | undefined;

  /**
   * Makes an empty queue.
   *
   * @param ownership Whose memory the taken bytes are.
   */
  constructor(ownership: FrameOwnership = "owned") {
    this.#lends = ownership === "owned";
    this.#copies = ownership === "copied";
  }

  /** How many bytes are waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Where in the stream the front frame begins: how many bytes came before it. */
  get offset(): number {
    return this.#base + this.#start - this.#lead;
  }

  /**
   * The byte at `index`, counted from the first one waiting.
   *
   * @param index From 0 to `length - 1`.
   * @returns The byte.
   * @throws {RangeError} If there is no such byte.
   */
  at(index: number): number {
    const position = this.#start + index;
    if (!(index >= 0 && position < this.#end)) {
      throw missing(`look at byte ${index}`, this.length);
    }
    return this.#bytes[position];
  }

  /**
   * The unsigned integer that lies at `index`.
   *
   * @param index Of its first byte, counted from the first byte waiting.
   * @param width How many bytes it takes.
   * @param byteOrder The order of its bytes.
   * @returns Its value; one of 8 bytes above `Number.MAX_SAFE_INTEGER` is rounded.
   * @throws {RangeError} If its bytes are not all there.
   */
  uint(index: number, width: UintWidth, byteOrder: ByteOrder = "big"): number {
    const position = this.#start + index;
    if (!(index >= 0 && position + width <= this.#end)) {
      const last = index + width - 1;
      throw missing(`look at bytes ${index} to ${last}`, this.length);
    }
    return readUint(this.#bytes, position, width, byteOrder);
  }

  /**
   * Whether certain bytes are waiting.
   *
   * @param expected The bytes, of which none is 0.
   * @param count How many of them are compared.
   * @param index Where the first is to lie, counted from the first byte waiting.
   * @returns Whether they lie there; `false` if they are not all here.
   */
  matches(expected: DataView, count: number, index = 0): boolean {
    const start = this.#start + index;
    if (start + count > this.#end) return false;
    const view = this.#dataView();
    let i = 0;
    // Eight bytes at a time: they differ when the numbers do, as long as no number is zero.
    for (; i + 8 <= count; i += 8) {
      if (view.getFloat64(start + i) !== expected.getFloat64(i)) return false;
    }
    while (i < count && view.getUint8(start + i) === expected.getUint8(i)) i++;
    return i === count;
  }

  /**
   * Looks at bytes without removing them. The view is valid until the codec returns.
   *
   * @param count How many.
   * @param index The first, counted from the first byte waiting.
   * @returns A view, not to be kept and not to be written to.
   * @throws {RangeError} If there are not as many.
   */
  peek(count: number, index = 0): Uint8Array<ArrayBuffer> {
    const start = this.#start + index;
    if (index < 0 || count < 0) throw negative(count, index);
    if (!(start + count <= this.#end)) this.#check(index + count);
    return new Uint8Array(this.#buffer, start, count);
  }

  /**
   * Removes the first bytes and gives them to the caller.
   *
   * @param count How many.
   * @param index How many are removed before them.
   * @returns The bytes; whose memory they are, {@linkcode FrameOwnership} says.
   * @throws {RangeError} If there are not as many.
   */
  take(count: number, index = 0): Uint8Array<ArrayBuffer> {
    const start = this.#start + index;
    const end = start + count;
    if (!(index >= 0 && count >= 0 && end <= this.#end)) {
      throw missing(`take ${index + count} bytes`, this.length);
    }
    this.#start = this.#searched = end;
    this.#taken = true;
    const view = new Uint8Array(this.#buffer, start, count);
    return this.#copies ? view.slice() : view;
  }

  /**
   * Removes a text and the byte that ends it. All texts that have come whole are decoded in one go, which
   * costs a fraction of decoding them one by one; each string may keep all of them in memory.
   *
   * @param byte The byte that ends a text, below 128 and the same at each call for the same frame.
   * @param most How many bytes there may be in front of it.
   * @param before A byte, below 128 too, that is left off if it comes right before the one that ends the text.
   * @returns The text without the byte. `undefined`, and nothing is removed, if the byte has not come, the
   * text is longer, or something in front of the last such byte is not UTF-8.
   */
  takeText(byte: number, most: number, before?: number): string | undefined {
    const decoded = this.#textStart === this.#start &&
      this.#textIndex < this.#text.length && this.#textByte === byte;
    if (!decoded && !this.#decodeAhead(byte)) return undefined;
    const text = this.#text;
    const from = this.#textIndex;
    const to = text.indexOf(String.fromCharCode(byte), from);
    const length = this.#textIsAscii ? to - from : this.indexOf(byte);
    if (to < 0 || length === undefined) return undefined;
    // One that is too long is for others to remove, and the next one stands behind it.
    this.#textIndex = to + 1;
    this.#textStart = this.#start + length + 1;
    if (length > most) return undefined;
    this.#start = this.#searched = this.#textStart;
    if (to + 1 === text.length) this.#text = "";
    const ended = length > 0 && this.#bytes[this.#start - 2] === before;
    return text.substring(from, ended ? to - 1 : to);
  }

  /**
   * Removes the first bytes.
   *
   * @param count How many.
   * @throws {RangeError} If there are not as many.
   */
  drop(count: number): void {
    this.#check(count);
    this.#remove(count);
  }

  /**
   * Finds a byte. Where a search ended is remembered until bytes are removed, so that calling this again
   * when more has come costs only what has come.
   *
   * @param byte The value to look for, the same at each call for the same frame.
   * @returns Its index, counted from the first byte waiting; `undefined` if it has not come yet.
   */
  indexOf(byte: number): number | undefined {
    const view = this.#dataView();
    const end = this.#end;
    let i = Math.max(this.#searched, this.#start);
    const near = Math.min(i + NEAR, end - 3);
    // Four bytes at a time: one that is looked for becomes 0, and only a 0 borrows from its high bit.
    const pattern = byte * 0x01010101;
    let hits = 0;
    while (i < near && hits === 0) {
      const four = view.getInt32(i, true) ^ pattern;
      hits = four - 0x01010101 & ~four & 0x80808080;
      i += 4;
    }
    if (hits !== 0) {
      i -= 4 - (31 - Math.clz32(hits & -hits) >> 3);
    } else if (i + 4 > end) {
      while (i < end && view.getUint8(i) !== byte) i++;
    } else {
      // The platform's own search is faster, but dear to call.
      const further = new Uint8Array(this.#buffer, i, end - i).indexOf(byte);
      i = further < 0 ? end : i + further;
    }
    this.#searched = i;
    return i < end ? i - this.#start : undefined;
  }

  /**
   * How many of the waiting bytes a codec's own search has done with. It is remembered until bytes are
   * removed; a new frame starts at 0.
   */
  get searched(): number {
    return Math.max(this.#searched - this.#start, 0);
  }
  set searched(count: number) {
    this.#searched = this.#start + count;
  }

  /**
   * What else a codec's own search has found out about the frame, where a number is not enough: how deep it is in
   * parts within parts. It is remembered until bytes are removed; a new frame starts with `undefined`.
   */
  get progress(): unknown {
    const here = this.#progressAt === this.#base + this.#start;
    return here ? this.#progress : undefined;
  }
  set progress(progress: unknown) {
    this.#progress = progress;
    this.#progressAt = this.#base + this.#start;
  }

  /**
   * Says how many bytes must be waiting before `decode` can get further. It is not called again before
   * they are.
   *
   * @param count The number of bytes, from the first one waiting.
   * @param framingLength How many of them are framing rather than payload, once the payload's length is
   * known.
   */
  need(count: number, framingLength?: number): void {
    this.#wanted = this.#lead + count;
    this.#neededKnown = true;
    this.#framingLength = this.#lead + (framingLength ?? count);
  }

  /** How many bytes must be waiting before `decode` can get further; `undefined` if that is not known. */
  get needed(): number | undefined {
    return this.#neededKnown ? this.#wanted : this.#inflow?.left;
  }

  /** How many of the waiting bytes are framing, as far as the codec has said; the rest is payload. */
  get framingLength(): number {
    return this.#neededKnown ? Math.min(this.#framingLength, this.length) : 0;
  }

  /**
   * Throws away the first bytes, those that are here and those that are still to come.
   *
   * @param count How many.
   */
  skip(count: number): void {
    const here = Math.min(count, this.length);
    this.#remove(here);
    this.#owed += count - here;
    this.#owesBody = false;
  }

  /**
   * Leaves out a frame whose end has still to be found. From now on `step` is called instead of `decode`,
   * until it returns the error that reports the frame.
   *
   * @param step Removes what belongs to the frame; returns an error once that was the last of it.
   */
  skipBy(step: SkipStep): void {
    this.#skipStep = step;
  }

  /** Whether a frame is being left out and its end has not come. */
  get skipping(): boolean {
    return this.#owed > 0 || this.#skipStep !== undefined;
  }

  /** Whether what is being left out is the rest of a body. */
  get skippingBody(): boolean {
    return this.#owed > 0 && this.#owesBody;
  }

  /**
   * Hands out what follows as it comes, rather than whole. `decode` is not called again before it has been read or
   * cancelled.
   *
   * @param length How many bytes, those that are here and those that are still to come.
   * @param index How many bytes are removed before them.
   * @returns The body, to be a part of the frame that `decode` returns now.
   * @throws {RangeError} If the bytes before it are not all here.
   */
  body(length: number, index = 0): FrameBody {
    this.#check(index);
    const { offset } = this;
    const preview = this.preview(index);
    const framing = this.#lead + index;
    this.#remove(index);
    const inflow = new Inflow(this, length, { offset, framing, preview });
    if (length > 0) {
      this.#inflow = inflow;
      this.#wanted = Infinity;
      this.#neededKnown = false;
    }
    return new FrameBody(length, inflow);
  }

  /** How many bytes of a body have not been taken; 0 if a frame comes next. */
  get bodyLeft(): number {
    return this.#inflow?.left ?? 0;
  }

  /** Is fulfilled when the body is over; `undefined` if there is none, or the stream has failed inside it. */
  get bodyOver(): Promise<void> | undefined {
    return this.#inflow?.over;
  }

  /**
   * Takes what is here of the body.
   *
   * @returns The bytes; `undefined` if there are none, or no body.
   */
  takeBody(): Uint8Array<ArrayBuffer> | undefined {
    const inflow = this.#inflow;
    if (inflow === undefined) return undefined;
    if (this.#start === this.#end && !this.advance()) return undefined;
    const count = Math.min(inflow.left, this.length);
    const bytes = this.take(count);
    inflow.left -= count;
    if (inflow.left === 0) this.#endBody(inflow);
    return bytes;
  }

  /** Throws away what has not been taken of the body. */
  skipBody(): void {
    const inflow = this.#inflow;
    if (inflow === undefined) return;
    const { left } = inflow;
    inflow.left = 0;
    this.#endBody(inflow);
    this.skip(left);
    this.#owesBody = true;
  }

  /**
   * Takes note that nothing more comes of the body, if there is one.
   *
   * @param failure What who reads it gets behind the bytes that are here.
   */
  failBody(failure: unknown): void {
    this.#inflow?.fail(failure);
  }

  /** How much there is of the frame whose body has not come whole; `undefined` if it has, or there is none. */
  get bodyPart(): FramePart | undefined {
    const here = this.length + this.#aheadLength;
    return here < this.bodyLeft ? this.#inflow?.part(here) : undefined;
  }

  #endBody(inflow: Inflow): void {
    this.#inflow = undefined;
    this.begin();
    inflow.end();
  }

  /**
   * Runs a codec on what lies behind the first `count` bytes. They are removed if it removes or returns
   * anything, and stay if it does not.
   *
   * @param count How many bytes to leave out of its sight.
   * @param decode The codec's `decode` or `decodeEnd`.
   * @returns What it returned.
   * @throws {RangeError} If there are not as many bytes.
   */
  behind<T>(
    count: number,
    decode: (received: ByteQueue) => T | undefined,
  ): T | undefined {
    this.#check(count);
    const before = this.#base + this.#start + count;
    this.#start += count;
    this.#lead += count;
    let frame: T | undefined;
    try {
      return frame = decode(this);
    } finally {
      this.#lead -= count;
      const untouched = this.#base + this.#start === before && !this.skipping;
      if (frame === undefined && untouched) this.#start -= count;
    }
  }

  /**
   * Runs a codec on what is waiting, and leaves everything where it is: for frames whose first part says how long
   * the rest is.
   *
   * @param decode The codec's `decode`, which must not leave frames out.
   * @returns What it returned, and how many bytes it took for that; `undefined` if it returned that.
   */
  lookAhead<T>(
    decode: (received: ByteQueue) => T | undefined,
  ): { value: T; length: number } | undefined {
    const start = this.#start;
    let value: T | undefined;
    try {
      value = decode(this);
      if (value === undefined) return undefined;
      return { value, length: this.#start - start };
    } finally {
      this.#start = start;
      if (value !== undefined) this.#searched = start;
    }
  }

  /**
   * A copy of the first bytes of the front frame, for an error.
   *
   * @param count How many at the most; there are never more than 32.
   * @returns The bytes.
   */
  preview(count: number): Uint8Array<ArrayBuffer> {
    const start = this.#start - this.#lead;
    const length = Math.min(this.#lead + count, this.#end - start);
    return this.#bytes.slice(start, start + Math.min(length, PREVIEW_LENGTH));
  }

  /**
   * Adds bytes at the end. They may be kept rather than copied: from now on they are not to be written to.
   *
   * @param chunk What has arrived.
   */
  push(chunk: Uint8Array): void {
    const { buffer, byteLength } = chunk;
    if (byteLength === 0) return;
    if (this.#ahead !== undefined) this.#join();
    const roomLeft = this.#owned ? this.#buffer.byteLength - this.#end : 0;
    const worthKeeping = byteLength > roomLeft || byteLength >= WORTH_KEEPING;
    if (!worthKeeping || !(buffer instanceof ArrayBuffer)) {
      this.#append(chunk);
    } else if (this.#start === this.#end) {
      this.#adopt(buffer, chunk.byteOffset, byteLength);
    } else if (byteLength < 2 * BRIDGE) {
      this.#append(chunk);
    } else {
      this.#append(chunk.subarray(0, BRIDGE));
      this.#seam = this.#end - BRIDGE;
      this.#ahead = new Uint8Array(buffer, chunk.byteOffset + BRIDGE);
      this.#aheadLength = byteLength - BRIDGE;
    }
    this.#payOwed();
  }

  /** How many bytes have arrived that a codec does not see yet. */
  get ahead(): number {
    return this.#aheadLength;
  }

  /**
   * Lets the codec see what it did not see, given that it found no frame in the rest.
   *
   * @returns Whether there was anything.
   */
  advance(): boolean {
    const ahead = this.#ahead;
    if (ahead === undefined) return false;
    if (this.#start < this.#seam) {
      this.#join();
    } else {
      // Nothing is left of what came before the chunk, which has the rest of the bridge in it too.
      const length = this.length + this.#aheadLength;
      const searched = this.searched;
      this.#forgetAhead();
      const offset = ahead.byteOffset - this.length;
      this.#adopt(ahead.buffer, offset, length);
      this.searched = searched;
    }
    this.#payOwed();
    return true;
  }

  /**
   * The place where the next bytes go: read into it, then {@linkcode ByteQueue.commit} what came. It starts
   * at 256 bytes, goes on with 4 KiB, and grows to 64 KiB while reads fill it, then to 256 KiB for frames of
   * 16 KiB or more; a frame that is larger gets a slab that grows with what has arrived of it.
   *
   * @param atLeast How many bytes it must take.
   * @returns A view to write to before anything else is done with the queue.
   */
  room(atLeast = 1): Uint8Array<ArrayBuffer> {
    if (this.#ahead !== undefined) this.#join();
    const room = this.#makeRoom(atLeast);
    this.#offered = room.length;
    return room;
  }

  #makeRoom(atLeast: number): Uint8Array<ArrayBuffer> {
    if (this.#start === this.#end && this.#reusable()) {
      this.#base += this.#start;
      this.#start = this.#end = this.#searched = 0;
      this.#taken = false;
      this.#forgetText();
    }
    const capacity = this.#owned ? this.#buffer.byteLength : 0;
    const free = capacity - this.#end;
    const crossesEnd = this.#start > 0 && this.#neededKnown &&
      this.#start + this.#wanted > capacity;
    const enough = this.#neededKnown && this.length > 0
      ? 1
      : this.#slabSize >> 3;
    const outgrown = this.#end === 0 && capacity < this.#usualSize();
    if (free < Math.max(atLeast, enough) || crossesEnd || outgrown) {
      this.#renew(atLeast);
    }
    // An empty slab needs no view but its own, and the slab of an idle connection is empty.
    return this.#end === 0
      ? this.#bytes
      : new Uint8Array(this.#buffer, this.#end);
  }

  /**
   * Says how many bytes were written to the room.
   *
   * @param count From 0 to the room's length.
   * @throws {RangeError} If it is more than there was room for.
   */
  commit(count: number): void {
    if (!(count >= 0 && count <= this.#offered)) {
      throw new RangeError(
        `Cannot take in ${count} bytes: there was room for ${this.#offered}`,
      );
    }
    this.#end += count;
    if (
      count === this.#offered && count >= this.#slabSize >> 1 &&
      this.#slabSize < LARGEST_SLAB
    ) {
      this.#slabSize *= 4;
    }
    this.#offered -= count;
    this.#payOwed();
  }

  /** Whether enough bytes are waiting for `decode` to be worth a try. */
  get ready(): boolean {
    return this.#end - this.#start >= this.#wanted;
  }

  /** Forgets what the codec said that it needs: it is about to be asked again. */
  begin(): void {
    this.#wanted = 1;
    this.#neededKnown = false;
  }

  /** Takes note that the codec found no frame in what is here. */
  settle(): void {
    const { length } = this;
    if (this.#inflow !== undefined) {
      throw new TypeError(
        "Cannot read frame: the codec returned none for its body",
      );
    }
    if (this.#wanted > length) return;
    this.#wanted = length + 1;
    this.#neededKnown = false;
  }

  /**
   * Goes on leaving out a frame, if one is being left out.
   *
   * @param atEnd Whether no more bytes will come.
   * @returns The error that reports it, once its end was found; `undefined` before.
   */
  continueSkip(atEnd = false): Error | undefined {
    const error = this.#skipStep?.(this, atEnd);
    if (error !== undefined) this.#skipStep = undefined;
    return error;
  }

  #check(count: number): void {
    if (count >= 0 && this.#start + count <= this.#end) return;
    throw missing(`take ${count} bytes`, this.length);
  }

  #remove(count: number): void {
    this.#start += count;
    this.#searched = this.#start;
  }

  #dataView(): DataView<ArrayBuffer> {
    if (this.#view.buffer !== this.#buffer) {
      this.#view = new DataView(this.#buffer);
    }
    return this.#view;
  }

  /** Decodes what has come up to the last `byte` in reach, and says whether there is anything of use. */
  #decodeAhead(byte: number): boolean {
    const start = this.#start;
    if (start < this.#undecodable) return false;
    const bytes = this.#bytes;
    const from = Math.max(this.#searched, start);
    const wasted = this.#textIndex < this.#text.length;
    const reach = wasted ? Math.max(this.#textIndex, 1) : 2 * this.#textReach;
    let end = Math.min(start + reach, this.#end);
    while (end > from && bytes[end - 1] !== byte) end--;
    if (end <= from) {
      const length = this.indexOf(byte);
      if (length === undefined) return false;
      end = start + length + 1;
    }
    try {
      this.#text = decodeUtf8(new Uint8Array(this.#buffer, start, end - start));
    } catch {
      this.#undecodable = end;
      return false;
    }
    this.#textReach = reach;
    this.#textByte = byte;
    this.#textIndex = 0;
    this.#textStart = start;
    this.#textIsAscii = this.#text.length === end - start;
    return true;
  }

  /** Forgets what lies where in a slab that is left. */
  #forgetText(): void {
    this.#text = "";
    this.#textIndex = this.#undecodable = 0;
  }

  /** Whether what has been taken may be written over: it was made here, and nobody else looks at it. */
  #reusable(): boolean {
    return this.#owned && !(this.#taken && this.#lends);
  }

  /** Goes on in memory that a chunk brought along; nothing else is waiting, or it lies there too. */
  #adopt(buffer: ArrayBuffer, offset: number, length: number): void {
    this.#base += this.#start - offset;
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#start = this.#searched = offset;
    this.#end = offset + length;
    this.#owned = false;
    this.#forgetText();
  }

  #append(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length).set(bytes);
    this.#end += bytes.length;
  }

  /** Copies what lies ahead behind the rest. */
  #join(): void {
    const ahead = this.#ahead?.subarray(0, this.#aheadLength);
    this.#forgetAhead();
    if (ahead !== undefined) this.#append(ahead);
  }

  #forgetAhead(): void {
    this.#ahead = undefined;
    this.#aheadLength = 0;
  }

  #payOwed(): void {
    if (this.#owed === 0) return;
    const paid = Math.min(this.#owed, this.length);
    this.#owed -= paid;
    this.#remove(paid);
  }

  /** How large a slab is to be, if a frame does not need a larger one. */
  #usualSize(): number {
    const large = this.#slabSize === LARGEST_SLAB &&
      (this.needed ?? 0) >= LARGE_FRAME;
    return large ? SLAB_OF_LARGE : this.#slabSize;
  }

  /** Moves the waiting bytes to the front of a slab with room for `atLeast` more. */
  #renew(atLeast: number): void {
    const held = this.length;
    if (this.#buffer !== NO_BUFFER) {
      this.#slabSize = Math.max(this.#slabSize, SMALLEST_SLAB);
    }
    let capacity = Math.max(this.#usualSize(), held + atLeast);
    if (this.#wanted > capacity && this.#neededKnown) {
      // An announced length is no reason to take memory: the slab grows with what has come, and at the end
      // to the very length, so that no step is for a few bytes.
      const share = this.#wanted < VAST ? 8 : 256;
      capacity = held >= Math.floor(this.#wanted / share)
        ? this.#wanted
        : Math.max(capacity, 4 * held);
    } else if (held + (held >> 1) > capacity) {
      capacity = 2 * held;
    }
    const start = this.#start;
    const end = this.#end;
    if (capacity <= this.#buffer.byteLength && this.#reusable()) {
      this.#bytes.copyWithin(0, start, end);
    } else {
      // Not by transfer(), which writes zeros to what is new before anything has come for it.
      const bytes = new Uint8Array(capacity);
      bytes.set(this.#bytes.subarray(start, end));
      this.#bytes = bytes;
      this.#buffer = bytes.buffer;
    }
    this.#searched = Math.max(this.#searched - start, 0);
    this.#forgetText();
    this.#base += start;
    this.#start = 0;
    this.#end = held;
    this.#owned = true;
    this.#taken = false;
  }
}

/** What to throw when bytes are asked for that are not there. */
function missing(what: string, length: number): RangeError {
  return new RangeError(`Cannot ${what}: ${length} bytes are waiting`);
}

/** What to throw when bytes are asked for that cannot be. */
function negative(count: number, index: number): RangeError {
  return new RangeError(
    `Cannot look at ${count} bytes from ${index} on: neither may be negative`,
  );
}
