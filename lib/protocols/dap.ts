/**
 * The base protocol of the Debug Adapter Protocol: JSON behind headers that say how long it is, as in LSP, but with
 * messages of its own.
 *
 *     Content-Length: 46\r\n
 *     \r\n
 *     {"seq":1,"type":"request","command":"threads"}
 *
 * Source: "Debug Adapter Protocol Specification", Base Protocol.
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import { headerBlock, type HeaderBlockOptions } from "../codec/header_block.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { text } from "../codec/text.ts";
import { shown } from "./shown.ts";

/** A request of either side. */
export interface DapRequest {
  /** That it is a request. */
  type: "request";
  /** Its number among the messages of its sender, which its answer is to have. */
  seq: number;
  /** What is to be done. */
  command: string;
  /** With what: any JSON value. */
  arguments?: unknown;
}

/** The answer to a request. */
export interface DapResponse {
  /** That it is a response. */
  type: "response";
  /** Its number among the messages of its sender. */
  seq: number;
  /** The number of the request. */
  "request_seq": number;
  /** Whether it succeeded. */
  success: boolean;
  /** What was to be done. */
  command: string;
  /** Why it did not succeed, in a word or two for programs, such as `cancelled`. */
  message?: string;
  /** What came of it, or what went wrong: any JSON value. */
  body?: unknown;
}

/** What the debugger has to tell without having been asked. */
export interface DapEvent {
  /** That it is an event. */
  type: "event";
  /** Its number among the messages of its sender. */
  seq: number;
  /** What happened. */
  event: string;
  /** What else is to be known: any JSON value. */
  body?: unknown;
}

/** A message of the Debug Adapter Protocol. What is in `arguments` and `body` is not checked. */
export type DapMessage = DapRequest | DapResponse | DapEvent;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A kind of value, and how to know one. */
type Kind = readonly [name: string, is: (value: unknown) => boolean];

const NUMBER: Kind = [
  "whole number",
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
];
const BOOLEAN: Kind = ["boolean", (value) => typeof value === "boolean"];
const STRING: Kind = ["string", (value) => typeof value === "string"];

/** What members each type of message must have. */
const MEMBERS: Readonly<
  Record<DapMessage["type"], Readonly<Record<string, Kind>>>
> = {
  request: { seq: NUMBER, command: STRING },
  response: {
    seq: NUMBER,
    "request_seq": NUMBER,
    success: BOOLEAN,
    command: STRING,
  },
  event: { seq: NUMBER, event: STRING },
};

/** Says what is wrong with a value that is to be a message; `undefined` if nothing is. */
function faultIn(value: unknown): string | undefined {
  if (!isRecord(value)) {
    return `a message must be an object: it is ${shown(value)}`;
  }
  const { type, message = "" } = value;
  if (type !== "request" && type !== "response" && type !== "event") {
    return `"type" must be "request", "response" or "event": it is ${
      shown(type)
    }`;
  }
  for (const [name, [kind, is]] of Object.entries(MEMBERS[type])) {
    if (is(value[name])) continue;
    return `"${name}" of a message of type "${type}" must be a ${kind}: it is ${
      shown(value[name])
    }`;
  }
  return type === "response" && typeof message !== "string"
    ? `"message" must be a string: it is ${shown(message)}`
    : undefined;
}

function isMessage(value: unknown): value is DapMessage {
  return faultIn(value) === undefined;
}

/**
 * Cuts messages of the Debug Adapter Protocol. They are checked for the members that their type must have; others
 * stay as they are, and what is in `arguments` and `body` is for you to check. A frame that is no message is a
 * recoverable `MalformedFrameError`.
 *
 * @param options The limits of the headers and of the content. The protocol has no longest message.
 * @returns The codec. Its `encode` throws a `TypeError` for what is no message, and a `RangeError` for one over the
 * limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder } from "@framewire/framewire";
 * import { dap } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(dap(), { seq: 1, type: "request", command: "threads" });
 * assertEquals(
 *   new TextDecoder().decode(wire),
 *   'Content-Length: 46\r\n\r\n{"seq":1,"type":"request","command":"threads"}',
 * );
 *
 * const decoder = new FrameDecoder(dap());
 * decoder.push(
 *   new TextEncoder().encode('Content-Length: 46\r\n\r\n{"seq":7,"type":"event","event":"initialized"}'),
 * );
 * assertEquals(decoder.next(), { seq: 7, type: "event", event: "initialized" });
 * ```
 */
export function dap(options: HeaderBlockOptions = {}): Codec<DapMessage> {
  return mapCodec(text(headerBlock(options)), {
    decode(frame) {
      const value: unknown = JSON.parse(frame);
      if (isMessage(value)) return value;
      throw new TypeError(faultIn(value));
    },
    encode(message: DapMessage) {
      const fault = faultIn(message);
      if (fault === undefined) return JSON.stringify(message);
      throw new TypeError(`Cannot write frame: ${fault}`);
    },
  });
}
