/**
 * The client's part of TLS. Without a certificate of its own, the platform does it; with one, the same engine as
 * the server's, as the platform takes no certificate for a connection that is open already, and only for such a one
 * can Nagle's algorithm be switched off.
 *
 * @module
 */

import { Deadline, type WaitOptions } from "./deadline.ts";
import type { TlsConn } from "./tls_conn.ts";
import { EngineConn, loadTls, type Role } from "./tls_engine.ts";
import {
  type Handshake,
  handshakeError,
  handshakeFault,
  streamFault,
} from "./tls_faults.ts";
import { checkAlpn, checkPair } from "./tls_server.ts";

/** How a client encrypts. */
export interface TlsConnectOptions {
  /** Who else signs certificates of servers, beside those whom the platform trusts: certificates as PEM texts. */
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
  { alpn = [], cert, key }: TlsConnectOptions,
): void {
  checkAlpn("connect with TLS", alpn);
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
  const handshake: Handshake = {
    action: "connect with TLS",
    peer: serverName,
    alpn,
  };
  try {
    checkTlsConnect(options);
    conn.setNoDelay(true);
  } catch (error) {
    conn.close();
    throw error;
  }
  const cas = typeof ca === "string" ? [ca] : [...ca];
  if (cert === undefined || key === undefined) {
    return await PlatformConn.open(conn, handshake, {
      hostname: serverName,
      caCerts: cas,
      ...(alpn.length > 0 ? { alpnProtocols: [...alpn] } : {}),
    }, wait);
  }
  const role: Role = {
    ...handshake,
    shown: true,
    event: "secureConnect",
    start: (transport) =>
      loadTls().connect({
        socket: transport,
        host: serverName,
        // The name that a server chooses its certificate by is never an address.
        ...(isAddress(serverName) ? {} : { servername: serverName }),
        cert,
        key,
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

/** A connection that the platform encrypts. */
class PlatformConn implements TlsConn {
  #conn: Deno.TlsConn;
  #handshake: Handshake;
  readonly remoteAddr: Deno.NetAddr;
  readonly localAddr: Deno.NetAddr;
  readonly alpnProtocol: string | null;
  readonly peerCertificate = undefined;

  static async open(
    conn: Deno.TcpConn,
    handshake: Handshake,
    options: Deno.StartTlsOptions,
    wait: WaitOptions,
  ): Promise<PlatformConn> {
    let open: Deno.Conn = conn;
    const { remoteAddr, localAddr } = conn; // the platform's encrypted one lacks a part of them
    try {
      using deadline = Deadline.from(
        wait,
        (timeout) =>
          handshakeError(handshake, `no handshake within ${timeout} ms`),
      );
      const secured = open = await Deno.startTls(conn, options);
      const shaking = secured.handshake();
      const { alpnProtocol } = await (deadline?.wait(shaking) ?? shaking)
        .catch((error) => {
          if (deadline?.passed && error === deadline.reason) throw error;
          throw handshakeFault(error, handshake);
        });
      return new PlatformConn(secured, handshake, {
        remoteAddr,
        localAddr,
        alpnProtocol,
      });
    } catch (error) {
      open.close();
      throw error;
    }
  }

  private constructor(
    conn: Deno.TlsConn,
    handshake: Handshake,
    known: Pick<TlsConn, "remoteAddr" | "localAddr" | "alpnProtocol">,
  ) {
    this.#conn = conn;
    this.#handshake = handshake;
    this.remoteAddr = known.remoteAddr;
    this.localAddr = known.localAddr;
    this.alpnProtocol = known.alpnProtocol;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#conn.read(p).catch((error) => {
      throw streamFault(error, this.#handshake, false);
    });
  }

  write(p: Uint8Array): Promise<number> {
    return this.#conn.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn.close();
  }
}
