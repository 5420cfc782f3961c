/**
 * Sizes and times as people write them.
 *
 *     64k   → 65536        1M → 1048576      1.5G → 1610612736
 *     500ms → 500          2s → 2000         1m   → 60000
 *
 * @module
 */

import type { Parameter } from "../program.ts";

const SIZES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 2 ** 10],
  ["m", 2 ** 20],
  ["g", 2 ** 30],
]);
const TIMES: ReadonlyMap<string, number> = new Map([
  ["us", 0.001],
  ["µs", 0.001],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** The number before a unit, times the unit; `undefined` if the text is no such thing. */
function measured(
  text: string,
  units: ReadonlyMap<string, number>,
): number | undefined {
  const [, number, unit] = text.match(/^(\d+(?:\.\d+)?) ?([a-zµ]*)$/i) ?? [];
  const scale = units.get(unit?.toLowerCase() ?? "none");
  return scale === undefined ? undefined : Number(number) * scale;
}

/**
 * Reads a size.
 *
 * @param name What it is the size of, for the error.
 * @param text Such as `64k`; `k`, `M` and `G` are powers of 1024, with or without `B` or `iB` behind them.
 * @param min The least it may be.
 * @returns The bytes.
 * @throws {RangeError} If it is no size.
 */
export function sizeIn(name: string, text: string, min = 1): number {
  const bytes = measured(text.replace(/(?<=[kmg])i?b$/i, ""), SIZES);
  if (
    bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= min
  ) return bytes;
  throw new RangeError(
    `${name} must be a size of ${min} B or more, such as 512, 64k or 1M: it is "${text}"`,
  );
}

/**
 * Reads a time.
 *
 * @param name What it is the time of, for the error.
 * @param text Such as `500ms`; the unit must be there.
 * @returns The milliseconds.
 * @throws {RangeError} If it is no time.
 */
export function timeIn(name: string, text: string): number {
  const milliseconds = measured(text, TIMES);
  // The longest that a timer of the platform can wait.
  if (milliseconds !== undefined && milliseconds < 2 ** 31) return milliseconds;
  throw new RangeError(
    `${name} must be a time, such as 500ms, 2s or 1m: it is "${text}"`,
  );
}

/** An option that may be left out. */
export type Optional<V> = Parameter<V | undefined> & { fallback: string };

/** What every option needs beside its reading. */
type OptionInit = Pick<
  Parameter<unknown>,
  "name" | "about" | "short" | "value"
>;

/** Makes an option that is `undefined` unless it is given. */
export function optional<V>(
  init: OptionInit,
  read: (text: string) => V,
): Optional<V> {
  return {
    ...init,
    fallback: "",
    read: (text) => text === "" ? undefined : read(text),
  };
}

/** Makes an option for a text, such as the name of a file. */
export function textOption(init: OptionInit): Optional<string> {
  return optional(init, (text) => text);
}

/** Makes an option for a time. */
export function timeOption(init: OptionInit): Optional<number> {
  return optional(
    { value: "time", ...init },
    (text) => timeIn(`--${init.name}`, text),
  );
}

/** Makes an option for a size. */
export function sizeOption(init: OptionInit): Optional<number> {
  return optional(
    { value: "size", ...init },
    (text) => sizeIn(`--${init.name}`, text),
  );
}

/** Makes an option for a count of one or more. */
export function countOption(init: OptionInit): Optional<number> {
  return optional({ value: "n", ...init }, (text) => {
    if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
    throw new RangeError(
      `--${init.name} must be a whole number, 1 or more: it is "${text}"`,
    );
  });
}

/** Writes a number of bytes for people: `855 B`, `64.0 KiB`. */
export function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  // What would be written as 1024.0 is 1.0 of the next; rates have parts of a byte.
  while (value >= (unit === 0 ? 1023.5 : 1023.95) && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

/** Writes a time for people: `350 µs`, `12.3 ms`, `1.50 s`. */
export function timeText(milliseconds: number): string {
  if (milliseconds < 0.9995) return `${Math.round(milliseconds * 1000)} µs`;
  if (milliseconds < 999.5) return `${milliseconds.toPrecision(3)} ms`;
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** A number for people: `1,234,567`. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** A number of things: `1 frame`, `2 frames`. */
export function counted(count: number, thing: string): string {
  return `${grouped(count)} ${thing}${count === 1 ? "" : "s"}`;
}
