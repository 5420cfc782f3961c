/**
 * The command `framewire`: netcat for frames, and the programs of the socket tutorials.
 *
 *     $ deno install -g --allow-net jsr:@framewire/framewire/cli -n framewire
 *     $ framewire                                      lists what it can do
 *     $ framewire tap --help                           says what one takes
 *     $ framewire connect 127.0.0.1:65432 -c length:4  frames to and from the terminal
 *     $ framewire echo-server                          a program of the tutorials
 *
 * Each is also a file of its own: `cli/framewire/tap.ts`, and `cli/echo_server.ts` and so on, to be read next to the
 * tutorial.
 *
 * @module
 */

import { COMMANDS } from "./framewire/commands.ts";
import { didYouMean } from "./nearest.ts";
import type { Program } from "./program.ts";
import { oneLine } from "./python_literal.ts";

/**
 * Runs the command or the program that the first argument names; without arguments, lists them.
 *
 * @param args The arguments.
 * @returns The exit code: 2 if there is none of this name.
 *
 * @example Usage
 * ```ts
 * import { main } from "@framewire/framewire/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["echo-server", "--help"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const command = COMMANDS.find((command) => command.name === name);
  if (command !== undefined) return await (await command.load()).run(rest);
  // Who debugs need not wait until the programs of the tutorials are loaded.
  const { programs, utilities } = await import("./programs.ts");
  const program = programs.find((program) => program.name === name);
  if (program !== undefined) return await program.run(rest);
  if (name === undefined || name === "-h" || name === "--help") {
    console.log(listOf(programs, utilities));
    return 0;
  }
  if (name === "-V" || name === "--version") {
    console.log(`framewire ${VERSION}`);
    return 0;
  }
  const names = [...COMMANDS, ...programs].map(({ name }) => name);
  console.error(USAGE);
  console.error(
    oneLine(`framewire: there is no command "${name}"`) +
      didYouMean(name, names),
  );
  return 2;
}

/** That of deno.json, as a test sees to. */
const VERSION = "0.1.0";
const USAGE = "usage: framewire <command> [<argument>...]";

function listOf(
  programs: readonly Program[],
  utilities: readonly Program[],
): string {
  const others = programs.filter((program) => !utilities.includes(program));
  const width = Math.max(...programs.map(({ name }) => name.length));
  const rows = (list: readonly Pick<Program, "name" | "about">[]) =>
    list.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`);
  return [
    USAGE,
    "",
    "To look at sockets:",
    ...rows([...COMMANDS, ...utilities]),
    "",
    "The programs of the socket tutorials:",
    ...rows(others),
  ].join("\n");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
