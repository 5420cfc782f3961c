/**
 * The server's side: accepts connections that speak a codec, and runs a handler for each.
 *
 *     accept ─► task per connection: handshake, handler, then close ─► done
 *        ▲                             │ fails, or passes a limit
 *        └── goes on                   └─► onError, close ─► done
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import { ConnectionClosedError, ConnectionRejectedError } from "../errors.ts";
import { sameOwner } from "./address_range.ts";
import { Backoff } from "./backoff.ts";
import { checkTimeout, MAX_TIMER } from "./deadline.ts";
import { checkHighWaterMark, type FramingOptions } from "./framing.ts";
import { located } from "./faults.ts";
import { MemoryBudget } from "./memory_budget.ts";
import {
  type AcceptedConn,
  type Handler,
  type Host,
  type PeerInfo,
  type ProxyProtocolOptions,
  ServedConnection,
  type Tally,
  type Trust,
  trustOf,
} from "./served_connection.ts";
import { checkLimits, type ServerLimits, tickOf } from "./server_limits.ts";
import { tell } from "./tell.ts";
import {
  TlsAcceptor,
  type TlsCertificate,
  type TlsServeOptions,
} from "./tls_server.ts";

/** What every kind of server has. */
export interface ServeOptions extends FramingOptions, ServerLimits {
  /** Shuts the server down when it is aborted. */
  signal?: AbortSignal;
  /** Is told of every connection that is about to be handled. */
  onConnection?: (info: PeerInfo) => void;
  /**
   * Is told of every connection that failed, passed a limit or was refused, and, without `info`, of those that
   * could not be accepted. Without it, failures are only counted in `stats`.
   */
  onError?: (error: unknown, info?: PeerInfo) => void;
  /**
   * Expects every connection to begin with a PROXY header, by which a load balancer says who the client is:
   * see {@linkcode proxyHeader}.
   */
  proxyProtocol?: ProxyProtocolOptions;
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
  /**
   * How many connections the system keeps that have not been accepted yet; it may allow fewer.
   *
   * @default {511}
   */
  tcpBacklog?: number;
  /** Encrypts all connections. With a PROXY header, that comes first, as it is. */
  tls?: TlsServeOptions | undefined;
}

/** Where to listen over a Unix socket. */
export interface UnixServeOptions extends ServeOptions {
  /** The path of the socket. It must not exist, and is removed at the end. */
  path: string;
}

/** What a {@linkcode Server} has done. */
export interface ServerStats {
  /** Connections that were accepted, those that were refused then included. */
  accepted: number;
  /** Connections that are open. */
  active: number;
  /** Connections that were refused: there were too many, or they came past the proxies that are trusted. */
  refused: number;
  /** Connections that ended with an error, the two following kinds included. */
  failed: number;
  /** Connections that passed a limit of time. */
  timedOut: number;
  /** Connections whose bytes were no frames. */
  malformed: number;
  /** How often accepting failed: for want of file descriptors, or as a peer was gone before. */
  acceptErrors: number;
  /** How often a connection was not read from, for want of memory. */
  paused: number;
  /** Bytes that came. */
  bytesReceived: number;
  /** Bytes that were sent. */
  bytesSent: number;
  /** Frames that were read. */
  framesReceived: number;
  /** Frames that were written. */
  framesSent: number;
  /** Bytes of the memory budget that are in use. */
  memory: number;
  /** The most bytes of the memory budget that ever were. */
  memoryPeak: number;
  /** The most bytes that ever waited to be sent on one connection. */
  longestQueue: number;
}

/** How a {@linkcode Server} is shut down. */
export interface ShutdownOptions {
  /**
   * How long handlers may take to end, in milliseconds; `Infinity` for as long as they like. Connections
   * that are open then are closed, and reported.
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
  /**
   * Shows new connections another certificate, as the one before is about to expire. Those that are open go on.
   *
   * @param certificate The certificate and its key.
   * @throws {TypeError} If they are none, or do not belong together, or the server has no `tls`; nothing changes.
   */
  renewCertificate(certificate: TlsCertificate): void;
  /** Makes listening keep the program alive, as it does unless told otherwise. */
  ref(): void;
  /** Makes listening not keep the program alive. */
  unref(): void;
}

const GRACE = 5000;
/** How long to wait when accepting fails, for want of file descriptors as a rule, in milliseconds. */
/** What accepting a connection fails with whose peer has reset it already. */
const GONE = [
  Deno.errors.NotConnected,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
];
const ACCEPT_AGAIN = { minDelay: 50, maxDelay: 1000, jitter: 0 };

/**
 * Listens, and runs a handler for every connection. Returns at once; failures to listen are thrown.
 *
 * It listens on 127.0.0.1 unless told otherwise. Whatever happens to one connection happens to that one
 * only, and what its peer may do has limits:
 *
 * | option                     | default         | what happens past it                                                                      |
 * | -------------------------- | --------------- | ----------------------------------------------------------------------------------------- |
 * | `maxConnections`           | 10,000          | others wait in the system's queue, or are closed at once with `whenFull: "refuse"`        |
 * | `maxConnectionsPerAddress` | Infinity        | others of the same address are closed at once: `ConnectionRejectedError`                  |
 * | `handshakeTimeout`         | 10,000 ms       | closed: `ReadTimeoutError`                                                                |
 * | `firstFrameTimeout`        | 60,000 ms       | closed: `ReadTimeoutError`                                                                |
 * | `idleTimeout`              | 600,000 ms      | closed: `ReadTimeoutError`                                                                |
 * | `frameTimeout`             | 300,000 ms      | closed: `ReadTimeoutError` with `have` and `need`                                         |
 * | `minimumRate`              | 64 bytes/s      | closed: `ReadTimeoutError` with `have` and `need`                                         |
 * | `writeTimeout`             | 120,000 ms      | closed: `WriteTimeoutError` with `pending`                                                |
 * | `lingerTimeout`            | 2,000 ms        | closed, without an error: everything was sent                                             |
 * | `memoryBudget`             | 268,435,456 bytes | those that hold more than their share are not read from until there is room             |
 * | `highWaterMark`            | 65,536 bytes    | `write` returns a promise, by which the handler waits; grows to 262,144 unless given      |
 *
 * The length of frames is limited by the codec (`maxFrameLength`, 1 MiB unless it is told otherwise). Time
 * counts against a peer only while the server waits for it.
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
/**
 * Listens on an address of either kind, and runs a handler for every connection.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 * @param options Where, and how.
 * @param codec The rule by which frames are cut and laid out.
 * @param handler What is done with a connection.
 * @returns The server.
 */
export function serve<T, W = T>(
  options: TcpServeOptions | UnixServeOptions,
  codec: Codec<T, W>,
  handler: Handler<T, W>,
): Server;
export function serve<T, W = T>(
  options: TcpServeOptions | UnixServeOptions,
  codec: Codec<T, W>,
  handler: Handler<T, W>,
): Server {
  options.signal?.throwIfAborted();
  checkHighWaterMark(options.highWaterMark ?? 0);
  const limits = checkLimits(options);
  const trust = trustOf(options.proxyProtocol);
  const tls = "tls" in options && options.tls !== undefined
    ? new TlsAcceptor(options.tls)
    : undefined;
  const setting = { options, codec, handler, limits, trust, tls };
  if ("path" in options) {
    const { path } = options;
    const listener = listenAt(
      path,
      () => Deno.listen({ transport: "unix", path }),
    );
    return new ListeningServer(listener, setting);
  }
  const { hostname = "127.0.0.1", port } = options;
  const { reusePort = false, tcpBacklog = 511 } = options;
  // The types of Deno without its unstable part know no `reusePort`.
  const where = { hostname, port, reusePort, tcpBacklog };
  const listener = listenAt(`${hostname}:${port}`, () => Deno.listen(where));
  return new ListeningServer(listener, setting);
}

/** Says in an error where it was that nobody could listen. */
function listenAt<R>(where: string, listen: () => R): R {
  try {
    return listen();
  } catch (error) {
    throw located(`Cannot listen on ${where}`, error);
  }
}

/** What a server was made with. */
interface Setting<T, W> {
  options: ServeOptions;
  codec: Codec<T, W>;
  handler: Handler<T, W>;
  limits: Required<ServerLimits>;
  trust: Trust | undefined;
  tls: TlsAcceptor | undefined;
}

/** Owns a listener and the connections that came from it. */
class ListeningServer<T, W, A extends Deno.Addr>
  implements Server<A>, Host<T, W> {
  #listener: Deno.Listener<AcceptedConn, A>;
  #connections = new Set<ServedConnection<T, W>>();
  /** How many connections there are of each address, if that is limited. */
  #ofAddress = new Map<string, number>();
  #acceptErrors = 0;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** Is fulfilled when nothing is left to wait for. */
  #done = Promise.withResolvers<void>();
  #abort = (): void => void this.shutdown();
  /** The one timer, which runs while there are connections. */
  #timer: ReturnType<typeof setInterval> | undefined;
  #tick: number;
  #tickedAt = 0;
  /** The time by the server's clock, which runs while the timer does. */
  #now = 0;
  readonly options: ServeOptions;
  readonly codec: Codec<T, W>;
  readonly handler: Handler<T, W>;
  readonly limits: Required<ServerLimits>;
  readonly budget: MemoryBudget;
  readonly trust: Trust | undefined;
  readonly tls: TlsAcceptor | undefined;
  readonly tally: Tally = {
    accepted: 0,
    refused: 0,
    failed: 0,
    timedOut: 0,
    malformed: 0,
    bytesReceived: 0,
    bytesSent: 0,
    framesReceived: 0,
    framesSent: 0,
  };
  readonly addr: A;
  readonly finished: Promise<void>;

  constructor(
    listener: Deno.Listener<AcceptedConn, A>,
    { options, codec, handler, limits, trust, tls }: Setting<T, W>,
  ) {
    this.#listener = listener;
    this.options = options;
    this.codec = codec;
    this.handler = handler;
    this.limits = limits;
    this.trust = trust;
    this.tls = tls;
    this.budget = new MemoryBudget(limits.memoryBudget);
    this.#tick = tickOf(limits);
    this.addr = listener.addr;
    this.finished = this.#run();
    if (metricsAreOn()) this.#publish();
    options.signal?.addEventListener("abort", this.#abort);
  }

  get stats(): ServerStats {
    const { tally, budget } = this;
    const stats: ServerStats = {
      ...tally,
      active: this.#connections.size,
      acceptErrors: this.#acceptErrors,
      paused: budget.pauses,
      memory: budget.used,
      memoryPeak: budget.peak,
      longestQueue: budget.longestQueue,
    };
    for (const connection of this.#connections) connection.count(stats);
    return stats;
  }

  renewCertificate(certificate: TlsCertificate): void {
    if (this.tls === undefined) {
      throw new TypeError(
        "Cannot renew the certificate: the server was made without tls",
      );
    }
    this.tls.renew(certificate);
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
      : setTimeout(() => this.#closeAll(grace), grace);
    await this.finished;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Publishes what is counted, until the end; few programs want that, so that others need not load it. */
  async #publish(): Promise<void> {
    const { publishStats } = await import("./metrics.ts");
    using _published = publishStats(this.addr, () => this.stats);
    await this.finished;
  }

  /** Stops listening, and tells every connection. */
  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.options.signal?.removeEventListener("abort", this.#abort);
    this.#listener.close();
    this.#wake?.();
    for (const connection of this.#connections) connection.stop();
  }

  /** Closes what is open, whatever its handler does. */
  #closeAll(grace: number): void {
    const reason = new ConnectionClosedError(
      `Cannot serve connection: the grace of ${grace} ms of shutdown is over`,
    );
    for (const connection of this.#connections) connection.end(reason);
    this.#connections.clear();
    this.#done.resolve(); // a handler may never settle
  }

  /** Accepts until the listener is closed, then waits for the connections. */
  async #run(): Promise<void> {
    const backoff = new Backoff(ACCEPT_AGAIN);
    while (!this.#stopped) {
      if (this.#full() && this.limits.whenFull === "wait") {
        await this.#pause();
        continue;
      }
      try {
        const conn = await this.#listener.accept();
        backoff.reset();
        this.#start(conn);
      } catch (error) {
        if (this.#stopped) break;
        this.#acceptErrors++;
        // A peer that was gone before it was accepted is no reason to let others wait, or to be told of.
        if (GONE.some((gone) => error instanceof gone)) continue;
        // Want of file descriptors, as a rule: no reason to stop, and none to try again at once.
        this.report(error);
        await this.#pause(backoff.fail());
      }
    }
    if (this.#connections.size > 0) await this.#done.promise;
    clearInterval(this.#timer);
  }

  #full(): boolean {
    return this.#connections.size >= this.limits.maxConnections;
  }

  #start(conn: AcceptedConn): void {
    const open = this.#connections.size;
    const { maxConnections: limit } = this.limits;
    const refusal = this.#full()
      ? new ConnectionRejectedError(
        `Cannot accept connection: ${open} are open, and maxConnections is ${limit}`,
        { limit },
      )
      : undefined;
    const connection = new ServedConnection(this, conn, this.#now);
    this.#connections.add(connection);
    if (this.#timer === undefined) this.#startTimer();
    connection.serve(refusal);
    // It came while the listener was being closed, or its handler shut the server down at once.
    if (this.#stopped) connection.stop();
  }

  admit(addr: Deno.Addr): string {
    const { maxConnectionsPerAddress: limit } = this.limits;
    if (limit === Infinity || !("hostname" in addr)) return "";
    const place = sameOwner(addr.hostname);
    const open = this.#ofAddress.get(place) ?? 0;
    if (open >= limit) {
      throw new ConnectionRejectedError(
        `Cannot accept connection: ${open} of ${addr.hostname} are open, and maxConnectionsPerAddress is ${limit}`,
        { limit },
      );
    }
    this.#ofAddress.set(place, open + 1);
    return place;
  }

  leave(connection: ServedConnection<T, W>, place: string): void {
    this.#connections.delete(connection);
    const others = (this.#ofAddress.get(place) ?? 0) - 1;
    if (others > 0) this.#ofAddress.set(place, others);
    else this.#ofAddress.delete(place);
    this.#wake?.();
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#stopped) this.#done.resolve();
  }

  #startTimer(): void {
    this.#tickedAt = performance.now();
    this.#timer = setInterval(() => this.#look(), this.#tick);
    Deno.unrefTimer(this.#timer); // listening keeps the program alive, if anything is to
  }

  /** Looks at all connections. */
  #look(): void {
    // When the program was busy for long, what peers sent in that time has not been seen.
    const at = performance.now();
    this.#now += Math.min(at - this.#tickedAt, 2 * this.#tick);
    this.#tickedAt = at;
    for (const connection of this.#connections) connection.look(this.#now);
  }

  announce(info: PeerInfo): void {
    tell(this.options.onConnection, info);
  }

  report(error: unknown, info?: PeerInfo): void {
    tell(this.options.onError, error, info);
  }

  /** Waits for a while, or until something has changed. */
  async #pause(duration?: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = duration === undefined
      ? undefined
      : setTimeout(resolve, duration);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

/** Whether somebody collects OpenTelemetry metrics: Deno with `OTEL_DENO=true`, or a library. */
function metricsAreOn(): boolean {
  return Reflect.has(globalThis, Symbol.for("opentelemetry.js.api.1"));
}
