/**
 * Where time and signals end a wait.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { abortable, checkTimeout, Deadline } from "../../lib/net/deadline.ts";
import { RunningProgram } from "../support/running_program.ts";
import { rejection } from "../support/sockets.ts";

const late = (timeout: number) => new Error(`after ${timeout}`);

/** A promise that counts what is hung on it. */
function watched<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const then = promise.then.bind(promise);
  const work = { promise, resolve, reject, reactions: 0 };
  Object.defineProperty(promise, "then", {
    value: (...callbacks: Parameters<typeof then>) => {
      work.reactions++;
      return then(...callbacks);
    },
  });
  return work;
}

for (
  const [what, options] of [
    ["no options", undefined],
    ["options that have neither", {}],
    ["options that have undefined", { signal: undefined, timeout: undefined }],
    ["a timeout of Infinity", { timeout: Infinity }],
  ] as const
) {
  Deno.test(`Deadline.from() makes none of ${what}`, () => {
    assertEquals(Deadline.from(options, late), undefined);
  });
}

for (const timeout of [-1, -Infinity, NaN]) {
  Deno.test(`Deadline.from() refuses a timeout of ${timeout}`, () => {
    const message =
      `timeout must be a number of milliseconds, not negative: it is ${timeout}`;
    assertThrows(() => Deadline.from({ timeout }, late), RangeError, message);
    assertThrows(() => checkTimeout("grace", timeout), RangeError, "grace");
  });
}

Deno.test("Deadline.from() throws the reason of a signal that was aborted before", () => {
  const reason = new Error("no");
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(
    assertThrows(() => Deadline.from({ signal }, late)),
    reason,
  );
});

Deno.test("Deadline.wait() gives what the work gives, and lets go of clock and signal", async () => {
  const { signal } = new AbortController();
  using deadline = Deadline.from({ timeout: 60_000, signal }, late);
  assert(deadline !== undefined);
  assertEquals(await deadline.wait(Promise.resolve(1)), 1);
  const failure = new Error("work");
  assertStrictEquals(
    await rejection(deadline.wait(Promise.reject(failure))),
    failure,
  );
  assert(!deadline.passed);
});

Deno.test("Deadline.wait() rejects when time is up, and from then on", async () => {
  using deadline = Deadline.from({ timeout: 0 }, late);
  assert(deadline !== undefined);
  const never = Promise.withResolvers<never>().promise;
  const error = await rejection(deadline.wait(never));
  assertInstanceOf(error, Error);
  assertEquals(error.message, "after 0");
  assert(deadline.passed);
  assertStrictEquals(await rejection(deadline.wait(never)), error);
  assertStrictEquals(deadline.reason, error);
});

Deno.test("Deadline.wait() rejects with the reason of the signal, whichever comes first", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  using deadline = Deadline.from({ timeout: 1, signal }, late);
  assert(deadline !== undefined);
  const never = Promise.withResolvers<never>().promise;
  const waiting = rejection(deadline.wait(never));
  controller.abort("stop");
  assertEquals<unknown>(await waiting, "stop");
  await new Promise((resolve) => setTimeout(resolve, 5)); // the timer fires as well, to no effect
  assertEquals<unknown>(deadline.reason, "stop");
});

Deno.test("Deadline takes a timeout that no timer can be set to for a very long one", async () => {
  using deadline = Deadline.from({ timeout: 2 ** 31 }, late);
  assert(deadline !== undefined);
  const work = new Promise((resolve) => setTimeout(() => resolve("done"), 5));
  assertEquals(await deadline.wait(work), "done");
});

Deno.test("Deadline.wait() prefers what has happened to what is about to", async () => {
  const controller = new AbortController();
  using deadline = Deadline.from({ signal: controller.signal }, late);
  assert(deadline !== undefined);
  const work = Promise.withResolvers<string>();
  const waiting = deadline.wait(work.promise);
  work.resolve("done");
  await work.promise;
  controller.abort();
  assertEquals(await waiting, "done");
});

Deno.test("Deadline.wait() can be given up and repeated, and leaves one reaction on the work", async () => {
  const work = watched<string>();
  for (let i = 0; i < 10; i++) {
    const controller = new AbortController();
    using deadline = Deadline.from({ signal: controller.signal }, late);
    const waiting = rejection(deadline?.wait(work.promise) ?? work.promise);
    controller.abort(i);
    assertEquals<unknown>(await waiting, i);
  }
  assertEquals(work.reactions, 1);
  using last = Deadline.from({ timeout: 60_000 }, late);
  const waiting = last?.wait(work.promise);
  work.resolve("at last");
  assertEquals(await waiting, "at last");
});

Deno.test("Deadline.wait() serves several who wait for the same, and who comes after", async () => {
  const work = watched<string>();
  const { signal } = new AbortController();
  using one = Deadline.from({ signal }, late);
  using two = Deadline.from({ signal }, late);
  const waiting = [one?.wait(work.promise), two?.wait(work.promise)];
  work.reject("broken");
  for (const promise of waiting) {
    assert(promise !== undefined);
    assertEquals<unknown>(await rejection(promise), "broken");
  }
  using three = Deadline.from({ signal }, late);
  const after = three?.wait(work.promise);
  assert(after !== undefined);
  assertEquals<unknown>(await rejection(after), "broken");
});

Deno.test("Deadline lets work fail unnoticed that nobody waits for any more", async () => {
  const work = watched<never>();
  {
    using deadline = Deadline.from({ timeout: 0 }, late);
    assert(deadline !== undefined);
    await assertRejects(() => deadline.wait(work.promise), Error, "after 0");
  }
  work.reject(new Error("unnoticed"));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(work.reactions, 1);
});

Deno.test("abortable() gives what the work gives, or rejects with the reason of the signal", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  assertEquals(await abortable(Promise.resolve(1), undefined), 1);
  assertEquals(await abortable(Promise.resolve(1), signal), 1);
  const stuck = new Promise(() => {});
  const waiting = rejection(abortable(stuck, signal));
  controller.abort("enough");
  assertEquals<unknown>(await waiting, "enough");
  // Whether it has failed or will, nobody has to know.
  const failing = abortable(Promise.reject(new Error("unnoticed")), signal);
  assertEquals<unknown>(await rejection(failing), "enough");
});

Deno.test("Deadline keeps no program alive once it is disposed of", async () => {
  const url = import.meta.resolve("../../lib/net/deadline.ts");
  const program = `
    import { Deadline } from ${JSON.stringify(url)};
    {
      using deadline = Deadline.from({ timeout: 60_000 }, () => new Error(), true);
      await deadline.wait(Promise.resolve());
    }
    // It rings if something else keeps the program alive.
    Deno.unrefTimer(setTimeout(() => console.log("still alive"), 5));
    console.log("done");
  `;
  await using running = new RunningProgram(Deno.execPath(), ["eval", program]);
  assertEquals(await running.end(), { code: 0, out: ["done"], err: [] });
});
