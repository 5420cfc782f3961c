/**
 * What all programs share: arguments, help, errors as one line, and Ctrl-C.
 *
 *     exit code 0   it did what it should
 *               1   the network, a peer or a missing permission prevented it: one line on stderr
 *               2   it was called wrongly: its usage on stderr
 *             130   Ctrl-C
 *             143   it was told to end, by SIGTERM
 *
 * A program is made with {@linkcode program} and ends its file with
 *
 *     if (import.meta.main) Deno.exit(await itsName.run(Deno.args));
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { ConnectionError, formatAddr, FramingError } from "../mod.ts";
import { didYouMean } from "./nearest.ts";
import { oneLine } from "./python_literal.ts";

/** A program of the command line. */
export interface Program {
  /** What it is called. */
  readonly name: string;
  /** What it does, in one line. */
  readonly about: string;
  /** What may stand behind its name. */
  readonly syntax: Syntax;
  /**
   * Runs it. What it prints goes to the terminal; the process goes on.
   *
   * @param args The arguments behind its name.
   * @returns The exit code.
   */
  run(args: readonly string[]): Promise<number>;
}

/** An argument by its place, or an option `--name <value>`. */
export interface Parameter<V> {
  /** Its name in the usage. */
  readonly name: string;
  /** What it means, for the help. */
  readonly about: string;
  /** What it is when it is not given; without it, it must be given, as options need not be. */
  readonly fallback?: string;
  /** For an option: a letter that stands for its name, as in `-c 3`. */
  readonly short?: string;
  /** What its value is, for the help of an option, and for completion: `file`, or words such as `raw|hex`. */
  readonly value?: string;
  /** Makes its value of the text that was given, or throws a `RangeError` that says what it must be. */
  read(text: string): V;
}

/** An option without a value, `--name`. */
export interface Switch {
  /** Its name in the usage. */
  readonly name: string;
  /** What it does, for the help. */
  readonly about: string;
}

/** What may stand behind a program's name. */
export interface Syntax {
  /** Its arguments, in order; of the last ones, those with a fallback may be left out. */
  readonly takes?: readonly Parameter<unknown>[];
  /** Its options with a value; each has a fallback. */
  readonly options?: readonly (Parameter<unknown> & { fallback: string })[];
  /** Its options without a value. */
  readonly switches?: readonly Switch[];
}

/** What a program is given to work with. */
export interface Terminal {
  /** The value of an argument or an option. */
  get<V>(parameter: Parameter<V>): V;
  /** Whether the switch was given. */
  has(option: Switch): boolean;
  /** Prints one line on stdout. */
  print(line: string): void;
  /** Names what is to be closed, in good order, when the program is to end; the rest is cut off. */
  atInterrupt(close: () => Promise<void>): void;
}

/** What a program is made of. */
export interface ProgramInit extends Syntax {
  /** What it is called. */
  readonly name: string;
  /** What it does, in one line without a period. */
  readonly about: string;
  /** The permissions to ask for together, where what is missing first is not all. */
  readonly permissions?: string;
  /** Calls of it for the help, each with what it does. */
  readonly examples?: readonly (readonly [call: string, about: string])[];
  /** Says in the program's own terms what its help calls otherwise. */
  readonly reword?: (message: string) => string;
  /** The exit code for what `main` throws, 1 for all without it; a {@linkcode ProgramError} has its own. */
  readonly exitCode?: (error: unknown) => number;
  /** Whether it leaves stdout alone on Ctrl-C. */
  readonly quiet?: boolean;
  /** What it does. The program ends when it is done: with exit code 0, or with the one returned. */
  readonly main: (terminal: Terminal) => Promise<number | void>;
}

/** Makes a parameter whose value is a whole number. */
export function wholeNumber(
  init: Omit<Parameter<number>, "read">,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Parameter<number> {
  return {
    ...init,
    read(text) {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= min && value <= max) return value;
      const range = max === Number.MAX_SAFE_INTEGER
        ? `, ${min} or more`
        : ` from ${min} to ${max}`;
      throw new RangeError(
        `${init.name} must be a whole number${range}: it is "${text}"`,
      );
    },
  };
}

/** Makes a parameter whose value is several texts, with `|` between them. */
export function severalTexts<P extends Omit<Parameter<unknown>, "read">>(
  init: P,
): P & Parameter<string[]> {
  return { ...init, read: (text) => text.split("|") };
}

/** Where a server listens. Nothing at all (`''`) stands for all IPv4 interfaces, as in Python. */
export const LISTEN_HOST: Parameter<string> = {
  name: "host",
  about: "the address to listen on; '' for all interfaces",
  fallback: "127.0.0.1",
  read: (text) => text === "" ? "0.0.0.0" : withoutBrackets(text),
};

/** The port that a server listens on. */
export const LISTEN_PORT: Parameter<number> = wholeNumber(
  {
    name: "port",
    about: "the port to listen on; 0 for any that is free",
    fallback: "65432",
  },
  0,
  65_535,
);

/** Where a client connects to. */
export const PEER_HOST: Parameter<string> = {
  name: "host",
  about: "the name or the address of the server",
  fallback: "127.0.0.1",
  read(text) {
    if (text === "") throw new RangeError("host must not be empty");
    return withoutBrackets(text);
  },
};

/** The port that a client connects to. */
export const PEER_PORT: Parameter<number> = wholeNumber(
  { name: "port", about: "the server's port", fallback: "65432" },
  1,
  65_535,
);

/** The path of a Unix socket. */
export const SOCKET_PATH: Parameter<string> = {
  name: "path",
  about: "the path of the socket",
  fallback: "/tmp/framewire.sock",
  read(text) {
    const { length } = new TextEncoder().encode(text);
    // Linux keeps it in 108 bytes with a zero behind it, macOS in 104.
    if (length > 0 && length < 104) return text;
    throw new RangeError(
      `path must be from 1 to 103 bytes long: it has ${length}`,
    );
  },
};

/** What a program that uses a Unix socket has to be allowed. */
export const SOCKET_PERMISSIONS =
  "--allow-net=unix:PATH --allow-read=PATH --allow-write=PATH";

/** What a client sends. */
export const MESSAGE: Parameter<string> & { fallback: string } = {
  name: "message",
  about: "the text to send",
  fallback: "Hello, world",
  read: (text) => text,
};

/** For programs whose output others are to read. */
export const JSON_OUTPUT: Switch = {
  name: "json",
  about: "print a JSON object a line",
};

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.+)\]$/, "$1");
}

/** How long Ctrl-C waits for what is being closed, in milliseconds. */
const GRACE = 2000;
/** How close together two signals are one press of Ctrl-C, in milliseconds. */
const SAME_PRESS = 300;
/** The exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130;
/** The exit code of a program that was told to end. */
const TERMINATED = 143;

/** What ends a program, with what it is to say. */
export class ProgramError extends Error {
  /** The exit code; for 0 nothing is said. */
  readonly exitCode: number;

  /** Makes one of the line to say and the exit code. */
  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProgramError";
    this.exitCode = exitCode;
  }
}

/** Wrong arguments. `message` is empty where the usage says it all. */
class UsageError extends Error {}

/**
 * Makes a program.
 *
 * @param init What it is made of.
 * @returns The program.
 */
export function program(init: ProgramInit): Program {
  const { name, about } = init;
  return { name, about, syntax: init, run: (args) => run(init, args) };
}

async function run(
  init: ProgramInit,
  args: readonly string[],
): Promise<number> {
  let given: Given | "help";
  try {
    given = readArguments(init, args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(usageOf(init));
    if (error.message !== "") fail(init, error.message);
    return 2;
  }
  if (given === "help") {
    console.log(helpOf(init));
    return 0;
  }

  const closings: (() => Promise<void>)[] = [];
  const stopped = Promise.withResolvers<number>();
  let stopping: number | undefined;
  let since = 0;
  async function stop(code: number): Promise<void> {
    if (stopping !== undefined) {
      // Whoever presses Ctrl-C twice does not want to wait; a terminal and a task runner both send one.
      if (performance.now() - since > SAME_PRESS) stopped.resolve(stopping);
      return;
    }
    stopping = code;
    since = performance.now();
    if (code === INTERRUPTED && !init.quiet) {
      console.log("caught keyboard interrupt, exiting");
    }
    const timer = setTimeout(() => stopped.resolve(code), GRACE);
    await Promise.allSettled(closings.map((close) => close()));
    clearTimeout(timer);
    stopped.resolve(code);
  }
  const interrupt = () => stop(INTERRUPTED);
  const terminate = () => stop(TERMINATED);
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", terminate);
  try {
    const { texts, switches } = given;
    const done = init.main({
      get: (parameter) => parameter.read(textOf(texts, parameter)),
      has: (option) => switches.has(option),
      print: (line) => console.log(oneLine(line)),
      atInterrupt: (close) => closings.push(close),
    }).then(
      (code) => code ?? 0,
      (error) => {
        if (stopping !== undefined) return stopping; // what was being closed failed for that reason
        const code = error instanceof ProgramError
          ? error.exitCode
          : init.exitCode?.(error) ?? 1;
        if (code === 0) return 0;
        const said = explain(error, whereOf(init, texts), init.permissions);
        fail(init, init.reword?.(said) ?? said);
        return code;
      },
    );
    const code = await Promise.race([done, stopped.promise]);
    return stopping === undefined ? code : await stopped.promise;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", terminate);
  }
}

function fail({ name }: ProgramInit, message: string): void {
  console.error(`${name}: ${oneLine(message)}`);
}

/** The arguments as they were given, or by their fallbacks. */
interface Given {
  texts: ReadonlyMap<Parameter<unknown>, string>;
  switches: ReadonlySet<Switch>;
}

function readArguments(
  { takes = [], options = [], switches = [] }: ProgramInit,
  args: readonly string[],
): Given | "help" {
  const shorts = options.flatMap(({ name, short }) =>
    short === undefined ? [] : [[name, short]]
  );
  const parsed = parseArgs([...args], {
    string: ["_", ...options.map(({ name }) => name)],
    boolean: ["help", ...switches.map(({ name }) => name)],
    alias: { ...Object.fromEntries(shorts), help: "h" },
    unknown(arg, key) {
      if (key === undefined) return true;
      const known = [...options, ...switches].map(({ name }) => `--${name}`);
      throw new UsageError(
        `unknown option ${arg}${didYouMean(arg, [...known, "--help"])}`,
      );
    },
  });
  if (parsed.help === true) return "help";

  const places = parsed._.map(String);
  if (places.length > takes.length) {
    const extra = places[takes.length];
    throw new UsageError(`unexpected argument "${extra}"`);
  }
  if (places.length < requiredOf(takes)) throw new UsageError();
  const texts = new Map<Parameter<unknown>, string>();
  for (const [place, parameter] of takes.entries()) {
    texts.set(parameter, places[place] ?? parameter.fallback ?? "");
  }
  for (const option of options) {
    const text = parsed[option.name];
    if (text === "") throw new UsageError(`--${option.name} needs a value`);
    texts.set(option, typeof text === "string" ? text : option.fallback);
  }
  for (const [parameter, text] of texts) {
    try {
      parameter.read(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UsageError(error.message);
    }
  }
  return {
    texts,
    switches: new Set(switches.filter(({ name }) => parsed[name] === true)),
  };
}

/** How many arguments must be given: all up to the last one without a fallback. */
function requiredOf(takes: readonly Parameter<unknown>[]): number {
  return takes.findLastIndex(({ fallback }) => fallback === undefined) + 1;
}

function textOf(
  texts: ReadonlyMap<Parameter<unknown>, string>,
  parameter: Parameter<unknown>,
): string {
  const text = texts.get(parameter);
  if (text !== undefined) return text;
  throw new TypeError(`The program does not take ${parameter.name}`);
}

function usageOf(
  { name, takes = [], options = [], switches = [] }: ProgramInit,
): string {
  const required = requiredOf(takes);
  const words = [
    `usage: ${name}`,
    ...takes.map(({ name }, i) => i < required ? `<${name}>` : `[<${name}>]`),
    ...options.map(({ name, short, value = "value" }) =>
      `[${short === undefined ? `--${name}` : `-${short}`} <${value}>]`
    ),
    ...switches.map(({ name }) => `[--${name}]`),
  ];
  return words.join(" ");
}

function helpOf(init: ProgramInit): string {
  const { about, takes = [], options = [], switches = [], examples = [] } =
    init;
  const required = requiredOf(takes);
  const rows: [string, string][] = [
    ...takes.map((parameter, i) =>
      row(`<${parameter.name}>`, parameter, i >= required)
    ),
    ...options.map((option) => {
      const short = option.short === undefined ? "" : `-${option.short}, `;
      const { name, value = "value" } = option;
      return row(`${short}--${name} <${value}>`, option, true);
    }),
    ...switches.map((option) => row(`--${option.name}`, option, false)),
    ["-h, --help", "print this and exit"],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const list = rows.map(([label, about]) =>
    `  ${label.padEnd(width)}  ${about}`
  );
  const calls = examples.flatMap(([call, about]) => [
    "",
    `${about}:`,
    `  $ ${call}`,
  ]);
  return [usageOf(init), "", `${about}.`, "", ...list, ...calls].join("\n");
}

function row(
  label: string,
  { about, fallback }: { about: string; fallback?: string },
  optional: boolean,
): [string, string] {
  const said = optional && fallback !== "";
  return [label, said ? `${about} (default: ${fallback})` : about];
}

/** Where the program was to listen or to connect, if its arguments say so. */
function whereOf(
  { takes = [] }: ProgramInit,
  texts: ReadonlyMap<Parameter<unknown>, string>,
): string | undefined {
  const values = new Map(
    takes.map((parameter) => [
      parameter.name,
      parameter.read(textOf(texts, parameter)),
    ]),
  );
  const [hostname, port, path] = [
    values.get("host"),
    values.get("port"),
    values.get("path"),
  ];
  if (typeof path === "string") return path;
  if (typeof hostname !== "string" || typeof port !== "number") {
    return undefined;
  }
  return formatAddr({ transport: "tcp", hostname, port });
}

type ErrorClass = new (message?: string) => Error;

/** What to say of an address that cannot be listened on or connected to. */
const ADDRESS_FAULTS: readonly (readonly [ErrorClass, string])[] = [
  [Deno.errors.AddrInUse, "another program is listening there"],
  [Deno.errors.AddrNotAvailable, "not an address of this machine"],
  [Deno.errors.ConnectionRefused, "connection refused; is the server running?"],
];

/** What to say of a connection that broke. */
const PEER_FAULTS: readonly (readonly [ErrorClass, string])[] = [
  [Deno.errors.ConnectionReset, "the peer reset the connection"],
  [Deno.errors.BrokenPipe, "the peer closed the connection"],
];

function reasonOf(
  error: Error,
  faults: readonly (readonly [ErrorClass, string])[],
): string | undefined {
  return faults.find(([kind]) => error instanceof kind)?.[1];
}

/**
 * Says in one line what went wrong, for somebody who wants to do something about it.
 *
 * @param error What was thrown.
 * @param where The address or the path that the program was about, if it had one.
 * @param permissions The permissions to ask for if one is missing; that one by default.
 * @returns The line.
 * @throws What was thrown, if it is a fault of the program itself: that one needs its stack trace.
 */
export function explain(
  error: unknown,
  where?: string,
  permissions?: string,
): string {
  if (!(error instanceof Error)) throw error;
  const { message } = error;
  if (error instanceof Deno.errors.NotCapable) {
    const flags = permissions ?? missingPermission(message);
    return flags === undefined
      ? message
      : `needs permission: run again with ${flags}`;
  }
  if (
    error instanceof FramingError || error instanceof ConnectionError ||
    error instanceof ProgramError
  ) return message;
  // A value of the user's that does not fit.
  if (
    (error instanceof RangeError || error instanceof TypeError) &&
    /^Cannot (?!read prop)/.test(message)
  ) return message;
  where ??= message.match(/^Cannot (?:connect to|listen on) (\S+): /)?.[1];
  const broken = reasonOf(error, PEER_FAULTS);
  if (broken !== undefined) return broken;
  const at = where === undefined ? "" : `${where}: `;
  const refused = reasonOf(error, ADDRESS_FAULTS);
  if (refused !== undefined) return at + refused;
  if (/failed to lookup address/.test(message)) return `${at}unknown host`;
  if (error instanceof URIError) return message;
  const [, said, path] =
    message.match(/([^:]+) \(os error \d+\)(?:: \w+ '(.+)')?$/) ?? [];
  if (said !== undefined) {
    return (path === undefined ? at : `${path}: `) + said.trim().toLowerCase();
  }
  throw error;
}

/**
 * Makes sure that Deno was started with `--unstable-net`, for datagrams and shared ports.
 *
 * @throws {Deno.errors.NotCapable} If it was not.
 */
export function needUnstableNet(): void {
  // Deno has this function only then. That a port cannot be shared it says by ending the program.
  if (typeof Deno.listenDatagram === "function") return;
  throw new Deno.errors.NotCapable(
    "needs Deno's unstable network functions: run again with --unstable-net",
  );
}

/** The flag that Deno's message asks for, with what was asked for behind it. */
function missingPermission(message: string): string | undefined {
  const found = message.match(
    /^Requires \w+ access to "(.+)", run again with the (--allow-\w+) flag$/,
  );
  if (found === null) return undefined;
  const [, target, flag] = found;
  const value = `${flag}=${target}`;
  return /[\s']/.test(value) ? `'${value.replaceAll("'", `'\\''`)}'` : value;
}
