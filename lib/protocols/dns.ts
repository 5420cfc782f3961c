/**
 * DNS over TCP: questions about names, and answers.
 *
 *     | length | id | flags | counts: 4 numbers | questions | answers | authorities | additionals |
 *       2 bytes  2    2       8 bytes             as many as the counts say
 *
 *     00 1d | 00 01 | 01 00 | 00 01 00 00 00 00 00 00 | 07 e x a m p l e 03 c o m 00 | 00 01 | 00 01
 *             id 1    asks                              name                          type A  class IN
 *
 * @module
 */

import { ByteSink, moveBytes, takeBytes } from "../bytes/byte_sink.ts";
import type { Codec, LimitOptions } from "../codec/codec.ts";
import { ipText, ipv4Bytes, ipv6Bytes } from "../codec/ip_address.ts";
import { lengthPrefixed } from "../codec/length_prefixed.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { DnsNameWriter, readName } from "./dns_name.ts";
import { FieldReader } from "./field_reader.ts";
import { checkNumber, orRefuse } from "./refusal.ts";

/** A type of record that is read and written field by field. */
export type DnsKnownType =
  | "A"
  | "AAAA"
  | "CNAME"
  | "MX"
  | "NS"
  | "PTR"
  | "SOA"
  | "SRV"
  | "TXT";

/** A type of record: its name, or, if it is another than those or `"ANY"`, its number. */
export type DnsType = DnsKnownType | "ANY" | number;

/** A question. */
export interface DnsQuestion {
  /** The name that it is about. */
  name: string;
  /** Which records are wanted. */
  type: DnsType;
  /** The class: 1 is the Internet. */
  class: number;
}

/** What every record has. */
export interface DnsRecordBase {
  /** The name that it is about. */
  name: string;
  /** The class: 1 is the Internet. */
  class: number;
  /** For how long it may be kept, in seconds. */
  ttl: number;
}

/** An IP address: of version 4 in `A`, of version 6 in `AAAA`. */
export interface DnsAddressRecord extends DnsRecordBase {
  /** The type of record. */
  type: "A" | "AAAA";
  /** The address, spelt as Deno spells it. */
  address: string;
}

/** Another name: the real one in `CNAME`, a name server in `NS`, the name of an address in `PTR`. */
export interface DnsNameRecord extends DnsRecordBase {
  /** The type of record. */
  type: "CNAME" | "NS" | "PTR";
  /** The other name. */
  target: string;
}

/** A server that takes mail. */
export interface DnsMxRecord extends DnsRecordBase {
  /** The type of record. */
  type: "MX";
  /** Those with lower numbers are tried first. */
  preference: number;
  /** The server. */
  exchange: string;
}

/** The start of a zone. */
export interface DnsSoaRecord extends DnsRecordBase {
  /** The type of record. */
  type: "SOA";
  /** The first name server. */
  primary: string;
  /** The mailbox of who is responsible, as a name: its first label is what stands in front of the @. */
  responsible: string;
  /** The version of the zone. */
  serial: number;
  /** After how many seconds other servers look for a new version. */
  refresh: number;
  /** After how many seconds they try again. */
  retry: number;
  /** After how many seconds without success they forget the zone. */
  expire: number;
  /** For how many seconds it may be kept that a name does not exist. */
  minimum: number;
}

/** Where a service is. */
export interface DnsSrvRecord extends DnsRecordBase {
  /** The type of record. */
  type: "SRV";
  /** Those with lower numbers are tried first. */
  priority: number;
  /** Among those of the same priority, how often it is to be chosen. */
  weight: number;
  /** The port. */
  port: number;
  /** The host. */
  target: string;
}

/** Texts. */
export interface DnsTxtRecord extends DnsRecordBase {
  /** The type of record. */
  type: "TXT";
  /** At least one, of at most 255 bytes each, which are text in no particular encoding. */
  texts: Uint8Array[];
}

/** A record of a type that is not read, such as 41 for the options of EDNS, which uses class and TTL its own way. */
export interface DnsOtherRecord extends DnsRecordBase {
  /** The number of the type. */
  type: number;
  /** What it says. */
  data: Uint8Array;
}

/** A record. */
export type DnsRecord =
  | DnsAddressRecord
  | DnsNameRecord
  | DnsMxRecord
  | DnsSoaRecord
  | DnsSrvRecord
  | DnsTxtRecord
  | DnsOtherRecord;

/** A message, as it is read. */
export interface DnsMessage {
  /** What tells whose the answer is. */
  id: number;
  /** Whether it is an answer. */
  response: boolean;
  /** What is asked for: 0 for a query. */
  opcode: number;
  /** Whether the server is responsible for the name. */
  authoritative: boolean;
  /** Whether the message was cut, which TCP makes needless. */
  truncated: boolean;
  /** Whether the server is to ask others. */
  recursionDesired: boolean;
  /** Whether the server would ask others. */
  recursionAvailable: boolean;
  /** Whether the server has checked signatures (RFC 4035, section 3.2.3). */
  authenticData: boolean;
  /** Whether the server is not to check signatures (RFC 4035, section 3.2.2). */
  checkingDisabled: boolean;
  /** 0 if all went well, 3 if the name does not exist. */
  responseCode: number;
  /** The questions, nearly always one. */
  questions: DnsQuestion[];
  /** The answers. */
  answers: DnsRecord[];
  /** The servers that are responsible. */
  authorities: DnsRecord[];
  /** What may be of use beside. */
  additionals: DnsRecord[];
}

/** A question as it is written: of the class of the Internet unless it says else. */
export interface DnsQuestionInit
  extends Omit<DnsQuestion, "class">, Partial<Pick<DnsQuestion, "class">> {}

/** A message as it is written: a query with all flags off and nothing in it, unless it says else. */
export interface DnsMessageInit
  extends
    Partial<Omit<DnsMessage, "id" | "questions">>,
    Pick<DnsMessage, "id"> {
  /** The questions. */
  questions?: readonly DnsQuestionInit[];
}

/** The limit of {@linkcode dns}. */
export interface DnsOptions extends LimitOptions {
  /**
   * The longest message that is accepted and laid out. The default is the most that the protocol can say.
   *
   * @default {65_535}
   */
  maxFrameLength?: number;
}

const MOST = 65_535;
const INTERNET = 1;
const TYPES = new Map<number, DnsKnownType | "ANY">([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [255, "ANY"],
]);
const NUMBERS = new Map<DnsType, number>(
  [...TYPES].map(([number, name]) => [name, number]),
);
/** The bits of the flags; what lies between them are numbers. */
const RESPONSE = 0x8000;
const OPCODE_SHIFT = 11;
const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const AUTHENTIC_DATA = 0x0020;
const CHECKING_DISABLED = 0x0010;

function readType(body: FieldReader): DnsType {
  const number = body.uint(2);
  return TYPES.get(number) ?? number;
}

function readQuestion(message: Uint8Array, body: FieldReader): DnsQuestion {
  return {
    name: readName(message, body),
    type: readType(body),
    class: body.uint(2),
  };
}

function readRecord(message: Uint8Array, body: FieldReader): DnsRecord {
  const name = readName(message, body);
  const type = readType(body);
  const base = { name, class: body.uint(2), ttl: body.uint(4) };
  const length = body.uint(2);
  return body.within(
    length,
    `a record of type ${type}`,
    () => readContent(message, body, length, type, base),
  );
}

function readContent(
  message: Uint8Array,
  body: FieldReader,
  length: number,
  type: DnsType,
  base: DnsRecordBase,
): DnsRecord {
  switch (type) {
    case "A":
      return { ...base, type, address: ipText(body.take(4)) };
    case "AAAA":
      return { ...base, type, address: ipText(body.take(16)) };
    case "CNAME":
    case "NS":
    case "PTR":
      return { ...base, type, target: readName(message, body) };
    case "MX":
      return {
        ...base,
        type,
        preference: body.uint(2),
        exchange: readName(message, body),
      };
    case "SOA":
      return {
        ...base,
        type,
        primary: readName(message, body),
        responsible: readName(message, body),
        serial: body.uint(4),
        refresh: body.uint(4),
        retry: body.uint(4),
        expire: body.uint(4),
        minimum: body.uint(4),
      };
    case "SRV":
      return {
        ...base,
        type,
        priority: body.uint(2),
        weight: body.uint(2),
        port: body.uint(2),
        target: readName(message, body),
      };
    case "TXT": {
      const texts = [body.take(body.uint(1))];
      while (body.left > 0) texts.push(body.take(body.uint(1)));
      return { ...base, type, texts };
    }
    case "ANY":
      throw new RangeError("a record cannot be of type ANY");
    default:
      return { ...base, type, data: body.take(length) };
  }
}

function readMessage(message: Uint8Array): DnsMessage {
  const body = new FieldReader(message);
  const id = body.uint(2);
  const bits = body.uint(2);
  const [questions, answers, authorities, additionals] = [1, 2, 3, 4].map(() =>
    body.uint(2)
  );
  /** So many of something; memory is taken for what is there. */
  function list<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    while (items.length < count) items.push(read());
    return items;
  }
  const record = () => readRecord(message, body);
  const isOn = (flag: number) => (bits & flag) !== 0;
  const read: DnsMessage = {
    id,
    response: isOn(RESPONSE),
    opcode: bits >> OPCODE_SHIFT & 0x0f,
    authoritative: isOn(AUTHORITATIVE),
    truncated: isOn(TRUNCATED),
    recursionDesired: isOn(RECURSION_DESIRED),
    recursionAvailable: isOn(RECURSION_AVAILABLE),
    authenticData: isOn(AUTHENTIC_DATA),
    checkingDisabled: isOn(CHECKING_DISABLED),
    responseCode: bits & 0x0f,
    questions: list(questions, () => readQuestion(message, body)),
    answers: list(answers, record),
    authorities: list(authorities, record),
    additionals: list(additionals, record),
  };
  body.expectEnd("the message");
  return read;
}

/** The bytes of an address. */
function addressBytes({ type, address }: DnsAddressRecord): Uint8Array {
  const bytes = (type === "A" ? ipv4Bytes : ipv6Bytes)(address);
  if (bytes !== undefined) return new Uint8Array(bytes);
  throw new RangeError(
    `address of ${type} cannot be ${JSON.stringify(address)}`,
  );
}

function numberOf(type: DnsType): number {
  if (typeof type === "string") {
    const number = NUMBERS.get(type);
    if (number !== undefined) return number;
    throw new RangeError(`type cannot be ${JSON.stringify(type)}`);
  }
  const name = TYPES.get(type);
  if (name === undefined) return checkNumber("type", type, 0xffff);
  throw new RangeError(`type ${type} must be written as ${name}`);
}

/** Lays messages out. */
class MessageWriter {
  #out = new ByteSink();
  #names = new DnsNameWriter();

  /** What was laid out; nothing more can be. */
  finish(): Uint8Array {
    return takeBytes(this.#out);
  }

  message(message: DnsMessageInit): void {
    const { id, opcode = 0, responseCode = 0, questions = [] } = message;
    const { answers = [], authorities = [], additionals = [] } = message;
    this.#uint("id", id, 2);
    this.#out.uint(
      (message.response ? RESPONSE : 0) |
        checkNumber("opcode", opcode, 15) << OPCODE_SHIFT |
        (message.authoritative ? AUTHORITATIVE : 0) |
        (message.truncated ? TRUNCATED : 0) |
        (message.recursionDesired ? RECURSION_DESIRED : 0) |
        (message.recursionAvailable ? RECURSION_AVAILABLE : 0) |
        (message.authenticData ? AUTHENTIC_DATA : 0) |
        (message.checkingDisabled ? CHECKING_DISABLED : 0) |
        checkNumber("responseCode", responseCode, 15),
      2,
    );
    const sections = [answers, authorities, additionals];
    for (const { length } of [questions, ...sections]) {
      this.#uint("number of records", length, 2);
    }
    for (const question of questions) this.#question(question);
    for (const record of sections.flat()) this.#record(record);
  }

  #uint(what: string, value: number, width: 1 | 2 | 4, out = this.#out): void {
    out.uint(checkNumber(what, value, 2 ** (8 * width) - 1), width);
  }

  #question(question: DnsQuestionInit): void {
    this.#names.write(this.#out, question.name);
    this.#out.uint(numberOf(question.type), 2);
    this.#uint("class", question.class ?? INTERNET, 2);
  }

  #record(record: DnsRecord): void {
    const { name, type, class: classNumber, ttl } = record;
    this.#names.write(this.#out, name);
    this.#out.uint(numberOf(type), 2);
    this.#uint("class", classNumber, 2);
    this.#uint("ttl", ttl, 4);
    const content = new ByteSink();
    this.#content(record, content, this.#out.position + 2);
    this.#uint("length of a record", content.length, 2);
    moveBytes(content, this.#out);
  }

  /** Lays out what a record says, which begins at a position of the message. */
  #content(record: DnsRecord, out: ByteSink, start: number): void {
    const name = (one: string) => this.#names.write(out, one, start);
    switch (record.type) {
      case "A":
      case "AAAA":
        return out.write(addressBytes(record));
      case "CNAME":
      case "NS":
      case "PTR":
        return name(record.target);
      case "MX":
        this.#uint("preference", record.preference, 2, out);
        return name(record.exchange);
      case "SOA":
        name(record.primary);
        name(record.responsible);
        this.#uint("serial", record.serial, 4, out);
        this.#uint("refresh", record.refresh, 4, out);
        this.#uint("retry", record.retry, 4, out);
        this.#uint("expire", record.expire, 4, out);
        return this.#uint("minimum", record.minimum, 4, out);
      case "SRV":
        this.#uint("priority", record.priority, 2, out);
        this.#uint("weight", record.weight, 2, out);
        this.#uint("port", record.port, 2, out);
        return this.#names.writeWhole(out, record.target);
      case "TXT":
        if (record.texts.length === 0) {
          throw new RangeError("there must be a text");
        }
        for (const text of record.texts) {
          this.#uint("length of a text", text.length, 1, out);
          out.write(text);
        }
        return;
      default:
        return out.write(record.data);
    }
  }
}

/**
 * Speaks DNS over TCP (RFC 1035, section 4.2.2): each frame is a message, of questions or of answers.
 *
 * Names are texts without the dot at their end, and `"."` is the root. Bytes other than printable ASCII, and dots
 * and backslashes inside a label, are escaped, as in `a\.b` and `a\032b` (RFC 1035, section 5.1). Names in
 * other alphabets are for the caller to translate, as `new URL` does.
 *
 * It reads compressed names, each step of which must lead further back, and writes them. Many queries may be sent
 * without waiting for answers, which come in any order: their ids tell whose they are.
 *
 * A message that is wrong inside is a recoverable `MalformedFrameError`.
 *
 * @param options The limit.
 * @returns The codec. Its `encode` throws a `RangeError` or `TypeError` for what a message cannot say.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { dns } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(dns(), {
 *   id: 1,
 *   recursionDesired: true,
 *   questions: [{ name: "example.com", type: "MX" }],
 * });
 * assertEquals(wire.length, 2 + 29);
 *
 * const decoder = new FrameDecoder(dns());
 * decoder.push(wire);
 * assertEquals(decoder.next()?.questions, [{ name: "example.com", type: "MX", class: 1 }]);
 * ```
 */
export function dns(
  options: DnsOptions = {},
): Codec<DnsMessage, DnsMessageInit> {
  const { maxFrameLength = MOST } = options;
  return mapCodec(lengthPrefixed({ ...options, width: 2, maxFrameLength }), {
    decode: readMessage,
    encode(message: DnsMessageInit) {
      const writer = new MessageWriter();
      orRefuse(() => writer.message(message));
      return writer.finish();
    },
  });
}
