/**
 * The checksum CRC32c (Castagnoli), as in RFC 9260, appendix A.
 *
 * @module
 */

/** The polynomial, its bits in reverse order. */
const POLYNOMIAL = 0x82f63b78;

/**
 * Works the checksum out.
 *
 * @param bytes What it is of.
 * @returns A number of 32 bits.
 */
export function crc32c(bytes: Uint8Array): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      sum = sum >>> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
    }
  }
  return ~sum >>> 0;
}
