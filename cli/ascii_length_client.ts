/**
 * ASCII-length client: sends messages that begin with their length in five digits.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/ascii_length_client.ts
 *     sending b'00012Hello, world' to 127.0.0.1:65432
 *     received b'Hello, world' from 127.0.0.1:65432
 *     sending b'00000' to 127.0.0.1:65432
 *     received b'' from 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/ascii_length_server.ts` in another terminal first. `--messages 'one|two'` sends others.
 *
 * It does not send a message before the last one has come back, and not one with a `|` in it.
 *
 * @module
 */

import { asciiLength, bytesLiteral, connect, encodeFrame } from "../mod.ts";
import { readAnswer, serverAddress } from "./asking.ts";
import {
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  severalTexts,
} from "./program.ts";

const MESSAGES = severalTexts({
  name: "messages",
  about: "the messages, with | between them",
  fallback: "Hello, world|",
});

/** Sends messages that begin with their length in five digits. */
export const asciiLengthClient: Program = program({
  name: "ascii-length-client",
  about: "Sends messages that begin with their length in five digits",
  takes: [PEER_HOST, PEER_PORT],
  options: [MESSAGES],

  async main(terminal) {
    const { get, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    const codec = asciiLength({ digits: 5 });
    await using peer = await connect(address, codec);
    for (const text of get(MESSAGES)) {
      const message = new TextEncoder().encode(text);
      print(`sending ${bytesLiteral(encodeFrame(codec, message))} to ${to}`);
      await peer.write(message);
      const answer = await readAnswer(peer);
      print(`received ${bytesLiteral(answer)} from ${to}`);
    }
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await asciiLengthClient.run(Deno.args));
