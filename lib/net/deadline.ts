/**
 * The one place where time and signals end a wait.
 *
 * @module
 */

/** When a wait is to be given up. */
export interface WaitOptions {
  /** Gives up when it is aborted; the wait rejects with its reason. */
  signal?: AbortSignal | undefined;
  /**
   * Gives up after so many milliseconds, from 0; `Infinity` for never.
   *
   * @default {Infinity}
   */
  timeout?: number | undefined;
}

/** The longest time that a timer can be set to. */
const MAX_TIMER = 2 ** 31 - 1;

/** Throws unless `timeout` is a duration. */
export function checkTimeout(name: string, timeout: number): number {
  if (typeof timeout === "number" && timeout >= 0) return timeout;
  throw new RangeError(
    `Cannot wait: ${name} must be a number of milliseconds, not negative: it is ${timeout}`,
  );
}

/**
 * A moment, or an abort, at which waiting ends. What was being waited for goes on; it is for the caller to
 * keep it and to wait for it again.
 */
export class Deadline implements Disposable {
  #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #expired: Promise<never>;
  #expire!: (reason: unknown) => void;
  #abort = (): void => this.#end(this.#signal?.reason);
  /** Whether waiting has ended. */
  passed = false;

  /** A deadline as the options have it; `undefined` if they have none. */
  static from(
    options: WaitOptions | undefined,
    timedOut: (timeout: number) => Error,
  ): Deadline | undefined {
    if (options === undefined) return undefined;
    const { signal, timeout = Infinity } = options;
    signal?.throwIfAborted();
    checkTimeout("timeout", timeout);
    return signal === undefined && timeout === Infinity
      ? undefined
      : new Deadline(signal, timeout, timedOut);
  }

  private constructor(
    signal: AbortSignal | undefined,
    timeout: number,
    timedOut: (timeout: number) => Error,
  ) {
    this.#expired = new Promise((_, reject) => this.#expire = reject);
    this.#expired.catch(() => {}); // it may end when nobody is waiting
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (timeout <= MAX_TIMER) {
      this.#timer = setTimeout(() => this.#end(timedOut(timeout)), timeout);
    }
  }

  #end(reason: unknown): void {
    this.passed = true;
    this.#expire(reason);
  }

  /**
   * Waits for `work`, until the deadline at the most.
   *
   * @param work What is waited for; if it fails after the deadline, that goes unnoticed.
   * @returns What it gives.
   */
  wait<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#expired]);
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
