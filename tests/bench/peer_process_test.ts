/**
 * Programs that are started, measured and ended, with real ones.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  DENO,
  type Exchange,
  PeerProcess,
  ProgramError,
  run,
  runTimed,
  timeToFirstFrame,
} from "../../bench/peer_process.ts";

const RUN = [DENO, "run", "--no-check", "-q", "--allow-net=127.0.0.1"];
const BARE = [...RUN, "bench/peers/deno/bare.ts"];
const DENO_LOAD = [...RUN, "bench/load/load.ts"];
const ECHO: Exchange = { role: "echo", size: 64, count: 50 };

/** A program that is given as text. */
function program(text: string): string[] {
  return [...RUN, `data:text/typescript,${encodeURIComponent(text)}`];
}

Deno.test("PeerProcess has one exchange after another, and ends its peer with its scope", async () => {
  let port: number;
  {
    await using peer = await PeerProcess.start(BARE, ECHO);
    port = peer.port;
    for (const count of [50, 100]) {
      const sample = await peer.exchange({ ...ECHO, count }, DENO_LOAD);
      assertEquals([sample.count, sample.bytes], [count, count * 64]);
      assert(sample.ns > 0);
    }
  }
  await assertRejects(
    () => Deno.connect({ hostname: "127.0.0.1", port }),
    Deno.errors.ConnectionRefused,
  );
});

Deno.test("PeerProcess tells what a peer said that does not listen", async () => {
  await assertRejects(
    () => PeerProcess.start(BARE, { role: "send", size: 64, count: 1 }),
    ProgramError,
    "Unknown role or mode: send",
  );
});

Deno.test("PeerProcess tells what was wrong with an exchange", async () => {
  await using peer = await PeerProcess.start(BARE, ECHO);
  await assertRejects(
    () => peer.exchange({ ...ECHO, role: "recv" }, DENO_LOAD),
    ProgramError,
    "the peer received",
  );
});

Deno.test("run() tells what a program said that failed", async () => {
  const error = await assertRejects(
    () => run(program("throw new Error('no luck')")),
    ProgramError,
    "no luck",
  );
  assertEquals(error.absent, false);
});

Deno.test("run() ends what takes too long", async () => {
  await assertRejects(
    () => run(program("setInterval(() => {}, 1000)"), 200),
    ProgramError,
    "not done after 0.2 s",
  );
});

Deno.test("runTimed() gives a sample for each line", async () => {
  const printing = program(
    `for (const name of ["a", "b"]) console.log(JSON.stringify({ name, ns: 7, count: 3 }))`,
  );
  assertEquals(await runTimed(printing), [
    { name: "a", ns: 7, count: 3 },
    { name: "b", ns: 7, count: 3 },
  ]);
});

Deno.test("timeToFirstFrame() waits for a program's first frame", async () => {
  const first = [...RUN, "bench/peers/deno/first_frame_bare.ts"];
  assert(await timeToFirstFrame(first) > 0);
});

Deno.test("timeToFirstFrame() does not wait for a program that never connects", async () => {
  await assertRejects(
    () => timeToFirstFrame(program("")),
    ProgramError,
    "it never connected",
  );
});
