/**
 * The server's side: many connections, their failures, and the end.
 *
 * @module
 */

import {
  type ByteConn,
  connect,
  ConnectionClosedError,
  FrameTooLargeError,
  Framing,
  type Handler,
  lengthPrefixed,
  lines,
  PeerResetError,
  reply,
  serve,
  type Server,
  type ServerStats,
  text,
  TruncatedFrameError,
} from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { createConnection } from "node:net";
import { rejection, until, writeAll } from "../support/sockets.ts";
import { raw } from "../support/wire.ts";

const words = text(lengthPrefixed({ maxFrameLength: 100 }));
/** A server that does not wait for peers that stay when it is done with them. */
const QUICK = { port: 0, lingerTimeout: 20 };
const shout = reply((line: string) => line.toUpperCase());

function connectTo(server: Server<Deno.NetAddr>): Promise<Framing<string>> {
  return connect({ port: server.addr.port }, words);
}

/** Asks, and wants the answer that `shout` gives. */
async function assertServed(peer: Framing<string>): Promise<void> {
  await peer.write("still there?");
  assertEquals(await peer.read(), "STILL THERE?");
}

/** What became of a server's connections. */
function outcomes({ stats }: Server): Partial<ServerStats> {
  const { accepted, active, failed, acceptErrors } = stats;
  return { accepted, active, failed, acceptErrors };
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

Deno.test("serve() listens on this machine only, unless told otherwise", async () => {
  await using server = serve({ port: 0 }, words, shout);
  assertEquals(server.addr.hostname, "127.0.0.1");
  assert(server.addr.port > 0);
  await using other = serve({ port: 0, hostname: "127.0.0.2" }, words, shout);
  assertEquals(other.addr.hostname, "127.0.0.2");
});

Deno.test("serve() serves many connections, each any number of messages", async () => {
  await using server = serve({ port: 0 }, words, shout);
  await Promise.all(
    Array.from({ length: 20 }, async (_, client) => {
      await using peer = await connectTo(server);
      for (let i = 0; i < 20; i++) {
        await peer.write(`c${client} m${i}`);
        assertEquals(await peer.read(), `C${client} M${i}`);
      }
    }),
  );
  assertEquals(server.stats.accepted, 20);
  await until(() => server.stats.active === 0);
  assertEquals(server.stats.failed, 0);
});

Deno.test("serve() removes the path of a Unix socket at the end", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    const server = serve({ path }, words, shout);
    assertEquals(server.addr, { transport: "unix", path });
    await using peer = await connect({ path }, words);
    await assertServed(peer);
    assert((await Deno.stat(path)).isSocket);
    const down = server.shutdown();
    assertEquals(await peer.read(), null);
    await peer.close();
    await down;
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
    await using _again = serve({ path }, words, shout);
  });
});

Deno.test("serve() throws what keeps it from listening", async () => {
  await using server = serve({ port: 0 }, words, shout);
  const { port } = server.addr;
  assertThrows(() => serve({ port }, words, shout), Deno.errors.AddrInUse);
  const reason = new Error("no");
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(
    assertThrows(() => serve({ port: 0, signal }, words, shout)),
    reason,
  );
  assertThrows(
    () => serve({ port: 0, highWaterMark: -1 }, words, shout),
    RangeError,
    "highWaterMark",
  );
});

for (
  const [how, fail] of [
    ["throws", () => {
      throw new TypeError("odd");
    }],
    ["rejects", () => Promise.reject(new TypeError("odd"))],
    ["fails after it has written", async (peer) => {
      await peer.write("sorry");
      throw new TypeError("odd");
    }],
  ] satisfies [string, Handler<string>][]
) {
  for (
    const [what, onError] of [
      ["is told", () => {}],
      ["throws", () => {
        throw new Error("in onError");
      }],
      ["rejects", () => Promise.reject(new Error("in onError"))],
      ["is not there", undefined],
    ] as const
  ) {
    Deno.test(`serve() loses one connection when its handler ${how} and onError ${what}`, async () => {
      const told: [unknown, Deno.Addr | undefined][] = [];
      const options = onError === undefined ? QUICK : {
        ...QUICK,
        onError(error: unknown, info?: { remoteAddr: Deno.Addr }) {
          told.push([error, info?.remoteAddr]);
          return onError();
        },
      };
      await using server = serve(options, words, async (peer, info) => {
        if (await peer.read() === "fail") return await fail(peer);
        await peer.write("FINE");
        await shout(peer, info);
      });
      await using good = await connectTo(server);
      await good.write("hello");
      assertEquals(await good.read(), "FINE");
      await using bad = await connectTo(server);
      await bad.write("fail");
      if (how.includes("written")) assertEquals(await bad.read(), "sorry");
      assertEquals(await bad.read(), null);
      await until(() => server.stats.active === 1);
      assertEquals(outcomes(server), {
        accepted: 2,
        active: 1,
        failed: 1,
        acceptErrors: 0,
      });
      await assertServed(good);
      if (onError === undefined) return;
      assertEquals(told.length, 1);
      assertInstanceOf(told[0][0], TypeError);
      assertEquals(told[0][1], bad.localAddr);
    });
  }
}

Deno.test("serve() loses one connection when its handler throws at once", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  await using server = serve({ port: 0, onError }, words, () => {
    throw new TypeError("at once");
  });
  for (let i = 0; i < 3; i++) {
    await using peer = await connectTo(server);
    assertEquals(await peer.read(), null);
  }
  await until(() => server.stats.failed === 3);
  assertEquals(errors.length, 3);
});

/** What peers do that no server should fall over. */
const ROGUES: [
  what: string,
  act: (port: number) => Promise<void>,
  error: new (...args: never[]) => Error,
][] = [
  ["resets the connection", async (port) => {
    const socket = createConnection(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write(raw("\0\0\0\x02hi"));
    await new Promise((resolve) => socket.once("data", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resetAndDestroy();
    await closed;
  }, PeerResetError],
  ["sends rubbish", async (port) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, raw("GET / HTTP/1.1\r\n\r\n"));
    assertEquals(await conn.read(new Uint8Array(1)), null);
  }, FrameTooLargeError],
  ["dies inside a frame", async (port) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await writeAll(conn, raw("\0\0\0\x05he"));
  }, TruncatedFrameError],
];

for (const [what, act, kind] of ROGUES) {
  Deno.test(`serve() goes on when a peer ${what}`, async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    await using server = serve({ port: 0, onError }, words, shout);
    await using good = await connectTo(server);
    await assertServed(good);
    await act(server.addr.port);
    await until(() => server.stats.failed === 1);
    await assertServed(good);
    assertEquals(errors.length, 1);
    assertInstanceOf(errors[0], kind);
    await until(() => server.stats.active === 1);
  });
}

Deno.test("serve() goes on when peers stall: before a frame, inside one, and over an answer", async () => {
  const codec = text(lengthPrefixed({ maxFrameLength: 2 ** 25 }));
  const handler = reply((word: string) =>
    word === "much" ? "x".repeat(2 ** 24) : word.toUpperCase()
  );
  await using server = serve({ port: 0 }, codec, handler);
  await using good = await connect({ port: server.addr.port }, codec);
  using _silent = await connectTo(server);
  const { hostname, port } = server.addr;
  using half = await Deno.connect({ hostname, port });
  await writeAll(half, raw("\0\0\0\x05he"));
  using deaf = await connectTo(server);
  await deaf.write("much");
  await until(() => server.stats.active === 4);
  for (let i = 0; i < 10; i++) await assertServed(good);
  assertEquals(server.stats.active, 4);
  await server.shutdown({ grace: 1 });
  assertEquals(await good.read(), null);
});

Deno.test("Server.shutdown() tells idle peers by a half-close, and ends when they go", async () => {
  const server = serve({ port: 0 }, words, shout);
  const peers = await Promise.all(
    Array.from({ length: 3 }, () => connectTo(server)),
  );
  for (const peer of peers) await assertServed(peer);
  const down = server.shutdown({ grace: Infinity });
  for (const peer of peers) {
    assertEquals(await peer.read(), null);
    await peer.close();
  }
  await down;
  await server.finished;
  assertEquals(outcomes(server), {
    accepted: 3,
    active: 0,
    failed: 0,
    acceptErrors: 0,
  });
});

Deno.test("Server.shutdown() lets a busy handler finish its answer", async () => {
  const begun = Promise.withResolvers<void>();
  const proceed = Promise.withResolvers<void>();
  const handler = reply(async (word: string) => {
    begun.resolve();
    await proceed.promise;
    return word.toUpperCase();
  });
  const server = serve(QUICK, words, handler);
  await using peer = await connectTo(server);
  await peer.write("question");
  await begun.promise;
  let ended = false;
  const down = server.shutdown({ grace: Infinity }).then(() => ended = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert(!ended);
  proceed.resolve();
  assertEquals(await peer.read(), "QUESTION");
  assertEquals(await peer.read(), null);
  await down;
  assertEquals(server.stats.failed, 0);
});

Deno.test("Server.shutdown() answers a request that has begun to come", async () => {
  const server = serve(QUICK, words, shout);
  const { hostname, port } = server.addr;
  const conn = await Deno.connect({ hostname, port });
  await using peer = new Framing(conn, words);
  await assertServed(peer);
  await writeAll(conn, raw("\0\0\0\x02h"));
  await until(() => server.stats.active === 1);
  // The bytes are with the server once it has answered somebody who wrote later.
  await using other = await connectTo(server);
  await assertServed(other);
  const down = server.shutdown({ grace: Infinity });
  assertEquals(await other.read(), null);
  await other.close();
  await writeAll(conn, raw("i"));
  assertEquals(await peer.read(), "HI");
  assertEquals(await peer.read(), null);
  await down;
});

Deno.test("Server.shutdown() ends with the grace when a handler never does", async () => {
  const closed: unknown[] = [];
  const server = serve({ port: 0 }, words, async (peer) => {
    await rejection(peer.read()).then((error) => closed.push(error));
    await new Promise(() => {});
  });
  await using peer = await connectTo(server);
  await until(() => server.stats.active === 1);
  peer.write("x".repeat(100));
  const stuck = serve({ port: 0 }, words, () => new Promise(() => {}));
  await using other = await connectTo(stuck);
  await until(() => stuck.stats.active === 1);
  await Promise.all([
    server.shutdown({ grace: 1 }),
    stuck.shutdown({ grace: 1 }),
  ]);
  await Promise.all([server.finished, stuck.finished]);
  assertEquals(await other.read(), null);
  assertEquals([server.stats.active, stuck.stats.active], [0, 0]);
});

Deno.test("Server.shutdown() closes what is open after the grace: its handler is told", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const server = serve({ port: 0, onError }, words, async (peer) => {
    await peer.closeWrite(); // and waits for the peer, which does not go
    await peer.read();
  });
  await using peer = await connectTo(server);
  await until(() => server.stats.active === 1);
  await server.shutdown({ grace: 1 });
  await until(() => server.stats.failed === 1);
  assertInstanceOf(errors[0], ConnectionClosedError);
  assertEquals(await peer.read(), null);
});

for (const grace of [-1, NaN]) {
  Deno.test(`Server.shutdown() refuses a grace of ${grace}, and goes on`, async () => {
    await using server = serve({ port: 0 }, words, shout);
    await assertRejects(
      () => server.shutdown({ grace }),
      RangeError,
      `grace must be a number of milliseconds, not negative: it is ${grace}`,
    );
    await using peer = await connectTo(server);
    await assertServed(peer);
  });
}

Deno.test("Server.shutdown() can be called again, and the port is free at once", async () => {
  const server = serve({ port: 0 }, words, shout);
  const { port } = server.addr;
  await using peer = await connectTo(server);
  await assertServed(peer);
  const down = [server.shutdown({ grace: 1 }), server.shutdown()];
  await Promise.all(down);
  await server[Symbol.asyncDispose]();
  await using again = serve({ port }, words, shout);
  await using other = await connectTo(again);
  await assertServed(other);
});

Deno.test("serve() shuts down when its signal is aborted", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const server = serve({ port: 0, signal }, words, shout);
  await using peer = await connectTo(server);
  await assertServed(peer);
  controller.abort();
  assertEquals(await peer.read(), null);
  await peer.close();
  await server.finished;
  await assertRejects(() => connectTo(server), Deno.errors.ConnectionRefused);
});

Deno.test("Server.shutdown() leaves out nobody who is being accepted", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const server = serve({ port: 0 }, words, async (peer, info) => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      server.shutdown({ grace: Infinity }); // the second connection is on its way in
      await shout(peer, info);
    });
    const { hostname, port } = server.addr;
    const conns = await Promise.all([
      Deno.connect({ hostname, port }),
      Deno.connect({ hostname, port }),
    ]);
    for (const conn of conns) {
      const peer = new Framing(conn, words);
      // Closed, reset or told by a half-close: in any case told.
      const end = await peer.read().catch((error: unknown) => error);
      if (end !== null) assertInstanceOf(end, PeerResetError);
      peer[Symbol.dispose]();
    }
    await server.finished;
    assertEquals(server.stats.active, 0);
  }
});

Deno.test("serve() closes a connection whose handler switched the codec", async () => {
  await using server = serve({ port: 0 }, words, async (peer) => {
    assertEquals(await peer.read(), "lines, please");
    await peer.write("ok");
    const next = peer.switchCodec(lines());
    for await (const line of next) {
      if (line === "bye") return;
      next.write(line.toUpperCase());
    }
  });
  for (const last of ["bye", "wait"]) {
    const first = await connectTo(server);
    await first.write("lines, please");
    assertEquals(await first.read(), "ok");
    await using peer = first.switchCodec(lines());
    await peer.write("hello");
    assertEquals(await peer.read(), "HELLO");
    await peer.write(last);
    if (last === "wait") {
      assertEquals(await peer.read(), "WAIT");
      const down = server.shutdown({ grace: Infinity });
      assertEquals(await peer.read(), null);
      await peer.close();
      await down;
    } else assertEquals(await peer.read(), null);
  }
  assertEquals(server.stats.failed, 0);
});

Deno.test("serve() leaves a connection alone that its handler detached", async () => {
  const given = Promise.withResolvers<ByteConn>();
  await using server = serve({ port: 0 }, words, async (peer) => {
    await peer.read();
    given.resolve((await peer.detach()).conn);
  });
  await using peer = await connectTo(server);
  await peer.write("yours");
  const conn = await given.promise;
  await until(() => server.stats.active === 0);
  await server.shutdown();
  await writeAll(conn, raw("\0\0\0\x04mine"));
  assertEquals(await peer.read(), "mine");
  conn.close();
});

Deno.test("serve() reports an answer that could not be delivered", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const codec = text(lengthPrefixed({ maxFrameLength: 2 ** 25 }));
  await using server = serve({ port: 0, onError }, codec, async (peer) => {
    await peer.read();
    peer.write("x".repeat(2 ** 24)); // and returns, for close() to send it
  });
  const { hostname, port } = server.addr;
  const conn = await Deno.connect({ hostname, port });
  await writeAll(conn, raw("\0\0\0\x02hi"));
  assertEquals(await conn.read(new Uint8Array(4)), 4);
  conn.close();
  await until(() => server.stats.failed === 1);
  assertInstanceOf(errors[0], PeerResetError);
});

/** Runs a program of its own with all permissions and gives the lines that it prints. */
function start(command: Deno.Command, program: string) {
  const child = command.spawn();
  const stdin = child.stdin.getWriter();
  stdin.write(new TextEncoder().encode(program)).then(() => stdin.close());
  const printed = child.stdout
    .pipeThrough(new TextDecoderStream())
    .getReader();
  return {
    child,
    /** The next thing that it prints. */
    async next(): Promise<string> {
      const { value, done } = await printed.read();
      assert(!done, "the program ended");
      return value.trim();
    },
    /** Waits until it has ended. */
    async end(): Promise<number> {
      await printed.cancel();
      return (await child.status).code;
    },
  };
}

const pipes = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;

for (const [calls, lives] of [["unref", false], ["unref,ref", true]] as const) {
  Deno.test(`Server keeps its program alive after ${calls}: ${lives}`, async () => {
    const program = start(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--quiet", "--allow-net=127.0.0.1", "-"],
        ...pipes,
      }),
      `
        import { lines, reply, serve } from "@framewire/framewire";
        const server = serve({ port: 0 }, lines(), reply((line) => {
          server.shutdown();
          return line;
        }));
        for (const call of ${JSON.stringify(calls)}.split(",")) server[call]();
        console.log(server.addr.port);
      `,
    );
    const port = Number(await program.next());
    if (lives) {
      await using peer = await connect({ port }, lines());
      await peer.write("end");
      assertEquals(await peer.read(), "end");
      assertEquals(await peer.read(), null);
    }
    assertEquals(await program.end(), 0);
  });
}

Deno.test("serve() shares a port with others that say so", async () => {
  const program = start(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--unstable-net", "--allow-net=127.0.0.1", "-"],
      ...pipes,
    }),
    `
      import { connect, lines, reply, serve } from "@framewire/framewire";
      const options = { port: 0, reusePort: true };
      await using one = serve(options, lines(), reply(() => "one"));
      const { port } = one.addr;
      await using two = serve({ ...options, port }, lines(), reply(() => "two"));
      const answers = new Set();
      for (let i = 0; i < 64; i++) {
        await using peer = await connect({ port }, lines());
        await peer.write("who is it?");
        answers.add(await peer.read());
      }
      console.log([...answers].sort().join());
    `,
  );
  assertEquals(await program.next(), "one,two");
  assertEquals(await program.end(), 0);
});

Deno.test("serve() goes on when file descriptors run out and are free again", async () => {
  // Deno raises the soft limit to the hard one, so it takes a shell to set both.
  const deno = Deno.execPath();
  const limited = `ulimit -n 60; exec ${deno} run --quiet --allow-net -`;
  const program = start(
    new Deno.Command(deno, {
      args: ["task", "--quiet", "--eval", `sh -c '${limited}'`],
      ...pipes,
    }),
    `
      import { lines, reply, serve } from "@framewire/framewire";
      let first = 0;
      const codes = new Set();
      const onError = (error, info) => {
        first ||= performance.now();
        codes.add(info === undefined ? error.code : error.message);
      };
      const server = serve({ port: 0, onError }, lines(), reply((line) => {
        if (line === "quit") server.shutdown();
        const elapsed = first === 0 ? 0 : performance.now() - first;
        return JSON.stringify({ ...server.stats, elapsed, codes: [...codes] });
      }));
      console.log(server.addr.port);
    `,
  );
  const port = Number(await program.next());
  await using live = await connect({ port }, lines());
  const ask = async (word = "how is it?") => {
    await live.write(word);
    return JSON.parse(await live.read() ?? "");
  };
  assertEquals((await ask()).acceptErrors, 0);
  const crowd: Framing<string>[] = [];
  for (let i = 0; i < 80; i++) crowd.push(await connect({ port }, lines()));
  let state = await ask();
  while (state.acceptErrors < 3) state = await ask();
  assertEquals(state.codes, ["EMFILE"]);
  assert(state.accepted < 60);
  // It waits at least 50 ms each time, give or take what a timer may be early.
  assert(
    state.acceptErrors <= 1 + state.elapsed / 40,
    `${state.acceptErrors} errors in ${state.elapsed} ms`,
  );
  for (const peer of crowd.splice(0, 50)) await peer.close();
  for (const peer of crowd) {
    await peer.write("are you there?");
    assert(await peer.read() !== null);
    await peer.close();
  }
  state = await ask("quit");
  assertEquals([state.accepted, state.failed], [81, 0]);
  assertEquals(await live.read(), null);
  await live.close();
  assertEquals(await program.end(), 0);
});

Deno.test("Server.shutdown() called again can shorten the grace", async () => {
  const never = Promise.withResolvers<void>();
  const server = serve({ port: 0 }, lines(), () => never.promise);
  using conn = await Deno.connect({ port: server.addr.port });
  await until(() => server.stats.active === 1);
  const patient = server.shutdown({ grace: Infinity });
  await server.shutdown({ grace: 0 });
  await patient;
  assertEquals(server.stats.active, 0);
  assertEquals(await conn.read(new Uint8Array(1)), null);
});
