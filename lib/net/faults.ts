/**
 * What the platform's errors mean for a connection, decided in one place.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  PeerResetError,
} from "../errors.ts";

/** The platform's errors for a connection that the peer or the network broke. */
const BROKEN = [
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
  Deno.errors.BrokenPipe,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
];

/** The platform's errors for a connection that this side closed. */
const CLOSED = [Deno.errors.BadResource, Deno.errors.Interrupted];

/**
 * Makes the error to report of one that a connection's `read` or `write` rejected with.
 *
 * @param action What could not be done, such as `read frame`.
 * @param cause What the platform said.
 * @param where How far it had come, as a clause for the end of the message.
 * @returns A `ConnectionError`; a missing permission is left as it is, for it names the flag to add.
 */
export function connectionFault(
  action: string,
  cause: unknown,
  where = "",
): unknown {
  if (
    cause instanceof ConnectionError || cause instanceof Deno.errors.NotCapable
  ) return cause;
  if (BROKEN.some((broken) => cause instanceof broken)) {
    return new PeerResetError(
      `Cannot ${action}: the peer reset the connection${where}`,
      { cause },
    );
  }
  if (CLOSED.some((closed) => cause instanceof closed)) {
    return new ConnectionClosedError(
      `Cannot ${action}: the connection is closed on this side${where}`,
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError(`Cannot ${action}: ${reason}${where}`, { cause });
}
