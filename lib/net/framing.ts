/**
 * A connection that speaks a codec.
 *
 * Reading, which is one loop in `#readOn`; `#read` takes its first step without a coroutine, as most frames come
 * with the first read:
 *
 *                        ┌────────────────────────── a frame is here ──► hand it out
 *                        │
 *     ┌─► look for a frame ── not yet ──► read from the connection ── bytes ──┐
 *     │                                        │      │      │                │
 *     └────────────────────────────────────────┼──────┼──────┼────────────────┘
 *                                              │      │      └─ the deadline passes ──► reject; the read stays
 *                                              │      │                                 pending and is taken up
 *                                              │      │                                 again by the next call
 *                                              │      └─ end of stream ──► last frame, null, or truncated
 *                                              └─ it fails ──► reject, now and from now on
 *
 * Before more of a frame is read that has begun, a server that is short of memory may have it wait: see `#turn`.
 *
 * While a body is read, which `#feed` brings bytes for, `#readOn` waits until it is over.
 *
 * @module
 */

import type { ByteReader, ByteWriter } from "../bytes/byte_io.ts";
import type { FrameOwnership } from "../bytes/byte_queue.ts";
import type { Codec } from "../codec/codec.ts";
import { FrameDecoder } from "../codec/frame_decoder.ts";
import {
  ConnectionClosedError,
  ConnectionError,
  ReadTimeoutError,
} from "../errors.ts";
import { checkWait, Deadline, type WaitOptions } from "./deadline.ts";
import { connectionFault } from "./faults.ts";
import type { Account } from "./memory_budget.ts";
import { SendBuffer } from "./send_buffer.ts";

/** What a {@linkcode Framing} needs of a connection: every `Deno.Conn` has it. */
export interface ByteConn extends ByteReader, ByteWriter {
  /** Closes both directions. */
  close(): void;
  /** Closes the direction out, after what was written. */
  closeWrite?(): Promise<void>;
  /** Switches Nagle's algorithm off. */
  setNoDelay?(noDelay?: boolean): void;
  /** Makes it keep the program alive while it is read from or written to, as what has this does from the start. */
  ref?(): void;
  /** The address of the other end. */
  readonly remoteAddr?: Deno.Addr;
  /** The address of this end. */
  readonly localAddr?: Deno.Addr;
  /** The application protocol that both sides agreed on, or `null` if they spoke of none: TLS only. */
  readonly alpnProtocol?: string | null;
}

/** How a {@linkcode Framing} reads and writes. */
export interface FramingOptions {
  /**
   * Whose memory the frames are: see {@linkcode FrameOwnership}.
   *
   * @default {"owned"}
   */
  frames?: FrameOwnership;
  /**
   * From how many unsent bytes on `write` asks the caller to wait. If it is not given, it grows to 262,144 when the
   * connection has taken 32 KiB or more at once: larger writes are fewer, and cost less.
   *
   * @default {65_536}
   */
  highWaterMark?: number;
  /**
   * Whether Nagle's algorithm is switched off, where the connection has it: with it, a small frame may wait
   * for 40 ms and more.
   *
   * @default {true}
   */
  noDelay?: boolean;
}

/** What went through a {@linkcode Framing}. */
export interface FramingStats {
  /** Bytes that came from the connection. */
  bytesReceived: number;
  /** Frames that were handed out. */
  framesReceived: number;
  /** Bytes that the connection took. */
  bytesSent: number;
  /** Frames that were given to `write`. */
  framesSent: number;
  /** Bytes that have come and are part of no frame yet. */
  buffered: number;
  /** Bytes that wait to be sent. */
  pending: number;
}

/** What {@linkcode Framing.detach} gives back. */
export interface Detached<C> {
  /** The connection, open. */
  conn: C;
  /** Bytes that came from it and are part of no frame: they come before what is read from it next. */
  remainder: Uint8Array<ArrayBuffer>;
}

/** The end of the stream, where `null` may be a frame. */
export const END: unique symbol = Symbol("end of stream");
const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** Who waits for a frame. */
export interface Taker<T, R> {
  /** Whether the stream ends when the connection is closed on this side. */
  readonly closedIsEnd: boolean;
  /** Makes of the frame, or of the end, what is returned. */
  take(frame: T | typeof END): R;
  /** Makes it of an error, or throws that. */
  fail(error: unknown): R;
}

function orNull<T>(frame: T | typeof END): T | null {
  return frame === END ? null : frame;
}

function asResult<T>(
  frame: T | typeof END,
): IteratorResult<T, undefined> {
  return frame === END ? DONE : { value: frame, done: false };
}

function rethrow(error: unknown): never {
  throw error;
}

const FOR_READ = { closedIsEnd: false, take: orNull, fail: rethrow };
const FOR_LOOP = { closedIsEnd: true, take: asResult, fail: rethrow };

/** What a server looks at from time to time. */
export interface Progress {
  /** How many bytes have come. */
  received: number;
  /** How many bytes the connection has taken. */
  sent: number;
  /** How many bytes wait to be sent. */
  pending: number;
  /** How many frames were handed out. */
  frames: number;
  /** How many reads have ended, with a frame or with an error. */
  reads: number;
  /** Whether a read waits for the peer. */
  waiting: boolean;
  /** Whether the connection is closed on this side, or was given away. */
  gone: boolean;
  /** How many bytes of a frame have come that has not ended, and is not being left out. */
  buffered: number;
  /** How many bytes it has, if that is known. */
  needed: number | undefined;
  /** Whether a frame has begun and has not ended. */
  insideFrame: boolean;
  /** Whether it is one that is handed out as it comes. */
  insideBody: boolean;
  /** Whether what waits to be sent has still to be made, so that the peer cannot take it. */
  starved: boolean;
  /** Where to learn what the stream looks like, as a clause for the end of a message. */
  stream: { readonly resemblance: string } | undefined;
}

/** What there is to see of a connection that has done nothing. */
export const NOTHING_SEEN: Readonly<Progress> = {
  received: 0,
  sent: 0,
  pending: 0,
  frames: 0,
  reads: 0,
  waiting: false,
  gone: false,
  buffered: 0,
  needed: undefined,
  insideFrame: false,
  insideBody: false,
  starved: false,
  stream: undefined,
};

const CLOSE_TIMEOUT = 5000;
const LINGER_ROOM = 4096;
/** A connection that gives nothing so many times in a row is broken. */
const MAX_EMPTY_READS = 100;

/** A connection whatever codec it speaks. */
export type AnyFraming = Framing<unknown, never>;

/** Sees to it that what a connection holds is counted. */
export let giveAccount: (peer: AnyFraming, account: Account) => void;
/** Asks whether another answer may be made; if not, gives a promise that says when to ask again. */
export let answerTurn: (peer: AnyFraming) => Promise<void> | undefined;
/** Says how far a connection has come. */
export let lookAt: (peer: AnyFraming, progress: Progress) => void;
/** Ends a connection at once: what waits for it, and who turns to it later, is given the reason. */
export let endWith: (peer: AnyFraming, reason: unknown) => void;
/**
 * Sends what was written, half-closes, and closes when the peer has ended the stream too: to close before would
 * destroy what it has not received yet. How long that may take is for the caller to see to.
 */
export let finish: (peer: AnyFraming) => Promise<void>;
/** Gives the next frame if it is here, and the end if the connection was closed on this side. */
export let takeHere: <T>(
  peer: Framing<T, never, ByteConn>,
) => T | typeof END | undefined;
/** Reads the next frame, as none is here, and tells nobody but the taker of it, whose methods do not throw. */
export let readFor: <T>(
  peer: Framing<T, never, ByteConn>,
  taker: Taker<T, void>,
) => void;
/** Gives the next frame as an iterator does. */
let iterate: <T>(
  peer: Framing<T, never, ByteConn>,
) => Promise<IteratorResult<T, undefined>>;

/** The frames of a connection, for `for await`. A class, as closures would cost each connection that waits more. */
class FrameIterator<T> implements AsyncIterableIterator<T, undefined> {
  #peer: Framing<T, never, ByteConn>;

  constructor(peer: Framing<T, never, ByteConn>) {
    this.#peer = peer;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return iterate(this.#peer);
  }

  return(): Promise<IteratorResult<T, undefined>> {
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * A connection that speaks a codec: frames instead of bytes.
 *
 * One reader at a time, any number of writers. Frames go out in the order of the calls; those written close
 * together leave together.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @typeParam C The connection.
 *
 * @example Usage
 * ```ts
 * import { Framing, lengthPrefixed, text } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [here, there] = connPair();
 * await using client = new Framing(here, text(lengthPrefixed()));
 * await using server = new Framing(there, text(lengthPrefixed()));
 * await client.write("hello");
 * assertEquals(await server.read(), "hello");
 * await client.closeWrite();
 * assertEquals(await server.read(), null);
 * ```
 */
export class Framing<T, W = T, C extends ByteConn = ByteConn>
  implements AsyncIterable<T>, Disposable, AsyncDisposable {
  #conn: C;
  #codec: Codec<T, W>;
  #decoder: FrameDecoder<T>;
  #send: SendBuffer;
  #options: FramingOptions;
  /** Whether a `read` is under way. */
  #reading = false;
  /** A read of the connection that has not been waited out. */
  #pendingRead: Promise<number | null> | undefined;
  #emptyReads = 0;
  /** A read for a body that is under way. */
  #feeding: Promise<void> | undefined;
  /** An error that came behind frames that `readBatch` handed out, to be thrown next. */
  #deferred: unknown;
  /** Whether the connection has given the end of the stream. */
  #ended = false;
  #readFailed = false;
  #readFailure: unknown;
  /** Why nothing can be done with the connection any more. */
  #gone: "closed" | "detached" | "switched" | undefined;
  #writeEnded = false;
  /** Where in the stream reading ends, if it was ended: frames that begin there are not read any more. */
  #stopAt: number | undefined;
  #closing: Promise<void> | undefined;
  #framesReceived = 0;
  #framesSent = 0;
  /** How many reads ended with an error. */
  #readErrors = 0;
  /** What it holds of a server's memory. */
  #account: Account | undefined;
  /** The first of those whose codecs were switched. */
  #first: AnyFraming | undefined;
  /** Why its server ended it. */
  #endReason: unknown;

  static {
    answerTurn = (peer) => peer.#account?.answerTurn();
    giveAccount = (peer, account) => {
      peer.#account = account;
      peer.#send.account = account;
    };
    lookAt = (peer, progress) => peer.#lookAt(progress);
    endWith = (peer, error) => peer.#endWith(error);
    finish = (peer) => peer.#finish();
    takeHere = (peer) => peer.#takeHere();
    readFor = (peer, taker) => void peer.#read(undefined, taker);
    iterate = (peer) => peer.#iterate();
  }

  /**
   * Makes frames of a connection's bytes. From now on nobody else reads from it or writes to it.
   *
   * @param conn The connection: any `Deno.Conn`, or anything with `read`, `write` and `close`.
   * @param codec The rule by which frames are cut and laid out.
   * @param options How it reads and writes.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(conn: C, codec: Codec<T, W>, options: FramingOptions = {}) {
    const { frames = "owned", highWaterMark, noDelay = true } = options;
    checkHighWaterMark(highWaterMark ?? 0);
    this.#conn = conn;
    this.#codec = codec;
    this.#options = options;
    this.#decoder = new FrameDecoder(codec, {
      frames,
      more: () => this.#feed(),
    });
    this.#send = new SendBuffer(conn, highWaterMark);
    if (noDelay) conn.setNoDelay?.(true);
  }

  /** The address of the other end, if the connection has one. */
  get remoteAddr(): Deno.Addr | undefined {
    return this.#conn.remoteAddr;
  }

  /** The address of this end, if the connection has one. */
  get localAddr(): Deno.Addr | undefined {
    return this.#conn.localAddr;
  }

  /** The application protocol that TLS agreed on; `null` if it is none, `undefined` without TLS. */
  get alpnProtocol(): string | null | undefined {
    return this.#conn.alpnProtocol;
  }

  /** What has gone through so far. */
  get stats(): FramingStats {
    return {
      bytesReceived: this.#decoder.position,
      framesReceived: this.#framesReceived,
      bytesSent: this.#send.sent,
      framesSent: this.#framesSent,
      buffered: this.#decoder.buffered,
      pending: this.#send.pending,
    };
  }

  /**
   * Reads the next frame. If the one before has a {@linkcode FrameBody}, this waits until it has been read to its
   * end or cancelled.
   *
   * A timeout or an abort loses nothing: the next call goes on where this one stood. Frames that came
   * before an error are read before it is thrown, and an error that ends the stream is thrown again by every
   * later call.
   *
   * @param options When to give up.
   * @returns The frame; `null` at the end of the stream.
   * @throws {FramingError} If the bytes are no frame, or the stream ended inside one. If `recoverable` is
   * `true`, the next call goes on behind it.
   * @throws {ReadTimeoutError} If no whole frame came in time.
   * @throws {PeerResetError} If the connection broke.
   * @throws {ConnectionClosedError} If it was closed on this side.
   * @throws {Deno.errors.Busy} If another read is under way.
   */
  read(options?: WaitOptions): Promise<T | null> {
    try {
      if (options !== undefined) checkWait(options);
      const frame = this.tryRead();
      if (frame !== undefined) return Promise.resolve(frame);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#read<T | null>(options, FOR_READ);
  }

  /**
   * Takes the next frame if it is already here. Nothing is read from the connection.
   *
   * @returns The frame; `undefined` if none is here. To learn of the end of the stream, `read`.
   * @throws {FramingError} If the bytes are no frame. If `recoverable` is `true`, the next call goes on
   * behind it.
   * @throws {ConnectionClosedError} If the connection was closed on this side.
   * @throws {Deno.errors.Busy} If a read is under way.
   */
  tryRead(): T | undefined {
    if (this.#reading) {
      throw new Deno.errors.Busy(
        "Cannot read frame: another read is under way",
      );
    }
    this.#checkHere("read frame");
    return this.#next();
  }

  /**
   * Reads all frames that are here, and waits for one if there is none.
   *
   * @param options When to give up waiting.
   * @returns At least one frame, in order; `null` at the end of the stream. An error behind them is thrown by
   * the next call.
   * @throws {FramingError} As by {@linkcode Framing.read}, as are the others.
   */
  readBatch(options?: WaitOptions): Promise<T[] | null> {
    try {
      if (options !== undefined) checkWait(options);
      const first = this.tryRead();
      if (first !== undefined) return Promise.resolve(this.#batch(first));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#read(options, {
      closedIsEnd: false,
      take: (first) => first === END ? null : this.#batch(first),
      fail: rethrow,
    });
  }

  /**
   * Writes a frame: it is laid out whole, and leaves together with others that are written close to it.
   *
   * @param frame The frame. If it has 64 KiB or more its memory is not to be touched before the returned
   * promise settles. If it has a {@linkcode FrameBody}, that is sent as the peer takes it, and frames written
   * after it wait behind it.
   * @returns A promise when the caller should wait before writing more; it is fulfilled when the peer's side
   * has taken enough. `await` is right in either case. That a frame was taken does not say that the peer's
   * program got it.
   * @throws {RangeError} If the frame is too long, or its value out of range; nothing is written.
   * @throws {TypeError} If the frame is not of the kind that the codec lays out; nothing is written.
   * @throws {PeerResetError} If the connection broke, now or at an earlier write.
   * @throws {ConnectionError} If the source of a body failed or did not give its length, which ends the connection.
   * @throws {ConnectionClosedError} If it was closed or half-closed on this side.
   */
  write(frame: W): Promise<void> | undefined {
    this.#checkWritable();
    const { sink } = this.#send;
    const { position } = sink;
    try {
      this.#codec.encode(frame, sink);
    } catch (error) {
      sink.truncate(position);
      throw error;
    }
    this.#framesSent++;
    return this.#send.commit();
  }

  /**
   * Writes frames one after another, waiting whenever that is called for.
   *
   * @param frames The frames. If one cannot be laid out, those before it are written.
   * @throws {RangeError} As by {@linkcode Framing.write}, as are the others.
   */
  async writeMany(frames: Iterable<W> | AsyncIterable<W>): Promise<void> {
    for await (const frame of frames) {
      const room = this.write(frame);
      if (room !== undefined) await room;
    }
  }

  /**
   * Waits until all frames that were written have been taken by the connection.
   *
   * @param options When to give up; nothing is lost by that.
   * @throws {WriteTimeoutError} If the peer does not take them in time.
   * @throws {PeerResetError} If the connection broke.
   */
  drain(options?: WaitOptions): Promise<void> {
    return this.#send.drain(options);
  }

  /**
   * Half-closes: sends what was written, then tells the peer that no more will come. Reading goes on.
   *
   * @param options When to give up.
   * @throws {WriteTimeoutError} If the peer does not take the rest in time.
   * @throws {ConnectionError} If the connection broke, is closed, or cannot be half-closed.
   */
  async closeWrite(options?: WaitOptions): Promise<void> {
    this.#checkHere("half-close");
    if (this.#conn.closeWrite === undefined) {
      throw new ConnectionError(
        "Cannot half-close: this kind of connection has no closeWrite()",
      );
    }
    this.#writeEnded = true;
    await this.drain(options);
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      throw connectionFault("half-close", error);
    }
  }

  /**
   * Sends what was written and closes the connection. Closing again does nothing. A body may take longer than this
   * waits: wait for the promise of its `write` first.
   *
   * @param options When to give up sending; 5 seconds unless told otherwise. The connection is closed then
   * too.
   * @throws {WriteTimeoutError} If the peer did not take the rest in time.
   * @throws {PeerResetError} If a write failed and nobody has been told yet, unless by a promise of
   * {@linkcode Framing.write}, which somebody may have waited for or not.
   */
  close(options: WaitOptions = {}): Promise<void> {
    return this.#closeOnce(options, false);
  }

  /**
   * Gives the connection back, for a protocol that goes on with other means, such as TLS. What was written is
   * sent first.
   *
   * @returns The connection, and the bytes that came from it and are part of no frame.
   * @throws {Deno.errors.Busy} If a read is under way, or one that timed out is still pending in the
   * connection: it would take the next bytes. If a body is not over,
   * or the rest of one that was cancelled, or of a frame that is left out, has not come.
   * @throws {ConnectionError} If the connection broke or is closed.
   */
  async detach(): Promise<Detached<C>> {
    this.#checkKept("detach");
    this.#checkIdle("detach");
    this.#checkNothingOwed();
    this.#throwDeferred();
    do await this.drain(); while (this.#send.pending > 0); // somebody may have written meanwhile
    this.#checkKept("detach");
    this.#checkIdle("detach");
    this.#checkNothingOwed();
    this.#gone = "detached";
    this.#account?.[Symbol.dispose]();
    return { conn: this.#conn, remainder: this.#decoder.takeRest() };
  }

  /**
   * Goes on with another codec: what comes behind the last frame that was read, and what is written from
   * now on, is in the new one. This object is spent; the returned one owns the connection.
   *
   * @typeParam U The frames that are read from now on.
   * @typeParam V The frames that are written from now on.
   * @param codec The rule by which frames are cut and laid out from now on.
   * @returns The same connection, speaking the new codec.
   * @throws {Deno.errors.Busy} If a read is under way, or a body is not over.
   * @throws {FramingError} If the stream failed before.
   * @throws {ConnectionError} If the connection broke or is closed.
   */
  switchCodec<U, V = U>(codec: Codec<U, V>): Framing<U, V, C> {
    this.#checkKept("switch the codec");
    if (this.#reading) this.#checkIdle("switch the codec");
    this.#checkNoBody("switch the codec");
    this.#throwDeferred();
    const options = { ...this.#options, noDelay: false }; // it is set already, if it is to be
    const next = new Framing<U, V, C>(this.#conn, codec, options);
    next.#decoder = this.#decoder.switchCodec(codec, () => next.#feed());
    next.#send = this.#send;
    next.#pendingRead = this.#pendingRead;
    next.#ended = this.#ended;
    next.#readFailed = this.#readFailed;
    next.#readFailure = this.#readFailure;
    next.#writeEnded = this.#writeEnded;
    next.#stopAt = this.#stopAt;
    next.#framesReceived = this.#framesReceived;
    next.#framesSent = this.#framesSent;
    next.#readErrors = this.#readErrors;
    next.#account = this.#account;
    this.#gone = "switched";
    next.#first = this.#first ?? this;
    successors.set(next.#first, next);
    successors.set(this, next);
    return next;
  }

  /**
   * Ends reading without closing: frames that have begun to come are still read, and then `read` gives
   * `null`, as if the peer had ended the stream. If a read is waiting and no frame has begun, the peer is
   * told by a half-close.
   */
  stopReading(): void {
    if (this.#stopAt !== undefined || this.#gone !== undefined) return;
    this.#stopAt = this.#decoder.position;
    const { buffered, bodyLeft } = this.#decoder;
    const idle = this.#reading && buffered === 0 && bodyLeft === 0;
    if (idle && this.#conn.closeWrite !== undefined) {
      this.closeWrite().catch(() => {}); // a broken connection is reported by the read that waits
    }
  }

  /**
   * Reads frame after frame until the end of the stream, or until this side closes the connection. Leaving
   * the loop leaves the connection open.
   *
   * @returns An iterator; it throws what {@linkcode Framing.read} throws, and a broken stream never ends
   * silently.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return new FrameIterator(this);
  }

  /** Closes the connection at once. What was written is handed to it, and what it does not take is lost. */
  [Symbol.dispose](): void {
    if (this.#gone !== undefined) return;
    this.#send.flushNow();
    this.#shut();
  }

  /**
   * Sends what was written and closes the connection, as {@linkcode Framing.close} does. It does not throw
   * again what a promise of {@linkcode Framing.write} was rejected with.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#closeOnce({}, true);
  }

  #iterate(): Promise<IteratorResult<T, undefined>> {
    try {
      const frame = this.#takeHere();
      if (frame !== undefined) return Promise.resolve(asResult(frame));
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#read<IteratorResult<T, undefined>>(undefined, FOR_LOOP);
  }

  #takeHere(): T | typeof END | undefined {
    return this.#closedHere() ? END : this.tryRead();
  }

  /** A frame with all that are here behind it. */
  #batch(first: T): T[] {
    const frames: T[] = [first];
    try {
      let frame: T | undefined;
      while (!this.#stopped() && (frame = this.#decoder.next()) !== undefined) {
        frames.push(frame);
      }
    } catch (error) {
      this.#deferred = error;
    }
    this.#framesReceived += frames.length - 1;
    return frames;
  }

  /** Throws the error that came behind a batch, once. */
  #throwDeferred(): void {
    const error = this.#deferred;
    if (error === undefined) return;
    this.#deferred = undefined;
    throw error;
  }

  /** The next frame that is here. */
  #next(): T | undefined {
    if (this.#deferred !== undefined) this.#throwDeferred();
    if (this.#stopped()) return undefined;
    const frame = this.#decoder.next();
    if (frame !== undefined) this.#framesReceived++;
    return frame;
  }

  /**
   * Reads until there is a frame, or the stream ends. Most frames come with the first read, which takes no
   * coroutine.
   *
   * @param options When to give up.
   * @param taker Who waits for the frame.
   */
  #read<R>(
    options: WaitOptions | undefined,
    taker: Taker<T, R>,
  ): Promise<R> {
    this.#reading = true;
    // Nothing is added before something comes: what was written while frames were here leaves now.
    this.#send.flush();
    if (
      options !== undefined || this.#readFailed || this.#ended ||
      this.#stopAt !== undefined || this.#feeding !== undefined ||
      this.#decoder.bodyLeft > 0
    ) {
      return this.#readOn(options, taker);
    }
    return this.#receive().then(
      (count) => this.#received(count, taker),
      (error) => this.#readEnds(this.#failRead(error), taker),
    );
  }

  /** Something has come, or the end. */
  #received<R>(count: number | null, taker: Taker<T, R>): R | Promise<R> {
    let frame: T | undefined;
    try {
      frame = this.#takeIn(count);
    } catch (error) {
      return this.#readEnds(error, taker);
    }
    if (frame === undefined) return this.#readOn(undefined, taker);
    this.#reading = false;
    return taker.take(frame);
  }

  /** The read loop. */
  async #readOn<R>(
    options: WaitOptions | undefined,
    taker: Taker<T, R>,
  ): Promise<R> {
    const deadline = options &&
      Deadline.from(options, (timeout) => this.#timedOut(timeout));
    try {
      while (true) {
        if (this.#readFailed) throw this.#readFailure;
        const body = this.#feeding ?? this.#decoder.bodyOver;
        if (body !== undefined) {
          const over = body.catch(() => {}); // who reads the body is told
          await (deadline?.wait(over) ?? over);
          this.#checkHere("read frame");
          const frame = this.#next();
          if (frame === undefined) continue;
          this.#reading = false;
          return taker.take(frame);
        }
        if (this.#ended || this.#stopped()) {
          const last = this.#endOfStream();
          await undefined; // otherwise `take`, where it reads on, would be called inside its own call
          this.#reading = false;
          return taker.take(last);
        }
        const turn = this.#turn();
        if (turn !== undefined) {
          await (deadline?.wait(turn) ?? turn);
          this.#checkHere("read frame");
        }
        const pending = this.#receive();
        let count: number | null;
        try {
          count = await (deadline?.wait(pending) ?? pending);
        } catch (error) {
          if (deadline?.passed && error === deadline.reason) throw error;
          throw this.#failRead(error);
        }
        const frame = this.#takeIn(count);
        if (frame === undefined) continue;
        this.#reading = false;
        return taker.take(frame);
      }
    } catch (error) {
      return this.#readEnds(error, taker);
    } finally {
      deadline?.[Symbol.dispose]();
    }
  }

  /** What a read comes to that failed. */
  #readEnds<R>(error: unknown, taker: Taker<T, R>): R {
    this.#reading = false;
    this.#readErrors++;
    const ended = taker.closedIsEnd && this.#closedHere();
    return ended ? taker.take(END) : taker.fail(error);
  }

  /** Asks for leave to read more of a frame that has begun, if this is a server's connection and room is scarce. */
  #turn(): Promise<void> | undefined {
    const account = this.#account;
    if (account === undefined || !account.tight) return undefined;
    return this.#decoder.buffered > 0 ? account.turn(true) : undefined;
  }

  /** Reads from the connection, or takes up again the read that is under way. */
  #receive(): Promise<number | null> {
    try {
      return this.#pendingRead ??= this.#conn.read(this.#decoder.room());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes in what a read gave; returns the first frame that is here then. */
  #takeIn(count: number | null): T | undefined {
    this.#commit(count);
    const frame = count === null ? undefined : this.#next();
    this.#account?.holdReceived(this.#decoder.buffered);
    return frame;
  }

  /** Takes note of what a read gave. */
  #commit(count: number | null): void {
    this.#pendingRead = undefined;
    if (count === null) {
      // Behind a failed write the platform shows a clean end where there was none.
      this.#send.check();
      this.#ended = true;
      return;
    }
    try {
      this.#decoder.commit(count);
    } catch (error) {
      throw this.#failRead(error);
    }
    if (count > 0) this.#emptyReads = 0;
    else if (++this.#emptyReads === MAX_EMPTY_READS) {
      throw this.#failRead(
        new ConnectionError(
          `Cannot read frame: the connection gave no bytes ${MAX_EMPTY_READS} times in a row`,
        ),
      );
    }
  }

  /** Reads more of a body, whose reader has taken all that was here. */
  #feed(): Promise<void> {
    return this.#feeding ??= this.#feedOnce();
  }

  async #feedOnce(): Promise<void> {
    try {
      this.#checkHere("read frame");
      if (this.#readFailed) throw this.#readFailure;
      this.#account?.holdReceived(this.#decoder.buffered);
      this.#send.flush();
      if (!this.#ended) await this.#receiveBody();
      if (this.#ended && this.#decoder.bodyLeft > 0) this.#decoder.end();
    } catch (error) {
      this.#readErrors++;
      this.#decoder.failBody(error);
      throw error;
    } finally {
      this.#feeding = undefined;
    }
  }

  async #receiveBody(): Promise<void> {
    let count: number | null;
    try {
      const turn = this.#turn();
      if (turn !== undefined) await turn;
      count = await this.#receive();
      this.#checkHere("read frame");
    } catch (error) {
      throw this.#failRead(error);
    }
    this.#commit(count);
    this.#account?.holdReceived(this.#decoder.buffered);
  }

  /** Whether reading was ended, and no frame is left that had begun to come then. */
  #stopped(): boolean {
    if (this.#stopAt === undefined) return false;
    const { position, buffered } = this.#decoder;
    return position - buffered >= this.#stopAt;
  }

  /** What the end of the stream means: a last frame, the end, or a truncated frame. */
  #endOfStream(): T | typeof END {
    // Stopped on this side, the stream ends wherever the peer is.
    const frame = this.#ended ? this.#decoder.end() : undefined;
    if (frame === undefined) return END;
    this.#framesReceived++;
    return frame;
  }

  #failRead(cause: unknown): unknown {
    this.#pendingRead = undefined;
    if (this.#readFailed) return this.#readFailure; // it was ended on this side, for a reason
    const { buffered, needed, bodyLeft } = this.#decoder;
    const where = bodyLeft > 0
      ? `, ${bodyLeft - buffered} bytes before the end of a frame`
      : buffered === 0
      ? ""
      : needed === undefined
      ? ` after ${buffered} bytes of a frame`
      : ` after ${buffered} of ${needed} bytes`;
    this.#readFailed = true;
    this.#readFailure = this.#send.bodyFault ??
      connectionFault("read frame", cause, where);
    this.#send.fail(this.#readFailure, true);
    return this.#readFailure;
  }

  #timedOut(timeout: number): ReadTimeoutError {
    const { buffered: have, needed: need, bodyLeft } = this.#decoder;
    if (bodyLeft > 0) {
      return new ReadTimeoutError(
        `Cannot read frame: the body of the one before was not over within ${timeout} ms: ${bodyLeft} bytes are left`,
        { timeout, have, need },
      );
    }
    const seen = need === undefined || have === 0
      ? `${have} bytes`
      : `${have} of ${need} bytes`;
    return new ReadTimeoutError(
      `Cannot read frame: ${seen} came within ${timeout} ms${this.#decoder.resemblance}`,
      { timeout, have, need },
    );
  }

  #closeOnce(options: WaitOptions, perhapsTold: boolean): Promise<void> {
    if (this.#closing !== undefined || this.#gone !== undefined) {
      return this.#closing ?? Promise.resolve();
    }
    const { signal, timeout = CLOSE_TIMEOUT } = options;
    const closed = this.#close({ signal, timeout }, perhapsTold);
    this.#closing = closed.catch(() => {});
    return closed;
  }

  async #close(options: WaitOptions, perhapsTold: boolean): Promise<void> {
    try {
      this.#writeEnded = true;
      if (!this.#send.failed) await this.drain(options);
      else this.#send.checkUnreported(perhapsTold);
    } finally {
      this.#shut();
    }
  }

  /** Sends what was written, and closes when the peer has ended the stream too, or is told to hurry. */
  #finish(): Promise<void> {
    if (this.#closing !== undefined || this.#gone !== undefined) {
      return this.#closing ?? Promise.resolve();
    }
    const finished = this.#closeGently();
    this.#closing = finished.catch(() => {});
    return finished;
  }

  async #closeGently(): Promise<void> {
    try {
      this.#writeEnded = true;
      if (this.#send.failed) return this.#send.checkUnreported(false);
      await this.drain();
      // To close while bytes are here that nobody read would destroy what has just been sent.
      const mayLose = this.#send.sent > 0 && !this.#ended && !this.#readFailed;
      if (mayLose) await this.#linger();
    } finally {
      this.#shut();
    }
  }

  /** Half-closes, and throws away what comes until the peer has ended the stream. */
  async #linger(): Promise<void> {
    const room = new Uint8Array(LINGER_ROOM);
    try {
      await this.#conn.closeWrite?.();
      this.#failBody(); // nobody is to read between these reads
      let count = await (this.#pendingRead ?? this.#conn.read(room));
      while (count !== null) count = await this.#conn.read(room);
    } catch {
      return; // it is closed
    }
  }

  /** Tells who reads a body, if anybody does, that nothing more comes of it. */
  #failBody(): void {
    if (this.#decoder.bodyLeft === 0) return;
    this.#decoder.failBody(this.#endReason ?? this.#closedError("read frame"));
  }

  /** Ends the connection at once, and gives everybody the reason. */
  #endWith(reason: unknown): void {
    if (this.#gone !== undefined) return;
    this.#readFailed = true;
    this.#readFailure = this.#endReason = reason;
    this.#send.fail(reason, true);
    this.#shut();
  }

  #lookAt(progress: Progress): void {
    const { position, buffered, needed, skipping, bodyLeft } = this.#decoder;
    progress.received = position;
    progress.sent = this.#send.sent;
    progress.pending = this.#send.failed ? 0 : this.#send.pending;
    progress.frames = this.#framesReceived;
    progress.reads = this.#framesReceived + this.#readErrors;
    const waiting = bodyLeft > 0 ? this.#feeding !== undefined : this.#reading;
    progress.waiting = waiting && !this.#account?.paused;
    progress.gone = this.#gone !== undefined;
    progress.buffered = buffered;
    progress.needed = needed;
    progress.insideFrame = buffered > 0 || skipping || bodyLeft > 0;
    progress.insideBody = bodyLeft > 0 || this.#decoder.skippingBody;
    progress.starved = this.#send.starved;
    progress.stream = this.#decoder;
  }

  #shut(): void {
    if (this.#gone !== undefined) return;
    this.#gone = "closed";
    this.#send.fail(this.#closedError("write frame"), true);
    this.#failBody();
    this.#account?.[Symbol.dispose]();
    try {
      this.#conn.close();
    } catch (error) {
      // Somebody else closed it: that is what was wanted.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #checkNoBody(action: string): void {
    if (this.#decoder.bodyLeft === 0 && this.#feeding === undefined) return;
    throw new Deno.errors.Busy(
      `Cannot ${action}: the body of a frame is not over`,
    );
  }

  /** What is still to come of a frame would reach who goes on with the connection. */
  #checkNothingOwed(): void {
    this.#checkNoBody("detach");
    if (!this.#decoder.skipping) return;
    throw new Deno.errors.Busy(
      "Cannot detach: the rest of a frame that is left out has not come",
    );
  }

  #checkIdle(action: string): void {
    if (!this.#reading && this.#pendingRead === undefined) return;
    throw new Deno.errors.Busy(`Cannot ${action}: a read is under way`);
  }

  #checkWritable(): void {
    this.#checkHere("write frame");
    if (this.#writeEnded) {
      throw new ConnectionClosedError(
        "Cannot write frame: this side of the connection is half-closed",
      );
    }
    this.#send.check();
  }

  /** Refuses to give away what is about to be closed. */
  #checkKept(action: string): void {
    this.#checkHere(action);
    if (this.#closing !== undefined) throw this.#closedError(action);
  }

  #checkHere(action: string): void {
    if (this.#gone === undefined) return;
    throw this.#endReason ?? this.#closedError(action);
  }

  /** Whether the program closed the connection, rather than its server. */
  #closedHere(): boolean {
    return this.#gone === "closed" && this.#endReason === undefined;
  }

  #closedError(action: string): ConnectionClosedError {
    const why = {
      closed: "the connection is closed on this side",
      detached: "the connection was detached",
      switched:
        "the codec was switched, and another object owns the connection",
    }[this.#gone ?? "closed"];
    return new ConnectionClosedError(`Cannot ${action}: ${why}`);
  }
}

/** Throws if an option is out of range. */
export function checkHighWaterMark(highWaterMark: number): void {
  if (highWaterMark >= 0) return;
  throw new RangeError(
    `Cannot frame a connection: highWaterMark must not be negative: it is ${highWaterMark}`,
  );
}

/** Who owns the connection of those whose codec was switched. */
const successors = new WeakMap<object, AnyFraming>();

/**
 * Finds the object that owns a connection now: its codec may have been switched.
 *
 * @param framing The object that owned it first.
 * @returns The one that owns it now.
 */
export function ownerOf(framing: AnyFraming): AnyFraming {
  let owner = framing;
  let next: AnyFraming | undefined;
  while ((next = successors.get(owner)) !== undefined) owner = next;
  return owner;
}
