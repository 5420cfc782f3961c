/**
 * Peers that send a frame so slowly that it would take days.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Crowd, dribble, lengthOf } from "../../support/attacks.ts";
import {
  Besieged,
  figure,
  Guest,
  type Options,
  pause,
  quantile,
} from "../../support/besieged.ts";
import { raw } from "../../support/wire.ts";

const PEERS = 1000;
const FRAME = 2 ** 20;
const TRIES = 3;

/** How long answers take a client beside the slow ones, as the median in milliseconds. */
interface Latency {
  before: number;
  during: number;
}

/** The least of several medians: what else this machine does is no matter of the server's. */
async function medianOf(guest: Guest): Promise<number> {
  const medians: number[] = [];
  while (medians.length < 5) {
    medians.push(quantile(await guest.times(400), 0.5));
  }
  return Math.min(...medians);
}

/** A thousand slow peers come, and are closed; in the meantime somebody else wants to be served. */
async function scene(options: Options, message: RegExp): Promise<Latency> {
  await using server = await Besieged.start(options);
  await using guest = await Guest.connect(server.port);
  await guest.times(500);
  const before = await medianOf(guest);
  const start = performance.now();
  using crowd = await Crowd.enter(server.port, PEERS, raw(lengthOf(FRAME)));
  const times: number[] = [];
  const ends = Promise.all(crowd.conns.map(async (conn, index) => {
    await pause(index); // so that there is always somebody who sends
    const fate = await dribble(conn, 1000);
    times.push(performance.now() - start);
    return fate;
  }));
  const { stats: [open] } = await server.until(
    ({ stats: [stats] }) => stats.active === PEERS + 1,
    "all to be in",
  );
  const during = await medianOf(guest);
  await ends;
  const after = await server.until(
    ({ stats: [stats] }) => stats.active === 1,
    "the end of all that are slow",
  );
  const name = `1,000 connections send a byte a second, ${
    Object.keys(options)[0] ?? "minimumRate"
  }`;
  figure(
    name,
    `${after.stats[0].timedOut} closed, after ${
      seconds(Math.min(...times))
    } to ${seconds(Math.max(...times))}`,
  );
  figure(
    name,
    `the median latency beside them was ${during.toFixed(3)} ms, ${
      before.toFixed(3)
    } ms before: ${(during / before).toFixed(2)} of 2`,
  );
  assertEquals(open.timedOut, 0, "none is closed before its time");
  assertEquals(after.stats[0].timedOut, PEERS);
  assertEquals(after.errors, { ReadTimeoutError: PEERS });
  assert(
    message.test(after.messages.ReadTimeoutError),
    after.messages.ReadTimeoutError,
  );
  await guest.ask();
  return { before, during };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

for (
  const [limit, options, message] of [
    [
      "frameTimeout",
      { frameTimeout: 4000 },
      /^Cannot read frame: \d of 1048580 bytes came within frameTimeout of 4000 ms$/,
    ],
    [
      "minimumRate",
      {},
      /^Cannot read frame: \d+ bytes of a frame came in \d+ ms, which is less than minimumRate of 64 bytes a second$/,
    ],
  ] satisfies [string, Options, RegExp][]
) {
  Deno.test(`serve() is as quick as before beside 1,000 peers that send a byte a second, and ends them by ${limit}`, async () => {
    let worst = Infinity;
    for (let tries = 0; tries < TRIES && worst >= 2; tries++) {
      const { before, during } = await scene(options, message);
      worst = Math.min(worst, during / before);
    }
    assert(worst < 2, `${worst} times as slow in the best of ${TRIES} tries`);
  });
}
