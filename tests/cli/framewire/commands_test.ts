/**
 * What all commands of `framewire` keep, and the utilities beside them: help, examples, options.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../../cli/framewire/commands.ts";
import { utilities } from "../../../cli/programs.ts";
import { runProgram } from "../../support/running_program.ts";

const MAIN = "cli/main.ts";

Deno.test("commands are what they say before they are loaded", async () => {
  const names = COMMANDS.map(({ name }) => name);
  assertEquals(names, [
    "connect",
    "listen",
    "tap",
    "decode",
    "encode",
    "detect",
    "bench",
    "codecs",
    "completions",
  ]);
  for (const { name, about, load } of COMMANDS) {
    const loaded = await load();
    assertEquals([loaded.name, loaded.about], [name, about]);
    assert(/^[A-Z][^\n]{20,90}[^.]$/.test(about), about);
  }
});

const known = [
  ...await Promise.all(COMMANDS.map(({ load }) => load())),
  ...utilities,
];

for (const { name, about, syntax } of known) {
  Deno.test(`framewire ${name} --help needs no permission, and has two examples that say which it takes`, async () => {
    const { code, out, err } = await runProgram(MAIN, [name, "--help"]);
    assertEquals([code, err], [0, []]);
    assert(out[0].startsWith("usage: "), out[0]);
    assert(out.includes(`${about}.`));
    for (const option of [...syntax.options ?? [], ...syntax.switches ?? []]) {
      assert(
        out.some((line) => line.includes(` --${option.name} `)),
        option.name,
      );
    }
    const examples = out.flatMap((line, i) =>
      line.startsWith("  $ ") ? [`${out[i - 1]} ${line}`] : []
    );
    assert(examples.length >= 2, "two examples are the least");
    for (const example of examples) {
      assert(
        /--allow-|deno (task|run jsr:)|no permission/.test(example),
        `it does not say what it takes: ${example}`,
      );
      assert(example.includes(` ${name}`), example);
    }
  });

  Deno.test(`framewire ${name} refuses options that it does not have, and names the nearest`, async () => {
    const places = (syntax.takes ?? []).map(({ fallback }) => fallback ?? ":1");
    const { code, out, err } = await runProgram(MAIN, [
      name,
      ...places,
      "--hlep",
    ]);
    assertEquals([code, out, err.length], [2, [], 2], err.join("\n"));
    assert(
      err[1].endsWith(": unknown option --hlep: did you mean --help?"),
      err[1],
    );
  });

  Deno.test(`framewire ${name} refuses arguments too many`, async () => {
    const places = (syntax.takes ?? []).map(({ fallback }) => fallback ?? ":1");
    const { code, out, err } = await runProgram(MAIN, [
      name,
      ...places,
      "too\x1bmany",
    ]);
    assertEquals([code, out, err.length], [2, [], 2], err.join("\n"));
    assert(
      err[1].endsWith(String.raw`unexpected argument "too\x1bmany"`),
      err[1],
    );
  });
}
