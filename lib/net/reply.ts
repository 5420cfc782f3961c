/**
 * A handler made of a function from request to response.
 *
 * @module
 */

import { FrameTooLargeError } from "../errors.ts";
import {
  answerTurn,
  END,
  type Framing,
  readFor,
  takeHere,
  type Taker,
} from "./framing.ts";
import type { Handler, PeerInfo, ServedConn } from "./served_connection.ts";

/** Gives the response to a request. */
type Answer<T, W> = (request: T, info: PeerInfo) => W | Promise<W>;

/**
 * Makes a handler that answers every request of a connection, in the order in which they came. It ends with
 * the stream; an error ends the connection. A request that its codec leaves out, by `onOversize: "skip"`, is
 * not answered but reported, and the next one is.
 *
 * @typeParam T The requests.
 * @typeParam W The responses.
 * @param answer Gives the response to a request.
 * @returns The handler, for {@linkcode serve}.
 *
 * @example Usage
 * ```ts
 * import { lines, reply, serve } from "@framewire/framewire";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => line.toUpperCase()));
 * ```
 */
export function reply<T, W = T>(
  answer: (request: T, info: PeerInfo) => W | Promise<W>,
): Handler<T, W> {
  return (peer, info) => {
    const dialogue = new Dialogue(answer, peer, info);
    dialogue.goOn();
    return dialogue.over;
  };
}

/**
 * Owns what is said on a connection. It takes frames as they come, in place of a loop with `await`: a request that is
 * answered at once costs no promise.
 */
class Dialogue<T, W> implements Taker<T, void> {
  readonly closedIsEnd = true;
  #answer: Answer<T, W>;
  #peer: Framing<T, W, ServedConn>;
  #info: PeerInfo;
  #over = Promise.withResolvers<void>();

  constructor(
    answer: Answer<T, W>,
    peer: Framing<T, W, ServedConn>,
    info: PeerInfo,
  ) {
    this.#answer = answer;
    this.#peer = peer;
    this.#info = info;
  }

  /** Is fulfilled at the end of the stream. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Answers what is here, then what comes. */
  goOn(): void {
    try {
      const request = takeHere(this.#peer);
      if (request === undefined) readFor(this.#peer, this);
      else this.take(request);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Answers a request and those behind it that are here; then it waits for the next one, and keeps none of them. */
  take(request: T | typeof END): void {
    let next: T | typeof END | undefined = request;
    try {
      while (next !== undefined) {
        if (next === END) return this.#over.resolve();
        const turn = answerTurn(this.#peer);
        if (turn !== undefined) return this.#takeAfter(turn, next);
        const wait = this.#respond(next);
        if (wait !== undefined) return this.#goOnAfter(wait);
        next = takeHere(this.#peer);
      }
      readFor(this.#peer, this);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends, unless a request was left out that is too long. */
  fail(error: unknown): void {
    const skipped = error instanceof FrameTooLargeError && error.recoverable;
    if (!skipped) return this.#over.reject(error);
    try {
      this.#info.report(error);
    } catch (thrown) {
      return this.#over.reject(thrown);
    }
    this.#goOnAfter(Promise.resolve()); // at once, each of many would be a call inside the last one's
  }

  #goOnAfter(wait: Promise<void>): void {
    wait.then(() => this.goOn(), (error) => this.fail(error));
  }

  /** Asks again when it is time: what one writes is counted before the next one asks. */
  #takeAfter(turn: Promise<void>, request: T): void {
    turn.then(() => this.take(request));
  }

  /** Writes the response; returns a promise if another one is not to be written yet. */
  #respond(request: T): Promise<void> | undefined {
    const response = this.#answer(request, this.#info);
    return response instanceof Promise
      ? this.#writeMade(response)
      : this.#peer.write(response);
  }

  async #writeMade(response: Promise<W>): Promise<void> {
    await this.#peer.write(await response);
  }
}
