/**
 * Demonstration: the application server and its client in one program, and the proof that it does not matter
 * where the bytes are cut.
 *
 *     $ deno run --allow-net=127.0.0.1 cli/demo.ts
 *     $ app-client 127.0.0.1 41235 search morpheus
 *     starting connection to 127.0.0.1:41235
 *     …
 *     got result: Follow the white rabbit. 🐰
 *     …
 *     6 requests again, 855 bytes, each in a segment of its own: the answers are identical
 *
 * It sends the tutorial's requests and prints what the client prints, then what the server printed
 * meanwhile. Then it sends the same bytes again, one at a time, and compares the responses. It ends by itself.
 *
 * That every byte travels alone is what it asks for (no delay, a write for each); the network may still
 * join some.
 *
 * @module
 */

import { encodeFrame, Framing, Message, messages, untilClose } from "../mod.ts";
import { makeRequest, sendRequest } from "./app_client.ts";
import { serveSearch } from "./app_server.ts";
import { type Program, program } from "./program.ts";

const REQUESTS: readonly (readonly [title: string, request: Message])[] = [
  ["search morpheus", makeRequest("search", "morpheus")],
  ["search 🐶", makeRequest("search", "🐶")],
  ["search ring", makeRequest("search", "ring")],
  ["search needle", makeRequest("search", "needle")],
  // The client has no words for this one: any other action would be a binary request.
  ["(JSON) dance tango", Message.json({ action: "dance", value: "tango" })],
  ["binary 😃", makeRequest("binary", "😃")],
];

const HOST = { hostname: "127.0.0.1", port: 0 };
const TIMEOUT = 10_000;

/** Sends the requests as the client does; gives the responses' bytes. */
async function talk(print: (line: string) => void): Promise<Uint8Array[]> {
  const serverLines: string[] = [];
  let served = Promise.withResolvers<void>();
  await using server = serveSearch({
    ...HOST,
    timeout: TIMEOUT,
    print(line) {
      serverLines.push(line);
      if (/^(closing|error)/.test(line)) served.resolve();
    },
  });
  const { hostname, port } = server.addr;
  const responses: Uint8Array[] = [];
  for (const [title, request] of REQUESTS) {
    print(`$ app-client ${hostname} ${port} ${title}`);
    const response = await sendRequest(request, { hostname, port, print });
    responses.push(encodeFrame(messages(), response));
    await served.promise;
    served = Promise.withResolvers();
  }
  print(`$ app-server ${hostname} ${port}`);
  serverLines.forEach(print);
  return responses;
}

/** Sends the requests with every byte in a segment of its own; gives the responses' bytes. */
async function talkByteByByte(): Promise<Uint8Array[]> {
  await using server = serveSearch({
    ...HOST,
    timeout: TIMEOUT,
    print: () => {},
  });
  const { hostname, port } = server.addr;
  const responses: Uint8Array[] = [];
  for (const [, request] of REQUESTS) {
    using conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    for (const byte of encodeFrame(messages(), request)) {
      await conn.write(new Uint8Array([byte]));
    }
    await conn.closeWrite();
    responses.push(await readToEnd(conn));
  }
  return responses;
}

async function readToEnd(conn: Deno.Conn): Promise<Uint8Array> {
  using stream = new Framing(conn, untilClose());
  return await stream.read({ timeout: TIMEOUT }) ?? new Uint8Array(0);
}

/**
 * Says whether two rounds of responses are the same, byte for byte.
 *
 * @param first The one.
 * @param second The other.
 * @returns The places where they differ; none if they are the same.
 */
export function differences(
  first: readonly Uint8Array[],
  second: readonly Uint8Array[],
): number[] {
  const places = Array.from(
    { length: Math.max(first.length, second.length) },
    (_, place) => place,
  );
  return places.filter((place) =>
    String(first[place]) !== String(second[place])
  );
}

/** Shows the application server and its client at work. */
export const demo: Program = program({
  name: "demo",
  about: "Runs the application server and its client, then again byte by byte",
  permissions: "--allow-net=127.0.0.1",

  async main({ print }) {
    const answers = await talk(print);
    const again = await talkByteByByte();
    const differing = differences(answers, again);
    if (differing.length > 0) {
      const titles = differing.map((place) => REQUESTS[place]?.[0]);
      print(`the answers are not identical: ${titles.join(", ")}`);
      return 1;
    }
    const bytes = REQUESTS.reduce(
      (sum, [, request]) => sum + encodeFrame(messages(), request).length,
      0,
    );
    print(
      `${REQUESTS.length} requests again, ${bytes} bytes, each in a segment of its own: the answers are identical`,
    );
  },
});

if (import.meta.main) Deno.exit(await demo.run(Deno.args));
