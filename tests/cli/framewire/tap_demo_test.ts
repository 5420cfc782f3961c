/**
 * The demonstration of a tap as a process, by its task.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runProgram } from "../../support/running_program.ts";
import { wordsOf } from "../../support/tasks.ts";

const { tasks } = JSON.parse(
  Deno.readTextFileSync(new URL("../../../deno.json", import.meta.url)),
);

Deno.test("deno task demo:tap shows the same request whole, then byte by byte", async () => {
  const [deno, run, noPrompt, ...rest] = await wordsOf(
    tasks["demo:tap"].command,
  );
  const path = rest.pop() ?? "";
  assertEquals([deno, run, noPrompt, path], [
    "deno",
    "run",
    "--no-prompt",
    "cli/framewire/tap_demo.ts",
  ]);
  const { code, out, err } = await runProgram(path, [], { flags: rest });
  assertEquals([code, err], [0, []]);
  const requests = out.filter((line) => / → 1 {2}client /.test(line));
  assertEquals(requests.length, 2);
  for (const line of requests) {
    assertStringIncludes(
      line,
      '"content":{"action":"search","value":"morpheus"}',
    );
  }
  assertStringIncludes(requests[0], "@0  146 B  ");
  assertStringIncludes(
    requests[1],
    `@0  146 B in 1${" + 1".repeat(15)} + 130 more`,
  );
  const answers = out.filter((line) => / ← 1 {2}server /.test(line));
  assertEquals(answers.length, 2);
  for (const line of answers) {
    assertStringIncludes(line, '"result":"Follow the white rabbit. 🐰"');
  }
  assert(out.some((line) => line.includes('|.g{"byteorder": |')));
  assertEquals(
    out.at(-1),
    "146 bytes in 1 piece, then in 146: the server gave the same answer",
  );
});

Deno.test("tap_demo.ts says which permission it needs", async () => {
  assertEquals(await runProgram("cli/framewire/tap_demo.ts"), {
    code: 1,
    out: [],
    err: ["demo:tap: needs permission: run again with --allow-net=127.0.0.1"],
  });
});
