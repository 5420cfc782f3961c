/**
 * The program about reads that do not wait, as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { masked, runProgram } from "../support/running_program.ts";

const NONBLOCKING = "cli/nonblocking.ts";

Deno.test("nonblocking shows the tutorial's recv giving up, and then not", async () => {
  const { code, out, err } = await runProgram(NONBLOCKING, [], {
    net: "127.0.0.1",
  });
  assertEquals([code, err], [0, []]);
  assertEquals(masked(out), [
    "connected to 127.0.0.1:*",
    "recv()",
    "error: Resource temporarily unavailable",
    "sending b'Hello?Hello!'",
    "recv()",
    "b'Hello?'",
    "tryRead()",
    "b'Hello!'",
    "tryRead()",
    "error: Resource temporarily unavailable",
  ]);
});

Deno.test("nonblocking takes no arguments", async () => {
  assertEquals(await runProgram(NONBLOCKING, ["127.0.0.1"]), {
    code: 2,
    out: [],
    err: [
      "usage: nonblocking",
      'nonblocking: unexpected argument "127.0.0.1"',
    ],
  });
});
