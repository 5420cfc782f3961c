/**
 * Transcripts of programs that send chunks, which TCP may cut as it likes and give in any order.
 *
 * @module
 */

const CHUNK = /^(\w+) b'(.*)' (?:from|to) (connection \d+|127\.0\.0\.1:\d+)$/;
const LINE = /(connection \d+|127\.0\.0\.1:\d+)$/;

/** The lines of each connection, in order; chunks that follow each other are joined. */
export function byConnection(lines: readonly string[]): string[][] {
  const connections = new Map<string, string[]>();
  for (const line of lines) {
    const [name] = line.match(LINE) ?? [line];
    const known = connections.get(name) ?? [];
    connections.set(name, known);
    const before = known.at(-1)?.match(CHUNK);
    const chunk = line.match(CHUNK);
    if (before && chunk && before[1] === chunk[1]) {
      const joined = `b'${before[2]}${chunk[2]}'`;
      known[known.length - 1] = line.replace(/b'.*'/, () => joined);
    } else known.push(line);
  }
  return [...connections.values()];
}
