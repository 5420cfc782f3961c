/**
 * A connection that does exactly what a script says.
 *
 *     scriptedConn([{chunk: "he"}, {pause: 2}, {chunk: "llo\n"}, {error: …}], {writes: [3, 0, …]})
 *
 * @module
 */

import { concat } from "@std/bytes";
import {
  badResource,
  memoryAddr,
  readableOf,
  writableOf,
} from "./conn_pair.ts";

/** What a read does. */
export type ScriptStep =
  /** Gives these bytes, or as many of them as there is room for, and the rest at the next reads. */
  | { chunk: Uint8Array | string }
  /** Waits for so many turns of the event loop, then goes on with the next step. */
  | { pause: number }
  /** Gives 0 bytes, which is not the end of the stream. */
  | { empty: true }
  /** Rejects. */
  | { error: Error }
  /** Waits until the connection is closed. */
  | { stall: true }
  /** Ends the stream, as the end of the script does. */
  | { end: true };

/** What a write does: takes at most so many bytes, or rejects. */
export type WriteStep = number | Error;

/** A connection that follows a script, and keeps what was written to it. */
export interface ScriptedConn extends Deno.Conn {
  /** All bytes that were taken. */
  readonly written: Uint8Array<ArrayBuffer>;
  /** How many bytes each write took, in order. */
  readonly writeCounts: readonly number[];
  /** How many reads were asked for. */
  readonly readCount: number;
  /** Whether it was closed. */
  readonly closed: boolean;
  /** Whether it was half-closed. */
  readonly writeClosed: boolean;
}

const encoder = new TextEncoder();

class Scripted implements ScriptedConn {
  #steps: ScriptStep[];
  #writes: WriteStep[];
  #written: Uint8Array[] = [];
  #counts: number[] = [];
  #closing = Promise.withResolvers<never>();
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  readonly localAddr: Deno.Addr = memoryAddr(1);
  readonly remoteAddr: Deno.Addr = memoryAddr(2);
  readCount = 0;
  closed = false;
  writeClosed = false;

  constructor(steps: readonly ScriptStep[], writes: readonly WriteStep[]) {
    this.#steps = [...steps];
    this.#writes = [...writes];
    this.#closing.promise.catch(() => {});
  }

  get written(): Uint8Array<ArrayBuffer> {
    return concat(this.#written);
  }

  get writeCounts(): readonly number[] {
    return this.#counts;
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.closed) return Promise.reject(badResource());
    this.readCount++;
    return Promise.race([this.#read(p), this.#closing.promise]);
  }

  async #read(into: Uint8Array): Promise<number | null> {
    while (true) {
      const step = this.#steps.shift();
      if (step === undefined || "end" in step) return null;
      if ("empty" in step) return 0;
      if ("error" in step) throw step.error;
      if ("stall" in step) return await this.#closing.promise;
      if ("pause" in step) {
        for (let turn = 0; turn < step.pause && !this.closed; turn++) {
          await nextTurn();
        }
        continue;
      }
      const chunk = typeof step.chunk === "string"
        ? encoder.encode(step.chunk)
        : step.chunk;
      const count = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, count));
      if (count < chunk.length) {
        this.#steps.unshift({ chunk: chunk.subarray(count) });
      }
      if (count > 0) return count;
    }
  }

  write(p: Uint8Array): Promise<number> {
    if (this.closed) return Promise.reject(badResource());
    const step = this.#writes.shift() ?? p.length;
    if (step instanceof Error) return Promise.reject(step);
    const count = Math.min(step, p.length);
    this.#written.push(p.slice(0, count));
    this.#counts.push(count);
    return Promise.resolve(count);
  }

  closeWrite(): Promise<void> {
    if (this.closed) return Promise.reject(badResource());
    this.writeClosed = true;
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) throw badResource();
    this.closed = true;
    this.#closing.reject(new Deno.errors.Interrupted("operation canceled"));
  }

  ref(): void {}

  unref(): void {}

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  [Symbol.dispose](): void {
    if (!this.closed) this.close();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Makes a connection that delivers exactly the chunks, pauses and errors of a script, and takes writes as
 * it says: short, empty or failing. Past the script reads give the end of the stream, and writes are taken
 * whole.
 *
 * @param reads What the reads do, in order.
 * @param writes What the writes do, in order.
 * @returns The connection.
 *
 * @example Usage
 * ```ts
 * import { Framing, lines } from "@framewire/framewire";
 * import { scriptedConn } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const conn = scriptedConn([{ chunk: "on" }, { pause: 1 }, { chunk: "e\n" }], [2, 1]);
 * await using peer = new Framing(conn, lines());
 * assertEquals(await peer.read(), "one");
 * await peer.write("hello");
 * await peer.drain();
 * assertEquals(conn.writeCounts, [2, 1, 3]);
 * ```
 */
export function scriptedConn(
  reads: readonly ScriptStep[],
  writes: readonly WriteStep[] = [],
): ScriptedConn {
  return new Scripted(reads, writes);
}
