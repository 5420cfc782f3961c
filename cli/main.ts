/**
 * The programs of the socket tutorials, behind one command.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 jsr:@framewire/framewire/cli echo-server
 *     $ deno run jsr:@framewire/framewire/cli              lists them
 *     $ deno run jsr:@framewire/framewire/cli demo --help  says what one takes
 *
 * Each is also a file of its own, `cli/echo_server.ts` and so on, to be read next to the tutorial.
 *
 * @module
 */

import { appClient } from "./app_client.ts";
import { appServer } from "./app_server.ts";
import { demo } from "./demo.ts";
import { echoClient } from "./echo_client.ts";
import { echoServer } from "./echo_server.ts";
import type { Program } from "./program.ts";
import { oneLine } from "./python_literal.ts";

export type { Program };

/** Every program, in the order in which to get to know them. */
export const programs: readonly Program[] = [
  demo,
  echoServer,
  echoClient,
  appServer,
  appClient,
];

/**
 * Runs the program that the first argument names; without arguments, lists the programs.
 *
 * @param args The arguments.
 * @returns The exit code: 2 if there is no such program.
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
  const program = programs.find((program) => program.name === name);
  if (program !== undefined) return await program.run(rest);
  if (name === undefined || name === "-h" || name === "--help") {
    console.log(listOf(programs));
    return 0;
  }
  console.error(USAGE);
  console.error(oneLine(`framewire: there is no program "${name}"`));
  return 2;
}

const USAGE = "usage: framewire <program> [<argument>...]";

function listOf(programs: readonly Program[]): string {
  const width = Math.max(...programs.map(({ name }) => name.length));
  const rows = programs.map(({ name, about }) =>
    `  ${name.padEnd(width)}  ${about}`
  );
  return [USAGE, "", ...rows].join("\n");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
