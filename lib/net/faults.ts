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
 * Says in an error of the platform's where it happened. Its class is what a program looks at, and stays; errors that
 * say enough, or are the program's own, are left as they are.
 *
 * @param what What could not be done, and where.
 * @param error What the platform threw.
 * @returns The same error.
 */
export function located(what: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  const platforms = /^E[A-Z]+$/.test(code) ||
    error.message.startsWith("failed to lookup");
  if (platforms) error.message = `${what}: ${error.message}`;
  return error;
}

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
