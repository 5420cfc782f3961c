/**
 * What is said of a load.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  exitCodeOf,
  type LoadPlan,
  progressLine,
  remarks,
  reportJson,
  reportLines,
  rowsOf,
} from "../../../cli/framewire/bench_report.ts";
import { Histogram } from "../../../cli/framewire/histogram.ts";
import type { FaultKind, LoadStats } from "../../../cli/framewire/load.ts";

const PLAN: LoadPlan = {
  target: "127.0.0.1:65432",
  codec: "length:4",
  connections: 10,
  pipeline: 1,
  requestLength: 68,
  answers: 1,
  timeout: 5000,
};

/** A histogram of milliseconds. */
function histogramOf(values: Iterable<number>): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value * 1e6);
  return histogram;
}

const ANSWERED = Array.from({ length: 1000 }, (_, i) => 0.1 + i / 1000);

function statsOf(stats: Partial<LoadStats> = {}): LoadStats {
  const response = histogramOf(ANSWERED);
  return {
    sent: 1000,
    answered: 1000,
    failed: new Map(),
    unfinished: 0,
    notSent: 0,
    warmUp: 100,
    elapsed: 2000,
    open: 10,
    opened: 10,
    lost: new Map(),
    bytesOut: 68_000,
    bytesIn: 68_000,
    response,
    service: response,
    late: new Histogram(),
    cpu: 0.3,
    firstAnswer: "hello",
    firstIsError: false,
    ...stats,
  };
}

function lostBy(...kinds: FaultKind[]): LoadStats["lost"] {
  return new Map(kinds.map((kind) => [kind, { count: 1, message: kind }]));
}

Deno.test("reportLines() says what was done, how fast, how late, and draws it", () => {
  const lines = reportLines(PLAN, statsOf());
  assertEquals(lines.slice(0, 18), [
    "127.0.0.1:65432 (length:4): 10 connections with 1 request at a time, as fast as answers came, for 2.00 s",
    "",
    "  answered      1,000        500/s",
    "  out        66.4 KiB   33.2 KiB/s",
    "  in         66.4 KiB   33.2 KiB/s",
    "  of 1,000 requests sent, 0 failed; 100 requests before that to warm up",
    "  the first answer: hello",
    "",
    "             response",
    "  least        100 µs",
    "  mean         600 µs",
    "  50 %         599 µs",
    "  75 %         849 µs",
    "  90 %         999 µs",
    "  99 %        1.09 ms",
    "  99.9 %      1.10 ms",
    "  99.99 %     1.10 ms",
    "  greatest    1.10 ms",
  ]);
  assertEquals(lines.length, 18 + 1 + 16);
  assertEquals(
    lines.at(-1),
    "   946 µs –  1.10 ms  ██████████████████████████████         153    15.3 %",
  );
});

Deno.test("reportLines() has two times when there was a rate", () => {
  const service = histogramOf(ANSWERED.map((time) => time / 2));
  const stats = statsOf({ service });
  const lines = reportLines({ ...PLAN, rate: 500 }, stats);
  assert(lines[0].includes("500 requests/s asked for"));
  const head = lines.findIndex((line) => /response +service$/.test(line));
  assertEquals(lines[head + 1], "  least        100 µs     50 µs");
  assertEquals(lines[head + 9], "  greatest    1.10 ms    550 µs");
});

Deno.test("reportLines() can do with ASCII", () => {
  const stats = statsOf({ notSent: 5 });
  const text = reportLines({ ...PLAN, rate: 500 }, stats, true).join("\n");
  assertEquals(text.match(/[^\n -~]/g), null);
  assert(text.includes("  100 us - "), text);
  assert(text.includes(" ####"), text);
});

Deno.test("reportLines() names each kind of fault with what the first one said", () => {
  const lines = reportLines(
    PLAN,
    statsOf({
      sent: 1005,
      open: 7,
      failed: new Map([["reset", 4], ["timeout", 1]]),
      lost: new Map([
        ["reset", { count: 2, message: "the peer\nreset \x1b[31mit" }],
        ["timeout", { count: 1, message: "no answer within 5 ms" }],
      ]),
    }),
  );
  const head = lines.findIndex((line) => line.includes("fault"));
  assertEquals(lines.slice(head), [
    "  fault                 connections   requests",
    "  reset by the server             2          4   the peer\\nreset \\x1b[31mit",
    "  timed out                       1          1   no answer within 5 ms",
    "",
    "! requests that failed are not among the times",
    "! at the end 7 of 10 connections were left",
  ]);
  assert(lines.includes(
    "  of 1,005 requests sent, 5 failed; 100 requests before that to warm up",
  ));
});

Deno.test("reportLines() needs no answers", () => {
  const empty = new Histogram();
  const lines = reportLines(
    PLAN,
    statsOf({
      sent: 0,
      answered: 0,
      elapsed: 0,
      response: empty,
      service: empty,
      firstAnswer: undefined,
    }),
  );
  assertEquals(lines.length, 8);
  assert(lines[0].endsWith(", ended while it warmed up"), lines[0]);
  assert(!lines.join("\n").match(/NaN|Infinity|undefined/));
});

const REMARKS: [
  name: string,
  plan: Partial<LoadPlan>,
  Partial<LoadStats>,
  RegExp[],
][] = [
  ["nothing when all is well", {}, {}, []],
  ["nothing of a free core", { rate: 100 }, { cpu: 1 }, []],
  ["that it is busy itself", {}, { cpu: 0.98 }, [/itself used 98 % of a core/]],
  ["that the rate was not kept", { rate: 1000 }, { notSent: 1500 }, [
    /1,500 requests had been due and not sent, 1\.50 s behind/,
  ]],
  [
    "that it sent late by its own fault",
    { rate: 10 },
    { late: histogramOf([0, 0, 7]) },
    [/one request in a hundred 7\.00 ms and more too late/],
  ],
  ["that no connection was left", {}, { open: 0, lost: lostBy("closed") }, [
    /ended when no connection was left/,
  ]],
  [
    "that Deno is unfair to many connections",
    { connections: 1000, pipeline: 2 },
    { answered: 1000, service: histogramOf(Array(1000).fill(400)) },
    [/about 200 connections had/],
  ],
  [
    "nothing of many connections that are idle",
    { connections: 1000 },
    { answered: 1000, service: histogramOf(Array(1000).fill(200)) },
    [],
  ],
  [
    "that it ended while it warmed up",
    {},
    { sent: 0, answered: 0, elapsed: 0 },
    [/nothing was measured: it ended while it warmed up/],
  ],
  [
    "that nothing was sent in so short a time",
    {},
    { sent: 0, answered: 0, elapsed: 0.01 },
    [/nothing was measured: no request was sent in the time/],
  ],
  ["that nothing was answered", {}, { answered: 0, cpu: 1.4 }, [
    /nothing was measured: none of the requests was answered/,
  ]],
  ["that the answer is an error", {}, { firstIsError: true }, [
    /the first answer is an error: .*--line or --send/,
  ]],
  ["that failures have no times", {}, {
    failed: new Map([["closed", 1]]),
    lost: lostBy("closed"),
  }, [/failed are not among/]],
];

for (const [name, plan, stats, expected] of REMARKS) {
  Deno.test(`remarks() says ${name}`, () => {
    const said = remarks({ ...PLAN, ...plan }, statsOf(stats));
    assertEquals(said.length, expected.length, said.join("\n"));
    for (const [i, remark] of said.entries()) {
      assert(expected[i].test(remark), remark);
    }
  });
}

const EXITS: [answered: number, kinds: FaultKind[], code: number][] = [
  [10, [], 0],
  [0, [], 1],
  [10, ["reset"], 1],
  [10, ["timeout"], 1],
  [0, ["timeout"], 4],
  [0, ["timeout", "closed"], 1],
  [10, ["timeout", "framing"], 3],
  [0, ["framing"], 3],
  [0, ["unexpected"], 1],
];

for (const [answered, kinds, code] of EXITS) {
  Deno.test(`exitCodeOf() is ${code} after ${answered} answers and ${kinds.join(", ") || "no fault"}`, () => {
    assertEquals(
      exitCodeOf(statsOf({ answered, lost: lostBy(...kinds) })),
      code,
    );
  });
}

Deno.test("reportJson() has every figure, in milliseconds", () => {
  const json = reportJson(
    PLAN,
    statsOf({
      failed: new Map([["reset", 4]]),
      lost: new Map([["reset", { count: 2, message: "gone" }]]),
    }),
  );
  const { histogram, response, service, remarks, ...rest } = json;
  assertEquals<unknown>(rest, {
    target: "127.0.0.1:65432",
    codec: "length:4",
    pipeline: 1,
    rate: null,
    requestLength: 68,
    answers: 1,
    timeout: 5000,
    elapsed: 2000,
    connections: { asked: 10, opened: 10, open: 10 },
    requests: {
      warmUp: 100,
      sent: 1000,
      answered: 1000,
      failed: 4,
      unfinished: 0,
      notSent: 0,
    },
    throughput: { requests: 500, bytesOut: 34_000, bytesIn: 34_000 },
    bytesOut: 68_000,
    bytesIn: 68_000,
    sentLate: null,
    faults: { reset: { connections: 2, requests: 4, first: "gone" } },
    cpu: 0.3,
    firstAnswer: "hello",
  });
  assertEquals(service, response);
  assert(typeof response === "object" && response !== null);
  assertEquals(Object.keys(response), [
    "count",
    "min",
    "mean",
    "p50",
    "p75",
    "p90",
    "p99",
    "p99.9",
    "p99.99",
    "max",
  ]);
  assert("max" in response);
  assertEquals(response.max, 1.099);
  assert(Array.isArray(histogram) && histogram.length === 16);
  assert(Array.isArray(remarks) && remarks.length === 1);
  assertEquals(JSON.parse(JSON.stringify(json)), json);
});

const SPREADS: Record<string, number[]> = {
  "one value": [5],
  "two equal ones": [5, 5],
  "nothing but zeros": [0, 0],
  "a narrow heap": [10, 10.001, 10.002],
  "many orders": [0.000001, 1, 1000, 100_000_000],
  "a thousand": ANSWERED,
};

for (const [name, values] of Object.entries(SPREADS)) {
  Deno.test(`rowsOf() has a place for each of ${name}`, () => {
    const rows = rowsOf(histogramOf(values));
    const sum = rows.reduce((sum, { count }) => sum + count, 0);
    assertEquals(sum, values.length);
    assert(rows.length >= 1 && rows.length <= 16);
    for (const [i, { from, to }] of rows.entries()) {
      assert(from <= to);
      if (i > 0) assert(Math.abs(from - rows[i - 1].to) <= from * 1e-9);
    }
    assert(rows[0].count > 0);
    assert(rows[rows.length - 1].count > 0);
  });
}

Deno.test("progressLine() says how it goes", () => {
  const before = { answered: 900, elapsed: 1750 };
  assertEquals(
    progressLine(statsOf({ failed: new Map([["reset", 4]]) }), before),
    "2.00 s  400/s  1,000 answered  50 % 599 µs  99 % 1.09 ms  4 failed",
  );
  assertEquals(
    progressLine(statsOf({ elapsed: 0 }), { answered: 0, elapsed: 0 }),
    "warming up: 10 connections, 100 requests",
  );
});
