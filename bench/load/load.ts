/**
 * The other side of every peer, as `load.c` beside it, for a machine without a C compiler.
 *
 *     $ deno run --allow-net=127.0.0.1 bench/load/load.ts ROLE PORT SIZE COUNT
 *         [--framing u32|varint] [--connections N] [--window N] [--chunk BYTES] [--pid PID]
 *
 * It does and prints the same, but knows nothing of the peer's process. It needs more time than the one in C,
 * so that a fast peer may wait for it: ratios against C are then too small on both sides.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

/** How many bytes of frames are laid out before connecting, and the size of a read. */
const LAYOUT = 256 * 1024;

/** What to do. */
interface Load {
  port: number;
  size: number;
  count: number;
  varint: boolean;
  connections: number;
  window: number;
  chunk: number;
}

/** What is printed. */
interface Outcome {
  ns: number;
  count: number;
  bytes: number;
  cpuNs: null;
  peakRss: null;
  rss: null;
  latency: Record<string, number> | null;
}

/** Frames of zeros, as many as fit and at least one, and the bytes of one. */
function layOut(
  { size, varint }: Load,
): [frames: Uint8Array<ArrayBuffer>, frameSize: number] {
  const prefix: number[] = [];
  if (varint) {
    let rest = size;
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      prefix.push(rest % 128 + 128);
    }
    prefix.push(rest);
  } else {
    prefix.push(size >>> 24, size >>> 16 & 255, size >>> 8 & 255, size & 255);
  }
  const frameSize = prefix.length + size;
  const frames = new Uint8Array(
    Math.max(1, Math.floor(LAYOUT / frameSize)) * frameSize,
  );
  for (let i = 0; i < frames.length; i += frameSize) frames.set(prefix, i);
  return [frames, frameSize];
}

async function connect({ port }: Load): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay();
  return conn;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

function now(): number {
  return Math.round(performance.now() * 1e6);
}

function outcome(
  { size }: Load,
  count: number,
  ns: number,
  latency: Outcome["latency"] = null,
): Outcome {
  const bytes = count * size;
  return { ns, count, bytes, cpuNs: null, peakRss: null, rss: null, latency };
}

/** The peer receives. */
async function loadRecv(load: Load): Promise<Outcome> {
  const { size, count } = load;
  const [frames, frameSize] = layOut(load);
  const started = now();
  using conn = await connect(load);
  let left = count * frameSize;
  let at = 0;
  while (left > 0) {
    const n = Math.min(frames.length - at, left, load.chunk || Infinity);
    const put = await conn.write(frames.subarray(at, at + n));
    left -= put;
    at = (at + put) % frames.length;
  }
  await conn.closeWrite();
  const answer = new Uint8Array(16);
  let have = 0;
  while (have < answer.length) {
    const got = await conn.read(answer.subarray(have));
    if (got === null) throw new Error(`the answer has ${have} bytes, not 16`);
    have += got;
  }
  const ns = now() - started;
  const counts = new DataView(answer.buffer);
  const received = Number(counts.getBigUint64(0));
  const bytes = Number(counts.getBigUint64(8));
  if (received !== count || bytes !== count * size) {
    throw new Error(
      `the peer received ${received} frames of ${bytes} bytes in all, not ${count} of ${
        count * size
      }`,
    );
  }
  return outcome(load, count, ns);
}

/** The peer sends. */
async function loadSend(load: Load): Promise<Outcome> {
  const [frames, frameSize] = layOut(load);
  const buffer = new Uint8Array(LAYOUT);
  const started = now();
  using conn = await connect(load);
  let total = 0;
  for (let got; (got = await conn.read(buffer)) !== null; total += got) {
    if (total === 0) same(buffer.subarray(0, Math.min(got, frameSize)), frames);
  }
  const ns = now() - started;
  if (total !== load.count * frameSize) {
    throw new Error(`${total} bytes came, not ${load.count * frameSize}`);
  }
  return outcome(load, load.count, ns);
}

function same(bytes: Uint8Array, pattern: Uint8Array, phase = 0): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== pattern[phase + i]) {
      throw new Error(`byte ${i} is ${bytes[i]}, not ${pattern[phase + i]}`);
    }
  }
}

/** The peer echoes. */
async function loadEcho(load: Load): Promise<Outcome> {
  const [frames, frameSize] = layOut(load);
  const conns: Deno.TcpConn[] = [];
  try {
    for (let i = 0; i < load.connections; i++) conns.push(await connect(load));
    await exchange(conns, load.connections, 1);
    const started = now();
    const latencies = await exchange(conns, load.count, load.window);
    const ns = now() - started;
    return outcome(load, load.count, ns, percentiles(latencies));
  } finally {
    for (const conn of conns) conn.close();
  }

  /** Exchanges so many frames in all; gives the round trips if the window is 1. */
  async function exchange(
    conns: Deno.TcpConn[],
    total: number,
    window: number,
  ): Promise<number[]> {
    const latencies: number[] = [];
    let toSend = total;
    await Promise.all(conns.map(async (conn) => {
      const buffer = new Uint8Array(Math.min(LAYOUT, window * frameSize));
      let allowed = 0;
      let back = 0;
      let sentAt = 0;
      let sending: Promise<void> = Promise.resolve();
      while (true) {
        const before = allowed;
        while (toSend > 0 && Math.ceil((allowed - back) / frameSize) < window) {
          allowed += frameSize;
          toSend--;
        }
        if (allowed === back) break;
        if (allowed > before) {
          sentAt = now();
          const [from, to] = [before, allowed];
          // Reading goes on while this waits for room: a wide window does not lock up.
          sending = sending.then(() => send(conn, from, to));
        }
        const [got] = await Promise.all([
          conn.read(buffer),
          window === 1 ? sending : undefined,
        ]);
        if (got === null) throw new Error("the peer closed too early");
        for (let at = 0; at < got;) {
          const phase = (back + at) % frameSize;
          const n = Math.min(got - at, frames.length - phase);
          same(buffer.subarray(at, at + n), frames, phase);
          at += n;
        }
        back += got;
        if (window === 1 && back === allowed) latencies.push(now() - sentAt);
      }
      await sending;
    }));
    return latencies;
  }

  async function send(
    conn: Deno.Conn,
    from: number,
    to: number,
  ): Promise<void> {
    while (from < to) {
      const phase = from % frameSize;
      const n = Math.min(
        to - from,
        frames.length - phase,
        load.chunk || Infinity,
      );
      await writeAll(conn, frames.subarray(phase, phase + n));
      from += n;
    }
  }
}

function percentiles(latencies: number[]): Outcome["latency"] {
  if (latencies.length === 0) return null;
  const sorted = Float64Array.from(latencies).sort();
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return {
    p50: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  };
}

/** The peer holds connections. */
async function loadIdle(load: Load): Promise<Outcome> {
  const conns: Deno.TcpConn[] = [];
  try {
    const started = now();
    for (let i = 0; i < load.count; i++) conns.push(await connect(load));
    const ns = now() - started;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return outcome(load, 0, ns);
  } finally {
    for (const conn of conns) conn.close();
  }
}

const LOADS: Record<string, (load: Load) => Promise<Outcome>> = {
  recv: loadRecv,
  send: loadSend,
  echo: loadEcho,
  idle: loadIdle,
};

async function main(args: string[]): Promise<number> {
  const { _: [role, ...numbers], ...options } = parseArgs(args, {
    string: ["_", "framing", "connections", "window", "chunk", "pid"],
    default: { framing: "u32", connections: "1", window: "1", chunk: "0" },
  });
  const [port, size, count] = numbers.map(Number);
  const run = LOADS[role];
  if (run === undefined || !(count >= 0)) {
    console.error(
      "usage: load recv|send|echo|idle PORT SIZE COUNT [--framing u32|varint] [--connections N] [--window N] [--chunk BYTES] [--pid PID]",
    );
    return 2;
  }
  try {
    const done = await run({
      port,
      size,
      count,
      varint: options.framing === "varint",
      connections: Number(options.connections),
      window: Number(options.window),
      chunk: Number(options.chunk),
    });
    console.log(JSON.stringify(done));
    return 0;
  } catch (error) {
    console.error(
      `load: ${error instanceof Error ? error.message : String(error)}`,
    );
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
