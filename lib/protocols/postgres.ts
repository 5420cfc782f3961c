/**
 * The frontend/backend protocol of PostgreSQL, version 3.
 *
 *     | tag | length: u32, counts itself | body   |
 *     |  Q  |        00 00 00 0d         | SELECT 1 00 |              the client asks
 *     |  Z  |        00 00 00 05         | I      |                   the server waits for a question
 *
 * Two things have no tag: what a client begins with, whose length begins with a zero byte, which no tag is; and the
 * server's answer to the request to encrypt, which is one byte.
 *
 *           | 00 00 00 08 | 04 d2 16 2f |                            SSLRequest
 *           | S |                                                    go on with TLS; N: go on without
 *           | 00 00 00 13 | 00 03 00 00 | user 00 alice 00 00 |      the start-up
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { ByteSink } from "../bytes/byte_sink.ts";
import type { BytesCodec, Codec, LimitOptions } from "../codec/codec.ts";
import { malformed, tooLarge, tooLargeToWrite } from "../codec/faults.ts";
import { fixedLength } from "../codec/fixed_length.ts";
import { lengthPrefixed } from "../codec/length_prefixed.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { checkLimits, checkOneOf } from "../codec/options.ts";
import { typed, type TypedFrame } from "../codec/typed.ts";
import { BodyReader, BodyWriter, oneOf } from "./postgres_body.ts";
import type {
  PostgresAuthentication,
  PostgresClientMessage,
  PostgresColumn,
  PostgresCopyResponse,
  PostgresEncryptionAnswer,
  PostgresEncryptionRequest,
  PostgresErrorResponse,
  PostgresFields,
  PostgresProof,
  PostgresServerMessage,
  PostgresStartMessage,
} from "./postgres_messages.ts";

/** Which side of a PostgreSQL connection a program is, and its limits. */
export interface PostgresOptions<Role extends "client" | "server" = "client">
  extends LimitOptions {
  /**
   * Which side this program is: a client reads what servers say.
   *
   * @default {"client"}
   */
  role?: Role;
}

/** Bodies by their tags; what has no tag has 0 for one. */
type Cut = TypedFrame<Uint8Array>;

/** The longest start-up message that servers accept. */
const LONGEST_START = 10_000;
const LENGTH_WIDTH = 4;
const UNTAGGED = 0;
const TAG = /^[A-Za-z0-9]$/;

// What a start-up message begins with, if it is not the version of the protocol.
const CANCEL_REQUEST = 80877102;
const SSL_REQUEST = 80877103;
const GSS_ENCRYPTION_REQUEST = 80877104;

const METHODS = {
  ok: 0,
  kerberosV5: 2,
  cleartextPassword: 3,
  md5Password: 5,
  gss: 7,
  gssContinue: 8,
  sspi: 9,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;
const MD5_SALT = 4;

/** The names of the fields of errors, by their letters. */
const FIELDS: Readonly<Record<string, string>> = {
  S: "severity",
  V: "severityNonLocalized",
  C: "code",
  M: "message",
  D: "detail",
  H: "hint",
  P: "position",
  p: "internalPosition",
  q: "internalQuery",
  W: "where",
  s: "schema",
  t: "table",
  c: "column",
  d: "dataType",
  n: "constraint",
  F: "file",
  L: "line",
  R: "routine",
};
const LETTERS: ReadonlyMap<string, string> = new Map(
  Object.entries(FIELDS).map(([letter, name]) => [name, letter]),
);

const STATUSES = ["idle", "transaction", "failed"] as const;
const STATUS_LETTERS = "ITE";
const ENCRYPTIONS = ["tls", "gssapi", "none"] as const;
const ENCRYPTION_LETTERS = "SGN";
const COPY_TAGS = {
  copyInResponse: "G",
  copyOutResponse: "H",
  copyBothResponse: "W",
} as const;
const KINDS = ["statement", "portal"] as const;
const KIND_LETTERS = "SP";

/**
 * Reads what PostgreSQL servers say, and writes what clients do; or the other way round. Version 3 of the protocol:
 * "Frontend/Backend Protocol" in PostgreSQL's manual, "Message Formats".
 *
 * A codec has no state, so that it does not know whether a message is due: that is for the program. The answer to a
 * request to encrypt is read by {@linkcode postgresEncryption}. Text is UTF-8: say `client_encoding` in the start-up
 * if the database has another.
 *
 * A message that is cut right but whose body is wrong is a recoverable `MalformedFrameError`. `maxFrameLength` counts
 * the body; the protocol has no limit short of 1 GiB, which would be none, so that it is 1 MiB as with other codecs.
 * What has no tag is at most 10,000 bytes long, as with PostgreSQL itself.
 *
 * @param options Which side this program is, and the limits.
 * @returns The codec. Its `encode` throws a `RangeError` for a number that does not fit and a message over the limit,
 * and a `TypeError` for a text with a zero character and a message that this side does not send.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { postgres } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(postgres(), { type: "query", sql: "SELECT 1" });
 * assertEquals(new TextDecoder().decode(wire), "Q\0\0\0\rSELECT 1\0");
 *
 * const decoder = new FrameDecoder(postgres());
 * decoder.push(new TextEncoder().encode("Z\0\0\0\x05I"));
 * assertEquals(decoder.next(), { type: "readyForQuery", status: "idle" });
 * ```
 */
export function postgres(
  options?: PostgresOptions,
): Codec<PostgresServerMessage, PostgresClientMessage | PostgresProof>;
/**
 * Reads what PostgreSQL clients say, and writes what servers do.
 *
 * @param options That this program is the server, and the limits.
 * @returns The codec.
 */
export function postgres(
  options: PostgresOptions<"server"> & { role: "server" },
): Codec<
  PostgresClientMessage,
  PostgresServerMessage | PostgresEncryptionAnswer
>;
export function postgres(
  options: PostgresOptions<"client" | "server"> = {},
):
  | Codec<PostgresServerMessage, PostgresClientMessage | PostgresProof>
  | Codec<
    PostgresClientMessage,
    PostgresServerMessage | PostgresEncryptionAnswer
  > {
  const role = checkOneOf("role", options.role ?? "client", [
    "client",
    "server",
  ]);
  const { limit, onOversize } = checkLimits(options, 0x7fff_ffff);
  const body = lengthPrefixed({
    width: LENGTH_WIDTH,
    includesHeader: true,
    maxFrameLength: limit,
    onOversize,
  });
  const tagged = typed({
    length: (tag) => TAG.test(String.fromCharCode(tag)) ? body : undefined,
  });
  const start = startCodec(limit);
  if (role === "client") {
    const cut: Codec<Cut> = {
      decode: (received) => tagged.decode(received),
      encode: (frame, out) =>
        frame.tag === UNTAGGED
          ? start.encode(frame.payload, out)
          : tagged.encode(frame, out),
    };
    return mapCodec(cut, { decode: readServer, encode: layOutClient });
  }
  const cut: Codec<Cut> = {
    decode(received) {
      if (received.at(0) !== 0) return tagged.decode(received);
      const payload = start.decode(received);
      return payload && { tag: UNTAGGED, payload };
    },
    encode: (frame, out) =>
      frame.tag === UNTAGGED
        ? out.write(frame.payload)
        : tagged.encode(frame, out),
  };
  return mapCodec(cut, { decode: readClient, encode: layOutServer });
}

/**
 * What a connection that may be encrypted begins with: the client asks, and the server answers with one byte. When it
 * is read, `switchCodec` or `detach` goes on.
 *
 * A server that does not know the question answers with an error message, which is read as one; show it to nobody, as
 * nobody knows yet whose it is.
 *
 * @param options The limit of such an error.
 * @returns The codec, for clients; a server's is {@linkcode postgres} with `role: "server"`.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { postgresEncryption } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(postgresEncryption(), { type: "sslRequest" });
 * assertEquals(wire, new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
 *
 * const decoder = new FrameDecoder(postgresEncryption());
 * decoder.push(new TextEncoder().encode("S"));
 * assertEquals(decoder.next(), { type: "encryptionAnswer", encryption: "tls" });
 * ```
 */
export function postgresEncryption(
  options: LimitOptions = {},
): Codec<
  PostgresEncryptionAnswer | PostgresErrorResponse,
  PostgresEncryptionRequest
> {
  const messages = postgres(options);
  const letter = fixedLength(1);
  return {
    decode(received) {
      const tag = String.fromCharCode(received.at(0));
      const index = ENCRYPTION_LETTERS.indexOf(tag);
      if (index >= 0) {
        letter.decode(received);
        return { type: "encryptionAnswer", encryption: ENCRYPTIONS[index] };
      }
      if (tag !== "E") {
        throw malformed(
          received,
          "the answer to a request to encrypt must be S, G, N or an error",
          1,
        );
      }
      const message = messages.decode(received);
      return message?.type === "errorResponse" ? message : undefined;
    },
    encode: (request, out) => messages.encode(request, out),
  };
}

/** The length and the body of what has no tag. */
function startCodec(limit: number): BytesCodec {
  const most = Math.min(limit, LONGEST_START - LENGTH_WIDTH);
  const codec = lengthPrefixed({
    width: LENGTH_WIDTH,
    includesHeader: true,
    maxFrameLength: most,
  });
  const option = most < limit ? "the start-up's limit" : "maxFrameLength";
  return {
    decode(received: ByteQueue) {
      if (received.length < LENGTH_WIDTH) {
        received.need(LENGTH_WIDTH);
        return undefined;
      }
      const length = received.uint(0, LENGTH_WIDTH) - LENGTH_WIDTH;
      if (length <= most) return codec.decode(received);
      const seen = LENGTH_WIDTH;
      throw tooLarge(received, { length, limit: most, option, seen });
    },
    encode(frame, out: ByteSink) {
      const { length } = frame;
      if (length > most) throw tooLargeToWrite(length, most, option);
      codec.encode(frame, out);
    },
  };
}

/** Reads a body, all of it. */
function reading<T>(payload: Uint8Array, read: (body: BodyReader) => T): T {
  const body = new BodyReader(payload);
  const message = read(body);
  body.expectEnd();
  return message;
}

/** Lays a body out. */
function layOut(tag: string, write?: (body: BodyWriter) => void): Cut {
  const body = new BodyWriter();
  write?.(body);
  return {
    tag: tag === "" ? UNTAGGED : tag.charCodeAt(0),
    payload: body.finish(),
  };
}

/** The word that a letter stands for. */
function wordFor<W extends string>(
  what: string,
  letter: string,
  letters: string,
  words: readonly W[],
): W {
  const index = letters.indexOf(letter);
  if (index >= 0) return words[index];
  throw new RangeError(
    `${what} must be one of ${[...letters].join(", ")}: it is ${
      JSON.stringify(letter)
    }`,
  );
}

/** The letter that stands for a word. */
function letterFor(
  what: string,
  word: string,
  letters: string,
  words: readonly string[],
): string {
  return letters[oneOf(what, word, words)];
}

function readServer({ tag, payload }: Cut): PostgresServerMessage {
  return reading(payload, (body) => readServerBody(tag, body));
}

function readServerBody(tag: number, body: BodyReader): PostgresServerMessage {
  const letter = String.fromCharCode(tag);
  switch (letter) {
    case "D":
      return { type: "dataRow", values: body.list(() => body.value()) };
    case "T":
      return {
        type: "rowDescription",
        columns: body.list(() => readColumn(body)),
      };
    case "C":
      return { type: "commandComplete", command: body.text() };
    case "Z": {
      const status = body.letter();
      return {
        type: "readyForQuery",
        status: wordFor("a status", status, STATUS_LETTERS, STATUSES),
      };
    }
    case "E":
      return { type: "errorResponse", fields: readFields(body) };
    case "N":
      return { type: "noticeResponse", fields: readFields(body) };
    case "R":
      return readAuthentication(body);
    case "S":
      return { type: "parameterStatus", name: body.text(), value: body.text() };
    case "K":
      return {
        type: "backendKeyData",
        processId: body.uint(4),
        secretKey: body.rest(),
      };
    case "I":
      return { type: "emptyQueryResponse" };
    case "1":
      return { type: "parseComplete" };
    case "2":
      return { type: "bindComplete" };
    case "3":
      return { type: "closeComplete" };
    case "n":
      return { type: "noData" };
    case "s":
      return { type: "portalSuspended" };
    case "t":
      return {
        type: "parameterDescription",
        typeOids: body.list(() => body.uint(4)),
      };
    case "A":
      return {
        type: "notificationResponse",
        processId: body.uint(4),
        channel: body.text(),
        payload: body.text(),
      };
    case "G":
      return { type: "copyInResponse", ...readFormats(body) };
    case "H":
      return { type: "copyOutResponse", ...readFormats(body) };
    case "W":
      return { type: "copyBothResponse", ...readFormats(body) };
    case "d":
      return { type: "copyData", data: body.rest() };
    case "c":
      return { type: "copyDone" };
    case "v":
      return {
        type: "negotiateProtocolVersion",
        minorVersion: body.uint(4),
        options: body.list(() => body.text(), 4),
      };
    default:
      return { type: "other", tag: letter, body: body.rest() };
  }
}

function readAuthentication(body: BodyReader): PostgresAuthentication {
  const type = "authentication";
  const code = body.uint(4);
  switch (code) {
    case METHODS.ok:
      return { type, method: "ok" };
    case METHODS.kerberosV5:
      return { type, method: "kerberosV5" };
    case METHODS.cleartextPassword:
      return { type, method: "cleartextPassword" };
    case METHODS.md5Password:
      return { type, method: "md5Password", salt: body.take(MD5_SALT) };
    case METHODS.gss:
      return { type, method: "gss" };
    case METHODS.gssContinue:
      return { type, method: "gssContinue", data: body.rest() };
    case METHODS.sspi:
      return { type, method: "sspi" };
    case METHODS.sasl: {
      const mechanisms = body.untilZero(() => body.text());
      return { type, method: "sasl", mechanisms };
    }
    case METHODS.saslContinue:
      return { type, method: "saslContinue", data: body.rest() };
    case METHODS.saslFinal:
      return { type, method: "saslFinal", data: body.rest() };
    default:
      return { type, method: "other", code, data: body.rest() };
  }
}

function readColumn(body: BodyReader): PostgresColumn {
  return {
    name: body.text(),
    tableOid: body.uint(4),
    columnNumber: body.int(2),
    typeOid: body.uint(4),
    typeSize: body.int(2),
    typeModifier: body.int(4),
    format: body.format(2),
  };
}

function readFormats(
  body: BodyReader,
): Omit<PostgresCopyResponse, "type"> {
  return {
    format: body.format(1),
    columnFormats: body.list(() => body.format(2)),
  };
}

function readFields(body: BodyReader): PostgresFields {
  return named(
    "a field",
    body.untilZero(() => {
      const letter = body.letter();
      return [FIELDS[letter] ?? letter, body.text()];
    }),
  );
}

/** An object of names and values, which nothing is in but these; throws if a name comes twice. */
function named(
  what: string,
  entries: readonly (readonly [name: string, value: string])[],
): Record<string, string> {
  const all: Record<string, string> = Object.create(null);
  for (const [name, value] of entries) {
    if (name in all) {
      throw new RangeError(`${what} comes twice: ${JSON.stringify(name)}`);
    }
    all[name] = value;
  }
  return all;
}

function readClient({ tag, payload }: Cut): PostgresClientMessage {
  return reading(
    payload,
    (body) => tag === UNTAGGED ? readStart(body) : readClientBody(tag, body),
  );
}

function readStart(body: BodyReader): PostgresStartMessage {
  const code = body.uint(4);
  switch (code) {
    case SSL_REQUEST:
      return { type: "sslRequest" };
    case GSS_ENCRYPTION_REQUEST:
      return { type: "gssEncryptionRequest" };
    case CANCEL_REQUEST:
      return {
        type: "cancelRequest",
        processId: body.uint(4),
        secretKey: body.rest(),
      };
  }
  const version = `${code >>> 16}.${code & 0xffff}`;
  if (code >>> 16 !== 3) {
    throw new RangeError(
      `the version of the protocol must be 3: it is ${version}`,
    );
  }
  const entries = body.untilZero(() => [body.text(), body.text()] as const);
  return {
    type: "startup",
    version,
    parameters: named("a parameter", entries),
  };
}

function readClientBody(tag: number, body: BodyReader): PostgresClientMessage {
  const letter = String.fromCharCode(tag);
  switch (letter) {
    case "Q":
      return { type: "query", sql: body.text() };
    case "P":
      return {
        type: "parse",
        name: body.text(),
        sql: body.text(),
        typeOids: body.list(() => body.uint(4)),
      };
    case "B":
      return {
        type: "bind",
        portal: body.text(),
        statement: body.text(),
        parameterFormats: body.list(() => body.format(2)),
        parameters: body.list(() => body.value()),
        resultFormats: body.list(() => body.format(2)),
      };
    case "D":
    case "C": {
      const what = wordFor("what is named", body.letter(), KIND_LETTERS, KINDS);
      const type = letter === "D" ? "describe" : "close";
      return { type, what, name: body.text() };
    }
    case "E":
      return { type: "execute", portal: body.text(), maxRows: body.uint(4) };
    case "p":
      return { type: "authenticationResponse", data: body.rest() };
    case "S":
      return { type: "sync" };
    case "H":
      return { type: "flush" };
    case "X":
      return { type: "terminate" };
    case "d":
      return { type: "copyData", data: body.rest() };
    case "c":
      return { type: "copyDone" };
    case "f":
      return { type: "copyFail", message: body.text() };
    default:
      return { type: "other", tag: letter, body: body.rest() };
  }
}

/** Lays out a message that is not taken apart. */
function layOutOther(tag: string, bytes: Uint8Array): Cut {
  if (!TAG.test(tag)) {
    throw new RangeError(
      `Cannot write frame: tag must be a letter or a digit: it is ${
        JSON.stringify(tag)
      }`,
    );
  }
  return layOut(tag, (body) => body.bytes(bytes));
}

/** Refuses what somebody without a type checker may write. */
function refuse(message: never, side: string): never {
  throw new TypeError(
    `Cannot write frame: a ${side} sends no such message: ${
      JSON.stringify(message)
    }`,
  );
}

function layOutServer(
  message: PostgresServerMessage | PostgresEncryptionAnswer,
): Cut {
  switch (message.type) {
    case "dataRow":
      return layOut(
        "D",
        (body) =>
          body.list(
            "number of values",
            message.values,
            (value) => body.value(value),
          ),
      );
    case "rowDescription":
      return layOut(
        "T",
        (body) =>
          body.list("number of columns", message.columns, (column) => {
            body.text(column.name);
            body.uint("tableOid", column.tableOid, 4);
            body.int("columnNumber", column.columnNumber, 2);
            body.uint("typeOid", column.typeOid, 4);
            body.int("typeSize", column.typeSize, 2);
            body.int("typeModifier", column.typeModifier, 4);
            body.format(column.format, 2);
          }),
      );
    case "commandComplete":
      return layOut("C", (body) => body.text(message.command));
    case "readyForQuery":
      return layOut("Z", (body) =>
        body.letter(
          letterFor("status", message.status, STATUS_LETTERS, STATUSES),
        ));
    case "errorResponse":
      return layOut("E", (body) => layOutFields(message.fields, body));
    case "noticeResponse":
      return layOut("N", (body) => layOutFields(message.fields, body));
    case "authentication":
      return layOut("R", (body) => layOutAuthentication(message, body));
    case "parameterStatus":
      return layOut("S", (body) => {
        body.text(message.name);
        body.text(message.value);
      });
    case "backendKeyData":
      return layOut("K", (body) => {
        body.uint("processId", message.processId, 4);
        body.bytes(message.secretKey);
      });
    case "emptyQueryResponse":
      return layOut("I");
    case "parseComplete":
      return layOut("1");
    case "bindComplete":
      return layOut("2");
    case "closeComplete":
      return layOut("3");
    case "noData":
      return layOut("n");
    case "portalSuspended":
      return layOut("s");
    case "parameterDescription":
      return layOut("t", (body) => layOutOids(message.typeOids, body));
    case "notificationResponse":
      return layOut("A", (body) => {
        body.uint("processId", message.processId, 4);
        body.text(message.channel);
        body.text(message.payload);
      });
    case "copyInResponse":
    case "copyOutResponse":
    case "copyBothResponse": {
      const { type, format, columnFormats } = message;
      return layOut(COPY_TAGS[type], (body) => {
        body.format(format, 1);
        body.list(
          "number of columns",
          columnFormats,
          (one) => body.format(one, 2),
        );
      });
    }
    case "copyData":
      return layOut("d", (body) => body.bytes(message.data));
    case "copyDone":
      return layOut("c");
    case "negotiateProtocolVersion":
      return layOut("v", (body) => {
        body.uint("minorVersion", message.minorVersion, 4);
        body.list(
          "number of options",
          message.options,
          (option) => body.text(option),
          4,
        );
      });
    case "encryptionAnswer":
      return layOut("", (body) =>
        body.letter(letterFor(
          "encryption",
          message.encryption,
          ENCRYPTION_LETTERS,
          ENCRYPTIONS,
        )));
    case "other":
      return layOutOther(message.tag, message.body);
    default:
      return refuse(message, "server");
  }
}

function layOutAuthentication(
  message: PostgresAuthentication,
  body: BodyWriter,
): void {
  const code = message.method === "other"
    ? message.code
    : METHODS[message.method];
  body.uint("code of the method", code, 4);
  switch (message.method) {
    case "md5Password":
      if (message.salt.length !== MD5_SALT) {
        throw new RangeError(
          `Cannot write frame: salt must be ${MD5_SALT} bytes: it is ${message.salt.length}`,
        );
      }
      return body.bytes(message.salt);
    case "sasl":
      for (const mechanism of message.mechanisms) {
        checkMechanism(mechanism); // an empty one would end the list
        body.text(mechanism);
      }
      return body.text("");
    case "gssContinue":
    case "saslContinue":
    case "saslFinal":
    case "other":
      return body.bytes(message.data);
  }
}

function checkMechanism(mechanism: string): void {
  if (mechanism !== "") return;
  throw new RangeError("Cannot write frame: a mechanism must have a name");
}

function layOutFields(fields: PostgresFields, body: BodyWriter): void {
  const letters = new Set<string>();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const letter = LETTERS.get(name) ?? name;
    if (!/^[!-~]$/.test(letter)) {
      throw new RangeError(
        `Cannot write frame: a field must have a known name, or a character of ASCII for one: it is ${
          JSON.stringify(name)
        }`,
      );
    }
    if (letters.has(letter)) {
      throw new RangeError(
        `Cannot write frame: a field must be given once: ${
          JSON.stringify(letter)
        } and ${JSON.stringify(FIELDS[letter])} are the same`,
      );
    }
    letters.add(letter);
    body.letter(letter);
    body.text(value);
  }
  body.text("");
}

function layOutOids(typeOids: readonly number[], body: BodyWriter): void {
  body.list("number of types", typeOids, (oid) => body.uint("typeOid", oid, 4));
}

function layOutClient(message: PostgresClientMessage | PostgresProof): Cut {
  switch (message.type) {
    case "query":
      return layOut("Q", (body) => body.text(message.sql));
    case "parse":
      return layOut("P", (body) => {
        body.text(message.name);
        body.text(message.sql);
        layOutOids(message.typeOids, body);
      });
    case "bind":
      return layOut("B", (body) => {
        body.text(message.portal);
        body.text(message.statement);
        body.list(
          "number of formats",
          message.parameterFormats,
          (format) => body.format(format, 2),
        );
        body.list(
          "number of parameters",
          message.parameters,
          (value) => body.value(value),
        );
        body.list(
          "number of formats",
          message.resultFormats,
          (format) => body.format(format, 2),
        );
      });
    case "describe":
    case "close":
      return layOut(message.type === "describe" ? "D" : "C", (body) => {
        body.letter(letterFor("what", message.what, KIND_LETTERS, KINDS));
        body.text(message.name);
      });
    case "execute":
      return layOut("E", (body) => {
        body.text(message.portal);
        body.uint("maxRows", message.maxRows, 4);
      });
    case "authenticationResponse":
      return layOut("p", (body) => body.bytes(message.data));
    case "password":
      return layOut("p", (body) => body.text(message.password));
    case "saslInitialResponse":
      return layOut("p", (body) => {
        checkMechanism(message.mechanism);
        body.text(message.mechanism);
        body.value(message.data);
      });
    case "sync":
      return layOut("S");
    case "flush":
      return layOut("H");
    case "terminate":
      return layOut("X");
    case "copyData":
      return layOut("d", (body) => body.bytes(message.data));
    case "copyDone":
      return layOut("c");
    case "copyFail":
      return layOut("f", (body) => body.text(message.message));
    case "startup":
      return layOut("", (body) => {
        body.uint("version", versionCode(message.version), 4);
        for (const [name, value] of Object.entries(message.parameters)) {
          if (name === "") {
            throw new RangeError(
              "Cannot write frame: a parameter must have a name",
            );
          }
          body.text(name);
          body.text(value);
        }
        body.text("");
      });
    case "sslRequest":
      return layOut("", (body) => body.uint("code", SSL_REQUEST, 4));
    case "gssEncryptionRequest":
      return layOut("", (body) => body.uint("code", GSS_ENCRYPTION_REQUEST, 4));
    case "cancelRequest":
      return layOut("", (body) => {
        body.uint("code", CANCEL_REQUEST, 4);
        body.uint("processId", message.processId, 4);
        body.bytes(message.secretKey);
      });
    case "other":
      return layOutOther(message.tag, message.body);
    default:
      return refuse(message, "client");
  }
}

/** The number of a version such as `3.0`. */
function versionCode(version: string): number {
  const [, minor] = /^3\.([0-9]{1,5})$/.exec(version) ?? [];
  if (minor !== undefined && Number(minor) <= 0xffff) {
    return (3 << 16) + Number(minor);
  }
  throw new RangeError(
    `Cannot write frame: version must be "3.0" or another of 3: it is ${
      JSON.stringify(version)
    }`,
  );
}
