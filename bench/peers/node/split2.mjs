/**
 * Lines by split2, in memory and with a clock of its own:
 * `node split2.mjs SIZE COUNT` splits COUNT lines of SIZE bytes, of which the
 * last is the line feed, from chunks of 64 KiB, once to warm up and once to
 * measure.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { Readable } from "node:stream";

// Imported late, because `deno check` fails on what only Node can find
const { default: split } = await import("split2");

const CHUNK = 64 * 1024;

const [size, count] = process.argv.slice(2).map(Number);
if (!(size > 0 && count > 0)) {
  console.error("Usage: split2.mjs SIZE COUNT");
  process.exit(2);
}
const bytes = size * count;

// After so many chunks a line ends with its chunk, and they can come again
const line = Buffer.alloc(size, "x").fill("\n", size - 1);
const pattern = Buffer.alloc(size * CHUNK, line);

function splitAll() {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let lines = 0;
    let length = 0;
    const source = new Readable({
      read() {
        if (sent === bytes) {
          this.push(null);
          return;
        }
        const at = sent % pattern.length;
        const n = Math.min(CHUNK, bytes - sent);
        sent += n;
        this.push(pattern.subarray(at, at + n));
      },
    });
    const splitter = split();
    splitter.on("data", (text) => {
      lines++;
      length += text.length;
    });
    splitter.on("end", () => {
      if (lines === count && length === bytes - count) resolve();
      else reject(new Error(`Split ${lines} lines of ${length} characters`));
    });
    source.pipe(splitter);
  });
}

await splitAll();
const start = process.hrtime.bigint();
await splitAll();
const ns = Number(process.hrtime.bigint() - start);
console.log(JSON.stringify({ name: "split2", ns, count, bytes }));
