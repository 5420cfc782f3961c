/**
 * Random input that can be had again: everything follows from a seed.
 *
 * @module
 */

/** A generator of random numbers (mulberry32), good enough to vary test input. */
export class Random {
  /** What everything follows from; a failure message should name it. */
  readonly seed: number;
  #state: number;

  /** Begins the sequence of a seed. */
  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to but not including 1. */
  fraction(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ mixed >>> 15, mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to but not including `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** One of several. */
  pick<T>(choices: ArrayLike<T>): T {
    return choices[this.below(choices.length)];
  }

  /** So many bytes, of any value or of those in `alphabet`. */
  bytes(length: number, alphabet?: Uint8Array): Uint8Array<ArrayBuffer> {
    const draw = alphabet === undefined || alphabet.length === 0
      ? () => this.below(256)
      : () => this.pick(alphabet);
    return Uint8Array.from({ length }, draw);
  }

  /** The bytes in order, cut into chunks at random; some are empty. */
  chunks(bytes: Uint8Array): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    const most = this.pick([1, 3, 10, 1000]);
    for (let start = 0; start < bytes.length;) {
      const end = start + this.below(most + 1);
      chunks.push(bytes.subarray(start, end));
      start = end;
    }
    return chunks;
  }
}
