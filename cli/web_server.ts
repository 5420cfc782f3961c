/**
 * Web server: a server socket that makes client sockets, and a task for each that answers one request.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/web_server.ts
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     received GET /index.html HTTP/1.0 from 127.0.0.1:61354
 *     sending HTTP/1.0 200 OK to 127.0.0.1:61354
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/http_get.ts` or `cli/url_get.ts http://127.0.0.1:65432/` in another terminal, or open that
 * URL in a browser. Ctrl-C ends the server, once the answers that it is sending have been sent.
 *
 * The main loop is the tutorial's: the server socket neither sends nor receives, it only makes client sockets.
 * What the tutorial does in a thread is an asynchronous function here.
 *
 * It does not handle files (there is one page, made by the program), methods but GET and HEAD, a second
 * request on the same connection, or encryption. The head of a request may have 8192 bytes and take 10
 * seconds.
 *
 * @module
 */

import {
  type Codec,
  formatAddr,
  FrameTooLargeError,
  Framing,
  FramingError,
  lines,
} from "../mod.ts";
import { errorsTo } from "./echo.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head><title>Framewire</title></head>
<body><h1>Hello, world</h1></body>
</html>
`;

const HEAD_LIMIT = 8192;
const HEAD_TIMEOUT = 10_000;
const SEND_TIMEOUT = 10_000;
const LINGER_TIMEOUT = 1000;
const ACCEPT_PAUSE = 100;

const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/;
const BAD_REQUEST = "400 Bad Request";
const TOO_LARGE = "431 Request Header Fields Too Large";
const TOO_SLOW = "408 Request Timeout";

/** Lines come in, bytes go out. */
const HTTP: Codec<string, Uint8Array> = {
  ...lines({ maxFrameLength: HEAD_LIMIT, tail: "error" }),
  encode: (answer, out) => out.write(answer),
};

/** What a client is told. */
interface Answer {
  /** The status, as a number and in words. */
  status: string;
  /** The page; a refusal has only its status to show. */
  page?: string;
  /** Whether the page itself is left out. */
  headOnly?: boolean;
}

/** Answers requests for a page until it is stopped. */
export const webServer: Program = program({
  name: "web-server",
  about: "Answers web browsers, http-get and url-get with a page",
  takes: [LISTEN_HOST, LISTEN_PORT],

  async main({ get, print, atInterrupt }) {
    const [hostname, port] = [get(LISTEN_HOST), get(LISTEN_PORT)];
    const serverSocket = Deno.listen({ hostname, port });
    const stop = new AbortController();
    const threads = new Set<Promise<void>>();
    atInterrupt(async () => {
      stop.abort();
      serverSocket.close();
      await Promise.all(threads);
    });
    print(`listening on ${formatAddr(serverSocket.addr)}`);

    while (true) {
      try {
        const clientSocket = await serverSocket.accept();
        const thread = clientThread(clientSocket, stop.signal, print);
        threads.add(thread);
        thread.then(() => threads.delete(thread));
      } catch (error) {
        if (stop.signal.aborted) return;
        // One client too many for the system, or one that has gone already: the others are still there.
        errorsTo(print)(error);
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  },
});

/** Answers one request and closes. It never fails: what goes wrong is a line. */
async function clientThread(
  clientSocket: Deno.Conn,
  stop: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  const { remoteAddr } = clientSocket;
  const client = formatAddr(remoteAddr);
  print(`accepted connection from ${client}`);
  try {
    using peer = new Framing(clientSocket, HTTP);
    const head = await readHead(peer, stop);
    if (head !== undefined) {
      print(`received ${head.requestLine} from ${client}`);
      const answer = answerTo(head);
      print(`sending HTTP/1.0 ${answer.status} to ${client}`);
      peer.write(layOut(answer));
      await peer.closeWrite({ timeout: SEND_TIMEOUT });
      await linger(clientSocket);
    }
  } catch (error) {
    if (!stop.aborted) errorsTo(print)(error, { remoteAddr });
  }
  print(`closing connection to ${client}`);
}

/** The head of a request, as far as it is of use here. */
interface Head {
  /** The first line. */
  requestLine: string;
  /** Why the rest was not read. */
  fault?: string;
}

/** Reads the head of a request; `undefined` if the client has none. */
async function readHead(
  peer: Framing<string, Uint8Array>,
  stop: AbortSignal,
): Promise<Head | undefined> {
  const tooSlow = AbortSignal.timeout(HEAD_TIMEOUT);
  const signal = AbortSignal.any([stop, tooSlow]);
  let requestLine = "";
  try {
    let line: string | null;
    while ((line = await peer.read({ signal })) !== "") {
      if (line === null) {
        return requestLine === ""
          ? undefined
          : { requestLine, fault: BAD_REQUEST };
      }
      requestLine ||= line;
      if (!REQUEST_LINE.test(requestLine)) {
        return { requestLine, fault: BAD_REQUEST };
      }
      if (peer.stats.bytesReceived > HEAD_LIMIT) {
        return { requestLine, fault: TOO_LARGE };
      }
    }
    return { requestLine };
  } catch (error) {
    if (stop.aborted) throw error;
    if (tooSlow.aborted) return { requestLine, fault: TOO_SLOW };
    if (error instanceof FrameTooLargeError) {
      return { requestLine, fault: TOO_LARGE };
    }
    if (error instanceof FramingError) {
      return { requestLine, fault: BAD_REQUEST };
    }
    throw error;
  }
}

function answerTo({ requestLine, fault }: Head): Answer {
  const [, method, target = ""] = requestLine.match(REQUEST_LINE) ?? [];
  if (fault !== undefined) return { status: fault };
  if (method === undefined) return { status: BAD_REQUEST };
  if (method !== "GET" && method !== "HEAD") {
    return { status: "501 Not Implemented" };
  }
  const headOnly = method === "HEAD";
  const [path] = target.split("?");
  return path === "/" || path === "/index.html"
    ? { status: "200 OK", page: PAGE, headOnly }
    : { status: "404 Not Found", headOnly };
}

function layOut(
  { status, page = `<h1>${status}</h1>\n`, headOnly }: Answer,
): Uint8Array {
  const { length } = new TextEncoder().encode(page);
  const head = [
    `HTTP/1.0 ${status}`,
    "Content-type: text/html",
    `Content-length: ${length}`,
    "",
    "",
  ].join("\r\n");
  return new TextEncoder().encode(headOnly ? head : head + page);
}

/**
 * Reads what the client still sends until it has closed too, for a moment. To close over bytes that nobody
 * has read would reset the connection, and the answer might get lost with it.
 */
async function linger(clientSocket: Deno.Conn): Promise<void> {
  const timer = setTimeout(() => clientSocket.close(), LINGER_TIMEOUT);
  const rest = new Uint8Array(16_384);
  try {
    while (await clientSocket.read(rest) !== null);
  } catch {
    // The client is gone, or its time is up.
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) Deno.exit(await webServer.run(Deno.args));
