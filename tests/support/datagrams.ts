/**
 * A socket for datagrams, of Node's kind: Deno's own is there only with a flag.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { raw, unraw } from "./wire.ts";

/** A datagram that came: its bytes, a character each, and the port it is from. */
export interface Datagram {
  /** The bytes. */
  text: string;
  /** Where it came from. */
  port: number;
}

/** A socket for datagrams on 127.0.0.1. Leaving its scope closes it. */
export class DatagramSocket implements AsyncDisposable {
  #socket = createSocket("udp4");
  #received: Datagram[] = [];
  #wake = () => {};
  #closed = Promise.withResolvers<void>();

  private constructor() {
    this.#socket.on("message", (message, { port }) => {
      this.#received.push({ text: unraw(message), port });
      this.#wake();
    });
    this.#socket.on("close", () => this.#closed.resolve());
  }

  /** Opens one on any port. */
  static async open(): Promise<DatagramSocket> {
    const opened = new DatagramSocket();
    const { promise, resolve } = Promise.withResolvers<void>();
    opened.#socket.bind(0, "127.0.0.1", resolve);
    await promise;
    return opened;
  }

  /** Its port. */
  get port(): number {
    return this.#socket.address().port;
  }

  /** Sends a datagram to a port of 127.0.0.1. */
  async send(text: string, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.send(
      raw(text),
      port,
      "127.0.0.1",
      (error) => error ? reject(error) : resolve(),
    );
    await promise;
  }

  /** The next datagram. */
  async receive(): Promise<Datagram> {
    let datagram: Datagram | undefined;
    while ((datagram = this.#received.shift()) === undefined) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return datagram;
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }
}
