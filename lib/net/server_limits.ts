/**
 * How long a server's peers may take, and how much they may hold.
 *
 *     connected ── handshakeTimeout ──► ready ── firstFrameTimeout ──► a frame has begun ─┐
 *                                         ▲                                               │ frameTimeout,
 *                                         │ idleTimeout                                   │ minimumRate
 *                                         └──────────────── frame ◄───────────────────────┘
 *     an answer waits ── writeTimeout, without a byte taken ──► closed
 *
 * Time counts against a peer only while the server waits for it: not while a handler works, and not while the
 * connection is paused. One timer of the server looks at all connections, so that each limit may be passed by
 * up to a quarter of the shortest, and by half a second at the most.
 *
 * @module
 */

import { ReadTimeoutError, WriteTimeoutError } from "../errors.ts";
import type { Progress } from "./framing.ts";

/**
 * What the peers of a server may do. Each limit is on unless it is set to `Infinity` (`minimumRate`: to 0), and
 * one that is passed costs the peer its connection; the error says which.
 */
export interface ServerLimits {
  /**
   * How many connections may be open at a time, from 1. What happens to others, `whenFull` says.
   *
   * @default {10_000}
   */
  maxConnections?: number;
  /**
   * How many of them may come from the same address, from 1; of IPv6 the first 64 bits count. Others are
   * refused. Behind a proxy, and where many people share an address, it is those that are counted together.
   *
   * @default {Infinity}
   */
  maxConnectionsPerAddress?: number;
  /**
   * What becomes of those that come when `maxConnections` are open: `"wait"` leaves them in the queue of the
   * system until there is room, `"refuse"` closes them at once.
   *
   * @default {"wait"}
   */
  whenFull?: "wait" | "refuse";
  /**
   * How long it may take until a PROXY header has come and TLS is ready, in milliseconds.
   *
   * @default {10_000}
   */
  handshakeTimeout?: number;
  /**
   * How long it may take until the first frame begins to come, in milliseconds, once a handler reads.
   *
   * @default {60_000}
   */
  firstFrameTimeout?: number;
  /**
   * How long there may be no byte either way while a handler reads, in milliseconds.
   *
   * @default {600_000}
   */
  idleTimeout?: number;
  /**
   * How long a frame that has begun may take to come whole, in milliseconds. While the memory budget is used
   * up, or others are not read from before this very frame has come, it is a tenth. It is not for one that is handed
   * out as it comes, as a {@linkcode FrameBody}.
   *
   * @default {300_000}
   */
  frameTimeout?: number;
  /**
   * How many bytes a second must come of a frame that has begun, on average and from its sixth second on; 0 for
   * any number. Of a {@linkcode FrameBody} it is the average of about a minute.
   *
   * @default {64}
   */
  minimumRate?: number;
  /**
   * How long a peer may take none of the bytes that wait to be sent to it, in milliseconds. The system takes some
   * megabytes for it, and takes more only when a good part of them has left: a peer that reads 10 KB a second keeps
   * to the default. While the memory
   * budget is used up, it is a tenth.
   *
   * @default {120_000}
   */
  writeTimeout?: number;
  /**
   * How long a peer may keep its side open when a handler is done with it and what it wrote is sent, in
   * milliseconds. What comes in that time is thrown away: to close at once would destroy answers on their way.
   *
   * @default {2_000}
   */
  lingerTimeout?: number;
  /**
   * How many bytes all connections may hold together: those that were received and are no frame yet, and those
   * that wait to be sent. From half of it on, no more is read of a frame that has begun by a connection that holds
   * more than an equal share of that, until there is room; at the limit by none, but by one after another.
   *
   * @default {268_435_456}
   */
  memoryBudget?: number;
}

/** The limits that hold where nothing else is said. */
const DEFAULTS: Required<ServerLimits> = {
  maxConnections: 10_000,
  maxConnectionsPerAddress: Infinity,
  whenFull: "wait",
  handshakeTimeout: 10_000,
  firstFrameTimeout: 60_000,
  idleTimeout: 600_000,
  frameTimeout: 300_000,
  minimumRate: 64,
  writeTimeout: 120_000,
  lingerTimeout: 2_000,
  memoryBudget: 256 * 1024 * 1024,
};

/** From when on a frame's rate is judged, in milliseconds. */
const RATE_GRACE = 5_000;
/** How much of a body is judged together, in milliseconds. */
const BODY_WINDOW = 60_000;
const LONGEST_TICK = 500;
const SHORTEST_TICK = 10;
/** How much shorter peers may keep the server waiting while it has no memory left. */
const HURRY = 10;

/**
 * Adds the defaults.
 *
 * @param limits The limits that were given.
 * @returns All of them.
 * @throws {RangeError} If one is out of range.
 */
export function checkLimits(limits: ServerLimits): Required<ServerLimits> {
  const all: Required<ServerLimits> = {
    maxConnections: atLeast(1, "maxConnections", limits),
    maxConnectionsPerAddress: atLeast(1, "maxConnectionsPerAddress", limits),
    whenFull: limits.whenFull ?? DEFAULTS.whenFull,
    handshakeTimeout: atLeast(0, "handshakeTimeout", limits),
    firstFrameTimeout: atLeast(0, "firstFrameTimeout", limits),
    idleTimeout: atLeast(0, "idleTimeout", limits),
    frameTimeout: atLeast(0, "frameTimeout", limits),
    minimumRate: atLeast(0, "minimumRate", limits),
    writeTimeout: atLeast(0, "writeTimeout", limits),
    lingerTimeout: atLeast(0, "lingerTimeout", limits),
    memoryBudget: atLeast(1, "memoryBudget", limits),
  };
  if (all.whenFull !== "wait" && all.whenFull !== "refuse") {
    throw new RangeError(
      `Cannot serve: whenFull must be "wait" or "refuse": it is "${all.whenFull}"`,
    );
  }
  return all;
}

/** The limits that are numbers. */
type Amount = Exclude<keyof ServerLimits, "whenFull">;

function atLeast(least: number, name: Amount, limits: ServerLimits): number {
  const value = limits[name] ?? DEFAULTS[name];
  if (typeof value === "number" && value >= least) return value;
  throw new RangeError(
    `Cannot serve: ${name} must be a number from ${least} on: it is ${value}`,
  );
}

/** How often to look at the connections, in milliseconds. */
export function tickOf(limits: Required<ServerLimits>): number {
  const shortest = Math.min(
    limits.handshakeTimeout,
    limits.firstFrameTimeout,
    limits.idleTimeout,
    limits.frameTimeout,
    limits.writeTimeout,
    limits.lingerTimeout,
  );
  return Math.max(SHORTEST_TICK, Math.min(shortest / 4, LONGEST_TICK));
}

/** Owns the memory of what a peer had done when it was looked at before. */
export class Patience {
  #reads = 0;
  #received = 0;
  #sent = 0;
  /** Since when bytes wait and none is taken. */
  #stalledAt: number;
  /** Since when the server waits for a frame to begin. */
  #waitingAt: number;
  /** Since when there was no byte either way. */
  #quietAt: number;
  /** Since when the frame comes that is coming, and how many bytes had come before that. */
  #frameAt = -1;
  #frameStart = 0;
  /** How many bytes belonged to frames that had ended. */
  #frameEnd = 0;
  /** How many bytes had come when the server last did not wait for any. */
  #credited = 0;

  /**
   * Begins to count.
   *
   * @param now The time, in milliseconds from anywhere.
   */
  constructor(now: number) {
    this.#stalledAt = this.#waitingAt = this.#quietAt = now;
  }

  /**
   * Judges what a peer has done since it was looked at last.
   *
   * @param limits What it may do.
   * @param progress How far it has come.
   * @param now The time.
   * @param hurry Whether the server has no memory left.
   * @returns The error to end the connection with, if a limit is passed.
   */
  judge(
    limits: Required<ServerLimits>,
    progress: Progress,
    now: number,
    hurry: boolean,
  ): ReadTimeoutError | WriteTimeoutError | undefined {
    const { received, sent } = progress;
    const moved = received !== this.#received || sent !== this.#sent;
    if (sent !== this.#sent || progress.pending === 0 || progress.starved) {
      this.#stalledAt = now;
    }
    this.#received = received;
    this.#sent = sent;
    const writeTimeout = hurried(limits.writeTimeout, hurry);
    if (now - this.#stalledAt > writeTimeout) {
      return stalled(progress.pending, writeTimeout);
    }
    if (!progress.waiting) {
      this.#waitingAt = this.#quietAt = now;
      this.#frameAt = -1;
      this.#credited = received;
      return undefined;
    }
    if (moved) this.#quietAt = now;
    const frameEnd = received - progress.buffered;
    // A read that the handler gave up ends no frame.
    if (progress.reads !== this.#reads && frameEnd !== this.#frameEnd) {
      this.#waitingAt = now;
      this.#frameAt = -1;
    }
    this.#reads = progress.reads;
    this.#frameEnd = frameEnd;
    return this.#judgeWait(limits, progress, now, hurry);
  }

  #judgeWait(
    limits: Required<ServerLimits>,
    progress: Progress,
    now: number,
    hurry: boolean,
  ): ReadTimeoutError | WriteTimeoutError | undefined {
    if (progress.insideFrame) {
      if (this.#frameAt < 0) {
        this.#frameAt = now;
        this.#frameStart = Math.max(this.#frameEnd, this.#credited);
      }
      // A body may take as long as it is large, but what came of it long ago is no excuse.
      if (progress.insideBody && now - this.#frameAt > BODY_WINDOW) {
        this.#frameAt = now;
        this.#frameStart = progress.received;
      }
      const frameTimeout = hurried(limits.frameTimeout, hurry);
      const elapsed = now - this.#frameAt;
      if (elapsed > frameTimeout && !progress.insideBody) {
        return timedOut(
          progress,
          frameTimeout,
          `${amount(progress)} came within frameTimeout of ${frameTimeout} ms`,
        );
      }
      const bytes = progress.received - this.#frameStart;
      if (elapsed > RATE_GRACE && bytes * 1000 < limits.minimumRate * elapsed) {
        return timedOut(
          progress,
          Math.round(elapsed),
          `${bytes} bytes of a frame came in ${
            Math.round(elapsed)
          } ms, which is less than minimumRate of ${limits.minimumRate} bytes a second`,
        );
      }
    } else {
      this.#frameAt = -1;
      const { firstFrameTimeout } = limits;
      if (
        progress.frames === 0 && now - this.#waitingAt > firstFrameTimeout
      ) {
        return timedOut(
          progress,
          firstFrameTimeout,
          `none had begun within firstFrameTimeout of ${firstFrameTimeout} ms`,
        );
      }
    }
    const { idleTimeout } = limits;
    if (now - this.#quietAt <= idleTimeout) return undefined;
    return timedOut(
      progress,
      idleTimeout,
      `no byte came or went within idleTimeout of ${idleTimeout} ms`,
    );
  }
}

function hurried(timeout: number, hurry: boolean): number {
  return hurry ? timeout / HURRY : timeout;
}

function amount({ buffered, needed }: Progress): string {
  return needed === undefined
    ? `${buffered} bytes`
    : `${buffered} of ${needed} bytes`;
}

function timedOut(
  { buffered: have, needed: need, stream }: Progress,
  timeout: number,
  what: string,
): ReadTimeoutError {
  const hint = have === 0 ? "" : stream?.resemblance ?? "";
  return new ReadTimeoutError(`Cannot read frame: ${what}${hint}`, {
    timeout,
    have,
    need: have === 0 ? undefined : need,
  });
}

function stalled(pending: number, timeout: number): WriteTimeoutError {
  return new WriteTimeoutError(
    `Cannot write frame: the peer took none of ${pending} bytes within writeTimeout of ${timeout} ms`,
    { timeout, pending },
  );
}
