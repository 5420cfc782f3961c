import { TlsHandshakeError } from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { startTls } from "../../lib/net/tls_client.ts";
import type { TlsConn } from "../../lib/net/tls_conn.ts";
import { TlsAcceptor, type TlsServeOptions } from "../../lib/net/tls_server.ts";
import { Random } from "../support/random.ts";
import { rejection, tcpPair, writeAll } from "../support/sockets.ts";
import {
  authority,
  CLIENT,
  handshakes,
  NO_BYTES,
  SERVER,
  SOON,
  stranger,
  tlsPair,
  type TlsPairOptions,
} from "../support/tls.ts";

const EXPIRED = await authority.issue({
  name: "expired",
  until: new Date(Date.now() - 60_000),
});
const EARLY = await authority.issue({
  name: "early",
  from: new Date(Date.now() + 600_000),
});
const ELSEWHERE = await authority.issue({
  name: "elsewhere",
  hosts: ["example.org"],
});
const STRANGER = await stranger.issue({ name: "stranger" });
const REQUIRED = { clientCa: authority.cert };
const ASKED = { clientCa: authority.cert, requireClientCert: false };

const bytes = (text: string) => new TextEncoder().encode(text);

/** What one side has in the end: the protocol, and whom it met, or why not. */
function outcome(result: PromiseSettledResult<TlsConn>): string {
  if (result.status === "rejected") {
    assertInstanceOf(result.reason, TlsHandshakeError);
    return result.reason.message;
  }
  const { alpnProtocol, peerCertificate } = result.value;
  return `${alpnProtocol}, ${peerCertificate?.subject ?? "nobody"}`;
}

/** The hello of a client, as it goes over the wire. */
async function clientHello(): Promise<Uint8Array> {
  const [here, there] = await tcpPair();
  const shaking = startTls(here, { hostname: "localhost" }, {});
  const room = new Uint8Array(4096);
  const count = await there.read(room);
  there.close();
  await rejection(shaking);
  return room.slice(0, count ?? 0);
}

const NOBODY = "null, nobody";
const MET = "null, CN=server";
const UNTRUSTED =
  "Cannot connect with TLS: the certificate of localhost is not to be trusted: its issuer is unknown (option tls.ca names one), or it has expired or is not valid yet";
const CASES: readonly [
  name: string,
  options: TlsPairOptions,
  server: string,
  client: string,
][] = [
  ["agrees without application protocols", {}, NOBODY, MET],
  [
    "chooses an application protocol that both have",
    {
      server: { alpn: ["a/2", "a/1"] },
      client: { alpn: ["a/1", "b/1"] },
    },
    "a/1, nobody",
    "a/1, CN=server",
  ],
  [
    "refuses a client that names other application protocols",
    { server: { alpn: ["a/1"] }, client: { alpn: ["b/1"] } },
    'Cannot accept TLS: no application protocol in common: this side has "a/1" (tls.alpn)',
    'Cannot connect with TLS: no application protocol in common: this side has "b/1" (tls.alpn)',
  ],
  [
    "lets a client in that names no application protocol",
    { server: { alpn: ["a/1"] } },
    NOBODY,
    MET,
  ],
  [
    "speaks to a client that names some where the server has none",
    { client: { alpn: ["b/1"] } },
    NOBODY,
    MET,
  ],
  [
    "tells when the client does not know who signed the server's certificate",
    { server: STRANGER },
    "Cannot accept TLS: the peer does not trust this side's certificate: its issuer is unknown there",
    UNTRUSTED,
  ],
  [
    "tells when the server's certificate has expired",
    { server: EXPIRED },
    "Cannot accept TLS: the peer does not trust this side's certificate: today is not within its dates there",
    UNTRUSTED,
  ],
  [
    "tells when the server's certificate is not valid yet",
    { server: EARLY },
    "Cannot accept TLS: the peer does not trust this side's certificate: today is not within its dates there",
    UNTRUSTED,
  ],
  [
    "tells when the server's certificate is for somebody else",
    { server: ELSEWHERE },
    NOBODY,
    "Cannot connect with TLS: the certificate of the peer is not for localhost: option tls.serverName says whom to expect",
  ],
  [
    "is who the client expects by tls.serverName",
    {
      server: ELSEWHERE,
      client: { serverName: "example.org" },
    },
    NOBODY,
    "null, CN=elsewhere",
  ],
  [
    "is good for an address",
    { client: { hostname: "127.0.0.1" } },
    NOBODY,
    MET,
  ],
  [
    "lets a client in whose certificate is good",
    {
      server: REQUIRED,
      client: CLIENT,
    },
    "null, CN=client",
    MET,
  ],
  [
    "lets a client in whose certificate is good, if it has to have none",
    {
      server: ASKED,
      client: CLIENT,
    },
    "null, CN=client",
    MET,
  ],
  [
    "lets a client in without a certificate, if it has to have none",
    { server: ASKED },
    NOBODY,
    MET,
  ],
  [
    "refuses a client without a certificate",
    {
      server: REQUIRED,
    },
    "Cannot accept TLS: the peer showed no certificate, and option tls.requireClientCert asks for one",
    MET,
  ],
  [
    "refuses a client whose certificate somebody else signed",
    {
      server: REQUIRED,
      client: STRANGER,
    },
    "Cannot accept TLS: the certificate of the client has an unknown issuer (option tls.clientCa names one), or is not for clients: it must be of X.509 version 3, and any extendedKeyUsage have clientAuth",
    MET,
  ],
  [
    "refuses it also if it has to have none",
    {
      server: ASKED,
      client: STRANGER,
    },
    "Cannot accept TLS: the certificate of the client has an unknown issuer (option tls.clientCa names one), or is not for clients: it must be of X.509 version 3, and any extendedKeyUsage have clientAuth",
    MET,
  ],
  [
    "refuses a client whose certificate has expired",
    {
      server: REQUIRED,
      client: EXPIRED,
    },
    "Cannot accept TLS: the certificate of the client has expired",
    MET,
  ],
  [
    "refuses a client whose certificate is not valid yet",
    {
      server: REQUIRED,
      client: EARLY,
    },
    "Cannot accept TLS: the certificate of the client is not valid yet",
    MET,
  ],
];

for (const [name, options, server, client] of CASES) {
  Deno.test(`TlsAcceptor ${name}`, async () => {
    const [here, there] = await handshakes(options);
    for (const end of [here, there]) {
      if (end.status === "fulfilled") end.value.close();
    }
    assertEquals([outcome(there), outcome(here)], [server, client]);
  });
}

Deno.test("TlsAcceptor says whose certificate it saw", async () => {
  const [here, there] = await tlsPair({ server: REQUIRED, client: CLIENT });
  const seen = there.peerCertificate;
  assert(seen !== undefined);
  assertEquals([seen.subject, seen.issuer, seen.subjectAltName], [
    "CN=client",
    "CN=Test authority",
    "DNS:localhost, IP Address:127.0.0.1",
  ]);
  assert(seen.validFrom.getTime() < Date.now());
  assert(seen.validTo.getTime() > Date.now());
  const digest = await crypto.subtle.digest("SHA-256", seen.raw.slice());
  assertEquals(
    seen.fingerprint256.replaceAll(":", "").toLowerCase(),
    new Uint8Array(digest).toHex(),
  );
  assertEquals(
    CLIENT.cert.replaceAll(/-----.*-----|\n/g, ""),
    seen.raw.toBase64(),
  );
  here.close();
  there.close();
});

Deno.test("TlsAcceptor tells a client without a certificate why it is refused, behind what it wrote", async () => {
  const [here, there] = await tcpPair();
  const accepting = new TlsAcceptor({ ...SERVER, ...REQUIRED })
    .accept(there, NO_BYTES, SOON);
  const refused = rejection(accepting);
  const client = await startTls(
    here,
    { hostname: "localhost", ca: authority.cert },
    SOON,
  );
  await writeAll(client, new Uint8Array(100_000)).catch(() => {});
  const error = await rejection(client.read(new Uint8Array(10)));
  assertInstanceOf(error, TlsHandshakeError);
  assertEquals(
    error.message,
    "Cannot connect with TLS: the peer requires a client certificate (tls.cert and tls.key)",
  );
  client.close();
  assertInstanceOf(await refused, TlsHandshakeError);
});

Deno.test("TlsAcceptor goes on behind what was read already, wherever that was cut", async () => {
  const hello = await clientHello();
  for (const kept of [0, 1, 5, 6, 100, hello.length]) {
    const [here, there] = await tcpPair();
    const connecting = startTls(
      here,
      { hostname: "localhost", ca: authority.cert },
      SOON,
    );
    const remainder = new Uint8Array(kept);
    for (let have = 0; have < kept;) {
      have += await there.read(remainder.subarray(have)) ?? kept;
    }
    const server = await new TlsAcceptor(SERVER).accept(there, remainder, SOON);
    const client = await connecting;
    await client.write(bytes("hi"));
    assertEquals(await server.read(new Uint8Array(10)), 2);
    client.close();
    server.close();
  }
});

Deno.test("TlsAcceptor.renew() shows new connections another certificate, and lets the others go on", async () => {
  const acceptor = new TlsAcceptor({ ...SERVER, alpn: ["a/1"] });
  async function meet(ca: string): Promise<[TlsConn, TlsConn]> {
    const [here, there] = await tcpPair();
    return await Promise.all([
      startTls(here, { hostname: "localhost", ca, alpn: ["a/1"] }, SOON),
      acceptor.accept(there, NO_BYTES, SOON),
    ]);
  }
  const old = await meet(authority.cert);
  acceptor.renew(STRANGER);
  const renewed = await meet(stranger.cert);
  assertThrows(
    () => acceptor.renew({ cert: SERVER.cert, key: STRANGER.key }),
    TypeError,
    "Cannot serve TLS: key is not the key of cert",
  );
  const kept = await meet(stranger.cert);
  for (const [client, server] of [old, renewed, kept]) {
    assertEquals(client.alpnProtocol, "a/1");
    await server.write(bytes("hello"));
    assertEquals(await client.read(new Uint8Array(10)), 5);
    client.close();
    server.close();
  }
});

const PLAINTEXT: readonly [what: string, sent: string, clause: string][] = [
  [
    "HTTP",
    "GET / HTTP/1.1\r\n\r\n",
    "the bytes b'GET / HT' look like HTTP",
  ],
  ["SSH", "SSH-2.0-x\r\n", "the bytes b'SSH-2.0-' look like SSH"],
  [
    "a PROXY header",
    "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
    "the bytes b'PROXY TC' look like a PROXY protocol header",
  ],
  [
    "a frame",
    "\0\0\0\x05hello",
    String.raw`the bytes b'\x00\x00\x00\x05hell' begin no handshake`,
  ],
  [
    "one byte",
    "h",
    "the bytes b'h' begin no handshake",
  ],
];

for (const [what, sent, clause] of PLAINTEXT) {
  Deno.test(`TlsAcceptor knows plaintext that begins with ${what}`, async () => {
    const [here, there] = await tcpPair();
    await here.write(Uint8Array.from(sent, (c) => c.charCodeAt(0)));
    await assertRejects(
      () => new TlsAcceptor(SERVER).accept(there, NO_BYTES, SOON),
      TlsHandshakeError,
      `Cannot accept TLS: the peer sent plaintext: ${clause}`,
    );
    here.close();
  });
}

Deno.test("TlsAcceptor refuses garbage that begins as a handshake does", async () => {
  const random = new Random(20250607);
  for (let run = 0; run < 50; run++) {
    const [here, there] = await tcpPair();
    const garbage = random.bytes(6 + random.below(2000));
    garbage.set([22, 3, 1]);
    await here.write(garbage);
    await here.closeWrite();
    const error = await rejection(
      new TlsAcceptor(SERVER).accept(there, NO_BYTES, SOON),
    );
    assertInstanceOf(error, TlsHandshakeError, `seed ${random.seed}`);
    here.close();
  }
});

Deno.test("TlsAcceptor tells when the peer closes, at every byte of the hello", async () => {
  const hello = await clientHello();
  const acceptor = new TlsAcceptor(SERVER);
  const told = new Set<string>();
  for (let cut = 0; cut < hello.length; cut++) {
    const [here, there] = await tcpPair();
    const accepting = rejection(acceptor.accept(there, NO_BYTES, SOON));
    await here.write(hello.subarray(0, cut));
    here.close();
    const error = await accepting;
    assertInstanceOf(error, TlsHandshakeError);
    told.add(error.message);
  }
  assertEquals([...told], [
    "Cannot accept TLS: the peer closed the connection before the handshake was over",
  ]);
});

Deno.test("TlsAcceptor tells when the peer resets the connection inside the handshake", async () => {
  const hello = await clientHello();
  const [here, there] = await tcpPair();
  const accepting = rejection(
    new TlsAcceptor(SERVER).accept(there, NO_BYTES, SOON),
  );
  await here.write(hello);
  await new Promise((resolve) => setTimeout(resolve, 50)); // the answer comes, and is not read
  here.close();
  const error = await accepting;
  assertInstanceOf(error, TlsHandshakeError);
  assert(
    /the peer (reset|closed) the connection before/.test(error.message),
    error.message,
  );
});

Deno.test("TlsAcceptor gives up 200 handshakes that do not go on, and is unharmed", async () => {
  const hello = await clientHello();
  const acceptor = new TlsAcceptor(SERVER);
  const peers: Deno.TcpConn[] = [];
  const refused: Promise<unknown>[] = [];
  for (let index = 0; index < 200; index++) {
    const [here, there] = await tcpPair();
    peers.push(here);
    await here.write(hello.subarray(0, index));
    refused.push(rejection(acceptor.accept(there, NO_BYTES, { timeout: 300 })));
  }
  const [here, there] = await tcpPair();
  const [client, server] = await Promise.all([
    startTls(here, { hostname: "localhost", ca: authority.cert }, SOON),
    acceptor.accept(there, NO_BYTES, SOON),
  ]);
  client.close();
  server.close();
  for (const error of await Promise.all(refused)) {
    assertInstanceOf(error, TlsHandshakeError);
    assertEquals(
      error.message,
      "Cannot accept TLS: no handshake within 300 ms",
    );
  }
  for (const peer of peers) {
    // The server has closed them.
    const rest = await peer.read(new Uint8Array(10)).catch(() => null);
    assertEquals(rest, null);
    peer.close();
  }
});

Deno.test("TlsAcceptor gives up when it is told to", async () => {
  const [here, there] = await tcpPair();
  const stop = new AbortController();
  const accepting = rejection(
    new TlsAcceptor(SERVER).accept(there, NO_BYTES, { signal: stop.signal }),
  );
  stop.abort(new Error("Enough"));
  assertEquals((await accepting as Error).message, "Enough");
  assertEquals(await here.read(new Uint8Array(10)), null);
  here.close();
});

const FAULTY: readonly [
  what: string,
  options: TlsServeOptions,
  message: string,
][] = [
  [
    "no certificate",
    { ...SERVER, cert: "x" },
    "Cannot serve TLS: cert is no certificate in PEM",
  ],
  [
    "no key",
    { ...SERVER, key: "x" },
    "Cannot serve TLS: key is no private key in PEM",
  ],
  [
    "another's key",
    { ...SERVER, key: CLIENT.key },
    "Cannot serve TLS: key is not the key of cert",
  ],
  [
    "clients' certificates that nobody can judge",
    { ...SERVER, requireClientCert: true },
    "Cannot serve TLS: requireClientCert takes clientCa",
  ],
  [
    "an authority that is none",
    { ...SERVER, clientCa: "x" },
    "Cannot serve TLS: clientCa has no certificate in PEM",
  ],
];

for (const [what, options, message] of FAULTY) {
  Deno.test(`TlsAcceptor takes no options with ${what}`, () => {
    assertThrows(() => new TlsAcceptor(options), TypeError, message);
  });
}

Deno.test("TlsAcceptor takes no application protocol without a name", () => {
  assertThrows(
    () => new TlsAcceptor({ ...SERVER, alpn: ["a/1", ""] }),
    RangeError,
    'Cannot serve TLS: a name in alpn must have 1 to 255 bytes: "" has 0',
  );
});
