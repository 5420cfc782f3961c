/**
 * Frames by frame-stream, a pair of transforms. Its decoder joins all it has
 * of a frame with each chunk, which makes it unfit for frames that are much
 * longer than a chunk of 64 KiB.
 */

import { Buffer } from "node:buffer";
import { answer, runPeer, writeAll } from "./peer.mjs";

// Imported late, because `deno check` fails on what only Node can find
const { decode, encode } = await import("frame-stream");

function recv(socket) {
  let frames = 0;
  let bytes = 0;
  const decoder = decode();
  decoder.on("data", (payload) => {
    frames++;
    bytes += payload.length;
  });
  decoder.on("end", () => answer(socket, frames, bytes));
  socket.pipe(decoder);
}

function send(socket, size, count) {
  const payload = Buffer.alloc(size);
  const encoder = encode();
  encoder.pipe(socket);
  writeAll(encoder, count, () => encoder.write(payload));
}

runPeer({ recv: { frames: recv }, send: { buffered: send } });
