/**
 * Syslog over TCP: messages for a log, each of them cut in one of two ways, which its first byte tells.
 *
 *     28 <13>1 - host app - - - hello        octet counting: a digit, and so the length comes first
 *     <13>1 - host app - - - hello\n         no digit, and so a line feed ends it
 *
 * @module
 */

import { asciiLength } from "../codec/ascii_length.ts";
import type { BytesCodec, Codec, LimitOptions } from "../codec/codec.ts";
import { delimited } from "../codec/delimited.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { checkOneOf } from "../codec/options.ts";
import { orRefuse } from "./refusal.ts";
import {
  readMessage,
  type SyslogMessage,
  type SyslogMessageInit,
  writeMessage,
} from "./syslog_message.ts";

/** How messages are cut. */
export type SyslogFraming = "octet-counting" | "lf";

/** How {@linkcode syslog} writes messages, and its limit. */
export interface SyslogOptions extends LimitOptions {
  /**
   * How messages are written: behind their length, as any message can be, or with a line feed at the end, as for
   * receivers that know no better. Both are read.
   *
   * @default {"octet-counting"}
   */
  framing?: SyslogFraming;
}

/** Whether a message begins with a digit, and so with its length. */
function isCounted(first: number): boolean {
  return first >= 0x30 && first <= 0x39;
}

/**
 * Speaks syslog over TCP (RFC 6587): each frame is a message, in the form of RFC 5424 or of what came before it.
 *
 * Both ways of cutting are read, as the first byte of each message says. A message that does not begin with a
 * priority is a recoverable `MalformedFrameError`: as a line it may be the rest of one that had a line feed in it.
 * With anything else wrong, a message is handed out as it came, as one of `type` `"rfc3164"`: that form has never
 * been more than a custom.
 *
 * @param options How messages are written, and the limit.
 * @returns The codec. Its `encode` throws a `RangeError` or `TypeError` for what a message cannot say, and for
 * one with a line feed where a line feed ends it.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { syslog } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(syslog(), { appName: "door", message: "opened" });
 * assertEquals(new TextDecoder().decode(wire), "27 <13>1 - - door - - - opened");
 *
 * const decoder = new FrameDecoder(syslog());
 * decoder.push(new TextEncoder().encode("<34>Oct 11 22:14:15 mymachine su: failed\n"));
 * const message = decoder.next();
 * assertEquals([message?.type, message?.facility, message?.severity], ["rfc3164", 4, 2]);
 * ```
 */
export function syslog(
  options: SyslogOptions = {},
): Codec<SyslogMessage, SyslogMessageInit> {
  const { framing = "octet-counting", ...limits } = options;
  checkOneOf("framing", framing, ["octet-counting", "lf"]);
  const counted = asciiLength({ ...limits, terminator: " " });
  const line = delimited("\n", limits);
  const either: BytesCodec = {
    decode: (received) =>
      (isCounted(received.at(0)) ? counted : line).decode(received),
    encode: (framing === "lf" ? line : counted).encode,
  };
  return mapCodec(either, {
    decode: readMessage,
    encode: (message: SyslogMessageInit) =>
      orRefuse(() => writeMessage(message)),
  });
}
