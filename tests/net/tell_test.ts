/**
 * Telling the program what happened.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { tell } from "../../lib/net/tell.ts";

Deno.test("tell() calls the listener with what there is to tell", () => {
  const told: unknown[] = [];
  tell((...all: unknown[]) => void told.push(...all), 1, "two");
  assertEquals(told, [1, "two"]);
});

Deno.test("tell() does nothing when nobody listens", () => {
  assertEquals(tell<[]>(undefined), undefined);
});

Deno.test("tell() outlives listeners that throw or reject", async () => {
  let calls = 0;
  tell(() => {
    calls++;
    throw new Error("no");
  });
  tell(() => {
    calls++;
    return Promise.reject(new Error("no"));
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(calls, 2);
});
