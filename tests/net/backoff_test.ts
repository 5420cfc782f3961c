/**
 * How long to wait before the next try.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Backoff, type BackoffOptions } from "../../lib/net/backoff.ts";
import { Random } from "../support/random.ts";

/** The first delays. */
function delays(options: BackoffOptions, count: number): number[] {
  const backoff = new Backoff(options);
  return Array.from({ length: count }, () => backoff.fail());
}

for (
  const [name, options, expected] of [
    [
      "doubles from 100 ms to 10 s unless told otherwise",
      { random: () => 0 },
      [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000],
    ],
    [
      "leaves everything to chance unless told otherwise",
      { random: () => 0.75 },
      [25, 50, 100, 200],
    ],
    [
      "waits the most without jitter",
      { jitter: 0, random: () => 0.75 },
      [100, 200, 400],
    ],
    [
      "leaves a part to chance",
      { jitter: 0.5, random: () => 0.5 },
      [75, 150, 300],
    ],
    [
      "grows by its factor up to its longest",
      { minDelay: 1, maxDelay: 50, factor: 10, jitter: 0 },
      [1, 10, 50, 50],
    ],
    [
      "does not grow with a factor of 1",
      { factor: 1, jitter: 0 },
      [100, 100, 100],
    ],
  ] as [string, BackoffOptions, number[]][]
) {
  Deno.test(`Backoff ${name}`, () => {
    assertEquals(delays(options, expected.length), expected);
  });
}

Deno.test("Backoff begins again after a success", () => {
  const backoff = new Backoff({ jitter: 0 });
  assertEquals([backoff.fail(), backoff.fail()], [100, 200]);
  assertEquals(backoff.failures, 2);
  backoff.reset();
  assertEquals(backoff.failures, 0);
  assertEquals([backoff.fail(), backoff.fail()], [100, 200]);
});

Deno.test("Backoff stays at its longest for ever", () => {
  const last = delays({ jitter: 0 }, 5000).at(-1);
  assertEquals(last, 10_000);
});

Deno.test("Backoff spreads a thousand clients evenly over the wait", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = new Random(seed);
    const tenths = new Array<number>(10).fill(0);
    for (let client = 0; client < 1000; client++) {
      const [delay] = delays({ random: () => random.fraction() }, 1);
      assert(delay > 0 && delay <= 100, `seed ${seed}: ${delay}`);
      tenths[Math.min(9, Math.floor(delay / 10))]++;
    }
    for (const count of tenths) {
      assert(count > 60 && count < 140, `seed ${seed}: ${tenths}`);
    }
  }
});

Deno.test("Backoff takes its own chances unless told otherwise", () => {
  assert(new Set(delays({ factor: 1 }, 20)).size > 1);
});

for (
  const [option, options] of [
    ["minDelay", { minDelay: 0 }],
    ["minDelay", { minDelay: NaN }],
    ["maxDelay", { maxDelay: 99 }],
    ["maxDelay", { maxDelay: 2 ** 31 }],
    ["factor", { factor: 0.5 }],
    ["factor", { factor: NaN }],
    ["jitter", { jitter: -0.1 }],
    ["jitter", { jitter: 1.1 }],
  ] as [string, BackoffOptions][]
) {
  Deno.test(`Backoff refuses ${Deno.inspect(options)}`, () => {
    assertThrows(
      () => new Backoff(options),
      RangeError,
      `Cannot retry: ${option} must be `,
    );
  });
}
