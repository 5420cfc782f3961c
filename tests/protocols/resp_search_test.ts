/**
 * Where a value of the protocol of Redis ends.
 *
 * @module
 */

import { ByteQueue, encodeFrame, FrameDecoder } from "@framewire/framewire";
import { resp, type RespValue } from "@framewire/framewire/protocols";
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  fits64Bits,
  LONGEST_NUMBER,
  RespSearch,
} from "../../lib/protocols/resp_search.ts";
import { raw } from "../support/wire.ts";

const limits = { limit: 1000, maxDepth: 9, maxElements: 99 };

function simple(value: string): RespValue {
  return { type: "simple", value };
}

function bulk(text: string): RespValue {
  return { type: "bulk", value: raw(text) };
}

function integer(value: number): RespValue {
  return { type: "integer", value };
}

function array(...value: RespValue[]): RespValue {
  return { type: "array", value };
}

Deno.test("RespSearch goes on where it stood, and leaves the bytes where they are", () => {
  const search = new RespSearch(limits);
  const queue = new ByteQueue();
  for (
    const [chunk, length, done, needed] of [
      ["*2\r", undefined, 0, 4],
      ["\n", undefined, 4, 5],
      ["*1\r\n$", undefined, 8, 10],
      // The content, and the first byte of its line end.
      ["3\r\na", undefined, 8, 16],
      ["bc\r\n", undefined, 17, 18],
      ["+O", undefined, 17, undefined],
      ["K\r\n+next", 22, 22, undefined],
    ] as const
  ) {
    queue.push(raw(chunk));
    queue.begin();
    assertEquals<unknown>(search.find(queue), length, chunk);
    assertEquals<unknown>([search.done, queue.needed], [done, needed], chunk);
  }
  assertEquals([queue.length, queue.offset], [27, 0]);
});

Deno.test("fits64Bits() knows the smallest and the largest integer", () => {
  for (
    const [value, fits] of [
      [2n ** 63n - 1n, true],
      [2n ** 63n, false],
      [-(2n ** 63n), true],
      [-(2n ** 63n) - 1n, false],
    ] as const
  ) assertEquals(fits64Bits(value), fits, String(value));
});

Deno.test("RespSearch bears numbers of as many bytes as are allowed", () => {
  const line = "(" + "9".repeat(LONGEST_NUMBER - 3) + "\r\n";
  const queue = new ByteQueue();
  queue.push(raw(line));
  const search = new RespSearch({ ...limits, limit: 2000 });
  assertEquals(search.find(queue), LONGEST_NUMBER);
});

/** How often a codec may look at a byte: to judge it, again while the rest of its length comes, and for what follows. */
const MOST_LOOKS = 12;

/** Has a value read that comes in chunks of so many bytes, and checks how many bytes are looked at. */
function checkLooks(value: RespValue, chunkLength: number): void {
  const codec = resp({ maxFrameLength: 1e9, maxElements: 1e9 });
  const wire = encodeFrame(codec, value);
  const { at, peek, indexOf } = ByteQueue.prototype;
  let looks = 0;
  ByteQueue.prototype.at = function (index) {
    looks++;
    return at.call(this, index);
  };
  ByteQueue.prototype.peek = function (count, index) {
    looks += count;
    return peek.call(this, count, index);
  };
  ByteQueue.prototype.indexOf = function (byte) {
    const before = this.searched;
    const found = indexOf.call(this, byte);
    looks += this.searched - before + 1;
    return found;
  };
  try {
    const decoder = new FrameDecoder(codec);
    let read: RespValue | undefined;
    for (let i = 0; i < wire.length; i += chunkLength) {
      decoder.push(wire.subarray(i, i + chunkLength));
      read = decoder.next();
      assertLess(looks, MOST_LOOKS * wire.length);
    }
    assert(read?.type === value.type);
  } finally {
    Object.assign(ByteQueue.prototype, { at, peek, indexOf });
  }
}

Deno.test("resp() looks at each byte a few times, however many elements come in however small chunks", () => {
  const of = (count: number, make: (i: number) => RespValue) =>
    array(...Array.from({ length: count }, (_, i) => make(i)));
  for (const chunkLength of [1, 7, 100, 1400]) {
    for (
      const value of [
        of(100_000, (i) => bulk(`${i}`)),
        of(100_000, integer),
        of(30_000, (i) => array(array(integer(i)), array())),
        simple("x".repeat(100_000)),
        bulk("x".repeat(100_000)),
      ] as const
    ) {
      checkLooks(value, chunkLength);
    }
  }
});
