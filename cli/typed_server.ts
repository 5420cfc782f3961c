/**
 * Typed server: receives messages whose first character decides how long they are, and sends them back.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/typed_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     received greeting b'hello' from 127.0.0.1:61354
 *     received time b'12:34:56' from 127.0.0.1:61354
 *     received goodbye b'' from 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/typed_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * The types are in `cli/typed_messages.ts`. The library's `typed()` reads the first character, looks up the
 * length, and waits for the rest.
 *
 * It does not go on with a client whose message begins with anything else: where the next one would begin,
 * nobody knows.
 *
 * @module
 */

import { bytesLiteral, type TypedFrame } from "../mod.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveFrames } from "./serving.ts";
import { typedMessages, typeOf } from "./typed_messages.ts";

/** Sends messages back whose first character decides how long they are. */
export const typedServer: Program = program({
  name: "typed-server",
  about: "Receives messages whose first character decides how long they are",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveFrames(terminal, typedMessages, async (peer, from, wait) => {
      let message: TypedFrame | null;
      while ((message = await peer.read(wait)) !== null) {
        const { tag, payload } = message;
        const received = `${typeOf(tag)?.name} ${bytesLiteral(payload)}`;
        terminal.print(`received ${received} from ${from}`);
        peer.write(message);
        await peer.drain(wait);
      }
    }),
});

if (import.meta.main) Deno.exit(await typedServer.run(Deno.args));
