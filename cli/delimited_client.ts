/**
 * Delimited client: sends messages that end with a semicolon, in pieces that end wherever they like.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/delimited_client.ts
 *     sending b'first;second;th' to 127.0.0.1:65432
 *     received b'first' from 127.0.0.1:65432
 *     received b'second' from 127.0.0.1:65432
 *     sending b'ird;' to 127.0.0.1:65432
 *     received b'third' from 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/delimited_server.ts` in another terminal first. `--pieces 'one;t|wo;'` sends others, each in a
 * write of its own, once the messages before it have come back.
 *
 * It does not keep you from ending inside a message: the server will complain.
 *
 * @module
 */

import {
  bytesLiteral,
  ConnectionError,
  delimited,
  FrameDecoder,
} from "../mod.ts";
import { PATIENCE, serverAddress } from "./asking.ts";
import { GuardedConn } from "./guarded_conn.ts";
import { mySend } from "./my_socket.ts";
import {
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  severalTexts,
} from "./program.ts";

const DELIMITER = ";";
const PIECES = severalTexts({
  name: "pieces",
  about: "what to send in a write each, with | between them",
  fallback: "first;second;th|ird;",
});

/** Reads until the next message is whole. */
async function nextMessage(
  conn: GuardedConn,
  decoder: FrameDecoder<Uint8Array>,
): Promise<Uint8Array> {
  while (true) {
    const message = decoder.next();
    if (message !== undefined) return message;
    const chunk = new Uint8Array(1024); // a new one each time: the decoder keeps it
    const count = await conn.read(chunk);
    if (count === null) {
      decoder.end(); // throws if something has come of the message
      throw new ConnectionError(
        "Cannot read answer: the server closed the connection without one",
      );
    }
    decoder.push(chunk.subarray(0, count));
  }
}

/** Sends messages that end with a semicolon, cut anywhere. */
export const delimitedClient: Program = program({
  name: "delimited-client",
  about: "Sends messages that end with a semicolon, cut anywhere",
  takes: [PEER_HOST, PEER_PORT],
  options: [PIECES],

  async main(terminal) {
    const { get, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    using conn = new GuardedConn(await Deno.connect(address), PATIENCE);
    const decoder = new FrameDecoder(delimited(DELIMITER));
    for (const piece of get(PIECES)) {
      const bytes = new TextEncoder().encode(piece);
      print(`sending ${bytesLiteral(bytes)} to ${to}`);
      await mySend(conn, bytes);
      // As many messages are whole now as the piece has delimiters.
      for (let due = piece.split(DELIMITER).length - 1; due > 0; due--) {
        const message = await nextMessage(conn, decoder);
        print(`received ${bytesLiteral(message)} from ${to}`);
      }
    }
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await delimitedClient.run(Deno.args));
