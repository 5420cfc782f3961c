/**
 * DNS over TCP with dnsmasq.
 *
 * @module
 */

import { connect, RequestClient } from "@framewire/framewire";
import {
  dns,
  type DnsMessage,
  type DnsMessageInit,
  type DnsRecord,
  type DnsType,
} from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { type Capture, Recorder, writeCapture } from "../support/capture.ts";
import { PeerServer, run, testWithPeers } from "../support/peer_server.ts";
import { runProgram } from "../support/running_program.ts";

const DNSMASQ = [{ command: "dnsmasq", package: "dnsmasq-base" }];
const RECORDS = [
  "host-record=www.test,192.0.2.1,2001:db8::1",
  "cname=alias.test,www.test",
  "mx-host=test,mail.test,10",
  'txt-record=test,"one two",""',
  "srv-host=_xmpp._tcp.test,www.test,5222,5,20",
  "ptr-record=1.2.0.192.in-addr.arpa,www.test",
  "dns-rr=test,65400,00ff41",
];
/** A server that is responsible for the zone answers for its start, too. */
const RESPONSIBLE = [
  "auth-server=ns.test,127.0.0.1",
  "auth-zone=test",
  "auth-soa=7,hostmaster.test,1200,180,1209600",
  "auth-ttl=300",
];

function startDnsmasq(...options: string[]): Promise<PeerServer> {
  return PeerServer.start({
    command: "dnsmasq",
    args: ({ port, folder }) => [
      "--keep-in-foreground",
      `--conf-file=${folder}/dnsmasq.conf`,
      `--port=${port}`,
    ],
    prepare: async (folder) => {
      const lines = [
        "no-resolv",
        "no-hosts",
        "bind-interfaces",
        "listen-address=127.0.0.1",
        "pid-file=",
        "local=/test/",
        ...RECORDS,
        ...options,
      ];
      await folder.write("dnsmasq.conf", lines.join("\n") + "\n");
    },
  });
}

async function version(): Promise<string> {
  const [line] = (await run("dnsmasq", ["--version"])).split("\n");
  return line.match(/\d+\.\d+/)?.[0] ?? line;
}

type Question = [name: string, type: DnsType];

/** Asks everything at once, over one connection. */
async function askAll(
  port: number,
  questions: readonly Question[],
): Promise<DnsMessage[]> {
  const peer = await connect({ port }, dns());
  await using client = new RequestClient<DnsMessageInit, DnsMessage>(peer, {
    idOf: { request: ({ id }) => id, response: ({ id }) => id },
    timeout: 5_000,
  });
  const answers = await Promise.all(
    questions.map(([name, type], i) =>
      client.ask({
        id: 0xff00 + i,
        recursionDesired: true,
        questions: [{ name, type }],
      })
    ),
  );
  for (
    const [i, { id, response, questions: [question] }] of answers.entries()
  ) {
    const [name, type] = questions[i];
    assertEquals([id, response], [0xff00 + i, true]);
    assertEquals(question, { name, type, class: 1 });
  }
  return answers;
}

/** A record that is kept for no time. */
function record<R>(name: string, content: R) {
  return { name, class: 1, ttl: 0, ...content };
}

const A = record("www.test", { type: "A", address: "192.0.2.1" });
const AAAA = record("www.test", { type: "AAAA", address: "2001:db8::1" });
const CNAME = record("alias.test", { type: "CNAME", target: "www.test" });
const MX = record("test", {
  type: "MX",
  preference: 10,
  exchange: "mail.test",
});
const TXT = record("test", {
  type: "TXT",
  texts: [new TextEncoder().encode("one two"), new Uint8Array()],
});
const PTR = record("1.2.0.192.in-addr.arpa", {
  type: "PTR",
  target: "www.test",
});
const OTHER = record("test", {
  type: 65400,
  data: new Uint8Array([0, 0xff, 0x41]),
});
const SRV = record("_xmpp._tcp.test", {
  type: "SRV",
  priority: 5,
  weight: 20,
  port: 5222,
  target: "www.test",
});

/** Ten questions, and what is answered. */
const QUESTIONS: readonly [Question, unknown[]][] = [
  [["www.test", "A"], [A]],
  [["www.test", "AAAA"], [AAAA]],
  [["alias.test", "CNAME"], [CNAME]],
  [["alias.test", "A"], [CNAME, A]],
  [["test", "MX"], [MX]],
  [["test", "TXT"], [TXT]],
  [["_xmpp._tcp.test", "SRV"], [SRV]],
  [["1.2.0.192.in-addr.arpa", "PTR"], [PTR]],
  [["test", 65400], [OTHER]],
  [["nobody.test", "A"], []],
];

/** What the server says of the zone that it is responsible for, one question per connection. */
async function askResponsible(port: number): Promise<DnsRecord[]> {
  const types = ["NS", "SOA"] as const;
  const answers: DnsMessage[] = [];
  for (const type of types) {
    answers.push(...await askAll(port, [["test", type]]));
  }
  assert(answers.every(({ authoritative }) => authoritative));
  return answers.flatMap(({ answers }) => answers);
}

testWithPeers(
  DNSMASQ,
  "dns() asks dnsmasq ten questions at once, and matches the answers by id",
  async () => {
    await using server = await startDnsmasq();
    await using responsible = await startDnsmasq(...RESPONSIBLE);
    const recording = Deno.args.includes("--record");
    await using recorder = new Recorder(server.port);
    await using another = new Recorder(responsible.port);

    const answers = await askAll(
      recording ? recorder.port : server.port,
      QUESTIONS.map(([question]) => question),
    );
    for (const [i, { answers: records, responseCode }] of answers.entries()) {
      const [[name], expected] = QUESTIONS[i];
      assertEquals<unknown>(records, expected);
      assertEquals(responseCode, name.startsWith("nobody") ? 3 : 0);
    }
    assertEquals<unknown>(answers[6].additionals, [A, AAAA]);

    const zone = { name: "test", class: 1, ttl: 300 };
    const ports = recording ? another.port : responsible.port;
    assertEquals(await askResponsible(ports), [
      { ...zone, type: "NS", target: "ns.test" },
      {
        ...zone,
        type: "SOA",
        primary: "ns.test",
        responsible: "hostmaster.test",
        serial: 7,
        refresh: 1200,
        retry: 180,
        expire: 1209600,
        minimum: 300,
      },
    ]);

    if (recording) {
      const chunks: Capture["chunks"] = [...recorder.chunks, ...another.chunks];
      await writeCapture("dns", {
        what: "ten questions at once, then NS and SOA of a responsible server",
        with: `dnsmasq ${await version()}`,
        chunks,
      });
    }
    console.log(
      `peer: dnsmasq ${await version()}: ${QUESTIONS.length} pipelined queries over TCP answered, matched by id; NS and SOA of its own zone`,
    );
  },
);

testWithPeers(
  DNSMASQ,
  "dns() gets a hundred answers of several kilobytes from dnsmasq",
  async () => {
    const texts = Array.from(
      { length: 20 },
      (_, i) => `txt-record=large.test,${String(i).repeat(100)}`,
    );
    await using server = await startDnsmasq(...texts);
    const questions = Array.from(
      { length: 100 },
      (): Question => ["large.test", "TXT"],
    );
    const answers = await askAll(server.port, questions);
    for (const { answers: records, truncated } of answers) {
      assertEquals([records.length, truncated], [20, false]);
    }
  },
);

testWithPeers(
  DNSMASQ,
  "examples/dns_lookup.ts prints what dnsmasq knows",
  async () => {
    await using server = await startDnsmasq();
    const port = `${server.port}`;
    const { code, out, err } = await runProgram(
      "examples/dns_lookup.ts",
      ["127.0.0.1", port, "alias.test", "test", "nobody.test"],
      { net: `127.0.0.1:${port}` },
    );
    assertEquals({ code, err }, { code: 0, err: [] });
    assertEquals(out, [
      "alias.test CNAME www.test",
      "www.test A 192.0.2.1",
      "alias.test CNAME www.test",
      "www.test AAAA 2001:db8::1",
      "alias.test CNAME www.test",
      "alias.test CNAME www.test",
      "test MX 10 mail.test",
      'test TXT ["one two",""]',
      ...["A", "AAAA", "MX", "TXT"].map((type) =>
        `nobody.test ${type}: error 3`
      ),
    ]);
  },
);
