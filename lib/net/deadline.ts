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
export const MAX_TIMER: number = 2 ** 31 - 1;

/**
 * The first `setTimeout` of a program takes the platform some milliseconds, as long as a short program takes in
 * all. A wait that is likely to end at once sets a timer only when it has lasted this long, in milliseconds;
 * until then it has a signal, which costs a tenth but cannot be taken back.
 */
const BRIEF = 20;

/** Throws unless `timeout` is a duration. */
export function checkTimeout(name: string, timeout: number): number {
  if (typeof timeout === "number" && timeout >= 0) return timeout;
  throw new RangeError(
    `Cannot wait: ${name} must be a number of milliseconds, not negative: it is ${timeout}`,
  );
}

/** Throws if the options are out of range, or the wait is to be given up before it begins. */
export function checkWait({ signal, timeout = Infinity }: WaitOptions): void {
  signal?.throwIfAborted();
  checkTimeout("timeout", timeout);
}

/**
 * Who waits for a promise. It may outlive any number of waits, and a reaction cannot be taken off a promise
 * again, so that each has one for all of them.
 */
const waiting = new WeakMap<Promise<unknown>, Set<() => void>>();

function waitersFor(work: Promise<unknown>): Set<() => void> {
  const known = waiting.get(work);
  if (known !== undefined) return known;
  const waiters = new Set<() => void>();
  waiting.set(work, waiters);
  const settled = () => {
    waiting.delete(work);
    for (const wake of waiters) wake();
  };
  work.then(settled, settled);
  return waiters;
}

/**
 * A moment, or an abort, at which waiting ends. What was being waited for goes on; it is for the caller to
 * keep it and to wait for it again. A wait that was given up leaves nothing behind.
 */
export class Deadline implements Disposable {
  #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #forgetBrief: (() => void) | undefined;
  #giveUp: ((reason: unknown) => void) | undefined;
  #leave: (() => void) | undefined;
  #abort = (): void => this.#end(this.#signal?.reason);
  /** Whether waiting has ended. */
  passed = false;
  /** What `wait` rejects with then. */
  reason: unknown;

  /**
   * A deadline as the options have it; `undefined` if they have none.
   *
   * @param options When to give up.
   * @param timedOut What to reject with.
   * @param keptAlive Whether what is waited for keeps the program alive by itself, and is likely to end soon.
   */
  static from(
    options: WaitOptions | undefined,
    timedOut: (timeout: number) => Error,
    keptAlive = false,
  ): Deadline | undefined {
    if (options === undefined) return undefined;
    checkWait(options);
    const { signal, timeout = Infinity } = options;
    return signal === undefined && timeout === Infinity
      ? undefined
      : new Deadline(signal, timeout, timedOut, keptAlive);
  }

  private constructor(
    signal: AbortSignal | undefined,
    timeout: number,
    timedOut: (timeout: number) => Error,
    keptAlive: boolean,
  ) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (timeout > MAX_TIMER) return;
    const timeUp = () => this.#end(timedOut(timeout));
    if (!keptAlive || timeout <= BRIEF) {
      this.#timer = setTimeout(timeUp, timeout);
      return;
    }
    const brief = AbortSignal.timeout(BRIEF);
    const goOn = () => {
      this.#timer = setTimeout(timeUp, timeout - BRIEF);
    };
    brief.addEventListener("abort", goOn);
    // With a listener, a signal keeps the program alive.
    this.#forgetBrief = () => brief.removeEventListener("abort", goOn);
  }

  #end(reason: unknown): void {
    if (this.passed) return;
    this.passed = true;
    this.reason = reason;
    this.#giveUp?.(reason);
  }

  /**
   * Waits for `work`, until the deadline at the most. One wait at a time.
   *
   * @param work What is waited for; if it fails after the deadline, that goes unnoticed.
   * @returns What it gives.
   */
  wait<T>(work: Promise<T>): Promise<T> {
    this.#leave?.();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiters = waitersFor(work);
    const wake = () => resolve(work);
    waiters.add(wake);
    this.#leave = () => waiters.delete(wake);
    this.#giveUp = reject;
    if (this.passed) reject(this.reason);
    return promise;
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    this.#forgetBrief?.();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#leave?.();
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}

/**
 * Waits for `work`, until the signal is aborted at the most. What was being waited for goes on.
 *
 * @param work What is waited for; if it fails after the abort, that goes unnoticed.
 * @param signal Ends the wait at once; it rejects with its reason.
 * @returns What it gives.
 */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  work.catch(() => {}); // the signal may have been aborted before
  using deadline = Deadline.from({ signal }, () => new Error());
  return await (deadline?.wait(work) ?? work);
}
