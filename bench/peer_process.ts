/**
 * Starts and ends the programs of a comparison: peers, the load on the other side of them, and programs that
 * time themselves. None outlives what it is started for.
 *
 * @module
 */

import type { Sample } from "./report.ts";

/** The folder of the project, in which all programs run. */
const ROOT = new URL("../", import.meta.url);
const LOAD_IN_C = "bench/peers/.build/load";
/** How long an exchange may take in ms, warm-up or not. */
const TIME_BOUND = 60_000;
const START_BOUND = 20_000;
/** How long a program that was told to end may take before it is killed. */
const END_BOUND = 2_000;

/** What a peer does. */
export type Role = "recv" | "send" | "echo" | "idle";

/** One exchange between the load and a peer. */
export interface Exchange {
  role: Role;
  size: number;
  count: number;
  framing?: "u32" | "varint";
  connections?: number;
  window?: number;
  chunk?: number;
}

/** A program could not be started, or did not do what it should. */
export class ProgramError extends Error {
  override readonly name = "ProgramError";
  /** Whether there is no such program. */
  readonly absent: boolean;

  /** Makes one. */
  constructor(message: string, absent = false) {
    super(message);
    this.absent = absent;
  }
}

/** A word for this very Deno in place of a command's first word. */
export const DENO = "deno";

const running = new Set<Deno.ChildProcess>();

/** Kills all programs that run, for one that is itself told to end. */
export function killAll(): void {
  for (const child of running) kill(child, "SIGKILL");
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}

function spawn([program, ...args]: readonly string[]): Deno.ChildProcess {
  try {
    const child = new Deno.Command(
      program === DENO ? Deno.execPath() : program,
      {
        args,
        cwd: ROOT,
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      },
    ).spawn();
    running.add(child);
    child.status.then(() => running.delete(child));
    return child;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ProgramError(`there is no ${program}`, true);
  }
}

/** What a program said was wrong, or what it said last. */
async function lastWords(child: Deno.ChildProcess): Promise<string> {
  const said = (await new Response(child.stderr).text()).trim().split("\n");
  const words = said.find((line) => /error|fail|load:/i.test(line)) ??
    said.at(-1) ?? "";
  // Where the project lies is nobody's business.
  return words.replaceAll(ROOT.pathname, "");
}

/** Runs a program to its end and gives the lines that it printed. */
export async function run(
  command: readonly string[],
  bound: number = TIME_BOUND,
): Promise<string[]> {
  const child = spawn(command);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(child, "SIGKILL");
  }, bound);
  try {
    const [out, words, { code }] = await Promise.all([
      new Response(child.stdout).text(),
      lastWords(child),
      child.status,
    ]);
    if (late) throw new ProgramError(`not done after ${bound / 1000} s`);
    if (code !== 0) {
      throw new ProgramError(words || `it exited with code ${code}`);
    }
    return out.split("\n").filter((line) => line !== "");
  } finally {
    clearTimeout(timer);
  }
}

/** What a program that times itself prints in a line: also whose time it is. */
export interface NamedSample extends Sample {
  name: string;
}

/** Runs a program that times itself. */
export async function runTimed(
  command: readonly string[],
): Promise<NamedSample[]> {
  return (await run(command)).map((line) => JSON.parse(line));
}

let loadCommand: readonly string[] | undefined;

/** The load program: in C if it was built, else in Deno. */
export function load(): readonly string[] {
  loadCommand ??= exists(LOAD_IN_C) ? [LOAD_IN_C] : [
    DENO,
    "run",
    "--no-check",
    "-q",
    "--allow-net=127.0.0.1",
    "bench/load/load.ts",
  ];
  return loadCommand;
}

/** Whether there is such a file in the project. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}

/** A peer that listens. Leaving its scope ends it. */
export class PeerProcess implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  #child: Deno.ChildProcess;
  #words: Promise<string>;

  private constructor(
    child: Deno.ChildProcess,
    port: number,
    words: Promise<string>,
  ) {
    this.#child = child;
    this.port = port;
    this.#words = words;
  }

  /** Starts one for an exchange, and waits until it listens. */
  static async start(
    command: readonly string[],
    { role, size, count }: Exchange,
    mode?: string,
  ): Promise<PeerProcess> {
    const more = mode === undefined ? [] : [mode];
    const child = spawn([...command, role, `${size}`, `${count}`, ...more]);
    const words = lastWords(child);
    const timer = setTimeout(() => kill(child, "SIGKILL"), START_BOUND);
    const line = await firstLine(child);
    clearTimeout(timer);
    const port = Number(line.match(/^listening (\d+)$/)?.[1]);
    if (port > 0) return new PeerProcess(child, port, words);
    await end(child);
    throw new ProgramError(await words || `it said ${JSON.stringify(line)}`);
  }

  /** Runs the load against it, by default the best that there is. */
  async exchange(
    exchange: Exchange,
    program: readonly string[] = load(),
  ): Promise<Sample> {
    const { role, size, count } = exchange;
    const args = [role, `${this.port}`, `${size}`, `${count}`];
    for (const name of ["framing", "connections", "window", "chunk"] as const) {
      if (exchange[name] !== undefined) {
        args.push(`--${name}`, `${exchange[name]}`);
      }
    }
    args.push("--pid", `${this.#child.pid}`);
    try {
      const [line] = await run([...program, ...args]);
      return JSON.parse(line);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      await end(this.#child);
      const words = await this.#words;
      throw new ProgramError(
        words === "" ? error.message : `${error.message}; the peer: ${words}`,
      );
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
    await this.#words;
  }
}

/** The first line that a program prints, or what there is of it at its end. The rest is thrown away. */
async function firstLine(child: Deno.ChildProcess): Promise<string> {
  const text = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { done, value } = await text.read();
    if (done) break;
    line += value;
  }
  await text.cancel();
  return line.split("\n")[0];
}

async function end(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGTERM");
  const timer = setTimeout(() => kill(child, "SIGKILL"), END_BOUND);
  await child.status;
  clearTimeout(timer);
}

/** How many bytes the first frame has, with its prefix. */
const FIRST_FRAME = 9;

/** Starts a program that connects to the port it is given, and gives the time in ns until its first frame is there. */
export async function timeToFirstFrame(
  command: readonly string[],
): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const started = performance.now();
  const ended = run([...command, `${listener.addr.port}`], START_BOUND);
  const ns = frameOf(listener).then(() =>
    Math.round((performance.now() - started) * 1e6)
  );
  const never = ended.then(() => {
    throw new ProgramError("it never connected");
  });
  await Promise.race([ns, never]);
  await ended;
  return await ns;
}

async function frameOf(listener: Deno.Listener): Promise<void> {
  using conn = await listener.accept();
  const buffer = new Uint8Array(FIRST_FRAME);
  for (let have = 0; have < FIRST_FRAME;) {
    const got = await conn.read(buffer.subarray(have));
    if (got === null) throw new ProgramError(`it sent ${have} bytes only`);
    have += got;
  }
}
