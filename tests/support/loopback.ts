/**
 * The loopback addresses that this machine has.
 *
 * @module
 */

/** `127.0.0.1`, and `::1` where there is IPv6. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"].filter(
  (hostname) => {
    try {
      Deno.listen({ hostname, port: 0 }).close();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AddrNotAvailable) return false;
      throw error;
    }
  },
);

/** An address as a part of `--allow-net`, or with a port behind it. */
export function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
