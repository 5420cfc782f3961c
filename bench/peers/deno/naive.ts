/**
 * What a first attempt in Deno looks like: right, and one frame at a time.
 *
 *     recv        a loop of reads for the length, another for the payload, and a concat
 *     send each   a write for each frame
 *
 * @module
 */

import { concat } from "@std/bytes";
import { assignment, refuse, serveConns, totals, writeAll } from "./program.ts";

const PREFIX = 4;
const LARGEST_READ = 64 * 1024;

async function receive(conn: Deno.TcpConn): Promise<void> {
  const prefix = new Uint8Array(PREFIX);
  const view = new DataView(prefix.buffer);
  let frames = 0;
  let bytes = 0;
  while (true) {
    let have = 0;
    while (have < PREFIX) {
      const count = await conn.read(prefix.subarray(have));
      if (count === null) break;
      have += count;
    }
    if (have === 0) break;
    if (have < PREFIX) throw new Error("stream ended inside a length");
    const parts: Uint8Array[] = [];
    let missing = view.getUint32(0);
    while (missing > 0) {
      const part = new Uint8Array(Math.min(missing, LARGEST_READ));
      const count = await conn.read(part);
      if (count === null) throw new Error("stream ended inside a payload");
      parts.push(part.subarray(0, count));
      missing -= count;
    }
    const frame = concat(parts);
    frames++;
    bytes += frame.length;
  }
  await writeAll(conn, totals(frames, bytes));
}

async function send(
  conn: Deno.TcpConn,
  size: number,
  count: number,
): Promise<void> {
  const payload = new Uint8Array(size);
  const frame = new Uint8Array(PREFIX + size);
  const prefix = new DataView(frame.buffer);
  for (let i = 0; i < count; i++) {
    prefix.setUint32(0, size);
    frame.set(payload, PREFIX);
    await writeAll(conn, frame);
  }
}

const told = assignment();
const { size, count } = told;
switch (`${told.role} ${told.mode ?? ""}`.trim()) {
  case "recv":
    await serveConns(receive);
    break;
  case "send each":
    await serveConns((conn) => send(conn, size, count));
    break;
  default:
    refuse(told);
}
