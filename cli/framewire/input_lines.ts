/**
 * The lines of stdin, as they are typed.
 *
 * @module
 */

import { type ByteConn, Framing, lines } from "../../mod.ts";

/** The longest line that is taken. */
const MAX_LINE = 2 ** 28;

/** Stdin as something to read frames from. */
const stdin: ByteConn = {
  read: (p) => Deno.stdin.read(p),
  write: () => Promise.reject(new TypeError("stdin is not written to")),
  close() {},
};

/** Reads lines from stdin; the last one may lack its line feed. */
export function inputLines(): AsyncIterable<string> {
  return new Framing(stdin, lines({ tail: "emit", maxFrameLength: MAX_LINE }));
}

/** Reads all of stdin. */
export async function* inputChunks(): AsyncIterable<Uint8Array> {
  while (true) {
    const chunk = new Uint8Array(65_536);
    const count = await Deno.stdin.read(chunk);
    if (count === null) return;
    yield chunk.subarray(0, count);
  }
}
