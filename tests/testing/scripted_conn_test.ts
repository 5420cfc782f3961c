/**
 * A connection that does what a script says.
 *
 * @module
 */

import { scriptedConn } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { readAll, rejection } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

Deno.test("scriptedConn() gives the chunks as they are, and then the end", async () => {
  const conn = scriptedConn([{ chunk: "ab" }, { chunk: raw("\xff") }]);
  const into = new Uint8Array(8);
  assertEquals([await conn.read(into), unraw(into.subarray(0, 2))], [2, "ab"]);
  assertEquals([await conn.read(into), into[0]], [1, 0xff]);
  assertEquals([await conn.read(into), await conn.read(into)], [null, null]);
  assertEquals(conn.readCount, 4);
  conn.close();
});

Deno.test("scriptedConn() gives a chunk in parts when there is little room, and text as UTF-8", async () => {
  const conn = scriptedConn([{ chunk: "Ωab" }, { chunk: "" }, { chunk: "c" }]);
  const into = new Uint8Array(3);
  assertEquals([await conn.read(into), unraw(into)], [3, "\xce\xa9a"]);
  assertEquals([await conn.read(into), into[0]], [1, 98]);
  assertEquals([await conn.read(into), into[0]], [1, 99]);
  conn.close();
});

Deno.test("scriptedConn() gives no bytes, errors and ends where the script says so", async () => {
  const error = new Deno.errors.ConnectionReset("gone");
  const conn = scriptedConn([
    { empty: true },
    { error },
    { end: true },
    { chunk: "more" },
  ]);
  const into = new Uint8Array(8);
  assertEquals(await conn.read(into), 0);
  assertStrictEquals(await rejection(conn.read(into)), error);
  assertEquals(await conn.read(into), null);
  assertEquals(await conn.read(into), 4);
  conn.close();
});

Deno.test("scriptedConn() pauses for turns of the event loop", async () => {
  const conn = scriptedConn([{ pause: 3 }, { chunk: "x" }]);
  const order: string[] = [];
  const reading = conn.read(new Uint8Array(1)).then(() => order.push("read"));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  order.push("microtasks");
  await reading;
  assertEquals(order, ["microtasks", "read"]);
  conn.close();
});

for (
  const [what, step] of [
    ["a stall", { stall: true }],
    ["a pause", { pause: 1e6 }],
  ] as const
) {
  Deno.test(`scriptedConn() interrupts ${what} when it is closed`, async () => {
    const conn = scriptedConn([step, { chunk: "never" }]);
    const reading = rejection(conn.read(new Uint8Array(1)));
    conn.close();
    assertInstanceOf(await reading, Deno.errors.Interrupted);
    await new Promise((resolve) => setTimeout(resolve, 2)); // the pause is over, too
  });
}

Deno.test("scriptedConn() takes writes as the script says, and whole behind it", async () => {
  const error = new Deno.errors.BrokenPipe("gone");
  const conn = scriptedConn([], [3, 0, error, 100]);
  const chunk = raw("hello");
  assertEquals(await conn.write(chunk), 3);
  assertEquals(await conn.write(chunk), 0);
  assertStrictEquals(await rejection(conn.write(chunk)), error);
  assertEquals(await conn.write(chunk), 5);
  assertEquals(await conn.write(chunk), 5);
  chunk.fill(0);
  assertEquals(unraw(conn.written), "helhellohello");
  assertEquals(conn.writeCounts, [3, 0, 5, 5]);
  conn.close();
});

Deno.test("scriptedConn() can be closed by halves and as a whole", async () => {
  const conn = scriptedConn([{ chunk: "x" }]);
  assertEquals([conn.writeClosed, conn.closed], [false, false]);
  await conn.closeWrite();
  assertEquals(await conn.read(new Uint8Array(1)), 1);
  conn.close();
  assertEquals([conn.writeClosed, conn.closed], [true, true]);
  assertThrows(() => conn.close(), Deno.errors.BadResource);
  for (
    const call of [
      () => conn.read(new Uint8Array(1)),
      () => conn.write(new Uint8Array(1)),
      () => conn.closeWrite(),
    ]
  ) await assertRejects(call, Deno.errors.BadResource);
  conn[Symbol.dispose]();
  const other = scriptedConn([]);
  {
    using _other = other;
    other.unref();
    other.ref();
  }
  assert(other.closed);
});

Deno.test("scriptedConn() has streams and addresses like a socket", async () => {
  const conn = scriptedConn([{ chunk: "a" }, { chunk: "b" }], [1]);
  const writer = conn.writable.getWriter();
  await writer.write(raw("hello"));
  assertEquals(unraw(conn.written), "hello");
  assertStrictEquals(conn.readable, conn.readable);
  assertStrictEquals(conn.writable, conn.writable);
  assertEquals(await new Response(conn.readable).text(), "ab");
  assert(conn.closed);
  assertEquals(conn.localAddr.transport, "tcp");
  assertEquals(conn.remoteAddr.transport, "tcp");
});

Deno.test("scriptedConn() shares nothing between connections", async () => {
  const script = [{ chunk: "abc" }];
  for (let i = 0; i < 2; i++) {
    using conn = scriptedConn(script);
    assertEquals(unraw(await readAll(conn)), "abc");
  }
  assertEquals(script, [{ chunk: "abc" }]);
});
