/**
 * The properties of MQTT 5.
 *
 * @module
 */

import { ByteSink } from "@framewire/framewire";
import type { MqttProperties } from "@framewire/framewire/protocols";
import { assertEquals, assertThrows } from "@std/assert";
import { FieldReader } from "../../lib/protocols/field_reader.ts";
import {
  readProperties,
  writeProperties,
} from "../../lib/protocols/mqtt_properties.ts";
import { hex } from "../support/wire.ts";

/** Every property of the standard's table 2-4, by the kinds of packets that have it. */
const ALL: Record<string, MqttProperties> = {
  connect: {
    sessionExpiryInterval: 0,
    authenticationMethod: "m",
    authenticationData: new Uint8Array([1]),
    requestProblemInformation: 0,
    requestResponseInformation: 1,
    receiveMaximum: 1,
    topicAliasMaximum: 0xffff,
    userProperties: [["a", "1"], ["a", "2"]],
    maximumPacketSize: 1,
  },
  connack: {
    sessionExpiryInterval: 0xffffffff,
    assignedClientIdentifier: "x",
    serverKeepAlive: 1,
    authenticationMethod: "m",
    authenticationData: new Uint8Array(),
    responseInformation: "r",
    serverReference: "s",
    reasonString: "z",
    receiveMaximum: 0xffff,
    topicAliasMaximum: 0,
    maximumQos: 1,
    retainAvailable: 0,
    userProperties: [["", ""]],
    maximumPacketSize: 0xffffffff,
    wildcardSubscriptionAvailable: 0,
    subscriptionIdentifierAvailable: 0,
    sharedSubscriptionAvailable: 1,
  },
  publish: {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 1,
    contentType: "t",
    responseTopic: "r",
    correlationData: new Uint8Array([0]),
    subscriptionIdentifiers: [1, 268_435_455],
    topicAlias: 0xffff,
    userProperties: [["n", "é"]],
  },
  will: {
    payloadFormatIndicator: 0,
    messageExpiryInterval: 0,
    contentType: "",
    responseTopic: "",
    correlationData: new Uint8Array(),
    willDelayInterval: 5,
    userProperties: [["n", "v"]],
  },
  puback: { reasonString: "r", userProperties: [["n", "v"]] },
  pubrec: { reasonString: "r", userProperties: [["n", "v"]] },
  pubrel: { reasonString: "r", userProperties: [["n", "v"]] },
  pubcomp: { reasonString: "r", userProperties: [["n", "v"]] },
  subscribe: { subscriptionIdentifiers: [7], userProperties: [["n", "v"]] },
  suback: { reasonString: "r", userProperties: [["n", "v"]] },
  unsubscribe: { userProperties: [["n", "v"]] },
  unsuback: { reasonString: "r", userProperties: [["n", "v"]] },
  disconnect: {
    sessionExpiryInterval: 1,
    serverReference: "s",
    reasonString: "r",
    userProperties: [["n", "v"]],
  },
  auth: {
    authenticationMethod: "m",
    authenticationData: new Uint8Array([1]),
    reasonString: "r",
    userProperties: [["n", "v"]],
  },
};
const NAMES = new Set(Object.values(ALL).flatMap(Object.keys));

/** What is laid out. */
function written(properties: MqttProperties, of: string): Uint8Array {
  const out = new ByteSink();
  writeProperties(out, properties, of);
  return out.bytes();
}

Deno.test("every property is read as it was written, where it is allowed", () => {
  assertEquals(NAMES.size, 27);
  for (const [of, properties] of Object.entries(ALL)) {
    const reader = new FieldReader(written(properties, of));
    assertEquals(readProperties(reader, of), properties);
    assertEquals(reader.left, 0);
  }
});

Deno.test("no property is read or written where it is not allowed", () => {
  let refused = 0;
  for (const [of, own] of Object.entries(ALL)) {
    for (const [other, theirs] of Object.entries(ALL)) {
      for (const [name, value] of Object.entries(theirs)) {
        if (name in own) continue;
        refused++;
        const one: MqttProperties = { [name]: value };
        assertThrows(
          () => written(one, of),
          TypeError,
          `${of} cannot have ${name}`,
        );
        const reader = new FieldReader(written(one, other));
        assertThrows(
          () => readProperties(reader, of),
          RangeError,
          `${of} cannot have property `,
        );
      }
    }
  }
  assertEquals(refused > 300, true);
});

Deno.test("no properties are one byte, and nothing", () => {
  assertEquals(written({}, "auth"), hex("00"));
  assertEquals(readProperties(new FieldReader(hex("00")), "auth"), undefined);
});

Deno.test("properties are written in the order of their ids, and read in any", () => {
  const properties = { topicAlias: 1, contentType: "t" };
  assertEquals(written(properties, "publish"), hex("07 03 0001 74 23 0001"));
  const reader = new FieldReader(hex("07 23 0001 03 0001 74"));
  assertEquals(readProperties(reader, "publish"), properties);
});

Deno.test("properties leave what stands behind them", () => {
  const reader = new FieldReader(hex("03 23 0001 61 62"));
  assertEquals(readProperties(reader, "publish"), { topicAlias: 1 });
  assertEquals(reader.rest(), hex("61 62"));
});
