/**
 * Rounds: every contender once in each, so that what slows the machine down slows down all of them.
 *
 *     round 1   a b c
 *     round 2   b c a     ratio of a to b: one for each round, of which the median counts
 *     round 3   c a b
 *
 * @module
 */

/** The middle of some numbers, and how far they lie apart. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The middle one, or the mean of the two in the middle. Gives NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  const lower = (sorted.length - 1) >> 1;
  return (sorted[lower] + sorted[upper]) / 2;
}

/** The spread of some numbers; `undefined` if there are none. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** The contenders in the order of a round: each round another one is first. */
export function rotated<T>(contenders: readonly T[], round: number): T[] {
  const first = contenders.length === 0 ? 0 : round % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}

/** Runs every contender once in each round, one after the other. */
export async function inRounds<T>(
  contenders: readonly T[],
  rounds: number,
  run: (contender: T, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      await run(contender, round);
    }
  }
}

/** The ratios of two contenders, one for each round in which both have a figure. */
export function ratios(
  of: readonly (number | undefined)[],
  against: readonly (number | undefined)[],
): number[] {
  return of.flatMap((figure, round) => {
    const other = against[round];
    return figure === undefined || other === undefined ? [] : [figure / other];
  });
}
