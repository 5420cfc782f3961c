/**
 * What can go wrong, as classes that a caller would catch.
 *
 *     FramingError             the bytes are wrong: the peer's fault, or the wire's
 *     ├─ FrameTooLargeError    longer than a limit allows
 *     ├─ TruncatedFrameError   the stream ended inside a frame
 *     ├─ MalformedFrameError   enough bytes, wrong bytes
 *     └─ MessageHeaderError    a message whose header says something it may not
 *     ConnectionError          the connection is wrong
 *     ├─ ConnectTimeoutError   nobody answered in time
 *     ├─ ConnectionRejectedError a server refused a connection
 *     ├─ ReadTimeoutError      no whole frame came in time; nothing is lost
 *     ├─ WriteTimeoutError     the peer did not take the bytes in time
 *     ├─ PeerVanishedError     the peer sends nothing any more, though it was to
 *     ├─ PeerResetError        the peer, or the network, broke the connection
 *     ├─ TlsHandshakeError     the two sides did not agree on how to encrypt, or who they are
 *     ├─ ConnectionClosedError this side closed, half-closed or gave the connection away
 *     └─ RequestFailedError    a request got no answer; says whether it can have been carried out
 *        └─ RequestTimeoutError   none came in time
 *
 * A frame that cannot be laid out is the caller's own fault, and is a plain `RangeError` or `TypeError`.
 *
 * @module
 */

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What is known about a {@linkcode FramingError} beside its message. */
export interface FramingErrorOptions {
  /**
   * Where in the stream the faulty frame begins, in bytes received before it.
   *
   * @default {0}
   */
  offset?: number;
  /** The first bytes of the faulty frame: those that were looked at to judge it, at most 32. */
  preview?: Uint8Array;
  /**
   * Whether the stream is still in step, so that reading can go on with the next frame.
   *
   * @default {false}
   */
  recoverable?: boolean;
  /** The error that this one was made from. */
  cause?: unknown;
}

/**
 * The bytes that a peer sent do not make the frames that the codec expects.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, FramingError, netstring } from "@framewire/framewire";
 * import { assertThrows } from "@std/assert";
 *
 * const decoder = new FrameDecoder(netstring());
 * decoder.push(new TextEncoder().encode("hello"));
 * const error = assertThrows(() => decoder.next(), FramingError);
 * error.code; // "ERR_FRAME_MALFORMED"
 * ```
 */
export class FramingError extends Error {
  /** The name of the class. */
  override name = "FramingError";
  /** The kind of fault, for programs. */
  readonly code: string = "ERR_FRAMING";
  /** Where in the stream the faulty frame begins, in bytes received before it. */
  readonly offset: number;
  /** The first bytes of the faulty frame: those that were looked at to judge it, at most 32. */
  readonly preview: Uint8Array;
  /**
   * Whether the stream is still in step: `true` says that the faulty frame has been left out and that
   * the next read goes on behind it, `false` that nothing more can be read from this stream.
   */
  readonly recoverable: boolean;

  /**
   * Makes an error from a message and what else is known.
   *
   * @param message What was found, what was allowed, and which option changes it.
   * @param options Where it was found, and what it looked like.
   */
  constructor(message: string, options: FramingErrorOptions = {}) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.offset = options.offset ?? 0;
    this.preview = options.preview ?? NO_BYTES;
    this.recoverable = options.recoverable ?? false;
  }
}

/** What is known about a {@linkcode FrameTooLargeError} beside its message. */
export interface FrameTooLargeErrorOptions extends FramingErrorOptions {
  /** The length that was announced or reached, in bytes. */
  length: number;
  /** The largest length that is allowed, in bytes. */
  limit: number;
}

/**
 * A frame is longer than a limit allows. It is thrown as soon as that is known, before the frame has
 * arrived, and takes no memory for it.
 *
 * It ends the stream, unless the codec was made with `onOversize: "skip"`: then `recoverable` is `true`
 * and the next read goes on behind the frame.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, FrameTooLargeError, lengthPrefixed } from "@framewire/framewire";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const decoder = new FrameDecoder(lengthPrefixed({ maxFrameLength: 5 }));
 * decoder.push(new Uint8Array([0, 0, 0, 9]));
 * const error = assertThrows(() => decoder.next(), FrameTooLargeError);
 * assertEquals([error.length, error.limit], [9, 5]);
 * ```
 */
export class FrameTooLargeError extends FramingError {
  /** The name of the class. */
  override name = "FrameTooLargeError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_FRAME_TOO_LARGE";
  /**
   * The frame's length in bytes: as announced, or, where a frame ends at a mark that had not come yet,
   * the length that it had reached.
   */
  readonly length: number;
  /** The largest length that is allowed, in bytes. */
  readonly limit: number;

  /**
   * Makes an error from a message and the numbers behind it.
   *
   * @param message What was found, what was allowed, and which option changes it.
   * @param options The numbers, and where the frame begins.
   */
  constructor(message: string, options: FrameTooLargeErrorOptions) {
    super(message, options);
    this.length = options.length;
    this.limit = options.limit;
  }
}

/** What is known about a {@linkcode TruncatedFrameError} beside its message. */
export interface TruncatedFrameErrorOptions extends FramingErrorOptions {
  /** How many bytes of the frame had arrived, framing bytes included. */
  have: number;
  /** How many bytes would have been needed, framing bytes included, if the codec knew. */
  need?: number | undefined;
  /** The part of the payload that had arrived. */
  partial?: Uint8Array;
}

/**
 * The stream ended inside a frame.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, lengthPrefixed, TruncatedFrameError } from "@framewire/framewire";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const decoder = new FrameDecoder(lengthPrefixed());
 * decoder.push(new Uint8Array([0, 0, 0, 5, 104, 101]));
 * assertEquals(decoder.next(), undefined);
 * const error = assertThrows(() => decoder.end(), TruncatedFrameError);
 * assertEquals([error.have, error.need], [6, 9]);
 * assertEquals(error.partial, new Uint8Array([104, 101]));
 * ```
 */
export class TruncatedFrameError extends FramingError {
  /** The name of the class. */
  override name = "TruncatedFrameError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_FRAME_TRUNCATED";
  /** How many bytes of the frame had arrived, framing bytes included. */
  readonly have: number;
  /**
   * How many bytes were needed to go on, framing bytes included: to the end of the frame, or to the end
   * of the part that says how long it is. `undefined` when the codec could not know.
   */
  readonly need: number | undefined;
  /** The part of the payload that had arrived; empty when the framing bytes were not whole either. */
  readonly partial: Uint8Array;

  /**
   * Makes an error from a message and the numbers behind it.
   *
   * @param message What was there and what was missing.
   * @param options The numbers, and where the frame begins.
   */
  constructor(message: string, options: TruncatedFrameErrorOptions) {
    super(message, options);
    this.have = options.have;
    this.need = options.need;
    this.partial = options.partial ?? NO_BYTES;
  }
}

/**
 * There are enough bytes, and they are not what a frame may be made of.
 *
 * Where the frame could still be cut from the stream (text that is not UTF-8, JSON that does not parse),
 * `recoverable` is `true`.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, json, lines, MalformedFrameError } from "@framewire/framewire";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const decoder = new FrameDecoder(json(lines()));
 * decoder.push(new TextEncoder().encode('{"a":\n{"b":2}\n'));
 * const error = assertThrows(() => decoder.next(), MalformedFrameError);
 * assertEquals(error.recoverable, true);
 * assertEquals(decoder.next(), { b: 2 });
 * ```
 */
export class MalformedFrameError extends FramingError {
  /** The name of the class. */
  override name = "MalformedFrameError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_FRAME_MALFORMED";
}

/** What is known about a {@linkcode MessageHeaderError} beside its message. */
export interface MessageHeaderErrorOptions extends FramingErrorOptions {
  /** The header field at fault, as it is spelt on the wire. */
  field?: string | undefined;
}

/**
 * The header of a message is not JSON, is not an object, or lacks a field or has a wrong one.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, MessageHeaderError, messages } from "@framewire/framewire";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const decoder = new FrameDecoder(messages());
 * decoder.push(new TextEncoder().encode('\0\x17{"byteorder": "little"}'));
 * const error = assertThrows(() => decoder.next(), MessageHeaderError);
 * assertEquals(error.field, "content-type");
 * ```
 */
export class MessageHeaderError extends FramingError {
  /** The name of the class. */
  override name = "MessageHeaderError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_MESSAGE_HEADER";
  /** The header field at fault, as it is spelt on the wire; `undefined` when it is the header as a whole. */
  readonly field: string | undefined;

  /**
   * Makes an error from a message and the field at fault.
   *
   * @param message What was found and what was allowed.
   * @param options The field, and where the message begins.
   */
  constructor(message: string, options: MessageHeaderErrorOptions = {}) {
    super(message, options);
    this.field = options.field;
  }
}

/** What is known about a {@linkcode ConnectionError} beside its message. */
export interface ConnectionErrorOptions {
  /** The error that this one was made from. */
  cause?: unknown;
}

/**
 * The connection failed, or was asked for what it can no longer do.
 *
 * @example Usage
 * ```ts
 * import { ConnectionError, Framing, lines } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair();
 * const peer = new Framing(here, lines());
 * await peer.close();
 * await assertRejects(() => peer.read(), ConnectionError);
 * there.close();
 * ```
 */
export class ConnectionError extends Error {
  /** The name of the class. */
  override name = "ConnectionError";
  /** The kind of fault, for programs. */
  readonly code: string = "ERR_CONNECTION";

  /**
   * Makes an error from a message and, if there was one, its cause.
   *
   * @param message What happened.
   * @param options The cause.
   */
  constructor(message: string, options: ConnectionErrorOptions = {}) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
  }
}

/** What is known about a {@linkcode ConnectionRejectedError} beside its message. */
export interface ConnectionRejectedErrorOptions extends ConnectionErrorOptions {
  /** How many connections there may be, if there were too many. */
  limit?: number | undefined;
}

/**
 * A server refused a connection, by one of its own rules.
 *
 * @example Usage
 * ```ts
 * import { connect, lines, serve } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const errors: unknown[] = [];
 * await using server = serve(
 *   {
 *     port: 0,
 *     maxConnections: 1,
 *     whenFull: "refuse",
 *     onError: (error) => errors.push(error),
 *   },
 *   lines(),
 *   async (peer) => void await peer.read(),
 * );
 * const { port } = server.addr;
 * await using _first = await connect({ port }, lines());
 * await using second = await connect({ port }, lines());
 * assertEquals(await second.read(), null);
 * // ConnectionRejectedError: Cannot accept connection: 1 are open, and maxConnections is 1
 * assertEquals(errors.length, 1);
 * ```
 */
export class ConnectionRejectedError extends ConnectionError {
  /** The name of the class. */
  override name = "ConnectionRejectedError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_CONNECTION_REJECTED";
  /** How many connections there may be; `undefined` if that was not the reason. */
  readonly limit: number | undefined;

  /**
   * Makes an error from a message and what else is known.
   *
   * @param message What happened.
   * @param options How many connections there may be, and the cause.
   */
  constructor(message: string, options: ConnectionRejectedErrorOptions = {}) {
    super(message, options);
    this.limit = options.limit;
  }
}

/** What is known about a timeout beside its message. */
export interface TimeoutErrorOptions extends ConnectionErrorOptions {
  /** How long was waited, in milliseconds. */
  timeout: number;
}

/**
 * Nobody answered in time.
 *
 * @example Usage
 * ```ts
 * import { ConnectTimeoutError } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new ConnectTimeoutError("Cannot connect to 192.0.2.1:80: no answer within 5 ms", {
 *   timeout: 5,
 * });
 * assertEquals(error.timeout, 5);
 * ```
 */
export class ConnectTimeoutError extends ConnectionError {
  /** The name of the class. */
  override name = "ConnectTimeoutError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_CONNECT_TIMEOUT";
  /** How long was waited, in milliseconds. */
  readonly timeout: number;

  /**
   * Makes an error from a message and how long was waited.
   *
   * @param message What happened.
   * @param options The timeout and the cause.
   */
  constructor(message: string, options: TimeoutErrorOptions) {
    super(message, options);
    this.timeout = options.timeout;
  }
}

/** What is known about a {@linkcode ReadTimeoutError} beside its message. */
export interface ReadTimeoutErrorOptions extends TimeoutErrorOptions {
  /** How many bytes of the next frame had arrived. */
  have: number;
  /** How many bytes it needs, if that was known. */
  need?: number | undefined;
}

/**
 * No whole frame came in time. Nothing is lost: the next read goes on where this one stood. If it was a limit of
 * the server that passed, the connection is closed.
 *
 * @example Usage
 * ```ts
 * import { Framing, lines, ReadTimeoutError } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair();
 * await using peer = new Framing(here, lines());
 * await there.write(new TextEncoder().encode("hel"));
 * const error = await assertRejects(() => peer.read({ timeout: 20 }), ReadTimeoutError);
 * assertEquals(error.have, 3);
 * await there.write(new TextEncoder().encode("lo\n"));
 * assertEquals(await peer.read(), "hello");
 * there.close();
 * ```
 */
export class ReadTimeoutError extends ConnectionError {
  /** The name of the class. */
  override name = "ReadTimeoutError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_READ_TIMEOUT";
  /** How long was waited, in milliseconds. */
  readonly timeout: number;
  /** How many bytes of the next frame had arrived. */
  readonly have: number;
  /** How many bytes were needed to go on, framing bytes included; `undefined` when that was not known. */
  readonly need: number | undefined;

  /**
   * Makes an error from a message and the numbers behind it.
   *
   * @param message What happened.
   * @param options The timeout, and how far the next frame had come.
   */
  constructor(message: string, options: ReadTimeoutErrorOptions) {
    super(message, options);
    this.timeout = options.timeout;
    this.have = options.have;
    this.need = options.need;
  }
}

/** What is known about a {@linkcode WriteTimeoutError} beside its message. */
export interface WriteTimeoutErrorOptions extends TimeoutErrorOptions {
  /** How many bytes were still waiting to be sent. */
  pending: number;
}

/**
 * The peer did not take the bytes in time. They are still queued, in order. If it was a limit of the server that
 * passed, the connection is closed.
 *
 * @example Usage
 * ```ts
 * import { Framing, lines, WriteTimeoutError } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair({ capacity: 3 });
 * using peer = new Framing(here, lines());
 * peer.write("hello");
 * const error = await assertRejects(() => peer.drain({ timeout: 20 }), WriteTimeoutError);
 * assertEquals(error.pending, 3);
 * there.close();
 * ```
 */
export class WriteTimeoutError extends ConnectionError {
  /** The name of the class. */
  override name = "WriteTimeoutError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_WRITE_TIMEOUT";
  /** How long was waited, in milliseconds. */
  readonly timeout: number;
  /** How many bytes were still waiting to be sent. */
  readonly pending: number;

  /**
   * Makes an error from a message and the numbers behind it.
   *
   * @param message What happened.
   * @param options The timeout, and how many bytes were waiting.
   */
  constructor(message: string, options: WriteTimeoutErrorOptions) {
    super(message, options);
    this.timeout = options.timeout;
    this.pending = options.pending;
  }
}

/** What is known about a {@linkcode PeerVanishedError} beside its message. */
export interface PeerVanishedErrorOptions extends ConnectionErrorOptions {
  /** For how long at least not a byte came, in milliseconds. */
  silence: number;
}

/**
 * The peer sends nothing any more, not even an end of the stream, though a heartbeat asked it to: it lost power, its
 * network is gone, or something between has forgotten the connection, which has been ended. Whether the bytes
 * written last arrived is not known.
 *
 * @example Usage
 * ```ts
 * import { Framing, heartbeat, lines, PeerVanishedError } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair();
 * using peer = new Framing(here, lines());
 * using _beat = heartbeat(peer, { interval: 10, timeout: 10, frame: () => "PING" });
 * const error = await assertRejects(() => peer.read(), PeerVanishedError);
 * assertEquals(error.silence, 20);
 * there.close();
 * ```
 */
export class PeerVanishedError extends ConnectionError {
  /** The name of the class. */
  override name = "PeerVanishedError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_PEER_VANISHED";
  /** For how long at least not a byte came, in milliseconds. */
  readonly silence: number;

  /**
   * Makes an error from a message and how long nothing came.
   *
   * @param message What happened.
   * @param options How long nothing came, and the cause.
   */
  constructor(message: string, options: PeerVanishedErrorOptions) {
    super(message, options);
    this.silence = options.silence;
  }
}

/**
 * The peer, or the network between, broke the connection. Whether the bytes written last arrived is not
 * known.
 *
 * @example Usage
 * ```ts
 * import { Framing, lines, PeerResetError } from "@framewire/framewire";
 * import { scriptedConn } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const conn = scriptedConn([{ chunk: "one\ntw" }, { error: new Deno.errors.ConnectionReset() }]);
 * await using peer = new Framing(conn, lines());
 * assertEquals(await peer.read(), "one");
 * await assertRejects(() => peer.read(), PeerResetError);
 * ```
 */
export class PeerResetError extends ConnectionError {
  /** The name of the class. */
  override name = "PeerResetError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_PEER_RESET";
}

/**
 * No encrypted connection came about: the peer's certificate is not to be trusted, it trusts not ours, it speaks
 * no TLS, or the two sides have nothing in common. The message says which; the cause is what the platform said.
 *
 * A server judges a client's certificate when the client has ended its own part of the handshake. So a client may
 * learn of it by the first read.
 *
 * @example Usage
 * ```ts
 * import { ConnectionError, TlsHandshakeError } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new TlsHandshakeError(
 *   "Cannot connect with TLS: the certificate of localhost has expired",
 * );
 * assertEquals(error instanceof ConnectionError, true);
 * assertEquals(error.code, "ERR_TLS_HANDSHAKE");
 * ```
 */
export class TlsHandshakeError extends ConnectionError {
  /** The name of the class. */
  override name = "TlsHandshakeError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_TLS_HANDSHAKE";
}

/**
 * This side closed the connection, half-closed it, or gave it away, and then used it.
 *
 * @example Usage
 * ```ts
 * import { ConnectionClosedError, Framing, lines } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertThrows } from "@std/assert";
 *
 * const [here, there] = connPair();
 * await using peer = new Framing(here, lines());
 * await peer.closeWrite();
 * assertThrows(() => peer.write("too late"), ConnectionClosedError);
 * there.close();
 * ```
 */
export class ConnectionClosedError extends ConnectionError {
  /** The name of the class. */
  override name = "ConnectionClosedError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_CONNECTION_CLOSED";
}

/**
 * What is known of a request that got no answer.
 *
 * - `"not sent"`: not one byte of it left, nor will. The peer cannot have carried it out, and it can be sent
 *   again.
 * - `"unknown"`: some or all of it may have left. The peer may have carried it out or not.
 */
export type RequestState = "not sent" | "unknown";

/** What is known about a {@linkcode RequestFailedError} beside its message. */
export interface RequestFailedErrorOptions extends ConnectionErrorOptions {
  /** What became of the request. */
  state: RequestState;
}

/**
 * A request got no answer. Its {@linkcode RequestFailedError.state} says whether the peer can have carried it
 * out, its `cause` why there was no answer.
 *
 * @example Usage
 * ```ts
 * import { Framing, lines, RequestClient, RequestFailedError } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair();
 * await using client = new RequestClient(new Framing(here, lines()));
 * await client.close();
 * const error = await assertRejects(() => client.ask("too late"), RequestFailedError);
 * assertEquals(error.state, "not sent");
 * there.close();
 * ```
 */
export class RequestFailedError extends ConnectionError {
  /** The name of the class. */
  override name = "RequestFailedError";
  /** The kind of fault, for programs. */
  override readonly code: string = "ERR_REQUEST_FAILED";
  /** Whether the peer can have carried the request out: see {@linkcode RequestState}. */
  readonly state: RequestState;

  /**
   * Makes an error from a message and what became of the request.
   *
   * @param message What happened.
   * @param options What became of the request, and the cause.
   */
  constructor(message: string, options: RequestFailedErrorOptions) {
    super(message, options);
    this.state = options.state;
  }
}

/** What is known about a {@linkcode RequestTimeoutError} beside its message. */
export interface RequestTimeoutErrorOptions
  extends RequestFailedErrorOptions, TimeoutErrorOptions {}

/**
 * No answer came in time. Only this request has failed: the connection goes on.
 *
 * @example Usage
 * ```ts
 * import { Framing, lines, RequestClient, RequestTimeoutError } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const [here, there] = connPair();
 * await using client = new RequestClient(new Framing(here, lines()));
 * const error = await assertRejects(
 *   () => client.ask("anybody there?", { timeout: 20 }),
 *   RequestTimeoutError,
 * );
 * assertEquals([error.timeout, error.state], [20, "unknown"]);
 * there.close();
 * ```
 */
export class RequestTimeoutError extends RequestFailedError {
  /** The name of the class. */
  override name = "RequestTimeoutError";
  /** The kind of fault, for programs. */
  override readonly code = "ERR_REQUEST_TIMEOUT";
  /** How long was waited, in milliseconds. */
  readonly timeout: number;

  /**
   * Makes an error from a message, how long was waited, and what became of the request.
   *
   * @param message What happened.
   * @param options The timeout, what became of the request, and the cause.
   */
  constructor(message: string, options: RequestTimeoutErrorOptions) {
    super(message, options);
    this.timeout = options.timeout;
  }
}
