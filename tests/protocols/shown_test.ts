/**
 * Values as parts of messages.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { shown } from "../../lib/protocols/shown.ts";

Deno.test("shown() writes values as JSON, those that JSON does not have by their types, and long ones in part", () => {
  assertEquals(
    [null, "a\n", [1], undefined, () => 1].map(shown),
    ["null", String.raw`"a\n"`, "[1]", "undefined", "function"],
  );
  assertEquals(shown("a".repeat(60)), `"${"a".repeat(59)}…`);
  assertEquals(shown("a".repeat(58)), `"${"a".repeat(58)}"`);
});
