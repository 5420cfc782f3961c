/**
 * Many requests at a time over one connection, which is made again whenever it breaks.
 *
 *               ┌──────────────── wait, by the back-off ◄───────────────┐
 *               ▼                                                       │ it may pass
 *     ┌─► connect ──► greet ──► connected ──► it breaks, or ends ───────┤
 *     │                          │     ▲                                │ it is final, or was tried too often
 *     │                          ▼     │                                ▼
 *     │     ask ─► waiting ─► asked ───┤                         given up: all fail
 *     │               ▲          │     └─ answered
 *     │               │          │
 *     └───────────────┴── not a byte of it was sent, or the program allows to send it again;
 *                         what may have been carried out fails otherwise, and says so
 *
 * Each connection has a RequestClient of its own, which tells what was sent from what was not.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  RequestFailedError,
  type RequestState,
  RequestTimeoutError,
  TlsHandshakeError,
} from "../errors.ts";
import { Alarm } from "./alarm.ts";
import { Backoff } from "./backoff.ts";
import {
  abortable,
  checkTimeout,
  checkWait,
  MAX_TIMER,
  type WaitOptions,
} from "./deadline.ts";
import type { Framing } from "./framing.ts";
import { checkHeartbeat } from "./heartbeat.ts";
import {
  checkMaxWaiting,
  type CloseRequestClientOptions,
  late,
  RequestClient,
  type RequestClientOptions,
  unanswered,
} from "./request_client.ts";
import { checkAttempts, mayPass, type RetryOptions, sleep } from "./retry.ts";
import { tell } from "./tell.ts";

/** A try to connect. */
export interface ConnectAttempt {
  /** Is aborted when the connection is not wanted any more. */
  signal: AbortSignal;
  /**
   * Which try it is, from 1, since there was a connection that was of use: with it, a program can choose among
   * several servers.
   */
  attempt: number;
}

/** What is known of a connection that was made. */
export interface ConnectedInfo {
  /** The address of the other end, if the connection has one. */
  remoteAddr: Deno.Addr | undefined;
  /** The address of this end, if the connection has one. */
  localAddr: Deno.Addr | undefined;
  /** How many tries it took. */
  attempt: number;
}

/** What comes after a connection that broke, or that could not be made. */
export interface DisconnectedInfo {
  /** How long is waited before the next try, in milliseconds; `undefined` if there is none. */
  delay: number | undefined;
  /** How many tries have failed in a row; 0 if a connection broke that had been of use. */
  failures: number;
}

/**
 * How a {@linkcode ReconnectingClient} finds out whose an answer is, and what it does without a connection.
 *
 * @typeParam Q The requests.
 * @typeParam A The answers.
 */
export interface ReconnectingClientOptions<Q, A>
  extends RequestClientOptions<Q, A> {
  /**
   * How long to wait before the next try, and when to give up for good: here, `attempts` is `Infinity` unless told
   * otherwise. A connection over which nothing was answered, and which did not last for `maxDelay` either, counts
   * as a try that failed.
   */
  retry?: RetryOptions;
  /**
   * Says whether a request may be sent again that the peer may have carried out already: one that does the same
   * when it is carried out twice. It is also given how many times the request was sent. Without this, such
   * requests fail.
   */
  resend?: (request: Q, sent: number) => boolean;
  /**
   * Is done on each new connection, before anything that was asked is sent: to log in, to subscribe. If it throws,
   * the connection is given up; for good, unless the error is one against which it can help to try again or a
   * {@linkcode RequestFailedError}. If the peer is silent for long meanwhile, a heartbeat may come between.
   */
  greet?: (
    client: RequestClient<Q, A>,
    attempt: ConnectAttempt,
  ) => void | Promise<unknown>;
  /** Is told of each new connection, when it can be asked over. */
  onConnect?: (info: ConnectedInfo) => void;
  /** Is told why there is no connection: it broke, the peer ended it, or it could not be made. */
  onDisconnect?: (error: unknown, info: DisconnectedInfo) => void;
}

/** What a {@linkcode ReconnectingClient} has done. */
export interface ReconnectingClientStats {
  /** Tries to connect. */
  attempts: number;
  /** Those that came to a connection, greeting included. */
  connections: number;
  /** Requests that were accepted by `ask`. */
  asked: number;
  /** Requests that were answered. */
  answered: number;
  /** Requests that failed, for whatever reason. */
  failed: number;
  /** Requests that wait for their answers. */
  waiting: number;
  /** Those among them that wait for a connection. */
  queued: number;
  /** How many times a request went over to the next connection of which not a byte had been sent. */
  moved: number;
  /** How many times a request was sent again that may have been carried out, as `resend` allowed. */
  resent: number;
  /** Answers that nobody waited for. */
  unmatched: number;
}

/** A request that has no answer yet. */
interface Waiting<Q, A> {
  request: Q;
  resolve: (answer: A) => void;
  reject: (reason: unknown) => void;
  timeout: number;
  deadline: number;
  signal: AbortSignal | undefined;
  abort: () => void;
  /** How many connections it was given to. */
  sent: number;
  /** What is known of it, by all connections so far. */
  state: RequestState;
}

/** How a connection ended, or why it was not made. */
interface Fault {
  cause: unknown;
  /** Whether it cannot help to try again. */
  final: boolean;
  /** Whether the connection had been of use. */
  proved: boolean;
}

/** Why nothing can be asked any more. */
interface Ending {
  reason: string;
  cause: unknown;
}

const MAX_WAITING = 1000;
/** The longest delay, unless told otherwise: a connection that lasts as long has proved itself. */
const MAX_DELAY = 10_000;
const CLOSED = "the client was closed";
const GIVEN_UP = "connecting was given up";

/**
 * A client that asks many things at a time over one connection, and connects again whenever that breaks.
 *
 * It says of every request what became of it. One that is answered is answered once. One of which not a byte was
 * sent goes over to the next connection, until its own timeout or signal ends that. One that may have been carried
 * out is never sent again, unless `resend` allows it: it fails with a {@linkcode RequestFailedError} whose `state`
 * is `"unknown"`. What is asked without a connection waits for the next one, at most `maxWaiting` requests.
 *
 * It waits longer after each try that fails, and begins with the shortest wait again only when a connection has
 * been of use. It gives up for good when the error is final, such as a missing permission, or after
 * `retry.attempts` tries in a row: then everything that waits fails with that cause, and what is asked later fails
 * at once.
 *
 * @typeParam Q The requests.
 * @typeParam A The answers.
 *
 * @example Usage
 * ```ts
 * import { connect, lines, ReconnectingClient, reply, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const shout = reply((line: string) => line.toUpperCase());
 * const first = serve({ port: 0 }, lines(), shout);
 * const { port } = first.addr;
 * await using client = new ReconnectingClient(
 *   ({ signal }) => connect({ port, signal }, lines()),
 *   { timeout: 5_000 },
 * );
 * assertEquals(await client.ask("one"), "ONE");
 *
 * await first.shutdown();
 * await using _second = serve({ port }, lines(), shout);
 * assertEquals(await client.ask("two"), "TWO");
 * ```
 *
 * @example Logging in, and what may be sent again
 * ```ts
 * import { connect, lines, ReconnectingClient, reply, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => `OK ${line}`));
 * const { port } = server.addr;
 * await using client = new ReconnectingClient<string, string>(
 *   ({ signal }) => connect({ port, signal }, lines()),
 *   {
 *     async greet(client) {
 *       const answer = await client.ask("LOGIN secret");
 *       if (!answer.startsWith("OK")) throw new Error(`Cannot log in: ${answer}`);
 *     },
 *     resend: (request, sent) => request.startsWith("GET ") && sent < 3,
 *     retry: { attempts: 10 },
 *   },
 * );
 * assertEquals(await client.ask("GET price"), "OK GET price");
 * ```
 */
export class ReconnectingClient<Q, A> implements AsyncDisposable {
  #connect: (attempt: ConnectAttempt) => Promise<Framing<A, Q>>;
  #options: ReconnectingClientOptions<Q, A>;
  #maxWaiting: number;
  #timeout: number;
  #backoff: Backoff;
  #maxFailures: number;
  /** Tries in a row that failed. */
  #failures = 0;
  /** What can be asked over, if there is a connection. */
  #client: RequestClient<Q, A> | undefined;
  /** All that wait, in the order of the calls. */
  #waiting = new Set<Waiting<Q, A>>();
  /** Those of them that wait for a connection. */
  #queued = new Set<Waiting<Q, A>>();
  #alarm = new Alarm((now) => this.#expire(now));
  #stop = new AbortController();
  #refusal: Ending | undefined;
  #over: Ending | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #ending: Promise<void> | undefined;
  #closed = Promise.withResolvers<void>();
  #running: Promise<void>;
  #attempts = 0;
  #connections = 0;
  #asked = 0;
  #answered = 0;
  #moved = 0;
  #resent = 0;
  #unmatched = 0;

  /**
   * Makes a client, and begins to connect.
   *
   * @param connect Connects; each time the connection is the client's.
   * @param options Whose an answer is, how much may wait, and what is done without a connection.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    connect: (attempt: ConnectAttempt) => Promise<Framing<A, Q>>,
    options: ReconnectingClientOptions<Q, A> = {},
  ) {
    const { maxWaiting = MAX_WAITING, timeout = Infinity, retry = {} } =
      options;
    if (options.heartbeat !== undefined) checkHeartbeat(options.heartbeat);
    this.#connect = connect;
    this.#options = options;
    this.#maxWaiting = checkMaxWaiting(maxWaiting);
    this.#timeout = checkTimeout("timeout", timeout);
    this.#backoff = new Backoff(retry);
    this.#maxFailures = checkAttempts(retry.attempts ?? Infinity);
    this.#closed.promise.catch(() => {}); // nobody has to ask
    this.#running = this.#run().catch((cause) => this.#giveUp(cause));
  }

  /**
   * Is fulfilled when the client was closed by {@linkcode ReconnectingClient.close}. It is rejected with the cause
   * when connecting was given up for good.
   */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Whether there is a connection, as far as is known. */
  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** How many requests wait for their answers. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** What it has done so far. */
  get stats(): ReconnectingClientStats {
    return {
      attempts: this.#attempts,
      connections: this.#connections,
      asked: this.#asked,
      answered: this.#answered,
      failed: this.#asked - this.#answered - this.#waiting.size,
      waiting: this.#waiting.size,
      queued: this.#queued.size,
      moved: this.#moved,
      resent: this.#resent,
      unmatched: this.#unmatched + (this.#client?.stats.unmatched ?? 0),
    };
  }

  /**
   * Sends a request and waits for its answer. Without a connection it waits for one.
   *
   * @param request The request. It is not to be changed before its answer comes.
   * @param options When to give up, connecting included. The client's `timeout` holds if there is none.
   * @returns The answer.
   * @throws {RequestTimeoutError} If no answer came in time.
   * @throws {RequestFailedError} If the connection broke when the request may have been sent; if connecting was
   * given up or the client was closed before the answer came; if that was so already, or too much waits. Its
   * `state` says whether the request can have been carried out.
   * @throws {FramingError} If the answer came and could not be read, as by {@linkcode RequestClient.ask}.
   * @throws {RangeError} If the request is too long, or its value out of range; nothing is sent.
   * @throws {TypeError} If the request is not of the kind that the codec lays out, has no id, or has one that
   * another request waits with; nothing is sent.
   */
  ask(request: Q, options: WaitOptions = {}): Promise<A> {
    return new Promise((resolve, reject) => {
      const { signal, timeout = this.#timeout } = options;
      checkWait({ signal, timeout });
      this.#checkRoom();
      const waiting: Waiting<Q, A> = {
        request,
        resolve,
        reject,
        timeout,
        deadline: timeout === Infinity ? Infinity : performance.now() + timeout,
        signal,
        abort: () => this.#fail(waiting, signal?.reason),
        sent: 0,
        state: "not sent",
      };
      this.#asked++;
      this.#waiting.add(waiting);
      if (this.#client === undefined) this.#queue(waiting);
      else this.#send(waiting, this.#client, timeout);
    });
  }

  /**
   * Closes the connection, and makes no other. From now on nothing can be asked; those that wait fail at the end
   * of the grace. Closing again can shorten the grace.
   *
   * @param options How long those that wait may still get their answers, over new connections too.
   * @returns A promise that is fulfilled when everything is closed.
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
    await this.#end(CLOSED, cause);
    await this.#running;
    this.#closed.resolve();
  }

  /** Closes at once, as {@linkcode ReconnectingClient.close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Connects, again and again, until it is closed; throws why it gives up. */
  async #run(): Promise<void> {
    const { onDisconnect } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const { cause, final, proved } = await this.#live();
      if (signal.aborted) return;
      if (proved) {
        this.#failures = 0;
        this.#backoff.reset();
      } else this.#failures++;
      const failures = this.#failures;
      if (final || failures >= this.#maxFailures) {
        tell(onDisconnect, cause, { delay: undefined, failures });
        throw final ? cause : tooOften(failures, cause);
      }
      const delay = this.#backoff.fail();
      tell(onDisconnect, cause, { delay, failures });
      await sleep(delay, signal).catch(() => {});
    }
  }

  async #giveUp(cause: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return; // it was closed just now
    await this.#end(GIVEN_UP, cause);
    this.#closed.reject(cause);
  }

  /** One connection, from the try to make it to its end. */
  async #live(): Promise<Fault> {
    const { retry = {}, greet, onConnect } = this.#options;
    const { retryIf = mayPass, maxDelay = MAX_DELAY } = retry;
    const { signal } = this.#stop;
    const attempt: ConnectAttempt = { signal, attempt: this.#failures + 1 };
    let framing: Framing<A, Q>;
    this.#attempts++;
    try {
      framing = await this.#open(attempt);
    } catch (cause) {
      return { cause, final: !retryIf(cause), proved: false };
    }
    const { remoteAddr, localAddr } = framing;
    const client = new RequestClient(framing, {
      ...this.#options,
      maxWaiting: Infinity, // it is seen to here
    });
    try {
      if (greet !== undefined) {
        await abortable(Promise.try(greet, client, attempt), signal);
      }
      signal.throwIfAborted();
    } catch (cause) {
      await client.close();
      const passes = cause instanceof RequestFailedError || retryIf(cause);
      return { cause, final: !passes, proved: false };
    }
    const { answered } = client.stats;
    const begin = performance.now();
    this.#connections++;
    this.#client = client;
    this.#sendQueued(client);
    tell(onConnect, { remoteAddr, localAddr, attempt: attempt.attempt });

    const cause = await client.closed.then(peerEnded, (error) => error);
    this.#client = undefined;
    const { answered: now, unmatched } = client.stats;
    this.#unmatched += unmatched;
    const proved = now > answered || performance.now() - begin >= maxDelay;
    // A server may refuse a client's certificate as late as by its first bytes.
    return { cause, final: cause instanceof TlsHandshakeError, proved };
  }

  /** Connects; a connection that comes when it is not wanted any more is closed. */
  async #open(attempt: ConnectAttempt): Promise<Framing<A, Q>> {
    const opening = Promise.try(this.#connect, attempt);
    try {
      return await abortable(opening, attempt.signal);
    } catch (error) {
      if (attempt.signal.aborted) {
        opening.then((late) => late[Symbol.dispose]()).catch(() => {});
      }
      throw error;
    }
  }

  #checkRoom(): void {
    if (this.#refusal !== undefined) {
      const { reason, cause } = this.#refusal;
      throw new RequestFailedError(`Cannot ask: ${reason}`, {
        state: "not sent",
        cause,
      });
    }
    const givenUp = this.#client?.stats.givenUp ?? 0;
    const taken = this.#waiting.size + givenUp;
    if (taken < this.#maxWaiting) return;
    const without = givenUp === 0 ? "" : `, ${givenUp} of which were given up`;
    throw new RequestFailedError(
      `Cannot ask: ${taken} requests have no answer yet${without}, and maxWaiting is ${this.#maxWaiting}`,
      { state: "not sent" },
    );
  }

  /** Lets a request wait for a connection. */
  #queue(waiting: Waiting<Q, A>): void {
    const { signal } = waiting;
    if (signal?.aborted) {
      this.#fail(waiting, signal.reason);
      return;
    }
    this.#queued.add(waiting);
    signal?.addEventListener("abort", waiting.abort);
    this.#alarm.set(waiting.deadline);
  }

  /** Sends what waits for a connection, in the order of the calls. */
  #sendQueued(client: RequestClient<Q, A>): void {
    const now = performance.now();
    this.#expire(now);
    for (const waiting of this.#waiting) {
      if (!this.#queued.delete(waiting)) continue;
      waiting.signal?.removeEventListener("abort", waiting.abort);
      this.#send(waiting, client, waiting.deadline - now);
    }
  }

  /** Gives a request to a connection. */
  #send(
    waiting: Waiting<Q, A>,
    client: RequestClient<Q, A>,
    timeout: number,
  ): void {
    const { request, signal } = waiting;
    if (waiting.state === "unknown") this.#resent++;
    else if (waiting.sent > 0) this.#moved++;
    waiting.sent++;
    client.ask(request, { signal, timeout }).then(
      (answer) => {
        this.#answered++;
        this.#leave(waiting);
        waiting.resolve(answer);
      },
      (error) => this.#failed(waiting, client, error),
    );
  }

  /** A request failed on a connection. */
  #failed(
    waiting: Waiting<Q, A>,
    client: RequestClient<Q, A>,
    error: unknown,
  ): void {
    const { signal } = waiting;
    const aborted = signal?.aborted && error === signal.reason;
    if (aborted || !(error instanceof RequestFailedError)) {
      this.#fail(waiting, error);
      return;
    }
    if (error.state === "unknown") waiting.state = "unknown";
    if (error instanceof RequestTimeoutError) {
      this.#fail(waiting, late(waiting.timeout, waiting.state));
      return;
    }
    // The connection ended.
    if (this.#over !== undefined) {
      const { reason, cause } = this.#over;
      this.#fail(waiting, unanswered(reason, waiting.state, cause));
    } else if (error.state === "unknown" && !this.#mayResend(waiting)) {
      this.#fail(waiting, error);
    } else {
      this.#queue(waiting);
      const next = this.#client;
      if (next !== undefined && next !== client) this.#sendQueued(next);
    }
  }

  #mayResend({ request, sent }: Waiting<Q, A>): boolean {
    try {
      return this.#options.resend?.(request, sent) ?? false;
    } catch {
      return false; // who cannot say so does not allow it
    }
  }

  /** Gives up those that wait for a connection and whose deadline has passed; says when the next one does. */
  #expire(now: number): number {
    let next = Infinity;
    for (const waiting of this.#queued) {
      const { deadline, timeout, state } = waiting;
      if (deadline > now) next = Math.min(next, deadline);
      else this.#fail(waiting, late(timeout, state));
    }
    return next;
  }

  #fail(waiting: Waiting<Q, A>, reason: unknown): void {
    this.#leave(waiting);
    waiting.reject(reason);
  }

  /** A request does not wait any longer. */
  #leave(waiting: Waiting<Q, A>): void {
    this.#waiting.delete(waiting);
    if (this.#queued.delete(waiting)) {
      waiting.signal?.removeEventListener("abort", waiting.abort);
    }
    if (this.#waiting.size === 0) this.#idle?.resolve();
  }

  /** Ends everything, once. */
  #end(reason: string, cause: unknown): Promise<void> {
    return this.#ending ??= this.#shut(reason, cause);
  }

  async #shut(reason: string, cause: unknown): Promise<void> {
    this.#over = { reason, cause };
    this.#refusal ??= this.#over;
    this.#stop.abort(cause);
    this.#alarm.stop();
    await this.#client?.close(); // what was sent over it fails by that
    for (const waiting of this.#queued) {
      this.#fail(waiting, unanswered(reason, waiting.state, cause));
    }
  }
}

function peerEnded(): ConnectionError {
  return new ConnectionError("Cannot read answer: the peer ended the stream");
}

/** What comes of too many tries. */
function tooOften(failures: number, cause: unknown): ConnectionError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError(
    `Cannot connect: gave up after ${failures} attempts in a row: ${reason}`,
    { cause },
  );
}
