/**
 * `select`, the tutorials' way to wait for many sockets at once.
 *
 *     potential readers ──┐                       ┌──► ready to read
 *     potential writers ──┼─► wait for the first ─┼──► ready to write
 *     potential errors  ──┘    or for a timeout   └──► in error
 *
 * Deno has no such call. Its sockets never say that they are ready: they are told what to do, and say when it
 * is done. Here is one made of the other, to learn from:
 *
 *     readable   a read, or an accept, was begun, and what it gave is kept until somebody fetches it
 *     writable   no write is under way
 *     in error   a read or a write has failed
 *
 * So `recv`, `send` and `accept` return at once, as with sockets that do not block, and throw
 * `Deno.errors.WouldBlock` if there is nothing to return. The difference is that here some bytes are read
 * before anybody asks for them, at most 4096 for each socket.
 *
 * @module
 */

const READ_LENGTH = 4096;
/** What the system would take without being waited for. */
const SEND_LENGTH = 64 * 1024;

/** A socket that can be waited for. */
export abstract class Selectable {
  /** Whom to wake when something about it changes. */
  readonly watchers: Set<() => void> = new Set();
  /** Whether it was closed on this side. */
  closed = false;
  /** Whether what reads would return at once: something to read, the end of the stream, or an error. */
  abstract readonly readable: boolean;
  /** Whether something can be sent at once. */
  abstract readonly writable: boolean;
  /** Why it is broken; `undefined` if it is not. */
  error: unknown;
  /** Begins to wait for input, unless there is some. */
  abstract expectInput(): void;
  /** Closes it. */
  abstract close(): void;

  /** Tells those who wait that something has changed. */
  protected changed(): void {
    for (const wake of this.watchers) wake();
  }

  /** Refuses to go on with a socket that was closed. */
  protected checkOpen(): void {
    if (this.closed) throw new Deno.errors.BadResource("Socket is closed");
  }
}

/** A socket that makes client sockets, and does nothing else. */
export class ServerSocket extends Selectable {
  #listener: Deno.Listener;
  #waiting = false;
  #accepted: Deno.Conn | undefined;

  /** Makes one of a listener, which is its own from now on. */
  constructor(listener: Deno.Listener) {
    super();
    this.#listener = listener;
  }

  get readable(): boolean {
    return this.closed || this.#accepted !== undefined ||
      this.error !== undefined;
  }

  get writable(): boolean {
    return false;
  }

  expectInput(): void {
    if (this.#waiting || this.readable) return;
    this.#waiting = true;
    this.#accept();
  }

  async #accept(): Promise<void> {
    try {
      const conn = await this.#listener.accept();
      if (this.closed) conn.close();
      else this.#accepted = conn;
    } catch (error) {
      this.error = error;
    }
    this.#waiting = false;
    this.changed();
  }

  /**
   * Gives the next client.
   *
   * @returns Its socket.
   * @throws {Deno.errors.WouldBlock} If nobody has connected.
   */
  accept(): ClientSocket {
    this.checkOpen();
    const [conn, error] = [this.#accepted, this.error];
    this.#accepted = this.error = undefined; // the next client may fare better
    if (error !== undefined) throw error;
    if (conn === undefined) {
      throw new Deno.errors.WouldBlock("Nobody has connected");
    }
    return new ClientSocket(conn);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#listener.close();
    this.#accepted?.close();
    this.changed();
  }
}

/** An end of a conversation. */
export class ClientSocket extends Selectable {
  #conn: Deno.Conn;
  #waiting = false;
  /** What has come; nothing in it is the end of the stream. */
  #input: Uint8Array | undefined;
  #sending: Promise<void> | undefined;

  /** Makes one of a connection, which is its own from now on. */
  constructor(conn: Deno.Conn) {
    super();
    this.#conn = conn;
  }

  /** The address of the other end. */
  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  get readable(): boolean {
    return this.closed || this.#input !== undefined || this.error !== undefined;
  }

  get writable(): boolean {
    return this.closed || this.#sending === undefined;
  }

  expectInput(): void {
    if (this.#waiting || this.readable) return;
    this.#waiting = true;
    this.#read();
  }

  async #read(): Promise<void> {
    try {
      const chunk = new Uint8Array(READ_LENGTH);
      const count = await this.#conn.read(chunk);
      this.#input = chunk.subarray(0, count ?? 0);
    } catch (error) {
      this.error ??= error;
    }
    this.#waiting = false;
    this.changed();
  }

  /**
   * Gives what has come.
   *
   * @returns At least one byte; none at the end of the stream, now and for ever.
   * @throws {Deno.errors.WouldBlock} If nothing has come.
   */
  recv(): Uint8Array {
    this.checkOpen();
    if (this.error !== undefined) throw this.error;
    const input = this.#input;
    if (input === undefined) {
      throw new Deno.errors.WouldBlock("Nothing has come");
    }
    if (input.length > 0) this.#input = undefined;
    return input;
  }

  /**
   * Sends what can be sent without waiting.
   *
   * @param bytes What to send.
   * @returns How many of them were taken: at least one.
   * @throws {Deno.errors.WouldBlock} If what was sent before is still on its way.
   */
  send(bytes: Uint8Array): number {
    this.checkOpen();
    if (this.error !== undefined) throw this.error;
    if (this.#sending !== undefined) {
      throw new Deno.errors.WouldBlock("The last bytes are still on their way");
    }
    if (bytes.length === 0) return 0;
    const taken = bytes.slice(0, SEND_LENGTH);
    this.#sending = this.#write(taken);
    return taken.length;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#conn.write(bytes.subarray(sent));
      }
    } catch (error) {
      this.error ??= error;
    }
    this.#sending = undefined;
    this.changed();
  }

  /** Closes the socket; what was taken to be sent is sent first. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const conn = this.#conn;
    if (this.#sending === undefined) conn.close();
    else this.#sending.then(() => conn.close());
    this.changed();
  }
}

/**
 * Waits until at least one of many sockets is ready, or until time is up.
 *
 * A socket may be in several lists, and come out in several, as from POSIX (one tutorial says that it comes
 * out in one at the most). Like there, a list with a closed socket in it is an error, and one that closes or
 * breaks while it is waited for comes out as readable: reading from it tells.
 *
 * @param readers Sockets to be read from, or accepted from.
 * @param writers Sockets to be written to. Almost all are ready almost always: list those only for which there
 * is something to send.
 * @param errors Sockets of which to know whether they are broken; that shows while they are read from or
 * written to.
 * @param timeout How long to wait, in milliseconds; 0 to only look.
 * @returns Of each list those that are ready; none if time was up.
 * @throws {Deno.errors.BadResource} If a socket is closed.
 */
export async function select<
  R extends Selectable,
  W extends Selectable,
  E extends Selectable,
>(
  readers: readonly R[],
  writers: readonly W[],
  errors: readonly E[],
  timeout: number = Infinity,
): Promise<[R[], W[], E[]]> {
  const sockets = new Set([...readers, ...writers, ...errors]);
  for (const socket of sockets) {
    if (!socket.closed) continue;
    throw new Deno.errors.BadResource("Cannot select: a socket is closed");
  }
  for (const reader of readers) reader.expectInput();
  const ready = (): [R[], W[], E[]] => [
    readers.filter(({ readable }) => readable),
    writers.filter(({ writable }) => writable),
    errors.filter(({ error }) => error !== undefined),
  ];
  const some = (lists: Selectable[][]) =>
    lists.some(({ length }) => length > 0);
  if (timeout <= 0 || some(ready())) {
    // The others get a turn too: sockets that are always ready must not keep them waiting.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return ready();
  }

  let late = false;
  let wake = () => {};
  const changed = () => wake();
  const timer = timeout === Infinity ? undefined : setTimeout(() => {
    late = true;
    wake();
  }, timeout);
  for (const socket of sockets) socket.watchers.add(changed);
  try {
    while (true) {
      const lists = ready();
      if (late || some(lists)) return lists;
      await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.watchers.delete(changed);
  }
}
