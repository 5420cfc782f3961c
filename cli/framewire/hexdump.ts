/**
 * Bytes as a dump, as `hexdump -C` and `xxd` have it.
 *
 *     00000000  00 00 00 05 68 65 6c 6c  6f 0a                    |....hello.|
 *     ───┬────  ───────────────────────┬──────────────────────     ────┬─────
 *     where                       16 bytes a line                  those in ASCII
 *
 * @module
 */

const WIDTH = 16;
const HALF = 8;

/** Bytes in two groups of eight. */
function hexOf(row: Uint8Array): string {
  const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
  const halves = [digits.slice(0, HALF), digits.slice(HALF)];
  return halves.map((half) => half.join(" ").padEnd(3 * HALF - 1)).join("  ");
}

function asciiOf(row: Uint8Array): string {
  return String.fromCharCode(
    ...row.map((byte) => byte >= 0x20 && byte < 0x7f ? byte : 0x2e),
  );
}

/**
 * Lays bytes out as a dump.
 *
 * @param bytes The bytes.
 * @param offset Where the first of them is.
 * @returns The lines.
 */
export function hexdump(bytes: Uint8Array, offset = 0): string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += WIDTH) {
    const row = bytes.subarray(start, start + WIDTH);
    const where = (offset + start).toString(16).padStart(8, "0");
    lines.push(`${where}  ${hexOf(row)}  |${asciiOf(row)}|`);
  }
  return lines;
}
