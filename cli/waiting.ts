/**
 * Waiting, for programs that show what waiting is.
 *
 * @module
 */

/**
 * Lets time pass.
 *
 * @param duration How long, in milliseconds.
 */
export function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

/**
 * Waits for something, but not for ever. What was waited for goes on.
 *
 * @param work What is waited for.
 * @param patience How long, in milliseconds.
 * @returns What it gives; `undefined` if it takes longer.
 */
export async function within<T>(
  work: Promise<T>,
  patience: number,
): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), patience);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
