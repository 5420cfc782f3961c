/**
 * Unsigned integers as bytes, in either order.
 *
 *     0x01020304   big (network order)  01 02 03 04
 *                  little               04 03 02 01
 *
 * @module
 */

/** The order of a number's bytes: `"big"` is network byte order, most significant byte first. */
export type ByteOrder = "big" | "little";

/** How many bytes an unsigned integer takes. */
export type UintWidth = 1 | 2 | 3 | 4 | 8;

/** The byte order of the machine that this program runs on. */
export const hostByteOrder: ByteOrder =
  new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";

/**
 * The largest value that an unsigned integer of `width` bytes can hold.
 *
 * @param width The number of bytes.
 * @returns The value; for 8 bytes `Number.MAX_SAFE_INTEGER`, the most that a number holds exactly.
 */
export function maxUint(width: UintWidth): number {
  return width === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * width) - 1;
}

/**
 * Reads the unsigned integer of `width` bytes at `position`. The caller sees to it that they are there.
 *
 * @param bytes Where it lies.
 * @param position The index of its first byte.
 * @param width The number of bytes.
 * @param byteOrder The order of its bytes.
 * @returns Its value; one of 8 bytes above `Number.MAX_SAFE_INTEGER` is rounded.
 */
export function readUint(
  bytes: Uint8Array,
  position: number,
  width: UintWidth,
  byteOrder: ByteOrder,
): number {
  // By far the most common one is short enough to become part of what calls it.
  return width === 4 && byteOrder === "big"
    ? bigUint32(bytes, position)
    : readAny(bytes, position, width, byteOrder);
}

function bigUint32(bytes: Uint8Array, p: number): number {
  return (bytes[p] << 24 | bytes[p + 1] << 16 | bytes[p + 2] << 8 |
    bytes[p + 3]) >>> 0;
}

function readAny(
  bytes: Uint8Array,
  p: number,
  width: UintWidth,
  byteOrder: ByteOrder,
): number {
  if (byteOrder === "big") {
    switch (width) {
      case 1:
        return bytes[p];
      case 2:
        return bytes[p] << 8 | bytes[p + 1];
      case 3:
        return bytes[p] << 16 | bytes[p + 1] << 8 | bytes[p + 2];
      case 4:
        return bigUint32(bytes, p);
      case 8:
        return bigUint32(bytes, p) * 2 ** 32 + bigUint32(bytes, p + 4);
    }
  }
  switch (width) {
    case 1:
      return bytes[p];
    case 2:
      return bytes[p] | bytes[p + 1] << 8;
    case 3:
      return bytes[p] | bytes[p + 1] << 8 | bytes[p + 2] << 16;
    case 4:
      return (bytes[p] | bytes[p + 1] << 8 | bytes[p + 2] << 16 |
        bytes[p + 3] << 24) >>> 0;
    case 8:
      return readUint(bytes, p, 4, "little") +
        readUint(bytes, p + 4, 4, "little") * 2 ** 32;
  }
}

/**
 * Writes `value` as an unsigned integer of `width` bytes at `position`. The caller sees to it that it fits.
 *
 * @param bytes Where to.
 * @param position The index of its first byte.
 * @param value The number, from 0 to `maxUint(width)`.
 * @param width The number of bytes.
 * @param byteOrder The order of its bytes.
 */
export function writeUint(
  bytes: Uint8Array,
  position: number,
  value: number,
  width: UintWidth,
  byteOrder: ByteOrder,
): void {
  if (width === 4 && byteOrder === "big") {
    bytes[position] = value >>> 24;
    bytes[position + 1] = value >>> 16;
    bytes[position + 2] = value >>> 8;
    bytes[position + 3] = value;
    return;
  }
  let rest = value; // divided, not shifted: shifts stop at 32 bits
  if (byteOrder === "big") {
    for (let i = position + width - 1; i >= position; i--) {
      bytes[i] = rest;
      rest = Math.floor(rest / 256);
    }
  } else {
    for (let i = position; i < position + width; i++) {
      bytes[i] = rest;
      rest = Math.floor(rest / 256);
    }
  }
}
