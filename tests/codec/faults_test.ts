/**
 * The errors that codecs throw.
 *
 * @module
 */

import { ByteQueue } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import {
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
  [
    "\r\n\r\n\0\r\nQ",
    String
      .raw`: the bytes b'\r\n\r\n\x00\r\nQ' look like a PROXY protocol header`,
  ],
  ["GETS", ": the bytes b'GETS' are text"],
  ['{"a"', `: the bytes b'{"a"' are text`],
  ["hi\r\n", String.raw`: the bytes b'hi\r\n' are text`],
  ["hi", ""],
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
    assertEquals(tooLarge(queue, fault).message, said);
    assertEquals(
      malformed(queue, "wrong", 32).message,
      `Cannot read frame: wrong${hint.endsWith("are text") ? "" : hint}`,
    );
  }
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
