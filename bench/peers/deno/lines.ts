/**
 * Lines of text out of chunks in memory: `SIZE COUNT`, with the line feed counted as one of the bytes of a line.
 *
 * @module
 */

import { FrameDecoder, lines } from "@framewire/framewire";
// @ts-types="./text_line_stream.d.ts"
import { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";
import { type Found, LineChunks } from "./line_chunks.ts";

const chunks = new LineChunks();

function byFramewire(): Found {
  const decoder = new FrameDecoder(lines());
  let count = 0;
  let length = 0;
  chunks.forEach((chunk) => {
    decoder.push(chunk);
    let line: string | undefined;
    while ((line = decoder.next()) !== undefined) {
      count++;
      length += line.length;
    }
  });
  if (decoder.end() !== undefined) throw new Error("a line came at the end");
  return { count, length };
}

async function byStandard(): Promise<Found> {
  const found = chunks.stream()
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  let count = 0;
  let length = 0;
  for await (const line of found) {
    count++;
    length += line.length;
  }
  return { count, length };
}

await chunks.report("framewire", byFramewire);
await chunks.report("std TextLineStream", byStandard);
