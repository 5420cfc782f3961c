/**
 * Measures Framewire beside everybody else: runs the suites of `suites.ts` in interleaved rounds, prints what
 * was found and what was to be reached, and keeps it in `bench/results/`.
 *
 *     $ deno task bench:peers [--run N] [--rounds N] [--only SUITE,…] [--list]
 *
 * Every round starts a peer anew, warms it up with one exchange and measures the next. What a peer needs comes
 * from `bench/peers/install.sh`; one that is not there, or that fails, says so in its row, and the others go on.
 * A part of the suites is only kept if `--run` numbers it.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import {
  DENO,
  type Exchange,
  exists,
  killAll,
  load,
  type NamedSample,
  PeerProcess,
  ProgramError,
  run,
  runTimed,
  timeToFirstFrame,
} from "./peer_process.ts";
import {
  formatBytes,
  formatRate,
  formatTime,
  type Implementation,
  type Run,
  type Sample,
  type Suite,
  type Target,
} from "./report.ts";
import { inRounds, median, ratios, type Spread, spread } from "./rounds.ts";
import {
  type Contender,
  EVERY,
  type Goal,
  type Measure,
  type Program,
  type SocketSuite,
  type StartSuite,
  type SuiteOfPrograms,
  SUITES,
  type TimedSuite,
} from "./suites.ts";

/** A program whose two times in one sample tell how it grows. */
interface GrowthSample extends Sample {
  ns2?: number;
}

/** A row while it is measured. */
interface Row extends Implementation {
  missing: string | null;
  /** Whether it is there but did not do what it should. */
  failed: boolean;
  samples: (GrowthSample | undefined)[];
}

/** A target with all that was found. */
interface MeasuredTarget extends Target {
  ratios: number[];
  min: number | null;
  max: number | null;
}

const MEASURES: Record<
  Measure,
  (sample: GrowthSample) => number | null | undefined
> = {
  "rate": ({ ns, count }) => count / ns * 1e9,
  "time": ({ ns }) => ns,
  "ns/frame": ({ ns, count }) => ns / count,
  "p50": ({ latency }) => latency?.p50,
  "peak bytes": ({ peakRss }) => peakRss,
  "bytes per connection": ({ rss, rssBefore, connections }) =>
    rss != null && rssBefore != null && connections
      ? (rss - rssBefore) / connections
      : undefined,
  "time(2n) / time(n)": ({ ns, ns2 }) =>
    ns2 === undefined ? undefined : ns2 / ns,
};

/** How often a contender may fail in a round before it is left out. */
const ATTEMPTS = 2;

const encoder = new TextEncoder();

function print(line = ""): void {
  console.log(line);
}

/** Says on a terminal what is under way. */
function progress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${text.slice(0, 78)}`));
}

function rowOf(name: string, program: Program): Row {
  const [path, install] = program.needs ?? [];
  const missing = path !== undefined && !exists(path)
    ? `${path} is not there: it needs ${install}`
    : null;
  const { label } = program;
  return { name, label, missing, failed: false, samples: [] };
}

/** Lets a row have its turn, unless it is out; a fault that repeats puts it out. */
async function turn(
  rows: readonly Row[],
  measure: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (rows.some(({ missing }) => missing !== null)) return;
    try {
      return await measure();
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      if (attempt < ATTEMPTS && !error.absent) continue;
      for (const row of rows) {
        row.missing = error.message;
        row.failed = !error.absent;
      }
    }
  }
}

async function exchangeOnce(
  suite: SocketSuite,
  { program, mode, own }: Contender,
): Promise<Sample> {
  const exchange: Exchange = {
    ...suite.exchange,
    ...own,
    ...(program.framing === undefined ? {} : { framing: program.framing }),
  };
  const { role, count } = exchange;
  // Who sends knows only one count.
  const fewer = role === "send" ? count : Math.ceil(count / 4);
  await using peer = await PeerProcess.start(program.command, exchange, mode);
  await peer.exchange({ ...exchange, count: fewer, ...suite.warmUp });
  return await peer.exchange(exchange);
}

async function measureSockets(
  suite: SocketSuite,
  rounds: number,
): Promise<Row[]> {
  const pairs = suite.contenders.map((contender) => ({
    contender,
    row: rowOf(contender.name, contender.program),
  }));
  await inRounds(pairs, rounds, ({ contender, row }, round) => {
    progress(`${suite.name} ${round + 1}/${rounds} ${row.name}`);
    return turn([row], async () => {
      row.samples[round] = await exchangeOnce(suite, contender);
    });
  });
  return pairs.map(({ row }) => row);
}

async function measureStarts(
  suite: StartSuite,
  rounds: number,
): Promise<Row[]> {
  const pairs = suite.contenders.map(({ name, program }) => ({
    program,
    row: rowOf(name, program),
  }));
  // Compiled code is cached at the first start.
  for (const { program: { command }, row } of pairs) {
    await turn([row], async () => void await timeToFirstFrame(command));
  }
  await inRounds(pairs, rounds, ({ program: { command }, row }, round) => {
    progress(`${suite.name} ${round + 1}/${rounds} ${row.name}`);
    return turn([row], async () => {
      const times: number[] = [];
      while (times.length < suite.starts) {
        times.push(await timeToFirstFrame(command));
      }
      row.samples[round] = { ns: median(times), count: 1 };
    });
  });
  return pairs.map(({ row }) => row);
}

async function measureTimed(
  suite: TimedSuite,
  rounds: number,
): Promise<Row[]> {
  const entries = suite.programs.map(({ program, args, names = [] }) => ({
    program,
    args,
    // One whose names are not known has a row for its faults until it prints some.
    rows: (names.length > 0 ? names : [suite.name])
      .map((name) => rowOf(name, program)),
    known: names.length > 0,
  }));
  await inRounds(entries, rounds, (entry, round) => {
    const { program, args } = entry;
    progress(`${suite.name} ${round + 1}/${rounds} ${program.label}`);
    return turn(entry.rows, async () => {
      const samples = await runTimed([...program.command, ...args]);
      if (!entry.known) {
        entry.rows = samples.map(({ name }) => rowOf(name, program));
        entry.known = true;
      }
      for (const row of entry.rows) {
        row.samples[round] = sampleOf(row.name, samples);
      }
    });
  });
  return entries.flatMap(({ rows }) => rows);
}

function sampleOf(name: string, samples: readonly NamedSample[]): Sample {
  const found = samples.find((sample) => sample.name === name);
  if (found === undefined) throw new ProgramError(`it printed no ${name}`);
  const { name: _, ...sample } = found;
  return sample;
}

function measure(suite: SuiteOfPrograms, rounds: number): Promise<Row[]> {
  switch (suite.kind) {
    case "sockets":
      return measureSockets(suite, rounds);
    case "timed":
      return measureTimed(suite, rounds);
    case "start":
      return measureStarts(suite, rounds);
  }
}

/** A figure for each round. */
function perRound(row: Row, measure: Measure): (number | undefined)[] {
  return row.samples.map((sample) =>
    sample && (MEASURES[measure](sample) ?? undefined)
  );
}

/** The figures of the rounds that have one. */
function figures(row: Row, measure: Measure): number[] {
  return perRound(row, measure).filter((figure) => figure !== undefined);
}

/** The figures of a goal, one for each round. */
function foundFor({ against, measure }: Goal, row: Row, other?: Row): number[] {
  if (against === null) return figures(row, measure);
  return other === undefined
    ? []
    : ratios(perRound(row, measure), perRound(other, measure));
}

function reaches({ compare, value }: Goal, figure: number): boolean {
  return compare === "at least" ? figure >= value : figure <= value;
}

function check(goal: Goal, rows: readonly Row[]): MeasuredTarget {
  const other = rows.find(({ name }) => name === goal.against);
  const own = rows.filter(({ name }) => goal.of === EVERY || name === goal.of);
  const sign = goal.compare === "at least" ? 1 : -1;
  const [worst] = own
    .map((row) => ({ row, found: foundFor(goal, row, other) }))
    .toSorted((a, b) => sign * (median(a.found) - median(b.found)));
  const found = worst?.found ?? [];
  const failed = own.length === 0 || own.some(({ failed }) => failed);
  const { median: middle, min, max }: Partial<Spread> = spread(found) ?? {};
  const note = goal.of === EVERY && worst !== undefined
    ? `the worst is ${worst.row.name}`
    : goal.note;
  return {
    of: goal.of,
    against: goal.against,
    measure: goal.measure,
    compare: goal.compare,
    value: goal.value,
    ratios: found,
    median: middle ?? null,
    min: min ?? null,
    max: max ?? null,
    met: failed ? false : middle === undefined ? null : reaches(goal, middle),
    ...(note === undefined ? {} : { note }),
  };
}

/** Text in columns. */
function columns(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0].map((_, i) =>
    Math.max(...lines.map((cells) => cells[i].length))
  );
  return lines.map((cells) =>
    cells.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])
    ).join("  ")
  );
}

/** What the rows of a suite are mainly about, and how it is written. */
function mainFigure(
  suite: SuiteOfPrograms,
): [measure: Measure, format: (value: number) => string] {
  const measured = suite.goals.map(({ measure }) => measure);
  if (measured.includes("time")) return ["time", formatTime];
  if (measured.includes("bytes per connection")) {
    return ["bytes per connection", formatBytes];
  }
  if (measured.includes("p50")) return ["p50", formatTime];
  return ["rate", formatRate];
}

function cellsOf(row: Row, suite: SuiteOfPrograms): string[] {
  const [measure, format] = mainFigure(suite);
  const found = spread(figures(row, measure));
  const perFrame = spread(figures(row, "ns/frame"));
  return [
    `  ${row.name}`,
    found ? format(found.median) : "-",
    measure === "rate" && perFrame ? `${formatTime(perFrame.median)} each` : "",
    found ? `${format(found.min)} to ${format(found.max)}` : "",
  ];
}

function figure({ against, measure }: Target, value: number): string {
  return against === null && measure.includes("bytes")
    ? formatBytes(value)
    : value.toPrecision(3);
}

function targetCells(target: MeasuredTarget): string[] {
  const { of, against, measure, compare, value, median, min, max, met } =
    target;
  const sign = compare === "at least" ? ">=" : "<=";
  return [
    `  ${of}${against === null ? "" : ` / ${against}`}, ${measure}`,
    median === null ? "-" : figure(target, median),
    min === null || max === null
      ? ""
      : `(${figure(target, min)} to ${figure(target, max)})`,
    `${sign} ${figure(target, value)}`,
    met === null ? "not measured" : met ? "ok" : "SHORT",
  ];
}

function printSuite(
  suite: SuiteOfPrograms,
  rows: readonly Row[],
  targets: readonly MeasuredTarget[],
): void {
  progress("");
  print(`\n${suite.title} (${suite.name})`);
  const measured = rows.filter(({ samples }) => samples.length > 0);
  if (measured.length > 0) {
    columns(measured.map((row) => cellsOf(row, suite))).forEach(print);
  }
  for (const { name, missing, failed } of rows) {
    if (missing === null) continue;
    print(`  ${name} ${failed ? "failed" : "is missing"}: ${missing}`);
  }
  if (targets.length > 0) columns(targets.map(targetCells)).forEach(print);
  const notes = targets.flatMap(({ met, of, note }) =>
    note !== undefined && (met !== true || of === EVERY) ? [note] : []
  );
  for (const note of new Set(notes)) print(`  (${note})`);
}

/** The first line that a command prints; `null` if there is no such command. */
async function lineOf(...command: string[]): Promise<string | null> {
  try {
    return (await run(command))[0] ?? null;
  } catch (error) {
    if (error instanceof ProgramError) return null;
    throw error;
  }
}

async function npmVersion(name: string): Promise<string | null> {
  const path = new URL(
    `peers/node/node_modules/${name}/package.json`,
    import.meta.url,
  );
  try {
    return JSON.parse(await Deno.readTextFile(path)).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function debianVersion(name: string): Promise<string | null> {
  return lineOf("dpkg-query", "--show", "--showformat=${Version}\n", name);
}

async function versions(): Promise<Record<string, string | null>> {
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    node: await lineOf("node", "--version"),
    gcc: await lineOf("gcc", "-dumpfullversion"),
    go: await lineOf("go", "env", "GOVERSION"),
    rustc: await lineOf("rustc", "--version"),
    java: await lineOf("java", "--version"),
    python: await lineOf("python3", "--version"),
    tokio: await debianVersion("librust-tokio-dev"),
    "tokio-util": await debianVersion("librust-tokio-util-dev"),
    netty: await debianVersion("libnetty-java"),
    "length-prefixed-stream": await npmVersion("length-prefixed-stream"),
    "frame-stream": await npmVersion("frame-stream"),
    "it-length-prefixed": await npmVersion("it-length-prefixed"),
    split2: await npmVersion("split2"),
    load: load()[0] === DENO ? "Deno" : "C",
  };
}

async function machine(): Promise<Run["machine"]> {
  const model = await run(["cat", "/proc/cpuinfo"]).catch(() => []);
  return {
    cpu: model.find((line) => line.startsWith("model name"))
      ?.split(":")[1].trim() ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    kernel: await lineOf("uname", "-sr") ?? Deno.build.os,
  };
}

/** JSON with a sample, or a list of figures, on a line. */
export function layOut(value: unknown, indent = ""): string {
  const isFlat = (part: unknown) => typeof part !== "object" || part === null;
  if (typeof value !== "object" || value === null || "ns" in value) {
    return JSON.stringify(value) ?? "null";
  }
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every(isFlat)) return JSON.stringify(value);
    const parts = value.map((part) => inner + layOut(part, inner));
    return `[\n${parts.join(",\n")}\n${indent}]`;
  }
  const parts = Object.entries(value).map(([name, part]) =>
    `${inner}${JSON.stringify(name)}: ${layOut(part, inner)}`
  );
  return parts.length === 0 ? "{}" : `{\n${parts.join(",\n")}\n${indent}}`;
}

const results = new URL("results/", import.meta.url);

async function nextRun(): Promise<number> {
  let last = 0;
  await Deno.mkdir(results, { recursive: true });
  for await (const { name } of Deno.readDir(results)) {
    last = Math.max(last, Number(name.match(/^run-(\d+)\.json$/)?.[1] ?? 0));
  }
  return last + 1;
}

/** Measures some suites, and gives what was found. */
async function measureAll(
  suites: readonly SuiteOfPrograms[],
  rounds: number,
): Promise<Suite[]> {
  const measured: Suite[] = [];
  const summary: string[][] = [];
  const started = performance.now();
  for (const suite of suites) {
    const rows = await measure(suite, rounds);
    const targets = suite.goals.map((goal) => check(goal, rows));
    printSuite(suite, rows, targets);
    summary.push(...targets.map((target) => {
      const [what, ...found] = targetCells(target);
      return [`${suite.name}: ${what.trim()}`, ...found];
    }));
    measured.push({
      name: suite.name,
      title: suite.title,
      what: suite.what,
      ...(suite.kind === "sockets" ? { frames: suite.exchange.count } : {}),
      implementations: rows.map(({ failed: _, ...row }) => row),
      targets,
    });
  }
  const all = measured.flatMap(({ targets }) => targets);
  const met = all.filter((target) => target.met).length;
  const seconds = Math.round((performance.now() - started) / 1000);
  print(`\nAll targets (${rounds} rounds, ${seconds} s)`);
  columns(summary).forEach((line) => print(line));
  print(`${met} of ${all.length} targets reached`);
  return measured;
}

function usage(problem: string): number {
  console.error(problem);
  console.error(
    "Usage: deno task bench:peers [--run N] [--rounds N] [--only SUITE,…] [--list]",
  );
  return 2;
}

async function main(args: string[]): Promise<number> {
  const options = parseArgs(args, {
    string: ["run", "rounds", "only"],
    boolean: ["list"],
    default: { rounds: "5" },
  });
  if (options.list) {
    for (const { name, title } of SUITES) print(`${name.padEnd(18)}${title}`);
    return 0;
  }
  const rounds = Number(options.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0)) {
    return usage(`There cannot be ${options.rounds} rounds`);
  }
  const only = options.only?.split(",");
  const unknown = only?.find((name) =>
    !SUITES.some((suite) => suite.name === name)
  );
  if (unknown !== undefined) return usage(`There is no suite ${unknown}`);
  const number = options.run === undefined
    ? only === undefined ? await nextRun() : undefined
    : Number(options.run);
  if (number !== undefined && !(Number.isInteger(number) && number > 0)) {
    return usage(`There cannot be a run ${options.run}`);
  }
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => {
      killAll();
      Deno.exit(code);
    });
  }

  const suites = SUITES.filter(({ name }) => only?.includes(name) ?? true);
  const found = {
    run: number ?? 0,
    date: new Date().toISOString().slice(0, 10),
    machine: await machine(),
    versions: await versions(),
    suites: await measureAll(suites, rounds),
  };
  if (number !== undefined) {
    await Deno.mkdir(results, { recursive: true });
    const file = `run-${number}.json`;
    await Deno.writeTextFile(new URL(file, results), `${layOut(found)}\n`);
    print(`Kept in bench/results/${file}`);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
