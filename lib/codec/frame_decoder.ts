/**
 * The receiving half of a codec, without any I/O: chunks in, frames out.
 *
 * @module
 */

import { ByteQueue, type FrameOwnership } from "../bytes/byte_queue.ts";
import { FramingError, TruncatedFrameError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { resemblance } from "./faults.ts";

/** How a {@linkcode FrameDecoder} hands out frames. */
export interface FrameDecoderOptions {
  /**
   * Whose memory the frames are: see {@linkcode FrameOwnership}.
   *
   * @default {"owned"}
   */
  frames?: FrameOwnership;
  /**
   * Brings more bytes: reads them into {@linkcode FrameDecoder.room} and commits them, or pushes them, or ends the
   * stream with {@linkcode FrameDecoder.end}. It is called when somebody reads a {@linkcode FrameBody} of which
   * nothing is here.
   */
  more?: () => Promise<void>;
}

/**
 * Cuts frames out of bytes, wherever they come from: a socket, a pipe, a file, a test.
 *
 * Push what has arrived, take frames with `next()` until it returns `undefined`, and push more. When the
 * stream has ended, call `end()` until it returns `undefined`. Where the bytes are cut makes no difference.
 *
 * An error that ends the stream is kept: from then on every call throws it again. One whose `recoverable`
 * is `true` is thrown once, and the next call goes on behind the faulty frame.
 *
 * @typeParam T The frames.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, lines } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(lines());
 * decoder.push(new TextEncoder().encode("one\ntw"));
 * assertEquals(decoder.next(), "one");
 * assertEquals(decoder.next(), undefined);
 * decoder.push(new TextEncoder().encode("o\n"));
 * assertEquals(decoder.next(), "two");
 * assertEquals(decoder.end(), undefined);
 * ```
 */
export class FrameDecoder<T> {
  #codec: Codec<T, never>;
  #received: ByteQueue;
  #failed = false;
  #failure: unknown;

  /**
   * Makes a decoder at the beginning of a stream.
   *
   * @param codec The rule by which frames are cut.
   * @param options How frames are handed out.
   */
  constructor(codec: Codec<T, never>, options: FrameDecoderOptions = {}) {
    this.#codec = codec;
    this.#received = new ByteQueue(options.frames);
    this.#received.more = options.more;
  }

  /** How many bytes have arrived and are part of no frame yet. */
  get buffered(): number {
    return this.#received.length + this.#received.ahead;
  }

  /**
   * How many bytes must be buffered before there can be another frame, or before more can be said;
   * `undefined` when the codec cannot know, as with delimiters.
   */
  get needed(): number | undefined {
    return this.#received.needed;
  }

  /**
   * How many bytes have not been taken of the body of the last frame; 0 if it is over, or there is none. Before it
   * is over there is no other frame.
   */
  get bodyLeft(): number {
    return this.#received.bodyLeft;
  }

  /**
   * Is fulfilled when the body is over; `undefined` if it is, or the stream has failed inside it.
   */
  get bodyOver(): Promise<void> | undefined {
    return this.#received.bodyOver;
  }

  /** Whether a frame is being left out whose end has not come. */
  get skipping(): boolean {
    return this.#received.skipping;
  }

  /** Whether it is the rest of a body, which was cancelled. */
  get skippingBody(): boolean {
    return this.#received.skippingBody;
  }

  /**
   * Which other protocol the stream looks like, if its first frame is still arriving, as a clause for the end
   * of a message such as `: the bytes b'GET / HT' look like HTTP`; empty if it looks like none.
   */
  get resemblance(): string {
    const received = this.#received;
    if (received.offset > 0) return "";
    return resemblance(received.preview(received.length), false);
  }

  /** How many bytes have been pushed or committed since the stream began. */
  get position(): number {
    return this.#received.offset + this.buffered;
  }

  /**
   * Adds what has arrived. The chunk may be kept rather than copied, and frames may be views on it: from
   * now on it is not to be written to.
   *
   * @param chunk The bytes; none is fine.
   * @throws {FramingError} If the stream has failed before.
   */
  push(chunk: Uint8Array): void {
    if (this.#failed) throw this.#failure;
    this.#received.push(chunk);
  }

  /**
   * The place to read the next bytes into, to spare a copy. Write to it, then say how many bytes came with
   * {@linkcode FrameDecoder.commit}, before anything else is done with the decoder.
   *
   * @returns A view of at least one byte.
   */
  room(): Uint8Array<ArrayBuffer> {
    return this.#received.room();
  }

  /**
   * Says how many bytes were written to the room.
   *
   * @param count From 0 to the room's length.
   */
  commit(count: number): void {
    this.#received.commit(count);
  }

  /**
   * Takes the next frame.
   *
   * @returns The frame; `undefined` if more bytes are needed.
   * @throws {FramingError} If the bytes are no frame, or the stream has failed before.
   */
  next(): T | undefined {
    let frame = this.#step();
    while (frame === undefined && this.#received.advance()) {
      frame = this.#step();
    }
    return frame;
  }

  /**
   * Takes what is here of the body of the last frame.
   *
   * @returns The bytes; `undefined` if there are none, or no body.
   */
  takeBody(): Uint8Array<ArrayBuffer> | undefined {
    return this.#received.takeBody();
  }

  /**
   * Says that nothing more comes of the body of the last frame, if that is not over.
   *
   * @param failure What who reads it gets behind the bytes that are here.
   */
  failBody(failure: unknown): void {
    this.#received.failBody(failure);
  }

  /** Takes the next frame of those bytes that the codec sees. */
  #step(): T | undefined {
    if (this.#failed) throw this.#failure;
    const received = this.#received;
    if (!received.ready) return undefined;
    const { length, skipping } = received;
    received.begin();
    try {
      if (skipping) {
        const report = received.continueSkip();
        if (report !== undefined) throw report;
        received.settle();
        return undefined;
      }
      const frame = this.#codec.decode(received);
      if (frame === undefined) received.settle();
      else if (received.length === length && received.bodyLeft === 0) {
        throw new TypeError(NO_PROGRESS);
      }
      return frame;
    } catch (error) {
      // An error that left everything as it was would be thrown for ever: it is no way to go on.
      throw this.#fail(
        error,
        skipping || received.length < length || received.skipping,
      );
    }
  }

  /**
   * Takes the next frame, given that no more bytes will come. Call it until it returns `undefined`; when a frame
   * has a body, take that first.
   *
   * @returns The next whole frame that is buffered, or the one that the end of the stream completes;
   * `undefined` if there are no more.
   * @throws {TruncatedFrameError} If the stream ended inside a frame.
   * @throws {FramingError} If the bytes are no frame, or the stream has failed before.
   */
  end(): T | undefined {
    const frame = this.next();
    if (frame !== undefined) return frame;
    const received = this.#received;
    const { length, offset, skipping } = received;
    if (received.bodyLeft > 0) {
      const { bodyPart } = received;
      if (bodyPart === undefined) return undefined;
      const { have, need } = bodyPart;
      const truncated = new TruncatedFrameError(
        `Cannot read frame: stream ended after ${have} of ${need} bytes`,
        bodyPart,
      );
      this.failBody(truncated);
      throw this.#fail(truncated);
    }
    if (length === 0 && !skipping) return undefined;
    try {
      if (skipping) {
        const report = received.continueSkip(true);
        if (report !== undefined) throw report;
      } else if (this.#codec.decodeEnd !== undefined) {
        const last = this.#codec.decodeEnd(received);
        if (last !== undefined && received.offset === offset) {
          throw new TypeError(NO_PROGRESS);
        }
        if (last !== undefined) received.begin(); // what it needed was for this frame
        const done = received.length === 0 && !received.skipping;
        if (last !== undefined || done) return last;
      }
    } catch (error) {
      throw this.#fail(error);
    }
    const { length: have, needed: need } = received;
    const seen = received.skipping
      ? "a part of a frame that was left out"
      : need === undefined
      ? `${have} byte${have === 1 ? "" : "s"} of a frame`
      : `${have} of ${need} bytes`;
    throw this.#fail(
      new TruncatedFrameError(
        `Cannot read frame: stream ended after ${seen}${this.resemblance}`,
        {
          have,
          need,
          partial: need === undefined
            ? received.peek(have).slice()
            : received.peek(
              have - received.framingLength,
              received.framingLength,
            ).slice(),
          offset: received.offset,
          preview: received.preview(have),
        },
      ),
    );
  }

  /**
   * Goes on with another codec behind the last frame that was taken.
   *
   * @param codec The rule by which frames are cut from now on.
   * @param more Brings more bytes from now on; without it, what did before.
   * @returns The decoder to use from now on; this one is spent.
   * @throws {FramingError} If the stream has failed before.
   * @throws {TypeError} If that frame has a body that is not over.
   */
  switchCodec<U>(
    codec: Codec<U, never>,
    more: (() => Promise<void>) | undefined = this.#received.more,
  ): FrameDecoder<U> {
    if (this.#failed) throw this.#failure;
    if (this.bodyLeft > 0) {
      throw new TypeError("Cannot switch the codec: a body is not over");
    }
    const next = new FrameDecoder(codec);
    next.#received = this.#received;
    next.#received.more = more;
    next.#received.begin();
    next.#received.searched = 0;
    next.#received.progress = undefined;
    this.#fail(new TypeError("Cannot read frame: the codec was switched"));
    return next;
  }

  /**
   * Takes all bytes that are part of no frame yet, for whoever goes on with the stream.
   *
   * @returns The bytes.
   */
  takeRest(): Uint8Array<ArrayBuffer> {
    while (this.#received.advance());
    return this.#received.take(this.#received.length);
  }

  /** Keeps an error that ends the stream. */
  #fail(error: unknown, progress = true): unknown {
    if (progress && error instanceof FramingError && error.recoverable) {
      return error;
    }
    this.#failed = true;
    this.#failure = error;
    return error;
  }
}

const NO_PROGRESS =
  "Cannot read frame: the codec returned one and removed no bytes for it";
