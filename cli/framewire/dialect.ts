/**
 * A codec as the command uses it: by name, for either side, with text and JSON in place of types.
 *
 *     client ── what a client sends:  read by codec("server") ──► server
 *            ◄── what a server sends: read by codec("client") ──
 *
 * @module
 */

import type { Codec } from "../../mod.ts";
import { frameOfJson, type Input, textOf } from "./values.ts";

/** Which end of a connection. */
export type Side = "client" | "server";

/** A codec that takes whatever somebody wrote. */
export type InputCodec = Codec<unknown, Input>;

/** What a frame changes for those behind it. */
export interface Change {
  /** How a client reads from here on. */
  client?: InputCodec;
  /** How a server reads from here on. */
  server?: InputCodec;
  /** Why nobody but the two ends can read what comes behind. */
  opaque?: string;
}

/** How two ends speak. */
export interface Dialect {
  /** As it was asked for, such as `length:4`. */
  readonly spec: string;
  /** What an end reads and writes. */
  codec(side: Side): InputCodec;
  /** What a frame that `from` sent changes; absent where nothing does. */
  after?(from: Side, frame: unknown): Change | undefined;
}

/** Makes a codec take what somebody wrote; `read` makes a frame of it. */
export function taking<T, W>(
  codec: Codec<T, W>,
  read: (input: Input) => W,
): InputCodec {
  const taken: InputCodec = {
    decode: (received) => codec.decode(received),
    encode(input, out) {
      try {
        codec.encode(read(input), out);
      } catch (error) {
        // What somebody wrote may lack what the types of a codec demand.
        if (!(error instanceof TypeError || error instanceof SyntaxError)) {
          throw error;
        }
        const reason = error.message.replace(/^Cannot write \w+: /, "");
        throw new TypeError(`Cannot write frame: ${reason}`, { cause: error });
      }
    },
  };
  if (codec.decodeEnd !== undefined) {
    taken.decodeEnd = (received) => codec.decodeEnd?.(received);
  }
  return taken;
}

/** What was written, as bytes: text in UTF-8. */
export function inputBytes(input: Input): Uint8Array {
  return input.kind === "bytes"
    ? input.bytes
    : new TextEncoder().encode(inputText(input));
}

/**
 * What was written, as text.
 *
 * @throws {TypeError} If it is bytes that are not UTF-8.
 */
export function inputText(input: Input): string {
  if (input.kind === "text") return input.text;
  if (input.kind === "json") return input.json;
  const text = textOf(input.bytes);
  if (text !== undefined) return text;
  throw new TypeError("the bytes are not UTF-8");
}

/**
 * What was written, as JSON with bytes in it; see `frameOfJson`.
 *
 * @throws {SyntaxError} If it is none.
 */
export function inputFrame<W>(
  input: Input,
  also?: (value: unknown) => unknown,
): W {
  return frameOfJson(inputText(input), also);
}

/**
 * What was written, as JSON and nothing else: `{"text": "hi"}` is an object, and no bytes.
 *
 * @throws {SyntaxError} If it is none.
 */
export function inputJson<W>(input: Input): W {
  // As with `frameOfJson`, it is the codec that refuses what is no frame.
  return JSON.parse(inputText(input));
}
