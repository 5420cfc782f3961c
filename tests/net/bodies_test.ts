/**
 * Bodies over connections: what is read as it comes, and written as it is made.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  FrameBody,
  Framing,
  lengthPrefixed,
  lines,
  PeerResetError,
  ReadTimeoutError,
  serve,
  type StreamedBytesCodec,
  TruncatedFrameError,
} from "@framewire/framewire";
import { connPair, scriptedConn } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { lookAt, NOTHING_SEEN } from "../../lib/net/framing.ts";
import { checkLimits, Patience } from "../../lib/net/server_limits.ts";
import { Random } from "../support/random.ts";
import { CONNECTIONS, tcpPair, writeAll } from "../support/sockets.ts";

const codec = lengthPrefixed({
  width: 8,
  maxFrameLength: 100,
  maxBodyLength: 2 ** 40,
});
const PING = new Uint8Array([1, 2, 3]);

type Peer = Framing<
  Uint8Array<ArrayBuffer> | FrameBody,
  Uint8Array | FrameBody
>;

/** Frames of two connections, each the other's peer. */
function peers(): [Peer, Peer] {
  const [here, there] = connPair();
  return [new Framing(here, codec), new Framing(there, codec)];
}

async function readBody(peer: Peer): Promise<FrameBody> {
  const frame = await peer.read();
  assertInstanceOf(frame, FrameBody);
  return frame;
}

function* pieces(
  random: Random,
  length: number,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let left = length; left > 0;) {
    const piece = random.bytes(Math.min(random.below(200_000), left));
    left -= piece.length;
    yield piece;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

for (const [kind, pair] of CONNECTIONS) {
  for (const frames of ["owned", "copied", "borrowed"] as const) {
    Deno.test(`Framing carries bodies between frames over ${kind}, ${frames}`, async () => {
      const seed = 7;
      const [here, there] = await pair();
      await using sender = new Framing(here, codec);
      await using receiver = new Framing(there, codec, { frames });
      const lengths = [101, 3_000_000, 70_000];
      const wanted = new Random(seed);
      const made = new Random(seed);
      const sent: (Promise<void> | undefined)[] = [];
      for (const length of lengths) {
        sent.push(sender.write(new FrameBody(length, pieces(made, length))));
        sent.push(sender.write(PING));
      }
      for (const length of lengths) {
        const body = await readBody(receiver);
        assertEquals(body.length, length);
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk.slice());
        const expected = concat([...pieces(wanted, length)]);
        assert(
          Deno.inspect(concat(chunks).subarray(-99)) ===
              Deno.inspect(expected.subarray(-99)) &&
            concat(chunks).every((byte, i) => byte === expected[i]),
          `seed ${seed}, length ${length}`,
        );
        assertEquals(await receiver.read(), PING);
      }
      await Promise.all(sent);
      assertEquals(receiver.stats.framesReceived, 6);
      assertEquals(sender.stats.bytesSent, receiver.stats.bytesReceived);
      assertEquals(sender.stats.pending, 0);
    });
  }
}

Deno.test("Framing.read() waits until a body was read to its end", async () => {
  const [sender, receiver] = peers();
  using _sender = sender;
  using _receiver = receiver;
  const sent = sender.write(new FrameBody(200, [new Uint8Array(200)]));
  sender.write(PING);
  const order: string[] = [];
  const body = await readBody(receiver);
  const next = receiver.read().then(() => order.push("next frame"));
  await turn();
  assertEquals(receiver.stats.framesReceived, 1);
  for await (const chunk of body) order.push(`${chunk.length}`);
  order.push("body over");
  await next;
  assertEquals(order[0], "200");
  assertEquals(order.includes("next frame"), true);
  await sent;
});

Deno.test("Framing.tryRead(), readBatch() and for await keep to bodies too", async () => {
  const [sender, receiver] = peers();
  using _sender = sender;
  using _receiver = receiver;
  sender.write(PING);
  const sent = sender.write(new FrameBody(200, [new Uint8Array(200)]));
  sender.write(PING);
  const [first, second, ...others] = await receiver.readBatch() ?? [];
  assertEquals([first, others], [PING, []]);
  const body = second ?? await receiver.read();
  assertInstanceOf(body, FrameBody);
  assertEquals(receiver.tryRead(), undefined);
  assertEquals((await Array.fromAsync(body)).length > 0, true);
  for await (const frame of receiver) {
    assertEquals(frame, PING);
    break;
  }
  await sent;
});

Deno.test("Framing.read() goes on behind a body that was cancelled, wherever that was", async () => {
  for (const taken of [0, 1, 3]) {
    const [sender, receiver] = peers();
    using _sender = sender;
    using _receiver = receiver;
    const LENGTH = 1_000_000;
    const sent = sender.write(
      new FrameBody(LENGTH, pieces(new Random(taken), LENGTH)),
    );
    sender.write(PING);
    const body = await readBody(receiver);
    const next = receiver.read();
    const reader = body.stream().getReader();
    for (let i = 0; i < taken; i++) await reader.read();
    await reader.cancel();
    assertEquals(await next, PING);
    await sent;
    assertEquals(receiver.stats.buffered, 0);
  }
});

Deno.test("Framing goes on behind a body that is cancelled while more of it is awaited", async () => {
  const [here, there] = connPair();
  using receiver = new Framing(here, codec);
  await writeAll(there, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 200, 9]));
  const body = await readBody(receiver);
  const bytes = body[Symbol.asyncIterator]();
  assertEquals((await bytes.next()).value, new Uint8Array([9]));
  const more = bytes.next();
  await body.cancel();
  const next = receiver.read();
  const rest = new Uint8Array(199 + 8 + 1);
  rest.set([1, 5], 206);
  await writeAll(there, rest);
  assertEquals((await more).done, true);
  assertEquals(await next, new Uint8Array([5]));
  there.close();
  // It was taken in once.
  assertEquals(await receiver.read(), null);
  assertEquals(receiver.stats.bytesReceived, 9 + 208);
});

Deno.test("Framing.read() loses nothing when it gives up waiting for a body", async () => {
  const [sender, receiver] = peers();
  using _sender = sender;
  using _receiver = receiver;
  const sent = sender.write(new FrameBody(500, [new Uint8Array(500)]));
  sender.write(PING);
  const body = await readBody(receiver);
  const error = await assertRejects(
    () => receiver.read({ timeout: 5 }),
    ReadTimeoutError,
  );
  assertEquals(
    error.message,
    "Cannot read frame: the body of the one before was not over within 5 ms: 500 bytes are left",
  );
  assertEquals(error.need, 500);
  let count = 0;
  for await (const chunk of body) count += chunk.length;
  assertEquals([count, await receiver.read({ timeout: 5000 })], [500, PING]);
  await sent;
});

Deno.test("Framing reads no more of a body than is asked for", async () => {
  const [here, there] = await tcpPair();
  await using sender = new Framing(here, codec);
  await using receiver = new Framing(there, codec);
  const LENGTH = 64 * 1024 * 1024;
  let made = 0;
  function* source(): Generator<Uint8Array<ArrayBuffer>> {
    const piece = new Uint8Array(64 * 1024);
    for (; made < LENGTH; made += piece.length) yield piece;
  }
  const sent = sender.write(new FrameBody(LENGTH, source()));
  const body = await readBody(receiver);
  // Until the system takes no more.
  for (let before = -1; before < made;) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert(made < LENGTH / 2, `${made} bytes were made for who reads nothing`);
  assert(receiver.stats.bytesReceived < 1024 * 1024);
  let count = 0;
  for await (const chunk of body) count += chunk.length;
  assertEquals(count, LENGTH);
  await sent;
});

Deno.test("Framing says how much of a frame came when the stream ends in its body, again and again", async () => {
  const wire = new Uint8Array(8 + 40);
  wire[7] = 200;
  using peer = new Framing(scriptedConn([{ chunk: wire }]), codec);
  const body = await readBody(peer);
  const next = peer.read();
  next.catch(() => {});
  let count = 0;
  const error = await assertRejects(async () => {
    for await (const chunk of body) count += chunk.length;
  }, TruncatedFrameError);
  assertEquals([count, error.have, error.need], [40, 48, 208]);
  assertEquals(await assertRejects(() => next), error);
  assertEquals(await assertRejects(() => peer.read()), error);
});

Deno.test("Framing tells who reads a body, and who reads on, of a connection that broke", async () => {
  const wire = new Uint8Array(8 + 40);
  wire[7] = 200;
  const conn = scriptedConn([
    { chunk: wire },
    { error: new Deno.errors.ConnectionReset() },
  ]);
  using peer = new Framing(conn, codec);
  const body = await readBody(peer);
  const error = await assertRejects(
    () => Array.fromAsync(body),
    PeerResetError,
  );
  assertEquals(
    error.message,
    "Cannot read frame: the peer reset the connection, 160 bytes before the end of a frame",
  );
  assertEquals(await assertRejects(() => peer.read()), error);
});

Deno.test("Framing ends a body, and a read that waits for it, when it is closed", async () => {
  for (const reading of [true, false]) {
    const [sender, receiver] = peers();
    using _sender = sender;
    const sent = sender.write(
      new FrameBody(2_000_000, pieces(new Random(1), 2_000_000)),
    );
    sent?.catch(() => {});
    const body = await readBody(receiver);
    const bytes = body[Symbol.asyncIterator]();
    await bytes.next();
    const next = receiver.read();
    next.catch(() => {});
    const readOn = async () => {
      while (!(await bytes.next()).done);
    };
    const more = reading ? readOn() : undefined;
    more?.catch(() => {});
    receiver[Symbol.dispose]();
    if (more !== undefined) await assertRejects(() => more, ConnectionError);
    await assertRejects(() => next, ConnectionClosedError);
    await assertRejects(readOn, ConnectionClosedError);
  }
});

Deno.test("Framing.detach() and switchCodec() refuse to go on inside a body", async () => {
  const [sender, receiver] = peers();
  using _sender = sender;
  const sent = sender.write(new FrameBody(200, [new Uint8Array(200)]));
  const body = await readBody(receiver);
  assertThrows(() => receiver.switchCodec(lines()), Deno.errors.Busy, "body");
  await assertRejects(() => receiver.detach(), Deno.errors.Busy, "body");
  await Array.fromAsync(body);
  await sent;
  // Behind it, they go on, and bodies with them.
  using next = receiver.switchCodec(codec);
  const again = sender.write(new FrameBody(300, pieces(new Random(1), 300)));
  assertEquals((await Array.fromAsync(await readBody(next))).length > 0, true);
  await again;
  const { conn } = await next.detach();
  conn.close();
});

Deno.test("Framing.stopReading() lets a body that has begun come to its end", async () => {
  const [sender, receiver] = peers();
  using _sender = sender;
  using _receiver = receiver;
  const gate = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield new Uint8Array(100);
    await gate.promise;
    yield new Uint8Array(100);
  }
  const sent = sender.write(new FrameBody(200, source()));
  const body = await readBody(receiver);
  const next = receiver.read();
  receiver.stopReading();
  let told = false;
  const end = sender.read().then(() => told = true, () => {});
  await turn();
  assertEquals(told, false); // the peer is to go on
  gate.resolve();
  let count = 0;
  for await (const chunk of body) count += chunk.length;
  assertEquals([count, await next], [200, null]);
  await sent;
  receiver[Symbol.dispose]();
  await end;
});

/** What a source does wrong, and what is said of it. */
const FAULTS: [
  what: string,
  source: () => AsyncGenerator<Uint8Array<ArrayBuffer>>,
  said: string,
][] = [
  [
    "ends too early",
    async function* () {
      yield new Uint8Array(120);
    },
    "the source of its body ended too early, after 120 of 150 bytes",
  ],
  [
    "gives too much",
    async function* () {
      yield new Uint8Array(120);
      yield new Uint8Array(40);
    },
    "the source of its body gave too much, after 120 of 150 bytes",
  ],
  [
    "gives too much behind its end",
    async function* () {
      yield new Uint8Array(100);
      yield new Uint8Array(0);
      yield new Uint8Array(50);
      yield new Uint8Array(0);
      yield new Uint8Array(1);
    },
    "the source of its body gave too much, after 150 of 150 bytes",
  ],
  [
    "fails",
    async function* () {
      yield new Uint8Array(120);
      throw new TypeError("no such disk");
    },
    "the source of its body failed (no such disk), after 120 of 150 bytes",
  ],
  [
    "gives its last piece away",
    async function* () {
      yield new Uint8Array(100);
      const last = new Uint8Array(50);
      yield last;
      yield new Uint8Array(0);
      last.buffer.transfer();
    },
    "the source of its body gave its last piece away before it was sent, after 150 of 150 bytes",
  ],
];

for (const [what, source, said] of FAULTS) {
  Deno.test(`Framing.write() ends the connection when a source ${what}`, async () => {
    const [sender, receiver] = peers();
    using _sender = sender;
    using _receiver = receiver;
    const answer = sender.read();
    answer.catch(() => {});
    const cancelled: string[] = [];
    async function* later(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      cancelled.push("asked");
      yield new Uint8Array(1);
    }
    const sent = sender.write(new FrameBody(150, source()));
    const behind = sender.write(new FrameBody(1, later()));
    behind?.catch(() => {});
    const error = await assertRejects(
      () => sent ?? Promise.resolve(),
      ConnectionError,
    );
    assertEquals(error.message, `Cannot write frame: ${said}`);
    assertEquals(await assertRejects(() => behind ?? Promise.resolve()), error);
    assertEquals(await assertRejects(() => answer), error);
    assertEquals(assertThrows(() => sender.write(PING)), error);
    assertEquals(cancelled, []);
    // The peer sees that it is not whole.
    const body = await readBody(receiver);
    await assertRejects(() => Array.fromAsync(body), TruncatedFrameError);
  });
}

Deno.test("Framing tells the sources of bodies that the connection broke", async () => {
  const [here, there] = connPair({ capacity: 100 });
  using sender = new Framing(here, codec);
  const log: string[] = [];
  async function* source(
    name: string,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    try {
      while (true) yield new Uint8Array(1000);
    } finally {
      log.push(name);
    }
  }
  const file = new ReadableStream<Uint8Array<ArrayBuffer>>({
    cancel: () => void log.push("second"),
  });
  const first = sender.write(new FrameBody(5000, source("first")));
  const second = sender.write(new FrameBody(5000, file));
  await turn();
  there.close();
  await assertRejects(() => first ?? Promise.resolve(), ConnectionError);
  await assertRejects(() => second ?? Promise.resolve(), ConnectionError);
  await turn();
  assertEquals(log.toSorted(), ["first", "second"]);
});

Deno.test("Framing.write() refuses a body over the limit, and takes nothing of it", () => {
  const [here, there] = connPair();
  using sender = new Framing<unknown, Uint8Array | FrameBody>(
    here,
    lengthPrefixed({ maxFrameLength: 10, maxBodyLength: 20 }),
  );
  const log: string[] = [];
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: () => void log.push("asked"),
    cancel: () => void log.push("cancelled"),
  }, { highWaterMark: 0 });
  const error = assertThrows(
    () => sender.write(new FrameBody(21, source)),
    RangeError,
  );
  assertStringIncludes(error.message, "21 exceeds maxBodyLength of 20 bytes");
  assertEquals([log, sender.stats.pending], [[], 0]);
  there.close();
});

Deno.test("Framing relays a body that it receives to another connection", async () => {
  const [sender, relayIn] = peers();
  const [relayOut, receiver] = peers();
  const LENGTH = 1_000_000;
  const sent = sender.write(
    new FrameBody(LENGTH, pieces(new Random(3), LENGTH)),
  );
  sender.write(PING);
  async function relay(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const frame = await relayIn.read();
      if (frame !== null) await relayOut.write(frame);
    }
  }
  const relayed = relay();
  const chunks: Uint8Array[] = [];
  for await (const chunk of await readBody(receiver)) {
    chunks.push(chunk.slice());
  }
  const expected = concat([...pieces(new Random(3), LENGTH)]);
  assert(concat(chunks).every((byte, i) => byte === expected[i]));
  assertEquals(await receiver.read(), PING);
  await Promise.all([sent, relayed]);
  for (const peer of [sender, relayIn, relayOut, receiver]) {
    peer[Symbol.dispose]();
  }
});

Deno.test("a server waits for its peer while a body is awaited, not while its handler is busy", async () => {
  const [sender, receiver] = peers();
  using _sender = sender;
  using _receiver = receiver;
  const progress = { ...NOTHING_SEEN };
  const gate = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield new Uint8Array(75);
    await gate.promise;
    yield new Uint8Array(75);
  }
  const sent = sender.write(new FrameBody(150, source()));
  const body = await readBody(receiver);
  const next = receiver.read();
  lookAt(receiver, progress);
  assertEquals([progress.waiting, progress.insideBody], [false, true]);
  const bytes = body[Symbol.asyncIterator]();
  await bytes.next();
  const more = bytes.next();
  await turn();
  lookAt(receiver, progress);
  assertEquals([progress.waiting, progress.insideBody], [true, true]);
  lookAt(sender, progress);
  assertEquals([progress.starved, progress.pending], [true, 75]);
  gate.resolve();
  await more;
  assertEquals((await bytes.next()).done, true);
  sender.write(PING);
  assertEquals(await next, PING);
  lookAt(receiver, progress);
  assertEquals([progress.waiting, progress.insideBody], [false, false]);
  await sent;
  lookAt(sender, progress);
  assertEquals([progress.starved, progress.pending], [false, 0]);
});

Deno.test("Patience lets a body come for hours, but not stand still, nor trickle", () => {
  const limits = checkLimits({ frameTimeout: 1000, writeTimeout: 30_000 });
  const HOURS = 5 * 3_600_000;
  /** When a peer is given up that sends so many bytes a second; nothing if it is not. */
  function givenUp(rate: (now: number) => number): number | undefined {
    const patience = new Patience(0);
    const progress = { ...NOTHING_SEEN, waiting: true, insideFrame: true };
    progress.insideBody = true;
    progress.frames = progress.reads = 1;
    for (let now = 0; now < HOURS; now += 500) {
      progress.received += rate(now) / 2;
      if (patience.judge(limits, progress, now, false)) return now;
    }
    return undefined;
  }
  assertEquals(givenUp(() => 100), undefined);
  assertEquals(givenUp(() => 10), 5500);
  // What it sent in the first hour does not count for ever.
  const HOUR = 3_600_000;
  const end = givenUp((now) => now < HOUR ? 1e6 : 10) ?? 0;
  assert(end > HOUR && end < HOUR + 120_000, `${end}`);
  // A source of the server's own that gives nothing is not the peer's fault.
  const patience = new Patience(0);
  const starved = { ...NOTHING_SEEN, pending: 5, starved: true };
  for (let now = 0; now < HOURS; now += 500) {
    assertEquals(patience.judge(limits, starved, now, false), undefined);
  }
  starved.starved = false;
  let now = HOURS;
  while (patience.judge(limits, starved, now, false) === undefined) now += 500;
  assertEquals(now - HOURS > 29_000 && now - HOURS < 32_000, true, `${now}`);
});

Deno.test("serve() reads a body at the pace of its handler, and counts little of it as memory", async () => {
  const LENGTH = 8 * 1024 * 1024;
  let count = 0;
  let most = 0;
  const options = { port: 0, frameTimeout: 50, memoryBudget: 1024 * 1024 };
  const streamed: StreamedBytesCodec = codec;
  await using server = serve(options, streamed, async (peer) => {
    for await (const frame of peer) {
      if (!(frame instanceof FrameBody)) continue;
      for await (const chunk of frame) {
        count += chunk.length;
        most = Math.max(most, server.stats.memory);
        await turn();
      }
      await peer.write(new FrameBody(LENGTH, pieces(new Random(2), LENGTH)));
    }
  });
  const conn = await Deno.connect({ port: server.addr.port });
  await using client = new Framing(conn, codec);
  await client.write(new FrameBody(LENGTH, pieces(new Random(2), LENGTH)));
  let back = 0;
  for await (const chunk of await readBody(client)) {
    back += chunk.length;
    most = Math.max(most, server.stats.memory);
  }
  assertEquals([count, back], [LENGTH, LENGTH]);
  assert(most < 1024 * 1024, `${most}`);
});
