/**
 * The loops around the raw calls.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "@framewire/framewire";
import { scriptedConn } from "@framewire/framewire/testing";
import { myReceive, mySend } from "../../cli/my_socket.ts";
import { raw, unraw } from "../support/wire.ts";

Deno.test("mySend() sends on until all of the message is taken", async () => {
  const conn = scriptedConn([], [1, 5, 2]);
  await mySend(conn, raw("Hello, world"));
  assertEquals(unraw(conn.written), "Hello, world");
  assertEquals(conn.writeCounts, [1, 5, 2, 4]);
});

Deno.test("myReceive() receives on until all of the message is here, and leaves what follows", async () => {
  const conn = scriptedConn([
    { chunk: "H" },
    { chunk: "ello, wor" },
    { chunk: "ldNext" },
  ]);
  assertEquals(unraw(await myReceive(conn, 12)), "Hello, world");
  assertEquals(unraw(await myReceive(conn, 4)), "Next");
});

for (const [there, chunk] of [["nothing", ""], ["a part", "Hello"]]) {
  Deno.test(`myReceive() says that the connection is broken when ${there} came of the message`, async () => {
    const conn = scriptedConn([{ chunk }, { end: true }]);
    const error = await assertRejects(
      () => myReceive(conn, 12),
      ConnectionError,
    );
    assertEquals(error.message, "socket connection broken");
  });
}

Deno.test("myReceive() gives on what a read rejects with", async () => {
  const reset = new Deno.errors.ConnectionReset();
  const conn = scriptedConn([{ chunk: "Hello" }, { error: reset }]);
  const error = await assertRejects(() => myReceive(conn, 12));
  assertEquals(error, reset);
});
