/**
 * A shutdown while everybody asks.
 *
 * @module
 */

import { connect, reply, serve } from "@framewire/framewire";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { inCrowds } from "../../support/attacks.ts";
import { figure, pause, words } from "../../support/besieged.ts";
import { until } from "../../support/sockets.ts";
import { Random } from "../../support/random.ts";

const PEERS = 100;
/** How many requests a client has under way. */
const WINDOW = 8;

Deno.test("Server.shutdown() under load gives each request that was accepted its answer, and accepts no other", async () => {
  const random = new Random(1);
  let stopped = false;
  let accepted = 0;
  let late = 0;
  let open = 0;
  let openAtStop = 0;
  const handler = reply(async (request: string) => {
    accepted++;
    open++;
    if (request.startsWith("late")) late++;
    await pause(random.below(20));
    open--;
    return request.toUpperCase();
  });
  const server = serve({ port: 0 }, words, handler);
  const { port } = server.addr;
  const peers = await inCrowds(PEERS, () => connect({ port }, words));
  let asked = 0;
  let answered = 0;
  /** Asks on and on, and counts the answers until the end. */
  const clients = peers.map(async (peer) => {
    const waiting: string[] = [];
    const ask = () => {
      const request = `${stopped ? "late" : "early"} ${asked++}`;
      waiting.push(request.toUpperCase());
      peer.write(request);
    };
    while (waiting.length < WINDOW) ask();
    for await (const answer of peer) {
      assertEquals(answer, waiting.shift());
      answered++;
      ask();
    }
    await peer.close();
  });
  await until(() => answered > 5 * PEERS, "load");
  stopped = true;
  openAtStop = open;
  const before = accepted;
  const down = server.shutdown({ grace: Infinity });
  await assertRejects(() => connect({ port }, words)); // refused, or reset if it was quick
  await down;
  await Promise.all(clients);
  const { stats } = server;
  figure(
    `shutdown under load of ${PEERS} connections`,
    `${openAtStop} requests were in flight; ${accepted} accepted, ${answered} answered, ${
      accepted - before
    } of them begun after it, ${late} sent after it; ${
      asked - answered
    } not accepted`,
  );
  assert(openAtStop > 0);
  assertEquals(answered, accepted, "what went in came out");
  assertEquals(late, 0, "nothing is accepted that was sent afterwards");
  assertEquals([stats.framesReceived, stats.framesSent], [accepted, answered]);
  assertEquals([stats.active, stats.failed], [0, 0]);
});
