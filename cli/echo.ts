/**
 * What the echo servers do with a connection: send back what comes, and print every step.
 *
 *     accepted connection from 127.0.0.1:61354
 *     echoing b'Hello, world' to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * @module
 */

import {
  bytesLiteral,
  type Codec,
  formatAddr,
  type Framing,
  type PeerInfo,
} from "../mod.ts";

/**
 * Makes the codec that has no frames: whatever has come is one, so that it does matter where the bytes are
 * cut. That is good for sending them back, and for nothing that has to understand them.
 *
 * @returns The codec.
 */
export function chunks(): Codec<Uint8Array> {
  return {
    decode: (received) => received.take(received.length),
    encode: (chunk, out) => out.write(chunk),
  };
}

/**
 * Makes a handler that sends back what comes, until the client closes or half-closes.
 *
 * @param print Prints a line.
 * @returns The handler, for `serve` with {@linkcode chunks}.
 */
export function echoing(
  print: (line: string) => void,
): (
  peer: Framing<Uint8Array>,
  info: Pick<PeerInfo, "remoteAddr">,
) => Promise<void> {
  return async (peer, { remoteAddr }) => {
    const client = formatAddr(remoteAddr);
    print(`accepted connection from ${client}`);
    for await (const chunk of peer) {
      print(`echoing ${bytesLiteral(chunk)} to ${client}`);
      await peer.write(chunk);
    }
    print(`closing connection to ${client}`);
  };
}

/**
 * Makes what prints the failure of a connection, as one line.
 *
 * @param print Prints a line.
 * @returns What to give `serve` as `onError`.
 */
export function errorsTo(
  print: (line: string) => void,
): (error: unknown, info?: Pick<PeerInfo, "remoteAddr">) => void {
  return (error, info) => {
    const reason = error instanceof Error ? error.message : String(error);
    // Without a peer it is accepting that failed.
    const from = info === undefined
      ? ""
      : ` from ${formatAddr(info.remoteAddr)}`;
    print(`error: ${reason}${from}`);
  };
}
