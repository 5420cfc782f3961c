/**
 * What goes wrong over TLS, in plain words. The platform's own are made for those who wrote it.
 *
 *     InvalidData: invalid peer certificate: UnknownIssuer
 *       →  Cannot connect with TLS: the certificate of localhost has an unknown issuer: option tls.ca names one
 *
 * @module
 */

import { bytesLiteral } from "../bytes/print_bytes.ts";
import {
  ConnectionError,
  PeerResetError,
  TlsHandshakeError,
} from "../errors.ts";

/** What is known of a handshake beside how it failed. */
export interface Handshake {
  /** What could not be done. */
  action: "accept TLS" | "connect with TLS";
  /** Whose certificate is judged. */
  peer: string;
  /** The application protocols of this side. */
  alpn: readonly string[];
  /** Whether this side showed a certificate that the other may refuse when the handshake is over. */
  shown?: boolean;
}

/** Each alert that a peer sends when it breaks a handshake off, as a clause. */
const ALERTS: readonly (readonly [RegExp, (handshake: Handshake) => string])[] =
  [
    [
      /CertificateRequired/,
      () => "the peer requires a client certificate (tls.cert and tls.key)",
    ],
    [
      /UnknownCA/,
      () =>
        "the peer does not trust this side's certificate: its issuer is unknown there",
    ],
    [
      /CertificateExpired/,
      () =>
        "the peer does not trust this side's certificate: today is not within its dates there",
    ],
    [
      /CertificateRevoked/,
      () =>
        "the peer does not trust this side's certificate: it says it was revoked",
    ],
    [
      /Certificate|AccessDenied/,
      () => "the peer does not trust this side's certificate",
    ],
    [/NoApplicationProtocol/, nothingInCommon],
    [
      /ProtocolVersion|HandshakeFailure|InsufficientSecurity/,
      () => "no version of TLS, or no cipher, in common",
    ],
  ];

/** Each reason of this side, as a clause. */
const REASONS: typeof ALERTS = [
  [
    /NotValidForName|not valid for name|ALTNAME_INVALID/,
    ({ peer }) =>
      `the certificate of the peer is not for ${peer}: option tls.serverName says whom to expect`,
  ],
  [
    /NotValidYet|not valid yet|NOT_YET_VALID/,
    ({ peer }) => `the certificate of ${peer} is not valid yet`,
  ],
  [
    /Expired|expired|HAS_EXPIRED/,
    ({ peer }) => `the certificate of ${peer} has expired`,
  ],
  [
    // The engine says no more than this to a client, whatever the server's certificate lacks.
    /unable to verify the first certificate/,
    ({ peer }) =>
      `the certificate of ${peer} is not to be trusted: its issuer is unknown (option tls.ca names one), or it has expired or is not valid yet`,
  ],
  [
    /UnknownIssuer|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED|CaUsedAsEndEntity/,
    // The engine says the same of a client's certificate of version 1, and of one that is for servers only.
    ({ action, peer }) =>
      action === "accept TLS"
        ? `the certificate of ${peer} has an unknown issuer (option tls.clientCa names one), or is not for clients: it must be of X.509 version 3, and any extendedKeyUsage have clientAuth`
        : `the certificate of ${peer} has an unknown issuer: option tls.ca names one`,
  ],
  [
    /invalid peer certificate/,
    ({ peer }) => `the certificate of ${peer} is not to be trusted`,
  ],
  [
    /no certificates/,
    () =>
      "the peer showed no certificate, and option tls.requireClientCert asks for one",
  ],
  [/known protocol|NO_APPLICATION_PROTOCOL/, nothingInCommon],
  [/InvalidContentType/, () => "the peer does not speak TLS"],
  [
    /NoKxGroupsInCommon|NoCipherSuitesInCommon|incompatible/,
    () => "no version of TLS, or no cipher, in common",
  ],
];

function nothingInCommon({ alpn }: Handshake): string {
  return alpn.length === 0
    ? "no application protocol in common: this side has none (tls.alpn)"
    : `no application protocol in common: this side has ${
      alpn.map((name) => JSON.stringify(name)).join(", ")
    } (tls.alpn)`;
}

function said(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause ? `${cause.message} ${cause.code}` : cause.message;
}

/** What is wrong with the handshake itself, if that can be told from what the platform said. */
function clauseFor(cause: unknown, handshake: Handshake): string | undefined {
  const text = said(cause);
  const alert = /received fatal alert: (\w+)/.exec(text);
  if (alert !== null) {
    const [, name] = alert;
    const known = ALERTS.find(([pattern]) => pattern.test(name));
    return known?.[1](handshake) ?? `the peer broke it off (alert ${name})`;
  }
  return REASONS.find(([pattern]) => pattern.test(text))?.[1](handshake);
}

/** How to speak of a stream that ended where nobody said that it ends. */
function cutStream(cause: unknown, mayBeRefused: boolean): PeerResetError {
  const hint = mayBeRefused
    ? ", before anything came: the peer may have refused tls.cert"
    : "";
  return new PeerResetError(
    `Cannot read: the stream was cut: it ended without close_notify${hint}`,
    { cause },
  );
}

/** A handshake that failed, for a reason of our own words. */
export function handshakeError(
  { action }: Handshake,
  clause: string,
  cause?: unknown,
): TlsHandshakeError {
  return new TlsHandshakeError(`Cannot ${action}: ${clause}`, { cause });
}

/** Makes the error to report of what a handshake failed with. */
export function handshakeFault(
  cause: unknown,
  handshake: Handshake,
): unknown {
  if (
    cause instanceof ConnectionError || cause instanceof Deno.errors.NotCapable
  ) return cause;
  const clause = clauseFor(cause, handshake);
  if (clause !== undefined) return handshakeError(handshake, clause, cause);
  if (cause instanceof Deno.errors.UnexpectedEof) {
    return handshakeError(
      handshake,
      "the peer closed the connection before the handshake was over",
      cause,
    );
  }
  if (
    cause instanceof Deno.errors.ConnectionReset ||
    cause instanceof Deno.errors.BrokenPipe ||
    cause instanceof Deno.errors.ConnectionAborted
  ) {
    return handshakeError(
      handshake,
      "the peer reset the connection before the handshake was over",
      cause,
    );
  }
  return handshakeError(handshake, messageOf(cause), cause);
}

/**
 * Makes the error to report of what reading failed with behind the handshake. A server's refusal of the client's
 * certificate comes only then.
 *
 * @param cause What the platform said.
 * @param handshake What is known of the handshake.
 * @param received Whether anything came since.
 */
export function streamFault(
  cause: unknown,
  handshake: Handshake,
  received: boolean,
): unknown {
  if (cause instanceof Deno.errors.UnexpectedEof) {
    return cutStream(cause, handshake.shown === true && !received);
  }
  const text = said(cause);
  if (
    /received fatal alert: (Certificate|UnknownCA|BadCertificate|AccessDenied|UnsupportedCertificate)/
      .test(text)
  ) {
    return handshakeFault(cause, handshake);
  }
  // What else encryption trips over was not sent by who holds the keys, or was changed on the way.
  return cause instanceof Deno.errors.InvalidData ||
      /ERR_SSL/.test(text)
    ? new ConnectionError(`Cannot go on with TLS: ${messageOf(cause)}`, {
      cause,
    })
    : cause;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error
    ? cause.message.replace(/ \(SSL routines.*\)$/, "")
    : String(cause);
}

/** How other protocols begin that are taken for TLS, or sent to its port. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^(GET|PUT|POST|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /, "HTTP"],
  [/^HTTP\//, "HTTP"],
  [/^SSH-/, "SSH"],
  [/^PROXY /, "a PROXY protocol header"],
  [/^\r\n\r\n\0\r\nQUIT\n/, "a PROXY protocol header"],
];

/**
 * Says what the first bytes of a stream are if they are not TLS.
 *
 * @param bytes The first bytes, or as many as there are.
 * @returns A clause; `undefined` if TLS may begin so.
 */
export function plaintextClause(bytes: Uint8Array): string | undefined {
  // A record of a handshake, or of an alert, of a version whose first number is 3.
  const record = bytes[0] === 22 || bytes[0] === 21;
  if (bytes.length === 0 || record && (bytes[1] ?? 3) === 3) return undefined;
  const seen = bytes.subarray(0, 16);
  const text = String.fromCharCode(...seen);
  const known = BEGINNINGS.find(([beginning]) => beginning.test(text));
  const what = known === undefined
    ? `the bytes ${bytesLiteral(seen.subarray(0, 8))} begin no handshake`
    : `the bytes ${bytesLiteral(seen.subarray(0, 8))} look like ${known[1]}`;
  return `the peer sent plaintext: ${what}`;
}
