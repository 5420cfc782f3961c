/**
 * A relay passes on what passes: bytes, ends and resets.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import {
  connect,
  ConnectionError,
  lines,
  reply,
  serve,
} from "@framewire/framewire";
import { createConnection, createServer, type Socket } from "node:net";
import type { Side } from "../../../cli/framewire/dialect.ts";
import type { Place } from "../../../cli/framewire/place.ts";
import { type Passed, Relay } from "../../../cli/framewire/relay.ts";
import { LOOPBACK } from "../../support/loopback.ts";
import { Random } from "../../support/random.ts";
import { freePort } from "../../support/running_program.ts";
import { withSocketPath } from "../../support/socket_paths.ts";
import { authority, SERVER, stranger } from "../../support/tls.ts";
import { readAll, until, writeAll } from "../../support/sockets.ts";

const HERE: Place = { hostname: "127.0.0.1", port: 0 };

/** What a relay told of. */
type Told = Passed & { number: number };

/** A relay in front of a listener of Deno's. */
class Relayed implements AsyncDisposable {
  readonly told: Told[] = [];

  private constructor(
    readonly relay: Relay,
    readonly listener: Deno.Listener,
    told: Told[],
  ) {
    this.told = told;
  }

  static async start(
    place: Place = HERE,
    listen: Place = place,
  ): Promise<Relayed> {
    const listener = "path" in place
      ? Deno.listen({ transport: "unix", path: place.path })
      : Deno.listen(place);
    const { addr } = listener;
    const target = addr.transport === "tcp"
      ? { hostname: addr.hostname, port: addr.port }
      : place;
    const told: Told[] = [];
    const relay = await Relay.start({
      listen,
      target,
      watch: (number, passed) => told.push({ number, ...passed }),
      onError(error) {
        throw error;
      },
    });
    return new Relayed(relay, listener, told);
  }

  /** Connects through the relay; gives both ends. */
  async pair(): Promise<[client: Deno.Conn, server: Deno.Conn]> {
    const { addr } = this.relay;
    return await Promise.all([
      addr.transport === "unix" && "path" in addr
        ? Deno.connect({ transport: "unix", path: addr.path ?? "" })
        : Deno.connect(portOf(addr)),
      this.listener.accept(),
    ]);
  }

  /** What a side sent, as it was told. */
  sent(from: Side, number = 1): Uint8Array {
    return concat(
      this.told.flatMap((one) =>
        one.kind === "chunk" && one.from === from && one.number === number
          ? [one.bytes]
          : []
      ),
    );
  }

  /** The kinds of what was told of a connection, and who did it; chunks in a row are one. */
  course(number = 1): string[] {
    return this.told.filter((one) => one.number === number).map((one) =>
      "from" in one ? `${one.kind} ${one.from}` : one.kind
    ).filter((one, i, all) => one !== all[i - 1]);
  }

  async over(number = 1): Promise<void> {
    await until(() =>
      this.told.some((one) => one.kind === "close" && one.number === number)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await this.relay.close();
  }
}

function portOf(addr: Deno.Addr): { hostname: string; port: number } {
  assert(addr.transport === "tcp");
  return { hostname: addr.hostname, port: addr.port };
}

/** Every kind of place, twice. */
async function everywhere(
  use: (place: Place, listen: Place) => Promise<void>,
): Promise<void> {
  for (const hostname of LOOPBACK) {
    await use({ hostname, port: 0 }, { hostname, port: 0 });
  }
  await withSocketPath((path) =>
    use({ path: `${path}-server` }, { path: `${path}-relay` })
  );
}

Deno.test("Relay passes random bytes both ways, cut anywhere, over every kind of socket", async () => {
  await everywhere(async (place, listen) => {
    const random = new Random(31);
    await using relayed = await Relayed.start(place, listen);
    const [client, server] = await relayed.pair();
    const send = async (conn: Deno.Conn, bytes: Uint8Array) => {
      for (const chunk of random.chunks(bytes)) await writeAll(conn, chunk);
      await conn.closeWrite();
    };
    const there = random.bytes(200_000);
    const back = random.bytes(300_000);
    const [, , arrived, returned] = await Promise.all([
      send(client, there),
      send(server, back),
      readAll(server),
      readAll(client),
    ]);
    const message = `seed ${random.seed}`;
    assertEquals(arrived.toHex(), there.toHex(), message);
    assertEquals(returned.toHex(), back.toHex(), message);
    await relayed.over();
    assertEquals(relayed.sent("client").toHex(), there.toHex(), message);
    assertEquals(relayed.sent("server").toHex(), back.toHex(), message);
    client.close();
    server.close();
  });
});

Deno.test("Relay keeps pieces apart that come apart", async () => {
  await using relayed = await Relayed.start();
  const [client, server] = await relayed.pair();
  await until(() => relayed.told.length > 0);
  const chunks = () => relayed.told.filter(({ kind }) => kind === "chunk");
  for (const byte of [1, 2, 3, 4, 5]) {
    await client.write(Uint8Array.of(byte));
    await until(() => chunks().length === byte);
    assertEquals(await server.read(new Uint8Array(10)), 1);
  }
  client.close();
  server.close();
  await relayed.over();
});

for (const first of ["client", "server"] as const) {
  Deno.test(`Relay ends one direction only when the ${first} does`, async () => {
    await everywhere(async (place, listen) => {
      await using relayed = await Relayed.start(place, listen);
      const [client, server] = await relayed.pair();
      const [ender, other] = first === "client"
        ? [client, server]
        : [server, client];
      await writeAll(ender, Uint8Array.of(1, 2));
      await ender.closeWrite();
      assertEquals(await readAll(other), Uint8Array.of(1, 2));
      // The other way is open as long as its own sender likes.
      await writeAll(other, Uint8Array.of(3));
      const into = new Uint8Array(10);
      assertEquals([await ender.read(into), into[0]], [1, 3]);
      await other.closeWrite();
      assertEquals(await ender.read(into), null);
      await relayed.over();
      const second = first === "client" ? "server" : "client";
      assertEquals(relayed.course(), [
        "open",
        `chunk ${first}`,
        `end ${first}`,
        `chunk ${second}`,
        `end ${second}`,
        "close",
      ]);
      ender.close();
      other.close();
    });
  });
}

/** A socket that can be reset. */
function resettable(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = createConnection(
      { host: "127.0.0.1", port },
      () => resolve(socket),
    );
    socket.on("error", () => {});
  });
}

Deno.test("Relay passes on a client's reset, behind the bytes before it", async () => {
  await using relayed = await Relayed.start();
  const accepting = relayed.listener.accept();
  const client = await resettable(portOf(relayed.relay.addr).port);
  using server = await accepting;
  client.write(Uint8Array.of(1, 2, 3));
  await until(() => relayed.sent("client").length === 3);
  client.resetAndDestroy();
  await relayed.over();
  const into = new Uint8Array(10);
  assertEquals(await server.read(into), 3);
  await assertRejects(() => server.read(into), Deno.errors.ConnectionReset);
  assertEquals(relayed.course(), [
    "open",
    "chunk client",
    "reset client",
    "close",
  ]);
});

Deno.test("Relay passes on a server's reset, behind the bytes before it", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(Uint8Array.of(1, 2, 3));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  const told: Passed[] = [];
  const relay = await Relay.start({
    listen: HERE,
    target: { hostname: "127.0.0.1", port: address.port },
    watch: (_, passed) => told.push(passed),
    onError() {},
  });
  using client = await Deno.connect(portOf(relay.addr));
  const into = new Uint8Array(10);
  assertEquals(await client.read(into), 3);
  sockets[0].resetAndDestroy();
  await assertRejects(() => client.read(into), Deno.errors.ConnectionReset);
  await until(() => told.at(-1)?.kind === "close");
  assertEquals(
    told.find(({ kind }) => kind === "reset"),
    { kind: "reset", from: "server" },
  );
  await relay.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("Relay passes on a reset of who does not read what is on its way to it", async () => {
  await using relayed = await Relayed.start();
  const accepting = relayed.listener.accept();
  const client = await resettable(portOf(relayed.relay.addr).port);
  client.pause();
  using server = await accepting;
  const flood = (async () => {
    const block = new Uint8Array(2 ** 20);
    while (true) await writeAll(server, block);
  })();
  // Until nothing moves any more.
  for (let before = -1; before !== relayed.sent("server").length;) {
    before = relayed.sent("server").length;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  client.resetAndDestroy();
  await assertRejects(() => flood, Error); // reset, or a broken pipe
  await relayed.over();
  assertEquals(relayed.course(), [
    "open",
    "chunk server",
    "reset client",
    "close",
  ]);
});

Deno.test("Relay goes on when who watches cannot cope", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const errors: string[] = [];
  const relay = await Relay.start({
    listen: HERE,
    target: { hostname: "127.0.0.1", port: listener.addr.port },
    watch(_, { kind }) {
      throw new TypeError(kind);
    },
    onError: ({ message }) => errors.push(message),
  });
  const [client, server] = await Promise.all([
    Deno.connect(portOf(relay.addr)),
    listener.accept(),
  ]);
  await writeAll(client, Uint8Array.of(1, 2));
  await client.closeWrite();
  assertEquals(await readAll(server), Uint8Array.of(1, 2));
  await server.closeWrite();
  assertEquals(await readAll(client), new Uint8Array());
  client.close();
  server.close();
  await until(() => errors.includes("close"));
  assertEquals(errors, ["open", "chunk", "end", "end", "close"]);
  await relay.close();
});

Deno.test("Relay resets a client whose server cannot be reached, and goes on", async () => {
  const port = freePort();
  const told: Passed[] = [];
  const relay = await Relay.start({
    listen: HERE,
    target: { hostname: "127.0.0.1", port },
    watch: (_, passed) => told.push(passed),
    onError() {},
  });
  for (let i = 0; i < 3; i++) {
    using client = await Deno.connect(portOf(relay.addr));
    await assertRejects(
      () => client.read(new Uint8Array(1)),
      Deno.errors.ConnectionReset,
    );
  }
  assertEquals(told.length, 3);
  for (const one of told) {
    assert(one.kind === "refused");
    assertEquals(
      one.reason,
      `Cannot connect to 127.0.0.1:${port}: connection refused; is the server running?`,
    );
  }
  await relay.close();
});

Deno.test("Relay reads no more from a side than the other takes", async () => {
  await using relayed = await Relayed.start();
  const [client, server] = await relayed.pair();
  const block = new Uint8Array(2 ** 20).fill(7);
  let sent = 0;
  let stuck = false;
  const sending = (async () => {
    for (let i = 0; i < 64; i++) {
      await writeAll(client, block);
      sent++;
    }
    await client.closeWrite();
  })();
  // Nobody reads: after a while nothing moves any more.
  for (let before = -1; before !== relayed.sent("client").length;) {
    before = relayed.sent("client").length;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  stuck = sent < 64;
  assert(stuck, `${sent} MiB went into buffers`);
  const arrived = await readAll(server);
  await sending;
  assertEquals(arrived.length, 64 * block.length);
  await server.closeWrite();
  await relayed.over();
  client.close();
  server.close();
});

Deno.test("Relay tells connections apart by number", async () => {
  await using relayed = await Relayed.start();
  const pairs = [await relayed.pair(), await relayed.pair()];
  for (const [i, [client]] of pairs.entries()) {
    await writeAll(client, Uint8Array.of(i));
    await client.closeWrite();
  }
  for (const [, server] of pairs) {
    await readAll(server);
    await server.closeWrite();
  }
  await relayed.over(1);
  await relayed.over(2);
  assertEquals(relayed.sent("client", 1), Uint8Array.of(0));
  assertEquals(relayed.sent("client", 2), Uint8Array.of(1));
  for (const pair of pairs) for (const conn of pair) conn.close();
});

Deno.test("Relay that is closed lets go of both ends, and tells of no reset", async () => {
  const relayed = await Relayed.start();
  const [client, server] = await relayed.pair();
  await writeAll(client, Uint8Array.of(1));
  await until(() => relayed.sent("client").length === 1);
  await relayed[Symbol.asyncDispose]();
  assertEquals(await readAll(server), Uint8Array.of(1));
  assertEquals(await readAll(client), new Uint8Array());
  assertEquals(relayed.course(), ["open", "chunk client", "close"]);
  client.close();
  server.close();
});

Deno.test("Relay tells of what is encrypted to the server, in clear", async () => {
  await using server = serve(
    { port: 0, tls: SERVER },
    lines(),
    reply((line) => line.toUpperCase()),
  );
  const told: Passed[] = [];
  const start = (ca: string) =>
    Relay.start({
      listen: HERE,
      target: { hostname: "localhost", port: server.addr.port },
      tls: { ca },
      watch: (_, passed) => told.push(passed),
      onError() {},
    });
  const relay = await start(authority.cert);
  {
    await using client = await connect(portOf(relay.addr), lines());
    await client.write("hello");
    assertEquals(await client.read(), "HELLO");
    await client.closeWrite();
    assertEquals(await client.read(), null);
  }
  await until(() => told.at(-1)?.kind === "close");
  assertEquals(
    told.map((one) =>
      one.kind === "chunk"
        ? `${one.from} ${new TextDecoder().decode(one.bytes)}`
        : one.kind
    ),
    ["open", "client hello\n", "server HELLO\n", "end", "end", "close"],
  );
  await relay.close();

  told.length = 0;
  const distrusting = await start(stranger.cert);
  using client = await Deno.connect(portOf(distrusting.addr));
  await assertRejects(
    () => client.read(new Uint8Array(1)),
    Deno.errors.ConnectionReset,
  );
  assert(told[0].kind === "refused", told[0].kind);
  assert(/certificate/.test(told[0].reason), told[0].reason);
  await distrusting.close();
});

Deno.test("Relay says where it cannot listen", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const start = (listen: Place) =>
    Relay.start({ listen, target: HERE, watch() {}, onError() {} });
  await assertRejects(
    () => start({ hostname: "127.0.0.1", port }),
    ConnectionError,
    `Cannot listen on 127.0.0.1:${port}: another program is listening there`,
  );
  await withSocketPath(async (path) => {
    using _ = Deno.listen({ transport: "unix", path });
    await assertRejects(
      () => start({ path }),
      ConnectionError,
      `Cannot listen on unix:${path}: another program is listening there`,
    );
  });
});
