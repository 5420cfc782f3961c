/**
 * Until-close client: sends a message in pieces and ends it by closing the connection.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/until_close_client.ts
 *     sending b'Hello, ' to 127.0.0.1:65432
 *     sending b'world' to 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/until_close_server.ts` in another terminal first: it gets one message. `--pieces 'a|b|c'` sends
 * others.
 *
 * It does not learn whether the message arrived: whoever has closed cannot be answered.
 *
 * @module
 */

import { bytesLiteral, connect, untilClose } from "../mod.ts";
import { serverAddress } from "./asking.ts";
import {
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  severalTexts,
} from "./program.ts";

const PIECES = severalTexts({
  name: "pieces",
  about: "the pieces of the message, with | between them",
  fallback: "Hello, |world",
});

/** Sends a message and ends it by closing the connection. */
export const untilCloseClient: Program = program({
  name: "until-close-client",
  about: "Sends a message and ends it by closing the connection",
  takes: [PEER_HOST, PEER_PORT],
  options: [PIECES],

  async main(terminal) {
    const { get, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    await using peer = await connect(address, untilClose());
    for (const text of get(PIECES)) {
      const piece = new TextEncoder().encode(text);
      print(`sending ${bytesLiteral(piece)} to ${to}`);
      await peer.write(piece);
    }
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await untilCloseClient.run(Deno.args));
