/**
 * Percentiles from buckets beside those of the sorted values.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Histogram, PRECISION } from "../../../cli/framewire/histogram.ts";
import { Random } from "../../support/random.ts";

const PERCENTS = [0, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100];

function histogramOf(values: Iterable<number>): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function totals({ count, min, max, mean }: Histogram): number[] {
  return [count, min, max, mean];
}

/** Values as they may come, each made of a fraction from 0 to 1. */
const SPREADS: Record<string, (fraction: number) => number> = {
  "small ones": (fraction) => Math.floor(fraction * 3000),
  "some of every order": (fraction) => Math.floor(2 ** (fraction * 47)),
  "a narrow heap": (fraction) => 10_000_000 + Math.floor(fraction * 1000),
  "a heap and a long tail": (fraction) =>
    fraction < 0.99 ? Math.floor(fraction * 1e5) : Math.floor(fraction * 1e10),
  "one value": () => 123_456_789,
};

for (const [name, spread] of Object.entries(SPREADS)) {
  Deno.test(`Histogram gives percentiles of ${name} within its precision`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const values = Array.from(
        { length: 1 + random.below(3000) },
        () => spread(random.fraction()),
      );
      const sorted = Float64Array.from(values).sort();
      const histogram = histogramOf(values);
      for (const percent of PERCENTS) {
        // In whole numbers: percent / 100 is not exact.
        const rank = Math.ceil(percent * 100 * sorted.length / 10_000);
        const exact = sorted[Math.max(1, rank) - 1];
        const got = histogram.percentile(percent);
        const where = `seed ${seed}, ${percent} %: ${got}, not ${exact}`;
        assert(got >= exact, where);
        assert(got - exact <= exact * PRECISION, where);
      }
    }
  });
}

Deno.test("Histogram has count, least, greatest and mean exactly", () => {
  const values = [7, 123_456_789, 3, 1_000_000_007, 2048, 2049];
  const sum = values.reduce((sum, value) => sum + value);
  assertEquals(totals(histogramOf(values)), [
    6,
    3,
    1_000_000_007,
    sum / values.length,
  ]);
});

Deno.test("Histogram parts values into buckets without gap or overlap", () => {
  for (let bits = 0; bits < 48; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) {
      const histogram = histogramOf([value]);
      const [bucket] = histogram.buckets();
      const { from, to, count } = bucket;
      assert(from <= value && value <= to, `${value} in ${from} to ${to}`);
      assert(to - from <= from * PRECISION, `${from} to ${to}`);
      assertEquals(count, 1);
      if (to + 1 >= 2 ** 48) continue;
      const [next] = histogramOf([to + 1]).buckets();
      assertEquals(next.from, to + 1);
    }
  }
});

Deno.test("Histogram holds no more memory for more values", () => {
  const random = new Random(1);
  const histogram = new Histogram();
  let buckets = 0;
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 300_000; i++) {
      histogram.record(2 ** (random.fraction() * 60));
    }
    buckets = [...histogram.buckets()].length;
  }
  assertEquals(histogram.count, 600_000);
  assert(buckets < 2048 + 37 * 1024);
});

Deno.test("Histogram without values gives zeros", () => {
  const histogram = new Histogram();
  assertEquals(totals(histogram), [0, 0, 0, 0]);
  assertEquals([...histogram.buckets()], []);
  assertEquals(histogram.percentile(99), 0);
});

Deno.test("Histogram takes what is out of range as the nearest that is not", () => {
  const histogram = histogramOf([-5, 0.4, Infinity, 2 ** 60]);
  assertEquals(totals(histogram).slice(0, 3), [4, 0, 2 ** 48 - 1]);
  assertEquals(histogram.percentile(50), 0);
  assertEquals(histogram.percentile(100), 2 ** 48 - 1);
  assertThrows(() => histogram.record(NaN), RangeError, "NaN");
});

Deno.test("merge() gives what one histogram for all would have", () => {
  const random = new Random(7);
  const draw = () => Math.floor(2 ** (random.fraction() * 40));
  const ones = Array.from({ length: 1000 }, draw);
  const others = Array.from({ length: 300 }, draw);
  const merged = histogramOf(ones);
  merged.merge(histogramOf(others));
  const all = histogramOf([...ones, ...others]);
  assertEquals([...merged.buckets()], [...all.buckets()]);
  assertEquals(totals(merged), totals(all));
  merged.merge(new Histogram());
  assertEquals(totals(merged), totals(all));
  const empty = new Histogram();
  empty.merge(all);
  assertEquals(totals(empty), totals(all));
});
