/**
 * The web server as a process, and its clients.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { formatAddr } from "@framewire/framewire";
import { bracketed, LOOPBACK } from "../support/loopback.ts";
import {
  masked,
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { readAll } from "../support/sockets.ts";
import {
  connectTo,
  dribble,
  interrupted,
  resetAfter,
  send,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";
import { unraw } from "../support/wire.ts";

const SERVER = "cli/web_server.ts";
const PAGE = [
  "<!DOCTYPE html>",
  '<html lang="en">',
  "<head><title>Framewire</title></head>",
  "<body><h1>Hello, world</h1></body>",
  "</html>",
  "",
];
const HEAD = ["HTTP/1.0 200 OK", "Content-type: text/html"];

Deno.test("web-server shows http-get and url-get its page", () =>
  withServer(SERVER, [], async (server, port) => {
    const net = `127.0.0.1:${port}`;
    const args = ["127.0.0.1", String(port)];
    const byHand = await runProgram("cli/http_get.ts", args, { net });
    const length = PAGE.join("\n").length;
    assertEquals(byHand, {
      code: 0,
      out: [...HEAD, `Content-length: ${length}`, "", ...PAGE],
      err: [],
    });
    const url = `http://${net}/?from=fetch`;
    const byFetch = await runProgram("cli/url_get.ts", [url], { net });
    assertEquals(byFetch, { code: 0, out: PAGE, err: [] });
    assertEquals(masked(await server.lines(8)), [
      "accepted connection from 127.0.0.1:*",
      "received GET /index.html HTTP/1.0 from 127.0.0.1:*",
      "sending HTTP/1.0 200 OK to 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
      "accepted connection from 127.0.0.1:*",
      "received GET /?from=fetch HTTP/1.1 from 127.0.0.1:*",
      "sending HTTP/1.0 200 OK to 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ]);
    assertEquals(await interrupted(server), STOPPED);
  }));

for (const hostname of LOOPBACK) {
  Deno.test(`web-server listens on ${hostname}`, async () => {
    const net = bracketed(hostname);
    await using server = startProgram(SERVER, [hostname, "0"], {
      net: `${net}:0`,
    });
    const line = await server.line();
    const port = portIn(line);
    assertEquals(line, `listening on ${net}:${port}`);
    const { code, out } = await runProgram(
      "cli/http_get.ts",
      [hostname, String(port), "/"],
      { net: `${net}:${port}` },
    );
    assertEquals([code, out[0]], [0, HEAD[0]]);
  });
}

/** Sends a request and gives the answer; checks that the server printed a line for each step. */
async function answerTo(
  request: string,
  server: RunningProgram,
  port: number,
): Promise<{ received: string; status: string; body: string }> {
  using conn = await connectTo(port);
  await send(conn, request);
  const text = unraw(await readAll(conn));
  conn.close();
  const [head, body] = text.split("\r\n\r\n");
  const [statusLine, type, length, ...more] = head.split("\r\n");
  assertEquals([type, length, more], [
    "Content-type: text/html",
    `Content-length: ${body.length}`,
    [],
  ]);
  const client = formatAddr(conn.localAddr);
  const [accepted, received, sending, closing] = await server.lines(4);
  assertEquals([accepted, sending, closing], [
    `accepted connection from ${client}`,
    `sending ${statusLine} to ${client}`,
    `closing connection to ${client}`,
  ]);
  assertMatch(received, RegExp(`^received .* from ${client}$`));
  return {
    received: received.slice("received ".length, -` from ${client}`.length),
    status: statusLine,
    body,
  };
}

const END = "\r\n\r\n";

for (
  const [name, request, status, received] of [
    ["a word that is no HTTP", "hello\n", 400, "hello"],
    ["a line without its version", "GET /" + END, 400, "GET /"],
    ["another protocol's version", "GET / RTSP/1.0\n", 400, "GET / RTSP/1.0"],
    ["a method in small letters", "get / HTTP/1.0\n", 400, "get / HTTP/1.0"],
    ["an empty line", "\r\n", 400, ""],
    ["bytes that are no text", "GET /\xff HTTP/1.0\n", 400, ""],
    ["orders to the terminal", "\x1b[2J\n", 400, String.raw`\x1b[2J`],
    [
      "a method that it does not have",
      `POST / HTTP/1.1${END}`,
      501,
      "POST / HTTP/1.1",
    ],
    [
      "a page that it does not have",
      `GET /../etc HTTP/1.0${END}`,
      404,
      "GET /../etc HTTP/1.0",
    ],
    ["a line that is too long", "GET /" + "x".repeat(8192), 431, ""],
    [
      "too many lines",
      "GET / HTTP/1.0\n" + "a: b\n".repeat(2000),
      431,
      "GET / HTTP/1.0",
    ],
    ["line feeds alone", "GET / HTTP/1.0\nHost: x\n\n", 200, "GET / HTTP/1.0"],
    [
      "a request and much behind it",
      `GET / HTTP/1.0${END}` + "x".repeat(300_000),
      200,
      "GET / HTTP/1.0",
    ],
  ] as const
) {
  Deno.test(`web-server answers ${name} with ${status}`, () =>
    withServer(SERVER, [], async (server, port) => {
      const answer = await answerTo(request, server, port);
      assertEquals(answer.received, received);
      assertEquals(answer.status.split(" ").slice(0, 2), [
        "HTTP/1.0",
        String(status),
      ]);
      if (status !== 200) {
        const words = answer.status.slice("HTTP/1.0 ".length);
        assertEquals(answer.body, `<h1>${words}</h1>\n`);
      }
      // Nobody else has suffered.
      const next = await answerTo(`GET / HTTP/1.0${END}`, server, port);
      assertEquals(next.status, HEAD[0]);
    }));
}

Deno.test("web-server answers HEAD without the page", () =>
  withServer(SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await send(conn, `HEAD / HTTP/1.0${END}`);
    const text = unraw(await readAll(conn));
    assertEquals(
      text,
      `${HEAD.join("\r\n")}\r\nContent-length: ${PAGE.join("\n").length}${END}`,
    );
    await server.lines(2);
  }));

Deno.test("web-server answers a request that comes byte by byte, and others meanwhile", () =>
  withServer(SERVER, [], async (server, port) => {
    using slow = await connectTo(port);
    await server.line();
    await dribble(slow, "GET / HT");
    await answerTo(`GET / HTTP/1.0${END}`, server, port);
    await dribble(slow, `TP/1.0\r\nHost: x${END}`);
    assertEquals(unraw(await readAll(slow)).split("\r\n")[0], HEAD[0]);
  }));

Deno.test("web-server answers a head that breaks off with 400, and nothing with nothing", () =>
  withServer(SERVER, [], async (server, port) => {
    for (
      const [request, answer] of [
        ["GET / HTTP/1.0\r\nHost: x\r\n", "HTTP/1.0 400 Bad Request"],
        ["GET / HT", "HTTP/1.0 400 Bad Request"],
        ["", ""],
      ]
    ) {
      using conn = await connectTo(port);
      await send(conn, request);
      await conn.closeWrite();
      assertEquals(unraw(await readAll(conn)).split("\r\n")[0], answer);
      conn.close();
      await server.lines(answer === "" ? 2 : 4);
    }
  }));

Deno.test("web-server prints a line for a reset, and goes on", () =>
  withServer(SERVER, [], async (server, port) => {
    await resetAfter("GET", port, () => server.line());
    assertEquals(masked(await server.lines(2)), [
      "error: Cannot read frame: the peer reset the connection after 3 bytes of a frame from 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ]);
    await answerTo(`GET / HTTP/1.0${END}`, server, port);
  }));

Deno.test("web-server ends on Ctrl-C, and closes connections without a request", () =>
  withServer(SERVER, [], async (server, port) => {
    using silent = await connectTo(port);
    using half = await connectTo(port);
    await send(half, "GET / ");
    await server.lines(2);
    const { code, out, err } = await interrupted(server);
    assertEquals([code, out, err], [130, [
      "caught keyboard interrupt, exiting",
      "closing connection to 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ], []]);
    assertEquals(await readAll(silent), new Uint8Array());
    await readAll(half).catch((error) => {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    });
  }));

Deno.test("web-server sends its answer before it ends on Ctrl-C", () =>
  withServer(SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await send(conn, `GET / HTTP/1.0${END}`);
    await server.lines(3);
    server.interrupt();
    assertEquals(await server.line(), STOPPED.out[0]);
    const text = unraw(await readAll(conn));
    assertEquals(text.endsWith(PAGE.join("\n")), true);
    conn.close();
    const { code, out } = await server.end();
    assertEquals([code, masked(out)], [130, [
      "closing connection to 127.0.0.1:*",
    ]]);
  }));
