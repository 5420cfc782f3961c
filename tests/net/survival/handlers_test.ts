/**
 * Handlers that throw, reject, or never settle.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { connect, type Handler, reply, serve } from "@framewire/framewire";
import { Besieged, figure, Guest } from "../../support/besieged.ts";
import { inCrowds } from "../../support/attacks.ts";
import { words } from "../../support/besieged.ts";
import { until } from "../../support/sockets.ts";

const PEERS = 100;

for (
  const [how, request, ends] of [
    ["throw", "throw", true],
    ["reject", "reject", true],
    ["never settle", "never", false],
  ] as const
) {
  Deno.test(`serve() loses the connections only whose handlers ${how}`, async () => {
    await using server = await Besieged.start();
    await using guest = await Guest.connect(server.port);
    await guest.ask();
    const peers = await inCrowds(
      PEERS,
      () => connect({ port: server.port }, words),
    );
    await inCrowds(PEERS, async (index) => {
      await peers[index].write("a question");
      assertEquals(await peers[index].read(), "A QUESTION");
      await peers[index].write(request);
      if (ends) assertEquals(await peers[index].read(), null);
    });
    await guest.times(10);
    for (const peer of peers) await peer.close();
    const asked = 1 + 10 + 2 * PEERS;
    const { stats: [stats], errors } = await server.until(
      ({ stats: [stats] }) =>
        stats.framesReceived === asked && (!ends || stats.active === 1),
      "all to be over",
    );
    const last = await server.shutdown(50);
    figure(
      `${PEERS} handlers ${how}`,
      `${stats.failed} connections failed, ${
        stats.active - 1
      } were open beside the good one, ${last.stats[0].active} after shutdown`,
    );
    assertEquals(errors, ends ? { TypeError: PEERS } : {});
    assertEquals(stats.failed, ends ? PEERS : 0);
    assertEquals(stats.active, ends ? 1 : 1 + PEERS);
    assertEquals(last.stats[0].active, 0);
  });
}

Deno.test("serve() loses the connections only whose handlers throw before they return a promise", async () => {
  let count = 0;
  const shout = reply((word: string) => word.toUpperCase());
  const handler: Handler<string> = (peer, info) => {
    if (count++ % 2 === 0) throw new TypeError("at once");
    return shout(peer, info);
  };
  await using server = serve({ port: 0 }, words, handler);
  for (let i = 0; i < PEERS; i++) {
    await using peer = await connect({ port: server.addr.port }, words);
    if (i % 2 === 0) assertEquals(await peer.read(), null);
    else {
      await peer.write("hello");
      assertEquals(await peer.read(), "HELLO");
    }
  }
  await until(() => server.stats.active === 0);
  assertEquals(server.stats.failed, PEERS / 2);
});
