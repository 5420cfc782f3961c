/**
 * The lines of stdin, as they are typed.
 *
 * @module
 */

import { type ByteConn, delimited, Framing } from "../../mod.ts";
import { textOf } from "./values.ts";

/** The longest line that is taken. */
const MAX_LINE = 2 ** 28;

/** Stdin as something to read frames from. */
const stdin: ByteConn = {
  read: (p) => Deno.stdin.read(p),
  write: () => Promise.reject(new TypeError("stdin is not written to")),
  close() {},
};

/** Reads lines from stdin, as bytes where they are no text; the last one may lack its line feed. */
export async function* inputLines(): AsyncIterable<string | Uint8Array> {
  const codec = delimited("\n", { tail: "emit", maxFrameLength: MAX_LINE });
  for await (const line of new Framing(stdin, codec)) {
    const bytes = line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
    yield textOf(bytes) ?? bytes;
  }
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
