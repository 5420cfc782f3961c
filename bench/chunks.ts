/**
 * What the in-process benchmarks decode and connect to: streams cut into chunks, and connections that cost next
 * to nothing.
 *
 * @module
 */

import type { ByteConn, Codec } from "../mod.ts";
import { ByteSink } from "../mod.ts";

/** Lays out one frame again and again. */
export function wireOf<W>(
  codec: Codec<unknown, W>,
  frame: W,
  count: number,
): Uint8Array<ArrayBuffer> {
  const out = new ByteSink();
  for (let i = 0; i < count; i++) codec.encode(frame, out);
  return out.bytes();
}

/** Cuts a stream into chunks, each of them memory of its own, as reads would give them. */
export function chunksOf(wire: Uint8Array, length: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(wire.length / length) },
    (_, i) => wire.slice(i * length, (i + 1) * length),
  );
}

/** A connection that gives a stream, as much of it as there is room for, and takes everything. */
export class MemoryConn implements ByteConn {
  #stream: Uint8Array;
  #position = 0;
  /** How many writes there were. */
  writes = 0;

  /** Makes a connection of what it is to give. */
  constructor(stream: Uint8Array) {
    this.#stream = stream;
  }

  read(p: Uint8Array): Promise<number | null> {
    const start = this.#position;
    const end = Math.min(start + p.length, this.#stream.length);
    if (start === end) return Promise.resolve(null);
    p.set(this.#stream.subarray(start, end));
    this.#position = end;
    return Promise.resolve(end - start);
  }

  write(p: Uint8Array): Promise<number> {
    this.writes++;
    return Promise.resolve(p.length);
  }

  close(): void {}
}

/** Throws unless a benchmark did what it is to measure. */
export function expectCount(found: number, expected: number): void {
  if (found !== expected) {
    throw new Error(`The benchmark saw ${found} and not ${expected}`);
  }
}
