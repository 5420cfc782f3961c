/**
 * The one writer of a connection, as `Framing` shows it: order, coalescing, backpressure, failures.
 *
 * @module
 */

import {
  type ByteConn,
  type Codec,
  ConnectionClosedError,
  ConnectionError,
  delimited,
  encodeFrame,
  FrameBody,
  Framing,
  type FramingOptions,
  lengthPrefixed,
  lines,
  PeerResetError,
  WriteTimeoutError,
} from "@framewire/framewire";
import {
  connPair,
  type ScriptedConn,
  scriptedConn,
} from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CONNECTIONS,
  readAll,
  rejection,
  SOCKETS,
  until,
  writeAll,
} from "../support/sockets.ts";
import { Random } from "../support/random.ts";
import { raw, unraw } from "../support/wire.ts";

const big = lengthPrefixed({ maxFrameLength: 2 ** 25 });

/** A connection that counts how often it was written to. */
class CountingConn implements ByteConn {
  #conn: Deno.Conn;
  writes = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#conn.read(p);
  }

  write(p: Uint8Array): Promise<number> {
    this.writes++;
    return this.#conn.write(p);
  }

  close(): void {
    this.#conn.close();
  }
}

Deno.test("Framing.write() sends a lone frame without further calls", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines());
  assertEquals(peer.write("lone"), undefined);
  const into = new Uint8Array(16);
  assertEquals(await there.read(into), 5);
  there.close();
});

Deno.test("Framing.write() sends a lone frame before any timer", async () => {
  const conn = scriptedConn([]);
  await using peer = new Framing(conn, lines());
  peer.write("lone");
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assertEquals(unraw(conn.written), "lone\n");
});

const LOOPS: [
  how: string,
  write: (peer: Framing<string>, lines: string[]) => Promise<void>,
][] = [
  ["without waiting", (peer, lines) => {
    for (const line of lines) peer.write(line);
    return peer.drain();
  }],
  ["waiting for each", async (peer, lines) => {
    for (const line of lines) await peer.write(line);
    await peer.drain();
  }],
  ["waiting when told to", async (peer, lines) => {
    for (const line of lines) {
      const room = peer.write(line);
      if (room !== undefined) await room;
    }
    await peer.drain();
  }],
  ["by writeMany()", async (peer, lines) => {
    await peer.writeMany(lines);
    await peer.drain();
  }],
  ["by writeMany() from an async generator", async (peer, lines) => {
    await peer.writeMany((async function* () {
      yield* lines;
    })());
    await peer.drain();
  }],
  ["by writeMany() from a stream", async (peer, lines) => {
    await peer.writeMany(ReadableStream.from(lines));
    await peer.drain();
  }],
];

for (const [kind, pair] of CONNECTIONS) {
  for (const [how, write] of LOOPS) {
    Deno.test(`Framing.write() over ${kind} sends thousands of frames in few writes, ${how}`, async () => {
      const [here, there] = await pair();
      const conn = new CountingConn(here);
      const peer = new Framing(conn, lines());
      const sent = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
      const receiving = Array.fromAsync(new Framing(there, lines()));
      await write(peer, sent);
      await peer.close();
      assertEquals(await receiving, sent);
      there.close();
      const { bytesSent } = peer.stats;
      // One write fills up to 64 KiB; what was added while it was under way may leave alone.
      const full = Math.ceil(bytesSent / (64 * 1024));
      assert(conn.writes <= 4 * full, `${conn.writes} writes, ${full} full`);
    });
  }
}

/** How long the writes were that a connection got while many short frames were sent, but for the last one. */
async function fullChunks(
  conn: ScriptedConn,
  options: FramingOptions,
): Promise<number[]> {
  await using peer = new Framing(conn, delimited("\n"), options);
  const frame = new Uint8Array(59);
  for (let i = 0; i < 20_000; i++) await peer.write(frame);
  await peer.drain();
  return conn.writeCounts.slice(0, -1);
}

Deno.test("Framing.write() fills chunks of 64 KiB, then of 256 KiB as they are taken whole", async () => {
  const [first, ...others] = await fullChunks(scriptedConn([]), {});
  assertEquals(first, 60 * Math.floor(65_536 / 60));
  assertEquals(new Set(others), new Set([60 * Math.floor(262_144 / 60)]));
});

Deno.test("Framing.write() stays with 64 KiB where the highWaterMark says so", async () => {
  const counts = await fullChunks(scriptedConn([]), { highWaterMark: 65_536 });
  assertEquals(new Set(counts), new Set([60 * Math.floor(65_536 / 60)]));
});

Deno.test("Framing.write() stays with 64 KiB as long as writes are short, and asks to wait from there on", async () => {
  const [here, there] = connPair({ capacity: 10_000 });
  const peer = new Framing(here, lines());
  const receiving = readAll(there);
  const line = "x".repeat(59);
  for (let i = 0; i < 20_000; i++) {
    const room = peer.write(line);
    assert(peer.stats.pending <= 65_536 + 60);
    await room;
  }
  await peer.close();
  assertEquals((await receiving).length, 20_000 * 60);
  there.close();
});

for (const [kind, pair] of SOCKETS) {
  Deno.test(`Framing.write() over ${kind} keeps a large and a small frame apart`, async () => {
    const [here, there] = await pair();
    await using sender = new Framing(here, big);
    await using receiver = new Framing(there, big);
    const large = new Uint8Array(4 * 1024 * 1024).fill(1);
    const small = new Uint8Array(10).fill(2);
    const writing = Promise.all([
      sender.write(large),
      sender.write(small),
      sender.write(large),
      sender.write(small),
    ]);
    for (const expected of [large, small, large, small]) {
      const frame = await receiver.read();
      assertEquals(frame?.length, expected.length);
      assertEquals(frame, expected);
    }
    await writing;
  });

  Deno.test(`Framing.write() over ${kind} keeps the order of many writers`, async () => {
    const [here, there] = await pair();
    await using receiver = new Framing(there, big);
    const sender = new Framing(here, big);
    const random = new Random(20_260_729);
    const order: [writer: number, length: number][] = [];
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 40; i++) {
        const length = random.pick([0, 1, 100, 5_000, 70_000, 300_000]);
        order.push([writer, length]);
        await sender.write(new Uint8Array(length + 1).fill(writer));
        if (random.below(3) === 0) await sender.drain();
      }
    });
    const sending = Promise.all(writers).then(() => sender.close());
    let index = 0;
    for await (const frame of receiver) {
      const [writer, length] = order[index++];
      const whole = frame.length === length + 1 &&
        frame.every((byte) => byte === writer);
      assert(whole, `frame ${index} of seed ${random.seed}`);
    }
    await sending;
    assertEquals(index, order.length);
  });

  Deno.test(`Framing.write() over ${kind} waits for a peer that does not read, and holds little`, async () => {
    const [here, there] = await pair();
    const sender = new Framing(here, lengthPrefixed(), { highWaterMark: 1000 });
    const frame = new Uint8Array(10_000);
    let writes = 0;
    let most = 0;
    let reading: Promise<Uint8Array> | undefined;
    for (let i = 0; i < 2000; i++) {
      const room = sender.write(frame);
      writes++;
      most = Math.max(most, sender.stats.pending);
      if (room === undefined) continue;
      try {
        await sender.drain({ timeout: 20 });
      } catch (error) {
        assertInstanceOf(error, WriteTimeoutError);
        reading ??= readAll(there);
      }
      await room;
    }
    assert(reading !== undefined, "the peer's buffers were never full");
    assert(most <= 1000 + 10_004, `${most} bytes were waiting`);
    await sender.close();
    assertEquals((await reading).length, writes * 10_004);
    there.close();
  });

  Deno.test(`Framing.write() over ${kind} lets a large frame's memory be used again once it settled`, async () => {
    const [here, there] = await pair();
    await using sender = new Framing(here, big);
    await using receiver = new Framing(there, big);
    for (const length of [60_000, 64 * 1024, 64 * 1024 + 1, 5_000_000]) {
      const payload = new Uint8Array(length).fill(1);
      const receiving = receiver.read();
      const writing = sender.write(payload);
      assertEquals(writing !== undefined, length >= 64 * 1024);
      await writing;
      payload.fill(2);
      const received = await receiving;
      assert(received?.length === length);
      assert(received.every((byte) => byte === 1), `${length} bytes`);
    }
  });
}

Deno.test("Framing.write() copies a small frame", async () => {
  const conn = scriptedConn([]);
  await using peer = new Framing(conn, lengthPrefixed());
  const payload = raw("hello");
  assertEquals(peer.write(payload), undefined);
  payload.fill(0);
  await peer.drain();
  assertEquals(unraw(conn.written), "\0\0\0\x05hello");
});

Deno.test("Framing.write() waits for the whole of a large frame, and not for what is behind it", async () => {
  const [here, there] = connPair({ capacity: 1000 });
  await using peer = new Framing(here, big, { highWaterMark: 10 ** 6 });
  const order: string[] = [];
  peer.write(new Uint8Array(70_000))?.then(() => order.push("large"));
  assertEquals(peer.write(new Uint8Array(10)) === undefined, false);
  assertEquals(peer.stats.pending, 70_018);
  const into = new Uint8Array(1000);
  for (let read = 0; read < 69_004;) read += await there.read(into) ?? 0;
  await until(() => peer.stats.bytesSent === 70_004);
  assertEquals(order, ["large"]);
  // The large one is with the connection: small ones need not be waited for any more.
  assertEquals(peer.write(new Uint8Array(10)), undefined);
  const reading = readAll(there);
  await peer.close();
  await reading;
  there.close();
});

Deno.test("Framing.write() asks to wait from the high-water mark on, and no longer than that", async () => {
  const [here, there] = connPair({ capacity: 10 });
  const peer = new Framing(here, lines(), { highWaterMark: 20 });
  const order: string[] = [];
  const watch = (name: string, room: Promise<void> | undefined) => {
    if (room === undefined) order.push(`${name} at once`);
    else room.then(() => order.push(name));
  };
  watch("first", peer.write("x".repeat(19)));
  watch("second", peer.write("x"));
  // Waiting for everything does not hold up who waits for less.
  watch("drain", peer.drain());
  watch("third", peer.write("x"));
  await until(() => peer.stats.bytesSent === 10);
  assertEquals(order, ["first at once", "second", "third"]);
  const receiving = readAll(there);
  await until(() => order.length === 4);
  assertEquals(order.at(-1), "drain");
  await peer.close();
  assertEquals((await receiving).length, 24);
  there.close();
});

Deno.test("Framing.write() with a highWaterMark of 0 waits for every frame", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines(), { highWaterMark: 0 });
  for (const line of ["a", "b"]) {
    const room = peer.write(line);
    assert(room !== undefined);
    await room;
    assertEquals(peer.stats.pending, 0);
  }
  there.close();
});

for (
  const [what, writes] of [
    ["are short", [1, 1, 2, 1, 3]],
    ["take nothing now and then", [0, 2, 0, 0, 1, 0, 4]],
  ] as const
) {
  Deno.test(`Framing goes on when writes ${what}`, async () => {
    const conn = scriptedConn([], writes);
    await using peer = new Framing(conn, lengthPrefixed());
    peer.write(raw("hello"));
    peer.write(raw("Ω"));
    await peer.drain();
    assertEquals(
      unraw(conn.written),
      "\0\0\0\x05hello\0\0\0\x01" + unraw(raw("Ω")),
    );
    assertEquals(peer.stats.bytesSent, conn.written.length);
  });
}

Deno.test("Framing gives a connection up that takes no bytes again and again", async () => {
  const conn = scriptedConn([], Array(1000).fill(0));
  const peer = new Framing(conn, lines());
  peer.write("x");
  const error = await assertRejects(
    () => peer.drain(),
    ConnectionError,
    "took no bytes 100 times in a row",
  );
  assertEquals(conn.writeCounts.length, 100);
  assertStrictEquals(assertThrows(() => peer.write("y")), error);
  await peer.close();
});

for (const claim of [6, -1, NaN, 1e9]) {
  Deno.test(`Framing refuses a connection that claims to have taken ${claim} of 5 bytes`, async () => {
    const peer = new Framing({
      read: () => Promise.resolve(null),
      write: () => Promise.resolve(claim),
      close() {},
    }, lines());
    peer.write("four");
    await assertRejects(
      () => peer.drain(),
      ConnectionError,
      `write() took ${claim} of 5`,
    );
    await peer.close();
  });
}

Deno.test("Framing takes a write() that throws for one that fails", async () => {
  const peer = new Framing({
    read: () => Promise.resolve(null),
    write() {
      throw new TypeError("odd");
    },
    close() {},
  }, lines());
  peer.write("x");
  await assertRejects(
    () => peer.drain(),
    ConnectionError,
    "Cannot write frame: odd",
  );
  await peer.close();
});

Deno.test("Framing's disposal closes a connection whose write() throws", () => {
  let closed = 0;
  {
    using peer = new Framing({
      read: () => Promise.resolve(null),
      write() {
        throw new TypeError("odd");
      },
      close() {
        closed++;
      },
    }, lines());
    peer.write("x");
  }
  assertEquals(closed, 1);
});

/** Writes part of a frame, then finds that it cannot be laid out. */
const halfHearted: Codec<string> = {
  decode: () => undefined,
  encode(frame, out) {
    out.text(frame);
    if (frame.includes("!")) {
      out.write(new Uint8Array(70_000));
      out.byte(1);
      throw new RangeError("Cannot write frame: it shouts");
    }
    out.byte(10);
  },
};

Deno.test("Framing.write() leaves nothing of a frame that cannot be laid out", async () => {
  const conn = scriptedConn([]);
  const peer = new Framing(conn, halfHearted);
  peer.write("one");
  assertThrows(() => peer.write("two!"), RangeError, "it shouts");
  peer.write("three");
  assertEquals(peer.stats.framesSent, 2);
  await peer.drain();
  assertThrows(() => peer.write("!"), RangeError, "it shouts");
  await peer.drain();
  await peer.write("four");
  await peer.close();
  assertEquals(unraw(conn.written), "one\nthree\nfour\n");
});

Deno.test("Framing.write() refuses a frame that is too long, and writes the next", async () => {
  const conn = scriptedConn([]);
  const peer = new Framing(conn, lengthPrefixed({ maxFrameLength: 5 }));
  peer.write(raw("a"));
  assertThrows(() => peer.write(raw("sixsix")), RangeError, "maxFrameLength");
  await assertRejects(
    () => peer.writeMany([raw("b"), raw("sixsix"), raw("c")]),
    RangeError,
    "maxFrameLength",
  );
  await peer.close();
  assertEquals(unraw(conn.written), "\0\0\0\x01a\0\0\0\x01b");
});

Deno.test("Framing.writeMany() ends its source when a frame cannot be written", async () => {
  let ended = false;
  function* source() {
    try {
      while (true) yield "a\nb";
    } finally {
      ended = true;
    }
  }
  await using peer = new Framing(scriptedConn([]), lines());
  await assertRejects(() => peer.writeMany(source()), RangeError);
  assert(ended);
});

const FAILING = () => {
  const failure = new Deno.errors.BrokenPipe("Broken pipe");
  const conn = scriptedConn([{ stall: true }], [2, failure]);
  return { conn, failure, peer: new Framing(conn, lines()) };
};

for (
  const [call, report] of [
    ["write()", (peer) => Promise.try(() => peer.write("next"))],
    ["writeMany()", (peer) => peer.writeMany(["next"])],
    ["drain()", (peer) => peer.drain()],
    ["closeWrite()", (peer) => peer.closeWrite()],
    ["detach()", (peer) => peer.detach()],
    ["close()", (peer) => peer.close()],
  ] satisfies [string, (peer: Framing<string>) => Promise<unknown>][]
) {
  Deno.test(`Framing reports a write that failed at the next ${call}`, async () => {
    const { conn, failure, peer } = FAILING();
    assertEquals(peer.write("hello"), undefined);
    await until(() => conn.writeCounts.length === 1);
    const error = await rejection(Promise.resolve(report(peer)));
    assertInstanceOf(error, PeerResetError);
    assertStrictEquals(error.cause, failure);
    await peer.close(); // once told, closing is quiet
    assert(conn.closed);
  });
}

Deno.test("Framing reports a write that failed to everybody who waits for it", async () => {
  const { peer } = FAILING();
  const room = peer.write("x".repeat(70_000));
  assert(room !== undefined);
  const draining = peer.drain();
  const second = peer.write("y");
  assert(second !== undefined);
  const errors = await Promise.all([room, draining, second].map(rejection));
  assertEquals(new Set(errors).size, 1);
  assertInstanceOf(errors[0], PeerResetError);
  await peer.close();
});

Deno.test("Framing lets nobody's promise go unhandled when a write fails", async () => {
  const unhandled: unknown[] = [];
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listen);
  try {
    const { peer } = FAILING();
    peer.write("x".repeat(70_000));
    peer.write("y".repeat(70_000));
    await until(() => peer.stats.bytesSent === 2);
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    assertEquals(unhandled, []);
    assertThrows(() => peer.write("z"), PeerResetError);
    peer.close();
  } finally {
    globalThis.removeEventListener("unhandledrejection", listen);
  }
});

for (const [kind, pair] of SOCKETS) {
  Deno.test(`Framing over ${kind} reports that the peer went away while it was writing`, async () => {
    const [here, there] = await pair();
    const peer = new Framing(here, big);
    const room = peer.write(new Uint8Array(2 ** 25));
    assert(room !== undefined);
    await until(() => peer.stats.bytesSent > 0);
    there.close();
    const error = await rejection(room);
    assertInstanceOf(error, PeerResetError);
    assertThrows(() => peer.write(new Uint8Array(1)), PeerResetError);
    assertStrictEquals(await rejection(peer.drain()), error);
    assertInstanceOf(await rejection(peer.read()), PeerResetError);
    await peer.close();
  });
}

Deno.test("Framing.drain() gives up in time, and what was written is sent all the same", async () => {
  const [here, there] = connPair({ capacity: 3 });
  const peer = new Framing(here, lines());
  peer.write("hello");
  for (let i = 0; i < 3; i++) {
    const error = await assertRejects(
      () => peer.drain({ timeout: 1 }),
      WriteTimeoutError,
      "the peer did not take 3 bytes within 1 ms",
    );
    assertEquals([error.pending, error.timeout], [3, 1]);
  }
  const controller = new AbortController();
  const draining = rejection(peer.drain({ signal: controller.signal }));
  controller.abort("enough");
  assertEquals<unknown>(await draining, "enough");
  const receiving = readAll(there);
  await peer.drain({ timeout: 60_000 });
  assertEquals(peer.stats.pending, 0);
  await peer.drain({ timeout: 0 });
  await peer.close();
  assertEquals(unraw(await receiving), "hello\n");
  there.close();
});

Deno.test("Framing.close() reports a failure that only a drain which had given up could know of", async () => {
  const [here, there] = connPair({ capacity: 1 });
  const peer = new Framing(here, lines());
  peer.write("ab");
  await assertRejects(() => peer.drain({ timeout: 1 }), WriteTimeoutError);
  there.close();
  await new Promise((resolve) => setTimeout(resolve)); // the write that is under way fails in microtasks
  await assertRejects(() => peer.close(), PeerResetError);
});

Deno.test("Framing.closeWrite() and close() fail when the connection was closed by somebody else", async () => {
  const [here, there] = connPair();
  const peer = new Framing(here, lines());
  peer.write("x");
  here.close();
  await assertRejects(() => peer.closeWrite(), ConnectionClosedError);
  await peer.close();
  there.close();
});

Deno.test("Framing sends the same bytes whatever a connection takes at a time", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const steps = Array.from(
      { length: 400 },
      () => random.pick([0, 1, 2, 7, 1000, 65_536, 10 ** 6]),
    );
    const conn = scriptedConn([], steps);
    const peer = new Framing(conn, big, {
      highWaterMark: random.pick([0, 1, 1000, 65_536, 10 ** 6]),
    });
    const expected: Uint8Array[] = [];
    for (let i = 0; i < 30; i++) {
      const length = random.pick([
        0,
        1,
        50,
        4000,
        40_000,
        65_532,
        65_536,
        99_999,
      ]);
      const payload = new Uint8Array(length).fill(random.below(256));
      expected.push(encodeFrame(big, payload));
      const room = peer.write(payload);
      if (random.below(2) === 0) await room;
      if (random.below(8) === 0) await peer.drain();
      if (random.below(4) === 0) {
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    await peer.close();
    const whole = new Uint8Array(
      await new Blob(expected.map((bytes) => bytes.slice())).arrayBuffer(),
    );
    assertEquals(conn.written.length, whole.length, `seed ${seed}`);
    assert(
      conn.written.every((byte, index) => byte === whole[index]),
      `seed ${seed}`,
    );
    assertEquals(peer.stats.pending, 0, `seed ${seed}`);
  }
});

Deno.test("Framing.write() from the peer's answer does not wait for anybody", async () => {
  // Both sides write more than fits and read only between: neither may be stuck for ever.
  const [here, there] = connPair({ capacity: 100 });
  const payload = "x".repeat(5000);
  const side = async (conn: Deno.Conn) => {
    const peer = new Framing(conn, lines());
    const writing = peer.writeMany(Array(40).fill(payload));
    let count = 0;
    while (count < 40 && await peer.read() !== null) count++;
    await writing;
    await peer.close();
    return count;
  };
  assertEquals(await Promise.all([side(here), side(there)]), [40, 40]);
});

Deno.test("Framing.write() keeps to the frames of others on the wire", async () => {
  const [here, there] = connPair({ capacity: 7 });
  const peer = new Framing(here, lines());
  const writers = ["a", "b", "c"].map(async (name) => {
    for (let i = 0; i < 50; i++) await peer.write(name.repeat(i + 1));
  });
  const receiving = readAll(there);
  await Promise.all(writers);
  await peer.close();
  const received = unraw(await receiving).trimEnd().split("\n");
  assertEquals(received.length, 150);
  for (const name of ["a", "b", "c"]) {
    assertEquals(
      received.filter((line) => line.startsWith(name)),
      Array.from({ length: 50 }, (_, i) => name.repeat(i + 1)),
    );
  }
  await assertRejects(() => writeAll(here, raw("x")), Deno.errors.BadResource);
  there.close();
});

Deno.test("Framing fails if the memory of a long frame was given away before it was sent", async () => {
  const [here, there] = connPair();
  const peer = new Framing(here, lengthPrefixed());
  const frame = new Uint8Array(70_000);
  const written = peer.write(frame);
  structuredClone(frame, { transfer: [frame.buffer] });
  const error = await assertRejects(async () => await written, ConnectionError);
  assertStringIncludes(error.message, "given away before it was sent");
  await peer.close().catch(() => {});
  there.close();
});

Deno.test("write() of a large frame is rejected when the connection throws at once", async () => {
  const conn: ByteConn = {
    read: () => Promise.resolve(null),
    write() {
      throw new Deno.errors.BrokenPipe("gone");
    },
    close() {},
  };
  await using peer = new Framing(conn, lengthPrefixed());
  const room = peer.write(new Uint8Array(64 * 1024));
  const settled = Promise.resolve(room).then(() => "sent", () => "rejected");
  assertEquals(await Promise.race([settled, turns(20)]), "rejected");
  assertThrows(() => peer.write(new Uint8Array(1)), PeerResetError);
});

/** Lets turns of the microtask queue pass. */
async function turns(count: number): Promise<string> {
  for (let i = 0; i < count; i++) await undefined;
  return "waits";
}

/** Sources that do what none may, and what is said of them. */
const MISBEHAVED: [
  what: string,
  next: () => Promise<IteratorResult<Uint8Array<ArrayBuffer>>>,
  said: string,
][] = [
  [
    "gives nothing for ever",
    () => Promise.resolve({ value: new Uint8Array(), done: false }),
    "gave no bytes 100 times in a row",
  ],
  [
    "throws what is no text",
    () => Promise.reject(Object.create(null)),
    "failed (a value of type object)",
  ],
  [
    "throws instead of rejecting",
    () => {
      throw new Error("at once");
    },
    "failed (at once)",
  ],
  // What the types forbid and JavaScript does.
  [
    "gives no result",
    () => Promise.resolve(JSON.parse("null")),
    "gave no result",
  ],
];

for (const [what, next, said] of MISBEHAVED) {
  Deno.test(`Framing.write() ends the connection when the source of a body ${what}`, async () => {
    const [here, there] = connPair();
    using peer = new Framing(
      here,
      lengthPrefixed({ maxFrameLength: 1, maxBodyLength: 9 }),
    );
    const source = { [Symbol.asyncIterator]: () => ({ next }) };
    const sent = peer.write(new FrameBody(5, source));
    const error = await assertRejects(
      () => sent ?? Promise.resolve(),
      ConnectionError,
      said,
    );
    assertStringIncludes(error.message, "after 0 of 5 bytes");
    there.close();
  });
}

for (const order of ["before", "after"]) {
  Deno.test(`Framing hands over what was written ${order} what another connection gets, whose write disposes of it`, async () => {
    const closed = scriptedConn([]);
    const other = new Framing(closed, lines());
    const closing = scriptedConn([]);
    const write = closing.write.bind(closing);
    closing.write = (bytes) => {
      other[Symbol.dispose]();
      return write(bytes);
    };
    const peer = new Framing(closing, lines());
    // They leave in the same turn.
    for (const framing of order === "before" ? [other, peer] : [peer, other]) {
      framing.write("something");
    }
    await peer.drain();
    peer[Symbol.dispose]();
    assertEquals(closed.written, new TextEncoder().encode("something\n"));
    assert(closed.closed);
  });
}
