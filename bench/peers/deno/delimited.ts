/**
 * Bytes between delimiters out of chunks in memory: `SIZE COUNT`, with the delimiter counted as one of the bytes
 * of a frame.
 *
 * @module
 */

import { delimited, FrameDecoder } from "@framewire/framewire";
// @ts-types="./delimiter_stream.d.ts"
import { DelimiterStream } from "npm:deno-std@1.4.0/streams/delimiter_stream.js";
import { type Found, LineChunks } from "./line_chunks.ts";

const chunks = new LineChunks();

function byFramewire(): Found {
  const decoder = new FrameDecoder(delimited("\n"));
  let count = 0;
  let length = 0;
  chunks.forEach((chunk) => {
    decoder.push(chunk);
    let frame: Uint8Array | undefined;
    while ((frame = decoder.next()) !== undefined) {
      count++;
      length += frame.length;
    }
  });
  if (decoder.end() !== undefined) throw new Error("a frame came at the end");
  return { count, length };
}

async function byStandard(): Promise<Found> {
  const delimiter = new TextEncoder().encode("\n");
  const found = chunks.stream().pipeThrough(new DelimiterStream(delimiter));
  let count = 0;
  let length = 0;
  for await (const frame of found) {
    count++;
    length += frame.length;
  }
  // It takes what lies behind the last delimiter, which is nothing, for one more.
  return { count: count - 1, length };
}

await chunks.report("framewire", byFramewire);
await chunks.report("std DelimiterStream", byStandard);
