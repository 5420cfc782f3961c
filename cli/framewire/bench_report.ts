/**
 * What a load has shown, for people and as JSON.
 *
 *       50 %   0.35 ms                 128 µs –  150 µs  ██▌             1,204   9.6 %
 *       99 %   1.20 ms                 150 µs –  176 µs  ██████████     48,161  38.5 %
 *
 * @module
 */

import { oneLine } from "../python_literal.ts";
import type { Histogram } from "./histogram.ts";
import type { FaultKind, LoadStats } from "./load.ts";
import { sizeText, timeText } from "./units.ts";
import type { Json } from "./values.ts";

/** What was asked for. */
export interface LoadPlan {
  /** Where to. */
  target: string;
  /** How frames are cut. */
  codec: string;
  /** How many connections. */
  connections: number;
  /** How many requests on each at a time. */
  pipeline: number;
  /** How many requests a second; as many as can be without it. */
  rate?: number | undefined;
  /** The length of a request, with its framing. */
  requestLength: number;
  /** How many frames answer one. */
  answers: number;
  /** How long an answer may take, in milliseconds. */
  timeout: number;
}

/** Which percentiles are told. */
export const PERCENTILES: readonly number[] = [50, 75, 90, 99, 99.9, 99.99];

const NANOSECONDS = 1e6;
/** How much of a core means that there is no more to be had. */
const BUSY = 0.95;
/** How late a request may leave by fault of this program without a remark, in nanoseconds. */
const LATE = 1e6;
/** With more sockets that have something to be read, Deno takes turns that are not fair. */
const FAIR = 128;
const ROWS = 16;
const BAR = 30;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

const WHAT: Record<FaultKind, string> = {
  refused: "refused",
  reset: "reset by the server",
  closed: "closed by the server",
  timeout: "timed out",
  framing: "no frames",
  unexpected: "more frames than answers",
  tls: "TLS",
  other: "other",
};

function total(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** How many of what was sent failed. */
export function failures({ failed }: LoadStats): number {
  return total(failed.values());
}

/** The exit code that a load ends with. */
export function exitCodeOf(stats: LoadStats): number {
  const kinds = [...stats.lost.keys()];
  if (kinds.length === 0) return stats.answered > 0 ? 0 : 1;
  if (kinds.includes("framing")) return 3;
  const silent = stats.answered === 0 &&
    kinds.every((kind) => kind === "timeout");
  return silent ? 4 : 1;
}

/** So many a second. */
function perSecond(count: number, { elapsed }: LoadStats): number {
  return elapsed > 0 ? count / elapsed * 1000 : 0;
}

function number(value: number): string {
  const digits = value < 100 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function count(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function time(nanoseconds: number): string {
  return timeText(nanoseconds / NANOSECONDS);
}

/** How many connections had a request under way, on average: requests a second, times the seconds that each took. */
function busyConnections(
  { connections }: LoadPlan,
  { answered, service, elapsed }: LoadStats,
): number {
  if (elapsed === 0) return 0;
  const underWay = answered * service.mean / NANOSECONDS / elapsed;
  return Math.round(Math.min(connections, underWay));
}

/** Whether what counts never began. */
function endedWarmingUp({ elapsed, sent }: LoadStats): boolean {
  return elapsed === 0 && sent === 0;
}

function whyNothing(stats: LoadStats): string {
  if (endedWarmingUp(stats)) return "it ended while it warmed up";
  return stats.sent === 0
    ? "no request was sent in the time that counts"
    : "none of the requests was answered";
}

/** What the figures do not say by themselves, each in a sentence. */
export function remarks(plan: LoadPlan, stats: LoadStats): string[] {
  const said: string[] = [];
  const { rate } = plan;
  const lost = total([...stats.lost.values()].map(({ count }) => count));
  if (stats.answered === 0) {
    said.push(`nothing was measured: ${whyNothing(stats)}`);
  }
  if (stats.firstIsError) {
    said.push(
      "the first answer is an error: errors count as answers, and may take less time than what is meant to be measured; --line or --send gives another request",
    );
  }
  if (failures(stats) > 0) {
    said.push("requests that failed are not among the times");
  }
  if (stats.notSent > 0 && rate !== undefined) {
    const behind = timeText(stats.notSent / rate * 1000);
    said.push(
      `the rate was not kept: at the end ${
        count(stats.notSent, "request")
      } had been due and not sent, ${behind} behind; theirs would be the longest times, and are missing; more --connections or --pipeline may help, if the server can do more`,
    );
  }
  const own = stats.late.percentile(99);
  if (own > LATE) {
    said.push(
      `this program sent one request in a hundred ${
        time(own)
      } and more too late by its own fault: it may be too slow for this rate, or the machine too busy`,
    );
  }
  if (rate === undefined && stats.answered > 0 && stats.cpu > BUSY) {
    said.push(
      `this program itself used ${
        (100 * stats.cpu).toFixed(0)
      } % of a core: it may be slower than the server, and the times count what it let wait itself`,
    );
  }
  const busy = busyConnections(plan, stats);
  if (busy > FAIR) {
    said.push(
      `about ${
        number(busy)
      } connections had requests under way at a time: beyond ${FAIR}, Deno may read from some much later than from others, so that the longest times, and requests that timed out, may be its fault`,
    );
  }
  if (lost > 0 && stats.open === 0) {
    said.push("it ended when no connection was left");
  } else if (lost > 0 && stats.open < plan.connections) {
    said.push(
      `at the end ${stats.open} of ${
        count(plan.connections, "connection")
      } were left`,
    );
  }
  return said;
}

/** A part of a histogram that is drawn as a bar. */
interface Row {
  from: number;
  to: number;
  count: number;
}

/** The rows of a drawing: each covers as many times its least value as every other. */
export function rowsOf(histogram: Histogram): Row[] {
  const min = Math.max(1, histogram.min);
  const max = Math.max(min, histogram.max);
  // Rows that are narrower than the buckets would be empty in turns.
  const count = Math.max(
    1,
    Math.min(ROWS, Math.floor(Math.log(max / min) / Math.log(1.01))),
  );
  const step = (max / min) ** (1 / count);
  const rows: Row[] = Array.from({ length: count }, (_, i) => ({
    from: min * step ** i,
    to: i === count - 1 ? max : min * step ** (i + 1),
    count: 0,
  }));
  for (const bucket of histogram.buckets()) {
    const place = step > 1
      ? Math.floor(Math.log(bucket.from / min) / Math.log(step))
      : 0;
    rows[Math.min(Math.max(place, 0), count - 1)].count += bucket.count;
  }
  return rows;
}

function bar(part: number, ascii: boolean): string {
  const length = part * BAR;
  if (part === 0) return "";
  if (ascii) return "#".repeat(Math.max(1, Math.round(length)));
  const eighths = Math.max(1, Math.round(length * 8));
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

function drawing(histogram: Histogram, ascii: boolean): string[] {
  const rows = rowsOf(histogram);
  const most = Math.max(...rows.map(({ count }) => count));
  const all = histogram.count;
  const dash = ascii ? "-" : "–";
  return rows.map(({ from, to, count }) =>
    [
      ` ${time(from).padStart(8)} ${dash} ${time(to).padStart(8)} `,
      bar(count / most, ascii).padEnd(BAR),
      number(count).padStart(11),
      `${
        (100 * count / all).toFixed(count > 0 && count < all / 1000 ? 3 : 1)
      } %`
        .padStart(9),
    ].join(" ").trimEnd()
  );
}

/** A table with its first column on the left, the others on the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) =>
    Math.max(...rows.map((row) => row[i].length))
  );
  return rows.map((row) =>
    `  ${
      row.map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])
      ).join("   ")
    }`.trimEnd()
  );
}

function times(plan: LoadPlan, stats: LoadStats): string[] {
  const { response, service } = stats;
  const open = plan.rate !== undefined;
  const row = (
    name: string,
    of: (histogram: Histogram) => number,
  ) => [name, time(of(response)), ...open ? [time(of(service))] : []];
  return table([
    ["", "response", ...open ? ["service"] : []],
    row("least", ({ min }) => min),
    row("mean", ({ mean }) => mean),
    ...PERCENTILES.map((percent) =>
      row(`${percent} %`, (histogram) => histogram.percentile(percent))
    ),
    row("greatest", ({ max }) => max),
  ]);
}

/** What was done, in a line. */
function headline(plan: LoadPlan, stats: LoadStats): string {
  const pace = plan.rate === undefined
    ? "as fast as answers came"
    : `${number(plan.rate)} requests/s asked for`;
  return `${plan.target} (${plan.codec}): ${
    count(plan.connections, "connection")
  } with ${count(plan.pipeline, "request")} at a time, ${pace}, ${
    endedWarmingUp(stats)
      ? "ended while it warmed up"
      : `for ${timeText(stats.elapsed)}`
  }`;
}

/**
 * Writes the report for people.
 *
 * @param plan What was asked for.
 * @param stats What came of it.
 * @param ascii Whether to do without the characters that ASCII lacks.
 * @returns The lines.
 */
export function reportLines(
  plan: LoadPlan,
  stats: LoadStats,
  ascii = false,
): string[] {
  const { sent, answered, bytesOut, bytesIn, firstAnswer } = stats;
  const rate = (bytes: number) => `${sizeText(perSecond(bytes, stats))}/s`;
  const lines = [
    headline(plan, stats),
    "",
    ...table([
      [
        "answered",
        number(answered),
        `${number(perSecond(answered, stats))}/s`,
      ],
      ["out", sizeText(bytesOut), rate(bytesOut)],
      ["in", sizeText(bytesIn), rate(bytesIn)],
    ]),
    `  of ${count(sent, "request")} sent, ${failures(stats)} failed${
      stats.unfinished > 0 ? `, ${stats.unfinished} unfinished` : ""
    }; ${count(stats.warmUp, "request")} before that to warm up`,
  ];
  if (firstAnswer !== undefined) {
    lines.push(`  the first answer: ${shortened(firstAnswer)}`);
  }
  if (answered > 0) {
    lines.push("", ...times(plan, stats), "");
    lines.push(...drawing(stats.response, ascii));
  }
  if (stats.lost.size > 0) {
    const rows = [...stats.lost].map(([kind, { count: lost, message }]) => [
      WHAT[kind],
      number(lost),
      number(stats.failed.get(kind) ?? 0),
      "  " + shortened(oneLine(message)),
    ]);
    const [heads, ...others] = table([
      ["fault", "connections", "requests", ""],
      ...rows.map((row) => [...row.slice(0, 3), ""]),
    ]);
    lines.push("", heads);
    lines.push(...others.map((line, i) => line + " " + rows[i][3]));
  }
  const said = remarks(plan, stats);
  if (said.length > 0) lines.push("", ...said.map((remark) => `! ${remark}`));
  return ascii ? lines.map((line) => line.replaceAll("µ", "u")) : lines;
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

function milliseconds(nanoseconds: number): number {
  return Math.round(nanoseconds) / NANOSECONDS;
}

function histogramJson(histogram: Histogram): Json {
  const percentiles = PERCENTILES.map((percent) => [
    `p${percent}`,
    milliseconds(histogram.percentile(percent)),
  ]);
  return {
    count: histogram.count,
    min: milliseconds(histogram.min),
    mean: milliseconds(histogram.mean),
    ...Object.fromEntries(percentiles),
    max: milliseconds(histogram.max),
  };
}

/**
 * Writes the report as JSON: times in milliseconds, throughput a second.
 *
 * @param plan What was asked for.
 * @param stats What came of it.
 * @returns The object.
 */
export function reportJson(
  plan: LoadPlan,
  stats: LoadStats,
): { [name: string]: Json } {
  const open = plan.rate !== undefined;
  return {
    target: plan.target,
    codec: plan.codec,
    pipeline: plan.pipeline,
    rate: plan.rate ?? null,
    requestLength: plan.requestLength,
    answers: plan.answers,
    timeout: plan.timeout,
    elapsed: stats.elapsed,
    connections: {
      asked: plan.connections,
      opened: stats.opened,
      open: stats.open,
    },
    requests: {
      warmUp: stats.warmUp,
      sent: stats.sent,
      answered: stats.answered,
      failed: failures(stats),
      unfinished: stats.unfinished,
      notSent: stats.notSent,
    },
    throughput: {
      requests: perSecond(stats.answered, stats),
      bytesOut: perSecond(stats.bytesOut, stats),
      bytesIn: perSecond(stats.bytesIn, stats),
    },
    bytesOut: stats.bytesOut,
    bytesIn: stats.bytesIn,
    response: histogramJson(stats.response),
    service: histogramJson(stats.service),
    sentLate: open ? histogramJson(stats.late) : null,
    histogram: stats.answered === 0
      ? []
      : rowsOf(stats.response).map(({ from, to, count }) => [
        milliseconds(from),
        milliseconds(to),
        count,
      ]),
    faults: Object.fromEntries(
      [...stats.lost].map(([kind, { count, message }]) => [kind, {
        connections: count,
        requests: stats.failed.get(kind) ?? 0,
        first: message,
      }]),
    ),
    cpu: Math.round(1000 * stats.cpu) / 1000,
    firstAnswer: stats.firstAnswer ?? null,
    remarks: remarks(plan, stats),
  };
}

/** What is seen while it runs, in a line; `before` are the stats of the line before. */
export function progressLine(
  stats: LoadStats,
  before: { answered: number; elapsed: number },
): string {
  if (stats.elapsed === 0) {
    return `warming up: ${count(stats.open, "connection")}, ${
      count(stats.warmUp, "request")
    }`;
  }
  const since = stats.elapsed - before.elapsed;
  const pace = since > 0 ? (stats.answered - before.answered) / since : 0;
  const { response } = stats;
  return [
    timeText(stats.elapsed),
    `${number(pace * 1000)}/s`,
    `${number(stats.answered)} answered`,
    `50 % ${time(response.percentile(50))}`,
    `99 % ${time(response.percentile(99))}`,
    ...failures(stats) > 0 ? [`${number(failures(stats))} failed`] : [],
  ].join("  ");
}
