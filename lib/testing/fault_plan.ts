/**
 * The faults that a connection is to suffer, and what they make of its bytes. All chance follows from a seed.
 *
 *     bytes ─► lost ─► corrupted ─► cut into pieces ─► each with its latency
 *       │
 *       └─ behind so many of them: a stall, a half-close, a reset
 *
 * What happens to a byte is a matter of its place in the stream, not of the chunk that it came in, and each kind
 * of fault draws from numbers of its own: a cut more changes nothing about what is lost.
 *
 * @module
 */

/** A number, or a range in which the seed picks one. */
export type Amount = number | AmountRange;

/** A range; both ends belong to it. */
export interface AmountRange {
  /** The least. */
  min: number;
  /** The most. */
  max: number;
}

/** Which bytes a fault hits. */
export interface ByteFault {
  /**
   * How likely it is for each byte, from 0 to 1.
   *
   * @default {0}
   */
  probability?: number;
  /** The bytes that are hit in any case, by their places in the stream: the first is 0. */
  positions?: readonly number[];
}

/** A time in which nothing passes. */
export interface Stall {
  /** Behind how many bytes it begins. */
  after: Amount;
  /**
   * How long it lasts, in milliseconds; `Infinity` for until it is resumed.
   *
   * @default {Infinity}
   */
  duration?: Amount;
}

/** What the bytes of one direction suffer; nothing unless told otherwise. */
export interface Faults {
  /**
   * How long bytes are on the way, in milliseconds. With a range each piece takes its own time, but none
   * overtakes another.
   *
   * @default {0}
   */
  latency?: Amount;
  /**
   * How many bytes pass in a second. Unless `cuts` says otherwise they come in fifty pieces a second, or one by
   * one.
   *
   * @default {Infinity}
   */
  bandwidth?: number;
  /**
   * How long the pieces are that the receiver gets, in bytes: `1` for byte by byte, a range for pieces of
   * every length in it. The end of what was written in one go also ends a piece, so that one can be shorter.
   */
  cuts?: Amount;
  /** When nothing passes for a while, or any more. */
  stall?: Stall;
  /**
   * Behind how many bytes the connection breaks. The receiver can read those bytes; then both ends get
   * `ConnectionReset`.
   */
  resetAfter?: Amount;
  /** Behind how many bytes the stream ends for the receiver. What the sender writes from then on is lost. */
  halfCloseAfter?: Amount;
  /** Which bytes are left out. */
  lost?: ByteFault;
  /** Which bytes arrive as others. */
  corrupted?: ByteFault;
}

/** What a connection suffers in both directions, and in one of them in place of that. */
export interface FaultPlan extends Faults {
  /** What is different on the way from `here` to `there`: in a proxy, from the client to the target. */
  there?: Faults;
  /** What is different on the way back. */
  back?: Faults;
}

/** What is done with the bytes of a direction next. */
export type FaultStep =
  | { kind: "piece"; bytes: Uint8Array; latency: number }
  | { kind: "stall"; duration: number }
  | { kind: "halfClose" }
  | { kind: "reset" };

/** So many pieces come in a second where there is little bandwidth. */
const PIECES_PER_SECOND = 50;
const MAX_SEED = 2 ** 32 - 1;

/** Random numbers that can be had again (mulberry32): good enough to vary faults. */
export class SeededRandom {
  /** What everything follows from. */
  readonly seed: number;
  #state: number;

  /** Begins the sequence of a seed. */
  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed;
  }

  /** A number from 0 up to but not including 1. */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** A number of a range; a whole one. */
  whole({ min, max }: AmountRange): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** The number itself, or any of the range. */
  amount(amount: Amount): number {
    if (typeof amount === "number") return amount;
    return amount.min + this.fraction() * (amount.max - amount.min);
  }

  /** The number itself, or a whole one of the range. */
  wholeAmount(amount: Amount): number {
    return typeof amount === "number" ? amount : this.whole(amount);
  }

  /** Another sequence, which follows from this one's seed and a number. */
  fork(index: number): SeededRandom {
    const apart = this.seed + Math.imul(index + 1, 0x9e3779b1) >>> 0;
    return new SeededRandom(new SeededRandom(apart).#next());
  }

  #next(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ mixed >>> 15, mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return (mixed ^ mixed >>> 14) >>> 0;
  }
}

/** Begins the sequence of a seed that a caller gave, or of one that nobody did. */
export function randomFrom(seed: number | undefined): SeededRandom {
  const [any] = crypto.getRandomValues(new Uint32Array(1));
  return new SeededRandom(checkWhole("seed", seed ?? any, 0, MAX_SEED));
}

/** Throws unless `value` is a whole number from `min` to `max`. */
export function checkWhole(
  name: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const upTo = max === Number.MAX_SAFE_INTEGER
    ? `of at least ${min}`
    : `from ${min} to ${max}`;
  check(
    Number.isSafeInteger(value) && value >= min && value <= max,
    name,
    `a whole number ${upTo}`,
    value,
  );
  return value;
}

function check(
  right: boolean,
  name: string,
  wanted: string,
  value: number,
): void {
  if (right) return;
  throw new RangeError(
    `Cannot make faults: ${name} must be ${wanted}: it is ${value}`,
  );
}

function checkAmount(
  name: string,
  amount: Amount | undefined,
  checkOne: (name: string, value: number) => void,
): void {
  if (amount === undefined) return;
  if (typeof amount === "number") return checkOne(name, amount);
  const { min, max } = amount;
  checkOne(`${name}.min`, min);
  checkOne(`${name}.max`, max);
  check(
    max >= min && max < Infinity,
    `${name}.max`,
    `finite and not below the min of ${min}`,
    max,
  );
}

function checkByteFault(name: string, fault: ByteFault | undefined): void {
  const { probability = 0, positions = [] } = fault ?? {};
  check(
    probability >= 0 && probability <= 1,
    `${name}.probability`,
    "from 0 to 1",
    probability,
  );
  for (const position of positions) checkCount(`${name}.positions`, position);
}

function checkCount(name: string, value: number): void {
  checkWhole(name, value, 0);
}

function checkLength(name: string, value: number): void {
  checkWhole(name, value, 1);
}

function checkTime(name: string, value: number): void {
  const wanted = "a finite number of milliseconds, not negative";
  check(value >= 0 && value < Infinity, name, wanted, value);
}

function checkDuration(name: string, value: number): void {
  check(value >= 0, name, "a number of milliseconds, not negative", value);
}

function checkFaults(faults: Faults): void {
  const { bandwidth = Infinity, stall } = faults;
  checkAmount("latency", faults.latency, checkTime);
  check(bandwidth > 0, "bandwidth", "more than 0 bytes a second", bandwidth);
  checkAmount("cuts", faults.cuts, checkLength);
  checkAmount("stall.after", stall?.after, checkCount);
  checkAmount("stall.duration", stall?.duration, checkDuration);
  checkAmount("resetAfter", faults.resetAfter, checkCount);
  checkAmount("halfCloseAfter", faults.halfCloseAfter, checkCount);
  checkByteFault("lost", faults.lost);
  checkByteFault("corrupted", faults.corrupted);
}

/**
 * What a plan has for each direction.
 *
 * @param plan As the caller gave it.
 * @returns The faults, checked.
 */
export function faultsOf(plan: FaultPlan): { there: Faults; back: Faults } {
  const { there, back, ...both } = plan;
  const faults = {
    there: { ...both, ...there },
    back: { ...both, ...back },
  };
  checkFaults(faults.there);
  checkFaults(faults.back);
  return faults;
}

/** Says of one byte after another whether a fault hits it. */
class Hits {
  #probability: number;
  #positions: ReadonlySet<number>;
  #random: SeededRandom;
  #position = 0;

  constructor({ probability = 0, positions }: ByteFault, random: SeededRandom) {
    this.#probability = probability;
    this.#positions = new Set(positions);
    this.#random = random;
  }

  next(): boolean {
    const drawn = this.#random.fraction() < this.#probability;
    return this.#positions.has(this.#position++) || drawn;
  }
}

/** The bytes of one direction and what becomes of them, without a clock. */
export class FaultStream {
  #latency: Amount;
  #cuts: Amount;
  /** What is still to happen, in order, and behind how many bytes. */
  #events: { after: number; step: FaultStep }[] = [];
  #lost: Hits | undefined;
  #corrupted: Hits | undefined;
  #delaying: SeededRandom;
  #cutting: SeededRandom;
  #corrupting: SeededRandom;
  /** How much may still come of the piece that is being cut. */
  #pieceLeft = 0;
  /** How many bytes have met their faults. */
  position = 0;
  /** How many bytes were left out. */
  lost = 0;
  /** How many bytes were made others. */
  corrupted = 0;

  /** Begins a direction whose faults were checked. */
  constructor(faults: Faults, random: SeededRandom) {
    const { bandwidth = Infinity, stall, halfCloseAfter, resetAfter } = faults;
    const { lost, corrupted } = faults;
    this.#latency = faults.latency ?? 0;
    this.#cuts = faults.cuts ?? Math.ceil(bandwidth / PIECES_PER_SECOND);
    this.#delaying = random.fork(0);
    this.#cutting = random.fork(1);
    this.#corrupting = random.fork(2);
    if (lost !== undefined) this.#lost = new Hits(lost, random.fork(3));
    if (corrupted !== undefined) {
      this.#corrupted = new Hits(corrupted, random.fork(4));
    }
    const happens = (
      after: Amount | undefined,
      index: number,
      step: FaultStep,
    ) => {
      if (after === undefined) return;
      const place = random.fork(index).wholeAmount(after);
      this.#events.push({ after: place, step });
    };
    happens(stall?.after, 5, {
      kind: "stall",
      duration: random.fork(6).amount(stall?.duration ?? Infinity),
    });
    happens(halfCloseAfter, 7, { kind: "halfClose" });
    happens(resetAfter, 8, { kind: "reset" });
    this.#events.sort((one, other) => one.after - other.after);
  }

  /**
   * What becomes of the next bytes. At the beginning it is asked with none, as something can happen before the
   * first of them.
   *
   * @param bytes The bytes, whose memory becomes that of the pieces.
   */
  *pass(bytes: Uint8Array): Generator<FaultStep> {
    let start = 0;
    while (true) {
      const event = this.#events.at(0);
      const left = (event?.after ?? Infinity) - this.position;
      if (event !== undefined && left === 0) {
        this.#events.shift();
        yield event.step;
        continue;
      }
      if (start === bytes.length) return;
      const end = Math.min(bytes.length, start + left);
      this.position += end - start;
      yield* this.#cut(this.#damage(bytes.subarray(start, end)));
      start = end;
    }
  }

  /** How long the end of the stream is on the way. */
  endLatency(): number {
    return this.#delaying.amount(this.#latency);
  }

  #damage(bytes: Uint8Array): Uint8Array {
    if (this.#lost === undefined && this.#corrupted === undefined) return bytes;
    let length = 0;
    for (const byte of bytes) {
      // Each is asked about every byte, so that it stays in step with the stream whatever the other says.
      const mask = this.#corrupted?.next()
        ? this.#corrupting.whole({ min: 1, max: 255 })
        : 0;
      if (this.#lost?.next()) {
        this.lost++;
        continue;
      }
      if (mask !== 0) this.corrupted++;
      bytes[length++] = byte ^ mask;
    }
    return bytes.subarray(0, length);
  }

  *#cut(bytes: Uint8Array): Generator<FaultStep> {
    for (let start = 0; start < bytes.length;) {
      if (this.#pieceLeft === 0) {
        this.#pieceLeft = this.#cutting.wholeAmount(this.#cuts);
      }
      const end = Math.min(bytes.length, start + this.#pieceLeft);
      this.#pieceLeft -= end - start;
      yield {
        kind: "piece",
        bytes: bytes.subarray(start, end),
        latency: this.#delaying.amount(this.#latency),
      };
      start = end;
    }
  }
}
