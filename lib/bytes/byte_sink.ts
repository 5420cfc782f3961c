/**
 * Bytes laid out and not yet sent.
 *
 *      sealed chunks, in order                         the open buffer
 *     [........] [caller's own] [....] [body: a source] [laid out | room ]
 *
 * Small pieces are copied together into the open buffer, so that a header and its payload, and frames laid
 * out close together, leave in one write. A large piece is kept as the caller's own memory instead. The
 * sink has no idea where the bytes go.
 *
 * @module
 */

import { type ByteOrder, type UintWidth, writeUint } from "./byte_order.ts";
import { FrameBody } from "./frame_body.ts";

const SMALLEST_BUFFER = 1024;
const USUAL_BUFFER = 64 * 1024;
const LARGEST_BUFFER = 256 * 1024;
/** How much memory is kept of each size of buffer. */
const POOLED = 1024 * 1024;
/** Up to this length a text is laid out character by character. */
const SHORT_TEXT = 32;
const utf8 = new TextEncoder();

/** A buffer, with its memory beside it: to ask for `bytes.buffer` costs as much as to make a view. */
interface Buffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly memory: ArrayBuffer;
}

function newBuffer(length: number): Buffer {
  const bytes = new Uint8Array(length);
  return { bytes, memory: bytes.buffer };
}

const NO_BUFFER = newBuffer(0);

/** Buffers that no sink needs at the moment, each list for four times the length: sinks with nothing laid out hold none. */
const pools: Buffer[][] = [];
for (let size = SMALLEST_BUFFER; size <= LARGEST_BUFFER; size *= 4) {
  pools.push([]);
}

/** Where the buffers of a length are kept, if any are. */
function poolOf(length: number): Buffer[] | undefined {
  const index = Math.clz32(SMALLEST_BUFFER) - Math.clz32(length) >> 1;
  return length === SMALLEST_BUFFER << 2 * index ? pools[index] : undefined;
}

/** One that nobody uses, or a new one. */
function bufferOf(length: number): Buffer {
  return poolOf(length)?.pop() ?? newBuffer(length);
}

/** A piece that is complete. */
interface Chunk {
  bytes: Uint8Array;
  /** How long it was when it was laid out: memory of a caller's may have been given away since. */
  length: number;
  /** The buffer it lies in, if that was made here and can be used again. */
  buffer: Buffer | undefined;
  /** What is to be sent in its place, if it is made while it is sent. */
  body: FrameBody | undefined;
}

/** In place of an array for each sink that has sealed nothing yet. */
const NOTHING: Chunk[] = [];

/** How a {@linkcode ByteSink} treats large pieces. */
export interface ByteSinkOptions {
  /**
   * Length in bytes from which a piece is kept as the caller's own memory rather than copied.
   *
   * @default {Infinity}
   */
  keepFrom?: number;
}

/** Has a sink use buffers of up to 256 KiB from now on, in place of 64, to copy pieces together. */
export let useLargeBuffers: (sink: ByteSink) => void;

/**
 * The send buffer, as a codec sees it: bytes are laid out at its end.
 *
 * @example Laying out a length and a text
 * ```ts
 * import { ByteSink } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const out = new ByteSink();
 * out.uint(2, 2);
 * out.text("hi");
 * assertEquals(out.bytes(), new Uint8Array([0, 2, 104, 105]));
 * ```
 */
export class ByteSink {
  #open = NO_BUFFER;
  #used = 0;
  #sealed = NOTHING;
  #sealedLength = 0;
  /** How many bytes were taken out since the sink was made. */
  #taken = 0;
  /** The buffer that the chunk taken last lies in, if it can be used again. */
  #away: Buffer | undefined;
  /** How long a buffer is for what does not fit into the smallest. */
  #size = SMALLEST_BUFFER;
  #largestSize = USUAL_BUFFER;
  #keepFrom: number;
  #keepsOthers = false;
  #bodyLength = 0;

  static {
    useLargeBuffers = (sink) => void (sink.#largestSize = LARGEST_BUFFER);
  }

  /**
   * Makes an empty sink.
   *
   * @param options How large pieces are treated.
   */
  constructor(options: ByteSinkOptions = {}) {
    this.#keepFrom = options.keepFrom ?? Infinity;
  }

  /** How many bytes are laid out and have not been taken. */
  get length(): number {
    return this.#sealedLength + this.#used;
  }

  /** How many bytes were laid out since the sink was made: the position of the next one. */
  get position(): number {
    return this.#taken + this.#sealedLength + this.#used;
  }

  /** How many of the bytes that are laid out are in bodies, which are not in memory. */
  get bodyLength(): number {
    return this.#bodyLength;
  }

  /** Whether any of the bytes are in memory that the caller may write to again. */
  get keepsOthers(): boolean {
    return this.#keepsOthers;
  }

  /**
   * Lays out one byte.
   *
   * @param value From 0 to 255.
   */
  byte(value: number): void {
    this.reserve(1);
    this.#open.bytes[this.#used++] = value;
  }

  /**
   * Lays out an unsigned integer.
   *
   * @param value From 0 to the most that `width` bytes can hold.
   * @param width How many bytes it takes.
   * @param byteOrder The order of its bytes.
   */
  uint(value: number, width: UintWidth, byteOrder: ByteOrder = "big"): void {
    this.reserve(width);
    writeUint(this.#open.bytes, this.#used, value, width, byteOrder);
    this.#used += width;
  }

  /**
   * Lays out bytes.
   *
   * @param bytes The bytes; a long piece may be kept as it is, and is then not to be written to before it
   * was sent. A body is asked for its bytes when they are sent.
   * @throws {TypeError} If it is anything else.
   */
  write(bytes: Uint8Array | FrameBody): void {
    if (!(bytes instanceof Uint8Array)) {
      if (bytes instanceof FrameBody) return this.#writeBody(bytes);
      throw new TypeError(
        `Cannot write frame: it must be a Uint8Array: it is of type ${typeof bytes}`,
      );
    }
    const { length } = bytes;
    if (length >= this.#keepFrom) {
      return this.#keep(bytes);
    }
    this.reserve(length);
    this.#open.bytes.set(bytes, this.#used);
    this.#used += length;
  }

  /**
   * Lays out a text as UTF-8.
   *
   * @param text The text; it is for the caller to see that it is well-formed.
   * @returns How many bytes it took.
   */
  text(text: string): number {
    const most = 3 * text.length; // a UTF-16 unit takes at most three bytes of UTF-8
    if (this.#used + most > this.#open.bytes.length && this.#isWorthSealing()) {
      // It takes less as a rule: a chunk is not completed before its time, nor parted from what was laid out with it.
      const bytes = utf8.encode(text);
      this.write(bytes);
      return bytes.length;
    }
    this.reserve(most);
    if (text.length <= SHORT_TEXT && this.#shortText(text)) return text.length;
    const room = new Uint8Array(this.#open.memory, this.#used);
    const { written } = utf8.encodeInto(text, room);
    this.#used += written;
    return written;
  }

  /**
   * Sees to it that the next bytes lie together, so that what was laid out first can still be changed.
   *
   * @param count How many bytes.
   */
  reserve(count: number): void {
    if (this.#used + count > this.#open.bytes.length) this.#makeRoom(count);
  }

  /**
   * Changes an unsigned integer that was laid out, and the bytes behind which were reserved together with it.
   *
   * @param position Where it begins, as {@linkcode ByteSink.position} was then.
   * @param value From 0 to the most that `width` bytes can hold.
   * @param width How many bytes it takes.
   * @param byteOrder The order of its bytes.
   * @throws {RangeError} If it does not lie in the open buffer.
   */
  setUint(
    position: number,
    value: number,
    width: UintWidth,
    byteOrder: ByteOrder = "big",
  ): void {
    const index = position - this.#taken - this.#sealedLength;
    if (index < 0 || index + width > this.#used) {
      throw new RangeError(
        `Cannot change the number at ${position}: it is no longer in the open buffer`,
      );
    }
    writeUint(this.#open.bytes, index, value, width, byteOrder);
  }

  /**
   * Takes back what was laid out last.
   *
   * @param position What {@linkcode ByteSink.position} is to be again.
   */
  truncate(position: number): void {
    const openStart = this.#taken + this.#sealedLength;
    if (position >= openStart) {
      this.#used = position - openStart;
      return;
    }
    this.#open = NO_BUFFER;
    this.#used = 0;
    let excess = openStart - position;
    while (excess > 0) {
      const last = this.#sealed[this.#sealed.length - 1];
      const { length } = last;
      if (length > excess) {
        last.length = length - excess;
        last.bytes = last.bytes.subarray(0, last.length);
        this.#sealedLength -= excess;
        return;
      }
      this.#sealed.pop();
      this.#sealedLength -= length;
      if (last.body !== undefined) this.#bodyLength -= length;
      excess -= length;
    }
    this.#keepsOthers = this.#sealed.some(({ buffer }) => buffer === undefined);
  }

  /**
   * All bytes that are laid out, in one piece.
   *
   * @returns A copy.
   * @throws {TypeError} If there is a body among them.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bodyLength > 0) {
      throw new TypeError("Cannot lay out frame in one piece: it has a body");
    }
    const whole = new Uint8Array(this.length);
    let index = 0;
    for (const { bytes, length } of this.#sealed) {
      whole.set(bytes, index);
      index += length;
    }
    whole.set(this.#open.bytes.subarray(0, this.#used), index);
    return whole;
  }

  /**
   * Takes a body out, to be sent, if it comes first.
   *
   * @returns The body; `undefined` if bytes come first.
   */
  takeBody(): FrameBody | undefined {
    const body = this.#sealed[0]?.body;
    if (body === undefined) return undefined;
    this.#sealed.shift();
    this.#away = undefined;
    this.#sealedLength -= body.length;
    this.#bodyLength -= body.length;
    this.#taken += body.length;
    if (this.#sealed.length === 0) this.#keepsOthers = false;
    return body;
  }

  /**
   * Takes back the first body, and all that was laid out from there on.
   *
   * @returns The bodies, which nobody is going to send.
   */
  dropBodies(): FrameBody[] {
    if (this.#bodyLength === 0) return [];
    const bodies = this.#sealed.flatMap(({ body }) => body ?? []);
    const first = this.#sealed.findIndex(({ body }) => body !== undefined);
    const before = this.#sealed.slice(0, first);
    const length = before.reduce((sum, { length }) => sum + length, 0);
    this.truncate(this.#taken + length);
    return bodies;
  }

  /**
   * Takes the first chunk out, to be sent. It is not written to again before {@linkcode ByteSink.recycle}
   * is called, which must come before the next chunk is taken.
   *
   * @returns The chunk; `undefined` if nothing is laid out, or a body comes first.
   * @throws {TypeError} If it is memory of a caller's that was given away before it was sent.
   */
  takeChunk(): Uint8Array | undefined {
    if (this.#sealed.length === 0) {
      const length = this.#used;
      if (length === 0) return undefined;
      const open = this.#open;
      this.#away = open;
      this.#taken += length;
      this.#open = NO_BUFFER;
      this.#used = 0;
      // A quarter would have done: who has sent much once may send little from now on.
      if (length <= this.#size >> 2 && this.#size > SMALLEST_BUFFER) {
        this.#size >>= 2;
      }
      return new Uint8Array(open.memory, 0, length);
    }
    if (this.#sealed[0].body !== undefined) return undefined;
    const chunk = this.#sealed.shift();
    if (chunk === undefined) return undefined;
    this.#away = chunk.buffer;
    const { bytes, length } = chunk;
    this.#sealedLength -= length;
    this.#taken += length;
    if (this.#sealed.length === 0) this.#keepsOthers = false;
    if (bytes.length === length) return bytes;
    throw new TypeError(
      `Cannot write frame: its memory was given away before it was sent: ${bytes.length} of ${length} bytes are left`,
    );
  }

  /** Says that the chunk taken last has been sent: its memory may be used again. */
  recycle(): void {
    const buffer = this.#away;
    if (buffer === undefined) return;
    this.#away = undefined;
    const { length } = buffer.bytes;
    const pool = poolOf(length);
    if (pool !== undefined && pool.length * length < POOLED) pool.push(buffer);
  }

  /** Lays out a text of ASCII characters; the platform's encoder costs more to call. */
  #shortText(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return false;
      this.#open.bytes[this.#used + i] = unit;
    }
    this.#used += text.length;
    return true;
  }

  #writeBody(body: FrameBody): void {
    if (body.length > 0) this.#keep(NO_BUFFER.bytes, body);
    else body.cancel().catch(() => {}); // it is not asked for anything
  }

  /** Lays out what is the caller's own. */
  #keep(bytes: Uint8Array, body?: FrameBody): void {
    const { length } = body ?? bytes;
    this.#seal();
    this.#push({ bytes, length, buffer: undefined, body });
    this.#sealedLength += length;
    this.#keepsOthers = true;
    if (body !== undefined) this.#bodyLength += length;
  }

  #isWorthSealing(): boolean {
    return this.#used >= this.#largestSize >> 1;
  }

  #makeRoom(count: number): void {
    if (this.#isWorthSealing()) this.#seal();
    const buffer = this.#acquire(this.#used + count);
    if (this.#used > 0) {
      buffer.bytes.set(this.#open.bytes.subarray(0, this.#used));
    }
    this.#open = buffer;
  }

  /** Completes the chunk in the open buffer. */
  #seal(): void {
    if (this.#used === 0) return;
    const length = this.#used;
    const bytes = this.#open.bytes.subarray(0, length);
    this.#push({ bytes, length, buffer: this.#open, body: undefined });
    this.#sealedLength += this.#used;
    this.#open = NO_BUFFER;
    this.#used = 0;
  }

  #push(chunk: Chunk): void {
    if (this.#sealed === NOTHING) this.#sealed = [];
    this.#sealed.push(chunk);
  }

  /**
   * A buffer of at least `count` bytes. It is the smallest for what may be all, as each of many connections may have
   * one; then it is as long as has been of use lately.
   */
  #acquire(count: number): Buffer {
    if (count <= SMALLEST_BUFFER) return bufferOf(SMALLEST_BUFFER);
    while (this.#size < count && this.#size < this.#largestSize) {
      this.#size *= 4;
    }
    return bufferOf(Math.max(this.#size, count));
  }
}

/** All bytes that are laid out, in one piece, of a sink that nobody needs any more: its buffers are for others. */
export function takeBytes(sink: ByteSink): Uint8Array<ArrayBuffer> {
  const bytes = sink.bytes();
  while (sink.takeChunk() !== undefined) sink.recycle();
  return bytes;
}

/** Lays out in one sink what is laid out in another one, which has no bodies and which nobody needs any more. */
export function moveBytes(from: ByteSink, to: ByteSink): void {
  for (let chunk; (chunk = from.takeChunk()) !== undefined;) {
    to.write(chunk);
    if (!to.keepsOthers) from.recycle(); // otherwise it may be kept as it is
  }
}
