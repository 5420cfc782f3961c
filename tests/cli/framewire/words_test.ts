/**
 * Lines as words.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { wordsOf } from "../../../cli/framewire/words.ts";
import { Random } from "../../support/random.ts";

const LATIN1 = new TextDecoder("latin1");

for (
  const [what, line, words] of [
    ["parts words at blanks", "SET  key\tvalue", ["SET", "key", "value"]],
    ["leaves out blanks around", "  PING ", ["PING"]],
    ["makes nothing of nothing", "   ", []],
    ["holds words together in double quotes", 'GET "two words"', [
      "GET",
      "two words",
    ]],
    ["holds words together in single quotes", "GET 'two words'", [
      "GET",
      "two words",
    ]],
    ["knows empty words", `SET "" ''`, ["SET", "", ""]],
    ["reads escapes in double quotes", String.raw`"\n\r\t\b\a\\\"\q"`, [
      '\n\r\t\b\x07\\"q',
    ]],
    ["reads bytes in double quotes", String.raw`"\xff\x00x"`, ["\xff\0x"]],
    [
      "reads no escape but that of the quote in single quotes",
      String.raw`'it\'s \n'`,
      [String.raw`it's \n`],
    ],
    ["leaves backslashes of bare words", String.raw`a\n`, [String.raw`a\n`]],
    ["keeps quotes inside bare words", `it's`, ["it's"]],
    ["has text in UTF-8", '"é"', ["\xc3\xa9"]],
  ] as const
) {
  Deno.test(`wordsOf() ${what}`, () => {
    assertEquals<unknown>(
      wordsOf(line).map((word) => LATIN1.decode(word)),
      words,
    );
  });
}

for (const line of ['GET "a', "GET 'a", 'GET "a"b', "'a'b", '"a\\"', '"']) {
  Deno.test(`wordsOf() refuses ${line}`, () => {
    assertThrows(() => wordsOf(line), SyntaxError, "quotes must be closed");
  });
}

Deno.test("wordsOf() ends for any line", () => {
  for (let seed = 0; seed < 2000; seed++) {
    const random = new Random(seed);
    const line = String.fromCharCode(
      ...Array.from(
        { length: random.below(20) },
        () => random.pick([32, 34, 39, 92, 97, 120, 49, 0xe9]),
      ),
    );
    try {
      wordsOf(line);
    } catch (error) {
      assertEquals(error instanceof SyntaxError, true, `seed ${seed}: ${line}`);
    }
  }
});
