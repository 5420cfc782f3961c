/**
 * MQTT 3.1.1 and 5.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  MalformedFrameError,
} from "@framewire/framewire";
import {
  mqtt,
  type MqttPacket,
  type MqttPacketInit,
  type MqttProperties,
} from "@framewire/framewire/protocols";
import { checkCodec } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readCapture, sentBy, type Side } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { fuzz, type Fuzzed } from "../support/fuzzing.ts";
import { testStreams } from "../support/outcomes.ts";
import { replay } from "../support/replay.ts";
import { byteByByte, hex } from "../support/wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A packet as the standard's figures have it, in hexadecimal, and what it says. */
type Sample = [wire: string, frame: MqttPacket];

const PUBLISH = {
  type: "publish",
  topic: "a/b",
  payload: bytes("hi"),
  qos: 0,
  retain: false,
  dup: false,
} as const;

/** The same in both versions. */
const SAMPLES: readonly Sample[] = [
  ["c0 00", { type: "pingreq" }],
  ["d0 00", { type: "pingresp" }],
  ["40 02 00 01", { type: "puback", id: 1, reasonCode: 0 }],
  ["50 02 00 ff", { type: "pubrec", id: 255, reasonCode: 0 }],
  ["62 02 01 00", { type: "pubrel", id: 256, reasonCode: 0 }],
  ["70 02 ff ff", { type: "pubcomp", id: 65535, reasonCode: 0 }],
  ["e0 00", { type: "disconnect", reasonCode: 0 }],
  ["10 0c 0004 4d515454 04 02 0000 0000", {
    type: "connect",
    version: 4,
    clientId: "",
    clean: true,
    keepAlive: 0,
  }],
  ["10 0d 0004 4d515454 05 00 003c 00 0000", {
    type: "connect",
    version: 5,
    clientId: "",
    clean: false,
    keepAlive: 60,
  }],
];

const SAMPLES_OF_4: readonly Sample[] = [
  ...SAMPLES,
  [
    "10 22 0004 4d515454 04 f6 000a 0002 6964 0004 676f6e65 0002 0102 0004 75736572 0002 7077",
    {
      type: "connect",
      version: 4,
      clientId: "id",
      clean: true,
      keepAlive: 10,
      will: {
        topic: "gone",
        payload: new Uint8Array([1, 2]),
        qos: 2,
        retain: true,
      },
      username: "user",
      password: bytes("pw"),
    },
  ],
  ["20 02 01 00", { type: "connack", sessionPresent: true, reasonCode: 0 }],
  ["20 02 00 05", { type: "connack", sessionPresent: false, reasonCode: 5 }],
  ["30 07 0003 612f62 6869", PUBLISH],
  ["31 05 0003 612f62", {
    ...PUBLISH,
    payload: new Uint8Array(),
    retain: true,
  }],
  ["3c 09 0003 612f62 1234 6869", {
    ...PUBLISH,
    qos: 2,
    dup: true,
    id: 0x1234,
  }],
  ["82 0e 000a 0003 612f62 01 0003 2b2f23 02", {
    type: "subscribe",
    id: 10,
    subscriptions: [
      ...["a/b", "+/#"].map((filter, i) => ({
        filter,
        qos: i === 0 ? 1 as const : 2 as const,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0 as const,
      })),
    ],
  }],
  ["90 05 000a 01 02 80", { type: "suback", id: 10, reasonCodes: [1, 2, 128] }],
  ["a2 07 000b 0003 612f62", {
    type: "unsubscribe",
    id: 11,
    filters: ["a/b"],
  }],
  ["b0 02 000b", { type: "unsuback", id: 11, reasonCodes: [] }],
];

const SAMPLES_OF_5: readonly Sample[] = [
  ...SAMPLES,
  [
    "10 1e 0004 4d515454 05 06 003c 05 11 0000000a 0000 05 18 00000005 0001 61 0001 62",
    {
      type: "connect",
      version: 5,
      clientId: "",
      clean: true,
      keepAlive: 60,
      will: {
        topic: "a",
        payload: bytes("b"),
        qos: 0,
        retain: false,
        properties: { willDelayInterval: 5 },
      },
      properties: { sessionExpiryInterval: 10 },
    },
  ],
  ["10 0f 0004 4d515454 05 40 0000 00 0000 0000", {
    type: "connect",
    version: 5,
    clientId: "",
    clean: false,
    keepAlive: 0,
    password: new Uint8Array(),
  }],
  ["20 03 00 87 00", {
    type: "connack",
    sessionPresent: false,
    reasonCode: 135,
  }],
  ["30 08 0003 612f62 00 6869", PUBLISH],
  ["30 08 0000 03 23 0007 6869", {
    ...PUBLISH,
    topic: "",
    properties: { topicAlias: 7 },
  }],
  [
    "32 1d 0003 612f62 0001 13 01 01 08 0001 72 0b 01 0b ac02 26 0001 6b 0002 c3a9 6869",
    {
      ...PUBLISH,
      qos: 1,
      id: 1,
      properties: {
        payloadFormatIndicator: 1,
        responseTopic: "r",
        subscriptionIdentifiers: [1, 300],
        userProperties: [["k", "é"]],
      },
    },
  ],
  ["40 03 0001 10", { type: "puback", id: 1, reasonCode: 16 }],
  ["62 08 0001 92 04 1f 0001 78", {
    type: "pubrel",
    id: 1,
    reasonCode: 0x92,
    properties: { reasonString: "x" },
  }],
  ["82 09 0001 00 0003 612f62 2e", {
    type: "subscribe",
    id: 1,
    subscriptions: [{
      filter: "a/b",
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 2,
    }],
  }],
  ["90 05 0001 00 00 80", { type: "suback", id: 1, reasonCodes: [0, 128] }],
  ["a2 06 0001 00 0001 61", { type: "unsubscribe", id: 1, filters: ["a"] }],
  ["b0 05 0001 00 00 11", { type: "unsuback", id: 1, reasonCodes: [0, 17] }],
  ["e0 01 04", { type: "disconnect", reasonCode: 4 }],
  ["e0 0a 8d 08 1c 0002 6f6b 1f 0000", {
    type: "disconnect",
    reasonCode: 0x8d,
    properties: { serverReference: "ok", reasonString: "" },
  }],
  ["f0 00", { type: "auth", reasonCode: 0 }],
  ["f0 0b 18 09 15 0001 6d 16 0002 0102", {
    type: "auth",
    reasonCode: 24,
    properties: {
      authenticationMethod: "m",
      authenticationData: new Uint8Array([1, 2]),
    },
  }],
];

function toSample([wire, frame]: Sample) {
  return { wire: hex(wire), frame };
}

Deno.test("mqtt() keeps the contract in version 3.1.1", () => {
  const report = checkCodec(mqtt(), SAMPLES_OF_4.map(toSample), {
    malformed: ["00 00", "f0 00", "11", "36", "38", "60", "e1", "c0 80808080"]
      .map(hex),
    tooLarge: [],
  });
  assertEquals(report.samples, SAMPLES_OF_4.length);
});

Deno.test("mqtt() keeps the contract in version 5", () => {
  const codec = mqtt({ version: 5, maxFrameLength: 127 });
  const report = checkCodec(codec, SAMPLES_OF_5.map(toSample), {
    malformed: ["00", "f1", "c0 80808080", "30 8000"].map(hex),
    tooLarge: ["30 8001", "10 ffffff7f"].map(hex),
  });
  assertEquals(report.samples, SAMPLES_OF_5.length);
});

/** Whether a packet may be written more briefly, and how that is. */
const LONGER: readonly [string, string][] = [
  ["40 03 0001 00", "40 02 0001"],
  ["40 04 0001 00 00", "40 02 0001"],
  ["e0 01 00", "e0 00"],
  ["e0 02 00 00", "e0 00"],
  ["f0 02 18 00", "f0 01 18"],
];

Deno.test("mqtt() reads in version 5 what goes without saying and was said", () => {
  for (const [longer, shorter] of LONGER) {
    const codec = mqtt({ version: 5 });
    const [frame, same] = [longer, shorter].map((wire) => {
      const decoder = new FrameDecoder(codec);
      decoder.push(hex(wire));
      return decoder.next();
    });
    assert(frame !== undefined);
    assertEquals(frame, same);
    assertEquals(encodeFrame(codec, frame), hex(shorter));
  }
});

testStreams("mqtt()", [
  {
    name: "waits for the length, and then for the packet",
    codec: mqtt(),
    steps: [["@"], ["\x02"], [
      "\0\x01",
      '={"type":"puback","id":1,"reasonCode":0}',
    ]],
  },
  {
    name: "refuses another protocol once it is known which",
    codec: mqtt(),
    steps: [["G"], ["ET"], [" ", "malformed"]],
  },
]);

/** What is wrong inside a packet: its wire, and a part of what is said about it. */
const WRONG_INSIDE: Record<
  string,
  [version: 4 | 5, wire: string, message: string]
> = {
  "another protocol": [
    4,
    "10 0c 0004 4d515455 04 02 0000 0000",
    'protocol must be "MQTT" of level 4 or 5: it is "MQTU" of level 4',
  ],
  "version 3.1": [
    4,
    "10 0e 0006 4d5149736470 03 02 0000 0000",
    'it is "MQIsdp" of level 3',
  ],
  "a level to come": [
    4,
    "10 0c 0004 4d515454 06 02 0000 0000",
    "of level 6",
  ],
  "a reserved flag of connect": [
    4,
    "10 0c 0004 4d515454 04 03 0000 0000",
    "reserved flags of connect must be 0: they are 0x1",
  ],
  "a QoS of no will": [
    4,
    "10 0c 0004 4d515454 04 0a 0000 0000",
    "there are flags of a will, and there is none",
  ],
  "a will of QoS 3": [
    4,
    "10 11 0004 4d515454 04 1e 0000 0000 0001 61 0000",
    "QoS must be 0, 1 or 2: it is 3",
  ],
  "a password of nobody": [
    4,
    "10 0e 0004 4d515454 04 42 0000 0000 0000",
    "there is a password, and there is no username",
  ],
  "more than there is to say": [
    4,
    "10 0d 0004 4d515454 04 02 0000 0000 00",
    "1 byte is left behind the last field of connect",
  ],
  "less than there is to say": [
    4,
    "10 0b 0004 4d515454 04 02 0000 00",
    "the field at byte 10 takes 2 bytes, and there are 1",
  ],
  "a reserved flag of connack": [4, "20 02 02 00", "reserved flags of connack"],
  "a ping that says something": [
    4,
    "c0 01 00",
    "behind the last field of pingreq",
  ],
  "a wildcard in a topic": [
    4,
    "30 05 0003 612f2b",
    'a topic to publish to must not have + or # in it: it is "a/+"',
  ],
  "an empty topic": [
    4,
    "30 02 0000",
    "a topic to publish to must not be empty",
  ],
  "an empty topic without an alias": [5, "30 03 0000 00", "must not be empty"],
  "a topic that is no UTF-8": [
    4,
    "30 03 0001 ff",
    "the bytes are not valid UTF-8",
  ],
  "half a surrogate pair": [4, "30 05 0003 eda080", "not valid UTF-8"],
  "a zero character": [4, "30 03 0001 00", "topic must not have the character"],
  "the id 0": [4, "40 02 0000", "id must be from 1 to 65535: it is 0"],
  "a message of QoS 1 and id 0": [4, "32 05 0001 61 0000", "id must be from 1"],
  "no subscription": [4, "82 02 0001", "there must be a subscription"],
  "no filter": [4, "a2 02 0001", "there must be a filter"],
  "no reason code": [4, "90 02 0001", "there must be a reason code"],
  "an empty filter": [4, "a2 04 0001 0000", "filter"],
  "# in the middle": [4, "82 08 0001 0003 232f61 00", 'it is "#/a"'],
  "+ as a part of a level": [4, "82 07 0001 0002 612b 00", 'it is "a+"'],
  "a subscription of QoS 3": [4, "82 06 0001 0001 61 03", "QoS must be"],
  "an option that 3.1.1 has not": [
    4,
    "82 06 0001 0001 61 04",
    "reserved flags of a subscription must be 0: they are 0x4",
  ],
  "a reserved option": [5, "82 07 0001 00 0001 61 40", "reserved flags"],
  "retain handling 3": [5, "82 07 0001 00 0001 61 30", "retain handling"],
  "reason codes of 3.1.1's unsuback": [
    4,
    "b0 03 0001 00",
    "1 byte is left behind the last field of unsuback",
  ],
  "a reason of 3.1.1's disconnect": [4, "e0 01 00", "1 byte is left"],
  "a property that does not exist": [
    5,
    "e0 03 00 01 7f",
    "disconnect cannot have property 127",
  ],
  "a property of another packet": [
    5,
    "e0 05 00 03 23 0001",
    "disconnect cannot have property 35",
  ],
  "a property twice": [
    5,
    "30 0b 0001 61 06 23 0001 23 0002 00",
    "topicAlias must be there once",
  ],
  "an identifier twice where one subscribes": [
    5,
    "82 0b 0001 04 0b01 0b02 0001 61 00",
    "subscriptionIdentifiers must be there once",
  ],
  "the identifier 0": [
    5,
    "82 09 0001 02 0b00 0001 61 00",
    "subscriptionIdentifiers must be from 1 to 268435455: it is 0",
  ],
  "the alias 0": [
    5,
    "30 07 0001 61 03 23 0000",
    "topicAlias must be from 1 to 65535: it is 0",
  ],
  "a yes of 2": [
    5,
    "30 06 0001 61 02 01 02",
    "payloadFormatIndicator must be from 0 to 1: it is 2",
  ],
  "properties that are longer than the packet": [
    5,
    "30 05 0001 61 03 23",
    "takes 3 bytes, and there are 1",
  ],
  "a property that is longer than the properties": [
    5,
    "30 08 0001 61 02 23 0001 00",
    "takes 2 bytes, and there are 1",
  ],
  "a length of properties in too many bytes": [
    5,
    "30 05 0001 61 8000",
    "length of properties 0 takes 2 bytes and needs fewer",
  ],
  "a length of properties in five bytes": [
    5,
    "30 08 0001 61 8080808001",
    "length of properties does not end within 4 bytes",
  ],
};

for (const [name, [version, wire, message]] of Object.entries(WRONG_INSIDE)) {
  Deno.test(`mqtt() refuses ${name}, and can go on`, () => {
    for (const chunks of [[hex(wire)], byteByByte(hex(wire))]) {
      const decoder = new FrameDecoder(mqtt({ version }));
      for (const chunk of chunks.slice(0, -1)) decoder.push(chunk);
      assertEquals(decoder.next(), undefined);
      decoder.push(chunks[chunks.length - 1]);
      const error = assertThrows(() => decoder.next(), MalformedFrameError);
      assertStringIncludes(error.message, message);
      assert(error.message.startsWith("Cannot decode frame: "));
      assert(error.recoverable);
      decoder.push(hex("c000"));
      assertEquals(decoder.next(), { type: "pingreq" });
    }
  });
}

testEncoding<MqttPacketInit>("mqtt()", [
  {
    name: "fills in what goes without saying in connect",
    codec: mqtt(),
    frame: { type: "connect" },
    wire: "\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0",
  },
  {
    name: "connects in its own version",
    codec: mqtt({ version: 5 }),
    frame: { type: "connect" },
    wire: "\x10\x0d\0\x04MQTT\x05\x02\0\0\0\0\0",
  },
  {
    name: "connects in another version on request",
    codec: mqtt({ version: 5 }),
    frame: { type: "connect", version: 4, password: "p", username: "u" },
    wire: "\x10\x12\0\x04MQTT\x04\xc2\0\0\0\0\0\x01u\0\x01p",
  },
  {
    name: "publishes a text",
    codec: mqtt(),
    frame: { type: "publish", topic: "é", payload: "ü" },
    wire: "0\x06\0\x02\xc3\xa9\xc3\xbc",
  },
  {
    name: "announces 128 bytes in two bytes",
    codec: mqtt(),
    frame: { type: "publish", topic: "a", payload: "x".repeat(125) },
    wire: `0\x80\x01\0\x01a${"x".repeat(125)}`,
  },
  {
    name: "lays out the longest packet that is allowed",
    codec: mqtt({ maxFrameLength: 5 }),
    frame: { type: "publish", topic: "a", payload: "xx" },
    wire: "0\x05\0\x01axx",
  },
  ...([
    [
      "a packet over the limit",
      {
        type: "publish",
        topic: "a",
        payload: "xxx",
      },
      "length 6 exceeds maxFrameLength of 5 bytes",
      RangeError,
    ],
    ["a topic with a wildcard", { type: "publish", topic: "a/#", payload: "" }],
    ["an empty topic", { type: "publish", topic: "", payload: "" }],
    ["a topic with a zero character", {
      type: "publish",
      topic: "a\0",
      payload: "",
    }],
    [
      "a topic that is too long",
      {
        type: "publish",
        topic: "a".repeat(65536),
        payload: "",
      },
      "length of topic must be from 0 to 65535: it is 65536",
      RangeError,
    ],
    [
      "half a surrogate pair",
      {
        type: "publish",
        topic: "\ud800",
        payload: "",
      },
      "the text has half a surrogate pair",
      TypeError,
    ],
    [
      "half a surrogate pair in the payload",
      {
        type: "publish",
        topic: "a",
        payload: "\ud800",
      },
      "the text has half a surrogate pair",
      TypeError,
    ],
    ["QoS 1 without an id", {
      type: "publish",
      topic: "a",
      payload: "",
      qos: 1,
    }],
    ["QoS 0 with an id", { type: "publish", topic: "a", payload: "", id: 1 }],
    ["QoS 0 again", { type: "publish", topic: "a", payload: "", dup: true }],
    ["an id that is too high", { type: "puback", id: 65536 }],
    ["an id that is no whole number", { type: "puback", id: 1.5 }],
    ["a password without a username", { type: "connect", password: "p" }],
    ["a long silence", { type: "connect", keepAlive: 65536 }],
    ["no subscription", { type: "subscribe", id: 1, subscriptions: [] }],
    ["a filter with a wildcard in a word", {
      type: "unsubscribe",
      id: 1,
      filters: ["a+"],
    }],
    ["a reason code in 3.1.1", { type: "disconnect", reasonCode: 1 }],
    [
      "an option of subscriptions in 3.1.1",
      {
        type: "subscribe",
        id: 1,
        subscriptions: [{ filter: "a", noLocal: true }],
      },
      "MQTT 3.1.1 has no options",
      TypeError,
    ],
    [
      "properties in 3.1.1",
      {
        type: "publish",
        topic: "a",
        payload: "",
        properties: {},
      },
      "MQTT 3.1.1 has no properties",
      TypeError,
    ],
    [
      "a reason with properties in 3.1.1",
      {
        type: "puback",
        id: 1,
        properties: {},
      },
      "MQTT 3.1.1 has no properties",
      TypeError,
    ],
    [
      "reason codes of unsuback in 3.1.1",
      {
        type: "unsuback",
        id: 1,
        reasonCodes: [0],
      },
      "unsuback of MQTT 3.1.1 has no reason codes",
      TypeError,
    ],
    ["auth in 3.1.1", { type: "auth" }, "MQTT 3.1.1 has no auth", TypeError],
  ] satisfies [
    string,
    MqttPacketInit,
    string?,
    (new (message: string) => Error)?,
  ][]).map(([name, frame, message = "", kind = RangeError]) => ({
    name: `refuses to write ${name}`,
    codec: mqtt({ maxFrameLength: name.includes("limit") ? 5 : 100_000 }),
    frame,
    fault: [kind, `Cannot write frame: ${message}`] as const,
  })),
  ...([
    ["property of another packet", { topicAlias: 1 }, TypeError],
    ["reason that is no byte", {}, RangeError],
    ["expiry that is too long", { sessionExpiryInterval: 2 ** 32 }, RangeError],
  ] satisfies [
    string,
    MqttProperties,
    new (message: string) => Error,
  ][]).map(([name, properties, kind]) => ({
    name: `refuses to write a ${name} in version 5`,
    codec: mqtt({ version: 5 }),
    frame: {
      type: "disconnect",
      reasonCode: name.startsWith("reason") ? 256 : 1,
      properties,
    } as const,
    fault: [kind, "Cannot write frame: "] as const,
  })),
  {
    name: "refuses to write two identifiers of a subscription",
    codec: mqtt({ version: 5 }),
    frame: {
      type: "subscribe",
      id: 1,
      subscriptions: [{ filter: "a" }],
      properties: { subscriptionIdentifiers: [1, 2] },
    },
    fault: [RangeError, "subscriptionIdentifiers of subscribe must be one"],
  },
]);

Deno.test("mqtt() leaves out a packet over the limit on request", () => {
  const decoder = new FrameDecoder(
    mqtt({ maxFrameLength: 4, onOversize: "skip" }),
  );
  decoder.push(hex("30 05 0001 61 6868 c000"));
  const error = assertThrows(() => decoder.next());
  assertStringIncludes(String(error), "exceeds maxFrameLength of 4 bytes");
  assertEquals(decoder.next(), { type: "pingreq" });
});

Deno.test("mqtt() refuses options that cannot be", () => {
  for (const maxFrameLength of [268_435_456, -1, 1.5]) {
    assertThrows(() => mqtt({ maxFrameLength }), RangeError);
  }
});

for (
  const [name, version] of [["mqtt", 4], ["mqtt_5", 5]] as const
) {
  for (const side of ["client", "server"] satisfies Side[]) {
    Deno.test(`mqtt() reads what a ${side} sent in ${name}.json, however it is cut`, async () => {
      const capture = await readCapture(name);
      const codec = mqtt({ version });
      const events = replay(codec, side, capture);
      assertEquals(events.pop(), "end");
      assert(events.length > 8 && events.every((event) => event[0] === "="));
      // What it read, it writes, if properties come in the order of their ids.
      const decoder = new FrameDecoder(codec);
      const sent = sentBy(side, capture);
      decoder.push(sent);
      const packets = events.map(() => decoder.next());
      const again = new FrameDecoder(codec);
      for (const packet of packets) {
        assert(packet !== undefined);
        again.push(encodeFrame(codec, packet));
      }
      assertEquals(events.map(() => again.next()), packets);
    });
  }
}

Deno.test("mqtt() throws documented errors only, whatever comes", () => {
  for (
    const [version, samples] of [[4, SAMPLES_OF_4], [5, SAMPLES_OF_5]] as const
  ) {
    const fuzzed: Fuzzed = {
      maker: "mqtt",
      name: `version ${version}`,
      codec: mqtt({ version, maxFrameLength: 1000 }),
      wires: samples.map(([wire]) => hex(wire)),
    };
    const fates = { read: 0, refused: 0, truncated: 0 };
    for (let i = 0; i < 1500; i++) {
      fates[fuzz(i, fuzzed, fuzzed.wires)]++;
    }
    for (const count of Object.values(fates)) assert(count > 50);
  }
});
