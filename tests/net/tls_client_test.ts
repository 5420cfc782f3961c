import { TlsHandshakeError } from "@framewire/framewire";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  checkTlsConnect,
  startTls,
  type TlsConnectOptions,
} from "../../lib/net/tls_client.ts";
import type { TlsConn } from "../../lib/net/tls_conn.ts";
import { readAll, rejection, tcpPair } from "../support/sockets.ts";
import {
  authority,
  CLIENT,
  CLIENTS,
  handshakes,
  SERVER,
  SOON,
  stranger,
  tlsPair,
} from "../support/tls.ts";

const STRANGER = await stranger.issue({ name: "stranger" });
const EXPIRED = await authority.issue({
  name: "expired",
  until: new Date(Date.now() - 60_000),
});
const ELSEWHERE = await authority.issue({
  name: "elsewhere",
  hosts: ["example.org", "127.0.0.2"],
});

/** Why a client found fault with a server. */
async function refusal(
  server: { cert: string; key: string },
  client: TlsConnectOptions & { hostname?: string },
): Promise<string> {
  const [here, there] = await handshakes({
    server: { ...server, clientCa: authority.cert },
    client,
  });
  // That a name is wrong is found out behind the handshake, when the server has let the client in.
  if (there.status === "fulfilled") there.value.close();
  if (here.status === "fulfilled") throw new Error("The client was content");
  assertInstanceOf(here.reason, TlsHandshakeError);
  return here.reason.message;
}

for (const [kind, { client = {} }] of CLIENTS) {
  const options = { ...client, hostname: "localhost", ca: authority.cert };

  Deno.test(`startTls() of ${kind} gives up when the server says nothing`, async () => {
    const [here, there] = await tcpPair();
    await assertRejects(
      () => startTls(here, options, { timeout: 50 }),
      TlsHandshakeError,
      "Cannot connect with TLS: no handshake within 50 ms",
    );
    there.close();
  });

  Deno.test(`startTls() of ${kind} gives up when it is told to`, async () => {
    const [here, there] = await tcpPair();
    const stop = new AbortController();
    const connecting = rejection(
      startTls(here, options, { signal: stop.signal }),
    );
    stop.abort("Enough");
    assertEquals(await connecting, "Enough");
    there.close();
  });

  Deno.test(`startTls() of ${kind} gives up before it begins when it was told to`, async () => {
    const [here, there] = await tcpPair();
    await assertRejects(
      () => startTls(here, options, { signal: AbortSignal.abort() }),
      DOMException,
    );
    assertEquals((await readAll(there)).length, 0);
    there.close();
  });

  Deno.test(`startTls() of ${kind} tells when the server speaks no TLS`, async () => {
    const [here, there] = await tcpPair();
    await there.write(new TextEncoder().encode("220 ready for you\r\n"));
    await assertRejects(
      () => startTls(here, options, SOON),
      TlsHandshakeError,
      "Cannot connect with TLS: the peer sent plaintext: the bytes b'220 read' begin no handshake",
    );
    there.close();
  });

  Deno.test(`startTls() of ${kind} tells when the server closes at once`, async () => {
    const [here, there] = await tcpPair();
    const connecting = rejection(startTls(here, options, SOON));
    await there.read(new Uint8Array(10_000));
    there.close();
    const error = await connecting;
    assertInstanceOf(error, TlsHandshakeError);
    assertEquals(
      error.message,
      "Cannot connect with TLS: the peer closed the connection before the handshake was over",
    );
  });

  Deno.test(`startTls() of ${kind} finds fault with a server's certificate`, async () => {
    assertEquals(
      await refusal(STRANGER, client),
      "Cannot connect with TLS: the certificate of localhost has an unknown issuer: option tls.ca names one",
    );
    assertEquals(
      await refusal(EXPIRED, client),
      "Cannot connect with TLS: the certificate of localhost is not to be trusted: its issuer is unknown (option tls.ca names one), or it has expired or is not valid yet",
    );
    for (const hostname of ["localhost", "127.0.0.1"]) {
      assertEquals(
        await refusal(ELSEWHERE, { ...client, hostname }),
        `Cannot connect with TLS: the certificate of the peer is not for ${hostname}: option tls.serverName says whom to expect`,
      );
    }
  });

  Deno.test(`startTls() of ${kind} trusts each of several authorities`, async () => {
    for (const server of [SERVER, STRANGER]) {
      const pair = await tlsPair({
        server: {
          ...server,
          clientCa: authority.cert,
          requireClientCert: false,
        },
        client: { ...client, ca: [stranger.cert, authority.cert] },
      });
      for (const end of pair) end.close();
    }
  });
}

Deno.test("startTls() says that a certificate may have been refused, where a server only goes", async () => {
  const [here, there] = await handshakes({
    server: { clientCa: authority.cert },
    client: STRANGER,
  });
  assertEquals([here.status, there.status], ["fulfilled", "rejected"]);
  const { value: client } = here as PromiseFulfilledResult<TlsConn>;
  await assertRejects(
    () => client.read(new Uint8Array(10)),
    Error,
    "Cannot read: the stream was cut: it ended without close_notify, before anything came: the peer may have refused tls.cert",
  );
  client.close();
});

Deno.test("checkTlsConnect() takes a certificate only with its key", () => {
  checkTlsConnect({});
  checkTlsConnect(CLIENT);
  for (const part of [{ cert: CLIENT.cert }, { key: CLIENT.key }]) {
    assertThrows(
      () => checkTlsConnect(part),
      TypeError,
      "Cannot connect with TLS: cert and key take each other",
    );
  }
  assertThrows(
    () => checkTlsConnect({ ...CLIENT, key: SERVER.key }),
    TypeError,
    "Cannot connect with TLS: key is not the key of cert",
  );
  assertThrows(
    () => checkTlsConnect({ ca: [authority.cert, "x"] }),
    TypeError,
    "Cannot connect with TLS: ca has no certificate in PEM",
  );
  assertThrows(
    () => checkTlsConnect({ ca: authority.cert.replace(/M/g, "A") }),
    TypeError,
    "Cannot connect with TLS: ca has a certificate that is none",
  );
  assertThrows(
    () => checkTlsConnect({ alpn: ["x".repeat(256)] }),
    RangeError,
    "Cannot connect with TLS: a name in alpn must have 1 to 255 bytes",
  );
});

Deno.test("startTls() closes the connection when an option cannot be", async () => {
  const [here, there] = await tcpPair();
  await assertRejects(
    () => startTls(here, { hostname: "localhost", cert: CLIENT.cert }, SOON),
    TypeError,
  );
  assertEquals((await readAll(there)).length, 0);
  there.close();
});

Deno.test("startTls() closes what it gives up, whether the server says something or not", async () => {
  for (const said of ["", "\x16\x03\x03"]) {
    const [here, there] = await tcpPair();
    if (said !== "") await there.write(new TextEncoder().encode(said));
    const connecting = rejection(
      startTls(here, { hostname: "localhost" }, { timeout: 50 }),
    );
    const hello = await readAll(there); // to the end, which comes while this side is open
    assertEquals(hello[0], 22);
    assertInstanceOf(await connecting, TlsHandshakeError);
    there.close();
  }
});

Deno.test("startTls() shows the server's certificate", async () => {
  const [client, server] = await tlsPair();
  assertEquals(client.peerCertificate?.subject, "CN=server");
  client.close();
  server.close();
});
