/**
 * A large file, sent and received: `deno task transfer:check [MiB]`, 2048 unless told otherwise.
 *
 * It prints what both sides say, and exits with code 1 if one of them took 64 MiB more memory than before.
 *
 * @module
 */

import { transfer } from "./support/transfer.ts";

/** How much more memory a side may take, in MiB. */
const MOST = 64;

const { lines, more } = await transfer(Number(Deno.args[0] ?? 2048));
lines.forEach((line) => console.log(line));
const holds = Math.max(more.sender, more.receiver) < MOST;
console.log(
  `${holds ? "holds" : "does not hold"}: less than ${MOST} MiB more memory`,
);
if (!holds) Deno.exit(1);
