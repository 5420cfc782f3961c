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
  type ProxyHeader,
  proxyHeader,
  reply,
  type RetryOptions,
  serve,
  type TcpConnectOptions,
  text,
  type UnixConnectOptions,
  untilClose,
} from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { isConnectedToItself } from "../../lib/net/connect.ts";
import { readAll, rejection } from "../support/sockets.ts";

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
async function exhaust<T>(
  attempt: (port: number) => Promise<Framing<T>>,
): Promise<unknown> {
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  const { port } = listener.addr;
  const peers: Framing<T>[] = [];
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

// Retry

/** Hardly any wait between two tries. */
const brief: RetryOptions = { minDelay: 1, maxDelay: 5 };

Deno.test("connect() with retry says how often it tried", async () => {
  const retry = { ...brief, attempts: 3 };
  await assertRejects(
    () => connect({ port: freePort(), retry }, lines()),
    Deno.errors.ConnectionRefused,
    "; gave up after 3 attempts",
  );
});

Deno.test("connect() with retry waits for a server that is not there yet", async () => {
  const port = freePort();
  const { promise: refused, resolve } = Promise.withResolvers<void>();
  const retry: RetryOptions = {
    ...brief,
    attempts: Infinity,
    random() {
      resolve();
      return 0;
    },
  };
  const connecting = connect({ port, retry }, lines());
  await refused;
  await using _server = serve({ port }, lines(), shout);
  await using peer = await connecting;
  await peer.write("hello");
  assertEquals(await peer.read(), "HELLO");
});

Deno.test("connect() with retry waits for a Unix socket that is not there yet, or left over", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    const missing = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    const retry: RetryOptions = {
      ...brief,
      attempts: Infinity,
      retryIf(error) {
        if (error instanceof Deno.errors.NotFound) missing.resolve();
        if (error instanceof Deno.errors.ConnectionRefused) refused.resolve();
        return true;
      },
    };
    const connecting = connect({ path, retry }, lines());
    await missing.promise;
    await Deno.writeTextFile(path, "");
    await refused.promise;
    await Deno.remove(path);
    await using _server = serve({ path }, lines(), shout);
    await using peer = await connecting;
    await peer.write("hello");
    assertEquals(await peer.read(), "HELLO");
  });
});

Deno.test("connect() with retry tries again when nobody answers, with the whole timeout each time", async () => {
  const error = await exhaust((port) =>
    connect(
      { port, connectTimeout: 60, retry: { ...brief, attempts: 2 } },
      lines(),
    )
  );
  assertInstanceOf(error, ConnectTimeoutError);
  assertStringIncludes(
    error.message,
    "no answer within 60 ms; gave up after 2 attempts",
  );
});

Deno.test("connect() with retry stops waiting when its signal is aborted", async () => {
  const controller = new AbortController();
  let waits = 0;
  const retry: RetryOptions = {
    minDelay: 2 ** 30,
    maxDelay: 2 ** 30,
    random() {
      waits++;
      queueMicrotask(() => controller.abort("enough"));
      return 0;
    },
  };
  const { signal } = controller;
  const connecting = connect({ port: freePort(), signal, retry }, lines());
  assertEquals<unknown>(await rejection(connecting), "enough");
  assertEquals(waits, 1);
});

Deno.test("connect() with retry does not try again what is final", async () => {
  let waits = 0;
  const random = () => (waits++, 0);
  await assertRejects(
    () => connect({ port: 0, retry: { random } }, lines()),
    RangeError,
  );
  await inFolder(async (folder) => {
    const path = `${folder}/${"x".repeat(200)}`;
    await assertRejects(
      () => connect({ path, retry: { random } }, lines()),
      TypeError,
    );
  });
  await assertRejects(
    () => connect({ port: freePort(), retry: { attempts: 0 } }, lines()),
    RangeError,
    "attempts must be at least 1: it is 0",
  );
  const signal = AbortSignal.abort("no");
  const connecting = connect({ port: 1, signal, retry: { random } }, lines());
  assertEquals<unknown>(await rejection(connecting), "no");
  assertEquals(waits, 0);
});

Deno.test("connect() knows a socket that was connected to itself", () => {
  const addr = (hostname: string, port: number): Deno.NetAddr => ({
    transport: "tcp",
    hostname,
    port,
  });
  for (
    const [localAddr, remoteAddr, itself] of [
      [addr("127.0.0.1", 40_000), addr("127.0.0.1", 40_000), true],
      [addr("::1", 40_000), addr("::1", 40_000), true],
      [addr("127.0.0.1", 40_001), addr("127.0.0.1", 40_000), false],
      [addr("127.0.0.1", 40_000), addr("127.0.0.2", 40_000), false],
    ] as const
  ) {
    assertEquals(isConnectedToItself({ localAddr, remoteAddr }), itself);
  }
});

// Where to, and what comes first

Deno.test("connect() takes options of either kind", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    await using tcp = serve({ port: 0 }, lines(), shout);
    await using _unix = serve({ path }, lines(), shout);
    const either: (TcpConnectOptions | UnixConnectOptions)[] = [
      { port: tcp.addr.port },
      { path },
    ];
    for (const options of either) {
      await using peer = await connect(options, lines());
      await peer.write("hello");
      assertEquals(await peer.read(), "HELLO");
    }
  });
});

const source = { transport: "tcp", hostname: "192.0.2.1", port: 1 } as const;
const destination = { ...source, hostname: "192.0.2.2" };
const relayed: ProxyHeader = {
  version: 1,
  command: "proxy",
  source,
  destination,
  tlvs: [],
};

Deno.test("connect() writes the header of the PROXY protocol before everything else", async () => {
  const received: string[] = [];
  await using server = serve(
    { port: 0 },
    text(untilClose()),
    async (peer) => {
      for await (const all of peer) received.push(all);
      await peer.write("over");
    },
  );
  const options = { port: server.addr.port, proxyHeader: relayed };
  await using peer = await connect(options, lines());
  await peer.write("hello");
  await peer.closeWrite();
  assertEquals(await peer.read(), "over");
  assertEquals(received, ["PROXY TCP4 192.0.2.1 192.0.2.2 1 1\r\nhello\n"]);
});

Deno.test("connect() writes long headers of the PROXY protocol over a Unix socket", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    const header: ProxyHeader = {
      ...relayed,
      version: 2,
      tlvs: [{ type: 0xe0, value: new Uint8Array(60_000).fill(7) }],
    };
    await using _server = serve(
      { path },
      proxyHeader({ maxFrameLength: 65_551 }),
      async (peer) => {
        assertEquals(await peer.read(), header);
        const after = peer.switchCodec(lines());
        await after.write(`You said ${await after.read()}`);
        await after.close();
      },
    );
    await using peer = await connect({ path, proxyHeader: header }, lines());
    await peer.write("hello");
    assertEquals(await peer.read(), "You said hello");
  });
});

Deno.test("connect() closes what is aborted while the header is written", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    const tlvs = [{ type: 0xe0, value: new Uint8Array(60_000) }];
    const controller = new AbortController();
    const connecting = connect({
      path,
      proxyHeader: { ...relayed, version: 2, tlvs },
      signal: controller.signal,
    }, lines());
    using late = await listener.accept();
    controller.abort("enough");
    assertEquals<unknown>(await rejection(connecting), "enough");
    assert((await readAll(late)).length < 65_536);
  });
});

Deno.test("connect() refuses a header that cannot be laid out before it connects", async () => {
  const header: ProxyHeader = {
    ...relayed,
    tlvs: [{ type: 1, value: new Uint8Array() }],
  };
  await assertRejects(
    () => connect({ port: freePort(), proxyHeader: header }, lines()),
    RangeError,
    "version 1 has no TLVs",
  );
});

Deno.test("connect() and serve() name the permission that is missing", async () => {
  const program = `
    import { connect, lines, serve } from "@framewire/framewire";
    for (const attempt of [
      () => connect({ port: 9 }, lines()),
      () => connect({ path: "/nowhere" }, lines()),
      () => connect({ port: 9, retry: { minDelay: 2 ** 30, maxDelay: 2 ** 30 } }, lines()),
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
  assertEquals(printed.length, 4);
  for (const line of printed) assertStringIncludes(line, "true Requires ");
  assertStringIncludes(
    printed[0],
    '"127.0.0.1:9", run again with the --allow-net',
  );
  assertStringIncludes(printed[1], "run again with the --allow-");
  assertEquals(printed[2], printed[0]);
  assertStringIncludes(
    printed[3],
    '"127.0.0.1:0", run again with the --allow-net',
  );
});
