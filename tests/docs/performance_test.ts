/**
 * docs/performance.md shows what was measured: all its figures are marked, and are those of bench/results/.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  figureFor,
  NOTHING_RAN,
  pageOf,
  readRuns,
} from "../../bench/report.ts";
import { fillIn } from "../../bench/fill_in.ts";

const root = new URL("../../", import.meta.url);
const page = Deno.readTextFileSync(new URL("docs/performance.md", root));

Deno.test("docs/performance.md marks figures that can be measured", () => {
  let marked = 0;
  fillIn(page, (marker) => {
    marked++;
    return figureFor([NOTHING_RAN], marker);
  });
  assert(marked > 0);
});

Deno.test("docs/performance.md begins no line with a marker, behind which Markdown would be taken for HTML", () => {
  const lines = page.split("\n").slice(1); // the first one is a comment as a whole
  assertEquals(lines.filter((line) => /^\s*<!--/.test(line)), []);
});

Deno.test("docs/performance.md has the figures of bench/results/: if not, run deno task bench:report", () => {
  const folder = new URL("bench/results/", root);
  const bench = [...Deno.readDirSync(new URL("bench/", root))];
  const measured = bench.some(({ name }) => name === "results");
  const filled = pageOf(page, measured ? readRuns(folder) : []).split("\n");
  const stale = page.split("\n").filter((line, i) => line !== filled[i]);
  assertEquals(stale, []);
});
