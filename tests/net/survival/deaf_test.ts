/**
 * Peers that ask for much and read nothing.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Crowd, requests } from "../../support/attacks.ts";
import {
  Besieged,
  figure,
  Guest,
  mebibytes,
  quantile,
} from "../../support/besieged.ts";

const PEERS = 200;
const ANSWER = 1024 * 1024;
const MIB = 1024 * 1024;
/** More answers than systems take for a peer that does not read. */
const ASKS = requests(Array(16).fill(`much ${ANSWER - 4}`));

for (
  const [budget, room] of [
    [256, "room for all of them"],
    [16, "room for a few of them"],
  ] as const
) {
  Deno.test(`serve() keeps to its memory when 200 peers ask for large answers and read nothing, with ${room}`, async () => {
    const memoryBudget = budget * MIB;
    await using server = await Besieged.start({
      writeTimeout: 1_000,
      memoryBudget,
    });
    await using guest = await Guest.connect(server.port);
    await guest.times(100);
    const before = await server.report();
    using _deaf = await Crowd.enter(server.port, PEERS, ASKS);
    const times: number[] = [];
    let over = false;
    const asking = (async () => {
      while (!over) times.push(await guest.ask());
    })();
    const after = await server.until(
      ({ stats: [stats] }) => stats.timedOut === PEERS,
      "the end of all that read nothing",
    );
    over = true;
    await asking;
    const { stats: [stats], errors, messages } = after;
    const name = `200 peers ask for large answers and read nothing, ${room}`;
    figure(
      name,
      `${mebibytes(stats.memoryPeak)} of ${
        mebibytes(memoryBudget)
      } were in use at the most, ${
        mebibytes(stats.longestQueue)
      } of them on one connection; memory grew by ${
        mebibytes(after.rssPeak - before.rss)
      }`,
    );
    figure(
      name,
      `${errors.WriteTimeoutError} closed: ${messages.WriteTimeoutError}`,
    );
    figure(
      name,
      `beside them ${times.length} were answered, the median after ${
        quantile(times, 0.5).toFixed(3)
      } ms, the last after ${Math.max(...times).toFixed(3)} ms`,
    );
    // The last answer begins when there is room, and need not find room for all of it.
    const most = memoryBudget + ANSWER;
    assert(stats.memoryPeak <= most, `${stats.memoryPeak} in use`);
    assert(
      stats.longestQueue <= 2 * ANSWER,
      `${stats.longestQueue} on one connection`,
    );
    assertEquals(errors, { WriteTimeoutError: PEERS });
    // Before, an answer to the guest may have been on its way.
    const { stats: [rest] } = await server.report();
    assertEquals([rest.active, rest.memory], [1, 0]);
  });
}
