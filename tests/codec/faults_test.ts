/**
 * The errors that codecs throw.
 *
 * @module
 */

import { ByteQueue } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import {
  countTelling,
  inOneLine,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "../../lib/codec/faults.ts";
import { raw } from "../support/wire.ts";

function queueOf(text: string): ByteQueue {
  const queue = new ByteQueue();
  queue.push(raw(text));
  return queue;
}

/** The first bytes of streams, and what they look like. */
const BEGINNINGS: readonly [string, string][] = [
  ["GET ", ": the bytes b'GET ' look like HTTP"],
  ["GET", ": the bytes b'GET' look like HTTP"],
  ["POST", ": the bytes b'POST' look like HTTP"],
  ["HEAD /", ": the bytes b'HEAD /' look like HTTP"],
  ["PUT ", ": the bytes b'PUT ' look like HTTP"],
  ["PATCH ", ": the bytes b'PATCH ' look like HTTP"],
  ["DELE", ": the bytes b'DELE' look like HTTP"],
  ["TRACE ", ": the bytes b'TRACE ' look like HTTP"],
  ["DELETE /", ": the bytes b'DELETE /' look like HTTP"],
  ["CONNECT a", ": the bytes b'CONNECT ' look like HTTP"],
  ["OPTIONS *", ": the bytes b'OPTIONS ' look like HTTP"],
  ["PRI * HT", ": the bytes b'PRI * HT' look like HTTP"],
  ["HTTP/1.1 200 OK", ": the bytes b'HTTP/1.1' look like HTTP"],
  ["\x16\x03", String.raw`: the bytes b'\x16\x03' look like TLS`],
  [
    "\x16\x03\x01\x02\0",
    String.raw`: the bytes b'\x16\x03\x01\x02\x00' look like TLS`,
  ],
  ["SSH-2.0-x", ": the bytes b'SSH-2.0-' look like SSH"],
  ["PROXY TCP4", ": the bytes b'PROXY TC' look like a PROXY protocol header"],
  ["PROX", ": the bytes b'PROX' look like a PROXY protocol header"],
  ["SSH", ": the bytes b'SSH' look like SSH"],
  [
    "\r\n\r\n\0\r\nQ",
    String
      .raw`: the bytes b'\r\n\r\n\x00\r\nQ' look like a PROXY protocol header`,
  ],
  ["GETS", ": the bytes b'GETS' are text"],
  ['{"a"', `: the bytes b'{"a"' are text`],
  ["hi\r\n", String.raw`: the bytes b'hi\r\n' are text`],
  ["\r\n\r\n", String.raw`: the bytes b'\r\n\r\n' are text`],
  ["hi", ""],
  ["GE", ""],
  ["\0\x10\0\x01", ""],
  ["\x16\x02", ""],
  ["hi\x7f!", ""],
  ["", ""],
];

Deno.test("errors say which other protocol the bytes look like", () => {
  for (const [beginning, hint] of BEGINNINGS) {
    const queue = queueOf(beginning);
    const fault = { length: 9, limit: 5, seen: 32 };
    const said =
      "Cannot read frame: length 9 exceeds maxFrameLength of 5 bytes";
    assertEquals(
      tooLarge(queue, { ...fault, binary: true }).message,
      said + hint,
    );
    // Where a text is what was expected, it is no news that it looks like one.
    const known = hint.endsWith("are text") ? "" : hint;
    assertEquals(tooLarge(queue, fault).message, said + known);
    assertEquals(
      malformed(queue, "wrong", 32).message,
      `Cannot read frame: wrong${known}`,
    );
  }
});

Deno.test("a text that is too long is another protocol's at the start of a stream only", () => {
  const queue = queueOf("a lineGET / HTTP/1.1");
  queue.drop(6);
  assertEquals(
    tooLarge(queue, { length: 9, limit: 5, seen: 6 }).message,
    "Cannot read frame: length 9 exceeds maxFrameLength of 5 bytes",
  );
});

Deno.test("countTelling() asks for bytes as long as they may be another protocol's", () => {
  for (
    const [beginning, seen, expected] of [
      ["GET /", 1, 4],
      ["GETS", 1, 4],
      ["GEL", 2, 3],
      ["P", 1, undefined],
      ["PROX", 1, 4],
      ["\x16\x03\x01", 1, 2],
      ["\x16\x01\x01", 1, 2],
      ["\r\n\r\n", 2, undefined],
      ["\r\n\r\n\0", 2, 5],
      ["\0\0", 1, 1],
      ["GET / HTTP", 8, 8],
      ["ab", 0, 1],
    ] as const
  ) {
    const queue = queueOf(beginning);
    assertEquals(countTelling(queue, seen), expected, beginning);
    const asked = expected === undefined ? beginning.length + 1 : undefined;
    assertEquals(queue.needed, asked, beginning);
  }
});

Deno.test("inOneLine() leaves nothing that moves a terminal's cursor", () => {
  assertEquals(
    inOneLine("a\r\n\x1b[2Jb\x9bc\u2028d é"),
    String.raw`a\u000d\u000a\u001b[2Jb\u009bc\u2028d é`,
  );
});

Deno.test("an error says nothing of other protocols when the frame is left out", () => {
  const error = tooLarge(queueOf("GET / HTTP/1.1"), {
    length: 9,
    limit: 5,
    seen: 4,
    binary: true,
    skipped: true,
  });
  assertEquals(
    error.message,
    "Cannot read frame: length 9 exceeds maxFrameLength of 5 bytes",
  );
  assertEquals(error.recoverable, true);
});

Deno.test("an error knows the numbers, the place and the bytes looked at", () => {
  const queue = queueOf("frameGET / HTTP/1.1");
  queue.drop(5);
  const large = tooLarge(queue, {
    length: 9,
    limit: 5,
    option: "maxHeaderLength",
    what: "header length",
    seen: 3,
    binary: true,
  });
  assertEquals(
    large.message,
    "Cannot read frame: header length 9 exceeds maxHeaderLength of 5 bytes: the bytes b'GET' look like HTTP",
  );
  assertEquals([large.length, large.limit, large.offset], [9, 5, 5]);
  assertEquals([large.preview, large.recoverable], [raw("GET"), false]);
  const wrong = malformed(queue, "wrong", 2);
  assertEquals([wrong.offset, wrong.preview], [5, raw("GE")]);
  assertEquals(wrong.recoverable, false);
});

Deno.test("a frame too large to be written is the caller's fault, and says which limit it is", () => {
  const error = tooLargeToWrite(9, 5);
  assertEquals(
    [error.name, error.message],
    [
      "RangeError",
      "Cannot write frame: length 9 exceeds maxFrameLength of 5 bytes",
    ],
  );
  assertEquals(
    tooLargeToWrite(9, 5, "maxHeaderLength").message,
    "Cannot write frame: length 9 exceeds maxHeaderLength of 5 bytes",
  );
});
