/**
 * The server's part of TLS: which certificate new connections are shown, and whom it lets in.
 *
 * @module
 */

import type { SecureContext, TLSSocket } from "node:tls";
import type { WaitOptions } from "./deadline.ts";
import type { PeerCertificate, TlsConn } from "./tls_conn.ts";
import { EngineConn, loadTls, type Role } from "./tls_engine.ts";
import { handshakeFault } from "./tls_faults.ts";

/** A certificate and its key, as a server shows them to new connections. */
export interface TlsCertificate {
  /** The certificate, with those between it and its authority behind it, as a PEM text. */
  cert: string;
  /** Its private key, as a PEM text. */
  key: string;
}

/** How a server encrypts. */
export interface TlsServeOptions extends TlsCertificate {
  /**
   * The application protocols that the server speaks, the best first. A client that names others only is refused,
   * one that names none is not.
   *
   * @default {[]}
   */
  alpn?: readonly string[];
  /**
   * Who signs the certificates of clients: certificates as a PEM text. With it, clients are asked for
   * certificates, and one that shows a certificate that is not to be trusted is refused.
   */
  clientCa?: string;
  /**
   * Whether a client that shows no certificate is refused. It takes `clientCa`.
   *
   * @default {true if there is a `clientCa`}
   */
  requireClientCert?: boolean;
}

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

/** Owns the certificate that new connections are shown, and does the server's part of handshakes. */
export class TlsAcceptor {
  #options: TlsServeOptions;
  #context: SecureContext;

  /**
   * Loads the certificate.
   *
   * @param options How to encrypt.
   * @throws {TypeError} If a certificate or the key is none, or they do not belong together, or an option lacks
   * another.
   */
  constructor(options: TlsServeOptions) {
    const { alpn = [], clientCa, requireClientCert = clientCa !== undefined } =
      options;
    if (requireClientCert && clientCa === undefined) {
      throw new TypeError(
        "Cannot serve TLS: requireClientCert takes clientCa, which says whose certificates are good",
      );
    }
    checkAlpn("serve TLS", alpn);
    if (clientCa !== undefined) {
      checkAuthority("serve TLS", "clientCa", clientCa);
    }
    this.#options = { ...options, requireClientCert };
    this.#context = this.#load(options);
  }

  /**
   * Shows new connections another certificate; those that are open go on.
   *
   * @param certificate The certificate and its key.
   * @throws {TypeError} If they are none, or do not belong together; then the old ones stay.
   */
  renew({ cert, key }: TlsCertificate): void {
    this.#context = this.#load({ cert, key });
  }

  /**
   * Does the server's part of the handshake. The connection is the returned one's from now on, and is closed if
   * the handshake fails.
   *
   * @param conn The connection.
   * @param remainder What came from it already.
   * @param wait When to give up.
   * @returns The encrypted connection.
   * @throws {TlsHandshakeError} If the handshake fails, or does not end in time.
   */
  accept(
    conn: Deno.TcpConn,
    remainder: Uint8Array,
    wait: WaitOptions,
  ): Promise<TlsConn> {
    const { alpn = [], clientCa, requireClientCert = false } = this.#options;
    const role: Role = {
      action: "accept TLS",
      peer: "the client",
      alpn,
      event: "secure",
      start: (transport) => {
        const { TLSSocket } = loadTls();
        return new TLSSocket(transport, {
          isServer: true,
          secureContext: this.#context,
          requestCert: clientCa !== undefined,
          rejectUnauthorized: requireClientCert,
          ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
        });
      },
      check(socket, certificate) {
        if (certificate !== undefined) checkVerdict(socket, certificate, role);
        else if (requireClientCert) {
          throw handshakeFault(new Error("peer sent no certificates"), role);
        }
      },
    };
    return EngineConn.open(conn, remainder, role, wait);
  }

  #load({ cert, key }: TlsCertificate): SecureContext {
    checkPair("serve TLS", cert, key);
    const { clientCa } = this.#options;
    return loadTls().createSecureContext({
      cert,
      key,
      ...(clientCa === undefined ? {} : { ca: clientCa }),
    });
  }
}

/**
 * Throws unless the engine says that it has verified the certificate that the client showed. Whatever else is
 * said, or if nothing is said any more by this way, counts as a no.
 */
function checkVerdict(
  socket: TLSSocket,
  { validFrom, validTo }: PeerCertificate,
  role: Role,
): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  const verdict: unknown =
    handle instanceof Object && "verifyError" in handle &&
      typeof handle.verifyError === "function"
      ? handle.verifyError()
      : "the platform did not say whether it is to be trusted";
  if (verdict === "" || verdict === null) return;
  const now = Date.now();
  const why = now > validTo.getTime()
    ? "CERT_HAS_EXPIRED"
    : now < validFrom.getTime()
    ? "CERT_NOT_YET_VALID"
    : verdict instanceof Error
    ? verdict.message
    : String(verdict);
  throw handshakeFault(new Error(why), role);
}

/** Throws unless the names can be told to the peer. */
export function checkAlpn(action: string, alpn: readonly string[]): void {
  for (const name of alpn) {
    const { length } = new TextEncoder().encode(name);
    if (length >= 1 && length <= 255) continue;
    throw new RangeError(
      `Cannot ${action}: a name in alpn must have 1 to 255 bytes: ${
        JSON.stringify(name)
      } has ${length}`,
    );
  }
}

/** Throws unless the text has certificates, and nothing but good ones: the engine leaves bad ones out. */
export function checkAuthority(
  action: string,
  option: string,
  text: string,
): void {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  const found = text.match(CERTIFICATE);
  if (found === null) {
    throw new TypeError(
      `Cannot ${action}: ${option} has no certificate in PEM`,
    );
  }
  for (const one of found) {
    try {
      new X509Certificate(one);
    } catch (cause) {
      throw new TypeError(
        `Cannot ${action}: ${option} has a certificate that is none`,
        { cause },
      );
    }
  }
}

/** Throws unless the texts are a certificate and its own private key. */
export function checkPair(action: string, cert: string, key: string): void {
  const { createPrivateKey, X509Certificate } = process.getBuiltinModule(
    "node:crypto",
  );
  const part = <T>(what: string, load: () => T): T => {
    try {
      return load();
    } catch (cause) {
      throw new TypeError(`Cannot ${action}: ${what}`, { cause });
    }
  };
  const own = part(
    "cert is no certificate in PEM",
    () => new X509Certificate(cert),
  );
  const secret = part(
    "key is no private key in PEM",
    () => createPrivateKey(key),
  );
  if (part("key is of an unknown kind", () => own.checkPrivateKey(secret))) {
    return;
  }
  throw new TypeError(`Cannot ${action}: key is not the key of cert`);
}
