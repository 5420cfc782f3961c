/**
 * What the subcommands of `framewire` share: exit codes, and which frame is whose fault.
 *
 * @module
 */

import {
  ConnectionError,
  ConnectTimeoutError,
  MalformedFrameError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  CODEC,
  command,
  inputFault,
  TIMED_OUT,
  USAGE,
} from "../../../cli/framewire/command.ts";
import { ProgramError } from "../../../cli/program.ts";

/** What a command ends with that throws, with what it said left out. */
async function codeFor(error: unknown): Promise<number> {
  const failing = command({
    name: "fail",
    about: "Fails",
    examples: [],
    main: () => Promise.reject(error),
  });
  const { error: print } = console;
  const said: unknown[] = [];
  console.error = (line: unknown) => said.push(line);
  try {
    return await failing.run([]);
  } finally {
    console.error = print;
    for (const line of said) {
      assertEquals(String(line).startsWith("framewire fail: "), true);
    }
  }
}

Deno.test("commands end with 1 for the network, 3 for frames, 4 for time, or as they are told", async () => {
  const cases: [error: unknown, code: number][] = [
    [new ConnectionError("x"), 1],
    [new Deno.errors.ConnectionRefused("x"), 1],
    [new Deno.errors.NotCapable("x"), 1],
    [new MalformedFrameError("x"), 3],
    [new ConnectTimeoutError("x", { timeout: 1 }), TIMED_OUT],
    [new ProgramError("x", 2), USAGE],
    [new ProgramError("x", 0), 0],
  ];
  for (const [error, code] of cases) {
    assertEquals(await codeFor(error), code, String(error));
  }
});

Deno.test("inputFault() says which input cannot be sent, and throws what is another's fault", () => {
  for (const kind of [TypeError, RangeError, SyntaxError]) {
    const cause = new kind("Cannot write frame: so");
    const error = inputFault(cause, "line 2");
    assertInstanceOf(error, ProgramError);
    assertEquals([error.message, error.exitCode], [
      "line 2: Cannot write frame: so",
      USAGE,
    ]);
    assertStrictEquals(error.cause, cause);
  }
  assertThrows(
    () => inputFault(new ConnectionError("gone"), "line 2"),
    ConnectionError,
    "gone",
  );
});

Deno.test("CODEC is lines unless it is said", () => {
  assertEquals(CODEC.read(CODEC.fallback).spec, "lines");
  assertEquals(CODEC.read("length:2").spec, "length:2");
});
