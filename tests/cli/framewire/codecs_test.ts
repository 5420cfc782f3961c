/**
 * `framewire codecs`, as a process.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CODEC_NAMES, dialectOf } from "../../../cli/framewire/codec_names.ts";
import { runProgram } from "../../support/running_program.ts";

Deno.test("codecs lists every name with its options, and examples that are right", async () => {
  const { code, out, err } = await runProgram("cli/main.ts", ["codecs"]);
  assertEquals([code, err], [0, []]);
  for (const { name, takes, about } of CODEC_NAMES) {
    const at = out.findIndex((line) => line.startsWith(`${name} `));
    assert(out[at]?.endsWith(`  ${about}`), name);
    if (takes !== "") assertEquals(out[at + 1].trim(), name + takes);
  }
  const examples = out.flatMap((line) =>
    line.match(/^ {2}--codec '(.+)'$/)?.slice(1) ?? []
  );
  assert(examples.length > 5);
  for (const example of examples) dialectOf(example);
  assert(out.every((line) => line.length <= 90), "lines fit a terminal");
});
