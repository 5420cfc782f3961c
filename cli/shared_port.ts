/**
 * What a server does that listens on the same port as others, and gets a share of the connections.
 *
 *                       ┌─► thread or process 1: a share of the connections
 *     clients ─► port ──┤
 *                       └─► thread or process 2: the other share
 *
 * The system deals the connections out, by where they come from. It needs `--unstable-net`.
 *
 * @module
 */

import { serve, type Server } from "../mod.ts";
import { chunks, echoing, errorsTo } from "./echo.ts";

/** An address that several servers listen on. */
export interface SharedAddress {
  /** The host. */
  hostname: string;
  /** The port. */
  port: number;
}

/**
 * Finds out whether an address can be shared: nobody may listen there yet. Another server that shares its
 * port would not be noticed later, and get some of the connections.
 *
 * @param hostname The host.
 * @param port The port; 0 for any that is free.
 * @returns The address, with the port that was found.
 */
export function claim(hostname: string, port: number): SharedAddress {
  for (let i = 0; i < 2; i++) { // leave to listen on port 0 is none to listen on the port that was found
    const listener = Deno.listen({ hostname, port });
    port = listener.addr.port;
    listener.close();
  }
  return { hostname, port };
}

/**
 * Sends back what the clients send that the system gives to this server.
 *
 * @param address Where.
 * @param print Prints a line.
 * @returns The server, listening.
 */
export function serveShare(
  address: SharedAddress,
  print: (line: string) => void,
): Server {
  return serve(
    { ...address, reusePort: true, onError: errorsTo(print) },
    chunks(),
    echoing(print),
  );
}
