/**
 * Bytes as people read them.
 *
 *     68 69 0a ff   →   b'hi\n\xff'
 *
 * @module
 */

const ESCAPES = new Map([[9, "\\t"], [10, "\\n"], [13, "\\r"], [92, "\\\\"]]);

/**
 * Writes bytes as Python prints them: printable ASCII as it is, the rest escaped.
 *
 * @param bytes The bytes.
 * @returns A literal such as `b'hi\n\xff'`, in double quotes if there are single quotes in it and no double ones.
 *
 * @example Usage
 * ```ts
 * import { bytesLiteral } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(bytesLiteral(new Uint8Array([104, 105, 10, 255])), String.raw`b'hi\n\xff'`);
 * ```
 */
export function bytesLiteral(bytes: Uint8Array): string {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'";
  let text = "";
  for (const byte of bytes) {
    const escape = ESCAPES.get(byte);
    if (escape !== undefined) text += escape;
    else if (byte === quote.charCodeAt(0)) text += "\\" + quote;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += "\\x" + byte.toString(16).padStart(2, "0");
  }
  return `b${quote}${text}${quote}`;
}
