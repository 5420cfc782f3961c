/**
 * Waiting.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { pause, within } from "../../cli/waiting.ts";

Deno.test("pause() lets what is shorter go first", async () => {
  const order: string[] = [];
  await Promise.all([
    pause(60).then(() => order.push("long")),
    pause(1).then(() => order.push("short")),
  ]);
  assertEquals(order, ["short", "long"]);
});

Deno.test("within() gives what comes in time, and leaves no timer", async () => {
  assertEquals(await within(Promise.resolve(""), 100_000), "");
});

Deno.test("within() fails as what it waits for does, and leaves no timer", async () => {
  await assertRejects(
    () => within(Promise.reject(new RangeError("so")), 100_000),
    RangeError,
    "so",
  );
});

Deno.test("within() gives undefined for what does not come, which goes on", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  assertEquals(await within(promise, 1), undefined);
  resolve("late");
  assertEquals(await within(promise, 100_000), "late");
});
