/**
 * Encrypted connections between two ends, and certificates for them.
 *
 * @module
 */

import { startTls, type TlsConnectOptions } from "../../lib/net/tls_client.ts";
import type { TlsConn } from "../../lib/net/tls_conn.ts";
import { TlsAcceptor, type TlsServeOptions } from "../../lib/net/tls_server.ts";
import { Authority, type Credentials } from "./certificates.ts";
import { tcpPair } from "./sockets.ts";

/** Who is trusted in tests, and who is not. */
export const authority: Authority = await Authority.make();
export const stranger: Authority = await Authority.make("Stranger");
/** The server's certificate, and a client's. */
export const SERVER: Credentials = await authority.issue({ name: "server" });
export const CLIENT: Credentials = await authority.issue({ name: "client" });

/** How a wait is bounded that must not take so long. */
export const SOON = { timeout: 20_000 };
export const NO_BYTES: Uint8Array = new Uint8Array();

/** What a test wants to be other than usual. */
export interface TlsPairOptions {
  server?: Partial<TlsServeOptions>;
  client?: TlsConnectOptions & { hostname?: string };
}

/** What becomes of a handshake, on either side. */
export async function handshakes(
  { server, client }: TlsPairOptions = {},
): Promise<
  [
    client: PromiseSettledResult<TlsConn>,
    server: PromiseSettledResult<TlsConn>,
  ]
> {
  const [here, there] = await tcpPair();
  const acceptor = new TlsAcceptor({ ...SERVER, ...server });
  return await Promise.allSettled([
    startTls(
      here,
      { hostname: "localhost", ca: authority.cert, ...client },
      SOON,
    ),
    acceptor.accept(there, NO_BYTES, SOON),
  ]);
}

/** Two ends of an encrypted connection. */
export async function tlsPair(
  options?: TlsPairOptions,
): Promise<[client: TlsConn, server: TlsConn]> {
  const [client, server] = await handshakes(options);
  if (client.status === "rejected") throw client.reason;
  if (server.status === "rejected") throw server.reason;
  return [client.value, server.value];
}

/** The kinds of clients: those whom the platform encrypts, and those with a certificate. */
export const CLIENTS: readonly [
  kind: string,
  options: TlsPairOptions,
][] = [
  ["a client without a certificate", {}],
  ["a client with one", {
    server: { clientCa: authority.cert },
    client: CLIENT,
  }],
];
