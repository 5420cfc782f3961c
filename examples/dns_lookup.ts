/**
 * Asks a DNS server what it knows of some names: all questions at once, over one connection.
 *
 *     deno run --allow-net=127.0.0.1:53 examples/dns_lookup.ts 127.0.0.1 53 example.com www.example.com
 */

import { connect, RequestClient } from "@framewire/framewire";
import {
  dns,
  type DnsMessage,
  type DnsMessageInit,
} from "@framewire/framewire/protocols";

const [hostname = "127.0.0.1", port = "53", ...names] = Deno.args;
const types = ["A", "AAAA", "MX", "TXT"] as const;
const questions = names.flatMap((name) =>
  types.map((type) => ({ name, type }))
);

const server = await connect({ hostname, port: Number(port) }, dns());
await using client = new RequestClient<DnsMessageInit, DnsMessage>(server, {
  idOf: { request: ({ id }) => id, response: ({ id }) => id },
  timeout: 5_000,
});
const answers = await Promise.all(
  questions.map((question, id) =>
    client.ask({ id, recursionDesired: true, questions: [question] })
  ),
);

const decoder = new TextDecoder();
for (const [i, { answers: records, responseCode }] of answers.entries()) {
  if (responseCode !== 0) {
    console.log(
      `${questions[i].name} ${questions[i].type}: error ${responseCode}`,
    );
  }
  for (const record of records) {
    const { name, type } = record;
    if (type === "A" || type === "AAAA") {
      console.log(`${name} ${type} ${record.address}`);
    } else if (type === "CNAME") {
      console.log(`${name} ${type} ${record.target}`);
    } else if (type === "MX") {
      console.log(`${name} ${type} ${record.preference} ${record.exchange}`);
    } else if (type === "TXT") {
      const texts = record.texts.map((text) => decoder.decode(text));
      console.log(`${name} ${type} ${JSON.stringify(texts)}`);
    }
  }
}
