/**
 * `framewire bench` on Redis, which counts for itself what it was asked, and can be told how long to take.
 *
 * @module
 */

import { connect } from "@framewire/framewire";
import { resp } from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { frameText } from "../../cli/framewire/values.ts";
import {
  type Needed,
  PeerServer,
  testWithPeers,
} from "../support/peer_server.ts";
import { runProgram } from "../support/running_program.ts";

const needed: Needed[] = [{ command: "redis-server", package: "redis-server" }];

function startRedis(): Promise<PeerServer> {
  return PeerServer.start({
    command: "redis-server",
    args: ({ port, folder }) => [
      ...["--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
      ...["--save", "", "--enable-debug-command", "yes"],
    ],
  });
}

interface Report {
  requests: { warmUp: number; sent: number; answered: number };
  service: { count: number; min: number };
  response: { min: number };
  throughput: { requests: number };
}

async function bench(
  { port }: PeerServer,
  line: string,
  args: readonly string[],
): Promise<Report> {
  const place = `127.0.0.1:${port}`;
  const { code, out, err } = await runProgram("cli/main.ts", [
    ...["bench", place, "--codec", "resp", "--line", line, "--json", ...args],
  ], { net: place });
  assertEquals([code, err], [0, []]);
  return JSON.parse(out[0]);
}

/** How often Redis was asked to do this. */
async function callsOf(
  { port }: PeerServer,
  command: string,
): Promise<number> {
  await using peer = await connect({ port }, resp());
  await peer.write(["INFO", "commandstats"]);
  const text = frameText(await peer.read());
  const calls = text.match(`cmdstat_${command}:calls=(\\d+)`)?.[1];
  assert(calls !== undefined, text);
  return Number(calls);
}

for (
  const args of [
    ["--connections", "20", "--pipeline", "7"],
    ["--connections", "20", "--rate", "5000"],
  ]
) {
  testWithPeers(
    needed,
    `bench has sent what Redis was asked, with ${args.join(" ")}`,
    async () => {
      await using redis = await startRedis();
      const { requests } = await bench(redis, "PING", [
        ...args,
        ...["--requests", "3000", "--warm-up", "100ms"],
      ]);
      assertEquals([requests.sent, requests.answered], [3000, 3000]);
      assertEquals(await callsOf(redis, "ping"), 3000 + requests.warmUp);
    },
  );
}

testWithPeers(
  needed,
  "bench says of no answer that it came before Redis can have given it",
  async () => {
    await using redis = await startRedis();
    // One after another, as Redis does everything.
    const { service, response, throughput } = await bench(
      redis,
      "DEBUG SLEEP 0.01",
      ["--connections", "4", "--requests", "100", "--warm-up", "0s"],
    );
    assertEquals(service.count, 100);
    assert(service.min >= 10, `${service.min} ms`);
    assert(response.min >= 10, `${response.min} ms`);
    assert(throughput.requests <= 100, `${throughput.requests}/s`);
  },
);
