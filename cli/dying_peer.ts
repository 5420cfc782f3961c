/**
 * What `cli/dead_peer.ts` starts: a peer that speaks for a moment and then neither speaks nor reads nor
 * closes.
 *
 *     dying_peer.ts half <host> <port>     sends one frame and a part of another
 *     dying_peer.ts beats <host> <port>    sends three lines, a tenth of a second apart
 *
 * Waiting for its input holds its only thread, so that it does nothing at all, as if it had been stopped by
 * SIGSTOP. Unlike a process that is stopped, it ends when nobody holds the other end of its input any more:
 * it cannot outlive whoever started it.
 *
 * @module
 */

/** A length of four bytes and a text of twelve. */
const FRAME = new TextEncoder().encode("\0\0\0\x0cHello, world");
const BEAT = new TextEncoder().encode("ping\n");

async function speak(conn: Deno.Conn, what: string): Promise<void> {
  if (what === "half") {
    // So little is taken in one write.
    await conn.write(new Uint8Array([...FRAME, ...FRAME.subarray(0, 9)]));
    return;
  }
  for (let beats = 0; beats < 3; beats++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await conn.write(BEAT);
  }
}

if (import.meta.main) {
  const [what, hostname, port] = Deno.args;
  using conn = await Deno.connect({ hostname, port: Number(port) });
  await speak(conn, what);
  Deno.stdin.readSync(new Uint8Array(1));
}
