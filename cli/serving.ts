/**
 * What the tutorials' servers share: a line for everything that happens, a limit to how long a client may
 * keep them waiting, and an end in good order.
 *
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     …                                           what the server itself has to say
 *     closing connection to 127.0.0.1:61354       or: error: … from 127.0.0.1:61354
 *
 * `serveConns` is for servers that read and write bytes, `serveFrames` for those that leave that to the
 * library. What happens to one client touches no other. At Ctrl-C what is being answered is finished.
 *
 * @module
 */

import {
  type Codec,
  formatAddr,
  type Framing,
  serve,
  type WaitOptions,
} from "../mod.ts";
import { errorsTo } from "./echo.ts";
import { GuardedConn } from "./guarded_conn.ts";
import {
  explain,
  LISTEN_HOST,
  LISTEN_PORT,
  type Parameter,
  type Terminal,
  wholeNumber,
} from "./program.ts";

/** How long a client may keep the server waiting. */
export const IDLE_TIMEOUT: Parameter<number> & { fallback: string } = {
  fallback: "60",
  ...wholeNumber(
    {
      name: "idle-timeout",
      about: "how many seconds a client may keep the server waiting",
    },
    1,
    86_400,
  ),
};

/** How long to wait when accepting fails, for want of file descriptors as a rule, in milliseconds. */
const PAUSE = 100;

/**
 * Accepts connections and serves all of them at once: whenever one has to wait, another goes on.
 *
 * @param terminal The program's arguments and output.
 * @param handle Serves one connection, which is closed when it returns or throws.
 */
export async function serveConns(
  { get, print, atInterrupt }: Terminal,
  handle: (conn: GuardedConn, from: string) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({
    hostname: get(LISTEN_HOST),
    port: get(LISTEN_PORT),
  });
  const clients = new Map<GuardedConn, Promise<void>>();
  let stopping = false;
  atInterrupt(async () => {
    stopping = true;
    listener.close();
    for (const conn of clients.keys()) conn.stop();
    await Promise.all(clients.values());
  });
  print(`listening on ${formatAddr(listener.addr)}`);

  async function serveClient(conn: GuardedConn, from: string): Promise<void> {
    print(`accepted connection from ${from}`);
    try {
      await handle(conn, from);
      print(`closing connection to ${from}`);
    } catch (error) {
      // Whoever is sent away in the middle of a message has done nothing wrong.
      if (stopping) print(`closing connection to ${from}`);
      else print(`error: ${explain(error)} from ${from}`);
    } finally {
      conn.close();
      clients.delete(conn);
    }
  }

  while (!stopping) {
    try {
      const accepted = await listener.accept();
      const conn = new GuardedConn(accepted, get(IDLE_TIMEOUT));
      const from = formatAddr(accepted.remoteAddr);
      clients.set(conn, serveClient(conn, from));
    } catch (error) {
      if (stopping) break;
      print(`error: ${explain(error)}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
  await Promise.all(clients.values());
}

/**
 * Accepts connections that speak a codec and serves all of them at once.
 *
 * @param terminal The program's arguments and output.
 * @param codec The rule by which frames are cut and laid out.
 * @param handle Serves one connection, which is closed when it returns or throws; `wait` is how long it may
 * wait for the client.
 */
export async function serveFrames<T, W>(
  { get, print, atInterrupt }: Terminal,
  codec: Codec<T, W>,
  handle: (
    peer: Framing<T, W>,
    from: string,
    wait: WaitOptions,
  ) => Promise<void>,
): Promise<void> {
  const wait = { timeout: get(IDLE_TIMEOUT) * 1000 };
  const report = errorsTo(print);
  const open = new Set<string>();
  let stopping = false;
  const server = serve(
    {
      hostname: get(LISTEN_HOST),
      port: get(LISTEN_PORT),
      onError(error, info) {
        if (!stopping) report(error, info); // whoever is sent away has done nothing wrong
      },
      // The handlers keep time themselves, as the learner is to see how.
      firstFrameTimeout: Infinity,
      idleTimeout: Infinity,
      frameTimeout: Infinity,
    },
    codec,
    async (peer, { remoteAddr }) => {
      const from = formatAddr(remoteAddr);
      open.add(from);
      print(`accepted connection from ${from}`);
      try {
        await handle(peer, from, wait);
      } catch (error) {
        if (!stopping) {
          open.delete(from);
          throw error;
        }
      }
      if (open.delete(from)) print(`closing connection to ${from}`);
    },
  );
  atInterrupt(async () => {
    stopping = true;
    await server.shutdown({ grace: 1000 });
    for (const from of open) print(`closing connection to ${from}`);
    open.clear(); // a handler may take notice only now
  });
  print(`listening on ${formatAddr(server.addr)}`);
  await server.finished;
}
