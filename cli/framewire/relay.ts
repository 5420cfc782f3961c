/**
 * A relay: leads clients to a server, passes their bytes on untouched, and tells of each piece.
 *
 *     client ─► accepted socket ─► piece ─► connected socket ─► server
 *     client ◄─ accepted socket ◄─ piece ◄─ connected socket ◄─ server
 *                                    └─► watch(number, { kind: "chunk", from, bytes })
 *
 * A piece is passed on before it is told of, and the next one read once it was taken: whoever is slow slows the other
 * side, as without a relay. The end of a direction is the end of that direction only, and a reset resets.
 *
 * It is made with `node:net`, as Deno's own sockets cannot be reset.
 *
 * @module
 */

import {
  createConnection,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import {
  type ByteConn,
  connect,
  ConnectionError,
  untilClose,
} from "../../mod.ts";
import { other } from "./conversation.ts";
import type { Side } from "./dialect.ts";
import { type Place, placeText } from "./place.ts";

/** What happens to a connection. */
export type Passed =
  /** It is led to the server. */
  | { kind: "open"; client: Deno.Addr; server: Deno.Addr }
  /** It cannot be led to the server, and is reset. */
  | { kind: "refused"; client: Deno.Addr; reason: string }
  /** Some bytes were passed on. They must not be written to. */
  | { kind: "chunk"; from: Side; bytes: Uint8Array }
  /** A side sends no more. */
  | { kind: "end"; from: Side }
  /** A side broke the connection. */
  | { kind: "reset"; from: Side }
  /** It is over. */
  | { kind: "close" };

/** Where a relay stands. */
export interface RelayOptions {
  /** Where clients come. */
  listen: Place;
  /** Where they are led to. */
  target: Place;
  /** How the connections to there are encrypted, if at all: what is told of is what was encrypted. */
  tls?: { ca?: string; serverName?: string };
  /** Is told what happens to each connection, by its number from 1. */
  watch: (number: number, passed: Passed) => void;
  /** Is told of what is wrong with nobody in particular. */
  onError: (error: Error) => void;
}

/** As much as is read at once of what was encrypted: no record is longer. */
const MOST_READ = 16_384;
const CONNECT_TIMEOUT = 10_000;
/** How long what a side has sent may take to arrive before its reset does, in milliseconds. */
const LAST_WRITE = 1000;
/** How long acknowledgements take at the most, in milliseconds: Linux delays them for 40. */
const SETTLING = 100;
/** How long the other side may take to read what was sent, once the relay closes. */
const GRACE = 500;

/** What the system says, in words. */
const REASONS: ReadonlyMap<unknown, string> = new Map([
  ["EADDRINUSE", "another program is listening there"],
  ["EADDRNOTAVAIL", "not an address of this machine"],
  ["EACCES", "permission denied"],
  ["ECONNREFUSED", "connection refused; is the server running?"],
  ["ECONNRESET", "the peer reset the connection"],
  ["EINVAL", "no valid address, or a path that is too long"],
  ["EHOSTUNREACH", "no route to the host"],
  ["ENETUNREACH", "no route to the network"],
  ["EMFILE", "too many files are open"],
  ["ENOENT", "there is no socket"],
  ["ENOTFOUND", "unknown host"],
  ["ETIMEDOUT", "no answer"],
]);

function reasonOf(error: Error): string {
  return "code" in error
    ? REASONS.get(error.code) ?? error.message
    : error.message;
}

/** One of the two ends of a connection. */
interface End {
  /** The next piece; `null` at the end. */
  read(): Promise<Uint8Array | null>;
  /** Writes bytes, and waits until they were taken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that no more comes. */
  closeWrite(): Promise<void>;
  /** Breaks the connection, once what was written has left if that does not take long. */
  reset(): Promise<void>;
  /** Closes it; what was written still leaves, if that does not take long. */
  close(): Promise<void>;
}

/** A socket. */
class SocketEnd implements End {
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #ended = false;
  #failure: Error | undefined;
  #changed: (() => void) | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  #lastTime = -Infinity;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true); // pieces that wait for each other would be one
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      socket.pause();
      this.#changed?.();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#changed?.();
    });
    socket.on("error", (error: Error) => this.#fail(error));
    socket.on("close", () => this.#fail(new ConnectionError("It is closed")));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#changed?.();
  }

  async read(): Promise<Uint8Array | null> {
    while (true) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#ended) return null;
      if (this.#failure !== undefined) throw this.#failure;
      this.#socket.resume();
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#lastTime = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    this.#lastWrite = promise.catch(() => {});
    return promise;
  }

  closeWrite(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.end(() => resolve());
    return promise;
  }

  async reset(): Promise<void> {
    await within(LAST_WRITE, this.#lastWrite);
    // A reset throws away what has not been acknowledged.
    const left = this.#lastTime + SETTLING - performance.now();
    if (left > 0) await within(left, new Promise<void>(() => {}));
    this.#socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) {
      await within(GRACE, this.closeWrite());
    }
    this.#socket.destroy();
  }
}

/** An encrypted connection. It cannot be reset, but cut off. */
class TlsEnd implements End {
  readonly #conn: ByteConn;
  #rest: Uint8Array | undefined;

  constructor(conn: ByteConn, rest: Uint8Array) {
    this.#conn = conn;
    if (rest.length > 0) this.#rest = rest;
  }

  async read(): Promise<Uint8Array | null> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) return rest;
    const bytes = new Uint8Array(MOST_READ);
    const count = await this.#conn.read(bytes);
    return count === null ? null : bytes.subarray(0, count);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#conn.write(bytes.subarray(sent));
    }
  }

  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite?.();
  }

  reset(): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    this.#conn.close();
    return Promise.resolve();
  }
}

/** Waits, but no longer than so many milliseconds. */
async function within(limit: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limit);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}

/** A connection that is led to the server. */
class Relayed {
  readonly #ends: Record<Side, End>;
  readonly #tell: (passed: Passed) => void;
  #broken: Promise<void> | undefined;
  #closing = false;

  constructor(ends: Record<Side, End>, tell: (passed: Passed) => void) {
    this.#ends = ends;
    this.#tell = tell;
  }

  /** Passes bytes on until both sides have ended, or one breaks. */
  async run(): Promise<void> {
    const broken = Promise.withResolvers<void>();
    const breakOff = (side: Side) => {
      this.#broken ??= this.#break(side).then(broken.resolve);
    };
    const both = Promise.all([
      this.#pump("client", breakOff),
      this.#pump("server", breakOff),
    ]);
    await Promise.race([
      both.then((passed) => passed.every(Boolean) ? undefined : broken.promise),
      broken.promise,
    ]);
    await this.close();
    this.#tell({ kind: "close" });
  }

  /** Closes both sides. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([this.#ends.client.close(), this.#ends.server.close()]);
  }

  /** Passes on what a side sends; says whether it went well. */
  async #pump(
    from: Side,
    breakOff: (side: Side) => void,
  ): Promise<boolean> {
    const [source, sink] = [this.#ends[from], this.#ends[other(from)]];
    while (true) {
      let bytes: Uint8Array | null;
      try {
        bytes = await source.read();
      } catch {
        breakOff(from);
        return false;
      }
      try {
        if (this.#broken !== undefined) return false;
        if (bytes === null) {
          this.#tell({ kind: "end", from });
          await sink.closeWrite();
          return true;
        }
        const taken = sink.write(bytes);
        this.#tell({ kind: "chunk", from, bytes });
        await taken;
      } catch {
        breakOff(other(from));
        return false;
      }
    }
  }

  async #break(side: Side): Promise<void> {
    if (this.#closing) return; // it is this end that broke it
    this.#tell({ kind: "reset", from: side });
    await this.#ends[other(side)].reset();
  }
}

function addressOf(hostname?: string, port?: number): Deno.Addr {
  // Only Unix sockets have none.
  return hostname === undefined || port === undefined
    ? { transport: "unix", path: "" }
    : { transport: "tcp", hostname, port };
}

/** A relay that is listening. */
export class Relay {
  readonly #server: Server;
  readonly #options: RelayOptions;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  readonly #relayed = new Set<Relayed>();
  #count = 0;
  /** Where it listens. */
  readonly addr: Deno.Addr;

  /** Listens. */
  static async start(options: RelayOptions): Promise<Relay> {
    const { listen, onError } = options;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: Error) =>
        reject(
          new ConnectionError(
            `Cannot listen on ${placeText(listen)}: ${reasonOf(error)}`,
            { cause: error },
          ),
        ));
      if ("path" in listen) server.listen(listen.path, resolve);
      else server.listen(listen.port, listen.hostname, resolve);
    });
    server.on("error", onError);
    return new Relay(server, options);
  }

  private constructor(server: Server, options: RelayOptions) {
    this.#server = server;
    this.#options = options;
    const { listen } = options;
    const address = server.address();
    this.addr = "path" in listen ? { transport: "unix", path: listen.path } : {
      transport: "tcp",
      hostname: listen.hostname,
      port: typeof address === "object" && address !== null
        ? address.port
        : listen.port,
    };
    server.on("connection", (socket: Socket) => {
      const running = this.#lead(socket);
      this.#running.add(running);
      running.then(() => this.#running.delete(running));
    });
  }

  /** Accepts no more, and closes what is open. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) =>
      this.#server.close(() => resolve())
    );
    await Promise.all(Array.from(this.#relayed, (one) => one.close()));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#running);
    await closed;
  }

  /** Leads a client to the server. */
  async #lead(accepted: Socket): Promise<void> {
    const number = ++this.#count;
    const tell = (passed: Passed) => {
      try {
        this.#options.watch(number, passed);
      } catch (error) {
        // Whatever is wrong with who watches, the stream has nothing to do with it.
        if (!(error instanceof Error)) throw error;
        this.#options.onError(error);
      }
    };
    const client = addressOf(accepted.remoteAddress, accepted.remotePort);
    const near = this.#own(accepted);
    let far: End;
    let server: Deno.Addr;
    try {
      [far, server] = await this.#reach();
    } catch (error) {
      const why = error instanceof Error ? reasonOf(error) : String(error);
      const where = `Cannot connect to ${placeText(this.#options.target)}`;
      const reason = why.startsWith("Cannot connect")
        ? why
        : `${where}: ${why}`;
      tell({ kind: "refused", client, reason });
      await near.reset();
      return;
    }
    tell({ kind: "open", client, server });
    const relayed = new Relayed({ client: near, server: far }, tell);
    this.#relayed.add(relayed);
    await relayed.run();
    this.#relayed.delete(relayed);
  }

  /** Connects to the server; says where that is. */
  async #reach(): Promise<[end: End, addr: Deno.Addr]> {
    const { target, tls } = this.#options;
    if (tls !== undefined && !("path" in target)) {
      const peer = await connect({ ...target, tls }, untilClose());
      const { conn, remainder } = await peer.detach();
      return [new TlsEnd(conn, remainder), conn.remoteAddr];
    }
    const socket = createConnection(
      "path" in target
        ? { path: target.path, allowHalfOpen: true }
        : { host: target.hostname, port: target.port, allowHalfOpen: true },
    );
    const end = this.#own(socket);
    try {
      await connection(socket);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    const addr: Deno.Addr = "path" in target
      ? { transport: "unix", path: target.path }
      : addressOf(socket.remoteAddress, socket.remotePort);
    return [end, addr];
  }

  #own(socket: Socket): End {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    return new SocketEnd(socket);
  }
}

/** Waits until a socket is connected. */
async function connection(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new ConnectionError("no answer")),
    CONNECT_TIMEOUT,
  );
  socket.once("connect", resolve);
  socket.once("error", reject);
  socket.once("close", () => reject(new ConnectionError("it was closed")));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
