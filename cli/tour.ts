/**
 * Tour: runs all programs, one after another, and prints what each of them prints.
 *
 *     $ deno run --allow-run="$(deno eval -p 'Deno.execPath()')" cli/tour.ts
 *     …
 *     == echo-server
 *     $ deno run --allow-net=127.0.0.1:0 cli/echo_server.ts 127.0.0.1 0
 *     listening on 127.0.0.1:43541
 *     Connected by 127.0.0.1:55340
 *
 *     == echo-client
 *     $ deno run --allow-net=127.0.0.1:43541 cli/echo_client.ts 127.0.0.1 43541
 *     Received b'Hello, world'
 *     …
 *     46 programs, 46 ok
 *
 * Each is a process of its own, on a free port, with the permissions that it takes and no more. A server is
 * started before its clients and stopped after them, by Ctrl-C. A program is ok if it prints what it should,
 * nothing on stderr, and ends as it should; if one is not, the exit code is 1. Ctrl-C ends the tour and
 * what it has started.
 *
 * It takes less than a minute. It does not handle systems other than Linux, which some of the programs need.
 *
 * @module
 */

import { Framing, lines, streamConn } from "../mod.ts";
import { type Program, program } from "./program.ts";

/** A program, and what it takes to run it. In `run` and `allow`, `{port}` is the server's. */
export interface Step {
  /** Its name and its arguments, with spaces between them. */
  run: string;
  /** Flags for Deno; by default those for a server on a free port, or for the client of one. */
  allow?: readonly string[];
  /** What it is told on its stdin. */
  says?: string;
  /** What it must print, in one of its lines. */
  shows: string;
  /** Whether a server ends by itself, after its client. */
  ends?: boolean;
}

const LOOPBACK = "--allow-net=127.0.0.1";
const SERVER = "--allow-net=127.0.0.1:0";
const CLIENT = "--allow-net=127.0.0.1:{port}";
const RUN_DENO = `--allow-run=${Deno.execPath()}`;
const SOCKET = `/tmp/framewire-tour-${Deno.pid}.sock`;
const RECEIVER = [SERVER, "--allow-read=/tmp", "--allow-write=/tmp"];
const UNIX = [
  `--allow-net=unix:${SOCKET}`,
  `--allow-read=${SOCKET}`,
  `--allow-write=${SOCKET}`,
];
const ECHO: Step = {
  run: "echo-client 127.0.0.1 {port}",
  shows: "Received b'Hello, world'",
};

/** The tour: at each stop a server with its clients, or a program that needs no server. */
const STOPS: readonly (readonly Step[])[] = [
  [{ run: "demo", allow: [LOOPBACK], shows: "the answers are identical" }],
  [
    { run: "echo-server 127.0.0.1 0", shows: "Connected by", ends: true },
    ECHO,
  ],
  [
    { run: "multiconn-server 127.0.0.1 0", shows: "echoing b'Message 1" },
    {
      run: "multiconn-client 127.0.0.1 {port} 2",
      shows: "closing connection 2",
    },
  ],
  [
    { run: "app-server 127.0.0.1 0", shows: "received request {'action'" },
    {
      run: "app-client 127.0.0.1 {port} search morpheus",
      shows: "got result: Follow the white rabbit. 🐰",
    },
    {
      run: "app-client 127.0.0.1 {port} binary 😃",
      shows: "got response: b'First 10 bytes of request: binary",
    },
    {
      run: "ping 127.0.0.1 {port} --interval 1",
      shows: "3 connections tried, 3 made",
    },
    { run: "netstat {port}", allow: ["--allow-run=cat,ls"], shows: "LISTEN" },
  ],
  [
    { run: "hello-server 127.0.0.1 0", shows: "sending b'Goodbye'" },
    { run: "hello-client 127.0.0.1 {port}", shows: "b'Hello Yourself'" },
  ],
  [
    { run: "fixed-server 127.0.0.1 0", shows: "received b'Hello, world'" },
    { run: "fixed-client 127.0.0.1 {port}", shows: "received b'Hello, world'" },
  ],
  [
    { run: "typed-server 127.0.0.1 0", shows: "received greeting b'hello'" },
    {
      run: "typed-client 127.0.0.1 {port}",
      shows: "received greeting b'hello'",
    },
  ],
  [
    { run: "delimited-server 127.0.0.1 0", shows: "received b'third'" },
    { run: "delimited-client 127.0.0.1 {port}", shows: "sending" },
  ],
  [
    { run: "ascii-length-server 127.0.0.1 0", shows: "b'Hello, world'" },
    {
      run: "ascii-length-client 127.0.0.1 {port}",
      shows: "sending b'00012Hello, world'",
    },
  ],
  [
    { run: "until-close-server 127.0.0.1 0", shows: "b'Hello, world'" },
    { run: "until-close-client 127.0.0.1 {port}", shows: "sending b'world'" },
  ],
  [
    { run: "half-close-server 127.0.0.1 0", shows: "received" },
    {
      run: "half-close-client 127.0.0.1 {port}",
      shows: "received b'You sent 12 bytes'",
    },
  ],
  [
    {
      run: "receive-file 127.0.0.1 0 /tmp --discard",
      allow: RECEIVER,
      shows: "received hosts",
    },
    {
      run: "send-file /etc/hosts 127.0.0.1 {port}",
      allow: [CLIENT, "--allow-read=/etc/hosts"],
      shows: "sent hosts",
    },
  ],
  [
    { run: "web-server 127.0.0.1 0", shows: "sending HTTP/1.0 200 OK" },
    { run: "http-get 127.0.0.1 {port}", shows: "HTTP/1.0 200 OK" },
    { run: "url-get http://127.0.0.1:{port}/", shows: "<!DOCTYPE html>" },
  ],
  [{ run: "blocking", allow: [LOOPBACK], shows: "recv() gave b'Hello?'" }],
  [{ run: "timeout", allow: [LOOPBACK], shows: "error: timed out" }],
  [{ run: "nonblocking", allow: [LOOPBACK], shows: "b'Hello!'" }],
  [{
    run: "dead-peer",
    allow: [SERVER, RUN_DENO],
    shows: "the peer is dead",
  }],
  [
    { run: "stalled-server 127.0.0.1 0", shows: "accepted connection" },
    {
      run: "send-until-full 127.0.0.1 {port}",
      allow: [CLIENT, "--allow-run=cat"],
      shows: "would block",
    },
  ],
  [
    {
      run: "threaded-server 127.0.0.1 0",
      allow: [
        "--unstable-net",
        LOOPBACK,
        `--allow-read=${import.meta.dirname}/..`,
      ],
      shows: "echoing b'Hello, world'",
    },
    ECHO,
  ],
  [
    {
      run: "forking-server 127.0.0.1 0",
      allow: ["--unstable-net", LOOPBACK, RUN_DENO],
      shows: "echoing b'Hello, world'",
    },
    ECHO,
  ],
  [
    { run: "async-server 127.0.0.1 0", shows: "echoing b'Hello, world'" },
    ECHO,
  ],
  [
    { run: "select-server 127.0.0.1 0", shows: "echoing b'Hello, world'" },
    ECHO,
  ],
  [
    { run: "chat-server 127.0.0.1 0", shows: "ana: Good morning!" },
    {
      run: "chat-client 127.0.0.1 {port} --name ana",
      says: "Good morning!",
      shows: "you are ana",
    },
  ],
  [
    {
      run: "udp-server 127.0.0.1 0",
      allow: ["--unstable-net", LOOPBACK],
      shows: "b'Hello World'",
    },
    {
      run: "udp-client 127.0.0.1 {port}",
      allow: ["--unstable-net", `${SERVER},127.0.0.1:{port}`],
      shows: "Received b'Hello World'",
    },
  ],
  [
    { run: `unix-server ${SOCKET}`, allow: UNIX, shows: "echoing" },
    {
      run: `unix-client ${SOCKET}`,
      allow: UNIX,
      shows: "Received b'Hello, world'",
    },
  ],
  [{
    run: "resolve localhost http",
    allow: ["--allow-sys=hostname", "--allow-read=/etc/hosts"],
    shows: "socket.getservbyname('http') = 80",
  }],
  [{ run: "byte-order 256", allow: [], shows: "socket.htons(256)" }],
];

/** How long a program may take, in milliseconds. */
const TIMEOUT = 20_000;
/** How long a server is given to be done with its clients, in milliseconds. */
const PATIENCE = 2000;
/** How long after Ctrl-C a program is given to end, in milliseconds. */
const GRACE = 1000;

/** A program that is running. */
class Running {
  readonly step: Step;
  readonly #command: string;
  readonly #child: Deno.ChildProcess;
  readonly #err: Promise<string>;
  readonly #out: string[] = [];
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #stopped: Promise<void> | undefined;
  #onLine = () => {};

  /** Starts one; `port` is its server's. */
  constructor(step: Step, port: string) {
    this.step = step;
    const usual = isServer(step) ? SERVER : CLIENT;
    const flags = (step.allow ?? [usual])
      .map((flag) => flag.replaceAll("{port}", port));
    const [name, ...args] = step.run.replaceAll("{port}", port).split(" ");
    const file = `${name.replaceAll("-", "_")}.ts`;
    this.#command = ["deno run", ...flags, `cli/${file}`, ...args].join(" ");
    const { href } = new URL(file, import.meta.url);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, href, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(TIMEOUT),
    }).spawn();
    this.#err = this.#child.stderr.text();
    this.#ended = this.#converse();
  }

  async #converse(): Promise<void> {
    const { stdout, stdin, status } = this.#child;
    using pipes = new Framing(
      streamConn({ readable: stdout, writable: stdin }),
      lines(),
    );
    if (this.step.says !== undefined) await pipes.write(this.step.says);
    await pipes.closeWrite();
    for await (const line of pipes) {
      this.#out.push(line);
      this.#onLine();
    }
    await status;
    this.#hasEnded = true;
  }

  /** Waits until it has printed what is wanted, or its time is up, or it has ended. */
  async printed(
    enough: (lines: readonly string[]) => boolean,
    timeout: number,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeout);
    this.#onLine = () => enough(this.#out) && resolve();
    this.#onLine();
    await Promise.race([promise, this.#ended]);
    clearTimeout(timer);
  }

  /** The port that it listens on, once it does. */
  async port(): Promise<string> {
    let port = "";
    await this.printed((lines) => {
      const line = lines.find((line) => line.startsWith("listening on "));
      port = line?.match(/:(\d+)$/)?.[1] ?? "";
      return line !== undefined;
    }, TIMEOUT);
    return port;
  }

  /** Waits for its end. */
  async end(): Promise<void> {
    await this.#ended;
  }

  /** Ends it if it is still running: by Ctrl-C, or by force if that does not help. */
  stop(): Promise<void> {
    // A second Ctrl-C would tell it not to put things in order.
    return this.#stopped ??= this.#interrupt();
  }

  async #interrupt(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill("SIGINT");
    const timer = setTimeout(() => {
      if (!this.#hasEnded) this.#child.kill("SIGKILL");
    }, GRACE);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Prints what it printed, and whether that is as it should be. */
  async report(print: (line: string) => void): Promise<boolean> {
    const { step } = this;
    const err = await this.#err;
    const { code } = await this.#child.status;
    const faults: string[] = [];
    if (!this.#out.some((line) => line.includes(step.shows))) {
      faults.push(`did not print ${step.shows}`);
    }
    if (err !== "") faults.push("printed on stderr");
    const expected = isServer(step) && !step.ends ? 130 : 0;
    if (code !== expected) {
      faults.push(`exit code ${code} instead of ${expected}`);
    }
    print(`== ${nameOf(step)}`);
    print(`$ ${this.#command}`);
    this.#out.forEach(print);
    err.split("\n").filter((line) => line !== "").forEach(print);
    if (faults.length > 0) print(`not ok: ${faults.join(", ")}`);
    print("");
    return faults.length === 0;
  }
}

function nameOf({ run }: Step): string {
  return run.split(" ", 1)[0];
}

function isServer(step: Step): boolean {
  return /-server$|^receive-file$/.test(nameOf(step));
}

/** Whether a server has printed what it is to, and closed as many connections as it has accepted. */
function isDone(lines: readonly string[], shows: string): boolean {
  // It may not have heard yet of a client that is gone already.
  if (!lines.some((line) => line.includes(shows))) return false;
  const accepted = lines.filter((line) => /\baccepted connection\b/.test(line));
  const closed = lines.filter((line) => /\bclosing connection\b/.test(line));
  return accepted.length === closed.length;
}

/**
 * Runs programs and prints what they print.
 *
 * @param stops The programs: at each stop a server with its clients, or a program that needs no server.
 * @param signal Ends the tour, and what is running.
 * @param print Prints a line.
 * @returns The programs that have run, by their names, and whether they were ok each time.
 */
export async function visit(
  stops: readonly (readonly Step[])[],
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<Map<string, boolean>> {
  const results = new Map<string, boolean>();
  for (const steps of stops) {
    const running: Running[] = [];
    const stop = () => running.forEach((program) => void program.stop());
    signal.addEventListener("abort", stop);
    let port = "";
    for (const step of steps) {
      if (signal.aborted) break;
      const program = new Running(step, port);
      running.push(program);
      if (isServer(step)) port = await program.port();
      else await program.end();
    }
    for (const program of running) {
      const { ends = false, shows } = program.step;
      await program.printed(
        (lines) => !ends && isDone(lines, shows),
        PATIENCE,
      );
      await program.stop();
    }
    signal.removeEventListener("abort", stop);
    if (signal.aborted) break;
    for (const program of running) {
      const name = nameOf(program.step);
      const ok = await program.report(print);
      results.set(name, ok && results.get(name) !== false);
    }
  }
  return results;
}

/** Runs all programs, one after another. */
export const tour: Program = program({
  name: "tour",
  about: "Runs all programs, one after another, and counts those that are ok",
  permissions: RUN_DENO,

  async main({ print, atInterrupt }) {
    const stop = new AbortController();
    const visited = visit(STOPS, stop.signal, print);
    async function end(): Promise<void> {
      stop.abort();
      await visited;
    }
    atInterrupt(end);

    const results = await visited;
    if (stop.signal.aborted) return 130;
    const ok = results.values().filter((ok) => ok).toArray();
    print(`${results.size} programs, ${ok.length} ok`);
    return ok.length === results.size ? 0 : 1;
  },
});

if (import.meta.main) Deno.exit(await tour.run(Deno.args));
