import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  chartsOf,
  figureFor,
  formatBytes,
  formatRate,
  formatTime,
  type Implementation,
  NOTHING_RAN,
  outcomeOf,
  pageOf,
  pooled,
  reportOf,
  type Run,
  type Sample,
  type Suite,
  suiteTable,
  type Target,
  targetTable,
} from "../../bench/report.ts";

/** A sample of so many ns for each of 1,000 frames. */
function sample(ns: number, rest: Partial<Sample> = {}): Sample {
  return { ns: ns * 1000, count: 1000, bytes: 64_000, ...rest };
}

function row(name: string, samples: Sample[]): Implementation {
  const missing = samples.length === 0 ? "install it" : null;
  const label = name.startsWith("framewire") ? "Framewire" : `label of ${name}`;
  return { name, label, missing, samples };
}

function target(rest: Partial<Target> = {}): Target {
  return {
    of: "framewire try",
    against: "c",
    measure: "rate",
    compare: "at least",
    value: 0.5,
    median: 0.6,
    met: true,
    note: null,
    ...rest,
  };
}

function suite(
  implementations: Implementation[],
  targets: Target[] = [],
): Suite {
  const what = "Frames arrive.";
  return {
    name: "receive-64",
    title: "Receive",
    what,
    implementations,
    targets,
  };
}

function runOf(run: number, ...suites: Suite[]): Run {
  const machine = { cpu: "a processor", cores: 2, kernel: "6.1" };
  return {
    run,
    date: "2025-11-21",
    machine,
    versions: { deno: "2.9.6" },
    suites,
  };
}

/** The cells of a table, without the line below its head. */
function cells(table: string): string[][] {
  return table.split("\n").filter((_, i) => i !== 1)
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

Deno.test("formatRate() and the others take the largest unit that fits", () => {
  assertEquals(
    [1, 999, 999.9, 1000, 18_349_000, 215_000].map(formatRate),
    ["1.00 /s", "999 /s", "1.00 k/s", "1.00 k/s", "18.3 M/s", "215 k/s"],
  );
  assertEquals(
    [62_100, 999_999, 3e9].map(formatTime),
    ["62.1 µs", "1.00 ms", "3.00 s"],
  );
  assertEquals(
    [478, 10_240, 296 * 1024 ** 2].map(formatBytes),
    ["478 B", "10.0 KiB", "296 MiB"],
  );
});

Deno.test("suiteTable() ranks by the median, whatever the order and the outliers", () => {
  const table = suiteTable(suite([
    row("slow", [sample(200), sample(10), sample(200)]),
    row("fast", [sample(100), sample(900), sample(100)]),
  ]));
  assertEquals(cells(table).slice(1), [
    ["fast", "10.0 M/s", "1.11 M/s to 10.0 M/s", "100"],
    ["slow", "5.00 M/s", "5.00 M/s to 100 M/s", "200"],
  ]);
});

Deno.test("suiteTable() takes the median of the ratios of each round", () => {
  // The machine got slower from round to round: the medians' ratio is 0.67.
  const table = suiteTable(suite([
    row("framewire try", [sample(200), sample(300), sample(900)]),
    row("c", [sample(100), sample(200), sample(450)]),
  ], [target()]));
  assertEquals(cells(table).map((line) => line.at(-1)), [
    "× c",
    "1.00",
    "0.500",
  ]);
});

Deno.test("suiteTable() has columns only for what was measured", () => {
  const latency = {
    p50: 1e3,
    p75: 2e3,
    p90: 3e3,
    p99: 4e3,
    p999: 5e3,
    max: 6e3,
  };
  const bare = suiteTable(suite([row("c", [sample(100)])]));
  assertEquals(cells(bare)[0].includes("p99"), false);
  const full = suiteTable(suite([
    row("c", [sample(100, { latency, cpuNs: 50_000 })]),
    row("node", [sample(200)]),
  ]));
  assertEquals(cells(full), [
    [
      "implementation",
      "median",
      "min to max",
      "ns/frame",
      "CPU ns/frame",
      "p50",
      "p99",
      "p99.9",
    ],
    [
      "c",
      "10.0 M/s",
      "10.0 M/s to 10.0 M/s",
      "100",
      "50.0",
      "1.00 µs",
      "4.00 µs",
      "5.00 µs",
    ],
    ["node", "5.00 M/s", "5.00 M/s to 5.00 M/s", "200", "–", "–", "–", "–"],
  ]);
});

Deno.test("suiteTable() gives time and peak memory where time is the target", () => {
  const table = suiteTable(suite(
    [row("framewire try", [sample(3e5, { peakRss: 292 * 1024 ** 2 })])],
    [target({ measure: "time", compare: "at most" })],
  ));
  assertEquals(cells(table)[1].slice(1), [
    "300 ms",
    "300 ms to 300 ms",
    "292 MiB",
  ]);
});

Deno.test("suiteTable() gives memory for each connection, least first", () => {
  const held = (bytes: number) =>
    sample(1, { rss: 1000 + 10 * bytes, rssBefore: 1000, connections: 10 });
  const table = suiteTable(
    suite([row("a", [held(4096)]), row("b", [held(512)])]),
  );
  assertEquals(cells(table).slice(1).map(([name, value]) => [name, value]), [
    ["b", "512 B"],
    ["a", "4.00 KiB"],
  ]);
});

Deno.test("suiteTable() gives how time grows where there are two times", () => {
  const table = suiteTable(suite([
    row("bad", [sample(1, { ns2: 4000 })]),
    row("good", [sample(1, { ns2: 2010 })]),
  ]));
  assertEquals(cells(table).slice(1).map(([name, value]) => [name, value]), [
    ["good", "2.01"],
    ["bad", "4.00"],
  ]);
});

Deno.test("suiteTable() marks framewire's rows, also in a program with others", () => {
  const label = "Framewire and JSON";
  const table = suiteTable(suite([
    { ...row("decode", [sample(2)]), label },
    { ...row("JSON.parse", [sample(1)]), label },
  ]));
  assertEquals(cells(table).slice(1).map(([name]) => name), [
    "JSON.parse",
    "**decode**",
  ]);
});

Deno.test("pooled() puts the rounds of all runs at the same places of all rows", () => {
  const [all] = pooled([
    runOf(1, suite([row("a", [sample(1)]), row("b", [sample(2)])])),
    runOf(2, suite([row("a", []), row("b", [sample(3), sample(4)])])),
  ]);
  assertEquals(
    all.implementations.map(({ samples }) =>
      samples.map((sample) => sample && sample.ns / 1000)
    ),
    [[1, undefined, undefined], [2, 3, 4]],
  );
  assertEquals(all.implementations.map(({ missing }) => missing), [null, null]);
});

Deno.test("outcomeOf() asks for two of three runs", () => {
  assertEquals(outcomeOf([true, false, true]), "reached (2 of 3)");
  assertEquals(outcomeOf([true, false, false]), "**SHORT** (1 of 3)");
  assertEquals(outcomeOf([true]), "reached (1 of 1)");
  assertEquals(outcomeOf([true, false]), "**SHORT** (1 of 2)");
  assertEquals(outcomeOf([null, true, null]), "reached (1 of 1)");
  assertEquals(outcomeOf([null, null]), "peer missing");
});

Deno.test("targetTable() has the figure of every run, in bold where it falls short", () => {
  const rows = [row("framewire try", [sample(1)])];
  const table = targetTable([
    runOf(1, suite(rows, [target()])),
    runOf(2, suite(rows, [target({ median: 0.41, met: false })])),
    runOf(3, suite(rows, [target({ median: null, met: null })])),
  ]);
  assertEquals(cells(table)[1].slice(3), [
    "rate ≥ 0.50",
    "0.60",
    "**0.41**",
    "–",
    "**SHORT** (1 of 2)",
  ]);
});

Deno.test("targetTable() tells what failed from what is missing", () => {
  const table = targetTable([
    runOf(1, suite([], [target({ median: null, met: false })])),
    runOf(2, suite([], [target({ median: null, met: null })])),
  ]);
  assertEquals(cells(table)[1].slice(4), [
    "**failed**",
    "–",
    "**SHORT** (0 of 1)",
  ]);
});

Deno.test("targetTable() writes what is compared with nothing in its unit", () => {
  const memory = target({
    against: null,
    measure: "bytes per connection",
    compare: "at most",
    value: 10_240,
    median: 9000,
  });
  const table = targetTable([runOf(1, suite([], [memory]))]);
  assertEquals(cells(table)[1].slice(2), [
    "–",
    "bytes per connection ≤ 10.0 KiB",
    "8.79 KiB",
    "reached (1 of 1)",
  ]);
});

Deno.test("reportOf() says what is missing and what was tried where it falls short", () => {
  const short = target({ median: 0.4, met: false, note: "larger slabs" });
  const report = reportOf([runOf(
    1,
    suite([row("framewire try", [sample(1)]), row("netty", [])], [short]),
  )]);
  assertStringIncludes(report, "- netty did not run: install it");
  assertStringIncludes(
    report,
    "- Receive, framewire try against c: larger slabs",
  );
  assertStringIncludes(report, "![Receive](charts/receive-64.svg)");
});

Deno.test("chartsOf() draws bars for every suite that ran, and curves where there are latencies", () => {
  const latency = {
    p50: 1e3,
    p75: 2e3,
    p90: 3e3,
    p99: 4e3,
    p999: 5e3,
    max: 6e3,
  };
  const ping = suite([row("c", [sample(1, { latency })])]);
  const charts = chartsOf([runOf(
    1,
    suite([row("c", [sample(1)])]),
    { ...ping, name: "ping" },
    { ...suite([row("c", [])]), name: "nothing" },
  )]);
  assertEquals([...charts.keys()], [
    "receive-64.svg",
    "ping.svg",
    "ping-latency.svg",
  ]);
  assertStringIncludes(charts.get("ping-latency.svg") ?? "", ">99.9 %<");
});

/** What was measured of a row in so many rounds. */
function figureOf(
  what: string,
  of: Partial<Sample>[],
  against: number[] = [],
): string {
  const rows = [
    row("framewire try", of.map((rest) => sample(55, rest))),
    row("c", against.map((ns) => sample(ns))),
  ];
  return figureFor(
    [NOTHING_RAN, runOf(1, suite(rows))],
    `receive-64 / framewire try / ${what}`,
  );
}

Deno.test("figureFor() gives the median of all rounds in the unit that is named", () => {
  const ns = [58_000, 55_500, 20_000].map((ns) => ({ ns }));
  const latency = { p50: 62_100, p75: 1, p90: 1, p99: 1, p999: 1, max: 1 };
  const held = { rss: 2048_000, rssBefore: 0, connections: 1000 };
  const cases: [string, Partial<Sample>[], string][] = [
    ["ns", ns, "56"],
    ["ns", [{ ns: 3_558_100 }], "3,558"],
    ["µs", [{ ns: 29_502_300 }], "29.5"],
    ["ms", [{ ns: 212_974_377, count: 1 }], "213"],
    ["rate", ns, "18.0 M/s"],
    ["p50", [{ latency }], "62.1 µs"],
    ["MiB", [{ peakRss: 292 * 1024 ** 2 }], "292"],
    ["bytes per connection", [held], "2.00 KiB"],
  ];
  for (const [what, samples, figure] of cases) {
    assertEquals(figureOf(what, samples), figure, what);
  }
});

Deno.test("figureFor() divides round by round", () => {
  // The machine got slower from round to round: the medians' ratio is 1.50.
  const own = [{ ns: 200_000 }, { ns: 300_000 }, { ns: 900_000 }];
  assertEquals(figureOf("ns over c", own, [100, 200, 450]), "2.0");
  assertEquals(figureOf("rate over c", own, [100, 200, 450]), "0.50");
  assertEquals(figureOf("rate over c", own, [9000, 9000, 90_000]), "45");
});

Deno.test("figureFor() takes the rounds of all runs", () => {
  const runs = [10, 20, 90].map((ns, i) =>
    runOf(i, suite([row("c", [sample(ns)])]))
  );
  assertEquals(figureFor(runs, "receive-64 / c / ns"), "20");
});

Deno.test("figureFor() gives the median of a target over all runs", () => {
  const found = [2.01, 2.4, null, 2.05].map((median, i) =>
    runOf(
      i,
      suite([], [
        target({
          of: "every codec",
          against: null,
          measure: "time(2n) / time(n)",
          median,
        }),
        target({ median }),
      ]),
    )
  );
  assertEquals(
    figureFor(
      found,
      "receive-64 / every codec / target time(2n) / time(n)",
    ),
    "2.05",
  );
  assertEquals(
    figureFor(found, "receive-64 / framewire try / target rate over c"),
    "2.05",
  );
});

Deno.test("figureFor() gives a dash for what was not measured", () => {
  for (
    const marker of [
      "receive-64 / framewire try / ns",
      "receive-64 / framewire try / rate over c",
      "receive-64 / framewire try / target rate over c",
      "idle / framewire / bytes per connection",
    ]
  ) {
    assertEquals(figureFor([NOTHING_RAN], marker), "–", marker);
  }
  assertEquals(figureOf("ns over c", [{}]), "–");
  assertEquals(figureOf("MiB", [{ peakRss: null }]), "–");
});

Deno.test("figureFor() refuses a marker that names nothing", () => {
  const cases = [
    ["recieve-64 / c / ns", 'Cannot find suite "recieve-64"'],
    ["receive-64 / d / ns", 'Cannot find a row of "receive-64" "d"'],
    ["receive-64 / c / ns over d", 'Cannot find a row of "receive-64" "d"'],
    ["receive-64 / c / seconds", 'Cannot find figure "seconds"'],
    ["receive-64 / c / toString", 'Cannot find figure "toString"'],
    ["receive-64 / c", 'Cannot find figure ""'],
    [
      "receive-64 / c / target rate over node",
      'Cannot find a target of "c" in "receive-64": rate over node',
    ],
  ];
  for (const [marker, message] of cases) {
    assertThrows(
      () => figureFor([NOTHING_RAN], marker),
      RangeError,
      message,
      marker,
    );
  }
});

Deno.test("pageOf() fills in what the runs have, and dashes for the rest", () => {
  const run = runOf(1, suite([row("c", [sample(18)])]));
  const page =
    "<!-- receive-64 / c / ns -->7<!-- -->, <!-- idle / node / MiB -->7<!-- -->";
  assertEquals(
    pageOf(page, [run]),
    "<!-- receive-64 / c / ns -->18<!-- -->, <!-- idle / node / MiB -->–<!-- -->",
  );
});
