/**
 * Gives every codec input that nobody thought of, for as long as one likes.
 *
 *     fuzz.ts [<count>] [<first number>]
 *
 * Each input follows from one number; they are counted from the first, which is drawn unless it is given. It
 * stops at the first fault, and says which number makes it again.
 *
 * @module
 */

import { codecCases } from "./codec/samples.ts";
import { codecFor, type Fate, fuzz, wiresOf } from "./support/fuzzing.ts";

const EVERY = 2000; // milliseconds between lines
const [count = 10_000_000, first = Math.floor(Math.random() * 2 ** 31)] = Deno
  .args.map(Number);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(first)) {
  console.error("Usage: fuzz.ts [<count>] [<first number>]");
  Deno.exit(2);
}

const encoder = new TextEncoder();
const wires = wiresOf(codecCases);
const fates: Record<Fate, number> = { read: 0, refused: 0, truncated: 0 };
const began = performance.now();
let saidAt = began;

function report(done: number): string {
  const seconds = (performance.now() - began) / 1000;
  const rss = Math.round(Deno.memoryUsage().rss / 2 ** 20);
  const rate = Math.round(done / seconds);
  return `${done.toLocaleString("en")} of ${
    count.toLocaleString("en")
  } inputs, ${rate.toLocaleString("en")} a second, ${rss} MiB resident`;
}

console.error(`Seed: ${first}; ${codecCases.length} codecs`);
for (let done = 0; done < count; done++) {
  const number = first + done;
  fates[fuzz(number, codecFor(number, codecCases), wires)]++;
  if (done % 1000 === 0 && performance.now() - saidAt > EVERY) {
    saidAt = performance.now();
    Deno.stderr.writeSync(encoder.encode(`\r${report(done)} `));
  }
}
console.error();
const { read, refused, truncated } = fates;
console.log(`${report(count)}, seed ${first}: no fault
${read.toLocaleString("en")} were read to the end, ${
  refused.toLocaleString("en")
} refused, ${truncated.toLocaleString("en")} truncated`);
