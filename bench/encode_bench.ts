/**
 * Every codec on the way out, and texts: laid out where they are to be sent from, or in memory of their own first.
 * An iteration is 1,000 frames or lines.
 *
 * @module
 */

import {
  ByteSink,
  type Codec,
  delimited,
  lengthPrefixed,
  lines,
  mapCodec,
  text,
} from "../mod.ts";
import { expectCount } from "./chunks.ts";
import { candidates, COUNT } from "./codecs.ts";

/** Lays out so many frames, takes them out, and says how many bytes they have. */
function layOut(encode: (out: ByteSink) => void): number {
  const out = new ByteSink();
  for (let i = 0; i < COUNT; i++) encode(out);
  let bytes = 0;
  for (let chunk; (chunk = out.takeChunk()) !== undefined;) {
    bytes += chunk.length;
    out.recycle();
  }
  return bytes;
}

for (const [index, { name, wire, encode }] of candidates.entries()) {
  Deno.bench({
    name,
    group: `encode ${COUNT} frames of 64 B`,
    baseline: index === 0,
    fn: () => expectCount(layOut(encode), wire.length),
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const line = "a".repeat(79);
const texts: [name: string, codec: Codec<string>, over: Codec<Uint8Array>][] = [
  ["lines()", lines(), delimited("\n")],
  ["text(lengthPrefixed())", text(lengthPrefixed()), lengthPrefixed()],
];
for (const [name, codec, over] of texts) {
  const apart = mapCodec(over, {
    decode: (frame) => decoder.decode(frame),
    encode: (frame: string) => encoder.encode(frame),
  });
  const group = `encode ${COUNT} texts of 79 B with ${name}`;
  const length = layOut((out) => apart.encode(line, out));
  Deno.bench({
    name: "in place",
    group,
    baseline: true,
    fn: () => expectCount(layOut((out) => codec.encode(line, out)), length),
  });
  Deno.bench({
    name: "in memory of its own first",
    group,
    fn: () => expectCount(layOut((out) => apart.encode(line, out)), length),
  });
}
