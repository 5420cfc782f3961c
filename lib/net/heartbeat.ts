/**
 * Finding out that a peer has vanished: a cable was pulled, a machine lost power, a firewall forgot the connection.
 * Nothing comes then, not even an end of the stream, and TCP's own keep-alive first asks after two hours.
 *
 *     listening ── not a byte for an interval ──► asking ── not a byte within the timeout ──► vanished
 *         ▲                                         │
 *         └────────────────── bytes ◄───────────────┘
 *
 * One timer, which looks how many bytes have come: frames cost nothing.
 *
 * @module
 */

import { ConnectionError, PeerVanishedError } from "../errors.ts";
import { MAX_TIMER } from "./deadline.ts";
import {
  type AnyFraming,
  endWith,
  type Framing,
  lookAt,
  NOTHING_SEEN,
  ownerOf,
  type Progress,
} from "./framing.ts";

/** When a peer that sends nothing is asked, and when it is given up. */
export interface HeartbeatTimes {
  /**
   * How long not a byte is to come before the peer is asked, in milliseconds, from 1. It may take up to twice as
   * long until that is noticed.
   *
   * @default {30_000}
   */
  interval?: number;
  /**
   * How long not a byte is to come from then on before the connection is ended, in milliseconds, from 1.
   *
   * @default {10_000}
   */
  timeout?: number;
}

/**
 * How a silent peer is asked, and when it is given up.
 *
 * @typeParam W The frames that are written.
 */
export interface HeartbeatOptions<W> extends HeartbeatTimes {
  /**
   * Gives the frame that asks the peer, such as a ping, for which it has to send something back. Without it the
   * peer is not asked: it has to send something in time by itself.
   */
  frame?: () => W;
}

/** What is done when nothing has come until the next look: ask, look once more, give up. */
type Step = "listening" | "asking" | "last look";

/** How long is waited for a last time: bytes may be here that a program that was held up has not read. */
const LAST_LOOK = 20;

/** What was seen of a connection: one for all of them, as one is looked at at a time. */
const progress: Progress = { ...NOTHING_SEEN };

/** Throws unless the times can be waited for. */
export function checkHeartbeat(
  { interval = 30_000, timeout = 10_000 }: HeartbeatTimes,
): Required<HeartbeatTimes> {
  for (const [name, value] of Object.entries({ interval, timeout })) {
    if (value >= 1 && value <= MAX_TIMER) continue;
    throw new RangeError(
      `Cannot watch a peer: ${name} must be a number of milliseconds from 1 to ${MAX_TIMER}: it is ${value}`,
    );
  }
  return { interval, timeout };
}

/** Watches whether bytes come. */
export class SilenceWatch implements Disposable {
  #peer: AnyFraming;
  #interval: number;
  #timeout: number;
  #ask: (() => void) | undefined;
  #end: (error: unknown) => void;
  #received: number;
  #sent = 0;
  #step: Step = "listening";
  /** How long is still to be waited for what was asked for, from the next look on. */
  #left = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /**
   * Begins to watch.
   *
   * @param peer The connection.
   * @param times When to ask, and when to give up.
   * @param ask Asks the peer to send something; without it, it is given up without.
   * @param end Is given the error when the peer has vanished.
   */
  constructor(
    peer: AnyFraming,
    times: HeartbeatTimes,
    ask: (() => void) | undefined,
    end: (error: unknown) => void,
  ) {
    const { interval, timeout } = checkHeartbeat(times);
    this.#peer = peer;
    this.#interval = interval;
    this.#timeout = timeout;
    this.#ask = ask;
    this.#end = end;
    this.#received = this.#lookAtPeer().received;
    this.#next("listening", interval);
  }

  /** Ends watching. */
  [Symbol.dispose](): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Looks what has come, and says when to look next. */
  #look = (): void => {
    const { received, sent, pending, waiting, gone } = this.#lookAtPeer();
    if (gone) return this[Symbol.dispose]();
    // What takes a long frame of ours is alive, and what asks it waits behind that.
    const takes = pending > 0 && sent > this.#sent;
    // Without a read that waits, nobody knows what has come.
    const silent = waiting && !takes && received === this.#received;
    this.#sent = sent;
    this.#received = received;
    if (!silent) this.#next("listening", this.#interval, !waiting);
    else if (this.#step === "listening") this.#askPeer();
    else if (this.#step === "asking") this.#await(this.#left);
    else this.#endWith(this.#vanished());
  };

  #lookAtPeer(): Progress {
    lookAt(ownerOf(this.#peer), progress);
    return progress;
  }

  #next(step: Step, delay: number, idle = false): void {
    if (this.#stopped) return;
    this.#step = step;
    const timer = setTimeout(this.#look, delay);
    // A read that waits keeps the program alive; to look at a connection that may be closed is no reason to.
    if (idle) Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  /** Waits for what was asked for, for so much longer. To look now and then lets it be asked again in time. */
  #await(left: number): void {
    const delay = Math.min(left, this.#interval);
    this.#left = left - delay;
    if (left > 0) this.#next("asking", delay);
    else this.#next("last look", LAST_LOOK);
  }

  #askPeer(): void {
    this.#await(this.#timeout);
    try {
      this.#ask?.();
    } catch (error) {
      // What is closed, or half-closed, cannot be asked. Other faults are the program's.
      if (error instanceof ConnectionError) this[Symbol.dispose]();
      else this.#endWith(error);
    }
  }

  #endWith(error: unknown): void {
    this[Symbol.dispose]();
    this.#end(error);
  }

  #vanished(): PeerVanishedError {
    const silence = this.#interval + this.#timeout;
    const asked = this.#ask === undefined
      ? ""
      : ", and it did not answer a heartbeat";
    return new PeerVanishedError(
      `Cannot read frame: the peer has vanished: not a byte came for ${silence} ms${asked}`,
      { silence },
    );
  }
}

/**
 * Watches a connection, on either side, and ends it when the peer has vanished: who reads or writes then gets a
 * {@linkcode PeerVanishedError}. As long as bytes come, of whatever frame, nothing is sent.
 *
 * The peer has to answer the frame that it is sent, or, if there is none, to send something by itself: a
 * heartbeat on one side may be watched without a frame on the other.
 *
 * Only while a read waits is silence a sign of anything. A program that does not read for a while loses nothing by
 * it, but does not learn in that time that its peer is gone.
 *
 * @typeParam W The frames that are written.
 * @param peer The connection. It goes on to be the caller's.
 * @param options How the peer is asked, and when it is given up.
 * @returns What ends the watch when it is disposed of, to be called before or when the connection is closed. If the
 * codec is switched, silence is watched on, but the peer not asked any more.
 * @throws {RangeError} If a time is out of range.
 *
 * @example A client that notices when its server has vanished
 * ```ts
 * import { Framing, heartbeat, lines, PeerVanishedError } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair();
 * using client = new Framing(here, lines());
 * using server = new Framing(there, lines());
 * using _beat = heartbeat(client, { interval: 20, timeout: 20, frame: () => "PING" });
 * const reading = client.read();
 * assertEquals(await server.read(), "PING");
 * await assertRejects(() => reading, PeerVanishedError);
 * ```
 *
 * @example A server whose clients have to send something every minute
 * ```ts
 * import { heartbeat, lines, serve } from "@framewire/framewire";
 *
 * await using server = serve({ port: 0 }, lines(), async (peer) => {
 *   using _watch = heartbeat(peer, { interval: 60_000 });
 *   for await (const line of peer) await peer.write(`You said ${line}`);
 * });
 * ```
 */
export function heartbeat<W>(
  peer: Framing<unknown, W>,
  options: HeartbeatOptions<W> = {},
): Disposable {
  const { frame } = options;
  const ask = frame && (() => {
    peer.write(frame())?.catch(() => {}); // a failure is told to who reads
  });
  return new SilenceWatch(
    peer,
    options,
    ask,
    (error) => endWith(ownerOf(peer), error),
  );
}
