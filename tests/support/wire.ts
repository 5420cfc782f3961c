/**
 * Bytes as a test writes them down.
 *
 * @module
 */

/** Bytes from text in which each character stands for one: `raw("\x00\x02hi")`. */
export function raw(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Bytes from hexadecimal digits, spaces between them allowed: `hex("00 02 68 69")`. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(digits.replaceAll(" ", ""));
}

/** Text in which each character stands for a byte: the reverse of {@linkcode raw}. */
export function unraw(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The bytes one by one. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => new Uint8Array([byte]));
}
