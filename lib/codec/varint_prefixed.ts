/**
 * Frames that announce their length in as few bytes as it needs: seven bits a byte, least significant first,
 * and the top bit says that more follow (unsigned LEB128).
 *
 *     | 05 | h e l l o
 *     | ac 02 | 300 bytes        0x2c + 0x02 * 128 = 300
 *
 * @module
 */

import type { ByteSink } from "../bytes/byte_sink.ts";
import type { BytesCodec, LimitOptions } from "./codec.ts";
import {
  countTelling,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "./faults.ts";
import { checkInteger, checkLimits } from "./options.ts";

/** How a frame announces its length. */
export interface VarintPrefixedOptions extends LimitOptions {
  /**
   * The most bytes that the length may take, from 1 to 8: 4 for MQTT, 5 for a 32-bit length.
   *
   * @default {5}
   */
  maxWidth?: number;
}

/** Lays out a number from 0 on as unsigned LEB128. */
export function writeVarint(out: ByteSink, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.byte(rest % 0x80 + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.byte(rest);
}

/**
 * Cuts frames that begin with their length as an unsigned LEB128 number, as in Protocol Buffers
 * (Encoding, "Base 128 Varints") and MQTT (5.0, section 1.5.5).
 *
 * A length in more bytes than it needs is refused, as is one that does not end within `maxWidth` bytes.
 *
 * @param options The limits.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range, or the limit more than the length can say.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, varintPrefixed } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(varintPrefixed(), new Uint8Array(300));
 * assertEquals(wire.subarray(0, 2), new Uint8Array([0xac, 0x02]));
 * ```
 */
export function varintPrefixed(
  options: VarintPrefixedOptions = {},
): BytesCodec {
  const maxWidth = checkInteger("maxWidth", options.maxWidth ?? 5, 1, 8);
  const { limit, onOversize } = checkLimits(
    options,
    Math.min(2 ** (7 * maxWidth) - 1, Number.MAX_SAFE_INTEGER),
  );
  return {
    decode(received) {
      let length = 0;
      let width = 0;
      let byte: number;
      do {
        if (width === maxWidth) {
          throw malformed(
            received,
            `length does not end within ${maxWidth} bytes`,
            width,
          );
        }
        if (width === received.length) {
          received.need(width + 1);
          return undefined;
        }
        byte = received.at(width);
        // Not by shifts: they stop at 32 bits.
        length += (byte & 0x7f) * 2 ** (7 * width);
        width++;
      } while (byte >= 0x80);
      if (byte === 0 && width > 1) {
        throw malformed(
          received,
          `length ${length} takes ${width} bytes and needs fewer`,
          width,
        );
      }
      const total = width + length;
      if (length > limit) {
        const skipped = onOversize === "skip";
        const seen = skipped ? width : countTelling(received, width);
        if (seen === undefined) return undefined;
        const error = tooLarge(received, {
          binary: true,
          length,
          limit,
          seen,
          skipped,
        });
        if (skipped) received.skip(total);
        throw error;
      }
      if (received.length < total) {
        received.need(total, width);
        return undefined;
      }
      received.drop(width);
      return received.take(length);
    },
    encode(frame, out) {
      if (frame.length > limit) throw tooLargeToWrite(frame.length, limit);
      writeVarint(out, frame.length);
      out.write(frame);
    },
  };
}
