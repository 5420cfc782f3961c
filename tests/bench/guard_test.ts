import { assert, assertEquals } from "@std/assert";
import { type Figures, judge, type Row, SUITES } from "../../bench/guard.ts";

const ROW: Row = { of: "ours", against: "theirs", floor: 0.7, typical: 1 };

function figures(of: number[], against?: number[]): Figures {
  const found = new Map([["ours", of]]);
  if (against !== undefined) found.set("theirs", against);
  return found;
}

/** Judges a suite that is measured as told, and says how often it was. */
async function judged(
  ...attempts: Figures[]
): Promise<{ faults: string[]; lines: string[]; measured: number }> {
  const lines: string[] = [];
  let measured = 0;
  const faults = await judge(
    { title: "suite", rows: [ROW] },
    () => Promise.resolve(attempts[measured++]),
    (line) => lines.push(line),
  );
  return { faults, lines, measured };
}

Deno.test("judge() is content with a row that is above its floor", async () => {
  const { faults, measured } = await judged(figures([8], [10]));
  assertEquals(faults, []);
  assertEquals(measured, 1);
});

Deno.test("judge() takes the median of the ratios of each round", async () => {
  // One round was disturbed, and from round to round the machine got slower.
  const { faults, lines } = await judged(
    figures([90, 2, 9], [100, 50, 10]),
  );
  assertEquals(faults, []);
  assertEquals(lines, [
    " 0.900  suite: ours against theirs (floor 0.7, typical 1)",
  ]);
});

Deno.test("judge() measures a row that is too low once more", async () => {
  const { faults, measured } = await judged(
    figures([5], [10]),
    figures([8], [10]),
  );
  assertEquals(faults, []);
  assertEquals(measured, 2);
});

Deno.test("judge() says what is too low both times, and how far", async () => {
  const { faults, measured } = await judged(
    figures([5], [10]),
    figures([6], [10]),
  );
  assertEquals(faults, [
    "suite: ours against theirs is 0.600; floor 0.7, typical 1",
  ]);
  assertEquals(measured, 2);
});

Deno.test("judge() passes over what is compared with a program that is missing", async () => {
  const { faults, lines, measured } = await judged(figures([5]));
  assertEquals(faults, []);
  assertEquals(lines, ["     –  suite: ours against theirs, which is missing"]);
  assertEquals(measured, 1);
});

Deno.test("SUITES have floors that see a loss of a third and allow one of 15 %", () => {
  for (const { of, against, floor, typical } of SUITES.flatMap((s) => s.rows)) {
    const kept = floor / typical;
    assert(kept <= 0.85, `${of} against ${against} leaves no room for noise`);
    // The cost of the naive programs is the kernel's, and differs from machine to machine.
    assert(
      kept >= 2 / 3 || against === "deno naive",
      `${of} against ${against} sees no loss of a third`,
    );
  }
});
