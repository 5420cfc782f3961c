/**
 * A server that runs out of open files.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Crowd, leave, requests } from "../../support/attacks.ts";
import { Besieged, figure, Guest } from "../../support/besieged.ts";
import { RunningProgram } from "../../support/running_program.ts";
import { writeAll } from "../../support/sockets.ts";

const FILES = 60;
const CROWD = 80;

/** Starts the server with few open files. Deno raises the soft limit to the hard one, so a shell sets both. */
async function start(): Promise<Besieged> {
  const deno = Deno.execPath();
  const server = "tests/fixtures/besieged_server.ts";
  const limited =
    `ulimit -n ${FILES}; exec ${deno} run --no-prompt --quiet --allow-net=127.0.0.1 ${server}`;
  const args = ["task", "--quiet", "--eval", `sh -c '${limited}'`];
  return await Besieged.of(new RunningProgram(deno, args, { typing: true }));
}

Deno.test("serve() pauses when open files run out, goes on when they are free, and loses nobody", async () => {
  await using server = await start();
  await using guest = await Guest.connect(server.port);
  await guest.ask();
  using crowd = await Crowd.enter(server.port, CROWD);
  const exhausted = await server.until(
    ({ stats: [stats] }) => stats.acceptErrors >= 4,
    "open files to run out",
  );
  const [{ accepted, acceptErrors }] = exhausted.stats;
  await guest.times(100);
  const [later] = (await server.report()).stats;
  // It waits longer each time: while a hundred answers are given, there is hardly another try.
  const more = later.acceptErrors - acceptErrors;
  assert(more < 100, `${more} tries failed in the time of 100 answers`);
  assert(accepted < FILES, `${accepted} accepted`);
  assertEquals(later.accepted, accepted, "it cannot accept");
  for (const conn of crowd.conns.slice(0, CROWD / 2)) leave(conn);
  // Those that waited are accepted now, and served.
  for (const conn of crowd.conns.slice(CROWD / 2)) {
    await writeAll(conn, requests(["hello"]));
    const room = new Uint8Array(20);
    assertEquals(await conn.read(room), 4 + 5);
    assertEquals(new TextDecoder().decode(room.subarray(4, 9)), "HELLO");
    leave(conn);
  }
  await guest.ask();
  const { stats: [last], errors } = await server.report();
  figure(
    `open files exhausted at ${FILES}`,
    `${last.acceptErrors} tries to accept failed; ${accepted} were open then, ${last.accepted} were accepted in the end, ${last.failed} lost`,
  );
  assertEquals([last.accepted, last.failed], [CROWD + 1, 0]);
  assertEquals(errors, { Error: last.acceptErrors });
});
