/**
 * Load on servers that answer, stall, break off, or talk nonsense: counts, never times, but for stalls that the
 * servers make themselves.
 *
 * @module
 */

import { type AddressInfo, createServer } from "node:net";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  connect,
  encodeFrame,
  type Framing,
  lengthPrefixed,
  serve,
  type ServedConn,
  type ServeOptions,
} from "../../../mod.ts";
import {
  Load,
  type LoadConn,
  type LoadOptions,
  type LoadStats,
} from "../../../cli/framewire/load.ts";
import { Random } from "../../support/random.ts";
import { freePort } from "../../support/running_program.ts";

const codec = lengthPrefixed();
const REQUEST = encodeFrame(codec, new TextEncoder().encode("hello"));
const PAYLOAD = new TextEncoder().encode("hello");

type Peer = Framing<Uint8Array, Uint8Array, ServedConn>;

/** A load on a port, of ten requests unless told otherwise; `seen` is given its connections. */
function loadOn(
  port: number,
  options: Partial<LoadOptions> = {},
  seen: (conn: LoadConn) => void = () => {},
): Load {
  const { timeout = 20_000 } = options;
  return new Load({
    async open(signal) {
      const conn = await connect(
        {
          port,
          signal,
          connectTimeout: timeout,
          frames: "borrowed",
          highWaterMark: 65_536,
        },
        {
          decode: (received) => codec.decode(received),
          encode: (frame: Uint8Array, out) => out.write(frame),
        },
      );
      seen(conn);
      return conn;
    },
    request: REQUEST,
    answers: 1,
    connections: 1,
    pipeline: 1,
    warmUp: 0,
    timeout,
    ...options,
    requests: "requests" in options ? options.requests : 10,
  });
}

/** Puts load on a server with this handler; gives what came of it. */
async function loadFor(
  handle: (peer: Peer) => Promise<void>,
  options: Partial<LoadOptions> = {},
): Promise<LoadStats> {
  const limits: Partial<ServeOptions> = { onError() {} };
  await using server = serve({ port: 0, ...limits }, codec, handle);
  const load = loadOn(server.addr.port, options);
  await load.run();
  return load.stats;
}

async function echo(peer: Peer): Promise<void> {
  for await (const frame of peer) await peer.write(frame);
}

/** Puts load on a server that has bare connections. */
async function loadForBare(
  handle: (conn: Deno.TcpConn, load: Load) => Promise<void>,
  options: Partial<LoadOptions> = {},
  seen?: (conn: LoadConn) => void,
): Promise<LoadStats> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const load = loadOn(listener.addr.port, options, seen);
  const handled: Promise<void>[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      const done = handle(conn, load).catch(() => {});
      handled.push(done.finally(() => conn.close()));
    }
  })();
  await load.run();
  await Promise.all(handled);
  listener.close();
  await serving;
  return load.stats;
}

function failuresOf({ failed, lost }: LoadStats): Record<string, number[]> {
  return Object.fromEntries(
    [...lost].map(([kind, { count }]) => [
      kind,
      [count, failed.get(kind) ?? 0],
    ]),
  );
}

function sum(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** Every request that was sent came to exactly one end. */
function assertBalanced(stats: LoadStats): void {
  const { sent, answered, failed, unfinished } = stats;
  assertEquals(sent, answered + sum(failed.values()) + unfinished);
  assertEquals(stats.response.count, answered);
  assertEquals(stats.service.count, answered);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const LOOPS: Record<string, Partial<LoadOptions>> = {
  "a closed loop": {},
  "an open loop": { rate: 1e6 },
};

for (const [name, loop] of Object.entries(LOOPS)) {
  for (const [connections, pipeline] of [[1, 1], [7, 1], [1, 100], [5, 13]]) {
    Deno.test(`Load in ${name} sends exactly so many requests: ${connections} × ${pipeline}`, async () => {
      let received = 0;
      const stats = await loadFor(async (peer) => {
        for await (const frame of peer) {
          received++;
          assertEquals(frame, PAYLOAD);
          await peer.write(frame);
        }
      }, { connections, pipeline, requests: 1000, ...loop });
      assertBalanced(stats);
      const { sent, answered, bytesIn, bytesOut, opened, open, notSent } =
        stats;
      assertEquals([received, sent, answered], [1000, 1000, 1000]);
      assertEquals([bytesIn, bytesOut], [9000, 9000]);
      assertEquals([opened, open, notSent], [connections, connections, 0]);
      assertEquals(stats.lost.size, 0);
    });
  }

  Deno.test(`Load in ${name} fills the pipeline, and never more`, async () => {
    const pipeline = 8;
    const seen = new Set<number>();
    const stats = await loadFor(async (peer) => {
      let waiting = 0;
      while (true) {
        // Nothing is answered before all that may be under way has come: less would wait for ever.
        while (waiting < pipeline) {
          const frames = await peer.readBatch();
          if (frames === null) return;
          waiting += frames.length;
        }
        await pause(5); // time for one too many
        waiting += peer.tryRead() === undefined ? 0 : 1;
        seen.add(waiting);
        for (; waiting > 0; waiting--) await peer.write(PAYLOAD);
      }
    }, { connections: 3, pipeline, requests: 10 * 3 * pipeline, ...loop });
    assertBalanced(stats);
    assertEquals(stats.answered, 240);
    assertEquals([...seen], [pipeline]);
  });

  Deno.test(`Load in ${name} counts so many frames as one answer`, async () => {
    let most = 0;
    const stats = await loadFor(async (peer) => {
      let done = 0;
      for await (const frame of peer) {
        for (let i = 0; i < 3; i++) {
          const asked = peer.stats.bytesReceived / REQUEST.length;
          most = Math.max(most, asked - done);
          await peer.write(frame);
          await pause(2); // not all with one read
        }
        done++;
      }
    }, { answers: 3, pipeline: 2, requests: 20, ...loop });
    assertBalanced(stats);
    assertEquals(most, 2);
    assertEquals([stats.answered, stats.bytesIn], [20, 20 * 3 * 9]);
  });

  Deno.test(`Load in ${name} has no more in memory than the server takes`, async () => {
    const size = 10_000;
    const wire = encodeFrame(codec, new Uint8Array(size));
    let peer: LoadConn | undefined;
    let most = 0;
    const stats = await loadForBare(async (conn) => {
      const room = new Uint8Array(65_536);
      await pause(50); // time for all that the system takes, and more
      most = Math.max(most, peer?.stats.pending ?? 0);
      for (let had = 0;;) {
        const count = await conn.read(room);
        if (count === null) return;
        for (had += count; had >= wire.length; had -= wire.length) {
          await conn.write(REQUEST);
          most = Math.max(most, peer?.stats.pending ?? 0);
        }
      }
    }, {
      request: wire,
      pipeline: 5000,
      requests: 5000,
      ...loop,
    }, (conn) => peer = conn);
    assertBalanced(stats);
    assertEquals(stats.answered, 5000);
    assert(most > 0 && most < 65_536 + 2 * wire.length, `${most}`);
  });

  Deno.test(`Load in ${name} does not count what warms up`, async () => {
    let received = 0;
    const stats = await loadFor(async (peer) => {
      for await (const frame of peer) {
        received++;
        await peer.write(frame);
      }
    }, { warmUp: 50, requests: 30, ...loop, ...loop.rate && { rate: 1000 } });
    assertBalanced(stats);
    assertEquals([stats.answered, stats.sent], [30, 30]);
    assert(stats.warmUp > 0);
    assertEquals(received, stats.warmUp + 30);
  });

  Deno.test(`Load in ${name} ends when time is up, and waits for the last answers`, async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const stats = await loadFor(async (peer) => {
      let first = true;
      for await (const frame of peer) {
        if (first) {
          ask();
          await pause(300); // far behind the end
        }
        first = false;
        await peer.write(frame);
      }
    }, {
      duration: 100,
      requests: undefined,
      ...loop,
      ...loop.rate && { rate: 100 },
    });
    await asked;
    assertBalanced(stats);
    assertEquals([stats.sent, stats.answered], [1, 1]);
    assertEquals(stats.notSent, loop.rate === undefined ? 0 : 9);
    assert(stats.elapsed >= 290, `${stats.elapsed}`);
  });

  Deno.test(`Load in ${name} is stopped at once, with requests under way`, async () => {
    await using server = serve({ port: 0 }, codec, async (peer) => {
      let count = 0;
      for await (const frame of peer) {
        if (++count <= 5) await peer.write(frame);
        else if (count === 9) load.stop();
      }
    });
    const load = loadOn(server.addr.port, {
      pipeline: 4,
      requests: undefined,
      ...loop,
    });
    await load.run();
    assertBalanced(load.stats);
    const { answered, unfinished } = load.stats;
    assertEquals([answered, unfinished], [5, 4]);
    load.stop();
  });
}

Deno.test("Load sends as many requests as are due by the rate, all in all", async () => {
  for (const [rate, expected] of [[200, 100], [1000, 500], [7, 4], [1, 1]]) {
    const stats = await loadFor(echo, {
      rate,
      duration: 500,
      requests: undefined,
      connections: 4,
      warmUp: 100,
    });
    assertBalanced(stats);
    // A machine that is busy sends less, and says so.
    const due = stats.sent + stats.notSent;
    assert(Math.abs(due - expected) <= 1, `${due} of ${expected}`);
  }
});

Deno.test("Load spreads requests of an open loop over its connections", async () => {
  const counts: number[] = [];
  const stats = await loadFor(async (peer) => {
    const place = counts.push(0) - 1;
    for await (const frame of peer) {
      counts[place]++;
      await peer.write(frame);
    }
  }, { connections: 5, rate: 500, requests: 100 });
  assertBalanced(stats);
  assertEquals(sum(counts), 100);
  assert(counts.every((count) => count > 5), `${counts}`);
});

const STALL = 1000;
const RATE = 100;

/** Answers at once, but once after a whole second. */
function stalling(): (peer: Peer) => Promise<void> {
  let count = 0;
  return async (peer) => {
    for await (const frame of peer) {
      if (++count === 20) await pause(STALL);
      await peer.write(frame);
    }
  };
}

function slow({ response }: LoadStats): number {
  let slow = 0;
  for (const { from, count } of response.buckets()) {
    if (from >= STALL / 2 * 1e6) slow += count;
  }
  return slow;
}

Deno.test("Load with a rate shows a stall to all who would have met it", async () => {
  const stats = await loadFor(stalling(), {
    rate: RATE,
    duration: 2000,
    requests: undefined,
  });
  assertBalanced(stats);
  // Those that were due in the first half of the stall waited for the second half and longer.
  assert(slow(stats) >= RATE * STALL / 2 / 1000 - 1, `${slow(stats)}`);
  assert(stats.response.percentile(99) >= STALL / 2 * 1e6);
  // Only the one that met it was served slowly.
  let served = 0;
  for (const { from, count } of stats.service.buckets()) {
    if (from >= STALL / 2 * 1e6) served += count;
  }
  assert(served < RATE * STALL / 2 / 1000 - 1, `${served}`);
});

Deno.test("Load without a rate hides a stall from all but one on each connection", async () => {
  const stats = await loadFor(stalling(), { requests: 2000 });
  assertBalanced(stats);
  assert(slow(stats) >= 1);
  assert(slow(stats) < 10, `${slow(stats)}`);
});

Deno.test("Load says what was due and not sent when a server is too slow for the rate", async () => {
  const stats = await loadFor(async (peer) => {
    for await (const frame of peer) {
      await pause(20);
      await peer.write(frame);
    }
  }, { rate: 1000, duration: 300, requests: undefined });
  assertBalanced(stats);
  assertEquals(stats.sent + stats.notSent, 300);
  assert(stats.notSent >= 300 - 300 / 20 - 1, `${stats.notSent}`);
  // Its own fault it was not.
  assert(stats.late.percentile(50) < 20e6);
});

Deno.test("Load begins to count with nothing left over from a warm-up that was too much", async () => {
  const stats = await loadFor(async (peer) => {
    for await (const frame of peer) {
      await pause(20);
      await peer.write(frame);
    }
  }, { rate: 1000, warmUp: 300, duration: 300, requests: undefined });
  assertBalanced(stats);
  assert(stats.answered > 0);
  assert(stats.warmUp > 0);
  // What was due while it warmed up is forgotten: the first that counts waits for nobody.
  assertEquals(stats.sent + stats.notSent, 300);
  assert(stats.response.min < 150e6, `${stats.response.min}`);
});

for (const [name, loop] of Object.entries(LOOPS)) {
  for (const pipeline of [1, 50]) {
    Deno.test(`Load in ${name} has bytes of those requests that count, with a pipeline of ${pipeline}`, async () => {
      const stats = await loadFor(async (peer) => {
        for await (const frame of peer) {
          await pause(1);
          await peer.write(frame);
        }
      }, { connections: 5, pipeline, warmUp: 60, ...loop });
      assertBalanced(stats);
      assert(stats.warmUp > 0);
      assertEquals([stats.sent, stats.answered], [10, 10]);
      assertEquals([stats.bytesOut, stats.bytesIn], [90, 90]);
    });
  }

  Deno.test(`Load in ${name} counts after a warm-up in which connections were lost`, async () => {
    let lost = 0;
    const stats = await loadFor(async (peer) => {
      let count = 0;
      for await (const frame of peer) {
        await peer.write(frame);
        // So that it warms up, and then the connection ends with a request under way.
        if (++count < 2 || ++lost > 3) continue;
        await peer.read();
        return;
      }
    }, { connections: 3, warmUp: 100, timeout: 1000, ...loop });
    assertBalanced(stats);
    assertEquals([stats.sent, stats.answered], [10, 10]);
    assertEquals([stats.opened, stats.open], [6, 3]);
  });

  Deno.test(`Load in ${name} counts after a warm-up whose end finds no connection open`, async () => {
    const warmUp = 50;
    const stats = await loadFor(async (peer) => {
      const frame = await peer.read();
      if (frame === null) return;
      await pause(warmUp); // it is over with this one under way
      await peer.write(frame);
    }, { warmUp, requests: 3, ...loop });
    assertBalanced(stats);
    assertEquals([stats.warmUp > 0, stats.sent], [true, 3]);
    assert(stats.answered > 0);
  });

  Deno.test(`Load in ${name} counts nothing when a warm-up is never answered`, async () => {
    const stats = await loadForBare(async (conn) => {
      while (await conn.read(new Uint8Array(100)) !== null);
    }, { connections: 2, warmUp: 20, timeout: 60, ...loop });
    const { sent, warmUp, elapsed, bytesOut, open } = stats;
    assertEquals([sent, warmUp, elapsed, bytesOut, open], [0, 2, 0, 0, 0]);
    assertEquals(failuresOf(stats), { timeout: [2, 0] });
  });
}

Deno.test("Load lets a connection go that is closed before it answered", async () => {
  const stats = await loadForBare(async (conn) => {
    await conn.read(new Uint8Array(100));
  }, { connections: 3, pipeline: 2 });
  assertBalanced(stats);
  assertEquals(failuresOf(stats), { closed: [3, stats.sent] });
  assertEquals([stats.opened, stats.open, stats.answered], [3, 0, 0]);
});

Deno.test("Load opens a connection again that was closed after an answer", async () => {
  const stats = await loadFor(async (peer) => {
    const frame = await peer.read();
    if (frame !== null) await peer.write(frame);
  }, { connections: 2, requests: 10 });
  assertBalanced(stats);
  const { sent, answered, opened } = stats;
  assertEquals(sent, 10);
  assert(answered >= 5, `${answered}`);
  assert(opened >= 5, `${opened}`);
  assertEquals([...stats.lost.keys()], ["closed"]);
});

Deno.test("Load gives up when the server is gone", async () => {
  const server = serve({ port: 0 }, codec, async (peer) => {
    const frame = await peer.read();
    if (frame !== null) await peer.write(frame);
    await peer.read();
    server.shutdown({ grace: 0 });
  });
  const load = loadOn(server.addr.port, { requests: undefined });
  await load.run();
  await server.shutdown();
  assertBalanced(load.stats);
  const { answered, open, lost } = load.stats;
  assertEquals([answered, open], [1, 0]);
  assert(lost.has("refused"), `${[...lost.keys()]}`);
});

Deno.test("Load names each fault by its own kind, also of a connection that was to take another's place", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const load = loadOn(listener.addr.port, { timeout: 50 });
  const running = load.run();
  const conn = await listener.accept();
  listener.close();
  await conn.read(new Uint8Array(100));
  await conn.write(REQUEST);
  await running;
  conn.close();
  assertBalanced(load.stats);
  assertEquals(failuresOf(load.stats), { timeout: [1, 1], refused: [1, 0] });
  assertEquals(load.stats.answered, 1);
});

Deno.test("Load counts connections that are reset", async () => {
  // Deno's own connections end in good order.
  const server = createServer((socket) => {
    socket.on("data", () => socket.resetAndDestroy());
  });
  const address = await new Promise<AddressInfo>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      assert(typeof address === "object" && address !== null);
      resolve(address);
    });
  });
  const load = loadOn(address.port, { pipeline: 3, connections: 2 });
  await load.run();
  await new Promise((resolve) => server.close(resolve));
  assertBalanced(load.stats);
  assertEquals(failuresOf(load.stats), { reset: [2, 6] });
});

for (
  const [name, text] of [
    ["talks nonsense", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["ends in the middle of a frame", "\0\0\0\x05hel"],
  ]
) {
  Deno.test(`Load counts it as framing when a server ${name}`, async () => {
    const stats = await loadForBare(async (conn) => {
      await conn.read(new Uint8Array(100));
      await conn.write(new TextEncoder().encode(text));
    });
    assertBalanced(stats);
    assertEquals(failuresOf(stats), { framing: [1, 1] });
  });
}

for (const [name, loop] of Object.entries(LOOPS)) {
  Deno.test(`Load in ${name} waits for no answer longer than the timeout`, async () => {
    const stats = await loadForBare(async (conn) => {
      while (await conn.read(new Uint8Array(100)) !== null);
    }, { connections: 2, pipeline: 3, timeout: 50, requests: 100, ...loop });
    assertBalanced(stats);
    assertEquals(failuresOf(stats), { timeout: [2, 6] });
  });

  Deno.test(`Load in ${name} has taken as long as the last request took to fail`, async () => {
    const stats = await loadForBare(async (conn) => {
      while (await conn.read(new Uint8Array(100)) !== null);
    }, { connections: 2, timeout: 50, requests: 2, ...loop });
    assertEquals(failuresOf(stats), { timeout: [2, 2] });
    assert(stats.elapsed >= 50, `${stats.elapsed}`);
  });
}

Deno.test("Load goes on with another connection when one answer is missing", async () => {
  let count = 0;
  const stats = await loadFor(async (peer) => {
    for await (const frame of peer) {
      if (++count !== 5) await peer.write(frame);
    }
  }, { timeout: 100, requests: 20 });
  assertBalanced(stats);
  assertEquals(failuresOf(stats), { timeout: [1, 1] });
  assertEquals([stats.answered, stats.opened], [19, 2]);
});

for (const pipeline of [1, 4]) {
  Deno.test(`Load finds out that more comes than answers, with a pipeline of ${pipeline}`, async () => {
    const stats = await loadFor(async (peer) => {
      for await (const frame of peer) {
        peer.write(frame);
        peer.write(frame);
      }
    }, { pipeline, requests: 1000 });
    assertBalanced(stats);
    assert(stats.lost.has("unexpected"), `${[...stats.lost.keys()]}`);
  });
}

Deno.test("Load does not take a frame that came unasked for an answer", async () => {
  const stats = await loadFor(async (peer) => {
    for (let i = 0; i < 3; i++) peer.write(PAYLOAD);
    await peer.drain();
    await peer.read();
    await peer.read();
  });
  assertBalanced(stats);
  assertEquals([...stats.lost.keys()], ["unexpected"]);
});

Deno.test("Load that finds nobody rejects with the reason", async () => {
  const load = loadOn(freePort(), { connections: 200 });
  await assertRejects(() => load.run(), Deno.errors.ConnectionRefused);
  assertEquals(load.stats.sent, 0);
});

Deno.test("Load that is stopped while it connects ends", async () => {
  const load = new Load({
    open: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    request: REQUEST,
    answers: 1,
    connections: 3,
    pipeline: 1,
    warmUp: 0,
    timeout: 1000,
  });
  const running = load.run();
  load.stop();
  await running;
  assertEquals([load.stats.sent, load.stats.opened], [0, 0]);
});

for (const [name, loop] of Object.entries(LOOPS)) {
  Deno.test(`Load in ${name} sends no more than it is to when the last request cannot be written`, async () => {
    await using server = serve({ port: 0, onError() {} }, codec, echo);
    const { port } = server.addr;
    let written = 0;
    const load = loadOn(port, {
      open: (signal) =>
        connect({ port, signal }, {
          decode: (received) => codec.decode(received),
          encode(frame: Uint8Array, out) {
            if (++written === 5) throw new RangeError("not this one");
            out.write(frame);
          },
        }),
      ...loop,
      requests: 5,
      duration: 500, // at the latest
    });
    await load.run();
    assertBalanced(load.stats);
    assertEquals([load.stats.sent, load.stats.answered], [5, 4]);
  });
}

for (const [name, loop] of Object.entries(LOOPS)) {
  Deno.test(`Load in ${name} accounts for every request of a server that does what it likes`, async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new Random(seed);
      const wire = encodeFrame(codec, PAYLOAD);
      const stats = await loadForBare(async (conn) => {
        const room = new Uint8Array(1000);
        for (let had = 0;;) {
          const count = await conn.read(room);
          if (count === null) return;
          for (had += count; had >= 9; had -= 9) {
            const what = random.below(40);
            if (what === 0) return;
            if (what === 1) await conn.write(room); // more or less random
            else if (what === 2) await pause(random.below(50));
            else if (what === 3) await conn.write(wire.subarray(0, 5));
            else if (what !== 4) await conn.write(wire);
          }
        }
      }, {
        connections: 8,
        pipeline: 1 + random.below(5),
        timeout: 40,
        requests: 300,
        ...loop,
      });
      try {
        assertBalanced(stats);
        assert(stats.sent <= 300);
        if (stats.open > 0) assertEquals(stats.sent, 300);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
}

for (const [name, loop] of Object.entries(LOOPS)) {
  Deno.test(`Load in ${name} can be stopped at any time`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      let left = random.below(60);
      const stats = await loadForBare(async (conn, load) => {
        const room = new Uint8Array(1000);
        if (left-- === 0) load.stop();
        while (await conn.read(room) !== null) {
          if (left-- <= 0) load.stop();
          await conn.write(REQUEST);
          if (random.below(3) === 0) return; // so that some are just being opened
        }
      }, {
        connections: 1 + random.below(100),
        requests: undefined,
        warmUp: random.pick([0, 2]),
        ...loop,
      });
      assertBalanced(stats);
    }
  });
}
