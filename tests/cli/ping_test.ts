/**
 * The measuring of connections, as a process.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { statistics } from "../../cli/ping.ts";
import { bracketed, LOOPBACK } from "../support/loopback.ts";
import {
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const PING = "cli/ping.ts";
const USAGE = "usage: ping <host> <port> [-c <value>] [-i <value>] [--json]";

/** Lines with every time in them made the same. */
function masked(lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll(/\d+\.\d{3}\b/g, "T"));
}

/** Accepts connections, and says how many ended at once without a byte. */
async function countVisits(
  listener: Deno.TcpListener,
  expected: number,
): Promise<number> {
  let empty = 0;
  for (let visits = 0; visits < expected; visits++) {
    using conn = await listener.accept();
    if (await conn.read(new Uint8Array(1)) === null) empty++;
  }
  return empty;
}

for (const hostname of LOOPBACK) {
  Deno.test(`ping prints what the tutorial's does, for ${hostname}`, async () => {
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    const net = `${bracketed(hostname)}:${port}`;
    const [{ code, out, err }, empty] = await Promise.all([
      runProgram(PING, ["-c", "3", "-i", "1", hostname, String(port)], { net }),
      countVisits(listener, 3),
    ]);
    assertEquals([code, err, empty], [0, [], 3]);
    assertEquals(masked(out), [
      `PING ${net}: TCP connections`,
      `connected to ${net}: seq=0 time=T ms`,
      `connected to ${net}: seq=1 time=T ms`,
      `connected to ${net}: seq=2 time=T ms`,
      "",
      `--- ${hostname} ping statistics ---`,
      "3 connections tried, 3 made, 0.0% loss",
      "round-trip min/avg/max/stddev = T/T/T/T ms",
    ]);
    const times = out.slice(1, 4).map((line) =>
      Number(line.match(/time=(.*) ms/)?.[1])
    );
    assertEquals(out[7].split(/[ /]/)[6], Math.min(...times).toFixed(3));
    assertEquals(out[7].split(/[ /]/)[8], Math.max(...times).toFixed(3));
  });
}

for (const args of [["-c1"], ["-c", "1"], ["--count", "1"], ["--count=1"]]) {
  Deno.test(`ping tries once for ${args.join(" ")}`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const [{ code, out }] = await Promise.all([
      runProgram(PING, ["127.0.0.1", String(port), ...args], {
        net: "127.0.0.1",
      }),
      countVisits(listener, 1),
    ]);
    assertEquals([code, out.at(-2)], [
      0,
      "1 connections tried, 1 made, 0.0% loss",
    ]);
  });
}

Deno.test("ping counts connections that are refused", async () => {
  const port = freePort();
  const net = `127.0.0.1:${port}`;
  const args = ["127.0.0.1", String(port), "-c", "2", "-i", "0"];
  assertEquals(await runProgram(PING, args, { net }), {
    code: 1,
    out: [
      `PING ${net}: TCP connections`,
      "no connection: seq=0 connection refused",
      "no connection: seq=1 connection refused",
      "",
      "--- 127.0.0.1 ping statistics ---",
      "2 connections tried, 0 made, 100.0% loss",
    ],
    err: [],
  });
});

Deno.test("ping --json prints an object a line, and one that sums up", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const net = `127.0.0.1:${port}`;
  const args = ["127.0.0.1", String(port), "-c", "2", "-i", "0", "--json"];
  const made = await runProgram(PING, args, { net });
  listener.close();
  assertEquals([made.code, made.err, made.out.length], [0, [], 3]);
  const [first, second, sum] = made.out.map((line) => JSON.parse(line));
  assertEquals([first, second].map(({ time: _, ...rest }) => rest), [
    { seq: 0, to: net },
    { seq: 1, to: net },
  ]);
  assertEquals([sum.tried, sum.made], [2, 2]);
  assertEquals(sum.min, Math.min(first.time, second.time));
  assertEquals(await runProgram(PING, args, { net }), {
    code: 1,
    out: [
      '{"seq":0,"lost":"connection refused"}',
      '{"seq":1,"lost":"connection refused"}',
      '{"tried":2,"made":0}',
    ],
    err: [],
  });
});

Deno.test("ping says that there is no such host", async () => {
  const net = "nowhere.invalid:80";
  const { code, err } = await runProgram(PING, ["nowhere.invalid", "80"], {
    net,
  });
  assertEquals([code, err], [1, [`ping: ${net}: unknown host`]]);
});

Deno.test("ping says which permission it needs", async () => {
  const { code, err } = await runProgram(PING, ["::1", "80"]);
  assertEquals([code, err], [1, [
    "ping: needs permission: run again with --allow-net=[::1]:80",
  ]]);
});

Deno.test("ping sums up on Ctrl-C", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using ping = startProgram(
    PING,
    ["127.0.0.1", String(port), "-i", "1000000"],
    { net: `127.0.0.1:${port}` },
  );
  const lines = await ping.lines(2);
  assertEquals(
    masked(lines)[1],
    `connected to 127.0.0.1:${port}: seq=0 time=T ms`,
  );
  ping.interrupt();
  const { code, out } = await ping.end();
  assertEquals([code, masked(out)], [130, [
    "",
    "--- 127.0.0.1 ping statistics ---",
    "1 connections tried, 1 made, 0.0% loss",
    "round-trip min/avg/max/stddev = T/T/T/T ms",
  ]]);
});

for (
  const [args, reason] of [
    [[], []],
    [["127.0.0.1"], []],
    [["127.0.0.1", "80", "-c"], ["ping: --count needs a value"]],
    [["127.0.0.1", "80", "-c", "0"], [
      'ping: count must be a whole number, 1 or more: it is "0"',
    ]],
    [["127.0.0.1", "80", "-i", "x"], [
      'ping: interval must be a whole number, 0 or more: it is "x"',
    ]],
    [["127.0.0.1", "80", "-x", "1"], ["ping: unknown option -x"]],
  ] as const
) {
  Deno.test(`ping refuses ${JSON.stringify(args)}`, async () => {
    assertEquals(await runProgram(PING, args), {
      code: 2,
      out: [],
      err: [USAGE, ...reason],
    });
  });
}

Deno.test("ping says in its help that it is not ICMP, and that options have letters", async () => {
  const { code, out } = await runProgram(PING, ["-h"]);
  assertEquals([code, out[0]], [0, USAGE]);
  assert(/no raw sockets for ICMP/.test(out[2]), out[2]);
  assert(out.some((line) => line.startsWith("  -c, --count <value> ")));
});

Deno.test("statistics() gives the figures of the tutorial's times", () => {
  assertEquals(statistics("127.0.0.1", 4, [0.058, 0.165, 0.164]), [
    "",
    "--- 127.0.0.1 ping statistics ---",
    "4 connections tried, 3 made, 25.0% loss",
    "round-trip min/avg/max/stddev = 0.058/0.129/0.165/0.050 ms",
  ]);
});

Deno.test("statistics() gives no figures of nothing", () => {
  assertEquals(statistics("host", 0, []), [
    "",
    "--- host ping statistics ---",
    "0 connections tried, 0 made, 0.0% loss",
  ]);
});
