/**
 * The one writer of a connection.
 *
 *     write ─► sink: frames laid out ─► flush: one chunk at a time ─► conn.write, until the chunk is gone
 *
 * A chunk leaves when it is full, or when nothing was added for a few turns of the microtask queue: one turn is
 * what `await peer.write(frame)` in a loop takes, and up to five what an async generator takes to give the next
 * frame, so that such loops fill chunks too, and a lone frame leaves before any timer or other I/O. All connections
 * share one microtask for each turn.
 *
 * When a body comes first in the sink, its source is asked for chunks instead, one at a time, until it has given
 * all; what was laid out behind it waits.
 *
 * @module
 */

import type { ByteWriter } from "../bytes/byte_io.ts";
import { ByteSink, useLargeBuffers } from "../bytes/byte_sink.ts";
import type { FrameBody } from "../bytes/frame_body.ts";
import { reasonOf } from "../codec/faults.ts";
import { ConnectionError, WriteTimeoutError } from "../errors.ts";
import { Deadline, type WaitOptions } from "./deadline.ts";
import { connectionFault } from "./faults.ts";
import type { Account } from "./memory_budget.ts";

/** From this length on, a payload is written from the caller's memory. */
const KEEP_FROM = 64 * 1024;
/** A chunk of this length leaves at once, and so much may wait before a caller should. */
const CHUNK = 64 * 1024;
/** The same once the connection has taken `GROW_FROM` bytes at once: a call to the system costs more than they do. */
const LARGE_CHUNK = 256 * 1024;
/** Less than a chunk has, which ends where the next frame would not fit. */
const GROW_FROM = 32 * 1024;
const QUIET_TURNS = 6;
/** What is laid out is counted after so many bytes, not at every frame: that would cost a tenth of an echo. */
const COUNT_FROM = 4096;
/** A connection that takes nothing so many times in a row is broken. */
const MAX_EMPTY_WRITES = 100;
/** So is a source that gives nothing so many times in a row: nobody else would get a turn. */
const MAX_EMPTY_PIECES = 100;
const NO_BYTES: Uint8Array = new Uint8Array();

/** Those who wait until bytes have been sent up to a position. */
interface Waiter {
  position: number;
  sent: Promise<void>;
  /** Whether a failure reaches somebody by this promise, as far as can be known. */
  told: boolean;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** In place of an array for each connection on which nobody has waited yet. */
const NOBODY: Waiter[] = [];

/** What is written to, and closed if a body is not what was promised. */
type WritableConn = ByteWriter & { ref?(): void; close(): void };

/** Bytes on their way to a connection: laid out in the sink, sent in order by one loop. */
export class SendBuffer {
  /** Where frames are laid out; `commit` is to follow. */
  readonly sink: ByteSink = new ByteSink({ keepFrom: KEEP_FROM });
  /** Where what waits is counted, for a server's connection. */
  account: Account | undefined;
  #conn: WritableConn;
  #highWaterMark: number;
  /** Whether that is up to the program, rather than as large as a chunk. */
  #markIsGiven: boolean;
  #chunkSize = CHUNK;
  #sent = 0;
  #writing = false;
  /** What the write that is under way was given. */
  #chunk = NO_BYTES;
  /** Whether the connection has still to be given it. */
  #taken = false;
  /** The position from which on it is counted what waits. */
  #countAt = COUNT_FROM;
  #onWrote: ((count: number) => void) | undefined;
  #onBroke: ((error: unknown) => void) | undefined;
  #emptyWrites = 0;
  #scheduled = false;
  #seen = 0;
  #quietTurns = 0;
  /** Whether it is to leave at the next turn. */
  #due = false;
  /** The last of those that wait for the next turn: a list, in which each knows the one before it. */
  static #turning: SendBuffer | undefined;
  /** The one before it, in that list or among those that leave in a turn. */
  #before: SendBuffer | undefined;
  /** In order of their positions. */
  #waiters = NOBODY;
  #failed = false;
  #failure: unknown;
  /** Whether the failure has been thrown to somebody. */
  #reported = false;
  /** Whether a promise of `commit` was rejected with it, which somebody may wait for or not. */
  #perhapsReported = false;
  /** The body that is being sent, what it gives, and how many bytes it has still to give. */
  #body: FrameBody | undefined;
  #bodyBytes: AsyncIterator<Uint8Array> | undefined;
  #bodyLeft = 0;
  #emptyPieces = 0;
  /** Whether nothing can be sent before the body gives more. */
  starved = false;
  /** Why the connection was closed here: a body was not what was promised. */
  bodyFault: ConnectionError | undefined;

  constructor(conn: WritableConn, highWaterMark: number | undefined) {
    this.#conn = conn;
    this.#highWaterMark = highWaterMark ?? CHUNK;
    this.#markIsGiven = highWaterMark !== undefined;
  }

  /** How many bytes the connection has taken. */
  get sent(): number {
    return this.#sent;
  }

  /** How many bytes are laid out and not sent. */
  get pending(): number {
    return this.sink.position - this.#sent;
  }

  /** How many of them are in memory: a body that is sent is not. */
  #held(): number {
    return this.pending - this.#bodyLeft - this.sink.bodyLength;
  }

  /** Whether sending has failed for good. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Throws the failure, if there was one. */
  check(): void {
    if (!this.#failed) return;
    this.#reported = true;
    throw this.#failure;
  }

  /**
   * Throws the failure if nobody has been told of it.
   *
   * @param perhaps Whether a promise that nobody may have waited for counts.
   */
  checkUnreported(perhaps: boolean): void {
    if (!this.#reported && !(perhaps && this.#perhapsReported)) this.check();
  }

  /**
   * Sends what was laid out, soon.
   *
   * @returns A promise if the caller should wait: until there is less than the high-water mark to be sent,
   * or until memory of the caller's own has been sent.
   */
  commit(): Promise<void> | undefined {
    const { sink } = this;
    const { keepsOthers } = sink;
    if (!this.#writing) {
      if (sink.length >= this.#chunkSize) this.#flush();
      else if (!this.#scheduled) this.#schedule();
    }
    if (this.#writing || sink.position >= this.#countAt) this.#count();
    if (keepsOthers) return this.#until(sink.position, true);
    return this.pending > this.#highWaterMark
      ? this.#until(sink.position - this.#highWaterMark, true)
      : undefined;
  }

  /**
   * Sends what was laid out, unless a write is under way: then it is sent after that. Where other connections wait for
   * their turn, it leaves with what they have: the writes follow one another, and who gets the first is awake for all.
   */
  flush(): void {
    if (this.#idle()) return;
    const others = SendBuffer.#turning === this
      ? this.#before
      : SendBuffer.#turning;
    if (others === undefined) return this.#flush();
    this.#count();
    this.#due = true;
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * Waits until everything that was laid out has been sent.
   *
   * @throws {WriteTimeoutError} If that takes too long; nothing is lost.
   * @throws {ConnectionError} If sending failed.
   */
  async drain(options?: WaitOptions): Promise<void> {
    this.check();
    if (this.pending === 0) return;
    using deadline = Deadline.from(
      options,
      (timeout) =>
        new WriteTimeoutError(
          `Cannot write frame: the peer did not take ${this.pending} bytes within ${timeout} ms`,
          { timeout, pending: this.pending },
        ),
      this.#conn.ref !== undefined,
    );
    const sent = this.#until(this.sink.position, false);
    try {
      await (deadline?.wait(sent) ?? sent);
    } catch (error) {
      if (error === this.#failure) this.#reported = true;
      throw error;
    }
  }

  /**
   * Hands everything to the connection at once, as it is about to be closed; what it does not take is lost.
   * It is one write, so that what is lost is the end, and nothing if another one is being waited for. Of a body,
   * and of what comes behind it, nothing is handed over.
   */
  flushNow(): void {
    this.#hand(); // what was taken out in this turn
    if (this.#writing || this.#failed || this.sink.length === 0) return;
    const bodies = this.sink.dropBodies();
    for (const body of bodies) body.cancel().catch(() => {});
    try {
      this.#conn.write(this.sink.bytes()).catch(() => {});
    } catch {
      return; // lost, as what it would not have taken
    }
  }

  /** Ends sending for good; the first failure stays. */
  fail(failure: unknown, reported = false): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#taken = false;
    this.#failure = failure;
    this.#reported = reported;
    for (const body of [this.#body, ...this.sink.dropBodies()]) {
      body?.cancel().catch(() => {}); // it is told that it is not needed, and nobody is left to hear from it
    }
    this.#body = undefined;
    this.#bodyLeft = 0;
    this.starved = false;
    this.sink.truncate(this.sink.position - this.sink.length);
    this.account?.holdQueued(0);
    const waiters = this.#waiters;
    this.#waiters = NOBODY;
    for (const { told, reject } of waiters) {
      this.#perhapsReported ||= told;
      reject(failure);
    }
  }

  #until(position: number, told: boolean): Promise<void> {
    if (this.#waiters === NOBODY) this.#waiters = [];
    const waiters = this.#waiters;
    let index = waiters.length;
    while (index > 0 && waiters[index - 1].position > position) index--;
    const last = waiters[index - 1];
    if (last?.position === position) {
      last.told ||= told;
      return last.sent;
    }
    const { promise: sent, resolve, reject } = Promise.withResolvers<void>();
    sent.catch(() => {}); // who does not wait is told by the next call
    if (this.#failed) { // just now: the connection threw at once
      this.#perhapsReported ||= told;
      reject(this.#failure);
    } else waiters.splice(index, 0, { position, sent, told, resolve, reject });
    return sent;
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#seen = this.sink.position;
    this.#quietTurns = 0;
    this.#awaitTurn();
  }

  #awaitTurn(): void {
    if (SendBuffer.#turning === undefined) queueMicrotask(SendBuffer.#turnAll);
    this.#before = SendBuffer.#turning;
    SendBuffer.#turning = this;
  }

  /** A turn of the microtask queue has passed: takes out all that is to leave, then hands it over. */
  static #turnAll(this: void): void {
    let buffer = SendBuffer.#turning;
    SendBuffer.#turning = undefined;
    let leaving: SendBuffer | undefined;
    while (buffer !== undefined) {
      const before: SendBuffer | undefined = buffer.#before;
      buffer.#before = undefined;
      if (!buffer.#mayGo()) buffer.#awaitTurn();
      else if (!buffer.#idle() && buffer.#take()) {
        buffer.#before = leaving;
        leaving = buffer;
      }
      buffer = before;
    }
    // Calls to the system make the processor forget the rest, so there is little between them.
    while (leaving !== undefined) {
      const next: SendBuffer | undefined = leaving.#before;
      leaving.#before = undefined;
      leaving.#hand();
      leaving = next;
    }
  }

  /** Whether there is nothing to hand over, or not now. */
  #idle(): boolean {
    return this.#writing || this.sink.length === 0;
  }

  /** Takes note of a turn that has passed; says whether it was the last one to wait for. */
  #mayGo(): boolean {
    const { position } = this.sink;
    const quiet = position === this.#seen;
    this.#seen = position;
    this.#quietTurns = quiet ? this.#quietTurns + 1 : 0;
    const quietEnough = this.#quietTurns === QUIET_TURNS;
    if (!this.#idle() && !this.#due && !quietEnough) return false;
    this.#scheduled = this.#due = false;
    return true;
  }

  /** Hands the next chunk to the connection; there is one. */
  #flush(): void {
    if (this.#take()) this.#hand();
  }

  /** Takes the next chunk out; says whether it is to be handed over. */
  #take(): boolean {
    this.#writing = true;
    try {
      const chunk = this.sink.takeChunk();
      if (chunk !== undefined && chunk.length > 0) {
        this.#setChunk(chunk);
        return true;
      }
      if (chunk === undefined) this.#beginBody();
      else this.#chunkDone();
    } catch (error) {
      this.#broke(error);
    }
    return false;
  }

  #setChunk(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#taken = true;
    this.#count();
  }

  /** Counts what waits among what a server's connections hold. */
  #count(): void {
    this.#countAt = this.sink.position + COUNT_FROM;
    this.account?.holdQueued(this.#held());
  }

  #hand(): void {
    if (!this.#taken) return; // closed since, in the same turn
    this.#taken = false;
    // Made when they are needed: connections that never write are to cost little.
    this.#onWrote ??= (count) => this.#wrote(count);
    this.#onBroke ??= (error) => this.#broke(error);
    try {
      this.#conn.write(this.#chunk).then(this.#onWrote, this.#onBroke);
    } catch (error) {
      this.#broke(error);
    }
  }

  #wrote(count: number): void {
    if (this.#failed) return;
    const { length } = this.#chunk;
    if (!(count >= 0 && count <= length)) {
      return this.#broke(new RangeError(`write() took ${count} of ${length}`));
    }
    if (count > 0) this.#emptyWrites = 0;
    else if (++this.#emptyWrites === MAX_EMPTY_WRITES) {
      return this.#broke(
        new ConnectionError(
          `Cannot write frame: the connection took no bytes ${MAX_EMPTY_WRITES} times in a row`,
        ),
      );
    }
    this.#sent += count;
    if (this.#waiters.length > 0) this.#wake();
    if (count >= GROW_FROM && this.#chunkSize === CHUNK) this.#grow();
    if (count === length) return this.#chunkDone();
    this.#setChunk(this.#chunk.subarray(count));
    this.#hand();
  }

  /** The connection takes much at once: the next chunks may be larger, if as much may wait. */
  #grow(): void {
    if (!this.#markIsGiven) this.#highWaterMark = LARGE_CHUNK;
    else if (this.#highWaterMark < LARGE_CHUNK) return;
    this.#chunkSize = LARGE_CHUNK;
    useLargeBuffers(this.sink);
  }

  #chunkDone(): void {
    const { sink } = this;
    this.#chunk = NO_BYTES;
    this.#count();
    sink.recycle();
    if (this.#body !== undefined) return this.#pump();
    if (sink.length >= this.#chunkSize) return this.#flush();
    this.#writing = false;
    if (sink.length > 0 && !this.#scheduled) this.#schedule();
  }

  #beginBody(): void {
    const body = this.sink.takeBody();
    if (body === undefined) return this.#chunkDone();
    this.#bodyLeft = body.length;
    this.#emptyPieces = 0;
    this.#body = body;
    try {
      this.#bodyBytes = body[Symbol.asyncIterator]();
      this.#pump();
    } catch (error) {
      this.#bodyFailed(failed(error), error);
    }
  }

  /** Asks the body for more. */
  #pump(last?: Uint8Array, lastLength = last?.length): void {
    this.starved = true;
    try {
      Promise.resolve(this.#bodyBytes?.next()).then(
        (result) => this.#bodyGave(result, last, lastLength),
        (error) => this.#bodyFailed(failed(error), error),
      );
    } catch (error) {
      this.#bodyFailed(failed(error), error);
    }
  }

  /**
   * Sends what the body gave.
   *
   * @param result What it gave; what is no result is a fault of the source like any other.
   * @param last What it gave before, if that was all that it had to give.
   * @param lastLength How long that was.
   */
  #bodyGave(
    result: IteratorResult<Uint8Array, unknown> | undefined,
    last: Uint8Array | undefined,
    lastLength: number | undefined,
  ): void {
    if (this.#failed) return;
    this.starved = false;
    if (last?.length !== lastLength) {
      return this.#bodyFailed("gave its last piece away before it was sent");
    }
    if (typeof result !== "object" || result === null) {
      return this.#bodyFailed("gave no result");
    }
    const { value, done } = result;
    if (done) {
      if (last === undefined) return this.#bodyFailed("ended too early");
      this.#body = undefined;
      return this.#handPart(last);
    }
    if (!(value instanceof Uint8Array)) {
      return this.#bodyFailed(`gave a value of type ${typeof value}`);
    }
    if (value.length > this.#bodyLeft) return this.#bodyFailed("gave too much");
    this.#bodyLeft -= value.length;
    if (value.length > 0) this.#emptyPieces = 0;
    else if (++this.#emptyPieces === MAX_EMPTY_PIECES) {
      return this.#bodyFailed(
        `gave no bytes ${MAX_EMPTY_PIECES} times in a row`,
      );
    }
    // The peer is to take for whole only what is: the last piece is sent when the source has ended.
    if (value.length === 0) this.#pump(last, lastLength);
    else if (this.#bodyLeft === 0) this.#pump(value);
    else this.#handPart(value);
  }

  #handPart(bytes: Uint8Array): void {
    this.#setChunk(bytes);
    this.#hand();
  }

  /** The peer was promised a length: only the end of the connection can tell it that it does not get that. */
  #bodyFailed(what: string, cause?: unknown): void {
    const length = this.#body?.length;
    if (this.#failed || length === undefined) return;
    const gave = length - this.#bodyLeft;
    this.bodyFault = new ConnectionError(
      `Cannot write frame: the source of its body ${what}, after ${gave} of ${length} bytes`,
      { cause },
    );
    this.#broke(this.bodyFault);
    try {
      this.#conn.close();
    } catch (error) {
      // Somebody else closed it: that is what was wanted.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #broke(error: unknown): void {
    this.#writing = false;
    this.#chunk = NO_BYTES;
    this.fail(connectionFault("write frame", error));
  }

  #wake(): void {
    const waiters = this.#waiters;
    let done = 0;
    while (done < waiters.length && waiters[done].position <= this.#sent) {
      waiters[done++].resolve();
    }
    waiters.splice(0, done);
  }
}

function failed(error: unknown): string {
  return `failed (${reasonOf(error)})`;
}
