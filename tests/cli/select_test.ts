/**
 * `select` and the sockets that it waits for.
 *
 * @module
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClientSocket, select, ServerSocket } from "../../cli/select.ts";
import { readAll, tcpPair } from "../support/sockets.ts";
import { receive, resetAfter, send } from "../support/tutorial.ts";
import { raw, unraw } from "../support/wire.ts";

/** Sockets of which some are ready, as their places in a list. */
function placesIn<S>(all: readonly S[], lists: readonly S[][]): number[][] {
  return lists.map((list) => list.map((socket) => all.indexOf(socket)));
}

Deno.test("select() gives of each list those that are ready", async () => {
  const pairs = await Promise.all([tcpPair(), tcpPair(), tcpPair()]);
  const sockets = pairs.map(([here]) => new ClientSocket(here));
  await send(pairs[1][1], "hi");
  const lists = await select(sockets, sockets.slice(1), sockets);
  assertEquals(placesIn(sockets, lists), [[1], [1, 2], []]);
  assertEquals(unraw(sockets[1].recv()), "hi");
  for (const socket of sockets) socket.close();
  for (const [, there] of pairs) there.close();
});

Deno.test("select() waits until something is ready", async () => {
  const pairs = await Promise.all([tcpPair(), tcpPair()]);
  const sockets = pairs.map(([here]) => new ClientSocket(here));
  for (const place of [1, 0, 1]) {
    const waiting = select(sockets, [], sockets);
    await send(pairs[place][1], "x");
    assertEquals(placesIn(sockets, await waiting), [[place], [], []]);
    // What is not fetched is still there.
    assertEquals(placesIn(sockets, await select(sockets, [], [])), [
      [place],
      [],
      [],
    ]);
    assertEquals(unraw(sockets[place].recv()), "x");
  }
  for (const socket of sockets) socket.close();
  for (const [, there] of pairs) there.close();
});

Deno.test("select() gives three empty lists when time is up, and loses nothing by it", async () => {
  const [here, there] = await tcpPair();
  const socket = new ClientSocket(here);
  assertEquals(await select([socket], [], [socket], 0), [[], [], []]);
  assertEquals(await select([socket], [], [socket], 1), [[], [], []]);
  assertEquals(await select([], [], [], 1), [[], [], []]);
  await send(there, "late");
  assertEquals(await select([socket], [], []), [[socket], [], []]);
  assertEquals(unraw(socket.recv()), "late");
  socket.close();
  there.close();
});

Deno.test("select() lets others have a turn when a socket is always ready", async () => {
  const [here, there] = await tcpPair();
  const socket = new ClientSocket(here);
  let others = 0;
  const timer = setInterval(() => others++, 1);
  while (others < 3) await select([], [socket], []);
  clearInterval(timer);
  socket.close();
  there.close();
});

Deno.test("select() refuses a closed socket in any of its lists", async () => {
  const [here, there] = await tcpPair();
  const socket = new ClientSocket(here);
  socket.close();
  for (const place of [0, 1, 2]) {
    const nothing: ClientSocket[][] = [[], [], []];
    const lists = nothing.with(place, [socket]);
    await assertRejects(
      () => select(lists[0], lists[1], lists[2], 0),
      Deno.errors.BadResource,
      "Cannot select: a socket is closed",
    );
  }
  there.close();
});

Deno.test("select() wakes up when a socket is closed while it waits", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = new ServerSocket(listener);
  const waiting = select([server], [], []);
  server.close();
  assertEquals(await waiting, [[server], [], []]);
  assertThrows(() => server.accept(), Deno.errors.BadResource);
});

Deno.test("ServerSocket is readable when somebody has connected, and accepts once for each", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const server = new ServerSocket(listener);
  assertThrows(() => server.accept(), Deno.errors.WouldBlock);
  for (let i = 0; i < 2; i++) {
    using conn = await Deno.connect({ hostname, port });
    assertEquals(await select([server], [server], [server]), [
      [server],
      [],
      [],
    ]);
    const client = server.accept();
    assertEquals(client.remoteAddr, conn.localAddr);
    assertThrows(() => server.accept(), Deno.errors.WouldBlock);
    client.close();
    client.close();
    assertEquals(await conn.read(new Uint8Array(1)), null);
  }
  server.close();
  server.close();
});

Deno.test("ServerSocket closes a connection that nobody accepted", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr;
  const server = new ServerSocket(listener);
  using conn = await Deno.connect({ hostname, port });
  await select([server], [], []);
  server.close();
  assertEquals(await conn.read(new Uint8Array(1)), null);
});

Deno.test("ClientSocket.recv() gives what has come, nothing at the end of the stream, and never waits", async () => {
  const [here, there] = await tcpPair();
  const socket = new ClientSocket(here);
  assertThrows(() => socket.recv(), Deno.errors.WouldBlock);
  await send(there, "x".repeat(5000));
  await there.closeWrite();
  const received: number[] = [];
  while (received.at(-1) !== 0) {
    await select([socket], [], []);
    received.push(socket.recv().length);
    if (received.at(-1) !== 0) {
      assertThrows(() => socket.recv(), Deno.errors.WouldBlock);
    }
  }
  assertEquals(received.reduce((sum, length) => sum + length), 5000);
  assertEquals(socket.readable, true);
  assertEquals(socket.recv().length, 0);
  socket.close();
  assertThrows(() => socket.recv(), Deno.errors.BadResource);
  there.close();
});

Deno.test("ClientSocket.send() takes a part of much, and is not writable until that has gone", async () => {
  const [here, there] = await tcpPair();
  const socket = new ClientSocket(here);
  assertEquals(socket.send(new Uint8Array(0)), 0);
  assertEquals(socket.writable, true);
  const all = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
  const received = readAll(there);
  for (let sent = 0; sent < all.length;) {
    const part = all.slice(sent);
    const count = socket.send(part);
    part.fill(0); // what was taken is no longer the caller's
    assertEquals(socket.writable, false);
    assertThrows(() => socket.send(all), Deno.errors.WouldBlock);
    sent += count;
    await select([], [socket], []);
  }
  socket.close();
  assertEquals(await received, all);
  there.close();
});

Deno.test("ClientSocket.close() sends what was taken first", async () => {
  const [here, there] = await tcpPair();
  // More than the system takes at once, as nobody reads.
  const full = new Uint8Array(16 * 1024 * 1024);
  const filled = await here.write(full);
  const socket = new ClientSocket(here);
  assertEquals(socket.send(raw("the end")), 7);
  socket.close();
  assertThrows(() => socket.send(raw("more")), Deno.errors.BadResource);
  const received = await readAll(there);
  assertEquals(received.length, filled + 7);
  assertEquals(unraw(received.subarray(filled)), "the end");
  there.close();
});

Deno.test("ClientSocket is in error, and readable, when its peer has reset the connection", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = new ServerSocket(listener);
  const accepted: ClientSocket[] = [];
  await resetAfter("x", listener.addr.port, async () => {
    await select([server], [], []);
    accepted.push(server.accept());
    await select(accepted, [], []);
    assertEquals(unraw(accepted[0].recv()), "x");
  });
  const [socket] = accepted;
  assertEquals(await select([socket], [], [socket]), [[socket], [], [socket]]);
  assertEquals(socket.error instanceof Deno.errors.ConnectionReset, true);
  assertThrows(() => socket.recv(), Deno.errors.ConnectionReset);
  assertThrows(() => socket.send(raw("x")), Deno.errors.ConnectionReset);
  socket.close();
  server.close();
});

Deno.test("ClientSocket echoes by select alone", async () => {
  const [here, there] = await tcpPair();
  const socket = new ClientSocket(here);
  for (const word of ["one", "two", "three"]) {
    await send(there, word);
    await select([socket], [], []);
    assertEquals(socket.send(socket.recv()), word.length);
    assertEquals(await receive(there, word.length), word);
    await select([], [socket], []);
  }
  socket.close();
  there.close();
});
