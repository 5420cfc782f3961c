/**
 * Stalled server: accepts connections and never reads from them, so that what clients send piles up.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/stalled_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:53225
 *
 * Then run `cli/send_until_full.ts` in another terminal. Ctrl-C ends the server.
 *
 * It does not learn that a client has gone: the end of a stream comes behind its bytes, and nobody reads
 * them. Every connection stays until Ctrl-C.
 *
 * @module
 */

import { formatAddr, serve, untilClose } from "../mod.ts";
import { errorsTo } from "./echo.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";

/** Accepts connections and never reads from them. */
export const stalledServer: Program = program({
  name: "stalled-server",
  about: "Accepts connections and never reads from them",
  takes: [LISTEN_HOST, LISTEN_PORT],

  async main({ get, print, atInterrupt }) {
    const report = errorsTo(print);
    let stopping = false;
    const server = serve(
      {
        hostname: get(LISTEN_HOST),
        port: get(LISTEN_PORT),
        onError(error, info) {
          if (!stopping) report(error, info); // whoever is sent away has done nothing wrong
        },
      },
      untilClose(), // any codec will do
      (_, { remoteAddr }) => {
        print(`accepted connection from ${formatAddr(remoteAddr)}`);
        return Promise.withResolvers<void>().promise; // never done with it
      },
    );
    atInterrupt(() => {
      stopping = true;
      return server.shutdown({ grace: 0 });
    });
    print(`listening on ${formatAddr(server.addr)}`);
    await server.finished;
  },
});

if (import.meta.main) Deno.exit(await stalledServer.run(Deno.args));
