/**
 * Framewire's side of the comparison over sockets.
 *
 *     recv  try | batch | iterate | borrowed
 *     send  buffered | await
 *     echo  try | reply
 *     idle
 *
 * @module
 */

import {
  type Framing,
  type Handler,
  lengthPrefixed,
  reply,
  serve,
  type TcpServeOptions,
} from "@framewire/framewire";
import {
  announce,
  assignment,
  fail,
  refuse,
  totals,
  writeAll,
} from "./program.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Peer = Framing<Bytes, Uint8Array>;

/** How many frames a receiver was given, and how many bytes of payload were in them. */
interface Received {
  frames: number;
  bytes: number;
}

async function receiveOneByOne(peer: Peer): Promise<Received> {
  let frames = 0;
  let bytes = 0;
  while (true) {
    const frame = peer.tryRead() ?? await peer.read();
    if (frame === null) return { frames, bytes };
    frames++;
    bytes += frame.length;
  }
}

async function receiveBatches(peer: Peer): Promise<Received> {
  let frames = 0;
  let bytes = 0;
  while (true) {
    const batch = await peer.readBatch();
    if (batch === null) return { frames, bytes };
    for (const frame of batch) {
      frames++;
      bytes += frame.length;
    }
  }
}

async function receiveIterating(peer: Peer): Promise<Received> {
  let frames = 0;
  let bytes = 0;
  for await (const frame of peer) {
    frames++;
    bytes += frame.length;
  }
  return { frames, bytes };
}

/** Receives by one of the ways, then answers what came in bare bytes. */
function receiving(
  receive: (peer: Peer) => Promise<Received>,
): Handler<Bytes, Uint8Array> {
  return async (peer) => {
    const { frames, bytes } = await receive(peer);
    const { conn } = await peer.detach();
    await writeAll(conn, totals(frames, bytes));
    conn.close();
  };
}

async function sendBuffered(
  peer: Peer,
  payload: Uint8Array,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const room = peer.write(payload);
    if (room !== undefined) await room;
  }
}

async function sendAwaiting(
  peer: Peer,
  payload: Uint8Array,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) await peer.write(payload);
}

async function echo(peer: Peer): Promise<void> {
  while (true) {
    const frame = peer.tryRead() ?? await peer.read();
    if (frame === null) return;
    const room = peer.write(frame);
    if (room !== undefined) await room;
  }
}

async function hold(peer: Peer): Promise<void> {
  while (await peer.read() !== null);
}

const told = assignment();
const { role, size, count, mode } = told;
const payload = new Uint8Array(size);
const options: TcpServeOptions = { port: 0, onError: fail };

function handler(): Handler<Bytes, Uint8Array> {
  switch (`${role} ${mode ?? ""}`.trim()) {
    case "recv try":
      return receiving(receiveOneByOne);
    case "recv borrowed":
      options.frames = "borrowed";
      return receiving(receiveOneByOne);
    case "recv batch":
      return receiving(receiveBatches);
    case "recv iterate":
      return receiving(receiveIterating);
    case "send buffered":
      return (peer) => sendBuffered(peer, payload, count);
    case "send await":
      return (peer) => sendAwaiting(peer, payload, count);
    case "echo try":
      return echo;
    case "echo reply":
      return reply((frame) => frame);
    case "idle":
      return hold;
  }
  return refuse(told);
}

const chosen = handler();
const limit = Math.max(size, 1024 * 1024);
const codec = lengthPrefixed({ maxFrameLength: limit });
announce(serve(options, codec, chosen).addr.port);
