/**
 * UDP client: sends a datagram and waits for one.
 *
 *     $ deno run --unstable-net --allow-net=127.0.0.1:0,127.0.0.1:65432 cli/udp_client.ts
 *     sending b'Hello World' to 127.0.0.1:65432
 *     Received b'Hello World' from 127.0.0.1:65432
 *
 * Start `cli/udp_server.ts` in another terminal first, or do not: sending works all the same. As the datagram
 * or its answer may be lost, the client sends again when nothing comes within `--timeout` seconds, up to
 * `--tries` times. A server that is slow, not lost, gets it more than once.
 *
 * To reach another machine it takes `--allow-net=0.0.0.0:0,HOST:PORT`.
 *
 * It does not handle messages longer than a datagram. It takes the first datagram that comes, from whomever:
 * who sent it is printed, and no proof of anything.
 *
 * @module
 */

import { bytesLiteral, ConnectionError, formatAddr } from "../mod.ts";
import {
  needUnstableNet,
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";

const MESSAGE = {
  name: "message",
  about: "the text to send",
  fallback: "Hello World",
  read: (text) => text,
} satisfies Parameter<string>;
const TIMEOUT = {
  fallback: "1",
  ...wholeNumber({
    name: "timeout",
    about: "how many seconds to wait for an answer",
  }, 1),
};
const TRIES = {
  fallback: "3",
  ...wholeNumber({ name: "tries", about: "how often to send" }, 1),
};

/** Sends a datagram and waits for one. */
export const udpClient: Program = program({
  name: "udp-client",
  about: "Sends a datagram, again if need be, and prints the answer",
  takes: [PEER_HOST, PEER_PORT],
  options: [MESSAGE, TIMEOUT, TRIES],

  async main({ get, print }) {
    needUnstableNet();
    const [hostname, port] = [get(PEER_HOST), get(PEER_PORT)];
    const server = { transport: "udp", hostname, port } as const;
    const message = new TextEncoder().encode(get(MESSAGE));
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: ownAddressFor(hostname),
      port: 0,
    });
    try {
      // One wait for all tries: an answer to the first may come after the second was sent.
      const answer = socket.receive();
      answer.catch(() => {}); // it fails when the socket is closed
      for (let tries = 0; tries < get(TRIES); tries++) {
        print(`sending ${bytesLiteral(message)} to ${formatAddr(server)}`);
        await socket.send(message, server);
        const received = await within(get(TIMEOUT) * 1000, answer);
        if (received === undefined) continue;
        const [datagram, from] = received;
        print(`Received ${bytesLiteral(datagram)} from ${formatAddr(from)}`);
        return;
      }
    } finally {
      socket.close();
    }
    throw new ConnectionError(
      `Cannot receive: no answer to ${get(TRIES)} datagrams, ${
        get(TIMEOUT)
      } s each`,
    );
  },
});

/** The address to send from: as near as the server's. */
function ownAddressFor(host: string): string {
  if (/^(127\.|::1$|localhost$)/.test(host)) return host;
  return host.includes(":") ? "::" : "0.0.0.0";
}

/** Waits for `work`, or gives `undefined` after so many milliseconds. */
async function within<T>(
  timeout: number,
  work: Promise<T>,
): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), timeout);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) Deno.exit(await udpClient.run(Deno.args));
