/**
 * The list of the programs of the socket tutorials.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { programs, utilities } from "../../cli/programs.ts";

Deno.test("programs have names of their own, and utilities are among them", () => {
  const names = programs.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(utilities.map(({ name }) => name), [
    "netstat",
    "ping",
    "resolve",
  ]);
  for (const utility of utilities) assert(programs.includes(utility));
});
