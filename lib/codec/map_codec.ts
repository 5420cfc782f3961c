/**
 * Another value in the same frame: the cut stays, what comes out and goes in changes.
 *
 *     bytes  --codec-->  frame  --decode-->  value
 *     bytes  <--codec--  frame  <--encode--  value
 *
 * @module
 */

import { FramingError, MalformedFrameError } from "../errors.ts";
import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { Codec } from "./codec.ts";
import { inOneLine, reasonOf, resemblance } from "./faults.ts";

const encoder = new TextEncoder();
const PREVIEW_LENGTH = 32;

/** How a frame becomes a value, and a value a frame. */
export interface Mapping<T, W, U, V> {
  /**
   * Makes a value of a frame. What it throws is reported as a `MalformedFrameError`, and reading goes on
   * behind the frame; it must not return `undefined`.
   */
  decode: (frame: T) => U;
  /** Makes a frame of a value. What it throws is the caller's to see. */
  encode: (value: V) => W;
}

/**
 * Changes what a codec yields and takes, and not where it cuts.
 *
 * @typeParam T What the codec yields.
 * @typeParam W What the codec takes.
 * @typeParam U What the new codec yields.
 * @typeParam V What the new codec takes.
 * @param codec The codec that cuts the frames.
 * @param mapping How frames become values and back.
 * @returns The codec of values.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, fixedLength, FrameDecoder, mapCodec } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const days = mapCodec(fixedLength(1), {
 *   decode: ([day]) => ["Mon", "Tue", "Wed"][day],
 *   encode: (day: string) => new Uint8Array([["Mon", "Tue", "Wed"].indexOf(day)]),
 * });
 * const decoder = new FrameDecoder(days);
 * decoder.push(encodeFrame(days, "Tue"));
 * assertEquals(decoder.next(), "Tue");
 * ```
 */
export function mapCodec<T, W, U, V = U>(
  codec: Codec<T, W>,
  mapping: Mapping<T, W, U, V>,
): Codec<U, V> {
  function valueOf(
    received: ByteQueue,
    cut: (received: ByteQueue) => T | undefined,
  ): U | undefined {
    const { offset } = received;
    const frame = cut(received);
    if (frame === undefined) return undefined;
    let value: U;
    try {
      value = mapping.decode(frame);
    } catch (cause) {
      received.skipBody(); // the caller never gets it, to read it
      if (cause instanceof FramingError) throw cause;
      const preview = previewOf(frame);
      throw new MalformedFrameError(
        `Cannot decode frame: ${inOneLine(reasonOf(cause))}${
          resemblance(preview, false)
        }`,
        { offset, preview, recoverable: true, cause },
      );
    }
    if (value === undefined) {
      received.skipBody();
      throw new TypeError("Cannot decode frame: decode returned undefined");
    }
    return value;
  }

  const mapped: Codec<U, V> = {
    decode: (received) => valueOf(received, (bytes) => codec.decode(bytes)),
    encode: (value, out) => codec.encode(mapping.encode(value), out),
  };
  if (codec.decodeEnd !== undefined) {
    mapped.decodeEnd = (received) =>
      valueOf(received, (bytes) => codec.decodeEnd?.(bytes));
  }
  return mapped;
}

/** The first bytes of a frame, or of a payload behind a tag, as an error shows them. */
function previewOf(frame: unknown): Uint8Array {
  if (frame instanceof Uint8Array) return frame.slice(0, PREVIEW_LENGTH);
  if (typeof frame === "string") {
    return encoder.encode(frame.slice(0, PREVIEW_LENGTH))
      .slice(0, PREVIEW_LENGTH);
  }
  return typeof frame === "object" && frame !== null && "payload" in frame
    ? previewOf(frame.payload)
    : new Uint8Array();
}
