/**
 * What bytes are read from and written to: the shape of `Deno.Conn`, without the connection.
 *
 * @module
 */

/** What bytes can be read from. */
export interface ByteReader {
  /**
   * Reads some bytes.
   *
   * @param p Where to; it is not to be touched before the promise settles.
   * @returns How many came, or `null` at the end of the stream.
   */
  read(p: Uint8Array): Promise<number | null>;
}

/** What bytes can be written to. */
export interface ByteWriter {
  /**
   * Writes some bytes.
   *
   * @param p The bytes; they are not to be touched before the promise settles.
   * @returns How many were taken, which may be fewer than there are.
   */
  write(p: Uint8Array): Promise<number>;
}
