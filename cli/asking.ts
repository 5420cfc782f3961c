/**
 * What the tutorials' clients share: where the server is, and how long to wait for its answer.
 *
 * @module
 */

import { ConnectionError, formatAddr, type Framing } from "../mod.ts";
import { PEER_HOST, PEER_PORT, type Terminal } from "./program.ts";

/** How many seconds a client waits for the server. */
export const PATIENCE = 10;

/** Where the server is, for the platform and for people. */
export interface ServerAddress {
  /** Its name or address. */
  hostname: string;
  /** Its port. */
  port: number;
  /** Both, to be printed. */
  to: string;
}

/** Where the arguments say that the server is. */
export function serverAddress(
  { get }: Pick<Terminal, "get">,
): ServerAddress {
  const [hostname, port] = [get(PEER_HOST), get(PEER_PORT)];
  return {
    hostname,
    port,
    to: formatAddr({ transport: "tcp", hostname, port }),
  };
}

/** Reads the server's answer, and complains if there is none. */
export async function readAnswer<T, W>(peer: Framing<T, W>): Promise<T> {
  const answer = await peer.read({ timeout: PATIENCE * 1000 });
  if (answer !== null) return answer;
  throw new ConnectionError(
    "Cannot read answer: the server closed the connection without one",
  );
}
