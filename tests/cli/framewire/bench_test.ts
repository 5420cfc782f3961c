/**
 * `framewire bench` as a process.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  lengthPrefixed,
  lines,
  reply,
  serve,
  type Server,
} from "../../../mod.ts";
import { resp } from "../../../lib/protocols/mod.ts";
import { frameText } from "../../../cli/framewire/values.ts";
import {
  type Ending,
  freePort,
  RunningProgram,
  runProgram,
  type StartOptions,
  startProgram,
} from "../../support/running_program.ts";
import { withSocketPath } from "../../support/socket_paths.ts";
import { authority, SERVER } from "../../support/tls.ts";

const MAIN = "cli/main.ts";

function echoServer(): Server<Deno.NetAddr> {
  return serve({ port: 0 }, lengthPrefixed(), reply((frame) => frame));
}

function silentServer(): Server<Deno.NetAddr> {
  return serve({ port: 0 }, lines(), async (peer) => {
    while (await peer.read() !== null);
  });
}

function bench(
  port: number,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ending> {
  const place = `127.0.0.1:${port}`;
  return runProgram(MAIN, ["bench", place, ...args], {
    net: place,
    ...options,
  });
}

/** What `--json` printed. */
function reportIn({ out }: Ending): Record<string, Record<string, unknown>> {
  assertEquals(out.length, 1, out.join("\n"));
  return JSON.parse(out[0]);
}

Deno.test("bench prints a report of exactly so many requests", async () => {
  await using server = echoServer();
  const { code, out, err } = await bench(server.addr.port, [
    ...["-c", "length:4", "--connections", "3", "-p", "2", "-n", "500"],
    ...["--warm-up", "0s", "--size", "1k"],
  ]);
  assertEquals([code, err], [0, []]);
  assert(
    out[0].includes(
      "(length:4): 3 connections with 2 requests at a time, as fast as answers came, for ",
    ),
    out[0],
  );
  assert(/^ {2}answered +500 +[\d,]+\/s$/.test(out[2]), out[2]);
  assert(/^ {2}out +502\.0 KiB .*\/s$/.test(out[3]), out[3]);
  assert(/^ {2}in +502\.0 KiB .*\/s$/.test(out[4]), out[4]);
  assertEquals(
    out[5],
    "  of 500 requests sent, 0 failed; 0 requests before that to warm up",
  );
  for (const what of ["response", "50 %", "99.99 %", "greatest"]) {
    assert(out.some((line) => line.includes(what)), what);
  }
  assert(out.some((line) => line.includes("█")));
});

Deno.test("bench prints JSON with the same keys whatever happened", async () => {
  await using server = echoServer();
  const { port } = server.addr;
  const args = ["-c", "length:4", "--json", "--warm-up", "0s", "-n", "20"];
  const fine = await bench(port, args);
  const rated = await bench(port, [...args, "--rate", "1000/s"]);
  const failed = await bench(port, [
    ...args,
    "--answers",
    "2",
    "--timeout",
    "50ms",
  ]);
  assertEquals([fine.code, rated.code, failed.code], [0, 0, 4]);
  const report = reportIn(fine);
  for (const other of [rated, failed]) {
    assertEquals(Object.keys(reportIn(other)), Object.keys(report));
  }
  assertEquals(report.requests, {
    warmUp: 0,
    sent: 20,
    answered: 20,
    failed: 0,
    unfinished: 0,
    notSent: 0,
  });
  assertEquals(reportIn(failed).requests.answered, 0);
  assertEquals(reportIn(failed).faults, {
    timeout: { connections: 10, requests: 10, first: "no answer within 50 ms" },
  });
  assertEquals(reportIn(rated).sentLate.count, 20);
});

Deno.test("bench sends a line as it is typed in connect", async () => {
  const asked = new Set<string>();
  await using server = serve({ port: 0 }, resp(), async (peer) => {
    for await (const frame of peer) {
      asked.add(frameText(frame));
      await peer.write({ type: "simple", value: "PONG" });
    }
  });
  const { code, out } = await bench(server.addr.port, [
    ...["-c", "resp", "--line", "ECHO 'a b'", "-n", "10", "--warm-up", "0s"],
  ]);
  assertEquals(code, 0);
  assertEquals(asked.size, 1);
  assert(/ECHO.*"a b"/.test([...asked][0]), [...asked][0]);
  assert(
    out.some((line) => /the first answer: .*PONG/.test(line)),
    out.join("\n"),
  );
});

Deno.test("bench remarks that the first answer is an error", async () => {
  await using server = serve({ port: 0 }, resp(), async (peer) => {
    while (await peer.read() !== null) {
      await peer.write({ type: "error", value: "ERR unknown command" });
    }
  });
  const { code, out } = await bench(server.addr.port, [
    ...["-c", "resp", "-n", "10", "--warm-up", "0s"],
  ]);
  assertEquals(code, 0);
  assert(
    out.some((line) => line.startsWith("! the first answer is an error")),
    out.join("\n"),
  );
});

Deno.test("bench measures what a server can do that is asked for more", async () => {
  await using server = serve({ port: 0 }, lines(), async (peer) => {
    for await (const line of peer) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await peer.write(line);
    }
  });
  const ending = await bench(server.addr.port, [
    ...["-r", "100000", "--warm-up", "200ms", "-d", "200ms", "--json"],
  ]);
  assertEquals([ending.code, ending.err], [0, []]);
  const { requests } = reportIn(ending);
  assert(Number(requests.answered) >= 10, JSON.stringify(requests));
  assertEquals(Number(requests.sent) + Number(requests.notSent), 20_000);
});

Deno.test("bench has no measurement of a server that never answers while it warms up", async () => {
  await using server = silentServer();
  const { code, out } = await bench(server.addr.port, ["--timeout", "50ms"]);
  assertEquals(code, 4);
  assert(out[0].endsWith(", ended while it warmed up"), out[0]);
  assert(
    out.some((line) => line.startsWith("! nothing was measured")),
    out.join("\n"),
  );
});

Deno.test("bench sends a file as one frame, and takes the permission to read it", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, new Uint8Array([0, 255, 10]));
    const received = new Set<string>();
    await using server = serve({ port: 0 }, lengthPrefixed(), async (peer) => {
      for await (const frame of peer) {
        received.add(frame.toHex());
        await peer.write(frame);
      }
    });
    const args = ["-c", "length", "--send", file, "-n", "9", "--warm-up", "0s"];
    const { port } = server.addr;
    const flags = [`--allow-read=${file}`];
    assertEquals((await bench(port, args, { flags })).code, 0);
    assertEquals([...received], ["00ff0a"]);
    const refused = await bench(port, args);
    assertEquals([refused.code, refused.out], [1, []]);
    assert(refused.err[0].includes("run again with"), refused.err[0]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("bench works over a Unix socket", async () => {
  await withSocketPath(async (path, flags) => {
    await using _server = serve({ path }, lines(), reply((line) => line));
    const { code, out, err } = await runProgram(
      MAIN,
      ["bench", `unix:${path}`, "-n", "10", "--warm-up", "0s", "--json"],
      { flags },
    );
    assertEquals([code, err, out.length], [0, [], 1]);
  });
});

Deno.test("bench works over TLS", async () => {
  const ca = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(ca, authority.cert);
    await using server = serve(
      { port: 0, tls: SERVER },
      lines(),
      reply((line) => line),
    );
    const args = ["-n", "10", "--warm-up", "0s", "--tls", "--ca", ca];
    const ending = await bench(server.addr.port, [...args, "--json"], {
      flags: [`--allow-read=${ca}`],
    });
    assertEquals([ending.code, ending.err], [0, []]);
    assertEquals(reportIn(ending).requests.answered, 10);
    const distrusting = await bench(server.addr.port, ["--tls"]);
    assertEquals([distrusting.code, distrusting.out], [1, []]);
    assert(/certificate/.test(distrusting.err[0]), distrusting.err[0]);
  } finally {
    await Deno.remove(ca);
  }
});

Deno.test("bench prints what it measured when it is interrupted", async () => {
  const answered = Promise.withResolvers<void>();
  let count = 0;
  await using server = serve({ port: 0 }, lengthPrefixed(), async (peer) => {
    for await (const frame of peer) {
      await peer.write(frame);
      if (++count === 1000) answered.resolve();
    }
  });
  const place = `127.0.0.1:${server.addr.port}`;
  await using program = startProgram(MAIN, [
    ...["bench", place, "-c", "length:4", "--warm-up", "0s", "--json"],
    ...["--duration", "1h"],
  ], { net: place });
  await answered.promise;
  program.interrupt();
  const ending = await program.end();
  assertEquals([ending.code, ending.err], [130, []]);
  const { requests } = reportIn(ending);
  assert(Number(requests.answered) > 900, JSON.stringify(requests));
  assertEquals(
    requests.sent,
    Number(requests.answered) + Number(requests.unfinished),
  );
});

Deno.test("bench ends by Ctrl-C while nobody answers", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  await using server = serve({ port: 0 }, lines(), async (peer) => {
    while (await peer.read() !== null) resolve();
  });
  const place = `127.0.0.1:${server.addr.port}`;
  await using program = startProgram(MAIN, ["bench", place], { net: place });
  await asked;
  program.interrupt();
  const { code, out, err } = await program.end();
  assertEquals([code, err], [130, []]);
  assert(out[0].includes("10 connections"), out[0]);
});

Deno.test("bench ends with 4 when nothing is answered in time", async () => {
  await using server = silentServer();
  const { code, out } = await bench(server.addr.port, ["--timeout", "50ms"]);
  assertEquals(code, 4);
  assert(out.some((line) => /timed out +10 /.test(line)), out.join("\n"));
});

Deno.test("bench ends with 3 when the answers are no frames", async () => {
  await using server = serve({ port: 0 }, lines(), async (peer) => {
    while (await peer.read() !== null) await peer.write("HTTP/1.1 400");
  });
  const { code, out } = await bench(server.addr.port, [
    ...["-c", "length:4", "--line", "hello\n", "--warm-up", "0s"],
  ]);
  assertEquals(code, 3);
  assert(out.some((line) => line.includes("no frames")), out.join("\n"));
});

Deno.test("bench ends with 1 when nobody listens", async () => {
  const port = freePort();
  assertEquals(await bench(port, []), {
    code: 1,
    out: [],
    err: [
      `framewire bench: 127.0.0.1:${port}: connection refused; is the server running?`,
    ],
  });
});

Deno.test("bench names the permission that is missing", async () => {
  const ending = await runProgram(MAIN, ["bench", "127.0.0.1:1"]);
  assertEquals(ending, {
    code: 1,
    out: [],
    err: ["framewire bench: needs permission: run again with --allow-net"],
  });
});

Deno.test("bench shows in its help what permissions take", async () => {
  const { code, out } = await runProgram(MAIN, ["bench", "--help"]);
  assertEquals(code, 0);
  const calls = out.filter((line) => line.startsWith("  $ "));
  assert(calls.length >= 2);
  assert(calls.filter((call) => call.includes("--allow-net=")).length >= 2);
});

/** Every example of the help, with a server's port in place of its own. */
Deno.test("bench takes the options of its examples", async () => {
  const { out } = await runProgram(MAIN, ["bench", "--help"]);
  const calls = out.filter((line) => line.startsWith("  $ "));
  const port = freePort();
  for (const call of calls) {
    const args = call.slice(call.indexOf(" bench ") + 7).split(" ").slice(1);
    const { code, err } = await bench(port, args);
    assertEquals([code, err.length], [1, 1], call);
    assert(err[0].includes("connection refused"), err[0]);
  }
});

const REFUSED: [name: string, args: string[], expected: string][] = [
  ["no target", [], "usage: framewire bench"],
  ["an unknown option", [":1", "--pipline", "3"], "did you mean --pipeline?"],
  ["no connections", [":1", "--connections", "0"], "from 1 to 10000"],
  ["too many connections", [":1", "--connections", "10001"], "from 1 to 10000"],
  ["a rate of nothing", [":1", "--rate", "0"], "--rate must be"],
  ["a rate that is no number", [":1", "--rate", "fast"], "--rate must be"],
  ["a time without a unit", [":1", "--duration", "10"], "--duration must be"],
  ["no time at all", [":1", "--duration", "0s"], "--duration must be"],
  ["no time for answers", [":1", "--timeout", "0s"], "--timeout must be"],
  ["no requests", [":1", "--requests", "0"], "--requests must be"],
  ["a size of nothing", [":1", "--size", "0"], "--size must be"],
  [
    "two frames to send",
    [":1", "--size", "5", "--line", "x"],
    "exclude each other",
  ],
  [
    "a made frame where one cannot be made",
    [":1", "--codec", "json-lines"],
    "--size: ",
  ],
  [
    "a line that is no frame",
    [":1", "--codec", "lines", "--line", "a\nb"],
    "--line: ",
  ],
  [
    "a frame of the wrong size",
    [":1", "--codec", "fixed:5"],
    "--size: ",
  ],
];

for (const [name, args, expected] of REFUSED) {
  Deno.test(`bench refuses ${name}`, async () => {
    const { code, out, err } = await runProgram(MAIN, ["bench", ...args], {
      net: "127.0.0.1",
    });
    assertEquals([code, out], [2, []]);
    assert(err.join("\n").includes(expected), err.join("\n"));
  });
}

/** Runs a command in a pseudo-terminal, whose output is on stdout. */
const PTY = `
import os, pty, sys
code = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:]))
sys.exit(code)
`;

Deno.test("bench shows on a terminal how it goes, and removes that", async () => {
  await using server = echoServer();
  const place = `127.0.0.1:${server.addr.port}`;
  await using program = new RunningProgram("python3", [
    ...["-c", PTY, Deno.execPath(), "run", `--allow-net=${place}`, MAIN],
    ...["bench", place, "-c", "length:4", "-d", "600ms", "--warm-up", "300ms"],
  ]);
  const { code, out } = await program.end();
  assertEquals(code, 0);
  const [live, report] = out[0].split("\r\x1b[K").slice(-2);
  assert(/^\d+ ms {2}[\d,]+\/s {2}.*50 % /.test(live), JSON.stringify(out[0]));
  assert(report.startsWith(place), report);
  assert(out[0].includes("warming up: 10 connections"), out[0]);
});

Deno.test("bench ends quietly when nobody reads its report", async () => {
  await using server = echoServer();
  const place = `127.0.0.1:${server.addr.port}`;
  await using program = new RunningProgram("python3", [
    "-c",
    `
import subprocess, sys
bench = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
bench.stdout.close()
err = bench.stderr.read().decode()
print(bench.wait(), repr(err))
`,
    ...[Deno.execPath(), "run", `--allow-net=${place}`, MAIN, "bench", place],
    ...["-c", "length:4", "-n", "10", "--warm-up", "0s"],
  ]);
  assertEquals((await program.end()).out, ["0 ''"]);
});
