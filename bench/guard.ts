/**
 * Tells within two minutes whether a change has cost much of the speed: `deno task bench:guard`.
 *
 * It knows ratios only, to programs that run in the same rounds on the same machine. A suite with a row below its
 * floor is measured once more, by new processes, and the guard fails if a row is below its floor both times. What
 * is exactly reached is for `deno task bench:peers`.
 *
 * @module
 */

import {
  DENO,
  type Exchange,
  killAll,
  load,
  PeerProcess,
  ProgramError,
  run,
  runTimed,
} from "./peer_process.ts";
import type { Sample } from "./report.ts";
import { inRounds, median, ratios } from "./rounds.ts";

/** A ratio that must not fall. */
export interface Row {
  /** What is guarded. */
  of: string;
  /** What it is compared with in each round. */
  against: string;
  /** The least median of the ratios that passes. */
  floor: number;
  /** What it was when the floor was set. */
  typical: number;
}

/** What was measured of each contender, round by round: the more the better. */
export type Figures = ReadonlyMap<string, readonly number[]>;

/** Some contenders that run in the same rounds. */
export interface Suite {
  title: string;
  rows: readonly Row[];
  measure: (tools: Tools) => Promise<Figures>;
}

/** What measures, as far as this machine has it. */
interface Tools {
  load: readonly string[];
  /** The peer in C, if there is a compiler. */
  c: readonly string[] | undefined;
}

/** One side of a connection; the load is on the other. */
interface Contender {
  name: string;
  program: "framewire" | "bare" | "naive" | "c";
  mode?: string;
  /** How many frames, so that it takes about a fifth of a second. */
  count: number;
}

const ROUNDS = 7;

function rate({ count, ns }: Sample): number {
  return count / ns;
}

/** Fewer ns are better: as a rate that is more. */
function promptness({ latency }: Sample): number {
  if (latency == null) throw new ProgramError("the load gave no latency");
  return 1 / latency.p50;
}

/*
 * The floors, in one place. A floor of 0.7 of what is typical sees a loss of a third, and passes on a machine that
 * is busy with something else. Against the naive programs, whose cost is mostly the kernel's, they are lower.
 * To set them anew: run the guard on a quiet machine, which prints every ratio; `typical` is that, `floor` follows.
 */
export const SUITES: readonly Suite[] = [
  {
    title: "receive 64 B",
    measure: overSocket({ role: "recv", size: 64 }, rate, [
      ours("try", 2_000_000),
      ours("iterate", 1_500_000),
      { name: "deno bare", program: "bare", count: 3_000_000 },
      { name: "deno naive", program: "naive", count: 40_000 },
      { name: "c", program: "c", count: 4_000_000 },
    ]),
    rows: [
      { of: "framewire try", against: "deno bare", floor: 0.23, typical: 0.33 },
      {
        of: "framewire iterate",
        against: "deno bare",
        floor: 0.13,
        typical: 0.19,
      },
      { of: "framewire try", against: "deno naive", floor: 38, typical: 57 },
      {
        of: "framewire iterate",
        against: "deno naive",
        floor: 23,
        typical: 34,
      },
      { of: "framewire try", against: "c", floor: 0.21, typical: 0.3 },
    ],
  },
  {
    title: "receive 64 KiB",
    measure: overSocket({ role: "recv", size: 64 * 1024 }, rate, [
      ours("try", 6000),
      ours("borrowed", 6000),
      { name: "deno bare", program: "bare", count: 6000 },
    ]),
    rows: [
      // Fresh memory for frames is at times twice as dear, in either of two runs of the same program.
      { of: "framewire try", against: "deno bare", floor: 0.5, typical: 0.75 },
      {
        of: "framewire borrowed",
        against: "deno bare",
        floor: 0.65,
        typical: 0.97,
      },
    ],
  },
  {
    title: "send 64 B",
    measure: overSocket({ role: "send", size: 64 }, rate, [
      ours("buffered", 2_500_000),
      ours("await", 1_500_000),
      { name: "deno naive", program: "naive", mode: "each", count: 40_000 },
      { name: "c", program: "c", count: 5_000_000 },
    ]),
    rows: [
      {
        of: "framewire buffered",
        against: "deno naive",
        floor: 80,
        typical: 118,
      },
      { of: "framewire await", against: "deno naive", floor: 35, typical: 53 },
      { of: "framewire buffered", against: "c", floor: 0.42, typical: 0.6 },
    ],
  },
  {
    title: "echo 64 B, window of 1,000",
    measure: overSocket({ role: "echo", size: 64, window: 1000 }, rate, [
      ours("try", 1_000_000),
      ours("reply", 1_000_000),
      { name: "deno bare", program: "bare", count: 400_000 },
      { name: "c", program: "c", count: 2_000_000 },
    ]),
    rows: [
      { of: "framewire try", against: "deno bare", floor: 0.92, typical: 1.35 },
      {
        of: "framewire reply",
        against: "deno bare",
        floor: 0.92,
        typical: 1.35,
      },
      { of: "framewire try", against: "c", floor: 0.43, typical: 0.64 },
    ],
  },
  {
    title: "ping-pong 64 B, p50",
    measure: overSocket({ role: "echo", size: 64, window: 1 }, promptness, [
      ours("reply", 4000),
      { name: "deno bare", program: "bare", count: 4000 },
    ]),
    rows: [
      {
        of: "framewire reply",
        against: "deno bare",
        floor: 0.68,
        typical: 1,
      },
    ],
  },
  {
    title: "lines of 80 B",
    measure: inMemory("lines.ts", 80, 600_000),
    rows: [
      {
        of: "framewire",
        against: "std TextLineStream",
        floor: 2.3,
        typical: 3.4,
      },
    ],
  },
  {
    title: "write lines of 80 B",
    measure: inMemory("lines_out.ts", 80, 600_000),
    rows: [
      { of: "framewire", against: "TextEncoder", floor: 2, typical: 2.9 },
    ],
  },
  {
    title: "messages",
    measure: inMemory("messages.ts", 10_000, 5),
    rows: [
      { of: "decode", against: "JSON.parse", floor: 0.5, typical: 0.72 },
      {
        of: "decode repeated",
        against: "JSON.parse",
        floor: 2.2,
        typical: 3.3,
      },
      { of: "encode", against: "JSON.stringify", floor: 0.47, typical: 0.7 },
    ],
  },
];

function ours(mode: string, count: number): Contender {
  return { name: `framewire ${mode}`, program: "framewire", mode, count };
}

function commandOf(
  { program }: Contender,
  { c }: Tools,
): readonly string[] | undefined {
  if (program === "c") return c;
  const path = `bench/peers/deno/${program}.ts`;
  return [DENO, "run", "--no-check", "--quiet", "--allow-net=127.0.0.1", path];
}

/** Runs peers, each in one process for all rounds, and the load against each in every round. */
function overSocket(
  what: Omit<Exchange, "count">,
  figure: (sample: Sample) => number,
  contenders: readonly Contender[],
): Suite["measure"] {
  return async (tools) => {
    await using processes = new AsyncDisposableStack();
    const peers: [name: string, once: () => Promise<number>][] = [];
    for (const contender of contenders) {
      const command = commandOf(contender, tools);
      if (command === undefined) continue;
      const { name, mode, count } = contender;
      const { role, size, window = 1 } = what;
      const peer = processes.use(
        await PeerProcess.start(command, { role, size, count }, mode),
      );
      const args = [role, peer.port, size, count, "--window", window];
      const once = async () => {
        const [line] = await run([...tools.load, ...args.map(String)]);
        const sample: Sample = JSON.parse(line);
        return figure(sample);
      };
      await once(); // to warm it up
      peers.push([name, once]);
    }
    const figures = new Map(peers.map(([name]) => [name, Array<number>()]));
    await inRounds(peers, ROUNDS, async ([name, once]) => {
      figures.get(name)?.push(await once());
    });
    return figures;
  };
}

/** Runs a program that times several implementations itself, once in each round. */
function inMemory(file: string, ...args: number[]): Suite["measure"] {
  const path = `bench/peers/deno/${file}`;
  const command = [DENO, "run", "--no-check", "--quiet", path];
  return async () => {
    const figures = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const sample of await runTimed([...command, ...args.map(String)])) {
        const found = figures.get(sample.name) ?? [];
        found.push(rate(sample));
        figures.set(sample.name, found);
      }
    }
    return figures;
  };
}

/** The median of a row's ratios; `undefined` if what it is compared with did not run. */
export function ratioOf(row: Row, figures: Figures): number | undefined {
  const of = figures.get(row.of);
  if (of === undefined) throw new Error(`Nothing was measured of ${row.of}`);
  const against = figures.get(row.against);
  return against && median(ratios(of, against));
}

/**
 * Measures a suite, and once more if a row is below its floor.
 *
 * @param suite What is measured.
 * @param measure How.
 * @param print Takes a line for each row.
 * @returns What is to be said of each row that was below its floor both times.
 */
export async function judge(
  { title, rows }: Pick<Suite, "title" | "rows">,
  measure: () => Promise<Figures>,
  print: (line: string) => void,
): Promise<string[]> {
  let left = rows;
  let faults: string[] = [];
  for (let attempt = 0; attempt < 2 && left.length > 0; attempt++) {
    const figures = await measure();
    const low: Row[] = [];
    faults = [];
    for (const row of left) {
      const name = `${title}: ${row.of} against ${row.against}`;
      const ratio = ratioOf(row, figures);
      if (ratio === undefined) {
        print(`     –  ${name}, which is missing`);
        continue;
      }
      const bounds = `floor ${row.floor}, typical ${row.typical}`;
      const verdict = ratio >= row.floor
        ? ""
        : attempt === 0
        ? ": too low, once more"
        : ": TOO LOW";
      print(
        `${ratio.toPrecision(3).padStart(6)}  ${name} (${bounds})${verdict}`,
      );
      if (ratio >= row.floor) continue;
      low.push(row);
      faults.push(`${name} is ${ratio.toPrecision(3)}; ${bounds}`);
    }
    left = low;
  }
  return faults;
}

/** Compiles a program in C into a folder, and gives the command. */
async function compile(
  source: string,
  folder: string,
): Promise<readonly string[]> {
  const target = `${folder}/${source.replaceAll("/", "_")}.out`;
  await run(["gcc", "-O2", "-o", target, source]);
  return [target];
}

/** The load and the peer in C, or the load in Deno if they cannot be had. */
async function toolsIn(folder: string): Promise<Tools> {
  try {
    return {
      load: await compile("bench/load/load.c", folder),
      c: await compile("bench/peers/c/peer.c", folder),
    };
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    console.log(`Nothing is compared with C: ${error.message}`);
    return { load: load(), c: undefined };
  }
}

async function guard(folder: string): Promise<void> {
  const tools = await toolsIn(folder);
  const faults: string[] = [];
  for (const suite of SUITES) {
    const measure = () => suite.measure(tools);
    faults.push(...await judge(suite, measure, console.log));
  }
  if (faults.length === 0) return console.log("Fast enough");
  console.error("\nSlower than it was, measured twice:");
  for (const fault of faults) console.error(`- ${fault}`);
  console.error(
    "If that is how it is to be, set the floors in bench/guard.ts anew",
  );
  Deno.exitCode = 1;
}

async function main(): Promise<void> {
  const folder = await Deno.makeTempDir();
  const cleanUp = () => {
    killAll();
    Deno.removeSync(folder, { recursive: true });
  };
  const stop = () => {
    cleanUp();
    Deno.exit(1);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  try {
    await guard(folder);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
    cleanUp();
  }
}

if (import.meta.main) await main();
