/**
 * Trying to connect again.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  ConnectTimeoutError,
  MalformedFrameError,
  PeerResetError,
  TlsHandshakeError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  checkAttempts,
  mayPass,
  type RetryOptions,
  sleep,
  withRetry,
} from "../../lib/net/retry.ts";
import { rejection } from "../support/sockets.ts";

/** An error as the platform makes them where it has no class. */
function coded(code: string): Error {
  return Object.assign(new Error(`(os error ${code})`), { code });
}

const lookup = "failed to lookup address information";

for (
  const [what, error, passes] of [
    ["nobody listens", new Deno.errors.ConnectionRefused(), true],
    ["a reset", new Deno.errors.ConnectionReset(), true],
    [
      "a network that is out of reach",
      new Deno.errors.NetworkUnreachable(),
      true,
    ],
    ["a host that is out of reach", coded("EHOSTUNREACH"), true],
    ["file descriptors that ran out", coded("EMFILE"), true],
    ["ports that ran out", new Deno.errors.AddrNotAvailable(), true],
    ["a backlog that is full", new Deno.errors.WouldBlock(), true],
    ["a timeout of the system", new Deno.errors.TimedOut(), true],
    ["a timeout", new ConnectTimeoutError("late", { timeout: 1 }), true],
    ["a reset while the connection is set up", new PeerResetError("x"), true],
    ["a path where nothing is", new Deno.errors.NotFound(), true],
    [
      "a name server that fails for now",
      new Error(`${lookup}: Temporary failure in name resolution`),
      true,
    ],
    [
      "an unknown name",
      new Error(`${lookup}: Name or service not known`),
      false,
    ],
    ["a name that is none", new URIError("invalid host"), false],
    ["a missing permission", new Deno.errors.NotCapable(), false],
    ["what the system forbids", new Deno.errors.PermissionDenied(), false],
    ["an option out of range", new RangeError("port"), false],
    ["an argument of the wrong kind", new TypeError("path"), false],
    ["an abort", new DOMException("aborted", "AbortError"), false],
    ["a fault of the protocol", new MalformedFrameError("bytes"), false],
    ["a connection closed on this side", new ConnectionClosedError("x"), false],
    ["a certificate not to be trusted", new TlsHandshakeError("x"), false],
    ["an unknown fault of the connection", new ConnectionError("x"), false],
    ["an unknown code", coded("EPROTO"), false],
    ["what is no error", "ECONNREFUSED", false],
    ["nothing", undefined, false],
  ] as [string, unknown, boolean][]
) {
  Deno.test(`mayPass() takes ${what} for ${passes ? "passing" : "final"}`, () => {
    assertEquals(mayPass(error), passes);
  });
}

const brief = { minDelay: 1, maxDelay: 2 };

/** Fails so many times before it succeeds; counts the tries. */
class Failing {
  tries = 0;
  readonly #times: number;
  readonly #fault: () => unknown;

  constructor(
    times: number,
    fault: () => unknown = () => new Deno.errors.ConnectionRefused("refused"),
  ) {
    this.#times = times;
    this.#fault = fault;
  }

  attempt = (): Promise<number> =>
    ++this.tries <= this.#times
      ? Promise.reject(this.#fault())
      : Promise.resolve(this.tries);
}

for (
  const [name, times, options, tries] of [
    ["five times unless told otherwise", Infinity, {}, 5],
    ["as often as it is told", Infinity, { attempts: 3 }, 3],
    ["once if it is told", Infinity, { attempts: 1 }, 1],
    ["until it succeeds", 2, {}, 3],
    ["for ever if it is told", 40, { attempts: Infinity }, 41],
  ] as [string, number, RetryOptions, number][]
) {
  Deno.test(`withRetry() tries ${name}`, async () => {
    const failing = new Failing(times);
    const trying = withRetry(failing.attempt, { ...brief, ...options });
    const result: unknown = await trying.catch((error) => error.message);
    assertEquals(failing.tries, tries);
    assertEquals(
      result,
      times < Infinity
        ? tries
        : tries === 1
        ? "refused"
        : `refused; gave up after ${tries} attempts`,
    );
  });
}

Deno.test("withRetry() throws the last error, with its class", async () => {
  const faults: Error[] = [];
  const failing = new Failing(Infinity, () => {
    const fault = new Deno.errors.ConnectionRefused(`no ${faults.length + 1}`);
    faults.push(fault);
    return fault;
  });
  const error = await assertRejects(
    () => withRetry(failing.attempt, { ...brief, attempts: 3 }),
    Deno.errors.ConnectionRefused,
    "no 3; gave up after 3 attempts",
  );
  assertStrictEquals(error, faults[2]);
  assertEquals(faults.slice(0, 2).map(({ message }) => message), [
    "no 1",
    "no 2",
  ]);
});

Deno.test("withRetry() does not try again what is final, and leaves the error alone", async () => {
  const fault = new Deno.errors.NotCapable("Requires net access");
  const failing = new Failing(Infinity, () => fault);
  const error = await rejection(withRetry(failing.attempt, brief));
  assertStrictEquals(error, fault);
  assertEquals([failing.tries, fault.message], [1, "Requires net access"]);
});

Deno.test("withRetry() asks retryIf which errors can pass", async () => {
  const faults = [new RangeError("one"), "two", new TypeError("three")];
  const seen: unknown[] = [];
  const failing = new Failing(Infinity, () => faults[seen.length]);
  const error = await rejection(withRetry(failing.attempt, {
    ...brief,
    retryIf(error) {
      seen.push(error);
      return !(error instanceof TypeError);
    },
  }));
  assertStrictEquals(error, faults[2]);
  assertEquals(seen, faults);
});

Deno.test("withRetry() waits no longer when its signal is aborted", async () => {
  const controller = new AbortController();
  const failing = new Failing(Infinity);
  const trying = rejection(withRetry(
    failing.attempt,
    { minDelay: 2 ** 30, maxDelay: 2 ** 30, jitter: 0 },
    controller.signal,
  ));
  await Promise.resolve();
  controller.abort("enough");
  assertEquals<unknown>(await trying, "enough");
  assertEquals(failing.tries, 1);
});

Deno.test("withRetry() does not wait if its signal is aborted during a try", async () => {
  const controller = new AbortController();
  const trying = withRetry(
    () => {
      controller.abort("enough");
      return Promise.reject(new Deno.errors.ConnectionRefused("refused"));
    },
    { minDelay: 2 ** 30, maxDelay: 2 ** 30, jitter: 0 },
    controller.signal,
  );
  await assertRejects(() => trying, Deno.errors.ConnectionRefused);
});

Deno.test("withRetry() refuses options out of range before it tries", async () => {
  const failing = new Failing(0);
  for (const options of [{ attempts: 0 }, { attempts: NaN }, { minDelay: 0 }]) {
    await assertRejects(
      () => withRetry(failing.attempt, options),
      RangeError,
      "Cannot retry: ",
    );
  }
  assertEquals(failing.tries, 0);
});

Deno.test("checkAttempts() refuses what is no number of times", () => {
  assertEquals(checkAttempts(Infinity), Infinity);
  assertThrows(
    () => checkAttempts(0),
    RangeError,
    "attempts must be at least 1: it is 0",
  );
});

Deno.test("sleep() ends by itself, or at once with its signal", async () => {
  await sleep(0);
  await sleep(1, new AbortController().signal);
  assertEquals<unknown>(
    await rejection(sleep(2 ** 30, AbortSignal.abort("no"))),
    "no",
  );
  const controller = new AbortController();
  const sleeping = rejection(sleep(2 ** 30, controller.signal));
  controller.abort("enough");
  assertEquals<unknown>(await sleeping, "enough");
});
