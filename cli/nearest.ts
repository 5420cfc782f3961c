/**
 * The known word that somebody may have meant.
 *
 *     --cuont   of --count, --codec   →   --count
 *
 * @module
 */

/** How many letters have to be put in, left out, changed or swapped with their neighbour. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(
        row[j] + 1,
        next[j - 1] + 1,
        row[j - 1] + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j], before[j - 2] + 1);
      }
    }
    before = row;
    row = next;
  }
  return row[b.length];
}

/**
 * Finds the word that is nearest to another.
 *
 * @param word What was written.
 * @param known What could have been written.
 * @returns The nearest; `undefined` if none is near: at most a third of the letters may differ, or that the word is
 * how another begins.
 */
export function nearest(
  word: string,
  known: readonly string[],
): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const one of known) {
    const steps = distance(word, one);
    if (steps < least) {
      best = one;
      least = steps;
    }
  }
  return best ??
    known.find((one) => word.length > 1 && one.startsWith(word));
}

/** `: did you mean "--count"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? "" : `: did you mean ${meant}?`;
}
