/**
 * `framewire listen`, as a process, with clients that do what clients do.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Random } from "../../support/random.ts";
import {
  portIn,
  RunningProgram,
  type StartOptions,
  startProgram,
} from "../../support/running_program.ts";
import { withSocketPath } from "../../support/socket_paths.ts";
import { readAll, writeAll } from "../../support/sockets.ts";
import { authority, SERVER } from "../../support/tls.ts";
import { raw, unraw } from "../../support/wire.ts";

const MAIN = "cli/main.ts";
const HOST = "127.0.0.1";

/** A `framewire listen` that is running. */
interface Listening {
  program: RunningProgram;
  port: number;
  connect(): Promise<Deno.TcpConn>;
}

/** Starts `framewire listen`, and waits until it listens. */
async function listening(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Listening & AsyncDisposable> {
  const program = startProgram(MAIN, ["listen", ":0", ...args], {
    net: `${HOST}:0`,
    ...options,
  });
  const port = portIn(await program.said(/^framewire: listening on /));
  return {
    program,
    port,
    connect: () => Deno.connect({ hostname: HOST, port }),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** What is said on stderr, without ports. */
function masked(lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "HOST"));
}

const QUIET = [
  "framewire: listening on HOST",
  "framewire: HOST connected",
  "framewire: HOST closed",
];

/** Sends something to the end, and gives what comes back. */
async function exchange(conn: Deno.Conn, wire: string): Promise<string> {
  await writeAll(conn, raw(wire));
  await conn.closeWrite();
  const answer = unraw(await readAll(conn));
  conn.close();
  return answer;
}

const FRAMES: readonly [spec: string, wire: string, out: string[]][] = [
  ["lines", "one\r\ntwo\nthree", ["one", "two", "three"]],
  ["length:4", "\0\0\0\x02hi\0\0\0\x00", ["hi", ""]],
  ["netstring", "2:\x1b[,1:a,", [String.raw`\x1b[`, "a"]],
  ["length:1", "\x02\xff\n", [String.raw`\xff\x0a`]],
  ["resp", "*1\r\n$4\r\nPING\r\n", [
    '{"type":"array","value":[{"type":"bulk","value":"PING"}]}',
  ]],
  ["json-lines", '{"a":  1}\n', ['{"a":1}']],
];
for (const [spec, wire, out] of FRAMES) {
  Deno.test(`listen --codec ${spec} prints each frame that comes, and ends with its client`, async () => {
    await using server = await listening(["--codec", spec]);
    assertEquals(await exchange(await server.connect(), wire), "");
    const { code, out: printed, err } = await server.program.end();
    assertEquals([code, printed, masked(err)], [0, out, QUIET]);
  });
}

Deno.test("listen prints digits with --hex, and who sent what with --json", async () => {
  {
    await using server = await listening(["-c", "length:1", "--hex"]);
    await exchange(await server.connect(), "\x02\xff\n");
    assertEquals((await server.program.end()).out, ["ff0a"]);
  }
  await using server = await listening(["-c", "length:1", "--json"]);
  const conn = await server.connect();
  const peer = `${HOST}:${conn.localAddr.port}`;
  await exchange(conn, "\x02\xff\n\x01a");
  assertEquals(
    (await server.program.end()).out.map((line) => JSON.parse(line)),
    [
      { peer, base64: "/wo=" },
      { peer, text: "a" },
    ],
  );
});

for (
  const [spec, wire, echoed] of [
    ["lines", "a\r\nb", "a\nb\n"],
    ["length:2le", "\x02\0\xff\n", "\x02\0\xff\n"],
    ["json-lines", '"a"\n{"text":"b"}\n[1e3]\n', '"a"\n{"text":"b"}\n[1000]\n'],
    ["resp", "*2\r\n:5\r\n$-1\r\n", "*2\r\n:5\r\n$-1\r\n"],
    ["mqtt", "\xc0\x00", "\xc0\x00"],
    ["git", "0006hi0000", "0006hi0000"],
  ]
) {
  Deno.test(`listen --echo answers each frame of ${spec} with itself`, async () => {
    await using server = await listening(["-c", spec, "--echo"]);
    assertEquals(await exchange(await server.connect(), wire), echoed);
    assertEquals((await server.program.end()).code, 0);
  });
}

Deno.test("listen --echo of what a server cannot say ends with 2, and says so", async () => {
  await using server = await listening(["-c", "scgi", "--echo"]);
  await exchange(
    await server.connect(),
    "24:CONTENT_LENGTH\x000\0SCGI\x001\0,",
  );
  const { code, err } = await server.program.end();
  assertEquals(code, 2);
  assertStringIncludes(
    err.at(-1) ?? "",
    "framewire listen: the answer: Cannot write frame",
  );
});

Deno.test("listen --reply answers each frame with a file", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, raw("yes\n\xff"));
    await using server = await listening(["-c", "length:1", "--reply", file], {
      flags: [`--allow-read=${file}`],
    });
    assertEquals(
      await exchange(await server.connect(), "\x01a\x01b"),
      "\x05yes\n\xff\x05yes\n\xff",
    );
    const { code, out } = await server.program.end();
    assertEquals([code, out], [0, ["a", "b"]]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("listen sends each line of stdin, from before its client came too", async () => {
  await using server = await listening(["-c", "length:1"], { typing: true });
  await server.program.type("early\n");
  await new Promise((resolve) => setTimeout(resolve, 200)); // time to read it too early
  const conn = await server.connect();
  const room = new Uint8Array(100);
  assertEquals(unraw(room.slice(0, await conn.read(room) ?? 0)), "\x05early");
  await server.program.type("late\nwr");
  assertEquals(unraw(room.slice(0, await conn.read(room) ?? 0)), "\x04late");
  await server.program.type("ong\n");
  assertEquals(unraw(room.slice(0, await conn.read(room) ?? 0)), "\x05wrong");
  await server.program.endInput();
  assertEquals(await exchange(conn, ""), "");
  assertEquals((await server.program.end()).code, 0);
});

Deno.test("listen notes a line that cannot be sent, and goes on", async () => {
  await using server = await listening(["-c", "length:1", "--hex"], {
    typing: true,
  });
  const conn = await server.connect();
  await server.program.type("xy\n");
  await server.program.said(/line 1: Cannot read hexadecimal digits/);
  await server.program.type(`${"00".repeat(256)}\n`);
  await server.program.said(/line 2: Cannot write frame: length 256/);
  await server.program.type("00\n");
  await server.program.endInput();
  const room = new Uint8Array(100);
  assertEquals(unraw(room.slice(0, await conn.read(room) ?? 0)), "\x01\0");
  await exchange(conn, "");
  assertEquals((await server.program.end()).code, 0);
});

Deno.test("listen ends with 3 where its client goes out of step", async () => {
  await using server = await listening(["-c", "netstring"]);
  const conn = await server.connect();
  await writeAll(conn, raw("2:hi,nonsense"));
  await readAll(conn).catch(() => {});
  conn.close();
  const { code, out, err } = await server.program.end();
  assertEquals([code, out, err.length], [3, ["hi"], 3]);
  assert(/^framewire listen: Cannot read frame: /.test(err[2]), err[2]);
});

Deno.test("listen notes what is left out, and goes on behind it", async () => {
  await using server = await listening(["-c", "length:1,max=4,skip"]);
  await exchange(await server.connect(), "\x05aaaaa\x02hi");
  const { code, out, err } = await server.program.end();
  assertEquals([code, out, masked(err)], [0, ["hi"], [
    ...QUIET.slice(0, 2),
    "framewire: HOST: Cannot read frame: length 5 exceeds maxFrameLength of 4 bytes",
    QUIET[2],
  ]]);
});

Deno.test("listen --keep takes several at a time, whatever becomes of one", async () => {
  await using server = await listening(["--keep", "-c", "netstring", "--echo"]);
  const bad = await server.connect();
  const good = await server.connect();
  await writeAll(bad, raw("1:a,nonsense"));
  assert(unraw(await readAll(bad)).startsWith("1:a,"));
  bad.close();
  await server.program.said(/: Cannot read frame: /);
  assertEquals(await exchange(good, "1:b,"), "1:b,");
  assertEquals(await exchange(await server.connect(), "1:c,"), "1:c,");
  assertEquals(await server.program.lines(3), ["a", "b", "c"]);
  server.program.interrupt();
  const { code, out, err } = await server.program.end();
  assertEquals([code, out], [130, []]);
  assertEquals(err.filter((line) => / connected$/.test(line)).length, 3);
});

Deno.test("listen --keep goes on whatever is sent, and says nothing that steers a terminal", async () => {
  const random = new Random(321);
  for (
    const spec of ["length:2", "resp", "postgres", "mqtt", "syslog", "message"]
  ) {
    await using server = await listening(["--keep", "--echo", "-c", spec]);
    for (let i = 0; i < 20; i++) {
      const conn = await server.connect();
      const alphabet = raw('\0\x01\x05{"}*:$<>1 \r\n\x1b[2J\x9b\xff\xc0\x10Q');
      try {
        await writeAll(conn, random.bytes(random.below(200), alphabet));
        await conn.closeWrite();
        await readAll(conn);
      } catch {
        // It may be closed at any time, with or without a reset.
      }
      conn.close();
    }
    server.program.interrupt();
    const { code, out, err } = await server.program.end();
    const about = `seed ${random.seed}, ${spec}`;
    assertEquals(code, 130, about);
    for (const line of [...out, ...err]) {
      assert(
        // deno-lint-ignore no-control-regex
        !/[\x00-\x1f\x7f-\x9f]/.test(line),
        `${about}: ${JSON.stringify(line)}`,
      );
    }
    for (const line of err) {
      assert(line.startsWith("framewire: "), `${about}: ${line}`);
    }
  }
});

Deno.test("listen --max-connections lets others wait", async () => {
  await using server = await listening([
    "--keep",
    "--max-connections",
    "1",
    "--echo",
  ]);
  const first = await server.connect();
  const second = await server.connect();
  const answer = exchange(second, "second\n");
  assertEquals(await exchange(first, "first\n"), "first\n");
  assertEquals(await answer, "second\n");
  assertEquals(await server.program.lines(2), ["first", "second"]);
});

Deno.test("listen takes one client after another only with --keep", async () => {
  await using server = await listening(["--echo"]);
  const [first, second] = [await server.connect(), await server.connect()];
  assertEquals(await exchange(first, "first\n"), "first\n");
  await readAll(second).catch(() => {}); // it ends, well or not
  second.close();
  const { code, out } = await server.program.end();
  assertEquals([code, out], [0, ["first"]]);
});

Deno.test("listen ends with 130 on Ctrl-C, with or without a client", async () => {
  for (const some of [false, true]) {
    await using server = await listening([]);
    const conn = some ? await server.connect() : undefined;
    if (some) await server.program.said(/ connected$/);
    server.program.interrupt();
    const { code, out } = await server.program.end();
    assertEquals([code, out], [130, []]);
    conn?.close();
  }
});

Deno.test("listen says who already listens there, with 1", async () => {
  using other = Deno.listen({ hostname: HOST, port: 0 });
  const place = `${HOST}:${other.addr.port}`;
  await using program = startProgram(MAIN, ["listen", place], { net: place });
  assertEquals(await program.end(), {
    code: 1,
    out: [],
    err: [`framewire listen: ${place}: another program is listening there`],
  });
});

Deno.test("listen says which permission it needs, with 1", async () => {
  await using program = startProgram(MAIN, ["listen", ":1"]);
  assertEquals(await program.end(), {
    code: 1,
    out: [],
    err: [
      "framewire listen: needs permission: run again with --allow-net=127.0.0.1:1",
    ],
  });
});

Deno.test("listen ends with 1 when its client resets the connection", async () => {
  await using server = await listening(["--echo"]);
  // What a process that is killed has not read resets the connection.
  await using client = new RunningProgram(Deno.execPath(), [
    "eval",
    `const conn = await Deno.connect({ port: ${server.port} });
    await conn.write(new TextEncoder().encode("hi\\n"));
    await conn.read(new Uint8Array(1));
    console.log("read");
    setTimeout(() => {}, 60_000);`,
  ]);
  assertEquals(await client.line(), "read");
  client.signal("SIGKILL");
  const { code, out, err } = await server.program.end();
  assertEquals([code, out], [1, ["hi"]]);
  assertEquals(
    err.at(-1),
    "framewire listen: Cannot read frame: the peer reset the connection",
  );
});

Deno.test("listen takes no more of stdin than its client takes of it", async () => {
  const MOST = 64 * 2 ** 20;
  await using server = await listening([], { typing: true });
  const conn = await server.connect();
  const line = `${"x".repeat(65_535)}\n`;
  let written = 0;
  let came = 0;
  let last: Promise<void> = Promise.resolve();
  let stalled = false;
  while (written < MOST && !stalled) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    last = server.program.type(line);
    written += line.length;
    const waited = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), 1000);
    });
    stalled = await Promise.race([last.then(() => false), waited]);
    clearTimeout(timer);
  }
  const room = new Uint8Array(2 ** 20);
  while (came < written) came += await conn.read(room) ?? MOST;
  await last;
  await server.program.endInput();
  await exchange(conn, "");
  assertEquals([came, (await server.program.end()).code], [written, 0]);
  assert(
    stalled,
    `${written} bytes were taken by a program whose client read nothing`,
  );
});

Deno.test("listen --echo takes no more from a client than that reads", async () => {
  const MOST = 64 * 2 ** 20;
  await using server = await listening(["--echo", "-c", "fixed:64k"]);
  const conn = await server.connect();
  const frame = new Uint8Array(65_536).fill(0x78);
  let sent = 0;
  let stalled = false;
  let last: Promise<void> = Promise.resolve();
  const reading = server.program.end(); // what it prints is read
  while (sent < MOST && !stalled) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    last = writeAll(conn, frame);
    sent += frame.length;
    const waited = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), 1000);
    });
    stalled = await Promise.race([last.then(() => false), waited]);
    clearTimeout(timer);
  }
  const room = new Uint8Array(2 ** 20);
  let came = 0;
  while (came < sent) came += await conn.read(room) ?? MOST;
  await last;
  assertEquals([await exchange(conn, ""), came], ["", sent]);
  assertEquals((await reading).code, 0);
  assert(stalled, `${sent} bytes were taken from a client that read nothing`);
});

Deno.test("listen speaks over a Unix socket", () =>
  withSocketPath(async (path, flags) => {
    await using program = startProgram(MAIN, [
      "listen",
      `unix:${path}`,
      "--echo",
    ], { flags });
    await program.said(/listening on /);
    const conn = await Deno.connect({ transport: "unix", path });
    assertEquals(await exchange(conn, "hi\n"), "hi\n");
    const { code, out, err } = await program.end();
    assertEquals([code, out], [0, ["hi"]]);
    assertEquals(err[0], `framewire: listening on unix:${path}`);
    assert(
      !err.join().includes("null") && !err.join().includes("undefined"),
      err.join(),
    );
  }));

/** Files with a certificate and its key. */
async function withCertificate(
  use: (args: string[], flag: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/cert.pem`, SERVER.cert);
    await Deno.writeTextFile(`${folder}/key.pem`, SERVER.key);
    await use(
      ["--cert", `${folder}/cert.pem`, "--key", `${folder}/key.pem`],
      `--allow-read=${folder}`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("listen speaks TLS with --cert and --key, and notes who does not", () =>
  withCertificate(async (args, flag) => {
    await using server = await listening([...args, "--echo"], {
      flags: [flag],
    });
    const plain = await server.connect();
    await writeAll(plain, raw("GET / HTTP/1.0\r\n\r\n"));
    await readAll(plain).catch(() => {});
    plain.close();
    await server.program.said(/^framewire: 127\.0\.0\.1:\d+: Cannot /);
    const conn = await Deno.connectTls({
      hostname: "localhost",
      port: server.port,
      caCerts: [authority.cert],
    });
    assertEquals(await exchange(conn, "hi\n"), "hi\n");
    const { code, out } = await server.program.end();
    assertEquals([code, out], [0, ["hi"]]);
  }));

Deno.test("listen and connect speak TLS with each other", () =>
  withCertificate(async (args, flag) => {
    const ca = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(ca, authority.cert);
      await using server = await listening([
        ...args,
        "--echo",
        "-c",
        "length:4",
      ], { flags: [flag] });
      await using client = startProgram(
        MAIN,
        [
          "connect",
          `${HOST}:${server.port}`,
          "-c",
          "length:4",
          "--tls",
          "--ca",
          ca,
        ],
        { net: HOST, flags: [`--allow-read=${ca}`], typing: true },
      );
      await client.type("one\ntwo\n");
      await client.endInput();
      assertEquals(await client.end(), {
        code: 0,
        out: ["one", "two"],
        err: [],
      });
      assertEquals((await server.program.end()).code, 0);
    } finally {
      await Deno.remove(ca);
    }
  }));

Deno.test("listen ends quietly when nobody reads what it prints", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--allow-net=${HOST}:0`,
      MAIN,
      "listen",
      ":0",
      "--keep",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  let err = "";
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const listened = (async () => {
    for await (const text of lines) {
      err += text;
      const found = err.match(/:(\d+)\n/)?.[1];
      if (found !== undefined) resolve(Number(found));
    }
  })();
  const conn = await Deno.connect({ hostname: HOST, port: await port });
  await child.stdout.cancel();
  const sent = (async () => {
    for (let i = 0; i < 5000; i++) {
      try {
        await writeAll(conn, raw("more\n"));
      } catch {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const { code } = await child.status;
  conn.close();
  await Promise.all([sent, listened]);
  assertEquals(code, 0);
  assertEquals(
    err.split("\n").filter((line) =>
      !/^framewire: (listening|127\.0\.0\.1:\d+ connected)|^$/.test(line)
    ),
    [],
  );
});

const USAGES: readonly [name: string, args: string[], message: string][] = [
  ["nowhere to listen", [], ""],
  ["a port that is none", [":65536"], "listen must have a port from 0"],
  [
    "--echo and --reply",
    [":0", "--echo", "--reply", "x"],
    "--echo and --reply exclude each other",
  ],
  [
    "--cert without --key",
    [":0", "--cert", "x"],
    "--cert and --key need each other",
  ],
  [
    "--key without --cert",
    [":0", "--key", "x"],
    "--cert and --key need each other",
  ],
  [
    "--max-connections without --keep",
    [":0", "--max-connections", "2"],
    "--max-connections needs --keep",
  ],
  [
    "an unknown option",
    [":0", "--ehco"],
    "unknown option --ehco: did you mean --echo?",
  ],
  [
    "--hex and --json",
    [":0", "--hex", "--json"],
    "--hex and --json exclude each other",
  ],
];
for (const [name, args, message] of USAGES) {
  Deno.test(`listen refuses ${name}, with 2`, async () => {
    await using program = startProgram(MAIN, ["listen", ...args], {
      net: HOST,
    });
    const { code, out, err } = await program.end();
    assertEquals([code, out], [2, []], err.join("\n"));
    assertStringIncludes(err.at(-1) ?? "", message);
  });
}
