/**
 * The base protocol of the Language Server Protocol: messages of JSON-RPC behind headers that say how long they are.
 *
 *     Content-Length: 33\r\n
 *     \r\n
 *     {"jsonrpc":"2.0","method":"exit"}
 *
 * Source: "Language Server Protocol Specification 3.17", Base Protocol.
 *
 * @module
 */

import type { Codec } from "../codec/codec.ts";
import { headerBlock, type HeaderBlockOptions } from "../codec/header_block.ts";
import { text } from "../codec/text.ts";
import { jsonRpc, type JsonRpcMessage } from "./json_rpc.ts";

/**
 * Cuts messages of the Language Server Protocol, whose content is JSON-RPC in UTF-8. What makes a message,
 * {@linkcode jsonRpc} says; what is in `params` and `result` is for you to check.
 *
 * The protocol has no longest message. Editors send whole files and servers whole projects: give a
 * `maxFrameLength` that suits yours.
 *
 * @param options The limits of the headers and of the content.
 * @returns The codec. Its `encode` throws a `TypeError` for what is no message, and a `RangeError` for one over the
 * limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Requests and their answers
 * ```ts
 * import { connect, RequestClient, serve } from "@framewire/framewire";
 * import { lsp } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 }, lsp(), async (peer) => {
 *   for await (const message of peer) {
 *     if (message.type !== "request") continue;
 *     await peer.write({ type: "response", id: message.id, result: { capabilities: {} } });
 *   }
 * });
 *
 * const peer = await connect({ port: server.addr.port }, lsp());
 * await using client = new RequestClient(peer, {
 *   idOf: {
 *     request: (message) => "id" in message ? message.id : undefined,
 *     // An answer may be an error; what the server asks or tells by itself is for `onUnmatched`.
 *     response: (message) =>
 *       message.type === "response" || message.type === "error" ? message.id : undefined,
 *   },
 * });
 * const answer = await client.ask({
 *   type: "request",
 *   id: 1,
 *   method: "initialize",
 *   params: { processId: null, rootUri: null, capabilities: {} },
 * });
 * assertEquals(answer, { type: "response", id: 1, result: { capabilities: {} } });
 * ```
 *
 * @example Without a socket
 * ```ts
 * import { encodeFrame } from "@framewire/framewire";
 * import { lsp } from "@framewire/framewire/protocols";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(lsp(), { type: "notification", method: "exit" });
 * assertEquals(
 *   new TextDecoder().decode(wire),
 *   'Content-Length: 33\r\n\r\n{"jsonrpc":"2.0","method":"exit"}',
 * );
 * ```
 */
export function lsp(options: HeaderBlockOptions = {}): Codec<JsonRpcMessage> {
  return jsonRpc(text(headerBlock(options)));
}
