/**
 * What all programs share, seen from outside.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  explain,
  LISTEN_HOST,
  LISTEN_PORT,
  PEER_HOST,
  PEER_PORT,
  wholeNumber,
} from "../../cli/program.ts";
import { runProgram, startProgram } from "../support/running_program.ts";

const ANY = "tests/fixtures/any_program.ts";
const USAGE =
  "usage: any <action> [<host>] [<port>] [--times <value>] [--loud]";

interface Case {
  name: string;
  args: string[];
  code?: number;
  out?: string[];
  err?: string[];
}

const CASES: readonly Case[] = [
  {
    name: "fills in what was left out",
    args: ["say"],
    out: ["say 127.0.0.1 65432", "say 127.0.0.1 65432"],
  },
  {
    name: "takes arguments and options in any order",
    args: ["--times", "1", "say", "localhost", "--loud", "80"],
    out: ["SAY LOCALHOST 80"],
  },
  {
    name: "takes --name=value, and the last of two",
    args: ["say", "--times=3", "--times=1"],
    out: ["say 127.0.0.1 65432"],
  },
  {
    name: "takes everything behind -- as it is",
    args: ["--times=1", "--", "--loud", "[::1]", "007"],
    out: ["--loud ::1 7"],
  },
  {
    name: "takes an empty argument for one",
    args: ["", "--times=1"],
    out: [" 127.0.0.1 65432"],
  },
  {
    name: "prints control characters escaped",
    args: ["a\nb\x1b[2J", "--times=1"],
    out: [String.raw`a\nb\x1b[2J 127.0.0.1 65432`],
  },
  {
    name: "prints only its usage when arguments are missing",
    args: [],
    code: 2,
    err: [USAGE],
  },
  ...[["--nope"], ["-x"], ["-5"], ["--nope=1"], ["-hx"]].map((
    [option],
  ) => ({
    name: `refuses the option ${option}`,
    args: ["say", option],
    code: 2,
    err: [USAGE, `any: unknown option ${option}`],
  })),
  ...[["--no-loud", "--loud"], ["--tmies", "--times"], ["--hlep", "--help"]]
    .map(([option, meant]) => ({
      name: `refuses the option ${option}, and says what may have been meant`,
      args: ["say", option],
      code: 2,
      err: [
        USAGE,
        `any: unknown option ${option}: did you mean ${meant}?`,
      ],
    })),
  {
    name: "refuses an argument too many",
    args: ["say", "host", "80", "more\n"],
    code: 2,
    err: [USAGE, String.raw`any: unexpected argument "more\n"`],
  },
  ...[["--times"], ["--times="], ["--times", "--loud"]].map((args) => ({
    name: `refuses ${args.join(" ")} without a value`,
    args: ["say", ...args],
    code: 2,
    err: [USAGE, "any: --times needs a value"],
  })),
  ...["0", "10", "1.5", "-1", "x", "1e0", "0x1"].map((times) => ({
    name: `refuses --times=${times}`,
    args: ["say", `--times=${times}`],
    code: 2,
    err: [
      USAGE,
      `any: times must be a whole number from 1 to 9: it is "${times}"`,
    ],
  })),
  ...["0", "65536", "", "http", " 80"].map((port) => ({
    name: `refuses to connect to port ${JSON.stringify(port)}`,
    args: ["say", "localhost", port],
    code: 2,
    err: [
      USAGE,
      `any: port must be a whole number from 1 to 65535: it is "${port}"`,
    ],
  })),
  {
    name: "refuses to connect to no host",
    args: ["say", ""],
    code: 2,
    err: [USAGE, "any: host must not be empty"],
  },
  ...["--help", "-h"].map((option) => ({
    name: `prints its help for ${option}, whatever else is missing`,
    args: [option],
    out: [
      USAGE,
      "",
      "Does what it is told.",
      "",
      "  <action>         what to do",
      "  <host>           the name or the address of the server (default: 127.0.0.1)",
      "  <port>           the server's port (default: 65432)",
      "  --times <value>  how often (default: 2)",
      "  --loud           in capitals",
      "  -h, --help       print this and exit",
    ],
  })),
  {
    name: "ends with the code that main returns",
    args: ["end with 3"],
    code: 3,
  },
  ...[
    ["malformed frame", "Cannot read frame: so"],
    ["peer reset", String.raw`Cannot read frame: reset\nhere`],
    ["connection reset", "the peer reset the connection"],
    ["broken pipe", "the peer closed the connection"],
    ["not available", "127.0.0.1:65432: not an address of this machine"],
    ["too long", "Cannot write frame: length 6 exceeds 5"],
    [
      "read permission",
      "needs permission: run again with '--allow-read=/tmp/my file'",
    ],
    ["all permissions", "Requires all access"],
    ["unreachable", "127.0.0.1:65432: network is unreachable"],
  ].map(([fault, message]) => ({
    name: `says in one line what went wrong: ${fault}`,
    args: [fault],
    code: 1,
    err: [`any: ${message}`],
  })),
];

for (const { name, args, code = 0, out = [], err = [] } of CASES) {
  Deno.test(`program() ${name}`, async () => {
    assertEquals(await runProgram(ANY, args), { code, out, err });
  });
}

for (const fault of ["own fault", "own range"]) {
  Deno.test(`program() leaves the stack trace to an error of its ${fault}`, async () => {
    const { code, err } = await runProgram(ANY, [fault]);
    assertEquals(code, 1);
    assert(
      err.some((line) => /^ +at .*any_program\.ts/.test(line)),
      err.join("\n"),
    );
  });
}

Deno.test("program() lets Ctrl-C close what is open, and ends with 130", async () => {
  await using any = startProgram(ANY, ["close slowly"]);
  assertEquals(await any.line(), "waiting");
  any.interrupt();
  assertEquals(await any.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting", "closed"],
    err: [],
  });
});

Deno.test("program() does not let Ctrl-C wait for ever for what does not close", async () => {
  await using any = startProgram(ANY, ["never close"]);
  assertEquals(await any.line(), "waiting");
  any.interrupt();
  assertEquals(await any.line(), "caught keyboard interrupt, exiting");
  const ended = any.end();
  // One that comes later than a task runner's copy of the first is another one, and need not wait.
  const impatience = setInterval(() => any.interrupt(), 50);
  try {
    assertEquals(await ended, { code: 130, out: [], err: [] });
  } finally {
    clearInterval(impatience);
  }
});

Deno.test("program() takes two signals at once for one press of Ctrl-C", async () => {
  await using any = startProgram(ANY, ["close slowly"]);
  assertEquals(await any.line(), "waiting");
  any.interrupt();
  any.interrupt();
  assertEquals(await any.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting", "closed"],
    err: [],
  });
});

Deno.test("program() closes what is open when it is told to end, and ends with 143", async () => {
  await using any = startProgram(ANY, ["close slowly"]);
  assertEquals(await any.line(), "waiting");
  any.signal("SIGTERM");
  assertEquals(await any.end(), { code: 143, out: ["closed"], err: [] });
});

for (
  const [name, target, flag] of [
    ["an address", "127.0.0.1:65432", "--allow-net=127.0.0.1:65432"],
    ["a name", "example.com:80", "--allow-net=example.com:80"],
    ["IPv6", "[::1]:65432", "--allow-net=[::1]:65432"],
    ["a Unix socket", "unix:/run/a.sock", "--allow-net=unix:/run/a.sock"],
  ]
) {
  Deno.test(`explain() names the flag that ${name} takes`, () => {
    const error = new Deno.errors.NotCapable(
      `Requires net access to "${target}", run again with the --allow-net flag`,
    );
    assertEquals(explain(error), `needs permission: run again with ${flag}`);
    assertEquals(
      explain(error, "x:1", "--allow-net"),
      "needs permission: run again with --allow-net",
    );
  });
}

Deno.test("explain() throws on what is no error", () => {
  assertThrows(() => explain(new Error("a bug")), Error, "a bug");
  let thrown: unknown;
  try {
    explain("a text");
  } catch (error) {
    thrown = error;
  }
  assertEquals(thrown, "a text");
});

Deno.test("LISTEN_HOST and LISTEN_PORT are for servers, PEER_HOST and PEER_PORT for clients", () => {
  assertEquals(LISTEN_HOST.read(""), "0.0.0.0");
  assertEquals(LISTEN_HOST.read("::1"), "::1");
  assertEquals(PEER_HOST.read("[::1]"), "::1");
  assertThrows(() => PEER_HOST.read(""), RangeError);
  assertEquals(LISTEN_PORT.read("0"), 0);
  assertEquals(LISTEN_PORT.read("65535"), 65_535);
  assertThrows(() => LISTEN_PORT.read("65536"), RangeError);
  assertThrows(() => PEER_PORT.read("0"), RangeError);
});

Deno.test("wholeNumber() says its range, open at the end or not", () => {
  const count = wholeNumber({ name: "count", about: "" }, 1);
  assertEquals(count.read("9007199254740991"), Number.MAX_SAFE_INTEGER);
  assertThrows(
    () => count.read("0"),
    RangeError,
    'count must be a whole number, 1 or more: it is "0"',
  );
  assertThrows(() => count.read("9007199254740992"), RangeError);
});
