/**
 * Two connections in memory, each the other's peer.
 *
 *     a.write ─► [ pipe, bounded ] ─► b.read
 *     a.read  ◄─ [ pipe, bounded ] ◄─ b.write
 *
 * @module
 */

/** A connection in memory: a `Deno.Conn` that can also be reset. */
export interface MemoryConn extends Deno.Conn {
  /**
   * Breaks the connection: what was on the way is lost, and both sides get `ConnectionReset`. As with sockets
   * they get it once; then reads show an end where there was none, and writes fail with `BrokenPipe`.
   *
   * @param options What becomes of the bytes on the way.
   */
  reset(options?: ResetOptions): void;
}

/** How a connection in memory is reset. */
export interface ResetOptions {
  /**
   * Whether what was on the way can be read before the error, as it mostly can over TCP.
   *
   * @default {false}
   */
  keepUnread?: boolean;
}

/** How two connections in memory behave. */
export interface ConnPairOptions {
  /**
   * How many bytes may be on the way in each direction before `write` waits, as in a socket's buffers.
   *
   * @default {65_536}
   */
  capacity?: number;
}

/** One direction: bytes on the way, and who waits for them or for room. */
class Pipe {
  #capacity: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;
  #readerGone = false;
  #waiting = new Set<() => void>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Waits until something about the pipe changes. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Reads on behalf of an end of the connection, of which `check` throws what keeps it from going on. */
  async read(into: Uint8Array, check: () => void): Promise<number | null> {
    if (into.length === 0) return 0;
    while (true) {
      check();
      const first = this.#chunks[0];
      if (first !== undefined) {
        const count = Math.min(first.length, into.length);
        into.set(first.subarray(0, count));
        if (count < first.length) this.#chunks[0] = first.subarray(count);
        else this.#chunks.shift();
        this.#length -= count;
        this.#changed();
        return count;
      }
      if (this.#ended) return null;
      await this.#change();
    }
  }

  /** Writes, in the same way. */
  async write(bytes: Uint8Array, check: () => void): Promise<number> {
    while (true) {
      check();
      if (this.#ended || this.#readerGone) {
        throw new Deno.errors.BrokenPipe("Broken pipe");
      }
      const count = Math.min(bytes.length, this.#capacity - this.#length);
      if (count > 0 || bytes.length === 0) {
        if (count > 0) this.#chunks.push(bytes.slice(0, count));
        this.#length += count;
        this.#changed();
        return count;
      }
      await this.#change();
    }
  }

  /** No more will be written. */
  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** Nobody will read any more. */
  abandon(): void {
    this.#readerGone = true;
    this.#changed();
  }

  /** Whether there is something to be read. */
  get filled(): boolean {
    return this.#chunks.length > 0;
  }

  /** What was on the way is lost, and there will be no more. */
  break(): void {
    this.#chunks = [];
    this.end();
  }

  /** Lets those who wait look again. */
  wake(): void {
    this.#changed();
  }
}

/** One end of two pipes. */
class PairedConn implements MemoryConn {
  #incoming: Pipe;
  #outgoing: Pipe;
  #closed = false;
  /** What the next read or write is to be told. */
  #fault: Error | undefined;
  /** Whether what has come can be read before that. */
  #keepsUnread = false;
  #peer: PairedConn | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;

  constructor(incoming: Pipe, outgoing: Pipe, ports: [number, number]) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    const [local, remote] = ports;
    this.localAddr = memoryAddr(local);
    this.remoteAddr = memoryAddr(remote);
  }

  #check = (): void => {
    if (this.#closed) throw new Deno.errors.Interrupted("operation canceled");
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
  };

  #checkRead = (): void => {
    const readsOn = this.#keepsUnread && this.#incoming.filled;
    if (this.#closed || !readsOn) this.#check();
  };

  /** Introduces two ends to each other. */
  static join(one: PairedConn, other: PairedConn): [PairedConn, PairedConn] {
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#closed) return Promise.reject(badResource());
    return this.#incoming.read(p, this.#checkRead);
  }

  write(p: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(badResource());
    return this.#outgoing.write(p, this.#check);
  }

  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(badResource());
    this.#outgoing.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) throw badResource();
    this.#closed = true;
    this.#outgoing.end();
    this.#outgoing.wake();
    this.#incoming.abandon();
  }

  reset({ keepUnread = false }: ResetOptions = {}): void {
    for (const end of [this, this.#peer]) {
      if (end === undefined) continue;
      end.#fault = new Deno.errors.ConnectionReset("Connection reset by peer");
      end.#keepsUnread = keepUnread;
      if (keepUnread) end.#incoming.end();
      else end.#incoming.break();
    }
  }

  ref(): void {}

  unref(): void {}

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= writableOf(this);
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }
}

/** The error of the platform for a connection that is closed. */
export function badResource(): Error {
  return new Deno.errors.BadResource("Bad resource ID");
}

/** An address for a connection that has none. */
export function memoryAddr(port: number): Deno.NetAddr {
  return { transport: "tcp", hostname: "127.0.0.1", port };
}

/** What a connection gives, as a stream. As in Deno, its end closes the whole connection. */
export function readableOf(
  conn: Pick<Deno.Conn, "read" | typeof Symbol.dispose>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = new Uint8Array(64 * 1024);
      try {
        const count = await conn.read(chunk);
        if (count !== null) {
          return controller.enqueue(chunk.subarray(0, count));
        }
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      conn[Symbol.dispose]();
    },
    cancel: () => conn[Symbol.dispose](),
  }, { highWaterMark: 0 });
}

/** What a connection takes, as a stream. As in Deno, its end closes the whole connection. */
export function writableOf(
  conn: Pick<Deno.Conn, "write" | typeof Symbol.dispose>,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  return new WritableStream({
    async write(chunk, controller) {
      try {
        for (let sent = 0; sent < chunk.length;) {
          sent += await conn.write(chunk.subarray(sent));
        }
      } catch (error) {
        controller.error(error);
        conn[Symbol.dispose]();
      }
    },
    close: () => conn[Symbol.dispose](),
    abort: () => conn[Symbol.dispose](),
  });
}

/**
 * Makes two connections in memory, each the other's peer. They behave as sockets do: reads and writes may be
 * partial, a full buffer makes writes wait, directions close by halves, and closing interrupts what waits.
 *
 * @param options How much may be on the way.
 * @returns The two ends.
 * @throws {RangeError} If the capacity is not a whole number of at least 1.
 *
 * @example Usage
 * ```ts
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const [here, there] = connPair({ capacity: 2 });
 * assertEquals(await here.write(new Uint8Array([1, 2, 3])), 2);
 * const into = new Uint8Array(8);
 * assertEquals(await there.read(into), 2);
 * here.close();
 * assertEquals(await there.read(into), null);
 * there.close();
 * ```
 */
export function connPair(
  options: ConnPairOptions = {},
): [MemoryConn, MemoryConn] {
  const { capacity = 64 * 1024 } = options;
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new RangeError(
      `Cannot make connections: capacity must be a whole number of at least 1: it is ${capacity}`,
    );
  }
  const there = new Pipe(capacity);
  const back = new Pipe(capacity);
  return PairedConn.join(
    new PairedConn(back, there, [1, 2]),
    new PairedConn(there, back, [2, 1]),
  );
}
