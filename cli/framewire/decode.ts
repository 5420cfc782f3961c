/**
 * Frames out of what was recorded: bytes, dumps of them, or packets. It takes no network, and from stdin no permission
 * at all.
 *
 *     dump of bytes ──► frames, each with where it begins and its size
 *     pcap(ng)      ──► frames of both sides of each connection
 *
 * @module
 */

import {
  type Program,
  ProgramError,
  type Switch,
  type Terminal,
} from "../program.ts";
import { CODEC, command, USAGE } from "./command.ts";
import { Conversation, type Seen } from "./conversation.ts";
import type { Dialect, Side } from "./dialect.ts";
import { reportJson, type ReportStyle, reportText } from "./frame_report.ts";
import { note, paint, put } from "./output.ts";
import { JSON_LINES } from "./printing.ts";
import { type Kind, type Recorded, Recording } from "./recorded.ts";
import { chunksOf, FILE, withPauses } from "./source.ts";
import {
  counted,
  countOption,
  type Optional,
  optional,
  sizeOption,
} from "./units.ts";
import { type Json, jsonLine } from "./values.ts";

/** What the input is. */
export const FROM: Optional<Kind> = optional({
  name: "from",
  value: "raw|hex|pcap",
  about: "what the input is; told by how it begins unless said",
}, (text) => {
  if (text === "raw" || text === "hex" || text === "pcap") return text;
  throw new RangeError(`--from must be raw, hex or pcap: it is "${text}"`);
});
/** Who sent bytes. */
export const SIDE: Optional<Side> = optional({
  name: "side",
  value: "client|server",
  about: "who sent it, for protocols whose sides differ; client unless said",
}, (text) => {
  if (text === "client" || text === "server") return text;
  throw new RangeError(`--side must be client or server: it is "${text}"`);
});
/** Which connections of a capture. */
export const PORT: Optional<number> = optional({
  name: "port",
  value: "n",
  about: "of packets, only those from or to this port",
}, (text) => {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new RangeError(
    `--port must be a whole number from 1 to 65535: it is "${text}"`,
  );
});
const COUNT: Optional<number> = countOption({
  name: "count",
  short: "n",
  about: "end after so many frames",
});
const MAX_DUMP: Optional<number> = sizeOption({
  name: "max-dump",
  about: "the most bytes of a dump; 256 if not said",
});
const DUMP: Switch = {
  name: "hex",
  about: "dump the bytes of each frame below it",
};
const FOLLOW: Switch = {
  name: "follow",
  about: "go on as the file grows, until Ctrl-C",
};

/** The exit code for bytes that are no frames. */
const NO_FRAMES = 3;
/** How much is put together before it is printed. */
const BATCH = 65_536;

/** Says when something was, in text and as JSON has it. */
function timeOf(time: bigint | undefined): string | undefined {
  if (time === undefined) return undefined;
  const date = new Date(Number(time / 1_000_000n));
  // A damaged file may speak of any year.
  if (Number.isNaN(date.getTime())) return undefined;
  const micros = BigInt.asUintN(64, time / 1000n) % 1000n;
  return date.toISOString().replace(
    "Z",
    `${String(micros).padStart(3, "0")}Z`,
  );
}

/** A connection that is decoded. */
interface Watched {
  conversation: Conversation;
  client: string;
  server: string;
}

/** Prints what comes of recordings. */
class Decoding {
  /** How many connections there were, and how many of them that were asked for. */
  readonly opened: { all: number; asked: number } = { all: 0, asked: 0 };
  #fault: string | undefined;
  /** How many faults there were. */
  #faults = 0;
  /** Whether nothing more can come of it. */
  over = false;
  #dialect: Dialect;
  #json: boolean;
  #style: ReportStyle;
  #port: number | undefined;
  #left: number;
  /** The connections that are open; `undefined` for one that nobody asked for. */
  #watched = new Map<number, Watched | undefined>();
  #printed: string[] = [];
  #length = 0;

  constructor({ get, has }: Terminal) {
    this.#dialect = get(CODEC);
    this.#json = has(JSON_LINES);
    this.#port = get(PORT);
    this.#left = get(COUNT) ?? Infinity;
    this.#style = {
      paint: paint(),
      hex: has(DUMP),
      maxDump: get(MAX_DUMP) ?? 256,
      pieces: false,
    };
  }

  /** The first thing that was wrong, and how much else was; `undefined` if nothing was. */
  get fault(): string | undefined {
    const more = this.#faults - 1;
    return more > 0
      ? `${this.#fault}; and ${counted(more, "more fault")}`
      : this.#fault;
  }

  /** Takes what happened. */
  async take(recorded: Recorded): Promise<void> {
    const { event, time } = recorded;
    const { id } = event;
    if (event.kind === "open") {
      this.#open(id, event.client, event.server);
      return;
    }
    if (!this.#watched.has(id)) this.#bare(recorded);
    const watched = this.#watched.get(id);
    if (watched === undefined) {
      if (event.kind === "closed") this.#watched.delete(id);
      return;
    }
    const { conversation } = watched;
    switch (event.kind) {
      case "bytes":
        await this.#show(
          conversation.push(event.from, event.bytes),
          id,
          watched,
          time,
        );
        break;
      case "end":
        await this.#show(conversation.end(event.from), id, watched, time);
        break;
      case "gap":
        this.#gap(event, watched);
        break;
      case "closed":
        this.#watched.delete(id);
        if (event.reason !== undefined) note(`#${id} ${event.reason}`);
    }
  }

  /** Prints what was put together. */
  async flush(): Promise<void> {
    const text = this.#printed.join("");
    this.#printed = [];
    this.#length = 0;
    await put(text);
  }

  /** Bytes that no packets were around. */
  #bare({ event: { id, kind } }: Recorded): void {
    if (kind !== "bytes") return;
    if (this.#port !== undefined) {
      throw new ProgramError("--port is for packets only", USAGE);
    }
    const conversation = new Conversation(this.#dialect);
    this.#watched.set(id, { conversation, client: "", server: "" });
  }

  #open(id: number, client: string, server: string): void {
    const asked = this.#port === undefined ||
      [client, server].some((place) => place.endsWith(`:${this.#port}`));
    this.opened.all++;
    if (asked) this.opened.asked++;
    else {
      this.#watched.set(id, undefined);
      return;
    }
    const conversation = new Conversation(this.#dialect);
    this.#watched.set(id, { conversation, client, server });
    if (!this.#json) note(`#${id} is ${client} to ${server}`);
  }

  async #show(
    all: Iterable<Seen>,
    id: number,
    watched: Watched,
    time: bigint | undefined,
  ): Promise<void> {
    for (const seen of all) {
      this.#print(
        this.#json
          ? reportJson(seen, this.#style, about(id, watched, time))
          : reportText(seen, this.#style, label(id, watched, time)),
      );
      if (this.#length >= BATCH) await this.flush();
      if (seen.kind === "fault") {
        this.#failed(seen.error.message, seen, id, watched);
      }
      if (seen.kind === "fault" && !seen.error.recoverable) {
        // Of bare bytes there is no other side to go on with.
        if (watched.client === "") this.over = true;
      }
      if (seen.kind === "frame" && --this.#left === 0) {
        this.over = true;
        return;
      }
    }
  }

  #gap(
    { id, from, missing }: { id: number; from: Side; missing: number },
    watched: Watched,
  ): void {
    const offset = watched.conversation.sent(from);
    const what = `${
      counted(missing, "byte")
    } missing in the capture: what the ${from} sent behind them is left out`;
    this.#print(
      this.#json
        ? `${
          jsonLine({
            ...about(id, watched, undefined),
            from,
            offset,
            fault: what,
            missing,
          })
        }\n`
        : `${label(id, watched, undefined)}${from}  @${offset}  ${
          this.#style.paint.fault(what)
        }\n`,
    );
    this.#failed(what, { from, offset }, id, watched);
  }

  #print(text: string): void {
    this.#printed.push(text);
    this.#length += text.length;
  }

  #failed(
    message: string,
    { from, offset }: { from: Side; offset: number },
    id: number,
    { client }: Watched,
  ): void {
    const who = client === "" ? "" : `#${id} ${from} `;
    this.#faults++;
    this.#fault ??= `${who}at byte ${offset}: ${message}`;
  }
}

function label(
  id: number,
  { client }: Watched,
  time: bigint | undefined,
): string {
  if (client === "") return "";
  const clock = timeOf(time)?.slice("2026-01-01T".length, -1);
  return `${clock === undefined ? "" : `${clock} `}#${id} `;
}

function about(
  id: number,
  { client, server }: Watched,
  time: bigint | undefined,
): { [name: string]: Json } {
  if (client === "") return {};
  const at = timeOf(time);
  return {
    ...at !== undefined && { time: at },
    connection: id,
    client,
    server,
  };
}

/** Says what there was besides connections, where that is all there was. */
function tellLeftOut({ streams, hasPackets }: Recording): void {
  const { others, fragments, damaged } = streams.leftOut;
  if (hasPackets !== true) return;
  if (fragments > 0) note(`left out ${counted(fragments, "fragment")}`);
  if (damaged > 0) note(`left out ${counted(damaged, "damaged packet")}`);
  if (streams.count > 0) return;
  note(`there is no TCP in ${counted(others, "packet")} of other kinds`);
}

/** Frames out of what was recorded. */
export const decodeCommand: Program = command({
  name: "decode",
  about: "Prints the frames in a file: bytes, a dump of them, or packets",
  takes: [FILE],
  options: [CODEC, FROM, SIDE, PORT, COUNT, MAX_DUMP],
  switches: [DUMP, JSON_LINES, FOLLOW],
  examples: [
    [
      "deno run jsr:@framewire/framewire/cli decode --codec length:4 < sent.bin",
      "Print the frames in some bytes, with no permission at all",
    ],
    [
      "deno run --allow-read=trace.pcapng jsr:@framewire/framewire/cli decode trace.pcapng --codec postgres --port 5432 --follow",
      "Print what is said to a server while something captures it",
    ],
    [
      "echo '00 00 00 02 68 69' | deno run jsr:@framewire/framewire/cli decode --codec length:4 --hex",
      "Print what somebody pasted",
    ],
  ],

  async main(terminal) {
    const { get, has } = terminal;
    const file = get(FILE);
    const follow = has(FOLLOW);
    if (follow && file === "-") {
      throw new ProgramError("--follow needs a file", USAGE);
    }
    const recording = new Recording({
      kind: get(FROM),
      side: get(SIDE) ?? "client",
      tell: note,
    });
    const decoding = new Decoding(terminal);
    try {
      const chunks = chunksOf(file, { name: "decode", follow });
      for await (const chunk of withPauses(chunks, () => recording.waits)) {
        const all = chunk === undefined
          ? recording.pause()
          : recording.push(chunk);
        for (const recorded of all) {
          await decoding.take(recorded);
          if (decoding.over) break;
        }
        await decoding.flush();
        if (decoding.over) break;
      }
      for (const recorded of decoding.over ? [] : recording.end()) {
        await decoding.take(recorded);
        if (decoding.over) break;
      }
    } finally {
      await decoding.flush();
    }
    tellLeftOut(recording);
    const { all, asked } = decoding.opened;
    if (asked === 0 && all > 0) {
      note(
        `none of ${counted(all, "connection")} is from or to port ${get(PORT)}`,
      );
    }
    const { fault } = decoding;
    if (fault === undefined) return 0;
    const { codec } = get(CODEC);
    const hint = recording.hasPackets === false && get(SIDE) === undefined &&
        codec("client") !== codec("server")
      ? "; if a server sent it: --side server"
      : "";
    throw new ProgramError(fault + hint, NO_FRAMES);
  },
});

if (import.meta.main) Deno.exit(await decodeCommand.run(Deno.args));
