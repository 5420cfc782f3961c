/**
 * Charts as SVG text: bars, and curves of latency by percentile. Colours follow the reader's scheme, light or
 * dark; there is no background, so that the page shows through.
 *
 * @module
 */

/** One row of a bar chart. */
export interface Bar {
  /** Whose it is. */
  label: string;
  /** The length of the bar. */
  value: number;
  /** Where its whisker begins and ends. */
  min: number;
  max: number;
  /** The value as it is written behind the bar. */
  text: string;
  /** Whether it is framewire's. */
  ours: boolean;
}

/** A bar chart. */
export interface BarChart {
  title: string;
  /** What the bars measure. */
  subtitle: string;
  /** From top to bottom. */
  bars: readonly Bar[];
}

/** One curve of a chart of percentiles. */
export interface Curve {
  /** Whose it is. */
  label: string;
  /** Its values at the chart's percentiles. */
  values: readonly number[];
  /** Whether it is framewire's. */
  ours: boolean;
}

/** A chart of percentiles. Both axes are logarithmic: 90 %, 99 % and 99.9 % are equally far apart. */
export interface CurveChart {
  title: string;
  /** What the curves measure. */
  subtitle: string;
  /** From left to right, more than 0 and less than 100. */
  percentiles: readonly number[];
  curves: readonly Curve[];
  /** A value as the axis writes it. */
  format: (value: number) => string;
}

const WIDTH = 820;
const EDGE = 16;
/** How wide a letter of a label may be on average, and one in bold. */
const LETTER = 7.6;
const BOLD_LETTER = 8.8;
const HEAD = 66;
const ROW = 27;
const BAR = 17;

const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1f2328; --muted: #59636e; --line: #d1d9e0; --bar: #a9b3bd; --whisker: #1f2328; --ours: #0969da;
  --c0: #bc4c00; --c1: #1a7f37; --c2: #8250df; --c3: #0d7d8c; --c4: #9a6700; --c5: #bf3989; --c6: #6e7781;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #f0f6fc; --muted: #9198a1; --line: #3d444d; --bar: #5c6570; --whisker: #f0f6fc; --ours: #4493f8;
    --c0: #f0883e; --c1: #3fb950; --c2: #ab7df8; --c3: #39c5cf; --c4: #d29922; --c5: #f778ba; --c6: #8b949e;
  }
}
text { font: 14px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--text); }
.title { font-size: 17px; font-weight: 600; }
.muted { fill: var(--muted); }
.value { font-variant-numeric: tabular-nums; }
.ours { font-weight: 600; fill: var(--ours); }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.bar { fill: var(--bar); }
.bar.ours { fill: var(--ours); }
.whisker { stroke: var(--whisker); stroke-width: 1.5; opacity: 0.7; }
.axis { stroke: var(--line); }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.again { stroke-dasharray: 6 4; }
polyline.ours { fill: none; stroke: var(--ours); }
.curve.ours { stroke-width: 4; }
.leader { fill: none; stroke-width: 1; opacity: 0.7; }
${
  [0, 1, 2, 3, 4, 5, 6].map((i) =>
    `.c${i} { stroke: var(--c${i}); } text.c${i} { stroke: none; fill: var(--c${i}); }`
  ).join("\n")
}
`.trim();

/** So many curves have a colour of their own; those after them are dashed. */
const COLOURS = 7;

/** Text that may stand in an SVG. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A coordinate. */
function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function text(x: number, y: number, kind: string, content: string): string {
  return `<text x="${at(x)}" y="${at(y)}" class="${kind}">${
    escape(content)
  }</text>`;
}

function line(
  kind: string,
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): string {
  return `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${
    at(x2)
  }" y2="${at(y2)}"/>`;
}

function svg(
  { title, subtitle }: { title: string; subtitle: string },
  height: number,
  content: readonly string[],
): string {
  return [
    "<!-- deno-fmt-ignore-file -->",
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escape(`${title}: ${subtitle}`)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    text(EDGE, 28, "title", title),
    text(EDGE, 50, "muted", subtitle),
    ...content,
    "</svg>",
    "",
  ].join("\n");
}

interface Label {
  label: string;
  ours?: boolean;
}

/** The room that the widest of some labels may take. */
function widest(labels: readonly Label[]): number {
  const widths = labels.map(({ label, ours }) =>
    label.length * (ours ? BOLD_LETTER : LETTER)
  );
  return Math.max(0, ...widths);
}

/**
 * Draws horizontal bars. A whisker goes from the least to the most; what it measures stands behind it.
 *
 * @param chart What is drawn.
 * @returns The SVG.
 */
export function barChart(chart: BarChart): string {
  const { bars } = chart;
  const start = EDGE + widest(bars) + 10;
  const end = WIDTH - EDGE -
    widest(bars.map(({ text, ours }) => ({ label: text, ours }))) - 10;
  const most = Math.max(...bars.map(({ value, max }) => Math.max(value, max)));
  const x = (value: number) =>
    most > 0 ? start + value / most * (end - start) : start;
  const rows = bars.flatMap((bar, i) => {
    const { label, value, min, max, ours } = bar;
    const top = HEAD + i * ROW;
    const middle = top + BAR / 2;
    const kind = ours ? " ours" : "";
    const width = Math.max(x(value) - start, 1);
    return [
      text(start - 10, middle + 5, `end${kind}`, label),
      `<rect class="bar${kind}" x="${at(start)}" y="${at(top)}" width="${
        at(width)
      }" height="${BAR}" rx="2"/>`,
      // Shorter than a few points it would only be a blot.
      ...x(max) - x(min) > 3
        ? [line("whisker", [x(min), middle], [x(max), middle])]
        : [],
      text(
        Math.max(x(value), x(max)) + 10,
        middle + 5,
        `value${kind}`,
        bar.text,
      ),
    ];
  });
  const bottom = HEAD + bars.length * ROW;
  const axis = line("axis", [start, HEAD - 6], [start, bottom - 4]);
  return svg(chart, bottom + 10, [...rows, axis]);
}

/** Round numbers from at most `low` to at least `high`: 1, 2 and 5 times powers of ten. */
export function logTicks(low: number, high: number): number[] {
  const steps = [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); ticks.length < 60; power++) {
    for (const step of steps) {
      // Negative powers of ten are not exact as factors.
      const tick = power < 0 ? step / 10 ** -power : step * 10 ** power;
      ticks.push(tick);
      if (tick >= high) {
        const first = ticks.findLastIndex((tick) => tick <= low);
        return ticks.slice(Math.max(first, 0));
      }
    }
  }
  return ticks;
}

/**
 * Moves positions apart so that neighbours are at least `gap` from each other, each as near to where it was as
 * can be, within bounds.
 *
 * @param positions Where they would be, in ascending order.
 * @param gap The least distance.
 * @param low The first that is possible.
 * @param high The last that is possible.
 * @returns Where they are.
 */
export function spread(
  positions: readonly number[],
  gap: number,
  low: number,
  high: number,
): number[] {
  // Neighbours that are too close become one group around the middle of where they would be.
  const groups: { sum: number; count: number }[] = [];
  const startOf = ({ sum, count }: { sum: number; count: number }) => {
    const start = sum / count - (count - 1) * gap / 2;
    return Math.max(low, Math.min(start, high - (count - 1) * gap));
  };
  for (const position of positions) {
    let group = { sum: position, count: 1 };
    let before = groups.at(-1);
    while (
      before !== undefined &&
      startOf(before) + before.count * gap > startOf(group)
    ) {
      group = {
        sum: before.sum + group.sum,
        count: before.count + group.count,
      };
      groups.pop();
      before = groups.at(-1);
    }
    groups.push(group);
  }
  return groups.flatMap((group) =>
    Array.from({ length: group.count }, (_, i) => startOf(group) + i * gap)
  );
}

/** Whether a curve before this one has its colour, so that it is to be dashed. */
function sameColour(curves: readonly Curve[], index: number): boolean {
  return curves[index].ours
    ? curves.slice(0, index).some(({ ours }) => ours)
    : index >= COLOURS;
}

/**
 * Draws curves over percentiles, each with its name at its end.
 *
 * @param chart What is drawn.
 * @returns The SVG.
 */
export function curveChart(chart: CurveChart): string {
  const { percentiles, curves, format } = chart;
  const values = curves.flatMap(({ values }) => values);
  // A little more than the most, as an axis needs two ticks.
  const ticks = logTicks(Math.min(...values), 1.01 * Math.max(...values));
  const [low = 1, high = 10] = [ticks.at(0), ticks.at(-1)];
  const start = EDGE + widest(ticks.map((tick) => ({ label: format(tick) }))) +
    8;
  const end = WIDTH - EDGE - widest(curves) - 44;
  const height = Math.max(280, curves.length * 20);
  const top = HEAD + 8;
  const nines = (percentile: number) => -Math.log10(1 - percentile / 100);
  const [first = 50, last = 99.9] = [percentiles.at(0), percentiles.at(-1)];
  const x = (percentile: number) =>
    start + (nines(percentile) - nines(first)) /
      (nines(last) - nines(first)) * (end - start);
  const y = (value: number) =>
    top + height -
    Math.log(value / low) / Math.log(high / low) * height;

  const grid = ticks.flatMap((tick) => [
    line("axis", [start, y(tick)], [end, y(tick)]),
    text(start - 8, y(tick) + 5, "muted value end", format(tick)),
  ]);
  const marks = percentiles.map((percentile) =>
    text(
      x(percentile),
      top + height + 24,
      "muted value middle",
      `${percentile} %`,
    )
  );
  const byEnd = curves
    .map((curve, i) => ({
      ...curve,
      kind: curve.ours ? "ours" : `c${i % COLOURS}`,
      line: sameColour(curves, i) ? " again" : "",
      endsAt: y(curve.values.at(-1) ?? low),
    }))
    .toSorted((a, b) => a.endsAt - b.endsAt);
  const names = spread(
    byEnd.map(({ endsAt }) => endsAt),
    19,
    HEAD,
    top + height,
  );
  // Ours is drawn last, over the others.
  const drawn = byEnd
    .map((curve, i) => ({ ...curve, nameAt: names[i] }))
    .toSorted((a, b) => Number(a.ours) - Number(b.ours))
    .flatMap(({ label, values, kind, line, endsAt, nameAt }) => {
      const points = values.map((value, i) =>
        `${at(x(percentiles[i]))},${at(y(value))}`
      ).join(" ");
      const leader = `${at(end + 4)},${at(endsAt)} ${at(end + 30)},${
        at(nameAt)
      }`;
      return [
        `<polyline class="leader ${kind}${line}" points="${leader}"/>`,
        `<polyline class="curve ${kind}${line}" points="${points}"/>`,
        text(end + 36, nameAt + 5, kind, label),
      ];
    });
  return svg(chart, top + height + 40, [...grid, ...marks, ...drawn]);
}
