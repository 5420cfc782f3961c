import {
  connect,
  Framing,
  lines,
  startTls,
  TlsHandshakeError,
} from "@framewire/framewire";
import { assertEquals, assertRejects } from "@std/assert";
import { TlsAcceptor } from "../../lib/net/tls_server.ts";
import { readAll, tcpPair } from "../support/sockets.ts";
import {
  authority,
  CLIENT,
  NO_BYTES,
  SERVER,
  SOON,
  stranger,
} from "../support/tls.ts";

const OPTIONS = { hostname: "localhost", ca: authority.cert };
const nothing = { remainder: new Uint8Array() };

Deno.test("startTls() goes on encrypted where both sides agreed on it in clear", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const serving = (async () => {
    const plain = new Framing(await listener.accept(), lines());
    assertEquals(await plain.read(), "STARTTLS");
    await plain.write("OK");
    const { conn, remainder } = await plain.detach();
    const acceptor = new TlsAcceptor({ ...SERVER, clientCa: authority.cert });
    const secure = await acceptor.accept(conn, remainder, SOON);
    await using peer = new Framing(secure, lines());
    await peer.write(`hello, ${secure.peerCertificate?.subject}`);
    assertEquals(await peer.read(), null);
  })();
  const plain = await connect({ port }, lines());
  await plain.write("STARTTLS");
  assertEquals(await plain.read(), "OK");
  const conn = await startTls(await plain.detach(), { ...OPTIONS, ...CLIENT });
  await using peer = new Framing(conn, lines());
  assertEquals(await peer.read(), "hello, CN=client");
  await peer.closeWrite();
  await serving;
});

Deno.test("startTls() refuses what came before the handshake, and closes", async () => {
  const [conn, there] = await tcpPair();
  const remainder = new TextEncoder().encode("250 come in\r\n");
  await assertRejects(
    () => startTls({ conn, remainder }, OPTIONS),
    TlsHandshakeError,
    "Cannot connect with TLS: 13 bytes came before the handshake: b'250 come'",
  );
  assertEquals((await readAll(there)).length, 0);
  there.close();
});

Deno.test("startTls() closes what it was given when the handshake fails", async () => {
  const [conn, there] = await tcpPair();
  const acceptor = new TlsAcceptor(SERVER);
  const [here] = await Promise.allSettled([
    startTls({ conn, ...nothing }, { ...OPTIONS, ca: stranger.cert }),
    acceptor.accept(there, NO_BYTES, SOON).then((secure) => secure.close()),
  ]);
  assertEquals(here.status, "rejected");
  assertRejectedBy(here, "its issuer is unknown");
});

function assertRejectedBy(
  result: PromiseSettledResult<unknown>,
  clause: string,
): void {
  const reason = result.status === "rejected" ? result.reason : undefined;
  assertEquals(reason instanceof TlsHandshakeError, true);
  assertEquals(String(reason).includes(clause), true, String(reason));
}

Deno.test("startTls() closes what it was given when an option is wrong", async () => {
  const [conn, there] = await tcpPair();
  await assertRejects(
    () => startTls({ conn, ...nothing }, { ...OPTIONS, cert: CLIENT.cert }),
    TypeError,
    "cert and key take each other",
  );
  assertEquals((await readAll(there)).length, 0);
  there.close();
});

Deno.test("startTls() gives up after the timeout, and when it is told to", async () => {
  for (
    const [options, error] of [
      [{ timeout: 50 }, "no handshake within 50 ms"],
      [{ signal: AbortSignal.abort(new Error("Enough")) }, "Enough"],
    ] as const
  ) {
    const [conn, there] = await tcpPair();
    await assertRejects(
      () => startTls({ conn, ...nothing }, { ...OPTIONS, ...options }),
      Error,
      error,
    );
    there.close();
  }
});
