import { assertEquals, assertThrows } from "@std/assert";
import { fillIn } from "../../bench/fill_in.ts";

/** Gives each marker in capitals, for all to see. */
function loud(marker: string): string {
  return marker.toUpperCase();
}

Deno.test("fillIn() fills in every figure and leaves the rest as it is", () => {
  const cases = [
    ["nothing marked", "plain, <!-- a note -->", "plain, <!-- a note -->"],
    [
      "empty",
      "<!-- a / b / c --><!-- -->",
      "<!-- a / b / c -->A / B / C<!-- -->",
    ],
    [
      "filled in before",
      "| <!-- a / b / c -->1,234<!-- --> |",
      "| <!-- a / b / c -->A / B / C<!-- --> |",
    ],
    [
      "two on a line",
      "<!-- a / b -->1<!-- --> and <!-- c / d -->2<!-- -->",
      "<!-- a / b -->A / B<!-- --> and <!-- c / d -->C / D<!-- -->",
    ],
  ];
  for (const [name, page, filled] of cases) {
    assertEquals(fillIn(page, loud), filled, name);
    assertEquals(fillIn(filled, loud), filled, `${name}, once more`);
  }
});

Deno.test("fillIn() refuses a marker or an end that stands alone", () => {
  const cases = [
    ["a marker without an end", "<!-- a / b -->1", "<!-- a / b -->"],
    ["an end without a marker", "1<!-- -->", "<!-- -->"],
    ["an end on another line", "<!-- a / b -->1\n<!-- -->", "<!-- a / b -->"],
    [
      "a marker without an end before one with an end",
      "<!-- a / b -->1 <!-- c / d -->2<!-- -->",
      "<!-- a / b -->",
    ],
    ["an end too many", "<!-- a / b -->1<!-- --><!-- -->", "<!-- -->"],
  ];
  for (const [name, page, stray] of cases) {
    assertThrows(
      () => fillIn(page, loud),
      SyntaxError,
      `Cannot fill in figures: ${stray} has no counterpart on its line`,
      name,
    );
  }
});

Deno.test("fillIn() throws what is thrown for a marker that names nothing", () => {
  assertThrows(
    () =>
      fillIn("<!-- a / b -->1<!-- -->", (marker) => {
        throw new RangeError(marker);
      }),
    RangeError,
    "a / b",
  );
});
