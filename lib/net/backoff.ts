/**
 * How long to wait before the next try. It keeps no time: it only counts.
 *
 *     ceiling   minDelay, minDelay * factor, minDelay * factor², … up to maxDelay
 *     delay     anything from ceiling * (1 - jitter) to ceiling
 *
 * With a jitter of 1, which is called full jitter, the delay is anything from 0 to the ceiling. "Exponential
 * Backoff and Jitter" by Marc Brooker (AWS Architecture Blog, 2015) compares the ways to spread the clients of a
 * server that comes back: they need the fewest calls with this one, whereas without jitter all come at once, again
 * and again.
 *
 * @module
 */

import { MAX_TIMER } from "./deadline.ts";

/** How long to wait before something is tried again. */
export interface BackoffOptions {
  /**
   * The most that is waited before the second try, in milliseconds, from 1.
   *
   * @default {100}
   */
  minDelay?: number;
  /**
   * The most that is ever waited before a try, in milliseconds.
   *
   * @default {10_000}
   */
  maxDelay?: number;
  /**
   * How many times longer the wait may be after each try, from 1.
   *
   * @default {2}
   */
  factor?: number;
  /**
   * Which part of the wait is left to chance, from 0 to 1. With 1, it is anything from nothing to the most; with
   * 0, it is always the most, and clients that lost a server together come back together.
   *
   * @default {1}
   */
  jitter?: number;
  /**
   * Where chance comes from: gives a number from 0 up to but not including 1.
   *
   * @default {Math.random}
   */
  random?: () => number;
}

/** Counts tries that failed in a row, and says how long to wait after each. */
export class Backoff {
  #minDelay: number;
  #maxDelay: number;
  #factor: number;
  #jitter: number;
  #random: () => number;
  #ceiling: number;
  /** How many tries have failed since the beginning, or since the last one that did not. */
  failures = 0;

  /**
   * Begins with nothing failed.
   *
   * @throws {RangeError} If an option is out of range.
   */
  constructor(options: BackoffOptions = {}) {
    const {
      minDelay = 100,
      maxDelay = 10_000,
      factor = 2,
      jitter = 1,
      random = Math.random,
    } = options;
    // Without a least delay, a server that refuses at once would be tried in a tight loop.
    check("minDelay", minDelay, "a number of milliseconds from 1", 1);
    check(
      "maxDelay",
      maxDelay,
      `a number of milliseconds from minDelay to ${MAX_TIMER}`,
      minDelay,
      MAX_TIMER,
    );
    check("factor", factor, "a number from 1", 1);
    check("jitter", jitter, "a number from 0 to 1", 0, 1);
    this.#minDelay = minDelay;
    this.#maxDelay = maxDelay;
    this.#factor = factor;
    this.#jitter = jitter;
    this.#random = random;
    this.#ceiling = minDelay;
  }

  /**
   * Counts a failure.
   *
   * @returns How long to wait before the next try, in milliseconds.
   */
  fail(): number {
    this.failures++;
    const ceiling = this.#ceiling;
    this.#ceiling = Math.min(ceiling * this.#factor, this.#maxDelay);
    return ceiling * (1 - this.#jitter * this.#random());
  }

  /** Begins again, as a try has succeeded. */
  reset(): void {
    this.failures = 0;
    this.#ceiling = this.#minDelay;
  }
}

function check(
  name: string,
  value: number,
  wanted: string,
  min: number,
  max = Infinity,
): void {
  if (value >= min && value <= max) return;
  throw new RangeError(
    `Cannot retry: ${name} must be ${wanted}: it is ${value}`,
  );
}
