/**
 * Many requests at a time over one connection.
 *
 *     ask ─► unsent ─────────► laid out ─────────────► answered
 *              │   the peer        │
 *              │   takes more      ├─ in order: the next answer is for the first of these
 *              │                   └─ by id: an answer is for the one whose id it has
 *              │
 *              └─ given up here, it is not sent; given up later, its answer is thrown away
 *
 * One loop reads. One timer is set, for the deadline that is next; an answer does not touch it.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  FramingError,
  RequestFailedError,
  type RequestState,
  RequestTimeoutError,
} from "../errors.ts";
import { Alarm } from "./alarm.ts";
import {
  checkTimeout,
  checkWait,
  MAX_TIMER,
  type WaitOptions,
} from "./deadline.ts";
import type { Framing } from "./framing.ts";
import { type HeartbeatTimes, SilenceWatch } from "./heartbeat.ts";
import { tell } from "./tell.ts";

/**
 * Where requests and answers have their ids. Ids are compared as the keys of a `Map` are.
 *
 * @typeParam Q The requests.
 * @typeParam A The answers.
 */
export interface IdOf<Q, A> {
  /** Gives the id of a request. One is not to be used again while its answer may still come. */
  request: (request: Q) => unknown;
  /** Gives the id of the request that an answer is for; `undefined` if it is for none. */
  response: (answer: A) => unknown;
}

/**
 * How a silent peer is asked whether it is there, and when it is given up.
 *
 * @typeParam Q The requests.
 */
export interface RequestHeartbeat<Q> extends HeartbeatTimes {
  /** Gives the request that asks, such as a ping, with an id that is free if there are ids. */
  request: () => Q;
}

/**
 * How a {@linkcode RequestClient} finds out whose an answer is, and how much may wait.
 *
 * @typeParam Q The requests.
 * @typeParam A The answers.
 */
export interface RequestClientOptions<Q, A> {
  /** Where the ids are. Without it, answers come in the order of the requests. */
  idOf?: IdOf<Q, A>;
  /**
   * How many requests may wait for their answers, from 1; `Infinity` for any number. In order, those that were
   * given up count until their answers have come. Past it, `ask` rejects at once.
   *
   * @default {1000}
   */
  maxWaiting?: number;
  /**
   * The timeout of requests that have none of their own, in milliseconds.
   *
   * @default {Infinity}
   */
  timeout?: number;
  /**
   * Asks when not a byte has come for an interval, and ends the connection with a {@linkcode PeerVanishedError} if
   * none comes then either. Where the peer answers one request after another, it has to answer each of them
   * within the time that this takes. Heartbeats are counted as requests are.
   */
  heartbeat?: RequestHeartbeat<Q>;
  /** Is given the answers that nobody waits for: those that come late and, with ids, those with an unknown one. */
  onUnmatched?: (answer: A) => void;
  /**
   * Is told of answers that could not be read, if it is not known whose they are or if nobody waits for them.
   */
  onError?: (error: FramingError) => void;
}

/** What a {@linkcode RequestClient} has done. */
export interface RequestClientStats {
  /** Requests that were accepted by `ask`. */
  asked: number;
  /** Requests that were answered. */
  answered: number;
  /** Requests that failed, for whatever reason. */
  failed: number;
  /** Requests that wait for their answers. */
  waiting: number;
  /** Those among them that wait to be sent, as the peer is slow. */
  unsent: number;
  /** Requests that were given up and keep their places until their answers come. */
  givenUp: number;
  /** Answers that nobody waited for. */
  unmatched: number;
}

/** How a {@linkcode RequestClient} is closed. */
export interface CloseRequestClientOptions {
  /**
   * How long those that wait may still get their answers, in milliseconds; `Infinity` for as long as it takes.
   *
   * @default {0}
   */
  grace?: number;
}

/** A request that has no answer yet. */
interface Waiting<A> {
  resolve: (answer: A) => void;
  reject: (reason: unknown) => void;
  id: unknown;
  timeout: number;
  deadline: number;
  signal: AbortSignal | undefined;
  abort: () => void;
  /** Where in the stream of bytes sent it begins; `NOT_LAID_OUT` before that is settled. */
  start: number;
  /** The one that was laid out after it. */
  next: Waiting<A> | undefined;
}

/** Why nothing can be asked any more. */
interface Ending {
  reason: string;
  cause: unknown;
}

const NOT_LAID_OUT = Infinity;
const MAX_WAITING = 1000;
const CLOSED = "the client was closed";
const ENDED = "the peer ended the stream";
const BROKEN = "the stream broke";
const VANISHED = "the peer has vanished";

/**
 * A client that asks many things at a time over one connection.
 *
 * Answers come in the order of the requests, which is called pipelining, or in any order if requests and
 * answers have ids. In order, the peer has to answer everything: one that leaves out an answer shifts all
 * behind it, and nobody can notice.
 *
 * What happens to one request happens to that one only. If it is given up, by a timeout or a signal, its answer
 * is thrown away when it comes; in order, it keeps its place until then. When the stream breaks or ends, or the
 * client is closed, all that wait fail with a {@linkcode RequestFailedError}, whose `state` says whether the
 * request can have been carried out. Nothing is ever sent twice.
 *
 * The client owns the connection: nobody else reads from it or closes it. Beside it, what has no answer, such as a
 * notification, may be written to it where answers have ids.
 *
 * @typeParam Q The requests.
 * @typeParam A The answers.
 *
 * @example Answers in the order of the requests
 * ```ts
 * import { connect, lines, reply, RequestClient, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => line.toUpperCase()));
 * const peer = await connect({ port: server.addr.port }, lines());
 * await using client = new RequestClient(peer, { timeout: 5_000 });
 * const answers = await Promise.all([client.ask("one"), client.ask("two")]);
 * assertEquals(answers, ["ONE", "TWO"]);
 * ```
 *
 * @example Answers in any order, by their ids
 * ```ts
 * import { Framing, json, lines, RequestClient } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * type Request = { id: number; method: string };
 * type Answer = { id: number; result: string };
 *
 * const [here, there] = connPair();
 * await using client = new RequestClient<Request, Answer>(
 *   new Framing(here, json<Answer>(lines())),
 *   { idOf: { request: ({ id }) => id, response: ({ id }) => id } },
 * );
 * const first = client.ask({ id: 1, method: "slow" });
 * const second = client.ask({ id: 2, method: "fast" });
 *
 * await using server = new Framing(there, json<Request>(lines()));
 * await server.write({ id: 2, result: "at once" });
 * await server.write({ id: 1, result: "at last" });
 * assertEquals((await first).result, "at last");
 * assertEquals((await second).result, "at once");
 * ```
 */
export class RequestClient<Q, A> implements AsyncDisposable {
  #framing: Framing<A, Q>;
  #idOf: IdOf<Q, A> | undefined;
  #maxWaiting: number;
  #timeout: number;
  #onUnmatched: ((answer: A) => void) | undefined;
  #onError: ((error: FramingError) => void) | undefined;
  /** All that wait, in the order of the calls. */
  #waiting = new Set<Waiting<A>>();
  /** Those of them that are not laid out yet, with their requests. */
  #unsent = new Map<Waiting<A>, Q>();
  /** All that wait, by their ids. */
  #byId = new Map<unknown, Waiting<A>>();
  /** In order, those that are laid out, and those among them that were given up. */
  #first: Waiting<A> | undefined;
  #last: Waiting<A> | undefined;
  #givenUp = 0;
  /** Whether the peer is to take more before anything is laid out. */
  #full = false;
  /** Whether a failure to send would be noticed. */
  #watching = false;
  #alarm = new Alarm((now) => this.#expire(now));
  #watch: SilenceWatch | undefined;
  #asked = 0;
  #answered = 0;
  #unmatched = 0;
  #refusal: Ending | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #ending: Promise<void> | undefined;
  #closed = Promise.withResolvers<void>();

  /**
   * Makes a client of a connection, and begins to read.
   *
   * @param framing The connection, which is the client's from now on. Its `frames` are not to be `"borrowed"`.
   * @param options Whose an answer is, and how much may wait.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    framing: Framing<A, Q>,
    options: RequestClientOptions<Q, A> = {},
  ) {
    const { maxWaiting = MAX_WAITING, timeout = Infinity } = options;
    this.#framing = framing;
    this.#idOf = options.idOf;
    this.#maxWaiting = checkMaxWaiting(maxWaiting);
    this.#timeout = checkTimeout("timeout", timeout);
    this.#onUnmatched = options.onUnmatched;
    this.#onError = options.onError;
    this.#closed.promise.catch(() => {}); // nobody has to ask
    const { heartbeat } = options;
    if (heartbeat !== undefined) {
      this.#watch = new SilenceWatch(
        framing,
        heartbeat,
        () => this.#askHeartbeat(heartbeat.request()),
        (error) => void this.#end(VANISHED, error),
      );
    }
    this.#receive();
  }

  /**
   * Is fulfilled when the connection is closed: by {@linkcode RequestClient.close}, or as the peer ended the
   * stream when nothing waited for an answer. It is rejected with the cause if the stream broke, or ended too
   * early.
   */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** How many requests wait for their answers. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** What it has done so far. */
  get stats(): RequestClientStats {
    return {
      asked: this.#asked,
      answered: this.#answered,
      failed: this.#asked - this.#answered - this.#waiting.size,
      waiting: this.#waiting.size,
      unsent: this.#unsent.size,
      givenUp: this.#givenUp,
      unmatched: this.#unmatched,
    };
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @param request The request. It is laid out at once, or, if the peer is slow, when those before it have left;
   * until then it is not to be changed, nor, if it has 64 KiB or more, before its answer comes.
   * @param options When to give up. The client's `timeout` holds if there is none.
   * @returns The answer.
   * @throws {RequestTimeoutError} If no answer came in time.
   * @throws {RequestFailedError} If the stream broke, or ended, or the client was closed before the answer came;
   * if it was closed already, or too much waits: then `state` is `"not sent"`.
   * @throws {FramingError} If the answer came and could not be read. In order only: by an id it is not known
   * whose it was.
   * @throws {RangeError} If the request is too long, or its value out of range; nothing is sent.
   * @throws {TypeError} If the request is not of the kind that the codec lays out, has no id, or has one that
   * another request waits with; nothing is sent.
   */
  ask(request: Q, options: WaitOptions = {}): Promise<A> {
    return new Promise((resolve, reject) => {
      const { signal, timeout = this.#timeout } = options;
      checkWait({ signal, timeout });
      this.#checkRoom();
      const id = this.#idOf && this.#newId(this.#idOf.request(request));
      const waiting: Waiting<A> = {
        resolve,
        reject,
        id,
        timeout,
        deadline: timeout === Infinity ? Infinity : performance.now() + timeout,
        signal,
        abort: () => this.#giveUp(waiting, signal?.reason),
        start: NOT_LAID_OUT,
        next: undefined,
      };
      this.#asked++;
      this.#waiting.add(waiting);
      if (this.#idOf !== undefined) this.#byId.set(id, waiting);
      if (this.#full || this.#unsent.size > 0) {
        this.#unsent.set(waiting, request);
      } else if (!this.#layOut(waiting, request)) return;
      signal?.addEventListener("abort", waiting.abort);
      this.#alarm.set(waiting.deadline);
    });
  }

  /**
   * Closes the connection. From now on nothing can be asked; those that wait fail at the end of the grace, and
   * what was not sent by then is not sent any more. Closing again can shorten the grace.
   *
   * @param options How long those that wait may still get their answers.
   * @returns A promise that is fulfilled when the connection is closed, however it ended.
   * @throws {RangeError} If the grace is not a duration.
   */
  async close({ grace = 0 }: CloseRequestClientOptions = {}): Promise<void> {
    checkTimeout("grace", grace);
    const cause = new ConnectionClosedError(
      "Cannot read answer: the client was closed on this side",
    );
    this.#refusal ??= { reason: CLOSED, cause };
    if (grace > 0 && this.#waiting.size > 0) {
      const { promise, resolve } = this.#idle ??= Promise.withResolvers<void>();
      const timer = grace > MAX_TIMER ? undefined : setTimeout(resolve, grace);
      await promise;
      clearTimeout(timer);
    }
    await this.#end(CLOSED, cause, "regular");
  }

  /** Closes the connection at once, as {@linkcode RequestClient.close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkRoom(): void {
    if (this.#refusal !== undefined) {
      const { reason, cause } = this.#refusal;
      throw new RequestFailedError(`Cannot ask: ${reason}`, {
        state: "not sent",
        cause,
      });
    }
    const taken = this.#waiting.size + this.#givenUp;
    if (taken < this.#maxWaiting) return;
    const without = this.#givenUp === 0
      ? ""
      : `, ${this.#givenUp} of which were given up`;
    throw new RequestFailedError(
      `Cannot ask: ${taken} requests have no answer yet${without}, and maxWaiting is ${this.#maxWaiting}`,
      { state: "not sent" },
    );
  }

  /** Refuses ids that could not tell whose an answer is. */
  #newId(id: unknown): unknown {
    if (id === undefined) {
      throw new TypeError("Cannot ask: idOf.request gave no id");
    }
    if (this.#byId.has(id)) {
      throw new TypeError(
        `Cannot ask: another request waits with the id ${Deno.inspect(id)}`,
      );
    }
    return id;
  }

  /**
   * Lays a request out, to be sent soon.
   *
   * @returns Whether that could be done.
   */
  #layOut(waiting: Waiting<A>, request: Q): boolean {
    const { bytesSent, pending } = this.#framing.stats;
    let room: Promise<void> | undefined;
    try {
      room = this.#framing.write(request);
    } catch (error) {
      const broken = error instanceof ConnectionError ||
        error instanceof Deno.errors.NotCapable;
      if (broken) this.#end(BROKEN, error);
      else this.#fail(waiting, error);
      return false;
    }
    waiting.start = bytesSent + pending;
    if (this.#idOf === undefined) {
      if (this.#last === undefined) this.#first = waiting;
      else this.#last.next = waiting;
      this.#last = waiting;
    }
    if (room !== undefined) {
      this.#full = true;
      room.then(this.#layOutMore, this.#broke);
    }
    if (!this.#watching) this.#watchSending();
    return true;
  }

  /** The peer has taken enough. */
  #layOutMore = (): void => {
    this.#full = false;
    for (const [waiting, request] of this.#unsent) {
      this.#unsent.delete(waiting);
      this.#layOut(waiting, request);
      if (this.#full) return;
    }
  };

  /** Sees to it that a failure to send is noticed, even if nothing is written or read after it. */
  #watchSending(): void {
    this.#watching = true;
    this.#framing.drain().then(() => {
      this.#watching = false;
      if (this.#framing.stats.pending > 0) this.#watchSending();
    }, this.#broke);
  }

  #broke = (error: unknown): void => void this.#end(BROKEN, error);

  /** Asks whether the peer is there. Whether it answers is seen by the bytes. */
  #askHeartbeat(request: Q): void {
    this.ask(request, { timeout: Infinity }).catch((error) => {
      const ownFault = error instanceof RangeError ||
        error instanceof TypeError;
      if (ownFault) this.#end(BROKEN, error);
    });
  }

  /** The read loop. It ends with the stream. */
  async #receive(): Promise<void> {
    try {
      while (this.#ending === undefined) {
        const answers = await this.#framing.readBatch().catch(unlessFatal);
        if (answers === null) return this.#peerEnded();
        if (answers instanceof FramingError) this.#matchFault(answers);
        else for (const answer of answers) this.#match(answer);
      }
    } catch (error) {
      this.#broke(error);
    }
  }

  #peerEnded(): void {
    const cause = new ConnectionError(
      "Cannot read answer: the peer ended the stream",
    );
    const regular = this.#waiting.size === 0;
    this.#end(ENDED, cause, regular ? "regular" : "broken");
  }

  /** Gives an answer to whom it is for. */
  #match(answer: A): void {
    const waiting = this.#idOf === undefined
      ? this.#takeFirst()
      : this.#byId.get(this.#idOf.response(answer));
    // By chance, or by malice, it may have the id of a request that has not been sent.
    if (
      waiting !== undefined && waiting.start !== NOT_LAID_OUT &&
      this.#leave(waiting)
    ) {
      this.#answered++;
      waiting.resolve(answer);
      return;
    }
    this.#unmatched++;
    tell(this.#onUnmatched, answer);
  }

  /** An answer came that could not be read. */
  #matchFault(error: FramingError): void {
    const waiting = this.#idOf === undefined ? this.#takeFirst() : undefined;
    if (waiting !== undefined && this.#fail(waiting, error)) return;
    this.#unmatched++;
    tell(this.#onError, error);
  }

  /** In order, takes the one that the next answer is for, which may have been given up. */
  #takeFirst(): Waiting<A> {
    const first = this.#first;
    if (first === undefined) {
      throw new ConnectionError(
        "Cannot read answer: it came without a request",
      );
    }
    this.#first = first.next;
    if (this.#first === undefined) this.#last = undefined;
    if (!this.#waiting.has(first)) this.#givenUp--;
    return first;
  }

  #giveUp(waiting: Waiting<A>, reason: unknown): void {
    if (!this.#fail(waiting, reason)) return;
    const keepsPlace = this.#idOf === undefined &&
      waiting.start !== NOT_LAID_OUT;
    if (keepsPlace) this.#givenUp++;
  }

  #fail(waiting: Waiting<A>, reason: unknown): boolean {
    if (!this.#leave(waiting)) return false;
    waiting.reject(reason);
    return true;
  }

  /**
   * A request does not wait any longer.
   *
   * @returns Whether it did.
   */
  #leave(waiting: Waiting<A>): boolean {
    if (!this.#waiting.delete(waiting)) return false;
    this.#unsent.delete(waiting);
    if (this.#idOf !== undefined) this.#byId.delete(waiting.id);
    waiting.signal?.removeEventListener("abort", waiting.abort);
    if (this.#waiting.size === 0) this.#idle?.resolve();
    return true;
  }

  /** Gives up those whose deadline has passed; says when the next one does. */
  #expire(now: number): number {
    let next = Infinity;
    for (const waiting of this.#waiting) {
      const { deadline, timeout } = waiting;
      if (deadline > now) next = Math.min(next, deadline);
      else this.#giveUp(waiting, late(timeout, stateOf(waiting, NOT_LAID_OUT)));
    }
    return next;
  }

  /** Ends everything, once. */
  #end(
    reason: string,
    cause: unknown,
    how: "regular" | "broken" = "broken",
  ): Promise<void> {
    return this.#ending ??= this.#shut(reason, cause, how);
  }

  async #shut(
    reason: string,
    cause: unknown,
    how: "regular" | "broken",
  ): Promise<void> {
    this.#refusal ??= { reason, cause };
    this.#alarm.stop();
    this.#watch?.[Symbol.dispose]();
    // What waits in the send buffer is not sent any more: nobody could be told the answer.
    await this.#framing.close({ signal: AbortSignal.abort() }).catch(() => {});
    // What is left in the count then was given to the connection, unless somebody else closed it: that may
    // have sent more.
    const { bytesSent, pending } = this.#framing.stats;
    const closedByOther = how === "broken" &&
      cause instanceof ConnectionClosedError;
    const given = closedByOther ? NOT_LAID_OUT : bytesSent + pending;
    for (const waiting of this.#waiting) {
      this.#fail(
        waiting,
        unanswered(reason, stateOf(waiting, given), cause),
      );
    }
    if (how === "regular") this.#closed.resolve();
    else this.#closed.reject(cause);
  }
}

/** Throws unless `maxWaiting` is a number of requests. */
export function checkMaxWaiting(maxWaiting: number): number {
  if (maxWaiting >= 1) return maxWaiting;
  throw new RangeError(
    `Cannot make a client: maxWaiting must be at least 1: it is ${maxWaiting}`,
  );
}

const MEANING: Record<RequestState, string> = {
  "not sent": "the request was not sent",
  "unknown": "it is not known whether the request was carried out",
};

/** A request that nobody answers any more. */
export function unanswered(
  reason: string,
  state: RequestState,
  cause: unknown,
): RequestFailedError {
  return new RequestFailedError(
    `Cannot get answer: ${reason}; ${MEANING[state]}`,
    { state, cause },
  );
}

/** A request that was not answered in time. */
export function late(
  timeout: number,
  state: RequestState,
): RequestTimeoutError {
  return new RequestTimeoutError(
    `Cannot get answer: none came within ${timeout} ms; ${MEANING[state]}`,
    { state, timeout },
  );
}

/** What became of a request, when all bytes before `given` may have been sent. */
function stateOf(waiting: Waiting<never>, given: number): RequestState {
  return waiting.start < given ? "unknown" : "not sent";
}

/** Keeps an error behind which reading goes on; throws others. */
function unlessFatal(error: unknown): FramingError {
  if (error instanceof FramingError && error.recoverable) return error;
  throw error;
}
