/**
 * Messages: header and content, beside the JSON alone that a header is, and the ways to come from bytes to JSON.
 * An iteration is 1,000 messages with a content of 40 B.
 *
 * @module
 */

import {
  ByteSink,
  encodeFrame,
  FrameDecoder,
  Message,
  messages,
} from "../mod.ts";
import { chunksOf, expectCount } from "./chunks.ts";

const COUNT = 1000;
const codec = messages();

/** Messages that are all the same, or all of different lengths and types, so that no header is the same twice. */
function samples(repeated: boolean): Message[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const content = new Uint8Array(40);
    return Message.binary(content, repeated ? undefined : `binary/type-${i}`);
  });
}

function wireOfAll(sent: readonly Message[]): Uint8Array {
  const out = new ByteSink();
  for (const message of sent) codec.encode(message, out);
  return out.bytes();
}

const different = samples(false);
const repeated = samples(true);
const headerBytes = different.map((message) => {
  const wire = encodeFrame(codec, message);
  return wire.subarray(2, wire.length - message.content.length);
});
const headers = headerBytes.map((bytes) => new TextDecoder().decode(bytes));
const headerValues: unknown[] = headers.map((text) => JSON.parse(text));

function decode(chunks: readonly Uint8Array[]): void {
  const decoder = new FrameDecoder(codec);
  let count = 0;
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.next() !== undefined) count++;
  }
  expectCount(count, COUNT);
}

const DECODE = `decode ${COUNT} messages`;
Deno.bench({
  name: "JSON.parse of the header's text alone",
  group: DECODE,
  baseline: true,
  fn: () => {
    let count = 0;
    for (const text of headers) if (JSON.parse(text) !== null) count++;
    expectCount(count, COUNT);
  },
});
const differentChunks = chunksOf(wireOfAll(different), 64 * 1024);
const repeatedChunks = chunksOf(wireOfAll(repeated), 64 * 1024);
Deno.bench({
  name: "messages(), every header different",
  group: DECODE,
  fn: () => decode(differentChunks),
});
Deno.bench({
  name: "messages(), the same header",
  group: DECODE,
  fn: () => decode(repeatedChunks),
});

const ENCODE = `encode ${COUNT} messages`;
Deno.bench({
  name: "JSON.stringify of the header alone",
  group: ENCODE,
  baseline: true,
  fn: () => {
    let length = 0;
    for (const value of headerValues) length += JSON.stringify(value).length;
    expectCount(Number(length > 0), 1);
  },
});
for (
  const [name, sent] of [
    ["every header different", different],
    ["the same header", repeated],
  ] as const
) {
  Deno.bench({
    name: `messages(), ${name}`,
    group: ENCODE,
    fn: () => {
      const out = new ByteSink();
      for (const message of sent) codec.encode(message, out);
      for (let chunk; (chunk = out.takeChunk()) !== undefined;) {
        expectCount(Number(chunk.length > 0), 1);
        out.recycle();
      }
    },
  });
}
Deno.bench({
  name: "JSON.stringify, TextEncoder and concat",
  group: ENCODE,
  fn: () => {
    const encoder = new TextEncoder();
    let count = 0;
    for (let i = 0; i < COUNT; i++) {
      const header = encoder.encode(JSON.stringify(headerValues[i]));
      const { content } = different[i];
      const all = new Uint8Array(2 + header.length + content.length);
      new DataView(all.buffer).setUint16(0, header.length);
      all.set(header, 2);
      all.set(content, 2 + header.length);
      if (all.length > content.length) count++;
    }
    expectCount(count, COUNT);
  },
});

/** Makes text of every header. */
function eachText(decodeOne: (bytes: Uint8Array) => string): () => void {
  return () => {
    let count = 0;
    for (const bytes of headerBytes) if (decodeOne(bytes) !== "") count++;
    expectCount(count, COUNT);
  };
}

const TEXT = `the text of ${COUNT} headers`;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
Deno.bench({
  name: "one TextDecoder",
  group: TEXT,
  baseline: true,
  fn: eachText((bytes) => strict.decode(bytes)),
});
Deno.bench({
  name: "a TextDecoder for each",
  group: TEXT,
  fn: eachText((bytes) =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  ),
});
