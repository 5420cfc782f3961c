/**
 * Select server: one loop asks which sockets are ready, and does something for each.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/select_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     echoing b'Hello, world' to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/echo_client.ts` in other terminals, as often as you like. Ctrl-C ends the server, once what it
 * is sending has been sent.
 *
 * This is the loop that an event loop is made of. Deno has one built in, and no `select`: `cli/select.ts` is
 * a model of it, and says of what. `cli/async_server.ts` does the same with `await`, where the loop is out of
 * sight.
 *
 * A client for which there is something to send is not read from until it has taken that: one that never reads
 * cannot fill the server's memory, and is not served until it does.
 *
 * It does not handle very many clients: at every turn the loop looks at all of them.
 *
 * @module
 */

import { bytesLiteral, formatAddr } from "../mod.ts";
import { errorsTo } from "./echo.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { type ClientSocket, select, ServerSocket } from "./select.ts";

/** A nice long one, as the tutorial has it. */
const TIMEOUT = 60_000;
const PAUSE = 100;
const NOTHING = new Uint8Array();

/** Sends back what all clients send, in a loop around `select`. */
export const selectServer: Program = program({
  name: "select-server",
  about: "Serves all clients in a loop around select, and echoes",
  takes: [LISTEN_HOST, LISTEN_PORT],

  async main({ get, print, atInterrupt }) {
    const [hostname, port] = [get(LISTEN_HOST), get(LISTEN_PORT)];
    const listener = Deno.listen({ hostname, port });
    const server = new ServerSocket(listener);
    const served = serveClients(server, print);
    atInterrupt(() => {
      server.close();
      return served;
    });
    print(`listening on ${formatAddr(listener.addr)}`);
    await served;
  },
});

/** Serves until the server socket is closed, and what was to be sent is sent. */
async function serveClients(
  server: ServerSocket,
  print: (line: string) => void,
): Promise<void> {
  /** The clients, with what is still to be sent to each. */
  const unsent = new Map<ClientSocket, Uint8Array>();

  function isToBeSentTo(client: ClientSocket): boolean {
    // At the end that is all that is waited for.
    return server.closed || unsent.get(client)?.length !== 0;
  }

  async function accept(): Promise<void> {
    let client: ClientSocket;
    try {
      client = server.accept();
    } catch (error) {
      // One client too many for the system, or one that has gone already: the others are still there.
      errorsTo(print)(error);
      return await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    print(`accepted connection from ${formatAddr(client.remoteAddr)}`);
    unsent.set(client, NOTHING);
  }

  function receive(client: ClientSocket): void {
    const bytes = client.recv();
    if (bytes.length === 0) return close(client);
    const to = formatAddr(client.remoteAddr);
    print(`echoing ${bytesLiteral(bytes)} to ${to}`);
    unsent.set(client, bytes);
  }

  function send(client: ClientSocket): void {
    const bytes = unsent.get(client) ?? NOTHING;
    if (bytes.length === 0) return close(client);
    const sent = client.send(bytes); // it may take only a part
    unsent.set(client, bytes.subarray(sent));
  }

  function close(client: ClientSocket): void {
    print(`closing connection to ${formatAddr(client.remoteAddr)}`);
    unsent.delete(client);
    client.close();
  }

  while (!server.closed || unsent.size > 0) {
    const clients = [...unsent.keys()];
    const potentialReaders: (ServerSocket | ClientSocket)[] = server.closed
      ? []
      : [server, ...clients.filter((client) => !isToBeSentTo(client))];
    const [input, output, errors] = await select(
      potentialReaders,
      clients.filter(isToBeSentTo),
      clients,
      TIMEOUT,
    );

    for (const client of errors) {
      errorsTo(print)(client.error, client);
      close(client);
    }
    // Those that break from here on show it the next time.
    for (const socket of input) {
      if (socket instanceof ServerSocket) {
        if (!server.closed) await accept();
      } else if (socket.error === undefined) receive(socket);
    }
    for (const client of output) {
      if (client.error === undefined) send(client);
    }
  }
}

if (import.meta.main) Deno.exit(await selectServer.run(Deno.args));
