/**
 * Checks of the options that codecs are made with.
 *
 * @module
 */

import type { LimitOptions, OversizePolicy } from "./codec.ts";

/** The longest payload that a codec accepts when it was not told otherwise, in bytes. */
export const DEFAULT_MAX_FRAME_LENGTH: number = 1024 * 1024;

/** Throws unless `value` is a whole number from `min` to `max`. */
export function checkInteger(
  name: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot make codec: ${name} must be a number: it is of type ${typeof value}`,
    );
  }
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot make codec: ${name} must be a whole number from ${min} to ${max}: it is ${value}`,
    );
  }
  return value;
}

/** Throws unless `value` is one of `allowed`. */
export function checkOneOf<V extends string | number | boolean>(
  name: string,
  value: V,
  allowed: readonly V[],
): V {
  if (allowed.includes(value)) return value;
  const list = allowed.map((choice) => JSON.stringify(choice)).join(", ");
  const ofTheirType = allowed.some((one) => typeof one === typeof value);
  throw new (ofTheirType ? RangeError : TypeError)(
    `Cannot make codec: ${name} must be one of ${list}: it is ${
      typeof value === "string" ? JSON.stringify(value) : String(value)
    }`,
  );
}

/**
 * The limit options with their defaults.
 *
 * @param options As the caller gave them.
 * @param most The longest payload that the wire can announce.
 */
export function checkLimits(
  options: LimitOptions,
  most: number = Number.MAX_SAFE_INTEGER,
): { limit: number; onOversize: OversizePolicy } {
  return {
    limit: options.maxFrameLength === undefined
      ? Math.min(DEFAULT_MAX_FRAME_LENGTH, most)
      : checkInteger("maxFrameLength", options.maxFrameLength, 0, most),
    onOversize: checkOneOf("onOversize", options.onOversize ?? "error", [
      "error",
      "skip",
    ]),
  };
}
