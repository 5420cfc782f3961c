/**
 * What the Deno programs of the comparison share: arguments, listening, and the answer of a receiver.
 *
 * @module
 */

/** What a program is told on its command line: `ROLE SIZE COUNT [MODE]`. */
export interface Assignment {
  /** Which side of the exchange it is. */
  role: string;
  /** How long the payload of a frame is, in bytes. */
  size: number;
  /** How many frames there are. */
  count: number;
  /** Which of several ways it does it in. */
  mode: string | undefined;
}

/** Reads the command line. */
export function assignment(): Assignment {
  const [role, size, count, mode] = Deno.args;
  return { role, size: Number(size), count: Number(count), mode };
}

/** Ends a program that does not know its role, or the mode of it. */
export function refuse({ role, mode }: Assignment): never {
  console.error(`Unknown role or mode: ${role} ${mode ?? ""}`);
  Deno.exit(2);
}

/** Ends a program at the first fault: a figure that comes after one is worth nothing. */
export function fail(error: unknown): never {
  console.error(error);
  Deno.exit(1);
}

/** Tells the load program where to connect to. */
export function announce(port: number): void {
  console.log(`listening ${port}`);
}

/** Accepts connections for good, and closes each when its handler is done. */
export async function serveConns(
  handler: (conn: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  announce(listener.addr.port);
  for await (const conn of listener) {
    conn.setNoDelay(true);
    handler(conn).then(() => conn.close()).catch(fail);
  }
}

/** Writes all of the bytes. */
export async function writeAll(
  conn: Pick<Deno.Conn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  let sent = 0;
  while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
}

/** What a receiver answers: how many frames came, and how many bytes of payload were in them. */
export function totals(frames: number, bytes: number): Uint8Array {
  const answer = new DataView(new ArrayBuffer(16));
  answer.setBigUint64(0, BigInt(frames));
  answer.setBigUint64(8, BigInt(bytes));
  return new Uint8Array(answer.buffer);
}
