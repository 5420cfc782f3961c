/**
 * The threaded server as a process.
 *
 * @module
 */

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { startEchoServer, testEchoServer } from "../support/echo_servers.ts";
import {
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { connectTo } from "../support/tutorial.ts";

const SERVER = {
  name: "threaded-server",
  path: "cli/threaded_server.ts",
  flags: ["--unstable-net", "--allow-read=."],
};

testEchoServer(SERVER);

async function idle(conn: Deno.Conn): Promise<void> {
  assertEquals(await conn.read(new Uint8Array(1)), null);
}

Deno.test("threaded-server starts as many threads as it is told, and shares the clients out", async () => {
  const [program, port, before] = await startEchoServer(SERVER, [
    "--threads=3",
  ]);
  await using server = program;
  assertEquals(before.sort(), [
    "thread 1 started",
    "thread 2 started",
    "thread 3 started",
  ]);
  using stack = new DisposableStack();
  const busy = new Set<string>();
  // One thread gets all of 60 clients once in 10^28 times.
  for (let i = 0; i < 60; i++) {
    stack.use(await connectTo(port));
    const line = await server.line();
    const [who, what] = line.split(": ");
    assertMatch(what, /^accepted connection from 127\.0\.0\.1:\d+$/);
    assertMatch(who, /^thread [123]$/);
    busy.add(who);
  }
  assertNotEquals(busy.size, 1);
});

Deno.test("threaded-server replaces a thread that dies, and says of what", async () => {
  const port = freePort();
  await using server = startProgram(
    "tests/fixtures/mortal_threads.ts",
    ["127.0.0.1", String(port)],
    { net: `127.0.0.1:${port}`, flags: ["--unstable-net", "--allow-read=."] },
  );
  assertEquals((await server.lines(2)).sort(), [
    "thread 1 started",
    "thread 2 started",
  ]);
  assertEquals(await server.line(), `listening on 127.0.0.1:${port}`);
  for (let i = 0; i < 3; i++) {
    using conn = await connectTo(port);
    const [died, started] = await server.lines(2);
    assertMatch(died, /^thread [12] died: Uncaught .*Error: Died$/);
    assertEquals(started, `${died.slice(0, 8)} started`);
    await idle(conn);
  }
});

Deno.test("threaded-server ends if a thread cannot start", async () => {
  const { code, out, err } = await runProgram(
    "tests/fixtures/mortal_threads.ts",
    ["127.0.0.1", "1"],
    { flags: ["--unstable-net", "--allow-read=."] },
  );
  assertEquals([code, out], [1, []]);
  // Deno itself prints the trace of a thread that dies, before our line or behind it.
  const said =
    /^mortal-threads: Cannot start thread: Uncaught .*Error: Cannot listen$/;
  assertEquals(err.filter((line) => said.test(line)).length, 1);
});

Deno.test("threaded-server says in one line what it must be allowed", async () => {
  const net = `127.0.0.1:${freePort()}`;
  const args = net.split(":");
  const cases = [
    [{ net }, /: run again with --unstable-net$/],
    [{ flags: ["--unstable-net"] }, RegExp(` with --allow-net=${net}$`)],
    [{ net, flags: ["--unstable-net"] }, / with --allow-read=\/.*\/$/],
  ] as const;
  for (const [options, message] of cases) {
    const { code, out, err } = await runProgram(SERVER.path, args, options);
    assertEquals([code, out, err.length], [1, [], 1]);
    assertMatch(err[0], message);
  }
});
