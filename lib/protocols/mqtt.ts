/**
 * MQTT, the protocol of small devices and their brokers: versions 3.1.1 and 5.
 *
 *     | type, flags | remaining length | variable header, payload |
 *       1 byte        varint, 1 to 4     as the length says
 *
 *     30 | 0a | 00 04 t e m p | 2 1 °     publish "21°" to "temp", QoS 0
 *     c0 | 00                             ping
 *
 * @module
 */

import { ByteSink, moveBytes } from "../bytes/byte_sink.ts";
import type { Codec, LimitOptions } from "../codec/codec.ts";
import { tooLargeToWrite } from "../codec/faults.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { checkLimits, checkOneOf } from "../codec/options.ts";
import { encodeToWrite } from "../codec/text.ts";
import { typed } from "../codec/typed.ts";
import { varintPrefixed, writeVarint } from "../codec/varint_prefixed.ts";
import { FieldReader } from "./field_reader.ts";
import {
  MAX_VARINT,
  readBytes,
  readText,
  writeBytes,
  writeText,
} from "./mqtt_fields.ts";
import {
  type MqttProperties,
  readProperties,
  writeProperties,
} from "./mqtt_properties.ts";
import { checkNumber, orRefuse } from "./refusal.ts";

/** The level of the protocol, as it is sent: 4 is MQTT 3.1.1, and 5 is MQTT 5. */
export type MqttVersion = 4 | 5;

/** How often a message arrives: at most once, at least once, exactly once. */
export type MqttQos = 0 | 1 | 2;

/** What {@linkcode mqtt} speaks, and its limit. */
export interface MqttOptions extends LimitOptions {
  /**
   * The version that was agreed on. `connect` says its own, so that a server can read it with any, and go on
   * with `switchCodec`.
   *
   * @default {4}
   */
  version?: MqttVersion;
  /**
   * The longest packet that is accepted and laid out, without its first byte and its length. The default is
   * the most that the protocol can say; a server that does not trust its peers should allow less.
   *
   * @default {268_435_455}
   */
  maxFrameLength?: number;
}

/** The message that the broker publishes if the connection breaks. */
export interface MqttWill {
  /** Where it is published. */
  topic: string;
  /** What is published. */
  payload: Uint8Array;
  /** How often it arrives. */
  qos: MqttQos;
  /** Whether the broker keeps it for those who subscribe later. */
  retain: boolean;
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** A client begins. */
export interface MqttConnect {
  /** The kind of packet. */
  type: "connect";
  /** The version that the client wants to speak. */
  version: MqttVersion;
  /** The name of the session; empty for one that the broker gives. */
  clientId: string;
  /** Whether an older session is forgotten. Version 3.1.1 calls it clean session. */
  clean: boolean;
  /** How long the client may be silent, in seconds; 0 for any time. */
  keepAlive: number;
  /** What is published if the connection breaks. */
  will?: MqttWill;
  /** Who the client is. */
  username?: string;
  /** How it proves it. */
  password?: Uint8Array;
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** The broker's answer to `connect`. */
export interface MqttConnack {
  /** The kind of packet. */
  type: "connack";
  /** Whether there is an older session. */
  sessionPresent: boolean;
  /** 0 if the client is accepted. */
  reasonCode: number;
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** A message, in either direction. */
export interface MqttPublish {
  /** The kind of packet. */
  type: "publish";
  /** What it is about; empty only in version 5, with a `topicAlias`. */
  topic: string;
  /** What it says. */
  payload: Uint8Array;
  /** How often it arrives. */
  qos: MqttQos;
  /** Whether the broker keeps it for those who subscribe later. */
  retain: boolean;
  /** Whether it was sent before. */
  dup: boolean;
  /** With QoS 1 and 2, what it is acknowledged by: from 1 to 65535. */
  id?: number;
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/**
 * An acknowledgement of `publish`: `puback` with QoS 1; with QoS 2 `pubrec`, to which `pubrel` is the answer, to
 * which `pubcomp` is the answer.
 */
export interface MqttAck {
  /** The kind of packet. */
  type: "puback" | "pubrec" | "pubrel" | "pubcomp";
  /** The id of the `publish`. */
  id: number;
  /** 0 if all went well, and always in version 3.1.1, which has none. */
  reasonCode: number;
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** Topics that a client subscribes to. */
export interface MqttSubscription {
  /** The topics: `+` is any one level, a `#` at the end any number. */
  filter: string;
  /** The most that messages are sent with. */
  qos: MqttQos;
  /** Whether the client does not want its own messages; always `false` in version 3.1.1. */
  noLocal: boolean;
  /** Whether messages keep their `retain`; always `false` in version 3.1.1. */
  retainAsPublished: boolean;
  /** When kept messages are sent: always, as in version 3.1.1; for a new subscription; never. */
  retainHandling: 0 | 1 | 2;
}

/** A client subscribes. */
export interface MqttSubscribe {
  /** The kind of packet. */
  type: "subscribe";
  /** What it is acknowledged by: from 1 to 65535. */
  id: number;
  /** What to: at least one. */
  subscriptions: MqttSubscription[];
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** A client ends subscriptions. */
export interface MqttUnsubscribe {
  /** The kind of packet. */
  type: "unsubscribe";
  /** What it is acknowledged by: from 1 to 65535. */
  id: number;
  /** Which: at least one. */
  filters: string[];
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** The broker's answer to `subscribe` or `unsubscribe`. */
export interface MqttSuback {
  /** The kind of packet. */
  type: "suback" | "unsuback";
  /** The id of what was asked. */
  id: number;
  /** One for each filter: the QoS or 0, or from 128 on that it was refused. `unsuback` of 3.1.1 has none. */
  reasonCodes: number[];
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** A client asks whether the broker is there, and the broker says so. */
export interface MqttPing {
  /** The kind of packet. */
  type: "pingreq" | "pingresp";
}

/** The regular end, or, in version 5, the reason of another; `auth` of version 5 goes on with proving who it is. */
export interface MqttDisconnect {
  /** The kind of packet. */
  type: "disconnect" | "auth";
  /** 0 if all is well, and always in version 3.1.1, which has none. */
  reasonCode: number;
  /** What version 5 says beside; absent if there is nothing. */
  properties?: MqttProperties;
}

/** A packet, as it is read. */
export type MqttPacket =
  | MqttConnect
  | MqttConnack
  | MqttPublish
  | MqttAck
  | MqttSubscribe
  | MqttSuback
  | MqttUnsubscribe
  | MqttPing
  | MqttDisconnect;

/** A `connect` as it is written: a clean session that may be silent, of the codec's version, unless it says else. */
export interface MqttConnectInit
  extends
    Partial<Omit<MqttConnect, "type" | "password">>,
    Pick<MqttConnect, "type"> {
  /** How the client proves who it is. */
  password?: Uint8Array | string;
}

/** A `publish` as it is written: QoS 0, for those who listen now, unless it says else. */
export interface MqttPublishInit
  extends
    Partial<Omit<MqttPublish, "type" | "topic" | "payload">>,
    Pick<MqttPublish, "type" | "topic"> {
  /** What it says. */
  payload: Uint8Array | string;
}

/** A `subscribe` as it is written: QoS 0 unless a subscription says else. */
export interface MqttSubscribeInit
  extends Omit<MqttSubscribe, "subscriptions"> {
  /** What to: at least one. */
  subscriptions:
    readonly (Pick<MqttSubscription, "filter"> & Partial<MqttSubscription>)[];
}

/** An acknowledgement as it is written: all went well unless it says else. */
export type MqttAckInit =
  & Omit<MqttAck, "reasonCode">
  & Partial<Pick<MqttAck, "reasonCode">>;

/** A `disconnect` or `auth` as it is written: all is well unless it says else. */
export type MqttDisconnectInit =
  & Omit<MqttDisconnect, "reasonCode">
  & Partial<Pick<MqttDisconnect, "reasonCode">>;

/** A packet, as it is written: what goes without saying may be left out. */
export type MqttPacketInit =
  | MqttConnectInit
  | MqttConnack
  | MqttPublishInit
  | MqttAckInit
  | MqttSubscribeInit
  | MqttSuback
  | MqttUnsubscribe
  | MqttPing
  | MqttDisconnectInit;

const PROTOCOL = "MQTT";
/** The kinds of packets; the index is what is sent. */
const TYPES = [
  undefined,
  "connect",
  "connack",
  "publish",
  "puback",
  "pubrec",
  "pubrel",
  "pubcomp",
  "subscribe",
  "suback",
  "unsubscribe",
  "unsuback",
  "pingreq",
  "pingresp",
  "disconnect",
  "auth",
] as const;
/** The flags of those that have to have some. */
const FLAGS = new Map<MqttPacket["type"], number>([
  ["pubrel", 2],
  ["subscribe", 2],
  ["unsubscribe", 2],
]);

/** The kind of packet that begins with a byte; `undefined` if none does. */
function typeOf(
  first: number,
  version: MqttVersion,
): MqttPacket["type"] | undefined {
  const type = TYPES[first >> 4];
  const flags = first & 0x0f;
  if (type === undefined || type === "auth" && version === 4) return undefined;
  if (type === "publish") {
    const qos = flags >> 1 & 3;
    const again = flags >= 8;
    return qos === 3 || qos === 0 && again ? undefined : type;
  }
  return flags === (FLAGS.get(type) ?? 0) ? type : undefined;
}

function toQos(value: number): MqttQos {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new RangeError(`QoS must be 0, 1 or 2: it is ${value}`);
}

/** The name of a topic, which has no wildcards. */
function checkTopic(topic: string): string {
  if (!/[+#]/.test(topic)) return topic;
  throw new RangeError(
    `a topic to publish to must not have + or # in it: it is ${
      JSON.stringify(topic)
    }`,
  );
}

/** A filter of topics: wildcards are whole levels. */
function checkFilter(filter: string): string {
  const levels = filter.split("/");
  const last = levels.length - 1;
  const valid = filter !== "" &&
    levels.every((level, i) =>
      !/[+#]/.test(level) || level === "+" || level === "#" && i === last
    );
  if (valid) return filter;
  throw new RangeError(
    `a filter must have + and # as whole levels, and # as the last: it is ${
      JSON.stringify(filter)
    }`,
  );
}

function checkId(id: number): number {
  return checkNumber("id", id, 0xffff, 1);
}

function checkSome<T>(list: readonly T[], what: string): readonly T[] {
  if (list.length > 0) return list;
  throw new RangeError(`there must be a ${what}`);
}

// Reading

/** A byte of flags of which only some are used. */
function readFlags(body: FieldReader, used: number, what: string): number {
  const flags = body.uint(1);
  if ((flags & ~used) === 0) return flags;
  throw new RangeError(
    `reserved flags of ${what} must be 0: they are 0x${
      (flags & ~used).toString(16)
    }`,
  );
}

/** What version 5 says beside, as what is spread into a packet. */
function readBeside(
  body: FieldReader,
  of: MqttPacket["type"] | "will",
  version: MqttVersion,
): { properties?: MqttProperties } {
  if (version === 4) return {};
  const properties = readProperties(body, of);
  return properties === undefined ? {} : { properties };
}

/** A reason and what is said beside, either of which may be left out. */
function readReason(
  body: FieldReader,
  of: MqttPacket["type"],
  version: MqttVersion,
): { reasonCode: number; properties?: MqttProperties } {
  if (version === 4 || body.left === 0) return { reasonCode: 0 };
  const reasonCode = body.uint(1);
  return body.left === 0
    ? { reasonCode }
    : { reasonCode, ...readBeside(body, of, version) };
}

function readConnect(body: FieldReader): MqttConnect {
  const name = readText(body, "protocol");
  const version = body.uint(1);
  if (name !== PROTOCOL || version !== 4 && version !== 5) {
    throw new RangeError(
      `protocol must be "MQTT" of level 4 or 5: it is ${
        JSON.stringify(name)
      } of level ${version}`,
    );
  }
  const flags = readFlags(body, 0xfe, "connect");
  const [hasUsername, hasPassword, hasWill] = [0x80, 0x40, 0x04].map((bit) =>
    (flags & bit) !== 0
  );
  if (!hasWill && (flags & 0x38) !== 0) {
    throw new RangeError("there are flags of a will, and there is none");
  }
  if (version === 4 && hasPassword && !hasUsername) {
    throw new RangeError("there is a password, and there is no username");
  }
  const clean = (flags & 0x02) !== 0;
  const keepAlive = body.uint(2);
  const beside = readBeside(body, "connect", version);
  const clientId = readText(body, "clientId");
  const packet: MqttConnect = {
    type: "connect",
    version,
    clientId,
    clean,
    keepAlive,
    ...beside,
  };
  if (hasWill) {
    const properties = readBeside(body, "will", version);
    packet.will = {
      topic: checkTopic(readText(body, "topic")),
      payload: readBytes(body),
      qos: toQos(flags >> 3 & 3),
      retain: (flags & 0x20) !== 0,
      ...properties,
    };
  }
  if (hasUsername) packet.username = readText(body, "username");
  if (hasPassword) packet.password = readBytes(body);
  return packet;
}

function readPublish(
  body: FieldReader,
  flags: number,
  version: MqttVersion,
): MqttPublish {
  const topic = checkTopic(readText(body, "topic"));
  const qos = toQos(flags >> 1 & 3);
  const id = qos === 0 ? undefined : checkId(body.uint(2));
  const beside = readBeside(body, "publish", version);
  checkNamed(topic, beside.properties);
  return {
    type: "publish",
    topic,
    payload: body.rest(),
    qos,
    retain: (flags & 1) !== 0,
    dup: (flags & 8) !== 0,
    ...(id === undefined ? {} : { id }),
    ...beside,
  };
}

/** Throws unless a message has a topic, or a number that stands for one. */
function checkNamed(
  topic: string,
  properties: MqttProperties | undefined,
): void {
  if (topic !== "" || properties?.topicAlias !== undefined) return;
  throw new RangeError("a topic to publish to must not be empty");
}

function readSubscription(
  body: FieldReader,
  version: MqttVersion,
): MqttSubscription {
  const filter = checkFilter(readText(body, "filter"));
  const flags = readFlags(body, version === 4 ? 3 : 0x3f, "a subscription");
  const retainHandling = flags >> 4;
  if (retainHandling === 3) {
    throw new RangeError("retain handling must be 0, 1 or 2: it is 3");
  }
  return {
    filter,
    qos: toQos(flags & 3),
    noLocal: (flags & 4) !== 0,
    retainAsPublished: (flags & 8) !== 0,
    retainHandling: retainHandling === 0 ? 0 : retainHandling === 1 ? 1 : 2,
  };
}

/** One or more of something, to the end. */
function readList<T>(body: FieldReader, what: string, read: () => T): T[] {
  const list: T[] = [];
  while (body.left > 0) list.push(read());
  checkSome(list, what);
  return list;
}

function readPacket(
  first: number,
  body: FieldReader,
  version: MqttVersion,
): MqttPacket {
  const type = typeOf(first, version);
  switch (type) {
    case "connect":
      return readConnect(body);
    case "connack":
      return {
        type,
        sessionPresent: readFlags(body, 1, "connack") === 1,
        reasonCode: body.uint(1),
        ...readBeside(body, type, version),
      };
    case "publish":
      return readPublish(body, first & 0x0f, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return {
        type,
        id: checkId(body.uint(2)),
        ...readReason(body, type, version),
      };
    case "subscribe":
      return {
        type,
        id: checkId(body.uint(2)),
        ...readBeside(body, type, version),
        subscriptions: readList(
          body,
          "subscription",
          () => readSubscription(body, version),
        ),
      };
    case "unsubscribe":
      return {
        type,
        id: checkId(body.uint(2)),
        ...readBeside(body, type, version),
        filters: readList(
          body,
          "filter",
          () => checkFilter(readText(body, "filter")),
        ),
      };
    case "suback":
    case "unsuback": {
      const id = checkId(body.uint(2));
      const beside = readBeside(body, type, version);
      const none = type === "unsuback" && version === 4;
      const reasonCodes = none
        ? []
        : readList(body, "reason code", () => body.uint(1));
      return { type, id, reasonCodes, ...beside };
    }
    case "pingreq":
    case "pingresp":
      return { type };
    case "disconnect":
    case "auth":
      return { type, ...readReason(body, type, version) };
    case undefined: // has been refused as a tag without a rule
      throw new RangeError(`no packet begins with ${first}`);
  }
}

// Writing

function toBytes(value: Uint8Array | string): Uint8Array {
  return typeof value === "string" ? encodeToWrite(value) : value;
}

/** What version 5 says beside. */
function writeBeside(
  out: ByteSink,
  properties: MqttProperties | undefined,
  of: MqttPacket["type"] | "will",
  version: MqttVersion,
): void {
  if (version === 5) return writeProperties(out, properties ?? {}, of);
  if (properties !== undefined) {
    throw new TypeError("MQTT 3.1.1 has no properties");
  }
}

/** A reason and what is said beside, left out as far as they go without saying. */
function writeReason(
  out: ByteSink,
  { reasonCode = 0, properties }: {
    reasonCode?: number;
    properties?: MqttProperties;
  },
  of: MqttPacket["type"],
  version: MqttVersion,
): void {
  checkNumber("reasonCode", reasonCode, version === 4 ? 0 : 255);
  if (reasonCode === 0 && properties === undefined) return;
  if (version === 5) out.byte(reasonCode);
  if (properties !== undefined) writeBeside(out, properties, of, version);
}

function writeConnect(
  out: ByteSink,
  packet: MqttConnectInit,
  agreed: MqttVersion,
): void {
  const { version = agreed, clientId = "", clean = true, keepAlive = 0 } =
    packet;
  const { will, username, password, properties } = packet;
  if (version !== 4 && version !== 5) {
    throw new RangeError(`version must be 4 or 5: it is ${version}`);
  }
  if (version === 4 && password !== undefined && username === undefined) {
    throw new RangeError("there is a password, and there is no username");
  }
  writeText(out, PROTOCOL, "protocol");
  out.byte(version);
  out.byte(
    (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40) |
      (clean ? 0x02 : 0) |
      (will === undefined
        ? 0
        : 0x04 | toQos(will.qos) << 3 | (will.retain ? 0x20 : 0)),
  );
  out.uint(checkNumber("keepAlive", keepAlive, 0xffff), 2);
  writeBeside(out, properties, "connect", version);
  writeText(out, clientId, "clientId");
  if (will !== undefined) {
    writeBeside(out, will.properties, "will", version);
    writeText(out, checkTopic(will.topic), "topic");
    writeBytes(out, will.payload, "payload");
  }
  if (username !== undefined) writeText(out, username, "username");
  if (password !== undefined) writeBytes(out, toBytes(password), "password");
}

/** Lays out what comes before the payload; says what flags go into the first byte. */
function writePublish(
  out: ByteSink,
  packet: MqttPublishInit,
  version: MqttVersion,
): number {
  const { topic, retain = false, dup = false, id, properties } = packet;
  const qos = toQos(packet.qos ?? 0);
  if (qos === 0 && (dup || id !== undefined)) {
    throw new RangeError("QoS 0 has no id, and is not sent again");
  }
  checkNamed(topic, properties);
  writeText(out, checkTopic(topic), "topic");
  if (qos > 0) out.uint(checkId(id ?? 0), 2);
  writeBeside(out, properties, "publish", version);
  return (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0);
}

function writeSubscription(
  out: ByteSink,
  subscription: MqttSubscribeInit["subscriptions"][number],
  version: MqttVersion,
): void {
  const { filter, qos = 0, noLocal = false, retainAsPublished = false } =
    subscription;
  const { retainHandling = 0 } = subscription;
  const flags = toQos(qos) | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) |
    checkNumber("retainHandling", retainHandling, 2) << 4;
  if (version === 4 && flags > 2) {
    throw new TypeError("MQTT 3.1.1 has no options of subscriptions but QoS");
  }
  writeText(out, checkFilter(filter), "filter");
  out.byte(flags);
}

/** Lays out all but a message's payload; says what flags go into the first byte. */
function writePacket(
  out: ByteSink,
  packet: MqttPacketInit,
  version: MqttVersion,
): number {
  const { type } = packet;
  switch (type) {
    case "connect":
      writeConnect(out, packet, version);
      break;
    case "connack":
      out.byte(packet.sessionPresent ? 1 : 0);
      out.byte(checkNumber("reasonCode", packet.reasonCode, 255));
      writeBeside(out, packet.properties, type, version);
      break;
    case "publish":
      return writePublish(out, packet, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      out.uint(checkId(packet.id), 2);
      writeReason(out, packet, type, version);
      break;
    case "subscribe":
      out.uint(checkId(packet.id), 2);
      writeBeside(out, packet.properties, type, version);
      for (const one of checkSome(packet.subscriptions, "subscription")) {
        writeSubscription(out, one, version);
      }
      break;
    case "unsubscribe":
      out.uint(checkId(packet.id), 2);
      writeBeside(out, packet.properties, type, version);
      for (const filter of checkSome(packet.filters, "filter")) {
        writeText(out, checkFilter(filter), "filter");
      }
      break;
    case "suback":
    case "unsuback": {
      const { id, reasonCodes, properties } = packet;
      out.uint(checkId(id), 2);
      writeBeside(out, properties, type, version);
      if (type === "unsuback" && version === 4) {
        if (reasonCodes.length === 0) break;
        throw new TypeError("unsuback of MQTT 3.1.1 has no reason codes");
      }
      for (const code of checkSome(reasonCodes, "reason code")) {
        out.byte(checkNumber("reason code", code, 255));
      }
      break;
    }
    case "pingreq":
    case "pingresp":
      break;
    case "disconnect":
    case "auth":
      if (type === "auth" && version === 4) {
        throw new TypeError("MQTT 3.1.1 has no auth");
      }
      writeReason(out, packet, type, version);
      break;
    default:
      throw new TypeError(`no packet is of type ${JSON.stringify(type)}`);
  }
  return FLAGS.get(type) ?? 0;
}

/**
 * Speaks MQTT 3.1.1 and 5 (OASIS, sections 2 and 3 of either): each frame is a packet, told from others by its
 * `type`.
 *
 * It reads and writes packets, for clients and servers alike. What follows from them is the program's: to
 * acknowledge, to send again, to ping.
 *
 * A first byte that begins no packet, or a length that does not end within four bytes, ends the stream. A packet
 * that is wrong inside is a recoverable `MalformedFrameError`; the protocol asks to end the connection then too.
 *
 * @param options The version and the limit.
 * @returns The codec. Its `encode` throws a `RangeError` or `TypeError` for what the protocol, or the version,
 * does not allow.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { mqtt } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(mqtt(), { type: "publish", topic: "temp", payload: "21" });
 * assertEquals(wire, new TextEncoder().encode("\x30\x08\0\x04temp21"));
 *
 * const decoder = new FrameDecoder(mqtt());
 * decoder.push(wire);
 * const packet = decoder.next();
 * assertEquals(packet?.type === "publish" && packet.topic, "temp");
 * ```
 */
export function mqtt(
  options: MqttOptions = {},
): Codec<MqttPacket, MqttPacketInit> {
  const version = checkOneOf("version", options.version ?? 4, [4, 5]);
  const limits = {
    ...options,
    maxFrameLength: options.maxFrameLength ?? MAX_VARINT,
  };
  const { limit } = checkLimits(limits, MAX_VARINT);
  const body = varintPrefixed({ ...limits, maxWidth: 4 });
  const packets = mapCodec(
    typed({
      length: (first) =>
        typeOf(first, version) === undefined ? undefined : body,
    }),
    {
      decode({ tag, payload }): MqttPacket {
        const fields = new FieldReader(payload);
        const packet = readPacket(tag, fields, version);
        fields.expectEnd(packet.type);
        return packet;
      },
      encode: (packet: never) => packet, // they are laid out below, without a copy of the payload
    },
  );
  return {
    decode: packets.decode,
    encode(packet, out) {
      const head = new ByteSink();
      const flags = orRefuse(() => writePacket(head, packet, version));
      const payload = packet.type === "publish"
        ? toBytes(packet.payload)
        : new Uint8Array();
      const length = head.length + payload.length;
      if (length > limit) throw tooLargeToWrite(length, limit);
      out.byte(TYPES.indexOf(packet.type) << 4 | flags);
      writeVarint(out, length);
      moveBytes(head, out);
      out.write(payload);
    },
  };
}
