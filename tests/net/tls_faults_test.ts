/**
 * What the platform says when TLS fails, and what it is taken for.
 *
 * @module
 */

import {
  ConnectionError,
  PeerResetError,
  TlsHandshakeError,
} from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import {
  type Handshake,
  handshakeFault,
  plaintextClause,
  streamFault,
} from "../../lib/net/tls_faults.ts";

const CONNECTING: Handshake = {
  action: "connect with TLS",
  peer: "example.org",
  alpn: [],
};
const ACCEPTING: Handshake = {
  action: "accept TLS",
  peer: "the client",
  alpn: ["a/1", "b/1"],
};
const { ConnectionReset, InvalidData, NotCapable, UnexpectedEof } = Deno.errors;

const FAULTS: readonly [cause: Error, handshake: Handshake, clause: string][] =
  [
    [
      new InvalidData("received fatal alert: CertificateRequired"),
      CONNECTING,
      "the peer requires a client certificate (tls.cert and tls.key)",
    ],
    [
      new InvalidData("received fatal alert: NoApplicationProtocol"),
      CONNECTING,
      "no application protocol in common: this side has none (tls.alpn)",
    ],
    [
      new Error("peer doesn't support any known protocol"),
      ACCEPTING,
      'no application protocol in common: this side has "a/1", "b/1" (tls.alpn)',
    ],
    [
      new InvalidData("received fatal alert: BadCertificate"),
      ACCEPTING,
      "the peer does not trust this side's certificate",
    ],
    [
      new InvalidData("received fatal alert: CertificateRevoked"),
      ACCEPTING,
      "the peer does not trust this side's certificate: it says it was revoked",
    ],
    [
      new InvalidData("received fatal alert: ProtocolVersion"),
      CONNECTING,
      "no version of TLS, or no cipher, in common",
    ],
    [
      new InvalidData("received fatal alert: InternalError"),
      CONNECTING,
      "the peer broke it off (alert InternalError)",
    ],
    [
      new InvalidData("invalid peer certificate: BadSignature"),
      CONNECTING,
      "the certificate of example.org is not to be trusted",
    ],
    [
      new UnexpectedEof("tls handshake eof"),
      CONNECTING,
      "the peer closed the connection before the handshake was over",
    ],
    [
      new ConnectionReset("Connection reset by peer (os error 104)"),
      ACCEPTING,
      "the peer reset the connection before the handshake was over",
    ],
    [new Error("something new"), ACCEPTING, "something new"],
  ];

for (const [cause, handshake, clause] of FAULTS) {
  Deno.test(`handshakeFault() says that ${clause}`, () => {
    const error = handshakeFault(cause, handshake);
    assertInstanceOf(error, TlsHandshakeError);
    assertEquals(error.message, `Cannot ${handshake.action}: ${clause}`);
    assertStrictEquals(error.cause, cause);
  });
}

Deno.test("handshakeFault() leaves errors as they are that say enough", () => {
  for (
    const cause of [new NotCapable("--allow-net"), new ConnectionError("No")]
  ) {
    assertStrictEquals(handshakeFault(cause, CONNECTING), cause);
  }
});

Deno.test("streamFault() tells a cut stream, a late refusal and damage apart, and leaves the rest", () => {
  const cut = streamFault(new UnexpectedEof(), CONNECTING, true);
  assertInstanceOf(cut, PeerResetError);
  const refused = streamFault(
    new InvalidData("received fatal alert: CertificateRequired"),
    CONNECTING,
    false,
  );
  assertInstanceOf(refused, TlsHandshakeError);
  const damaged = streamFault(
    new InvalidData("cannot decrypt peer's message"),
    CONNECTING,
    true,
  );
  assertInstanceOf(damaged, ConnectionError);
  assertEquals(
    damaged.message,
    "Cannot go on with TLS: cannot decrypt peer's message",
  );
  const reset = new ConnectionReset();
  assertStrictEquals(streamFault(reset, CONNECTING, true), reset);
});

Deno.test("plaintextClause() lets through what may become a handshake", () => {
  for (const begun of [[], [22], [22, 3], [22, 3, 1, 2, 0]]) {
    assertEquals(plaintextClause(Uint8Array.from(begun)), undefined);
  }
  assertEquals(
    plaintextClause(Uint8Array.of(22, 4)),
    String
      .raw`the peer sent plaintext: the bytes b'\x16\x04' begin no handshake`,
  );
});

Deno.test("plaintextClause() knows a handshake and an alert of TLS, whole or begun", () => {
  for (
    const bytes of [[], [22], [21], [22, 3, 1, 0], [21, 3, 3, 0, 2, 2, 70]]
  ) {
    assertEquals(plaintextClause(new Uint8Array(bytes)), undefined);
  }
  for (const bytes of [[23], [22, 4], [21, 0], [0, 0, 0, 5]]) {
    assert(plaintextClause(new Uint8Array(bytes)) !== undefined);
  }
});
