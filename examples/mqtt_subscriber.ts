/**
 * Prints what is published on topics of an MQTT broker, until Ctrl-C.
 *
 *     deno run --allow-net=127.0.0.1:1883 examples/mqtt_subscriber.ts 127.0.0.1 1883 'sensors/#'
 */

import { connect } from "@framewire/framewire";
import { mqtt } from "@framewire/framewire/protocols";

const KEEP_ALIVE = 30; // seconds
const [hostname = "127.0.0.1", port = "1883", filter = "#"] = Deno.args;

await using broker = await connect({ hostname, port: Number(port) }, mqtt());
await broker.write({ type: "connect", keepAlive: KEEP_ALIVE });
await broker.write({
  type: "subscribe",
  id: 1,
  subscriptions: [{ filter, qos: 1 }],
});
const pings = setInterval(
  () => broker.write({ type: "pingreq" })?.catch(() => {}), // reading reports it
  KEEP_ALIVE * 1000 / 2,
);
let stopping = false;
Deno.addSignalListener("SIGINT", async () => {
  stopping = true;
  clearInterval(pings);
  await broker.write({ type: "disconnect" });
  await broker.closeWrite();
});

const decoder = new TextDecoder();
for await (const packet of broker) {
  if (packet.type === "publish") {
    console.log(`${packet.topic}: ${decoder.decode(packet.payload)}`);
    if (packet.id !== undefined) {
      await broker.write({ type: "puback", id: packet.id });
    }
  } else if (packet.type === "suback") {
    console.log(`subscribed to ${filter}`);
  } else if (packet.type === "connack" && packet.reasonCode !== 0) {
    throw new Error(`The broker refuses us: ${packet.reasonCode}`);
  }
}
if (!stopping) console.error("The broker ended the connection");
Deno.exit(stopping ? 0 : 1);
