/**
 * A connection made of two streams, such as the pipes of a child process.
 *
 *     readable ─► chunk, as long as the stream likes ─► read(p), as much as fits
 *     writable ◄─────────────────────────────────────── write(p)
 *
 * @module
 */

import type { ByteConn } from "./framing.ts";

/** Two streams of bytes, one in each direction. */
export interface StreamPair {
  /** What comes in. */
  readable: ReadableStream<Uint8Array>;
  /** What goes out. */
  writable: WritableStream<Uint8Array>;
}

class StreamConn implements ByteConn {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest: Uint8Array | undefined;

  constructor({ readable, writable }: StreamPair) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {}); // a failure is reported by the write that meets it
  }

  async read(p: Uint8Array): Promise<number | null> {
    let chunk = this.#rest;
    while (chunk === undefined || chunk.length === 0) { // a stream may give empty ones
      const { value, done } = await this.#reader.read();
      if (done) return null;
      chunk = value;
    }
    const count = Math.min(chunk.length, p.length);
    p.set(chunk.subarray(0, count));
    this.#rest = count < chunk.length ? chunk.subarray(count) : undefined;
    return count;
  }

  async write(p: Uint8Array): Promise<number> {
    // The stream may keep what it is given for longer than the promise takes.
    await this.#writer.write(p.slice());
    return p.length;
  }

  closeWrite(): Promise<void> {
    return this.#writer.close();
  }

  close(): void {
    this.#reader.cancel().catch(() => {});
    this.#writer.close().catch(() => {}); // it may be closed already
  }
}

/**
 * Makes a connection of two streams, for a {@linkcode Framing}: the pipes of a child process, a
 * `TransformStream`, whatever has streams and no `read` and `write`. It takes both streams for itself.
 *
 * For a socket, give the `Framing` the `Deno.Conn` instead: it is faster, and its streams cannot be
 * half-closed.
 *
 * @param streams What comes in and what goes out.
 * @returns The connection.
 * @throws {TypeError} If one of the streams is locked.
 *
 * @example Frames through a stream and back
 * ```ts
 * import { Framing, lines, streamConn } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * await using peer = new Framing(streamConn(new TransformStream<Uint8Array>()), lines());
 * await peer.write("hello");
 * assertEquals(await peer.read(), "hello");
 * ```
 *
 * @example A child process
 * ```ts ignore
 * import { Framing, lines, streamConn } from "@framewire/framewire";
 *
 * const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 * await using peer = new Framing(
 *   streamConn({ readable: child.stdout, writable: child.stdin }),
 *   lines(),
 * );
 * await peer.write("hello");
 * console.log(await peer.read()); // hello
 * ```
 */
export function streamConn(streams: StreamPair): ByteConn {
  return new StreamConn(streams);
}
