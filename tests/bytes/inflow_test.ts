/**
 * What is left of a body that is being received, as a decoder shows it.
 *
 * @module
 */

import {
  type Codec,
  FrameBody,
  FrameDecoder,
  lengthPrefixed,
  TruncatedFrameError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";

const codec = lengthPrefixed({ width: 1, maxFrameLength: 2, maxBodyLength: 9 });

/** A decoder that has handed out a body of four bytes, and its first byte. */
function insideBody(
  more: () => Promise<void> = () => Promise.reject(new Error("none")),
): [FrameDecoder<unknown>, FrameBody] {
  const decoder = new FrameDecoder(codec, { more });
  decoder.push(new Uint8Array([4, 1]));
  const body = decoder.next();
  if (!(body instanceof FrameBody)) throw new TypeError("must be a body");
  assertEquals(decoder.takeBody(), new Uint8Array([1]));
  return [decoder, body];
}

Deno.test("FrameDecoder gives no other frame before a body is over", async () => {
  const [decoder] = insideBody();
  const { bodyOver } = decoder;
  decoder.push(new Uint8Array([2, 3, 4, 1, 9]));
  assertEquals(decoder.next(), undefined);
  assertEquals([decoder.bodyLeft, decoder.needed, decoder.buffered], [3, 3, 5]);
  assertEquals(decoder.end(), undefined); // it is whole
  assertEquals(decoder.takeBody(), new Uint8Array([2, 3, 4]));
  assertEquals(decoder.takeBody(), undefined);
  await bodyOver;
  assertEquals([decoder.bodyLeft, decoder.bodyOver], [0, undefined]);
  assertEquals(decoder.next(), new Uint8Array([9]));
  assertEquals(decoder.end(), undefined);
});

Deno.test("FrameDecoder leaves out what is left of a body that is cancelled, without keeping it", async () => {
  for (const here of [0, 1, 3, 5]) {
    const [decoder, body] = insideBody();
    const rest = new Uint8Array([2, 3, 4, 1, 9]);
    decoder.push(rest.slice(0, here));
    const { bodyOver } = decoder;
    await body.cancel();
    await bodyOver;
    assertEquals(decoder.bodyLeft, 0);
    assertEquals(decoder.skipping, here < 3);
    assertEquals(decoder.buffered, Math.max(here - 3, 0));
    decoder.push(rest.slice(here));
    assertEquals(decoder.next(), new Uint8Array([9]));
    await body.cancel(); // again: nothing happens
    assertEquals(decoder.end(), undefined);
  }
});

Deno.test("FrameDecoder.end() says how much of the frame came when the stream ends in a body", async () => {
  const [decoder, body] = insideBody();
  decoder.push(new Uint8Array([2]));
  const error = assertThrows(() => decoder.end(), TruncatedFrameError);
  assertEquals(
    error.message,
    "Cannot read frame: stream ended after 3 of 5 bytes",
  );
  assertEquals([error.have, error.need, error.offset], [3, 5, 0]);
  assertEquals(error.preview, new Uint8Array([4]));
  assertEquals(decoder.bodyOver, undefined);
  // What is here can still be read.
  const seen: number[] = [];
  const thrown = await assertRejects(async () => {
    for await (const [byte] of body) seen.push(byte);
  });
  assertEquals([seen, thrown], [[2], error]);
  assertEquals(assertThrows(() => decoder.next()), error);
});

Deno.test("FrameDecoder.failBody() reaches who reads the body, once", async () => {
  const [decoder, body] = insideBody();
  const { bodyOver } = decoder;
  const reason = new TypeError("closed");
  decoder.failBody(reason);
  decoder.failBody(new TypeError("closed again"));
  await bodyOver;
  assertEquals(await assertRejects(() => Array.fromAsync(body)), reason);
});

Deno.test("FrameDecoder refuses another codec inside a body", () => {
  const [decoder] = insideBody();
  assertThrows(() => decoder.switchCodec(codec), TypeError, "not over");
});

Deno.test("FrameDecoder goes through bodies in chunks of any length", () => {
  for (const length of [1, 100, 5000, 9000, 20_000]) {
    const decoder = new FrameDecoder(
      lengthPrefixed({ width: 2, maxFrameLength: 2, maxBodyLength: 60_000 }),
    );
    const wire = new Uint8Array(3 * 20_005);
    for (let i = 0; i < 3; i++) {
      const start = i * 20_005;
      wire.set([0x4e, 0x20], start); // 20,000
      wire.fill(i + 1, start + 2, start + 20_002);
      wire.set([0, 1, 7], start + 20_002);
    }
    const seen: string[] = [];
    let count = 0;
    for (let start = 0; start < wire.length; start += length) {
      decoder.push(wire.slice(start, start + length));
      while (true) {
        for (let part; (part = decoder.takeBody()) !== undefined;) {
          count += part.length;
          const value = part[0];
          if (part.some((byte) => byte !== value)) seen.push("mixed");
        }
        const frame = decoder.next();
        if (frame === undefined) break;
        if (frame instanceof FrameBody) seen.push(`body of ${frame.length}`);
        else seen.push(`${count}, then ${frame}`);
      }
    }
    assertEquals(seen, [
      "body of 20000",
      "20000, then 7",
      "body of 20000",
      "40000, then 7",
      "body of 20000",
      "60000, then 7",
    ], `chunks of ${length} bytes`);
    assertEquals(decoder.end(), undefined);
  }
});

Deno.test("FrameDecoder takes no new memory for each little piece of a body", () => {
  const decoder = new FrameDecoder(
    lengthPrefixed({ maxFrameLength: 2, maxBodyLength: 2 ** 30 }),
  );
  decoder.push(new Uint8Array([0x3f, 0, 0, 0]));
  assertInstanceOf(decoder.next(), FrameBody);
  const buffers = new Set<ArrayBuffer>();
  for (let i = 0; i < 1000; i++) {
    const room = decoder.room();
    buffers.add(room.buffer);
    decoder.commit(10);
    assertEquals(decoder.takeBody()?.length, 10);
  }
  // The first slab is of 512 bytes, those behind it of 4 KiB.
  assertEquals(buffers.size <= 5, true, `${buffers.size} buffers`);
});

Deno.test("FrameDecoder refuses a codec that keeps its body to itself", () => {
  const selfish: Codec<string> = {
    decode(received) {
      received.body(3, 1);
      return undefined;
    },
    encode() {},
  };
  const decoder = new FrameDecoder(selfish);
  decoder.push(new Uint8Array([3]));
  assertThrows(() => decoder.next(), TypeError, "returned none for its body");
});

Deno.test("a body may begin with the first byte of its frame, and may be empty", () => {
  const bare: Codec<FrameBody> = {
    decode: (received) => received.body(2),
    encode: (frame, out) => out.write(frame),
  };
  const decoder = new FrameDecoder(bare);
  decoder.push(new Uint8Array([1, 2, 3]));
  assertEquals(decoder.next()?.length, 2);
  assertEquals(decoder.takeBody(), new Uint8Array([1, 2]));
  assertEquals(decoder.next()?.length, 2);
  assertEquals(decoder.takeBody(), new Uint8Array([3]));
  const empty: Codec<FrameBody> = { ...bare, decode: (r) => r.body(0, 1) };
  const next = new FrameDecoder(empty);
  next.push(new Uint8Array([0, 0]));
  assertEquals([next.next()?.length, next.next()?.length], [0, 0]);
  assertEquals([next.bodyLeft, next.end()], [0, undefined]);
});
