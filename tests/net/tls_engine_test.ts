import { Framing, lines, PeerResetError } from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { startTls } from "../../lib/net/tls_client.ts";
import type { TlsConn } from "../../lib/net/tls_conn.ts";
import { TlsAcceptor } from "../../lib/net/tls_server.ts";
import { Random } from "../support/random.ts";
import { readAll, rejection, tcpPair, writeAll } from "../support/sockets.ts";
import {
  authority,
  CLIENTS,
  NO_BYTES,
  SERVER,
  SOON,
  tlsPair,
  type TlsPairOptions,
} from "../support/tls.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What one read gives. */
async function readText(conn: TlsConn): Promise<string | null> {
  const room = new Uint8Array(1000);
  const count = await conn.read(room);
  return count === null
    ? null
    : new TextDecoder().decode(room.subarray(0, count));
}

/**
 * A server and a client with a relay between them, which can be told to cut the bytes from the client to the
 * server short, or to change them.
 */
async function relayed(
  options: TlsPairOptions,
): Promise<{
  client: TlsConn;
  server: TlsConn;
  damage: { corrupt: boolean };
  cut: () => void;
  stop: () => Promise<void>;
}> {
  const [here, near] = await tcpPair();
  const [far, there] = await tcpPair();
  const damage = { corrupt: false };
  async function relay(from: Deno.Conn, to: Deno.Conn, forth: boolean) {
    const room = new Uint8Array(64 * 1024);
    try {
      for (let count; (count = await from.read(room)) !== null;) {
        if (forth && damage.corrupt) room[count - 1] ^= 1;
        await writeAll(to, room.slice(0, count));
      }
      await to.closeWrite();
    } catch {
      return; // the test has closed it
    }
  }
  const relaying = [relay(near, far, true), relay(far, near, false)];
  const [client, server] = await Promise.all([
    startTls(here, {
      hostname: "localhost",
      ca: authority.cert,
      ...options.client,
    }, SOON),
    new TlsAcceptor({ ...SERVER, ...options.server })
      .accept(there, NO_BYTES, SOON),
  ]);
  return {
    client,
    server,
    damage,
    cut: () => void far.closeWrite(),
    async stop() {
      near.close();
      far.close();
      await Promise.all(relaying);
    },
  };
}

for (const [kind, options] of CLIENTS) {
  Deno.test(`TLS with ${kind} carries bytes both ways, and ends when both have said so`, async () => {
    const [client, server] = await tlsPair(options);
    await client.write(bytes("hello"));
    assertEquals(await readText(server), "hello");
    await server.write(bytes("goodbye"));
    assertEquals(await readText(client), "goodbye");
    client.close();
    assertEquals(await readText(server), null);
    assertEquals(await readText(server), null);
    server.close();
  });

  Deno.test(`TLS with ${kind} goes on in one direction when the other has ended`, async () => {
    const [client, server] = await tlsPair(options);
    for (const [first, second] of [[client, server], [server, client]]) {
      if (first === client) {
        await first.closeWrite();
        assertEquals(await readText(second), null);
        await assertRejects(() => first.write(bytes("no")), Error);
      }
      await writeAll(server, new Uint8Array(200_000).fill(7));
    }
    await server.closeWrite();
    const received = await readAll(client);
    assertEquals(received.length, 400_000);
    assert(received.every((byte) => byte === 7));
    client.close();
    server.close();
  });

  Deno.test(`TLS with ${kind} goes on to the client when the server has ended its direction first`, async () => {
    const [client, server] = await tlsPair(options);
    await server.closeWrite();
    assertEquals(await readText(client), null);
    await writeAll(client, new Uint8Array(200_000));
    await client.closeWrite();
    assertEquals((await readAll(server)).length, 200_000);
    client.close();
    server.close();
  });

  Deno.test(`TLS with ${kind} carries 64 MiB in each direction at a time`, async () => {
    const [client, server] = await tlsPair(options);
    const total = 64 * 1024 * 1024;
    const chunk = new Random(1).bytes(1_000_003);
    async function send(conn: TlsConn): Promise<void> {
      for (let sent = 0; sent < total;) {
        const place = sent % chunk.length;
        sent += await conn.write(
          chunk.subarray(place, place + Math.min(total - sent, chunk.length)),
        );
      }
      await conn.closeWrite();
    }
    async function receive(conn: TlsConn): Promise<number> {
      const room = new Uint8Array(64 * 1024);
      let received = 0;
      for (let count; (count = await conn.read(room)) !== null;) {
        // One byte of each read tells whether they come in order.
        assertEquals(
          room[count - 1],
          chunk[(received + count - 1) % chunk.length],
        );
        received += count;
      }
      return received;
    }
    const [there, back] = await Promise.all([
      receive(server),
      receive(client),
      send(client),
      send(server),
    ]);
    assertEquals([there, back], [total, total]);
    client.close();
    server.close();
  });

  Deno.test(`TLS with ${kind} waits with writing while the peer does not read`, async () => {
    const [client, server] = await tlsPair(options);
    for (const [from, to] of [[client, server], [server, client]]) {
      const chunk = new Uint8Array(64 * 1024);
      let taken = 0;
      let stuck = false;
      const writing = (async () => {
        while (taken < 64 * 1024 * 1024) taken += await from.write(chunk);
      })();
      for (let seen = -1; !stuck;) {
        seen = taken;
        await new Promise((resolve) => setTimeout(resolve, 100));
        stuck = seen === taken;
      }
      assert(taken < 32 * 1024 * 1024, `${taken} bytes were taken`);
      const room = new Uint8Array(64 * 1024);
      for (let received = 0; received < 64 * 1024 * 1024;) {
        const count = await to.read(room);
        assert(count !== null);
        received += count;
      }
      await writing;
    }
    client.close();
    server.close();
  });

  Deno.test(`TLS with ${kind} tells a stream that was cut from one that has ended`, async () => {
    const { client, server, cut, stop } = await relayed(options);
    await client.write(bytes("all of it?"));
    assertEquals(await readText(server), "all of it?");
    cut();
    for (let again = 0; again < 2; again++) {
      const error = await rejection(readText(server));
      assertInstanceOf(error, PeerResetError);
      assertEquals(
        error.message,
        "Cannot read: the stream was cut: it ended without close_notify",
      );
    }
    client.close();
    server.close();
    await stop();
  });

  Deno.test(`TLS with ${kind} tells when bytes were changed on the way`, async () => {
    const { client, server, damage, stop } = await relayed(options);
    damage.corrupt = true;
    await client.write(bytes("pay 10"));
    await assertRejects(
      () => readText(server),
      Error,
      "Cannot go on with TLS: cannot decrypt peer's message",
    );
    await assertRejects(
      () => readText(client),
      Error,
      "Cannot go on with TLS: received fatal alert: BadRecordMac",
    );
    client.close();
    server.close();
    await stop();
  });

  Deno.test(`TLS with ${kind} refuses what is done behind close()`, async () => {
    const [client, server] = await tlsPair(options);
    const reading = rejection(readText(server));
    server.close();
    assertInstanceOf(await reading, Deno.errors.Interrupted);
    await assertRejects(() => readText(server), Deno.errors.BadResource);
    await assertRejects(
      () => server.write(bytes("x")),
      Deno.errors.BadResource,
    );
    await assertRejects(() => server.closeWrite(), Deno.errors.BadResource);
    assertThrows(() => server.close(), Deno.errors.BadResource);
    assertEquals(await readText(client), null);
    client.close();
  });

  Deno.test(`TLS with ${kind} closes at once though a write waits for the peer`, async () => {
    const [client, server] = await tlsPair(options);
    const writing = (async () => {
      while (true) await server.write(new Uint8Array(64 * 1024));
    })();
    const failed = rejection(writing);
    await new Promise((resolve) => setTimeout(resolve, 200));
    server.close();
    await failed;
    await assertRejects(() => readAll(client));
    client.close();
  });

  Deno.test(`TLS with ${kind} carries frames`, async () => {
    const [here, there] = await tlsPair(options);
    const client = new Framing(here, lines());
    const server = new Framing(there, lines());
    for (let number = 0; number < 1000; number++) {
      await client.write(`request ${number}`);
    }
    for (let number = 0; number < 1000; number++) {
      const request = await server.read();
      await server.write(`answer to ${request}`);
    }
    await server.close();
    const answers: string[] = [];
    for await (const answer of client) answers.push(answer);
    assertEquals(answers.length, 1000);
    assertEquals(answers[999], "answer to request 999");
    await client.close();
  });
}

Deno.test("TLS tells the server of a client that was reset", async () => {
  const { client, server, stop } = await relayed({});
  const reading = rejection(readText(server));
  await stop(); // the relay's ends are closed, without a word
  assertInstanceOf(await reading, PeerResetError);
  client.close();
  server.close();
});

Deno.test("TLS knows the addresses", async () => {
  const [client, server] = await tlsPair();
  assertEquals(client.localAddr, server.remoteAddr);
  assertEquals(client.remoteAddr, server.localAddr);
  client.close();
  server.close();
});
