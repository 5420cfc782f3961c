/**
 * What `framewire completions` prints, in the shells that it is for.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { run, ServerFolder, testWithPeers } from "../support/peer_server.ts";
import { runProgram } from "../support/running_program.ts";

const BASH = { command: "bash", package: "bash" };
const ZSH = { command: "zsh", package: "zsh" };
const FISH = { command: "fish", package: "fish" };

/** A folder with a shell's script, and some files to complete. */
async function prepare(
  shell: string,
): Promise<{ folder: ServerFolder; script: string }> {
  const { code, out, err } = await runProgram("cli/main.ts", [
    "completions",
    shell,
  ]);
  assertEquals([code, err], [0, []]);
  const folder = await ServerFolder.make();
  const script = await folder.write(
    `framewire.${shell}`,
    `${out.join("\n")}\n`,
  );
  await folder.write("some file.bin", "");
  await folder.write("some.pem", "");
  return { folder, script };
}

/** What is typed, and what some of the completions are, those that begin so; none means none at all. */
const CASES: readonly [words: string[], replies: string[]][] = [
  [["co"], ["codecs", "completions", "connect"]],
  [["net"], ["netstat"]],
  [["echo-s"], ["echo-server"]],
  [["connect", ":1", "--co"], ["--codec", "--count"]],
  [["connect", ":1", "--codec", "po"], ["postgres"]],
  [["connect", ":1", "-c", "m"], ["message", "mqtt"]],
  [["connect", "--count", ""], []],
  [["connect", "--send", "some"], ["some file.bin", "some.pem"]],
  [["listen", ":0", "--cert", "some."], ["some.pem"]],
  [["decode", "some."], ["some.pem"]],
  [["completions", "z"], ["zsh"]],
  [["ping", "localhost", "80", "--i"], ["--interval"]],
  [["nonsense", ""], []],
];

testWithPeers(
  [BASH],
  "bash completes commands, options, codecs and files",
  async () => {
    const { folder, script } = await prepare("bash");
    await using _ = folder;
    await run("bash", ["-n", script]);
    const reply = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_framewire; [[ $COMPREPLY ]] && printf '%s\\n' "\${COMPREPLY[@]}" || true`;
    for (const [words, replies] of CASES) {
      const out = await run(
        "bash",
        ["--norc", "-c", reply, script, "framewire", ...words],
        { cwd: folder.path },
      );
      assertEquals(
        out.split("\n").slice(0, -1).toSorted(),
        replies,
        words.join(" "),
      );
    }
    // A word with = is three for bash.
    for (const rest of [["--codec", "=", "po"], ["--codec", "="]]) {
      const out = await run(
        "bash",
        ["--norc", "-c", reply, script, "framewire", "tap", ...rest],
      );
      assert(out.split("\n").includes("postgres"), out);
    }
  },
);

testWithPeers(
  [FISH],
  "fish completes commands, options, codecs and files",
  async () => {
    const { folder, script } = await prepare("fish");
    await using _ = folder;
    await run("fish", ["--no-execute", script]);
    for (const [words, replies] of CASES) {
      const line = ["framewire", ...words].join(" ");
      const out = await run(
        "fish",
        [
          "--no-config",
          "-c",
          "source $argv[1]; complete -C $argv[2]",
          script,
          line,
        ],
        { cwd: folder.path, env: { HOME: folder.path } },
      );
      const found = out.split("\n").slice(0, -1)
        .map((line) => line.split("\t")[0].replaceAll("\\", ""));
      assertEquals(found.toSorted(), replies, line);
    }
  },
);

testWithPeers(
  [ZSH],
  "zsh takes the script, and is told of commands, options, codecs and files",
  async () => {
    const { folder, script } = await prepare("zsh");
    await using _ = folder;
    await run("zsh", ["-n", script]);
    // What the script asks of zsh's own functions, and what these make of it.
    const reply = `compdef() { }
source $1; shift
_describe() { print -rl -- \${commands%%:*} }
_arguments() { shift; print -rl -- "$@" }
words=("$@"); CURRENT=$#; _framewire`;
    const asked = async (...words: string[]) =>
      (await run("zsh", [
        "-f",
        "-c",
        reply,
        "zsh",
        script,
        "framewire",
        ...words,
      ]))
        .split("\n");
    assert((await asked("")).includes("completions"));
    const connect = await asked("connect", "");
    assert(connect.includes("1:target: "));
    for (
      const spec of [
        /^\(-c --codec\)--codec=\[.*\]:codec:\(length varint .* scgi\)$/,
        /^--send=\[.*\]:send:_files$/,
        /^--hex\[[^:]*\]$/,
      ]
    ) assert(connect.some((line) => spec.test(line)), connect.join("\n"));
    assert((await asked("decode", "")).includes("1:file:_files"));
    // And with zsh's own, it is there for the command.
    const parsed = `autoload -U compinit; compinit -u -D; source $1
print -r -- $_comps[framewire]`;
    assertEquals(
      await run("zsh", ["-f", "-c", parsed, "zsh", script], {
        env: { HOME: folder.path },
      }),
      "_framewire\n",
    );
  },
);
