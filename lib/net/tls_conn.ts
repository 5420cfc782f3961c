/**
 * What an encrypted connection is, whoever encrypts.
 *
 * @module
 */

import type { ByteConn } from "./framing.ts";

/** What the certificate that a peer showed says, and has been verified to say truly. */
export interface PeerCertificate {
  /** Whom it is about, such as `CN=client,O=Example`. */
  readonly subject: string;
  /** Who signed it. */
  readonly issuer: string;
  /** Its number, in hexadecimal, which with the issuer tells it from all others. */
  readonly serialNumber: string;
  /** The SHA-256 of `raw`, as hexadecimal pairs between colons. */
  readonly fingerprint256: string;
  /** From when on it is valid. */
  readonly validFrom: Date;
  /** Until when it is valid. */
  readonly validTo: Date;
  /** The other names that it is good for, such as `DNS:localhost, IP Address:127.0.0.1`, if it has any. */
  readonly subjectAltName: string | undefined;
  /** The certificate itself, as DER. */
  readonly raw: Uint8Array;
}

/**
 * An encrypted connection. `read` gives `null` only where the peer said that it ends (`close_notify`); a stream
 * that ends without is cut, and rejects.
 */
export interface TlsConn extends ByteConn {
  /** Ends the direction out, behind what was written; reading goes on. */
  closeWrite(): Promise<void>;
  /** The address of the other end. */
  readonly remoteAddr: Deno.NetAddr;
  /** The address of this end. */
  readonly localAddr: Deno.NetAddr;
  /** The application protocol that both sides agreed on, or `null` if they did not speak of one. */
  readonly alpnProtocol: string | null;
  /** The certificate that the peer showed: a server always does, a client if it was asked and has one. */
  readonly peerCertificate: PeerCertificate | undefined;
}
