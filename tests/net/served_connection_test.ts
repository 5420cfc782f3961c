/**
 * One connection of a server: what its peer may do, how it ends, and what is told of it.
 *
 * Where time matters it is handed in: a `Bench` is a server whose clock is set by hand.
 *
 * @module
 */

import {
  connect,
  ConnectionClosedError,
  ConnectionRejectedError,
  encodeFrame,
  formatAddr,
  Framing,
  FramingError,
  type Handler,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  type PeerInfo,
  proxyHeader,
  ReadTimeoutError,
  reply,
  serve,
  type ServeOptions,
  type Server,
  type ServerStats,
  text,
  TruncatedFrameError,
  WriteTimeoutError,
} from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { type Account, MemoryBudget } from "../../lib/net/memory_budget.ts";
import {
  type Host,
  type ProxyProtocolOptions,
  ServedConnection,
  type Tally,
  type Trust,
  trustOf,
} from "../../lib/net/served_connection.ts";
import { checkLimits, type ServerLimits } from "../../lib/net/server_limits.ts";
import {
  readAll,
  rejection,
  tcpPair,
  until,
  writeAll,
} from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

const words = text(lengthPrefixed({ maxFrameLength: 2 ** 25 }));
const shout = reply((word: string) => word.toUpperCase());

/** A word as it is on the wire. */
function wordBytes(word: string): Uint8Array<ArrayBuffer> {
  return encodeFrame(words, word);
}

const NO_TALLY: Tally = {
  accepted: 0,
  refused: 0,
  failed: 0,
  timedOut: 0,
  malformed: 0,
  bytesReceived: 0,
  bytesSent: 0,
  framesReceived: 0,
  framesSent: 0,
};

/** A server of words without a listener, whose clock is set by hand. */
class Bench implements Host<string, string> {
  readonly codec = words;
  readonly handler: Handler<string>;
  readonly options: ServeOptions = {};
  readonly limits: Required<ServerLimits>;
  readonly budget: MemoryBudget;
  readonly trust: Trust | undefined;
  readonly tls = undefined;
  readonly tally: Tally = { ...NO_TALLY };
  readonly told: unknown[] = [];
  /** How many connections are gone. */
  gone = 0;

  constructor(
    handler: Handler<string>,
    limits: ServerLimits = {},
    proxyProtocol?: ProxyProtocolOptions,
  ) {
    this.handler = handler;
    this.limits = checkLimits(limits);
    this.budget = new MemoryBudget(this.limits.memoryBudget);
    this.trust = trustOf(proxyProtocol);
  }

  announce(): void {}

  report(error: unknown): void {
    this.told.push(error);
  }

  admit(): string {
    return "";
  }

  leave(): void {
    this.gone++;
  }

  /** Accepts a connection at time 0. */
  async accept(): Promise<Accepted> {
    const [conn, there] = await tcpPair();
    const served = new ServedConnection(this, there, 0);
    return new Accepted(conn, served, served.serve());
  }

  /** Takes memory as a peer would that does not take what it asked for. */
  hold(bytes: number): Account {
    const account = this.budget.open();
    account.holdQueued(bytes);
    return account;
  }

  /** Waits until the system takes no more of what is written to a peer. */
  async stalls(): Promise<void> {
    let before = 0;
    await until(() => {
      const same = before > 0 && this.budget.used === before;
      before = this.budget.used;
      return same;
    });
  }
}

/** A connection of which both ends are here. Leaving its scope ends it. */
class Accepted implements Disposable {
  constructor(
    /** The peer's end. */
    readonly conn: Deno.TcpConn,
    readonly served: ServedConnection<string, string>,
    /** Is fulfilled when it is gone. */
    readonly done: Promise<void>,
  ) {}

  /** What has gone through so far and is not counted by the server yet. */
  get tally(): Tally {
    const tally = { ...NO_TALLY };
    this.served.count(tally);
    return tally;
  }

  /** Has the peer send bytes, and waits until so many have come in all. */
  async sends(bytes: Uint8Array, total: number): Promise<void> {
    await writeAll(this.conn, bytes);
    await until(
      () => this.tally.bytesReceived === total,
      `${total} bytes: ${this.tally.bytesReceived} came`,
    );
  }

  [Symbol.dispose](): void {
    this.served.end(new Error("the test is over"));
    this.conn.close();
  }
}

/** A handler that reads until two calls have failed, and the errors that it got. */
function insisting(): { errors: unknown[]; handler: Handler<string> } {
  const errors: unknown[] = [];
  return {
    errors,
    async handler(peer) {
      while (errors.length < 2) {
        try {
          if (await peer.read() === null) return;
        } catch (error) {
          errors.push(error);
        }
      }
      errors.push(assertThrows(() => peer.write("too late")));
    },
  };
}

/** What peers do, when that is looked at, and the error that comes of it at the last time. */
const OFFENCES: readonly [
  what: string,
  limits: ServerLimits,
  send: Uint8Array,
  times: readonly number[],
  message: string,
  details: { timeout: number; have: number; need: number | undefined },
][] = [
  [
    "sends nothing",
    { firstFrameTimeout: 1000 },
    raw(""),
    [9000, 10_000, 10_001],
    "Cannot read frame: none had begun within firstFrameTimeout of 1000 ms",
    { timeout: 1000, have: 0, need: undefined },
  ],
  [
    "sends a frame and then nothing",
    { firstFrameTimeout: 1000, idleTimeout: 2000 },
    wordBytes("hi"),
    [0, 1001, 2000, 2001],
    "Cannot read frame: no byte came or went within idleTimeout of 2000 ms",
    { timeout: 2000, have: 0, need: undefined },
  ],
  [
    "does not end a frame",
    { firstFrameTimeout: 1000, frameTimeout: 2000 },
    raw("\0\0\0\x09hello"),
    [0, 1001, 2000, 2001],
    "Cannot read frame: 9 of 13 bytes came within frameTimeout of 2000 ms",
    { timeout: 2000, have: 9, need: 13 },
  ],
  [
    "does not end the length of a frame",
    { frameTimeout: 2000 },
    raw("\0\0"),
    [0, 2000, 2001],
    "Cannot read frame: 2 of 4 bytes came within frameTimeout of 2000 ms",
    { timeout: 2000, have: 2, need: 4 },
  ],
  [
    "sends a frame too slowly",
    { minimumRate: 2 },
    raw("\0\0\0\x09hello"),
    [0, 5000, 5001],
    "Cannot read frame: 9 bytes of a frame came in 5001 ms, which is less than minimumRate of 2 bytes a second",
    { timeout: 5001, have: 9, need: 13 },
  ],
];

for (const [what, limits, send, times, message, details] of OFFENCES) {
  Deno.test(`serve() ends the connection of a peer that ${what}: each call of its handler gets the error`, async () => {
    const { errors, handler } = insisting();
    const bench = new Bench(handler, limits);
    using accepted = await bench.accept();
    const { conn, served, done } = accepted;
    await accepted.sends(send, send.length);
    for (const time of times) {
      assertEquals(bench.told, []);
      served.look(time);
    }
    await done;
    const [error] = errors;
    assertInstanceOf(error, ReadTimeoutError);
    assertEquals(error.message, message);
    const { timeout, have, need } = error;
    assertEquals({ timeout, have, need }, details);
    assertEquals(errors.length, 3);
    for (const other of errors) assertStrictEquals(other, error);
    assertEquals(bench.told.length, 1);
    assertStrictEquals(bench.told[0], error);
    served.look(1e9);
    const { accepted: count, failed, timedOut, malformed } = bench.tally;
    assertEquals([count, failed, timedOut, malformed], [1, 1, 1, 0]);
    assertEquals([bench.gone, bench.budget.used], [1, 0]);
    assertEquals(await conn.read(new Uint8Array(1)), null);
  });
}

Deno.test("serve() ends the connection of a peer that takes nothing: each call of its handler gets the error", async () => {
  const errors: unknown[] = [];
  const bench = new Bench(async (peer) => {
    const read = rejection(peer.read());
    const room = peer.write("x".repeat(2 ** 24));
    errors.push(await rejection(Promise.resolve(room)));
    errors.push(assertThrows(() => peer.write("y")));
    errors.push(await rejection(peer.drain()));
    errors.push(await read);
  }, { writeTimeout: 1000 });
  using accepted = await bench.accept();
  await bench.stalls();
  for (const time of [5000, 6000, 6001]) {
    assertEquals(bench.told, []);
    accepted.served.look(time);
  }
  await accepted.done;
  const [error] = errors;
  assertInstanceOf(error, WriteTimeoutError);
  assertEquals(
    error.message,
    `Cannot write frame: the peer took none of ${error.pending} bytes within writeTimeout of 1000 ms`,
  );
  assertEquals(errors.length, 4);
  for (const other of errors) assertStrictEquals(other, error);
  assertEquals(bench.told.length, 1);
  assertStrictEquals(bench.told[0], error);
  const { failed, timedOut, bytesSent } = bench.tally;
  assertEquals([failed, timedOut], [1, 1]);
  assertEquals(bytesSent, 4 + 2 ** 24 - error.pending);
  assertEquals([bench.gone, bench.budget.used], [1, 0]);
});

Deno.test("serve() tells of an error of the handler's own beside the limit that its peer passed", async () => {
  const own = new TypeError("in the handler");
  const bench = new Bench(async (peer) => {
    await rejection(peer.read());
    throw own;
  }, { firstFrameTimeout: 1000 });
  using accepted = await bench.accept();
  accepted.served.look(0);
  accepted.served.look(1001);
  await accepted.done;
  assertInstanceOf(bench.told[0], ReadTimeoutError);
  assertStrictEquals(bench.told[1], own);
  assertEquals([bench.told.length, bench.tally.failed], [2, 1]);
});

for (
  const [what, first, taken, rest] of [
    ["before a frame", "", 0, "\0\0\0\x05hello"],
    ["inside a frame", "\0\0\0\x05he", 0, "llo"],
    ["between frames", "\0\0\0\x02hi", 1, "\0\0\0\x05hello"],
    [
      "with a part of the next frame here",
      "\0\0\0\x02hi\0\0",
      1,
      "\0\x05hello",
    ],
  ] as const
) {
  Deno.test(`serve() never ends a connection because its handler is slow ${what}`, async () => {
    const begun = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    const bench = new Bench(async (peer, info) => {
      for (let i = 0; i < taken; i++) await peer.read();
      if (first !== "" && taken === 0) {
        await rejection(peer.read({ timeout: 0 }));
      }
      begun.resolve();
      await proceed.promise;
      await shout(peer, info);
    }, {
      firstFrameTimeout: 10,
      idleTimeout: 10,
      frameTimeout: 10,
      minimumRate: 1e6,
      writeTimeout: 10,
    });
    using accepted = await bench.accept();
    const { conn, served } = accepted;
    await writeAll(conn, raw(first));
    await begun.promise;
    for (let time = 0; time <= 1e6; time += 1000) served.look(time);
    proceed.resolve();
    await writeAll(conn, raw(rest));
    const peer = new Framing(conn, words);
    assertEquals(bench.told, []);
    assertEquals(await peer.read(), "HELLO");
    served.look(1e6 + 5);
    assertEquals(bench.told, []);
  });
}

Deno.test("serve() leaves a connection in peace that its handler detached", async () => {
  const bench = new Bench(async (peer) => {
    const { conn } = await peer.detach();
    await conn.read(new Uint8Array(1));
    await conn.write(raw("still here"));
    conn.close();
  }, { firstFrameTimeout: 10, idleTimeout: 10, lingerTimeout: 10 });
  using accepted = await bench.accept();
  const { conn, served, done } = accepted;
  await until(() => bench.budget.used === 0);
  for (let time = 0; time < 1000; time += 10) served.look(time);
  served.stop();
  served.look(2000);
  await conn.write(raw("?"));
  assertEquals(unraw(await readAll(conn)), "still here");
  await done;
  assertEquals([bench.told, bench.gone], [[], 1]);
});

Deno.test("serve() goes on to judge a peer whose handler switched the codec", async () => {
  const { errors, handler } = insisting();
  const bench = new Bench(async (peer, info) => {
    await peer.read();
    await handler(peer.switchCodec(lines()), info);
  }, { idleTimeout: 1000 });
  using accepted = await bench.accept();
  const { served, done } = accepted;
  await accepted.sends(raw("\0\0\0\x05linesa line\nhalf a li"), 25);
  for (const time of [0, 1000, 1001]) {
    assertEquals(bench.told, []);
    served.look(time);
  }
  await done;
  assertInstanceOf(errors[0], ReadTimeoutError);
  assertEquals([errors[0].have, errors[0].need], [9, undefined]);
  assertEquals([errors.length, bench.told.length], [3, 1]);
  assertEquals(bench.tally.framesReceived, 2);
});

/** What the peer is to get before its connection is closed. */
const ANSWER = "x".repeat(2 ** 20);

for (
  const [what, end, failed, malformed] of [
    ["ends", () => {}, 0, 0],
    [
      "throws",
      () => {
        throw new TypeError("odd");
      },
      1,
      0,
    ],
    [
      "refuses what it read",
      () => {
        throw new MalformedFrameError("Cannot read frame: odd");
      },
      1,
      1,
    ],
    [
      "leaves a read behind",
      (peer) => {
        peer.read().catch(() => {});
      },
      0,
      0,
    ],
  ] satisfies [
    string,
    (peer: Framing<string>) => void,
    number,
    number,
  ][]
) {
  Deno.test(`serve() delivers the last answer whole to a peer that sends on when its handler ${what}`, async () => {
    const bench = new Bench((peer) => {
      peer.write(ANSWER);
      end(peer);
    }, { writeTimeout: 1000, lingerTimeout: 1000 });
    using accepted = await bench.accept();
    const { conn, served, done } = accepted;
    const peer = new Framing(conn, words);
    const water = new Uint8Array(10_000);
    for (let i = 0; i < 20; i++) await writeAll(conn, water);
    // Long after it was accepted, and not long after all was sent.
    served.look(1e6);
    served.look(1e6 + 900);
    assertEquals(await peer.read(), ANSWER);
    assertEquals(await peer.read(), null);
    for (let i = 0; i < 20; i++) await writeAll(conn, water);
    assertEquals(bench.gone, 0);
    await conn.closeWrite();
    await done;
    assertEquals(bench.told.length, failed);
    assertEquals([bench.tally.failed, bench.tally.malformed], [
      failed,
      malformed,
    ]);
    assertEquals([bench.gone, bench.budget.used], [1, 0]);
  });
}

Deno.test("serve() closes a connection at the end of lingerTimeout, counted from when all is sent", async () => {
  const bench = new Bench((peer) => void peer.write(ANSWER), {
    lingerTimeout: 1000,
  });
  using accepted = await bench.accept();
  const { conn, served, done } = accepted;
  const peer = new Framing(conn, words);
  assertEquals(await peer.read(), ANSWER);
  assertEquals(await peer.read(), null);
  for (const time of [50_000, 51_000]) {
    served.look(time);
    assertEquals(bench.gone, 0);
  }
  served.look(51_001);
  await done;
  const { failed, timedOut } = bench.tally;
  assertEquals([bench.gone, bench.told, failed, timedOut], [1, [], 0, 0]);
});

Deno.test("serve() gives up the last answer when the peer takes none of it", async () => {
  const bench = new Bench((peer) => void peer.write("x".repeat(2 ** 24)), {
    writeTimeout: 1000,
    lingerTimeout: 10,
  });
  using accepted = await bench.accept();
  await bench.stalls();
  for (const time of [9000, 9011, 9500, 10_000, 10_001]) {
    assertEquals(bench.told, []);
    accepted.served.look(time);
  }
  await accepted.done;
  assertInstanceOf(bench.told[0], WriteTimeoutError);
  const { failed, timedOut } = bench.tally;
  assertEquals([bench.told.length, failed, timedOut], [1, 1, 1]);
});

for (
  const [what, handler, send, answer] of [
    ["nothing was written", () => {}, "", ""],
    ["the peer ended first", shout, "\0\0\0\x02hi", "\0\0\0\x02HI"],
  ] as const
) {
  Deno.test(`serve() closes at once when ${what}`, async () => {
    const bench = new Bench(handler);
    using accepted = await bench.accept();
    const { conn, done } = accepted;
    await writeAll(conn, raw(send));
    if (answer !== "") await conn.closeWrite();
    assertEquals(unraw(await readAll(conn)), answer);
    await done;
    assertEquals([bench.gone, bench.told], [1, []]);
  });
}

Deno.test("serve() counts what a connection did whose handler never ends", async () => {
  const bench = new Bench(async (peer) => {
    await peer.read();
    await new Promise(() => {});
  });
  using accepted = await bench.accept();
  await accepted.sends(wordBytes("hi"), 6);
  const reason = new ConnectionClosedError("the grace is over");
  accepted.served.end(reason);
  const { framesReceived, bytesReceived, failed } = bench.tally;
  assertEquals([framesReceived, bytesReceived, failed], [1, 6, 1]);
  assertEquals(accepted.tally, NO_TALLY);
  assertEquals([bench.told, bench.budget.used], [[reason], 0]);
});

for (
  const [what, take] of [
    ["read()", async (peer) => void await peer.read()],
    ["readBatch()", async (peer) => void await peer.readBatch()],
    ["tryRead()", async (peer) => {
      await peer.read();
      while (peer.tryRead() !== undefined);
    }],
  ] satisfies [string, (peer: Framing<string>) => Promise<void>][]
) {
  Deno.test(`serve() sees what is held when frames are taken by ${what}`, async () => {
    const bench = new Bench(async (peer) => {
      while (true) await take(peer);
    });
    using accepted = await bench.accept();
    await accepted.sends(raw("\0\0\0\x02hi".repeat(100)), 600);
    accepted.served.look(0);
    assertEquals(bench.budget.used, 0);
    await accepted.sends(raw("\0\0\0"), 603);
    accepted.served.look(500);
    assertEquals(bench.budget.used, 3);
  });
}

Deno.test("serve() lets nobody hold up others who has stopped to read himself", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const gaveUp = Promise.withResolvers<void>();
  let count = 0;
  const bench = new Bench(async (peer, info) => {
    if (count++ > 0) return await shout(peer, info);
    await rejection(peer.read({ signal }));
    gaveUp.resolve();
    await new Promise(() => {});
  }, { memoryBudget: 1000 });
  using first = await bench.accept();
  await first.sends(raw("\0\0\0\x05h"), 5);
  using second = await bench.accept();
  await second.sends(raw("\0\0\0\x05h"), 5);
  using _deaf = bench.hold(1000);
  await first.sends(raw("e"), 6); // it is the one that may go on
  await writeAll(second.conn, raw("ello"));
  await until(() => bench.budget.pauses === 1);
  first.served.look(0);
  first.served.look(500);
  assertEquals(second.tally.bytesReceived, 5);
  controller.abort();
  await gaveUp.promise;
  first.served.look(1000);
  assertEquals(await new Framing(second.conn, words).read(), "HELLO");
});

for (const others of [0, 1]) {
  Deno.test(`serve() is in a hurry with who goes on while memory is scarce if others wait: ${others}`, async () => {
    const bench = new Bench(shout, {
      memoryBudget: 1000,
      frameTimeout: 10_000,
      minimumRate: 0,
    });
    using _deaf = bench.hold(100);
    using first = await bench.accept();
    await first.sends(wordBytes("x".repeat(500)).subarray(0, 402), 402);
    await first.sends(raw("x"), 403);
    using second = await bench.accept();
    if (others > 0) {
      await writeAll(second.conn, wordBytes("x".repeat(500)));
      await until(() => bench.budget.pauses === 1);
    }
    for (const time of [0, 1000, 1001]) {
      assertEquals(bench.told, []);
      first.served.look(time);
      second.served.look(time);
    }
    assertEquals(bench.told.length, others);
    if (others === 0) return;
    assertInstanceOf(bench.told[0], ReadTimeoutError);
    assertEquals(bench.told[0].timeout, 1000);
    const peer = new Framing(second.conn, words);
    assertEquals(await peer.read(), "X".repeat(500));
  });
}
