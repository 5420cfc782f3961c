/**
 * Frames of JSON.
 *
 * @module
 */

import type { Codec } from "./codec.ts";
import { mapCodec } from "./map_codec.ts";

/**
 * Makes JSON values of a codec's strings: `json(lines())`, `json(text(lengthPrefixed()))`. A frame that is
 * not JSON is a recoverable `MalformedFrameError`; a value that JSON cannot hold is a `TypeError` when it is
 * written.
 *
 * What `T` says is not checked: it is for the caller to know what the peer sends.
 *
 * @typeParam T What the peer is trusted to send.
 * @typeParam W What may be written; anything, unless it is said.
 * @param codec The codec that cuts the frames.
 * @returns The codec of JSON values.
 *
 * @example One JSON value a line
 * ```ts
 * import { encodeFrame, FrameDecoder, json, lines } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = json<{ ask: number }>(lines());
 * const decoder = new FrameDecoder(codec);
 * decoder.push(encodeFrame(codec, { ask: 1 }));
 * assertEquals(decoder.next()?.ask, 1);
 * ```
 */
export function json<T = unknown, W = unknown>(
  codec: Codec<string>,
): Codec<T, W> {
  return mapCodec<string, string, T, W>(codec, {
    decode: (frame) => JSON.parse(frame),
    encode(value) {
      const frame: string | undefined = JSON.stringify(value);
      if (frame !== undefined) return frame;
      throw new TypeError(
        `Cannot write frame: JSON cannot hold a value of type ${typeof value}`,
      );
    },
  });
}
