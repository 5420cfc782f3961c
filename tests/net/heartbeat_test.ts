/**
 * Finding out that a peer has vanished.
 *
 * @module
 */

import {
  connect,
  ConnectionClosedError,
  Framing,
  heartbeat,
  type HeartbeatOptions,
  lines,
  PeerVanishedError,
  ReadTimeoutError,
  serve,
} from "@framewire/framewire";
import { connPair, faultyProxy } from "@framewire/framewire/testing";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { rejection, tcpPair, until } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

/** Soon vanished. */
const SOON = { interval: 5, timeout: 5 };
/** Not vanished, whatever else the machine does. */
const LATE = { interval: 5, timeout: 60_000 };
const frame = () => "PING";

function pair() {
  const [here, there] = connPair();
  return {
    peer: new Framing(here, lines()),
    other: new Framing(there, lines()),
  };
}

/** Lets some time pass in which a vanished peer would be noticed. */
async function aWhile(): Promise<void> {
  for (let i = 0; i < 12; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Which timers are set and not yet cleared; and how many were set. */
async function timers(meanwhile: () => Promise<void>) {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const pending = new Set<unknown>();
  let count = 0;
  Object.assign(globalThis, {
    setTimeout(run: () => void, delay: number) {
      const timer = set(() => {
        pending.delete(timer);
        run();
      }, delay);
      pending.add(timer);
      count++;
      return timer;
    },
    clearTimeout(timer: Parameters<typeof clear>[0]) {
      pending.delete(timer);
      clear(timer);
    },
  });
  try {
    await meanwhile();
  } finally {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }
  return { pending: pending.size, count };
}

Deno.test("heartbeat() asks a silent peer, and ends the connection when it does not answer", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { ...SOON, frame });
  const error = await rejection(peer.read());
  assertInstanceOf(error, PeerVanishedError);
  assertEquals([error.message, error.silence, error.code], [
    "Cannot read frame: the peer has vanished: not a byte came for 10 ms, and it did not answer a heartbeat",
    10,
    "ERR_PEER_VANISHED",
  ]);
  assertEquals([await other.read(), await other.read()], ["PING", null]);
  // Who comes later is told too.
  assertStrictEquals(await rejection(peer.read()), error);
  assertThrows(() => peer.write("hello"), PeerVanishedError);
  await other.close();
});

Deno.test("heartbeat() never ends an iteration silently", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, SOON);
  await other.write("one");
  const seen: string[] = [];
  await assertRejects(async () => {
    for await (const line of peer) seen.push(line);
  }, PeerVanishedError);
  assertEquals(seen, ["one"]);
  await other.close();
});

Deno.test("heartbeat() takes every byte for a sign of life, a whole frame or not", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines());
  using _beat = heartbeat(peer, { ...LATE, frame });
  const reading = peer.read();
  for (const byte of ["h", "e", "y", "\n"]) {
    const chunk = new Uint8Array(9);
    assertEquals(await there.read(chunk), 5);
    assertEquals(unraw(chunk.subarray(0, 5)), "PING\n");
    await there.write(raw(byte));
  }
  assertEquals(await reading, "hey");
  there.close();
});

Deno.test("heartbeat() gives up a peer that answered before", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { interval: 5, timeout: 200, frame });
  const reading = (async () => {
    for await (const _line of peer);
  })();
  const failed = rejection(reading);
  assertEquals(await other.read(), "PING");
  await other.write("PONG");
  assertEquals(await other.read(), "PING");
  assertInstanceOf(await failed, PeerVanishedError);
  await other.close();
});

Deno.test("heartbeat() without a frame sends nothing, and waits for both times", async () => {
  const { peer, other } = pair();
  using _watch = heartbeat(peer, SOON);
  const error = await rejection(peer.read());
  assertInstanceOf(error, PeerVanishedError);
  assertEquals(
    error.message,
    "Cannot read frame: the peer has vanished: not a byte came for 10 ms",
  );
  assertEquals(await other.read(), null);
  await other.close();
});

Deno.test("heartbeat() of one side keeps the other's satisfied", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { interval: 5, timeout: 60_000, frame });
  using _watch = heartbeat(other, { interval: 60_000, timeout: 60_000 });
  const answering = (async () => {
    let count = 0;
    for await (const line of other) {
      assertEquals(line, "PING");
      count++;
      await other.write("PONG");
    }
    return count;
  })();
  for (let i = 0; i < 5; i++) assertEquals(await peer.read(), "PONG");
  await peer.close();
  assertEquals(await answering >= 5, true);
  await other.close();
});

Deno.test("heartbeat() takes silence for nothing while nobody reads", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { ...SOON, frame });
  await other.write("one");
  await aWhile();
  assertEquals(peer.stats.framesSent, 0);
  assertEquals(await peer.read(), "one");
  await peer.close();
  await other.close();
});

Deno.test("heartbeat() gives up a peer whose reads have timeouts of their own", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { ...SOON, frame });
  let error: unknown;
  do error = await rejection(peer.read({ timeout: 3 })); while (
    error instanceof ReadTimeoutError
  );
  assertInstanceOf(error, PeerVanishedError);
  await other.close();
});

Deno.test("heartbeat() looks once more after the program was held up", async () => {
  const [here, there] = await tcpPair();
  using peer = new Framing(here, lines());
  using _beat = heartbeat(peer, { ...SOON, frame });
  const reading = peer.read();
  while (peer.stats.framesSent === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const answering = there.write(raw("just in time\n"));
  const begin = performance.now();
  // When this ends, the timeout is over; what has come has not been read.
  while (performance.now() - begin < 40);
  assertEquals(await reading, "just in time");
  await answering;
  there.close();
});

Deno.test("heartbeat() costs one timer at a time, whatever comes, and none afterwards", async () => {
  const { peer, other } = pair();
  const { pending, count } = await timers(async () => {
    {
      using _beat = heartbeat(peer, { interval: 60_000, frame });
      for (let i = 0; i < 1000; i++) {
        await other.write("frame");
        assertEquals(await peer.read(), "frame");
      }
    }
    await peer.close();
    await other.close();
  });
  assertEquals(pending, 0);
  assertEquals(count, 1);
});

Deno.test("heartbeat() sends nothing more when it is disposed of", async () => {
  const { peer, other } = pair();
  const beat = heartbeat(peer, { ...SOON, frame });
  beat[Symbol.dispose]();
  beat[Symbol.dispose]();
  const reading = rejection(peer.read());
  await aWhile();
  assertEquals(peer.stats.framesSent, 0);
  await peer.close();
  assertInstanceOf(await reading, ConnectionClosedError);
  await other.close();
});

Deno.test("heartbeat() lets a half-closed connection be", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { ...SOON, frame });
  await peer.closeWrite();
  const reading = peer.read();
  await aWhile();
  await other.write("a long answer");
  assertEquals(await reading, "a long answer");
  await peer.close();
  await other.close();
});

Deno.test("heartbeat() ends the connection when its frame cannot be laid out", async () => {
  const { peer, other } = pair();
  using _beat = heartbeat(peer, { ...SOON, frame: () => "with\na break" });
  await assertRejects(() => peer.read(), RangeError);
  await other.close();
});

Deno.test("heartbeat() watches on when the codec is switched", async () => {
  const { peer, other } = pair();
  using _watch = heartbeat(peer, SOON);
  await assertRejects(
    () => peer.switchCodec(lines()).read(),
    PeerVanishedError,
  );
  await other.close();
});

for (
  const options of [
    { interval: 0 },
    { interval: NaN },
    { timeout: 0 },
    { timeout: Infinity },
  ] as HeartbeatOptions<string>[]
) {
  Deno.test(`heartbeat() refuses ${Deno.inspect(options)}`, () => {
    const { peer, other } = pair();
    assertThrows(
      () => heartbeat(peer, options),
      RangeError,
      `Cannot watch a peer: ${Object.keys(options)} must be a number`,
    );
    peer[Symbol.dispose]();
    other[Symbol.dispose]();
  });
}

Deno.test("heartbeat() of a server ends the connection of a client that a stalled network hides", async () => {
  const errors: unknown[] = [];
  await using server = serve(
    { port: 0, onError: (error) => errors.push(error) },
    lines(),
    async (peer) => {
      using _beat = heartbeat(peer, { interval: 10, timeout: 200, frame });
      for await (const line of peer) {
        if (line !== "PONG") await peer.write(`You said ${line}`);
      }
    },
  );
  await using proxy = await faultyProxy({
    target: server.addr,
    faults: { there: { stall: { after: 11 } } },
    seed: 1,
  });
  await using client = await connect({ port: proxy.addr.port }, lines());
  await client.write("hello");
  assertEquals(await client.read(), "You said hello");
  for await (const line of client) {
    if (line === "PING") await client.write("PONG"); // one of them arrives
  }
  await until(() => errors.length > 0, "the server's report");
  assertInstanceOf(errors[0], PeerVanishedError);
});
