/**
 * UDP server: sends every datagram back to where it came from.
 *
 *     $ deno run --unstable-net --allow-net=127.0.0.1 cli/udp_server.ts
 *     listening on 127.0.0.1:65432
 *     received b'Hello World' from 127.0.0.1:50312
 *     sending b'Hello World' to 127.0.0.1:50312
 *
 * Then run `cli/udp_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * There is no connection and nothing to accept. A datagram comes whole or not at all, in any order, and nobody
 * hears of one that was lost. Only the place it is received into can cut it: with `--maxsize 5` the rest of a
 * longer one is gone, and nothing says so but the full buffer.
 *
 * Clients have a port each, so that the permission has to be for all ports.
 *
 * It does not handle messages longer than a datagram (65,507 bytes), and answers whatever address a datagram
 * claims to be from: do not let it be reached from the internet.
 *
 * @module
 */

import { bytesLiteral, formatAddr } from "../mod.ts";
import { errorsTo } from "./echo.ts";
import {
  LISTEN_HOST,
  LISTEN_PORT,
  needUnstableNet,
  type Parameter,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";

/** The longest datagram that IPv4 can carry. */
const LONGEST = 65_507;

const MAX_SIZE: Parameter<number> & { fallback: string } = {
  fallback: String(LONGEST),
  ...wholeNumber(
    { name: "maxsize", about: "how many bytes of a datagram are received" },
    1,
    LONGEST,
  ),
};

/** Sends every datagram back. */
export const udpServer: Program = program({
  name: "udp-server",
  about: "Sends every datagram back to where it came from",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [MAX_SIZE],
  permissions: "--unstable-net --allow-net=HOST",

  async main({ get, print, atInterrupt }) {
    needUnstableNet();
    const [hostname, port] = [get(LISTEN_HOST), get(LISTEN_PORT)];
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    atInterrupt(() => Promise.resolve(socket.close()));
    print(`listening on ${formatAddr(socket.addr)}`);

    const buffer = new Uint8Array(get(MAX_SIZE));
    while (true) {
      const [datagram, from] = await socket.receive(buffer);
      const [bytes, client] = [bytesLiteral(datagram), formatAddr(from)];
      const cut = datagram.length === buffer.length && buffer.length < LONGEST
        ? `, and no more fits in ${buffer.length} bytes`
        : "";
      print(`received ${bytes} from ${client}${cut}`);
      print(`sending ${bytes} to ${client}`);
      try {
        await socket.send(datagram, from);
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) throw error;
        errorsTo(print)(error, { remoteAddr: from });
      }
    }
  },
});

if (import.meta.main) Deno.exit(await udpServer.run(Deno.args));
