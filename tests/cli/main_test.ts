/**
 * The one command for all programs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../cli/framewire/commands.ts";
import { programs, utilities } from "../../cli/programs.ts";
import {
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const MAIN = "cli/main.ts";
const USAGE = "usage: framewire <command> [<argument>...]";
const others = programs.filter((program) => !utilities.includes(program));

for (const args of [[], ["--help"], ["-h"]]) {
  Deno.test(`main lists what it can do for ${JSON.stringify(args)}`, async () => {
    const { code, out, err } = await runProgram(MAIN, args);
    assertEquals([code, err], [0, []]);
    const rows = (list: readonly { name: string; about: string }[]) =>
      list.map(({ name, about }) => [name, about]);
    assertEquals(
      out.map((line) => line.trim().split(/ {2,}/)),
      [
        [USAGE],
        [""],
        ["To look at sockets:"],
        ...rows([...COMMANDS, ...utilities]),
        [""],
        ["The programs of the socket tutorials:"],
        ...rows(others),
      ],
    );
  });
}

Deno.test("main knows every program, each by one name and one line", () => {
  const names = programs.map(({ name }) => name);
  const files = [...Deno.readDirSync(new URL("../../cli/", import.meta.url))]
    .filter(({ name, isFile }) =>
      isFile &&
      Deno.readTextFileSync(new URL(`../../cli/${name}`, import.meta.url))
        .includes(": Program = program(")
    )
    .map(({ name }) => name.replace(/\.ts$/, "").replaceAll("_", "-"));
  assertEquals(names.toSorted(), files.toSorted());
  for (const { about } of programs) {
    assert(/^[A-Z][^\n]{10,80}[^.]$/.test(about));
  }
});

Deno.test("main knows every command, each by one name that is no program's", () => {
  const folder = new URL("../../cli/framewire/", import.meta.url);
  const files = [...Deno.readDirSync(folder)]
    .filter(({ name }) =>
      Deno.readTextFileSync(new URL(name, folder))
        .includes("Command: Program = command(")
    )
    .map(({ name }) => name.replace(/\.ts$/, ""));
  const names = COMMANDS.map(({ name }) => name);
  assertEquals(names.toSorted(), files.toSorted());
  const all = [...names, ...programs.map(({ name }) => name)];
  assertEquals(new Set(all).size, all.length);
});

const FILES = [
  ...COMMANDS.map(({ name }): [string, string] => [
    name,
    `cli/framewire/${name}.ts`,
  ]),
  ...programs.map(({ name }): [string, string] => [
    name,
    `cli/${name.replaceAll("-", "_")}.ts`,
  ]),
];
for (const [name, file] of FILES) {
  Deno.test(`main runs ${name} with the arguments behind its name`, async () => {
    const viaMain = await runProgram(MAIN, [name, "--help"]);
    const itself = await runProgram(file, ["--help"]);
    assertEquals(viaMain, itself);
    assert(/^usage: (framewire )?[\w-]+/.test(viaMain.out[0]));
    assert(
      viaMain.out[0].replace("framewire ", "").startsWith(`usage: ${name}`),
    );
    assertEquals([viaMain.code, viaMain.err], [0, []]);
  });
}

Deno.test("main passes a program's exit code on, and Ctrl-C to it", async () => {
  const { code, err } = await runProgram(MAIN, ["app-client"]);
  assertEquals([code, err.length], [2, 1]);
  await using server = startProgram(MAIN, ["app-server", "127.0.0.1", "0"], {
    net: "127.0.0.1:0",
  });
  portIn(await server.line());
  server.interrupt();
  assertEquals(await server.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
});

for (const option of ["-V", "--version"]) {
  Deno.test(`main says its version for ${option}`, async () => {
    const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
    assertEquals(await runProgram(MAIN, [option]), {
      code: 0,
      out: [`framewire ${version}`],
      err: [],
    });
  });
}

for (
  const [name, shown, meant] of [
    ["nope", "nope"],
    ["", ""],
    ["toString", "toString"],
    ["--verbose", "--verbose"],
    ["a\nb", "a\\nb"],
    ["conect", "conect", "connect"],
    ["detcet", "detcet", "detect"],
    ["echo-sevrer", "echo-sevrer", "echo-server"],
  ]
) {
  Deno.test(`main refuses ${JSON.stringify(name)}`, async () => {
    const end = meant === undefined ? "" : `: did you mean ${meant}?`;
    assertEquals(await runProgram(MAIN, [name]), {
      code: 2,
      out: [],
      err: [USAGE, `framewire: there is no command "${shown}"${end}`],
    });
  });
}
