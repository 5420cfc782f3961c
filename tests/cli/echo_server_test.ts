/**
 * The echo server as a process.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { connect as connectNode } from "node:net";
import { formatAddr } from "@framewire/framewire";
import {
  masked,
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { raw } from "../support/wire.ts";

const ECHO_SERVER = "cli/echo_server.ts";

async function startServer(): Promise<[RunningProgram, number]> {
  const server = startProgram(ECHO_SERVER, ["127.0.0.1", "0"], {
    net: "127.0.0.1:0",
  });
  return [server, portIn(await server.line())];
}

Deno.test("echo-server and echo-client print what the tutorial prints", async () => {
  const [program, port] = await startServer();
  await using server = program;
  const client = await runProgram(
    "cli/echo_client.ts",
    ["127.0.0.1", String(port)],
    { net: `127.0.0.1:${port}` },
  );
  assertEquals(client, {
    code: 0,
    out: ["Received b'Hello, world'"],
    err: [],
  });
  const { code, out, err } = await server.end();
  assertEquals(masked(out), ["Connected by 127.0.0.1:*"]);
  assertEquals([code, err], [0, []]);
});

Deno.test("echo-server sends everything back until the client half-closes, then ends", async () => {
  const [program, port] = await startServer();
  await using server = program;
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  assertEquals(
    await server.line(),
    `Connected by ${formatAddr(conn.localAddr)}`,
  );
  const sent = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
  async function send(): Promise<void> {
    for (let at = 0; at < sent.length;) {
      at += await conn.write(sent.subarray(at));
    }
    await conn.closeWrite();
  }
  const sending = send();
  const received = await new Response(conn.readable).bytes();
  await sending;
  assertEquals(received.length, sent.length);
  assertEquals(received, sent);
  assertEquals(await server.end(), { code: 0, out: [], err: [] });
  await assertRejects(
    () => Deno.connect({ hostname: "127.0.0.1", port }),
    Deno.errors.ConnectionRefused,
  );
});

Deno.test("echo-server says in one line that the client reset the connection", async () => {
  const [program, port] = await startServer();
  await using server = program;
  const socket = connectNode(port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = Promise.withResolvers<void>();
  socket.on("close", () => closed.resolve());
  socket.write(raw("half a mess"));
  await server.line();
  socket.resetAndDestroy();
  await closed.promise;
  assertEquals(await server.end(), {
    code: 1,
    out: [],
    err: ["echo-server: the peer reset the connection"],
  });
});

Deno.test("echo-server ends on Ctrl-C while it waits, with a client or without", async () => {
  for (const connects of [false, true]) {
    const [program, port] = await startServer();
    await using server = program;
    using conn = connects
      ? await Deno.connect({ hostname: "127.0.0.1", port })
      : undefined;
    if (conn !== undefined) await server.line();
    server.interrupt();
    assertEquals(await server.end(), {
      code: 130,
      out: ["caught keyboard interrupt, exiting"],
      err: [],
    });
    assertEquals(await conn?.read(new Uint8Array(1)), conn && null);
  }
});

Deno.test("echo-server says which permission it needs", async () => {
  assertEquals(await runProgram(ECHO_SERVER), {
    code: 1,
    out: [],
    err: [
      "echo-server: needs permission: run again with --allow-net=127.0.0.1:65432",
    ],
  });
});

Deno.test("echo-server says that the port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const net = `127.0.0.1:${port}`;
  assertEquals(
    await runProgram(ECHO_SERVER, ["127.0.0.1", String(port)], { net }),
    {
      code: 1,
      out: [],
      err: [`echo-server: ${net}: another program is listening there`],
    },
  );
});
