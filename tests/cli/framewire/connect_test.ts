/**
 * `framewire connect`, as a process, with servers that do what servers do.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { Random } from "../../support/random.ts";
import {
  type Ending,
  freePort,
  RunningProgram,
  type StartOptions,
  startProgram,
} from "../../support/running_program.ts";
import { withSocketPath } from "../../support/socket_paths.ts";
import { readAll, writeAll } from "../../support/sockets.ts";
import { authority, SERVER, stranger } from "../../support/tls.ts";
import { raw, unraw } from "../../support/wire.ts";

const MAIN = "cli/main.ts";

/** One client at a time, and what is done with it. */
type Serve = (conn: Deno.Conn) => Promise<void>;

/** Runs `framewire connect` with a server that ends with its first client. */
async function connectTo(
  serve: Serve,
  args: readonly string[],
  {
    input,
    end = true,
    use,
    ...options
  }: StartOptions & {
    /** What is typed. */
    input?: string | Uint8Array;
    /** Whether that is all. */
    end?: boolean;
    /** What is done while it runs. */
    use?: (program: RunningProgram) => Promise<void>;
  } = {},
): Promise<Ending> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const place = `127.0.0.1:${listener.addr.port}`;
  const served = (async () => {
    using conn = await listener.accept();
    await serve(conn);
  })();
  await using program = startProgram(MAIN, ["connect", place, ...args], {
    net: place,
    typing: true,
    ...options,
  });
  if (input !== undefined) await program.type(input);
  if (end) await program.endInput();
  await use?.(program);
  const [ending] = await Promise.all([program.end(), served]);
  return {
    ...ending,
    err: ending.err.map((line) => line.replaceAll(place, "PLACE")),
  };
}

/** Sends back what comes, to the end. */
async function echo(conn: Deno.Conn): Promise<void> {
  await writeAll(conn, await readAll(conn));
}

/** Sends something, whatever comes, and waits for the end. */
function say(...texts: string[]): Serve {
  return async (conn) => {
    for (const text of texts) await writeAll(conn, raw(text));
    await conn.closeWrite();
    await readAll(conn);
  };
}

const FRAMES: readonly [
  spec: string,
  input: string,
  wire: string,
  out: string[],
][] = [
  ["lines", "one\ntwo\n", "one\ntwo\n", ["one", "two"]],
  ["lines", "no end", "no end\n", ["no end"]],
  ["lines", "\n\n", "\n\n", ["", ""]],
  ["lines:crlf", "one\n", "one\r\n", ["one"]],
  ["length:2", "hé\n", "\0\x03h\xc3\xa9", ["hé"]],
  ["length:4le", "one\r\n", "\x03\0\0\0one", ["one"]],
  ["netstring", "hi\n", "2:hi,", ["hi"]],
  ["delim:;,", "a b\nc\n", "a b;c;", ["a b", "c"]],
  ["header-block", "hi\n", "Content-Length: 2\r\n\r\nhi", ["hi"]],
  ["until-close", "hi\n", "hi", ["hi"]],
  ["json-lines", '{"text": "a"}\n', '{"text":"a"}\n', ['{"text":"a"}']],
  ["resp", "GET a\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", [
    '{"type":"array","value":[{"type":"bulk","value":"GET"},{"type":"bulk","value":"a"}]}',
  ]],
  ["varint", "a\x1b[2J\x07\n", "\x06a\x1b[2J\x07", [String.raw`a\x1b[2J\x07`]],
];
for (const [spec, input, wire, out] of FRAMES) {
  Deno.test(`connect --codec ${spec} sends each line as a frame, and prints each that comes: ${JSON.stringify(input)}`, async () => {
    let came = "";
    const ending = await connectTo(
      async (conn) => {
        const bytes = await readAll(conn); // ends with the input
        came = unraw(bytes);
        await writeAll(conn, bytes);
      },
      ["-c", spec],
      { input },
    );
    assertEquals(came, wire);
    assertEquals(ending, { code: 0, out, err: [] });
  });
}

Deno.test("connect sends and prints lines unless it is told how frames are cut", async () => {
  assertEquals(await connectTo(echo, [], { input: "hi\n" }), {
    code: 0,
    out: ["hi"],
    err: [],
  });
});

Deno.test("connect prints bytes that are no text escaped, as digits, or in base64", async () => {
  const serve = say("\0\x03\xff\x1b\n", "\0\x02hi");
  for (
    const [args, out] of [
      [[], [String.raw`\xff\x1b\x0a`, "hi"]],
      [["--hex"], ["ff1b0a", "6869"]],
      [["--json"], ['{"base64":"/xsK"}', '{"text":"hi"}']],
    ]
  ) {
    assertEquals(await connectTo(serve, ["-c", "length:2", ...args]), {
      code: 0,
      out,
      err: [],
    });
  }
});

Deno.test("connect takes digits with --hex, and what --json prints with --json", async () => {
  for (
    const [option, input] of [
      ["--hex", "ff 00\n\n68:69\n"],
      ["--json", '{"base64":"/wA="}\n{"text":""}\n{"text":"hi"}\n'],
    ]
  ) {
    assertEquals(
      await connectTo(echo, ["-c", "length:2", option], { input }),
      {
        code: 0,
        out: option === "--hex"
          ? ["ff00", "", "6869"]
          : ['{"base64":"/wA="}', '{"text":""}', '{"text":"hi"}'],
        err: [],
      },
    );
  }
});

Deno.test("connect sends bytes that are no text as they are, where the codec takes any", async () => {
  let came = "";
  const serve: Serve = async (conn) => {
    came = unraw(await readAll(conn));
  };
  const ending = await connectTo(serve, ["-c", "length:1"], {
    input: raw("a\xff\n\xc3\n"),
  });
  assertEquals([ending, came], [
    { code: 0, out: [], err: [] },
    "\x02a\xff\x01\xc3",
  ]);
});

const WRONG: readonly [
  name: string,
  args: string[],
  input: string,
  message: RegExp,
][] = [
  [
    "digits that are none",
    ["--hex", "-c", "length:1"],
    "00\nxy\n",
    /line 2: Cannot read hexadecimal digits: .* "xy"$/,
  ],
  ["JSON that is none", ["--json"], '{"text":"a"}\n{\n', /line 2: .*JSON/],
  [
    "a frame that is too long",
    ["-c", "length:1"],
    `a\n${"x".repeat(256)}\n`,
    /line 2: Cannot write frame: length 256 exceeds/,
  ],
  [
    "a frame that is none",
    ["-c", "mqtt"],
    '{"type":"pingreq"}\n{"type":"ping"}\n',
    /line 2: Cannot write /,
  ],
  [
    "text for JSON",
    ["-c", "json-lines"],
    "1\nhello\n",
    /line 2: Cannot write frame: .*JSON/,
  ],
  [
    "bytes for text",
    [],
    "a\n\xff\n",
    /line 2: Cannot write frame: the bytes are not UTF-8/,
  ],
];
for (const [name, args, input, message] of WRONG) {
  Deno.test(`connect ends with 2 for ${name} on stdin, behind the lines before`, async () => {
    let came = 0;
    const serve: Serve = async (conn) => {
      came = await readAll(conn).then(({ length }) => length, () => 1);
    };
    const { code, out, err } = await connectTo(serve, args, {
      input: raw(input),
    });
    assertEquals([code, out, err.length], [2, [], 1], err.join("\n"));
    assert(message.test(err[0]), err[0]);
    assert(came > 0);
  });
}

Deno.test("connect --send sends a file as one frame, in place of stdin", async () => {
  const file = await Deno.makeTempFile();
  try {
    const content = concat([raw("line\nline\0\xff"), new Uint8Array(200_000)]);
    await Deno.writeFile(file, content);
    let came = new Uint8Array();
    const ending = await connectTo(
      async (conn) => {
        came = await readAll(conn);
      },
      ["-c", "length:4", "--send", file],
      { flags: [`--allow-read=${file}`], input: "not sent\n" },
    );
    assertEquals(ending, { code: 0, out: [], err: [] });
    assertEquals(came, concat([Uint8Array.of(0, 3, 0x0d, 0x4b), content]));

    const refused = await connectTo(
      async (conn) => {
        await readAll(conn).catch(() => {});
      },
      ["--send", file],
      { flags: [`--allow-read=${file}`] },
    );
    assertEquals([refused.code, refused.out, refused.err.length], [2, [], 1]);
    assertStringIncludes(refused.err[0], "--send: Cannot write frame");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("connect --send says what is missing", async () => {
  const serve: Serve = async (conn) => {
    await readAll(conn).catch(() => {});
  };
  assertEquals(await connectTo(serve, ["--send", "mod.ts"]), {
    code: 1,
    out: [],
    err: [
      "framewire connect: needs permission: run again with --allow-read=mod.ts",
    ],
  });
});

Deno.test("connect ends after --count frames, though the server goes on and stdin is open", async () => {
  const serve: Serve = async (conn) => {
    await writeAll(conn, raw("1\n2\n3\n4\n"));
    await readAll(conn).catch(() => {});
  };
  assertEquals(await connectTo(serve, ["-n", "2"], { end: false }), {
    code: 0,
    out: ["1", "2"],
    err: [],
  });
});

Deno.test("connect ends with 1 if the server ends before --count frames", async () => {
  assertEquals(await connectTo(say("1\n"), ["--count", "2"]), {
    code: 1,
    out: ["1"],
    err: ["framewire connect: 1 of 2 frames came before the end"],
  });
});

/** Sends something and then nothing until the client goes. */
function sayAndWait(text: string): Serve {
  return async (conn) => {
    await writeAll(conn, raw(text));
    const room = new Uint8Array(100);
    while (await conn.read(room) !== null);
    // It half-closed, and still wants to read.
    await conn.read(room).catch(() => {});
  };
}

Deno.test("connect --wait ends when nothing comes any more, once all is sent", async () => {
  const serve: Serve = async (conn) => {
    const room = new Uint8Array(100);
    await conn.read(room);
    await writeAll(conn, raw("1\n"));
    while (await conn.read(room).catch(() => null) !== null);
  };
  assertEquals(
    await connectTo(serve, ["--wait", "300ms", "--no-half-close"], {
      input: "a\n",
    }),
    { code: 0, out: ["1"], err: [] },
  );
});

Deno.test("connect --wait ends with 4 if fewer than --count frames came", async () => {
  const serve: Serve = async (conn) => {
    await writeAll(conn, raw("1\n"));
    const room = new Uint8Array(100);
    while (await conn.read(room).catch(() => null) !== null);
  };
  assertEquals(
    await connectTo(serve, ["--wait", "200ms", "-n", "2", "--no-half-close"]),
    {
      code: 4,
      out: ["1"],
      err: ["framewire connect: 1 of 2 frames came in time"],
    },
  );
});

Deno.test("connect closes its way out at the end of stdin, and prints what still comes", async () => {
  const serve: Serve = async (conn) => {
    const asked = await readAll(conn); // there is an end
    await writeAll(conn, raw(`${asked.length} bytes came\n`));
  };
  assertEquals(await connectTo(serve, [], { input: "one\ntwo\n" }), {
    code: 0,
    out: ["8 bytes came"],
    err: [],
  });
});

Deno.test("connect --no-half-close leaves the way out open at the end of stdin", async () => {
  let ended = false;
  const serve: Serve = async (conn) => {
    const room = new Uint8Array(100);
    assertEquals(await conn.read(room), 2);
    const next = conn.read(room).then((count) => {
      ended = count === null;
    }, () => {});
    // One that half-closed has done so by the time that it printed this.
    await writeAll(conn, raw("still there?\n"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assertEquals(ended, false);
    await conn.closeWrite();
    await next;
  };
  assertEquals(await connectTo(serve, ["--no-half-close"], { input: "a\n" }), {
    code: 0,
    out: ["still there?"],
    err: [],
  });
});

Deno.test("connect prints frames as they come, while stdin is open", async () => {
  const serve: Serve = async (conn) => {
    const room = new Uint8Array(100);
    for (let count; (count = await conn.read(room)) !== null;) {
      await writeAll(conn, room.slice(0, count));
    }
  };
  const ending = await connectTo(serve, [], {
    end: false,
    async use(program) {
      for (const word of ["one", "two"]) {
        await program.type(`${word}\n`);
        assertEquals(await program.line(), word);
      }
      await program.endInput();
    },
  });
  assertEquals(ending, { code: 0, out: [], err: [] });
});

Deno.test("connect ends with 3 where the stream goes out of step, behind the frames before", async () => {
  assertEquals(await connectTo(say("2:hi,3:abX"), ["-c", "netstring"]), {
    code: 3,
    out: ["hi"],
    err: [
      "framewire connect: Cannot read frame: stream ended after 5 of 6 bytes",
    ],
  });
  const { code, out, err } = await connectTo(say("2:hi,HTTP/1.1 400\r\n\r\n"), [
    "-c",
    "netstring",
  ]);
  assertEquals([code, out, err.length], [3, ["hi"], 1]);
  assert(err[0].startsWith("framewire connect: Cannot read frame: "), err[0]);
});

Deno.test("connect notes what is left out, and goes on behind it", async () => {
  assertEquals(
    await connectTo(say("aaaaaa\nhi\n"), ["-c", "lines:max=4,skip"]),
    {
      code: 0,
      out: ["hi"],
      err: [
        "framewire: Cannot read frame: length 6 exceeds maxFrameLength of 4 bytes",
      ],
    },
  );
  const { code, out, err } = await connectTo(say("{\n[]\n"), [
    "-c",
    "json-lines",
  ]);
  assertEquals([code, out, err.length], [0, ["[]"], 1]);
});

Deno.test("connect ends with 0 or 3 whatever a server sends, and says so in lines", async () => {
  const random = new Random(654);
  const alphabet = raw('\0\x01\x05{"}*:$<>1 \r\n\x1b[2J\x9b\xff\xc0\x10RZ');
  for (
    const spec of [
      "length:2",
      "resp",
      "postgres",
      "mqtt",
      "dns",
      "lines:skip,max=9",
      "json-lines",
    ]
  ) {
    const wire = random.bytes(random.below(300), alphabet);
    const about = `seed ${random.seed}, ${spec}`;
    const { code, out, err } = await connectTo(async (conn) => {
      // It may close the connection before all of it was sent.
      await writeAll(conn, wire).catch(() => {});
      await conn.closeWrite().catch(() => {});
      await readAll(conn).catch(() => {});
    }, ["-c", spec]);
    assert(code === 0 || code === 3, `${about}: ${code}`);
    for (const line of [...out, ...err]) {
      assert(
        // deno-lint-ignore no-control-regex
        !/[\x00-\x1f\x7f-\x9f]/.test(line),
        `${about}: ${JSON.stringify(line)}`,
      );
    }
    for (const line of err) {
      assert(/^framewire( connect)?: /.test(line), `${about}: ${line}`);
    }
  }
});

Deno.test("connect says in one line that nobody listens, with 1", async () => {
  const place = `127.0.0.1:${freePort()}`;
  await using program = startProgram(MAIN, ["connect", place], { net: place });
  assertEquals(await program.end(), {
    code: 1,
    out: [],
    err: [
      `framewire connect: ${place}: connection refused; is the server running?`,
    ],
  });
});

Deno.test("connect says which permission it needs, with 1", async () => {
  await using program = startProgram(MAIN, ["connect", "127.0.0.1:1"]);
  const { code, out, err } = await program.end();
  assertEquals([code, out, err.length], [1, [], 1]);
  assertStringIncludes(
    err[0],
    "needs permission: run again with --allow-net=127.0.0.1:1",
  );
});

Deno.test("connect --timeout gives up connecting, with 4", async () => {
  // A listener whose queue is full answers no more, and says nothing.
  const path = "127.0.0.1";
  using listener = Deno.listen({ hostname: path, port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const waiting: Promise<Deno.Conn>[] = [];
  const over = new AbortController();
  for (let i = 0; i < 5; i++) {
    waiting.push(Deno.connect({ hostname: path, port, signal: over.signal }));
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  await using program = startProgram(MAIN, [
    "connect",
    `:${port}`,
    "--timeout",
    "200ms",
  ], { net: path });
  const { code, out, err } = await program.end();
  over.abort();
  for (const one of await Promise.allSettled(waiting)) {
    if (one.status === "fulfilled") one.value.close();
  }
  assertEquals([code, out, err.length], [4, [], 1], err.join());
  assertStringIncludes(err[0], "200 ms");
});

Deno.test("connect says that the peer reset the connection, with 1, behind what came before", async () => {
  // What a process that is killed has not read resets the connection.
  await using server = new RunningProgram(Deno.execPath(), [
    "eval",
    `const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    console.log(listener.addr.port);
    const conn = await listener.accept();
    await conn.write(new TextEncoder().encode("hi\\n"));
    console.log(await conn.read(new Uint8Array(1)));
    setTimeout(() => {}, 60_000);`,
  ]);
  const place = `127.0.0.1:${await server.line()}`;
  await using program = startProgram(MAIN, ["connect", place], {
    net: place,
    typing: true,
  });
  await program.type("a\nb\n");
  assertEquals(await program.line(), "hi");
  assertEquals(await server.line(), "1"); // and the rest of the line is there
  server.signal("SIGKILL");
  assertEquals(await program.end(), {
    code: 1,
    out: [],
    err: [
      "framewire connect: Cannot read frame: the peer reset the connection",
    ],
  });
});

Deno.test("connect ends well when the server closes, though stdin is open", async () => {
  const serve: Serve = (conn) => writeAll(conn, raw("bye\n"));
  assertEquals(await connectTo(serve, [], { end: false }), {
    code: 0,
    out: ["bye"],
    err: [],
  });
});

Deno.test("connect ends with 130 on Ctrl-C, and says nothing", async () => {
  const ending = await connectTo(sayAndWait("hi\n"), [], {
    end: false,
    async use(program) {
      assertEquals(await program.line(), "hi");
      program.interrupt();
    },
  });
  assertEquals(ending, { code: 130, out: [], err: [] });
});

Deno.test("connect ends quietly when nobody reads what it prints", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const place = `127.0.0.1:${listener.addr.port}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--allow-net=${place}`,
      MAIN,
      "connect",
      place,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const conn = await listener.accept();
  await writeAll(conn, raw("first\n"));
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const err = child.stderr.text();
  let sending = true;
  const sent = (async () => {
    while (sending) {
      await writeAll(conn, raw("more\n")).catch(() => sending = false);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const { code } = await child.status;
  sending = false;
  await sent;
  conn.close();
  await child.stdin.close().catch(() => {});
  assertEquals([code, await err], [0, ""]);
});

Deno.test("connect takes no more of stdin than the server takes of it", async () => {
  const MOST = 64 * 2 ** 20;
  const read = Promise.withResolvers<void>();
  let came = 0;
  let written = 0;
  const line = `${"x".repeat(65_535)}\n`;
  const ending = await connectTo(
    async (conn) => {
      await read.promise;
      const room = new Uint8Array(2 ** 20);
      for (let count; (count = await conn.read(room)) !== null;) came += count;
    },
    [],
    {
      end: false,
      async use(program) {
        while (written < MOST) {
          const typed = program.type(line).then(() => true);
          written += line.length;
          let timer: ReturnType<typeof setTimeout> | undefined;
          const stalled = new Promise<false>((resolve) => {
            timer = setTimeout(() => resolve(false), 1000);
          });
          const taken = await Promise.race([typed, stalled]);
          clearTimeout(timer);
          if (taken) continue;
          read.resolve(); // it waits for the server, as it should
          await typed;
          break;
        }
        read.resolve();
        await program.endInput();
      },
    },
  );
  assertEquals(ending, { code: 0, out: [], err: [] });
  assertEquals(came, written);
  assert(
    written < MOST,
    `${written} bytes were taken by a program whose server read nothing`,
  );
});

Deno.test("connect takes stdin that is larger than any buffer", async () => {
  const count = 2000;
  const line = "y".repeat(10_000);
  const { code, out, err } = await connectTo(
    async (conn) => {
      const room = new Uint8Array(65_536);
      for (let count; (count = await conn.read(room)) !== null;) {
        await writeAll(conn, room.subarray(0, count));
      }
    },
    [],
    {
      end: false,
      async use(program) {
        const typed = (async () => {
          for (let i = 0; i < count; i++) await program.type(`${line}\n`);
          await program.endInput();
        })();
        for (let i = 0; i < count; i++) {
          assertEquals(await program.line(), line);
        }
        await typed;
      },
    },
  );
  assertEquals([code, out, err], [0, [], []]);
});

Deno.test("connect speaks over a Unix socket", () =>
  withSocketPath(async (path, flags) => {
    using listener = Deno.listen({ transport: "unix", path });
    const served = listener.accept().then(async (conn) => {
      await echo(conn);
      conn.close();
    });
    await using program = startProgram(MAIN, ["connect", `unix:${path}`], {
      flags,
      typing: true,
    });
    await program.type("hi\n");
    await program.endInput();
    assertEquals(await program.end(), { code: 0, out: ["hi"], err: [] });
    await served;
  }));

Deno.test("connect says that there is nothing at a path, with 1", () =>
  withSocketPath(async (path, flags) => {
    await using program = startProgram(MAIN, ["connect", `unix:${path}`], {
      flags,
    });
    const { code, err } = await program.end();
    assertEquals([code, err.length], [1, 1], err.join("\n"));
    assertStringIncludes(err[0], path);
  }));

/** A folder with a certificate file. */
async function withFile(
  text: string,
  use: (file: string) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, text);
    await use(file);
  } finally {
    await Deno.remove(file);
  }
}

async function overTls(args: readonly string[], file: string): Promise<Ending> {
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    ...SERVER,
  });
  const { port } = listener.addr;
  const served = listener.accept().then(async (conn) => {
    try {
      await echo(conn);
    } catch {
      // It was not trusted.
    }
    conn.close();
  });
  await using program = startProgram(MAIN, [
    "connect",
    `127.0.0.1:${port}`,
    ...args,
  ], {
    net: "127.0.0.1",
    flags: [`--allow-read=${file}`],
    typing: true,
  });
  await program.type("hi\n");
  await program.endInput();
  const ending = await program.end();
  await served;
  return ending;
}

Deno.test("connect --tls encrypts, for a server that --ca vouches for", () =>
  withFile(authority.cert, async (file) => {
    for (const more of [[], ["--server-name", "localhost"]]) {
      assertEquals(await overTls(["--tls", "--ca", file, ...more], file), {
        code: 0,
        out: ["hi"],
        err: [],
      });
    }
  }));

Deno.test("connect --tls refuses who is not trusted or is another, with 1", async () => {
  await withFile(stranger.cert, async (file) => {
    const { code, out, err } = await overTls(["--tls", "--ca", file], file);
    assertEquals([code, out, err.length], [1, [], 1], err.join("\n"));
    assertStringIncludes(err[0], "its issuer is unknown (--ca names one)");
  });
  await withFile(authority.cert, async (file) => {
    const { code, out, err } = await overTls([
      "--tls",
      "--ca",
      file,
      "--server-name",
      "example.com",
    ], file);
    assertEquals([code, out, err.length], [1, [], 1], err.join("\n"));
    assertStringIncludes(err[0], "--server-name says whom to expect");
  });
});

Deno.test("connect --tls to a server that does not speak it ends with 1", () =>
  withFile(authority.cert, async (file) => {
    const { code, out, err } = await connectTo(
      async (conn) => {
        await conn.read(new Uint8Array(1000));
        await writeAll(conn, raw("what?\n"));
      },
      ["--tls", "--ca", file],
      { flags: [`--allow-read=${file}`] },
    );
    assertEquals([code, out, err.length], [1, [], 1], err.join("\n"));
  }));

const USAGES: readonly [name: string, args: string[], message: string][] = [
  ["no target", [], ""],
  ["a target that is none", ["nowhere"], "target must be HOST:PORT"],
  ["a codec that is none", [":1", "-c", "lenght"], "did you mean length?"],
  [
    "--ca without --tls",
    [":1", "--ca", "x"],
    "--ca and --server-name need --tls",
  ],
  ["--tls on a path", ["unix:/x", "--tls"], "--tls is for HOST:PORT only"],
  [
    "an unknown option",
    [":1", "--cuont", "2"],
    "unknown option --cuont: did you mean --count?",
  ],
  [
    "a count that is none",
    [":1", "-n", "0"],
    "--count must be a whole number, 1 or more",
  ],
  [
    "a time without a unit",
    [":1", "--wait", "5"],
    "--wait must be a time, such as 500ms",
  ],
  [
    "--hex and --json",
    [":1", "--hex", "--json"],
    "--hex and --json exclude each other",
  ],
];
for (const [name, args, message] of USAGES) {
  Deno.test(`connect refuses ${name}, with 2`, async () => {
    await using program = startProgram(MAIN, ["connect", ...args], {
      net: "127.0.0.1",
    });
    const { code, out, err } = await program.end();
    assertEquals([code, out], [2, []], err.join("\n"));
    assertStringIncludes(err.at(-1) ?? "", message);
  });
}
