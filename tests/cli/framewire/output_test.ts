/**
 * Where the command prints, as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { RunningProgram } from "../../support/running_program.ts";

const OUTPUT = new URL("../../../cli/framewire/output.ts", import.meta.url);

function running(
  code: string,
  env: Record<string, string> = {},
): RunningProgram {
  return new RunningProgram(Deno.execPath(), [
    "eval",
    `import { note, paint, put } from "${OUTPUT}"; ${code}`,
  ], { env });
}

Deno.test("put() prints text and bytes on stdout, whole and in order", async () => {
  await using program = running(
    `await put("a"); await put(new Uint8Array([98, 10])); await put(""); await put("x".repeat(1e6) + "\\n");`,
  );
  assertEquals(await program.line(), "ab");
  assertEquals((await program.line()).length, 1e6);
  assertEquals(await program.end(), { code: 0, out: [], err: [] });
});

Deno.test("note() says something on one line of stderr, whatever is in it", async () => {
  await using program = running(`note("peer said \\x1b[2J\\nhi");`);
  assertEquals(await program.end(), {
    code: 0,
    out: [],
    err: [String.raw`framewire: peer said \x1b[2J\nhi`],
  });
});

Deno.test("paint() has no colours where stdout is no terminal", async () => {
  for (const env of [{}, { NO_COLOR: "" }, { FORCE_COLOR: "1" }]) {
    await using program = running(
      `const p = paint(); console.log(p.dim("a") + p.client("b") + p.server("c") + p.fault("d"));`,
      env,
    );
    assertEquals(await program.line(), "abcd");
  }
});

Deno.test("put() ends the program quietly when nobody reads", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { put } from "${OUTPUT}";
      try { while (true) await put("more\\n"); }
      catch (error) { Deno.exit(error.exitCode === 0 ? 42 : 1); }`,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals([(await child.status).code, await child.stderr.text()], [
    42,
    "",
  ]);
});
