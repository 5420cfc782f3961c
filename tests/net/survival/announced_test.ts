/**
 * Peers that announce more than they will ever send.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Crowd, fateOf, lengthOf } from "../../support/attacks.ts";
import { Besieged, figure, Guest, mebibytes } from "../../support/besieged.ts";
import { raw } from "../../support/wire.ts";

const PEERS = 1000;
const GIB = 2 ** 30;
const ROOM = 32 * 2 ** 20;

Deno.test("serve() takes no memory for 1,000 frames of 1 GiB that are announced", async () => {
  await using server = await Besieged.start();
  await using guest = await Guest.connect(server.port);
  await guest.times(100);
  const before = await server.report();
  using crowd = await Crowd.enter(
    server.port,
    PEERS,
    raw(`${lengthOf(GIB)}a few bytes`),
  );
  const fates = await Promise.all(crowd.conns.map(fateOf));
  await guest.times(100);
  const after = await server.until(
    ({ stats: [stats] }) => stats.active === 1,
    "the end of all but one",
  );
  const growth = after.rssPeak - before.rss;
  figure(
    "1,000 connections announce 1 GiB each",
    `memory grew by ${mebibytes(growth)} of ${mebibytes(ROOM)}`,
  );
  figure(
    "1,000 connections announce 1 GiB each",
    `${after.errors.FrameTooLargeError} refused as too large; ${
      fates.filter((fate) => fate === "ended").length
    } saw the end, ${fates.filter((fate) => fate === "reset").length} a reset`,
  );
  assert(growth < ROOM, `memory grew by ${growth}`);
  assertEquals(after.errors, { FrameTooLargeError: PEERS });
  assertEquals(
    after.messages.FrameTooLargeError,
    `Cannot read frame: length ${GIB} exceeds maxFrameLength of ${
      2 ** 20
    } bytes`,
  );
  const { malformed, failed, memory } = after.stats[0];
  assertEquals([malformed, failed, memory], [PEERS, PEERS, 0]);
});
