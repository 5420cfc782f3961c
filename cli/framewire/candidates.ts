/**
 * The codecs that `detect` tries, and which of them explain some bytes.
 *
 * @module
 */

import { dialectOf } from "./codec_names.ts";
import type { Side } from "./dialect.ts";
import {
  byCrlf,
  byDelimiter,
  byDigits,
  byLength,
  byLines,
  byLinesOf,
  byProtocol,
  byVarint,
  type Part,
  readBy,
  type Reading,
  rowLength,
  scoreOf,
  type Weigh,
} from "./scoring.ts";
import { typeOf } from "./values.ts";

/** A codec to try. */
interface Candidate {
  spec: string;
  weigh: Weigh;
}

const WIDTHS = [4, 2, 1, 3, 8];
const ORDERS = ["", "le"];

/** A number's width as `--codec` has it, with either order of its bytes. */
function* widths(least = 1): Iterable<{ width: number; text: string }> {
  for (const width of WIDTHS) {
    if (width < least) continue;
    for (const order of width === 1 ? [""] : ORDERS) {
      yield { width, text: `${width}${order}` };
    }
  }
}

function* lengths(): Iterable<Candidate> {
  for (const { width, text } of widths()) {
    yield { spec: `length:${text}`, weigh: byLength(width) };
  }
  yield { spec: "varint", weigh: byVarint };
  for (const { width, text } of widths()) {
    const spec = `length:${text},includes-header`;
    yield { spec, weigh: byLength(width, { includesHeader: true }) };
  }
  for (const tag of [1, 2]) {
    for (const { width, text } of widths()) {
      if (width === 3 || width === 8) continue;
      const order = text.endsWith("le") && tag > 1 ? "le" : "";
      const spec = `typed:${tag}${order},length=${text}`;
      yield { spec, weigh: byLength(width, { tag }) };
    }
  }
}

function* digits(): Iterable<Candidate> {
  for (const count of [4, 5, 6, 8, 3, 10, 7, 2]) {
    yield { spec: `ascii:${count}`, weigh: byDigits(count) };
  }
  yield { spec: "netstring", weigh: byDigits(undefined, [":", ","]) };
  for (const [written, mark] of [[":", ":"], [" ", " "], ["\\n", "\n"]]) {
    const spec = `ascii,terminator=${written}`;
    yield { spec, weigh: byDigits(undefined, [mark]) };
  }
}

/** How many frames begin with such a byte. */
function countIn(
  { frames, bytes }: Reading,
  test: (byte: number) => boolean,
): number {
  return frames.filter(({ offset }) => test(bytes[offset])).length;
}

function hasHeader(frame: unknown, name: string): boolean {
  return JSON.stringify(frame)?.toLowerCase().includes(`"${name}"`) ?? false;
}

const latin1 = new TextDecoder("latin1");
/** How much of a value that is cut off is looked at. */
const BEGUN_IN = 1024;
/** How many bits it is worth that something stands where it has to. */
const BEGUN_BITS = 12;
/** The most that it is worth. */
const MOST_BEGUN_BITS = 480;

/** How much speaks for what is cut off being a value of Redis: that what it holds stands where it has to. */
function begunValue({ bytes, whole, end }: Reading): number {
  if (end !== "truncated") return 0;
  const text = latin1.decode(bytes.subarray(whole, whole + BEGUN_IN));
  const part = /[*%~>|]\d+\r\n|([$=!])(\d+)\r\n|[+:,#_(-].*\r\n/y;
  let found = 0;
  for (let at = 0; at < text.length; at = part.lastIndex) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) break;
    if (match[1] !== undefined) part.lastIndex += Number(match[2]) + 2;
    found++;
  }
  return Math.min(MOST_BEGUN_BITS, BEGUN_BITS * Math.max(0, found - 1));
}

const byRedis = byProtocol(
  8,
  6,
  // A dash begins many a line that is no error.
  (frame) => typeOf(frame) === "error" ? 0 : 32,
);

const PROTOCOLS: readonly Candidate[] = [
  { spec: "message", weigh: byProtocol(64) },
  { spec: "lsp", weigh: byProtocol(72) },
  { spec: "dap", weigh: byProtocol(72) },
  { spec: "header-block", weigh: byProtocol(48) },
  {
    spec: "resp",
    weigh: (reading, chance) => byRedis(reading, chance) + begunValue(reading),
  },
  { spec: "postgres", weigh: byProtocol(32) },
  { spec: "mqtt", weigh: byProtocol(24) },
  { spec: "mqtt:5", weigh: byProtocol(24) },
  { spec: "dns", weigh: byProtocol(64) },
  // Both are read either way: what it is written as is the difference.
  {
    spec: "syslog",
    weigh(reading, chance) {
      const digit = countIn(reading, (byte) => byte >= 0x30 && byte <= 0x39);
      return digit < reading.frames.length
        ? 0
        : byProtocol(40, 2)(reading, chance);
    },
  },
  {
    spec: "syslog,lf",
    weigh: byLinesOf(({ offset }, bytes) => bytes[offset] === 0x3c ? 16 : 0),
  },
  {
    spec: "git",
    weigh: byProtocol(20, 4, (frame) => typeOf(frame) === "data" ? 4 : 0),
  },
  {
    spec: "scgi",
    weigh: byProtocol(24, 4, (frame) => hasHeader(frame, "scgi") ? 40 : 0),
  },
  {
    spec: "json-lines",
    weigh: byLinesOf(({ offset }, bytes) =>
      '{["'.includes(String.fromCharCode(bytes[offset])) ? 12 : 0
    ),
  },
];

const TEXTS: readonly Candidate[] = [
  { spec: "lines:crlf", weigh: byCrlf },
  { spec: "lines", weigh: byLines },
  { spec: "delim:\\0", weigh: byDelimiter([0]) },
  { spec: "delim:\\r", weigh: byDelimiter([0x0d]) },
  { spec: "delim:\\r\\n\\r\\n", weigh: byDelimiter([0x0d, 0x0a, 0x0d, 0x0a]) },
  { spec: "delim:\\x03", weigh: byDelimiter([0x03]) },
  { spec: "delim:\\x1e", weigh: byDelimiter([0x1e]) },
];

/** All of them; where two explain bytes equally well, the first one is named. */
const CANDIDATES: readonly Candidate[] = [
  ...PROTOCOLS,
  ...TEXTS,
  ...digits(),
  ...lengths(),
];

/** Records of one length, if bytes look like such. */
function* rows(sent: readonly Sent[]): Iterable<Candidate> {
  for (const { bytes } of sent) {
    const found = rowLength(bytes);
    if (found === undefined) continue;
    const { length, bits } = found;
    yield { spec: `fixed:${length}`, weigh: () => bits };
  }
}

/** A codec that explains bytes. */
export interface Explanation {
  /** As `--codec` takes it. */
  spec: string;
  /** Who sent them, for a protocol whose sides differ, or where that was known. */
  from: Side | undefined;
  /** How well, from 0 to 100. */
  score: number;
  /** How unlikely it is by chance. */
  bits: number;
  /** How many bytes are in frames. */
  whole: number;
  /** How many there are. */
  total: number;
  /** How the bytes end. */
  end: Reading["end"];
  /** The frames, by who sent them. */
  frames: (Part & { from: Side })[];
  /** Other codecs that cut the same frames. */
  same: string[];
}

/** What one side sent; `from` is absent if it is not known who. */
export interface Sent {
  from?: Side;
  bytes: Uint8Array;
}

function explain(
  { spec, weigh }: Candidate,
  sent: ReadonlyMap<Side, Uint8Array>,
  from: Side | undefined,
): Explanation {
  const readings = readBy(dialectOf(spec), sent);
  const ends = readings.map(({ end }) => end);
  const [end = "boundary"] =
    (["fault", "truncated", "opaque", "enough"] as const)
      .filter((one) => ends.includes(one));
  return {
    spec,
    from,
    ...scoreOf(readings, weigh),
    whole: readings.reduce((sum, { whole }) => sum + whole, 0),
    total: readings.reduce((sum, { bytes }) => sum + bytes.length, 0),
    end,
    frames: readings.flatMap(({ frames, from }) =>
      frames.map((frame) => ({ ...frame, from }))
    ),
    same: [],
  };
}

/** Whether two cut the same bytes out. */
function isSame(a: Explanation, b: Explanation): boolean {
  return a.end === b.end && a.frames.length === b.frames.length &&
    a.frames.every(({ frame, offset, size }, i) => {
      const other = b.frames[i];
      return offset === other.offset && size === other.size &&
        frame instanceof Uint8Array && other.frame instanceof Uint8Array &&
        frame.length === other.frame.length;
    });
}

/**
 * Says which codecs explain bytes.
 *
 * @param sent What was sent, by one side or both.
 * @returns Those that explain any of it, the best first.
 */
export function explanations(sent: readonly Sent[]): Explanation[] {
  const found: Explanation[] = [];
  for (const candidate of [...CANDIDATES, ...rows(sent)]) {
    const dialect = dialectOf(candidate.spec);
    const known = sent.some(({ from }) => from !== undefined);
    const differs = dialect.codec("client") !== dialect.codec("server");
    const sides: Side[] = known || !differs ? ["client"] : ["client", "server"];
    for (const side of sides) {
      const by = new Map(sent.map(({ from, bytes }) => [from ?? side, bytes]));
      const from = known ? sent[0].from : differs ? side : undefined;
      const one = explain(candidate, by, sent.length > 1 ? undefined : from);
      if (one.score > 0) found.push(one);
    }
  }
  // Sorting keeps those that are alike in order.
  found.sort((a, b) => b.score - a.score || b.bits - a.bits);
  const best: Explanation[] = [];
  for (const one of found) {
    const same = best.find((other) => isSame(one, other));
    if (same === undefined) best.push(one);
    else same.same.push(one.spec);
  }
  return best;
}
