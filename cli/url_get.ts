/**
 * HTTP client, with what the platform has for it: asks for a URL and prints what comes.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/url_get.ts http://127.0.0.1:65432/
 *     <!DOCTYPE html>
 *     …
 *
 * Start `cli/web_server.ts` in another terminal first, or name a page of the web:
 * `--allow-net=example.com cli/url_get.ts https://example.com/`.
 *
 * `fetch` does what `cli/http_get.ts` does by hand, and what that one leaves out: encryption, redirections (to
 * hosts that are allowed), compression, and noticing that the answer broke off. It does not handle answers
 * that are not text, more than 16 MiB, or more than 30 seconds.
 *
 * @module
 */

import { ConnectionError } from "../mod.ts";
import { type Parameter, type Program, program } from "./program.ts";

const URL_TO_GET: Parameter<string> = {
  name: "url",
  about: "what to get, from http:// or https:// on",
  read(text) {
    if (/^https?:/i.test(text) && URL.canParse(text)) return text;
    throw new RangeError(`url must be an http or https URL: it is "${text}"`);
  },
};

const LIMIT = 16 * 1024 * 1024;
const TIMEOUT = 30_000;

/** Asks for a URL and prints what comes. */
export const urlGet: Program = program({
  name: "url-get",
  about: "Asks for a URL with fetch() and prints the page",
  takes: [URL_TO_GET],

  async main({ get, print }) {
    const url = get(URL_TO_GET);
    let text: string;
    try {
      text = await fetchText(url);
    } catch (error) {
      throw explained(url, error);
    }
    text.split(/\r?\n/).forEach(print);
  },
});

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) {
    await response.body?.cancel();
    const { status, statusText } = response;
    throw new ConnectionError(
      `Cannot get ${url}: the server says ${status} ${statusText}`,
    );
  }
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LIMIT) {
      throw new ConnectionError(
        `Cannot get ${url}: the answer exceeds ${LIMIT} bytes`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What `fetch` says of the network is a `TypeError`, with what happened as its cause. */
function explained(url: string, error: unknown): unknown {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new ConnectionError(
      `Cannot get ${url}: no end of the answer within ${TIMEOUT} ms`,
    );
  }
  if (!(error instanceof TypeError)) return error;
  const { cause } = error;
  const reason = (cause instanceof Error ? cause : error).message
    .replace(/^error sending request for url \(.*?\): /, "")
    .replace(/ \(os error \d+\)$/, "");
  return new ConnectionError(`Cannot get ${url}: ${reason}`);
}

if (import.meta.main) Deno.exit(await urlGet.run(Deno.args));
