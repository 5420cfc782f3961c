/**
 * `framewire detect`, as a process: files, captures, servers.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { hexdump } from "../../../cli/framewire/hexdump.ts";
import { readCapture, sentBy } from "../../support/capture.ts";
import { conversation, pcapng } from "../../support/packets.ts";
import { Random } from "../../support/random.ts";
import {
  type Ending,
  freePort,
  type StartOptions,
  startProgram,
} from "../../support/running_program.ts";
import { withSocketPath } from "../../support/socket_paths.ts";
import { writeAll } from "../../support/sockets.ts";
import { raw, unraw } from "../../support/wire.ts";

const MAIN = "cli/main.ts";

/** Runs `framewire detect` on what stdin has. */
async function detect(
  input: Uint8Array | string,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Ending> {
  await using program = startProgram(MAIN, ["detect", ...args], {
    typing: true,
    ...options,
  });
  await program.type(input);
  await program.endInput();
  return await program.end();
}

const FRAMES = raw("\0\0\0\x05hello\0\0\0\x02hi\0\0\0\x06jumped\0\0\0\x04over");

Deno.test("detect says which codecs explain the bytes of stdin, the best first, without any permission", async () => {
  const { code, out, err } = await detect(FRAMES);
  assertEquals([code, err], [0, []]);
  assertEquals(out.slice(0, 4), [
    out[0],
    "     @0  9 B  hello",
    "     @9  6 B  hi",
    "     @15  10 B  jumped",
  ]);
  assert(
    /^100 {2}length:4 {2}4 frames, 33 of 33 B, [\d.]+ bits$/.test(out[0]),
    out[0],
  );
  const scores = out.flatMap((line) => line.match(/^ ?(\d+) {2}/)?.[1] ?? [])
    .map(
      Number,
    );
  assertEquals(scores.length, 5);
  assertEquals(scores, scores.toSorted((a, b) => b - a));
});

Deno.test("detect prints an object a line with --json, as many as --count says", async () => {
  const { out } = await detect(FRAMES, ["--json", "--count", "1"]);
  const [{ bits, first, ...one }] = out.map((line) => JSON.parse(line));
  assertEquals(one, {
    codec: "length:4",
    score: 100,
    frames: 4,
    bytes: 33,
    of: 33,
    end: "boundary",
    same: [],
  });
  assert(bits > 50);
  assertEquals(first[0], { from: "client", offset: 0, size: 9, text: "hello" });
});

Deno.test("detect names what cuts the same frames, and the side of a protocol", async () => {
  const same = await detect("\x05hello\x02hi\x06jumped\x04over");
  assertEquals(same.out[1], "     the same frames by varint");
  const postgres = sentBy("server", await readCapture("postgres"));
  const { out } = await detect(postgres, ["--max", "1k"]);
  assert(out[0].startsWith("100  postgres --side server  "), out[0]);
  assertStringIncludes(out[0], "the last one cut off");
});

Deno.test("detect reads dumps and captures as decode does", async () => {
  const dump = await detect(`${hexdump(FRAMES).join("\n")}\n`, ["--json"]);
  assertEquals(JSON.parse(dump.out[0]).codec, "length:4");
  assertEquals(dump.err.length, 1);
  const capture = await readCapture("resp");
  const packets = [
    ...conversation([["client", "GET / HTTP/1.1\r\n\r\n"]], { port: 80 }),
    ...conversation(capture.chunks, { port: 6379, from: 40_001 }),
  ];
  const { code, out } = await detect(pcapng(101, packets), [
    "--port",
    "6379",
    "--json",
  ]);
  const best = JSON.parse(out[0]);
  assertEquals([code, best.codec, best.side, best.score], [
    0,
    "resp",
    undefined,
    100,
  ]);
  assertEquals(
    best.of,
    sentBy("client", capture).length + sentBy("server", capture).length,
  );
});

Deno.test("detect reads no more of a capture than it looks at", async () => {
  const said = Array.from(
    { length: 400 },
    (_, i) =>
      [
        i % 2 === 0 ? "client" : "server",
        "a line of text\n".repeat(50),
      ] as const,
  );
  const file = pcapng(101, conversation(said));
  assert(file.length > 200_000);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, file);
    const args = ["detect", path, "--max", "1k", "--json"];
    const flags = [`--allow-read=${path}`];
    await using program = startProgram(MAIN, args, { flags });
    const { code, out, err } = await program.end();
    assertEquals([code, err], [0, []]);
    const best = JSON.parse(out[0]);
    assertEquals([best.codec, best.of], ["lines", 2048]);
  } finally {
    await Deno.remove(path);
  }
});

/** What is no codec's, and what it looks like. */
const OTHERS: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "gzip",
    new Uint8Array([0x1f, 0x8b, 8, 0, ...new Random(3).bytes(300)]),
    "the bytes look like gzip",
  ],
  [
    "TLS",
    new Uint8Array([0x16, 3, 1, 1, 44, ...new Random(4).bytes(300)]),
    "look like TLS",
  ],
  [
    "a PNG",
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, ...new Random(5).bytes(300)]),
    "a PNG image",
  ],
];

for (const [what, bytes, message] of OTHERS) {
  Deno.test(`detect says that ${what} looks like it`, async () => {
    const { code, out, err } = await detect(bytes);
    assertEquals([code, out], [3, []]);
    assertStringIncludes(err[0], message);
    assertStringIncludes(err[1], "no codec explains the bytes");
  });
}

Deno.test("detect says that HTTP looks like it, and what cuts its lines", async () => {
  const { code, out, err } = await detect(
    "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
  );
  assertEquals(code, 0);
  assertStringIncludes(err[0], "look like HTTP");
  assertStringIncludes(out[0], "delim:\\r\\n\\r\\n");
});

Deno.test("detect says that a PROXY protocol header looks like one", async () => {
  const { chunks } = await readCapture("proxy_header");
  for (const [from, bytes] of chunks) {
    if (from === "server") continue;
    const { err } = await detect(bytes);
    assertStringIncludes(err[0], "look like a PROXY protocol header");
  }
});

Deno.test("detect has nothing to go by without bytes", async () => {
  for (const input of ["", pcapng(101, conversation([]))]) {
    assertEquals(await detect(input), {
      code: 3,
      out: [],
      err: ["framewire detect: there are no bytes to go by"],
    });
  }
});

Deno.test("detect looks at --max bytes of what does not end", async () => {
  await using program = startProgram(
    MAIN,
    ["detect", "--max", "64", "--json"],
    { typing: true },
  );
  await program.type("a line of text\n".repeat(20));
  const { out } = await program.end(); // stdin is still open
  const best = JSON.parse(out[0]);
  assertEquals([best.codec, best.of], ["lines", 64]);
});

Deno.test("detect says which permission a file takes", async () => {
  const { code, err } = await detect("", ["/nowhere/file"]);
  assertEquals([code, err], [1, [
    "framewire detect: needs permission: run again with --allow-read=/nowhere/file, or with none: framewire detect … < /nowhere/file",
  ]]);
});

/** Runs `framewire detect` on a server that does so with its one client. */
async function withServer(
  serve: (conn: Deno.Conn) => Promise<void>,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<Ending> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const place = `127.0.0.1:${listener.addr.port}`;
  const served = (async () => {
    using conn = await listener.accept();
    await serve(conn);
  })();
  await using program = startProgram(MAIN, ["detect", place, ...args], {
    net: place,
    flags,
  });
  const [ending] = await Promise.all([program.end(), served]);
  return ending;
}

Deno.test("detect says what a server speaks that speaks first, and closes", async () => {
  const { code, out } = await withServer((conn) => writeAll(conn, FRAMES), [
    "--json",
  ]);
  const best = JSON.parse(out[0]);
  assertEquals([code, best.codec, best.side], [0, "length:4", "server"]);
});

Deno.test("detect listens to a server for --wait, and goes by what came", async () => {
  const { code, out } = await withServer(async (conn) => {
    await writeAll(conn, raw("220 ready\r\n250 go on\r\n"));
    assertEquals(await conn.read(new Uint8Array(1)), null); // it closes by itself
  }, ["--wait", "300ms", "--json"]);
  assertEquals([code, JSON.parse(out[0]).codec], [0, "lines:crlf"]);
});

Deno.test("detect sends a file first with --send", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/ask`;
    await Deno.writeTextFile(path, "*1\r\n$4\r\nPING\r\n");
    const asked: string[] = [];
    const answer = async (conn: Deno.Conn) => {
      const room = new Uint8Array(100);
      asked.push(unraw(room.subarray(0, await conn.read(room) ?? 0)));
      await writeAll(conn, raw("+PONG\r\n*2\r\n$2\r\nhi\r\n:5\r\n"));
    };
    const { code, out } = await withServer(answer, ["--send", path, "--json"], [
      `--allow-read=${path}`,
    ]);
    assertEquals([code, JSON.parse(out[0]).codec], [0, "resp"]);
    assertEquals(asked, ["*1\r\n$4\r\nPING\r\n"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("detect says that a server keeps silent, with exit code 4", async () => {
  const { code, err } = await withServer(async (conn) => {
    await conn.read(new Uint8Array(1));
  }, ["--wait", "50ms"]);
  assertEquals([code, err], [4, [
    "framewire detect: the server sent nothing: it may wait for the client, see --send",
  ]]);
});

Deno.test("detect says that nobody listens", async () => {
  const place = `127.0.0.1:${freePort()}`;
  await using program = startProgram(MAIN, ["detect", place], { net: place });
  const { code, err } = await program.end();
  assertEquals([code, err.length], [1, 1]);
  assertStringIncludes(err[0], "connection refused");
});

Deno.test("detect says which permission a server takes, and a file beside it", async () => {
  const { code, err } = await detect("", ["127.0.0.1:1", "--send", "x"]);
  assertEquals([code, err], [1, [
    "framewire detect: needs permission: run again with --allow-net=127.0.0.1:1 --allow-read=x",
  ]]);
});

Deno.test("detect listens at a Unix socket", async () => {
  await withSocketPath(async (path) => {
    using listener = Deno.listen({ transport: "unix", path });
    const served = (async () => {
      using conn = await listener.accept();
      await writeAll(conn, FRAMES);
    })();
    await using program = startProgram(MAIN, [
      "detect",
      `unix:${path}`,
      "--json",
    ], {
      net: `unix:${path}`,
      flags: [`--allow-read=${path}`, `--allow-write=${path}`],
    });
    const [{ code, out }] = await Promise.all([program.end(), served]);
    assertEquals([code, JSON.parse(out[0]).codec], [0, "length:4"]);
  });
});

Deno.test("detect does not let bytes steer the terminal", async () => {
  const bytes = concat([
    raw("\0\0\0\x05\x1b[2J\x07"),
    raw("\0\0\0\x03\r\n\0"),
    raw("\0\0\0\x02hi"),
  ]);
  const { out, err } = await detect(bytes);
  assert(out.length > 0);
  for (const line of [...out, ...err]) assert(!/\p{Cc}/u.test(line), line);
});

/** Arguments that cannot be, and what is said of them. */
const REFUSED: readonly (readonly [string[], string])[] = [
  [["--codec", "lines"], "unknown option --codec"],
  [["127.0.0.1:99999"], "source must have a port from 1 to 65535"],
  [["--wait", "5"], "--wait must be a time"],
  [["--max", "0"], "--max must be a size"],
  [["--ca", "x", "127.0.0.1:1"], "--ca and --server-name need --tls"],
];

for (const [args, message] of REFUSED) {
  Deno.test(`detect refuses ${args.join(" ")}`, async () => {
    const { code, out, err } = await detect("", args, {
      net: "127.0.0.1:1",
      flags: ["--allow-read=x"],
    });
    assertEquals([code, out], [2, []]);
    assertStringIncludes(err.at(-1) ?? "", message);
  });
}
