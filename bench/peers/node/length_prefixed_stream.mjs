/**
 * Frames by length-prefixed-stream, a pair of transforms. Its prefix is a
 * varint.
 */

import { Buffer } from "node:buffer";
import { answer, runPeer, writeAll } from "./peer.mjs";

// Imported late, because `deno check` fails on what only Node can find
const { decode, encode } = await import("length-prefixed-stream");

function recv(socket, size) {
  let frames = 0;
  let bytes = 0;
  // Empty frames cost it speed and are dropped unless asked for
  const decoder = decode({ allowEmpty: size === 0 });
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
