/**
 * Writes `bench/REPORT.md` and `bench/charts/` from the results of `deno task bench:peers`, and fills them in
 * where `docs/performance.md` marks a figure.
 *
 *     results/run-1.json ─┐              ┌─► REPORT.md: targets, and a table for each suite
 *     results/run-2.json ─┼─► all rounds ┼─► charts/: bars for each suite, curves of latency where there are any
 *     results/run-3.json ─┘              └─► docs/performance.md: single figures
 *
 * Every figure comes from these files.
 *
 * @module
 */

import { barChart, curveChart } from "./chart.ts";
import { fillIn } from "./fill_in.ts";
import { median, ratios } from "./rounds.ts";
import { SUITES } from "./suites.ts";

/** How long round trips took: so many ns or less for so many of them. */
export interface Latency {
  p50: number;
  p75: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/** What one implementation did in one round. */
export interface Sample {
  ns: number;
  /** The time for twice as many bytes. */
  ns2?: number;
  count: number;
  bytes?: number | null;
  cpuNs?: number | null;
  peakRss?: number | null;
  rss?: number | null;
  rssBefore?: number | null;
  connections?: number | null;
  latency?: Latency | null;
}

/** One row of a suite. */
export interface Implementation {
  name: string;
  label: string;
  /** Why it did not run, and what to install. */
  missing: string | null;
  /** One for each round in which it ran. */
  samples: readonly (Sample | null | undefined)[];
}

/** What is to be reached, and what was. */
export interface Target {
  of: string;
  /** What it is compared with; `null` for a figure that stands for itself. */
  against: string | null;
  measure: string;
  compare: "at least" | "at most";
  value: number;
  /** The figure that is compared; `null` if there is none. */
  median: number | null;
  /** Whether it was reached, which it is not if something failed; `null` if the peer is missing. */
  met: boolean | null;
  /** What was tried, where it was not. */
  note?: string | null;
}

/** One workload and all that ran it. */
export interface Suite {
  name: string;
  title: string;
  what: string;
  implementations: readonly Implementation[];
  targets: readonly Target[];
}

/** One results file. */
export interface Run {
  run: number;
  date: string;
  machine: { cpu: string; cores: number; kernel: string };
  versions: Readonly<Record<string, string | null>>;
  suites: readonly Suite[];
}

/** What was measured of an implementation in one round. */
type Figure = (sample: Sample) => number | undefined;

/** What a suite is about, and how its figures are written. */
interface Kind {
  /** What a figure is. */
  unit: string;
  of: Figure;
  format: (value: number) => string;
  better: "more" | "less";
}

const PERCENTILES = [50, 75, 90, 99, 99.9];

/** Three digits of a number, or all that it has before the point. */
function digits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 100
    ? Math.round(value).toLocaleString("en")
    : rounded === 0
    ? "0"
    : value.toPrecision(3);
}

type Unit = [factor: number, name: string];

/** A formatter that takes the largest unit of which there is at least one. */
function inUnits(first: Unit, ...others: Unit[]): (value: number) => string {
  return (value) => {
    const rounded = Number(value.toPrecision(3));
    const [factor, name] = others.findLast(([factor]) => rounded >= factor) ??
      first;
    return `${digits(value / factor)} ${name}`;
  };
}

/** Writes a rate, as 18.3 M/s. */
export const formatRate: (perSecond: number) => string = inUnits(
  [1, "/s"],
  [1e3, "k/s"],
  [1e6, "M/s"],
);

/** Writes a duration, as 62.1 µs. */
export const formatTime: (ns: number) => string = inUnits(
  [1, "ns"],
  [1e3, "µs"],
  [1e6, "ms"],
  [1e9, "s"],
);

/** Writes an amount of memory, as 296 MiB. */
export const formatBytes: (bytes: number) => string = inUnits(
  [1, "B"],
  [1024, "KiB"],
  [1024 ** 2, "MiB"],
);

const RATE: Kind = {
  unit: "frames per second",
  of: ({ ns, count }) => count / ns * 1e9,
  format: formatRate,
  better: "more",
};
const TIME: Kind = {
  unit: "time",
  of: ({ ns }) => ns,
  format: formatTime,
  better: "less",
};
const MEMORY: Kind = {
  unit: "memory per connection",
  of: ({ rss, rssBefore, connections }) =>
    rss != null && rssBefore != null && connections
      ? (rss - rssBefore) / connections
      : undefined,
  format: formatBytes,
  better: "less",
};

const GROWTH: Kind = {
  unit: "time for 2n bytes over the time for n",
  of: ({ ns, ns2 }) => ns2 === undefined ? undefined : ns2 / ns,
  format: (value) => value.toFixed(2),
  better: "less",
};

function samplesOf(suite: Suite): Sample[] {
  return suite.implementations.flatMap(({ samples }) => samples)
    .filter((sample) => sample != null);
}

/** What a suite is about: what its samples have that others have not, time if that is its target, else the rate. */
function kindOf(suite: Suite): Kind {
  const special = [MEMORY, GROWTH].find(({ of }) =>
    samplesOf(suite).some((sample) => of(sample) !== undefined)
  );
  if (special !== undefined) return special;
  return suite.targets.some(({ measure }) => measure === "time") ? TIME : RATE;
}

/** Whether a row is framewire's; a program that times itself may have others beside it. */
function isOurs({ name, label }: Implementation): boolean {
  return label.startsWith("Framewire") && !/^(std |JSON\.)/.test(name);
}

/** The same suite of several runs as one: an implementation has the rounds of all. */
export function pooled(runs: readonly Pick<Run, "suites">[]): Suite[] {
  const suites = new Map<string, Suite[]>();
  for (const suite of runs.flatMap(({ suites }) => suites)) {
    suites.set(suite.name, [...suites.get(suite.name) ?? [], suite]);
  }
  return [...suites.values()].map((parts) => {
    const rounds = parts.map(({ implementations }) =>
      Math.max(0, ...implementations.map(({ samples }) => samples.length))
    );
    const rows = new Map(
      parts.flatMap(({ implementations }) => implementations)
        .map((row) => [row.name, row]),
    );
    const implementations = [...rows.values()].map((row) => {
      const found = parts.map(({ implementations }) =>
        implementations.find(({ name }) => name === row.name)
      );
      // A run without it leaves a gap, so that all rows have the same rounds at the same places.
      const samples = found.flatMap((one, i) =>
        Array.from({ length: rounds[i] }, (_, round) => one?.samples[round])
      );
      const missing = found.every((one) => !one || one.samples.length === 0)
        ? row.missing ?? "it did not run"
        : null;
      return { ...row, missing, samples };
    });
    return {
      ...parts[parts.length - 1],
      implementations,
    };
  });
}

/** What was measured of a row in each round. */
function perRound(row: Implementation, of: Figure): (number | undefined)[] {
  return row.samples.map((sample) => sample == null ? undefined : of(sample));
}

/** The figures of all rounds that have one. */
function figures(row: Implementation, of: Figure): number[] {
  return perRound(row, of).filter((value) => value !== undefined);
}

/** A table in Markdown, its columns aligned. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((title, i) =>
    Math.max(3, title.length, ...rows.map((row) => row[i].length))
  );
  const lay = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const line = widths.map((width) => "-".repeat(width));
  return [lay(head), lay(line), ...rows.map(lay)].join("\n");
}

/** The rows of a suite that ran, the best first. */
function ranked(suite: Suite, kind: Kind): Implementation[] {
  const sign = kind.better === "more" ? -1 : 1;
  return suite.implementations
    .filter((row) => figures(row, kind.of).length > 0)
    .toSorted((a, b) =>
      sign * (median(figures(a, kind.of)) - median(figures(b, kind.of)))
    );
}

/** A column of a table of a suite: the cell of each row, if there is one. */
interface Column {
  title: string;
  cell: (row: Implementation) => string | undefined;
}

function medianColumn(
  title: string,
  of: Figure,
  format: (value: number) => string,
): Column {
  return {
    title,
    cell: (row) => {
      const values = figures(row, of);
      return values.length > 0 ? format(median(values)) : undefined;
    },
  };
}

/** The table of one suite: what was measured, and the ratios to what its targets name. */
export function suiteTable(suite: Suite): string {
  const kind = kindOf(suite);
  const rows = ranked(suite, kind);
  const named = new Set(suite.targets.map(({ against }) => against));
  const columns: Column[] = [
    {
      title: "implementation",
      cell: (row) => isOurs(row) ? `**${row.name}**` : row.name,
    },
    medianColumn("median", kind.of, kind.format),
    {
      title: "min to max",
      cell: (row) => {
        const values = figures(row, kind.of);
        const [min, max] = [Math.min(...values), Math.max(...values)];
        return `${kind.format(min)} to ${kind.format(max)}`;
      },
    },
    ...kind === RATE
      ? [
        medianColumn("ns/frame", ({ ns, count }) => ns / count, digits),
        medianColumn(
          "CPU ns/frame",
          ({ cpuNs, count }) => cpuNs == null ? undefined : cpuNs / count,
          digits,
        ),
      ]
      : [],
    ...kind === TIME
      ? [
        medianColumn(
          "peak memory",
          ({ peakRss }) => peakRss ?? undefined,
          formatBytes,
        ),
      ]
      : [],
    medianColumn("p50", ({ latency }) => latency?.p50, formatTime),
    medianColumn("p99", ({ latency }) => latency?.p99, formatTime),
    medianColumn("p99.9", ({ latency }) => latency?.p999, formatTime),
    ...rows.filter(({ name }) => named.has(name)).map((base): Column => ({
      title: `× ${base.name}`,
      cell: (row) => {
        const found = ratios(perRound(row, kind.of), perRound(base, kind.of));
        return found.length > 0 ? digits(median(found)) : undefined;
      },
    })),
  ];
  const full = columns.filter(({ cell }) =>
    rows.some((row) => cell(row) !== undefined)
  );
  return table(
    full.map(({ title }) => title),
    rows.map((row) => full.map(({ cell }) => cell(row) ?? "–")),
  );
}

/** A target without what was found. */
function keyOf(suite: string, target: Target): string {
  const { of, against, measure, compare, value } = target;
  return JSON.stringify([suite, of, against, measure, compare, value]);
}

/** The figure of a target: a ratio, or what is compared with nothing. */
function formatFigure({ against, measure }: Target, value: number): string {
  if (against !== null) return value.toFixed(2);
  return measure.includes("bytes") ? formatBytes(value) : digits(value);
}

/** What is to be said of a target after all runs: it is reached if two of three runs reached it. */
export function outcomeOf(found: readonly (boolean | null)[]): string {
  const measured = found.filter((met) => met !== null);
  if (measured.length === 0) return "peer missing";
  const met = measured.filter((met) => met).length;
  const count = `${met} of ${measured.length}`;
  return 3 * met >= 2 * measured.length
    ? `reached (${count})`
    : `**SHORT** (${count})`;
}

interface Row {
  suite: Suite;
  target: Target;
  /** What each run found, in the order of the runs. */
  found: (Target | undefined)[];
}

/** All targets of all runs, each once. */
function targetsOf(runs: readonly Run[]): Row[] {
  const rows = new Map<string, Row>();
  runs.forEach(({ suites }, run) => {
    for (const suite of suites) {
      for (const target of suite.targets) {
        const key = keyOf(suite.name, target);
        const row: Row = rows.get(key) ??
          { suite, target, found: runs.map(() => undefined) };
        row.found[run] = target;
        row.target = target; // the last one, for its note
        rows.set(key, row);
      }
    }
  });
  return [...rows.values()];
}

/** The table of targets, with the figure of every run. */
export function targetTable(runs: readonly Run[]): string {
  const head = [
    "workload",
    "what",
    "against",
    "target",
    ...runs.map(({ run }) => `run ${run}`),
    "outcome",
  ];
  const rows = targetsOf(runs).map(({ suite, target, found }) => {
    const { of, against, measure, compare, value } = target;
    const sign = compare === "at least" ? "≥" : "≤";
    return [
      suite.title,
      of,
      against ?? "–",
      `${measure} ${sign} ${formatFigure(target, value)}`,
      ...found.map((one) => {
        if (one === undefined || one.met === null) return "–";
        if (one.median === null) return "**failed**";
        const figure = formatFigure(one, one.median);
        return one.met ? figure : `**${figure}**`;
      }),
      outcomeOf(found.map((one) => one?.met ?? null)),
    ];
  });
  return table(head, rows);
}

function versionTable(runs: readonly Run[]): string {
  const names = [
    ...new Set(runs.flatMap(({ versions }) => Object.keys(versions))),
  ];
  return table(
    ["", ...runs.map(({ run }) => `run ${run}`)],
    [
      ["date", ...runs.map(({ date }) => date)],
      ["processor", ...runs.map(({ machine }) => machine.cpu)],
      ["cores", ...runs.map(({ machine }) => String(machine.cores))],
      ["kernel", ...runs.map(({ machine }) => machine.kernel)],
      ...names.map((name) => [
        name,
        ...runs.map(({ versions }) => versions[name] ?? "not installed"),
      ]),
    ],
  );
}

/** What the others are written on. */
function peerTable(runs: readonly Run[]): string {
  const labels = new Map<string, string>();
  const rows = runs.flatMap(({ suites }) => suites)
    .flatMap(({ implementations }) => implementations);
  for (const { name, label } of rows) {
    if (label.startsWith("Framewire") || labels.has(name)) continue;
    labels.set(name, label);
  }
  return table(["name", "what it is"], [...labels]);
}

/** How many rounds the figures of a suite are from. */
function roundsOf(suite: Suite): number {
  return Math.max(
    0,
    ...suite.implementations.map((row) => figures(row, ({ ns }) => ns).length),
  );
}

function rounds(suite: Suite): string {
  const count = roundsOf(suite);
  return count === 1 ? "one round" : `median of ${count} rounds`;
}

function hasLatency(suite: Suite): boolean {
  return samplesOf(suite).some(({ latency }) => latency != null);
}

/**
 * Draws the charts of all suites.
 *
 * @param runs The runs whose rounds are taken together.
 * @returns The SVG of each chart by its file's name.
 */
export function chartsOf(runs: readonly Run[]): Map<string, string> {
  const charts = new Map<string, string>();
  for (const suite of pooled(runs)) {
    const kind = kindOf(suite);
    const rows = ranked(suite, kind);
    if (rows.length === 0) continue;
    charts.set(
      `${suite.name}.svg`,
      barChart({
        title: suite.title,
        subtitle: `${kind.unit}, ${kind.better} is better; ${
          rounds(suite)
        }, the line is from least to most`,
        bars: rows.map((row) => {
          const values = figures(row, kind.of);
          const value = median(values);
          return {
            label: row.name,
            value,
            min: Math.min(...values),
            max: Math.max(...values),
            text: kind.format(value),
            ours: isOurs(row),
          };
        }),
      }),
    );
    if (!hasLatency(suite)) continue;
    charts.set(
      `${suite.name}-latency.svg`,
      curveChart({
        title: `${suite.title}: round trips`,
        subtitle: "so many of 100 take no longer; less is better",
        percentiles: PERCENTILES,
        // Ticks are round: 50 µs, not 50.0.
        format: (ns) => formatTime(ns).replace(/\.0+ /, " "),
        // Not ranked: an implementation has the same colour in charts of the same peers.
        curves: suite.implementations.flatMap((row) => {
          const found = row.samples.map((sample) => sample?.latency)
            .filter((latency) => latency != null);
          if (found.length === 0) return [];
          const values = (["p50", "p75", "p90", "p99", "p999"] as const)
            .map((key) => median(found.map((latency) => latency[key])));
          return [{ label: row.name, values, ours: isOurs(row) }];
        }),
      }),
    );
  }
  return charts;
}

function suiteSection(suite: Suite): string {
  const latency = hasLatency(suite)
    ? [`![Latency by percentile](charts/${suite.name}-latency.svg)`]
    : [];
  const missing = suite.implementations
    .filter(({ missing }) => missing !== null)
    .map(({ name, missing }) => `- ${name} did not run: ${missing}`);
  const ran = roundsOf(suite) > 0
    ? [
      `![${suite.title}](charts/${suite.name}.svg)`,
      ...latency,
      suiteTable(suite),
    ]
    : ["Nothing ran."];
  return [
    `### ${suite.title}`,
    `${suite.what} In the table: ${kindOf(suite).unit}.`,
    ...ran,
    ...missing.length > 0 ? [missing.join("\n")] : [],
  ].join("\n\n");
}

/** What was tried, for the targets that were not reached; what they share is said once. */
function shortNotes(runs: readonly Run[]): string[] {
  const short = targetsOf(runs).filter(({ target, found }) =>
    target.note &&
    outcomeOf(found.map((one) => one?.met ?? null)).includes("SHORT")
  );
  const byNote = Map.groupBy(short, ({ target }) => target.note);
  return [...byNote].map(([note, targets]) => {
    const rows = targets.map(({ suite, target: { of, against } }) =>
      `${suite.title}, ${of}${against === null ? "" : ` against ${against}`}`
    );
    return `- ${rows.join("; ")}: ${note}`;
  });
}

/**
 * Writes the report.
 *
 * @param runs The runs, in order.
 * @returns The text, as Markdown.
 */
export function reportOf(runs: readonly Run[]): string {
  const notes = shortNotes(runs);
  return [
    "<!-- deno-fmt-ignore-file -->\n<!-- Written by `deno task bench:report`, as all in charts/ is -->",
    "# Benchmarks",
    "Framewire beside other libraries and beside programs that do without one. Every figure comes from the " +
    "files in [results](results/), each of which is one run of `deno task bench:peers`.",
    "## How it was measured",
    "Each implementation is a small program of its own, in [peers](peers/). The other side is always the same " +
    "program in C, which lays its frames out before it connects, checks every count, and has the only clock. " +
    "A first connection warms a program up, a second one is measured. In a round every implementation runs " +
    "once, so that all meet the same weather. A frame is a length of four bytes and a payload of so many bytes " +
    "as the title says.",
    "Figures are medians over the rounds of all runs. A ratio is the median of the ratios of each round, " +
    "so a column such as “× c” is not exactly one median over another. CPU time is that of the measured " +
    "program alone. Differences of less than 15 % are ties.",
    versionTable(runs),
    "Framewire's rows are named by the way a frame is taken or given: `try` is `tryRead() ?? await read()`, " +
    "`batch` is `readBatch()`, `iterate` is `for await`, and `borrowed` is `try` with frames that are valid " +
    "until the next read; `buffered` waits for `write` only when it returns a promise, `await` always; `reply` " +
    "is a server of `serve` and `reply`.",
    peerTable(runs),
    "## Targets",
    "A figure is the median of the ratios of a run. A target is reached if at least two of three runs reach it; " +
    "figures in bold fall short of it.",
    targetTable(runs),
    ...notes.length > 0
      ? ["What was tried where it falls short:", notes.join("\n")]
      : [],
    "## Workloads",
    ...pooled(runs).map(suiteSection),
    "## Measure again",
    "```sh\nbench/peers/install.sh\n" +
    runs.map(({ run }) => `deno task bench:peers --run ${run}\n`).join("") +
    "deno task bench:report\n```",
    "Leave the machine alone meanwhile. `--only` takes the names of suites, `--list` prints them. " +
    "A program whose compiler or package is missing is left out, and its rows say so.",
  ].join("\n\n") + "\n";
}

/** A figure that has no result. */
const NO_FIGURE = "–";

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** What a page can show of a row, without its unit if it is named by that. */
const FIGURES: Readonly<Record<string, [Figure, (value: number) => string]>> = {
  "ns": [({ ns, count }) => ns / count, whole],
  "µs": [({ ns, count }) => ns / count / 1e3, digits],
  "ms": [({ ns, count }) => ns / count / 1e6, whole],
  "p50": [({ latency }) => latency?.p50, formatTime],
  "rate": [RATE.of, RATE.format],
  "MiB": [
    ({ peakRss }) => peakRss == null ? undefined : peakRss / 1024 ** 2,
    whole,
  ],
  "bytes per connection": [MEMORY.of, MEMORY.format],
};

/** Writes how many times as much one is as the other: two digits at the least. */
function formatRatio(ratio: number): string {
  return ratio < 2
    ? ratio.toFixed(2)
    : ratio < 10
    ? ratio.toFixed(1)
    : whole(ratio);
}

/** The suites with all that is to be measured, as a run in which nothing was. */
export const NOTHING_RAN: Pick<Run, "suites"> = {
  suites: SUITES.map((suite) => {
    const { name, title, what, goals } = suite;
    const rows = suite.kind === "timed"
      ? suite.programs.flatMap(({ program, names = [] }) =>
        names.map((name) => ({ name, program }))
      )
      : suite.contenders;
    return {
      name,
      title,
      what,
      implementations: rows.map(({ name, program: { label } }) => (
        { name, label, missing: null, samples: [] }
      )),
      targets: goals.map((goal) => ({ ...goal, median: null, met: null })),
    };
  }),
};

/** What is called so; throws if nothing is. */
function named<T extends { name: string }>(
  all: readonly T[],
  name: string,
  what: string,
): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = all.map(({ name }) => name).join(", ");
  throw new RangeError(`Cannot find ${what} "${name}": there are ${names}`);
}

/** Two words around the last " over ", if there is one. */
function aroundOver(text: string): [figure: string, against: string | null] {
  const at = text.lastIndexOf(" over ");
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 6)];
}

function targetFigure(
  runs: readonly Pick<Run, "suites">[],
  suite: string,
  of: string,
  figure: string,
): string {
  const [measure, against] = aroundOver(figure);
  const found = runs.flatMap(({ suites }) => suites)
    .filter(({ name }) => name === suite)
    .flatMap(({ targets }) => targets)
    .filter((target) =>
      target.of === of && target.measure === measure &&
      target.against === against
    );
  if (found.length === 0) {
    throw new RangeError(
      `Cannot find a target of "${of}" in "${suite}": ${figure}`,
    );
  }
  const medians = found.map(({ median }) => median)
    .filter((median) => median !== null);
  return medians.length === 0
    ? NO_FIGURE
    : formatFigure(found[0], median(medians));
}

/**
 * Gives the figure that a marker of a page names, over all rounds of all runs:
 *
 *     receive-64 / framewire try / ns                            of a row, see FIGURES
 *     receive-64 / framewire try / rate over node                a row's by another's, round by round
 *     idle / framewire / target bytes per connection             of a target, with or without "over"
 *
 * @param runs The runs, and one that has the names of all that could have run.
 * @param marker The suite, the row, and the figure.
 * @returns The figure; a dash if it was not measured.
 * @throws {RangeError} If the marker names nothing that there is.
 */
export function figureFor(
  runs: readonly Pick<Run, "suites">[],
  marker: string,
): string {
  const [suiteName, of, ...rest] = marker.split(" / ");
  const figure = rest.join(" / ");
  const suite = named(pooled(runs), suiteName, "suite");
  if (figure.startsWith("target ")) {
    return targetFigure(runs, suiteName, of, figure.slice("target ".length));
  }
  const [measure, against] = aroundOver(figure);
  const known = Object.keys(FIGURES);
  if (!known.includes(measure)) {
    throw new RangeError(
      `Cannot find figure "${measure}": there are ${known.join(", ")}`,
    );
  }
  const [value, format] = FIGURES[measure];
  const row = named(suite.implementations, of, `a row of "${suiteName}"`);
  if (against === null) {
    const found = figures(row, value);
    return found.length > 0 ? format(median(found)) : NO_FIGURE;
  }
  const base = named(suite.implementations, against, `a row of "${suiteName}"`);
  const found = ratios(perRound(row, value), perRound(base, value));
  return found.length > 0 ? formatRatio(median(found)) : NO_FIGURE;
}

/**
 * Fills in the figures that a page marks.
 *
 * @param page The page.
 * @param runs The runs.
 * @returns The page; a figure without a result is a dash.
 */
export function pageOf(page: string, runs: readonly Run[]): string {
  const all = [NOTHING_RAN, ...runs];
  return fillIn(page, (marker) => figureFor(all, marker));
}

/** Reads all results that are in a folder. */
export function readRuns(folder: URL): Run[] {
  return [...Deno.readDirSync(folder)]
    .filter(({ name }) => /^run-\d+\.json$/.test(name))
    .map(({ name }): Run =>
      JSON.parse(Deno.readTextFileSync(new URL(name, folder)))
    )
    .toSorted((a, b) => a.run - b.run);
}

/** Writes the report of the results beside it. */
function main(): void {
  const here = new URL("./", import.meta.url);
  const runs = readRuns(new URL("results/", here));
  if (runs.length === 0) {
    console.error("There are no results: run `deno task bench:peers` first");
    Deno.exit(1);
  }
  const folder = new URL("charts/", here);
  const charts = chartsOf(runs);
  Deno.mkdirSync(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(folder)) {
    if (!charts.has(name)) Deno.removeSync(new URL(name, folder));
  }
  for (const [name, svg] of charts) {
    Deno.writeTextFileSync(new URL(name, folder), svg);
  }
  Deno.writeTextFileSync(new URL("REPORT.md", here), reportOf(runs));
  const page = new URL("../docs/performance.md", here);
  const filled = pageOf(Deno.readTextFileSync(page), runs);
  Deno.writeTextFileSync(page, filled);
  const without = filled.split(`-->${NO_FIGURE}<!--`).length - 1;
  console.log(
    `Wrote bench/REPORT.md and ${charts.size} charts, and filled in docs/performance.md, where ${without} figures have no result`,
  );
}

if (import.meta.main) main();
