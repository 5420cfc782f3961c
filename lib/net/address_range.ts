/**
 * Ranges of IP addresses, and who is in them.
 *
 *     192.0.2.0/24      192.0.2.7     2001:db8::/32     ::1
 *
 * @module
 */

import { ipv4Bytes, ipv6Bytes } from "../codec/ip_address.ts";

/** The addresses that begin with the same bits. */
export interface AddressRange {
  bytes: number[];
  /** How many bits count. */
  bits: number;
}

/** The 16 bytes of an address; those of IPv4 as they are mapped into IPv6, RFC 4291, section 2.5.5.2. */
function bytesOf(hostname: string): number[] | undefined {
  const ipv4 = ipv4Bytes(hostname);
  if (ipv4 === undefined) return ipv6Bytes(hostname);
  return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ipv4];
}

/**
 * Reads a range: an address, or one with the number of bits that count (RFC 4632, section 3.1).
 *
 * @param text The text.
 * @returns The range.
 * @throws {RangeError} If it is none.
 */
export function addressRange(text: string): AddressRange {
  const [, hostname, bitsText] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = hostname === undefined ? undefined : bytesOf(hostname);
  const mapped = ipv4Bytes(hostname ?? "") === undefined ? 0 : 96;
  const bits = bitsText === undefined ? 128 : mapped + Number(bitsText);
  if (bytes === undefined || bits > 128) {
    throw new RangeError(
      `Cannot serve: "${text}" is no IP address, nor a range such as 192.0.2.0/24`,
    );
  }
  return { bytes, bits };
}

/**
 * Says whether an address is in a range.
 *
 * @param range The range.
 * @param hostname The address, as the platform writes it.
 * @returns Whether it is; what is no IP address is in none.
 */
export function isInRange(range: AddressRange, hostname: string): boolean {
  const bytes = bytesOf(hostname);
  if (bytes === undefined) return false;
  for (let bit = 0; bit < range.bits; bit += 8) {
    const mask = 0xff00 >> Math.min(range.bits - bit, 8);
    const difference = bytes[bit >> 3] ^ range.bytes[bit >> 3];
    if ((difference & mask & 0xff) !== 0) return false;
  }
  return true;
}

/**
 * Writes who an address belongs to, as far as that can be known: of IPv6, people are given 64 bits at the least.
 *
 * @param hostname The address, as the platform writes it.
 * @returns The same text for those that belong together.
 */
export function sameOwner(hostname: string): string {
  const bytes = bytesOf(hostname);
  if (bytes === undefined) return hostname;
  const mapped = bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.slice(0, 10).every((byte) => byte === 0);
  return (mapped ? bytes.slice(12) : bytes.slice(0, 8)).join(".");
}
