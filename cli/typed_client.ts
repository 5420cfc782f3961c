/**
 * Typed client: sends messages whose first character decides how long they are.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/typed_client.ts
 *     sending b'Ghello' to 127.0.0.1:65432
 *     received greeting b'hello' from 127.0.0.1:65432
 *     sending b'T12:34:56' to 127.0.0.1:65432
 *     received time b'12:34:56' from 127.0.0.1:65432
 *     sending b'B' to 127.0.0.1:65432
 *     received goodbye b'' from 127.0.0.1:65432
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/typed_server.ts` in another terminal first. `--messages 'Ghowdy|B'` sends others.
 *
 * It does not let you send a message that does not fit its type, and not one with a `|` in it.
 *
 * @module
 */

import { bytesLiteral, connect, encodeFrame, type TypedFrame } from "../mod.ts";
import { readAnswer, serverAddress } from "./asking.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  severalTexts,
} from "./program.ts";
import { typedMessage, typedMessages, typeOf } from "./typed_messages.ts";

const TEXTS = severalTexts({
  name: "messages",
  about: "the messages, with | between them",
  fallback: "Ghello|T12:34:56|B",
});
const MESSAGES = {
  ...TEXTS,
  read: (text) => TEXTS.read(text).map(typedMessage),
} satisfies Parameter<TypedFrame[]>;

/** Sends messages whose first character decides how long they are. */
export const typedClient: Program = program({
  name: "typed-client",
  about: "Sends messages whose first character decides how long they are",
  takes: [PEER_HOST, PEER_PORT],
  options: [MESSAGES],

  async main(terminal) {
    const { get, print } = terminal;
    const { to, ...address } = serverAddress(terminal);
    await using peer = await connect(address, typedMessages);
    for (const message of get(MESSAGES)) {
      const wire = encodeFrame(typedMessages, message);
      print(`sending ${bytesLiteral(wire)} to ${to}`);
      await peer.write(message);
      const { tag, payload } = await readAnswer(peer);
      const received = `${typeOf(tag)?.name} ${bytesLiteral(payload)}`;
      print(`received ${received} from ${to}`);
    }
    print(`closing connection to ${to}`);
  },
});

if (import.meta.main) Deno.exit(await typedClient.run(Deno.args));
