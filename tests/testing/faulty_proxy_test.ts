/**
 * A bad network between real sockets.
 *
 * @module
 */

import {
  connect,
  FramingError,
  lengthPrefixed,
  lines,
  PeerResetError,
  ReadTimeoutError,
  serve,
  text,
  TruncatedFrameError,
} from "@framewire/framewire";
import {
  type FaultyProxy,
  faultyProxy,
  type FaultyProxyOptions,
} from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { createConnection } from "node:net";
import { Random } from "../support/random.ts";
import { readAll, rejection, until, writeAll } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

const codec = text(lengthPrefixed());

/** A server that sends back what it gets, and keeps what went wrong. */
function echoServer() {
  const errors: unknown[] = [];
  const server = serve(
    { port: 0, onError: (error) => errors.push(error) },
    codec,
    async (peer) => {
      for await (const frame of peer) await peer.write(frame);
    },
  );
  return { server, errors };
}

/** Sends bytes through a proxy, to a socket that only reads them. */
async function through(
  bytes: Uint8Array,
  options: Omit<FaultyProxyOptions, "target">,
): Promise<[received: Uint8Array, seed: number]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await faultyProxy({ target: listener.addr, ...options });
  const [conn, target] = await Promise.all([
    Deno.connect({ port: proxy.addr.port }),
    listener.accept(),
  ]);
  const reading = readAll(target);
  await writeAll(conn, bytes);
  await conn.closeWrite();
  const received = await reading;
  conn.close();
  target.close();
  return [received, proxy.seed];
}

function about(proxy: FaultyProxy): string {
  return `seed ${proxy.seed}`;
}

Deno.test("faultyProxy() gives the same frames wherever the bytes are cut", async () => {
  await using server = echoServer().server;
  const frames = Array.from(
    { length: 30 },
    (_, index) => "x".repeat(index * index),
  );
  for (const max of [1, 5, 700]) {
    await using proxy = await faultyProxy({
      target: server.addr,
      faults: { cuts: { min: 1, max } },
    });
    await using peer = await connect({ port: proxy.addr.port }, codec);
    const writing = peer.writeMany(frames);
    for (const frame of frames) {
      assertEquals(await peer.read(), frame, about(proxy));
    }
    await writing;
    const { there, back } = proxy.stats;
    assertEquals(there.delivered, back.delivered, about(proxy));
    assert(there.pieces >= there.delivered / max, about(proxy));
  }
});

Deno.test("faultyProxy() passes megabytes on, both ways, and half-closes", async () => {
  await using server = echoServer().server;
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: { cuts: { min: 1000, max: 50_000 } },
    capacity: 10_000,
  });
  await using peer = await connect({ port: proxy.addr.port }, codec);
  const frames = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(300_000));
  const writing = peer.writeMany(frames).then(() => peer.closeWrite());
  const received: string[] = [];
  for await (const frame of peer) received.push(frame);
  await writing;
  assert(received.every((frame, index) => frame === frames[index]));
  assertEquals(received.length, frames.length, about(proxy));
  await until(() => proxy.stats.active === 0, "the end of the connection");
  const { accepted, there, back } = proxy.stats;
  const length = frames.length * 300_004;
  assertEquals([accepted, there.taken, back.delivered], [1, length, length]);
});

Deno.test("faultyProxy() resets behind whole frames, which are all read, and PeerResetError follows", async () => {
  const { server, errors } = echoServer();
  await using _server = server;
  for (const resetAfter of [1, 9, 13, 20]) {
    await using proxy = await faultyProxy({
      target: server.addr,
      faults: { back: { resetAfter } },
    });
    using peer = await connect({ port: proxy.addr.port }, codec);
    await peer.writeMany(["hello", "world", "again"]);
    const whole = Math.floor(resetAfter / 9);
    for (const frame of ["hello", "world"].slice(0, whole)) {
      assertEquals(await peer.read(), frame, about(proxy));
    }
    const error = await rejection(peer.read());
    assertInstanceOf(error, PeerResetError, about(proxy));
  }
  await until(() => errors.length === 4, "the server to be told as well");
  for (const error of errors) assertInstanceOf(error, PeerResetError);
});

Deno.test("faultyProxy() lets many small pieces arrive before a reset", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await faultyProxy({
    target: listener.addr,
    faults: { resetAfter: 30_000, cuts: { min: 1, max: 500 } },
  });
  const [conn, target] = await Promise.all([
    Deno.connect({ port: proxy.addr.port }),
    listener.accept(),
  ]);
  await writeAll(conn, new Uint8Array(30_000));
  let count = 0;
  const error = await rejection((async () => {
    while (true) {
      const more = await target.read(new Uint8Array(4000));
      assert(more !== null, about(proxy));
      count += more;
    }
  })());
  assertInstanceOf(error, Deno.errors.ConnectionReset, about(proxy));
  assertEquals(count, 30_000, about(proxy));
  assertInstanceOf(
    await rejection(conn.read(new Uint8Array(1))),
    Deno.errors.ConnectionReset,
  );
  conn.close();
  target.close();
});

Deno.test("faultyProxy() half-closes inside a frame, and leaves the way back alone", async () => {
  const { server, errors } = echoServer();
  await using _server = server;
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: { there: { halfCloseAfter: 12 } },
  });
  using peer = await connect({ port: proxy.addr.port }, codec);
  await peer.writeMany(["hello", "world"]);
  assertEquals(await peer.read(), "hello", about(proxy));
  assertEquals(await peer.read(), null, about(proxy));
  await until(() => errors.length > 0, "the server to be told");
  assertInstanceOf(errors[0], TruncatedFrameError);
  assertEquals(errors[0].have, 3);
});

Deno.test("faultyProxy() stalls: a timeout, and nothing is lost", async () => {
  await using server = echoServer().server;
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: { back: { stall: { after: 6 } } },
  });
  using peer = await connect({ port: proxy.addr.port }, codec);
  await peer.write("hello");
  await until(() => proxy.stats.back.delivered === 6, "the stall");
  await assertRejects(() => peer.read({ timeout: 5 }), ReadTimeoutError);
  proxy.resume();
  assertEquals(await peer.read(), "hello", about(proxy));
});

Deno.test("faultyProxy() loses and corrupts bytes where it was told", async () => {
  const [received, seed] = await through(raw("abcdef"), {
    faults: {
      there: { lost: { positions: [1] }, corrupted: { positions: [3] } },
    },
  });
  const text = unraw(received);
  assertEquals([text.slice(0, 2), text.slice(3)], ["ac", "ef"], `seed ${seed}`);
  assertNotEquals(text[2], "d", `seed ${seed}`);
});

Deno.test("faultyProxy() does the same again with the same seed, which it tells", async () => {
  const bytes = new Random(1).bytes(5000);
  const faults = {
    lost: { probability: 0.01 },
    corrupted: { probability: 0.01 },
    halfCloseAfter: { min: 3000, max: 5000 },
    cuts: { min: 1, max: 500 },
  };
  const runs: Uint8Array[] = [];
  for (let run = 0; run < 3; run++) {
    const [received, seed] = await through(bytes, { faults });
    const again = await through(bytes, { faults, seed });
    assertEquals(again, [received, seed], `seed ${seed}`);
    runs.push(received);
  }
  assertNotEquals(runs[0], runs[1]);
});

Deno.test("faultyProxy() draws for each connection by itself", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await faultyProxy({
    target: listener.addr,
    faults: { lost: { probability: 0.5 } },
    seed: 1,
  });
  const bytes = Uint8Array.from({ length: 200 }, (_, index) => index);
  const received = new Set<string>();
  for (let connection = 0; connection < 3; connection++) {
    using conn = await Deno.connect({ port: proxy.addr.port });
    using target = await listener.accept();
    await writeAll(conn, bytes);
    await conn.closeWrite();
    received.add(unraw(await readAll(target)));
  }
  assertEquals(received.size, 3);
  assertEquals(proxy.stats.there.taken, 600);
});

Deno.test("faultyProxy() makes the sender wait when it holds enough", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await faultyProxy({
    target: listener.addr,
    faults: { there: { stall: { after: 0 } } },
    capacity: 1000,
  });
  using conn = await Deno.connect({ port: proxy.addr.port });
  using target = await listener.accept();
  const chunk = new Uint8Array(1024 * 1024);
  let sent = 0;
  let waiting: Promise<number> | undefined;
  while (waiting === undefined) {
    assert(sent < 64 * chunk.length, "The proxy takes whatever comes");
    const writing = conn.write(chunk);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const full = new Promise<null>((resolve) =>
      timer = setTimeout(() => resolve(null), 50)
    );
    const count = await Promise.race([writing, full]);
    clearTimeout(timer);
    if (count === null) waiting = writing;
    else sent += count;
  }
  proxy.resume();
  const reading = readAll(target);
  sent += await waiting;
  await conn.closeWrite();
  assertEquals((await reading).length, sent, about(proxy));
});

Deno.test("faultyProxy() meets a server with documented errors only", async () => {
  const { server, errors } = echoServer();
  await using _server = server;
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: {
      cuts: { min: 1, max: 100 },
      lost: { probability: 0.002 },
      corrupted: { probability: 0.002 },
    },
  });
  const frames = Array.from({ length: 20 }, (_, n) => "hello ".repeat(n));
  for (let connection = 0; connection < 20; connection++) {
    using peer = await connect({ port: proxy.addr.port }, codec);
    await peer.writeMany(frames);
    await peer.closeWrite().catch((error) =>
      assertInstanceOf(error, PeerResetError, about(proxy))
    );
    let end: unknown;
    while (end === undefined) {
      try {
        if (await peer.read() === null) end = null;
      } catch (error) {
        if (error instanceof FramingError && error.recoverable) continue;
        assert(
          error instanceof FramingError || error instanceof PeerResetError,
          `${about(proxy)}: ${error}`,
        );
        end = error;
      }
    }
  }
  for (const error of errors) {
    assert(
      error instanceof FramingError || error instanceof PeerResetError,
      `${about(proxy)}: ${error}`,
    );
  }
  assert(errors.length > 0, about(proxy));
  assertEquals(proxy.stats.accepted, 20);
});

Deno.test("faultyProxy() asks for the faults of each connection by its number", async () => {
  await using server = echoServer().server;
  const asked: number[] = [];
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: (connection) => {
      asked.push(connection);
      return connection === 1 ? { there: { resetAfter: 0 } } : {};
    },
  });
  const outcomes: unknown[] = [];
  for (let connection = 0; connection < 3; connection++) {
    using peer = await connect({ port: proxy.addr.port }, codec);
    try {
      await peer.write("hello");
      outcomes.push(await peer.read());
    } catch (error) {
      assertInstanceOf(error, PeerResetError);
      outcomes.push("reset");
    }
  }
  assertEquals(outcomes, ["hello", "reset", "hello"]);
  assertEquals(asked, [0, 1, 2]);
});

Deno.test("faultyProxy() passes a client's reset on to the target", async () => {
  const { server, errors } = echoServer();
  await using _server = server;
  await using proxy = await faultyProxy({ target: server.addr });
  const socket = createConnection(proxy.addr.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  await until(() => proxy.stats.active === 1, "the connection");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resetAndDestroy();
  await closed;
  await until(() => errors.length === 1, "the server to be told");
  assertInstanceOf(errors[0], PeerResetError);
  await until(() => proxy.stats.active === 0, "the end of the connection");
});

Deno.test("faultyProxy() resets a client whose target does not answer", async () => {
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = gone.addr;
  gone.close();
  await using proxy = await faultyProxy({ target });
  using peer = await connect({ port: proxy.addr.port }, codec);
  assertInstanceOf(await rejection(peer.read()), PeerResetError);
  assertEquals([proxy.stats.accepted, proxy.stats.active], [1, 0]);
});

Deno.test("faultyProxy() closes all connections at the end of its scope, and leaves no timer", async () => {
  await using server = echoServer().server;
  const peers = [];
  {
    await using proxy = await faultyProxy({
      target: server.addr,
      faults: { latency: 1e6, back: { stall: { after: 0, duration: 1e6 } } },
    });
    for (let i = 0; i < 3; i++) {
      const peer = await connect({ port: proxy.addr.port }, codec);
      await peer.write("never");
      peers.push(peer);
    }
    await until(() => proxy.stats.active === 3, "the connections");
  }
  for (const peer of peers) {
    const end = await peer.read().catch((error) => error);
    assert(end === null || end instanceof PeerResetError, `${end}`);
    peer[Symbol.dispose]();
  }
});

Deno.test("faultyProxy() can be closed while nothing is connected, and listens no more", async () => {
  const proxy = await faultyProxy({ target: { port: 9 } });
  const { hostname, port } = proxy.addr;
  assertEquals(hostname, "127.0.0.1");
  await proxy[Symbol.asyncDispose]();
  await assertRejects(
    () => Deno.connect({ hostname, port }),
    Deno.errors.ConnectionRefused,
  );
});

Deno.test("faultyProxy() refuses numbers out of range", async () => {
  const target = { port: 9 };
  for (
    const [options, message] of [
      [{ target: { port: 0 } }, "target.port must be a whole number from 1"],
      [{ target, seed: 0.5 }, "seed must be a whole number"],
      [{ target, capacity: 0 }, "capacity must be a whole number"],
      [{ target, faults: { cuts: 0 } }, "cuts must be a whole number"],
    ] as const
  ) {
    await assertRejects(() => faultyProxy(options), RangeError, message);
  }
});

Deno.test("faultyProxy() serves lines as well as anything else", async () => {
  await using server = serve({ port: 0 }, lines(), async (peer) => {
    for await (const line of peer) await peer.write(line.toUpperCase());
  });
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: { latency: { min: 0, max: 2 }, cuts: 3 },
  });
  await using peer = await connect({ port: proxy.addr.port }, lines());
  for (const word of ["one", "two", "three"]) {
    await peer.write(word);
    assertEquals(await peer.read(), word.toUpperCase(), about(proxy));
  }
});
