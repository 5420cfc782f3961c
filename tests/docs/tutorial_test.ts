/**
 * docs/tutorial.md keeps what it promises: every command on it is run, with the permissions of its task, and
 * prints what the page shows.
 *
 * All commands between two headings are a scene: a server runs until the next one, or until the scene is over.
 * What the machine decides, such as ports, times and the numbers of processes, is masked, and `…` on the page
 * stands for anything.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { programs } from "../../cli/programs.ts";
import { LOOPBACK } from "../support/loopback.ts";
import {
  type Ending,
  freePort,
  masked,
  RunningProgram,
} from "../support/running_program.ts";
import { tasks, wordsOf } from "../support/tasks.ts";
import { byConnection } from "../support/transcript.ts";

const page = new URL("../../docs/tutorial.md", import.meta.url);
const text = Deno.readTextFileSync(page);

/** How long a scene may take until Ctrl-C is pressed in all of its programs, in milliseconds. */
const PATIENCE = 60_000;

/** What a server says on Ctrl-C. */
const STOPPED = "caught keyboard interrupt, exiting";

/** A command on the page, and the lines that are shown behind it. */
interface Session {
  command: string;
  shown: string[];
}

/** The commands between two headings. */
interface Scene {
  heading: string;
  sessions: Session[];
}

/** A place of their own for the programs of a scene to meet. */
interface Place {
  port: number;
  socket: string;
  files: string;
}

function scenesIn(markdown: string): Scene[] {
  return markdown.split(/^#+ /m).slice(1).map((section) => ({
    heading: section.slice(0, section.indexOf("\n")),
    sessions: [...section.matchAll(/^```console\n(.*?)^```$/gms)]
      .flatMap(([, console]) => console.split(/^\$ (?=deno )/m).slice(1))
      .map((session) => {
        const [command, ...shown] = session.trimEnd().split("\n");
        return { command, shown };
      }),
  }));
}

function moved(text: string, { port, socket, files }: Place): string {
  return text.replaceAll("65432", String(port))
    .replaceAll("/tmp/framewire.sock", socket)
    .replaceAll("/tmp/framewire-files", files);
}

/** What to type instead of a command on the page to have its programs meet at a place. */
function commandAt(command: string, place: Place): string {
  const [, name, args] = command.match(/^deno task (\S+) ?(.*)$/) ?? [];
  if (name === undefined) return moved(command, place);
  const task = tasks.get(name);
  assert(task !== undefined, `there is no task for: ${command}`);
  const into = name === "receive-file" ? ` ${place.files}` : "";
  const here = /^unix-/.test(name)
    ? place.socket
    : `127.0.0.1 ${place.port}${into}`;
  const meets = /65432/.test(task) || /-(server|client)$/.test(name);
  const left = meets && !/^[^-]/.test(args); // where to go is left to the program
  const words = [moved(task, place), ...left ? [here] : [], moved(args, place)];
  return words.join(" ").trimEnd();
}

async function start(
  { command }: Session,
  place: Place,
  options: { typing?: boolean } = {},
): Promise<RunningProgram> {
  const [deno, ...args] = await wordsOf(commandAt(command, place));
  assertEquals(deno, "deno");
  return new RunningProgram(Deno.execPath(), args, options);
}

/** Lines in which everything that the machine decides is masked. */
function mask(lines: readonly string[]): string[] {
  return masked(lines)
    .filter((line) => !/ TIME_WAIT +-/.test(line)) // left by what ran before
    .map((line) =>
      line
        .replace(/^(thread|process) \d+/, "$1 *")
        .replace(/\d+\.\d{3}(?=[/ ].*ms$)/g, "*")
        .replace(/^\d+ bytes were taken in \d+ writes$/, "* bytes in * writes")
        .replace(/^(Proto|tcp4) .*/, (row) => row.replace(/ +/g, " "))
        .replace(/^tcp4 .*/, (row) => row.replace(/ [1-9]\d*\b/g, " *"))
        .replace(/^(socket\.gethostname\(\) =) .*/, "$1 *")
        .replace(/^(\/etc\/hosts =) \d+ .*/, "$1 *")
    );
}

/** Lines as they are compared; of connections that are served at once, and in chunks, the order is no matter. */
function comparable({ command }: Session, lines: readonly string[]): string[] {
  return mask(
    command.includes("multiconn") ? byConnection(lines).flat() : lines,
  );
}

/** Whether lines are those that are shown, where `…` is any text, or alone on a line any lines. */
function areShown(lines: readonly string[], shown: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return lines.length === 0;
  if (first === "…") {
    return areShown(lines, rest) ||
      lines.length > 0 && areShown(lines.slice(1), shown);
  }
  return lines.length > 0 && isShown(lines[0], first) &&
    areShown(lines.slice(1), rest);
}

function isShown(line: string, shown: string): boolean {
  const [start, ...parts] = shown.split("…");
  const end = parts.pop();
  if (end === undefined) return line === shown;
  let at = start.length;
  for (const part of parts) {
    const found = line.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return line.startsWith(start) && line.slice(at).endsWith(end);
}

function matches(session: Session, lines: readonly string[]): boolean {
  return areShown(
    comparable(session, lines),
    comparable(session, session.shown),
  );
}

function assertMatches(session: Session, lines: readonly string[]): void {
  if (matches(session, lines)) return;
  assertEquals(
    comparable(session, lines),
    comparable(session, session.shown),
    `$ ${session.command}`,
  );
}

function isServer({ command, shown: [first = ""] }: Session): boolean {
  return /([-_]server(\.ts)?|receive-file)( |$)/.test(command) &&
    !/^(usage|[\w-]+): /.test(first);
}

/** A server that is running. */
interface Server {
  session: Session;
  program: RunningProgram;
  /** What it has printed. */
  lines: string[];
}

/** Starts a server, and waits until it listens if it says so. */
async function startServer(
  session: Session,
  program: RunningProgram,
): Promise<Server> {
  const lines: string[] = [];
  const silent = session.command === "deno task echo-server";
  while (!silent && !lines.at(-1)?.startsWith("listening on ")) {
    lines.push(await program.line());
  }
  return { session, program, lines };
}

/** Waits until a server has printed what is shown, stops it, and compares. */
async function stopServer({ session, program, lines }: Server): Promise<void> {
  const stop = session.shown.findIndex((line) => line.startsWith("^C"));
  const shown = session.shown.slice(0, stop === -1 ? undefined : stop);
  if (stop !== -1) assertEquals(session.shown[stop], "^C" + STOPPED);
  while (!matches({ ...session, shown }, lines)) {
    try {
      lines.push(await program.line());
    } catch (error) { // it has ended, by itself or for want of patience
      assertMatches({ ...session, shown }, lines);
      throw error;
    }
  }
  program.interrupt();
  const { code, out, err } = await program.end();
  assertEquals(err, [], `$ ${session.command}`);
  // The echo server may have ended before it could be stopped.
  if (code !== 0) assertEquals([code, out.includes(STOPPED)], [130, true]);
  const all = [...lines, ...out].filter((line) => line !== STOPPED);
  assertMatches({ ...session, shown }, all);
}

/** Whether a client came before its server listened. */
function isTooEarly({ command }: Session, { out, err }: Ending): boolean {
  if (err.some((line) => line.includes("connection refused"))) return true;
  return command.includes("netstat") && !out.join().includes("LISTEN");
}

/** Says and hears what is shown: lines with no name before them are typed. */
async function talk(program: RunningProgram, shown: string[]): Promise<void> {
  for (const line of shown) {
    if (/^(\*|\w+:) /.test(line)) assertEquals(await program.line(), line);
    else await program.type(line + "\n");
  }
  await program.endInput();
  assertEquals(await program.end(), { code: 0, out: [], err: [] });
}

async function play({ sessions }: Scene, place: Place): Promise<void> {
  await using programs = new AsyncDisposableStack();
  const running: RunningProgram[] = [];
  const timer = setTimeout(
    () => running.forEach((program) => program.interrupt()),
    PATIENCE,
  );
  programs.defer(() => clearTimeout(timer));
  async function run(
    session: Session,
    options?: { typing: boolean },
  ): Promise<RunningProgram> {
    const program = programs.use(await start(session, place, options));
    running.push(program);
    return program;
  }

  const deadline = Date.now() + PATIENCE;
  let server: Server | undefined;
  const talks: Promise<void>[] = [];
  for (const { command, shown: lines } of sessions) {
    const shown = lines.map((line) => moved(line, place));
    const session = { command, shown };
    if (isServer(session)) {
      if (server !== undefined) await stopServer(server);
      server = await startServer(session, await run(session));
    } else if (command.includes("chat-client")) {
      const program = await run(session, { typing: true });
      // The next one may come only when this one is there.
      assertEquals(await program.line(), shown[0]);
      const talking = talk(program, shown.slice(1));
      talking.catch(() => {}); // it is reported below
      talks.push(talking);
    } else {
      let ending = await (await run(session)).end();
      while (isTooEarly(session, ending) && Date.now() < deadline) {
        ending = await (await run(session)).end();
      }
      const { code, out, err } = ending;
      assertMatches(session, [...out, ...err]);
      assertEquals(code === 0, err.length === 0, `$ ${command}`);
    }
  }
  await Promise.all(talks);
  if (server !== undefined) await stopServer(server);
}

for (const scene of scenesIn(text)) {
  const { heading, sessions } = scene;
  if (sessions.length === 0) continue;
  const takesIpv6 = sessions.some(({ command }) => command.includes("::"));
  if (takesIpv6 && !LOOPBACK.includes("::1")) continue;
  Deno.test(`docs/tutorial.md shows what is printed: ${heading}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const [socket, files] = [`${folder}/socket`, `${folder}/files`];
      await play(scene, { port: freePort(), socket, files });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("docs/tutorial.md runs every program but the tour, and links its file", () => {
  const commands = scenesIn(text).flatMap(({ sessions }) => sessions)
    .map(({ command }) => command.split(" ")[2]);
  for (const { name } of programs) {
    assertStringIncludes(text, `](../cli/${name.replaceAll("-", "_")}.ts)`);
    assert(commands.includes(name) || name === "tour", `${name} is not run`);
  }
});

Deno.test("docs/tutorial.md links files that exist", async () => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)];
  assert(links.length > 0);
  for (const [, link] of links) await Deno.stat(new URL(link, page));
});
