/**
 * Send until full: writes to a server that does not read, until there is no room left on the way.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 --allow-run=cat cli/send_until_full.ts
 *     starting connection to 127.0.0.1:65432
 *     error: write() would block for 127.0.0.1:65432: Resource temporarily unavailable
 *     4196352 bytes were taken in 65 writes
 *     Proto Recv-Q  Send-Q Local Address   Foreign Address (state)
 *     tcp4  113152       0 127.0.0.1:65432 127.0.0.1:53225 ESTABLISHED
 *     tcp4       0 4083200 127.0.0.1:53225 127.0.0.1:65432 ESTABLISHED
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/stalled_server.ts` in another terminal first. The bytes fill the receive buffer of the server's
 * socket (Recv-Q) and then the send buffer of the client's (Send-Q); how many that takes, the system decides.
 * Then Python's non-blocking `send` fails. Deno's `write` waits instead: a promise that stays open. So a
 * write that has taken nothing for a quarter of a second is held to be waiting. The table is what
 * `cli/netstat.ts` shows; without `--allow-run=cat` the rest is shown, and then
 * that it is missing.
 *
 * It does not handle a server that does read: it gives up once that has taken 256 MiB.
 *
 * @module
 */

import { formatAddr } from "../mod.ts";
import { PEER_HOST, PEER_PORT, type Program, program } from "./program.ts";
import { formatSocketTable, readSocketTable } from "./socket_table.ts";
import { within } from "./waiting.ts";

const CHUNK = new Uint8Array(64 * 1024);
/** How long a write may take nothing until it is held to be waiting, in milliseconds. */
const PATIENCE = 250;
/** Whoever takes so many bytes is reading. */
const ENOUGH = 256 * 1024 * 1024;

/** How far the writing came. */
interface Sent {
  taken: number;
  writes: number;
  full: boolean;
}

async function sendUntilFullOn(conn: Deno.Conn): Promise<Sent> {
  let [taken, writes] = [0, 0];
  while (taken < ENOUGH) {
    const writing = conn.write(CHUNK);
    const count = await within(writing, PATIENCE);
    if (count === undefined) {
      writing.catch(() => {}); // it fails when the connection is closed
      return { taken, writes, full: true };
    }
    taken += count;
    writes++;
  }
  return { taken, writes, full: false };
}

/** What `netstat` shows of a connection: the other side first, if it is on this machine. */
async function bothSides(conn: Deno.Conn): Promise<string[]> {
  const [here, there] = [conn.localAddr, conn.remoteAddr].map(formatAddr);
  const sockets = await readSocketTable();
  const sides = [[there, here], [here, there]].flatMap(([local, remote]) =>
    sockets.filter((socket) =>
      formatAddr(socket.local) === local && formatAddr(socket.remote) === remote
    )
  );
  return formatSocketTable(sides);
}

/** Writes to a server that does not read, until a write has to wait. */
export const sendUntilFull: Program = program({
  name: "send-until-full",
  about: "Writes to a server that does not read, until there is no room left",
  takes: [PEER_HOST, PEER_PORT],

  async main({ get, print }) {
    const [hostname, port] = [get(PEER_HOST), get(PEER_PORT)];
    using conn = await Deno.connect({ hostname, port });
    const to = formatAddr(conn.remoteAddr);
    print(`starting connection to ${to}`);
    const { taken, writes, full } = await sendUntilFullOn(conn);
    if (full) {
      print(
        `error: write() would block for ${to}: Resource temporarily unavailable`,
      );
    }
    print(`${taken} bytes were taken in ${writes} writes`);
    try {
      if (full) (await bothSides(conn)).forEach(print);
      else print("no write had to wait: the server is reading");
    } finally {
      print(`closing connection to ${to}`);
    }
    return full ? 0 : 1;
  },
});

if (import.meta.main) Deno.exit(await sendUntilFull.run(Deno.args));
