/**
 * The server's side: accepts connections that speak a codec, and runs a handler for each.
 *
 *     accept ─► task per connection: handler, then close ─► done
 *        ▲                             │ fails
 *        └── goes on                   └─► onError, close ─► done
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import { checkTimeout, MAX_TIMER } from "./deadline.ts";
import {
  checkHighWaterMark,
  Framing,
  type FramingOptions,
  ownerOf,
} from "./framing.ts";

/** What is known of a connection beside its frames. */
export interface PeerInfo {
  /** The address of the peer. */
  remoteAddr: Deno.Addr;
  /** Tells the server's `onError` of an error that does not end the connection. */
  report: (error: unknown) => void;
}

/**
 * Serves one connection. When it returns or throws, what was written is sent and the connection is closed;
 * one that it detached is its own to close.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 */
export type Handler<T, W = T> = (
  peer: Framing<T, W, Deno.Conn>,
  info: PeerInfo,
) => Promise<void> | void;

/** What every kind of server has. */
export interface ServeOptions extends FramingOptions {
  /** Shuts the server down when it is aborted. */
  signal?: AbortSignal;
  /**
   * Is told of every connection that failed, and, without `info`, of connections that could not be accepted.
   * Without it, failures are only counted in `stats`.
   */
  onError?: (error: unknown, info?: PeerInfo) => void;
}

/** Where to listen over TCP. */
export interface TcpServeOptions extends ServeOptions {
  /** The port; 0 for any that is free. */
  port: number;
  /**
   * The address to listen on; `0.0.0.0` or `::` for all interfaces.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Whether other servers that say so too may listen on the same port, in workers or in other processes: the
   * system gives each a share of the connections, on Linux an even one. It takes `--unstable-net`; without
   * it Deno ends the program.
   *
   * @default {false}
   */
  reusePort?: boolean;
}

/** Where to listen over a Unix socket. */
export interface UnixServeOptions extends ServeOptions {
  /** The path of the socket. It must not exist, and is removed at the end. */
  path: string;
}

/** What a {@linkcode Server} has done. */
export interface ServerStats {
  /** Connections that were accepted. */
  accepted: number;
  /** Connections that are open. */
  active: number;
  /** Connections that ended with an error. */
  failed: number;
  /** How often accepting failed. */
  acceptErrors: number;
}

/** How a {@linkcode Server} is shut down. */
export interface ShutdownOptions {
  /**
   * How long handlers may take to end, in milliseconds; `Infinity` for as long as they like. Connections
   * that are open then are closed.
   *
   * @default {5000}
   */
  grace?: number;
}

/** A server that is listening. */
export interface Server<A extends Deno.Addr = Deno.Addr>
  extends AsyncDisposable {
  /** The address that it listens on. */
  readonly addr: A;
  /** Is fulfilled when it has stopped listening and every connection is closed. */
  readonly finished: Promise<void>;
  /** What it has done so far. */
  readonly stats: ServerStats;
  /**
   * Stops listening, lets handlers end, and closes what is open after the grace. Peers that are idle are told
   * by a half-close; the others once their handler reads on. Called again, it can shorten the grace.
   *
   * @param options How long that may take.
   * @returns A promise that is fulfilled when everything is closed.
   * @throws {RangeError} If the grace is not a duration.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /** Makes listening keep the program alive, as it does unless told otherwise. */
  ref(): void;
  /** Makes listening not keep the program alive. */
  unref(): void;
}

const GRACE = 5000;
/** How long to wait when accepting fails, for want of file descriptors as a rule, in milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

/**
 * Listens, and runs a handler for every connection. Returns at once; failures to listen are thrown.
 *
 * It listens on 127.0.0.1 unless told otherwise. Whatever happens to one connection happens to that one
 * only.
 *
 * Over TCP it takes `--allow-net=HOST:PORT`; over a Unix socket `--allow-net=unix:PATH`, `--allow-read=PATH`
 * and `--allow-write=PATH`.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @param handler What is done with a connection.
 * @returns The server.
 * @throws {Deno.errors.AddrInUse} If something else listens there.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 *
 * @example Usage
 * ```ts
 * import { connect, lines, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), async (peer) => {
 *   for await (const line of peer) await peer.write(`You said ${line}`);
 * });
 * await using peer = await connect({ port: server.addr.port }, lines());
 * await peer.write("hello");
 * assertEquals(await peer.read(), "You said hello");
 * ```
 */
export function serve<T, W = T>(
  options: TcpServeOptions,
  codec: Codec<T, W>,
  handler: Handler<T, W>,
): Server<Deno.NetAddr>;
/**
 * Listens on a Unix socket, and runs a handler for every connection.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @param handler What is done with a connection.
 * @returns The server.
 */
export function serve<T, W = T>(
  options: UnixServeOptions,
  codec: Codec<T, W>,
  handler: Handler<T, W>,
): Server<Deno.UnixAddr>;
export function serve<T, W = T>(
  options: TcpServeOptions | UnixServeOptions,
  codec: Codec<T, W>,
  handler: Handler<T, W>,
): Server<Deno.NetAddr> | Server<Deno.UnixAddr> {
  options.signal?.throwIfAborted();
  checkHighWaterMark(options.highWaterMark ?? 0);
  if ("path" in options) {
    const { path } = options;
    const listener = Deno.listen({ transport: "unix", path });
    return new ListeningServer(listener, options, codec, handler);
  }
  const { hostname = "127.0.0.1", port, reusePort = false } = options;
  const listener = Deno.listen({ hostname, port, reusePort });
  return new ListeningServer(listener, options, codec, handler);
}

/** Owns a listener and the connections that came from it. */
class ListeningServer<T, W, A extends Deno.Addr> implements Server<A> {
  #listener: Deno.Listener<Deno.Conn, A>;
  #options: ServeOptions;
  #codec: Codec<T, W>;
  #handler: Handler<T, W>;
  #peers = new Map<Framing<T, W, Deno.Conn>, Promise<void>>();
  #stats: ServerStats = { accepted: 0, active: 0, failed: 0, acceptErrors: 0 };
  #stopped = false;
  #wake: (() => void) | undefined;
  #abandon = Promise.withResolvers<void>();
  #abort = (): void => void this.shutdown();
  readonly addr: A;
  readonly finished: Promise<void>;

  constructor(
    listener: Deno.Listener<Deno.Conn, A>,
    options: ServeOptions,
    codec: Codec<T, W>,
    handler: Handler<T, W>,
  ) {
    this.#listener = listener;
    this.#options = options;
    this.#codec = codec;
    this.#handler = handler;
    this.addr = listener.addr;
    this.finished = this.#run();
    options.signal?.addEventListener("abort", this.#abort);
  }

  get stats(): ServerStats {
    return { ...this.#stats, active: this.#peers.size };
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  async shutdown({ grace = GRACE }: ShutdownOptions = {}): Promise<void> {
    checkTimeout("grace", grace);
    this.#stop();
    const timer = grace > MAX_TIMER
      ? undefined
      : setTimeout(() => this.#closeAll(), grace);
    await this.finished;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Stops listening, and tells every connection. */
  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#listener.close();
    this.#wake?.();
    for (const peer of this.#peers.keys()) ownerOf(peer).stopReading();
  }

  /** Closes what is open, whatever its handler does. */
  #closeAll(): void {
    for (const peer of this.#peers.keys()) ownerOf(peer)[Symbol.dispose]();
    this.#peers.clear();
    this.#abandon.resolve(); // a handler may never settle
  }

  /** Accepts until the listener is closed, then waits for the connections. */
  async #run(): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!this.#stopped) {
      try {
        const conn = await this.#listener.accept();
        pause = FIRST_PAUSE;
        this.#stats.accepted++;
        this.#start(conn);
      } catch (error) {
        if (this.#stopped) break;
        // Want of file descriptors, or a connection that was gone before it was accepted: neither is a
        // reason to stop, and the first is none to try again at once.
        this.#stats.acceptErrors++;
        this.#report(error);
        await this.#pause(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
      }
    }
    await Promise.race([
      Promise.all(this.#peers.values()),
      this.#abandon.promise,
    ]);
  }

  #start(conn: Deno.Conn): void {
    let peer: Framing<T, W, Deno.Conn>;
    try {
      peer = new Framing(conn, this.#codec, this.#options);
    } catch (error) {
      conn.close(); // it was reset before it could be set up
      this.#report(error);
      return;
    }
    const info: PeerInfo = {
      remoteAddr: conn.remoteAddr,
      report: (error) => this.#report(error, info),
    };
    this.#peers.set(peer, this.#serve(peer, info));
    // It came while the listener was being closed, or its handler shut the server down at once.
    if (this.#stopped) ownerOf(peer).stopReading();
  }

  async #serve(
    peer: Framing<T, W, Deno.Conn>,
    info: PeerInfo,
  ): Promise<void> {
    try {
      await this.#handler(peer, info);
      await ownerOf(peer).close();
    } catch (error) {
      this.#stats.failed++;
      this.#report(error, info);
      // What was written before the failure is still sent, such as an answer that says what is wrong.
      await ownerOf(peer).close().catch(() => {});
    } finally {
      this.#peers.delete(peer);
    }
  }

  #report(error: unknown, info?: PeerInfo): void {
    // A fault in the program's own reporting is no reason to drop connections.
    try {
      const told: unknown = this.#options.onError?.(error, info);
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      return;
    }
  }

  async #pause(duration: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, duration);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
