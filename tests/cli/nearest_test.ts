/**
 * The word that somebody may have meant.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { didYouMean, nearest } from "../../cli/nearest.ts";
import { Random } from "../support/random.ts";

const OPTIONS = ["--count", "--codec", "--wait", "--max-connections", "--help"];

const CASES: readonly [name: string, word: string, meant?: string][] = [
  ["two letters swapped", "--cuont", "--count"],
  ["a letter left out", "--cont", "--count"],
  ["a letter too many", "--counts", "--count"],
  ["a wrong letter", "--coumt", "--count"],
  ["a hyphen too few", "-count", "--count"],
  ["the beginning of a long one", "--max", "--max-connections"],
  ["itself", "--wait", "--wait"],
  ["nothing like it", "--verbose"],
  ["nothing", ""],
  ["one letter, with which a word may well begin", "-"],
];

for (const [name, word, meant] of CASES) {
  Deno.test(`nearest() for ${name} finds ${meant ?? "nothing"}`, () => {
    assertEquals(nearest(word, OPTIONS), meant);
    assertEquals(
      didYouMean(word, OPTIONS),
      meant === undefined ? "" : `: did you mean ${meant}?`,
    );
  });
}

Deno.test("nearest() finds nothing among nothing, and the first of equals", () => {
  assertEquals(nearest("tap", []), undefined);
  assertEquals(nearest("bat", ["cat", "hat"]), "cat");
});

Deno.test("nearest() finds any word of five letters or more in which one was changed", () => {
  const random = new Random(11);
  const words = ["connect", "listen", "decode", "encode", "detect", "bench"];
  for (let i = 0; i < 500; i++) {
    const word = random.pick(words);
    const at = random.below(word.length);
    const letter = random.pick(["", "q", `${word[at]}z`]);
    const changed = word.slice(0, at) + letter + word.slice(at + 1);
    const meant = nearest(changed, words);
    // "decode" and "encode" are two changes apart, so that one may lead to either.
    const fine = meant === word ||
      /code$/.test(word) && /code$/.test(meant ?? "");
    assertEquals(fine, true, `seed ${random.seed}: ${changed} gave ${meant}`);
  }
});
