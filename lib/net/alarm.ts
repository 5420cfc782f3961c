/**
 * One timer for many deadlines.
 *
 * @module
 */

import { MAX_TIMER } from "./deadline.ts";

/** A timer that is set for the next of many deadlines, and is left alone by those that come after it. */
export class Alarm {
  #ring: (now: number) => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;
  #stopped = false;

  /**
   * Sets nothing yet.
   *
   * @param ring Sees to what is due at a time, as `performance.now()` gives it; gives the next deadline, or
   * `Infinity`.
   */
  constructor(ring: (now: number) => number) {
    this.#ring = ring;
  }

  /** Sees to it that it rings at a time, as `performance.now()` gives it; never for `Infinity`. */
  set(deadline: number): void {
    if (deadline >= this.#at || this.#stopped) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#at = deadline;
    const delay = Math.ceil(deadline - performance.now());
    this.#timer = setTimeout(this.#due, Math.min(delay, MAX_TIMER));
  }

  /** Never rings again. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #due = (): void => {
    this.#at = Infinity;
    this.set(this.#ring(performance.now()));
  };
}
