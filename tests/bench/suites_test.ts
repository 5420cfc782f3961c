/**
 * The table of the comparison: that it compares what is in it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { EVERY, type SuiteOfPrograms, SUITES } from "../../bench/suites.ts";

const ROOT = new URL("../../", import.meta.url);

function namesOf(suite: SuiteOfPrograms): string[] {
  return suite.kind === "timed"
    ? suite.programs.flatMap(({ names = [] }) => names)
    : suite.contenders.map(({ name }) => name);
}

function commandsOf(suite: SuiteOfPrograms): (readonly string[])[] {
  const contenders = suite.kind === "timed" ? suite.programs : suite.contenders;
  return contenders.map(({ program }) => program.command);
}

Deno.test("every suite has a name of its own, and so has every row of it", () => {
  const suites = SUITES.map(({ name }) => name);
  assertEquals(new Set(suites).size, suites.length);
  for (const suite of SUITES) {
    const names = namesOf(suite);
    assertEquals(new Set(names).size, names.length, suite.name);
  }
});

Deno.test("every target is about rows that its suite has", () => {
  for (const suite of SUITES) {
    assert(suite.goals.length > 0, `${suite.name} has no target`);
    const names = [EVERY, ...namesOf(suite)];
    for (const { of, against } of suite.goals) {
      assert(names.includes(of), `${suite.name}: ${of}`);
      assert(
        against === null || names.includes(against),
        `${suite.name}: ${against}`,
      );
    }
  }
});

Deno.test("every program that is not built first is there", () => {
  const files = SUITES.flatMap(commandsOf).flatMap((command) =>
    command.filter((word) => /\.(ts|mjs|py)$/.test(word))
  );
  assert(files.length > 0);
  for (const file of new Set(files)) {
    assert(Deno.statSync(new URL(file, ROOT)).isFile, file);
  }
});
