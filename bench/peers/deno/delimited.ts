/**
 * Bytes between delimiters out of chunks in memory: `[FRAMES]`.
 *
 * @module
 */

import { delimited, FrameDecoder } from "@framewire/framewire";
// @ts-types="./delimiter_stream.d.ts"
import { DelimiterStream } from "npm:deno-std@1.4.0/streams/delimiter_stream.js";
import {
  chunkAt,
  chunksFor,
  type Found,
  report,
  streamOf,
} from "./line_chunks.ts";

function byFramewire(chunks: number): Found {
  const decoder = new FrameDecoder(delimited("\n"));
  let frames = 0;
  let length = 0;
  for (let i = 0; i < chunks; i++) {
    decoder.push(chunkAt(i));
    let frame: Uint8Array | undefined;
    while ((frame = decoder.next()) !== undefined) {
      frames++;
      length += frame.length;
    }
  }
  if (decoder.end() !== undefined) throw new Error("a frame came at the end");
  return { frames, length };
}

async function byStandard(chunks: number): Promise<Found> {
  const found = streamOf(chunks)
    .pipeThrough(new DelimiterStream(new Uint8Array([10])));
  let frames = 0;
  let length = 0;
  for await (const frame of found) {
    frames++;
    length += frame.length;
  }
  // It takes what lies behind the last delimiter, which is nothing, for one more.
  return { frames: frames - 1, length };
}

const chunks = chunksFor(Number(Deno.args[0] ?? 1_000_000));
await report("framewire", chunks, byFramewire);
await report("std DelimiterStream", chunks, byStandard);
