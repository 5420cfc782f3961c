/**
 * ASCII-length server: receives messages that begin with their length in five digits, and sends them back.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/ascii_length_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     received b'Hello, world' from 127.0.0.1:61354
 *     received b'' from 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/ascii_length_client.ts` in another terminal. Ctrl-C ends the server.
 *
 * The five digits may not come all at once, nor may the rest. The library's `asciiLength` waits for both, and
 * takes nothing for a length that is not five digits.
 *
 * It does not handle messages of more than 99,999 bytes: five digits cannot say so.
 *
 * @module
 */

import { asciiLength, bytesLiteral } from "../mod.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { IDLE_TIMEOUT, serveFrames } from "./serving.ts";

/** Sends messages back that begin with their length in five digits. */
export const asciiLengthServer: Program = program({
  name: "ascii-length-server",
  about: "Receives messages that begin with their length in five digits",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [IDLE_TIMEOUT],

  main: (terminal) =>
    serveFrames(
      terminal,
      asciiLength({ digits: 5 }),
      async (peer, from, wait) => {
        let message: Uint8Array | null;
        while ((message = await peer.read(wait)) !== null) {
          terminal.print(`received ${bytesLiteral(message)} from ${from}`);
          peer.write(message);
          await peer.drain(wait);
        }
      },
    ),
});

if (import.meta.main) Deno.exit(await asciiLengthServer.run(Deno.args));
