/**
 * What a request means: the search of the tutorials' application.
 *
 * @module
 */

import { concat } from "@std/bytes";
import { Message } from "../message/message.ts";

const ANSWERS = new Map([
  ["morpheus", "Follow the white rabbit. \u{1F430}"],
  ["ring", "In the caves beneath the Misty Mountains. \u{1F48D}"],
  ["\u{1F436}", "\u{1F43E} Playing ball! \u{1F3D0}"],
]);

/**
 * Answers a request. One of type `text/json` is `{"action": "search", "value": …}`; any other is answered
 * with its first ten bytes.
 *
 * @param request The request.
 * @returns The response: `{"result": …}` to JSON, `binary/custom-server-binary-type` to anything else.
 * @throws {FramingError} If the request says that it is JSON and is not.
 *
 * @example Usage
 * ```ts
 * import { Message } from "@framewire/framewire";
 * import { search } from "./search.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const response = search(Message.json({ action: "search", value: "ring" }));
 * assertEquals(response.json(), {
 *   result: "In the caves beneath the Misty Mountains. 💍",
 * });
 * ```
 */
export function search(request: Message): Message {
  if (request.header.contentType !== "text/json") {
    const label = new TextEncoder().encode("First 10 bytes of request: ");
    return Message.binary(
      concat([label, request.content.subarray(0, 10)]),
      "binary/custom-server-binary-type",
    );
  }
  const { action, value } = fieldsOf(request.json());
  if (action !== "search") {
    return Message.json({ result: `Error: invalid action "${action}".` });
  }
  const result = ANSWERS.get(value) ?? `No match for "${value}".`;
  return Message.json({ result });
}

/** The action and the value of a request, as texts. */
function fieldsOf(request: unknown): { action: string; value: string } {
  const fields = new Map(Object.entries(request ?? {}));
  function text(name: string): string {
    const value: unknown = fields.get(name) ?? "";
    return typeof value === "string" ? value : JSON.stringify(value);
  }
  return { action: text("action"), value: text("value") };
}
