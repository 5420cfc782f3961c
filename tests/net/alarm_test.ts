/**
 * One timer for many deadlines.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Alarm } from "../../lib/net/alarm.ts";

const { setTimeout: setTimer } = globalThis;

/** Which delays timers are set to meanwhile. */
async function timersOf(
  meanwhile: () => Promise<void> | void,
): Promise<number[]> {
  const delays: number[] = [];
  const counting = (...args: Parameters<typeof setTimer>) => {
    delays.push(args[1] ?? 0);
    return setTimer(...args);
  };
  Object.assign(globalThis, { setTimeout: counting });
  try {
    await meanwhile();
  } finally {
    Object.assign(globalThis, { setTimeout: setTimer });
  }
  return delays;
}

Deno.test("Alarm rings at the time that it is set to, and not before", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const alarm = new Alarm((now) => {
    resolve(now);
    return Infinity;
  });
  const deadline = performance.now() + 5;
  alarm.set(deadline);
  assert(await promise >= deadline);
  alarm.stop();
});

Deno.test("Alarm is set anew only for what is due earlier", async () => {
  const alarm = new Alarm(() => Infinity);
  const delays = await timersOf(() => {
    const now = performance.now();
    for (const delay of [60_000, 70_000, 60_000, 50_000, Infinity]) {
      alarm.set(now + delay);
    }
  });
  assertEquals(delays.length, 2);
  alarm.stop();
});

Deno.test("Alarm is set by what is due next when it has rung", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let rings = 0;
  const alarm = new Alarm((now) => {
    if (++rings < 3) return now + 1;
    resolve();
    return Infinity;
  });
  const delays = await timersOf(async () => {
    alarm.set(performance.now());
    await promise;
  });
  assertEquals([rings, delays.length], [3, 3]);
  alarm.stop();
});

Deno.test("Alarm takes what no timer can for the longest that one can", async () => {
  const alarm = new Alarm(() => Infinity);
  const delays = await timersOf(() => alarm.set(2 ** 40));
  assertEquals(delays, [2 ** 31 - 1]);
  alarm.stop();
});

Deno.test("Alarm is silent when it was stopped", async () => {
  let rings = 0;
  const alarm = new Alarm(() => {
    rings++;
    return Infinity;
  });
  alarm.set(performance.now());
  alarm.stop();
  const delays = await timersOf(() => alarm.set(0));
  await new Promise((resolve) => setTimer(resolve, 5));
  assertEquals([rings, delays], [0, []]);
});
