/**
 * `framewire encode`, as a process, and what `decode` makes of what it wrote.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { readCapture, sentBy, type Side } from "../../support/capture.ts";
import { hex, raw, unraw } from "../../support/wire.ts";

const MAIN = "cli/main.ts";
const root = new URL("../../../", import.meta.url);

/** What a command wrote. */
interface Written {
  code: number;
  out: string;
  err: string;
}

/** Runs a command of `framewire`, a character for a byte on both sides. */
async function run(
  args: readonly string[],
  input: string | Uint8Array = "",
  flags: readonly string[] = [],
): Promise<Written> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, MAIN, ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const typed = writer.write(typeof input === "string" ? raw(input) : input)
    .then(() => writer.close())
    .catch(() => {}); // it need not read all of it
  const { code, stdout, stderr } = await child.output();
  await typed;
  return { code, out: unraw(stdout), err: unraw(stderr) };
}

/** What is typed, how it is written, and what comes of it. */
const LINES: readonly (readonly [string, string[], string])[] = [
  ["hello\nhi\n", ["-c", "length:4"], "\0\0\0\x05hello\0\0\0\x02hi"],
  ["no end", ["-c", "netstring"], "6:no end,"],
  ["\n\n", ["-c", "length:2"], "\0\0\0\0"],
  ["00 ff\n6869\n", ["-c", "length:1", "--hex"], "\x02\0\xff\x02hi"],
  [
    '{"text":"hi"}\n{"base64":"/w=="}\nbare\n',
    ["-c", "length:1", "--json"],
    "\x02hi\x01\xff\x04bare",
  ],
  [
    "SET key 'a b'\n",
    ["-c", "resp"],
    "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\na b\r\n",
  ],
  ['{"type":"pingreq"}\n', ["-c", "mqtt"], "\xc0\0"],
  ['{"tag":5,"payload":{"text":"hi"}}\n', ["-c", "typed"], "\x05\0\0\0\x02hi"],
];

for (const [input, args, expected] of LINES) {
  Deno.test(`encode ${args.join(" ")} writes the bytes of ${JSON.stringify(input)}`, async () => {
    assertEquals(await run(["encode", ...args], input), {
      code: 0,
      out: expected,
      err: "",
    });
  });
}

Deno.test("encode writes a file as one frame with --send, and says what that takes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/frame`;
    await Deno.writeFile(path, raw("\0any\nbytes"));
    const args = ["encode", "-c", "length:2", "--send", path];
    assertEquals(await run(args, "", [`--allow-read=${path}`]), {
      code: 0,
      out: "\0\x0a\0any\nbytes",
      err: "",
    });
    const { code, err } = await run(args);
    assertEquals(code, 1);
    assertStringIncludes(err, `--allow-read=${path}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** What cannot be encoded, and what is said of it. */
const REFUSED: readonly (readonly [string[], string, string])[] = [
  [
    ["-c", "fixed:4"],
    "abcd\nabc\n",
    "line 2: Cannot write frame: length must be 4 bytes: it is 3",
  ],
  [
    ["-c", "length:1,max=2"],
    "abc\n",
    "line 1: Cannot write frame: length 3 exceeds maxFrameLength of 2 bytes",
  ],
  [["-c", "mqtt"], "hello\n", "line 1: "],
  [
    ["-c", "length:1", "--hex"],
    "0\n",
    "line 1: Cannot read hexadecimal digits",
  ],
  [["-c", "length:1", "--json"], "{oops\n", "line 1: "],
  [["-c", "lsp"], '{"a":1}\n', "line 1: Cannot write frame"],
  [["-c", "nothing"], "", 'there is no codec "nothing"'],
  [["--sidde", "client"], "", "did you mean --side?"],
  [["file"], "", 'unexpected argument "file"'],
];

for (const [args, input, message] of REFUSED) {
  Deno.test(`encode ${args.join(" ")} refuses ${JSON.stringify(input)}`, async () => {
    const { code, err } = await run(["encode", ...args], input);
    assertEquals(code, 2);
    const last = err.trimEnd().split("\n").at(-1) ?? "";
    assert(last.startsWith("framewire encode: "), err);
    assertStringIncludes(last, message);
  });
}

Deno.test("encode writes what comes before a line that cannot be", async () => {
  const { code, out } = await run(["encode", "-c", "fixed:2"], "ab\nabc\n");
  assertEquals([code, out], [2, "ab"]);
});

const SYSLOG = "<34>1 - - - - - - hi";

/** A codec and frames on its wire, as it writes them itself. */
const WIRES: readonly (readonly [string, string])[] = [
  ["length:1", "\x02hi\0\x01\xff"],
  ["length:2le", "\x02\0hi\0\0"],
  ["length:3", "\0\0\x02hi\0\0\0"],
  ["length:4,includes-header", "\0\0\0\x06hi"],
  ["length:8le", "\x02\0\0\0\0\0\0\0hi"],
  ["varint", `\x02hi\0\x80\x01${"a".repeat(128)}`],
  ["lines", "hello\n\nworld\n"],
  ["lines:crlf", "hello\r\n\r\nworld\r\n"],
  ["delim:\\0", "a\0\0\xff\0"],
  ["delim:\\r\\n,keep", "a\r\nb\r\n"],
  ["fixed:3", "abc\xff\0\x01"],
  ["ascii:4", "0002hi0000"],
  ["ascii:2,hex", "0ahellohello00"],
  ["ascii,terminator=:,trailer=\\n", "2:hi\n0:\n"],
  ["netstring", "2:hi,0:,1:\xff,"],
  ["typed", "\x01\0\0\0\x02hi\xff\0\0\0\0"],
  ["typed:2le,length=1", "\x05\0\x02hi"],
  ["header-block", "Content-Length: 2\r\n\r\nhiContent-Length: 0\r\n\r\n"],
  ["until-close", "anything\0\xff"],
  [
    "json-lines",
    '{"a":[1,null,"x"]}\n"text"\n5\nnull\n{"text":"not bytes"}\n',
  ],
  [
    "dap",
    'Content-Length: 44\r\n\r\n{"seq":1,"type":"request","command":"pause"}',
  ],
  ["syslog", `${SYSLOG.length} ${SYSLOG}`],
  ["syslog,lf", "<34>Oct 11 22:14:15 mymachine su: failed\n"],
  ["git", "0006hi00000001"],
];

for (const [codec, wire] of WIRES) {
  Deno.test(`decode --json and encode --json of ${codec} give the same bytes`, async () => {
    const decoded = await run(
      ["decode", "-c", codec, "--json", "--from", "raw"],
      wire,
    );
    assertEquals([decoded.code, decoded.err], [0, ""]);
    const encoded = await run(["encode", "-c", codec, "--json"], decoded.out);
    assertEquals(encoded, { code: 0, out: wire, err: "" });
  });
}

/** Recorded traffic, its codec, and where both can be written in one way only. */
const CAPTURES: readonly (readonly [string, string, Side, boolean])[] = [
  ["dns", "dns", "client", true],
  ["dns", "dns", "server", false], // names are compressed otherwise
  ["json_lines", "json-lines", "client", true],
  ["lsp", "lsp", "client", true],
  ["lsp", "lsp", "server", false], // what comes first in an object
  ["messages", "message", "client", true],
  ["messages", "message", "server", true],
  ["mqtt", "mqtt", "client", true],
  ["mqtt", "mqtt", "server", true],
  ["mqtt_5", "mqtt", "client", true],
  ["mqtt_5", "mqtt:5", "server", false], // the order of properties
  ["pkt_line", "git", "client", true],
  ["pkt_line", "git", "server", true],
  ["postgres", "postgres", "client", true],
  ["postgres", "postgres", "server", true],
  ["resp", "resp", "client", true],
  ["resp", "resp", "server", false], // how numbers are written
  ["scgi", "scgi", "client", false], // the order of headers
  ["scgi", "scgi", "server", true],
];

for (const [name, codec, side, exactly] of CAPTURES) {
  const what = exactly ? "bytes" : "frames";
  Deno.test(`decode --json and encode --json of what a ${side} of ${codec} sent in ${name} give the same ${what}`, async () => {
    const wire = sentBy(side, await readCapture(name));
    const args = [
      "decode",
      "-c",
      codec,
      "--json",
      "--from",
      "raw",
      "--side",
      side,
    ];
    const decoded = await run(args, wire);
    assertEquals([decoded.code, decoded.err], [0, ""]);
    const encoded = await run(["encode", "-c", codec, "--json"], decoded.out);
    assertEquals([encoded.code, encoded.err], [0, ""]);
    if (exactly) return assertEquals(encoded.out, unraw(wire));
    const again = await run(args, encoded.out);
    const frames = (text: string) =>
      text.trimEnd().split("\n").map((line) => JSON.parse(line).value);
    assertEquals(frames(again.out), frames(decoded.out));
    assert(encoded.out !== unraw(wire), "these can be exact by now");
  });
}

Deno.test("encode takes the frames of the side that it is told", async () => {
  const lines = [
    { from: "client", offset: 0, text: "asked" },
    { from: "server", offset: 0, text: "answered" },
    { from: "client", offset: 7, fault: "broken" },
  ].map((line) => JSON.stringify(line)).join("\n");
  for (const side of ["client", "server"]) {
    const args = ["encode", "-c", "lines", "--json", "--side", side];
    const { code, out, err } = await run(args, lines);
    assertEquals([code, out], [
      0,
      side === "client" ? "asked\n" : "answered\n",
    ]);
    assertEquals(err, "framewire: line 3: left out, for it is no frame\n");
  }
});

Deno.test("encode knows what a frame changes for those behind it", async () => {
  const capture = await readCapture("mqtt_5");
  const parts = capture.chunks.flatMap(([from, bytes]) => [
    JSON.stringify({ from, offset: 0, base64: bytes.toBase64() }),
  ]);
  assert(parts.length > 2);
  // Both sides as packets would have them: the server's packets are of version 5 because the client asked for it.
  const client = await run(
    ["decode", "-c", "mqtt", "--json"],
    sentBy("client", capture),
  );
  const server = await run(
    ["decode", "-c", "mqtt:5", "--side", "server", "--json"],
    sentBy("server", capture),
  );
  const encoded = await run(
    ["encode", "-c", "mqtt", "--json"],
    client.out + server.out,
  );
  const alone = await run(["encode", "-c", "mqtt:5", "--json"], server.out);
  assertEquals(encoded.code, 0);
  assertEquals(
    encoded.out,
    unraw(concat([sentBy("client", capture), raw(alone.out)])),
  );
});

Deno.test("encode lays out PostgreSQL's letter for encryption, and what follows it", async () => {
  const lines = [
    { from: "client", value: { type: "sslRequest" } },
    { from: "server", value: { type: "encryptionAnswer", encryption: "none" } },
    { from: "client", value: { type: "terminate" } },
    { from: "server", value: { type: "noData" } },
  ].map((line) => JSON.stringify({ ...line, offset: 0 })).join("\n");
  const { code, out, err } = await run(
    ["encode", "-c", "postgres", "--json"],
    lines,
  );
  assertEquals([code, err], [0, ""]);
  assertEquals(
    raw(out),
    hex("00000008 04d2162f" + "4e" + "58 00000004" + "6e 00000004"),
  );
});
