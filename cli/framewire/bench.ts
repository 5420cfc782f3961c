/**
 * Load on a server, and how long its answers take.
 *
 *     a made frame, --line TEXT or --send FILE ──► --connections × --pipeline ──► server
 *     how many, how fast, how late ◄────────────── so many --answers to each ─────┘
 *
 * Without a rate the next request waits for an answer: that tells how much a server can do. With `--rate` requests are
 * due whatever the server does: that tells how long those wait who do not wait for each other.
 *
 * @module
 */

import { connect, encodeFrame } from "../../mod.ts";
import {
  type Parameter,
  type Program,
  ProgramError,
  type Switch,
  type Terminal,
  wholeNumber,
} from "../program.ts";
import {
  exitCodeOf,
  type LoadPlan,
  progressLine,
  reportJson,
  reportLines,
} from "./bench_report.ts";
import { CODEC, command, inputFault, USAGE } from "./command.ts";
import type { InputCodec } from "./dialect.ts";
import { Load } from "./load.ts";
import { put } from "./output.ts";
import { CA, placeText, SERVER_NAME, TARGET, TLS, tlsOf } from "./place.ts";
import {
  countOption,
  type Optional,
  optional,
  sizeOption,
  textOption,
  timeIn,
} from "./units.ts";
import { type Input, jsonLine } from "./values.ts";

/** A number with a fallback, as an option. */
type NumberOption = Parameter<number> & { fallback: string };

const SIZE: Optional<number> = sizeOption({
  name: "size",
  short: "s",
  about: "send made frames of this size; 64 unless said",
});
const LINE: Optional<string> = textOption({
  name: "line",
  short: "l",
  value: "text",
  about: "send this, as typed in connect: PING to Redis",
});
const SEND: Optional<string> = textOption({
  name: "send",
  value: "file",
  about: "send what is in this file, as one frame",
});
const CONNECTIONS = numberOption({
  name: "connections",
  value: "n",
  about: "how many connections, up to 10000",
  fallback: "10",
}, 10_000);
const PIPELINE = numberOption({
  name: "pipeline",
  short: "p",
  value: "n",
  about: "how many requests are under way on each at the most",
  fallback: "1",
}, 100_000);
const ANSWERS = numberOption({
  name: "answers",
  value: "n",
  about: "how many frames answer a request",
  fallback: "1",
}, 1_000_000);
const RATE: Optional<number> = optional({
  name: "rate",
  short: "r",
  value: "n",
  about: "so many requests a second in all, whatever the server does",
}, (text) => {
  const rate = Number(text.match(/^(\d+(?:\.\d+)?)(?:\/s)?$/)?.[1]);
  if (rate > 0 && rate <= 1e7) return rate;
  throw new RangeError(
    `--rate must be a number of requests a second, more than 0 and up to 10000000: it is "${text}"`,
  );
});
const DURATION: Optional<number> = optional({
  name: "duration",
  short: "d",
  value: "time",
  about: "for how long; 10s unless --requests says how many",
}, (text) => someTime("--duration", text));
const REQUESTS: Optional<number> = countOption({
  name: "requests",
  short: "n",
  about: "how many requests, at the most",
});
const WARM_UP: NumberOption = {
  name: "warm-up",
  value: "time",
  about: "send for so long before anything counts",
  fallback: "1s",
  read: (text) => timeIn("--warm-up", text),
};
const TIMEOUT: NumberOption = {
  name: "timeout",
  value: "time",
  about: "how long an answer, or connecting, may take",
  fallback: "5s",
  read: (text) => someTime("--timeout", text),
};
const JSON_REPORT: Switch = {
  name: "json",
  about: "print the report as a JSON object, times in milliseconds",
};
const ASCII: Switch = {
  name: "ascii",
  about: "draw with the characters of ASCII",
};

const MADE_SIZE = 64;
/** How often the live line is drawn, in milliseconds. */
const REDRAW = 250;

function numberOption(
  init: Omit<Parameter<number>, "read"> & { fallback: string },
  max: number,
): NumberOption {
  const { read } = wholeNumber({ ...init, name: `--${init.name}` }, 1, max);
  return { ...init, read };
}

function someTime(name: string, text: string): number {
  const time = timeIn(name, text);
  if (time > 0) return time;
  throw new RangeError(`${name} must be more than 0: it is "${text}"`);
}

/** What is sent, before it is framed, and where it was given. */
async function inputOf(
  { get }: Terminal,
): Promise<[input: Input, where: string]> {
  const [size, line, file] = [get(SIZE), get(LINE), get(SEND)];
  const given = [size, line, file].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw new ProgramError(
      "--size, --line and --send exclude each other",
      USAGE,
    );
  }
  if (line !== undefined) return [{ kind: "text", text: line }, "--line"];
  if (file !== undefined) {
    return [{ kind: "bytes", bytes: await Deno.readFile(file) }, "--send"];
  }
  const text = "x".repeat(size ?? MADE_SIZE);
  return [{ kind: "text", text }, "--size"];
}

/** The bytes of a request. */
function requestOf(
  codec: InputCodec,
  [input, where]: readonly [Input, string],
): Uint8Array {
  try {
    return encodeFrame(codec, input);
  } catch (error) {
    const { message } = inputFault(error, where);
    const hint = where === "--size" ? ": give a frame by --line or --send" : "";
    throw new ProgramError(message + hint, USAGE, { cause: error });
  }
}

/** Shows on a terminal how it goes; gives what ends that. */
function watch(load: Load): () => void {
  if (!Deno.stderr.isTerminal()) return () => {};
  const encoder = new TextEncoder();
  const draw = (text: string) => {
    Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${text}`));
  };
  let before = { answered: 0, elapsed: 0 };
  const timer = setInterval(() => {
    const { stats } = load;
    const line = progressLine(stats, before);
    const { columns } = Deno.consoleSize();
    draw(columns > 0 ? line.slice(0, columns - 1) : line); // some terminals do not say
    before = { answered: stats.answered, elapsed: stats.elapsed };
  }, REDRAW);
  return () => {
    clearInterval(timer);
    draw("");
  };
}

/** Puts load on a server, and tells how long its answers took. */
export const benchCommand: Program = command({
  name: "bench",
  about: "Puts load on a server, and tells how long its answers took",
  takes: [TARGET],
  options: [
    CODEC,
    SIZE,
    LINE,
    SEND,
    CONNECTIONS,
    PIPELINE,
    RATE,
    DURATION,
    REQUESTS,
    WARM_UP,
    ANSWERS,
    TIMEOUT,
    CA,
    SERVER_NAME,
  ],
  switches: [JSON_REPORT, ASCII, TLS],
  permissions: "--allow-net",
  examples: [
    [
      "deno run --allow-net=127.0.0.1:6379 jsr:@framewire/framewire/cli bench 127.0.0.1:6379 --codec resp --line PING --connections 50",
      "How much can it do? Ask a Redis server on 50 connections, each as soon as its last answer came",
    ],
    [
      "deno run --allow-net=127.0.0.1:65432 jsr:@framewire/framewire/cli bench 127.0.0.1:65432 --codec length:4 --size 1k --rate 1000 --duration 1m",
      "How long would 1000 requests a second wait? The response time counts from when a request was due, the service time from when it was sent",
    ],
    [
      "deno task framewire bench 127.0.0.1:65432 --codec lines --line hello --requests 1000 --json",
      "Exactly 1000 requests, and the report as JSON: exit code 1 for any fault, 3 for bytes that are no frames, 4 if nothing was answered in time",
    ],
  ],

  async main(terminal) {
    const { get, has, atInterrupt } = terminal;
    const target = get(TARGET);
    const { spec, codec: codecOf } = get(CODEC);
    const codec = codecOf("client");
    const request = requestOf(codec, await inputOf(terminal));
    const requests = get(REQUESTS);
    const timeout = get(TIMEOUT);
    const tls = await tlsOf(terminal);
    const plan: LoadPlan = {
      target: placeText(target),
      codec: spec,
      connections: get(CONNECTIONS),
      pipeline: get(PIPELINE),
      rate: get(RATE),
      requestLength: request.length,
      answers: get(ANSWERS),
      timeout,
    };
    // What is sent is laid out once; whose memory the answers are does not matter, as nobody looks at them.
    const raw = { ...codec, encode: sendAsIs };
    const load = new Load({
      ...plan,
      open: (signal) =>
        connect(
          {
            ...target,
            tls,
            connectTimeout: timeout,
            signal,
            frames: "borrowed",
          },
          raw,
        ),
      request,
      requests,
      duration: get(DURATION) ?? (requests === undefined ? 10_000 : undefined),
      warmUp: get(WARM_UP),
    });
    const reported = Promise.withResolvers<void>();
    atInterrupt(() => {
      load.stop();
      return reported.promise;
    });
    try {
      const unwatch = watch(load);
      try {
        await load.run();
      } finally {
        unwatch();
      }
      const { stats } = load;
      await put(
        has(JSON_REPORT)
          ? `${jsonLine(reportJson(plan, stats))}\n`
          : `${reportLines(plan, stats, has(ASCII)).join("\n")}\n`,
      );
      return exitCodeOf(stats);
    } finally {
      reported.resolve();
    }
  },
});

function sendAsIs(
  frame: Uint8Array,
  out: { write(bytes: Uint8Array): void },
): void {
  out.write(frame);
}

if (import.meta.main) Deno.exit(await benchCommand.run(Deno.args));
