/**
 * One connection of a server, from when it was accepted until it is closed.
 *
 *     handshake ────────────► handling ────────────► closing ────────────► gone
 *     PROXY header, TLS       the handler runs       what was written
 *                                                    is sent; the peer
 *                                                    ends its side
 *
 * Whatever goes wrong ends this one only. An error of the peer's, or a limit that it passed, is reported once,
 * and it is what the handler gets from its next read or write.
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import {
  type ProxyAddr,
  type ProxyHeader,
  proxyHeader,
} from "../codec/proxy_header.ts";
import {
  ConnectionClosedError,
  ConnectionRejectedError,
  FramingError,
  ReadTimeoutError,
  type WriteTimeoutError,
} from "../errors.ts";
import { formatAddr } from "./address.ts";
import { type AddressRange, addressRange, isInRange } from "./address_range.ts";
import {
  type AnyFraming,
  endWith,
  finish,
  Framing,
  type FramingOptions,
  giveAccount,
  lookAt,
  NOTHING_SEEN,
  ownerOf,
  type Progress,
} from "./framing.ts";
import type { Account, MemoryBudget } from "./memory_budget.ts";
import { Patience, type ServerLimits } from "./server_limits.ts";
import type { TlsConn } from "./tls_conn.ts";
import type { TlsAcceptor } from "./tls_server.ts";

/** A connection as the system gives it. */
export type AcceptedConn = Deno.TcpConn | Deno.UnixConn;

/** A connection as a handler has it. */
export type ServedConn = AcceptedConn | TlsConn;

/** What TLS says of the peer. */
export type TlsPeer = Pick<TlsConn, "alpnProtocol" | "peerCertificate">;

/** What is known of a connection beside its frames. */
export interface PeerInfo {
  /** The address of the peer: of the client itself, if a proxy that is trusted has said it. */
  readonly remoteAddr: Deno.Addr;
  /** The address at which the connection was accepted. */
  readonly localAddr: Deno.Addr;
  /** What the proxy has said of the connection, if one is expected to. */
  readonly proxyHeader: ProxyHeader | undefined;
  /** What TLS says of it, if the server encrypts: the protocol that was agreed on, the client's certificate. */
  readonly tls: TlsPeer | undefined;
  /** Tells the server's `onError` of an error that does not end the connection. */
  readonly report: (error: unknown) => void;
}

/**
 * Serves one connection. When it returns or throws, what was written is sent and the connection is closed;
 * one that it detached is its own to close.
 *
 * @typeParam T The frames that are read.
 * @typeParam W The frames that are written.
 */
export type Handler<T, W = T> = (
  peer: Framing<T, W, ServedConn>,
  info: PeerInfo,
) => Promise<void> | void;

/** Which proxies a server believes. */
export interface ProxyProtocolOptions {
  /**
   * The proxies: IP addresses and ranges, such as `192.0.2.0/24`. Connections of others are refused. Over a Unix
   * socket everybody is a proxy.
   */
  trusted: readonly string[];
  /**
   * The longest header that is accepted, in bytes, all of it counted: from 107 to 65551.
   *
   * @default {536}
   */
  maxHeaderLength?: number;
}

/** Who may say who the client is, and how. */
export interface Trust {
  ranges: AddressRange[];
  codec: Codec<ProxyHeader>;
}

/**
 * Makes ready what a server checks for every connection.
 *
 * @param options Which proxies it believes.
 * @returns How to check it; `undefined` if there are none.
 * @throws {RangeError} If an option is out of range.
 */
export function trustOf(
  options: ProxyProtocolOptions | undefined,
): Trust | undefined {
  if (options === undefined) return undefined;
  const { trusted, maxHeaderLength = 536 } = options;
  if (!Array.isArray(trusted)) {
    throw new TypeError(
      `Cannot serve: proxyProtocol.trusted must be a list of addresses: it is of type ${typeof trusted}`,
    );
  }
  return {
    ranges: trusted.map(addressRange),
    codec: proxyHeader({ maxFrameLength: maxHeaderLength }),
  };
}

/** What a server counts of connections that have ended. */
export interface Tally {
  accepted: number;
  refused: number;
  failed: number;
  timedOut: number;
  malformed: number;
  bytesReceived: number;
  bytesSent: number;
  framesReceived: number;
  framesSent: number;
}

/** What a connection needs of its server. */
export interface Host<T, W> {
  readonly codec: Codec<T, W>;
  readonly handler: Handler<T, W>;
  readonly options: FramingOptions;
  readonly limits: Required<ServerLimits>;
  readonly budget: MemoryBudget;
  readonly trust: Trust | undefined;
  readonly tls: TlsAcceptor | undefined;
  readonly tally: Tally;
  /** Tells the program that a connection is about to be handled. */
  announce(info: PeerInfo): void;
  /** Tells the program of an error. */
  report(error: unknown, info: PeerInfo): void;
  /** Takes note of another connection of an address, or throws; returns what to give back to `leave`. */
  admit(addr: Deno.Addr): string;
  /** Takes note that a connection is gone. */
  leave(connection: ServedConnection<T, W>, place: string): void;
}

/** What was seen of a connection: one for all of them, as one is looked at at a time. */
const progress: Progress = { ...NOTHING_SEEN };

/** Owns a connection that was accepted. */
export class ServedConnection<T, W> implements PeerInfo {
  #host: Host<T, W>;
  #conn: AcceptedConn;
  #stage: "handshake" | "handling" | "closing" | "gone" = "handshake";
  /** What speaks over the connection, or did before its codec was switched. */
  #peer: AnyFraming | undefined;
  /** What it holds of the server's memory, once it is handled. */
  #account: Account | undefined;
  #patience: Patience | undefined;
  /** How many frames came before those of the handler: the header of a proxy. */
  #framesBefore = 0;
  /** Since when it is in its stage or, when it is closing, since when everything is sent. */
  #since: number;
  #place = "";
  #proxyHeader: ProxyHeader | undefined;
  #tls: TlsPeer | undefined;
  /** Ends the handshake of TLS, which owns the connection from then on. */
  #shaking: AbortController | undefined;
  /** Why the server ended it. */
  #verdict: unknown;
  /** Whether what has gone through is counted for good. */
  #settled = false;

  /**
   * Takes a connection.
   *
   * @param host The server.
   * @param conn The connection.
   * @param now The time, by the clock of the server.
   */
  constructor(host: Host<T, W>, conn: AcceptedConn, now: number) {
    this.#host = host;
    this.#conn = conn;
    this.#since = now;
  }

  get remoteAddr(): Deno.Addr {
    return addrOf(this.#proxyHeader?.source) ?? this.#conn.remoteAddr;
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  get proxyHeader(): ProxyHeader | undefined {
    return this.#proxyHeader;
  }

  get tls(): TlsPeer | undefined {
    return this.#tls;
  }

  get report(): (error: unknown) => void {
    return (error) => this.#host.report(error, this);
  }

  /**
   * Serves it, from the handshake until it is gone. What goes wrong is reported, not thrown.
   *
   * @param refusal Why it is refused, if it is.
   */
  async serve(refusal?: ConnectionRejectedError): Promise<void> {
    const host = this.#host;
    host.tally.accepted++;
    let failed = false;
    try {
      if (refusal !== undefined) throw refusal;
      if (host.trust === undefined) this.#count();
      const plain = host.trust === undefined && host.tls === undefined;
      const peer = plain ? this.#begin(this.#conn) : await this.#shakeHands();
      if (peer !== undefined) await host.handler(peer, this);
    } catch (error) {
      failed = true;
      this.#fail(error);
    }
    this.#stage = "closing";
    this.#since = UNKNOWN;
    try {
      // What was written before a failure is still sent, such as an answer that says what is wrong.
      if (this.#peer !== undefined) await finish(ownerOf(this.#peer));
      else if (this.#shaking === undefined) this.#conn.close();
    } catch (error) {
      if (!failed) this.#fail(error);
    }
    this.#stage = "gone";
    this.#settle();
    host.leave(this, this.#place);
  }

  /** Sees whether it keeps to the limits; `now` is the time, by the clock of the server. */
  look(now: number): void {
    if (this.#verdict !== undefined) return; // it is on its way out
    const { limits, budget } = this.#host;
    if (this.#stage === "handshake") {
      const { handshakeTimeout: timeout } = limits;
      if (now - this.#since <= timeout) return;
      return this.#pass(
        new ReadTimeoutError(
          `Cannot accept connection: the handshake did not end within handshakeTimeout of ${timeout} ms`,
          { timeout, have: 0 },
        ),
      );
    }
    if (this.#peer === undefined) return;
    const owner = ownerOf(this.#peer);
    const closing = this.#stage === "closing";
    lookAt(owner, progress);
    if (closing) progress.waiting = false;
    progress.frames -= this.#framesBefore;
    const account = this.#account;
    const hurry = account?.hurried ?? false;
    // What it read earlier may have been taken since; and who does not read keeps nobody waiting.
    if (progress.waiting) account?.holdReceived(progress.buffered);
    else if (account !== undefined) budget.endExemption(account);
    this.#patience ??= new Patience(now);
    const error = this.#patience.judge(limits, progress, now, hurry);
    if (error !== undefined) return this.#pass(error);
    if (!closing) return;
    if (progress.pending > 0) this.#since = UNKNOWN;
    else if (this.#since === UNKNOWN) this.#since = now;
    else if (now - this.#since > limits.lingerTimeout) owner[Symbol.dispose]();
  }

  /** The server shuts down: frames that have begun to come are still served. */
  stop(): void {
    if (this.#stage === "handshake") this.#close(STOPPED);
    else if (this.#stage === "handling" && this.#peer !== undefined) {
      ownerOf(this.#peer).stopReading();
    }
  }

  /** Ends it at once; it is reported unless it only waits for the peer to go. */
  end(reason: unknown): void {
    if (this.#peer !== undefined) lookAt(ownerOf(this.#peer), progress);
    const sent = this.#stage === "closing" && progress.pending === 0;
    if (!sent) this.#fail(reason);
    this.#close(reason);
    this.#settle(); // its handler may never do so
  }

  /** Adds what has gone through to what is counted. */
  count(tally: Tally): void {
    if (!this.#settled) this.#countInto(tally);
  }

  /** Adds what has gone through to what the server counts, for good. */
  #settle(): void {
    this.count(this.#host.tally);
    this.#settled = true;
  }

  #countInto(tally: Tally): void {
    if (this.#peer === undefined) return;
    const stats = ownerOf(this.#peer).stats;
    tally.bytesReceived += stats.bytesReceived;
    tally.bytesSent += stats.bytesSent;
    tally.framesReceived += stats.framesReceived - this.#framesBefore;
    tally.framesSent += stats.framesSent;
  }

  /** Speaks the codec over the connection. */
  #begin<C extends ServedConn>(conn: C): Framing<T, W, C> {
    const { codec, options } = this.#host;
    return this.#handle(new Framing(conn, codec, options));
  }

  /** Does what comes before the codec; gives nothing if the peer went without a word, as monitors do. */
  async #shakeHands(): Promise<Framing<T, W, ServedConn> | undefined> {
    const { trust, tls, codec, options } = this.#host;
    const { remoteAddr } = this.#conn;
    let remainder = NO_BYTES;
    if (trust !== undefined) {
      if (!isTrusted(trust, remoteAddr)) {
        throw new ConnectionRejectedError(
          `Cannot accept connection: ${
            formatAddr(remoteAddr)
          } is none of the proxies in proxyProtocol.trusted`,
        );
      }
      const proxy = new Framing(this.#conn, trust.codec, options);
      this.#peer = proxy;
      const header = await proxy.read();
      if (header === null) return undefined;
      this.#framesBefore = 1;
      this.#proxyHeader = header;
      this.#count();
      if (tls === undefined) return this.#handle(proxy.switchCodec(codec));
      ({ remainder } = await proxy.detach());
      this.#peer = undefined;
      if (this.#verdict !== undefined) throw this.#verdict;
    }
    if (tls === undefined || !("setNoDelay" in this.#conn)) return undefined;
    this.#shaking = new AbortController();
    const { signal } = this.#shaking;
    const secured = await tls.accept(this.#conn, remainder, { signal });
    if (this.#verdict !== undefined) {
      secured.close();
      throw this.#verdict;
    }
    this.#tls = secured;
    return this.#begin(secured);
  }

  /** Takes a place among the connections of its address. */
  #count(): void {
    this.#place = this.#host.admit(this.remoteAddr);
  }

  #handle<C extends ServedConn>(peer: Framing<T, W, C>): Framing<T, W, C> {
    this.#peer = peer;
    this.#framesBefore = peer.stats.framesReceived;
    this.#account = this.#host.budget.open();
    giveAccount(peer, this.#account);
    this.#stage = "handling";
    this.#host.announce(this);
    return peer;
  }

  /** It has passed a limit of time. */
  #pass(error: ReadTimeoutError | WriteTimeoutError): void {
    this.#host.tally.timedOut++;
    this.#fail(error);
    this.#close(error);
  }

  /** Takes note of what went wrong, and reports it, once. */
  #fail(error: unknown): void {
    // What the server ended fails in other ways then.
    if (this.#verdict !== undefined && this.#stage !== "handling") return;
    // Nor is the verdict told again that a handler passes on, or makes an error of its own of.
    const origin = error instanceof Error ? error.cause ?? error : error;
    if (this.#verdict !== undefined && this.#verdict === origin) return;
    const { tally } = this.#host;
    if (error instanceof ConnectionRejectedError) tally.refused++;
    else if (this.#verdict === undefined) tally.failed++;
    if (error instanceof FramingError) tally.malformed++;
    this.#host.report(error, this);
  }

  /** Closes it at once, for a reason that is known. */
  #close(reason: unknown): void {
    this.#verdict ??= reason;
    if (this.#peer !== undefined) endWith(ownerOf(this.#peer), reason);
    else this.#shaking?.abort(reason);
  }
}

/** A time that is to be found out. */
const UNKNOWN = Infinity;
const NO_BYTES = new Uint8Array();
const STOPPED = new ConnectionClosedError(
  "Cannot accept connection: the server is shutting down",
);

/** Whether it is a proxy that is believed; over a Unix socket, everybody is. */
function isTrusted({ ranges }: Trust, addr: Deno.Addr): boolean {
  if (!("hostname" in addr)) return true;
  return ranges.some((range) => isInRange(range, addr.hostname));
}

/** The address that a proxy's header gives, in the platform's form. */
function addrOf(source: ProxyAddr | undefined): Deno.Addr | undefined {
  if (source === undefined) return undefined;
  return "path" in source
    ? { transport: source.transport, path: source.path }
    : {
      transport: source.transport,
      hostname: source.hostname,
      port: source.port,
    };
}
