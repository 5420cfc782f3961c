/**
 * The program about calls that wait, as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  masked,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const BLOCKING = "cli/blocking.ts";
const NET = { net: "127.0.0.1" };

Deno.test("blocking shows the tutorial's accept and recv waiting", async () => {
  const { code, out, err } = await runProgram(BLOCKING, [], NET);
  assertEquals([code, err], [0, []]);
  assertEquals(masked(out), [
    "listening on 127.0.0.1:*",
    "accept() waits",
    "meanwhile the program goes on: 1",
    "meanwhile the program goes on: 2",
    "meanwhile the program goes on: 3",
    "accept() gave a connection from 127.0.0.1:*",
    "sending b'Hello?' before anybody asks for it",
    "recv() gave b'Hello?', which was there",
    "recv() waits",
    "meanwhile the program goes on: 1",
    "meanwhile the program goes on: 2",
    "meanwhile the program goes on: 3",
    "sending b'Hello?'",
    "recv() gave b'Hello?'",
  ]);
});

Deno.test("blocking ends on Ctrl-C while it waits", async () => {
  await using program = startProgram(BLOCKING, [], NET);
  await program.lines(2);
  program.interrupt();
  const { code, out } = await program.end();
  assertEquals([code, out.at(-1)], [130, "caught keyboard interrupt, exiting"]);
});

Deno.test("blocking says which permission it needs", async () => {
  assertEquals(await runProgram(BLOCKING), {
    code: 1,
    out: [],
    err: ["blocking: needs permission: run again with --allow-net=127.0.0.1"],
  });
});
