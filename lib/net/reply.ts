/**
 * A handler made of a function from request to response.
 *
 * @module
 */

import { FrameTooLargeError } from "../errors.ts";
import { answerTurn } from "./framing.ts";
import type { Handler, PeerInfo } from "./served_connection.ts";

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
    let ended = false;
    while (!ended) {
      try {
        for await (const request of peer) {
          let turn: Promise<void> | undefined;
          while ((turn = answerTurn(peer)) !== undefined) await turn;
          const response = answer(request, info);
          const room = peer.write(
            response instanceof Promise ? await response : response,
          );
          if (room !== undefined) await room;
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
