/**
 * What joins two connections and makes their bytes suffer.
 *
 *     near ─► read ─► [ on the way, bounded ] ─► faults, delays ─► write ─► far
 *     near ◄─ write ◄─ delays, faults ◄─ [ on the way, bounded ] ◄─ read ◄─ far
 *
 * @module
 */

import { type Faults, FaultStream, type SeededRandom } from "./fault_plan.ts";

/** One of the connections that are joined. */
export interface LinkEnd {
  /** Reads some bytes; `null` at the end of the stream. */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes some bytes, of memory that is not written to again. */
  write(p: Uint8Array): Promise<number>;
  /** Ends the direction out. */
  closeWrite(): Promise<void>;
  /** Breaks the connection. Its peer can read what has left before. */
  reset(): void;
  /** How long it may take until all that was written has left, in milliseconds. */
  readonly settling?: number;
  /** Closes it; again, does nothing. */
  close(): void;
}

/** What has passed in one direction. */
export interface DirectionStats {
  /** Bytes that were taken from the sender and have met their faults. */
  taken: number;
  /** Bytes that were given to the receiver. */
  delivered: number;
  /** In how many pieces that was. */
  pieces: number;
  /** Bytes that were left out. */
  lost: number;
  /** Bytes that were made others. */
  corrupted: number;
}

/** What has passed in both directions. */
export interface FaultStats {
  /** On the way from `here` to `there`: in a proxy, from the clients to the target. */
  there: DirectionStats;
  /** On the way back. */
  back: DirectionStats;
}

/** The longest time that a timer can be set to. */
const MAX_TIMER = 2 ** 31 - 1;
/** As much as is read at once. */
const MAX_READ = 16 * 1024;
const NO_BYTES = new Uint8Array();

/** What has come from the sender. */
interface Arrival {
  /** The bytes, or what came in place of more. */
  bytes: Uint8Array | "end" | "broken";
  /** When, on the clock of `performance.now()`. */
  time: number;
}

/** One direction. It holds up to `capacity` bytes, then it reads no more. */
class Direction {
  readonly #from: LinkEnd;
  readonly #to: LinkEnd;
  readonly #stream: FaultStream;
  readonly #bandwidth: number;
  readonly #capacity: number;
  #arrivals: Arrival[] = [];
  #held = 0;
  /** When the last byte has left, as far as the bandwidth is concerned. */
  #free = 0;
  #ended = false;
  #stopped = false;
  #stalled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #arrived: (() => void) | undefined;
  #room: (() => void) | undefined;
  #goOn: (() => void) | undefined;
  #delivered = 0;
  #pieces = 0;

  constructor(
    from: LinkEnd,
    to: LinkEnd,
    faults: Faults,
    random: SeededRandom,
    capacity: number,
  ) {
    this.#from = from;
    this.#to = to;
    this.#stream = new FaultStream(faults, random);
    this.#bandwidth = faults.bandwidth ?? Infinity;
    this.#capacity = capacity;
  }

  get stats(): DirectionStats {
    const { position: taken, lost, corrupted } = this.#stream;
    return {
      taken,
      delivered: this.#delivered,
      pieces: this.#pieces,
      lost,
      corrupted,
    };
  }

  /**
   * Passes bytes on until there is nothing more to be done.
   *
   * @returns Whether that is the end of the connection, not of this direction alone.
   */
  async run(): Promise<boolean> {
    this.#takeIn();
    try {
      return await this.#deliver();
    } catch (error) {
      // The receiver is gone. How it went, the sender gets to know: now, or as the link is closed.
      const broken = error instanceof Deno.errors.ConnectionReset;
      if (broken) this.#from.reset();
      return broken;
    }
  }

  /** Ends a stall. */
  resume(): void {
    if (this.#stalled) this.#wake();
  }

  /** Ends it all. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
    this.#arrived?.();
    this.#room?.();
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#goOn?.();
  }

  async #takeIn(): Promise<void> {
    const into = new Uint8Array(Math.min(this.#capacity, MAX_READ));
    try {
      while (!this.#stopped) {
        const room = this.#capacity - this.#held;
        if (room === 0) {
          await new Promise<void>((resolve) => this.#room = resolve);
          continue;
        }
        const count = await this.#from.read(into.subarray(0, room));
        if (count === null) return this.#arrive("end");
        this.#held += count;
        this.#arrive(into.slice(0, count));
      }
    } catch {
      this.#arrive("broken");
    }
  }

  #arrive(bytes: Arrival["bytes"]): void {
    this.#arrivals.push({ bytes, time: performance.now() });
    this.#arrived?.();
  }

  async #deliver(): Promise<boolean> {
    if (await this.#pass(NO_BYTES, 0)) return true;
    while (!this.#stopped) {
      const arrival = this.#arrivals.shift();
      if (arrival === undefined) {
        await new Promise<void>((resolve) => this.#arrived = resolve);
        continue;
      }
      const { bytes, time } = arrival;
      if (bytes === "broken") {
        await this.#settle();
        if (!this.#stopped) this.#to.reset();
        return true;
      }
      if (bytes === "end") {
        await this.#until(time + this.#stream.endLatency());
        if (!this.#stopped) await this.#end();
        return false;
      }
      if (await this.#pass(bytes, time)) return true;
      this.#held -= bytes.length;
      this.#room?.();
    }
    return true;
  }

  /** Does what is to be done with some bytes; returns whether that ended the connection. */
  async #pass(bytes: Uint8Array, time: number): Promise<boolean> {
    for (const step of this.#stream.pass(bytes)) {
      switch (step.kind) {
        case "piece":
          await this.#delay(step.bytes.length, time, step.latency);
          if (this.#stopped) return true;
          if (!this.#ended) await this.#give(step.bytes);
          break;
        case "stall":
          await this.#stall(step.duration);
          if (this.#stopped) return true;
          break;
        case "halfClose":
          await this.#end();
          break;
        case "reset":
          await this.#settle();
          if (this.#stopped) return true;
          this.#from.reset();
          this.#to.reset();
          return true;
      }
    }
    return false;
  }

  async #give(piece: Uint8Array): Promise<void> {
    this.#pieces++;
    for (let sent = 0; sent < piece.length;) {
      const count = await this.#to.write(piece.subarray(sent));
      sent += count;
      this.#delivered += count;
    }
  }

  async #end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#to.closeWrite();
  }

  async #delay(length: number, time: number, latency: number): Promise<void> {
    this.#free = Math.max(this.#free, time) + 1000 * length / this.#bandwidth;
    await this.#until(this.#free + latency);
  }

  async #until(due: number): Promise<void> {
    const left = due - performance.now();
    if (left > 0) await this.#pause(left);
  }

  async #stall(duration: number): Promise<void> {
    this.#stalled = true;
    await this.#pause(duration);
    this.#stalled = false;
    this.#free = performance.now(); // what has come meanwhile takes its time from now on
  }

  /** Waits until a reset does not take along what was written. */
  async #settle(): Promise<void> {
    const { settling = 0 } = this.#to;
    if (settling > 0) await this.#pause(settling);
  }

  async #pause(duration: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      if (duration <= MAX_TIMER) this.#timer = setTimeout(resolve, duration);
    });
  }
}

/** Two connections, joined until both directions are done or something breaks. Then it closes both. */
export class FaultyLink {
  readonly #ends: readonly [near: LinkEnd, far: LinkEnd];
  readonly #there: Direction;
  readonly #back: Direction;
  /** Is fulfilled when nothing passes any more. */
  readonly finished: Promise<void>;

  /** Joins two connections, whose faults and capacity were checked. */
  constructor(
    near: LinkEnd,
    far: LinkEnd,
    faults: { there: Faults; back: Faults },
    random: SeededRandom,
    capacity: number,
  ) {
    this.#ends = [near, far];
    this.#there = new Direction(
      near,
      far,
      faults.there,
      random.fork(0),
      capacity,
    );
    this.#back = new Direction(
      far,
      near,
      faults.back,
      random.fork(1),
      capacity,
    );
    this.finished = this.#run();
  }

  /** What has passed so far. */
  get stats(): FaultStats {
    return { there: this.#there.stats, back: this.#back.stats };
  }

  /** Ends the stalls that last. */
  resume(): void {
    this.#there.resume();
    this.#back.resume();
  }

  /** Closes both connections, and leaves no timer behind. */
  close(): void {
    this.#there.stop();
    this.#back.stop();
    for (const end of this.#ends) end.close();
  }

  async #run(): Promise<void> {
    await Promise.all([this.#there, this.#back].map(async (direction) => {
      if (await direction.run()) this.close();
    }));
    this.close();
  }
}
