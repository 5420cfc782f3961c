/**
 * Frames that announce their length in text.
 *
 *     asciiLength({digits: 5})                              0 0 0 0 5 | h e l l o
 *     asciiLength({terminator: " "})                            5 ' ' | h e l l o     (syslog)
 *     asciiLength({terminator: ":", trailer: ","})              5  :  | h e l l o ,   (netstring)
 *     asciiLength({digits: 4, radix: 16, includesHeader: true})  0 0 0 9 | h e l l o  (git)
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { BytesCodec, LimitOptions } from "./codec.ts";
import {
  countTelling,
  inOneLine,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "./faults.ts";
import { checkInteger, checkLimits, checkOneOf } from "./options.ts";

/** How a frame announces its length. */
export interface AsciiLengthOptions extends LimitOptions {
  /**
   * How many digits the length has: exactly, filled up with zeros on the left, or with a `terminator` at
   * the most, without zeros on the left. From 1 to 15.
   *
   * @default {5, or 10 with a terminator}
   */
  digits?: number;
  /**
   * The base of the number: 10, or 16 with digits of either case.
   *
   * @default {10}
   */
  radix?: 10 | 16;
  /**
   * What ends the length, in ASCII; `""` for lengths of a fixed number of digits.
   *
   * @default {""}
   */
  terminator?: string;
  /**
   * Whether the length counts the digits and the terminator too.
   *
   * @default {false}
   */
  includesHeader?: boolean;
  /**
   * What must follow every payload, in ASCII, and is not counted by the length.
   *
   * @default {""}
   */
  trailer?: string;
}

/** The value of a digit's character code; `NaN` for anything else. */
function digitValue(code: number, radix: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (radix === 16) {
    const letter = code | 0x20;
    if (letter >= 0x61 && letter <= 0x66) return letter - 0x61 + 10;
  }
  return NaN;
}

/** The character codes of an option in ASCII. */
function asciiCodes(name: string, text: string): Uint8Array {
  if (typeof text !== "string") {
    throw new TypeError(
      `Cannot make codec: ${name} must be a string: it is of type ${typeof text}`,
    );
  }
  const codes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  if (!/^[\0-\x7f]*$/.test(text) || text.length > 16) {
    throw new RangeError(
      `Cannot make codec: ${name} must be at most 16 ASCII characters: it is ${
        JSON.stringify(text)
      }`,
    );
  }
  return codes;
}

/**
 * Cuts frames that begin with their length in ASCII digits.
 *
 * Nothing but digits is taken for a number: no sign, no space, no zero too many. The limit is checked at
 * each digit, so that a length of a thousand digits is refused at the first that is too much.
 *
 * @param options The layout and the limit.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit, or longer than the
 * digits can say.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range, or the limit more than the digits can say.
 *
 * @example Five digits, as in Python's Socket Programming HOWTO
 * ```ts
 * import { asciiLength, encodeFrame } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(asciiLength({ digits: 5 }), new TextEncoder().encode("hello"));
 * assertEquals(new TextDecoder().decode(wire), "00005hello");
 * ```
 *
 * @example Octet counting of syslog (RFC 6587, section 3.4.1)
 * ```ts
 * import { asciiLength, FrameDecoder } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(asciiLength({ terminator: " " }));
 * decoder.push(new TextEncoder().encode("5 hello6 "));
 * assertEquals(new TextDecoder().decode(decoder.next()), "hello");
 * assertEquals(decoder.next(), undefined);
 * assertEquals(decoder.needed, 8);
 * ```
 */
export function asciiLength(options: AsciiLengthOptions = {}): BytesCodec {
  const terminator = asciiCodes("terminator", options.terminator ?? "");
  const trailer = asciiCodes("trailer", options.trailer ?? "");
  const fixed = terminator.length === 0;
  const digits = checkInteger(
    "digits",
    options.digits ?? (fixed ? 5 : 10),
    1,
    15,
  );
  const radix = checkOneOf("radix", options.radix ?? 10, [10, 16]);
  const includesHeader = checkOneOf(
    "includesHeader",
    options.includesHeader ?? false,
    [true, false],
  );
  if (!fixed && !Number.isNaN(digitValue(terminator[0], radix))) {
    throw new RangeError(
      `Cannot make codec: terminator must not begin with a digit: it is ${
        JSON.stringify(options.terminator)
      }`,
    );
  }
  const { limit, onOversize } = checkLimits(
    options,
    Math.min(radix ** digits - 1, Number.MAX_SAFE_INTEGER),
  );
  /** How much of the announced length are so many digits and the terminator. */
  const counted = (digitCount: number) =>
    includesHeader ? digitCount + terminator.length : 0;

  /** Refuses what is no digit, once it can be told whether it begins another protocol. */
  function refuseDigit(received: ByteQueue, index: number): undefined {
    const seen = countTelling(received, index + 1);
    if (seen === undefined) return undefined;
    const found = JSON.stringify(String.fromCharCode(received.at(index)));
    throw malformed(
      received,
      `length must be ${fixed ? "" : "at most "}${digits} ${
        radix === 16 ? "hexadecimal " : ""
      }digits: character ${index + 1} is ${inOneLine(found)}`,
      seen,
    );
  }

  /** Throws unless the bytes at `index`, as far as they are here, are those expected. */
  function expect(
    received: ByteQueue,
    index: number,
    expected: Uint8Array,
    place: string,
  ): void {
    const here = Math.min(expected.length, received.length - index);
    for (let i = 0; i < here; i++) {
      if (received.at(index + i) === expected[i]) continue;
      const wanted = String.fromCharCode(...expected);
      throw malformed(
        received,
        `${JSON.stringify(wanted)} must follow the ${place}`,
        index + i + 1,
      );
    }
  }

  return {
    decode(received) {
      const { length: here } = received;
      let announced = 0;
      let count = 0;
      for (; count < here; count++) {
        if (fixed && count === digits) break;
        const value = digitValue(received.at(count), radix);
        if (Number.isNaN(value)) {
          if (fixed || count === 0) return refuseDigit(received, count);
          break;
        }
        if (count === digits) return refuseDigit(received, count);
        if (!fixed && count === 1 && announced === 0) {
          throw malformed(received, "length has a zero on the left", 2);
        }
        announced = announced * radix + value;
        const length = announced - counted(fixed ? digits : count + 1);
        if (onOversize === "error" && length > limit) {
          throw tooLarge(received, { length, limit, seen: count + 1 });
        }
      }
      if (fixed ? count < digits : count === here) {
        received.need(here + 1); // each digit is judged as it comes
        return undefined;
      }
      expect(received, count, terminator, "length");
      const header = count + terminator.length;
      if (here < header) {
        received.need(header);
        return undefined;
      }
      const length = announced - counted(count);
      if (length < 0) {
        throw malformed(
          received,
          `length ${announced} is less than its own ${header} bytes`,
          header,
        );
      }
      const total = header + length + trailer.length;
      if (length > limit) {
        const error = tooLarge(received, {
          length,
          limit,
          seen: header,
          skipped: true,
        });
        received.skip(total);
        throw error;
      }
      if (here < total) {
        if (here > header + length) {
          expect(received, header + length, trailer, "payload");
        }
        received.need(
          here < header + length ? header + length : here + 1,
          header,
        );
        return undefined;
      }
      expect(received, header + length, trailer, "payload");
      received.drop(header);
      const frame = received.take(length);
      received.drop(trailer.length);
      return frame;
    },
    encode(frame, out) {
      const { length } = frame;
      if (length > limit) throw tooLargeToWrite(length, limit);
      let text = "";
      if (fixed) {
        text = (length + counted(digits)).toString(radix).padStart(digits, "0");
      } else {
        // A length that counts its own digits may need one more for doing so.
        let count = 0;
        do {
          count++;
          text = (length + counted(count)).toString(radix);
        } while (text.length > count);
      }
      if (text.length > digits) {
        throw new RangeError(
          `Cannot write frame: length ${length} takes more than ${digits} digits`,
        );
      }
      out.reserve(text.length + terminator.length);
      out.text(text);
      out.write(terminator);
      out.write(frame);
      out.write(trailer);
    },
  };
}
