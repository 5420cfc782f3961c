/**
 * Connected sockets, and what tests do with them.
 *
 * @module
 */

import { connPair } from "@framewire/framewire/testing";
import { concat } from "@std/bytes";

/** Two connections, each the other's peer. */
export type Pair = [here: Deno.Conn, there: Deno.Conn];

/** Two TCP sockets, each the other's peer. */
export async function tcpPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  return await Promise.all([
    Deno.connect({ hostname, port }),
    listener.accept(),
  ]);
}

/** Two Unix sockets, each the other's peer. */
export async function unixPair(): Promise<[Deno.UnixConn, Deno.UnixConn]> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    return await Promise.all([
      Deno.connect({ transport: "unix", path }),
      listener.accept(),
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Sockets of the machine. */
export const SOCKETS: readonly [kind: string, pair: () => Promise<Pair>][] = [
  ["TCP", tcpPair],
  ["a Unix socket", unixPair],
];

/** Every kind of connection. */
export const CONNECTIONS: typeof SOCKETS = [
  ["a connection in memory", () => Promise.resolve(connPair())],
  ...SOCKETS,
];

/** Writes all of `bytes`. */
export async function writeAll(
  conn: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** Reads to the end of the stream. */
export async function readAll(
  conn: Pick<Deno.Conn, "read">,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  while (true) {
    const chunk = new Uint8Array(64 * 1024);
    const count = await conn.read(chunk);
    if (count === null) return concat(chunks);
    chunks.push(chunk.subarray(0, count));
  }
}

/** Waits until something has happened; fails if it does not. */
export async function until(
  happened: () => boolean,
  what = "what was waited for",
): Promise<void> {
  for (let turn = 0; turn < 5000; turn++) {
    if (happened()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`Waited in vain for ${what}`);
}

/** What a promise is rejected with. */
export function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => {
      throw new Error(`Expected a rejection, got ${Deno.inspect(value)}`);
    },
    (error) => error,
  );
}
