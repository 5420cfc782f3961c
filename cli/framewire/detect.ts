/**
 * Which codecs explain bytes: of a file, a dump, a capture, or what a server sends.
 *
 *     100  length:4   3 frames, 31 of 31 B, 87 bits     as certain as it gets
 *          @0  9 B  hello
 *      77  length:2   …                                 explains the same bytes less well
 *
 * @module
 */

import { concat } from "@std/bytes";
import { resemblance } from "../../lib/codec/faults.ts";
import {
  type BytesCodec,
  connect,
  ConnectionError,
  ReadTimeoutError,
} from "../../mod.ts";
import {
  type Parameter,
  type Program,
  ProgramError,
  type Terminal,
} from "../program.ts";
import { type Explanation, explanations, type Sent } from "./candidates.ts";
import { command, TIMED_OUT } from "./command.ts";
import { FROM, PORT, SIDE } from "./decode.ts";
import type { Side } from "./dialect.ts";
import { note, paint, put } from "./output.ts";
import { needPermissions, permissionsFor } from "./permissions.ts";
import { CA, type Place, placeIn, SERVER_NAME, TLS, tlsOf } from "./place.ts";
import { JSON_LINES } from "./printing.ts";
import { type Recorded, Recording } from "./recorded.ts";
import { chunksOf } from "./source.ts";
import {
  countOption,
  type Optional,
  sizeOption,
  textOption,
  timeOption,
} from "./units.ts";
import { frameJson, frameText, jsonLine } from "./values.ts";

/** A file, or where a server listens. */
const SOURCE: Parameter<string | Place> = {
  name: "source",
  about: "a file, HOST:PORT or unix:/PATH; - is stdin (./a:1 is a file)",
  fallback: "-",
  read: (text) =>
    /^unix:|^(?:\[[^\]/]+\]|[^:/[\]]*):\d+$/.test(text)
      ? placeIn("source", text, 1)
      : text,
};
const MAX: Optional<number> = sizeOption({
  name: "max",
  about: "the most bytes to look at; 64k if not said",
});
const WAIT: Optional<number> = timeOption({
  name: "wait",
  about: "how long to listen to a server; 2s if not said",
});
const SEND: Optional<string> = textOption({
  name: "send",
  value: "file",
  about: "send the bytes in this file to the server first",
});
const COUNT: Optional<number> = countOption({
  name: "count",
  short: "n",
  about: "the most codecs to print; 5 if not said",
});

/** The exit code for bytes that no codec explains. */
const NO_FRAMES = 3;
/** What is no better than this is not worth a line, unless there is nothing else. */
const LEAST_SCORE = 10;
/** How many frames are shown of each. */
const SHOWN = 3;
/** How much of a frame is shown. */
const MAX_TEXT = 120;

/** Bytes that arrive in pieces, up to a limit. */
class Collected {
  #parts: Uint8Array[] = [];
  #left: number;

  constructor(max: number) {
    this.#left = max;
  }

  get full(): boolean {
    return this.#left === 0;
  }

  add(bytes: Uint8Array): void {
    const part = bytes.slice(0, this.#left);
    this.#left -= part.length;
    if (part.length > 0) this.#parts.push(part);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(this.#parts);
  }
}

/** What was recorded: bytes of one side, or of both in the first connection that has any. */
async function sentIn(
  file: string,
  { get }: Terminal,
  max: number,
): Promise<Sent[]> {
  const side = get(SIDE);
  const port = get(PORT);
  const recording = new Recording({
    kind: get(FROM),
    side: side ?? "client",
    tell: note,
  });
  const sides = new Map<Side, Collected>();
  const passed = new Set<number>();
  let chosen: number | undefined;
  function take(all: Iterable<Recorded>): void {
    for (const { event } of all) {
      if (event.kind === "open") {
        const { client, server } = event;
        const asked = port === undefined ||
          [client, server].some((place) => place.endsWith(`:${port}`));
        if (!asked) passed.add(event.id);
      }
      if (event.kind !== "bytes" || passed.has(event.id)) continue;
      chosen ??= event.id;
      if (event.id !== chosen) continue;
      const collected = sides.get(event.from) ?? new Collected(max);
      collected.add(event.bytes);
      sides.set(event.from, collected);
    }
  }
  let enough = false;
  for await (const chunk of chunksOf(file, { name: "detect" })) {
    take(recording.push(chunk));
    enough = sides.size > 0 && [...sides.values()].every(({ full }) => full);
    if (enough) break;
  }
  // Where it was not read to its end, that is none.
  if (!enough) take(recording.end());
  const known = recording.hasPackets === true || side !== undefined;
  return Array.from(sides, ([from, { bytes }]) => ({
    bytes,
    ...known && { from },
  }));
}

/** Whatever has come is a frame. */
const pieces: BytesCodec = {
  decode: (received) => received.take(received.length),
  encode: (frame, out) => out.write(frame),
};

/** What a server says. */
async function sentBy(
  place: Place,
  terminal: Terminal,
  max: number,
): Promise<Sent[]> {
  const { get } = terminal;
  const file = get(SEND);
  const wait = get(WAIT) ?? 2000;
  const ca = get(CA);
  await needPermissions([
    ...permissionsFor(place),
    ...[file, ca].filter((path) => path !== undefined).map((path) => ({
      name: "read" as const,
      path,
    })),
  ]);
  const tls = await tlsOf(terminal, place);
  await using peer = await connect({ ...place, tls }, pieces);
  terminal.atInterrupt(() => Promise.resolve(peer.close()));
  if (file !== undefined) {
    for await (const chunk of chunksOf(file, { name: "detect" })) {
      await peer.write(chunk);
    }
    await peer.drain();
  }
  const collected = new Collected(max);
  const until = performance.now() + wait;
  while (!collected.full) {
    try {
      const timeout = Math.max(1, until - performance.now());
      const piece = await peer.read({ timeout });
      if (piece === null) break;
      collected.add(piece);
    } catch (error) {
      // What came before counts, however the connection ends.
      if (!(error instanceof ConnectionError)) throw error;
      if (error instanceof ReadTimeoutError) break;
      if (collected.bytes.length === 0) throw error;
      break;
    }
  }
  const { bytes } = collected;
  if (bytes.length > 0) return [{ from: "server", bytes }];
  const hint = file === undefined
    ? ": it may wait for the client, see --send"
    : "";
  throw new ProgramError(`the server sent nothing${hint}`, TIMED_OUT);
}

const ENDS: Record<Explanation["end"], string> = {
  boundary: "",
  truncated: ", the last one cut off",
  fault: ", then out of step",
  opaque: ", then encrypted",
  enough: ", and so on",
};

/** An explanation for people. */
function textOf(one: Explanation): string {
  const { spec, from, score, bits, frames, whole, total, end, same } = one;
  const { dim } = paint();
  const named = from === undefined ? spec : `${spec} --side ${from}`;
  const count = `${frames.length} frame${frames.length === 1 ? "" : "s"}`;
  const lines = [
    `${String(score).padStart(3)}  ${named}  ${
      dim(`${count}, ${whole} of ${total} B${ENDS[end]}, ${bits} bits`)
    }`,
    ...same.length === 0
      ? []
      : [`     the same frames by ${same.join(" or ")}`],
    ...frames.slice(0, SHOWN).map(({ offset, size, frame }) => {
      const text = frameText(frame);
      const shown = text.length > MAX_TEXT
        ? `${text.slice(0, MAX_TEXT)}…`
        : text;
      return `     ${dim(`@${offset}  ${size} B`)}  ${shown}`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** An explanation as JSON. */
function jsonOf(one: Explanation): string {
  const { spec, from, score, bits, frames, whole, total, end, same } = one;
  const first = frames.slice(0, SHOWN).map(({ from, offset, size, frame }) => ({
    from,
    offset,
    size,
    ...frameJson(frame),
  }));
  return `${
    jsonLine({
      codec: spec,
      ...from !== undefined && { side: from },
      score,
      bits,
      frames: frames.length,
      bytes: whole,
      of: total,
      end,
      same,
      first,
    })
  }\n`;
}

/** How formats begin that are no protocol of messages. */
const MAGIC: readonly (readonly [hex: string, name: string])[] = [
  ["1f8b08", "gzip"],
  ["504b0304", "a ZIP archive"],
  ["28b52ffd", "Zstandard"],
  ["89504e47", "a PNG image"],
  ["ffd8ff", "a JPEG image"],
  ["25504446", "a PDF document"],
  ["7f454c46", "an ELF program"],
];

/** What else bytes look like, as a clause. */
function looksLike(bytes: Uint8Array): string {
  const hex = bytes.subarray(0, 4).toHex();
  const known = MAGIC.find(([magic]) => hex.startsWith(magic));
  return known === undefined
    ? resemblance(bytes, false).replace(/^: /, "")
    : `the bytes look like ${known[1]}`;
}

/** Which codecs explain bytes. */
export const detectCommand: Program = command({
  name: "detect",
  about: "Says which codecs explain the bytes of a file or a server",
  takes: [SOURCE],
  options: [
    FROM,
    SIDE,
    PORT,
    MAX,
    COUNT,
    SEND,
    WAIT,
    CA,
    SERVER_NAME,
  ],
  switches: [JSON_LINES, TLS],
  examples: [
    [
      "deno run jsr:@framewire/framewire/cli detect < sent.bin",
      "Say what some bytes may be, with no permission at all",
    ],
    [
      "deno run --allow-net=127.0.0.1:65432 --allow-read=hello.bin jsr:@framewire/framewire/cli detect 127.0.0.1:65432 --send hello.bin",
      "Greet a server, and say what it answers in",
    ],
  ],

  async main(terminal) {
    const { get, has } = terminal;
    const source = get(SOURCE);
    const max = get(MAX) ?? 65_536;
    const sent = typeof source === "string"
      ? await sentIn(source, terminal, max)
      : await sentBy(source, terminal, max);
    if (sent.length === 0) {
      throw new ProgramError("there are no bytes to go by", NO_FRAMES);
    }
    for (const { bytes } of sent) {
      const like = looksLike(bytes);
      if (like !== "") note(like);
    }
    const found = explanations(sent);
    const good = found.filter(({ score }) => score >= LEAST_SCORE);
    if (good.length === 0) {
      throw new ProgramError(
        "no codec explains the bytes: what comes at random looks like this, and what is compressed or encrypted",
        NO_FRAMES,
      );
    }
    const write = has(JSON_LINES) ? jsonOf : textOf;
    await put(good.slice(0, get(COUNT) ?? 5).map(write).join(""));
    return 0;
  },
});

if (import.meta.main) Deno.exit(await detectCommand.run(Deno.args));
