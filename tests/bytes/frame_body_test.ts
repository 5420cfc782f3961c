/**
 * Content that is not held, as its reader and its writer have it.
 *
 * @module
 */

import { FrameBody, FrameDecoder, lengthPrefixed } from "@framewire/framewire";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";

/** A source that tells what is done with it. */
async function* pieces(
  log: string[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    for (let i = 1; i <= 3; i++) {
      log.push(`asked ${i}`);
      yield new Uint8Array([i]);
    }
  } finally {
    log.push("ended");
  }
}

Deno.test("FrameBody gives what its source gives, a piece when one is asked for", async () => {
  const log: string[] = [];
  for await (const [byte] of new FrameBody(3, pieces(log))) log.push(`${byte}`);
  assertEquals(log, [
    ..."asked 1|1|asked 2|2|asked 3|3|ended".split("|"),
  ]);
});

Deno.test("FrameBody takes sources that are not asynchronous", async () => {
  const bytes = new Uint8Array([7, 8]);
  assertEquals(await Array.fromAsync(new FrameBody(2, [bytes])), [bytes]);
});

Deno.test("FrameBody tells its source when the rest is not wanted", async () => {
  const left: string[] = [];
  for await (const _ of new FrameBody(3, pieces(left))) break;
  assertEquals(left, ["asked 1", "ended"]);

  const streamed: string[] = [];
  const stream = new FrameBody(3, pieces(streamed)).stream();
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  assertEquals(streamed, ["asked 1", "ended"]);

  let cancelled = false;
  const source = new ReadableStream({ cancel: () => void (cancelled = true) });
  await new FrameBody(3, source).cancel();
  assertEquals(cancelled, true);
});

Deno.test("FrameBody.stream() reads nothing ahead", async () => {
  const log: string[] = [];
  const stream = new FrameBody(3, pieces(log)).stream();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(log, []);
  assertEquals(
    (await Array.fromAsync(stream)).map(([byte]) => byte),
    [1, 2, 3],
  );
});

Deno.test("FrameBody can be read only once", async () => {
  const body = new FrameBody(1, [new Uint8Array(1)]);
  await Array.fromAsync(body);
  assertThrows(() => body.stream(), TypeError, "only once");
  await body.cancel();
});

Deno.test("FrameBody refuses a length that is none", () => {
  for (const length of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => new FrameBody(length, []), RangeError, `${length}`);
  }
});

const codec = lengthPrefixed({ width: 1, maxFrameLength: 2, maxBodyLength: 9 });

Deno.test("FrameBody asks for more only when all that is here was read", async () => {
  const coming = [new Uint8Array([2]), new Uint8Array([3, 4, 1, 9])];
  let asked = 0;
  const decoder = new FrameDecoder(codec, {
    more() {
      asked++;
      decoder.push(coming.shift() ?? new Uint8Array());
      return Promise.resolve();
    },
  });
  decoder.push(new Uint8Array([4, 1]));
  const body = decoder.next();
  if (!(body instanceof FrameBody)) throw new TypeError("must be a body");
  const chunks: number[][] = [];
  for await (const chunk of body) chunks.push([...chunk]);
  assertEquals([chunks, asked], [[[1], [2], [3, 4]], 2]);
  assertEquals(decoder.next(), new Uint8Array([9]));
});

Deno.test("FrameBody says what to do when nobody brings more", async () => {
  const decoder = new FrameDecoder(codec);
  decoder.push(new Uint8Array([4, 1]));
  const body = decoder.next();
  if (!(body instanceof FrameBody)) throw new TypeError("must be a body");
  await assertRejects(() => Array.fromAsync(body), TypeError, "takeBody()");
});
