/**
 * Trying to connect again, where that can help.
 *
 * @module
 */

import { ConnectTimeoutError, PeerResetError } from "../errors.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { abortable } from "./deadline.ts";

/** How often something is tried, and how long is waited in between. */
export interface RetryOptions extends BackoffOptions {
  /**
   * How many times it is tried in a row, from 1; `Infinity` for ever.
   *
   * @default {5}
   */
  attempts?: number;
  /**
   * Says whether trying again can help against an error. Unless told otherwise it can if nobody listens, nobody
   * can be reached, nobody answers, the connection is reset, the socket's path is not there yet, file descriptors
   * or ports have run out, or the name server fails for now. Every other error is final: a missing permission, an
   * option out of range, a name that does not exist, a certificate that is not trusted.
   */
  retryIf?: (error: unknown) => boolean;
}

/** Errors against which it can help to try again. */
const PASSING = [
  ConnectTimeoutError,
  PeerResetError,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.NotConnected,
  Deno.errors.BrokenPipe,
  Deno.errors.TimedOut,
  Deno.errors.NetworkUnreachable,
  Deno.errors.AddrNotAvailable, // no port is free on this side
  Deno.errors.WouldBlock, // a Unix socket whose backlog is full
  Deno.errors.NotFound, // a Unix socket that is not there yet
];

/** What the system says for which the platform has no class. */
const PASSING_CODES: readonly unknown[] = [
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
];

/** Says whether trying to connect again can help against an error; one that is not known is final. */
export function mayPass(error: unknown): boolean {
  if (PASSING.some((passing) => error instanceof passing)) return true;
  if (!(error instanceof Error)) return false;
  if ("code" in error) return PASSING_CODES.includes(error.code);
  // The platform has neither a class nor a code for what resolving a name came to.
  return /temporary failure in name resolution/i.test(error.message);
}

/**
 * Throws unless `attempts` is a number of times.
 *
 * @returns The number.
 */
export function checkAttempts(attempts: number): number {
  if (attempts >= 1) return attempts;
  throw new RangeError(
    `Cannot retry: attempts must be at least 1: it is ${attempts}`,
  );
}

/**
 * Waits.
 *
 * @param duration How long, in milliseconds.
 * @param signal Ends the wait at once; it rejects with its reason.
 */
export async function sleep(
  duration: number,
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, duration);
  try {
    await abortable(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Tries until it succeeds, the error is final, or it was tried often enough. The last error is thrown; one that
 * could have passed says how often it was tried.
 *
 * @param attempt What is tried.
 * @param options How often, and how long to wait in between.
 * @param signal Ends the wait between two tries; those see to themselves.
 * @throws {RangeError} If an option is out of range.
 */
export async function withRetry<R>(
  attempt: () => Promise<R>,
  options: RetryOptions,
  signal?: AbortSignal,
): Promise<R> {
  const { attempts = 5, retryIf = mayPass } = options;
  checkAttempts(attempts);
  const backoff = new Backoff(options);
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted || !retryIf(error)) throw error;
      const delay = backoff.fail();
      const { failures } = backoff;
      if (failures >= attempts) {
        if (error instanceof Error && failures > 1) {
          // Its class and its cause are what a program looks at: they stay.
          error.message += `; gave up after ${failures} attempts`;
        }
        throw error;
      }
      await sleep(delay, signal);
    }
  }
}
