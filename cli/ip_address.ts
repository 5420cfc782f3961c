/**
 * IP addresses between text and bytes.
 *
 *     "127.0.0.1"   7f 00 00 01
 *     "::1"         00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
 *
 * @module
 */

const BYTE = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}(\\.${BYTE}){3}$`);
/** What an IPv4 address that came in over IPv6 begins with. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Reads an address.
 *
 * @param text What may be one.
 * @returns Its 4 or 16 bytes; `undefined` if it is none, such as a name.
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (IPV4.test(text)) return Uint8Array.from(text.split("."), Number);
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(text)) return undefined;
  // URLs know every way to write one, and write it in one way only.
  const canonical = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [head, tail] = canonical.split("::").map((part) =>
    part.split(":").filter((group) => group !== "")
  );
  const zeros = Array<string>(8 - head.length - (tail?.length ?? 0)).fill("0");
  const groups = [...head, ...zeros, ...tail ?? []]
    .map((group) => parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/**
 * Writes an address, in the shortest way.
 *
 * @param bytes Its 4 or 16 bytes.
 * @returns The text; an IPv4 address that came in over IPv6 is `::ffff:127.0.0.1`.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (MAPPED.every((byte, place) => bytes[place] === byte)) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  const groups = Array.from(
    { length: 8 },
    (_, place) => (bytes[2 * place] << 8 | bytes[2 * place + 1]).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
