/**
 * Unix server: the echo server on a path of the file system instead of a port.
 *
 *     $ S=/tmp/framewire.sock
 *     $ deno run --allow-net=unix:$S --allow-read=$S --allow-write=$S cli/unix_server.ts $S
 *     listening on unix:/tmp/framewire.sock
 *     accepted connection from unix:
 *     echoing b'Hello, world' to unix:
 *     closing connection to unix:
 *
 * Then run `cli/unix_client.ts` in another terminal. Clients have no path of their own, so that all look the
 * same. Ctrl-C ends the server and removes the path.
 *
 * A server that was killed leaves its path behind. The next one finds out whether anybody still listens there,
 * by connecting, and removes a path at which nobody does. Anything there that is not a socket stays.
 *
 * It does not handle two servers that start in the same moment over such a path, and does not limit who may
 * connect: that is for the permissions of the folder that the path is in.
 *
 * @module
 */

import { ConnectionError, formatAddr, serve, type Server } from "../mod.ts";
import { chunks, echoing, errorsTo } from "./echo.ts";
import {
  type Program,
  program,
  SOCKET_PATH,
  SOCKET_PERMISSIONS,
} from "./program.ts";

/** Sends back what all clients send, over a Unix socket. */
export const unixServer: Program = program({
  name: "unix-server",
  about: "Serves a path of the file system, and echoes",
  takes: [SOCKET_PATH],
  permissions: SOCKET_PERMISSIONS,

  async main({ get, print, atInterrupt }) {
    const path = get(SOCKET_PATH);
    let server: Server;
    try {
      server = listen(path, print);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      if (await isListening(path)) throw error;
      await Deno.remove(path);
      server = listen(path, print);
    }
    atInterrupt(() => server.shutdown({ grace: 1000 }));
    print(`listening on ${formatAddr(server.addr)}`);
    await server.finished;
  },
});

function listen(path: string, print: (line: string) => void): Server {
  const options = { path, onError: errorsTo(print) };
  return serve(options, chunks(), echoing(print));
}

/** Whether a server listens at a path where there is something. */
async function isListening(path: string): Promise<boolean> {
  const { isSocket } = await Deno.lstat(path);
  if (!isSocket) {
    throw new ConnectionError(
      `Cannot listen on ${path}: what is there is not a socket`,
    );
  }
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await unixServer.run(Deno.args));
