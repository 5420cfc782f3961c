/**
 * The loops around the raw calls, as in Python's Socket Programming HOWTO. For demonstration only: clear, not
 * fast.
 *
 * A write may take only a part of what it is given, and a read may give only a part of what was sent. How many
 * bytes there are in all must be known from elsewhere: here every message is as long as the next.
 *
 * @module
 */

import { type ByteReader, type ByteWriter, ConnectionError } from "../mod.ts";

/** How long every message of the programs with messages of fixed length is, in bytes. */
export const MSGLEN = 12;

/**
 * Sends all of a message.
 *
 * @param conn Where to. Python's `send` gives 0 when the connection is broken; here `write` throws.
 * @param msg The message.
 */
export async function mySend(conn: ByteWriter, msg: Uint8Array): Promise<void> {
  let totalSent = 0;
  while (totalSent < msg.length) {
    totalSent += await conn.write(msg.subarray(totalSent));
  }
}

/**
 * Receives all of a message.
 *
 * @param conn Where from.
 * @param length How long the message is.
 * @returns The message.
 * @throws {ConnectionError} If the stream ends before it is whole.
 */
export async function myReceive(
  conn: ByteReader,
  length: number,
): Promise<Uint8Array> {
  const msg = new Uint8Array(length);
  let received = 0;
  while (received < length) {
    const count = await conn.read(msg.subarray(received));
    if (count === null) throw new ConnectionError("socket connection broken");
    received += count;
  }
  return msg;
}
