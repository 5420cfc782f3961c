/**
 * Codecs by name: the grammar of `--codec`.
 *
 *     length:4,offset=2,includes-header,max=64k
 *     ──┬─── ┬ ───┬──── ──────┬──────── ───┬───
 *      name  │  option      flag         option, of every codec
 *            value
 *
 * In values `\n`, `\r`, `\t`, `\0`, `\xHH` and `\\` stand for characters, and `\,` and `\=` for those themselves.
 *
 * @module
 */

import {
  asciiLength,
  delimited,
  fixedLength,
  headerBlock,
  lengthPrefixed,
  type LimitOptions,
  lines,
  mapCodec,
  Message,
  type MessageHeaderInit,
  messages,
  netstring,
  typed,
  untilClose,
  varintPrefixed,
} from "../../mod.ts";
import {
  dap,
  dns,
  jsonLines,
  lsp,
  mqtt,
  pktLine,
  postgres,
  postgresEncryption,
  type PostgresProof,
  resp,
  type RespCommand,
  scgi,
  type ScgiRequest,
  type ScgiResponse,
  syslog,
} from "../../lib/protocols/mod.ts";
import { didYouMean, nearest } from "../nearest.ts";
import {
  type Dialect,
  inputBytes,
  type InputCodec,
  inputFrame,
  inputJson,
  inputText,
  taking,
} from "./dialect.ts";
import { sizeIn } from "./units.ts";
import {
  fieldOf,
  frameOfJson,
  type Input,
  isJson,
  JsonFrame,
  typeOf,
} from "./values.ts";
import { wordsOf } from "./words.ts";

/** A family of codecs, by its name. */
export interface CodecName {
  readonly name: string;
  /** Its arguments, as the help shows them. */
  readonly takes: string;
  /** What it cuts frames by, in a line. */
  readonly about: string;
  /** What it may look like. */
  readonly example: string;
  /** Makes it what a `Dialect` is, by its arguments. */
  make(given: Arguments): Omit<Dialect, "spec">;
}

/** A specification that is none: `message` says why. */
export class CodecSpecError extends RangeError {}

/** The arguments behind a name, each to be taken once. */
class Arguments {
  #spec: string;
  #values: string[] = [];
  #options = new Map<string, string>();
  #asked: string[] = [];

  constructor(spec: string, text: string | undefined) {
    this.#spec = spec;
    for (const part of text?.match(/(?:\\[^]|[^,\\])+|\\$/g) ?? []) {
      const option = part.match(/^([a-z][a-z-]*)(?:=([^]*))?$/);
      if (option === null) this.#values.push(part);
      else if (this.#options.has(option[1])) {
        throw this.fault(`${option[1]} is given twice`);
      } else this.#options.set(option[1], option[2] ?? "");
    }
  }

  /** An error about this specification. */
  fault(reason: string): CodecSpecError {
    return new CodecSpecError(
      `codec "${this.#spec}": ${reason}; see framewire codecs`,
    );
  }

  /** The value that stands without a name in front; a word that is no option of any codec counts too. */
  value(): string | undefined {
    const value = this.#values.shift();
    return value === undefined ? undefined : this.#plain(value);
  }

  /** All values, which may be any words but `flags`, and what is nearly one. */
  words(flags: readonly string[]): string[] {
    const words = this.#values.splice(0).map((value) => this.#plain(value));
    for (const [word, value] of [...this.#options]) {
      if (value !== "" || nearest(word, flags) !== undefined) continue;
      this.#options.delete(word);
      words.push(word);
    }
    return words;
  }

  /** The value of an option. */
  option(name: string): string | undefined {
    this.#asked.push(name);
    const value = this.#options.get(name);
    this.#options.delete(name);
    if (value === "") throw this.fault(`${name} needs a value: ${name}=…`);
    return value === undefined ? undefined : this.#plain(value);
  }

  /** The value of an option that is a whole number. */
  integer(
    name: string,
    text: string | undefined = this.option(name),
  ): number | undefined {
    if (text === undefined || /^-?\d{1,9}$/.test(text)) {
      return text === undefined ? undefined : Number(text);
    }
    throw this.fault(`${name} must be a whole number: it is "${text}"`);
  }

  /** Whether a flag is there. */
  flag(name: string): boolean {
    this.#asked.push(name);
    const value = this.#options.get(name);
    this.#options.delete(name);
    if (value === undefined || value === "") return value !== undefined;
    throw this.fault(`${name} takes no value`);
  }

  /** What all codecs have. */
  limits(): LimitOptions {
    const max = this.option("max");
    return {
      ...(max !== undefined && { maxFrameLength: sizeIn("max", max) }),
      ...(this.flag("skip") && { onOversize: "skip" }),
    };
  }

  /** Throws if there is an argument that nobody asked for. */
  end(): void {
    const [value] = this.#values;
    if (value !== undefined) throw this.fault(`unexpected "${value}"`);
    const [option] = this.#options.keys();
    if (option === undefined) return;
    const meant = didYouMean(option, this.#asked);
    throw this.fault(`unknown option ${option}${meant}`);
  }

  #plain(text: string): string {
    return text.replaceAll(/\\(x[0-9a-f]{2}|[^])|\\$/gi, (_, escape = "") => {
      if (/^x../i.test(escape)) {
        return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      }
      const at = "nrt0\\,=:".indexOf(escape);
      if (escape === "" || at === -1) {
        throw this.fault(`unknown escape "\\${escape}"`);
      }
      return "\n\r\t\0\\,=:"[at];
    });
  }
}

/** Those of the options that are there. */
function set<T extends object>(
  options: { [K in keyof T]: T[K] | undefined },
): Partial<T> {
  const found: Partial<T> = {};
  for (const name in options) {
    const value = options[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** A codec that is the same for either side. */
function symmetric(codec: InputCodec): Omit<Dialect, "spec"> {
  return { codec: () => codec };
}

const WIDTH = /^([12348])(le|be)?$/;

function widthOf(given: Arguments, text: string) {
  const [, width, order] = text.match(WIDTH) ?? [];
  switch (width) {
    case "1":
    case "2":
    case "3":
    case "4":
    case "8":
      break;
    default:
      throw given.fault(
        `the width must be 1, 2, 3, 4 or 8, with le behind it for little-endian: it is "${text}"`,
      );
  }
  return {
    width: WIDTHS[width],
    byteOrder: order === "le" ? "little" as const : "big" as const,
  };
}

const WIDTHS = { 1: 1, 2: 2, 3: 3, 4: 4, 8: 8 } as const;

/** Text, or bytes where it has an `\xHH`: what a delimiter is. */
function delimiterOf(text: string): Uint8Array {
  // Beyond ASCII, `\xHH` is a byte and anything else a character in UTF-8.
  return /[\x80-\xff]/.test(text) && !/[^\0-\xff]/.test(text)
    ? Uint8Array.from(text, (character) => character.charCodeAt(0))
    : new TextEncoder().encode(text);
}

function respFrame(input: Input): RespCommand {
  return input.kind === "text" && !/^\s*[[{]/.test(input.text)
    ? wordsOf(input.text)
    : inputFrame(input, respNumber);
}

/** Gives numbers back that JSON does not have: beyond 2^53, infinite, or none. */
function respNumber(value: unknown): unknown {
  const written = fieldOf(value, "value");
  if (typeof written !== "string") return value;
  switch (typeOf(value)) {
    case "integer":
    case "bigNumber":
      return /^-?\d+$/.test(written)
        ? { type: typeOf(value), value: BigInt(written) }
        : value;
    case "double":
      return { type: "double", value: Number(written) };
    default:
      return value;
  }
}

/** A message of the tutorial: JSON if it is any, else text, or bytes. */
function messageOf(input: Input): Message {
  if (input.kind === "bytes") return Message.binary(input.bytes);
  const text = inputText(input);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return Message.text(text);
  }
  if (typeof value !== "object" || value === null) return Message.text(text);
  if (!("header" in value && "content" in value)) return Message.json(value);
  // As `--json` prints a message that was received.
  const header = headerOf(value.header);
  const content: unknown = isJson(header.contentType ?? "")
    ? value.content
    : frameOfJson(JSON.stringify(value.content));
  return content instanceof Uint8Array
    ? new Message(content, header)
    : Message.json(content);
}

function headerOf(header: unknown): MessageHeaderInit {
  const [contentType, contentEncoding] = ["contentType", "contentEncoding"]
    .map((name) => fieldOf(header, name));
  return {
    ...(typeof contentType === "string" && { contentType }),
    ...(typeof contentEncoding === "string" && { contentEncoding }),
  };
}

/** Every name, in the order of the list that people see. */
export const CODEC_NAMES: readonly CodecName[] = [
  {
    name: "length",
    takes: "[:1|2|3|4|8[le]][,offset=N][,adjust=N][,includes-header][,strip=N]",
    about: "a binary length in front; 4 bytes big-endian unless said",
    example: "length:2le",
    make(given) {
      const { width, byteOrder } = widthOf(given, given.value() ?? "4");
      return symmetric(taking(
        lengthPrefixed({
          width,
          byteOrder,
          ...set({
            offset: given.integer("offset"),
            adjustment: given.integer("adjust"),
            strip: given.integer("strip"),
          }),
          includesHeader: given.flag("includes-header"),
          ...given.limits(),
        }),
        inputBytes,
      ));
    },
  },
  {
    name: "varint",
    takes: "[:MAX-WIDTH]",
    about: "a length of 7 bits a byte, as in Protocol Buffers",
    example: "varint",
    make(given) {
      const maxWidth = given.integer("the width", given.value());
      return symmetric(
        taking(
          varintPrefixed({ ...set({ maxWidth }), ...given.limits() }),
          inputBytes,
        ),
      );
    },
  },
  {
    name: "lines",
    takes: "[,crlf][,cr][,tail=emit|error]",
    about: "lines of UTF-8 text, ended by \\n or \\r\\n",
    example: "lines:crlf",
    make(given) {
      const tail = given.option("tail") ?? "emit";
      if (tail !== "emit" && tail !== "error") {
        throw given.fault(`tail must be emit or error: it is "${tail}"`);
      }
      return symmetric(taking(
        lines({
          newline: given.flag("crlf") ? "\r\n" : "\n",
          allowCR: given.flag("cr"),
          tail,
          ...given.limits(),
        }),
        inputText,
      ));
    },
  },
  {
    name: "delim",
    takes: ":D[,D2…][,keep][,tail=emit|error]",
    about: "up to a delimiter, or the longest of several",
    example: "delim:\\r\\n\\r\\n",
    make(given) {
      const delimiters = given.words(["keep", "tail", "max", "skip"]);
      if (delimiters.length === 0) {
        throw given.fault("it needs a delimiter: delim:\\r\\n");
      }
      const tail = given.option("tail") ?? "error";
      if (tail !== "emit" && tail !== "error") {
        throw given.fault(`tail must be emit or error: it is "${tail}"`);
      }
      return symmetric(taking(
        delimited(delimiters.map(delimiterOf), {
          include: given.flag("keep") ? "suffix" : false,
          tail,
          ...given.limits(),
        }),
        inputBytes,
      ));
    },
  },
  {
    name: "fixed",
    takes: ":N",
    about: "so many bytes each",
    example: "fixed:16",
    make(given) {
      const length = given.value();
      if (length === undefined) {
        throw given.fault("it needs a length: fixed:16");
      }
      return symmetric(
        taking(fixedLength(sizeIn("the length", length)), inputBytes),
      );
    },
  },
  {
    name: "ascii",
    takes: "[:DIGITS][,hex][,terminator=T][,includes-header][,trailer=T]",
    about: "a length in 5 digits, or in up to 10 before a terminator",
    example: "ascii:5",
    make(given) {
      return symmetric(taking(
        asciiLength({
          ...set({
            digits: given.integer("digits", given.value()),
            terminator: given.option("terminator"),
            trailer: given.option("trailer"),
          }),
          radix: given.flag("hex") ? 16 : 10,
          includesHeader: given.flag("includes-header"),
          ...given.limits(),
        }),
        inputBytes,
      ));
    },
  },
  {
    name: "netstring",
    takes: "",
    about: "4:text, — a length, a colon, a comma behind",
    example: "netstring",
    make: (given) => symmetric(taking(netstring(given.limits()), inputBytes)),
  },
  {
    name: "typed",
    takes: "[:TAG-WIDTH[le]][,length=W[le]]",
    about: "a tag, then a length; frames are {tag, payload}",
    example: "typed:1,length=2",
    make(given) {
      const tag = widthOf(given, given.value() ?? "1");
      const length = widthOf(given, given.option("length") ?? "4");
      const codec = typed({
        tagWidth: tag.width,
        byteOrder: tag.byteOrder,
        length: lengthPrefixed({ ...length, ...given.limits() }),
      });
      return symmetric(
        taking(codec, inputFrame<{ tag: number; payload: Uint8Array }>),
      );
    },
  },
  {
    name: "header-block",
    takes: "",
    about: "Content-Length: N, an empty line, N bytes",
    example: "header-block",
    make: (given) => symmetric(taking(headerBlock(given.limits()), inputBytes)),
  },
  {
    name: "until-close",
    takes: "",
    about: "one frame: everything until the end of the stream",
    example: "until-close",
    make(given) {
      const max = given.option("max");
      return symmetric(taking(
        untilClose(
          max === undefined ? {} : { maxFrameLength: sizeIn("max", max) },
        ),
        inputBytes,
      ));
    },
  },
  {
    name: "message",
    takes: "",
    about: "the tutorial's messages: a header in JSON, and content",
    example: "message",
    make: (given) => symmetric(taking(messages(given.limits()), messageOf)),
  },
  {
    name: "json-lines",
    takes: "",
    about: "a JSON value a line",
    example: "json-lines",
    make: (given) =>
      symmetric(taking(
        mapCodec(jsonLines(given.limits()), {
          decode: (value) => new JsonFrame(value),
          encode: (value) => value,
        }),
        inputJson<unknown>,
      )),
  },
  {
    name: "lsp",
    takes: "",
    about: "language servers: JSON-RPC behind a header block",
    example: "lsp",
    make: (given) => symmetric(taking(lsp(given.limits()), inputJson)),
  },
  {
    name: "dap",
    takes: "",
    about: "debug adapters: JSON behind a header block",
    example: "dap",
    make: (given) => symmetric(taking(dap(given.limits()), inputJson)),
  },
  {
    name: "resp",
    takes: "",
    about: "Redis; a line of words is a command",
    example: "resp",
    make: (given) => symmetric(taking(resp(given.limits()), respFrame)),
  },
  {
    name: "postgres",
    takes: "",
    about: "PostgreSQL, version 3",
    example: "postgres",
    make(given) {
      const limits = given.limits();
      const client = taking(postgres(limits), inputFrame<PostgresProof>);
      const server = taking(
        postgres({ ...limits, role: "server" }),
        inputFrame,
      );
      const asked = taking(postgresEncryption(limits), inputFrame);
      return {
        codec: (side) => side === "client" ? client : server,
        after(from, frame) {
          const type = typeOf(frame);
          if (from === "client") {
            // The answer is a letter without a length.
            return type === "sslRequest" || type === "gssEncryptionRequest"
              ? { client: asked }
              : undefined;
          }
          if (type !== "encryptionAnswer") return undefined;
          const encryption = fieldOf(frame, "encryption");
          return encryption === "none"
            ? { client }
            : { opaque: `encrypted by ${encryption}` };
        },
      };
    },
  },
  {
    name: "mqtt",
    takes: "[:4|5]",
    about: "MQTT 3.1.1; version 5 by itself once a client says so",
    example: "mqtt",
    make(given) {
      const version = given.value() ?? "4";
      if (version !== "4" && version !== "5") {
        throw given.fault(`the version must be 4 or 5: it is "${version}"`);
      }
      const limits = given.limits();
      const five = taking(mqtt({ ...limits, version: 5 }), inputFrame);
      const four = taking(mqtt(limits), inputFrame);
      return {
        codec: () => version === "5" ? five : four,
        after: (_from, frame) =>
          typeOf(frame) === "connect" && fieldOf(frame, "version") === 5
            ? { client: five, server: five }
            : undefined,
      };
    },
  },
  {
    name: "dns",
    takes: "",
    about: "DNS over TCP",
    example: "dns",
    make: (given) => symmetric(taking(dns(given.limits()), inputFrame)),
  },
  {
    name: "syslog",
    takes: "[,lf]",
    about: "syslog over TCP: behind a length, or a line",
    example: "syslog",
    make: (given) =>
      symmetric(taking(
        syslog({
          framing: given.flag("lf") ? "lf" : "octet-counting",
          ...given.limits(),
        }),
        syslogFrame,
      )),
  },
  {
    name: "git",
    takes: "",
    about: "git's packets: four hex digits that count themselves",
    example: "git",
    make: (given) => symmetric(taking(pktLine(given.limits()), pktLineFrame)),
  },
  {
    name: "scgi",
    takes: "",
    about: "SCGI: headers in a netstring, a body; then the answer",
    example: "scgi",
    make(given) {
      const limits = given.limits();
      const server = taking(scgi(limits), inputFrame<ScgiResponse>);
      const client = taking(
        scgi({ ...limits, role: "client" }),
        inputFrame<ScgiRequest>,
      );
      return { codec: (side) => side === "client" ? client : server };
    },
  },
];

function syslogFrame(input: Input): { message: string | Uint8Array } {
  return input.kind === "json"
    ? inputFrame(input)
    : { message: inputBytes(input) };
}

function pktLineFrame(input: Input): { type: "data"; payload: Uint8Array } {
  return input.kind === "json"
    ? inputFrame(input)
    : { type: "data", payload: inputBytes(input) };
}

/**
 * Finds what `--codec` names.
 *
 * @param spec Such as `length:4`.
 * @returns The dialect.
 * @throws {CodecSpecError} If there is no such codec, or its options cannot be.
 */
export function dialectOf(spec: string): Dialect {
  const [, name, rest] = spec.match(/^([^:,]*)(?:[:,]([^]*))?$/) ?? [];
  const found = CODEC_NAMES.find((one) => one.name === name);
  if (found === undefined) {
    const names = CODEC_NAMES.map((one) => one.name);
    throw new CodecSpecError(
      `there is no codec "${name}"${
        didYouMean(name ?? "", names)
      }; see framewire codecs`,
    );
  }
  const given = new Arguments(spec, rest);
  let made: Omit<Dialect, "spec">;
  try {
    made = found.make(given);
  } catch (error) {
    if (error instanceof CodecSpecError) throw error;
    // Options that cannot work together, or are out of range.
    if (error instanceof RangeError || error instanceof TypeError) {
      throw given.fault(error.message);
    }
    throw error;
  }
  given.end();
  return { ...made, spec };
}
