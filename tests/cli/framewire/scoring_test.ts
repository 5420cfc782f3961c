/**
 * How well a codec explains bytes, in numbers.
 *
 * @module
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
} from "@std/assert";
import { dialectOf } from "../../../cli/framewire/codec_names.ts";
import {
  byLength,
  Chance,
  readBy,
  rowLength,
  scoreOf,
} from "../../../cli/framewire/scoring.ts";
import { Random } from "../../support/random.ts";
import { raw } from "../../support/wire.ts";

Deno.test("Chance counts bytes, and those that there are not a little", () => {
  const chance = new Chance(raw("aaab"));
  assertAlmostEquals(chance.of(0x61), 4 / 260);
  assertAlmostEquals(chance.of(0x62), 2 / 260);
  assertAlmostEquals(chance.of(0), 1 / 260);
  assertAlmostEquals(chance.within(0, 255), 1);
  assertEquals(chance.within(5, 4), 0);
  // Three coins of 3 in 4, and one of 1 in 4.
  assertAlmostEquals(chance.said, -3 * Math.log2(3 / 4) + 2);
  assertEquals(new Chance(raw("aaaa")).said, 0);
  assertEquals(new Chance(raw("")).said, 0);
});

Deno.test("Chance says how likely a number is that is not above another", () => {
  const chance = new Chance(new Random(1).bytes(300));
  for (const limit of [0, 1, 255, 256, 300, 65_535]) {
    let sum = 0;
    for (let value = 0; value <= limit; value++) {
      sum += chance.exactly(value, 2);
    }
    assertAlmostEquals(chance.atMost(limit, 2), sum, 1e-9, `${limit}`);
  }
  assertEquals(chance.atMost(-1, 2), 0);
  assertEquals(chance.atMost(65_536, 2), 1);
});

Deno.test("readBy gives the frames of both sides, and how they end", () => {
  const readings = readBy(
    dialectOf("length:1"),
    new Map([["client", raw("\x02hi\x01")], ["server", raw("\x01x\0")]]),
  );
  assertEquals(
    readings.map(({ from, frames, end, whole, need }) => ({
      from,
      sizes: frames.map(({ size }) => size),
      end,
      whole,
      need,
    })),
    [
      { from: "client", sizes: [3], end: "truncated", whole: 3, need: 2 },
      {
        from: "server",
        sizes: [2, 1],
        end: "boundary",
        whole: 3,
        need: undefined,
      },
    ],
  );
});

Deno.test("readBy counts what is wrong and can be passed over", () => {
  const [reading] = readBy(
    dialectOf("json-lines"),
    new Map([["client", raw("[1]\nno\n[2]\n")]]),
  );
  assertEquals([reading.frames.length, reading.end, reading.whole], [
    2,
    "boundary",
    11,
  ]);
  assertEquals(reading.wrong, { frames: 1, bytes: 3 });
});

Deno.test("readBy ends where encryption begins", () => {
  const [client, server] = readBy(
    dialectOf("postgres"),
    new Map([["client", raw("\0\0\0\x08\x04\xd2\x16\x2f")], [
      "server",
      raw("S\x16\x03\x03"),
    ]]),
  );
  assertEquals([client.end, client.frames.length], ["boundary", 1]);
  assertEquals([server.end, server.whole], ["opaque", 4]);
});

Deno.test("scoreOf is surer the more frames there are, and less for half of the bytes", () => {
  const score = (bytes: Uint8Array) =>
    scoreOf(
      readBy(dialectOf("length:2"), new Map([["client", bytes]])),
      byLength(2),
    ).score;
  const one = raw("\0\x05hello");
  const more = raw("\0\x05hello\0\x02hi\0\x06jumped\0\x04over");
  const broken = raw(
    "\0\x05hello\0\x02hi\0\x06jumped\0\x04overGET / HTTP/1.1\r\n\r\n~~~~~~~~~~",
  );
  assertGreater(score(more), score(one));
  assertGreater(score(more), score(broken) + 30);
  assertEquals(scoreOf([], byLength(2)), { score: 0, bits: 0 });
});

Deno.test("rowLength finds how long records are, and none in what has no columns", () => {
  const rows = Array.from({ length: 9 }, (_, i) => `id=${i * 37 % 10};ok=yes;`);
  assertEquals(rowLength(raw(rows.join("")))?.length, 12);
  assertEquals(rowLength(raw("")), undefined);
  assertEquals(rowLength(new Uint8Array(100)), undefined);
  for (let seed = 1; seed <= 20; seed++) {
    const found = rowLength(new Random(seed).bytes(240));
    assert(
      found === undefined || found.bits < 12,
      `seed ${seed}: ${found?.bits}`,
    );
  }
});
