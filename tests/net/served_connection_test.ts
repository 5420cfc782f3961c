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

  /** Takes memory as a connection would. */
  hold(bytes: number): Account {
    const account = this.budget.open();
    account.holdReceived(bytes);
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
    }, {
      firstFrameTimeout: 100,
      frameTimeout: 100,
      writeTimeout: 1000,
      lingerTimeout: 1000,
    });
    using accepted = await bench.accept();
    const { conn, served, done } = accepted;
    const peer = new Framing(conn, words);
    const water = new Uint8Array(10_000);
    await writeAll(conn, raw("\x01\0\0\0")); // a frame that does not end
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
    await new Promise((resolve) => setTimeout(resolve));
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
  using _other = bench.hold(1000);
  await first.sends(raw("e"), 6); // it is the one that may go on
  await writeAll(second.conn, raw("el"));
  await until(() => bench.budget.pauses === 1);
  first.served.look(0);
  first.served.look(500);
  await writeAll(second.conn, raw("lo"));
  assertEquals(second.tally.bytesReceived, 7);
  controller.abort();
  await gaveUp.promise;
  first.served.look(1000);
  assertEquals(await new Framing(second.conn, words).read(), "HELLO");
});

for (const others of [0, 1]) {
  Deno.test(`serve() is in a hurry with who goes on while memory is scarce if others wait: ${others}`, async () => {
    const bench = new Bench(shout, {
      memoryBudget: 1200,
      frameTimeout: 10_000,
      minimumRate: 0,
    });
    using _other = bench.hold(200);
    using first = await bench.accept();
    await first.sends(wordBytes("x".repeat(500)).subarray(0, 402), 402);
    await first.sends(raw("x"), 403);
    using second = await bench.accept();
    const word = wordBytes("x".repeat(500));
    if (others > 0) {
      await writeAll(second.conn, word.subarray(0, 450));
      await until(() => bench.budget.pauses === 1);
      await writeAll(second.conn, word.subarray(450));
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

// From here on, servers that listen.

function connectTo(server: Server<Deno.NetAddr>): Promise<Framing<string>> {
  return connect({ port: server.addr.port }, words);
}

function dial(server: Server<Deno.NetAddr>): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
}

/** Asks, and wants the answer that `shout` gives. */
async function assertServed(peer: Framing<string>): Promise<void> {
  await peer.write("hello");
  assertEquals(await peer.read(), "HELLO");
}

/** What became of a server's connections, without what did not happen. */
function outcomes({ stats }: Server): Partial<ServerStats> {
  const { accepted, active, refused, failed, timedOut, malformed } = stats;
  const counts = { accepted, active, refused, failed, timedOut, malformed };
  return Object.fromEntries(
    Object.entries(counts).filter(([, count]) => count > 0),
  );
}

/** What a server tells of its errors. */
function listening(): {
  told: unknown[];
  onError: (error: unknown) => void;
} {
  const told: unknown[] = [];
  return { told, onError: (error) => void told.push(error) };
}

for (
  const [limits, send] of [
    [{ firstFrameTimeout: 50 }, ""],
    [{ frameTimeout: 50 }, "\0\0\0\x05he"],
    [{ idleTimeout: 50 }, "\0\0\0\x02hi"],
  ] satisfies [ServerLimits, string][]
) {
  const [name] = Object.keys(limits);
  Deno.test(`serve() keeps time for ${name} by itself, again and again`, async () => {
    const { told, onError } = listening();
    await using server = serve(
      { port: 0, onError, ...limits },
      words,
      async (peer) => {
        while (await peer.read() !== null);
      },
    );
    for (let round = 1; round <= 2; round++) {
      using conn = await dial(server);
      await writeAll(conn, raw(send));
      assertEquals(await conn.read(new Uint8Array(1)), null);
      await until(() => server.stats.active === 0);
      assertEquals(outcomes(server), {
        accepted: round,
        failed: round,
        timedOut: round,
      });
      assertEquals(told.length, round);
      assertInstanceOf(told[round - 1], ReadTimeoutError);
    }
  });
}

Deno.test("serve() keeps time for writeTimeout and lingerTimeout by itself", async () => {
  const { told, onError } = listening();
  await using server = serve(
    { port: 0, onError, writeTimeout: 100, lingerTimeout: 100 },
    words,
    reply((word) => word === "all" ? "x".repeat(2 ** 24) : word.toUpperCase()),
  );
  using deaf = await dial(server);
  await writeAll(deaf, wordBytes("all"));
  await until(() => server.stats.timedOut === 1);
  assertInstanceOf(told[0], WriteTimeoutError);
  await using other = await connectTo(server);
  await assertServed(other);
  await until(() => server.stats.active === 1);
  assertEquals([told.length, server.stats.memory], [1, 0]);
});

// What comes in front of a connection: the PROXY protocol.

const CLIENT = {
  transport: "tcp",
  hostname: "192.0.2.7",
  port: 56324,
} as const;
const DOOR = { transport: "tcp", hostname: "192.0.2.1", port: 443 } as const;
const TLVS = [
  { type: 1, value: raw("h2") },
  { type: 5, value: raw("unique") },
  { type: 0xe0, value: raw("") },
];
const header = proxyHeader({ maxFrameLength: 536 });

/** What a proxy may say, and who the client is then; nobody else than the proxy itself if that is left out. */
const HEADERS: readonly [
  what: string,
  bytes: Uint8Array,
  hostname: string | undefined,
  tlvs?: typeof TLVS,
][] = [
  [
    "version 1",
    raw("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n"),
    "192.0.2.7",
  ],
  [
    "version 1 over IPv6",
    raw("PROXY TCP6 2001:DB8:0:0:0:0:0:7 2001:db8::1 56324 443\r\n"),
    "2001:db8::7",
  ],
  ["version 1, UNKNOWN", raw("PROXY UNKNOWN\r\n"), undefined],
  [
    "version 1, UNKNOWN with more",
    raw("PROXY UNKNOWN 192.0.2.7 192.0.2.1 56324 443\r\n"),
    undefined,
  ],
  [
    "version 2",
    encodeFrame(header, {
      version: 2,
      command: "proxy",
      source: CLIENT,
      destination: DOOR,
      tlvs: [],
    }),
    "192.0.2.7",
  ],
  [
    "version 2 with TLVs",
    encodeFrame(header, {
      version: 2,
      command: "proxy",
      source: CLIENT,
      destination: DOOR,
      tlvs: TLVS,
    }),
    "192.0.2.7",
    TLVS,
  ],
  [
    "version 2 over IPv6",
    encodeFrame(header, {
      version: 2,
      command: "proxy",
      source: { ...CLIENT, hostname: "2001:db8::7" },
      destination: { ...DOOR, hostname: "2001:db8::1" },
      tlvs: [],
    }),
    "2001:db8::7",
  ],
  [
    "version 2, LOCAL",
    encodeFrame(header, { version: 2, command: "local", tlvs: [] }),
    undefined,
  ],
  [
    "version 2, addresses unknown",
    encodeFrame(header, { version: 2, command: "proxy", tlvs: TLVS }),
    undefined,
    TLVS,
  ],
];

for (const [what, bytes, hostname, tlvs = []] of HEADERS) {
  Deno.test(`serve() takes the client's address from a PROXY header: ${what}`, async () => {
    const seen: PeerInfo[] = [];
    await using server = serve(
      {
        port: 0,
        proxyProtocol: { trusted: ["192.0.2.0/24", "127.0.0.0/8"] },
        onConnection: (info) => void seen.push(info),
      },
      words,
      (peer, info) => {
        seen.push(info);
        return shout(peer, info);
      },
    );
    const whole = new Uint8Array([...bytes, ...wordBytes("hello")]);
    for (const cut of [0, 1, 13, bytes.length - 1, bytes.length]) {
      using conn = await dial(server);
      // With what comes behind it in the same segment, and cut anywhere.
      const total = server.stats.bytesReceived + cut;
      await writeAll(conn, whole.subarray(0, cut));
      await until(() => server.stats.bytesReceived === total);
      await writeAll(conn, whole.subarray(cut));
      const peer = new Framing(conn, words);
      assertEquals(await peer.read(), "HELLO");
      const [announced, info] = seen.splice(0);
      assertStrictEquals(announced, info);
      assertEquals<unknown>(
        info.remoteAddr,
        hostname === undefined
          ? conn.localAddr
          : { transport: "tcp", hostname, port: 56324 },
      );
      assertEquals(info.localAddr, conn.remoteAddr);
      assertEquals(info.proxyHeader?.version, Number(what[8]));
      assertEquals(info.proxyHeader?.tlvs, tlvs);
    }
    await until(() => server.stats.active === 0);
    // The header is no frame.
    assertEquals(outcomes(server), { accepted: 5 });
    assertEquals(server.stats.framesReceived, 5);
    assertEquals(server.stats.bytesReceived, 5 * whole.length);
  });
}

Deno.test("serve() has no proxy's header for others", async () => {
  const headers: unknown[] = [];
  await using server = serve({ port: 0 }, words, async (peer, info) => {
    headers.push(info.proxyHeader);
    await shout(peer, info);
  });
  await using peer = await connectTo(server);
  await assertServed(peer);
  assertEquals(headers, [undefined]);
});

/** What may come instead of a header, and what is told of it. */
const NO_HEADERS: readonly [
  what: string,
  bytes: string,
  ends: boolean,
  error: typeof FramingError,
  message: string,
][] = [
  [
    "a frame",
    "\0\0\0\x05hello",
    false,
    MalformedFrameError,
    "no PROXY protocol header begins with",
  ],
  [
    "HTTP",
    "PUT / HTTP/1.1\r\n\r\n",
    false,
    MalformedFrameError,
    "no PROXY protocol header begins with",
  ],
  [
    "a header that is cut off",
    "PROXY TCP4 192.0.2.7 192",
    true,
    TruncatedFrameError,
    "stream ended after 24 bytes of a frame",
  ],
  [
    "a header of version 2 that is cut off",
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0",
    true,
    TruncatedFrameError,
    "stream ended after 18 of 28 bytes",
  ],
  [
    "a line that does not end",
    "PROXY UNKNOWN " + "x".repeat(1000),
    false,
    FramingError,
    "107",
  ],
  [
    "a header that is too long",
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    false,
    FramingError,
    "536",
  ],
];

for (const [what, bytes, ends, kind, message] of NO_HEADERS) {
  Deno.test(`serve() ends a connection that begins with ${what} instead of a PROXY header`, async () => {
    const { told, onError } = listening();
    let handled = 0;
    await using server = serve(
      {
        port: 0,
        onError,
        onConnection: () => void handled++,
        proxyProtocol: { trusted: ["127.0.0.1"] },
      },
      words,
      () => void handled++,
    );
    using conn = await dial(server);
    await writeAll(conn, raw(bytes));
    if (ends) await conn.closeWrite();
    await readAll(conn).catch(() => {}); // what it had not read is lost, which may reset it
    await until(() => server.stats.active === 0);
    assertEquals(outcomes(server), { accepted: 1, failed: 1, malformed: 1 });
    assertEquals([told.length, handled], [1, 0]);
    const [error] = told;
    assertInstanceOf(error, kind);
    assert(error.message.includes(message), error.message);
  });
}

Deno.test("serve() says nothing of peers that go without a PROXY header, as monitors do", async () => {
  const { told, onError } = listening();
  await using server = serve(
    { port: 0, onError, proxyProtocol: { trusted: ["127.0.0.1"] } },
    words,
    shout,
  );
  for (let i = 0; i < 3; i++) (await dial(server)).close();
  await until(() => server.stats.accepted === 3 && server.stats.active === 0);
  assertEquals([told, outcomes(server)], [[], { accepted: 3 }]);
});

for (const sent of ["", "PROXY TCP4 19", "\r\n\r\n\0\r\nQUIT\n\x21"]) {
  Deno.test(`serve() waits for a PROXY header until handshakeTimeout: ${sent.length} bytes came`, async () => {
    const bench = new Bench(shout, { handshakeTimeout: 1000 }, {
      trusted: ["127.0.0.1"],
    });
    using accepted = await bench.accept();
    await accepted.sends(raw(sent), sent.length);
    for (const time of [0, 1000, 1001]) {
      assertEquals(bench.told, []);
      accepted.served.look(time);
    }
    accepted.served.look(5000);
    await accepted.done;
    const [error] = bench.told;
    assertInstanceOf(error, ReadTimeoutError);
    assertEquals(
      error.message,
      "Cannot accept connection: the handshake did not end within handshakeTimeout of 1000 ms",
    );
    const { failed, timedOut } = bench.tally;
    assertEquals([bench.told.length, failed, timedOut], [1, 1, 1]);
    assertEquals(await accepted.conn.read(new Uint8Array(1)), null);
  });
}

Deno.test("serve() has firstFrameTimeout begin behind a PROXY header", async () => {
  const { errors, handler } = insisting();
  const bench = new Bench(handler, { firstFrameTimeout: 1000 }, {
    trusted: ["127.0.0.1"],
  });
  using accepted = await bench.accept();
  await accepted.sends(raw("PROXY UNKNOWN\r\n"), 15);
  assertEquals(accepted.tally.framesReceived, 0);
  for (const time of [5000, 6000, 6001]) {
    assertEquals(bench.told, []);
    accepted.served.look(time);
  }
  await accepted.done;
  assertInstanceOf(errors[0], ReadTimeoutError);
  assertEquals(bench.tally.framesReceived, 0);
});

Deno.test("serve() refuses those that come past the proxies", async () => {
  const { told, onError } = listening();
  await using server = serve(
    {
      port: 0,
      onError,
      proxyProtocol: { trusted: ["192.0.2.0/24", "2001:db8::/32"] },
    },
    words,
    shout,
  );
  using conn = await dial(server);
  await writeAll(conn, raw("PROXY UNKNOWN\r\n")).catch(() => {});
  await readAll(conn).catch(() => {});
  await until(() => server.stats.active === 0);
  assertEquals(outcomes(server), { accepted: 1, refused: 1 });
  const [error] = told;
  assertInstanceOf(error, ConnectionRejectedError);
  assertEquals(error.limit, undefined);
  assertEquals(
    error.message,
    `Cannot accept connection: ${
      formatAddr(conn.localAddr)
    } is none of the proxies in proxyProtocol.trusted`,
  );
  assertEquals(told.length, 1);
});

Deno.test("serve() trusts nobody if nobody is named, and everybody over a Unix socket", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/socket`;
    await using _server = serve(
      { path, proxyProtocol: { trusted: [] } },
      words,
      reply((_, info) => formatAddr(info.remoteAddr)),
    );
    using conn = await Deno.connect({ transport: "unix", path });
    await writeAll(conn, HEADERS[0][1]);
    await writeAll(conn, wordBytes("who am I?"));
    assertEquals(await new Framing(conn, words).read(), "192.0.2.7:56324");
    await using other = serve(
      { port: 0, proxyProtocol: { trusted: [] } },
      words,
      shout,
    );
    using refused = await dial(other);
    await readAll(refused).catch(() => {});
    await until(() => other.stats.refused === 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [proxyProtocol, message] of [
    [{ trusted: ["proxy.example"] }, '"proxy.example" is no IP address'],
    [{ trusted: ["::1"], maxHeaderLength: 106 }, "107"],
    [{ trusted: ["::1"], maxHeaderLength: 65552 }, "65551"],
  ] satisfies [ProxyProtocolOptions, string][]
) {
  Deno.test(`serve() refuses ${JSON.stringify(proxyProtocol)}, and does not listen`, () => {
    assertThrows(
      () => serve({ port: 0, proxyProtocol }, words, shout),
      RangeError,
      message,
    );
  });
}

// How many there may be.

Deno.test("serve() leaves others in the system's queue while maxConnections are open", async () => {
  await using server = serve({ port: 0, maxConnections: 2 }, words, shout);
  const peers = [];
  for (let i = 0; i < 4; i++) peers.push(await connectTo(server));
  for (const peer of peers.slice(2)) await peer.write("hello");
  for (let i = 0; i < 10; i++) {
    for (const peer of peers.slice(0, 2)) await assertServed(peer);
  }
  assertEquals(outcomes(server), { accepted: 2, active: 2 });
  for (const [i, peer] of peers.entries()) {
    if (i >= 2) assertEquals(await peer.read(), "HELLO");
    await assertServed(peer);
    assertEquals(server.stats.active, 2 - Number(i === 3));
    await peer.close();
    if (i === 2) await until(() => server.stats.active === 1);
  }
  await until(() => server.stats.active === 0);
  assertEquals(outcomes(server), { accepted: 4 });
});

Deno.test("serve() ends while it waits for room", async () => {
  const server = serve({ port: 0, maxConnections: 1 }, words, shout);
  using first = await connectTo(server);
  await assertServed(first);
  using second = await connectTo(server);
  const down = server.shutdown({ grace: Infinity });
  assertEquals(await first.read(), null);
  await first.close();
  await down;
  await rejection(
    second.read().then((end) => {
      if (end === null) throw new Error("the end");
    }),
  );
  assertEquals(outcomes(server), { accepted: 1 });
});

Deno.test("serve() refuses others at once if it is told to", async () => {
  const { told, onError } = listening();
  await using server = serve(
    { port: 0, maxConnections: 2, whenFull: "refuse", onError },
    words,
    shout,
  );
  await using first = await connectTo(server);
  await using second = await connectTo(server);
  await assertServed(first);
  await assertServed(second);
  for (let i = 0; i < 3; i++) {
    using third = await connectTo(server);
    assertEquals(await third.read(), null);
  }
  assertEquals(outcomes(server), { accepted: 5, active: 2, refused: 3 });
  const [error] = told;
  assertInstanceOf(error, ConnectionRejectedError);
  assertEquals(error.limit, 2);
  assertEquals(
    error.message,
    "Cannot accept connection: 2 are open, and maxConnections is 2",
  );
  await first.close();
  await until(() => server.stats.active === 1);
  await using fourth = await connectTo(server);
  await assertServed(fourth);
  assertEquals([told.length, server.stats.failed], [3, 0]);
});

Deno.test("serve() counts the connections of an address", async () => {
  const { told, onError } = listening();
  await using server = serve(
    { port: 0, maxConnectionsPerAddress: 2, onError },
    words,
    shout,
  );
  const { port } = server.addr;
  for (let round = 0; round < 3; round++) {
    await using first = await connectTo(server);
    await using second = await connectTo(server);
    await assertServed(first);
    await assertServed(second);
    using third = await connectTo(server);
    assertEquals(await third.read(), null);
    await first.close();
    await until(() => server.stats.active === 1);
    await using fourth = await connect({ port }, words);
    await assertServed(fourth);
    await second.close();
    await fourth.close();
    await until(() => server.stats.active === 0);
  }
  assertEquals(outcomes(server), { accepted: 12, refused: 3 });
  const [error] = told;
  assertInstanceOf(error, ConnectionRejectedError);
  assertEquals(error.limit, 2);
  assertEquals(
    error.message,
    "Cannot accept connection: 2 of 127.0.0.1 are open, and maxConnectionsPerAddress is 2",
  );
});

Deno.test("serve() counts the connections of an address behind a proxy: it is the client's", async () => {
  const { told, onError } = listening();
  await using server = serve(
    {
      port: 0,
      maxConnectionsPerAddress: 1,
      onError,
      proxyProtocol: { trusted: ["127.0.0.1"] },
    },
    words,
    shout,
  );
  const relayed = async (line: string) => {
    const conn = await dial(server);
    await writeAll(conn, raw(`PROXY ${line}\r\n`));
    return new Framing(conn, words);
  };
  const lines = [
    "TCP4 192.0.2.7 192.0.2.1 1 443",
    "TCP4 192.0.2.8 192.0.2.1 2 443",
    "TCP6 2001:db8::7 2001:db8::1 3 443",
    "TCP6 2001:db8:0:1::7 2001:db8::1 4 443",
    "UNKNOWN",
  ];
  const open = [];
  for (const line of lines) {
    const peer = await relayed(line);
    await assertServed(peer);
    open.push(peer);
  }
  assertEquals(outcomes(server), { accepted: 5, active: 5 });
  const again = [
    "TCP4 192.0.2.7 192.0.2.1 9 443",
    "TCP6 ::ffff:192.0.2.8 2001:db8::1 9 443",
    "TCP6 2001:db8:0:0:ffff::7 2001:db8::1 9 443",
    "TCP6 2001:db8:0:1::8 2001:db8::1 9 443",
    "UNKNOWN",
  ];
  for (const line of again) {
    using peer = await relayed(line);
    await rejection(
      peer.read().then((end) => {
        if (end === null) throw new Error("the end");
      }),
    );
  }
  await until(() => server.stats.active === 5);
  assertEquals(outcomes(server), { accepted: 10, active: 5, refused: 5 });
  assertInstanceOf(told[0], ConnectionRejectedError);
  assertEquals(
    told[0].message,
    "Cannot accept connection: 1 of 192.0.2.7 are open, and maxConnectionsPerAddress is 1",
  );
  for (const peer of open) await peer.close();
  await until(() => server.stats.active === 0);
  using peer = await relayed(lines[0]);
  await assertServed(peer);
});

Deno.test("serve() forgets nobody and keeps nothing of connections that come and go", async () => {
  await using server = serve(
    { port: 0, maxConnectionsPerAddress: 60, maxConnections: 60 },
    words,
    shout,
  );
  const total = 2000;
  await Promise.all(Array.from({ length: 50 }, async (_, client) => {
    for (let i = 0; i < total / 50; i++) {
      const conn = await dial(server);
      const what = (client + i) % 4;
      if (what > 0) {
        await writeAll(conn, wordBytes("hello").subarray(0, 3 * what));
      }
      if (what === 3) await conn.read(new Uint8Array(9));
      conn.close();
    }
  }));
  await until(() =>
    server.stats.accepted === total && server.stats.active === 0
  );
  assertEquals([server.stats.refused, server.stats.memory], [0, 0]);
  assert(server.stats.malformed > 0, "some were truncated");
  await using peer = await connectTo(server);
  await assertServed(peer);
});

Deno.test("serve() tells of each connection before it is handled", async () => {
  const order: unknown[] = [];
  await using server = serve(
    {
      port: 0,
      onConnection(info) {
        order.push(info);
        throw new Error("in onConnection");
      },
    },
    words,
    async (peer, info) => {
      order.push(info);
      await shout(peer, info);
    },
  );
  for (let i = 1; i <= 2; i++) {
    await using peer = await connectTo(server);
    await assertServed(peer);
    assertEquals(order.length, 2 * i);
    assertStrictEquals(order[2 * i - 1], order[2 * i - 2]);
  }
});

Deno.test("serve() adds up what its connections did", async () => {
  await using server = serve(
    { port: 0, maxConnections: 3, whenFull: "refuse", frameTimeout: 100 },
    words,
    shout,
  );
  const frames = 7;
  for (let i = 0; i < 5; i++) {
    await using peer = await connectTo(server);
    for (let j = 0; j < frames; j++) await assertServed(peer);
  }
  await until(() => server.stats.active === 0);
  await using open = await connectTo(server);
  await assertServed(open);
  using cut = await dial(server);
  await writeAll(cut, raw("\0\0"));
  await cut.closeWrite();
  using broken = await dial(server);
  await writeAll(broken, raw("\xff\xff\xff\xff"));
  await until(() => server.stats.malformed === 2);
  using slow = await dial(server);
  await writeAll(slow, raw("\0"));
  await until(() => server.stats.timedOut === 1 && server.stats.active === 1);
  const { stats } = server;
  assertEquals(outcomes(server), {
    accepted: 9,
    active: 1,
    failed: 3,
    timedOut: 1,
    malformed: 2,
  });
  const { framesReceived, framesSent, bytesReceived, bytesSent } = stats;
  assertEquals([framesReceived, framesSent], [36, 36]);
  assertEquals([bytesReceived, bytesSent], [36 * 9 + 2 + 4 + 1, 36 * 9]);
  assertEquals([stats.memory, stats.paused, stats.acceptErrors], [0, 0, 0]);
  assertEquals(stats.longestQueue, 9);
});

// The end.

for (
  const [what, limits, send, handler] of [
    [
      "is still to send a PROXY header",
      {
        proxyProtocol: { trusted: ["127.0.0.1"] },
      },
      "PROXY TC",
      shout,
    ],
    ["lingers", {}, "\0\0\0\x02hi", async (peer) => {
      await peer.write(await peer.read() ?? "");
    }],
    ["has a handler that never ends", {}, "", () => new Promise(() => {})],
    [
      "has a handler that never ends, and passed a limit",
      {
        firstFrameTimeout: 20,
      },
      "",
      async (peer) => {
        await rejection(peer.read());
        await new Promise(() => {});
      },
    ],
    ["takes none of the answer", {}, "\0\0\0\x02hi", async (peer) => {
      await peer.read();
      await peer.write("x".repeat(2 ** 24));
    }],
    ["takes none of the last answer", {}, "\0\0\0\x02hi", async (peer) => {
      await peer.read();
      peer.write("x".repeat(2 ** 24));
    }],
    ["is inside a frame", {}, "\0\0\0\x02h", shout],
  ] satisfies [
    string,
    Partial<ServeOptions>,
    string,
    Handler<string>,
  ][]
) {
  Deno.test(`Server.shutdown() ends with the grace when a peer ${what}`, async () => {
    const server = serve({ port: 0, ...limits }, words, handler);
    using conn = await dial(server);
    await writeAll(conn, raw(send));
    await until(() => server.stats.accepted === 1);
    await until(() => server.stats.bytesReceived === send.length);
    if ("firstFrameTimeout" in limits) {
      await until(() => server.stats.timedOut === 1);
    }
    await server.shutdown({ grace: 30 });
    const { active, memory, bytesReceived } = server.stats;
    assertEquals([active, memory], [0, 0]);
    assertEquals(bytesReceived, send.length);
    await readAll(conn).catch(() => {});
  });
}

Deno.test("Server.shutdown() without a grace ends handshakes, and waits for lingering no longer than lingerTimeout", async () => {
  const { told, onError } = listening();
  const server = serve(
    {
      port: 0,
      onError,
      lingerTimeout: 50,
      proxyProtocol: { trusted: ["127.0.0.1"] },
    },
    words,
    async (peer) => await peer.write(`${await peer.read()}!`),
  );
  using lingering = await dial(server);
  await writeAll(lingering, raw("PROXY UNKNOWN\r\n\0\0\0\x02hi"));
  const peer = new Framing(lingering, words);
  assertEquals(await peer.read(), "hi!");
  using shaking = await dial(server);
  await writeAll(shaking, raw("PROXY"));
  await until(() => server.stats.bytesReceived === 26);
  await server.shutdown({ grace: Infinity });
  assertEquals([told, outcomes(server)], [[], { accepted: 2 }]);
});

Deno.test("Server.shutdown() answers those that wait for memory", async () => {
  const proceed = Promise.withResolvers<void>();
  const server = serve(
    { port: 0, memoryBudget: 400 },
    words,
    async (peer, info) => {
      const first = await peer.read();
      await proceed.promise;
      await peer.write(`${first}!`);
      await shout(peer, info);
    },
  );
  const conns: Deno.TcpConn[] = [];
  for (let i = 0; i < 5; i++) {
    const conn = await dial(server);
    conns.push(conn);
    // A frame, and a half that uses the memory up.
    await writeAll(conn, raw("\0\0\0\x02hi\0\0\0\x40" + "x".repeat(60)));
  }
  await until(() => server.stats.framesReceived === 5);
  proceed.resolve();
  for (const conn of conns) await writeAll(conn, raw("xx"));
  await until(() => server.stats.paused === 4);
  const down = server.shutdown({ grace: Infinity });
  for (const conn of conns) await writeAll(conn, raw("xx"));
  for (const conn of conns) {
    const peer = new Framing(conn, words);
    assertEquals(await peer.read(), "hi!");
    assertEquals(await peer.read(), "X".repeat(64));
    assertEquals(await peer.read(), null);
    conn.close();
  }
  await down;
  assertEquals([server.stats.failed, server.stats.memory], [0, 0]);
});

Deno.test("Server.shutdown() ends with the grace when peers wait for memory", async () => {
  const server = serve({ port: 0, memoryBudget: 200 }, words, shout);
  const conns: Deno.TcpConn[] = [];
  for (let i = 1; i <= 2; i++) {
    const conn = await dial(server);
    conns.push(conn);
    await writeAll(conn, raw("\0\0\0\x40" + "x".repeat(60)));
    await until(() => server.stats.bytesReceived === 64 * i);
  }
  for (const conn of conns) await writeAll(conn, raw("xx"));
  await until(() => server.stats.paused === 1);
  await server.shutdown({ grace: 30 });
  assertEquals([server.stats.active, server.stats.memory], [0, 0]);
  for (const conn of conns) conn.close();
});

// Memory.

Deno.test("serve() gets by with its memory while 50 peers send large frames: all are answered", async () => {
  const [count, length, limit] = [50, 200 * 1024, 2 ** 20];
  const { told, onError } = listening();
  await using server = serve(
    { port: 0, memoryBudget: limit, onError },
    lengthPrefixed(),
    reply((frame) => frame.subarray(0, 8)),
  );
  const frame = encodeFrame(lengthPrefixed(), new Uint8Array(length).fill(7));
  const peers = await Promise.all(Array.from({ length: count }, async () => {
    const conn = await dial(server);
    for (let start = 0; start < frame.length; start += 2000) {
      await writeAll(conn, frame.subarray(start, start + 2000));
    }
    return conn;
  }));
  for (const conn of peers) {
    const peer = new Framing(conn, lengthPrefixed());
    assertEquals(await peer.read(), new Uint8Array(8).fill(7));
    await peer.close();
  }
  await until(() => server.stats.active === 0);
  const { stats } = server;
  assertEquals(outcomes(server), { accepted: count });
  assertEquals([stats.memory, told], [0, []]);
  assert(stats.paused >= count / 2, `${stats.paused} pauses`);
  // Half of it until it is tight. Then what one read brings to each: 64 KiB, or in a large frame three times
  // what there is. Then the frame of the one that goes on.
  const bound = limit / 2 + count * 64 * 1024 + 3 * limit / 2 + frame.length;
  assert(bound < count * length / 1.5, "or it would say nothing");
  assert(stats.memoryPeak < bound, `${stats.memoryPeak} of ${bound} bytes`);
});

Deno.test("serve() serves others while peers that do not read use its memory up", async () => {
  const { told, onError } = listening();
  await using server = serve(
    { port: 0, memoryBudget: 2 ** 20, writeTimeout: 500, onError },
    words,
    reply((word) => word === "all" ? "x".repeat(2 ** 23) : word.toUpperCase()),
  );
  const deaf: Deno.TcpConn[] = [];
  for (let i = 0; i < 5; i++) {
    const conn = await dial(server);
    deaf.push(conn);
    await writeAll(conn, wordBytes("all"));
  }
  await until(() => server.stats.framesSent === 5);
  // Nobody may begin a frame until the first of them is sent away.
  await using peer = await connectTo(server);
  await assertServed(peer);
  await until(() => server.stats.timedOut === 5);
  await assertServed(peer);
  await until(() => server.stats.active === 1);
  assertEquals(outcomes(server), {
    accepted: 6,
    active: 1,
    failed: 5,
    timedOut: 5,
  });
  for (const error of told) assertInstanceOf(error, WriteTimeoutError);
  const { memory, memoryPeak, longestQueue } = server.stats;
  assertEquals(memory, 0);
  const answer = 2 ** 23 + 4;
  assert(memoryPeak <= 5 * answer + 100, `${memoryPeak}`);
  assert(longestQueue <= answer, `${longestQueue}`);
  for (const conn of deaf) conn.close();
});

Deno.test("serve() answers whole requests while others fill its memory with frames that do not end", async () => {
  await using server = serve(
    { port: 0, memoryBudget: 4000, lingerTimeout: 20 },
    text(lengthPrefixed({ maxFrameLength: 10_000 })),
    shout,
  );
  await using besiegers = new AsyncDisposableStack();
  for (let i = 0; i < 20; i++) {
    const conn = besiegers.use(await dial(server));
    await writeAll(conn, wordBytes("x".repeat(2000)).subarray(0, 1000));
  }
  await until(() => server.stats.paused > 0);
  await using peer = await connectTo(server);
  for (let i = 0; i < 10; i++) await assertServed(peer);
  assertEquals(server.stats.timedOut, 0);
});
