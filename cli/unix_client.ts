/**
 * Unix client: the echo client for a path of the file system instead of a port.
 *
 *     $ S=/tmp/framewire.sock
 *     $ deno run --allow-net=unix:$S --allow-read=$S --allow-write=$S cli/unix_client.ts $S
 *     Received b'Hello, world'
 *
 * Start `cli/unix_server.ts` in another terminal first. But for the address, everything is as over TCP.
 * `--message TEXT` sends something else.
 *
 * It ends what it sends by a half-close, and takes what comes until the server closes, up to 1 MiB, for the
 * answer. A server that never closes keeps it waiting until Ctrl-C.
 *
 * @module
 */

import { bytesLiteral, connect, untilClose } from "../mod.ts";
import { PATIENCE } from "./asking.ts";
import {
  MESSAGE,
  type Program,
  program,
  SOCKET_PATH,
  SOCKET_PERMISSIONS,
} from "./program.ts";

/** Sends one message over a Unix socket and prints what comes back. */
export const unixClient: Program = program({
  name: "unix-client",
  about: "Sends one message to the Unix server and prints what comes back",
  takes: [SOCKET_PATH],
  options: [MESSAGE],
  permissions: SOCKET_PERMISSIONS,

  async main({ get, print, atInterrupt }) {
    const path = get(SOCKET_PATH);
    await using peer = await connect({ path }, untilClose());
    atInterrupt(() => peer.close());
    await peer.write(new TextEncoder().encode(get(MESSAGE)));
    await peer.closeWrite();
    const echo = await peer.read({ timeout: PATIENCE * 1000 }) ??
      new Uint8Array();
    print(`Received ${bytesLiteral(echo)}`);
  },
});

if (import.meta.main) Deno.exit(await unixClient.run(Deno.args));
