/**
 * One frame of n bytes that arrives one byte at a time, and one of twice the length, by every codec: `[N]`.
 *
 * Each line printed has the best time for n bytes, `ns`, and for 2n, `ns2`. Where `ns2` is about twice `ns` the
 * cost of a byte does not depend on how many came before it; where it is four times that, it does.
 *
 * @module
 */

import {
  asciiLength,
  type Codec,
  delimited,
  encodeFrame,
  fixedLength,
  FrameDecoder,
  headerBlock,
  json,
  lengthPrefixed,
  lines,
  mapCodec,
  Message,
  messages,
  netstring,
  proxyHeader,
  text,
  typed,
  untilClose,
  varintPrefixed,
} from "@framewire/framewire";

const RUNS = 5;
const WARM_UP = 8 * 1024;
const A = 97;

const n = Number(Deno.args[0] ?? 64 * 1024);
const maxFrameLength = 64 * 1024 * 1024;
const limits = { maxFrameLength, maxHeaderLength: maxFrameLength };

/** A codec made for frames of a length, and the bytes of one. */
interface Case {
  name: string;
  wire: (length: number) => Uint8Array<ArrayBuffer>;
  /** Gives the time for one frame in ms. */
  time: (wire: Uint8Array<ArrayBuffer>, length: number) => number;
  /** The longest n there can be. */
  atMost: number;
}

/** Feeds bytes as a connection does that has one at each read. */
function time<T>(decoder: FrameDecoder<T>, wire: Uint8Array): number {
  const start = performance.now();
  let frames = 0;
  for (let i = 0; i < wire.length; i++) {
    decoder.room()[0] = wire[i];
    decoder.commit(1);
    if (decoder.next() !== undefined) frames++;
  }
  while (decoder.end() !== undefined) frames++;
  const elapsed = performance.now() - start;
  if (frames !== 1) throw new Error(`${frames} frames came, not 1`);
  return elapsed;
}

function testCase<T>(
  name: string,
  codecFor: (length: number) => Codec<T, never>,
  wire: (length: number) => Uint8Array<ArrayBuffer>,
  atMost = Infinity,
): Case {
  return {
    name,
    wire,
    time: (bytes, length) => time(new FrameDecoder(codecFor(length)), bytes),
    atMost,
  };
}

/** A case whose wire the codec itself lays out. */
function whole<T, W>(
  name: string,
  codec: Codec<T, W>,
  frame: (length: number) => W,
): Case {
  return testCase(
    name,
    () => codec,
    (length) => encodeFrame(codec, frame(length)),
  );
}

function payload(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(A);
}

function letters(length: number): string {
  return "a".repeat(length);
}

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A message whose header is about so long. */
function longHeader(length: number): Uint8Array<ArrayBuffer> {
  const extra = { padding: letters(length) };
  return encodeFrame(
    messages({ maxHeaderLength: 0xffff }),
    new Message(new Uint8Array(0), { extra }),
  );
}

/** A header block of about so many bytes. */
function headerOf(length: number, field: string): Uint8Array<ArrayBuffer> {
  const fields = field.repeat(Math.ceil(length / field.length));
  return ascii(`${fields}Content-Length: 1\r\n\r\na`);
}

const prefixed = lengthPrefixed(limits);
const almost = delimited("aaaab", limits);

const proxied = proxyHeader({ maxFrameLength: 65_551 });

const CASES: readonly Case[] = [
  whole("lengthPrefixed", prefixed, payload),
  whole("varintPrefixed", varintPrefixed(limits), payload),
  testCase("fixedLength", (length) => fixedLength(length), payload),
  whole("asciiLength", asciiLength({ digits: 9, maxFrameLength }), payload),
  whole(
    "asciiLength with terminator and trailer",
    asciiLength({ terminator: ":", trailer: "\r\n", maxFrameLength }),
    payload,
  ),
  whole("netstring", netstring(limits), payload),
  testCase(
    "typed, a number",
    (length) => typed({ length: length - 1 }),
    payload,
  ),
  whole(
    "typed, lengthPrefixed",
    typed({ length: prefixed }),
    (length) => ({ tag: 1, payload: payload(length) }),
  ),
  whole(
    "typed, delimited",
    typed({ length: almost }),
    (length) => ({ tag: 1, payload: payload(length) }),
  ),
  whole("headerBlock, the content", headerBlock(limits), payload),
  testCase(
    "headerBlock, many fields",
    () => headerBlock(limits),
    (length) => headerOf(length, "name: value\r\n"),
  ),
  testCase(
    "headerBlock, one long field",
    () => headerBlock(limits),
    (length) => headerOf(length, `name: ${letters(length)}\r\n`),
  ),
  whole("delimited, one byte", delimited("\n", limits), payload),
  whole("delimited, almost matching", almost, payload),
  whole(
    "delimited, several almost matching",
    delimited(["aaaab", "aab", "aaaaaac", "\r\n"], limits),
    payload,
  ),
  whole(
    "delimited, a prefix",
    delimited("aaaab", { include: "prefix", maxFrameLength }),
    (length) => ascii("aaaab" + letters(length)),
  ),
  testCase(
    "delimited, a tail",
    () => delimited("aaaab", { tail: "emit", maxFrameLength }),
    payload,
  ),
  whole("lines", lines(limits), letters),
  testCase(
    "lines, carriage returns",
    () => lines(limits),
    (length) => ascii("\r".repeat(length - 1) + "a\n"),
  ),
  testCase("untilClose", () => untilClose(limits), payload),
  whole(
    "messages, the content",
    messages({ maxFrameLength }),
    (length) => Message.binary(payload(length)),
  ),
  testCase(
    "messages, the header",
    () => messages({ maxHeaderLength: 0xffff }),
    longHeader,
    32_000,
  ),
  testCase(
    "proxyHeader, a long value",
    () => proxied,
    (length) =>
      encodeFrame(proxied, {
        version: 2,
        command: "local",
        tlvs: [{ type: 0xe0, value: payload(length) }],
      }),
    32_000,
  ),
  whole("json", json(text(prefixed)), letters),
  whole("json, lines", json(lines(limits)), letters),
  whole("text", text(prefixed), letters),
  whole(
    "mapCodec",
    mapCodec(prefixed, {
      decode: (bytes) => bytes.length,
      encode: (length: number) => payload(length),
    }),
    (length) => length,
  ),
];

function best({ wire, time }: Case, length: number): number {
  const bytes = wire(length);
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) least = Math.min(least, time(bytes, length));
  return Math.round(least * 1e6);
}

for (const each of CASES) {
  const count = Math.min(n, each.atMost);
  best(each, Math.min(WARM_UP, count));
  const ns = best(each, count);
  const ns2 = best(each, 2 * count);
  console.log(JSON.stringify({ name: each.name, ns, ns2, count }));
}
