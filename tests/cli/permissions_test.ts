/**
 * Every program works with the permissions of its task in deno.json, and with none less.
 *
 * Nothing here has to be told of a new program: the tasks are read from deno.json, and what a program takes
 * from its `--help`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { programs } from "../../cli/programs.ts";
import {
  type Ending,
  freePort,
  RunningProgram,
} from "../support/running_program.ts";
import { wordsOf } from "../support/tasks.ts";

const root = new URL("../../", import.meta.url);
const { tasks }: { tasks: Record<string, { command: string }> } = JSON.parse(
  Deno.readTextFileSync(new URL("deno.json", root)),
);
const PROGRAM = /\bdeno run\b.* cli\/[\w/]+\.ts\b/;
/** The task that goes wherever it is told to. */
const COMMAND = "framewire";
const names = Object.keys(tasks).filter((name) =>
  name !== COMMAND && PROGRAM.test(tasks[name].command)
);

/** Where the programs meet unless they are told otherwise, which is no place for tests. */
const PORT = /\b65432\b/g;
const SOCKET = /\/tmp\/framewire\.sock/g;
const FOLDER = /\/tmp\/framewire-files/g;

/** Values for arguments whose help gives no default; for all others it is 1. */
const SAMPLES: Record<string, string> = {
  host: "127.0.0.1",
  port: "65432",
  path: "/tmp/framewire.sock",
  file: "LICENSE",
  action: "search",
  value: "ring",
  url: "http://127.0.0.1:65432/",
};

/** Which server a program talks to, where its name does not say it. */
const SERVERS: Record<string, string> = {
  "http-get": "web-server",
  "url-get": "web-server",
  "ping": "app-server",
  "send-until-full": "stalled-server",
  "send-file": "receive-file",
};

/** What shows that a permission is needed, where the usual arguments do not. */
const NEEDS: Record<string, Record<string, string>> = {
  "resolve --allow-net": { host: "framewire.invalid" },
};

/** Programs that do not end by themselves, or take long to. */
const ENDLESS = /-server$|^receive-file$|^tour$/;

/** How long a program may take until Ctrl-C is pressed, in milliseconds. */
const PATIENCE = 20_000;

/** A place of their own for the programs to meet. */
interface Place {
  port: number;
  socket: string;
  files: string;
}

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const socket = `${folder}/socket`;
    await use({ port: freePort(), socket, files: `${folder}/files` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function moved(text: string, { port, socket, files }: Place): string {
  return text.replace(PORT, String(port)).replace(SOCKET, socket)
    .replace(FOLDER, files);
}

/** How a program is started. */
interface Invocation {
  flags: string[];
  program: string[];
}

/** The command of a task: what it says, moved to a place, and what the program must be told to go there. */
async function invocationOf(
  task: string,
  place: Place,
  samples = SAMPLES,
): Promise<Invocation> {
  const words = await wordsOf(tasks[task].command);
  const at = words.findIndex((word) => /^cli\/[\w/]+\.ts$/.test(word));
  const flags = words.slice(words.indexOf("run") + 1, at);
  const [path, ...given] = words.slice(at);
  const rest = await argumentsOf(path, given.length, samples);
  return {
    flags: flags.map((flag) => moved(flag, place)),
    program: [path, ...given, ...rest].map((word) => moved(word, place)),
  };
}

/** The arguments of a program by its help, but for those given: the defaults, and samples for the others. */
async function argumentsOf(
  path: string,
  given: number,
  samples: Record<string, string>,
): Promise<string[]> {
  await using program = new RunningProgram(Deno.execPath(), [
    "run",
    "--no-prompt",
    path,
    "--help",
  ]);
  const { code, out, err } = await program.end();
  assertEquals([code, err], [0, []], `${path} --help needs no permission`);
  const places: string[] = [];
  const options: string[] = [];
  for (const line of out) {
    const fallback = line.match(/ \(default: (.*)\)$/)?.[1];
    const [, option, name] =
      line.match(/^ {2}(?:-\w, )?(--[\w-]+ )?<([\w-]+)> /) ?? [];
    if (name === undefined) continue;
    if (option === undefined) places.push(fallback ?? samples[name] ?? "1");
    else if (fallback?.match(PORT) || fallback?.match(SOCKET)) {
      options.push(`${option.trim()}=${fallback}`);
    }
  }
  return [...options, ...places.slice(given)];
}

function start(
  { program }: Invocation,
  flags: readonly string[],
): RunningProgram {
  return new RunningProgram(Deno.execPath(), ["run", ...flags, ...program]);
}

/** Waits for a program to end by itself; presses Ctrl-C if it does not. */
async function endOf(program: RunningProgram): Promise<Ending> {
  const timer = setTimeout(() => program.interrupt(), PATIENCE);
  try {
    return await program.end();
  } finally {
    clearTimeout(timer);
  }
}

/** Presses Ctrl-C if a program is still running, and checks that it had nothing to complain of. */
async function stop(program: RunningProgram): Promise<void> {
  try {
    program.interrupt();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended
  }
  const { code, err } = await program.end();
  assertEquals(err, []);
  assert(code === 130 || code === 0, `it must end well: ${code}`);
}

/** Waits until a program has said something, or has been waiting for a client and got one. */
async function firstLineOf(
  program: RunningProgram,
  { port }: Place,
): Promise<void> {
  let said = false;
  const timer = setTimeout(() => program.interrupt(), PATIENCE);
  const line = program.line().finally(() => said = true);
  // Some servers say nothing before their first client.
  while (!said && !(await connects(port))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await line;
  clearTimeout(timer);
}

async function connects(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** The flags with each permission taken away in turn, and what was taken. */
function* withOneLess(
  flags: readonly string[],
): Generator<[name: string, flags: string[]]> {
  for (const [place, flag] of flags.entries()) {
    const [, name, list] = flag.match(/^(--(?:allow|unstable)-\w+)=?(.*)$/) ??
      [];
    if (name === undefined) continue;
    const values = list.split(",");
    for (const value of values) {
      const others = values.filter((other) => other !== value);
      const rest = others.length === 0 ? [] : [`${name}=${others}`];
      yield [name, flags.toSpliced(place, 1, ...rest)];
    }
  }
}

Deno.test("deno task framewire may use the network, ask for nothing, and do nothing else", async () => {
  assertEquals(await wordsOf(tasks[COMMAND].command), [
    "deno",
    "run",
    "--no-prompt",
    "--allow-net",
    "cli/main.ts",
  ]);
});

Deno.test("deno task framewire connects and listens with its permission, and names it when it is missing", async () => {
  const [, , ...words] = await wordsOf(tasks[COMMAND].command);
  const run = (flags: readonly string[], ...args: string[]) =>
    new RunningProgram(Deno.execPath(), ["run", ...flags, ...args], {
      typing: true,
    });
  {
    await using server = run(words, "listen", ":0", "--echo");
    const place =
      (await server.said(/^framewire: listening on /)).split(" ")[3];
    await using client = run(words, "connect", place);
    await client.type("hi\n");
    await client.endInput();
    assertEquals(await client.end(), { code: 0, out: ["hi"], err: [] });
    assertEquals((await server.end()).code, 0);
  }
  const without = words.filter((word) => word !== "--allow-net");
  const place = `127.0.0.1:${freePort()}`;
  for (
    const args of [
      ["connect", place],
      ["listen", place],
      ["tap", place, "127.0.0.1:1"],
      ["detect", place],
      ["bench", place],
      ["ping", ...place.split(":")],
    ]
  ) {
    await using program = run(without, ...args);
    await program.endInput();
    const { code, out, err } = await program.end();
    assertEquals([code, err.length], [1, 1], err.join("\n"));
    assert(err[0].includes("--allow-net"), err[0]);
    assert(args[0] === "ping" || out.length === 0);
  }
  // What else a command may need, it names.
  await using program = run(words, "decode", "LICENSE");
  await program.endInput();
  const { code, err } = await program.end();
  assertEquals([code, err.length], [1, 1]);
  assert(err[0].includes("--allow-read=LICENSE"), err[0]);
});

Deno.test("every program has a task, and no task more permissions than it lists", () => {
  assertEquals(
    programs.map(({ name }) => name).filter((name) => !names.includes(name)),
    [],
  );
  for (const name of names) {
    const { command } = tasks[name];
    assert(command.includes(" --no-prompt "), `${name} may ask: ${command}`);
    assert(
      !/ (-A|--allow-all|--allow-\w+(?!\S*=))\b/.test(command),
      `${name} may do too much: ${command}`,
    );
  }
});

/** Runs a program to its end; again if its server was not there yet. */
async function runAsTask(
  invocation: Invocation,
  flags: readonly string[],
): Promise<Ending> {
  const deadline = Date.now() + PATIENCE;
  while (true) {
    await using program = start(invocation, flags);
    const ending = await endOf(program);
    const lacks = /--(allow|unstable)-/.test(ending.err.join());
    if (ending.code !== 1 || lacks || Date.now() > deadline) return ending;
  }
}

/** The task of the server that a program talks to, if there is one. */
function serverOf(name: string): string | undefined {
  const server = SERVERS[name] ?? name.replace(/-client$/, "-server");
  return server !== name && names.includes(server) ? server : undefined;
}

async function startServer(
  name: string | undefined,
  place: Place,
): Promise<RunningProgram | undefined> {
  if (name === undefined) return undefined;
  const invocation = await invocationOf(name, place);
  return start(invocation, invocation.flags);
}

for (const name of names) {
  const task = `deno task ${name}`;
  const serverName = serverOf(name);

  if (ENDLESS.test(name)) {
    Deno.test(`${task} starts with its permissions`, () =>
      withPlace(async (place) => {
        const invocation = await invocationOf(name, place);
        await using program = start(invocation, invocation.flags);
        await firstLineOf(program, place);
        await stop(program);
      }));
  } else {
    const both = serverName ? ` and ${serverName} do their` : " does its";
    Deno.test(`${task}${both} work with the permissions of the task`, () =>
      withPlace(async (place) => {
        await using server = await startServer(serverName, place);
        const invocation = await invocationOf(name, place);
        const { code, err } = await runAsTask(invocation, invocation.flags);
        assertEquals([err, code], [[], 0]);
        if (server !== undefined) await stop(server);
      }));
  }

  if (!/ --(allow|unstable)-/.test(tasks[name].command)) continue;
  Deno.test(`${task} names each permission that it lacks`, () =>
    withPlace(async (place) => {
      await using _ = await startServer(serverName, place);
      const usual = await invocationOf(name, place);
      for (const [lacking, flags] of withOneLess(usual.flags)) {
        const needing = NEEDS[`${name} ${lacking}`];
        const invocation = needing === undefined
          ? usual
          : await invocationOf(name, place, needing);
        const { code, err } = await runAsTask(invocation, flags);
        assertEquals([err.length, code], [1, 1], `without ${lacking}: ${err}`);
        assert(err[0].includes(lacking), `${err[0]} must name ${lacking}`);
      }
    }));
}
