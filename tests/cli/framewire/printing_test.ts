/**
 * Frames as they are printed, and what is typed.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { ProgramError, type Switch } from "../../../cli/program.ts";
import {
  type Form,
  formOf,
  frameLine,
  HEX,
  inputOf,
  JSON_LINES,
} from "../../../cli/framewire/printing.ts";

const FRAMES: readonly [frame: unknown, lines: Record<Form, string>][] = [
  ["é\n", { text: "é\\n", hex: "c3a90a", json: '{"text":"é\\n"}' }],
  [Uint8Array.of(0xff, 0x41), {
    text: "\\xffA",
    hex: "ff41",
    json: '{"base64":"/0E="}',
  }],
  [{ type: "ok" }, {
    text: '{"type":"ok"}',
    hex: '{"type":"ok"}',
    json: '{"value":{"type":"ok"}}',
  }],
];
for (const form of ["text", "hex", "json"] as const) {
  Deno.test(`frameLine() writes text, bytes and values as ${form}`, () => {
    assertEquals(
      FRAMES.map(([frame]) => frameLine(frame, form)),
      FRAMES.map(([, lines]) => lines[form]),
    );
  });
}

Deno.test("frameLine() says first what else is known of a frame, as JSON only", () => {
  const about = { peer: "127.0.0.1:1" };
  assertEquals(
    frameLine("a", "json", about),
    '{"peer":"127.0.0.1:1","text":"a"}',
  );
  assertEquals(frameLine("a", "text", about), "a");
});

Deno.test("inputOf() reads what frameLine() writes, and says what is wrong with the rest", () => {
  assertEquals(inputOf("{", "text"), { kind: "text", text: "{" });
  assertEquals(inputOf("ff 41", "hex"), {
    kind: "bytes",
    bytes: Uint8Array.of(0xff, 0x41),
  });
  assertEquals(inputOf('{"text":"a"}', "json"), { kind: "text", text: "a" });
  const bytes = Uint8Array.of(0xff);
  assertEquals(inputOf(bytes, "text"), { kind: "bytes", bytes });
  assertThrows(() => inputOf(bytes, "hex"), SyntaxError, "not UTF-8");
  assertThrows(() => inputOf(bytes, "json"), SyntaxError, "not UTF-8");
  assertThrows(() => inputOf("xyz", "hex"), SyntaxError);
  assertThrows(() => inputOf("{", "json"), SyntaxError);
});

Deno.test("formOf() is text unless a switch says else, and not two things at once", () => {
  const form = (...given: Switch[]) =>
    formOf({
      has: (option) => given.includes(option),
      get: () => {
        throw new TypeError("it takes no options");
      },
      print() {},
      atInterrupt() {},
    });
  assertEquals(
    [form(), form(HEX), form(JSON_LINES)],
    ["text", "hex", "json"],
  );
  const { exitCode } = assertThrows(
    () => form(HEX, JSON_LINES),
    ProgramError,
    "--hex and --json exclude each other",
  );
  assertEquals(exitCode, 2);
});
