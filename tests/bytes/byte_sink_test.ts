/**
 * Bytes laid out and not yet sent.
 *
 * @module
 */

import { ByteSink, FrameBody } from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { equals } from "@std/bytes";
import { moveBytes, takeBytes } from "../../lib/bytes/byte_sink.ts";
import { Random } from "../support/random.ts";
import { raw, unraw } from "../support/wire.ts";

const KIB = 1024;

/** Takes everything out of a sink, chunk by chunk. */
function takeAll(sink: ByteSink): string[] {
  const chunks: string[] = [];
  let chunk: Uint8Array | undefined;
  while ((chunk = sink.takeChunk()) !== undefined) {
    chunks.push(unraw(chunk));
    sink.recycle();
  }
  return chunks;
}

Deno.test("ByteSink lays out bytes, numbers and text one behind the other", () => {
  const sink = new ByteSink();
  sink.byte(0x41);
  sink.uint(0x0102, 2);
  sink.uint(0x0102, 2, "little");
  sink.uint(2 ** 40, 8);
  sink.write(raw("bytes"));
  assertEquals(sink.text("né😀"), 7);
  const expected =
    "A\x01\x02\x02\x01\0\0\x01\0\0\0\0\0bytesn\xc3\xa9\xf0\x9f\x98\x80";
  assertEquals(unraw(sink.bytes()), expected);
  assertEquals([sink.length, sink.position], [25, 25]);
  assertEquals(takeAll(sink), [expected]);
  assertEquals([sink.length, sink.position], [0, 25]);
  assertEquals(sink.takeChunk(), undefined);
});

Deno.test("ByteSink lays small pieces together, whatever was there", () => {
  const sink = new ByteSink();
  for (let i = 0; i < 1000; i++) sink.write(raw("0123456789"));
  assertEquals(takeAll(sink), ["0123456789".repeat(1000)]);
});

Deno.test("ByteSink copies what it is given", () => {
  const sink = new ByteSink();
  const piece = raw("hello");
  sink.write(piece);
  piece.fill(0);
  assertEquals(sink.keepsOthers, false);
  assertEquals(unraw(sink.bytes()), "hello");
});

Deno.test("ByteSink keeps a long piece as the caller's own memory", () => {
  const sink = new ByteSink({ keepFrom: 10 });
  const long = raw("0123456789");
  sink.write(raw("<"));
  sink.write(long);
  sink.write(raw(">"));
  assertEquals([sink.keepsOthers, sink.length], [true, 12]);
  assertEquals(unraw(sink.bytes()), "<0123456789>");
  assertEquals(unraw(sink.takeChunk() ?? raw("")), "<");
  sink.recycle();
  assertStrictEquals(sink.takeChunk(), long);
  sink.recycle();
  assertEquals([sink.keepsOthers, sink.position], [false, 12]);
  assertEquals(takeAll(sink), [">"]);
});

Deno.test("ByteSink keeps others' memory until its last such chunk is taken", () => {
  const sink = new ByteSink({ keepFrom: 1 });
  sink.write(raw("a"));
  sink.write(raw("b"));
  sink.takeChunk();
  assertEquals(sink.keepsOthers, true);
  sink.recycle();
  sink.takeChunk();
  assertEquals(sink.keepsOthers, false);
});

Deno.test("ByteSink changes a number that was laid out before", () => {
  const sink = new ByteSink();
  sink.write(raw("head"));
  sink.reserve(2 + 5);
  const start = sink.position;
  sink.uint(0, 2);
  sink.write(raw("hello"));
  sink.setUint(start, 5, 2);
  assertEquals(unraw(sink.bytes()), "head\0\x05hello");
  sink.setUint(start, 5, 2, "little");
  assertEquals(unraw(sink.bytes()), "head\x05\0hello");
});

Deno.test("ByteSink keeps together what was reserved, wherever its buffer ends", () => {
  for (
    const before of [1, 1023, 4095, 16_383, 32_767, 32_768, 65_535, 70_000]
  ) {
    for (const count of [2, 5000, 100_000]) {
      const sink = new ByteSink();
      sink.write(new Uint8Array(before));
      sink.reserve(count);
      const start = sink.position;
      sink.uint(0, 2);
      sink.write(new Uint8Array(count - 2).fill(1));
      sink.setUint(start, 0x0203, 2);
      const bytes = sink.bytes();
      const name = `${count} behind ${before}`;
      assertEquals(bytes.length, before + count, name);
      assertEquals(
        Array.from(bytes.subarray(before - 1, before + 2)),
        [0, 2, 3],
        name,
      );
    }
  }
});

Deno.test("ByteSink keeps a text together with what was reserved with it, wherever its buffer ends", () => {
  const text = "x".repeat(300);
  for (let used = 64 * KIB - 1000; used <= 64 * KIB; used += 7) {
    const sink = new ByteSink();
    for (let i = 0; i < used; i++) sink.byte(0);
    const { position } = sink;
    sink.reserve(2 + text.length);
    sink.uint(0, 2);
    assertEquals(sink.text(text), text.length);
    sink.setUint(position, text.length, 2);
    const wire = sink.bytes().subarray(position);
    assertEquals(unraw(wire), `\x01\x2c${text}`);
  }
});

Deno.test("ByteSink throws a RangeError for a number that is not in the open buffer", () => {
  const sink = new ByteSink({ keepFrom: 4 });
  sink.uint(0, 2);
  sink.write(raw("sealed"));
  sink.uint(0, 2);
  for (const position of [0, 7, 9, 10]) {
    assertThrows(
      () => sink.setUint(position, 1, 2),
      RangeError,
      `Cannot change the number at ${position}: it is no longer in the open buffer`,
    );
  }
  sink.setUint(8, 1, 2);
  assertEquals(unraw(sink.bytes()), "\0\0sealed\0\x01");
});

Deno.test("ByteSink counts positions over all that was taken", () => {
  const sink = new ByteSink({ keepFrom: 6 });
  sink.write(raw("gone"));
  takeAll(sink);
  sink.write(raw("kept as is"));
  const start = sink.position;
  assertEquals(start, 14);
  sink.uint(0, 2);
  sink.setUint(start, 7, 2);
  sink.truncate(start);
  assertEquals(takeAll(sink), ["kept as is"]);
});

Deno.test("ByteSink takes back what was laid out last, over chunks too", () => {
  const pieces = ["ab", "0123456789", "cd", "9876543210", "ef"];
  const whole = pieces.join("");
  for (let length = 0; length <= whole.length; length++) {
    const sink = new ByteSink({ keepFrom: 10 });
    sink.write(raw("before"));
    takeAll(sink);
    for (const piece of pieces) sink.write(raw(piece));
    sink.truncate(6 + length);
    assertEquals([sink.length, sink.position], [length, 6 + length]);
    sink.write(raw("!"));
    assertEquals(unraw(sink.bytes()), whole.slice(0, length) + "!");
    assertEquals(takeAll(sink).join(""), whole.slice(0, length) + "!");
  }
});

Deno.test("ByteSink keeps no others' memory once it was taken back", () => {
  const sink = new ByteSink({ keepFrom: 4 });
  sink.write(raw("caller's"));
  sink.write(raw("other"));
  sink.truncate(8);
  assertEquals(sink.keepsOthers, true);
  sink.truncate(0);
  assertEquals(sink.keepsOthers, false);
});

Deno.test("ByteSink does not change the caller's memory when it takes a part of it back", () => {
  const sink = new ByteSink({ keepFrom: 4 });
  const kept = raw("caller's");
  sink.write(kept);
  sink.truncate(4);
  sink.write(raw("xyz"));
  assertEquals(unraw(kept), "caller's");
  assertEquals(takeAll(sink), ["call", "xyz"]);
});

Deno.test("ByteSink uses a buffer again once its chunk has been sent", () => {
  const sink = new ByteSink();
  sink.write(raw("one"));
  const first = sink.takeChunk();
  sink.recycle();
  sink.write(raw("two"));
  assertStrictEquals(sink.takeChunk()?.buffer, first?.buffer);
});

Deno.test("ByteSink does not write to a chunk that is being sent", () => {
  const sink = new ByteSink();
  sink.write(raw("one"));
  const chunk = sink.takeChunk() ?? raw("");
  sink.write(raw("two"));
  const next = sink.bytes();
  assertEquals([unraw(chunk), unraw(next)], ["one", "two"]);
  sink.recycle();
  assertNotStrictEquals(sink.takeChunk()?.buffer, chunk.buffer);
});

Deno.test("ByteSink never lays out over bytes that are in use, nor in the caller's memory", () => {
  const random = new Random(11);
  const sinks = [new ByteSink({ keepFrom: 3000 }), new ByteSink()];
  const sent = sinks.map(() => 0);
  const laidOut = sinks.map(() => 0);
  /** Chunks that are being sent, one a sink, and what was in them when they were taken. */
  const away: ([chunk: Uint8Array, before: Uint8Array] | undefined)[] = [];
  const callers: [piece: Uint8Array, before: Uint8Array][] = [];
  for (let i = 0; i < 2000; i++) {
    const name = `seed ${random.seed}, step ${i}`;
    const which = random.below(sinks.length);
    const sink = sinks[which];
    if (random.below(3) < 2) {
      const length = random.below(random.pick([10, 1000, 5000, 80_000]));
      const piece = new Uint8Array(length);
      for (let j = 0; j < length; j++) piece[j] = laidOut[which]++ % 251;
      sink.write(piece);
      if (random.below(20) === 0) callers.push([piece, piece.slice()]);
      continue;
    }
    const sending = away[which];
    if (sending !== undefined) {
      assert(equals(...sending), name);
      sink.recycle();
    }
    const chunk = sink.takeChunk() ?? new Uint8Array();
    away[which] = [chunk, chunk.slice()];
    assert(chunk.every((byte) => byte === sent[which]++ % 251), name);
  }
  for (const [piece, before] of callers) assert(equals(piece, before));
});

Deno.test("ByteSink holds no large buffer while nothing is laid out", () => {
  const first = new ByteSink();
  first.write(new Uint8Array(60 * KIB));
  const chunk = first.takeChunk();
  first.recycle();
  // It is there for any other sink.
  const second = new ByteSink();
  second.write(new Uint8Array(60 * KIB));
  assertStrictEquals(second.takeChunk()?.buffer, chunk?.buffer);
});

Deno.test("ByteSink lays little out in small buffers, after much too", () => {
  const sink = new ByteSink();
  const lengths = [60_000, 100, 60_000, 2000, 2000, 2000, 2000, 60_000, 60_000];
  const buffers = lengths.map((length) => {
    sink.write(new Uint8Array(length));
    const { byteLength } = sink.takeChunk()?.buffer ?? new ArrayBuffer();
    sink.recycle();
    return byteLength / KIB;
  });
  assertEquals(buffers, [64, 1, 64, 64, 16, 4, 4, 64, 64]);
});

Deno.test("ByteSink hands a recycled buffer out once", () => {
  const sink = new ByteSink();
  sink.write(new Uint8Array(60 * KIB));
  sink.takeChunk();
  sink.recycle();
  sink.recycle();
  const sinks = [new ByteSink(), new ByteSink()];
  const buffers = sinks.map((other) => {
    other.write(new Uint8Array(60 * KIB));
    return other.takeChunk()?.buffer;
  });
  assertNotStrictEquals(buffers[0], buffers[1]);
});

Deno.test("ByteSink keeps no more than a few large buffers for later", () => {
  const sinks = Array.from({ length: 20 }, () => {
    const sink = new ByteSink();
    sink.write(new Uint8Array(60 * KIB));
    return sink;
  });
  const first = new Set(sinks.map((sink) => sink.takeChunk()?.buffer));
  for (const sink of sinks) sink.recycle();
  const second = new Set(sinks.map((sink) => {
    sink.write(new Uint8Array(60 * KIB));
    return sink.takeChunk()?.buffer;
  }));
  assertEquals([first.size, second.size], [20, 20]);
  assertEquals(first.intersection(second).size, 1024 / 64);
});

Deno.test("ByteSink does not copy again what fills half of its largest buffer", () => {
  const sink = new ByteSink();
  for (let i = 0; i < 4; i++) sink.write(new Uint8Array(40_000));
  const lengths = takeAll(sink).map(({ length }) => length);
  assertEquals(lengths, [40_000, 40_000, 40_000, 40_000]);
});

Deno.test("ByteSink takes a piece larger than its largest buffer", () => {
  const sink = new ByteSink();
  sink.write(raw("<"));
  sink.write(new Uint8Array(200_000).fill(0x2e));
  sink.write(raw(">"));
  assertEquals(takeAll(sink).join(""), `<${".".repeat(200_000)}>`);
});

Deno.test("ByteSink.write() refuses what is no bytes, instead of laying out zeros", () => {
  const out = new ByteSink();
  const text: Uint8Array = JSON.parse('"hello"');
  assertThrows(
    () => out.write(text),
    TypeError,
    "Cannot write frame: it must be a Uint8Array: it is of type string",
  );
  assertEquals(out.length, 0);
});

Deno.test("ByteSink keeps bodies in their places, without their bytes", () => {
  const sink = new ByteSink();
  const [first, second] = [new FrameBody(5, []), new FrameBody(7, [])];
  sink.write(raw("a"));
  sink.write(first);
  sink.write(raw("b"));
  sink.write(second);
  assertEquals([sink.length, sink.position, sink.bodyLength], [14, 14, 12]);
  assert(sink.keepsOthers);
  assertThrows(() => sink.bytes(), TypeError, "it has a body");
  assertEquals(sink.takeBody(), undefined);
  assertEquals(takeAll(sink), ["a"]);
  assertStrictEquals(sink.takeBody(), first);
  assertEquals([sink.length, sink.position, sink.bodyLength], [8, 14, 7]);
  assertEquals(takeAll(sink), ["b"]);
  assertStrictEquals(sink.takeBody(), second);
  assertEquals([sink.length, sink.bodyLength, sink.keepsOthers], [0, 0, false]);
});

Deno.test("ByteSink takes back bodies, and what stands behind them", () => {
  const sink = new ByteSink();
  const [first, second] = [new FrameBody(5, []), new FrameBody(7, [])];
  sink.write(raw("a"));
  const { position } = sink;
  sink.write(first);
  sink.truncate(position);
  assertEquals([sink.length, sink.bodyLength, sink.keepsOthers], [1, 0, false]);
  assertEquals(sink.dropBodies(), []);
  sink.write(first);
  sink.write(raw("b"));
  sink.write(second);
  assertEquals(sink.dropBodies(), [first, second]);
  assertEquals([unraw(sink.bytes()), sink.bodyLength], ["a", 0]);
});

Deno.test("ByteSink asks nothing of a body without bytes", async () => {
  const log: string[] = [];
  const source = new ReadableStream({
    pull: () => void log.push("asked"),
    cancel: () => void log.push("cancelled"),
  }, { highWaterMark: 0 });
  const sink = new ByteSink();
  sink.write(new FrameBody(0, source));
  assertEquals([sink.length, sink.takeBody()], [0, undefined]);
  await Promise.resolve();
  assertEquals(log, ["cancelled"]);
});

Deno.test("takeBytes() and moveBytes() give back buffers that nobody looks at any more", () => {
  const random = new Random(5);
  const sinks = [new ByteSink(), new ByteSink({ keepFrom: 200 })];
  const laidOut: number[][] = [[], []];
  const taken: [bytes: Uint8Array, before: Uint8Array][] = [];
  for (let i = 0; i < 3000; i++) {
    const part = new ByteSink({ keepFrom: random.pick([100, Infinity]) });
    const length = random.below(random.pick([10, 300, 3000]));
    const bytes = random.bytes(length);
    for (let at = 0; at < length;) {
      const count = 1 + random.below(length);
      part.write(bytes.slice(at, at += count));
    }
    const which = random.below(3);
    if (which === 2) {
      const whole = takeBytes(part);
      assertEquals(whole, bytes);
      taken.push([whole, bytes]);
    } else {
      moveBytes(part, sinks[which]);
      laidOut[which].push(...bytes);
    }
    assertEquals(part.length, 0);
  }
  for (const [index, sink] of sinks.entries()) {
    assert(equals(sink.bytes(), Uint8Array.from(laidOut[index])));
  }
  for (const [bytes, before] of taken) assert(equals(bytes, before));
});

Deno.test("takeBytes() and moveBytes() leave their buffer to the next sink", () => {
  const buffers = new Set<ArrayBufferLike | undefined>();
  for (let i = 0; i < 10; i++) {
    const sink = new ByteSink();
    sink.write(new Uint8Array(600 + i));
    if (i % 2 === 0) assertEquals(takeBytes(sink).length, 600 + i);
    else {
      moveBytes(sink, new ByteSink());
    }
    const next = new ByteSink();
    next.byte(1);
    buffers.add(next.takeChunk()?.buffer);
    next.recycle();
  }
  assertEquals(buffers.size, 1);
});
