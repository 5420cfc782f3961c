/**
 * Fills figures into a page of Markdown, of which a reader sees only the figure:
 *
 *     takes <!-- receive-64 / framewire try / ns -->55<!-- --> ns a frame
 *
 * @module
 */

const MARKED = /<!-- ([^<>\n]+? \/ [^<>\n]+?) -->[^<\n]*<!-- -->/g;
/** A marker without an end, or an end without a marker. */
const STRAY = /<!-- (-->|[^<>\n]+? \/ [^<>\n]+? -->)/;

/**
 * Fills in all figures that a page marks.
 *
 * @param page The page.
 * @param figureOf Gives the figure that a marker names; what it throws is thrown.
 * @returns The page with these figures in place of those that it had.
 * @throws {SyntaxError} If a marker has no end on its line, or an end no marker.
 */
export function fillIn(
  page: string,
  figureOf: (marker: string) => string,
): string {
  const stray = STRAY.exec(page.replaceAll(MARKED, ""));
  if (stray !== null) {
    throw new SyntaxError(
      `Cannot fill in figures: ${stray[0]} has no counterpart on its line`,
    );
  }
  return page.replaceAll(
    MARKED,
    (_, marker: string) => `<!-- ${marker} -->${figureOf(marker)}<!-- -->`,
  );
}
