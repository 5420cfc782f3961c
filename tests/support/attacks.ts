/**
 * What peers do that mean no good, over plain sockets.
 *
 * @module
 */

import { writeAll } from "./sockets.ts";
import { raw } from "./wire.ts";

/** How a connection ended, as its client sees it. */
export type Fate = "ended" | "reset";

const AT_A_TIME = 100;

/** Connects. */
export function enter(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Does something so many times, a hundred at a time. */
export async function inCrowds<T>(
  count: number,
  act: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const one = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await act(index);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  return results;
}

/** Many connections. Leaving its scope closes them. */
export class Crowd implements Disposable {
  /** The connections. */
  readonly conns: readonly Deno.TcpConn[];

  private constructor(conns: readonly Deno.TcpConn[]) {
    this.conns = conns;
  }

  /** Opens so many connections, each of which sends something first. */
  static async enter(
    port: number,
    count: number,
    first?: Uint8Array,
  ): Promise<Crowd> {
    const conns = await inCrowds(count, async () => {
      const conn = await enter(port);
      if (first !== undefined) await writeAll(conn, first);
      return conn;
    });
    return new Crowd(conns);
  }

  /** Closes what is open. */
  [Symbol.dispose](): void {
    for (const conn of this.conns) leave(conn);
  }
}

/** Closes a connection, whether it is open or not. */
export function leave(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Whether the platform says that the other side is gone. */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected;
}

/** Throws away what comes until the connection ends, closes it, and says how it ended. */
export async function fateOf(conn: Deno.Conn): Promise<Fate> {
  const room = new Uint8Array(64 * 1024);
  try {
    while (await conn.read(room) !== null);
    return "ended";
  } catch (error) {
    if (isGone(error)) return "reset";
    throw error;
  } finally {
    leave(conn);
  }
}

/** Sends a byte now and then, until the connection is gone. */
export async function dribble(
  conn: Deno.Conn,
  interval: number,
): Promise<Fate> {
  let gone = false;
  const fate = fateOf(conn).finally(() => {
    gone = true;
    wake?.();
  });
  let wake: (() => void) | undefined;
  while (!gone) {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, interval);
    await promise;
    clearTimeout(timer);
    if (!gone) await conn.write(BYTE).catch(() => {}); // how it ends is seen by who reads
  }
  return await fate;
}

const BYTE = raw("x");

/** Frames of a request each, one behind the other. */
export function requests(words: readonly string[]): Uint8Array<ArrayBuffer> {
  return raw(
    words.map((word) => `${lengthOf(word.length)}${word}`).join(""),
  );
}

/** Four bytes of length, as {@linkcode raw} takes them. */
export function lengthOf(length: number): string {
  return String.fromCharCode(
    length >>> 24,
    length >>> 16 & 0xff,
    length >>> 8 & 0xff,
    length & 0xff,
  );
}
