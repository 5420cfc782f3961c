/**
 * The floor in Deno: what a program costs that does without a library and does as little as it can.
 *
 *     recv          one buffer that is used again and again; a frame is where it lies in it
 *     echo          bytes back as they come, with no look at frames
 *     idle [tiny]   a pending read in 4 KiB, or in 64 bytes
 *
 * @module
 */

import { assignment, refuse, serveConns, totals, writeAll } from "./program.ts";

const PREFIX = 4;

async function receive(conn: Deno.TcpConn): Promise<void> {
  let buffer = new Uint8Array(64 * 1024);
  let start = 0;
  let end = 0;
  let frames = 0;
  let payload = 0;
  while (true) {
    const count = await conn.read(end === 0 ? buffer : buffer.subarray(end));
    if (count === null) break;
    end += count;
    let total = PREFIX;
    while (end - start >= PREFIX) {
      const length = (buffer[start] << 24 | buffer[start + 1] << 16 |
        buffer[start + 2] << 8 | buffer[start + 3]) >>> 0;
      total = PREFIX + length;
      if (end - start < total) break;
      frames++;
      payload += length;
      start += total;
    }
    if (total > buffer.length) {
      const larger = new Uint8Array(Math.max(total, 2 * buffer.length));
      larger.set(buffer.subarray(start, end));
      buffer = larger;
    } else if (start + total > buffer.length || 2 * end > buffer.length) {
      buffer.copyWithin(0, start, end);
    } else continue;
    end -= start;
    start = 0;
  }
  if (start !== end) throw new Error(`${end - start} bytes are no frame`);
  await writeAll(conn, totals(frames, payload));
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4 * 1024);
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) return;
    let sent = 0;
    while (sent < count) {
      sent += await conn.write(buffer.subarray(sent, count));
    }
  }
}

async function hold(conn: Deno.TcpConn, capacity: number): Promise<void> {
  const buffer = new Uint8Array(capacity);
  while (await conn.read(buffer) !== null);
}

const told = assignment();
switch (`${told.role} ${told.mode ?? ""}`.trim()) {
  case "recv":
    await serveConns(receive);
    break;
  case "echo":
    await serveConns(echo);
    break;
  case "idle":
    await serveConns((conn) => hold(conn, 4 * 1024));
    break;
  case "idle tiny":
    await serveConns((conn) => hold(conn, 64));
    break;
  default:
    refuse(told);
}
