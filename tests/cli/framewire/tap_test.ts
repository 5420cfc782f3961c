/**
 * `framewire tap` as a process, between sockets of the tests.
 *
 * @module
 */

import { encodeFrame, lengthPrefixed } from "@framewire/framewire";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { capturedPackets, segmentOf } from "../../support/captured_packets.ts";
import { Random } from "../../support/random.ts";
import {
  type Ending,
  freePort,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../../support/running_program.ts";
import { withSocketPath } from "../../support/socket_paths.ts";
import { readAll, writeAll } from "../../support/sockets.ts";

const MAIN = "cli/main.ts";
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A line of `--json`. */
type Line = Record<string, unknown>;

function parsed(line: string): Line {
  return JSON.parse(line);
}

/** A tap in front of a listener of the test's. */
class Tap implements AsyncDisposable {
  private constructor(
    readonly program: RunningProgram,
    readonly listener: Deno.TcpListener,
    readonly port: number,
  ) {}

  static async start(
    args: readonly string[],
    flags: readonly string[] = [],
  ): Promise<Tap> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const target = `127.0.0.1:${listener.addr.port}`;
    const program = startProgram(
      MAIN,
      ["tap", ":0", target, ...args],
      { net: `127.0.0.1:0,${target}`, flags },
    );
    const said = await program.said(/listening on/);
    const port = Number(said.match(/127\.0\.0\.1:(\d+), to/)?.[1]);
    assert(port > 0, said);
    return new Tap(program, listener, port);
  }

  /** Connects through it; gives both ends. */
  async pair(): Promise<[client: Deno.TcpConn, server: Deno.TcpConn]> {
    return await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: this.port }),
      this.listener.accept(),
    ]);
  }

  /** Presses Ctrl-C, and gives what it printed. */
  async interrupted(): Promise<Ending> {
    this.program.interrupt();
    return await this.program.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener[Symbol.dispose]();
    await this.program[Symbol.asyncDispose]();
  }
}

/** Ends both directions, one after the other, and closes both ends. */
async function hangUp(first: Deno.Conn, second: Deno.Conn): Promise<void> {
  await first.closeWrite();
  await readAll(second);
  await second.closeWrite();
  await readAll(first);
  first.close();
  second.close();
}

/** Lines without the time in front, and with every port alike. */
function timeless(out: readonly string[]): string[] {
  return out.map((line) =>
    line.replace(/^\d+\.\d{6} /, "").replace(/^ {9}/, "| ")
      .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:*")
  );
}

Deno.test("tap prints each frame of both sides, with size, offset, pieces and bytes", async () => {
  await using tap = await Tap.start(["--codec", "length:4"]);
  const [client, server] = await tap.pair();
  const next = async () => {
    const line = await tap.program.line();
    assert(/^\d+\.\d{6} #1 /.test(line), line);
  };
  await next(); // opened
  const frame = encodeFrame(lengthPrefixed(), utf8("hello"));
  for (const part of [frame.subarray(0, 4), frame.subarray(4)]) {
    await writeAll(client, part);
    assertEquals(await server.read(new Uint8Array(99)), part.length);
  }
  await writeAll(server, concat([frame, frame]));
  await readExactly(client, 18);
  await hangUp(client, server);
  const { code, out, err } = await tap.interrupted();
  assertEquals(code, 130);
  assertEquals(timeless(out), [
    "#1 → 1  client  @0  9 B in 4 + 5  hello",
    "| 00000000  00 00 00 05 68 65 6c 6c  6f                       |....hello|",
    "#1 ← 1  server  @0  9 B in 9…  hello",
    "| 00000000  00 00 00 05 68 65 6c 6c  6f                       |....hello|",
    "#1 ← 2  server  @9  9 B in …9  hello",
    "| 00000009  00 00 00 05 68 65 6c 6c  6f                       |....hello|",
    "#1 → end  client  @9  sends no more",
    "#1 ← end  server  @18  sends no more",
    "#1 closed: → 1 frame, 9 B; ← 2 frames, 18 B",
  ]);
  assertEquals(
    err[1],
    "framewire: 1 connection: 1 frame, 9 B from the client; 2 frames, 18 B from the server",
  );
  assertEquals(err.length, 2);
});

async function readExactly(conn: Deno.Conn, length: number): Promise<void> {
  const into = new Uint8Array(length);
  for (let got = 0; got < length;) {
    got += await conn.read(into.subarray(got)) ?? length;
  }
}

Deno.test("tap --json prints one object a line", async () => {
  await using tap = await Tap.start(["-c", "lines", "--json", "--once"]);
  const [client, server] = await tap.pair();
  await writeAll(client, utf8("one\ntwo\n"));
  await readExactly(server, 8);
  await writeAll(server, utf8("drei\n"));
  await readExactly(client, 5);
  await client.closeWrite();
  await readAll(server);
  await hangUp(server, client);
  const { code, out } = await tap.program.end();
  assertEquals(code, 0);
  const lines = out.map(parsed);
  for (const line of lines) {
    assert(typeof line.time === "number" && line.time >= 0);
    assertEquals(line.connection, 1);
    delete line.time;
    delete line.connection;
  }
  const [open, ...rest] = lines;
  assertEquals(open.event, "open");
  assert(!Number.isNaN(Date.parse(String(open.date))));
  assertEquals(open.server, `127.0.0.1:${tap.listener.addr.port}`);
  assertEquals<unknown>(rest, [
    {
      event: "frame",
      number: 1,
      shared: { before: false, behind: true },
      from: "client",
      offset: 0,
      size: 4,
      pieces: [4],
      text: "one",
    },
    {
      event: "frame",
      number: 2,
      shared: { before: true, behind: false },
      from: "client",
      offset: 4,
      size: 4,
      pieces: [4],
      text: "two",
    },
    {
      event: "frame",
      number: 1,
      shared: { before: false, behind: false },
      from: "server",
      offset: 0,
      size: 5,
      pieces: [5],
      text: "drei",
    },
    { event: "end", from: "client", bytes: 8 },
    { event: "end", from: "server", bytes: 5 },
    {
      event: "close",
      client: { frames: 2, bytes: 8 },
      server: { frames: 1, bytes: 5 },
    },
  ]);
});

Deno.test("tap shows where a stream goes out of step, and passes it on all the same", async () => {
  await using tap = await Tap.start([
    "--codec",
    "length:4",
    "--values",
    "--once",
  ]);
  const [client, server] = await tap.pair();
  const good = encodeFrame(lengthPrefixed(), utf8("hello"));
  const sent = concat([
    good,
    good,
    utf8("GET / HTTP/1.1\r\n\r\n"),
    new Random(1).bytes(100_000),
  ]);
  const [arrived] = await Promise.all([
    readAll(server),
    writeAll(client, sent).then(() => client.closeWrite()),
  ]);
  assertEquals(arrived.toHex(), sent.toHex());
  await hangUp(server, client);
  const { code, out, err } = await tap.program.end();
  assertEquals(code, 3);
  const at = out.findIndex((line) => /out of step/.test(line));
  const [head, before, here, mark, ...more] = timeless(out.slice(at));
  assert(
    head.startsWith(
      "#1 → client  @18  out of step, behind 2 good frames: Cannot read frame: ",
    ),
    head,
  );
  assertEquals(before.slice(0, 20), "| 00000009  00 00 00");
  assertEquals(here.slice(0, 23), "| 00000012  47 45 54 20");
  assertEquals(mark, "| " + " ".repeat(10) + "^^ here");
  assert(more.some((line) => /pass through unread/.test(line)));
  assert(more.some((line) => /closed: → 2 frames, 100,036 B/.test(line)));
  assertEquals(
    err.at(-1),
    "framewire: #1 client: out of step at offset 18, behind 2 good frames",
  );
});

Deno.test("tap shows a stream that is cut short, exactly where its last frame begins", async () => {
  await using tap = await Tap.start(["-c", "length:2", "--json", "--once"]);
  const [client, server] = await tap.pair();
  await writeAll(client, Uint8Array.of(0, 1, 65, 0, 5, 66));
  await hangUp(client, server);
  const { code, out } = await tap.program.end();
  const fault = out.map(parsed).find(({ event }) => event === "fault");
  assertEquals(code, 3);
  assertEquals([fault?.offset, fault?.have, fault?.need, fault?.frames], [
    3,
    3,
    7,
    1,
  ]);
});

for (const seed of [1, 2, 3]) {
  Deno.test(`tap passes random bytes both ways untouched, whatever they are taken for (seed ${seed})`, async () => {
    const random = new Random(seed);
    const codec = random.pick([
      "lines",
      "length:2",
      "postgres",
      "mqtt",
      "resp",
    ]);
    await using tap = await Tap.start(["--codec", codec, "--json", "--once"]);
    const [client, server] = await tap.pair();
    const there = random.bytes(150_000);
    const back = random.bytes(250_000);
    const send = async (conn: Deno.Conn, bytes: Uint8Array) => {
      for (const chunk of random.chunks(bytes)) await writeAll(conn, chunk);
      await conn.closeWrite();
    };
    const [arrived, returned] = await Promise.all([
      readAll(server),
      readAll(client),
      send(client, there),
      send(server, back),
    ]);
    assertEquals(arrived.toHex(), there.toHex(), codec);
    assertEquals(returned.toHex(), back.toHex(), codec);
    client.close();
    server.close();
    const { code, out } = await tap.program.end();
    assertEquals(code, 3, codec);
    assertEquals(
      out.map(parsed).filter(({ event }) => event === "close").map((one) => [
        Object(one.client).bytes,
        Object(one.server).bytes,
      ]),
      [[there.length, back.length]],
    );
  });
}

Deno.test("tap leaves an older capture as it was when it cannot listen", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    await Deno.writeTextFile(path, "an older capture");
    const { port } = taken.addr;
    const { code } = await runProgram(
      MAIN,
      ["tap", `:${port}`, ":1", "--write", path],
      {
        net: `127.0.0.1:${port},127.0.0.1:1`,
        flags: [`--allow-write=${path}`],
      },
    );
    assertEquals(code, 1);
    assertEquals(await Deno.readTextFile(path), "an older capture");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("tap holds no more long frames than short ones while nobody reads stdout", async () => {
  const args = ["-c", "length:4,max=16M", "--json", "--once"];
  await using tap = await Tap.start(args);
  const [client, server] = await tap.pair();
  const frames = 8;
  const long = lengthPrefixed({ maxFrameLength: 2 ** 24 });
  const frame = encodeFrame(long, new Uint8Array(2 ** 23).fill(97));
  const sending = (async () => {
    for (let i = 0; i < frames; i++) await writeAll(client, frame);
    await client.closeWrite();
  })();
  assertEquals((await readAll(server)).length, frames * frame.length);
  await sending;
  await hangUp(server, client);
  const { code, err } = await tap.program.end();
  assertEquals(code, 0);
  // 16 MiB may wait: one such frame, and another one that is being written.
  const [, leftOut] = err.at(-1)?.match(/: (\d) frames left out$/) ?? [];
  assert(Number(leftOut) >= frames - 2, err.at(-1));
});

Deno.test("tap lets the stream pass while nobody reads stdout, and counts what it left out", async () => {
  await using tap = await Tap.start(["-c", "length:4", "--json", "--once"]);
  const [client, server] = await tap.pair();
  const frame = encodeFrame(lengthPrefixed(), new Uint8Array(1000).fill(97));
  const block = concat(Array.from({ length: 100 }, () => frame));
  const blocks = 600;
  const sending = (async () => {
    for (let i = 0; i < blocks; i++) await writeAll(client, block);
    await client.closeWrite();
  })();
  // All 60 MB arrive before a single line of the output is read.
  const into = new Uint8Array(2 ** 16);
  let arrived = 0;
  for (let count; (count = await server.read(into)) !== null;) arrived += count;
  await sending;
  assertEquals(arrived, blocks * block.length);
  await hangUp(server, client);
  const { code, out, err } = await tap.program.end();
  assertEquals(code, 0);
  const events = out.map(parsed);
  const printed = events.filter(({ event }) => event === "frame").length;
  const leftOut = events.filter(({ event }) => event === "left-out")
    .reduce((sum, { frames }) => sum + Number(frames), 0);
  assert(leftOut > 0, "the output must have been too slow");
  assertEquals(printed + leftOut, 100 * blocks);
  const words = leftOut.toLocaleString("en-US");
  assertEquals(err.at(-1), `framewire: ${words} frames left out`);
  // Numbers say which are missing.
  let next = 1;
  for (const { event, number, frames } of events) {
    if (event === "left-out") next += Number(frames);
    if (event === "frame") assertEquals(number, next++);
  }
});

Deno.test("tap resets a client whose server is away, says so, and goes on", async () => {
  await using tap = await Tap.start(["-c", "lines"]);
  const { port } = tap.listener.addr;
  tap.listener.close();
  {
    using client = await Deno.connect({
      hostname: "127.0.0.1",
      port: tap.port,
    });
    await assertRejects(
      () => client.read(new Uint8Array(1)),
      Deno.errors.ConnectionReset,
    );
  }
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  const [client, server] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: tap.port }),
    listener.accept(),
  ]);
  await hangUp(client, server);
  assertEquals(timeless(await tap.program.lines(2)), [
    "#1 Cannot connect to 127.0.0.1:*: connection refused; is the server running?",
    "#2 opened by 127.0.0.1:*, to 127.0.0.1:*",
  ]);
});

Deno.test("tap --once ends with 1 if the server is away", async () => {
  await using tap = await Tap.start(["-c", "lines", "--once"]);
  tap.listener.close();
  using client = await Deno.connect({ hostname: "127.0.0.1", port: tap.port });
  await client.read(new Uint8Array(1)).catch(() => {});
  const { code, err } = await tap.program.end();
  assertEquals(code, 1);
  assert(/^framewire tap: Cannot connect to .*refused/.test(err.at(-1) ?? ""));
});

Deno.test("tap --count ends after so many frames", async () => {
  await using tap = await Tap.start(["-c", "lines", "--values", "-n", "2"]);
  const [client, server] = await tap.pair();
  await writeAll(client, utf8("one\ntwo\nthree\n"));
  await readExactly(server, 14);
  const { code, out } = await tap.program.end();
  assertEquals(code, 0);
  assertEquals(timeless(out).map((line) => line.split("  ").at(-1)), [
    "#1 opened by 127.0.0.1:*, to 127.0.0.1:*",
    "one",
    "two",
  ]);
  client.close();
  server.close();
});

Deno.test("tap tells several connections apart", async () => {
  await using tap = await Tap.start(["-c", "lines", "--json"]);
  const pairs = [await tap.pair(), await tap.pair(), await tap.pair()];
  for (const i of [2, 0, 1]) {
    await writeAll(pairs[i][0], utf8(`from ${i + 1}\n`));
    await readExactly(pairs[i][1], 7);
  }
  for (const pair of pairs) await hangUp(...pair);
  const { code, out, err } = await tap.interrupted();
  assertEquals(code, 130);
  assertEquals(
    out.map(parsed).filter(({ event }) => event === "frame").map((one) => [
      one.connection,
      one.text,
    ]),
    [[3, "from 3"], [1, "from 1"], [2, "from 2"]],
  );
  assert(/: 3 connections: 3 frames, 21 B from the client/.test(err[1]));
});

Deno.test("tap leads 300 connections at once, each to its own end", async () => {
  await using tap = await Tap.start(["-c", "length:2", "--json"]);
  const { listener } = tap;
  const served: Promise<void>[] = [];
  async function echo(conn: Deno.TcpConn): Promise<void> {
    using _ = conn;
    await writeAll(conn, await readAll(conn));
    await conn.closeWrite();
  }
  const accepting = (async () => {
    while (served.length < 300) served.push(echo(await listener.accept()));
  })();
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      using client = await Deno.connect({
        hostname: "127.0.0.1",
        port: tap.port,
      });
      await writeAll(client, Uint8Array.of(0, 2, i >> 8, i & 255));
      await client.closeWrite();
      return (await readAll(client)).toHex();
    }),
  );
  await accepting;
  await Promise.all(served);
  assertEquals(
    answers,
    answers.map((_, i) => `0002${i.toString(16).padStart(4, "0")}`),
  );
  const lines: Line[] = [];
  for (let closed = 0; closed < 300;) {
    const line = parsed(await tap.program.line());
    lines.push(line);
    if (line.event === "close") closed++;
  }
  assertEquals((await tap.interrupted()).code, 130);
  // Each connection has its number, and both of its frames say the same.
  const said = new Map<unknown, unknown[]>();
  for (const { event, connection, text, base64 } of lines) {
    if (event !== "frame") continue;
    said.set(connection, [...said.get(connection) ?? [], text ?? base64]);
  }
  assertEquals(said.size, 300);
  for (const [first, second, ...rest] of said.values()) {
    assertEquals([first, rest], [second, []]);
  }
});

Deno.test("tap stands between Unix sockets", async () => {
  await withSocketPath(async (path) => {
    const [here, there] = [`${path}-tap`, `${path}-server`];
    const paths = `${here},${there}`;
    using listener = Deno.listen({ transport: "unix", path: there });
    await using program = startProgram(MAIN, [
      "tap",
      `unix:${here}`,
      `unix:${there}`,
      "-c",
      "netstring",
      "--values",
      "--once",
    ], {
      net: `unix:${here},unix:${there}`,
      flags: [`--allow-read=${paths}`, `--allow-write=${paths}`],
    });
    await program.said(/listening on/);
    const [client, server] = await Promise.all([
      Deno.connect({ transport: "unix", path: here }),
      listener.accept(),
    ]);
    await writeAll(client, utf8("5:hello,"));
    await hangUp(client, server);
    const { code, out } = await program.end();
    assertEquals(code, 0);
    assertEquals(timeless(out).slice(0, 2), [
      `#1 opened by unix:, to unix:${there}`,
      "#1 → 1  client  @0  8 B  hello",
    ]);
  });
});

Deno.test("tap --write keeps what passed as packets", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/x.pcapng`;
    await using tap = await Tap.start(
      ["-c", "lines", "--once", "--write", path],
      [`--allow-write=${path}`],
    );
    const random = new Random(5);
    const there = random.bytes(100_000);
    const back = random.bytes(200_000);
    const [client, server] = await tap.pair();
    const [arrived, returned] = await Promise.all([
      readAll(server),
      readAll(client),
      writeAll(client, there).then(() => client.closeWrite()),
      writeAll(server, back).then(() => server.closeWrite()),
    ]);
    assertEquals([arrived.length, returned.length], [100_000, 200_000]);
    client.close();
    server.close();
    const { err } = await tap.program.end();
    const packets = capturedPackets(await Deno.readFile(path));
    assert(
      err.at(-1)?.startsWith(`framewire: ${packets.length} packets written to`),
    );
    const segments = packets.map(({ bytes }) => segmentOf(bytes));
    const of = (port: number) =>
      segments.filter(({ target }) => target === `127.0.0.1:${port}`);
    const { port } = tap.listener.addr;
    const toServer = of(port);
    const toClient = segments.filter((one) => !toServer.includes(one));
    for (const [all, sent] of [[toServer, there], [toClient, back]] as const) {
      assertEquals(
        concat(all.map(({ payload }) => payload)).toHex(),
        sent.toHex(),
      );
      assertEquals([...all[0].flags][0], "S");
      assertEquals(all.filter(({ flags }) => flags.includes("F")).length, 1);
    }
    const times = packets.map(({ time }) => time);
    assertEquals(times, times.toSorted((a, b) => a - b));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tap passes on a reset, and says whose", async () => {
  await using tap = await Tap.start(["-c", "lines", "--values", "--once"]);
  const { createConnection } = await import("node:net");
  const accepting = tap.listener.accept();
  const socket = createConnection({ host: "127.0.0.1", port: tap.port });
  socket.on("error", () => {});
  using server = await accepting;
  socket.write("half a li");
  await readExactly(server, 9);
  socket.resetAndDestroy();
  await assertRejects(
    () => server.read(new Uint8Array(1)),
    Deno.errors.ConnectionReset,
  );
  const { code, out } = await tap.program.end();
  assertEquals(code, 0);
  assertEquals(timeless(out).slice(1), [
    "#1 reset by the client",
    "#1 closed: → 0 frames, 9 B; ← 0 frames, 0 B",
  ]);
});

Deno.test("tap ends quietly when nobody can read stdout any longer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = freePort();
  const [place, target] = [port, listener.addr.port].map((port) =>
    `127.0.0.1:${port}`
  );
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-net=${place},${target}`, MAIN]
      .concat(["tap", place, target, "-c", "lines"]),
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const err = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const said = await err.read();
  assert(said.value?.includes("listening on"));
  await child.stdout.cancel();
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  using _ = await listener.accept();
  await writeAll(client, utf8("line\n")).catch(() => {}); // its coming alone ends the program
  assertEquals((await child.status).code, 0);
  assertEquals((await err.read()).done, true);
});

Deno.test("tap names every permission that it lacks, at once", async () => {
  assertEquals(
    await runProgram(MAIN, [
      "tap",
      ":6000",
      "unix:/run/x",
      "--write",
      "x y.pcapng",
    ]),
    {
      code: 1,
      out: [],
      err: [
        "framewire tap: needs permission: run again with --allow-net=127.0.0.1:6000,unix:/run/x --allow-read=/run/x '--allow-write=/run/x,x y.pcapng'",
      ],
    },
  );
});

const MISUSES: readonly (readonly [
  args: readonly string[],
  said: RegExp,
])[] = [
  [[], /^usage: framewire tap <listen> <target>/],
  [[":1"], /^usage: framewire tap <listen> <target>/],
  [[":0", ":0"], /target must have a port from 1 to 65535/],
  [[":6000", "127.0.0.1:6000"], /listen and target must not be the same/],
  [["unix:/a", "unix:/a"], /listen and target must not be the same/],
  [[":0", ":1", "--hx"], /unknown option --hx: did you mean --hex\?/],
  [[":0", ":1", "--hex", "--values"], /exclude each other/],
  [[":0", ":1", "--max-dump", "much"], /--max-dump must be a size/],
  [[":0", ":1", "--count", "0"], /--count must be a whole number/],
  [[":0", ":1", "-c", "lenght"], /no codec "lenght": did you mean length\?/],
];

for (const [args, said] of MISUSES) {
  Deno.test(`tap refuses ${JSON.stringify(args)}`, async () => {
    const { code, out, err } = await runProgram(MAIN, ["tap", ...args]);
    assertEquals([code, out], [2, []]);
    assert(said.test(err.at(-1) ?? ""), err.join("\n"));
  });
}

Deno.test("tap says that its port is taken", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const place = `127.0.0.1:${taken.addr.port}`;
  const target = `127.0.0.1:${freePort()}`;
  const { code, err } = await runProgram(MAIN, ["tap", place, target], {
    net: `${place},${target}`,
  });
  assertEquals([code, err], [1, [
    `framewire tap: Cannot listen on ${place}: another program is listening there`,
  ]]);
});

Deno.test("tap says that it cannot make its file", async () => {
  const places = ["127.0.0.1:6000", "127.0.0.1:6001"];
  const path = "/no/such/folder/x.pcapng";
  const { code, out, err } = await runProgram(
    MAIN,
    ["tap", ...places, "--write", path],
    { net: places.join(), flags: [`--allow-write=${path}`] },
  );
  assertEquals([code, out, err], [1, [], [
    `framewire tap: ${path}: no such file or directory`,
  ]]);
});

Deno.test("tap --help shows calls with their permissions", async () => {
  const { code, out } = await runProgram(MAIN, ["tap", "--help"]);
  assertEquals(code, 0);
  const calls = out.filter((line) => line.startsWith("  $ "));
  assert(calls.length >= 2);
  for (const call of calls) assert(/--allow-net=\S+ .* tap :\d+ /.test(call));
});

Deno.test("tap keeps a terminal safe from what passes", async () => {
  await using tap = await Tap.start(["-c", "lines", "--values", "--once"]);
  const [client, server] = await tap.pair();
  await writeAll(client, utf8("\x1b[2J\x07 bell\n"));
  await hangUp(client, server);
  const { out } = await tap.program.end();
  assert(!/\p{Cc}/u.test(out.join("")));
  assert(out.some((line) => /client {2}@0 .*bell/.test(line)));
});
