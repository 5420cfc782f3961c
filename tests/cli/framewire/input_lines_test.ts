/**
 * The lines of stdin, as a process reads them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { RunningProgram } from "../../support/running_program.ts";
import { raw } from "../../support/wire.ts";

/** Runs code that has the module, with something on stdin. */
async function reading(code: string, input: Uint8Array): Promise<string[]> {
  const path = new URL(
    "../../../cli/framewire/input_lines.ts",
    import.meta.url,
  );
  await using program = new RunningProgram(Deno.execPath(), [
    "eval",
    `import { inputChunks, inputLines } from "${path}"; ${code}`,
  ], { typing: true });
  // In two pieces, which may come as one.
  await program.type(input.slice(0, 3));
  await program.type(input.slice(3));
  await program.endInput();
  const { code: exit, out, err } = await program.end();
  assertEquals([exit, err], [0, []]);
  return out;
}

Deno.test("inputLines() gives each line, as bytes where it is no text", async () => {
  const print =
    "for await (const line of inputLines()) console.log(JSON.stringify(typeof line === 'string' ? line : [...line]));";
  assertEquals(
    await reading(print, raw("a\xc3\xa9\n\n\r\nb\r\r\n\xff\n\xef\xbb\xbfend")),
    [
      '"aé"',
      '""',
      '""',
      String.raw`"b\r"`,
      "[255]",
      '"\ufeffend"',
    ],
  );
  assertEquals(await reading(print, raw("")), []);
});

Deno.test("inputChunks() gives every byte", async () => {
  const print =
    "let n = 0; for await (const chunk of inputChunks()) n += chunk.length; console.log(n);";
  assertEquals(await reading(print, new Uint8Array(200_001)), ["200001"]);
});
