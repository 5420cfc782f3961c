/**
 * The program about a read that gives up, as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  masked,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const TIMEOUT = "cli/timeout.ts";
const NET = { net: "127.0.0.1" };

Deno.test("timeout shows that a read which gives up loses nothing", async () => {
  const { code, out, err } = await runProgram(
    TIMEOUT,
    ["--timeout", "250"],
    NET,
  );
  assertEquals([code, err], [0, []]);
  assertEquals(masked(out), [
    "connected to 127.0.0.1:*",
    "recv() waits for 250 ms",
    "error: timed out: Cannot read frame: 0 bytes came within 250 ms",
    "sending b'Hel'",
    "recv() waits for 250 ms",
    "error: timed out: Cannot read frame: 3 of 6 bytes came within 250 ms",
    "sending b'lo?'",
    "recv() waits for 250 ms",
    "recv() gave b'Hello?'",
  ]);
});

Deno.test("timeout ends on Ctrl-C while it waits", async () => {
  await using program = startProgram(TIMEOUT, ["--timeout", "1000000"], NET);
  await program.lines(2);
  program.interrupt();
  assertEquals(await program.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
});

Deno.test("timeout refuses no time at all", async () => {
  assertEquals(await runProgram(TIMEOUT, ["--timeout", "0"], NET), {
    code: 2,
    out: [],
    err: [
      "usage: timeout [--timeout <value>]",
      'timeout: timeout must be a whole number, 1 or more: it is "0"',
    ],
  });
});
