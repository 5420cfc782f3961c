/**
 * Bytes that have arrived and have not been taken yet.
 *
 * @module
 */

import { ByteQueue, type FrameOwnership } from "@framewire/framewire";
import {
  assert,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { equals } from "@std/bytes";
import { Random } from "../support/random.ts";
import { raw, unraw } from "../support/wire.ts";

const KIB = 1024;

/** A queue in which these bytes wait. */
function queueOf(text: string, ownership?: FrameOwnership): ByteQueue {
  const queue = new ByteQueue(ownership);
  queue.push(raw(text));
  return queue;
}

/** Reads bytes into the room of a queue, as a socket does. */
function receive(queue: ByteQueue, bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length;) {
    const room = queue.room();
    const part = bytes.subarray(start, start + room.length);
    room.set(part);
    queue.commit(part.length);
    start += part.length;
  }
}

Deno.test("ByteQueue gives bytes back in order, from chunks and from reads", () => {
  const queue = queueOf("one");
  receive(queue, raw(" two"));
  queue.push(raw(" three"));
  assertEquals([queue.length, queue.offset], [13, 0]);
  assertEquals(unraw(queue.take(4)), "one ");
  queue.drop(4);
  assertEquals(unraw(queue.take(5)), "three");
  assertEquals([queue.length, queue.offset], [0, 13]);
});

Deno.test("ByteQueue shows bytes without removing them", () => {
  const queue = queueOf("xab\x01\x02\x03\x04");
  queue.drop(1);
  assertEquals([queue.at(0), queue.at(5)], [97, 4]);
  assertEquals(queue.uint(2, 4), 0x01020304);
  assertEquals(queue.uint(2, 2, "little"), 0x0201);
  assertEquals(unraw(queue.peek(2)), "ab");
  assertEquals(unraw(queue.peek(2, 1)), "b\x01");
  assertEquals(queue.length, 6);
});

Deno.test("ByteQueue throws a RangeError for bytes that are not waiting", () => {
  const queue = queueOf("xab");
  queue.drop(1);
  queue.room();
  for (
    const [call, message] of [
      [() => queue.at(2), "Cannot look at byte 2: 2 bytes are waiting"],
      [() => queue.at(-1), "Cannot look at byte -1: 2 bytes are waiting"],
      [
        () => queue.uint(1, 2),
        "Cannot look at bytes 1 to 2: 2 bytes are waiting",
      ],
      [() => queue.uint(-1, 1), "Cannot look at bytes -1 to -1"],
      [() => queue.peek(3), "Cannot take 3 bytes: 2 bytes are waiting"],
      [() => queue.peek(2, 1), "Cannot take 3 bytes"],
      [() => queue.peek(2, -1), "neither may be negative"],
      [() => queue.peek(-1, 1), "neither may be negative"],
      [() => queue.take(3), "Cannot take 3 bytes: 2 bytes are waiting"],
      [() => queue.take(-1), "Cannot take -1 bytes"],
      [() => queue.take(NaN), "Cannot take NaN bytes"],
      [() => queue.drop(3), "Cannot take 3 bytes"],
      [() => queue.behind(3, () => undefined), "Cannot take 3 bytes"],
      [() => queue.commit(-1), "Cannot take in -1 bytes"],
      [() => queue.commit(NaN), "Cannot take in NaN bytes"],
      [() => queue.commit(1e6), "Cannot take in 1000000 bytes: there was room"],
    ] as const
  ) {
    assertThrows(call, RangeError, message);
  }
  assertEquals([queue.length, queue.offset], [2, 1]);
});

Deno.test("ByteQueue takes in no more than there was room for, over several commits", () => {
  const queue = new ByteQueue();
  const { length } = queue.room();
  queue.commit(length - 1);
  queue.commit(1);
  assertThrows(() => queue.commit(1), RangeError, "there was room for 0");
});

for (const ownership of ["owned", "copied"] as const) {
  Deno.test(`ByteQueue never writes to ${ownership} frames again`, () => {
    const random = new Random(7);
    const queue = new ByteQueue(ownership);
    const frames: [frame: Uint8Array, copy: Uint8Array][] = [];
    for (let i = 0; i < 1000; i++) {
      const length = random.pick([1, 9, 100, 600, 5000, 70_000]);
      const bytes = random.bytes(Math.min(length, 1 + random.below(length)));
      if (random.below(2) === 0) queue.push(bytes);
      else receive(queue, bytes);
      while (queue.length > 0 && random.below(3) > 0) {
        const frame = queue.take(1 + random.below(queue.length));
        frames.push([frame, frame.slice()]);
      }
      if (frames.length > 60) frames.splice(0, 30);
      for (const [frame, copy] of frames) {
        assert(equals(frame, copy), `seed ${random.seed}, step ${i}`);
      }
    }
  });
}

Deno.test("ByteQueue gives what came in, however it comes and goes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const queue = new ByteQueue(random.pick(["owned", "copied", "borrowed"]));
    let sent = 0;
    let taken = 0;
    const name = `seed ${seed}`;
    for (let i = 0; i < 200; i++) {
      const length = random.below(random.pick([5, 700, 9000]));
      const bytes = new Uint8Array(length);
      for (let j = 0; j < length; j++) bytes[j] = sent++ % 251;
      if (random.below(2) === 0) queue.push(bytes);
      else receive(queue, bytes);
      const count = random.below(queue.length + 1);
      const before = taken;
      assert(queue.take(count).every((byte) => byte === taken++ % 251), name);
      assertEquals(queue.offset, before + count, name);
    }
    assertEquals(queue.length, sent - taken, name);
  }
});

Deno.test("ByteQueue keeps a long chunk as it is, and copies a short one", () => {
  const long = new Uint8Array(600);
  const queue = new ByteQueue();
  queue.push(long);
  assertStrictEquals(queue.take(600).buffer, long.buffer);
  receive(queue, raw("x"));
  queue.drop(1);
  const short = raw("short");
  queue.push(short);
  assertNotStrictEquals(queue.take(5).buffer, short.buffer);
});

Deno.test("ByteQueue keeps a part of a chunk where it lies", () => {
  const whole = raw("-".repeat(600) + "hello" + "-".repeat(600));
  const queue = new ByteQueue();
  queue.push(whole.subarray(600, 605));
  assertEquals(unraw(queue.peek(5)), "hello");
  queue.push(raw(", world"));
  assertEquals(unraw(queue.take(12)), "hello, world");
  assertEquals(unraw(whole.subarray(600, 610)), "hello-----");
});

Deno.test("ByteQueue copies a chunk in shared memory", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(600)).fill(7);
  const queue = new ByteQueue();
  queue.push(shared);
  shared.fill(0);
  assertEquals(queue.take(600), new Uint8Array(600).fill(7));
});

Deno.test("ByteQueue writes neither to a chunk that it keeps nor behind it", () => {
  const memory = new Uint8Array(2000);
  const queue = new ByteQueue();
  queue.push(memory.subarray(0, 1000));
  receive(queue, new Uint8Array(3000).fill(1));
  queue.push(new Uint8Array(100).fill(1));
  assertEquals(queue.take(4100).length, 4100);
  assertEquals(memory, new Uint8Array(2000));
});

Deno.test("ByteQueue gives copied frames memory of their own", () => {
  const queue = queueOf("a".repeat(1000), "copied");
  const frame = queue.take(10);
  assertEquals(frame.buffer.byteLength, 10);
  frame.fill(0);
  assertEquals(unraw(queue.take(3)), "aaa");
});

Deno.test("ByteQueue reuses its memory under borrowed and copied frames, not under owned ones", () => {
  for (
    const [ownership, same] of [
      ["owned", false],
      ["copied", true],
      ["borrowed", true],
    ] as const
  ) {
    const queue = new ByteQueue(ownership);
    receive(queue, new Uint8Array(4000));
    const { buffer } = queue.peek(1);
    queue.take(4000);
    receive(queue, new Uint8Array(4000));
    assertEquals(queue.peek(1).buffer === buffer, same, ownership);
  }
});

Deno.test("ByteQueue makes room of 256 bytes, and of 64 KiB once reads fill it", () => {
  const queue = new ByteQueue();
  assertEquals(queue.room().length, 256);
  const rooms: number[] = [];
  for (let i = 0; i < 6; i++) {
    const room = queue.room();
    rooms.push(room.length);
    queue.commit(room.length);
    queue.drop(queue.length);
  }
  assertEquals(rooms, [0.25, 4, 16, 64, 64, 64].map((size) => size * KIB));
});

Deno.test("ByteQueue does not grow while reads do not fill its room", () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 1000; i++) {
    const room = queue.room();
    assertLessOrEqual(room.length, 4 * KIB);
    queue.commit(Math.min(room.length, 1000));
    queue.take(queue.length);
  }
});

Deno.test("ByteQueue makes as much room as it is asked for", () => {
  const queue = queueOf("abc");
  assertEquals(queue.room(100_000).length >= 100_000, true);
  assertEquals(unraw(queue.take(3)), "abc");
});

Deno.test("ByteQueue takes no memory because of an announced length", () => {
  const queue = new ByteQueue();
  receive(queue, new Uint8Array(10));
  queue.begin();
  queue.need(8 * KIB * KIB);
  assertLessOrEqual(queue.room().length, 4 * KIB);
  assertLess(queue.peek(1).buffer.byteLength, 64 * KIB);
});

Deno.test("ByteQueue lets a large frame's memory grow with what has come of it", () => {
  const total = 16 * KIB * KIB;
  const queue = new ByteQueue();
  queue.begin();
  queue.need(total);
  const buffers = new Set<ArrayBuffer>();
  let largest = 0;
  while (queue.length < total) {
    const room = queue.room();
    const { byteLength } = room.buffer;
    buffers.add(room.buffer);
    assertLessOrEqual(byteLength, Math.max(64 * KIB, 4 * queue.length));
    largest = Math.max(largest, byteLength);
    queue.commit(Math.min(room.length, KIB));
  }
  // Four times as large each time, and at the end just as large as the frame.
  assertLess(buffers.size, 10);
  assertEquals(largest, total);
  assertEquals(queue.take(total).length, total);
});

Deno.test("ByteQueue moves each byte a bounded number of times while a frame of unknown length comes", () => {
  const total = 1024 * KIB;
  const queue = new ByteQueue();
  let moved = 0;
  let { buffer } = queue.room();
  for (let sent = 0; sent < total; sent += 100) {
    const room = queue.room();
    if (room.buffer !== buffer) moved += queue.length;
    ({ buffer } = room);
    queue.commit(Math.min(room.length, 100));
  }
  assertLess(moved, 3 * total);
});

Deno.test("ByteQueue does not cut a frame in two that has room in a new slab", () => {
  const queue = new ByteQueue();
  receive(queue, new Uint8Array(4000));
  queue.take(3990);
  queue.begin();
  queue.need(200);
  assertLessOrEqual(200, queue.room().length + queue.length);
  receive(queue, new Uint8Array(190).fill(1));
  assertEquals(queue.take(200).subarray(10), new Uint8Array(190).fill(1));
});

Deno.test("ByteQueue remembers how far a search got until bytes are removed", () => {
  const queue = queueOf("-abc");
  queue.drop(1);
  assertEquals(queue.indexOf(59), undefined);
  assertEquals(queue.searched, 3);
  receive(queue, raw("de;f;"));
  assertEquals([queue.indexOf(59), queue.searched], [5, 5]);
  // What was searched is not looked at again.
  queue.searched = 6;
  assertEquals(queue.indexOf(59), 7);
  queue.drop(6);
  assertEquals([queue.searched, queue.indexOf(59)], [0, 1]);
});

Deno.test("ByteQueue remembers the progress of a search until bytes are removed", () => {
  const queue = queueOf("-abc");
  queue.progress = "before the tag";
  queue.drop(1);
  assertEquals<unknown>(queue.progress, undefined);
  const progress = { depth: 2 };
  queue.progress = progress;
  // The bytes move to another slab, and on from a bridge into a chunk.
  receive(queue, new Uint8Array(5000));
  queue.push(new Uint8Array(9000));
  queue.advance();
  assertStrictEquals(queue.progress, progress);
  queue.behind(2, (rest) => assertEquals(rest.progress, undefined));
  assertStrictEquals(queue.progress, progress);
  queue.take(1);
  assertEquals(queue.progress, undefined);
});

Deno.test("ByteQueue remembers the search when the bytes move to another slab", () => {
  const queue = new ByteQueue();
  receive(queue, new Uint8Array(4000));
  queue.take(3900);
  assertEquals(queue.indexOf(1), undefined);
  const { buffer } = queue.peek(1);
  const bytes = new Uint8Array(5000);
  bytes[4999] = 1;
  receive(queue, bytes);
  assertNotStrictEquals(queue.peek(1).buffer, buffer);
  assertEquals(queue.searched, 100);
  assertEquals(queue.indexOf(1), 5099);
});

Deno.test("ByteQueue is ready when as many bytes wait as are needed", () => {
  const queue = new ByteQueue();
  assertEquals([queue.ready, queue.needed], [false, undefined]);
  queue.push(raw("ab"));
  assertEquals(queue.ready, true);
  queue.begin();
  queue.need(4, 1);
  queue.settle();
  assertEquals([queue.ready, queue.needed, queue.framingLength], [false, 4, 1]);
  queue.push(raw("cd"));
  assertEquals(queue.ready, true);
  // A codec that needs less than there is, and makes nothing of it, needs at least one byte more.
  queue.begin();
  queue.need(4);
  queue.settle();
  assertEquals([queue.ready, queue.needed, queue.framingLength], [
    false,
    undefined,
    0,
  ]);
  queue.push(raw("e"));
  assertEquals(queue.ready, true);
});

Deno.test("ByteQueue calls all waiting bytes framing when more of it is needed", () => {
  const queue = queueOf("ab");
  queue.need(4);
  assertEquals(queue.framingLength, 2);
});

Deno.test("ByteQueue throws away bytes that are here and bytes still to come", () => {
  const queue = queueOf("abc");
  queue.skip(2);
  assertEquals([queue.length, queue.offset, queue.skipping], [1, 2, false]);
  queue.skip(5);
  assertEquals([queue.length, queue.offset, queue.skipping], [0, 3, true]);
  queue.push(raw("de"));
  assertEquals([queue.length, queue.offset, queue.skipping], [0, 5, true]);
  receive(queue, raw("fgh"));
  assertEquals([queue.offset, queue.skipping], [7, false]);
  assertEquals(unraw(queue.take(1)), "h");
  // Long chunks, which are kept as they are, as well.
  queue.skip(1000);
  queue.push(new Uint8Array(600));
  queue.push(new Uint8Array(600).fill(1));
  assertEquals([queue.length, queue.at(0)], [200, 1]);
});

Deno.test("ByteQueue takes no more memory while it throws bytes away", () => {
  const queue = new ByteQueue();
  queue.skip(16 * KIB * KIB);
  const buffers = new Set<ArrayBuffer>();
  while (queue.skipping) {
    const room = queue.room();
    buffers.add(room.buffer);
    queue.commit(room.length);
  }
  assertEquals(buffers.size, 4);
});

Deno.test("ByteQueue asks a step for the end of what it leaves out", () => {
  const queue = queueOf("abc;d");
  const calls: [number, boolean][] = [];
  const report = new Error("left out");
  assertEquals(queue.continueSkip(), undefined);
  queue.skipBy((rest, atEnd) => {
    calls.push([rest.length, atEnd]);
    return calls.length === 2 ? report : undefined;
  });
  assertEquals([queue.skipping, queue.continueSkip()], [true, undefined]);
  assertStrictEquals(queue.continueSkip(true), report);
  assertEquals<unknown>(calls, [[5, false], [5, true]]);
  assertEquals([queue.skipping, queue.continueSkip()], [false, undefined]);
});

Deno.test("ByteQueue hides the first bytes from a codec, and puts them back if it takes nothing", () => {
  const queue = queueOf("xxtag|abc");
  queue.drop(2);
  queue.begin();
  const nothing = queue.behind(4, (rest) => {
    assertEquals([rest.length, rest.offset, unraw(rest.peek(1))], [3, 2, "a"]);
    assertEquals(unraw(rest.preview(2)), "tag|ab");
    assertEquals(rest.indexOf(59), undefined);
    rest.need(5, 1);
    return undefined;
  });
  assertEquals(nothing, undefined);
  assertEquals([queue.length, queue.offset, queue.searched], [7, 2, 7]);
  assertEquals([queue.needed, queue.framingLength], [9, 5]);
});

Deno.test("ByteQueue removes the hidden bytes with what the codec takes", () => {
  const queue = queueOf("tag|abc");
  assertEquals(unraw(queue.behind(4, (rest) => rest.take(2)) ?? raw("")), "ab");
  assertEquals([queue.length, queue.offset], [1, 6]);
});

Deno.test("ByteQueue removes the hidden bytes if the codec returns something for nothing", () => {
  const queue = queueOf("tag|");
  assertEquals(queue.behind(4, (rest) => rest.take(0)), raw(""));
  assertEquals([queue.length, queue.offset], [0, 4]);
});

Deno.test("ByteQueue removes the hidden bytes of a frame that is left out", () => {
  const queue = queueOf("tag|");
  queue.behind(4, (rest) => rest.skip(3));
  assertEquals([queue.offset, queue.skipping], [4, true]);

  const other = queueOf("tag|");
  other.behind(4, (rest) => rest.skipBy(() => undefined));
  assertEquals([other.offset, other.skipping], [4, true]);
});

Deno.test("ByteQueue puts the hidden bytes back when the codec throws", () => {
  const queue = queueOf("tag|abc");
  assertThrows(
    () =>
      queue.behind(3, (rest) =>
        rest.behind(1, () => {
          throw new RangeError(String(rest.offset));
        })),
    RangeError,
    "0",
  );
  assertEquals([queue.length, queue.offset], [7, 0]);
});

Deno.test("ByteQueue previews 32 bytes at the most, in memory of their own", () => {
  const queue = queueOf("a".repeat(40));
  assertEquals(queue.preview(3).length, 3);
  const preview = queue.preview(40);
  assertEquals([preview.length, preview.buffer.byteLength], [32, 32]);
});

Deno.test("ByteQueue takes bytes from behind others, which are gone then too", () => {
  const queue = queueOf("\x05hello!");
  assertEquals(unraw(queue.take(5, 1)), "hello");
  assertEquals([queue.length, queue.offset], [1, 6]);
  assertThrows(() => queue.take(1, 1), RangeError, "Cannot take 2 bytes");
  assertThrows(() => queue.take(2, -1), RangeError);
});

Deno.test("ByteQueue takes texts one by one, and bytes between them", () => {
  const LF = 10;
  const queue = queueOf("one\ntwo\n\n\xc3\xa9t\xc3\xa9\n...four\nfiv");
  assertEquals(queue.takeText(LF, 9), "one");
  assertEquals([queue.offset, queue.takeText(LF, 9)], [4, "two"]);
  assertEquals([queue.offset, queue.takeText(LF, 9)], [8, ""]);
  assertEquals([queue.offset, queue.takeText(LF, 9)], [9, "été"]);
  assertEquals(unraw(queue.take(3)), "...");
  assertEquals([queue.offset, queue.takeText(LF, 9)], [18, "four"]);
  assertEquals(queue.takeText(LF, 9), undefined);
  assertEquals([queue.length, queue.searched], [3, 3]);
  queue.push(raw("e\n"));
  assertEquals([queue.takeText(LF, 9), queue.length], ["five", 0]);
});

Deno.test("ByteQueue leaves a text that is too long or not UTF-8 where it is", () => {
  const LF = 10;
  const queue = queueOf("long\nb\n");
  assertEquals(queue.takeText(LF, 3), undefined);
  assertEquals(queue.length, 7);
  queue.drop(5);
  assertEquals(queue.takeText(LF, 3), "b");
  queue.push(raw("ok\n\xff\n"));
  assertEquals([queue.takeText(LF, 3), queue.length], [undefined, 5]);
  queue.drop(5);
  queue.push(raw("ok\n"));
  assertEquals(queue.takeText(LF, 3), "ok");
});

Deno.test("ByteQueue takes texts that different bytes end", () => {
  const queue = queueOf("a\nb\nc;d\ne;");
  assertEquals([queue.takeText(10, 9), queue.takeText(59, 9)], ["a", "b\nc"]);
  assertEquals([queue.takeText(10, 9), queue.takeText(59, 9)], ["d", "e"]);
});

Deno.test("ByteQueue decodes little for nothing where bytes are taken between texts", () => {
  const real = TextDecoder.prototype.decode;
  let decoded = 0;
  TextDecoder.prototype.decode = function (input, options) {
    decoded += input?.byteLength ?? 0;
    return real.call(this, input, options);
  };
  try {
    const queue = queueOf("head\n12345678".repeat(2000));
    const { length } = queue;
    for (let i = 0; i < 2000; i++) {
      assertEquals(queue.takeText(10, 9), "head");
      queue.drop(8);
    }
    assertLess(decoded, 4 * length);
  } finally {
    TextDecoder.prototype.decode = real;
  }
});

Deno.test("ByteQueue finds a byte near and far, and no stale one behind the last", () => {
  const queue = new ByteQueue("borrowed");
  receive(queue, raw("x".repeat(700) + "|"));
  queue.drop(701);
  for (const distance of [0, 1, 2, 3, 4, 5, 510, 511, 512, 513, 600]) {
    receive(queue, raw("y".repeat(distance)));
    assertEquals(queue.indexOf(124), undefined, `${distance}`);
    receive(queue, raw("|"));
    assertEquals(queue.indexOf(124), distance);
    queue.drop(distance + 1);
  }
});

Deno.test("ByteQueue compares what is waiting with bytes that are known", () => {
  const text = "x the quick brown fox";
  const queue = queueOf(text);
  queue.drop(2);
  const expected = raw("quick brown fox");
  const view = new DataView(expected.buffer);
  assertEquals(queue.matches(view, expected.length, 4), true);
  assertEquals(queue.matches(view, 5, 4), true);
  assertEquals(queue.matches(view, expected.length, 5), false);
  assertEquals(queue.matches(view, expected.length, 3), false);
  for (let index = 0; index < expected.length; index++) {
    const changed = expected.slice();
    changed[index] ^= 1;
    const other = new DataView(changed.buffer);
    assertEquals(queue.matches(other, changed.length, 4), false, `${index}`);
  }
  queue.push(raw("!")); // into another slab
  assertEquals(queue.matches(view, expected.length, 4), true);
});

Deno.test("ByteQueue makes room of 4 KiB behind the first, however little comes at a time", () => {
  const queue = new ByteQueue();
  const rooms = new Set<number>();
  for (let i = 0; i < 1000; i++) {
    rooms.add(queue.room().buffer.byteLength);
    queue.commit(10);
    queue.take(10);
  }
  assertEquals([...rooms], [256, 4 * KIB]);
});

Deno.test("ByteQueue finds the first of the bytes that it looks for, whatever is around it", () => {
  for (let seed = 0; seed < 2000; seed++) {
    const random = new Random(seed);
    const bytes = random.bytes(
      random.below(40),
      random.bytes(1 + random.below(4)),
    );
    const byte = random.pick([0, 1, 127, 128, 254, 255, ...bytes]);
    const queue = new ByteQueue();
    receive(queue, new Uint8Array(random.below(5)));
    queue.drop(queue.length);
    receive(queue, bytes);
    const index = bytes.indexOf(byte);
    const expected = index < 0 ? undefined : index;
    assertEquals(queue.indexOf(byte), expected, `seed ${seed}`);
    assertEquals(queue.searched, expected ?? bytes.length, `seed ${seed}`);
  }
});

Deno.test("ByteQueue makes room for several large frames, once reads fill its largest slab", () => {
  const largest = (frame: number): number => {
    const queue = new ByteQueue();
    let size = 0;
    for (let i = 0; i < 40; i++) {
      const room = queue.room();
      size = Math.max(size, room.buffer.byteLength);
      queue.commit(room.length);
      while (queue.length >= frame) queue.take(frame);
      queue.begin();
      queue.need(frame);
    }
    return size / KIB;
  };
  assertEquals([largest(1000), largest(10 * KIB)], [64, 64]);
  assertEquals([largest(16 * KIB), largest(64 * KIB)], [256, 256]);
});

Deno.test("ByteQueue looks ahead, and leaves everything where it is", () => {
  const queue = new ByteQueue();
  receive(queue, raw("xx2:hi,behind"));
  queue.drop(2);
  const found = queue.lookAhead((bytes) => {
    bytes.drop(2);
    const value = bytes.take(2);
    bytes.drop(1);
    return unraw(value);
  });
  assertEquals(found, { value: "hi", length: 5 });
  assertEquals([queue.length, queue.offset, queue.searched], [11, 2, 0]);
  assertEquals(queue.indexOf(raw("2")[0]), 0);
  assertEquals(unraw(queue.take(5)), "2:hi,");
});

Deno.test("ByteQueue looks ahead in vain, and remembers what the codec found out", () => {
  const queue = new ByteQueue();
  receive(queue, raw("abc"));
  const found = queue.lookAhead((bytes) => {
    bytes.indexOf(0);
    bytes.need(10, 4);
    return undefined;
  });
  assertEquals(found, undefined);
  assertEquals([queue.length, queue.searched, queue.needed], [3, 3, 10]);
  assertThrows(
    () =>
      queue.lookAhead((bytes) => {
        bytes.drop(2);
        throw new TypeError("no");
      }),
    TypeError,
    "no",
  );
  assertEquals(unraw(queue.peek(3)), "abc");
});
