/**
 * HTTP client, by hand: connects, sends a request, and reads until the server closes.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/http_get.ts 127.0.0.1 65432 /index.html
 *     HTTP/1.0 200 OK
 *     Content-type: text/html
 *     Content-length: 141
 *
 *     <!DOCTYPE html>
 *     …
 *
 * Start `cli/web_server.ts` in another terminal first, or name a server of the web:
 * `--allow-net=example.com:80 cli/http_get.ts example.com 80 /`.
 *
 * In HTTP/1.0 the end of the stream is the end of the answer: that is all the framing there is, and a server
 * that dies half way looks like one that is done. It does not handle encryption, redirections, answers that
 * are not text (what is no UTF-8 is shown as �), more than 16 MiB, or more than 30 seconds. `cli/url_get.ts`
 * shows the same with `fetch`.
 *
 * @module
 */

import { concat } from "@std/bytes";
import { ConnectionError, formatAddr } from "../mod.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";

const PATH: Parameter<string> = {
  name: "target",
  about: "what to ask for, from its first slash on",
  fallback: "/index.html",
  read(text) {
    // A space or a line end would make another request of it.
    if (/^\/[\x21-\x7e]*$/.test(text)) return text;
    throw new RangeError(
      `target must begin with a slash and be ASCII without spaces: it is "${text}"`,
    );
  },
};

const LIMIT = 16 * 1024 * 1024;
const TIMEOUT = 30_000;

/** Asks a web server for a page, by hand, and prints what comes. */
export const httpGet: Program = program({
  name: "http-get",
  about: "Asks a web server for a page, by hand, and prints the whole answer",
  takes: [PEER_HOST, PEER_PORT, PATH],

  async main({ get, print }) {
    const [hostname, port] = [get(PEER_HOST), get(PEER_PORT)];
    using conn = await Deno.connect({ hostname, port });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      conn.close(); // the read that waits fails
    }, TIMEOUT);
    try {
      const host = formatAddr({ transport: "tcp", hostname, port });
      const request = `GET ${get(PATH)} HTTP/1.0\r\nHost: ${host}\r\n\r\n`;
      await send(conn, new TextEncoder().encode(request));
      const response = new TextDecoder().decode(await receiveAll(conn));
      response.split(/\r?\n/).forEach(print);
    } catch (error) {
      if (!late) throw error;
      throw new ConnectionError(
        `Cannot get ${get(PATH)}: no end of the answer within ${TIMEOUT} ms`,
      );
    } finally {
      clearTimeout(timer);
    }
  },
});

/** Writes all of `request`: one write may take only a part. */
async function send(conn: Deno.Conn, request: Uint8Array): Promise<void> {
  for (let sent = 0; sent < request.length;) {
    sent += await conn.write(request.subarray(sent));
  }
}

/** Reads what comes, chunk by chunk, until the server closes, and joins the chunks. */
async function receiveAll(conn: Deno.Conn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const chunk = new Uint8Array(16_384);
  for (let length = 0; length <= LIMIT;) {
    const count = await conn.read(chunk);
    if (count === null) return concat(chunks);
    chunks.push(chunk.slice(0, count));
    length += count;
  }
  throw new ConnectionError(
    `Cannot receive: the answer exceeds ${LIMIT} bytes`,
  );
}

if (import.meta.main) Deno.exit(await httpGet.run(Deno.args));
