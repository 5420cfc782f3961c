/**
 * Asynchronous server: one event loop serves all clients and sends back what they send.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/async_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     echoing b'Hello, world' to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/echo_client.ts` in other terminals, as often as you like. Ctrl-C ends the server, once what it
 * is sending has been sent.
 *
 * This is the tutorial's third way to serve many clients, after threads and processes, and the one that Deno
 * is made for: `await` is where the event loop turns to another client. The loop itself, written out, is in
 * `cli/select_server.ts`.
 *
 * It does not use a second processor: while it computes for one client, the others wait.
 *
 * @module
 */

import { formatAddr, serve } from "../mod.ts";
import { chunks, echoing, errorsTo } from "./echo.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";

/** Sends back what all clients send, in one event loop. */
export const asyncServer: Program = program({
  name: "async-server",
  about: "Serves all clients in one event loop, and echoes",
  takes: [LISTEN_HOST, LISTEN_PORT],

  async main({ get, print, atInterrupt }) {
    const server = serve(
      {
        hostname: get(LISTEN_HOST),
        port: get(LISTEN_PORT),
        onError: errorsTo(print),
      },
      chunks(),
      echoing(print),
    );
    atInterrupt(() => server.shutdown({ grace: 1000 }));
    print(`listening on ${formatAddr(server.addr)}`);
    await server.finished;
  },
});

if (import.meta.main) Deno.exit(await asyncServer.run(Deno.args));
