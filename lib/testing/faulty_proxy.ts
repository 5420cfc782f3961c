/**
 * A TCP proxy that is a bad network.
 *
 *     client ─► accepted socket ─► faults ─► connected socket ─► target
 *     client ◄─ accepted socket ◄─ faults ◄─ connected socket ◄─ target
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
  checkWhole,
  type FaultPlan,
  faultsOf,
  randomFrom,
  type SeededRandom,
} from "./fault_plan.ts";
import {
  type DirectionStats,
  type FaultStats,
  FaultyLink,
  type LinkEnd,
} from "./faulty_link.ts";

/** What a faulty proxy leads to, and how. */
export interface FaultyProxyOptions {
  /** The server that it leads to; the `addr` of a server will do. */
  target: {
    /** The port. */
    port: number;
    /**
     * The name or the address of the host.
     *
     * @default {"127.0.0.1"}
     */
    hostname?: string;
  };
  /**
   * What the bytes suffer: of every connection alike, or as a function says of each by its number, from 0.
   *
   * @default {{}}
   */
  faults?: FaultPlan | ((connection: number) => FaultPlan);
  /**
   * What all chance follows from: a whole number below 2 ** 32. Each connection has numbers of its own, which
   * follow from the seed and from how many came before it.
   *
   * @default {one at random}
   */
  seed?: number;
  /**
   * How many bytes each direction of a connection holds, beside the buffers of the sockets.
   *
   * @default {65_536}
   */
  capacity?: number;
}

/** What a faulty proxy has done. */
export interface FaultyProxyStats extends FaultStats {
  /** Connections that were accepted. */
  accepted: number;
  /** Connections that are open. */
  active: number;
}

/** A proxy with faults. At the end of its scope it is closed, with all connections. */
export interface FaultyProxy extends AsyncDisposable {
  /** Where it listens: on 127.0.0.1, and a port that was free. */
  readonly addr: Deno.NetAddr;
  /** What all chance follows from. It belongs in the message of every assertion about what went through. */
  readonly seed: number;
  /** What has passed so far, of all connections. */
  readonly stats: FaultyProxyStats;
  /** Lets pass what is stalled now. */
  resume(): void;
}

/**
 * So many segments the system sends without having heard of the first; TCP begins with ten. The rest waits for an
 * acknowledgement, and a reset throws away what waits.
 */
const UNHEARD = 8;
/** How long acknowledgements take at the most, in milliseconds: Linux delays them for 40. */
const SETTLING = 100;

/** A socket that can be read from and written to piece by piece. */
class SocketEnd implements LinkEnd {
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #ended = false;
  #failure: Error | undefined;
  #changed: (() => void) | undefined;
  /** When the last pieces were written, as many as may be unheard of. */
  #written: number[] = [];
  /** Is fulfilled when the socket is gone. */
  readonly closed: Promise<void>;

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
    socket.on("error", (error: Error) => {
      this.#failure ??= platformError(error);
      this.#changed?.();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#failure ??= new Deno.errors.Interrupted("operation canceled");
        this.#changed?.();
        resolve();
      });
    });
  }

  async read(p: Uint8Array): Promise<number | null> {
    while (true) {
      const [first] = this.#chunks;
      if (first !== undefined) {
        const count = Math.min(first.length, p.length);
        p.set(first.subarray(0, count));
        if (count < first.length) this.#chunks[0] = first.subarray(count);
        else this.#chunks.shift();
        return count;
      }
      if (this.#ended) return null;
      if (this.#failure !== undefined) throw this.#failure;
      this.#socket.resume();
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
  }

  get settling(): number {
    const recent = performance.now() - SETTLING;
    const unheard = this.#written.filter((time) => time > recent).length;
    return unheard === UNHEARD ? SETTLING : 0;
  }

  write(p: Uint8Array): Promise<number> {
    this.#written.push(performance.now());
    if (this.#written.length > UNHEARD) this.#written.shift();
    return new Promise((resolve, reject) => {
      this.#socket.write(p, (error) => {
        if (error) reject(platformError(error));
        else resolve(p.length);
      });
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The platform's error for one of Node's. */
function platformError(error: Error): Error {
  const reset = "code" in error && error.code === "ECONNRESET";
  return reset
    ? new Deno.errors.ConnectionReset("Connection reset by peer", {
      cause: error,
    })
    : error;
}

function sum(one: DirectionStats, other: DirectionStats): DirectionStats {
  return {
    taken: one.taken + other.taken,
    delivered: one.delivered + other.delivered,
    pieces: one.pieces + other.pieces,
    lost: one.lost + other.lost,
    corrupted: one.corrupted + other.corrupted,
  };
}

function sumOfBoth(one: FaultStats, other: FaultStats): FaultStats {
  return {
    there: sum(one.there, other.there),
    back: sum(one.back, other.back),
  };
}

const NOTHING: DirectionStats = {
  taken: 0,
  delivered: 0,
  pieces: 0,
  lost: 0,
  corrupted: 0,
};

class ListeningProxy implements FaultyProxy {
  readonly #server: Server;
  readonly #options: FaultyProxyOptions;
  readonly #random: SeededRandom;
  readonly addr: Deno.NetAddr;
  /** Sockets, each with its end. */
  #sockets = new Map<Socket, Promise<void>>();
  #links = new Set<FaultyLink>();
  #past: FaultStats = { there: NOTHING, back: NOTHING };
  #accepted = 0;

  constructor(
    server: Server,
    port: number,
    options: FaultyProxyOptions,
    random: SeededRandom,
  ) {
    this.#server = server;
    this.#options = options;
    this.#random = random;
    this.addr = { transport: "tcp", hostname: "127.0.0.1", port };
    server.on("connection", (client) => this.#join(client));
  }

  get seed(): number {
    return this.#random.seed;
  }

  get stats(): FaultyProxyStats {
    const passed = [...this.#links].map((link) => link.stats)
      .reduce(sumOfBoth, this.#past);
    return { ...passed, accepted: this.#accepted, active: this.#links.size };
  }

  resume(): void {
    for (const link of this.#links) link.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) =>
      this.#server.close(() => resolve())
    );
    for (const link of this.#links) link.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
    await Promise.all(this.#sockets.values());
    await closed;
  }

  /** Leads a client to the target. */
  #join(client: Socket): void {
    const { target, faults = {}, capacity = 64 * 1024 } = this.#options;
    const number = this.#accepted++;
    const near = this.#own(client);
    const plan = typeof faults === "function" ? faults(number) : faults;
    const directions = faultsOf(plan);
    const socket = createConnection({
      host: target.hostname ?? "127.0.0.1",
      port: target.port,
      allowHalfOpen: true,
    });
    const far = this.#own(socket);
    const refused = () => near.reset();
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      const random = this.#random.fork(number);
      const link = new FaultyLink(near, far, directions, random, capacity);
      this.#links.add(link);
      link.finished.then(() => {
        this.#links.delete(link);
        this.#past = sumOfBoth(this.#past, link.stats);
      });
    });
  }

  #own(socket: Socket): SocketEnd {
    const end = new SocketEnd(socket);
    const closed = end.closed.then(() => void this.#sockets.delete(socket));
    this.#sockets.set(socket, closed);
    return end;
  }
}

/**
 * Listens on 127.0.0.1, on a port that is free, and leads every connection to a server through a bad network:
 * slow, cut anywhere, stalling, breaking, losing and changing bytes. Neither side knows of it, so that any
 * client and any server can be put to it.
 *
 * Where in the stream of a connection a fault strikes follows from the seed alone, as by
 * {@linkcode faultyPair}. Each piece is written by itself, but the system may join those that are close
 * together; with some `latency` that is rare. What comes before a reset arrives if the receiver has room for
 * it. A client whose target does not answer is reset.
 *
 * It takes `--allow-net=127.0.0.1`.
 *
 * @param options Where it leads to, and the faults.
 * @returns The proxy, listening.
 * @throws {RangeError} If a number is out of range.
 *
 * @example Usage
 * ```ts
 * import { connect, lines, reply, serve } from "@framewire/framewire";
 * import { faultyProxy } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => line.toUpperCase()));
 * await using proxy = await faultyProxy({ target: server.addr, faults: { cuts: 1 } });
 * await using peer = await connect({ port: proxy.addr.port }, lines());
 * await peer.write("hello");
 * assertEquals(await peer.read(), "HELLO", `seed ${proxy.seed}`);
 * ```
 *
 * @example Only the first connection breaks
 * ```ts
 * import { connect, lines, PeerResetError, reply, serve } from "@framewire/framewire";
 * import { faultyProxy } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lines(), reply((line) => line.toUpperCase()));
 * await using proxy = await faultyProxy({
 *   target: server.addr,
 *   faults: (connection) => connection === 0 ? { back: { resetAfter: 3 } } : {},
 * });
 * using first = await connect({ port: proxy.addr.port }, lines());
 * first.write("hello");
 * await assertRejects(() => first.read(), PeerResetError);
 * await using second = await connect({ port: proxy.addr.port }, lines());
 * await second.write("hello");
 * assertEquals(await second.read(), "HELLO");
 * ```
 */
export async function faultyProxy(
  options: FaultyProxyOptions,
): Promise<FaultyProxy> {
  const { target, faults = {}, capacity = 64 * 1024 } = options;
  checkWhole("target.port", target.port, 1, 65_535);
  checkWhole("capacity", capacity, 1);
  if (typeof faults !== "function") faultsOf(faults);
  const random = randomFrom(options.seed);
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new TypeError("Cannot listen: the socket has no port");
  }
  return new ListeningProxy(server, address.port, options, random);
}
