/**
 * Frames by it-length-prefixed, a pair of generators. Its prefix is a varint,
 * its frames are lists of the pieces that they came in.
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { answer, runPeer } from "./peer.mjs";

// Imported late, because `deno check` fails on what only Node can find
const { decode, encode } = await import("it-length-prefixed");

async function recv(socket, size) {
  let frames = 0;
  let bytes = 0;
  // At its end a plain iterator of a socket would destroy it unanswered
  const chunks = socket.iterator({ destroyOnReturn: false });
  for await (const payload of decode(chunks, { maxDataLength: size })) {
    frames++;
    bytes += payload.byteLength;
  }
  answer(socket, frames, bytes);
}

async function send(socket, size, count) {
  const payload = Buffer.alloc(size);
  function* payloads() {
    for (let i = 0; i < count; i++) yield payload;
  }
  for (const piece of encode(payloads(), { maxDataLength: size })) {
    if (!socket.write(piece)) await once(socket, "drain");
  }
  socket.end();
}

runPeer({ recv: { iterate: recv }, send: { buffered: send } });
