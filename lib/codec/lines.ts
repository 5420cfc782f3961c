/**
 * Lines of text.
 *
 *     h e l l o \n w o r l d \r \n   → "hello", "world"
 *
 * @module
 */

import type { ByteSink } from "../bytes/byte_sink.ts";
import { decodeUtf8 } from "../bytes/utf8.ts";
import type { Codec, LimitOptions } from "./codec.ts";
import { delimited } from "./delimited.ts";
import { mapCodec } from "./map_codec.ts";
import { checkLimits, checkOneOf } from "./options.ts";
import { encodeUtf8 } from "./text.ts";

/** What a line ends with, on the way in and on the way out. */
export interface LinesOptions extends LimitOptions {
  /**
   * What is written behind each line. Either is read.
   *
   * @default {"\n"}
   */
  newline?: "\n" | "\r\n";
  /**
   * Whether a carriage return alone ends a line too.
   *
   * @default {false}
   */
  allowCR?: boolean;
  /**
   * What a last line without an end is: `"emit"`, a line, or `"error"`, a truncated frame. A carriage
   * return that the end of the stream cut off from its line feed is not part of the line, and no line by
   * itself.
   *
   * @default {"emit"}
   */
  tail?: "error" | "emit";
}

/** Up to this length a line is given room for as many bytes as it may take, rather than memory of its own. */
const SHORT = 1024;
const CR = 13;
const LF = 10;

/**
 * Cuts lines of text in strict UTF-8, without their ends. `maxFrameLength` counts their bytes.
 *
 * @param options What a line ends with, and the limit.
 * @returns The codec of lines. Its `encode` throws a `RangeError` for a line over the limit or with a line
 * end in it, and a `TypeError` for text that is not well-formed.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, lines } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(lines());
 * decoder.push(new TextEncoder().encode("one\r\ntwo\n\nlast"));
 * assertEquals([decoder.next(), decoder.next(), decoder.next()], ["one", "two", ""]);
 * assertEquals(decoder.end(), "last");
 * ```
 */
export function lines(options: LinesOptions = {}): Codec<string> {
  const newline = checkOneOf("newline", options.newline ?? "\n", [
    "\n",
    "\r\n",
  ]);
  const allowCR = checkOneOf("allowCR", options.allowCR ?? false, [
    true,
    false,
  ]);
  const { tail = "emit" } = options;
  const ends = [newline, "\n", "\r\n", ...allowCR ? ["\r"] : []];
  const delimiters = [...new Set(ends)];
  const cutter = delimited(delimiters, { ...options, tail });
  // By then the limit has been held to, and a carriage return at the end does not count.
  const lastCutter = delimited(delimiters, {
    tail,
    maxFrameLength: Number.MAX_SAFE_INTEGER,
  });
  const { limit } = checkLimits(options);
  const byBytes = mapCodec({
    ...cutter,
    decodeEnd(received) {
      const line = lastCutter.decodeEnd?.(received);
      if (line === undefined || line.at(-1) !== CR) return line;
      return line.length > 1 ? line.subarray(0, -1) : undefined;
    },
  }, { decode: decodeUtf8, encode: encodeUtf8 });
  // Most lines are neither long nor broken, and come together with others.
  const quick: Codec<string> = {
    ...byBytes,
    encode(line, out) {
      if (!layOut(line, newline, limit, out)) byBytes.encode(line, out);
    },
  };
  if (!allowCR) {
    quick.decode = (received) =>
      received.takeText(LF, limit, CR) ?? byBytes.decode(received);
  }
  return quick;
}

/** Lays out a line, if it is short and has neither a part of a line end nor a fault in it. */
function layOut(
  line: string,
  newline: string,
  limit: number,
  out: ByteSink,
): boolean {
  if (typeof line !== "string" || line.length > Math.min(limit, SHORT)) {
    return false;
  }
  if (line.includes("\n") || line.includes("\r") || !line.isWellFormed()) {
    return false;
  }
  const { position } = out;
  if (out.text(line) > limit) {
    out.truncate(position);
    return false;
  }
  for (let i = 0; i < newline.length; i++) out.byte(newline.charCodeAt(i));
  return true;
}
