/**
 * A connection whose raw calls do not wait for ever.
 *
 *     read(p)    some bytes, as `Deno.Conn` gives them; `null` at the end, and once `stop()` was called
 *     write(p)   takes some bytes, as `Deno.Conn` does
 *
 * The platform cannot take back a read or a write: whoever does not want to wait any longer closes the
 * connection.
 *
 * @module
 */

import { ConnectionError } from "../mod.ts";

/** A raw connection and a clock. */
export class GuardedConn implements Disposable {
  #conn: Deno.Conn;
  #seconds: number;
  #reading = false;
  #stopped = false;
  #closed = false;

  /**
   * Guards a connection; from now on it is closed by this object.
   *
   * @param conn The connection.
   * @param seconds How long a single read or write may take.
   */
  constructor(conn: Deno.Conn, seconds: number) {
    this.#conn = conn;
    this.#seconds = seconds;
  }

  /** Reads some bytes into `p`; gives how many came, or `null` at the end of the stream. */
  async read(p: Uint8Array): Promise<number | null> {
    if (this.#stopped) return null;
    this.#reading = true;
    try {
      return await this.#within(this.#conn.read(p), "read: nothing came");
    } catch (error) {
      if (this.#stopped) return null;
      throw error;
    } finally {
      this.#reading = false;
    }
  }

  /** Writes some bytes of `p`; gives how many were taken. */
  write(p: Uint8Array): Promise<number> {
    return this.#within(this.#conn.write(p), "write: nothing was taken");
  }

  /** Ends reading: a read that waits is given up, while a write is not. */
  stop(): void {
    this.#stopped = true;
    if (this.#reading) this.close();
  }

  /** Closes the connection. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #within<T>(work: Promise<T>, complaint: string): Promise<T> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const seconds = this.#seconds === 1 ? "second" : "seconds";
      reject(
        new ConnectionError(
          `Cannot ${complaint} for ${this.#seconds} ${seconds}`,
        ),
      );
      this.close();
    }, this.#seconds * 1000);
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}
