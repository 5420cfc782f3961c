/**
 * Every codec, with a frame of 64 B, for those who measure what it takes to decode or to encode them.
 *
 * @module
 */

import {
  asciiLength,
  type ByteSink,
  type Codec,
  delimited,
  fixedLength,
  FrameDecoder,
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
import { wireOf } from "./chunks.ts";

/** How many frames are decoded or encoded in an iteration. */
export const COUNT = 1000;

/** A codec. */
export interface Candidate {
  name: string;
  /** So many frames. */
  wire: Uint8Array;
  /** Decodes all that is in the chunks, and says how many frames that is. */
  decode: (chunks: readonly Uint8Array[]) => number;
  /** Lays out one frame. */
  encode: (out: ByteSink) => void;
}

/** Decodes chunks, and says how many frames are in them. */
export function decodeAll<T>(
  codec: Codec<T, never>,
  chunks: readonly Uint8Array[],
): number {
  const decoder = new FrameDecoder(codec);
  let count = 0;
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.next() !== undefined) count++;
  }
  return count;
}

function candidate<T, W>(
  name: string,
  codec: Codec<T, W>,
  frame: W,
): Candidate {
  return {
    name,
    wire: wireOf(codec, frame, COUNT),
    decode: (chunks) => decodeAll(codec, chunks),
    encode: (out) => codec.encode(frame, out),
  };
}

const payload = new Uint8Array(64).fill(0x61);
const words = "a".repeat(64);
const tagged = typed({ length: { 1: lengthPrefixed({ width: 2 }) } });

/** All of them; the first is what the others are compared to. */
export const candidates: readonly Candidate[] = [
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
  candidate("lines()", lines(), words),
  candidate("text(lengthPrefixed())", text(lengthPrefixed()), words),
  candidate("messages()", messages(), Message.binary(payload)),
];
