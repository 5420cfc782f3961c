/**
 * The names of DNS.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  MalformedFrameError,
} from "@framewire/framewire";
import { dns } from "@framewire/framewire/protocols";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { hex, raw } from "../support/wire.ts";

/** A message in hexadecimal, with its length in front of it. */
function wireOf(message: string): Uint8Array<ArrayBuffer> {
  const bytes = hex(message);
  return new Uint8Array([bytes.length >> 8, bytes.length & 0xff, ...bytes]);
}

/** What a name is in a question, and how it is read. */
const NAMES: Record<string, [wire: string, name: string]> = {
  "a dot in a label": ["03 61 2e 62 00", "a\\.b"],
  "a backslash": ["01 5c 00", "\\\\"],
  "a space": ["03 61 20 62 00", "a\\032b"],
  "bytes that are no text": ["03 00 7f ff 00", "\\000\\127\\255"],
  "upper case": ["02 41 62 00", "Ab"],
  "the longest label": [`3f ${"61".repeat(63)} 00`, "a".repeat(63)],
  "the longest name": [
    `${`3f ${"61".repeat(63)}`.repeat(3)} 3d ${"61".repeat(61)} 00`,
    [63, 63, 63, 61].map((length) => "a".repeat(length)).join("."),
  ],
  "the most labels": ["01 61".repeat(127) + "00", "a.".repeat(126) + "a"],
};

for (const [what, [wire, name]] of Object.entries(NAMES)) {
  Deno.test(`dns() reads and writes a name with ${what}`, () => {
    const message = wireOf(
      `0000 0000 0001 0000 0000 0000 ${wire} 0001 0001`,
    );
    const decoder = new FrameDecoder(dns());
    decoder.push(message);
    assertEquals(decoder.next()?.questions[0].name, name);
    const questions = [{ name, type: "A" as const }];
    assertEquals(encodeFrame(dns(), { id: 0, questions }), message);
    const ended = [{ name: `${name}.`, type: "A" as const }];
    assertEquals(encodeFrame(dns(), { id: 0, questions: ended }), message);
  });
}

/** A question with a name that is compressed in as many steps as asked for. */
function inSteps(steps: number): Uint8Array<ArrayBuffer> {
  const questions = Array.from(
    { length: steps + 1 },
    (_, i) =>
      i === 0 ? "\0\0\x01\0\x01" : pointer(i === 1 ? 12 : 17 + 6 * (i - 2)),
  ).join("");
  function pointer(target: number): string {
    return String.fromCharCode(0xc0 | target >> 8, target & 0xff) +
      "\0\x01\0\x01";
  }
  const count = String.fromCharCode(steps + 1 >> 8, steps + 1 & 0xff);
  const message = raw(`\0\0\0\0${count}\0\0\0\0\0\0${questions}`);
  return new Uint8Array([
    message.length >> 8,
    message.length & 0xff,
    ...message,
  ]);
}

Deno.test("dns() follows a name to 127 places, and no further", () => {
  const decoder = new FrameDecoder(dns());
  decoder.push(inSteps(127));
  assertEquals(decoder.next()?.questions[127].name, ".");
  decoder.push(inSteps(128));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertStringIncludes(error.message, "a name must be in at most 127 places");
});
