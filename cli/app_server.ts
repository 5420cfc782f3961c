/**
 * Application server: answers requests, each a message with a header and a content.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/app_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:55340
 *     received request {'action': 'search', 'value': 'morpheus'} from 127.0.0.1:55340
 *     sending b'\x00g{"byteorder": "little", "content-type": "text/json", …' to 127.0.0.1:55340
 *     closing connection to 127.0.0.1:55340
 *
 * Then run `cli/app_client.ts 127.0.0.1 65432 search morpheus` in another terminal. To be reached from other
 * machines, listen on all interfaces: `--allow-net=0.0.0.0:65432 cli/app_server.ts '' 65432`. Ctrl-C ends it.
 *
 * A connection carries any number of requests, which are answered in order. What goes wrong with one
 * (it breaks off inside a message, sends something else, does nothing for `--timeout` seconds) is printed
 * as one line, `error: … from …`, and closes that connection only. So does content that says it is `text/json`
 * and is not: the request cannot be answered, and a client that sends it has lost its way.
 *
 * It does not handle encryption or log-in, and does not limit how many clients connect.
 *
 * @module
 */

import { search } from "../lib/app/search.ts";
import {
  bytesLiteral,
  encodeFrame,
  formatAddr,
  type Message,
  messages,
  serve,
  type Server,
} from "../mod.ts";
import {
  LISTEN_HOST,
  LISTEN_PORT,
  type Parameter,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";
import { pythonLiteral } from "./python_literal.ts";

const TIMEOUT: Parameter<number> & { fallback: string } = {
  fallback: "60",
  ...wholeNumber({
    name: "timeout",
    about: "how many seconds a client may keep the server waiting",
  }, 1),
};

/** Where the server listens, and what it does with what it has to say. */
export interface SearchServerOptions {
  /** The address to listen on. */
  hostname: string;
  /** The port; 0 for any that is free. */
  port: number;
  /** How long to wait for a request, or for a client to take a response, in milliseconds. */
  timeout: number;
  /** Prints a line. */
  print: (line: string) => void;
}

/**
 * Serves searches and prints what happens.
 *
 * @param options Where, and what to do with the lines.
 * @returns The server, listening.
 */
export function serveSearch(
  { hostname, port, timeout, print }: SearchServerOptions,
): Server<Deno.NetAddr> {
  const codec = messages();
  const server = serve(
    {
      hostname,
      port,
      // `timeout` holds for each request, and nothing else.
      firstFrameTimeout: Infinity,
      idleTimeout: Infinity,
      onError(error, peer) {
        const reason = error instanceof Error ? error.message : String(error);
        // Without a peer it is accepting that failed.
        const from = peer && ` from ${formatAddr(peer.remoteAddr)}`;
        print(`error: ${reason}${from ?? ""}`);
      },
    },
    codec,
    async (peer, { remoteAddr }) => {
      const from = formatAddr(remoteAddr);
      print(`accepted connection from ${from}`);
      let request: Message | null;
      while ((request = await peer.read({ timeout })) !== null) {
        print(`received ${describe(request)} from ${from}`);
        const response = search(request);
        const wire = encodeFrame(codec, response);
        print(`sending ${bytesLiteral(wire)} to ${from}`);
        peer.write(response);
        await peer.drain({ timeout }); // a client may send and never read
      }
      print(`closing connection to ${from}`);
    },
  );
  print(`listening on ${formatAddr(server.addr)}`);
  return server;
}

function describe(request: Message): string {
  const { contentType } = request.header;
  return contentType === "text/json"
    ? `request ${pythonLiteral(request.json())}`
    : `${contentType} request`;
}

/** Answers searches until it is stopped. */
export const appServer: Program = program({
  name: "app-server",
  about: "Answers searches, sent as messages with a header and a content",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [TIMEOUT],

  async main({ get, print, atInterrupt }) {
    const server = serveSearch({
      hostname: get(LISTEN_HOST),
      port: get(LISTEN_PORT),
      timeout: get(TIMEOUT) * 1000,
      print,
    });
    atInterrupt(() => server.shutdown({ grace: 1000 }));
    await server.finished;
  },
});

if (import.meta.main) Deno.exit(await appServer.run(Deno.args));
