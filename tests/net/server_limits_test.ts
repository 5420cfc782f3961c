/**
 * The limits of a server's peers: what may be set, and when a peer has passed one. The time is handed in.
 *
 * @module
 */

import { ReadTimeoutError, WriteTimeoutError } from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { NOTHING_SEEN, type Progress } from "../../lib/net/framing.ts";
import {
  checkLimits,
  Patience,
  type ServerLimits,
  tickOf,
} from "../../lib/net/server_limits.ts";

type Amount = Exclude<keyof ServerLimits, "whenFull">;

/** Each limit that is a number: its default, and the least that it may be. */
const AMOUNTS: readonly [name: Amount, standard: number, least: number][] = [
  ["maxConnections", 10_000, 1],
  ["maxConnectionsPerAddress", Infinity, 1],
  ["handshakeTimeout", 10_000, 0],
  ["firstFrameTimeout", 60_000, 0],
  ["idleTimeout", 600_000, 0],
  ["frameTimeout", 300_000, 0],
  ["minimumRate", 64, 0],
  ["writeTimeout", 120_000, 0],
  ["lingerTimeout", 2_000, 0],
  ["memoryBudget", 268_435_456, 1],
];

Deno.test("checkLimits() adds the defaults, and nothing else", () => {
  const { whenFull, ...amounts } = checkLimits({});
  assertEquals(whenFull, "wait");
  assertEquals(
    amounts,
    Object.fromEntries(AMOUNTS.map(([name, standard]) => [name, standard])),
  );
  const options = { port: 1, highWaterMark: 2, maxConnections: 3 };
  const { port, highWaterMark, maxConnections }: Record<string, unknown> = {
    ...checkLimits(options),
  };
  assertEquals<unknown>([port, highWaterMark, maxConnections], [
    undefined,
    undefined,
    3,
  ]);
});

for (const [name, , least] of AMOUNTS) {
  Deno.test(`checkLimits() takes ${name} from ${least} to Infinity`, () => {
    for (const value of [least, least + 0.5, 12345, Infinity]) {
      assertEquals(checkLimits({ [name]: value })[name], value);
    }
  });

  for (const value of [least - 0.001, -1, -Infinity, NaN]) {
    Deno.test(`checkLimits() refuses ${name} of ${value}`, () => {
      const error = assertThrows(
        () => checkLimits({ [name]: value }),
        RangeError,
      );
      assertEquals(
        error.message,
        `Cannot serve: ${name} must be a number from ${least} on: it is ${value}`,
      );
    });
  }

  Deno.test(`checkLimits() refuses ${name} that is no number`, () => {
    const limits: ServerLimits = JSON.parse(`{ "${name}": "5000" }`);
    assertThrows(() => checkLimits(limits), RangeError, "it is 5000");
  });
}

Deno.test("checkLimits() takes two words for whenFull", () => {
  assertEquals(checkLimits({ whenFull: "wait" }).whenFull, "wait");
  assertEquals(checkLimits({ whenFull: "refuse" }).whenFull, "refuse");
  const limits: ServerLimits = JSON.parse(`{ "whenFull": "drop" }`);
  assertThrows(
    () => checkLimits(limits),
    RangeError,
    'Cannot serve: whenFull must be "wait" or "refuse": it is "drop"',
  );
});

const NO_LIMITS: ServerLimits = {
  handshakeTimeout: Infinity,
  firstFrameTimeout: Infinity,
  idleTimeout: Infinity,
  frameTimeout: Infinity,
  minimumRate: 0,
  writeTimeout: Infinity,
  lingerTimeout: Infinity,
};

Deno.test("tickOf() is half a second, and no less than that without limits", () => {
  assertEquals(tickOf(checkLimits({})), 500);
  assertEquals(tickOf(checkLimits(NO_LIMITS)), 500);
});

for (
  const name of [
    "handshakeTimeout",
    "firstFrameTimeout",
    "idleTimeout",
    "frameTimeout",
    "writeTimeout",
    "lingerTimeout",
  ] as const
) {
  Deno.test(`tickOf() is a quarter of ${name} if that is the shortest, from 10 ms on`, () => {
    const tick = (value: number) => tickOf(checkLimits({ [name]: value }));
    assertEquals(
      [1999, 400, 42, 40, 39, 0].map(tick),
      [499.75, 100, 10.5, 10, 10, 10],
    );
  });
}

Deno.test("tickOf() does not go by limits that are no time", () => {
  const limits = {
    maxConnections: 1,
    maxConnectionsPerAddress: 1,
    minimumRate: 1,
    memoryBudget: 1,
  };
  assertEquals(tickOf(checkLimits(limits)), 500);
});

/** A peer as a server sees it: a test says what it does, and looks at it. */
class Peer {
  readonly limits: Required<ServerLimits>;
  readonly #patience: Patience;
  /** When the connection was accepted; servers are not young for ever. */
  now: number;
  hurry = false;
  readonly progress: Progress = { ...NOTHING_SEEN, waiting: true };

  constructor(limits: ServerLimits, start = 1_000_000) {
    this.limits = checkLimits({ ...NO_LIMITS, ...limits });
    this.now = start;
    this.#patience = new Patience(start);
  }

  /** Some bytes of a frame come; it has so many in all, if that can be known. */
  sends(count: number, needed?: number): this {
    const { progress } = this;
    progress.received += count;
    progress.buffered += count;
    progress.needed = needed;
    progress.insideFrame = progress.buffered > 0;
    return this;
  }

  /** A whole frame comes, and a part of the next behind it; the handler reads on. */
  sendsFrame(length: number, more = 0): this {
    const { progress } = this;
    progress.received += length + more;
    progress.frames++;
    progress.reads++;
    progress.buffered = more;
    progress.needed = undefined;
    progress.insideFrame = more > 0;
    return this;
  }

  /** The handler is at work, and later reads again. */
  handlerWaits(waiting: boolean): this {
    this.progress.waiting = waiting;
    return this;
  }

  /** The handler has written, and the peer has taken so many bytes. */
  isSent(pending: number, taken = 0): this {
    this.progress.pending += pending - taken;
    this.progress.sent += taken;
    return this;
  }

  /** Looks again after so many milliseconds. */
  after(duration: number): ReadTimeoutError | WriteTimeoutError | undefined {
    this.now += duration;
    return this.#patience.judge(
      this.limits,
      this.progress,
      this.now,
      this.hurry,
    );
  }

  /** Looks again and again; nothing has passed. */
  keepsWithin(duration: number, tick = 500): this {
    for (let left = duration; left > 0; left -= tick) {
      assertEquals(this.after(Math.min(left, tick))?.message, undefined);
    }
    return this;
  }

  /** Looks again; a limit of reading has passed. */
  isLate(
    after: number,
    message: string,
    { timeout, have, need }: { timeout: number; have: number; need?: number },
  ): void {
    const error = this.after(after);
    assertInstanceOf(error, ReadTimeoutError);
    assertEquals(error.message, `Cannot read frame: ${message}`);
    assertEquals<unknown>(
      [error.timeout, error.have, error.need],
      [timeout, have, need],
    );
  }

  /** Looks again; the limit of writing has passed. */
  isDeaf(after: number, pending: number, timeout: number): void {
    const error = this.after(after);
    assertInstanceOf(error, WriteTimeoutError);
    assertEquals(
      error.message,
      `Cannot write frame: the peer took none of ${pending} bytes within writeTimeout of ${timeout} ms`,
    );
    assertEquals([error.pending, error.timeout], [pending, timeout]);
  }
}

Deno.test("Patience lets a peer do anything for ever when there are no limits", () => {
  new Peer({}).keepsWithin(1e9, 1e6);
  new Peer({}).sends(1).keepsWithin(1e9, 1e6);
  new Peer({}).isSent(1).keepsWithin(1e9, 1e6);
  const hurried = new Peer({}).sends(1).isSent(1);
  hurried.hurry = true;
  hurried.keepsWithin(1e9, 1e6);
});

Deno.test("Patience ends at firstFrameTimeout when no frame has begun", () => {
  const peer = new Peer({ firstFrameTimeout: 1000 }).keepsWithin(1000);
  peer.isLate(1, "none had begun within firstFrameTimeout of 1000 ms", {
    timeout: 1000,
    have: 0,
  });
});

Deno.test("Patience counts firstFrameTimeout from when the handler reads", () => {
  const peer = new Peer({ firstFrameTimeout: 1000 });
  peer.handlerWaits(false).keepsWithin(9000);
  peer.handlerWaits(true).keepsWithin(1000);
  peer.isLate(1, "none had begun within firstFrameTimeout of 1000 ms", {
    timeout: 1000,
    have: 0,
  });
});

Deno.test("Patience has no firstFrameTimeout once a frame has begun or come", () => {
  new Peer({ firstFrameTimeout: 1000 }).sends(1).keepsWithin(9000);
  new Peer({ firstFrameTimeout: 1000 }).sendsFrame(9).keepsWithin(9000);
});

Deno.test("Patience does not begin firstFrameTimeout again when the handler only gave up a read", () => {
  const peer = new Peer({ firstFrameTimeout: 1000 });
  for (let i = 0; i < 10; i++) {
    peer.progress.reads++;
    peer.keepsWithin(100);
  }
  peer.progress.reads++;
  peer.isLate(1, "none had begun within firstFrameTimeout of 1000 ms", {
    timeout: 1000,
    have: 0,
  });
});

Deno.test("Patience ends at idleTimeout when no byte came or went", () => {
  const end = "no byte came or went within idleTimeout of 1000 ms";
  const peer = new Peer({ idleTimeout: 1000 }).sendsFrame(5).keepsWithin(1500);
  peer.isLate(1, end, { timeout: 1000, have: 0 });
  const inside = new Peer({ idleTimeout: 1000 }).sends(3, 9);
  inside.keepsWithin(500).keepsWithin(1000);
  inside.isLate(1, end, { timeout: 1000, have: 3, need: 9 });
});

Deno.test("Patience counts idleTimeout from the last byte either way, not from the last frame", () => {
  const peer = new Peer({ idleTimeout: 1000 });
  for (let i = 0; i < 5; i++) peer.sends(1).keepsWithin(900, 900);
  peer.isSent(100).keepsWithin(900, 900);
  for (let i = 0; i < 5; i++) peer.isSent(0, 1).keepsWithin(900, 900);
  peer.keepsWithin(1000);
  assertEquals(peer.after(1)?.name, "ReadTimeoutError");
});

Deno.test("Patience ends at frameTimeout however fast a frame comes", () => {
  const peer = new Peer({ frameTimeout: 1000, minimumRate: 64 });
  peer.sends(1000, 9000).keepsWithin(250, 250);
  for (let i = 0; i < 4; i++) peer.sends(1000, 9000).keepsWithin(250, 250);
  peer.isLate(1, "5000 of 9000 bytes came within frameTimeout of 1000 ms", {
    timeout: 1000,
    have: 5000,
    need: 9000,
  });
});

Deno.test("Patience counts frameTimeout for each frame anew", () => {
  const peer = new Peer({ frameTimeout: 1000 });
  for (let i = 0; i < 20; i++) peer.sendsFrame(100, 1).keepsWithin(900, 300);
  peer.sendsFrame(1);
  for (let i = 0; i < 20; i++) peer.sends(1).keepsWithin(900).sendsFrame(1);
  peer.keepsWithin(5000).sends(3).keepsWithin(500).keepsWithin(1000);
  peer.isLate(1, "3 bytes came within frameTimeout of 1000 ms", {
    timeout: 1000,
    have: 3,
  });
});

Deno.test("Patience counts frameTimeout on when the handler only gave up a read", () => {
  const peer = new Peer({ frameTimeout: 1000 }).sends(1, 9).keepsWithin(100);
  for (let i = 0; i < 10; i++) {
    peer.progress.reads++;
    peer.keepsWithin(100);
  }
  peer.progress.reads++;
  peer.isLate(1, "1 of 9 bytes came within frameTimeout of 1000 ms", {
    timeout: 1000,
    have: 1,
    need: 9,
  });
});

Deno.test("Patience counts frameTimeout anew behind a frame that was refused", () => {
  const peer = new Peer({ frameTimeout: 1000 });
  for (let i = 0; i < 20; i++) {
    peer.progress.reads++; // with an error, behind which reading goes on
    peer.progress.received += 10;
    peer.progress.buffered = 5;
    peer.progress.insideFrame = true;
    peer.keepsWithin(900, 300);
  }
});

Deno.test("Patience counts frameTimeout for a frame that is being left out too", () => {
  const peer = new Peer({ frameTimeout: 1000 });
  peer.progress.insideFrame = true;
  for (let i = 0; i < 5; i++) {
    peer.progress.received += 10_000;
    peer.keepsWithin(i === 0 ? 1 : 250);
  }
  peer.isLate(1, "0 bytes came within frameTimeout of 1000 ms", {
    timeout: 1000,
    have: 0,
  });
});

Deno.test("Patience ends below minimumRate, from a frame's sixth second on", () => {
  const peer = new Peer({ minimumRate: 100 }).sends(10, 9999);
  peer.keepsWithin(500).keepsWithin(5000);
  peer.isLate(
    1,
    "10 bytes of a frame came in 5001 ms, which is less than minimumRate of 100 bytes a second",
    { timeout: 5001, have: 10, need: 9999 },
  );
});

Deno.test("Patience takes minimumRate as an average over the frame", () => {
  const peer = new Peer({ minimumRate: 100 }).sends(1).keepsWithin(1);
  for (let i = 0; i < 60; i++) peer.sends(100).keepsWithin(1000);
  // 6001 bytes in a minute: a little more than what it takes, so that a pause is soon too long.
  peer.keepsWithin(10);
  peer.isLate(
    1,
    "6001 bytes of a frame came in 60011 ms, which is less than minimumRate of 100 bytes a second",
    { timeout: 60011, have: 6001 },
  );
  new Peer({ minimumRate: 100 }).sends(6000).keepsWithin(60_000);
});

Deno.test("Patience counts what has come of a frame when it is first seen, and nothing before", () => {
  const peer = new Peer({ minimumRate: 100 });
  peer.sendsFrame(1_000_000, 600).keepsWithin(500).keepsWithin(6000);
  peer.isLate(
    1,
    "600 bytes of a frame came in 6001 ms, which is less than minimumRate of 100 bytes a second",
    { timeout: 6001, have: 600 },
  );
});

Deno.test("Patience counts the bytes of a frame that is being left out", () => {
  const peer = new Peer({ minimumRate: 100 });
  peer.progress.insideFrame = true;
  for (let i = 0; i < 20; i++) {
    peer.progress.received += 60;
    peer.keepsWithin(500);
  }
  // 1140 bytes since it was first seen, in 9500 ms.
  peer.keepsWithin(1900);
  assertEquals(peer.after(1)?.name, "ReadTimeoutError");
});

Deno.test("Patience gives a frame no credit for what came before it was paused", () => {
  const peer = new Peer({ minimumRate: 100 });
  peer.sends(1_000_000).keepsWithin(1);
  peer.handlerWaits(false).keepsWithin(9000); // the server had no room
  peer.handlerWaits(true).keepsWithin(500).keepsWithin(5000);
  peer.isLate(
    1,
    "0 bytes of a frame came in 5001 ms, which is less than minimumRate of 100 bytes a second",
    { timeout: 5001, have: 1_000_000 },
  );
});

Deno.test("Patience ends at writeTimeout when the peer takes none of what waits", () => {
  const peer = new Peer({ writeTimeout: 1000 }).keepsWithin(5000);
  peer.isSent(300).keepsWithin(1000).isDeaf(1, 300, 1000);
});

Deno.test("Patience counts writeTimeout from the last byte that the peer took", () => {
  const peer = new Peer({ writeTimeout: 1000 }).isSent(300);
  for (let i = 0; i < 10; i++) peer.isSent(100, 1).keepsWithin(900, 900);
  peer.keepsWithin(1000).isDeaf(1, 1290, 1000);
  const done = new Peer({ writeTimeout: 1000 }).isSent(300).keepsWithin(900);
  done.isSent(0, 300).keepsWithin(5000).isSent(7).keepsWithin(1000);
  done.isDeaf(1, 7, 1000);
});

Deno.test("Patience has a peer take bytes that were written as it came", () => {
  const peer = new Peer({ writeTimeout: 1000 }).isSent(300);
  peer.keepsWithin(1000).isDeaf(1, 300, 1000);
});

Deno.test("Patience has a peer take bytes though the handler is at work or writes on", () => {
  const peer = new Peer({ writeTimeout: 1000 }).handlerWaits(false);
  peer.isSent(300).keepsWithin(500).isSent(200).keepsWithin(500);
  peer.isDeaf(1, 500, 1000);
});

Deno.test("Patience judges writing first", () => {
  const peer = new Peer({ writeTimeout: 1000, frameTimeout: 1000 });
  peer.sends(1).isSent(300).keepsWithin(1000).isDeaf(1, 300, 1000);
});

for (
  const [what, act] of [
    ["before a frame", () => {}],
    ["inside a frame", (peer) => peer.sends(1)],
    ["between frames", (peer) => peer.sendsFrame(10)],
    ["with a part of the next frame here", (peer) => peer.sendsFrame(10, 1)],
  ] satisfies [string, (peer: Peer) => void][]
) {
  Deno.test(`Patience has all the time in the world for a slow handler ${what}`, () => {
    const peer = new Peer({
      firstFrameTimeout: 1000,
      idleTimeout: 1000,
      frameTimeout: 1000,
      minimumRate: 1000,
      writeTimeout: 1000,
    });
    act(peer);
    peer.handlerWaits(false).keepsWithin(100_000);
    // Everything begins anew when it reads, and it may go back to work.
    peer.handlerWaits(true).keepsWithin(1000);
    peer.handlerWaits(false).keepsWithin(100_000);
    peer.handlerWaits(true).keepsWithin(1000);
    assert(peer.after(501) !== undefined);
  });
}

Deno.test("Patience wears out ten times as fast in a hurry: for frames and for writing only", () => {
  const frame = new Peer({ frameTimeout: 10_000 }).sends(1, 9);
  frame.keepsWithin(500).keepsWithin(1500).hurry = true;
  frame.isLate(1, "1 of 9 bytes came within frameTimeout of 1000 ms", {
    timeout: 1000,
    have: 1,
    need: 9,
  });
  const deaf = new Peer({ writeTimeout: 10_000 }).isSent(5).keepsWithin(1500);
  deaf.hurry = true;
  deaf.isDeaf(1, 5, 1000);
  const others = new Peer({
    firstFrameTimeout: 10_000,
    idleTimeout: 10_000,
    minimumRate: 100,
  });
  others.hurry = true;
  others.keepsWithin(9000).sends(600).keepsWithin(500).keepsWithin(6000);
});

Deno.test("Patience is back to normal behind a hurry", () => {
  const peer = new Peer({ frameTimeout: 10_000, writeTimeout: 10_000 });
  peer.sends(1).isSent(1).hurry = true;
  peer.keepsWithin(900).hurry = false;
  peer.keepsWithin(9000);
});

Deno.test("Patience of 0 ends with the first look at which something is awaited", () => {
  const peer = new Peer({ frameTimeout: 0 });
  peer.keepsWithin(5000).sendsFrame(5).keepsWithin(5000);
  peer.sends(1).keepsWithin(1); // when it began is not known
  assertEquals(peer.after(1)?.name, "ReadTimeoutError");
});
