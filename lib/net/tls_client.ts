/**
 * The client's part of TLS: whom it takes the server for, and who it is itself.
 *
 * It has the server's engine, not the platform's `Deno.startTls`: that one takes no certificate, and what it is to
 * close stays open, out of reach, as long as the peer says nothing inside the handshake or does not read.
 *
 * @module
 */

import type { WaitOptions } from "./deadline.ts";
import type { TlsConn } from "./tls_conn.ts";
import { EngineConn, loadTls, type Role } from "./tls_engine.ts";
import { handshakeFault } from "./tls_faults.ts";
import { checkAlpn, checkAuthority, checkPair } from "./tls_server.ts";

/** How a client encrypts. */
export interface TlsConnectOptions {
  /**
   * Who signs the certificates of servers: certificates as PEM texts.
   *
   * @default {those whom the platform trusts; `DENO_CERT` and `DENO_TLS_CA_STORE` tell it whom}
   */
  ca?: string | readonly string[];
  /**
   * The name or the address that the server's certificate is to be good for.
   *
   * @default {the hostname that is connected to}
   */
  serverName?: string;
  /**
   * The application protocols that the client speaks, the best first.
   *
   * @default {[]}
   */
  alpn?: readonly string[];
  /** The client's own certificate, for a server that asks for one, as a PEM text. It takes `key`. */
  cert?: string;
  /** The private key of `cert`, as a PEM text. */
  key?: string;
}

/** What {@linkcode startTls} takes. */
export interface StartTlsOptions extends TlsConnectOptions {
  /** The name or the address that was connected to. */
  hostname: string;
}

/**
 * Throws if the options cannot be.
 *
 * @param options How to encrypt.
 */
export function checkTlsConnect(
  { ca = [], alpn = [], cert, key }: TlsConnectOptions,
): void {
  checkAlpn("connect with TLS", alpn);
  for (const one of typeof ca === "string" ? [ca] : ca) {
    checkAuthority("connect with TLS", "ca", one);
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError(
      "Cannot connect with TLS: cert and key take each other",
    );
  }
  if (cert !== undefined && key !== undefined) {
    checkPair("connect with TLS", cert, key);
  }
}

/**
 * Does the client's part of the handshake. The connection is the returned one's from now on, and is closed if the
 * handshake fails.
 *
 * @param conn The connection. Nothing is being read from it.
 * @param options How to encrypt.
 * @param wait When to give up.
 * @returns The encrypted connection.
 * @throws {TlsHandshakeError} If the handshake fails, or does not end in time.
 */
export async function startTls(
  conn: Deno.TcpConn,
  options: StartTlsOptions,
  wait: WaitOptions,
): Promise<TlsConn> {
  const { ca = [], hostname, alpn = [], cert, key } = options;
  const { serverName = hostname } = options;
  try {
    checkTlsConnect(options);
  } catch (error) {
    conn.close();
    throw error;
  }
  const cas = typeof ca === "string" ? [ca] : [...ca];
  const role: Role = {
    action: "connect with TLS",
    peer: serverName,
    alpn,
    shown: cert !== undefined,
    event: "secureConnect",
    start: (transport) =>
      loadTls().connect({
        socket: transport,
        host: serverName,
        // The name that a server chooses its certificate by is never an address.
        ...(isAddress(serverName) ? {} : { servername: serverName }),
        ...(cert === undefined ? {} : { cert, key }),
        ...(cas.length > 0 ? { ca: cas } : {}),
        ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      }),
    check(socket) {
      if (socket.authorized) return;
      throw handshakeFault(
        new Error(String(socket.authorizationError)),
        role,
      );
    },
  };
  return await EngineConn.open(conn, new Uint8Array(), role, wait);
}

function isAddress(name: string): boolean {
  return process.getBuiltinModule("node:net").isIP(name) !== 0;
}
