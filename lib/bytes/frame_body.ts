/**
 * The content of a frame that is never held whole: it is read while it comes, and sent while it is made.
 *
 *     | framing | taken ············ | here | still to come ····················· | the next frame
 *               |<-------------------- length -------------------------------->|
 *
 * @module
 */

/** What the bytes of a {@linkcode FrameBody} are made of: a stream, a generator, an array of pieces. */
export type BodySource =
  | AsyncIterable<Uint8Array<ArrayBuffer>>
  | Iterable<Uint8Array<ArrayBuffer>>;

/**
 * Content of a known length that is not in memory.
 *
 * One that was received comes straight from the connection, as fast as it is read and no faster: the next frame
 * waits until it has been read to its end or cancelled. Who does neither keeps the connection: on a server, no limit
 * ends it while the handler does not read, and it stays until the server is shut down. If the connection breaks
 * before, reading it throws what the connection's `read` throws.
 *
 * One that is written is taken from its source as fast as the peer takes it, and frames written after it wait. The
 * peer is told the length before the first byte: a source that fails, or gives fewer bytes or more, ends the
 * connection. So does one that gives empty pieces a hundred times in a row. The source must end when it has given all:
 * its last piece is sent when it has, so that one that never does is never sent whole. A piece's memory is not to be
 * touched before the next one is asked for, and that of the last one not even in a `finally`.
 *
 * One that was received may be written to another connection.
 *
 * @example Usage
 * ```ts
 * import { FrameBody, Framing, lengthPrefixed } from "@framewire/framewire";
 * import { connPair } from "@framewire/framewire/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = lengthPrefixed({ maxFrameLength: 1024, maxBodyLength: 2 ** 32 - 1 });
 * const [here, there] = connPair();
 * await using client = new Framing(here, codec);
 * await using server = new Framing(there, codec);
 *
 * function* pieces() {
 *   for (let i = 0; i < 1000; i++) yield new Uint8Array(1000);
 * }
 * const sent = client.write(new FrameBody(1_000_000, pieces()));
 *
 * const frame = await server.read();
 * let count = 0;
 * if (frame instanceof FrameBody) {
 *   for await (const chunk of frame) count += chunk.length;
 * }
 * assertEquals(count, 1_000_000);
 * await sent;
 * ```
 */
export class FrameBody implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  /** How many bytes it has in all. */
  readonly length: number;
  #source: BodySource;
  #bytes: AsyncIterator<Uint8Array<ArrayBuffer>> | undefined;

  /**
   * Makes content to be written.
   *
   * @param length How many bytes the source is going to give.
   * @param source Where they come from; it is asked for more when the peer has taken what it gave.
   * @throws {RangeError} If the length is not a whole number.
   */
  constructor(length: number, source: BodySource) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(
        `Cannot make body: length must be a whole number of bytes, not negative: it is ${length}`,
      );
    }
    this.length = length;
    this.#source = source;
  }

  /**
   * The bytes as a stream, which reads nothing ahead. Cancelling it cancels the rest.
   *
   * @returns The stream.
   * @throws {TypeError} If the bytes are being read, or have been.
   */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return ReadableStream.from(this);
  }

  /**
   * The bytes as they come. Leaving the loop cancels the rest.
   *
   * @returns An iterator over pieces of any length.
   * @throws {TypeError} If the bytes are being read, or have been.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array<ArrayBuffer>> {
    if (this.#bytes !== undefined) {
      throw new TypeError("Cannot read body: it can be read only once");
    }
    return this.#bytes = iterate(this.#source);
  }

  /**
   * Leaves out what has not been read. What is still to come is thrown away as it comes, so that the frames behind
   * it can be read; the source of one that is not written is told that it is not needed.
   */
  async cancel(): Promise<void> {
    this.#bytes ??= iterate(this.#source);
    await this.#bytes.return?.();
  }
}

const END: IteratorReturnResult<undefined> = { value: undefined, done: true };

function iterate(source: BodySource): AsyncIterator<Uint8Array<ArrayBuffer>> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  const pieces = source[Symbol.iterator]();
  return {
    // An exception is a rejection then.
    next: async () => await pieces.next(),
    return: () => Promise.resolve(pieces.return?.() ?? END),
  };
}
