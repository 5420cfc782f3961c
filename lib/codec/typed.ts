/**
 * Frames that begin with a tag, which decides how the rest is cut.
 *
 *     | tag | as the rule for this tag says |
 *
 *     typed({length: {1: 4, 2: lengthPrefixed({width: 2})}})
 *       01 | 00 00 00 2a           → tag 1, four bytes
 *       02 | 00 05 | h e l l o     → tag 2, "hello"
 *
 * @module
 */

import {
  type ByteOrder,
  maxUint,
  type UintWidth,
} from "../bytes/byte_order.ts";
import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { BytesCodec, Codec } from "./codec.ts";
import { countTelling, malformed } from "./faults.ts";
import { checkInteger, checkOneOf } from "./options.ts";

/** How the payload behind a tag is cut: it is so many bytes long, or a codec cuts it. */
export type LengthRule = number | BytesCodec;

/** The tag, and the rule for each. */
export interface TypedOptions {
  /**
   * How many bytes the tag takes: 1, 2, 3, 4 or 8.
   *
   * @default {1}
   */
  tagWidth?: UintWidth;
  /**
   * The order of the tag's bytes.
   *
   * @default {"big"}
   */
  byteOrder?: ByteOrder;
  /**
   * The rule for every tag, for each tag by its number, or by a function of the tag. A tag with no rule
   * is malformed.
   */
  length:
    | LengthRule
    | Readonly<Record<number, LengthRule>>
    | ((tag: number) => LengthRule | undefined);
}

/** A payload and the tag that came before it. */
export interface TypedFrame<P extends Uint8Array = Uint8Array> {
  /** The tag, an unsigned integer. */
  tag: number;
  /** The payload, as the rule for the tag cut it. */
  payload: P;
}

function isCodec(value: object): value is BytesCodec {
  return "decode" in value;
}

/** The rule for each tag as a function. */
function ruleByTag(
  length: TypedOptions["length"],
): (tag: number) => LengthRule | undefined {
  if (typeof length === "function") return length;
  if (typeof length === "number") {
    checkInteger("length", length, 0);
    return () => length;
  }
  if (isCodec(length)) return () => length;
  for (const [tag, rule] of Object.entries(length)) {
    if (typeof rule === "number") checkInteger(`length of tag ${tag}`, rule, 0);
  }
  return (tag) => Object.hasOwn(length, tag) ? length[tag] : undefined;
}

/**
 * Cuts frames that begin with a type tag, which decides how long the rest is. Limits are those of the rules.
 *
 * @param options The tag's layout and the rules.
 * @returns The codec. Its `encode` throws a `RangeError` for a tag that does not fit or has no rule, and
 * for a payload that its rule refuses.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { FrameDecoder, lengthPrefixed, typed } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(
 *   typed({ length: { 1: 2, 2: lengthPrefixed({ width: 1 }) } }),
 * );
 * decoder.push(new Uint8Array([1, 7, 8, 2, 1, 9]));
 * assertEquals(decoder.next(), { tag: 1, payload: new Uint8Array([7, 8]) });
 * assertEquals(decoder.next(), { tag: 2, payload: new Uint8Array([9]) });
 * ```
 */
export function typed(
  options: TypedOptions,
): Codec<TypedFrame<Uint8Array<ArrayBuffer>>, TypedFrame> {
  const tagWidth = checkOneOf("tagWidth", options.tagWidth ?? 1, [
    1,
    2,
    3,
    4,
    8,
  ]);
  const byteOrder = checkOneOf("byteOrder", options.byteOrder ?? "big", [
    "big",
    "little",
  ]);
  const ruleFor = ruleByTag(options.length);

  function payloadBy(
    rule: LengthRule,
    received: ByteQueue,
    atEnd: boolean,
  ): Uint8Array<ArrayBuffer> | undefined {
    if (typeof rule !== "number") {
      return atEnd ? rule.decodeEnd?.(received) : rule.decode(received);
    }
    if (received.length >= rule) return received.take(rule);
    received.need(rule, 0);
    return undefined;
  }

  function cut(
    received: ByteQueue,
    atEnd: boolean,
  ): TypedFrame<Uint8Array<ArrayBuffer>> | undefined {
    if (received.length < tagWidth) {
      received.need(tagWidth);
      return undefined;
    }
    const tag = received.uint(0, tagWidth, byteOrder);
    const rule = ruleFor(tag);
    if (rule === undefined) {
      const seen = countTelling(received, tagWidth);
      if (seen === undefined) return undefined;
      throw malformed(received, `tag ${tag} has no rule`, seen);
    }
    if (rule === 0) {
      received.drop(tagWidth);
      return { tag, payload: received.take(0) };
    }
    if (received.length === tagWidth && !atEnd) {
      // A codec is not asked about nothing.
      const more = typeof rule === "number" ? rule : 1;
      received.need(tagWidth + more, tagWidth);
      return undefined;
    }
    const payload = received.behind(
      tagWidth,
      (rest) => payloadBy(rule, rest, atEnd),
    );
    return payload && { tag, payload };
  }

  const largestTag = maxUint(tagWidth);
  return {
    decode: (received) => cut(received, false),
    decodeEnd: (received) => cut(received, true),
    encode({ tag, payload }, out) {
      const rule = ruleFor(tag);
      if (
        rule === undefined || !Number.isInteger(tag) || tag < 0 ||
        tag > largestTag
      ) {
        throw new RangeError(`Cannot write frame: tag ${tag} has no rule`);
      }
      if (typeof rule === "number" && payload.length !== rule) {
        throw new RangeError(
          `Cannot write frame: payload of tag ${tag} must be ${rule} bytes: it is ${payload.length}`,
        );
      }
      const start = out.position;
      out.uint(tag, tagWidth, byteOrder);
      if (typeof rule === "number") return out.write(payload);
      try {
        rule.encode(payload, out);
      } catch (error) {
        out.truncate(start);
        throw error;
      }
    },
  };
}
