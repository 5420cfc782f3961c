/**
 * The program about peers that die, as a process; and that nothing of it stays.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { raw } from "../support/wire.ts";

const DEAD_PEER = "cli/dead_peer.ts";
const PERMISSIONS = {
  net: "127.0.0.1:0",
  flags: [`--allow-run=${Deno.execPath()}`],
};

Deno.test("dead-peer shows what the survivor sees", async () => {
  assertEquals(await runProgram(DEAD_PEER, [], PERMISSIONS), {
    code: 0,
    out: [
      "1. the peer is killed in the middle of a frame",
      "received 'Hello, world'",
      "killing the peer",
      "TruncatedFrameError: Cannot read frame: stream ended after 9 of 16 bytes",
      "",
      "2. the peer stalls in the middle of a frame",
      "received 'Hello, world'",
      "read() without a timeout",
      "nothing within 500 ms, and it would wait for ever",
      "read() with a timeout of 500 ms",
      "ReadTimeoutError: Cannot read frame: 9 of 16 bytes came within 500 ms",
      "closing the connection",
      "",
      "3. the peer sends heartbeats, then stalls between them",
      "received 'ping'",
      "received 'ping'",
      "received 'ping'",
      "heartbeat missed: 1 of 3",
      "heartbeat missed: 2 of 3",
      "heartbeat missed: 3 of 3",
      "the peer is dead: closing the connection",
    ],
    err: [],
  });
});

Deno.test("dead-peer says which permissions it needs", async () => {
  const missing = {
    code: 1,
    err: [
      `dead-peer: needs permission: run again with --allow-net=127.0.0.1:0 --allow-run=${Deno.execPath()}`,
    ],
  };
  assertEquals(await runProgram(DEAD_PEER), { ...missing, out: [] });
  assertEquals(await runProgram(DEAD_PEER, [], { net: "127.0.0.1:0" }), {
    ...missing,
    out: ["1. the peer is killed in the middle of a frame"],
  });
});

Deno.test("dead-peer ends on Ctrl-C", async () => {
  await using program = startProgram(DEAD_PEER, [], PERMISSIONS);
  await program.lines(9); // the peer stalls
  program.interrupt();
  const { code, out } = await program.end();
  assertEquals([code, out.at(-1)], [130, "caught keyboard interrupt, exiting"]);
});

/** Starts the peer that stalls against a listener of ours; gives its process, its connection and what it said. */
async function startPeer(what: string, length: number): Promise<
  [Deno.ChildProcess, Deno.Conn, Uint8Array]
> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--allow-net=127.0.0.1:${port}`,
      new URL("../../cli/dying_peer.ts", import.meta.url).href,
      what,
      "127.0.0.1",
      String(port),
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const conn = await listener.accept();
  const said = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(said.subarray(at));
    assert(count !== null, "it must say more");
    at += count;
  }
  return [process, conn, said];
}

for (
  const [what, said] of [
    ["half", "\0\0\0\x0cHello, world\0\0\0\x0cHello"],
    ["beats", "ping\nping\nping\n"],
  ] as const
) {
  Deno.test(`dying_peer speaks (${what}), stalls, and does not outlive who started it`, async () => {
    const [process, conn, heard] = await startPeer(what, said.length);
    using _conn = conn;
    assertEquals(heard, raw(said));
    // What the system does for a program that dies: nobody holds the other end any more.
    await process.stdin.close();
    assertEquals((await process.status).code, 0);
    assertEquals(await conn.read(new Uint8Array(1)), null);
  });
}

Deno.test("dying_peer ends if nobody listens", async () => {
  const port = String(freePort());
  const { code } = await runProgram(
    "cli/dying_peer.ts",
    ["half", "127.0.0.1", port],
    { net: "127.0.0.1" },
  );
  assertEquals(code, 1);
});
