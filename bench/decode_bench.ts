/**
 * `FrameDecoder` with every codec, with chunks as large as a read and as small as a packet, and with the three
 * answers to whose memory a frame is. An iteration is 1,000 frames or lines.
 *
 * @module
 */

import { FrameDecoder, lengthPrefixed, lines } from "../mod.ts";
import { chunksOf, expectCount, wireOf } from "./chunks.ts";
import { candidates, COUNT, decodeAll } from "./codecs.ts";

const FULL_READ = 64 * 1024;
const PACKET = 1447;

for (const length of [FULL_READ, PACKET]) {
  const group = `decode ${COUNT} frames of 64 B from chunks of ${length} B`;
  for (const { name, wire, decode } of candidates) {
    const chunks = chunksOf(wire, length);
    Deno.bench({
      name,
      group,
      baseline: name === "lengthPrefixed()",
      fn: () => expectCount(decode(chunks), COUNT),
    });
  }
}

for (const length of [64, 1024]) {
  const count = 10 * COUNT; // enough for many slabs
  const group = `whose memory ${count} frames of ${length} B are`;
  const wire = wireOf(lengthPrefixed(), new Uint8Array(length), count);
  for (const frames of ["owned", "copied", "borrowed"] as const) {
    Deno.bench({
      name: frames,
      group,
      baseline: frames === "owned",
      fn: () => {
        const decoder = new FrameDecoder(lengthPrefixed(), { frames });
        let decoded = 0;
        // Read into the decoder's room, as a connection does: there they differ.
        for (let sent = 0; sent < wire.length;) {
          const room = decoder.room();
          const chunk = wire.subarray(sent, sent + room.length);
          room.set(chunk);
          decoder.commit(chunk.length);
          sent += chunk.length;
          while (decoder.next() !== undefined) decoded++;
        }
        expectCount(decoded, count);
      },
    });
  }
}

const LARGE = 256 * 1024;
const largeChunks = chunksOf(
  wireOf(lengthPrefixed(), new Uint8Array(LARGE), 1),
  PACKET,
);

/** The decoder that many write first: everything that has come is put together at each chunk. */
function concatenating(chunks: readonly Uint8Array[]): number {
  let received = new Uint8Array(0);
  let count = 0;
  for (const chunk of chunks) {
    const all = new Uint8Array(received.length + chunk.length);
    all.set(received);
    all.set(chunk, received.length);
    received = all;
    while (received.length >= 4) {
      const end = 4 + new DataView(received.buffer, received.byteOffset)
        .getUint32(0);
      if (received.length < end) break;
      count++;
      received = received.subarray(end);
    }
  }
  return count;
}

const LARGE_GROUP = `a frame of ${LARGE / 1024} KiB in chunks of ${PACKET} B`;
Deno.bench({
  name: "FrameDecoder",
  group: LARGE_GROUP,
  baseline: true,
  fn: () => expectCount(decodeAll(lengthPrefixed(), largeChunks), 1),
});
Deno.bench({
  name: "a concat for each chunk",
  group: LARGE_GROUP,
  fn: () => expectCount(concatenating(largeChunks), 1),
});

const LINE_LENGTH = 80;
const textChunks = chunksOf(
  wireOf(lines(), "a".repeat(LINE_LENGTH - 1), COUNT),
  FULL_READ,
);

/** Decodes a chunk whole and splits the text, which can neither limit a line nor say which one is not UTF-8. */
function splitting(chunks: readonly Uint8Array[]): number {
  const decoder = new TextDecoder();
  let count = 0;
  let rest = "";
  for (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    count += parts.length;
  }
  return count;
}

const LINES_GROUP = `${COUNT} lines of ${LINE_LENGTH} B as text`;
Deno.bench({
  name: "lines()",
  group: LINES_GROUP,
  baseline: true,
  fn: () => expectCount(decodeAll(lines(), textChunks), COUNT),
});
Deno.bench({
  name: "a chunk decoded whole and split, no limits",
  group: LINES_GROUP,
  fn: () => expectCount(splitting(textChunks), COUNT),
});
