/**
 * What can go wrong, as classes that a caller would catch.
 *
 * @module
 */

import {
  ConnectionClosedError,
  ConnectionError,
  ConnectTimeoutError,
  FrameTooLargeError,
  FramingError,
  MalformedFrameError,
  MessageHeaderError,
  PeerResetError,
  PeerVanishedError,
  ReadTimeoutError,
  RequestFailedError,
  RequestTimeoutError,
  TlsHandshakeError,
  TruncatedFrameError,
  WriteTimeoutError,
} from "@framewire/framewire";
import {
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertNotInstanceOf,
  assertStrictEquals,
} from "@std/assert";

/** Every class, with a name and a code of its own. */
const ERRORS: readonly [Error & { code: string }, string, string][] = [
  [new FramingError("No"), "FramingError", "ERR_FRAMING"],
  [
    new FrameTooLargeError("No", { length: 9, limit: 5 }),
    "FrameTooLargeError",
    "ERR_FRAME_TOO_LARGE",
  ],
  [
    new TruncatedFrameError("No", { have: 1 }),
    "TruncatedFrameError",
    "ERR_FRAME_TRUNCATED",
  ],
  [new MalformedFrameError("No"), "MalformedFrameError", "ERR_FRAME_MALFORMED"],
  [new MessageHeaderError("No"), "MessageHeaderError", "ERR_MESSAGE_HEADER"],
  [new ConnectionError("No"), "ConnectionError", "ERR_CONNECTION"],
  [
    new ConnectTimeoutError("No", { timeout: 5 }),
    "ConnectTimeoutError",
    "ERR_CONNECT_TIMEOUT",
  ],
  [
    new ReadTimeoutError("No", { timeout: 5, have: 0 }),
    "ReadTimeoutError",
    "ERR_READ_TIMEOUT",
  ],
  [
    new WriteTimeoutError("No", { timeout: 5, pending: 1 }),
    "WriteTimeoutError",
    "ERR_WRITE_TIMEOUT",
  ],
  [new PeerResetError("No"), "PeerResetError", "ERR_PEER_RESET"],
  [new TlsHandshakeError("No"), "TlsHandshakeError", "ERR_TLS_HANDSHAKE"],
  [
    new PeerVanishedError("No", { silence: 5 }),
    "PeerVanishedError",
    "ERR_PEER_VANISHED",
  ],
  [
    new ConnectionClosedError("No"),
    "ConnectionClosedError",
    "ERR_CONNECTION_CLOSED",
  ],
  [
    new RequestFailedError("No", { state: "unknown" }),
    "RequestFailedError",
    "ERR_REQUEST_FAILED",
  ],
  [
    new RequestTimeoutError("No", { state: "unknown", timeout: 5 }),
    "RequestTimeoutError",
    "ERR_REQUEST_TIMEOUT",
  ],
];

Deno.test("every error has its class's name, a code and the message", () => {
  for (const [error, name, code] of ERRORS) {
    assertEquals([error.name, error.constructor.name], [name, name]);
    assertEquals([error.code, error.message], [code, "No"]);
    assertEquals(String(error), `${name}: No`);
    assertInstanceOf(error, Error);
  }
  const codes = new Set(ERRORS.map(([{ code }]) => code));
  assertEquals(codes.size, ERRORS.length);
});

Deno.test("every error is either of the bytes or of the connection", () => {
  for (const [index, [error]] of ERRORS.entries()) {
    const [its, other] = index < 5
      ? [FramingError, ConnectionError]
      : [ConnectionError, FramingError];
    assertInstanceOf<typeof FramingError | typeof ConnectionError>(error, its);
    assertNotInstanceOf(error, other);
  }
});

Deno.test("an error has a cause if there was one, and else none", () => {
  const cause = new RangeError("first");
  for (
    const error of [
      new FramingError("No", { cause }),
      new FrameTooLargeError("No", { length: 9, limit: 5, cause }),
      new TruncatedFrameError("No", { have: 1, cause }),
      new MessageHeaderError("No", { cause }),
      new ConnectionError("No", { cause }),
      new ConnectTimeoutError("No", { timeout: 5, cause }),
      new ReadTimeoutError("No", { timeout: 5, have: 0, cause }),
      new WriteTimeoutError("No", { timeout: 5, pending: 0, cause }),
      new PeerResetError("No", { cause }),
      new PeerVanishedError("No", { silence: 5, cause }),
      new RequestFailedError("No", { state: "unknown", cause }),
      new RequestTimeoutError("No", { state: "unknown", timeout: 5, cause }),
    ]
  ) {
    assertStrictEquals(error.cause, cause);
  }
  for (const [error] of ERRORS) assertFalse("cause" in error);
});

Deno.test("a FramingError knows its place, or the beginning of the stream", () => {
  const preview = new Uint8Array([1, 2]);
  const place = { offset: 7, preview, recoverable: true };
  for (
    const [error, offset, bytes, recoverable] of [
      [new FramingError("No"), 0, new Uint8Array(), false],
      [new FramingError("No", place), 7, preview, true],
      [new MalformedFrameError("No", place), 7, preview, true],
      [new MessageHeaderError("No", place), 7, preview, true],
      [new TruncatedFrameError("No", { ...place, have: 2 }), 7, preview, true],
      [
        new FrameTooLargeError("No", { ...place, length: 9, limit: 5 }),
        7,
        preview,
        true,
      ],
    ] as const
  ) {
    assertEquals([error.offset, error.recoverable], [offset, recoverable]);
    assertEquals(error.preview, bytes);
  }
});

Deno.test("errors keep the numbers behind their messages", () => {
  const large = new FrameTooLargeError("No", { length: 9, limit: 5 });
  assertEquals([large.length, large.limit], [9, 5]);

  const partial = new Uint8Array([1]);
  const cut = new TruncatedFrameError("No", { have: 5, need: 9, partial });
  assertEquals<unknown>([cut.have, cut.need, cut.partial], [5, 9, partial]);
  const vague = new TruncatedFrameError("No", { have: 5 });
  assertEquals<unknown>([vague.need, vague.partial], [
    undefined,
    new Uint8Array(),
  ]);

  const header = new MessageHeaderError("No", { field: "byteorder" });
  assertEquals(header.field, "byteorder");
  assertEquals(new MessageHeaderError("No").field, undefined);

  assertEquals(new ConnectTimeoutError("No", { timeout: 5 }).timeout, 5);
  const read = new ReadTimeoutError("No", { timeout: 5, have: 2, need: 4 });
  assertEquals([read.timeout, read.have, read.need], [5, 2, 4]);
  const write = new WriteTimeoutError("No", { timeout: 5, pending: 3 });
  assertEquals([write.timeout, write.pending], [5, 3]);
});
