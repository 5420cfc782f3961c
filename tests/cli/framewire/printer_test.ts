/**
 * A queue that never makes anybody wait.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Item, Printer } from "../../../cli/framewire/printer.ts";

/** A reader that takes what is put only when it is told to. */
class Reader {
  text = "";
  puts = 0;
  #taking = Promise.withResolvers<void>();

  put = async (bytes: Uint8Array): Promise<void> => {
    this.puts++;
    await this.#taking.promise;
    this.text += new TextDecoder().decode(bytes);
  };

  /** From now on takes what comes. */
  take(): void {
    this.#taking.resolve();
  }
}

function line(text: string, cost = 10): Item {
  return { kind: "frame", cost, layOut: () => `${text}\n` };
}

const gap = ({ frames, others }: { frames: number; others: number }) =>
  `(${frames}, ${others})\n`;

Deno.test("Printer writes what it is given, in order", async () => {
  const reader = new Reader();
  reader.take();
  const printer = new Printer({ put: reader.put });
  for (let i = 0; i < 5000; i++) printer.print(line(String(i)));
  await printer.flush();
  printer.print({
    kind: "other",
    cost: 1,
    layOut: () => Uint8Array.of(104, 105),
  });
  await printer.flush();
  assertEquals(
    reader.text,
    Array.from({ length: 5000 }, (_, i) => `${i}\n`).join("") + "hi",
  );
  assertEquals(printer.leftOut, { frames: 0, others: 0 });
});

Deno.test("Printer lays out what is its turn only", async () => {
  const reader = new Reader();
  const printer = new Printer({ put: reader.put });
  let laidOut = 0;
  const big = "x".repeat(70_000);
  for (let i = 0; i < 10; i++) {
    printer.print({
      kind: "frame",
      cost: 1,
      layOut() {
        laidOut++;
        return big;
      },
    });
  }
  await Promise.resolve();
  await Promise.resolve();
  assertEquals([laidOut, reader.puts], [1, 1]);
  reader.take();
  await printer.flush();
  assertEquals([laidOut, reader.puts, reader.text.length], [10, 10, 700_000]);
});

Deno.test("Printer leaves out what there is no room for, and says so where it was", async () => {
  const reader = new Reader();
  const printer = new Printer({ put: reader.put, gap, limit: 100 });
  for (let i = 0; i < 25; i++) printer.print(line(String(i)));
  printer.print({ kind: "other", cost: 1, layOut: () => "never" });
  assertEquals(printer.leftOut, { frames: 15, others: 1 });
  reader.take();
  await printer.flush();
  printer.print(line("again"));
  await printer.flush();
  assertEquals(
    reader.text,
    "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n(15, 1)\nagain\n",
  );
});

Deno.test("Printer prints on once there is room for many, not for one", async () => {
  const sizes: number[] = [];
  const printer = new Printer({
    // While one is being written, another one comes.
    put(bytes) {
      sizes.push(bytes.length);
      if (sizes.length < 20) printer.print(big);
      return Promise.resolve();
    },
    gap: ({ frames }) => "x".repeat(frames),
    limit: 100,
  });
  const big: Item = {
    kind: "frame",
    cost: 10,
    layOut: () => "x".repeat(70_000),
  };
  for (let i = 0; i < 12; i++) printer.print(big);
  await printer.flush();
  // Ten, a gap in front of the rest, and what came when half of them were written.
  const gaps = sizes.filter((size) => size !== 70_000);
  assertEquals(gaps.length, 1, String(sizes));
  const left = gaps[0] - 70_000;
  assertEquals(left, printer.leftOut.frames);
  assertEquals(left, 2 + 6);
});

Deno.test("Printer never leaves out what comes alone, however large", async () => {
  const reader = new Reader();
  reader.take();
  const printer = new Printer({ put: reader.put, gap, limit: 100 });
  printer.print(line("large", 1000));
  await printer.flush();
  assertEquals(reader.text, "large\n");
});

Deno.test("Printer prints or counts everything, however the reader dawdles", async () => {
  let text = "";
  const printer = new Printer({
    async put(bytes) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      text += new TextDecoder().decode(bytes);
    },
    gap,
    limit: 1000,
  });
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    printer.print(line(`line ${i}`));
    if (i % 300 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await printer.flush();
  const lines = text.trimEnd().split("\n");
  const printed = lines.filter((line) => line.startsWith("line"));
  const gaps = lines.filter((line) => line.startsWith("("));
  const out = gaps.reduce(
    (sum, gap) => sum + Number(gap.match(/\d+/)?.[0]),
    0,
  );
  assert(out > 0 && printed.length > 0);
  assertEquals([printed.length + out, printer.leftOut.frames], [count, out]);
  // In order, and each gap as wide as it says.
  let next = 0;
  for (const one of lines) {
    if (one.startsWith("(")) next += Number(one.match(/\d+/)?.[0]);
    else assertEquals(one, `line ${next++}`);
  }
});

Deno.test("Printer says that nothing can be written, and counts what comes then", async () => {
  const printer = new Printer({
    put: () => Promise.reject(new Error("nobody reads")),
  });
  printer.print(line("one"));
  await assertRejects(() => printer.broken, Error, "nobody reads");
  await printer.flush();
  assert(printer.isBroken);
  printer.print(line("two"));
  assertEquals(printer.leftOut, { frames: 1, others: 0 });
});

Deno.test("Printer that is abandoned waits for nobody, and counts what waits", async () => {
  const reader = new Reader();
  const printer = new Printer({ put: reader.put });
  printer.print(line("on its way"));
  await Promise.resolve();
  await Promise.resolve();
  printer.print(line("waits"));
  printer.print(line("waits"));
  const flushed = printer.flush();
  printer.abandon();
  await flushed;
  assertEquals(printer.leftOut, { frames: 2, others: 0 });
  reader.take();
  await Promise.resolve();
  await Promise.resolve();
  assertEquals([reader.text, reader.puts], ["on its way\n", 1]);
});
