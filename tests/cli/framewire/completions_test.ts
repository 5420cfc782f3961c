/**
 * What has a shell complete the command; `tests/peers/completions_test.ts` asks the shells.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CODEC_NAMES } from "../../../cli/framewire/codec_names.ts";
import { COMMANDS } from "../../../cli/framewire/commands.ts";
import { programs } from "../../../cli/programs.ts";
import { runProgram } from "../../support/running_program.ts";

const MAIN = "cli/main.ts";
const known = [
  ...await Promise.all(COMMANDS.map(({ load }) => load())),
  ...programs,
];

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`completions ${shell} has every command, every option and every codec`, async () => {
    const { code, out, err } = await runProgram(MAIN, ["completions", shell]);
    assertEquals([code, err], [0, []]);
    const words = new Set(out.join(" ").split(/[\s'{},=()[\]:]+/));
    const text = out.join("\n");
    for (const { name, syntax } of known) {
      assert(words.has(name), name);
      const { options = [], switches = [] } = syntax;
      for (const option of [...options, ...switches]) {
        const flag = shell === "fish" ? option.name : `--${option.name}`;
        assert(words.has(flag), `${name} ${flag}`);
        if (shell === "fish") assertStringIncludes(text, ` -l ${flag}`);
      }
    }
    for (const { name } of CODEC_NAMES) assert(words.has(name), name);
    assert(!/undefined|\[object|\0/.test(text));
  });
}

Deno.test("completions takes the shells that it knows, with 2 for others", async () => {
  for (
    const [args, message] of [
      [[], "usage: framewire completions <shell>"],
      [
        ["fihs"],
        'shell must be bash, zsh or fish: it is "fihs": did you mean fish?',
      ],
      [["powershell"], 'shell must be bash, zsh or fish: it is "powershell"'],
    ] as const
  ) {
    const { code, out, err } = await runProgram(MAIN, ["completions", ...args]);
    assertEquals([code, out], [2, []]);
    assert(err.at(-1)?.endsWith(message), err.join("\n"));
  }
});
