/**
 * The one command for all programs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { programs } from "../../cli/programs.ts";
import {
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const MAIN = "cli/main.ts";
const USAGE = "usage: framewire <program> [<argument>...]";

for (const args of [[], ["--help"], ["-h"]]) {
  Deno.test(`main lists the programs for ${JSON.stringify(args)}`, async () => {
    const { code, out, err } = await runProgram(MAIN, args);
    assertEquals([code, err], [0, []]);
    assertEquals(out.slice(0, 2), [USAGE, ""]);
    assertEquals(
      out.slice(2).map((line) => line.trim().split(/ {2,}/)),
      programs.map(({ name, about }) => [name, about]),
    );
  });
}

Deno.test("main knows every program, each by one name and one line", () => {
  const names = programs.map(({ name }) => name);
  const files = [...Deno.readDirSync(new URL("../../cli/", import.meta.url))]
    .filter(({ name }) =>
      Deno.readTextFileSync(new URL(`../../cli/${name}`, import.meta.url))
        .includes(": Program = program(")
    )
    .map(({ name }) => name.replace(/\.ts$/, "").replaceAll("_", "-"));
  assertEquals(names.toSorted(), files.toSorted());
  for (const { about } of programs) {
    assert(/^[A-Z][^\n]{10,80}[^.]$/.test(about));
  }
});

for (const { name } of programs) {
  Deno.test(`main runs ${name} with the arguments behind its name`, async () => {
    const viaMain = await runProgram(MAIN, [name, "--help"]);
    const itself = await runProgram(`cli/${name.replaceAll("-", "_")}.ts`, [
      "--help",
    ]);
    assertEquals(viaMain, itself);
    assert(viaMain.out[0].startsWith(`usage: ${name}`));
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

for (const name of ["nope", "", "toString", "--version", "a\nb"]) {
  Deno.test(`main refuses ${JSON.stringify(name)}`, async () => {
    const shown = name.replace("\n", "\\n");
    assertEquals(await runProgram(MAIN, [name]), {
      code: 2,
      out: [],
      err: [USAGE, `framewire: there is no program "${shown}"`],
    });
  });
}
