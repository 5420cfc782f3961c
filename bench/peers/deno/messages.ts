/**
 * Messages in memory, beside the JSON alone that is in their headers: `[COUNT] [ROUNDS]`.
 *
 * Headers have 109 bytes, contents 40. Where it does not say "repeated", no two headers are alike. Each line
 * printed is the median of the rounds, `ns` for `count` messages.
 *
 * @module
 */

import {
  ByteSink,
  FrameDecoder,
  Framing,
  Message,
  messages,
} from "@framewire/framewire";

const HEADER = 109;
const CONTENT = 40;
const PREFIX = 2;
const CHUNK = 64 * 1024;
const WARM_UP = 5;

const [count = 20_000, rounds = 15] = Deno.args.map(Number);
const codec = messages();

/** A header as it is on the wire. */
interface WireHeader {
  byteorder: "little";
  "content-type": string;
  "content-encoding": string;
  "content-length": number;
}

/** The content types of all messages, all of one length. */
function contentTypes(repeated: boolean): string[] {
  const types = Array.from({ length: count }, (_, i) => {
    const number = String(repeated ? 0 : i).padStart(8, "0");
    return `text/x-${number}`;
  });
  // Text put together from parts is made one on its first use, which would be in somebody's time.
  return types.map((type) => decodeText(encodeText(type)));
}

const encodeText = (text: string) => new TextEncoder().encode(text);
const decodeText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function headersOf(types: readonly string[]): WireHeader[] {
  return types.map((type) => ({
    byteorder: "little",
    "content-type": type,
    "content-encoding": "utf-8",
    "content-length": CONTENT,
  }));
}

/** Messages that nobody has seen before. */
function messagesOf(types: readonly string[]): Message[] {
  const content = new Uint8Array(CONTENT).fill(32);
  return types.map((contentType) =>
    new Message(content, {
      byteorder: "little",
      contentType,
      contentEncoding: "utf-8",
    })
  );
}

function wireOf(types: readonly string[]): Uint8Array<ArrayBuffer> {
  const out = new ByteSink();
  for (const message of messagesOf(types)) codec.encode(message, out);
  const wire = out.bytes();
  check("a message", wire.length, count * (PREFIX + HEADER + CONTENT));
  return wire;
}

/** The text of every header, as it lies in the wire. */
function textsOf(wire: Uint8Array): string[] {
  const decoder = new TextDecoder();
  const length = PREFIX + HEADER + CONTENT;
  return Array.from({ length: count }, (_, i) => {
    const start = i * length + PREFIX;
    return decoder.decode(wire.subarray(start, start + HEADER));
  });
}

function decode(wire: Uint8Array<ArrayBuffer>): number {
  const decoder = new FrameDecoder(codec);
  let bytes = 0;
  for (let start = 0; start < wire.length; start += CHUNK) {
    const length = Math.min(CHUNK, wire.length - start);
    decoder.push(new Uint8Array(wire.buffer, start, length));
    let message: Message | undefined;
    while ((message = decoder.next()) !== undefined) {
      bytes += message.header.contentLength;
    }
  }
  return bytes;
}

function parse(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) {
    const header: WireHeader = JSON.parse(text);
    bytes += header["content-length"];
  }
  return bytes;
}

function encode(fresh: readonly Message[]): number {
  const out = new ByteSink();
  for (const message of fresh) {
    codec.encode(message, out);
    if (out.length < CHUNK) continue;
    out.takeChunk();
    out.recycle();
  }
  return out.position;
}

/** A connection that takes everything and has nothing. */
const nowhere = {
  read: () => Promise.resolve(null),
  write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
  close: () => {},
};

async function write(fresh: readonly Message[]): Promise<number> {
  const peer = new Framing(nowhere, codec);
  for (const message of fresh) {
    const room = peer.write(message);
    if (room !== undefined) await room;
  }
  await peer.close();
  return peer.stats.bytesSent;
}

function stringify(headers: readonly WireHeader[]): number {
  let length = 0;
  for (const header of headers) length += JSON.stringify(header).length;
  return length;
}

function check(what: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new Error(`${what}: ${found} and not ${expected}`);
}

/** One way to do it: `prepare` is not timed, what it gives is. */
interface Contender {
  name: string;
  prepare: () => () => number | Promise<number>;
  expected: number;
}

async function compare(contenders: readonly Contender[]): Promise<void> {
  const times = contenders.map((): number[] => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [i, { name, prepare, expected }] of contenders.entries()) {
      const run = prepare();
      const start = performance.now();
      const result = run();
      const found = typeof result === "number" ? result : await result;
      const ns = Math.round((performance.now() - start) * 1e6);
      check(name, found, expected);
      if (round >= 0) times[i].push(ns);
    }
  }
  for (const [i, { name }] of contenders.entries()) {
    const ns = times[i].toSorted((a, b) => a - b)[rounds >> 1];
    console.log(JSON.stringify({ name, ns, count }));
  }
}

const types = contentTypes(false);
const sameTypes = contentTypes(true);
const wire = wireOf(types);
const sameWire = wireOf(sameTypes);
const texts = textsOf(wire);
const contents = count * CONTENT;
const headers = headersOf(types);
// What JSON.stringify lays out lacks the seven spaces behind colons and commas.
const compact = count * (HEADER - 7);

await compare([
  { name: "decode", prepare: () => () => decode(wire), expected: contents },
  {
    name: "decode repeated",
    prepare: () => () => decode(sameWire),
    expected: contents,
  },
  { name: "JSON.parse", prepare: () => () => parse(texts), expected: contents },
  {
    name: "encode",
    prepare: () => {
      const fresh = messagesOf(types);
      return () => encode(fresh);
    },
    expected: wire.length,
  },
  {
    name: "encode repeated",
    prepare: () => {
      const fresh = messagesOf(sameTypes);
      return () => encode(fresh);
    },
    expected: wire.length,
  },
  {
    name: "write",
    prepare: () => {
      const fresh = messagesOf(types);
      return () => write(fresh);
    },
    expected: wire.length,
  },
  {
    name: "JSON.stringify",
    prepare: () => () => stringify(headers),
    expected: compact,
  },
]);
