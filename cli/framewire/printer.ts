/**
 * What stands between those who must not wait and a reader who may be slow: a queue with a limit.
 *
 *     seen ── print() ──► [ waiting, bounded ] ── one write at a time ──► stdout, a file
 *                └ full: left out, and counted
 *
 * Whoever prints never waits. Where something had to be left out, the output says how much.
 *
 * @module
 */

import { concat } from "@std/bytes";

/** Something to be printed. */
export interface Item {
  /** Whether it is a frame: those are counted apart. */
  kind: "frame" | "other";
  /** About how many bytes it holds as long as it waits. */
  cost: number;
  /** Lays it out. This is put off until it is its turn. */
  layOut(): string | Uint8Array;
}

/** How much was left out. */
export interface LeftOut {
  frames: number;
  others: number;
}

/** How a printer is set up. */
export interface PrinterOptions {
  /** Writes, and waits until it was taken. */
  put: (bytes: Uint8Array) => Promise<void>;
  /** What to print in place of what was left out; nothing by default. */
  gap?: (leftOut: Readonly<LeftOut>) => string;
  /**
   * About how many bytes may wait.
   *
   * @default {16 MiB}
   */
  limit?: number;
}

const LIMIT = 2 ** 24;
/** About how many bytes are put at once. */
const BATCH = 2 ** 16;
/** After how many the front of the queue is cut off. */
const SPENT = 1024;

/** How long to leave the processor to others, in milliseconds. */
const PAUSE = 20;

const encoder = new TextEncoder();

/** A queue that is being written. */
export class Printer {
  readonly #put: PrinterOptions["put"];
  readonly #gap: NonNullable<PrinterOptions["gap"]>;
  readonly #limit: number;
  #queue: (Item | LeftOut)[] = [];
  /** Where in the queue the next one is. */
  #next = 0;
  /** The cost of those that wait. */
  #held = 0;
  /** What is being left out, until there is room again. */
  #leaving: LeftOut | undefined;
  #leftOut: LeftOut = { frames: 0, others: 0 };
  #writing: Promise<void> | undefined;
  #over = false;
  #flushing = false;
  #broken = Promise.withResolvers<never>();
  /** Whether nothing can be written any longer. */
  isBroken = false;
  #abandoned = Promise.withResolvers<void>();

  /** Begins with nothing. */
  constructor({ put, gap = () => "", limit = LIMIT }: PrinterOptions) {
    this.#put = put;
    this.#gap = gap;
    this.#limit = limit;
    this.#broken.promise.catch(() => {}); // who does not ask need not know
  }

  /** How much was left out so far. */
  get leftOut(): Readonly<LeftOut> {
    return this.#leftOut;
  }

  /** Is rejected once nothing can be written any longer. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Takes something to be printed, or leaves it out; never waits. */
  print(item: Item): void {
    if (this.#over) return count(item, this.#leftOut);
    const full = this.#held > 0 && this.#held + item.cost > this.#limit;
    if (full && this.#leaving === undefined) {
      this.#leaving = { frames: 0, others: 0 };
      this.#queue.push(this.#leaving);
    }
    if (this.#leaving !== undefined) {
      count(item, this.#leaving);
      count(item, this.#leftOut);
      return;
    }
    this.#queue.push(item);
    this.#held += item.cost;
    this.#writing ??= this.#write();
  }

  /** Waits until all is written that was to be printed, or nothing will be any longer. */
  async flush(): Promise<void> {
    this.#flushing = true;
    while (this.#writing !== undefined) {
      await Promise.race([this.#writing, this.#abandoned.promise]);
      if (this.#over) break;
    }
    this.#flushing = false;
  }

  /** Leaves out what still waits, and all that is printed from now on. */
  abandon(): void {
    this.#over = true;
    this.#abandoned.resolve();
    for (const one of this.#queue.splice(this.#next)) {
      if ("kind" in one) count(one, this.#leftOut);
    }
  }

  async #write(): Promise<void> {
    await undefined; // what is printed together is written together
    try {
      while (this.#next < this.#queue.length) {
        await this.#writeSome();
        // Not all can be printed anyway: laying it out is not to slow down those that make it.
        if (this.#leaving !== undefined && !this.#flushing) await pause(PAUSE);
      }
    } catch (error) {
      this.isBroken = true;
      this.abandon();
      this.#broken.reject(error);
    }
    this.#writing = undefined;
  }

  /** Writes what comes first. */
  async #writeSome(): Promise<void> {
    const parts: Uint8Array[] = [];
    let [length, cost] = [0, 0];
    while (this.#next < this.#queue.length && length < BATCH) {
      const one = this.#queue[this.#next++];
      const isItem = "kind" in one;
      if (one === this.#leaving) this.#leaving = undefined; // what comes now stands behind it
      const laidOut = isItem ? one.layOut() : this.#gap(one);
      const part = typeof laidOut === "string"
        ? encoder.encode(laidOut)
        : laidOut;
      length += part.length;
      parts.push(part);
      if (isItem) cost += one.cost;
    }
    if (this.#next >= SPENT) {
      this.#queue.splice(0, this.#next);
      this.#next = 0;
    }
    await this.#put(concat(parts));
    this.#held -= cost;
    // Only with room for many: else there would be a gap behind every one.
    if (this.#held < this.#limit / 2) this.#leaving = undefined;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function count({ kind }: Item, leftOut: LeftOut): void {
  if (kind === "frame") leftOut.frames++;
  else leftOut.others++;
}
