/**
 * The forking server as a process, with its children.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { startEchoServer, testEchoServer } from "../support/echo_servers.ts";
import {
  type Ending,
  freePort,
  RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { connectTo, receive, send } from "../support/tutorial.ts";

const SERVER = {
  name: "forking-server",
  path: "cli/forking_server.ts",
  flags: ["--unstable-net", `--allow-run=${Deno.execPath()}`],
};

testEchoServer(SERVER);

/** Kills a process, which a test itself is not allowed to. */
async function kill(pid: string): Promise<void> {
  const { code, err } = await runCommand([
    "eval",
    `Deno.kill(${Number(pid)}, "SIGKILL")`,
  ]);
  assertEquals([code, err], [0, []]);
}

async function runCommand(args: readonly string[]): Promise<Ending> {
  await using program = new RunningProgram(Deno.execPath(), args);
  return await program.end();
}

function pidsIn(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const [, pid] = line.match(/^process (\d+) started$/) ?? [];
    assert(pid !== undefined, line);
    return pid;
  });
}

/** Waits until nobody listens on a port any more. */
async function untilRefused(port: number): Promise<void> {
  while (true) {
    try {
      (await connectTo(port)).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      // A child that ends leaves those who are waiting to be accepted without an answer.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("forking-server starts as many processes as it is told, and shares the clients out", async () => {
  const [program, port, before] = await startEchoServer(SERVER, [
    "--processes=3",
  ]);
  await using server = program;
  const pids = new Set(pidsIn(before));
  assertEquals(pids.size, 3);
  using stack = new DisposableStack();
  const busy = new Set<string>();
  // One process gets all of 60 clients once in 10^28 times.
  for (let i = 0; i < 60; i++) {
    stack.use(await connectTo(port));
    const line = await server.line();
    const [, pid] = line.match(
      /^process (\d+): accepted connection from 127\.0\.0\.1:\d+$/,
    ) ??
      [];
    assert(pids.has(pid), line);
    busy.add(pid);
  }
  assertNotEquals(busy.size, 1);
});

Deno.test("forking-server replaces a process that was killed, and the others go on", async () => {
  const [program, port, before] = await startEchoServer(SERVER);
  await using server = program;
  const [first, second] = pidsIn(before);
  const conns = new Map<string, Deno.TcpConn>();
  using stack = new DisposableStack();
  while (conns.size < 2) {
    const conn = stack.use(await connectTo(port));
    const [, pid] = (await server.line()).match(/^process (\d+): /) ?? [];
    conns.set(pid, conn);
  }
  await kill(first);
  assertEquals(await server.line(), `process ${first} died: SIGKILL`);
  const [third] = pidsIn([await server.line()]);
  assert(![first, second].includes(third));
  const survivor = conns.get(second);
  assert(survivor !== undefined);
  await send(survivor, "still here");
  assertEquals(await receive(survivor, 10), "still here");
  await server.line();
});

Deno.test("forking-server takes its processes with it when it is killed", async () => {
  const [program, port] = await startEchoServer(SERVER);
  await using server = program;
  using conn = await connectTo(port);
  await server.line();
  await kill(String(server.pid));
  assertEquals(await conn.read(new Uint8Array(1)), null);
  conn.close();
  await untilRefused(port);
});

Deno.test("forking-server says in one line what it must be allowed", async () => {
  const net = `127.0.0.1:${freePort()}`;
  const args = net.split(":");
  const cases = [
    [{ net }, /: run again with --unstable-net$/],
    [{ flags: ["--unstable-net"] }, RegExp(` with --allow-net=${net}$`)],
    [
      { net, flags: ["--unstable-net"] },
      RegExp(` with --allow-run=${Deno.execPath()}$`),
    ],
  ] as const;
  for (const [options, message] of cases) {
    const { code, out, err } = await runProgram(SERVER.path, args, options);
    assertEquals([code, out, err.length], [1, [], 1]);
    assertMatch(err[0], message);
  }
});

Deno.test("forking-child ends with its stdin, and not on Ctrl-C", async () => {
  const port = freePort();
  await using child = startProgram(
    "cli/forking_child.ts",
    ["127.0.0.1", String(port)],
    {
      net: `127.0.0.1:${port}`,
      flags: ["--unstable-net"],
      typing: true,
    },
  );
  assertEquals(await child.line(), "listening");
  child.interrupt();
  using conn = await connectTo(port);
  await send(conn, "still here");
  assertEquals(await receive(conn, 10), "still here");
  conn.close();
  await child.lines(3);
  await child.endInput();
  assertEquals(await child.end(), { code: 0, out: [], err: [] });
});
