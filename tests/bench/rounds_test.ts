import { assertEquals } from "@std/assert";
import {
  inRounds,
  median,
  ratios,
  rotated,
  spread,
} from "../../bench/rounds.ts";

Deno.test("median() is the middle one, or the mean of the two in the middle", () => {
  assertEquals(median([10, 9, 100]), 10);
  assertEquals(median([100, 9]), 54.5);
  assertEquals(median([7]), 7);
  assertEquals(median([]), NaN);
});

Deno.test("median() leaves its numbers as they are", () => {
  const values = [3, 1, 2];
  median(values);
  assertEquals(values, [3, 1, 2]);
});

Deno.test("spread() has the least and the most, too", () => {
  assertEquals(spread([10, 9, 100]), { median: 10, min: 9, max: 100 });
  assertEquals(spread([]), undefined);
});

Deno.test("rotated() has another one first each time", () => {
  const rounds = [0, 1, 2, 3].map((round) =>
    rotated(["a", "b", "c"], round).join("")
  );
  assertEquals(rounds, ["abc", "bca", "cab", "abc"]);
  assertEquals(rotated([], 3), []);
});

Deno.test("inRounds() runs every contender once a round, one after the other", async () => {
  const ran: string[] = [];
  let running = 0;
  await inRounds(["a", "b"], 3, async (name, round) => {
    assertEquals(++running, 1);
    await Promise.resolve();
    ran.push(`${round}${name}`);
    running--;
  });
  assertEquals(ran, ["0a", "0b", "1b", "1a", "2a", "2b"]);
});

Deno.test("ratios() leaves out the rounds in which one of them failed", () => {
  assertEquals(ratios([10, 20, undefined, 40], [5, undefined, 3, 4]), [2, 10]);
  assertEquals(ratios([1, 2], []), []);
});
