/**
 * IP addresses as bytes and as text.
 *
 *     c0 00 02 01                                         192.0.2.1
 *     20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01     2001:db8::1
 *     00 00 00 00 00 00 00 00 00 00 ff ff c0 00 02 01     ::ffff:192.0.2.1
 *
 * @module
 */

/**
 * Reads an IPv4 address: four decimal numbers, no zero on their left, as that would be octal to some.
 *
 * @param text The text.
 * @returns Its 4 bytes; `undefined` if it is none.
 */
export function ipv4Bytes(text: string): number[] | undefined {
  const numbers = text.split(".");
  const valid = numbers.length === 4 &&
    numbers.every((number) =>
      /^(0|[1-9][0-9]{0,2})$/.test(number) && Number(number) < 256
    );
  return valid ? numbers.map(Number) : undefined;
}

/**
 * Reads an IPv6 address, in any of the forms of RFC 4291, section 2.2. It has no zone.
 *
 * @param text The text.
 * @returns Its 16 bytes; `undefined` if it is none.
 */
export function ipv6Bytes(text: string): number[] | undefined {
  const halves = text.split("::");
  const before = groupBytes(halves[0], halves.length === 1);
  if (halves.length === 1) return before?.length === 16 ? before : undefined;
  const after = groupBytes(halves[1], true);
  if (before === undefined || after === undefined) return undefined;
  const zeros = 16 - before.length - after.length;
  if (halves.length > 2 || zeros < 2) return undefined;
  return [...before, ...new Array<number>(zeros).fill(0), ...after];
}

/** The bytes of groups between colons; the last of an address may be in the form of IPv4. */
function groupBytes(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const last = endsAddress && index === groups.length - 1;
    const ipv4 = last ? ipv4Bytes(group) : undefined;
    if (ipv4 !== undefined) {
      bytes.push(...ipv4);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

/**
 * Writes an IPv6 address as hexadecimal groups only, as few and as short as RFC 5952 has them.
 *
 * @param bytes Its 16 bytes.
 * @returns The text.
 */
export function ipv6Text(bytes: ArrayLike<number>): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16),
  );
  const text = groups.join(":");
  // The longest run of zeros, and of several the first, is left out.
  let start = 0;
  let length = 0;
  for (const { 0: zeros, index } of text.matchAll(/\b0(:0)+\b/g)) {
    if (zeros.length <= length) continue;
    start = index;
    length = zeros.length;
  }
  if (length === 0) return text;
  return (text.slice(0, start) || ":") + (text.slice(start + length) || ":");
}

/**
 * Writes an IP address as Deno does: one of IPv4 within IPv6 has its last 4 bytes as IPv4.
 *
 * @param bytes Its 4 or 16 bytes.
 * @returns The text.
 */
export function ipText(bytes: ArrayLike<number>): string {
  const all = Array.from(bytes);
  if (all.length === 4) return all.join(".");
  const isMapped = all.slice(0, 10).every((byte) => byte === 0) &&
    all[10] === 0xff && all[11] === 0xff;
  return isMapped ? `::ffff:${all.slice(12).join(".")}` : ipv6Text(all);
}
