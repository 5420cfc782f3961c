/**
 * SCGI, without a web server.
 *
 * @module
 */

import {
  type Codec,
  FrameDecoder,
  FrameTooLargeError,
} from "@framewire/framewire";
import {
  scgi,
  type ScgiRequest,
  type ScgiResponse,
} from "@framewire/framewire/protocols";
import { checkCodec } from "@framewire/framewire/testing";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readCapture } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { fuzz, type Fuzzed } from "../support/fuzzing.ts";
import { outcomes, outcomesByChunk } from "../support/outcomes.ts";
import { byteByByte, raw } from "../support/wire.ts";

const server = scgi();
const client = scgi({ role: "client" });

/** Requests, as web servers write them and programs read them. */
const requests: Codec<ScgiRequest> = {
  decode: (received) => server.decode(received),
  encode: (request, out) => client.encode(request, out),
};
/** Answers, as programs write them and web servers read them. */
const answers: Codec<ScgiResponse, ScgiResponse | Uint8Array> = {
  decode: (received) => client.decode(received),
  decodeEnd: (received) => client.decodeEnd?.(received),
  encode: (response, out) => server.encode(response, out),
};

/** The wire of a request. */
function wire(headers: string, body = ""): string {
  return `${headers.length}:${headers},${body}`;
}

/** The headers that must be there. */
function must(length: number | string): string {
  return `CONTENT_LENGTH\0${length}\0SCGI\x001\0`;
}

/** The request of the specification. */
const DEEP_THOUGHT = {
  frame: {
    headers: { REQUEST_METHOD: "POST", REQUEST_URI: "/deepthought" },
    body: raw("What is the answer to life?"),
  },
  wire: raw(
    "70:CONTENT_LENGTH\x0027\0SCGI\x001\0" +
      "REQUEST_METHOD\0POST\0REQUEST_URI\0/deepthought\0," +
      "What is the answer to life?",
  ),
};

Deno.test("scgi() keeps its contract for requests", () => {
  const report = checkCodec(requests, [
    DEEP_THOUGHT,
    { frame: { headers: {}, body: raw("") }, wire: raw(wire(must(0))) },
    {
      frame: { headers: { X: "", Y: "caf\xe9" }, body: raw("\0,") },
      wire: raw(wire(must(2) + "X\0\0Y\0caf\xe9\0", "\0,")),
    },
    {
      frame: { headers: { A: "1" }, body: raw("x") },
      wire: raw(wire("CONTENT_LENGTH\x001\0A\x001\0SCGI\x001\0", "x")),
      canonical: false, // SCGI may come anywhere behind the first header
    },
  ], {
    tooLarge: [
      "65537:",
      "70000:CONTENT_LENGTH",
      raw(wire(must(1024 * 1024 + 1))),
    ],
    malformed: [
      raw("24:CONTENT_LENGTH\x000\0SCGI\x001\0;"),
      "0:,",
      "1:a,",
      raw(wire("a\0")),
      raw(wire("CONTENT_LENGTH\x000")),
      raw(wire("SCGI\x001\0CONTENT_LENGTH\x000\0")),
      raw(wire("CONTENT_LENGTH\x000\0")),
      raw(wire("CONTENT_LENGTH\x000\0SCGI\x002\0")),
      raw(wire(must(""))),
      raw(wire(must("-1"))),
      raw(wire(must("01"))),
      raw(wire(must("1 "))),
      raw(wire(must(0) + "\0x\0")),
      raw(wire(must(0) + "a\x001\0a\x002\0")),
      raw(wire(must(0) + "CONTENT_LENGTH\x001\0")),
      "GET / HTTP/1.1\r\n",
      raw("\x01\x01\0\x01\0\x08\0\0"), // FastCGI
    ],
  });
  assertEquals(report.samples, 4);
});

Deno.test("scgi() keeps its contract for answers", () => {
  checkCodec(answers, [
    {
      frame: {
        status: 200,
        reason: "OK",
        headers: [["Content-Type", "text/plain"]],
        body: raw("42"),
      },
      wire: "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n42",
    },
    {
      frame: {
        status: 404,
        reason: "n\xf6",
        headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=\xe9"]],
        body: raw(""),
      },
      wire: raw(
        "Status: 404 n\xf6\r\nSet-Cookie: a=1\r\nSet-Cookie: b=\xe9\r\n\r\n",
      ),
    },
    {
      frame: {
        status: 200,
        headers: [["Content-Type", "text/html"]],
        body: raw("\r\n\n"),
      },
      wire: "content-type:text/html\n\n\r\n\n".replace(
        "content-type:",
        "Content-Type:\t ",
      ),
      canonical: false,
    },
    {
      frame: { status: 299, headers: [], body: raw("") },
      wire: "Status: 299\r\n\r\n",
      canonical: false,
    },
    {
      frame: { status: 302, headers: [["Location", "/x"]], body: raw("") },
      wire: "Location: /x\r\n\r\n",
      canonical: false,
    },
  ], {
    untilEnd: true,
    malformed: [
      "42",
      "Status: 200 OK\r\n",
      "Status: 20\r\n\r\n",
      "Status: OK\r\n\r\n",
      "Status: 200\r\nstatus: 200\r\n\r\n",
      "no colon\r\n\r\n",
      ": no name\r\n\r\n",
      " folded: line\r\n\r\n",
      "a: b\rc: d\r\n\r\n",
    ],
  });
  const small = scgi({ role: "client", maxFrameLength: 10 });
  const decoder = new FrameDecoder(small);
  decoder.push(raw("Status: 200"));
  assertThrows(() => decoder.next(), FrameTooLargeError);
});

Deno.test("scgi() reads a header of an answer with blanks inside once", () => {
  const value = (count: number) => `x${" ".repeat(count)}x`;
  const time = (count: number) => {
    const wire = raw(`A: \t${value(count)}\t \r\n\r\n`);
    const times = [1, 2, 3].map(() => {
      const decoder = new FrameDecoder(client);
      decoder.push(wire.slice());
      const begin = performance.now();
      const answer = decoder.end();
      const end = performance.now();
      assertEquals(answer?.headers, [["A", value(count)]]);
      return end - begin;
    });
    return Math.min(...times);
  };
  // Four times as much takes sixteen times as long if each blank is looked at from each.
  const ratio = time(160_000) / time(40_000);
  assert(ratio < 10, `four times the blanks took ${ratio} times as long`);
});

Deno.test("scgi() says what is wrong with the headers", () => {
  for (
    const [stream, message] of [
      [
        wire("A\x001\0"),
        "CONTENT_LENGTH must be the first header",
      ],
      [
        wire(must("9".repeat(100))),
        `CONTENT_LENGTH must be 1 to 15 digits: it is "${"9".repeat(60)}"`,
      ],
      [wire("CONTENT_LENGTH\x000\0"), "SCGI must be 1: missing"],
      [
        wire("CONTENT_LENGTH\x000\0SCGI\0\x01\0"),
        'SCGI must be 1: it is "\\u0001"',
      ],
      [wire(must(0) + "a\0b\0a\0b\0"), 'header "a" comes twice'],
      [
        wire(must(0) + "\x7f\x85\0b\0\x7f\x85\0b\0"),
        'header "\\u007f\\u0085" comes twice',
      ],
      [
        wire(must(0) + "a"),
        "headers must be names and values, each ended by a zero byte",
      ],
      [
        "65537:",
        "length 65537 exceeds maxHeaderLength of 65536 bytes",
      ],
      [
        wire(must(1_048_577)),
        "length 1048577 exceeds maxFrameLength of 1048576 bytes",
      ],
    ]
  ) {
    const decoder = new FrameDecoder(server);
    decoder.push(raw(stream));
    const error = assertThrows(() => decoder.next(), Error);
    assertEquals(error.message, `Cannot read frame: ${message}`);
  }
});

Deno.test("scgi() joins the browser's headers that come twice, and no others", () => {
  const decoder = new FrameDecoder(server);
  decoder.push(raw(wire(
    must(0) + "HTTP_A\x001\0HTTP_COOKIE\0a=1\0HTTP_A\x002\0HTTP_A\x003\0" +
      "HTTP_COOKIE\0b=2\0",
  )));
  assertEquals({ ...decoder.next()?.headers }, {
    HTTP_A: "1, 2, 3",
    HTTP_COOKIE: "a=1; b=2",
  });
  for (const name of ["REQUEST_METHOD", "SCGI", "CONTENT_LENGTH", "HTTP"]) {
    const strict = new FrameDecoder(server);
    strict.push(raw(wire(must(0) + `${name}\x001\0${name}\x001\0`)));
    assertThrows(() => strict.next(), Error, `header "${name}" comes twice`);
  }
});

Deno.test("scgi() leaves a body out that is over the limit, and goes on", () => {
  const codec = scgi({ maxFrameLength: 3, onOversize: "skip" });
  const stream = raw(wire(must(4), "four") + wire(must(3), "tri"));
  const expected = [
    "left out: 4 > 3",
    '={"headers":{},"body":"tri"}',
    "end",
  ];
  assertEquals(outcomes(codec, [stream]), expected);
  assertEquals(outcomes(codec, byteByByte(stream)), expected);
});

Deno.test("scgi() reads the headers twice and no more, however a request is cut", () => {
  const stream = raw(wire(must(5000), "x".repeat(5000)));
  let calls = 0;
  const decoder = new FrameDecoder({
    ...server,
    decode(received) {
      calls++;
      return server.decode(received);
    },
  });
  let request: ScgiRequest | undefined;
  for (const byte of byteByByte(stream)) {
    decoder.push(byte);
    request = decoder.next();
  }
  assertEquals(request?.body.length, 5000);
  // A call for each digit of the block's length, for its end, and for the whole.
  assertEquals(calls <= 6, true, `${calls} calls`);
});

Deno.test("scgi() reads names that objects have anyway", () => {
  const decoder = new FrameDecoder(server);
  decoder.push(raw(wire(must(0) + "__proto__\0eve\0constructor\0\0")));
  const request = decoder.next();
  assertEquals(Object.entries(request?.headers ?? {}), [
    ["__proto__", "eve"],
    ["constructor", ""],
  ]);
  assertEquals(request?.headers.toString, undefined);
});

testEncoding<ScgiRequest>("scgi() as a client", [
  {
    name: "leaves out a header that has no value",
    codec: client,
    frame: { headers: { A: undefined, B: "2" }, body: raw("") },
    wire: wire(must(0) + "B\x002\0"),
  },
  {
    name: "refuses a zero character in a value",
    codec: client,
    frame: { headers: { A: "1\0B\x002" }, body: raw("") },
    fault: [
      TypeError,
      "header A must be characters that each stand for a byte",
    ],
  },
  {
    name: "refuses a character that is no byte",
    codec: client,
    frame: { headers: { A: "€" }, body: raw("") },
    fault: [TypeError, 'it has "€"'],
  },
  {
    name: "refuses a header without a name",
    codec: client,
    frame: { headers: { "": "1" }, body: raw("") },
    fault: [TypeError, 'a header cannot be ""'],
  },
  {
    name: "refuses a length of the caller's",
    codec: client,
    frame: { headers: { CONTENT_LENGTH: "1" }, body: raw("") },
    fault: [TypeError, 'a header cannot be "CONTENT_LENGTH"'],
  },
  {
    name: "refuses a body over the limit",
    codec: scgi({ role: "client", maxFrameLength: 1 }),
    frame: { headers: {}, body: raw("ab") },
    fault: [RangeError, "length 2 exceeds maxFrameLength of 1 bytes"],
  },
  {
    name: "refuses headers over the limit",
    codec: scgi({ role: "client", maxHeaderLength: 30 }),
    frame: { headers: { A: "12345678" }, body: raw("") },
    fault: [RangeError, "length 35 exceeds maxHeaderLength of 30 bytes"],
  },
]);

const PLAIN = { status: 200, headers: [], body: raw("") };

testEncoding<ScgiResponse | Uint8Array>("scgi()", [
  {
    name: "writes bytes as they are",
    codec: server,
    frame: raw("more of the body"),
    wire: "more of the body",
  },
  {
    name: "writes the words of HTTP for a status",
    codec: server,
    frame: { ...PLAIN, status: 404 },
    wire: "Status: 404 Not Found\r\n\r\n",
  },
  {
    name: "writes some words for a status that is not common",
    codec: server,
    frame: { ...PLAIN, status: 418 },
    wire: "Status: 418 Unknown\r\n\r\n",
  },
  {
    name: "refuses a header that would begin another",
    codec: server,
    frame: { ...PLAIN, headers: [["X", "a\r\nSet-Cookie: b=1"]] },
    fault: [TypeError, "header X must be characters"],
  },
  {
    name: "refuses words that would begin a header",
    codec: server,
    frame: { ...PLAIN, reason: "OK\nX: y" },
    fault: [TypeError, "header Status must be characters"],
  },
  {
    name: "refuses a name that is none",
    codec: server,
    frame: { ...PLAIN, headers: [["X: y\r\nZ", "a"]] },
    fault: [TypeError, "a header's name must be letters, digits and hyphens"],
  },
  {
    name: "refuses a status among the headers",
    codec: server,
    frame: { ...PLAIN, headers: [["status", "404"]] },
    fault: [TypeError, "the status must be given by its own field"],
  },
  {
    name: "refuses a status that is none",
    codec: server,
    frame: { ...PLAIN, status: 42 },
    fault: [
      RangeError,
      "status must be a whole number from 100 to 999: it is 42",
    ],
  },
  {
    name: "refuses an answer over the limit",
    codec: scgi({ maxFrameLength: 1 }),
    frame: { ...PLAIN, body: raw("ab") },
    fault: [RangeError, "length 2 exceeds maxFrameLength of 1 bytes"],
  },
]);

Deno.test("scgi() refuses options that cannot be", () => {
  assertThrows(
    () => Reflect.apply(scgi, undefined, [{ role: "peer" }]),
    RangeError,
    'role must be one of "server", "client": it is "peer"',
  );
  assertThrows(
    () => scgi({ maxHeaderLength: 0 }),
    RangeError,
    "maxHeaderLength",
  );
  assertThrows(() => scgi({ maxFrameLength: -1 }), RangeError);
});

Deno.test("scgi() makes only documented errors of what nobody thought of", () => {
  const wires = [
    DEEP_THOUGHT.wire,
    raw(wire(must(0))),
    raw(wire(must(2) + "X\0\0Y\0caf\xe9\0", "\0,")),
  ];
  const written = [
    raw("Status: 200 OK\r\nContent-Type: a\n\nx"),
    raw("a: b\n\n"),
  ];
  const all: Fuzzed[] = [
    { maker: "scgi", name: "reading requests", codec: server, wires },
    {
      maker: "scgi",
      name: "that leaves out",
      codec: scgi({ maxFrameLength: 5, onOversize: "skip" }),
      wires,
    },
    { maker: "scgi", name: "reading answers", codec: client, wires: written },
  ];
  const others = all.flatMap((one) => one.wires);
  const fates = new Set<string>();
  for (let number = 0; number < 3000; number++) {
    fates.add(fuzz(number, all[number % all.length], others));
  }
  assertEquals(fates, new Set(["read", "refused", "truncated"]));
});

Deno.test("scgi() reads what nginx asked, and what it was answered, however it is cut", async () => {
  const { chunks } = await readCapture("scgi");
  // A connection for each request: what the server sent behind one ends with it.
  const connections: [request: Uint8Array[], answer: Uint8Array[]][] = [];
  let last = "server";
  for (const [from, bytes] of chunks) {
    if (from === "client" && last === "server") connections.push([[], []]);
    connections.at(-1)?.[from === "client" ? 0 : 1].push(bytes);
    last = from;
  }
  assertEquals(connections.length, 3);
  for (const connection of connections) {
    for (const [side, codec] of [server, client].entries()) {
      const recorded = connection[side];
      const stream = new Uint8Array(recorded.flatMap((bytes) => [...bytes]));
      const whole = outcomes(codec, [stream]);
      assertEquals(whole.length, 2);
      assertEquals(whole[0].startsWith('={"'), true, whole[0]);
      assertEquals(whole[1], "end");
      assertEquals(outcomesByChunk(codec, recorded).flat(), whole);
      assertEquals(outcomes(codec, byteByByte(stream)), whole);
      for (let i = 1; i < stream.length; i++) {
        const parts = [stream.subarray(0, i), stream.subarray(i)];
        assertEquals(outcomes(codec, parts), whole, `cut at ${i}`);
      }
    }
  }
});
