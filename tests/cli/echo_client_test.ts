/**
 * The echo client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type Ending,
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const ECHO_CLIENT = "cli/echo_client.ts";

/** Runs the client against a server that does `answer`; gives its ending and what the server received. */
async function runAgainst(
  answer: (conn: Deno.TcpConn, request: Uint8Array) => Promise<void>,
  length: number,
  args: readonly string[] = [],
): Promise<[Ending, string]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  async function serve(): Promise<string> {
    using conn = await listener.accept();
    const request = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = await conn.read(request.subarray(at));
      if (count === null) break;
      at += count;
    }
    await answer(conn, request);
    return new TextDecoder().decode(request);
  }
  return await Promise.all([
    runProgram(ECHO_CLIENT, ["127.0.0.1", String(port), ...args], {
      net: `127.0.0.1:${port}`,
    }),
    serve(),
  ]);
}

/** Sends every byte in a segment of its own. */
async function dribble(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  conn.setNoDelay(true);
  for (const byte of bytes) await conn.write(new Uint8Array([byte]));
}

Deno.test("echo-client reads until all is back, however it comes", async () => {
  const [ending, received] = await runAgainst(dribble, 12);
  assertEquals(received, "Hello, world");
  assertEquals(ending, { code: 0, out: ["Received b'Hello, world'"], err: [] });
});

Deno.test("echo-client sends what --message says, and prints bytes as Python does", async () => {
  const args = ["--message", "it's\n🐶"];
  const [ending, received] = await runAgainst(dribble, 9, args);
  assertEquals(received, "it's\n🐶");
  assertEquals(ending, {
    code: 0,
    out: [String.raw`Received b"it's\n\xf0\x9f\x90\xb6"`],
    err: [],
  });
});

Deno.test("echo-client says that the server closed too early", async () => {
  const [ending] = await runAgainst(
    (conn, request) => dribble(conn, request.subarray(0, 5)),
    12,
  );
  assertEquals(ending, {
    code: 1,
    out: [],
    err: ["echo-client: Cannot receive: the server closed after 5 of 12 bytes"],
  });
});

Deno.test("echo-client says that nobody listens", async () => {
  const port = freePort();
  const net = `127.0.0.1:${port}`;
  assertEquals(
    await runProgram(ECHO_CLIENT, ["127.0.0.1", String(port)], { net }),
    {
      code: 1,
      out: [],
      err: [
        `echo-client: ${net}: connection refused; is the server running?`,
      ],
    },
  );
});

Deno.test("echo-client says that there is no such host", async () => {
  const net = "nowhere.invalid:65432";
  assertEquals(await runProgram(ECHO_CLIENT, ["nowhere.invalid"], { net }), {
    code: 1,
    out: [],
    err: [`echo-client: ${net}: unknown host`],
  });
});

Deno.test("echo-client says that a host has no valid name", async () => {
  const { code, out, err } = await runProgram(ECHO_CLIENT, ["a b"], {
    net: "127.0.0.1",
  });
  assertEquals([code, out, err.length], [1, [], 1]);
  assertEquals(err[0].startsWith("echo-client: invalid host 'a b'"), true);
});

for (
  const [args, target] of [
    [[], "127.0.0.1:65432"],
    [["localhost", "7"], "localhost:7"],
    [["::1", "7"], "[::1]:7"],
    [["[::1]", "7"], "[::1]:7"],
  ] as const
) {
  Deno.test(`echo-client says which permission it needs for ${target}`, async () => {
    assertEquals(await runProgram(ECHO_CLIENT, args), {
      code: 1,
      out: [],
      err: [
        `echo-client: needs permission: run again with --allow-net=${target}`,
      ],
    });
  });
}

Deno.test("echo-client ends on Ctrl-C while it waits for the server", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using client = startProgram(
    ECHO_CLIENT,
    ["127.0.0.1", String(port)],
    { net: `127.0.0.1:${port}` },
  );
  using conn = await listener.accept();
  await conn.read(new Uint8Array(12));
  client.interrupt();
  assertEquals(await client.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
});
