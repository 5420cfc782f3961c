/**
 * Addresses as people write them.
 *
 *     127.0.0.1:65432    [::1]:65432    unix:/run/app.sock
 *
 * @module
 */

/**
 * Writes an address: `host:port`, with brackets around IPv6, or `unix:path`.
 *
 * @param addr The address of a socket.
 * @returns The text. An IPv4 address that came in over IPv6 is written as IPv4; a Unix socket that has no path
 * is `unix:`.
 *
 * @example Usage
 * ```ts
 * import { formatAddr } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatAddr({ transport: "tcp", hostname: "::1", port: 80 }), "[::1]:80");
 * ```
 */
export function formatAddr(addr: Deno.Addr | undefined): string {
  if (addr === undefined) return "unknown";
  if ("path" in addr) return `unix:${addr.path ?? ""}`;
  if ("cid" in addr) return `vsock:${addr.cid}:${addr.port}`;
  const hostname = addr.hostname.replace(/^::ffff:(?=[0-9.]+$)/i, "");
  return hostname.includes(":")
    ? `[${hostname}]:${addr.port}`
    : `${hostname}:${addr.port}`;
}
