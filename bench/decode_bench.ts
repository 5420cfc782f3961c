/**
 * `FrameDecoder` with every codec, with chunks as large as a read and as small as a packet, and with the three
 * answers to whose memory a frame is. An iteration is 1,000 frames or lines.
 *
 * @module
 */

import {
  asciiLength,
  type Codec,
  delimited,
  fixedLength,
  FrameDecoder,
  type FrameOwnership,
  headerBlock,
  lengthPrefixed,
  lines,
  Message,
  messages,
  netstring,
  text,
  typed,
  varintPrefixed,
} from "../mod.ts";
import { chunksOf, expectCount, wireOf } from "./chunks.ts";

const COUNT = 1000;
const FULL_READ = 64 * 1024;
const PACKET = 1447;
const payload = new Uint8Array(64).fill(0x61);

function decodeAll<T>(
  codec: Codec<T, never>,
  chunks: readonly Uint8Array[],
  frames: FrameOwnership = "owned",
): number {
  const decoder = new FrameDecoder(codec, { frames });
  let count = 0;
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.next() !== undefined) count++;
  }
  return count;
}

interface Candidate {
  name: string;
  decode: (chunks: readonly Uint8Array[]) => number;
  wire: Uint8Array;
}

function candidate<T, W>(
  name: string,
  codec: Codec<T, W>,
  frame: W,
): Candidate {
  return {
    name,
    decode: (chunks) => decodeAll(codec, chunks),
    wire: wireOf(codec, frame, COUNT),
  };
}

const tagged = typed({ length: { 1: lengthPrefixed({ width: 2 }) } });
const candidates: Candidate[] = [
  candidate("lengthPrefixed()", lengthPrefixed(), payload),
  candidate(
    "lengthPrefixed({ width: 8 })",
    lengthPrefixed({ width: 8 }),
    payload,
  ),
  candidate("varintPrefixed()", varintPrefixed(), payload),
  candidate("fixedLength(64)", fixedLength(64), payload),
  candidate("typed()", tagged, { tag: 1, payload }),
  candidate("asciiLength({ digits: 5 })", asciiLength({ digits: 5 }), payload),
  candidate("netstring()", netstring(), payload),
  candidate("headerBlock()", headerBlock(), payload),
  candidate('delimited("\\n")', delimited("\n"), payload),
  candidate('delimited("\\r\\n")', delimited("\r\n"), payload),
  candidate("lines()", lines(), "a".repeat(64)),
  candidate("text(lengthPrefixed())", text(lengthPrefixed()), "a".repeat(64)),
  candidate("messages()", messages(), Message.binary(payload)),
];

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
