/**
 * Application client: sends one request to the application server and prints the response.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/app_client.ts 127.0.0.1 65432 search morpheus
 *     starting connection to 127.0.0.1:65432
 *     sending b'\x00g{"byteorder": "little", "content-type": "text/json", …' to 127.0.0.1:65432
 *     received response {'result': 'Follow the white rabbit. 🐰'} from 127.0.0.1:65432
 *     got result: Follow the white rabbit. 🐰
 *     closing connection to 127.0.0.1:65432
 *
 * Start `cli/app_server.ts` in another terminal first. The action `search` makes a JSON request; any other,
 * such as `binary 😃`, makes a binary one of the two words, of which the server sends the first ten bytes
 * back.
 *
 * It does not handle more than one request: a program that has many would keep the connection.
 *
 * @module
 */

import {
  bytesLiteral,
  connect,
  ConnectionError,
  encodeFrame,
  type Framing,
  Message,
  messages,
} from "../mod.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";
import { pythonLiteral } from "./python_literal.ts";

const ACTION: Parameter<string> = {
  name: "action",
  about: "search, or anything else for a binary request",
  read: (text) => text,
};
const VALUE: Parameter<string> = {
  name: "value",
  about: "what to search for, or to send",
  read: (text) => text,
};

/** How long to wait for the response, in milliseconds. */
const TIMEOUT = 10_000;

/** Where a request goes, and what is done with what there is to say about it. */
export interface RequestOptions {
  /** The name or the address of the server. */
  hostname: string;
  /** The server's port. */
  port: number;
  /** Prints a line. */
  print: (line: string) => void;
}

/**
 * Makes the request of two words.
 *
 * @param action `search` for a JSON request, anything else for a binary one.
 * @param value What to search for, or to send.
 * @returns The request.
 */
export function makeRequest(action: string, value: string): Message {
  if (action === "search") return Message.json({ action, value });
  return Message.binary(
    new TextEncoder().encode(action + value),
    "binary/custom-client-binary-type",
  );
}

/**
 * Connects, sends a request, and prints what happens.
 *
 * @param request The request.
 * @param options Where to, and what to do with the lines.
 * @returns The response.
 */
export async function sendRequest(
  request: Message,
  { hostname, port, print }: RequestOptions,
): Promise<Message> {
  const to = hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
  print(`starting connection to ${to}`);
  await using peer: Framing<Message> = await connect(
    { hostname, port },
    messages(),
  );
  print(`sending ${bytesLiteral(encodeFrame(messages(), request))} to ${to}`);
  await peer.write(request);
  const response = await peer.read({ timeout: TIMEOUT });
  if (response === null) {
    throw new ConnectionError(
      "Cannot read response: the server closed the connection without one",
    );
  }
  const { contentType } = response.header;
  if (contentType === "text/json") {
    const content = response.json();
    print(`received response ${pythonLiteral(content)} from ${to}`);
    print(`got result: ${resultOf(content)}`);
  } else {
    print(`received ${contentType} response from ${to}`);
    print(`got response: ${bytesLiteral(response.content)}`);
  }
  print(`closing connection to ${to}`);
  return response;
}

/** The result in a response, as Python would print it: text as it is, the rest as a literal. */
function resultOf(content: unknown): string {
  const result = new Map<string, unknown>(Object.entries(content ?? {}))
    .get("result");
  return typeof result === "string" ? result : pythonLiteral(result);
}

/** Sends one request and prints the response. */
export const appClient: Program = program({
  name: "app-client",
  about: "Sends one request to the application server and prints the response",
  takes: [PEER_HOST, PEER_PORT, ACTION, VALUE],

  async main({ get, print }) {
    const request = makeRequest(get(ACTION), get(VALUE));
    await sendRequest(request, {
      hostname: get(PEER_HOST),
      port: get(PEER_PORT),
      print,
    });
  },
});

if (import.meta.main) Deno.exit(await appClient.run(Deno.args));
