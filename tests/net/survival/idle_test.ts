/**
 * What a server keeps of peers that sent much and are silent now.
 *
 * @module
 */

import { assertEquals, assertLess } from "@std/assert";
import { figure } from "../../support/besieged.ts";
import { runProgram } from "../../support/running_program.ts";

Deno.test("serve() with reply() keeps nothing of a large request while it waits for the next", async () => {
  const { code, out, err } = await runProgram(
    "tests/fixtures/forgetful_server.ts",
    [],
    { net: "127.0.0.1", flags: ["--v8-flags=--expose-gc"] },
  );
  assertEquals([code, err], [0, []]);
  const kept = Number(out[0]);
  figure(
    "a connection that is idle after a request of 1 MiB",
    `${kept} bytes of buffers`,
  );
  assertLess(kept, 100 * 1024); // a slab of 64 KiB, into which the next is read
});
