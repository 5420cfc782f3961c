/**
 * The way out: frames laid out side by side against one buffer for each, and when what was laid out is sent. The
 * connection is in memory: over a socket every write costs some microseconds more. An iteration is 1,000 frames
 * of 64 B.
 *
 * @module
 */

import {
  type ByteConn,
  ByteSink,
  encodeFrame,
  Framing,
  lengthPrefixed,
} from "../mod.ts";
import { expectCount, MemoryConn } from "./chunks.ts";

const COUNT = 1000;
const WIRE = 4 + 64;
const codec = lengthPrefixed();
const payload = new Uint8Array(64);
const nothing = new Uint8Array(0);

const LAY_OUT = `lay out ${COUNT} frames of 64 B`;
Deno.bench({
  name: "into one ByteSink",
  group: LAY_OUT,
  baseline: true,
  fn: () => {
    const out = new ByteSink();
    for (let i = 0; i < COUNT; i++) codec.encode(payload, out);
    let bytes = 0;
    for (let chunk; (chunk = out.takeChunk()) !== undefined;) {
      bytes += chunk.length;
      out.recycle();
    }
    expectCount(bytes, COUNT * WIRE);
  },
});
Deno.bench({
  name: "encodeFrame() and set, a buffer for each frame",
  group: LAY_OUT,
  fn: () => {
    const all = new Uint8Array(COUNT * WIRE);
    for (let i = 0; i < COUNT; i++) {
      all.set(encodeFrame(codec, payload), i * WIRE);
    }
    expectCount(all.length, COUNT * WIRE);
  },
});
Deno.bench({
  name: "a header and a concat for each frame",
  group: LAY_OUT,
  fn: () => {
    const all = new Uint8Array(COUNT * WIRE);
    for (let i = 0; i < COUNT; i++) {
      const frame = new Uint8Array(WIRE);
      new DataView(frame.buffer).setUint32(0, payload.length);
      frame.set(payload, 4);
      all.set(frame, i * WIRE);
    }
    expectCount(all.length, COUNT * WIRE);
  },
});

/** Sends when so many turns of the microtask queue brought nothing new: what `Framing` does, and all it could. */
class QuietSender {
  #sink = new ByteSink();
  #conn: ByteConn;
  #quiet: number;
  #scheduled = false;

  constructor(conn: ByteConn, quietTurns: number) {
    this.#conn = conn;
    this.#quiet = quietTurns;
  }

  write(frame: Uint8Array): void {
    codec.encode(frame, this.#sink);
    if (this.#scheduled) return;
    this.#scheduled = true;
    let seen = this.#sink.position;
    let quiet = 0;
    const turn = () => {
      const { position } = this.#sink;
      quiet = position === seen ? quiet + 1 : 0;
      seen = position;
      if (quiet < this.#quiet && this.#sink.length < 64 * 1024) {
        return queueMicrotask(turn);
      }
      this.#scheduled = false;
      this.flush();
    };
    queueMicrotask(turn);
  }

  flush(): void {
    for (let chunk; (chunk = this.#sink.takeChunk()) !== undefined;) {
      this.#conn.write(chunk);
      this.#sink.recycle();
    }
  }
}

const AWAIT = `await the write of each of ${COUNT} frames of 64 B`;
for (const turns of [6, 2, 1]) {
  Deno.bench({
    name: turns === 1
      ? "sent at the next turn"
      : `sent after ${turns} quiet turns`,
    group: AWAIT,
    baseline: turns === 6,
    fn: async () => {
      const conn = new MemoryConn(nothing);
      const sender = new QuietSender(conn, turns);
      for (let i = 0; i < COUNT; i++) await sender.write(payload);
      sender.flush();
      // The point of waiting: a write for every 64 KiB, and not one for every few frames.
      expectCount(Number(conn.writes > 3), Number(turns === 1));
    },
  });
}

const SEND = `send ${COUNT} frames of 64 B`;
Deno.bench({
  name: "Framing, buffered",
  group: SEND,
  baseline: true,
  fn: async () => {
    const conn = new MemoryConn(nothing);
    const peer = new Framing(conn, codec);
    for (let i = 0; i < COUNT; i++) {
      const room = peer.write(payload);
      if (room !== undefined) await room;
    }
    await peer.close();
    expectCount(peer.stats.bytesSent, COUNT * WIRE);
  },
});
Deno.bench({
  name: "Framing, await on every write",
  group: SEND,
  fn: async () => {
    const conn = new MemoryConn(nothing);
    const peer = new Framing(conn, codec);
    for (let i = 0; i < COUNT; i++) await peer.write(payload);
    await peer.close();
    expectCount(peer.stats.bytesSent, COUNT * WIRE);
  },
});
Deno.bench({
  name: "one conn.write for each frame",
  group: SEND,
  fn: async () => {
    const conn = new MemoryConn(nothing);
    let sent = 0;
    for (let i = 0; i < COUNT; i++) {
      sent += await conn.write(encodeFrame(codec, payload));
    }
    expectCount(sent, COUNT * WIRE);
  },
});

const TURNS = `${COUNT} turns`;
Deno.bench({
  name: "queueMicrotask",
  group: TURNS,
  baseline: true,
  // Only an async function is waited for.
  fn: async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = COUNT;
    const turn = () => --left === 0 ? resolve() : queueMicrotask(turn);
    queueMicrotask(turn);
    await promise;
  },
});
Deno.bench({
  name: "await of a resolved promise",
  group: TURNS,
  fn: async () => {
    for (let i = 0; i < COUNT; i++) await undefined;
  },
});
