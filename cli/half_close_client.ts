/**
 * Half-close client: says that it is done sending, and reads the answer.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/half_close_client.ts
 *     sending b'Hello, world' to 127.0.0.1:65432
 *     done sending to 127.0.0.1:65432, still receiving
 *     received b'You sent 12 bytes' from 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/half_close_server.ts` in another terminal first. `--message TEXT` sends something else.
 *
 * `closeWrite()` is what the tutorial calls `shutdown(1)`: it ends this side's stream and leaves the other
 * one open.
 *
 * It does not handle a second message: there is no way to send one once that is said.
 *
 * @module
 */

import { bytesLiteral, connect, untilClose } from "../mod.ts";
import { readAnswer, serverAddress } from "./asking.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";

const MESSAGE = {
  name: "message",
  about: "the text to send",
  fallback: "Hello, world",
  read: (text) => text,
} satisfies Parameter<string>;

/** Says that it is done sending, and reads the answer. */
export const halfCloseClient: Program = program({
  name: "half-close-client",
  about: "Says that it is done sending, and reads the answer",
  takes: [PEER_HOST, PEER_PORT],
  options: [MESSAGE],

  async main(terminal) {
    const { get, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    await using peer = await connect(address, untilClose());
    const message = new TextEncoder().encode(get(MESSAGE));
    print(`sending ${bytesLiteral(message)} to ${to}`);
    await peer.write(message);
    print(`done sending to ${to}, still receiving`);
    await peer.closeWrite();
    const answer = await readAnswer(peer); // up to the end of the server's stream
    print(`received ${bytesLiteral(answer)} from ${to}`);
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await halfCloseClient.run(Deno.args));
