/**
 * `framewire decode`, as a process, with no permission but that for its file.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { hexdump } from "../../../cli/framewire/hexdump.ts";
import { readCapture, sentBy } from "../../support/capture.ts";
import { conversation, ethernet, pcap, pcapng } from "../../support/packets.ts";
import {
  type Ending,
  type RunningProgram,
  startProgram,
} from "../../support/running_program.ts";
import { raw } from "../../support/wire.ts";

const MAIN = "cli/main.ts";

/** Runs `framewire decode` on what stdin has. */
async function decode(
  input: Uint8Array | string,
  ...args: string[]
): Promise<Ending> {
  await using program = startProgram(MAIN, ["decode", ...args], {
    typing: true,
  });
  await program.type(input);
  await program.endInput();
  return await program.end();
}

/** Runs it on a file that it may read. */
async function withFile(
  content: Uint8Array,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/recorded`;
    await Deno.writeFile(path, content);
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const TWO = raw("\0\0\0\x05hello\0\0\0\x02hi");
const PRINTED = ["client  @0  9 B  hello", "client  @9  6 B  hi"];
const TRUNCATED = "Cannot read frame: stream ended after 5 of 6 bytes";
/** Below the first byte that is no frame's. */
const HERE = "          ^^ here";
const LENGTH = ["--codec", "length:4"];

Deno.test("decode prints frames of stdin with where they begin and their size, without any permission", async () => {
  assertEquals(await decode(TWO, ...LENGTH), {
    code: 0,
    out: PRINTED,
    err: [],
  });
  assertEquals(await decode(TWO, "-", ...LENGTH), {
    code: 0,
    out: PRINTED,
    err: [],
  });
});

Deno.test("decode prints nothing of nothing", async () => {
  assertEquals(await decode("", ...LENGTH), { code: 0, out: [], err: [] });
});

Deno.test("decode dumps the bytes of each frame with --hex, as many as --max-dump says", async () => {
  const { out } = await decode(TWO, ...LENGTH, "--hex");
  const dumps = [hexdump(TWO.subarray(0, 9)), hexdump(TWO.subarray(9), 9)];
  assertEquals(out, [PRINTED[0], ...dumps[0], PRINTED[1], ...dumps[1]]);
  const short = await decode(TWO, ...LENGTH, "--hex", "--max-dump", "6");
  assertEquals(short.out.slice(1, 3), [
    ...hexdump(TWO.subarray(0, 6)),
    "… 3 bytes more",
  ]);
});

Deno.test("decode prints an object a line with --json", async () => {
  const bytes = concat([TWO, raw("\0\0\0\x01\xff")]);
  const { code, out } = await decode(bytes, ...LENGTH, "--json", "--hex");
  assertEquals(code, 0);
  assertEquals(out.map((line) => JSON.parse(line)), [
    {
      from: "client",
      offset: 0,
      size: 9,
      wire: "0000000568656c6c6f",
      text: "hello",
    },
    { from: "client", offset: 9, size: 6, wire: "000000026869", text: "hi" },
    { from: "client", offset: 15, size: 5, wire: "00000001ff", base64: "/w==" },
  ]);
});

Deno.test("decode ends after --count frames, whatever is behind them", async () => {
  const bytes = concat([TWO, raw("GET / HTTP/1.1")]);
  assertEquals(await decode(bytes, ...LENGTH, "--count", "2"), {
    code: 0,
    out: PRINTED,
    err: [],
  });
});

Deno.test("decode says what a truncated frame has and needs", async () => {
  assertEquals(await decode(TWO.subarray(0, -1), ...LENGTH), {
    code: 3,
    out: [
      PRINTED[0],
      `client  @9  ${TRUNCATED}`,
      ...hexdump(raw("\0\0\0\x02h"), 9),
      HERE,
    ],
    err: [`framewire decode: at byte 9: ${TRUNCATED}`],
  });
  const { out } = await decode(TWO.subarray(0, -1), ...LENGTH, "--json");
  assertEquals(JSON.parse(out[1]), {
    from: "client",
    offset: 9,
    fault: TRUNCATED,
    code: "ERR_FRAME_TRUNCATED",
    have: 5,
    need: 6,
    wire: "0000000268",
  });
});

Deno.test("decode says where the stream goes out of step, and dumps what is there", async () => {
  const bytes = concat([TWO, raw("GET / HTTP/1.1\r\n\r\n")]);
  const { code, out, err } = await decode(bytes, ...LENGTH);
  assertEquals(code, 3);
  assertEquals(out.slice(0, 2), PRINTED);
  assertStringIncludes(
    out[2],
    "client  @15  Cannot read frame: length 1195725856",
  );
  const [first, ...rest] = hexdump(raw("GET / HTTP/1.1\r\n\r\n"), 15);
  assertEquals(out.slice(3), [first, HERE, ...rest]);
  assertEquals(err.length, 1);
  assertStringIncludes(err[0], "at byte 15: ");
});

Deno.test("decode goes on behind a frame that can be left out, and ends with 3 all the same", async () => {
  const { code, out } = await decode("[1]\nno\n[2]\n", "--codec", "json-lines");
  assertEquals([code, out.length], [3, 5]);
  assertEquals([out[0], out.at(-1)], [
    "client  @0  4 B  [1]",
    "client  @7  4 B  [2]",
  ]);
});

/** What may go in, besides bytes. */
const DUMPS: readonly (readonly [string, string])[] = [
  ["a dump", `${hexdump(TWO).join("\n")}\n`],
  ["hexadecimal digits", `${TWO.toHex()}\n`],
];

for (const [what, text] of DUMPS) {
  Deno.test(`decode reads ${what} for the bytes it stands for, and says so`, async () => {
    assertEquals(await decode(text, ...LENGTH), {
      code: 0,
      out: PRINTED,
      err: [`framewire: read as ${what}; --from raw takes it as it is`],
    });
    assertEquals((await decode(text, ...LENGTH, "--from", "hex")).err, []);
    const bare = await decode(text, "--codec", "lines", "--from", "raw");
    assertEquals([bare.code, bare.err], [0, []]);
    assertStringIncludes(bare.out[0], text.split("\n")[0]);
  });
}

Deno.test("decode says what is wrong with a dump", async () => {
  assertEquals(await decode("0000  00 00 00 02 68\nand so on\n", ...LENGTH), {
    code: 2,
    out: [],
    err: [
      "framewire: read as a dump; --from raw takes it as it is",
      'framewire decode: cannot read the dump: line 2 is no row of a dump: "and so on"',
    ],
  });
  const { code, err } = await decode("hello", ...LENGTH, "--from", "hex");
  assertEquals(code, 2);
  assertStringIncludes(err[0], "digits must come in pairs");
});

const SAID = [
  ["client", "\0\0\0\x05hel"],
  ["server", "\0\0\0\x02ok"],
  ["client", "lo"],
] as const;
const OPENED = "framewire: #1 is 10.0.0.1:40000 to 10.0.0.2:7";

Deno.test("decode reads the connections of a capture, in the order of its packets", async () => {
  const packets = conversation(SAID).map((packet) => ethernet(packet));
  for (const file of [pcapng(1, packets), pcap(1, packets)]) {
    const { code, out, err } = await decode(file, ...LENGTH);
    assertEquals([code, err], [0, [OPENED]]);
    assertEquals(out.map((line) => line.replace(/^[\d:.]+ /, "")), [
      "#1 server  @0  6 B  ok",
      "#1 client  @0  9 B  hello",
    ]);
  }
});

Deno.test("decode says in JSON when and between whom it was", async () => {
  const { out } = await decode(
    pcap(101, conversation(SAID)),
    ...LENGTH,
    "--json",
  );
  assertEquals(out.map((line) => JSON.parse(line)), [
    {
      time: "1970-01-01T00:00:04.000004Z",
      connection: 1,
      client: "10.0.0.1:40000",
      server: "10.0.0.2:7",
      from: "server",
      offset: 0,
      size: 6,
      text: "ok",
    },
    {
      time: "1970-01-01T00:00:05.000005Z",
      connection: 1,
      client: "10.0.0.1:40000",
      server: "10.0.0.2:7",
      from: "client",
      offset: 0,
      size: 9,
      text: "hello",
    },
  ]);
});

Deno.test("decode takes the connections of one port with --port", async () => {
  const file = pcapng(101, [
    ...conversation([["client", "no\n"]], { port: 80 }),
    ...conversation([["client", "yes\n"]], { port: 81, from: 40_001 }),
  ]);
  const { code, out, err } = await decode(file, "--port", "81", "--json");
  assertEquals([code, err], [0, []]);
  assertEquals(out.map((line) => JSON.parse(line).text), ["yes"]);
});

Deno.test("decode says that no connection of a capture is at --port", async () => {
  const file = pcapng(101, [
    ...conversation([["client", "no\n"]], { port: 80 }),
    ...conversation([["client", "yes\n"]], { port: 81, from: 40_001 }),
  ]);
  assertEquals(await decode(file, "--port", "1"), {
    code: 0,
    out: [],
    err: ["framewire: none of 2 connections is from or to port 1"],
  });
});

Deno.test("decode says in its last line which fault was the first, and how many more there are", async () => {
  const file = pcapng(101, [
    ...conversation([["server", "[1]\nno\n"]], { port: 80 }),
    ...conversation([["client", "nor\nthat\n"]], { port: 81, from: 40_001 }),
  ]);
  const { code, err } = await decode(file, "--codec", "json-lines");
  assertEquals(code, 3);
  const last = err.at(-1) ?? "";
  assert(last.startsWith("framewire decode: #1 server at byte 4: "), last);
  assert(last.endsWith("; and 2 more faults"), last);
  const one = await decode("[1]\nno\n", "--codec", "json-lines");
  assert(!one.err.join().includes("more fault"), one.err.join());
});

Deno.test("decode says how many bytes a capture lacks, and reads the other side on", async () => {
  const packets = conversation([
    ["client", "one\n"],
    ["client", "lost\n"],
    ["client", "two\n"],
    ["server", "answer\n"],
  ]);
  const file = pcapng(101, packets.filter((_, i) => i !== 4));
  const { code, out, err } = await decode(file);
  assertEquals(code, 3);
  assertEquals(out.map((line) => line.replace(/^[\d:.]+ /, "")), [
    "#1 client  @0  4 B  one",
    "#1 server  @0  7 B  answer",
    "#1 client  @4  5 bytes missing in the capture: what the client sent behind them is left out",
  ]);
  assertEquals(err.length, 2);
  assertStringIncludes(err[1], "decode: #1 client at byte 4: 5 bytes missing");
});

Deno.test("decode prints what comes before a capture is damaged", async () => {
  const file = pcapng(101, conversation([["client", "one\n"]], { end: false }));
  const { code, out, err } = await decode(concat([file, raw("garbage!!!!!")]));
  assertEquals([code, out.length], [3, 1]);
  assertStringIncludes(out[0], "one");
  assertStringIncludes(
    err.at(-1) ?? "",
    "Cannot read frame: a block cannot be",
  );
});

Deno.test("decode says that there is no TCP in a capture", async () => {
  const { code, out, err } = await decode(pcapng(101, [raw("some")]));
  assertEquals({ code, out, err }, {
    code: 0,
    out: [],
    err: ["framewire: there is no TCP in 1 packet of other kinds"],
  });
});

Deno.test("decode reads the packets that tcpdump prints", async () => {
  const packets = conversation(SAID);
  for (const wrapped of [packets, packets.map((packet) => ethernet(packet))]) {
    const text = wrapped.map((packet) =>
      `12:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.7: Flags [.]\n${
        hexdump(packet).map((row) =>
          `\t0x${row.slice(4, 8)}:  ${
            row.slice(10, 58).replaceAll(
              /([0-9a-f]{2}) {1,2}([0-9a-f]{2})/g,
              "$1$2",
            ).replaceAll(/ {2}/g, " ").trim()
          }\n`
        ).join("")
      }`
    ).join("");
    const { code, out } = await decode(text, ...LENGTH);
    assertEquals([code, out], [0, [
      "#1 server  @0  6 B  ok",
      "#1 client  @0  9 B  hello",
    ]]);
  }
});

Deno.test("decode reads what either side sent with --side", async () => {
  const capture = await readCapture("postgres");
  for (const side of ["client", "server"] as const) {
    const { code, out, err } = await decode(
      sentBy(side, capture),
      "--codec",
      "postgres",
      "--side",
      side,
      "--json",
    );
    assertEquals([code, err], [0, []]);
    assert(
      out.length > 10 && out.every((line) => JSON.parse(line).from === side),
    );
  }
  const { code, err } = await decode(
    sentBy("server", capture),
    "--codec",
    "postgres",
  );
  assertEquals(code, 3);
  assert(err[0].endsWith("; if a server sent it: --side server"), err[0]);
});

Deno.test("decode says which permission a file takes, and how to do without", async () => {
  await withFile(TWO, async (path) => {
    await using refused = startProgram(MAIN, ["decode", path, ...LENGTH]);
    assertEquals(await refused.end(), {
      code: 1,
      out: [],
      err: [
        `framewire decode: needs permission: run again with --allow-read=${path}, or with none: framewire decode … < ${path}`,
      ],
    });
    await using allowed = startProgram(MAIN, ["decode", path, ...LENGTH], {
      flags: [`--allow-read=${path}`],
    });
    assertEquals(await allowed.end(), { code: 0, out: PRINTED, err: [] });
  });
});

Deno.test("decode says that a file is not there, or a folder", async () => {
  await withFile(TWO, async (path) => {
    const folder = path.replace("/recorded", "");
    for (
      const [name, reason] of [[`${path}s`, "no such file or directory"], [
        folder,
        "is a directory",
      ]]
    ) {
      await using program = startProgram(MAIN, ["decode", name], {
        flags: [`--allow-read=${folder}`],
      });
      assertEquals(await program.end(), {
        code: 1,
        out: [],
        err: [`framewire decode: ${name}: ${reason}`],
      });
    }
  });
});

/** Follows a file that grows. */
async function follow(
  parts: readonly Uint8Array[],
  args: readonly string[],
  use: (program: RunningProgram, more: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await withFile(parts[0], async (path) => {
    await using program = startProgram(
      MAIN,
      ["decode", path, "--follow", ...args],
      { flags: [`--allow-read=${path}`] },
    );
    let next = 1;
    await use(
      program,
      () => Deno.writeFile(path, parts[next++], { append: true }),
    );
  });
}

Deno.test("decode --follow prints frames as a file grows, until Ctrl-C", async () => {
  const parts = [TWO.subarray(0, 7), TWO.subarray(7, 12), TWO.subarray(12)];
  await follow(parts, LENGTH, async (program, more) => {
    await more();
    assertEquals(await program.line(), PRINTED[0]);
    await more();
    assertEquals(await program.line(), PRINTED[1]);
    program.interrupt();
    assertEquals(await program.end(), { code: 130, out: [], err: [] });
  });
});

/** What begins like a dump, and holds no line end. */
const LIKE_DUMPS: readonly (readonly [codec: string, frame: string])[] = [
  ["netstring", "5:hello,"],
  ["netstring", "100:" + "x".repeat(100) + ","],
  ["ascii:5", "00005hello"],
  ["ascii:5", "00004beef"],
  ["syslog", "17 <13>1 - - - - - -"],
  ["length:1", "\x01a"],
];

for (const [codec, frame] of LIKE_DUMPS) {
  Deno.test(`decode prints frames by ${codec} as they come, such as ${JSON.stringify(frame.slice(0, 12))}`, async () => {
    await using piped = startProgram(MAIN, ["decode", "-c", codec], {
      typing: true,
    });
    for (let i = 0; i < 3; i++) {
      await piped.type(frame);
      const line = await piped.line(); // before the next one is there
      assertStringIncludes(line, `client  @${i * frame.length}  `);
    }
    await piped.endInput();
    assertEquals((await piped.end()).code, 0);
    const bytes = raw(frame);
    await follow(
      [raw(""), bytes, bytes],
      ["-c", codec],
      async (program, more) => {
        await more();
        assertStringIncludes(await program.line(), "client  @0  ");
        await more();
        assertStringIncludes(
          await program.line(),
          `client  @${frame.length}  `,
        );
        program.interrupt();
        assertEquals((await program.end()).code, 130);
      },
    );
  });
}

Deno.test("decode --follow prints frames of a capture that grows, up to --count", async () => {
  const file = pcapng(101, conversation(SAID));
  const parts = [
    file.subarray(0, 2),
    file.subarray(2, 330),
    file.subarray(330),
  ];
  await follow(parts, [...LENGTH, "--count", "2"], async (program, more) => {
    await more();
    await more();
    const { code, out } = await program.end();
    assertEquals([code, out.length], [0, 2]);
  });
});

Deno.test("decode --follow says that the file was cut short", async () => {
  await withFile(TWO, async (path) => {
    await using program = startProgram(
      MAIN,
      ["decode", path, "--follow", ...LENGTH],
      { flags: [`--allow-read=${path}`] },
    );
    assertEquals(await program.lines(2), PRINTED);
    await Deno.truncate(path, 3);
    assertEquals(await program.end(), {
      code: 1,
      out: [],
      err: [
        `framewire decode: ${path}: it was cut short while it was read`,
      ],
    });
  });
});

Deno.test("decode refuses --port for bytes without packets around them", async () => {
  const { code, out, err } = await decode(TWO, "--port", "7");
  assertEquals([code, out], [2, []]);
  assertEquals(err, ["framewire decode: --port is for packets only"]);
});

/** Arguments that cannot be, and what is said of them. */
const REFUSED: readonly (readonly [string[], string])[] = [
  [["--follow"], "--follow needs a file"],
  [["--from", "pdf"], '--from must be raw, hex or pcap: it is "pdf"'],
  [["--side", "left"], '--side must be client or server: it is "left"'],
  [["--port", "0"], '--port must be a whole number from 1 to 65535: it is "0"'],
  [["--codec", "length:5"], "the width must be 1, 2, 3, 4 or 8"],
  [["--cuont", "1"], "did you mean --count?"],
  [["a", "b"], 'unexpected argument "b"'],
];

for (const [args, message] of REFUSED) {
  Deno.test(`decode refuses ${args.join(" ")}`, async () => {
    const { code, out, err } = await decode("", ...args);
    assertEquals([code, out], [2, []]);
    assertStringIncludes(err.at(-1) ?? "", message);
  });
}

Deno.test("decode does not let bytes steer the terminal", async () => {
  const bytes = raw("\x1b[2J\x07\r\0");
  for (const codec of ["delim:\\0", "until-close", "lines"]) {
    const { out } = await decode(bytes, "--codec", codec, "--hex");
    for (const line of out) assert(!/[\p{Cc}]/u.test(line), line);
  }
});

Deno.test("decode ends quietly when nobody reads its output", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", MAIN, "decode"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  const err = child.stderr.text();
  const input = child.stdin.getWriter();
  await input.write(raw("a line\n".repeat(1000)));
  await input.close();
  assertEquals([(await child.status).code, await err], [0, ""]);
});
