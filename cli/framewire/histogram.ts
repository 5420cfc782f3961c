/**
 * How often each value came, in little memory: every value is kept to three digits.
 *
 *     0 1 2 … 2047 │ 2048 2050 … 4094 │ 4096 4100 … 8188 │ …
 *       exactly    │ 1024 buckets     │ 1024 buckets     │ and so on, each twice as wide as before
 *
 * A bucket is narrower than a 1024th of the values in it. Count, least, greatest and mean are exact.
 *
 * @module
 */

/** How many buckets a doubling has. */
const HALF = 1024;
/** Values below are kept exactly. */
const EXACT = 2 * HALF;
const EXACT_BITS = Math.log2(EXACT);
/** Greater values are counted as this one: in nanoseconds, more than three days. */
const MOST = 2 ** 48 - 1;

/** By how much a percentile may be too high, as a part of it. */
export const PRECISION: number = 1 / HALF;

/** Values that are counted together. */
export interface Bucket {
  /** The least of them. */
  from: number;
  /** The greatest of them. */
  to: number;
  /** How many there were. */
  count: number;
}

/** How many bits a whole number has, below 2^53. */
function bitsOf(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high === 0 ? 32 - Math.clz32(value) : 64 - Math.clz32(high);
}

function indexOf(value: number): number {
  if (value < EXACT) return value;
  const shift = bitsOf(value) - EXACT_BITS;
  return shift * HALF + Math.floor(value / 2 ** shift);
}

function fromOf(index: number): number {
  if (index < EXACT) return index;
  const shift = Math.floor(index / HALF) - 1;
  return (index - shift * HALF) * 2 ** shift;
}

/** Counts whole numbers from 0. */
export class Histogram {
  #counts = new Float64Array(indexOf(MOST) + 1);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  /** How many values there were. */
  get count(): number {
    return this.#count;
  }

  /** The least; 0 if there was none, as with the others. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** The greatest. */
  get max(): number {
    return this.#count === 0 ? 0 : this.#max;
  }

  /** Their mean. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /**
   * Counts a value.
   *
   * @param value The value: it is rounded, and 0 if it is negative, as time is on a clock that was set back.
   * @throws {RangeError} If it is no number.
   */
  record(value: number): void {
    if (Number.isNaN(value)) throw new RangeError("Cannot count NaN");
    const whole = Math.max(0, Math.round(Math.min(value, MOST)));
    this.#counts[indexOf(whole)]++;
    this.#count++;
    this.#sum += whole;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  /** Counts all that another one has counted. */
  merge(other: Histogram): void {
    for (const [index, count] of other.#counts.entries()) {
      this.#counts[index] += count;
    }
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /**
   * The value that so many percent of all do not exceed.
   *
   * @param percent From 0 to 100.
   * @returns The nearest rank's value, or up to {@linkcode PRECISION} more; never more than the greatest.
   */
  percentile(percent: number): number {
    // 99.9 % of 1000 are 999, though 99.9 / 100 * 1000 is a little more.
    const exact = percent * this.#count / 100;
    const rank = Math.max(1, Math.ceil(exact - exact * Number.EPSILON * 4));
    let seen = 0;
    for (const { to, count } of this.buckets()) {
      seen += count;
      if (seen >= rank) return Math.min(to, this.#max);
    }
    return this.max;
  }

  /** The buckets that are not empty, from the least on. */
  *buckets(): Iterable<Bucket> {
    const counts = this.#counts;
    const last = this.#count === 0 ? -1 : indexOf(this.#max);
    const first = this.#count === 0 ? 0 : indexOf(this.#min);
    for (let index = first; index <= last; index++) {
      const count = counts[index];
      if (count === 0) continue;
      yield { from: fromOf(index), to: fromOf(index + 1) - 1, count };
    }
  }
}
