/**
 * JSON values, one a line.
 *
 *     {"ask":1}\n
 *     [1,2,3]\n
 *
 * Source: "JSON Lines" and "NDJSON", which say the same.
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { Codec } from "../codec/codec.ts";
import { json } from "../codec/json.ts";
import { lines, type LinesOptions } from "../codec/lines.ts";
import { checkOneOf } from "../codec/options.ts";

/** What lines of JSON may look like. */
export interface JsonLinesOptions extends LinesOptions {
  /**
   * What a last line without an end is: `"error"`, a truncated frame, as half of a number is a number too; or
   * `"emit"`, a value, as files may have it.
   *
   * @default {"error"}
   */
  tail?: "error" | "emit";
  /**
   * What a line is with nothing in it but blanks: `"error"`, malformed, behind which reading goes on; or `"skip"`,
   * nothing, as servers send it that want to be heard of.
   *
   * @default {"error"}
   */
  blankLines?: "error" | "skip";
}

/** What may stand in front of a value and means nothing there. */
const BLANKS = new Set("\t\n\r ".split("").map((char) => char.charCodeAt(0)));

function dropBlanks(received: ByteQueue): void {
  let count = 0;
  while (count < received.length && BLANKS.has(received.at(count))) count++;
  if (count > 0) received.drop(count);
}

/** Lines of which the blank ones are left out. */
function withoutBlanks<T, W>(codec: Codec<T, W>): Codec<T, W> {
  return {
    ...codec,
    decode(received) {
      dropBlanks(received);
      return received.length > 0 ? codec.decode(received) : undefined;
    },
    decodeEnd(received) {
      dropBlanks(received);
      return received.length > 0 ? codec.decodeEnd?.(received) : undefined;
    },
  };
}

/**
 * Cuts values of JSON, one a line, in strict UTF-8: JSON Lines, also called NDJSON. `maxFrameLength` counts the bytes
 * of a line. A line that is not JSON is a recoverable `MalformedFrameError`.
 *
 * Not all that peers call JSON is: Python's `json` writes `NaN` and `Infinity`, which are malformed here, and whole
 * numbers of any size, which are rounded to the next number that there is, as by `JSON.parse`.
 *
 * @typeParam T What the peer is trusted to send.
 * @typeParam W What may be written; anything, unless it is said.
 * @param options What a line may look like, and the limit.
 * @returns The codec. Its `encode` throws a `TypeError` for a value that JSON cannot hold, and a `RangeError` for a
 * line over the limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { connect, reply, serve } from "@framewire/framewire";
 * import { jsonLines } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const sums = jsonLines<number[]>();
 * await using server = serve({ port: 0 }, sums, reply((numbers) => Math.max(...numbers)));
 *
 * await using peer = await connect({ port: server.addr.port }, jsonLines<number>());
 * await peer.write([3, 5, 4]);
 * assertEquals(await peer.read(), 5);
 * ```
 */
export function jsonLines<T = unknown, W = unknown>(
  options: JsonLinesOptions = {},
): Codec<T, W> {
  const { tail = "error", blankLines = "error" } = options;
  checkOneOf("blankLines", blankLines, ["error", "skip"]);
  const codec = json<T, W>(lines({ ...options, tail }));
  return blankLines === "skip" ? withoutBlanks(codec) : codec;
}
