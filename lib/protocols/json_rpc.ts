/**
 * Messages of JSON-RPC 2.0, in whatever frames they come.
 *
 *     { "jsonrpc": "2.0", "id": 1, "method": "sum", "params": [1, 2] }    request
 *     { "jsonrpc": "2.0", "id": 1, "result": 3 }                          response
 *     { "jsonrpc": "2.0", "id": 1, "error": { "code": -32601, … } }       error
 *     { "jsonrpc": "2.0", "method": "exit" }                              notification
 *
 * Source: "JSON-RPC 2.0 Specification", sections 4 and 5.
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import { mapCodec } from "../codec/map_codec.ts";
import { shown } from "./shown.ts";

/** What an answer says whose it is. */
export type JsonRpcId = number | string;

/** A request, which is to be answered. */
export interface JsonRpcRequest {
  /** That it is a request. */
  type: "request";
  /** What its answer is to have: a whole number or a string. */
  id: JsonRpcId;
  /** What is to be done. */
  method: string;
  /** With what: an object or an array. */
  params?: object;
}

/** A notification, which is not answered. */
export interface JsonRpcNotification {
  /** That it is a notification. */
  type: "notification";
  /** What it is about. */
  method: string;
  /** What it says: an object or an array. */
  params?: object;
}

/** The answer to a request that succeeded. */
export interface JsonRpcResponse {
  /** That it is a response. */
  type: "response";
  /** That of the request. */
  id: JsonRpcId;
  /** What came of it: any JSON value. */
  result: unknown;
}

/** The answer to a request that failed. */
export interface JsonRpcError {
  /** That it is an error. */
  type: "error";
  /** That of the request; `null` if it could not be read. */
  id: JsonRpcId | null;
  /** What went wrong. */
  error: {
    /** The kind of fault, a whole number, such as -32601 for a method that there is not. */
    code: number;
    /** The same in a sentence. */
    message: string;
    /** What else is known: any JSON value. */
    data?: unknown;
  };
}

/** A message of JSON-RPC. What is in `params`, `result` and `data` is not checked. */
export type JsonRpcMessage =
  | JsonRpcRequest
  | JsonRpcNotification
  | JsonRpcResponse
  | JsonRpcError;

const VERSION = "2.0";

function isId(value: unknown): value is JsonRpcId {
  return typeof value === "string" || Number.isSafeInteger(value);
}

/** Whether a member is not there, or would not be when it is written: JSON has no functions. */
function isAbsent(value: unknown): boolean {
  return ["undefined", "function", "symbol"].includes(typeof value);
}

function isParams(value: unknown): value is object | undefined {
  return value === undefined || typeof value === "object" && value !== null;
}

/** An error's object, if it is one. */
function errorIn(value: unknown): JsonRpcError["error"] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!("code" in value) || !("message" in value)) return undefined;
  const { code, message } = value;
  if (typeof code !== "number" || !Number.isSafeInteger(code)) return undefined;
  if (typeof message !== "string") return undefined;
  return "data" in value && value.data !== undefined
    ? { code, message, data: value.data }
    : { code, message };
}

/**
 * Checks that a value is a message, in the form that it has on the wire, and gives it in ours.
 *
 * @throws {TypeError} If it is not.
 */
function messageOf(value: unknown): JsonRpcMessage {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(
      `a JSON-RPC message must be an object: it is ${shown(value)}`,
    );
  }
  // A message without one of these has `undefined` there, which JSON does not have.
  const { jsonrpc, id, method, params, result, error }: {
    [name: string]: unknown;
  } = { ...value };
  if (jsonrpc !== VERSION) {
    throw new TypeError(`"jsonrpc" must be "2.0": it is ${shown(jsonrpc)}`);
  }
  if (method !== undefined) {
    if (typeof method !== "string") {
      throw new TypeError(`"method" must be a string: it is ${shown(method)}`);
    }
    if (!isAbsent(result) || !isAbsent(error)) {
      throw new TypeError(
        'a message with a "method" must have no "result" and no "error"',
      );
    }
    // There are peers that write `null` where there are none.
    const given = params === null ? undefined : params;
    if (!isParams(given)) {
      throw new TypeError(
        `"params" must be an object or an array: they are ${shown(params)}`,
      );
    }
    const rest = given === undefined ? { method } : { method, params: given };
    if (id === undefined) return { type: "notification", ...rest };
    if (isId(id)) return { type: "request", id, ...rest };
    throw new TypeError(
      `"id" must be a whole number or a string: it is ${shown(id)}`,
    );
  }
  if (isAbsent(result) === isAbsent(error)) {
    throw new TypeError(
      'a message must have one of "method", "result" and "error"',
    );
  }
  if (isAbsent(error)) {
    if (isId(id)) return { type: "response", id, result };
    throw new TypeError(
      `the "id" of a response must be a whole number or a string: it is ${
        shown(id)
      }`,
    );
  }
  if (id !== null && !isId(id)) {
    throw new TypeError(
      `the "id" of an error must be a whole number, a string or null: it is ${
        shown(id)
      }`,
    );
  }
  const checked = errorIn(error);
  if (checked !== undefined) return { type: "error", id, error: checked };
  throw new TypeError(
    `"error" must have a "code", which is a whole number, and a "message", which is a string: it is ${
      shown(error)
    }`,
  );
}

/** A message as text, its members in the order in which the specification lists them. */
function textOf({ type, ...members }: JsonRpcMessage): string {
  const wire = { jsonrpc: VERSION, ...members };
  let found: string;
  try {
    found = messageOf(wire).type;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`Cannot write frame: ${reason}`, { cause });
  }
  if (found === type) return JSON.stringify(wire);
  throw new TypeError(
    `Cannot write frame: what is said to be a ${type} has the members of a ${found}`,
  );
}

/**
 * Makes messages of JSON-RPC 2.0 of a codec's strings: `jsonRpc(lines({ tail: "error" }))` is what the Model Context
 * Protocol speaks over pipes, `jsonRpc(text(headerBlock()))` is {@linkcode lsp}.
 *
 * Strict as to what a message is: it has a `"jsonrpc": "2.0"`; `"id"` is a whole number or a string; there is just
 * one of `"method"`, `"result"` and `"error"`; `"params"` are an object or an array, and `null` counts as none, as
 * some peers send it. Members that the specification does not have are left out. A frame that is no such message is
 * a recoverable `MalformedFrameError`, and so is a batch.
 *
 * @param codec The codec that cuts the frames.
 * @returns The codec of messages. Its `encode` throws a `TypeError` for what is no message.
 *
 * @example One message a line
 * ```ts
 * import { encodeFrame, FrameDecoder, lines } from "@framewire/framewire";
 * import { jsonRpc } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const codec = jsonRpc(lines({ tail: "error" }));
 * const wire = encodeFrame(codec, { type: "request", id: 1, method: "ping" });
 * assertEquals(new TextDecoder().decode(wire), '{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
 *
 * const decoder = new FrameDecoder(codec);
 * decoder.push(new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"result":{}}\n'));
 * assertEquals(decoder.next(), { type: "response", id: 1, result: {} });
 * ```
 */
export function jsonRpc(codec: Codec<string>): Codec<JsonRpcMessage> {
  return mapCodec(codec, {
    decode: (frame) => messageOf(JSON.parse(frame)),
    encode: textOf,
  });
}
