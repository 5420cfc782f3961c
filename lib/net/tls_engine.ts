/**
 * TLS over a connection that is open already, as a server cannot have it from `Deno.listenTls`: behind other bytes,
 * without Nagle's algorithm, with certificates of clients. The platform's `node:tls` is the engine: it is given
 * bytes and gives bytes, and all reading, writing and waiting is done here.
 *
 *     read(p) ◄── plain ◄── engine ◄── transport ◄── conn.read, when somebody waits and nothing is here
 *     write(p) ──► engine ──► transport.write ──► conn.write, until all is gone
 *
 * The engine neither holds the peer back nor heeds that it is held back. So it is fed only on demand, and a write
 * is over when the connection has taken what became of it.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { Deadline, type WaitOptions } from "./deadline.ts";
import type { PeerCertificate, TlsConn } from "./tls_conn.ts";
import {
  type Handshake,
  handshakeError,
  handshakeFault,
  plaintextClause,
  streamFault,
} from "./tls_faults.ts";

/** How many bytes an idle connection has room for, and one over which much comes. */
const SMALL_ROOM = 4 * 1024;
const LARGE_ROOM = 64 * 1024;
/** How much is encrypted at a time: what the engine keeps by itself. */
const MOST_AT_ONCE = 64 * 1024;
/** How long to wait for a peer that was told why it is refused to go, and how much of it to read over meanwhile. */
const LINGER = 500;
const LINGER_READS = 16;

type Done = (error?: Error | null) => void;

/** `node:` modules are loaded when TLS is used first: they take the platform tens of milliseconds. */
export function loadTls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}

/**
 * What the engine takes for its socket. It sends also when it has been destroyed: that is how the alert that says
 * why a handshake failed leaves.
 */
function makeTransport(send: (bytes: Uint8Array, done: Done) => void): Duplex {
  const { Duplex } = process.getBuiltinModule("node:stream");
  class Transport extends Duplex {
    override _read(): void {}
    override write(
      bytes: Uint8Array,
      encoding?: BufferEncoding | Done,
      done?: Done,
    ): boolean {
      send(bytes, (typeof encoding === "function" ? encoding : done) ?? noop);
      return true;
    }
  }
  return new Transport();
}

function noop(): void {}

/** Waits for the turns of the microtask queue in which what the engine says is fetched from it. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await undefined;
}

/** Waits until the engine has told what it makes of what it was given: its events come by up to two ticks. */
async function ticks(): Promise<void> {
  for (let tick = 0; tick < 3; tick++) {
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
}

function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  return {
    subject: shown.subject.replaceAll("\n", ","),
    issuer: shown.issuer.replaceAll("\n", ","),
    serialNumber: shown.serialNumber,
    fingerprint256: shown.fingerprint256,
    validFrom: new Date(shown.validFrom),
    validTo: new Date(shown.validTo),
    subjectAltName: shown.subjectAltName,
    raw: shown.raw,
  };
}

/** What the engine needs to know of a role. */
export interface Role extends Handshake {
  /** Makes the engine. */
  start: (transport: Duplex) => TLSSocket;
  /** The event by which the engine says that the handshake is over. */
  event: "secure" | "secureConnect";
  /** Throws if the peer is not to be let in though the handshake is over. */
  check: (
    socket: TLSSocket,
    certificate: PeerCertificate | undefined,
  ) => void;
}

/** A connection that the engine encrypts. */
export class EngineConn implements TlsConn {
  #conn: Deno.TcpConn;
  #role: Role;
  #transport: Duplex;
  #socket: TLSSocket;
  #room = new Uint8Array(SMALL_ROOM);
  #receiving = false;
  /** What came and was not read. */
  #plain: Uint8Array[] = [];
  /** Who waits for something to come of what is received. */
  #waiter: PromiseWithResolvers<void> | undefined;
  /** Whether the first bytes were looked at. */
  #fed = false;
  #established = false;
  /** Whether anything came behind the handshake. */
  #received = false;
  #ended = false;
  #failed = false;
  #failure: unknown;
  /** The writes of the connection that are under way. */
  #sending: Promise<void> | undefined;
  #sendFailed = false;
  #sendFailure: unknown;
  /** Whether the engine is through with the handshake, though it may not like the name in a certificate. */
  #shaken = false;
  /** Whether it said why it gave up. */
  #alerted = false;
  #writeEnded = false;
  #closed = false;
  #shut = false;
  readonly remoteAddr: Deno.NetAddr;
  readonly localAddr: Deno.NetAddr;
  alpnProtocol: string | null = null;
  peerCertificate: PeerCertificate | undefined;

  /**
   * Does this side's part of the handshake. The connection is this object's from now on: it is closed if the
   * handshake fails.
   *
   * @param conn The connection.
   * @param remainder What came from it already.
   * @param role What to do.
   * @param wait When to give up.
   */
  static async open(
    conn: Deno.TcpConn,
    remainder: Uint8Array,
    role: Role,
    wait: WaitOptions,
  ): Promise<EngineConn> {
    let opening: EngineConn | undefined;
    try {
      using deadline = Deadline.from(
        wait,
        (timeout) => handshakeError(role, `no handshake within ${timeout} ms`),
      );
      const made = opening = new EngineConn(conn, role);
      const handshake = made.#handshake(remainder);
      try {
        await (deadline?.wait(handshake) ?? handshake);
      } catch (error) {
        if (deadline?.passed && error === deadline.reason) throw error;
        const fault = handshakeFault(error, role);
        const lingering = made.#linger();
        await (deadline?.wait(lingering) ?? lingering);
        throw fault;
      }
      return made;
    } catch (error) {
      if (opening === undefined) closeQuietly(conn);
      else opening.#shutNow();
      throw error;
    }
  }

  private constructor(conn: Deno.TcpConn, role: Role) {
    this.#conn = conn;
    this.#role = role;
    this.remoteAddr = conn.remoteAddr;
    this.localAddr = conn.localAddr;
    this.#transport = makeTransport((bytes, done) => this.#send(bytes, done));
    const socket = this.#socket = role.start(this.#transport);
    socket.on("data", (bytes: Uint8Array) => {
      this.#received = true;
      this.#plain.push(bytes);
      this.#wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#wake();
    });
    const fail = (error: unknown) => this.#fail(error);
    socket.on("error", fail);
    // Behind the handshake of a server's engine without a server, errors come by this name only.
    socket.on("_tlsError", fail);
    socket.on("close", () => {
      if (!this.#ended) fail(new Deno.errors.UnexpectedEof());
    });
    socket.on("secure", () => this.#shaken = true);
    socket.on(role.event, () => {
      this.#established = true;
      this.#wake();
    });
  }

  async read(p: Uint8Array): Promise<number | null> {
    while (true) {
      const chunk = this.#plain[0];
      if (chunk !== undefined) {
        const count = Math.min(chunk.length, p.length);
        p.set(chunk.subarray(0, count));
        if (count === chunk.length) this.#plain.shift();
        else this.#plain[0] = chunk.subarray(count);
        return count;
      }
      if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
      if (this.#ended) return null;
      if (this.#failed) throw this.#failure;
      await this.#something();
      if (this.#closed) {
        throw new Deno.errors.Interrupted("operation canceled");
      }
    }
  }

  async write(p: Uint8Array): Promise<number> {
    this.#checkWritable();
    if (p.length === 0) return 0;
    const bytes = p.length > MOST_AT_ONCE ? p.subarray(0, MOST_AT_ONCE) : p;
    const { promise, resolve } = Promise.withResolvers<
      Error | null | undefined
    >();
    this.#socket.write(bytes, resolve);
    const error = await promise;
    while (this.#sending !== undefined) await this.#sending;
    if (this.#closed) throw new Deno.errors.Interrupted("operation canceled");
    if (this.#sendFailed) throw this.#sendFailure;
    if (error) throw this.#failed ? this.#failure : error;
    return bytes.length;
  }

  async closeWrite(): Promise<void> {
    this.#checkWritable();
    await this.#endWriting();
    while (this.#sending !== undefined) await this.#sending;
    if (this.#sendFailed) throw this.#sendFailure;
    if (!this.#shut) await this.#conn.closeWrite();
  }

  /** Says `close_notify` if that can leave at once, and closes both directions. */
  close(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    this.#closed = true;
    this.#wake();
    if (
      this.#failed || this.#writeEnded || this.#sending !== undefined ||
      this.#socket.destroyed
    ) {
      this.#shutNow();
    } else {
      this.#writeEnded = true;
      this.#socket.end();
      void this.#shutSoon();
    }
  }

  /** Closes the connection in a moment, when the engine has said `close_notify`: see `#send`. */
  async #shutSoon(): Promise<void> {
    await turns();
    this.#shutNow();
  }

  /** Has the engine say `close_notify`. */
  async #endWriting(): Promise<void> {
    this.#writeEnded = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.end(resolve);
    this.#socket.once("close", resolve);
    await promise;
    await turns();
  }

  /** Closes the connection and puts the engine away. */
  #shutNow(): void {
    if (this.#shut) return;
    this.#shut = true;
    this.#closed = true;
    closeQuietly(this.#conn);
    this.#socket.destroy();
    this.#wake();
  }

  #checkWritable(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
    if (this.#sendFailed) throw this.#sendFailure;
    if (this.#writeEnded) {
      throw new Deno.errors.BrokenPipe("the direction out is closed");
    }
    if (this.#failed) throw this.#failure;
  }

  async #handshake(remainder: Uint8Array): Promise<void> {
    // Over TLS a frame is a record or several, of which the last would wait for 40 ms and more.
    this.#conn.setNoDelay(true);
    if (remainder.length > 0) this.#feed(remainder);
    while (!this.#established) {
      if (this.#failed) throw this.#failure;
      await this.#something();
    }
    const { alpnProtocol } = this.#socket;
    this.alpnProtocol = alpnProtocol === false ? null : alpnProtocol;
    const certificate = certificateOf(this.#socket);
    this.#role.check(this.#socket, certificate);
    this.peerCertificate = certificate;
  }

  /** Waits until something comes of what is received: bytes, the end, a failure, the end of the handshake. */
  #something(): Promise<void> {
    this.#waiter ??= Promise.withResolvers<void>();
    const { promise } = this.#waiter;
    if (!this.#receiving) void this.#receive();
    return promise;
  }

  #wake(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }

  /** Reads from the connection while somebody waits. */
  async #receive(): Promise<void> {
    this.#receiving = true;
    try {
      // A destroyed engine says why in a moment.
      while (this.#waiter !== undefined && !this.#transport.destroyed) {
        const count = await this.#conn.read(this.#room);
        if (this.#shut) return;
        if (count === null) {
          await ticks();
          if (!this.#ended) this.#fail(new Deno.errors.UnexpectedEof());
          return;
        }
        const room = this.#room;
        this.#feed(room.subarray(0, count));
        if (count === room.length && count < LARGE_ROOM) {
          this.#room = new Uint8Array(LARGE_ROOM);
        } else if (count < SMALL_ROOM && room.length > SMALL_ROOM) {
          this.#room = new Uint8Array(SMALL_ROOM);
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#receiving = false;
    }
  }

  /** Gives the engine bytes, which it copies. */
  #feed(bytes: Uint8Array): void {
    if (!this.#fed) {
      const clause = plaintextClause(bytes);
      if (clause !== undefined) {
        this.#fail(handshakeError(this.#role, clause));
        return;
      }
      this.#fed = true;
    }
    this.#transport.emit("data", bytes);
  }

  #fail(cause: unknown): void {
    if (this.#failed || this.#ended) return;
    this.#failed = true;
    this.#failure = this.#established
      ? streamFault(cause, this.#role, this.#received)
      : cause;
    this.#wake();
  }

  /** Sends what the engine says, in order. */
  #send(bytes: Uint8Array, done: Done): void {
    if (this.#transport.destroyed && !this.#shaken) this.#alerted = true;
    const sending = this.#sendAll(bytes, this.#sending).then(
      () => null,
      (error) => {
        this.#sendFailed = true;
        this.#sendFailure = error;
        return error;
      },
    ).then((error) => {
      if (this.#sending === sending) this.#sending = undefined;
      done(error);
    });
    this.#sending = sending;
    // The platform has what it takes by now; it would wait with the rest for a peer that does not read.
    if (this.#closed) this.#shutNow();
  }

  async #sendAll(
    bytes: Uint8Array,
    before: Promise<void> | undefined,
  ): Promise<void> {
    if (before !== undefined) await before;
    if (this.#sendFailed) throw this.#sendFailure;
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#conn.write(
        sent === 0 ? bytes : bytes.subarray(sent),
      );
    }
  }

  /**
   * Lets the peer read why it is refused: a connection that is closed while bytes of the peer are unread takes
   * back what was sent to it.
   */
  async #linger(): Promise<void> {
    if (!this.#alerted) return;
    const timer = setTimeout(() => this.#shutNow(), LINGER);
    try {
      while (this.#sending !== undefined) await this.#sending;
      await this.#conn.closeWrite();
      for (let reads = 0; reads < LINGER_READS; reads++) {
        if (await this.#conn.read(this.#room) === null) break;
      }
    } catch {
      return; // it went of itself
    } finally {
      clearTimeout(timer);
    }
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    return; // somebody else closed it: that is what was wanted
  }
}
