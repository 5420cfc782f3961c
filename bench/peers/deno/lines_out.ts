/**
 * Lines of text laid out in memory, beside a program that encodes each and copies it: `SIZE COUNT`, with the line
 * feed counted as one of the bytes of a line.
 *
 * @module
 */

import { ByteSink, lines } from "@framewire/framewire";

const CHUNK = 64 * 1024;
const [size, count] = Deno.args.map(Number);
if (!(size > 0 && count > 0)) {
  console.error("Usage: SIZE COUNT");
  Deno.exit(2);
}
const line = "x".repeat(size - 1);

/** Lays out all lines, and says how many bytes left. */
function byFramewire(): number {
  const codec = lines();
  const out = new ByteSink();
  let sent = 0;
  for (let i = 0; i < count; i++) {
    codec.encode(line, out);
    if (out.length >= CHUNK || i === count - 1) {
      for (let chunk; (chunk = out.takeChunk()) !== undefined;) {
        sent += chunk.length;
        out.recycle();
      }
    }
  }
  return sent;
}

function byEncoder(): number {
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(CHUNK);
  let sent = 0;
  let used = 0;
  for (let i = 0; i < count; i++) {
    const bytes = encoder.encode(`${line}\n`);
    if (used + bytes.length > CHUNK) {
      sent += used;
      used = 0;
    }
    buffer.set(bytes, used);
    used += bytes.length;
  }
  return sent + used;
}

/** Runs an implementation to warm it up and again to measure it, and prints how long that took. */
function report(name: string, run: () => number): void {
  let ns = 0;
  for (let time = 0; time < 2; time++) {
    const start = performance.now();
    const bytes = run();
    ns = Math.round((performance.now() - start) * 1e6);
    if (bytes !== size * count) throw new Error(`${name} sent ${bytes} bytes`);
  }
  console.log(JSON.stringify({ name, ns, count }));
}

report("framewire", byFramewire);
report("TextEncoder", byEncoder);
