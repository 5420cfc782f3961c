/**
 * Telling the program what happened.
 *
 * @module
 */

/** Calls a listener of the program's, if there is one. A fault there is no reason to drop a connection. */
export function tell<P extends unknown[]>(
  listener: ((...told: P) => void) | undefined,
  ...told: P
): void {
  try {
    const result: unknown = listener?.(...told);
    if (result instanceof Promise) result.catch(() => {});
  } catch {
    return;
  }
}
