/**
 * The task `soak` for a moment, so that it cannot rot.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { RunningProgram } from "./support/running_program.ts";
import { tasks, wordsOf } from "./support/tasks.ts";

Deno.test("deno task soak runs all its scenes, and says what holds", async () => {
  const [deno, ...words] = await wordsOf(tasks.get("soak") ?? "");
  assertEquals(deno, "deno");
  const args = [...words, "2", "--idle", "100", "--active", "10"];
  await using soak = new RunningProgram(Deno.execPath(), args);
  const { code, out, err } = await soak.end();
  const said = [...out, ...err].join("\n");
  assertEquals(code, 0, said);
  assertEquals(err.length, 2, "a line every second");
  assertEquals(out.filter((line) => line.startsWith("holds: ")).length, 12);
  for (
    const figure of [
      /^100 idle connections: .* KiB each/m,
      /^10 active connections beside them: \d+ answers, p50 /m,
      /^good clients: \d+ answers, p50 /m,
      /^attackers that announce 1 GiB: \d+ /m,
      /^memory of its process: /m,
    ]
  ) {
    assert(figure.test(said), `${figure} in: ${said}`);
  }
});
