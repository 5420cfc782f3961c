/**
 * docs/framewire.md keeps what it promises: the commands on it are run, and print what the page shows.
 *
 * All commands between two headings are run one after another; what listens runs on until the last of them has
 * ended. Ports and times are masked, and `…` on the page stands for anything.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../cli/framewire/commands.ts";
import { dialectOf } from "../../cli/framewire/codec_names.ts";
import { freePort, RunningProgram } from "../support/running_program.ts";
import { wordsOf } from "../support/tasks.ts";

const page = new URL("../../docs/framewire.md", import.meta.url);
const text = Deno.readTextFileSync(page);

const RUN = "deno run --no-prompt --allow-net=127.0.0.1 cli/main.ts";
const SERVER = /^framewire (listen|tap) /;

interface Session {
  command: string;
  shown: string[];
}

interface Scene {
  heading: string;
  sessions: Session[];
}

function scenesIn(markdown: string): Scene[] {
  return markdown.split(/^#+ /m).slice(1).map((section) => ({
    heading: section.slice(0, section.indexOf("\n")),
    sessions: [...section.matchAll(/^```console\n\$ (.*?)^```$/gms)]
      .map(([, session]) => {
        const [command, ...shown] = session.trimEnd().split("\n");
        return { command, shown };
      }),
  }));
}

/** What the machine decides, and the ports that are others here, all the same. */
function masked(line: string): string {
  return line.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:*")
    .replace(/^\d+\.\d{6} #/, "T #");
}

/** Compares the lines of both streams, of which nobody knows how they mix. */
function assertShown({ command, shown }: Session, lines: string[]): void {
  const rest = shown.includes("…") ? lines.slice(0, shown.length - 1) : lines;
  const wanted = shown.filter((line) => line !== "…");
  assertEquals(
    rest.map((line, i) =>
      wanted[i]?.endsWith("…") && line.startsWith(wanted[i].slice(0, -1))
        ? wanted[i]
        : masked(line)
    ).toSorted(),
    wanted.map(masked).toSorted(),
    `$ ${command}`,
  );
}

async function play(sessions: readonly Session[]): Promise<void> {
  const ports = new Map(["65432", "6000"].map((port) => [port, freePort()]));
  const here = (command: string) =>
    command.replaceAll("framewire ", `${RUN} `)
      .replaceAll(/:(65432|6000)\b/g, (_, port) => `:${ports.get(port)}`);
  await using programs = new AsyncDisposableStack();
  const servers: [Session, RunningProgram][] = [];
  for (const session of sessions) {
    const command = here(session.command);
    if (SERVER.test(session.command)) {
      const [, ...args] = await wordsOf(command);
      const program = programs.use(
        new RunningProgram(Deno.execPath(), args, { typing: true }),
      );
      await program.said(/^framewire: listening on /);
      servers.push([session, program]);
      continue;
    }
    await using program = new RunningProgram(Deno.execPath(), [
      "task",
      "--quiet",
      "--eval",
      command,
    ]);
    const { out, err } = await program.end();
    assertShown(session, [...out, ...err]);
  }
  for (const [session, program] of servers) {
    const { code, out, err } = await program.end();
    assertEquals(code, 0, err.join("\n"));
    assertShown(session, [...out, ...err]);
  }
}

for (const { heading, sessions } of scenesIn(text)) {
  if (sessions.length === 0) continue;
  Deno.test(`docs/framewire.md shows what is printed: ${heading}`, () =>
    play(sessions));
}

Deno.test("docs/framewire.md has a heading for every command, and no codec that is none", () => {
  const headings = [...text.matchAll(/^#+ (\w+)$/gm)].map(([, name]) => name);
  for (const { name } of COMMANDS) assert(headings.includes(name), name);
  const specs = [...text.matchAll(/--codec '?([^\s'`]+)/g)]
    .map(([, spec]) => spec).filter((spec) => !spec.startsWith("lenght"));
  assert(specs.length > 5);
  for (const spec of specs) dialectOf(spec);
});

Deno.test("docs/framewire.md links files that exist", async () => {
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  assert(links.length > 0);
  for (const [, link] of links) await Deno.stat(new URL(link, page));
});
