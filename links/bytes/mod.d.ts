/**
 * The types of the `@std/bytes` API, for the JavaScript build that
 * `mod.ts` loads. `tests/links_test.ts` holds them to it.
 *
 * @module
 */

/** The bytes of `buffers` one after the other, in an array of their own. */
export function concat(
  buffers: readonly Uint8Array[],
): Uint8Array<ArrayBuffer>;

/** Copies what fits of `src` into `dst` at `offset` (0 if not given), and returns how many bytes that was. */
export function copy(src: Uint8Array, dst: Uint8Array, offset?: number): number;

/** Does `source` end with the bytes of `suffix`? */
export function endsWith(source: Uint8Array, suffix: Uint8Array): boolean;

/** Do `a` and `b` hold the same bytes? */
export function equals(a: Uint8Array, b: Uint8Array): boolean;

/** Do the bytes of `needle` stand together in `source`, at `start` or after it? */
export function includesNeedle(
  source: Uint8Array,
  needle: Uint8Array,
  start?: number,
): boolean;

/** Where `needle` first stands in `source`, at `start` or after it, or -1. */
export function indexOfNeedle(
  source: Uint8Array,
  needle: Uint8Array,
  start?: number,
): number;

/** Where `needle` last stands in `source`, at `start` or before it, or -1. */
export function lastIndexOfNeedle(
  source: Uint8Array,
  needle: Uint8Array,
  start?: number,
): number;

/** The bytes of `source`, `count` times over, in an array of their own. */
export function repeat(
  source: Uint8Array,
  count: number,
): Uint8Array<ArrayBuffer>;

/** Does `source` begin with the bytes of `prefix`? */
export function startsWith(source: Uint8Array, prefix: Uint8Array): boolean;
