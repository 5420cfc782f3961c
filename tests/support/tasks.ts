/**
 * The tasks of deno.json, for tests that run programs as their users do.
 *
 * @module
 */

const root = new URL("../../", import.meta.url);

/** Every task's command by the name of the task. */
export const tasks: ReadonlyMap<string, string> = new Map(
  Object.entries<{ command: string }>(
    JSON.parse(Deno.readTextFileSync(new URL("deno.json", root))).tasks,
  ).map(([name, { command }]) => [name, command]),
);

/** A command `deno …` cut into words, as the shell of `deno task` does it. */
export async function wordsOf(command: string): Promise<string[]> {
  if (!/["'$\\]/.test(command)) return command.split(" ");
  const print = "console.log(JSON.stringify(Deno.args))";
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--eval", `deno eval '${print}' -- ${command}`],
    cwd: root,
  }).output();
  return JSON.parse(new TextDecoder().decode(output.stdout));
}
