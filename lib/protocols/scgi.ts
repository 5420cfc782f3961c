/**
 * SCGI, in which web servers hand requests on to programs: a block of headers that is a netstring, then the body.
 *
 *     70 : | CONTENT_LENGTH 00 27 00 SCGI 00 1 00 REQUEST_METHOD 00 POST 00 … | , | the body: 27 bytes
 *
 * One request a connection; the answer goes on until the connection is closed, and begins like a CGI program's:
 *
 *     Status: 200 OK\r\n
 *     Content-Type: text/plain\r\n
 *     \r\n
 *     42
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { ByteSink } from "../bytes/byte_sink.ts";
import type { Codec, LimitOptions } from "../codec/codec.ts";
import {
  inOneLine,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "../codec/faults.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { netstring } from "../codec/netstring.ts";
import { checkInteger, checkLimits, checkOneOf } from "../codec/options.ts";
import { untilClose } from "../codec/until_close.ts";
import { FrameTooLargeError } from "../errors.ts";

/** Which side of an SCGI connection a program is, and its limits. */
export interface ScgiOptions<Role extends "server" | "client" = "server">
  extends LimitOptions {
  /**
   * Which side this program is: a server reads requests, and its client is the web server.
   *
   * @default {"server"}
   */
  role?: Role;
  /**
   * The longest block of headers of a request, in bytes.
   *
   * @default {65_536}
   */
  maxHeaderLength?: number;
}

/** A request, as a web server hands it on. */
export interface ScgiRequest {
  /**
   * What the web server says about it: `REQUEST_METHOD`, `REQUEST_URI`, and `HTTP_` with the name of each header of
   * the browser's; one that it sent twice has both values, with a comma between. A character stands for a byte.
   * `CONTENT_LENGTH` and `SCGI` are not among them: they belong to the protocol, and are made when it is written.
   */
  headers: Readonly<Record<string, string | undefined>>;
  /** The body; empty if there is none. */
  body: Uint8Array;
}

/** The answer to a request, as a CGI program gives it. */
export interface ScgiResponse {
  /** The status of HTTP, such as 404. */
  status: number;
  /**
   * What the status means in words. A web server passes them on as they are, so that there should be some.
   *
   * @default {those of HTTP if the status is a common one, otherwise "Unknown"}
   */
  reason?: string;
  /** The headers for the browser, in order. A character stands for a byte. */
  headers: readonly (readonly [name: string, value: string])[];
  /** The body. */
  body: Uint8Array;
}

const DEFAULT_HEADER_LENGTH = 65_536;
const CONTENT_LENGTH = "CONTENT_LENGTH";
const SCGI = "SCGI";
const VERSION = "1";
/** What the names of the browser's headers begin with. */
const FROM_BROWSER = "HTTP_";
/** What stands between the values of a browser's header that it sent twice, if it is no comma. */
const SEPARATORS: Readonly<Record<string, string>> = { HTTP_COOKIE: "; " };
const LENGTH = /^(0|[1-9][0-9]{0,14})$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LF = 10;
const CR = 13;
/** What common statuses mean in words. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};
/** What the status is where a program says none, and where it says where else to go. */
const OK = 200;
const FOUND = 302;

/**
 * Reads SCGI requests, and writes answers to them; or the other way round. See "SCGI: A Simple Common Gateway
 * Interface alternative" (N. Schemenauer, 2008), and RFC 3875, section 6, for the answers.
 *
 * Strict: `CONTENT_LENGTH` comes first, `SCGI` is 1, no name is empty or comes twice. Only the browser's headers may,
 * though SCGI does not allow it: nginx hands them on as often as they came (up to version 1.22). A server that is given more
 * bytes to write after an answer writes them as they are: a large body can go out in pieces. It ends by closing.
 *
 * `maxFrameLength` counts the body of a request; for a client, all of the answer.
 *
 * @param options Which side this program is, and the limits.
 * @returns The codec. Its `encode` throws a `RangeError` for a body over the limit and a status that is none, and a
 * `TypeError` for a header that cannot be laid out: nothing that is in it can begin another header.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder } from "@framewire/framewire";
 * import { scgi } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(scgi());
 * decoder.push(new TextEncoder().encode("43:CONTENT_LENGTH\0" + "2\0SCGI\0" + "1\0REQUEST_METHOD\0PUT\0,hi"));
 * const request = decoder.next();
 * assertEquals(request?.headers.REQUEST_METHOD, "PUT");
 * assertEquals(request?.body, new Uint8Array([104, 105]));
 * ```
 */
export function scgi(
  options?: ScgiOptions,
): Codec<ScgiRequest, ScgiResponse | Uint8Array>;
/**
 * Writes SCGI requests and reads the answers to them, as web servers do.
 *
 * @param options That this program is the client, and the limits.
 * @returns The codec.
 */
export function scgi(
  options: ScgiOptions<"client"> & { role: "client" },
): Codec<ScgiResponse, ScgiRequest>;
export function scgi(
  options: ScgiOptions<"server" | "client"> = {},
):
  | Codec<ScgiRequest, ScgiResponse | Uint8Array>
  | Codec<ScgiResponse, ScgiRequest> {
  const role = checkOneOf("role", options.role ?? "server", [
    "server",
    "client",
  ]);
  const { limit, onOversize } = checkLimits(options);
  const headerLimit = checkInteger(
    "maxHeaderLength",
    options.maxHeaderLength ?? DEFAULT_HEADER_LENGTH,
    1,
  );
  const block = netstring({ maxFrameLength: headerLimit });

  /** The block of headers, left where it is. */
  function blockIn(
    received: ByteQueue,
  ): ReturnType<typeof received.lookAhead<Uint8Array>> {
    try {
      return received.lookAhead((bytes) => block.decode(bytes));
    } catch (error) {
      if (!(error instanceof FrameTooLargeError)) throw error;
      throw tooLarge(received, {
        length: error.length,
        limit: headerLimit,
        option: "maxHeaderLength",
        seen: error.preview.length,
      });
    }
  }

  const server: Codec<ScgiRequest, ScgiResponse | Uint8Array> = {
    decode(received) {
      const found = blockIn(received);
      if (found === undefined) return undefined;
      const { value, length: header } = found;
      const { headers, length } = readHeaders(received, value, header);
      const total = header + length;
      if (length > limit) {
        const skipped = onOversize === "skip";
        const error = tooLarge(received, {
          length,
          limit,
          seen: header,
          skipped,
        });
        if (skipped) received.skip(total);
        throw error;
      }
      if (received.length < total) {
        received.need(total, header);
        return undefined;
      }
      return { headers, body: received.take(length, header) };
    },
    encode(response, out) {
      if (response instanceof Uint8Array) return out.write(response);
      if (response.body.length > limit) {
        throw tooLargeToWrite(response.body.length, limit);
      }
      layOutResponse(response, out);
    },
  };
  if (role === "server") return server;

  const answers = mapCodec(untilClose({ maxFrameLength: limit }), {
    decode: readResponse,
    encode: (bytes: Uint8Array) => bytes,
  });
  const client: Codec<ScgiResponse, ScgiRequest> = {
    ...answers,
    encode({ headers, body }, out) {
      if (body.length > limit) throw tooLargeToWrite(body.length, limit);
      const bytes = layOutHeaders(headers, body.length);
      if (bytes.length > headerLimit) {
        throw tooLargeToWrite(bytes.length, headerLimit, "maxHeaderLength");
      }
      block.encode(bytes, out);
      out.write(body);
    },
  };
  return client;
}

/** Bytes as text, a character for a byte. */
function byteText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The reverse of {@linkcode byteText}; throws if the text is none of the kind, or has what it may not. */
function textBytes(
  what: string,
  text: string,
  forbidden: RegExp,
): Uint8Array {
  if (typeof text !== "string") {
    throw new TypeError(
      `Cannot write frame: ${what} must be a string: it is of type ${typeof text}`,
    );
  }
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || forbidden.test(text[i])) {
      throw new TypeError(
        `Cannot write frame: ${what} must be characters that each stand for a byte, without ends of lines and zeros: it has ${
          shown(text[i])
        }`,
      );
    }
    bytes[i] = code;
  }
  return bytes;
}

/** The headers of a request, and how long its body is. */
function readHeaders(
  received: ByteQueue,
  block: Uint8Array,
  seen: number,
): { headers: ScgiRequest["headers"]; length: number } {
  const fields = byteText(block).split("\0");
  // Each name and each value is ended by a zero, so that nothing is behind the last one.
  if (fields.pop() !== "" || fields.length % 2 !== 0) {
    throw malformed(
      received,
      "headers must be names and values, each ended by a zero byte",
      seen,
    );
  }
  const [first, digits] = fields;
  if (first !== CONTENT_LENGTH) {
    throw malformed(received, "CONTENT_LENGTH must be the first header", seen);
  }
  if (!LENGTH.test(digits)) {
    throw malformed(
      received,
      `CONTENT_LENGTH must be 1 to 15 digits: it is ${shown(digits)}`,
      seen,
    );
  }
  const headers: Record<string, string> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    if (name === "") throw malformed(received, "a header has no name", seen);
    const value = fields[i + 1];
    if (!(name in headers)) {
      headers[name] = value;
    } else if (name.startsWith(FROM_BROWSER)) {
      headers[name] += (SEPARATORS[name] ?? ", ") + value;
    } else {
      throw malformed(received, `header ${shown(name)} comes twice`, seen);
    }
  }
  if (headers[SCGI] !== VERSION) {
    const found = SCGI in headers ? `it is ${shown(headers[SCGI])}` : "missing";
    throw malformed(received, `SCGI must be 1: ${found}`, seen);
  }
  delete headers[CONTENT_LENGTH];
  delete headers[SCGI];
  return { headers, length: Number(digits) };
}

/** A part of a request as an error shows it. */
function shown(text: string): string {
  return inOneLine(JSON.stringify(text.slice(0, 60)));
}

function layOutHeaders(
  headers: ScgiRequest["headers"],
  length: number,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (name: string, value: string) => {
    parts.push(textBytes("a header's name", name, /\0/));
    parts.push(textBytes(`header ${name}`, value, /\0/));
  };
  add(CONTENT_LENGTH, String(length));
  add(SCGI, VERSION);
  for (const [name, value] of Object.entries(headers)) {
    if (name === "" || name === CONTENT_LENGTH || name === SCGI) {
      throw new TypeError(
        `Cannot write frame: a header cannot be ${
          shown(name)
        }: CONTENT_LENGTH and SCGI are made when it is written`,
      );
    }
    if (value !== undefined) add(name, value);
  }
  const whole = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length + 1, 0),
  );
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length + 1;
  }
  return whole;
}

function layOutResponse(response: ScgiResponse, out: ByteSink): void {
  const { status, headers, body } = response;
  const { reason = REASONS[status] ?? "Unknown" } = response;
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(
      `Cannot write frame: status must be a whole number from 100 to 999: it is ${status}`,
    );
  }
  const lines = [["Status", `${status} ${reason}`.trimEnd()], ...headers];
  const parts = lines.map(([name, value]) => {
    if (!TOKEN.test(name)) {
      throw new TypeError(
        `Cannot write frame: a header's name must be letters, digits and hyphens: it is ${
          shown(name)
        }`,
      );
    }
    return { name, bytes: textBytes(`header ${name}`, value, /[\0\r\n]/) };
  });
  if (headers.some(([name]) => name.toLowerCase() === "status")) {
    throw new TypeError(
      "Cannot write frame: the status must be given by its own field",
    );
  }
  for (const { name, bytes } of parts) {
    out.text(`${name}: `);
    out.write(bytes);
    out.text("\r\n");
  }
  out.text("\r\n");
  out.write(body);
}

/** Reads an answer: lines that LF ends, with CR or without, up to an empty one; then the body. */
function readResponse(bytes: Uint8Array): ScgiResponse {
  const headers: [string, string][] = [];
  let status: string | undefined;
  let location = false;
  for (let start = 0;;) {
    const end = bytes.indexOf(LF, start);
    if (end < 0) {
      throw new RangeError("no empty line ends the headers of the answer");
    }
    const stop = end > start && bytes[end - 1] === CR ? end - 1 : end;
    const line = byteText(bytes.subarray(start, stop));
    start = end + 1;
    if (line === "") {
      const body = bytes.subarray(start);
      return { ...readStatus(status, location), headers, body };
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = trimmed(line, colon + 1);
    if (!TOKEN.test(name) || /[\0\r]/.test(value)) {
      throw new RangeError(
        `a header must be a name, a colon and a value: it is ${shown(line)}`,
      );
    }
    const kind = name.toLowerCase();
    if (kind !== "status") headers.push([name, value]);
    else if (status === undefined) status = value;
    else throw new RangeError("Status comes twice");
    if (kind === "location") location = true;
  }
}

/** What stands from an index on, without the blanks around it. A regex would begin again at each of those within. */
function trimmed(line: string, start: number): string {
  let end = line.length;
  while (start < end && isBlank(line[start])) start++;
  while (start < end && isBlank(line[end - 1])) end--;
  return line.slice(start, end);
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}

function readStatus(
  status: string | undefined,
  location: boolean,
): Pick<ScgiResponse, "status" | "reason"> {
  if (status === undefined) return { status: location ? FOUND : OK };
  const [, code, reason] = /^([1-9][0-9]{2})(?: (.*))?$/.exec(status) ?? [];
  if (code === undefined) {
    throw new RangeError(
      `Status must be three digits and words: it is ${shown(status)}`,
    );
  }
  return { status: Number(code), ...(reason ? { reason } : {}) };
}
