/**
 * Refusals to write, for checks that reading makes too: their faults are worded as reasons, such as "id must not
 * be 0", in front of which `mapCodec` puts "Cannot decode frame", and this "Cannot write frame".
 *
 * @module
 */

const REFUSAL = "Cannot write frame";

/**
 * Runs what lays a frame out, and words what it throws as refusals to write.
 *
 * @param write Throws reasons.
 * @returns What it returned.
 */
export function orRefuse<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof Error) || error.message.startsWith(REFUSAL)) {
      throw error;
    }
    const Fault = error instanceof RangeError ? RangeError : TypeError;
    throw new Fault(`${REFUSAL}: ${error.message}`, { cause: error });
  }
}

/** Throws unless a number can be laid out. */
export function checkNumber(
  what: string,
  value: number,
  most: number,
  least = 0,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `${what} must be from ${least} to ${most}: it is ${value}`,
  );
}
