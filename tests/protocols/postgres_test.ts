/**
 * PostgreSQL's protocol, without PostgreSQL.
 *
 * @module
 */

import {
  type Codec,
  encodeFrame,
  FrameDecoder,
  MalformedFrameError,
} from "@framewire/framewire";
import {
  postgres,
  type PostgresClientMessage,
  postgresEncryption,
  type PostgresProof,
  type PostgresServerMessage,
} from "@framewire/framewire/protocols";
import { checkCodec, type CodecSample } from "@framewire/framewire/testing";
import { assertEquals, assertThrows } from "@std/assert";
import { readCapture, sentBy } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { fuzz, type Fuzzed } from "../support/fuzzing.ts";
import { outcomes, outcomesByChunk } from "../support/outcomes.ts";
import { byteByByte, raw } from "../support/wire.ts";

const client = postgres();
const server = postgres({ role: "server" });

/** What servers say, as clients read it and servers write it. */
const fromServer: Codec<PostgresServerMessage> = {
  decode: (received) => client.decode(received),
  encode: (message, out) => server.encode(message, out),
};
/** What clients say, as servers read it and clients write it. */
const fromClient: Codec<
  PostgresClientMessage,
  PostgresClientMessage | PostgresProof
> = {
  decode: (received) => server.decode(received),
  encode: (message, out) => client.encode(message, out),
};

/** A message: its tag, its length and its body. */
function message(tag: string, body: string): string {
  const length = body.length + 4;
  return tag + String.fromCharCode(0, 0, length >> 8, length & 255) + body;
}

const SAID_BY_SERVERS: CodecSample<PostgresServerMessage>[] = [
  {
    frame: { type: "authentication", method: "ok" },
    wire: raw(message("R", "\0\0\0\0")),
  },
  {
    frame: { type: "authentication", method: "cleartextPassword" },
    wire: raw(message("R", "\0\0\0\x03")),
  },
  {
    frame: { type: "authentication", method: "kerberosV5" },
    wire: raw(message("R", "\0\0\0\x02")),
  },
  {
    frame: {
      type: "authentication",
      method: "md5Password",
      salt: raw("\x01\x02\x03\x04"),
    },
    wire: raw(message("R", "\0\0\0\x05\x01\x02\x03\x04")),
  },
  {
    frame: { type: "authentication", method: "gss" },
    wire: raw(message("R", "\0\0\0\x07")),
  },
  {
    frame: { type: "authentication", method: "gssContinue", data: raw("go") },
    wire: raw(message("R", "\0\0\0\x08go")),
  },
  {
    frame: { type: "authentication", method: "sspi" },
    wire: raw(message("R", "\0\0\0\x09")),
  },
  {
    frame: {
      type: "authentication",
      method: "sasl",
      mechanisms: ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"],
    },
    wire: raw(
      message("R", "\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"),
    ),
  },
  {
    frame: { type: "authentication", method: "saslContinue", data: raw("r=1") },
    wire: raw(message("R", "\0\0\0\x0br=1")),
  },
  {
    frame: { type: "authentication", method: "saslFinal", data: raw("v=1") },
    wire: raw(message("R", "\0\0\0\x0cv=1")),
  },
  {
    frame: {
      type: "authentication",
      method: "other",
      code: 6,
      data: raw("\x01"),
    },
    wire: raw(message("R", "\0\0\0\x06\x01")),
  },
  {
    frame: {
      type: "backendKeyData",
      processId: 258,
      secretKey: raw("\xff\xfe\xfd\xfc"),
    },
    wire: raw(message("K", "\0\0\x01\x02\xff\xfe\xfd\xfc")),
  },
  {
    frame: {
      type: "parameterStatus",
      name: "client_encoding",
      value: "UTF8",
    },
    wire: raw(message("S", "client_encoding\0UTF8\0")),
  },
  {
    frame: { type: "readyForQuery", status: "idle" },
    wire: raw(message("Z", "I")),
  },
  {
    frame: { type: "readyForQuery", status: "transaction" },
    wire: raw(message("Z", "T")),
  },
  {
    frame: { type: "readyForQuery", status: "failed" },
    wire: raw(message("Z", "E")),
  },
  {
    frame: {
      type: "rowDescription",
      columns: [
        {
          name: "grüße",
          tableOid: 0xffff_fffe,
          columnNumber: -6,
          typeOid: 25,
          typeSize: -1,
          typeModifier: -1,
          format: "text",
        },
        {
          name: "",
          tableOid: 0,
          columnNumber: 0,
          typeOid: 23,
          typeSize: 4,
          typeModifier: 7,
          format: "binary",
        },
      ],
    },
    wire: raw(message(
      "T",
      "\0\x02" +
        "gr\xc3\xbc\xc3\x9fe\0" +
        "\xff\xff\xff\xfe\xff\xfa\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0" +
        "\0" + "\0\0\0\0\0\0\0\0\0\x17\0\x04\0\0\0\x07\0\x01",
    )),
  },
  {
    frame: { type: "rowDescription", columns: [] },
    wire: raw(message("T", "\0\0")),
  },
  {
    frame: { type: "dataRow", values: [raw("hi"), null, raw("")] },
    wire: raw(
      message("D", "\0\x03\0\0\0\x02hi\xff\xff\xff\xff\0\0\0\0"),
    ),
  },
  { frame: { type: "dataRow", values: [] }, wire: raw(message("D", "\0\0")) },
  {
    frame: { type: "commandComplete", command: "SELECT 1" },
    wire: raw(message("C", "SELECT 1\0")),
  },
  {
    frame: {
      type: "errorResponse",
      fields: { severity: "ERROR", code: "42P01", message: "no", Y: "?" },
    },
    wire: raw(message("E", "SERROR\0C42P01\0Mno\0Y?\0\0")),
  },
  {
    frame: { type: "noticeResponse", fields: {} },
    wire: raw(message("N", "\0")),
  },
  { frame: { type: "emptyQueryResponse" }, wire: raw(message("I", "")) },
  { frame: { type: "parseComplete" }, wire: raw(message("1", "")) },
  { frame: { type: "bindComplete" }, wire: raw(message("2", "")) },
  { frame: { type: "closeComplete" }, wire: raw(message("3", "")) },
  { frame: { type: "noData" }, wire: raw(message("n", "")) },
  { frame: { type: "portalSuspended" }, wire: raw(message("s", "")) },
  {
    frame: { type: "parameterDescription", typeOids: [23, 25] },
    wire: raw(message("t", "\0\x02\0\0\0\x17\0\0\0\x19")),
  },
  {
    frame: {
      type: "notificationResponse",
      processId: 7,
      channel: "news",
      payload: "",
    },
    wire: raw(message("A", "\0\0\0\x07news\0\0")),
  },
  {
    frame: {
      type: "copyInResponse",
      format: "text",
      columnFormats: ["text", "text"],
    },
    wire: raw(message("G", "\0\0\x02\0\0\0\0")),
  },
  {
    frame: {
      type: "copyOutResponse",
      format: "binary",
      columnFormats: ["binary"],
    },
    wire: raw(message("H", "\x01\0\x01\0\x01")),
  },
  {
    frame: { type: "copyBothResponse", format: "text", columnFormats: [] },
    wire: raw(message("W", "\0\0\0")),
  },
  {
    frame: { type: "copyData", data: raw("1\t2\n") },
    wire: raw(message("d", "1\t2\n")),
  },
  { frame: { type: "copyDone" }, wire: raw(message("c", "")) },
  {
    frame: {
      type: "negotiateProtocolVersion",
      minorVersion: 0,
      options: ["_pq_.x"],
    },
    wire: raw(message("v", "\0\0\0\0\0\0\0\x01_pq_.x\0")),
  },
  {
    frame: { type: "other", tag: "V", body: raw("\0\0\0\0") },
    wire: raw(message("V", "\0\0\0\0")),
  },
];

const SAID_BY_CLIENTS: CodecSample<PostgresClientMessage>[] = [
  {
    frame: { type: "sslRequest" },
    wire: raw("\0\0\0\x08\x04\xd2\x16\x2f"),
  },
  {
    frame: { type: "gssEncryptionRequest" },
    wire: raw("\0\0\0\x08\x04\xd2\x16\x30"),
  },
  {
    frame: {
      type: "cancelRequest",
      processId: 258,
      secretKey: raw("\xff\xfe\xfd\xfc"),
    },
    wire: raw("\0\0\0\x10\x04\xd2\x16\x2e\0\0\x01\x02\xff\xfe\xfd\xfc"),
  },
  {
    frame: {
      type: "startup",
      version: "3.0",
      parameters: { user: "alice", database: "" },
    },
    wire: raw("\0\0\0\x1e\0\x03\0\0user\0alice\0database\0\0\0"),
  },
  {
    frame: { type: "startup", version: "3.2", parameters: {} },
    wire: raw("\0\0\0\x09\0\x03\0\x02\0"),
  },
  {
    frame: { type: "authenticationResponse", data: raw("secret\0") },
    wire: raw(message("p", "secret\0")),
  },
  {
    frame: { type: "query", sql: "SELECT 'ü'" },
    wire: raw(message("Q", "SELECT '\xc3\xbc'\0")),
  },
  {
    frame: { type: "parse", name: "one", sql: "SELECT $1", typeOids: [23] },
    wire: raw(message("P", "one\0SELECT $1\0\0\x01\0\0\0\x17")),
  },
  {
    frame: {
      type: "bind",
      portal: "",
      statement: "one",
      parameterFormats: ["binary"],
      parameters: [raw("\0\0\0\x07"), null],
      resultFormats: [],
    },
    wire: raw(message(
      "B",
      "\0one\0\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff\0\0",
    )),
  },
  {
    frame: { type: "describe", what: "statement", name: "one" },
    wire: raw(message("D", "Sone\0")),
  },
  {
    frame: { type: "close", what: "portal", name: "" },
    wire: raw(message("C", "P\0")),
  },
  {
    frame: { type: "execute", portal: "", maxRows: 100 },
    wire: raw(message("E", "\0\0\0\0\x64")),
  },
  { frame: { type: "sync" }, wire: raw(message("S", "")) },
  { frame: { type: "flush" }, wire: raw(message("H", "")) },
  { frame: { type: "copyData", data: raw("") }, wire: raw(message("d", "")) },
  { frame: { type: "copyDone" }, wire: raw(message("c", "")) },
  {
    frame: { type: "copyFail", message: "enough" },
    wire: raw(message("f", "enough\0")),
  },
  { frame: { type: "terminate" }, wire: raw(message("X", "")) },
  {
    frame: { type: "other", tag: "F", body: raw("\x01") },
    wire: raw(message("F", "\x01")),
  },
];

const HTTP = raw("GET / HTTP/1.1\r\n");
const TLS = raw("\x16\x03\x01\0\xf8\x01");

Deno.test("postgres() keeps its contract for what servers say", () => {
  checkCodec(fromServer, SAID_BY_SERVERS, {
    tooLarge: [raw("D\x00\x10\x00\x05"), raw("HTTP/1.1 400 Bad Request\r\n")],
    malformed: [
      raw("\0\0\0\x08"),
      raw("\x15\x03"),
      raw("!"),
      raw("Z\0\0\0\x03"),
      TLS,
    ],
  });
});

Deno.test("postgres() keeps its contract for what clients say", () => {
  checkCodec(fromClient, SAID_BY_CLIENTS, {
    tooLarge: [raw("\0\0\x27\x11"), raw("Q\x00\x10\x00\x05"), HTTP],
    malformed: [raw("\0\0\0\x03"), raw("\xff"), raw("Q\0\0\0\0"), TLS],
  });
});

Deno.test("postgresEncryption() keeps its contract", () => {
  const answers = postgresEncryption();
  checkCodec(
    {
      decode: (received) => answers.decode(received),
      encode: (answer, out) => server.encode(answer, out),
    },
    [
      {
        frame: { type: "encryptionAnswer", encryption: "tls" },
        wire: "S",
      },
      {
        frame: { type: "encryptionAnswer", encryption: "gssapi" },
        wire: "G",
      },
      {
        frame: { type: "encryptionAnswer", encryption: "none" },
        wire: "N",
      },
      {
        frame: { type: "errorResponse", fields: { message: "what?" } },
        wire: raw(message("E", "Mwhat?\0\0")),
      },
    ],
    { malformed: ["H", "Z\0\0\0\x05I", TLS], tooLarge: ["E\x7f\0\0\0"] },
  );
});

/** A body that is wrong, and what is said of it. */
const WRONG: readonly [role: "client" | "server", wire: string, why: string][] =
  [
    ["client", message("Z", "?"), 'a status must be one of I, T, E: it is "?"'],
    ["client", message("Z", ""), "takes 1 byte, and there are 0"],
    ["client", message("Z", "II"), "1 byte is left behind the last field"],
    ["client", message("C", "SELECT"), "a text in the message has no end"],
    ["client", message("C", "\xff\0"), "the bytes are not valid UTF-8"],
    ["client", message("D", "\0\x01"), "takes 4 bytes, and there are 0"],
    [
      "client",
      message("D", "\0\x01\0\0\0\x02x"),
      "takes 2 bytes, and there are 1",
    ],
    [
      "client",
      message("D", "\0\x01\xff\xff\xff\xfe"),
      "the length of a value cannot be -2",
    ],
    ["client", message("D", "\xff\xff"), "takes 4 bytes, and there are 0"],
    ["client", message("E", "Mno\0"), "takes 1 byte, and there are 0"],
    [
      "client",
      message("E", "Mno\0Mno\0\0"),
      'a field comes twice: "message"',
    ],
    ["client", message("R", "\0\0\0\x05abc"), "takes 4 bytes, and there are 3"],
    ["client", message("R", "\0\0\0\0x"), "1 byte is left"],
    ["client", message("H", "\x02\0\0"), "a format must be 0 or 1: it is 2"],
    ["client", message("I", "x"), "1 byte is left"],
    [
      "server",
      "\0\0\0\x08\0\x02\0\0",
      "the version of the protocol must be 3: it is 2.0",
    ],
    ["server", "\0\0\0\x06\0\x03", "takes 4 bytes, and there are 2"],
    ["server", "\0\0\0\x08\0\x03\0\0", "takes 1 byte, and there are 0"],
    [
      "server",
      "\0\0\0\x0d\0\x03\0\0user\0",
      "a text in the message has no end",
    ],
    [
      "server",
      "\0\0\0\x11\0\x03\0\0a\0b\0a\0c\0\0",
      'a parameter comes twice: "a"',
    ],
    ["server", "\0\0\0\x09\x04\xd2\x16\x2fx", "1 byte is left"],
    [
      "server",
      message("D", "X\0"),
      'what is named must be one of S, P: it is "X"',
    ],
    ["server", message("Q", "a\0b\0"), "2 bytes are left"],
  ];

for (const [role, wire, why] of WRONG) {
  Deno.test(`postgres() goes on behind a body that is wrong: ${why}, ${JSON.stringify(wire)}`, () => {
    const codec = role === "client" ? client : server;
    const behind = role === "client" ? message("I", "") : message("S", "");
    const stream = raw(wire + behind);
    const expected = [
      "malformed, goes on",
      `={"type":"${role === "client" ? "emptyQueryResponse" : "sync"}"}`,
      "end",
    ];
    assertEquals(outcomes(codec, [stream]), expected);
    assertEquals(outcomes(codec, byteByByte(stream)), expected);
    const decoder = new FrameDecoder<unknown>(codec);
    decoder.push(stream);
    const error = assertThrows(() => decoder.next(), MalformedFrameError, why);
    assertEquals(error.message.startsWith("Cannot decode frame: "), true);
  });
}

Deno.test("postgres() leaves a row out that is over the limit, and goes on", () => {
  const codec = postgres({ maxFrameLength: 10, onOversize: "skip" });
  const wire = raw(
    message("D", "\0\x01\0\0\0\x05hello") + message("Z", "I"),
  );
  const expected = [
    "left out: 11 > 10",
    '={"type":"readyForQuery","status":"idle"}',
    "end",
  ];
  assertEquals(outcomes(codec, [wire]), expected);
  assertEquals(outcomes(codec, byteByByte(wire)), expected);
});

Deno.test("postgres() takes a start-up message as long as servers do", () => {
  const value = "x".repeat(10_000 - 11);
  const frame = { type: "startup", version: "3.0", parameters: { u: value } };
  const longest = {
    ...frame,
    type: "startup",
    parameters: { u: value.slice(0, -1) },
  } as const;
  assertEquals(encodeFrame(client, longest).length, 10_000);
  const decoder = new FrameDecoder(server);
  decoder.push(encodeFrame(client, longest));
  assertEquals<unknown>(decoder.next(), longest);
  assertThrows(
    () => encodeFrame(client, { ...longest, parameters: frame.parameters }),
    RangeError,
    "Cannot write frame: length 9997 exceeds the start-up's limit of 9996 bytes",
  );
  const over = new FrameDecoder(server);
  over.push(raw("\0\0\x27\x11"));
  assertThrows(
    () => over.next(),
    Error,
    "Cannot read frame: length 9997 exceeds the start-up's limit of 9996 bytes",
  );
  const small = new FrameDecoder(
    postgres({ role: "server", maxFrameLength: 9 }),
  );
  small.push(raw("\0\0\0\x0e"));
  assertThrows(
    () => small.next(),
    Error,
    "Cannot read frame: length 10 exceeds maxFrameLength of 9 bytes",
  );
});

Deno.test("postgres() reads names that objects have anyway", () => {
  const wire = raw("\0\0\0\x17\0\x03\0\0__proto__\0eve\0\0");
  const good = new FrameDecoder(server);
  good.push(wire);
  const message = good.next();
  assertEquals(message?.type, "startup");
  if (message?.type !== "startup") return;
  assertEquals(Object.entries(message.parameters), [["__proto__", "eve"]]);
  assertEquals(message.parameters.toString, undefined);
  assertEquals(encodeFrame(client, message), wire);
});

testEncoding<PostgresClientMessage | PostgresProof>("postgres()", [
  {
    name: "writes a password as a client",
    codec: client,
    frame: { type: "password", password: "secret" },
    wire: message("p", "secret\0"),
  },
  {
    name: "writes the first step of SASL",
    codec: client,
    frame: {
      type: "saslInitialResponse",
      mechanism: "SCRAM-SHA-256",
      data: raw("n,,n=,r=1"),
    },
    wire: message("p", "SCRAM-SHA-256\0\0\0\0\x09n,,n=,r=1"),
  },
  {
    name: "writes that there is no first step of SASL",
    codec: client,
    frame: { type: "saslInitialResponse", mechanism: "X", data: null },
    wire: message("p", "X\0\xff\xff\xff\xff"),
  },
  {
    name: "refuses a text with a zero character",
    codec: client,
    frame: { type: "query", sql: "SELECT 1\0; DROP TABLE a" },
    fault: [TypeError, "the text has a zero character, which would end it"],
  },
  {
    name: "refuses half a surrogate pair",
    codec: client,
    frame: { type: "query", sql: "\ud800" },
    fault: [TypeError, "half a surrogate pair"],
  },
  {
    name: "refuses another version",
    codec: client,
    frame: { type: "startup", version: "2.0", parameters: {} },
    fault: [RangeError, 'version must be "3.0" or another of 3: it is "2.0"'],
  },
  {
    name: "refuses a minor version that does not fit",
    codec: client,
    frame: { type: "startup", version: "3.65536", parameters: {} },
    fault: [RangeError, 'it is "3.65536"'],
  },
  {
    name: "refuses a parameter without a name",
    codec: client,
    frame: { type: "startup", version: "3.0", parameters: { "": "x" } },
    fault: [RangeError, "a parameter must have a name"],
  },
  {
    name: "refuses a mechanism without a name",
    codec: client,
    frame: { type: "saslInitialResponse", mechanism: "", data: null },
    fault: [RangeError, "a mechanism must have a name"],
  },
  {
    name: "refuses a number that does not fit",
    codec: client,
    frame: { type: "execute", portal: "", maxRows: -1 },
    fault: [
      RangeError,
      "maxRows must be a whole number from 0 to 4294967295: it is -1",
    ],
  },
  {
    name: "refuses more parameters than can be counted",
    codec: client,
    frame: {
      type: "bind",
      portal: "",
      statement: "",
      parameterFormats: [],
      parameters: Array.from({ length: 65_536 }, () => null),
      resultFormats: [],
    },
    fault: [
      RangeError,
      "number of parameters must be a whole number from 0 to 65535: it is 65536",
    ],
  },
  {
    name: "refuses a message over the limit",
    codec: postgres({ maxFrameLength: 8 }),
    frame: { type: "query", sql: "SELECT 1" },
    fault: [RangeError, "length 9 exceeds maxFrameLength of 8 bytes"],
  },
  {
    name: "refuses a tag that is none",
    codec: client,
    frame: { type: "other", tag: "QQ", body: raw("") },
    fault: [RangeError, 'tag must be a letter or a digit: it is "QQ"'],
  },
]);

testEncoding<PostgresServerMessage>("postgres() as a server", [
  {
    name: "refuses a field by its letter and its name",
    codec: fromServer,
    frame: { type: "errorResponse", fields: { S: "a", severity: "b" } },
    fault: [RangeError, '"S" and "severity" are the same'],
  },
  {
    name: "refuses a mechanism without a name, which would end the list",
    codec: fromServer,
    frame: { type: "authentication", method: "sasl", mechanisms: ["A", ""] },
    fault: [RangeError, "a mechanism must have a name"],
  },
  {
    name: "refuses a field that has neither a known name nor a letter",
    codec: fromServer,
    frame: { type: "errorResponse", fields: { reason: "no" } },
    fault: [RangeError, 'it is "reason"'],
  },
  {
    name: "refuses a salt that is too short",
    codec: fromServer,
    frame: { type: "authentication", method: "md5Password", salt: raw("abc") },
    fault: [RangeError, "salt must be 4 bytes: it is 3"],
  },
  {
    name: "refuses a column that does not fit",
    codec: fromServer,
    frame: {
      type: "rowDescription",
      columns: [{
        name: "a",
        tableOid: 0,
        columnNumber: 40_000,
        typeOid: 0,
        typeSize: 0,
        typeModifier: 0,
        format: "text",
      }],
    },
    fault: [
      RangeError,
      "columnNumber must be a whole number from -32768 to 32767: it is 40000",
    ],
  },
]);

Deno.test("postgres() refuses what only the other side says", () => {
  const query: PostgresClientMessage = { type: "query", sql: "" };
  // As those write who have no type checker.
  const untyped: Codec<unknown, never> = server;
  const encode: (frame: never) => Uint8Array = (frame) =>
    encodeFrame(untyped, frame);
  assertThrows(
    () => Reflect.apply(encode, undefined, [query]),
    TypeError,
    'Cannot write frame: a server sends no such message: {"type":"query","sql":""}',
  );
  assertThrows(
    () => Reflect.apply(postgres, undefined, [{ role: "peer" }]),
    RangeError,
    'Cannot make codec: role must be one of "client", "server": it is "peer"',
  );
});

Deno.test("postgres() says which other protocol it is spoken to in", () => {
  for (
    const [codec, wire, clause] of [
      [server, "GET / HTTP/1.1\r\n", "look like HTTP"],
      [client, "HTTP/1.1 400 Bad Request", "look like HTTP"],
      [server, "\x16\x03\x01\0\xf8\x01", "look like TLS"],
      [client, "SSH-2.0-OpenSSH_9.2p1", "look like SSH"],
    ] as const
  ) {
    const decoder = new FrameDecoder<unknown>(codec);
    decoder.push(raw(wire));
    assertThrows(() => decoder.next(), Error, clause);
  }
});

Deno.test("postgres() makes only documented errors of what nobody thought of", () => {
  const wires = (samples: readonly CodecSample<unknown>[]) =>
    samples.flatMap(({ wire }) => wire instanceof Uint8Array ? [wire] : []);
  const maker = "postgres";
  const all: Fuzzed[] = [
    {
      maker,
      name: "reading servers",
      codec: client,
      wires: wires(SAID_BY_SERVERS),
    },
    {
      maker,
      name: "reading clients",
      codec: server,
      wires: wires(SAID_BY_CLIENTS),
    },
    {
      maker,
      name: "that leaves out",
      codec: postgres({ maxFrameLength: 20, onOversize: "skip" }),
      wires: wires(SAID_BY_SERVERS),
    },
  ];
  const others = all.flatMap((one) => one.wires);
  const fates = new Set<string>();
  for (let number = 0; number < 3000; number++) {
    fates.add(fuzz(number, all[number % all.length], others));
  }
  assertEquals(fates, new Set(["read", "refused", "truncated"]));
});

Deno.test("postgres() reads what PostgreSQL and its client said, however it is cut", async () => {
  const capture = await readCapture("postgres");
  for (
    const [side, codec] of [["server", client], ["client", server]] as const
  ) {
    const stream = sentBy(side, capture);
    const whole = outcomes(codec, [stream]);
    assertEquals(whole.at(-1), "end");
    assertEquals(
      whole.filter((outcome) =>
        !outcome.startsWith('={"type":"') || outcome.includes('"other"')
      ),
      ["end"],
    );
    const recorded = capture.chunks.flatMap(([from, bytes]) =>
      from === side ? [bytes] : []
    );
    assertEquals(outcomesByChunk(codec, recorded).flat(), whole);
    assertEquals(outcomes(codec, byteByByte(stream)), whole);
    for (let i = 1; i < stream.length; i++) {
      const parts = [stream.subarray(0, i), stream.subarray(i)];
      assertEquals(outcomes(codec, parts), whole, `cut at ${i}`);
    }
  }
});
