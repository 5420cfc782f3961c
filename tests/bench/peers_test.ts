/**
 * The instrument's own check: every Deno program of the comparison does what the load program expects, with a
 * few frames, and those that time themselves find all that there is to be found.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { codecCases } from "../codec/samples.ts";
import {
  type Ending,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const NET = { net: "127.0.0.1" };

function startPeer(words: string): RunningProgram {
  const [file, ...args] = words.split(" ");
  return startProgram(`bench/peers/deno/${file}.ts`, args, NET);
}

async function portOf(peer: RunningProgram): Promise<number> {
  const line = await peer.line();
  const port = Number(line.match(/^listening (\d+)$/)?.[1]);
  assert(port > 0, `there must be a port in: ${line}`);
  return port;
}

function load(role: string, port: number, more: string): Promise<Ending> {
  const args = [role, String(port), ...more.split(" ")];
  return runProgram("bench/load/load.ts", args, NET);
}

/** Asserts that the load program found everything right: that it printed how many frames and bytes there were. */
function assertMeasured(ending: Ending, count: number, bytes: number): void {
  assertEquals(ending.err, []);
  assertEquals(ending.code, 0);
  const measured = JSON.parse(ending.out[0]);
  assertEquals(measured.count, count);
  assertEquals(measured.bytes, bytes);
}

for (
  const [file, mode] of [
    ["framewire", "try"],
    ["framewire", "batch"],
    ["framewire", "iterate"],
    ["framewire", "borrowed"],
    ["bare"],
    ["naive"],
  ]
) {
  const name = mode === undefined ? `${file} recv` : `${file} recv ${mode}`;
  Deno.test(`${name} counts frames and their bytes, in any pieces`, async () => {
    await using peer = startPeer(`${file} recv 0 0 ${mode ?? ""}`.trimEnd());
    const port = await portOf(peer);
    assertMeasured(await load("recv", port, "10 100 --chunk 7"), 100, 1000);
    assertMeasured(await load("recv", port, "0 5000"), 5000, 0);
    assertMeasured(await load("recv", port, "96 3000"), 3000, 288000);
    // Longer than any buffer, and with the next one behind it in the same read.
    assertMeasured(await load("recv", port, "200003 7"), 7, 1400021);
  });
}

for (
  const [file, mode] of [
    ["framewire", "buffered"],
    ["framewire", "await"],
    ["naive", "each"],
  ]
) {
  Deno.test(`${file} send ${mode} sends as many frames as it is told`, async () => {
    for (const [size, count] of [[10, 3000], [16_000_003, 1]]) {
      await using peer = startPeer(`${file} send ${size} ${count} ${mode}`);
      const port = await portOf(peer);
      const ending = await load("send", port, `${size} ${count}`);
      assertMeasured(ending, count, size * count);
    }
  });
}

for (
  const words of [
    "framewire echo 64 0 try",
    "framewire echo 64 0 reply",
    "bare echo 64 0",
  ]
) {
  Deno.test(`${words} gives every connection its own frames back`, async () => {
    await using peer = startPeer(words);
    const port = await portOf(peer);
    const many = await load("echo", port, "64 300 --connections 20");
    assertMeasured(many, 300, 64 * 300);
    const wide = await load("echo", port, "64 3000 --window 1000");
    assertMeasured(wide, 3000, 64 * 3000);
    const large = await load("echo", port, "200003 3 --window 2");
    assertMeasured(large, 3, 3 * 200_003);
  });
}

for (
  const words of [
    "framewire idle 64 0",
    "bare idle 64 0",
    "bare idle 64 0 tiny",
  ]
) {
  Deno.test(`${words} holds connections until their other end closes`, async () => {
    await using peer = startPeer(words);
    const port = await portOf(peer);
    using held = await Deno.connect({ hostname: "127.0.0.1", port });
    let ended = false;
    const end = held.read(new Uint8Array(1)).then((count) => {
      ended = true;
      return count;
    });
    using other = await Deno.connect({ hostname: "127.0.0.1", port });
    await other.closeWrite();
    assertEquals(await other.read(new Uint8Array(1)), null);
    assertEquals(ended, false);
    await held.closeWrite();
    assertEquals(await end, null);
  });
}

Deno.test("a peer does not take a role or mode that it does not have", async () => {
  for (
    const words of [
      "framewire recv 64 1 bogus",
      "bare send 64 1",
      "naive echo 64 1",
    ]
  ) {
    await using peer = startPeer(words);
    const { code, out } = await peer.end();
    assertEquals([code, out], [2, []], words);
  }
});

Deno.test("the load program sees a peer that sends other frames than it is told", async () => {
  await using peer = startPeer("naive send 10 20 each");
  const port = await portOf(peer);
  for (const expected of ["10 21", "10 19", "11 20"]) {
    const { code, out } = await load("send", port, expected);
    assertEquals([code, out], [1, []], expected);
  }
});

Deno.test("the first frame is the same with Framewire and without", async () => {
  for (const file of ["first_frame", "first_frame_bare"]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using peer = startPeer(`${file} ${listener.addr.port}`);
    const conn = await listener.accept();
    const bytes = await new Response(conn.readable).bytes();
    assertEquals(bytes, new Uint8Array([0, 0, 0, 5, 0, 0, 0, 0, 0]));
    assertEquals(await peer.end(), { code: 0, out: [], err: [] });
  }
});

/** What a program that times itself printed, each line's name and count. */
async function timed(words: string): Promise<[string, number][]> {
  await using program = startPeer(words);
  const { code, out, err } = await program.end();
  assertEquals([code, err], [0, []]);
  return out.map((line) => {
    const { name, ns, count } = JSON.parse(line);
    assert(Number.isInteger(ns) && ns > 0, line);
    return [name, count];
  });
}

Deno.test("the programs in memory find every frame, and say what they timed", async () => {
  assertEquals(await timed("lines 80 5000"), [
    ["framewire", 5000],
    ["std TextLineStream", 5000],
  ]);
  assertEquals(await timed("delimited 80 5000"), [
    ["framewire", 5000],
    ["std DelimiterStream", 5000],
  ]);
  assertEquals(await timed("messages 500 3"), [
    ["decode", 500],
    ["decode repeated", 500],
    ["JSON.parse", 500],
    ["encode", 500],
    ["encode repeated", 500],
    ["write", 500],
    ["JSON.stringify", 500],
  ]);
});

Deno.test("one_byte times every function that makes a codec", async () => {
  const cases = await timed("one_byte 300");
  const makers = new Set(cases.map(([name]) => name.split(/\W/)[0]));
  const all = new Set(codecCases.map(({ maker }) => maker));
  assertEquals([...makers].sort(), [...all].sort());
  assert(cases.every(([, count]) => count === 300));
});
