import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Bar,
  barChart,
  type Curve,
  curveChart,
  logTicks,
  spread,
} from "../../bench/chart.ts";

function bar(label: string, value: number, ours = false): Bar {
  const text = String(value);
  return { label, value, min: value, max: value, text, ours };
}

function barsOf(bars: Bar[]): string {
  return barChart({ title: "Title", subtitle: "unit", bars });
}

function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect [^>]*width="([^"]*)"/g)]
    .map(([, width]) => Number(width));
}

function curvesOf(curves: Curve[]): string {
  return curveChart({
    title: "Title",
    subtitle: "unit",
    percentiles: [50, 90, 99],
    curves,
    format: (value) => `${value} µs`,
  });
}

function points(svg: string, kind: string): [x: number, y: number][] {
  const found = svg.match(
    new RegExp(`<polyline class="${kind}" points="([^"]*)"`),
  );
  assert(found !== null, `no curve of the kind ${kind}`);
  return found[1].split(" ").map((point): [number, number] => {
    const [x, y] = point.split(",").map(Number);
    return [x, y];
  });
}

Deno.test("barChart() draws bars in proportion", () => {
  const [first, second] = widths(barsOf([bar("a", 400), bar("b", 100)]));
  assert(Math.abs(first / second - 4) < 0.01, `${first} against ${second}`);
});

Deno.test("barChart() keeps a bar of next to nothing visible", () => {
  assertEquals(widths(barsOf([bar("a", 1e9), bar("b", 1)]))[1], 1);
  assertEquals(widths(barsOf([bar("a", 0)])), [1]);
});

Deno.test("barChart() writes every value to the right of bar and whisker", () => {
  const svg = barsOf([{ ...bar("a", 100), min: 50, max: 200 }]);
  const whisker = svg.match(/class="whisker" .*x2="([^"]*)"/);
  const value = svg.match(/<text x="([^"]*)"[^>]*class="value">100</);
  assert(whisker !== null && value !== null, svg);
  assert(Number(value[1]) > Number(whisker[1]));
});

Deno.test("barChart() marks the bars that are framewire's", () => {
  const svg = barsOf([bar("a", 1), bar("b", 1, true)]);
  assertEquals([...svg.matchAll(/<rect class="([^"]*)"/g)].map(([, c]) => c), [
    "bar",
    "bar ours",
  ]);
});

Deno.test("barChart() has colours for both schemes and no background", () => {
  const svg = barsOf([bar("a", 1)]);
  assertStringIncludes(svg, "@media (prefers-color-scheme: dark)");
  assertEquals(widths(svg).length, 1, "only the bar is a rectangle");
});

Deno.test("barChart() escapes what labels say", () => {
  const svg = barsOf([bar("a < b & c", 1)]);
  assertStringIncludes(svg, ">a &lt; b &amp; c<");
});

Deno.test("curveChart() puts percentiles as far apart as their nines", () => {
  const [first, second, third] = points(
    curvesOf([{ label: "a", values: [1, 2, 3], ours: false }]),
    "curve c0",
  );
  const tens = (third[0] - second[0]) / (second[0] - first[0]);
  assert(Math.abs(tens - 1 / Math.log10(5)) < 0.01, String(tens));
});

Deno.test("curveChart() puts larger values higher, as far as their ratio says", () => {
  const [first, second, third] = points(
    curvesOf([{ label: "a", values: [10, 100, 1000], ours: false }]),
    "curve c0",
  );
  assert(first[1] > second[1]);
  assert(Math.abs((first[1] - second[1]) - (second[1] - third[1])) <= 0.2);
});

Deno.test("curveChart() draws values that are all the same", () => {
  const curve = { label: "a", values: [50, 50, 50], ours: false };
  const heights = points(curvesOf([curve]), "curve c0").map(([, y]) => y);
  assertEquals(new Set(heights).size, 1);
  assert(Number.isFinite(heights[0]));
});

Deno.test("curveChart() draws framewire's curve over the others", () => {
  const svg = curvesOf([
    { label: "ours", values: [1, 2, 3], ours: true },
    { label: "theirs", values: [1, 2, 3], ours: false },
  ]);
  assert(svg.indexOf('"curve ours"') > svg.indexOf('"curve c1"'));
});

Deno.test("logTicks() surrounds the values with round numbers", () => {
  assertEquals(logTicks(60, 900), [50, 100, 200, 500, 1000]);
  assertEquals(logTicks(50, 50), [50]);
  assertEquals(logTicks(0.3, 2), [0.2, 0.5, 1, 2]);
});

Deno.test("spread() moves only what is too close", () => {
  assertEquals(spread([10, 50, 90], 20, 0, 100), [10, 50, 90]);
  assertEquals(spread([50, 50], 20, 0, 100), [40, 60]);
});

Deno.test("spread() stays within the bounds", () => {
  assertEquals(spread([0, 0, 0], 20, 0, 100), [0, 20, 40]);
  assertEquals(spread([99, 100], 20, 0, 100), [80, 100]);
});

Deno.test("spread() moves a group on when another one runs into it", () => {
  assertEquals(spread([40, 40, 55], 20, 0, 100), [25, 45, 65]);
});
