/**
 * Programs as processes of their own, with no permission but those that they are given.
 *
 * @module
 */

import { assert } from "@std/assert";

/** How a program is started. */
export interface StartOptions {
  /** What `--allow-net` allows; nothing without it. */
  net?: string;
  /** Other flags for Deno, such as `--allow-run=cat`. */
  flags?: readonly string[];
  /** Whether `type` and `endInput` are its stdin, which is empty otherwise. */
  typing?: boolean;
  /** Its environment beside that of the tests. */
  env?: Readonly<Record<string, string>>;
}

/** What a program printed, and how it ended. */
export interface Ending {
  /** Its exit code. */
  code: number;
  /** The lines on stdout that nobody has taken. */
  out: string[];
  /** The lines on stderr. */
  err: string[];
}

const root = new URL("../../", import.meta.url);

/** A text's lines; the last one must be ended like the others. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  assert(lines.pop() === "", `the last line must be ended: ${text}`);
  return lines;
}

/** A program that is running. Leaving its scope ends it. */
export class RunningProgram implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #out: ReadableStreamDefaultReader<string>;
  #err: Promise<string>;
  #said = "";
  #heard: PromiseWithResolvers<void> = Promise.withResolvers();
  #in: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #text = "";

  /** Starts a command, such as `Deno.execPath()`, in the project's folder. */
  constructor(
    command: string,
    args: readonly string[],
    { typing = false, env = {} }: Pick<StartOptions, "typing" | "env"> = {},
  ) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      cwd: root,
      env: { NO_COLOR: "1", ...env },
      stdin: typing ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#out = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#err = this.#listen();
    this.#in = typing ? this.#child.stdin.getWriter() : undefined;
  }

  /** The process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The next line that it prints on stdout. */
  async line(): Promise<string> {
    let end: number;
    while ((end = this.#text.indexOf("\n")) === -1) {
      const { value, done } = await this.#out.read();
      if (done) {
        throw new Error(`it ended: ${this.#text}${await this.#err}`);
      }
      this.#text += value;
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  async #listen(): Promise<string> {
    for await (
      const text of this.#child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      this.#said += text;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    }
    this.#heard.resolve();
    return this.#said;
  }

  /** Waits for a line on stderr that matches; it stays there. */
  async said(pattern: RegExp): Promise<string> {
    let ended = false;
    this.#err.then(() => ended = true);
    while (true) {
      const { promise } = this.#heard;
      const lines = this.#said.split("\n").slice(0, -1);
      const line = lines.find((line) => pattern.test(line));
      if (line !== undefined) return line;
      if (ended) throw new Error(`it never said ${pattern}: ${this.#said}`);
      await promise;
    }
  }

  /** The next so many lines. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(await this.line());
    return lines;
  }

  /** Types on its stdin. */
  async type(text: string | Uint8Array): Promise<void> {
    await this.#in?.write(
      typeof text === "string" ? new TextEncoder().encode(text) : text,
    );
  }

  /** Ends its stdin, as Ctrl-D does. */
  async endInput(): Promise<void> {
    await this.#in?.close();
    this.#in = undefined;
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.signal("SIGINT");
  }

  /** Sends it a signal; one that has ended gets none. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Waits for its end. */
  async end(): Promise<Ending> {
    while (true) {
      const { value, done } = await this.#out.read();
      if (done) break;
      this.#text += value;
    }
    const { code } = await this.#child.status;
    const out = linesOf(this.#text);
    this.#text = "";
    return { code, out, err: linesOf(await this.#err) };
  }

  /** Ends it if it is still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.#in?.close().catch(() => {}); // nobody may be left to read it
    await this.#out.cancel();
    await this.#err;
    await this.#child.status;
  }
}

/** Starts a program; `path` is relative to the project's folder. */
export function startProgram(
  path: string,
  args: readonly string[] = [],
  { net, flags = [], typing = false, env = {} }: StartOptions = {},
): RunningProgram {
  const allowed = net === undefined ? flags : [`--allow-net=${net}`, ...flags];
  return new RunningProgram(
    Deno.execPath(),
    ["run", "--no-prompt", ...allowed, path, ...args],
    { typing, env },
  );
}

/** Runs a program to its end. */
export async function runProgram(
  path: string,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Ending> {
  await using program = startProgram(path, args, options);
  return await program.end();
}

/** The port in a line such as `listening on 127.0.0.1:65432`. */
export function portIn(line: string): number {
  const port = Number(line.match(/:(\d+)$/)?.[1]);
  assert(port > 0, `there must be a port in: ${line}`);
  return port;
}

/** Lines with every port of 127.0.0.1 made the same. */
export function masked(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:*")
  );
}

/** A port on which nobody listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
