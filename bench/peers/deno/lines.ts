/**
 * Lines of text out of chunks in memory: `[LINES]`.
 *
 * @module
 */

import { FrameDecoder, lines } from "@framewire/framewire";
// @ts-types="./text_line_stream.d.ts"
import { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";
import {
  chunkAt,
  chunksFor,
  type Found,
  report,
  streamOf,
} from "./line_chunks.ts";

function byFramewire(chunks: number): Found {
  const decoder = new FrameDecoder(lines());
  let frames = 0;
  let length = 0;
  for (let i = 0; i < chunks; i++) {
    decoder.push(chunkAt(i));
    let line: string | undefined;
    while ((line = decoder.next()) !== undefined) {
      frames++;
      length += line.length;
    }
  }
  if (decoder.end() !== undefined) throw new Error("a line came at the end");
  return { frames, length };
}

async function byStandard(chunks: number): Promise<Found> {
  const found = streamOf(chunks)
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  let frames = 0;
  let length = 0;
  for await (const line of found) {
    frames++;
    length += line.length;
  }
  return { frames, length };
}

const chunks = chunksFor(Number(Deno.args[0] ?? 1_000_000));
await report("framewire", chunks, byFramewire);
await report("std TextLineStream", chunks, byStandard);
