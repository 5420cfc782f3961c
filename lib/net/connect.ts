/**
 * The client's side: a connection that speaks a codec from the first byte.
 *
 * @module
 */

import type { ByteWriter } from "../bytes/byte_io.ts";
import type { Codec } from "../codec/codec.ts";
import { encodeFrame } from "../codec/encode_frame.ts";
import { type ProxyHeader, proxyHeader } from "../codec/proxy_header.ts";
import { ConnectTimeoutError } from "../errors.ts";
import { checkTimeout, Deadline, type WaitOptions } from "./deadline.ts";
import { located } from "./faults.ts";
import { checkHighWaterMark, Framing, type FramingOptions } from "./framing.ts";
import { type RetryOptions, withRetry } from "./retry.ts";
import type { TlsConnectOptions } from "./tls_client.ts";
import type { TlsConn } from "./tls_conn.ts";

const CONNECT_TIMEOUT = 10_000;
const LOCALHOST = "127.0.0.1";
/** The longest header that version 2 of the PROXY protocol can announce. */
const LONGEST_PROXY_HEADER = 65_551;

/** A connection that is open. */
export type OpenConn = Deno.TcpConn | Deno.UnixConn | TlsConn;

/** What every kind of connection has. */
export interface ConnectOptions extends FramingOptions {
  /** Gives up connecting when it is aborted, at once; `connect` rejects with its reason. */
  signal?: AbortSignal;
  /**
   * Gives up a try to connect after so many milliseconds; `Infinity` for never.
   *
   * @default {10_000}
   */
  connectTimeout?: number;
  /**
   * Tries again, `{}` for five times in all. Each try has the whole `connectTimeout`. When the last one fails too,
   * its error is thrown and says how often it was tried. Without this it is tried once.
   */
  retry?: RetryOptions;
  /**
   * What the server is told by the PROXY protocol, before everything else: whose connection this program relays.
   * The server must expect it.
   */
  proxyHeader?: ProxyHeader;
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
  /** Encrypts the connection: see {@linkcode TlsTcpConnectOptions}. */
  tls?: undefined;
}

/** Where to connect over TCP, and how to encrypt. */
export interface TlsTcpConnectOptions extends Omit<TcpConnectOptions, "tls"> {
  /**
   * How to encrypt; `{}` trusts whom the platform trusts. The handshake ends within `connectTimeout` too. A stream
   * that is cut without `close_notify` is an error, not an end.
   */
  tls: TlsConnectOptions;
}

/** Where to connect over TCP, perhaps encrypted. */
export interface MaybeTlsConnectOptions extends Omit<TcpConnectOptions, "tls"> {
  /** How to encrypt, if at all. */
  tls?: TlsConnectOptions | undefined;
}

/** Where to connect over a Unix socket. */
export interface UnixConnectOptions extends ConnectOptions {
  /** The path of the socket. */
  path: string;
}

type AnyConnectOptions = MaybeTlsConnectOptions | UnixConnectOptions;

/**
 * Connects, and speaks a codec over the connection.
 *
 * | option           | default      | what happens past it, or with it                                                      |
 * | ---------------- | ------------ | ------------------------------------------------------------------------------------- |
 * | `connectTimeout` | 10,000 ms    | `ConnectTimeoutError`; for each try, TLS and a PROXY header included                   |
 * | `signal`         | none         | rejects with its reason, at once                                                      |
 * | `retry`          | off          | `{}` tries 5 times in all, after up to 100, 200, 400 and 800 ms; see `RetryOptions`   |
 * | `highWaterMark`  | 65,536 bytes | `write` returns a promise; grows to 262,144 unless it is given                        |
 * | `noDelay`        | true         | with Nagle's algorithm, a small frame may wait for 40 ms and more                     |
 * | `frames`         | `"owned"`    | whose memory a frame is: see `FrameOwnership`                                         |
 * | `tls`            | off          | `TlsHandshakeError` if the other side is not whom it should be                        |
 * | `proxyHeader`    | none         | is written before everything else                                                     |
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
 *
 * @example Waiting for a server that comes back
 * ```ts
 * import { connect, lines, reply, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const shout = reply((line: string) => line.toUpperCase());
 * const before = serve({ port: 0 }, lines(), shout);
 * const { port } = before.addr;
 * await before.shutdown();
 *
 * const connecting = connect({ port, retry: { attempts: Infinity } }, lines());
 * await using server = serve({ port }, lines(), shout);
 * await using peer = await connecting;
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
/**
 * Connects over TCP, encrypts, and speaks a codec over the connection.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where to, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @returns The connection.
 * @throws {TlsHandshakeError} If the other side is not whom it should be, or does not speak TLS.
 */
export function connect<T, W = T>(
  options: TlsTcpConnectOptions,
  codec: Codec<T, W>,
): Promise<Framing<T, W, TlsConn>>;
/**
 * Connects to an address of any kind, encrypted or not, and speaks a codec over the connection.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where to, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @returns The connection.
 */
export function connect<T, W = T>(
  options: MaybeTlsConnectOptions | UnixConnectOptions,
  codec: Codec<T, W>,
): Promise<Framing<T, W, OpenConn>>;
export async function connect<T, W = T>(
  options: AnyConnectOptions,
  codec: Codec<T, W>,
): Promise<Framing<T, W, OpenConn>> {
  const { signal, connectTimeout: timeout = CONNECT_TIMEOUT, retry } = options;
  checkTimeout("connectTimeout", timeout);
  checkHighWaterMark(options.highWaterMark ?? 0);
  if (!("path" in options)) checkPort(options.port);
  const start = startOf(options);
  const attempt = () => within({ signal, timeout }, options, start);
  const conn = await (retry ? withRetry(attempt, retry, signal) : attempt());
  try {
    return new Framing(conn, codec, options);
  } catch (error) {
    conn.close();
    throw error;
  }
}

function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw new RangeError(
    `Cannot connect: port must be a whole number from 1 to 65535: it is ${port}`,
  );
}

/** What is written before everything else. */
function startOf({ proxyHeader: header }: ConnectOptions): Uint8Array {
  if (header === undefined) return new Uint8Array();
  const codec = proxyHeader({ maxFrameLength: LONGEST_PROXY_HEADER });
  return encodeFrame(codec, header);
}

/**
 * Opens a connection, up to where the frames begin: what lies between the socket and the codec belongs here. What
 * it has opened when it fails, it closes.
 *
 * @param options Where to, and how.
 * @param start What is written before everything else.
 * @param signal Is aborted when nobody waits any longer. It may open the connection all the same.
 */
async function open(
  options: AnyConnectOptions,
  start: Uint8Array,
  signal: AbortSignal,
): Promise<OpenConn> {
  const conn = await openSocket(options, signal);
  const giveUp = () => conn.close(); // a write cannot be ended otherwise
  signal.addEventListener("abort", giveUp);
  try {
    await writeAll(conn, start);
  } catch (error) {
    if (!signal.aborted) conn.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  if (!("tls" in options) || options.tls === undefined) return conn;
  if (!("setNoDelay" in conn)) return conn;
  // Few programs encrypt: others need not load it.
  const { startTls } = await import("./tls_client.ts");
  const { hostname = LOCALHOST, tls } = options;
  return await startTls(conn, { ...tls, hostname }, { signal });
}

async function openSocket(
  options: AnyConnectOptions,
  signal: AbortSignal,
): Promise<Deno.TcpConn | Deno.UnixConn> {
  const locate = (error: unknown) => {
    throw located(`Cannot connect to ${whereTo(options)}`, error);
  };
  // The platform can give up a TCP connection itself; for Unix sockets it cannot.
  if ("path" in options) {
    const { path } = options;
    return await Deno.connect({ transport: "unix", path }).catch(locate);
  }
  const { hostname = LOCALHOST, port } = options;
  const conn = await Deno.connect({ hostname, port, signal }).catch(locate);
  if (!isConnectedToItself(conn)) return conn;
  conn.close();
  throw new Deno.errors.ConnectionRefused(
    `Cannot connect to ${hostname}:${port}: nobody listens, and the socket was connected to itself`,
  );
}

/**
 * Says whether both ends of a connection are the same. Who connects to this machine is given a port at random: if
 * that is the one where nobody listens, TCP connects the socket to itself. Its own words would come back as
 * answers, and the server could not listen there any more. Seldom for one try, it comes with trying again.
 */
export function isConnectedToItself(
  { localAddr, remoteAddr }: Pick<Deno.TcpConn, "localAddr" | "remoteAddr">,
): boolean {
  return localAddr.port === remoteAddr.port &&
    localAddr.hostname === remoteAddr.hostname;
}

async function writeAll(conn: ByteWriter, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** Where the options lead to, as people write it. */
function whereTo(options: AnyConnectOptions): string {
  if ("path" in options) return options.path;
  return `${options.hostname ?? LOCALHOST}:${options.port}`;
}

/** Connects within the deadline; a connection that comes later is closed. */
async function within(
  wait: WaitOptions,
  options: AnyConnectOptions,
  start: Uint8Array,
): Promise<OpenConn> {
  using deadline = Deadline.from(
    wait,
    (timeout) =>
      new ConnectTimeoutError(
        `Cannot connect to ${whereTo(options)}: no answer within ${timeout} ms`,
        { timeout },
      ),
    true,
  );
  const giveUp = new AbortController();
  const opening = open(options, start, giveUp.signal);
  try {
    return await (deadline?.wait(opening) ?? opening);
  } catch (error) {
    if (deadline?.passed) {
      opening.then((late) => late.close()).catch(() => {});
      giveUp.abort();
    }
    throw error;
  }
}
