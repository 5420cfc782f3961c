/**
 * Packets of git, in which all that git says over a connection comes: four hexadecimal digits that count
 * themselves, or one of three that are too short for that and mark something.
 *
 *     0 0 0 9 | h e l l o      data
 *     0 0 0 0                  flush: the end of what is being said
 *     0 0 0 1                  delimiter: the next section of it
 *     0 0 0 2                  response end, where nothing else shows it (version 2 over HTTP)
 *
 * @module
 */

import { asciiLength } from "../codec/ascii_length.ts";
import type { Codec, LimitOptions } from "../codec/codec.ts";
import { checkLimits } from "../codec/options.ts";
import { encodeToWrite } from "../codec/text.ts";

/** A packet with something in it, or nothing. */
export interface PktLineData<
  B extends Uint8Array | string = Uint8Array<ArrayBuffer>,
> {
  /** That it is data. */
  type: "data";
  /** What is in it: a line with a line feed at its end, as a rule, or bytes of a pack. */
  payload: B;
}

/** A packet that marks something. */
export interface PktLineMark {
  /** What it marks: the end of what is being said, of a section of it, or of the response. */
  type: "flush" | "delimiter" | "response-end";
}

/**
 * A packet.
 *
 * @typeParam B What the payload of data is: bytes, and a text too when it is written.
 */
export type PktLine<
  B extends Uint8Array | string = Uint8Array<ArrayBuffer>,
> = PktLineData<B> | PktLineMark;

/** The longest payload that the protocol allows, though four digits could say more. */
const LONGEST = 65516;
const DIGITS = 4;

/** Each mark by its number, which is no length. */
const MARKS = ["flush", "delimiter", "response-end"] as const;
const ZERO = 0x30;

/**
 * Cuts packets of git: gitprotocol-common, "pkt-line Format", with the marks of gitprotocol-v2, "Packet-Line
 * Framing".
 *
 * It says nothing about what is in the packets: line feeds stay where they are, and where a pack and messages
 * come side by side (`side-band-64k`), the first byte of the payload says which of them it is.
 *
 * @param options The limit; `maxFrameLength` is 65,516 unless it is set, as the protocol has it.
 * @returns The codec. Its `encode` takes bytes or a text for a packet of data, too; it throws a `RangeError` for a
 * payload over the limit and a `TypeError` for text that is not well-formed.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { pktLine } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(pktLine(), "want 0123\n");
 * assertEquals(new TextDecoder().decode(wire), "000ewant 0123\n");
 *
 * const decoder = new FrameDecoder(pktLine());
 * decoder.push(new TextEncoder().encode("0009hello0000"));
 * assertEquals(decoder.next(), { type: "data", payload: new TextEncoder().encode("hello") });
 * assertEquals(decoder.next(), { type: "flush" });
 * ```
 */
export function pktLine(
  options: LimitOptions = {},
): Codec<PktLine, Uint8Array | string | PktLine<Uint8Array | string>> {
  const { limit, onOversize } = checkLimits(
    { maxFrameLength: LONGEST, ...options },
    LONGEST,
  );
  const data = asciiLength({
    digits: DIGITS,
    radix: 16,
    includesHeader: true,
    maxFrameLength: limit,
    onOversize,
  });
  return {
    decode(received) {
      if (received.length >= DIGITS) {
        const number = received.uint(0, DIGITS) - ZERO * 0x01010101;
        if (number >= 0 && number < MARKS.length) {
          received.drop(DIGITS);
          return { type: MARKS[number] };
        }
      }
      const payload = data.decode(received);
      return payload && { type: "data", payload };
    },
    encode(packet, out) {
      const frame = typeof packet === "string" || packet instanceof Uint8Array
        ? { type: "data" as const, payload: packet }
        : packet;
      if (frame.type === "data") {
        const { payload } = frame;
        const bytes = payload instanceof Uint8Array
          ? payload
          : encodeToWrite(payload);
        return data.encode(bytes, out);
      }
      const number = MARKS.indexOf(frame.type);
      if (number < 0) {
        throw new TypeError(
          `Cannot write frame: no packet is of type ${
            JSON.stringify(frame.type)
          }`,
        );
      }
      out.text(`000${number}`);
    },
  };
}
