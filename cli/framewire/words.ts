/**
 * A line as words, as `redis-cli` reads it.
 *
 *     SET key "two words"     →  SET  key  two words
 *     SET key "\xff\n"        →  SET  key  the bytes ff 0a
 *     SET key 'it\'s "so"'    →  SET  key  it's "so"
 *
 * @module
 */

const encoder = new TextEncoder();

const LETTERS: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["a", "\x07"],
]);

/** What stands between double quotes, as bytes. */
function doubleQuoted(text: string): number[] {
  const bytes: number[] = [];
  for (
    const [part, hex, letter] of text.matchAll(
      /\\x([0-9a-f]{2})|\\([^])|[^\\]+/gi,
    )
  ) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else {bytes.push(
        ...encoder.encode(letter ? LETTERS.get(letter) ?? letter : part),
      );}
  }
  return bytes;
}

/**
 * Takes a line apart.
 *
 * @param line The line.
 * @returns Its words, as bytes.
 * @throws {SyntaxError} If a quote is not closed, or something stands right behind one that closes.
 */
export function wordsOf(line: string): Uint8Array[] {
  const words: Uint8Array[] = [];
  const word =
    /\s*(?:"((?:\\[^]|[^"\\])*)"(?=\s|$)|'((?:\\'|[^'])*)'(?=\s|$)|([^\s"']\S*))/y;
  while (word.lastIndex < line.trimEnd().length) {
    const start = word.lastIndex;
    const [, double, single, bare] = word.exec(line) ?? [];
    if (double !== undefined) words.push(Uint8Array.from(doubleQuoted(double)));
    else if (single !== undefined) {
      words.push(encoder.encode(single.replaceAll("\\'", "'")));
    } else if (bare !== undefined) words.push(encoder.encode(bare));
    else {
      throw new SyntaxError(
        `quotes must be closed, with a blank behind them: they are not in ${
          line.slice(start).trim()
        }`,
      );
    }
  }
  return words;
}
