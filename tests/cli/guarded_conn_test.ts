/**
 * Raw calls that do not wait for ever.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "@framewire/framewire";
import { connPair } from "@framewire/framewire/testing";
import { GuardedConn } from "../../cli/guarded_conn.ts";
import { CONNECTIONS, tcpPair } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

for (const [kind, pair] of CONNECTIONS) {
  Deno.test(`GuardedConn over ${kind} reads and writes as the connection does`, async () => {
    const [here, there] = await pair();
    using near = new GuardedConn(here, 60);
    using far = new GuardedConn(there, 60);
    assertEquals(await near.write(raw("hello")), 5);
    const into = new Uint8Array(3);
    assertEquals(await far.read(into), 3);
    assertEquals(unraw(into), "hel");
    near.close();
    assertEquals(await far.read(into), 2);
    assertEquals(await far.read(into), null);
  });

  Deno.test(`GuardedConn over ${kind} ends a read that waits when it is stopped`, async () => {
    const [here, there] = await pair();
    using far = there;
    const near = new GuardedConn(here, 60);
    const reading = near.read(new Uint8Array(1));
    near.stop();
    assertEquals(await reading, null);
    assertEquals(await near.read(new Uint8Array(1)), null);
    assertEquals(await far.read(new Uint8Array(1)), null);
  });
}

Deno.test("GuardedConn lets a write go on when it is stopped, and reads no more", async () => {
  const [here, there] = connPair({ capacity: 2 });
  using far = there;
  using near = new GuardedConn(here, 60);
  await near.write(raw("ab"));
  const writing = near.write(raw("cd"));
  near.stop();
  const into = new Uint8Array(2);
  assertEquals(await far.read(into), 2);
  assertEquals(await writing, 2);
  assertEquals(await far.read(into), 2);
  assertEquals(unraw(into), "cd");
  await far.write(raw("e"));
  assertEquals(await near.read(into), null);
});

Deno.test("GuardedConn closes a connection that gives nothing for too long", async () => {
  const [here, there] = await tcpPair();
  using far = there;
  using near = new GuardedConn(here, 1);
  await assertRejects(
    () => near.read(new Uint8Array(1)),
    ConnectionError,
    "Cannot read: nothing came for 1 second",
  );
  assertEquals(await far.read(new Uint8Array(1)), null);
});

Deno.test("GuardedConn closes a connection that takes nothing for too long", async () => {
  const [here, there] = await tcpPair();
  using _far = there;
  using near = new GuardedConn(here, 1);
  async function fill(): Promise<void> {
    while (true) await near.write(new Uint8Array(1_000_000));
  }
  await assertRejects(
    fill,
    ConnectionError,
    "Cannot write: nothing was taken for 1 second",
  );
});

Deno.test("GuardedConn gives on what the connection rejects with", async () => {
  const [here, there] = connPair();
  using _far = there;
  using near = new GuardedConn(here, 60);
  here.reset();
  await assertRejects(
    () => near.read(new Uint8Array(1)),
    Deno.errors.ConnectionReset,
  );
  near.close();
  near.close();
});
