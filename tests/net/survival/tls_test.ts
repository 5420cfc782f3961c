/**
 * Handshakes that fail, and streams that are cut, at a server that encrypts.
 *
 * @module
 */

import {
  connect,
  ConnectionError,
  type PeerInfo,
  ReconnectingClient,
  reply,
  RequestFailedError,
  serve,
  type TlsConnectOptions,
  TlsHandshakeError,
  type TlsServeOptions,
} from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { fateOf } from "../../support/attacks.ts";
import { figure, words } from "../../support/besieged.ts";
import { until, writeAll } from "../../support/sockets.ts";
import { authority, CLIENT, SERVER, stranger } from "../../support/tls.ts";
import { raw } from "../../support/wire.ts";

const HOUR = 3_600_000;
const PEERS = 20;
const HALF_OPEN = 200;
const TRUSTING = { ca: authority.cert };
const EXPIRED = await authority.issue({
  name: "server",
  from: new Date(Date.now() - 2 * HOUR),
  until: new Date(Date.now() - HOUR),
});
const OF_STRANGERS = await stranger.issue({ name: "client" });

const answering = reply((word: string, { tls }: PeerInfo) =>
  `${word} ${tls?.alpnProtocol} ${tls?.peerCertificate?.subject}`
);

/** Runs a server that encrypts, and what is done to it; gives what it was told of. */
async function besieged(
  tls: Partial<TlsServeOptions>,
  attack: (port: number) => Promise<void>,
  refused = PEERS,
): Promise<string[]> {
  const told: string[] = [];
  await using server = serve(
    {
      port: 0,
      handshakeTimeout: 400,
      tls: { ...SERVER, clientCa: authority.cert, ...tls },
      onError(error) {
        assertInstanceOf(error, ConnectionError);
        told.push(error.message);
      },
    },
    words,
    answering,
  );
  const { port } = server.addr;
  // A good client is served before, meanwhile and afterwards, over the same connection.
  await using good = await connect(
    { port, tls: { ...TRUSTING, ...CLIENT } },
    words,
  ).catch(() => undefined);
  const ask = async () => {
    await good?.write("well?");
    return await good?.read();
  };
  const answer = await ask();
  const [, meanwhile] = await Promise.all([attack(port), ask()]);
  const failures = good === undefined ? refused + 1 : refused;
  await until(() => server.stats.failed === failures);
  assertEquals([meanwhile, await ask()], [answer, answer]);
  if (good !== undefined) assertEquals(answer, "well? null CN=client");
  assertEquals(server.stats.active, good === undefined ? 0 : 1);
  return told;
}

function once(told: string[]): string {
  const different = [...new Set(told)];
  assertEquals(different.length, 1, different.join("\n"));
  return different[0];
}

for (
  const [what, server, client, atServer, atClient] of [
    [
      "trust another authority",
      {},
      { ...CLIENT, ca: stranger.cert },
      /the peer does not trust this side's certificate/,
      /^Cannot connect with TLS: the certificate of 127\.0\.0\.1 .*issuer/,
    ],
    [
      "are shown a certificate that has expired",
      EXPIRED,
      { ...CLIENT, ...TRUSTING },
      /today is not within its dates there/,
      /expired/,
    ],
    [
      "show no certificate where one is required",
      {},
      TRUSTING,
      /the peer showed no certificate/,
      /the peer requires a client certificate \(tls\.cert and tls\.key\)/,
    ],
    [
      "show a certificate that a stranger signed",
      {},
      { ...TRUSTING, ...OF_STRANGERS },
      /certificate/,
      /tls\.cert/,
    ],
    [
      "speak another protocol inside",
      { alpn: ["words/1"] },
      { ...TRUSTING, ...CLIENT, alpn: ["words/2"] },
      /no application protocol in common: this side has "words\/1"/,
      /no application protocol in common: this side has "words\/2"/,
    ],
  ] satisfies [
    string,
    Partial<TlsServeOptions>,
    TlsConnectOptions,
    RegExp,
    RegExp,
  ][]
) {
  Deno.test(`serve() and connect() say what is wrong with ${PEERS} clients that ${what}`, async () => {
    const refusals: string[] = [];
    const told = await besieged(server, async (port) => {
      for (let i = 0; i < PEERS; i++) {
        const error = await assertRejects(async () => {
          await using peer = await connect({ port, tls: client }, words);
          await peer.write("hello"); // a server may refuse only now
          await peer.read();
        }, ConnectionError);
        refusals.push(error.message);
      }
    });
    figure(`${PEERS} clients that ${what}`, `server: ${once(told)}`);
    figure(`${PEERS} clients that ${what}`, `client: ${once(refusals)}`);
    assertMatch(once(told), atServer);
    assertMatch(once(refusals), atClient);
  });
}

for (
  const [what, bytes, message] of [
    ["say nothing", "", /handshakeTimeout of 400 ms/],
    ["send half of a hello", "\x16\x03\x01\x02\x00\x01", /handshakeTimeout/],
    ["speak HTTP", "GET / HTTP/1.1\r\n\r\n", /plaintext.*look like HTTP/],
    ["speak plaintext", "\0\0\0\x05hello", /the peer sent plaintext/],
  ] as const
) {
  Deno.test(`serve() is unharmed by ${HALF_OPEN} peers that ${what} where it encrypts`, async () => {
    const told = await besieged(
      {},
      async (port) => {
        await Promise.all(
          Array.from({ length: HALF_OPEN }, async () => {
            using conn = await Deno.connect({ hostname: "127.0.0.1", port });
            await writeAll(conn, raw(bytes));
            await fateOf(conn);
          }),
        );
      },
      HALF_OPEN,
    );
    figure(`${HALF_OPEN} peers that ${what} to TLS`, once(told));
    assertMatch(once(told), message);
  });
}

Deno.test("connect() with TLS says that a server speaks plaintext", async () => {
  await using server = serve({ port: 0 }, words, reply((word) => word));
  const { port } = server.addr;
  const error = await assertRejects(
    () => connect({ port, tls: TRUSTING }, words),
    TlsHandshakeError,
  );
  figure("a server of plaintext to a TLS client", error.message);
});

/** Passes bytes on until there are no more. */
async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const room = new Uint8Array(65536);
  let count: number | null;
  while ((count = await from.read(room)) !== null) {
    await writeAll(to, room.subarray(0, count));
  }
}

Deno.test("A stream that is cut without close_notify is no end, on either side", async () => {
  const told = Promise.withResolvers<unknown>();
  await using server = serve(
    { port: 0, tls: SERVER, onError: told.resolve },
    words,
    answering,
  );
  // A relay that goes without a word, as anybody on the way can.
  using relay = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answered = Promise.withResolvers<void>();
  const relayed = (async () => {
    using here = await relay.accept();
    using there = await Deno.connect({ port: server.addr.port });
    const passing = [pass(here, there), pass(there, here)];
    await answered.promise;
    await Promise.all([here.closeWrite(), there.closeWrite()]);
    await Promise.allSettled(passing);
  })();
  const port = relay.addr.port;
  const peer = await connect({ port, tls: TRUSTING }, words);
  await peer.write("hello");
  assertEquals(await peer.read(), "hello null undefined");
  const reading = assertRejects(() => peer.read(), ConnectionError);
  answered.resolve();
  const atClient = await reading;
  const atServer = await told.promise;
  await peer.close().catch(() => {});
  assertInstanceOf(atServer, ConnectionError);
  figure("a stream cut without close_notify", `server: ${atServer.message}`);
  figure("a stream cut without close_notify", `client: ${atClient.message}`);
  assert(/close_notify/.test(atServer.message + atClient.message));
  await relayed;
});

Deno.test("Server.renewCertificate() is for new connections, and the others go on", async () => {
  const next = await stranger.issue({ name: "renewed" });
  await using server = serve({ port: 0, tls: SERVER }, words, answering);
  const { port } = server.addr;
  await using before = await connect({ port, tls: TRUSTING }, words);
  server.renewCertificate(next);
  await assertRejects(
    () => connect({ port, tls: TRUSTING }, words),
    TlsHandshakeError,
    "issuer",
  );
  await using after = await connect(
    { port, tls: { ca: stranger.cert } },
    words,
  );
  for (const peer of [before, after]) {
    await peer.write("still there?");
    assertEquals(await peer.read(), "still there? null undefined");
  }
});

Deno.test("serve() reads a PROXY header in front of TLS, and counts by the client", async () => {
  await using server = serve(
    {
      port: 0,
      tls: { ...SERVER, alpn: ["words/1"] },
      proxyProtocol: { trusted: ["127.0.0.1"] },
    },
    words,
    reply((_, { remoteAddr, tls }) =>
      `${"hostname" in remoteAddr && remoteAddr.hostname} ${tls?.alpnProtocol}`
    ),
  );
  await using peer = await connect({
    port: server.addr.port,
    tls: { ...TRUSTING, alpn: ["words/1"] },
    proxyHeader: {
      version: 2,
      command: "proxy",
      source: { transport: "tcp", hostname: "2001:db8::7", port: 1 },
      destination: { transport: "tcp", hostname: "2001:db8::1", port: 2 },
      tlvs: [],
    },
  }, words);
  await peer.write("who am I?");
  assertEquals(await peer.read(), "2001:db8::7 words/1");
  assertEquals(peer.alpnProtocol, "words/1");
});

Deno.test("ReconnectingClient gives up for good when it lacks the certificate that is asked for", async () => {
  await using server = serve(
    { port: 0, tls: { ...SERVER, clientCa: authority.cert } },
    words,
    answering,
  );
  const { port } = server.addr;
  await using client = new ReconnectingClient<string, string>(
    ({ signal }) => connect({ port, signal, tls: TRUSTING }, words),
    { timeout: 20_000 },
  );
  const error = await assertRejects(
    () => client.ask("hello"),
    RequestFailedError,
  );
  // A server may take requests before it refuses: nobody can be certain.
  assertEquals(error.state, "unknown");
  await assertRejects(() => client.closed, TlsHandshakeError, "certificate");
  assertEquals(client.stats.attempts, 1);
});

Deno.test("connect() and serve() take TLS that may be switched off", async () => {
  for (const on of [true, false]) {
    const { tls, trusting } = on
      ? { tls: SERVER, trusting: TRUSTING }
      : { tls: undefined, trusting: undefined };
    await using server = serve({ port: 0, tls }, words, answering);
    const { port } = server.addr;
    await using peer = await connect({ port, tls: trusting }, words);
    await peer.write("hello");
    assertEquals(
      await peer.read(),
      `hello ${on ? null : undefined} undefined`,
    );
  }
});

Deno.test("Server.shutdown() waits for nobody whose handshake ends at that moment", async () => {
  for (let round = 0; round < 10; round++) {
    const told: unknown[] = [];
    let handled = 0;
    const server = serve(
      {
        port: 0,
        tls: SERVER,
        onConnection: () => void server.shutdown({ grace: Infinity }),
        onError: (error) => told.push(error),
      },
      words,
      async (peer) => {
        handled++;
        await peer.read();
      },
    );
    const { port } = server.addr;
    const peers = await Promise.allSettled(
      Array.from({ length: 8 }, () => connect({ port, tls: TRUSTING }, words)),
    );
    let finished = false;
    server.finished.then(() => finished = true);
    for (const peer of peers) {
      if (peer.status === "fulfilled") {
        peer.value.read().catch(() => {}).finally(() => peer.value.close())
          .catch(() => {});
      }
    }
    await until(() => finished);
    assertEquals(told, []);
    assert(handled <= 8);
  }
});
