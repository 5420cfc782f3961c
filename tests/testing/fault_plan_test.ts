/**
 * What faults make of bytes, without a connection.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import {
  checkWhole,
  type FaultPlan,
  type Faults,
  faultsOf,
  FaultStream,
  randomFrom,
  SeededRandom,
} from "../../lib/testing/fault_plan.ts";
import { Random } from "../support/random.ts";
import { raw, unraw } from "../support/wire.ts";

/** What comes of chunks, in words; the bytes of a piece stand for themselves. */
function play(
  faults: Faults,
  chunks: readonly string[],
  seed = 1,
): string[] {
  const stream = new FaultStream(faults, new SeededRandom(seed));
  return ["", ...chunks].flatMap((chunk) =>
    Array.from(stream.pass(raw(chunk)), (step) => {
      switch (step.kind) {
        case "piece":
          return unraw(step.bytes);
        case "stall":
          return `(stall ${step.duration})`;
        default:
          return `(${step.kind})`;
      }
    })
  );
}

const CASES: [
  what: string,
  faults: Faults,
  chunks: string[],
  steps: string[],
][] = [
  ["passes bytes as they come without faults", {}, ["ab", "", "c"], [
    "ab",
    "c",
  ]],
  ["cuts to a length", { cuts: 2 }, ["abcde"], ["ab", "cd", "e"]],
  ["cuts at the same places, and where chunks end", { cuts: 2 }, [
    "abc",
    "de",
  ], ["ab", "c", "d", "e"]],
  ["cuts byte by byte", { cuts: 1 }, ["abc"], ["a", "b", "c"]],
  ["makes fifty pieces a second", { bandwidth: 100 }, ["abcde"], [
    "ab",
    "cd",
    "e",
  ]],
  ["makes pieces of a byte at the least", { bandwidth: 0.5 }, ["ab"], [
    "a",
    "b",
  ]],
  ["cuts as it was told whatever the bandwidth", { bandwidth: 100, cuts: 3 }, [
    "abcde",
  ], ["abc", "de"]],
  ["stalls for ever", { stall: { after: 2 } }, ["abc"], [
    "ab",
    "(stall Infinity)",
    "c",
  ]],
  ["stalls for a while", { stall: { after: 2, duration: 5 } }, ["ab"], [
    "ab",
    "(stall 5)",
  ]],
  ["resets before the first byte", { resetAfter: 0 }, [], ["(reset)"]],
  ["resets behind a chunk", { resetAfter: 3 }, ["ab", "c", "d"], [
    "ab",
    "c",
    "(reset)",
    "d",
  ]],
  ["half-closes inside a chunk", { halfCloseAfter: 1 }, ["ab"], [
    "a",
    "(halfClose)",
    "b",
  ]],
  [
    "does everything at one place, a stall first and a reset last",
    { resetAfter: 1, halfCloseAfter: 1, stall: { after: 1 } },
    ["ab"],
    ["a", "(stall Infinity)", "(halfClose)", "(reset)", "b"],
  ],
  ["loses bytes by position", { lost: { positions: [0, 3] } }, [
    "abc",
    "de",
  ], ["bc", "e"]],
  ["loses all bytes", { lost: { probability: 1 } }, ["abc", "d"], []],
  [
    "counts lost bytes in positions",
    {
      lost: { positions: [0, 1] },
      resetAfter: 3,
    },
    ["abcd"],
    ["c", "(reset)", "d"],
  ],
  ["cuts what is left", { lost: { positions: [1] }, cuts: 2 }, ["abcd"], [
    "ac",
    "d",
  ]],
];

for (const [what, faults, chunks, steps] of CASES) {
  Deno.test(`FaultStream ${what}`, () => {
    assertEquals(play(faults, chunks), steps);
  });
}

Deno.test("FaultStream makes another byte of each that it corrupts, and counts", () => {
  const bytes = new Random(3).bytes(2000);
  const all = new FaultStream(
    { corrupted: { probability: 1 } },
    new SeededRandom(3),
  );
  const pieces: Uint8Array[] = [];
  for (const step of all.pass(bytes.slice())) {
    if (step.kind === "piece") pieces.push(step.bytes);
  }
  const corrupted = concat(pieces);
  assertEquals(corrupted.length, bytes.length);
  assert(corrupted.every((byte, place) => byte !== bytes[place]));
  assertEquals([all.corrupted, all.lost, all.position], [2000, 0, 2000]);
  assertEquals(play({ corrupted: { positions: [1] } }, ["abc"])[0][0], "a");
  assertEquals(play({ corrupted: { positions: [1] } }, ["abc"])[0][2], "c");
});

Deno.test("FaultStream does the same to the same bytes wherever the chunks end", () => {
  const faults: Faults = {
    lost: { probability: 0.1 },
    corrupted: { probability: 0.1 },
    cuts: { min: 1, max: 9 },
  };
  for (let seed = 0; seed < 50; seed++) {
    const random = new Random(seed);
    const bytes = random.bytes(300, raw("abcdefgh"));
    const whole = play(faults, [unraw(bytes)], seed);
    const chunks = random.chunks(bytes).map(unraw);
    const cut = play(faults, chunks, seed);
    assertEquals(cut.join(""), whole.join(""), `seed ${seed}`);
    const ends = new Set(endsOf(cut));
    for (const end of endsOf(whole)) assert(ends.has(end), `seed ${seed}`);
  }
});

/** Behind how many bytes each piece ends. */
function endsOf(pieces: readonly string[]): number[] {
  let end = 0;
  return pieces.map((piece) => end += piece.length);
}

Deno.test("FaultStream draws for each kind of fault by itself", () => {
  const text = "abcdefgh".repeat(50);
  const lost = { probability: 0.2 };
  const corrupted = { probability: 0.2 };
  for (let seed = 0; seed < 20; seed++) {
    const about = `seed ${seed}`;
    const lossy = play({ lost }, [text], seed).join("");
    assertNotEquals(lossy, text, about);
    const cuts = { min: 1, max: 9 };
    assertEquals(play({ lost, cuts }, [text], seed).join(""), lossy, about);
    // A byte is corrupted to the same, whether others are lost or not.
    const damaged = play({ corrupted }, [text], seed).join("");
    assertNotEquals(damaged, text, about);
    const both = play({ corrupted, lost }, [text], seed).join("");
    assertEquals(both.length, lossy.length, about);
    assert(isWithin(both, damaged), about);
  }
});

/** Whether `part` is `whole` with characters left out. */
function isWithin(part: string, whole: string): boolean {
  let place = 0;
  for (const char of whole) if (char === part[place]) place++;
  return place === part.length;
}

Deno.test("FaultStream does other things for other seeds, and the same for the same", () => {
  const text = "abcdefgh".repeat(20);
  for (
    const faults of [
      { cuts: { min: 1, max: 50 } },
      { lost: { probability: 0.5 } },
      { corrupted: { probability: 0.5 } },
      { resetAfter: { min: 0, max: 150 } },
      { halfCloseAfter: { min: 0, max: 150 } },
      { stall: { after: { min: 0, max: 150 } } },
      { stall: { after: 1, duration: { min: 1, max: 1000 } } },
    ]
  ) {
    const runs = new Set<string>();
    for (let seed = 0; seed < 10; seed++) {
      const run = play(faults, [text], seed);
      assertEquals(play(faults, [text], seed), run, `seed ${seed}`);
      runs.add(run.join("|"));
    }
    assert(runs.size > 5, Deno.inspect(faults));
  }
});

Deno.test("FaultStream picks every length and place of a range", () => {
  const lengths = new Set<number>();
  const places = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const pieces = play({ cuts: { min: 2, max: 4 } }, ["abcdefgh"], seed);
    for (const piece of pieces.slice(0, -1)) lengths.add(piece.length);
    const steps = play({ resetAfter: { min: 0, max: 3 } }, ["abcdefgh"], seed);
    places.add(steps[0] === "(reset)" ? 0 : steps[0].length);
  }
  assertEquals([...lengths].toSorted(), [2, 3, 4]);
  assertEquals([...places].toSorted(), [0, 1, 2, 3]);
});

Deno.test("FaultStream gives each piece a latency of the range", () => {
  const stream = new FaultStream(
    { cuts: 1, latency: { min: 5, max: 6 } },
    new SeededRandom(1),
  );
  const latencies = Array.from(
    stream.pass(new Uint8Array(100)),
    (step) => step.kind === "piece" ? step.latency : NaN,
  );
  latencies.push(stream.endLatency());
  assert(latencies.every((latency) => latency >= 5 && latency <= 6));
  assert(new Set(latencies).size > 50);
});

Deno.test("faultsOf() gives both directions what is for both, and each its own in place of that", () => {
  const plan: FaultPlan = {
    cuts: 1,
    latency: 2,
    there: { cuts: 3 },
    back: { resetAfter: 4 },
  };
  assertEquals(faultsOf(plan), {
    there: { cuts: 3, latency: 2 },
    back: { cuts: 1, latency: 2, resetAfter: 4 },
  });
  assertEquals(faultsOf({}), { there: {}, back: {} });
});

const REFUSED: [faults: FaultPlan, message: string][] = [
  [
    { latency: -1 },
    "latency must be a finite number of milliseconds, not negative: it is -1",
  ],
  [{ latency: Infinity }, "latency must be a finite number"],
  [{ latency: { min: 3, max: 2 } }, "latency.max must be finite and not below"],
  [{ bandwidth: 0 }, "bandwidth must be more than 0 bytes a second: it is 0"],
  [{ bandwidth: NaN }, "bandwidth must be more than 0"],
  [{ cuts: 0 }, "cuts must be a whole number of at least 1: it is 0"],
  [{ cuts: { min: 1, max: 1.5 } }, "cuts.max must be a whole number"],
  [{ cuts: { min: 0, max: 1 } }, "cuts.min must be a whole number"],
  [{ stall: { after: -1 } }, "stall.after must be a whole number"],
  [{ stall: { after: 1, duration: -1 } }, "stall.duration must be a number"],
  [
    { stall: { after: 1, duration: { min: 1, max: Infinity } } },
    "stall.duration.max must be finite",
  ],
  [{ resetAfter: 0.5 }, "resetAfter must be a whole number of at least 0"],
  [{ halfCloseAfter: NaN }, "halfCloseAfter must be a whole number"],
  [{ lost: { probability: 1.1 } }, "lost.probability must be from 0 to 1"],
  [{ lost: { positions: [1, -1] } }, "lost.positions must be a whole number"],
  [{ corrupted: { probability: -0.1 } }, "corrupted.probability must be from"],
  [{ there: { cuts: 0 } }, "cuts must be a whole number"],
  [{ back: { cuts: 0 } }, "cuts must be a whole number"],
];

for (const [faults, message] of REFUSED) {
  Deno.test(`faultsOf() refuses ${Deno.inspect(faults)}`, () => {
    assertThrows(() => faultsOf(faults), RangeError, message);
  });
}

Deno.test("randomFrom() takes a seed, or any", () => {
  assertEquals(randomFrom(7).seed, 7);
  assertEquals(randomFrom(0).seed, 0);
  assertEquals(randomFrom(2 ** 32 - 1).seed, 2 ** 32 - 1);
  const seeds = Array.from({ length: 8 }, () => randomFrom(undefined).seed);
  assert(new Set(seeds).size > 1);
  for (const seed of seeds) assertEquals(randomFrom(seed).seed, seed);
  for (const seed of [-1, 0.5, NaN, 2 ** 32]) {
    assertThrows(
      () => randomFrom(seed),
      RangeError,
      `seed must be a whole number from 0 to 4294967295: it is ${seed}`,
    );
  }
});

Deno.test("SeededRandom spreads its numbers, and its forks are others", () => {
  const random = new SeededRandom(5);
  const counts = new Array(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[random.whole({ min: 0, max: 9 })]++;
  for (const count of counts) assert(count > 850 && count < 1150, `${counts}`);
  const seeds = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const parent = new SeededRandom(seed);
    for (let index = 0; index < 10; index++) {
      seeds.add(parent.fork(index).seed);
    }
    // What was drawn before makes no difference.
    const [before, drawn] = [parent.fork(3).seed, parent.fraction()];
    assertEquals(parent.fork(3).seed, before, `after ${drawn}`);
  }
  assertEquals(seeds.size, 1000);
});

Deno.test("checkWhole() gives back what is in range", () => {
  assertEquals(checkWhole("capacity", 1, 1), 1);
  assertThrows(
    () => checkWhole("target.port", 65_536, 1, 65_535),
    RangeError,
    "Cannot make faults: target.port must be a whole number from 1 to 65535: it is 65536",
  );
});
