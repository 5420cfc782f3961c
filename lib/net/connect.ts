/**
 * The client's side: a connection that speaks a codec from the first byte.
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import { ConnectTimeoutError } from "../errors.ts";
import { checkTimeout, Deadline, type WaitOptions } from "./deadline.ts";
import { checkHighWaterMark, Framing, type FramingOptions } from "./framing.ts";

const CONNECT_TIMEOUT = 10_000;

/** What every kind of connection has. */
export interface ConnectOptions extends FramingOptions {
  /** Gives up connecting when it is aborted; `connect` rejects with its reason. */
  signal?: AbortSignal;
  /**
   * Gives up connecting after so many milliseconds; `Infinity` for never.
   *
   * @default {10_000}
   */
  connectTimeout?: number;
}

/** Where to connect over TCP. */
export interface TcpConnectOptions extends ConnectOptions {
  /** The port, from 1 to 65,535. */
  port: number;
  /**
   * The name or the address of the host.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
}

/** Where to connect over a Unix socket. */
export interface UnixConnectOptions extends ConnectOptions {
  /** The path of the socket. */
  path: string;
}

/**
 * Connects, and speaks a codec over the connection.
 *
 * Over TCP it takes `--allow-net=HOST:PORT`; over a Unix socket `--allow-net=unix:PATH`, `--allow-read=PATH`
 * and `--allow-write=PATH`.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where to, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @returns The connection.
 * @throws {ConnectTimeoutError} If nobody answers in time.
 * @throws {Deno.errors.ConnectionRefused} If nobody listens there.
 * @throws {Deno.errors.NotFound} If there is no socket at the path.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 *
 * @example Usage
 * ```ts
 * import { connect, lines, reply, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => line.toUpperCase()));
 * await using peer = await connect({ port: server.addr.port }, lines());
 * await peer.write("hello");
 * assertEquals(await peer.read(), "HELLO");
 * ```
 */
export function connect<T, W = T>(
  options: TcpConnectOptions,
  codec: Codec<T, W>,
): Promise<Framing<T, W, Deno.TcpConn>>;
/**
 * Connects over a Unix socket, and speaks a codec over the connection.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where to, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @returns The connection.
 */
export function connect<T, W = T>(
  options: UnixConnectOptions,
  codec: Codec<T, W>,
): Promise<Framing<T, W, Deno.UnixConn>>;
export async function connect<T, W = T>(
  options: TcpConnectOptions | UnixConnectOptions,
  codec: Codec<T, W>,
): Promise<Framing<T, W, Deno.TcpConn | Deno.UnixConn>> {
  const { signal, connectTimeout: timeout = CONNECT_TIMEOUT } = options;
  checkTimeout("connectTimeout", timeout);
  checkHighWaterMark(options.highWaterMark ?? 0);
  const conn = "path" in options
    ? await within(
      { signal, timeout },
      options.path,
      () => Deno.connect({ transport: "unix", path: options.path }),
    )
    : await connectTcp(options, { signal, timeout });
  try {
    return new Framing(conn, codec, options);
  } catch (error) {
    conn.close();
    throw error;
  }
}

function connectTcp(
  { hostname = "127.0.0.1", port }: TcpConnectOptions,
  wait: WaitOptions,
): Promise<Deno.TcpConn> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(
      `Cannot connect: port must be a whole number from 1 to 65535: it is ${port}`,
    );
  }
  return within(
    wait,
    `${hostname}:${port}`,
    (signal) => Deno.connect({ hostname, port, signal }),
  );
}

/** Connects within the deadline; a connection that comes later is closed. */
async function within<C extends Deno.Conn>(
  wait: WaitOptions,
  where: string,
  open: (signal: AbortSignal) => Promise<C>,
): Promise<C> {
  using deadline = Deadline.from(
    wait,
    (timeout) =>
      new ConnectTimeoutError(
        `Cannot connect to ${where}: no answer within ${timeout} ms`,
        { timeout },
      ),
    true,
  );
  // The platform can give up a TCP connection itself; for Unix sockets it cannot.
  const giveUp = new AbortController();
  const opening = open(giveUp.signal);
  try {
    return await (deadline?.wait(opening) ?? opening);
  } catch (error) {
    if (deadline?.passed) {
      opening.then((late) => late.close(), () => {});
      giveUp.abort();
    }
    throw error;
  }
}
