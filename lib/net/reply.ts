/**
 * A handler made of a function from request to response.
 *
 * @module
 */

import { FrameTooLargeError } from "../errors.ts";
import { answerTurn, type Framing } from "./framing.ts";
import type { Handler, PeerInfo, ServedConn } from "./served_connection.ts";

const NOTHING: IteratorReturnResult<undefined> = {
  value: undefined,
  done: true,
};

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
  return async (peer, info) => {
    const requests = peer[Symbol.asyncIterator]();
    let ended = false;
    while (!ended) {
      try {
        let next = await requests.next();
        while (!next.done) {
          let turn: Promise<void> | undefined;
          while ((turn = answerTurn(peer)) !== undefined) await turn;
          const room = write(peer, answer(next.value, info));
          next = NOTHING; // who waits for another request is not to keep this one
          if (room !== undefined) await room;
          next = await requests.next();
        }
        ended = true;
      } catch (error) {
        const skipped = error instanceof FrameTooLargeError &&
          error.recoverable;
        if (!skipped) throw error;
        info.report(error);
      }
    }
  };
}

/** Writes a response, as soon as there is one. */
function write<T, W>(
  peer: Framing<T, W, ServedConn>,
  response: W | Promise<W>,
): Promise<void> | undefined {
  return response instanceof Promise
    ? response.then((made) => peer.write(made))
    : peer.write(response);
}
