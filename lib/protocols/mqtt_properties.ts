/**
 * The properties of MQTT 5: what packets say beside.
 *
 *     | length | id, value | id, value | …
 *       varint
 *
 *     0d | 26 00 01 a 00 01 b | 02 00 00 00 3c       user property a: b; message expiry interval 60
 *
 * @module
 */

import { ByteSink, moveBytes } from "../bytes/byte_sink.ts";
import { writeVarint } from "../codec/varint_prefixed.ts";
import type { FieldReader } from "./field_reader.ts";
import {
  MAX_VARINT,
  readBytes,
  readText,
  readVarint,
  writeBytes,
  writeText,
} from "./mqtt_fields.ts";
import { checkNumber } from "./refusal.ts";

/**
 * What a packet says beside, in version 5 (section 2.2.2). Each may come once, but for the last two, and only in
 * some kinds of packets. Those that are 0 or 1 say no or yes.
 */
export interface MqttProperties {
  /** 1: the message is UTF-8. */
  payloadFormatIndicator?: number;
  /** For how long the message is of use, in seconds. */
  messageExpiryInterval?: number;
  /** The media type of the message. */
  contentType?: string;
  /** Where answers are to be published. */
  responseTopic?: string;
  /** What answers are to bring along. */
  correlationData?: Uint8Array;
  /** How long the session is kept when the connection has ended, in seconds; 4294967295 for ever. */
  sessionExpiryInterval?: number;
  /** The name of the session that the broker gave. */
  assignedClientIdentifier?: string;
  /** How long the client may be silent, as the broker has it, in seconds. */
  serverKeepAlive?: number;
  /** How the client proves who it is. */
  authenticationMethod?: string;
  /** What it proves it by. */
  authenticationData?: Uint8Array;
  /** Whether the client wants reasons and user properties. */
  requestProblemInformation?: number;
  /** How long after the end of the connection the will is published, in seconds. */
  willDelayInterval?: number;
  /** Whether the client wants to know what its topics for answers may begin with. */
  requestResponseInformation?: number;
  /** What topics for answers may begin with. */
  responseInformation?: string;
  /** Another server to go to. */
  serverReference?: string;
  /** The reason, for people. */
  reasonString?: string;
  /** How many messages of QoS 1 and 2 the other side takes before the first is acknowledged; not 0. */
  receiveMaximum?: number;
  /** The highest topic alias that the other side takes. */
  topicAliasMaximum?: number;
  /** A number that stands for a topic; not 0. */
  topicAlias?: number;
  /** The highest QoS that the broker takes, 0 or 1. */
  maximumQos?: number;
  /** Whether the broker keeps messages. */
  retainAvailable?: number;
  /** The longest packet that the other side takes, in bytes, all of it counted; not 0. */
  maximumPacketSize?: number;
  /** Whether filters may have wildcards. */
  wildcardSubscriptionAvailable?: number;
  /** Whether subscriptions may have identifiers. */
  subscriptionIdentifierAvailable?: number;
  /** Whether subscriptions may be shared. */
  sharedSubscriptionAvailable?: number;
  /** The numbers of the subscriptions that a message is for, or the one number of a subscription; none is 0. */
  subscriptionIdentifiers?: number[];
  /** Names and values of the program's own, in order. */
  userProperties?: [name: string, value: string][];
}

/** The properties of a type. */
type NameOf<V> = {
  [K in keyof MqttProperties]-?: MqttProperties[K] extends V | undefined ? K
    : never;
}[keyof MqttProperties];

/** A property: what it is called, how it is laid out, and the kinds of packets that may have it. */
type Property =
  & {
    id: number;
    /** The kinds of packets, with `ack` for the four acknowledgements of messages. */
    of: string;
  }
  & ({
    kind: "number";
    name: NameOf<number>;
    width: 1 | 2 | 4;
    least?: number;
  } | {
    kind: "text";
    name: NameOf<string>;
  } | {
    kind: "bytes";
    name: NameOf<Uint8Array>;
  } | {
    kind: "identifiers";
    name: "subscriptionIdentifiers";
  } | {
    kind: "pairs";
    name: "userProperties";
  });

function number(
  id: number,
  name: NameOf<number>,
  width: 1 | 2 | 4,
  of: string,
  least = 0,
): Property {
  return { id, kind: "number", name, width, of, least };
}

function text(id: number, name: NameOf<string>, of: string): Property {
  return { id, kind: "text", name, of };
}

function bytes(id: number, name: NameOf<Uint8Array>, of: string): Property {
  return { id, kind: "bytes", name, of };
}

const ANY =
  "connect connack publish will ack subscribe suback unsubscribe unsuback disconnect auth";
const ANSWERS = "connack ack suback unsuback disconnect auth";
/** Table 2-4 of the standard. */
const PROPERTIES: readonly Property[] = [
  number(1, "payloadFormatIndicator", 1, "publish will"),
  number(2, "messageExpiryInterval", 4, "publish will"),
  text(3, "contentType", "publish will"),
  text(8, "responseTopic", "publish will"),
  bytes(9, "correlationData", "publish will"),
  {
    id: 11,
    kind: "identifiers",
    name: "subscriptionIdentifiers",
    of: "publish subscribe",
  },
  number(17, "sessionExpiryInterval", 4, "connect connack disconnect"),
  text(18, "assignedClientIdentifier", "connack"),
  number(19, "serverKeepAlive", 2, "connack"),
  text(21, "authenticationMethod", "connect connack auth"),
  bytes(22, "authenticationData", "connect connack auth"),
  number(23, "requestProblemInformation", 1, "connect"),
  number(24, "willDelayInterval", 4, "will"),
  number(25, "requestResponseInformation", 1, "connect"),
  text(26, "responseInformation", "connack"),
  text(28, "serverReference", "connack disconnect"),
  text(31, "reasonString", ANSWERS),
  number(33, "receiveMaximum", 2, "connect connack", 1),
  number(34, "topicAliasMaximum", 2, "connect connack"),
  number(35, "topicAlias", 2, "publish", 1),
  number(36, "maximumQos", 1, "connack"),
  number(37, "retainAvailable", 1, "connack"),
  { id: 38, kind: "pairs", name: "userProperties", of: ANY },
  number(39, "maximumPacketSize", 4, "connect connack", 1),
  number(40, "wildcardSubscriptionAvailable", 1, "connack"),
  number(41, "subscriptionIdentifierAvailable", 1, "connack"),
  number(42, "sharedSubscriptionAvailable", 1, "connack"),
];
const ACKS = ["puback", "pubrec", "pubrel", "pubcomp"];

function isAllowed({ of }: Property, kind: string): boolean {
  return of.split(" ").includes(ACKS.includes(kind) ? "ack" : kind);
}

/** The properties that each kind of packet may have, by their ids. */
const ALLOWED = new Map(
  [...ANY.split(" "), ...ACKS].map((kind) => [
    kind,
    new Map(
      PROPERTIES.filter((property) => isAllowed(property, kind)).map(
        (property) => [property.id, property],
      ),
    ),
  ]),
);

/** The most that a property's number can be: those of one byte say no or yes. */
function mostOf(width: 1 | 2 | 4): number {
  return width === 1 ? 1 : 2 ** (8 * width) - 1;
}

/**
 * Reads the properties of a packet.
 *
 * @param body The packet, in front of them.
 * @param of The kind of packet.
 * @returns The properties; `undefined` if there are none.
 */
export function readProperties(
  body: FieldReader,
  of: string,
): MqttProperties | undefined {
  const length = readVarint(body, "length of properties");
  if (length === 0) return undefined;
  const properties: MqttProperties = {};
  body.within(length, "the properties", () => {
    while (body.left > 0) readProperty(body, of, properties);
  });
  return properties;
}

function readProperty(
  body: FieldReader,
  of: string,
  properties: MqttProperties,
): void {
  const id = readVarint(body, "property");
  const property = ALLOWED.get(of)?.get(id);
  if (property === undefined) {
    throw new RangeError(`${of} cannot have property ${id}`);
  }
  const { name, kind } = property;
  const again = properties[name] !== undefined;
  const repeatable = kind === "pairs" ||
    kind === "identifiers" && of === "publish";
  if (again && !repeatable) {
    throw new RangeError(`${name} must be there once`);
  }
  switch (kind) {
    case "number": {
      const { width, least } = property;
      const value = body.uint(width);
      properties[name] = checkNumber(name, value, mostOf(width), least);
      break;
    }
    case "text":
      properties[name] = readText(body, name);
      break;
    case "bytes":
      properties[name] = readBytes(body);
      break;
    case "identifiers": {
      const value = checkNumber(name, readVarint(body, name), MAX_VARINT, 1);
      (properties[name] ??= []).push(value);
      break;
    }
    case "pairs":
      (properties[name] ??= []).push([
        readText(body, name),
        readText(body, name),
      ]);
  }
}

/**
 * Lays out the properties of a packet, in the order of their ids.
 *
 * @param out Where to.
 * @param properties The properties.
 * @param of The kind of packet.
 */
export function writeProperties(
  out: ByteSink,
  properties: MqttProperties,
  of: string,
): void {
  const laidOut = new ByteSink();
  for (const property of PROPERTIES) {
    if (properties[property.name] === undefined) continue;
    if (!isAllowed(property, of)) {
      throw new TypeError(`${of} cannot have ${property.name}`);
    }
    writeProperty(laidOut, property, properties, of);
  }
  writeVarint(out, laidOut.length);
  moveBytes(laidOut, out);
}

function writeProperty(
  out: ByteSink,
  property: Property,
  properties: MqttProperties,
  of: string,
): void {
  const { id, kind, name } = property;
  switch (kind) {
    case "number": {
      const { width, least } = property;
      const value = properties[name];
      if (value === undefined) return;
      out.byte(id);
      out.uint(checkNumber(name, value, mostOf(width), least), width);
      return;
    }
    case "text": {
      const value = properties[name];
      if (value === undefined) return;
      out.byte(id);
      return writeText(out, value, name);
    }
    case "bytes": {
      const value = properties[name];
      if (value === undefined) return;
      out.byte(id);
      return writeBytes(out, value, name);
    }
    case "identifiers": {
      const values = properties[name] ?? [];
      if (values.length > 1 && of !== "publish") {
        throw new RangeError(`${name} of ${of} must be one`);
      }
      for (const value of values) {
        out.byte(id);
        writeVarint(out, checkNumber(name, value, MAX_VARINT, 1));
      }
      return;
    }
    case "pairs":
      for (const [first, second] of properties[name] ?? []) {
        out.byte(id);
        writeText(out, first, name);
        writeText(out, second, name);
      }
  }
}
