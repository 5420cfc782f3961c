/**
 * Encryption that begins in the middle: two sides that have agreed on it in clear go on with TLS.
 *
 *     peer ── detach() ──► { conn, remainder: nothing } ── startTls() ──► TlsConn ── new Framing() ──► peer
 *
 * @module
 */

import { bytesLiteral } from "../bytes/print_bytes.ts";
import { TlsHandshakeError } from "../errors.ts";
import type { WaitOptions } from "./deadline.ts";
import type { Detached } from "./framing.ts";
import type { TlsConnectOptions } from "./tls_client.ts";
import type { TlsConn } from "./tls_conn.ts";

/** How a connection that is open goes on encrypted. */
export interface StartTlsOptions extends TlsConnectOptions, WaitOptions {
  /** The name or the address that was connected to: the server's certificate is to be good for it. */
  hostname: string;
  /**
   * Gives up after so many milliseconds; `Infinity` for never.
   *
   * @default {10_000}
   */
  timeout?: number | undefined;
}

const HANDSHAKE_TIMEOUT = 10_000;
/** How many bytes an error shows. */
const SHOWN = 8;

/**
 * Goes on with TLS on a connection that was not encrypted up to here, as the client: what is known as STARTTLS. When
 * both sides have agreed on it, `detach` the connection, give it to this function, and make a `Framing` of what it
 * returns.
 *
 * If it fails the connection is closed. What came before the handshake is an error: nobody knows who sent it, and
 * it would be taken for what the server says.
 *
 * @param detached What {@linkcode Framing.detach} gave.
 * @param options Whom to take the server for, and when to give up.
 * @returns The encrypted connection.
 * @throws {TlsHandshakeError} If the handshake fails or does not end in time, or if bytes came before it.
 *
 * @example Usage
 * ```ts
 * import { connect, Framing, lines, startTls } from "@framewire/framewire";
 *
 * async function connectEncrypted(hostname: string, port: number, ca: string) {
 *   const plain = await connect({ hostname, port }, lines());
 *   await plain.write("STARTTLS");
 *   if (await plain.read() !== "OK") throw new Error("It does not encrypt");
 *   const conn = await startTls(await plain.detach(), { hostname, ca });
 *   return new Framing(conn, lines());
 * }
 * ```
 */
export async function startTls(
  detached: Detached<Deno.TcpConn>,
  options: StartTlsOptions,
): Promise<TlsConn> {
  const { conn, remainder } = detached;
  const { signal, timeout = HANDSHAKE_TIMEOUT, ...tls } = options;
  if (remainder.length > 0) {
    conn.close();
    const shown = bytesLiteral(remainder.subarray(0, SHOWN));
    throw new TlsHandshakeError(
      `Cannot connect with TLS: ${remainder.length} bytes came before the handshake: ${shown}`,
    );
  }
  // Few programs encrypt: others need not load it.
  const { startTls: shakeHands } = await import("./tls_client.ts");
  return await shakeHands(conn, tls, { signal, timeout });
}
