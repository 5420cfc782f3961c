/**
 * Chat client: says what you type, and prints what others say.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/chat_client.ts --name ben
 *     * you are ben
 *     * ana is here
 *     ana: Good morning!
 *     Hello!
 *
 * Start `cli/chat_server.ts` in another terminal first. Each line that you type is said when it is ended; the
 * last one above is such. The end of the input (Ctrl-D) ends what you say: the client takes its leave by a
 * half-close, prints what still comes, and ends when the server closes. Ctrl-C ends it at once.
 *
 * It does not handle lines that come in while you type: they appear in the middle of yours.
 *
 * @module
 */

import { type ByteConn, connect, ConnectionError, Framing } from "../mod.ts";
import { chatLines, NAME_PATTERN } from "./chat_server.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";

const NAME: Parameter<string> & { fallback: string } = {
  name: "name",
  about: "what others see you called",
  fallback: "guest",
  read(text) {
    if (NAME_PATTERN.test(text)) return text;
    throw new RangeError(
      `name must have 1 to 20 letters, digits, - or _: it is "${text}"`,
    );
  },
};

/** The terminal is read like any connection. */
const TERMINAL: ByteConn = {
  read: (p) => Deno.stdin.read(p),
  write: (p) => Deno.stdout.write(p),
  close() {},
};

/** Says what is typed, and prints what others say. */
export const chatClient: Program = program({
  name: "chat-client",
  about: "Says what you type, and prints what others say",
  takes: [PEER_HOST, PEER_PORT],
  options: [NAME],

  async main({ get, print, atInterrupt }) {
    const address = { hostname: get(PEER_HOST), port: get(PEER_PORT) };
    await using peer = await connect(address, chatLines());
    atInterrupt(() => peer.close());
    await peer.write(get(NAME));

    let allSaid = false;
    async function say(): Promise<void> {
      for await (const line of new Framing(TERMINAL, chatLines())) {
        if (line !== "") await peer.write(line);
      }
      allSaid = true;
      await peer.closeWrite();
    }
    async function hear(): Promise<void> {
      for await (const line of peer) print(line);
      if (allSaid) return;
      throw new ConnectionError("Cannot chat: the server closed");
    }
    const heard = hear();
    await Promise.race([heard, say().then(() => heard)]);
  },
});

if (import.meta.main) Deno.exit(await chatClient.run(Deno.args));
