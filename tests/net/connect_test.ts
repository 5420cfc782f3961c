/**
 * The client's side.
 *
 * @module
 */

import {
  connect,
  ConnectTimeoutError,
  type Framing,
  lines,
  reply,
  serve,
} from "@framewire/framewire";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { rejection } from "../support/sockets.ts";

/** A port on which nobody listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Runs `use` with a folder that is removed afterwards. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const shout = reply((line: string) => line.toUpperCase());

Deno.test("connect() connects to this machine unless told otherwise", async () => {
  await using server = serve({ port: 0 }, lines(), shout);
  await using peer = await connect({ port: server.addr.port }, lines());
  assertEquals(peer.remoteAddr, server.addr);
  await peer.write("hello");
  assertEquals(await peer.read(), "HELLO");
});

Deno.test("connect() connects by name", async () => {
  await using server = serve({ port: 0 }, lines(), shout);
  const { port } = server.addr;
  await using peer = await connect({ hostname: "localhost", port }, lines());
  await peer.write("hello");
  assertEquals(await peer.read(), "HELLO");
});

Deno.test("connect() connects to a Unix socket", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    await using _server = serve({ path }, lines(), shout);
    await using peer = await connect({ path }, lines());
    assertEquals(peer.remoteAddr, { transport: "unix", path });
    await peer.write("hello");
    assertEquals(await peer.read(), "HELLO");
  });
});

Deno.test("connect() passes on that nobody listens", async () => {
  await assertRejects(
    () => connect({ port: freePort() }, lines()),
    Deno.errors.ConnectionRefused,
  );
});

Deno.test("connect() passes on that there is no socket at the path", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/nothing`;
    await assertRejects(() => connect({ path }, lines()), Deno.errors.NotFound);
    await Deno.writeTextFile(path, "");
    await assertRejects(
      () => connect({ path }, lines()),
      Deno.errors.ConnectionRefused,
    );
  });
});

for (const port of [0, -1, 65_536, 80.5, NaN, Infinity]) {
  Deno.test(`connect() refuses port ${port}`, async () => {
    await assertRejects(
      () => connect({ port }, lines()),
      RangeError,
      `port must be a whole number from 1 to 65535: it is ${port}`,
    );
  });
}

for (
  const [name, options] of [
    ["connectTimeout", { connectTimeout: -1 }],
    ["connectTimeout", { connectTimeout: NaN }],
    ["highWaterMark", { highWaterMark: -1 }],
  ] as const
) {
  Deno.test(`connect() refuses a ${name} of ${Object.values(options)} before it connects`, async () => {
    const port = freePort(); // connecting would be refused
    await assertRejects(
      () => connect({ port, ...options }, lines()),
      RangeError,
      name,
    );
  });
}

Deno.test("connect() waits for ever with a connectTimeout of Infinity", async () => {
  await using server = serve({ port: 0 }, lines(), shout);
  const { port } = server.addr;
  const options = { port, connectTimeout: Infinity };
  await using peer = await connect(options, lines());
  await peer.write("hello");
  assertEquals(await peer.read(), "HELLO");
});

Deno.test("connect() does not begin when its signal was aborted before", async () => {
  const reason = new Error("no");
  const signal = AbortSignal.abort(reason);
  const connecting = connect({ port: freePort(), signal }, lines());
  assertStrictEquals(await rejection(connecting), reason);
});

Deno.test("connect() is left alone by a signal that is aborted later", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  await using server = serve({ port: 0 }, lines(), shout);
  const { port } = server.addr;
  await using peer = await connect({ port, signal }, lines());
  controller.abort();
  await peer.write("hello");
  assertEquals(await peer.read(), "HELLO");
});

Deno.test("connect() closes a connection that comes after the abort", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    const controller = new AbortController();
    const { signal } = controller;
    const connecting = rejection(connect({ path, signal }, lines()));
    controller.abort("changed my mind");
    assertEquals<unknown>(await connecting, "changed my mind");
    using late = await listener.accept();
    assertEquals(await late.read(new Uint8Array(1)), null);
  });
});

/** Connects to where nobody accepts until nobody answers any more. */
async function exhaust(
  attempt: (port: number) => Promise<Framing<string>>,
): Promise<unknown> {
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  const { port } = listener.addr;
  const peers: Framing<string>[] = [];
  try {
    for (let i = 0; i < 20; i++) peers.push(await attempt(port));
    throw new Error("The kernel answered for a listener that accepts nothing");
  } catch (error) {
    return error;
  } finally {
    for (const peer of peers) peer[Symbol.dispose]();
  }
}

Deno.test("connect() gives up when nobody answers", async () => {
  let port = 0;
  const error = await exhaust((listening) => {
    port = listening;
    return connect({ port, connectTimeout: 100 }, lines());
  });
  assertInstanceOf(error, ConnectTimeoutError);
  assertEquals(error.timeout, 100);
  assertEquals(
    error.message,
    `Cannot connect to 127.0.0.1:${port}: no answer within 100 ms`,
  );
});

Deno.test("connect() gives up when its signal is aborted while nobody answers", async () => {
  const error = await exhaust((port) => {
    const signal = AbortSignal.timeout(100);
    return connect({ port, signal, connectTimeout: Infinity }, lines());
  });
  assertInstanceOf(error, DOMException);
  assertEquals(error.name, "TimeoutError");
});

Deno.test("connect() and serve() name the permission that is missing", async () => {
  const program = `
    import { connect, lines, serve } from "@framewire/framewire";
    for (const attempt of [
      () => connect({ port: 9 }, lines()),
      () => connect({ path: "/nowhere" }, lines()),
      () => serve({ port: 0 }, lines(), () => {}),
    ]) {
      try {
        await attempt();
      } catch (error) {
        console.log(error instanceof Deno.errors.NotCapable, error.message);
      }
    }
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(program));
  await stdin.close();
  const { success, stdout } = await child.output();
  const printed = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(success, true);
  assertEquals(printed.length, 3);
  for (const line of printed) assertStringIncludes(line, "true Requires ");
  assertStringIncludes(
    printed[0],
    '"127.0.0.1:9", run again with the --allow-net',
  );
  assertStringIncludes(printed[1], "run again with the --allow-");
  assertStringIncludes(
    printed[2],
    '"127.0.0.1:0", run again with the --allow-net',
  );
});
