/**
 * Values as Python prints them. The literals are what CPython 3 prints.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { oneLine, pythonLiteral } from "../../cli/python_literal.ts";

for (
  const [json, literal] of [
    ["null", "None"],
    ["true", "True"],
    ["false", "False"],
    ["0", "0"],
    ["-1.5", "-1.5"],
    ['""', "''"],
    ['"ring"', "'ring'"],
    ['"Follow the white rabbit. 🐰"', "'Follow the white rabbit. 🐰'"],
    [`"it's"`, `"it's"`],
    [String.raw`"say \"hi\""`, `'say "hi"'`],
    [String.raw`"it's \"hi\""`, String.raw`'it\'s "hi"'`],
    [String.raw`"a\\b"`, String.raw`'a\\b'`],
    [String.raw`"\t\n\r"`, String.raw`'\t\n\r'`],
    [
      String.raw`"\u0000\u001b\u007f\u0085\u00a0\u00ad"`,
      String.raw`'\x00\x1b\x7f\x85\xa0\xad'`,
    ],
    [
      String.raw`"\u200b\u2028\u3000\ue000\ufeff"`,
      String.raw`'\u200b\u2028\u3000\ue000\ufeff'`,
    ],
    [String.raw`"\ud83d"`, String.raw`'\ud83d'`],
    [String.raw`"\udbff\udfff"`, String.raw`'\U0010ffff'`],
    ["[]", "[]"],
    ["{}", "{}"],
    ['[1, [true, null], "x"]', "[1, [True, None], 'x']"],
    [
      '{"action": "search", "value": "🐶"}',
      "{'action': 'search', 'value': '🐶'}",
    ],
    [`{"it's": {"a": [{}]}}`, `{"it's": {'a': [{}]}}`],
  ]
) {
  Deno.test(`pythonLiteral() writes ${json}`, () => {
    assertEquals(pythonLiteral(JSON.parse(json)), literal);
  });
}

Deno.test("oneLine() leaves printable text as it is", () => {
  const text = `got result: it's "🐾 Playing ball! 🏐" \\ é`;
  assertEquals(oneLine(text), text);
});

Deno.test("oneLine() keeps text on one line and from steering the terminal", () => {
  assertEquals(
    oneLine("a\nb\r\u001b[2J\u0000\u0085\u2028\u009b"),
    String.raw`a\nb\r\x1b[2J\x00\x85\u2028\x9b`,
  );
});
