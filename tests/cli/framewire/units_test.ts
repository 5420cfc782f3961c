/**
 * Sizes and times as people write them.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  counted,
  countOption,
  grouped,
  optional,
  sizeIn,
  sizeOption,
  sizeText,
  textOption,
  timeIn,
  timeOption,
  timeText,
} from "../../../cli/framewire/units.ts";
import { Random } from "../../support/random.ts";

const SIZES: readonly [text: string, bytes: number][] = [
  ["1", 1],
  ["512", 512],
  ["512B", 512],
  ["64k", 65_536],
  ["64K", 65_536],
  ["64 kB", 65_536],
  ["64KiB", 65_536],
  ["1M", 1_048_576],
  ["1.5G", 1_610_612_736],
  ["0.5k", 512],
];
for (const [text, bytes] of SIZES) {
  Deno.test(`sizeIn() takes ${text} for ${bytes} bytes`, () => {
    assertEquals(sizeIn("max", text), bytes);
  });
}

for (
  const text of [
    "",
    "0",
    "-1",
    "k",
    "1.5",
    "1T",
    "1e3",
    "0x10",
    "64 k b",
    "9".repeat(20),
    "1k\n",
    "NaN",
    "1..5k",
  ]
) {
  Deno.test(`sizeIn() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(
      () => sizeIn("max", text),
      RangeError,
      `max must be a size of 1 B or more, such as 512, 64k or 1M: it is "${text}"`,
    );
  });
}

Deno.test("sizeIn() takes nothing for a size where that is one", () => {
  assertEquals(sizeIn("size", "0", 0), 0);
});

const TIMES: readonly [text: string, milliseconds: number][] = [
  ["0s", 0],
  ["500ms", 500],
  ["2s", 2000],
  ["1.5 s", 1500],
  ["1m", 60_000],
  ["2h", 7_200_000],
  ["250us", 0.25],
  ["250µs", 0.25],
];
for (const [text, milliseconds] of TIMES) {
  Deno.test(`timeIn() takes ${text} for ${milliseconds} ms`, () => {
    assertEquals(timeIn("--wait", text), milliseconds);
  });
}

for (const text of ["", "5", "s", "-1s", "1d", "1000h", "1e3s", "1s2ms"]) {
  Deno.test(`timeIn() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(
      () => timeIn("--wait", text),
      RangeError,
      `--wait must be a time, such as 500ms, 2s or 1m: it is "${text}"`,
    );
  });
}

Deno.test("sizeIn() and timeIn() throw nothing but a RangeError, whatever is written", () => {
  const random = new Random(5);
  const alphabet = new TextEncoder().encode("0123456789.kmgbis uh-e+");
  const decoder = new TextDecoder();
  for (let i = 0; i < 5000; i++) {
    const text = decoder.decode(random.bytes(random.below(8), alphabet));
    for (const read of [() => sizeIn("x", text), () => timeIn("x", text)]) {
      try {
        assertEquals(read() >= 0, true, text);
      } catch (error) {
        assertEquals(error instanceof RangeError, true, `${text}: ${error}`);
      }
    }
  }
});

Deno.test("optional options are undefined unless they are given", () => {
  const time = timeOption({ name: "wait", about: "" });
  const size = sizeOption({ name: "size", about: "" });
  const count = countOption({ name: "count", about: "" });
  const file = optional({ name: "send", about: "" }, (text) => text);
  for (const option of [time, size, count, file]) {
    assertEquals(option.fallback, "");
    assertEquals(option.read(""), undefined);
  }
  assertEquals(
    [time.read("2s"), size.read("2k"), count.read("2"), file.read("a b")],
    [2000, 2048, 2, "a b"],
  );
  assertEquals([time.value, size.value, count.value], ["time", "size", "n"]);
});

for (const text of ["0", "-1", "1.5", "x", "01", "1".repeat(16)]) {
  Deno.test(`countOption() refuses ${text}`, () => {
    assertThrows(
      () => countOption({ name: "count", about: "" }).read(text),
      RangeError,
      `--count must be a whole number, 1 or more: it is "${text}"`,
    );
  });
}

Deno.test("sizeText() and timeText() are written for people", () => {
  assertEquals(
    [0, 855, 1023, 1024, 65_536, 1_572_864, 2 ** 40, 2 ** 50].map(sizeText),
    [
      "0 B",
      "855 B",
      "1023 B",
      "1.0 KiB",
      "64.0 KiB",
      "1.5 MiB",
      "1.0 TiB",
      "1024.0 TiB",
    ],
  );
  assertEquals(
    [0, 0.35, 0.0004, 1, 12.34, 345.6, 1500].map(timeText),
    ["0 µs", "350 µs", "0 µs", "1.00 ms", "12.3 ms", "346 ms", "1.50 s"],
  );
});

Deno.test("timeText() never shows a thousand of a unit that has a larger one", () => {
  assertEquals(
    [0.9999, 999.4, 999.9, 999.99].map(timeText),
    ["1.00 ms", "999 ms", "1.00 s", "1.00 s"],
  );
});

Deno.test("sizeText() never shows 1024 of a unit that has a larger one", () => {
  assertEquals(sizeText(2 ** 20 - 1), "1.0 MiB");
  assertEquals(sizeText(1023.6), "1.0 KiB");
});

Deno.test("sizeText() shows no parts of a byte, which rates have", () => {
  assertEquals([0.4, 254.97672445951451, 1023.4].map(sizeText), [
    "0 B",
    "255 B",
    "1023 B",
  ]);
});

Deno.test("counted() and grouped() write numbers for people", () => {
  assertEquals(counted(0, "frame"), "0 frames");
  assertEquals(counted(1, "frame"), "1 frame");
  assertEquals(counted(1_000_000, "frame"), "1,000,000 frames");
  assertEquals(grouped(999), "999");
});

Deno.test("textOption() takes any text, and is undefined unless it is given", () => {
  const option = textOption({ name: "send", value: "file", about: "a file" });
  assertEquals(option.read("a b"), "a b");
  assertEquals(option.read(option.fallback), undefined);
});
