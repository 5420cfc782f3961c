/**
 * The link between two connections: what it holds, and how it ends.
 *
 * @module
 */

import { connPair, type MemoryConn } from "@framewire/framewire/testing";
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  type FaultPlan,
  faultsOf,
  SeededRandom,
} from "../../lib/testing/fault_plan.ts";
import { FaultyLink, type LinkEnd } from "../../lib/testing/faulty_link.ts";
import { readAll, rejection, writeAll } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

function endOf(conn: MemoryConn): LinkEnd {
  return {
    read: (p) => conn.read(p),
    write: (p) => conn.write(p),
    closeWrite: () => conn.closeWrite(),
    reset: () => conn.reset({ keepUnread: true }),
    close: () => conn[Symbol.dispose](),
  };
}

/** Two connections that are linked, and the link. */
class Linked implements Disposable {
  readonly here: MemoryConn;
  readonly there: MemoryConn;
  readonly link: FaultyLink;

  constructor(plan: FaultPlan = {}, capacity = 64 * 1024) {
    const [here, near] = connPair({ capacity });
    const [far, there] = connPair({ capacity });
    this.here = here;
    this.there = there;
    this.link = new FaultyLink(
      endOf(near),
      endOf(far),
      faultsOf(plan),
      new SeededRandom(1),
      capacity,
    );
  }

  [Symbol.dispose](): void {
    this.here[Symbol.dispose]();
    this.there[Symbol.dispose]();
    this.link.close();
  }
}

/** Lets everything happen that waits for no clock. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Lets happen what waits for promises only. */
async function microtasks(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

function bytes(count: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(count);
}

Deno.test("FaultyLink passes bytes both ways, and is finished when both have ended", async () => {
  using linked = new Linked({ there: { cuts: 2 } });
  const { here, there, link } = linked;
  let finished = false;
  link.finished.then(() => finished = true);
  await here.write(raw("hello"));
  await here.closeWrite();
  assertEquals(unraw(await readAll(there)), "hello");
  await settled();
  assertEquals(finished, false);
  await there.write(raw("hi"));
  await there.closeWrite();
  assertEquals(unraw(await readAll(here)), "hi");
  await link.finished;
  assertEquals(link.stats, {
    there: { taken: 5, delivered: 5, pieces: 3, lost: 0, corrupted: 0 },
    back: { taken: 2, delivered: 2, pieces: 1, lost: 0, corrupted: 0 },
  });
});

Deno.test("FaultyLink gives pieces one to a read", async () => {
  using linked = new Linked({ cuts: 3 });
  await linked.here.write(raw("abcdefgh"));
  await settled();
  const counts: (number | null)[] = [];
  for (let i = 0; i < 3; i++) counts.push(await linked.there.read(bytes(9)));
  assertEquals(counts, [3, 3, 2]);
});

Deno.test("FaultyLink holds as much as its capacity, and goes on when it is resumed", async () => {
  using linked = new Linked({ there: { stall: { after: 0 } } }, 4);
  const { here, there, link } = linked;
  let taken = 0;
  const writing = (async () => {
    while (taken < 20) taken += await here.write(bytes(20 - taken));
    await here.closeWrite();
  })();
  await settled();
  assertEquals(taken, 8); // in the sender's buffer, and in the link
  assertEquals(link.stats.there.delivered, 0);
  link.resume();
  assertEquals((await readAll(there)).length, 20);
  await writing;
});

Deno.test("FaultyLink leaves a stall alone that has not begun when it is resumed", async () => {
  using linked = new Linked({ there: { stall: { after: 2 } } });
  const { here, there, link } = linked;
  link.resume();
  await here.write(raw("abcd"));
  await settled();
  assertEquals(link.stats.there.delivered, 2);
  link.resume();
  await here.closeWrite();
  assertEquals(unraw(await readAll(there)), "abcd");
});

Deno.test("FaultyLink goes on by itself after a stall that lasts a while", async () => {
  using linked = new Linked({ there: { stall: { after: 2, duration: 3 } } });
  await linked.here.write(raw("abcd"));
  await linked.here.closeWrite();
  assertEquals(unraw(await readAll(linked.there)), "abcd");
});

Deno.test("FaultyLink keeps the order whatever latency the pieces have", async () => {
  using linked = new Linked({ cuts: 1, latency: { min: 0, max: 3 } });
  const text = "abcdefghijklmnopqrstuvwxyz";
  await linked.here.write(raw(text));
  await linked.here.closeWrite();
  assertEquals(unraw(await readAll(linked.there)), text);
});

Deno.test("FaultyLink lets latency pass before the first byte, and before the end", async () => {
  using linked = new Linked({ latency: 2 });
  const { here, there, link } = linked;
  const order: string[] = [];
  await here.write(raw("a"));
  const reading = there.read(bytes(1)).then(() => order.push("read"));
  await microtasks();
  order.push("microtasks");
  await reading;
  await here.closeWrite();
  const ending = there.read(bytes(1)).then(() => order.push("end"));
  await microtasks();
  order.push("microtasks");
  await ending;
  assertEquals(order, ["microtasks", "read", "microtasks", "end"]);
  assertEquals(link.stats.there.pieces, 1);
});

Deno.test("FaultyLink passes pieces as the bandwidth allows", async () => {
  using linked = new Linked({ there: { bandwidth: 50_000 } });
  const { here, there, link } = linked;
  await writeAll(here, bytes(2500));
  await here.closeWrite();
  const counts: number[] = [];
  while (true) {
    const count = await there.read(bytes(4000));
    if (count === null) break;
    counts.push(count);
  }
  assertEquals(counts, [1000, 1000, 500]);
  assertEquals(link.stats.there.pieces, 3);
});

Deno.test("FaultyLink makes a piece wait for the bandwidth, also behind a stall", async () => {
  using linked = new Linked({
    there: { bandwidth: 100_000, stall: { after: 2000 } },
  });
  const { here, there, link } = linked;
  await writeAll(here, bytes(6000));
  await here.closeWrite();
  await microtasks();
  assertEquals(link.stats.there.pieces, 0);
  assertEquals(await there.read(bytes(9000)), 2000);
  await new Promise((resolve) => setTimeout(resolve, 50)); // in which the rest would have come
  link.resume();
  await microtasks();
  assertEquals(link.stats.there.pieces, 1);
  assertEquals((await readAll(there)).length, 4000);
});

Deno.test("FaultyLink breaks the sender's writes when the receiver is gone", async () => {
  using linked = new Linked();
  const { here, there, link } = linked;
  there.close();
  assertEquals(await here.read(bytes(1)), null);
  await here.write(raw("a"));
  await link.finished;
  const error = await rejection(here.write(raw("b")));
  assertInstanceOf(error, Deno.errors.BrokenPipe);
});

Deno.test("FaultyLink passes a reset on, behind the bytes before it", async () => {
  using linked = new Linked({ there: { stall: { after: 2 } } });
  const { here, there, link } = linked;
  await here.write(raw("abcd"));
  await settled();
  here.reset();
  await settled();
  link.resume();
  const into = bytes(9);
  assertEquals(await there.read(into), 2);
  assertEquals(await there.read(into), 2);
  const error = await rejection(there.read(into));
  assertInstanceOf(error, Deno.errors.ConnectionReset);
  await link.finished;
});

Deno.test("FaultyLink passes a reset on that a write meets", async () => {
  using linked = new Linked({}, 2);
  const { here, there, link } = linked;
  const writing = rejection(writeAll(here, raw("abcdefgh")));
  await settled();
  there.reset();
  assertInstanceOf(await writing, Deno.errors.ConnectionReset);
  await link.finished;
});

Deno.test("FaultyLink resets both ends, and the receiver can read what came before", async () => {
  using linked = new Linked({ there: { resetAfter: 3 } });
  const { here, there, link } = linked;
  await here.write(raw("abcdef"));
  await link.finished;
  const into = bytes(9);
  assertEquals(await there.read(into), 3);
  for (const end of [here, there]) {
    assertInstanceOf(
      await rejection(end.read(into)),
      Deno.errors.ConnectionReset,
    );
    assertEquals(await end.read(into), null);
  }
  assertEquals(link.stats.there.delivered, 3);
});

Deno.test("FaultyLink half-closes, throws the rest away and leaves the way back alone", async () => {
  using linked = new Linked({ there: { halfCloseAfter: 3 } });
  const { here, there, link } = linked;
  await here.write(raw("abcdef"));
  assertEquals(unraw(await readAll(there)), "abc");
  await there.write(raw("answer"));
  await there.closeWrite();
  assertEquals(unraw(await readAll(here)), "answer");
  await here.write(raw("ghi"));
  await here.closeWrite();
  await link.finished;
  assertEquals([link.stats.there.taken, link.stats.there.delivered], [9, 3]);
});

for (
  const [what, faults] of [
    ["latency", { latency: 1e6 }],
    ["little bandwidth", { bandwidth: 0.001 }],
    ["a stall", { stall: { after: 0, duration: 1e6 } }],
    ["a stall for ever", { stall: { after: 0 } }],
    ["nothing to do", {}],
  ] as const
) {
  Deno.test(`FaultyLink closes at once in the middle of ${what}, and leaves no timer`, async () => {
    using linked = new Linked(faults);
    const { here, there, link } = linked;
    await here.write(raw("a"));
    await settled();
    const reading = here.read(bytes(1));
    link.close();
    assertEquals(await reading, null);
    await link.finished;
    link.close();
    assertInstanceOf(
      await rejection(there.write(raw("a"))),
      Deno.errors.BrokenPipe,
    );
  });
}
