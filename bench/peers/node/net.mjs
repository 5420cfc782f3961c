/**
 * Frames by hand on `node:net`: what a careful Node programmer writes without
 * a library. Deno runs the same file.
 */

import { Buffer } from "node:buffer";
import { answer, idle, runPeer, writeAll } from "./peer.mjs";

const HEADER = 4;

/** How much is gathered before it is handed to the socket. */
const BATCH = 64 * 1024;

/** From here on copying a payload behind its header costs more than a write. */
const LARGE = 16 * 1024;

/** A payload as a `Buffer`, as Node's own functions give it. */
const asBuffer = (chunk, start, end) => chunk.subarray(start, end);

/** The same bytes as a plain array, which V8 makes faster than a `Buffer`. */
const asView = (chunk, start, end) =>
  new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start);

/**
 * Finds frames in chunks and calls `onFrame` with the payload of each: what
 * `cut` makes of its place in the chunk, or, when it began in an earlier chunk,
 * a buffer of its own, which is taken once. So no byte is copied twice, however
 * long the frame.
 */
class Parser {
  #header = Buffer.alloc(HEADER);
  #headerSeen = 0;
  #frame = undefined;
  #frameSeen = 0;
  #cut;
  #onFrame;

  constructor(cut, onFrame) {
    this.#cut = cut;
    this.#onFrame = onFrame;
  }

  /** Would the end of the stream cut a frame here? */
  get inFrame() {
    return this.#headerSeen > 0 || this.#frame !== undefined;
  }

  push(chunk) {
    const cut = this.#cut;
    const onFrame = this.#onFrame;
    const end = chunk.length;
    let at = 0;
    if (this.#frame !== undefined) {
      at = chunk.copy(this.#frame, this.#frameSeen);
      this.#frameSeen += at;
      if (this.#frameSeen < this.#frame.length) return;
      onFrame(this.#frame);
      this.#frame = undefined;
    }
    while (at < end) {
      let length;
      if (this.#headerSeen === 0 && end - at >= HEADER) {
        length = chunk.readUInt32BE(at);
        at += HEADER;
      } else {
        const copied = chunk.copy(this.#header, this.#headerSeen, at);
        this.#headerSeen += copied;
        at += copied;
        if (this.#headerSeen < HEADER) return;
        this.#headerSeen = 0;
        length = this.#header.readUInt32BE(0);
      }
      if (end - at < length) {
        this.#frame = Buffer.allocUnsafe(length);
        this.#frameSeen = chunk.copy(this.#frame, 0, at);
        return;
      }
      onFrame(cut(chunk, at, at + length));
      at += length;
    }
  }
}

function frameOf(payload) {
  const frame = Buffer.allocUnsafe(HEADER + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.set(payload, HEADER);
  return frame;
}

function recv(socket, cut) {
  let frames = 0;
  let bytes = 0;
  const parser = new Parser(cut, (payload) => {
    frames++;
    bytes += payload.length;
  });
  socket.on("data", (chunk) => parser.push(chunk));
  socket.on("end", () => {
    if (parser.inFrame) socket.destroy();
    else answer(socket, frames, bytes);
  });
}

/** One `write` for each frame. */
function sendEach(socket, size, count) {
  const payload = Buffer.alloc(size);
  writeAll(socket, count, () => socket.write(frameOf(payload)));
}

/** Corks the socket, so that a batch of writes becomes one call to the OS. */
function sendCork(socket, size, count) {
  const payload = Buffer.alloc(size);
  let left = count;
  const more = () => {
    while (left > 0) {
      socket.cork();
      do {
        left--;
        socket.write(frameOf(payload));
      } while (left > 0 && socket.writableLength < BATCH);
      socket.uncork();
      if (socket.writableNeedDrain) {
        socket.once("drain", more);
        return;
      }
    }
    socket.end();
  };
  more();
}

/**
 * Lays frames out in two buffers, one of which is filled while the other is
 * written. A large payload is not copied, but written behind its header.
 */
function sendBatch(socket, size, count) {
  const payload = Buffer.alloc(size);
  const free = [Buffer.allocUnsafeSlow(BATCH), Buffer.allocUnsafeSlow(BATCH)];
  let left = count;
  const more = () => {
    while (left > 0 && free.length > 0) {
      const batch = free.pop();
      const done = () => {
        free.push(batch);
        more();
      };
      if (size >= LARGE) {
        left--;
        const header = Buffer.allocUnsafe(HEADER);
        header.writeUInt32BE(size, 0);
        socket.cork();
        socket.write(header);
        socket.write(payload, done);
        socket.uncork();
      } else {
        let used = 0;
        while (left > 0 && used + HEADER + size <= BATCH) {
          left--;
          batch.writeUInt32BE(size, used);
          batch.set(payload, used + HEADER);
          used += HEADER + size;
        }
        socket.write(batch.subarray(0, used), done);
      }
    }
    if (left === 0) socket.end();
  };
  more();
}

/**
 * Sends each frame back, and reads no more while the answers do not get away.
 * Corked, the answers to what came in one chunk leave together.
 */
function echo(socket, corked) {
  const parser = new Parser(asBuffer, (payload) => {
    socket.write(frameOf(payload));
  });
  socket.on("data", (chunk) => {
    if (corked) socket.cork();
    parser.push(chunk);
    if (corked) socket.uncork();
    if (socket.writableNeedDrain) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
  socket.on("end", () => socket.end());
}

runPeer({
  recv: {
    buffer: (socket) => recv(socket, asBuffer),
    view: (socket) => recv(socket, asView),
  },
  send: { batch: sendBatch, cork: sendCork, each: sendEach },
  echo: {
    plain: (socket) => echo(socket, false),
    cork: (socket) => echo(socket, true),
  },
  idle: { hold: idle },
});
