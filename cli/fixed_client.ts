/**
 * Fixed-length client: sends a message of twelve bytes and prints what comes back.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/fixed_client.ts
 *     sending b'Hello, world' to 127.0.0.1:65432
 *     received b'Hello, world' from 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/fixed_server.ts` in another terminal first. `--message TEXT` sends something else, filled up with
 * spaces.
 *
 * It does so by hand, with the loops of `cli/my_socket.ts`; with `--library` it does the same by
 * `fixedLength`, to be compared below.
 *
 * It does not handle messages that are longer: that is the trouble with a fixed length.
 *
 * @module
 */

import { bytesLiteral, fixedLength, Framing } from "../mod.ts";
import { PATIENCE, readAnswer, serverAddress } from "./asking.ts";
import { GuardedConn } from "./guarded_conn.ts";
import { MSGLEN, myReceive, mySend } from "./my_socket.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";

const MESSAGE = {
  name: "message",
  about: `the text to send, of at most ${MSGLEN} bytes`,
  fallback: "Hello, world",
  read(text) {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > MSGLEN) {
      throw new RangeError(
        `message must be at most ${MSGLEN} bytes: it is ${bytes.length}`,
      );
    }
    const message = new Uint8Array(MSGLEN).fill(" ".charCodeAt(0));
    message.set(bytes);
    return message;
  },
} satisfies Parameter<Uint8Array>;

const LIBRARY = {
  name: "library",
  about: "use the library's fixedLength instead of the loops",
};

/** Exchanges a message for its answer with the loops. */
async function byHand(
  conn: GuardedConn,
  message: Uint8Array,
): Promise<Uint8Array> {
  await mySend(conn, message);
  return await myReceive(conn, MSGLEN);
}

/** The same with the library. */
async function byLibrary(
  conn: GuardedConn,
  message: Uint8Array,
): Promise<Uint8Array> {
  const peer = new Framing(conn, fixedLength(MSGLEN));
  await peer.write(message);
  return await readAnswer(peer);
}

/** Sends a message of twelve bytes and prints what comes back. */
export const fixedClient: Program = program({
  name: "fixed-client",
  about: "Sends a message of twelve bytes and prints what comes back",
  takes: [PEER_HOST, PEER_PORT],
  options: [MESSAGE],
  switches: [LIBRARY],

  async main(terminal) {
    const { get, has, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    using conn = new GuardedConn(await Deno.connect(address), PATIENCE);
    const message = get(MESSAGE);
    print(`sending ${bytesLiteral(message)} to ${to}`);
    const exchange = has(LIBRARY) ? byLibrary : byHand;
    const answer = await exchange(conn, message);
    print(`received ${bytesLiteral(answer)} from ${to}`);
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await fixedClient.run(Deno.args));
