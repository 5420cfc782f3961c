/**
 * Scripts by which a shell completes what somebody begins to type.
 *
 *     $ source <(framewire completions bash)
 *     $ framewire co⇥                      connect  codecs  completions
 *     $ framewire tap :1 :2 --codec po⇥    postgres
 *
 * What there is to complete, the commands say themselves, as they do for their help.
 *
 * @module
 */

import { didYouMean } from "../nearest.ts";
import type { Parameter, Program } from "../program.ts";
import { programs } from "../programs.ts";
import { CODEC_NAMES } from "./codec_names.ts";
import { command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { put } from "./output.ts";

/** What a value may be: one of some words, the name of a file, or nothing that anybody could know. */
type Choice = readonly string[] | "files";

/** An option as it is typed. */
interface Flag {
  /** `--codec`. */
  long: string;
  /** `-c`, if it has one. */
  short?: string;
  about: string;
  /** What its value may be; absent for one without. */
  value?: Choice;
}

/** What may stand behind a command. */
interface Completable {
  name: string;
  about: string;
  flags: readonly Flag[];
  /** What its arguments may be. */
  takes: readonly { name: string; choice: Choice }[];
}

function choiceOf({ name, value = name }: Parameter<unknown>): Choice {
  if (value === "file") return "files";
  if (value === "codec") return CODEC_NAMES.map(({ name }) => name);
  return value.includes("|") ? value.split("|") : [];
}

function completable({ name, about, syntax }: Program): Completable {
  const { takes = [], options = [], switches = [] } = syntax;
  return {
    name,
    about,
    flags: [
      ...options.map((option) => ({
        long: `--${option.name}`,
        ...(option.short !== undefined && { short: `-${option.short}` }),
        about: option.about,
        value: choiceOf(option),
      })),
      ...switches.map(({ name, about }) => ({ long: `--${name}`, about })),
      { long: "--help", short: "-h", about: "print this and exit" },
    ],
    takes: takes.map((parameter) => ({
      name: parameter.name,
      choice: choiceOf(parameter),
    })),
  };
}

function spellings({ long, short }: Flag): string[] {
  return short === undefined ? [long] : [long, short];
}

/** Text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function isFiles({ choice }: { choice: Choice }): boolean {
  return choice === "files";
}

function bash(commands: readonly Completable[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags.flatMap((flag) => {
      if (flag.value === undefined) return [];
      const pattern = spellings(flag).map((word) => `'${name} ${word}'`);
      const reply = flag.value === "files"
        ? "files=yes"
        : `words=${quoted(flag.value.join(" "))}`;
      return [`    ${pattern.join(" | ")}) ${reply} ;;`];
    })
  );
  const rest = commands.map(({ name, flags, takes }) => {
    const words = [
      ...takes.flatMap(({ choice }) => choice === "files" ? [] : choice),
      ...flags.map(({ long }) => long),
    ];
    const files = takes.some(isFiles) ? " files=yes" : "";
    return `        ${name}) words=${quoted(words.join(" "))}${files} ;;`;
  });
  return `# Completes framewire in bash: source <(framewire completions bash)
_framewire() {
  local word=\${COMP_WORDS[COMP_CWORD]} words='' files=''
  local before=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --codec=length apart.
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $before == '=' ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "\${COMP_WORDS[1]} $before" in
${values.join("\n")}
    *)
      case \${COMP_WORDS[1]} in
${rest.join("\n")}
      esac
      ;;
  esac
  if ((COMP_CWORD == 1)); then
    files=''
    words=${quoted(commands.map(({ name }) => name).join(" "))}
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ $files && $word != -* ]]; then
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _framewire framewire
`;
}

/** Text inside a description of zsh's \`_arguments\`. */
function inZsh(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&");
}

function zshChoice(name: string, choice: Choice): string {
  const action = choice === "files"
    ? "_files"
    : choice.length === 0
    ? " "
    : `(${choice.join(" ")})`;
  return `:${inZsh(name)}:${action}`;
}

function zsh(commands: readonly Completable[]): string {
  const cases = commands.map(({ name, flags, takes }) => {
    const specs = [
      ...takes.map(({ name, choice }, i) =>
        quoted(`${i + 1}${zshChoice(name, choice)}`)
      ),
      ...flags.map(({ long, short, about, value }) => {
        const told = `[${inZsh(about)}]`;
        const rest = value === undefined
          ? told
          : told + zshChoice(long.slice(2), value);
        const equals = value === undefined ? "" : "=";
        return short === undefined
          ? quoted(`${long}${equals}${rest}`)
          : `'(${short} ${long})'{${short},${long}${equals}}${quoted(rest)}`;
      }),
    ];
    return `    ${name})
      _arguments -s ${specs.join(" \\\n        ")}
      ;;`;
  });
  const list = commands.map(({ name, about }) =>
    `    ${quoted(`${name}:${about.replaceAll(":", "\\:")}`)}`
  );
  return `#compdef framewire
# Completes framewire in zsh: source <(framewire completions zsh)
_framewire() {
  local -a commands
  commands=(
${list.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _framewire ]]; then
  _framewire "$@"
else
  compdef _framewire framewire
fi
`;
}

/** Text as one word of fish. */
function inFish(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}

/** What fish is told of a value. */
function fishChoice(choice: Choice): string {
  if (choice === "files") return " -r -F";
  return choice.length === 0 ? " -x" : ` -x -a ${inFish(choice.join(" "))}`;
}

function fish(commands: readonly Completable[]): string {
  const lines = commands.flatMap(({ name, about, flags, takes }) => {
    const behind = `complete -c framewire -n '__framewire_runs ${name}'`;
    return [
      `complete -c framewire -n __framewire_runs -a ${name} -d ${
        inFish(about)
      }`,
      ...takes.flatMap(({ choice }) =>
        choice === "files"
          ? [`${behind} -F`]
          : choice.length === 0
          ? []
          : [`${behind} -a ${inFish(choice.join(" "))}`]
      ),
      ...flags.map(({ long, short, about, value }) =>
        `${behind} -l ${long.slice(2)}${
          short === undefined ? "" : ` -s ${short.slice(1)}`
        }${value === undefined ? "" : fishChoice(value)} -d ${inFish(about)}`
      ),
    ];
  });
  return `# Completes framewire in fish: framewire completions fish | source
function __framewire_runs
  set -l words (commandline -opc)
  test "$words[2]" = "$argv[1]"
end
complete -c framewire -f
${lines.join("\n")}
`;
}

const SHELLS: ReadonlyMap<
  string,
  (commands: readonly Completable[]) => string
> = new Map([["bash", bash], ["zsh", zsh], ["fish", fish]]);

const SHELL: Parameter<string> = {
  name: "shell",
  value: "bash|zsh|fish",
  about: "the shell that is to complete: bash, zsh or fish",
  read(text) {
    if (SHELLS.has(text)) return text;
    throw new RangeError(
      `shell must be bash, zsh or fish: it is "${text}"${
        didYouMean(text, [...SHELLS.keys()])
      }`,
    );
  },
};

/** Prints what has a shell complete the command. */
export const completionsCommand: Program = command({
  name: "completions",
  about: "Prints what has bash, zsh or fish complete this command",
  takes: [SHELL],
  examples: [
    [
      "source <(framewire completions bash)",
      "Complete from here on; in ~/.bashrc, in every new shell; no permission is needed",
    ],
    [
      "framewire completions fish > ~/.config/fish/completions/framewire.fish",
      "Complete in every new fish; no permission is needed",
    ],
    [
      "source <(deno task --quiet framewire completions zsh)",
      "The same in zsh, from a checkout",
    ],
  ],

  async main({ get }) {
    const loaded = await Promise.all(COMMANDS.map(({ load }) => load()));
    const commands = [...loaded, ...programs].map(completable);
    await put(SHELLS.get(get(SHELL))?.(commands) ?? "");
  },
});

if (import.meta.main) Deno.exit(await completionsCommand.run(Deno.args));
