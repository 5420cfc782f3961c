/**
 * MQTT with Mosquitto, as the broker of our clients and as the client of our server.
 *
 * @module
 */

import {
  connect,
  type Framing,
  type Handler,
  serve,
} from "@framewire/framewire";
import {
  mqtt,
  type MqttPacket,
  type MqttPacketInit,
  type MqttProperties,
  type MqttPublish,
  type MqttQos,
  type MqttVersion,
} from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { Recorder, writeCapture } from "../support/capture.ts";
import {
  findCommand,
  PeerServer,
  run,
  testWithPeers,
} from "../support/peer_server.ts";
import { startProgram } from "../support/running_program.ts";

const MOSQUITTO = [{ command: "mosquitto", package: "mosquitto" }];
const CLIENTS = [
  ...MOSQUITTO,
  { command: "mosquitto_pub", package: "mosquitto-clients" },
];
const COUNT = 10_000;
/** How many messages with an id Mosquitto takes before the first is acknowledged; past it, it hangs up. */
const MOST_IN_FLIGHT = 20;

type Peer = Framing<MqttPacket, MqttPacketInit>;

function startMosquitto(): Promise<PeerServer> {
  return PeerServer.start({
    command: "mosquitto",
    args: ({ folder }) => ["-c", `${folder}/mosquitto.conf`],
    prepare: async (folder, port) => {
      const lines = [
        `listener ${port} 127.0.0.1`,
        "allow_anonymous true",
        "max_queued_messages 0", // as many as there are
        "max_topic_alias 10",
        "log_type none",
      ];
      await folder.write("mosquitto.conf", lines.join("\n") + "\n");
    },
  });
}

/** The version, which is in the help; printing that is no success. */
async function versionOf(command: string): Promise<string> {
  const output = await new Deno.Command(findCommand(command) ?? command, {
    args: ["--help"],
  }).output();
  const help = new TextDecoder().decode(output.stdout);
  return help.match(/\d+\.\d+\.\d+/)?.[0] ?? "of an unknown version";
}

/** The next packet, which must be of a type. */
async function expectPacket<K extends MqttPacket["type"]>(
  peer: Peer,
  type: K,
): Promise<MqttPacket & { type: K }> {
  const packet = await peer.read({ timeout: 10_000 });
  const isOf = (one: MqttPacket): one is MqttPacket & { type: K } =>
    one.type === type;
  assert(packet !== null && isOf(packet), `${type}: ${Deno.inspect(packet)}`);
  return packet;
}

/** How long the message with a number is: mostly short, some beyond what one read takes. */
function lengthOf(i: number): number {
  if (i === COUNT - 1) return 3_000_000;
  if (i % 500 === 0) return 100_000 + i;
  if (i % 50 === 0) return 16_380 + i % 11; // around three bytes of length
  return 4 + i % 260; // around two bytes of length
}

function payloadOf(i: number): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(lengthOf(i)).fill(i);
  new DataView(payload.buffer).setUint32(0, i);
  return payload;
}

function qosOf(i: number): MqttQos {
  return i % 10 === 1 ? 1 : i % 10 === 2 ? 2 : 0;
}

/** What a client answers to a packet to which it has to. */
function answerTo(packet: MqttPacket): MqttPacketInit | undefined {
  switch (packet.type) {
    case "publish": {
      const { id, qos } = packet;
      if (id === undefined) return undefined;
      return { type: qos === 1 ? "puback" : "pubrec", id };
    }
    case "pubrec":
      return { type: "pubrel", id: packet.id };
    case "pubrel":
      return { type: "pubcomp", id: packet.id };
    default:
      return undefined;
  }
}

testWithPeers(
  MOSQUITTO,
  "mqtt() gets 10,000 messages of mixed sizes back from Mosquitto, and a ping",
  async () => {
    await using broker = await startMosquitto();
    await using peer = await connect({ port: broker.port }, mqtt());
    await peer.write({ type: "connect", clientId: "framewire", keepAlive: 60 });
    assertEquals(await expectPacket(peer, "connack"), {
      type: "connack",
      sessionPresent: false,
      reasonCode: 0,
    });
    const subscriptions = [{ filter: "numbers/+", qos: 2 as const }];
    await peer.write({ type: "subscribe", id: 1, subscriptions });
    assertEquals((await expectPacket(peer, "suback")).reasonCodes, [2]);

    let inFlight = 0;
    let room = Promise.withResolvers<void>();
    async function publish(): Promise<void> {
      for (let i = 0; i < COUNT; i++) {
        const qos = qosOf(i);
        const id = qos === 0 ? {} : { id: i + 1 };
        if (qos > 0 && ++inFlight >= MOST_IN_FLIGHT) {
          room = Promise.withResolvers();
          await room.promise;
        }
        const topic = `numbers/${qos}`;
        const payload = payloadOf(i);
        await peer.write({ type: "publish", topic, payload, qos, ...id });
      }
    }

    const counts: Record<string, number> = {};
    const last = [-1, -1, -1];
    function check({ payload, qos, topic }: MqttPublish): void {
      const i = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
      assertEquals([topic, qos], [`numbers/${qos}`, qosOf(i)]);
      assert(i > last[qos], "messages of a topic must come in order");
      last[qos] = i;
      // Comparing millions of bytes by `assertEquals` takes its time.
      assert(
        payload.length === lengthOf(i) &&
          payload.subarray(4).every((byte) => byte === (i & 0xff)),
        `message ${i} must come back as it was`,
      );
    }
    const ofQos = [0, 1, 2].map((qos) =>
      Array.from({ length: COUNT }, (_, i) => qosOf(i))
        .filter((one) => one === qos).length
    );
    const expected = {
      publish: COUNT,
      puback: ofQos[1],
      pubrec: ofQos[2],
      pubrel: ofQos[2],
      pubcomp: ofQos[2],
    };
    const total = Object.values(expected).reduce((sum, n) => sum + n);
    async function receive(): Promise<void> {
      for (let i = 0; i < total; i++) {
        const packet = await peer.read({ timeout: 10_000 });
        assert(packet !== null, "the broker must not end the stream");
        counts[packet.type] = (counts[packet.type] ?? 0) + 1;
        if (packet.type === "publish") check(packet);
        const answer = answerTo(packet);
        if (answer !== undefined) await peer.write(answer);
        if (packet.type === "puback" || packet.type === "pubcomp") {
          inFlight--;
          room.resolve();
        }
      }
    }
    await Promise.all([publish(), receive()]);
    assertEquals(counts, expected);

    await peer.write({ type: "pingreq" });
    await expectPacket(peer, "pingresp");
    await peer.write({ type: "disconnect" });
    assertEquals(await peer.read({ timeout: 10_000 }), null);
    console.log(
      `peer: mosquitto ${await versionOf(
        "mosquitto",
      )}: ${COUNT} publishes of 4 to 3,000,000 bytes came back, ${
        ofQos[1]
      } with QoS 1 and ${ofQos[2]} with QoS 2; ping answered`,
    );
  },
);

type Step = [MqttPacketInit, ...MqttPacket["type"][]];

/**
 * Writes packets one after another and answers what has to be answered. What comes before the next step is known,
 * but not always in what order.
 *
 * @returns What the broker sent, by its type.
 */
async function converse(
  port: number,
  version: MqttVersion,
  steps: readonly Step[],
): Promise<MqttPacket[]> {
  await using peer = await connect({ port }, mqtt({ version }));
  const all: MqttPacket[] = [];
  for (const [packet, ...types] of steps) {
    await peer.write(packet);
    const came: MqttPacket[] = [];
    while (came.length < types.length) {
      const next = await peer.read({ timeout: 10_000 });
      assert(next !== null, `${packet.type}: the broker ended the stream`);
      came.push(next);
      const answer = answerTo(next);
      if (answer !== undefined) await peer.write(answer);
    }
    came.sort((a, b) => types.indexOf(a.type) - types.indexOf(b.type));
    assertEquals(came.map(({ type }) => type), types);
    all.push(...came);
  }
  assertEquals(await peer.read({ timeout: 10_000 }), null);
  return all;
}

const PAYLOAD = new TextEncoder().encode("21 °C");
const MESSAGE = {
  type: "publish",
  topic: "home/kitchen",
  payload: PAYLOAD,
} as const;

function converseIn4(port: number): Promise<MqttPacket[]> {
  return converse(port, 4, [
    [{
      type: "connect",
      clientId: "one",
      username: "anybody",
      password: "secret",
      keepAlive: 60,
      will: { topic: "gone", payload: PAYLOAD, qos: 2, retain: true },
    }, "connack"],
    [{
      type: "subscribe",
      id: 1,
      subscriptions: [{ filter: "home/+", qos: 2 }, { filter: "garden/#" }],
    }, "suback"],
    [{ ...MESSAGE, payload: "" }, "publish"],
    [{ ...MESSAGE, qos: 1, id: 2, retain: true }, "publish", "puback"],
    [
      { ...MESSAGE, qos: 2, id: 3 },
      "publish",
      "pubrec",
      "pubrel",
      "pubcomp",
    ],
    [{ type: "unsubscribe", id: 4, filters: ["home/+"] }, "unsuback"],
    [{ type: "pingreq" }, "pingresp"],
    [{ type: "disconnect" }],
  ]);
}

const MESSAGE_PROPERTIES: MqttProperties = {
  payloadFormatIndicator: 1,
  contentType: "text/plain",
  responseTopic: "home/answers",
  correlationData: new Uint8Array([0, 255]),
  userProperties: [["unit", "°C"], ["unit", "again"]],
};

function converseIn5(port: number): Promise<MqttPacket[]> {
  return converse(port, 5, [
    [{
      type: "connect",
      clientId: "",
      keepAlive: 60,
      will: {
        topic: "gone",
        payload: PAYLOAD,
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 5 },
      },
      properties: { receiveMaximum: 10, topicAliasMaximum: 5 },
    }, "connack"],
    [
      {
        type: "subscribe",
        id: 1,
        subscriptions: [
          { filter: "home/#", qos: 2, retainAsPublished: true },
          { filter: "$share/some/x", qos: 1 },
          { filter: "y", noLocal: true, retainHandling: 2 },
        ],
        properties: { subscriptionIdentifiers: [300] },
      },
      "suback",
      "publish",
    ], // the one that was kept
    [
      { ...MESSAGE, properties: { ...MESSAGE_PROPERTIES, topicAlias: 1 } },
      "publish",
    ],
    [
      {
        ...MESSAGE,
        topic: "",
        qos: 1,
        id: 2,
        properties: { topicAlias: 1, messageExpiryInterval: 3600 },
      },
      "publish",
      "puback",
    ],
    [
      { ...MESSAGE, qos: 2, id: 3 },
      "publish",
      "pubrec",
      "pubrel",
      "pubcomp",
    ],
    [{ ...MESSAGE, topic: "nobody", qos: 1, id: 4 }, "puback"],
    [{ type: "unsubscribe", id: 5, filters: ["y", "never"] }, "unsuback"],
    [{ type: "pingreq" }, "pingresp"],
    [{ ...MESSAGE, properties: { topicAlias: 11 } }, "disconnect"],
  ]);
}

const RECEIVED = {
  type: "publish",
  topic: "home/kitchen",
  payload: PAYLOAD,
  qos: 0,
  retain: false,
  dup: false,
} as const;

/** Records a conversation, when that is wanted. */
async function recorded(
  broker: PeerServer,
  name: string,
  what: string,
  talk: (port: number) => Promise<MqttPacket[]>,
): Promise<MqttPacket[]> {
  if (!Deno.args.includes("--record")) return await talk(broker.port);
  await using recorder = new Recorder(broker.port);
  const answers = await talk(recorder.port);
  await writeCapture(name, {
    what,
    with: `mosquitto ${await versionOf("mosquitto")}`,
    chunks: recorder.chunks,
  });
  return answers;
}

testWithPeers(
  MOSQUITTO,
  "mqtt() speaks all kinds of packets with Mosquitto, in both versions",
  async () => {
    await using broker = await startMosquitto();
    const in4 = await recorded(
      broker,
      "mqtt",
      "MQTT 3.1.1: connect with a will, subscribe, publish with each QoS, unsubscribe, ping, disconnect",
      converseIn4,
    );
    assertEquals<unknown>(in4, [
      { type: "connack", sessionPresent: false, reasonCode: 0 },
      { type: "suback", id: 1, reasonCodes: [2, 0] },
      { ...RECEIVED, payload: new Uint8Array() },
      { ...RECEIVED, qos: 1, id: 1 },
      { type: "puback", id: 2, reasonCode: 0 },
      { ...RECEIVED, qos: 2, id: 2 },
      { type: "pubrec", id: 3, reasonCode: 0 },
      { type: "pubrel", id: 2, reasonCode: 0 },
      { type: "pubcomp", id: 3, reasonCode: 0 },
      { type: "unsuback", id: 4, reasonCodes: [] },
      { type: "pingresp" },
    ]);

    const [connack, ...in5] = await recorded(
      broker,
      "mqtt_5",
      "MQTT 5: the same with properties, and a topic alias too large, for which the broker disconnects",
      converseIn5,
    );
    assert(connack.type === "connack");
    const { assignedClientIdentifier = "", ...rest } = connack.properties ?? {};
    assert(assignedClientIdentifier.startsWith("auto-"));
    assertEquals(rest, { topicAliasMaximum: 10, receiveMaximum: 20 });
    const properties = { subscriptionIdentifiers: [300] };
    assertEquals<unknown>(in5, [
      { type: "suback", id: 1, reasonCodes: [2, 1, 0] },
      { ...RECEIVED, qos: 1, id: 1, retain: true, properties },
      { ...RECEIVED, properties: { ...MESSAGE_PROPERTIES, ...properties } },
      {
        ...RECEIVED,
        qos: 1,
        id: 2,
        properties: { ...properties, messageExpiryInterval: 3600 },
      },
      { type: "puback", id: 2, reasonCode: 0 },
      { ...RECEIVED, qos: 2, id: 3, properties },
      { type: "pubrec", id: 3, reasonCode: 0 },
      { type: "pubrel", id: 3, reasonCode: 0 },
      { type: "pubcomp", id: 3, reasonCode: 0 },
      { type: "puback", id: 4, reasonCode: 16 },
      { type: "unsuback", id: 5, reasonCodes: [0, 17] },
      { type: "pingresp" },
      { type: "disconnect", reasonCode: 148 },
    ]);
    console.log(
      `peer: mosquitto ${await versionOf(
        "mosquitto",
      )}: all kinds of packets in versions 3.1.1 and 5, with properties, each as expected`,
    );
  },
);

/** What a broker does that accepts one client after another, and keeps what they send. */
function keepIn(seen: MqttPacket[]): Handler<MqttPacket, MqttPacketInit> {
  return async (first) => {
    const connect = await first.read();
    assert(connect?.type === "connect");
    seen.push(connect);
    const { version } = connect;
    await using peer = first.switchCodec(mqtt({ version }));
    await peer.write({ type: "connack", sessionPresent: false, reasonCode: 0 });
    for await (const packet of peer) {
      seen.push(packet);
      const answer = answerTo(packet);
      if (answer !== undefined) await peer.write(answer);
    }
  };
}

testWithPeers(
  CLIENTS,
  "mqtt() is understood by mosquitto_pub, in both versions",
  async () => {
    const seen: MqttPacket[] = [];
    await using server = serve({ port: 0 }, mqtt(), keepIn(seen));
    const to = ["-h", "127.0.0.1", "-p", `${server.addr.port}`, "-i", "me"];
    const what = ["-t", "a/b", "-m", "21 °C", "-q", "2", "-r"];
    const as = ["-u", "anybody", "-P", "secret"];
    await run("mosquitto_pub", [...to, ...what, ...as]);
    const properties = "publish user-property unit °C".split(" ");
    const of5 = ["-V", "5", "-D", ...properties];
    const will = "--will-topic gone --will-payload x --will-qos 1".split(" ");
    await run("mosquitto_pub", [...to, ...what, ...of5, ...will]);

    const connect = {
      type: "connect",
      version: 4,
      clientId: "me",
      clean: true,
      keepAlive: 60,
    };
    const publish = {
      type: "publish",
      topic: "a/b",
      payload: PAYLOAD,
      qos: 2,
      retain: true,
      dup: false,
      id: 1,
    };
    const reasonCode = 0;
    assertEquals<unknown>(seen, [
      {
        ...connect,
        username: "anybody",
        password: new TextEncoder().encode("secret"),
      },
      publish,
      { type: "pubrel", id: 1, reasonCode },
      { type: "disconnect", reasonCode },
      {
        ...connect,
        version: 5,
        will: {
          topic: "gone",
          payload: new TextEncoder().encode("x"),
          qos: 1,
          retain: false,
        },
        properties: { receiveMaximum: 20 },
      },
      { ...publish, properties: { userProperties: [["unit", "°C"]] } },
      { type: "pubrel", id: 1, reasonCode },
      { type: "disconnect", reasonCode },
    ]);
    console.log(
      `peer: mosquitto_pub ${await versionOf(
        "mosquitto_pub",
      )}: published to our server with QoS 2, in versions 3.1.1 and 5`,
    );
  },
);

testWithPeers(
  CLIENTS,
  "examples/mqtt_subscriber.ts prints what mosquitto_pub publishes",
  async () => {
    await using broker = await startMosquitto();
    const port = `${broker.port}`;
    await using program = startProgram(
      "examples/mqtt_subscriber.ts",
      ["127.0.0.1", port, "home/#"],
      { net: `127.0.0.1:${port}` },
    );
    assertEquals(await program.line(), "subscribed to home/#");
    const to = ["-h", "127.0.0.1", "-p", port, "-t", "home/kitchen"];
    await run("mosquitto_pub", [...to, "-m", "21 °C", "-q", "1"]);
    assertEquals(await program.line(), "home/kitchen: 21 °C");
    program.interrupt();
    assertEquals(await program.end(), { code: 0, out: [], err: [] });
  },
);
