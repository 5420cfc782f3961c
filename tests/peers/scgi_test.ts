/**
 * `scgi()` with nginx as the client of our server.
 *
 * @module
 */

import { connect, FrameTooLargeError, serve } from "@framewire/framewire";
import {
  scgi,
  type ScgiRequest,
  type ScgiResponse,
} from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { Recorder, writeCapture } from "../support/capture.ts";
import {
  findCommand,
  type Needed,
  PeerServer,
  testWithPeers,
} from "../support/peer_server.ts";
import { Random } from "../support/random.ts";
import { readAll, writeAll } from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

const NEEDED: Needed[] = [{ command: "nginx", package: "nginx-light" }];
const MIB = 1024 * 1024;
const AT_ONCE = 50;
const REQUESTS = 1000;

/** Starts nginx, which hands requests on to our server, and those below `/recorded` to another port. */
function startNginx(scgiPort: number, recorded: number): Promise<PeerServer> {
  const parameters = [
    "REQUEST_METHOD $request_method",
    "REQUEST_URI $request_uri",
    "QUERY_STRING $query_string",
    "CONTENT_TYPE $content_type",
    "DOCUMENT_URI $document_uri",
    "SERVER_PROTOCOL $server_protocol",
    "SCGI 1",
  ].map((one) => `scgi_param ${one};`).join("\n");
  const pass = (port: number, without = "") =>
    `{ ${parameters.replace(without, "")} scgi_pass 127.0.0.1:${port}; }`;
  return PeerServer.start({
    command: "nginx",
    async prepare(folder, port) {
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((kind) => `${kind}_temp_path ${folder.path}/${kind};`);
      await folder.write(
        "nginx.conf",
        `daemon off;
worker_processes 1;
pid ${folder.path}/pid;
error_log stderr error;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 0;
  ${temporary.join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    location / ${pass(scgiPort)}
    location /recorded ${pass(recorded)}
    location /unversioned ${pass(scgiPort, "scgi_param SCGI 1;")}
  }
}
`,
      );
    },
    args: ({ folder }) => ["-p", folder, "-c", `${folder}/nginx.conf`],
  });
}

/** Asks nginx, with nothing but the bytes given; gives the status line, the headers and the body. */
async function ask(
  port: number,
  head: string,
  body: Uint8Array = new Uint8Array(),
): Promise<{ status: string; headers: string[]; body: Uint8Array }> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const [, answer] = await Promise.all([
    writeAll(conn, concat([raw(`${head}\r\n\r\n`), body])),
    readAll(conn),
  ]);
  const end = unraw(answer).indexOf("\r\n\r\n");
  const [status, ...headers] = unraw(answer.subarray(0, end)).split("\r\n");
  return { status, headers, body: answer.subarray(end + 4) };
}

/** A request of HTTP 1.0, so that the answer ends with the connection. */
function get(path: string, ...headers: string[]): string {
  return [`GET ${path} HTTP/1.0`, "Host: localhost", ...headers].join("\r\n");
}

function post(path: string, length: number): string {
  return [`POST ${path} HTTP/1.0`, `Content-Length: ${length}`].join("\r\n");
}

/** What a program says: the request's method and path, and its body. */
function echo({ headers, body }: ScgiRequest): ScgiResponse {
  return {
    status: 200,
    headers: [
      ["Content-Type", "application/octet-stream"],
      ["X-Asked", `${headers.REQUEST_METHOD} ${headers.REQUEST_URI}`],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ],
    body,
  };
}

testWithPeers(NEEDED, "scgi() is a program behind nginx", async () => {
  const nginx = findCommand("nginx") ?? "nginx";
  const { stderr } = await new Deno.Command(nginx, { args: ["-v"] }).output();
  const version = new TextDecoder().decode(stderr).trim()
    .replace("nginx version: ", "");

  const asked: ScgiRequest[] = [];
  const faults: unknown[] = [];
  await using program = serve(
    { port: 0, onError: (error) => void faults.push(error) },
    scgi({ onOversize: "skip" }),
    async (peer) => {
      let request: ScgiRequest | null;
      try {
        request = await peer.read();
      } catch (error) {
        if (!(error instanceof FrameTooLargeError)) throw error;
        const headers: ScgiResponse["headers"] = [[
          "X-Limit",
          `${error.limit}`,
        ]];
        await peer.write({ status: 413, headers, body: new Uint8Array() });
        return;
      }
      if (request === null) return;
      asked.push(request);
      switch (request.headers.DOCUMENT_URI) {
        case "/missing":
          await peer.write({
            status: 404,
            reason: "Nicht da",
            headers: [["Content-Type", "text/plain"]],
            body: raw("nothing"),
          });
          return;
        case "/elsewhere":
          await peer.write(raw("Location: http://localhost/there\n\n"));
          return;
        case "/broken":
          await peer.write(raw("this is no header\r\n\r\n"));
          return;
        case "/pieces":
          await peer.write({ ...echo(request), body: raw("one, ") });
          for (let i = 0; i < 100; i++) await peer.write(raw("piece, "));
          await peer.write(raw("last"));
          return;
        default:
          await peer.write(echo(request));
      }
    },
  );
  await using recorder = new Recorder(program.addr.port);
  await using server = await startNginx(program.addr.port, recorder.port);
  const { port } = server;
  assertEquals(asked, []); // it was found listening without a request

  // What is recorded: one without a body, one with, one with bytes that are no UTF-8.
  const first = await ask(port, get("/recorded?q=1", "X-Test: ja"));
  assertEquals(first.status, "HTTP/1.1 200 OK");
  await ask(port, post("/recorded", 5), raw("hello"));
  await ask(port, get("/recorded/%C3%BC?\xfc", "Accept: */*", "A: 1", "A: 2"));

  const [one, two, three] = asked;
  assertEquals({ ...one.headers }, {
    REQUEST_METHOD: "GET",
    REQUEST_URI: "/recorded?q=1",
    QUERY_STRING: "q=1",
    CONTENT_TYPE: "",
    DOCUMENT_URI: "/recorded",
    SERVER_PROTOCOL: "HTTP/1.0",
    HTTP_HOST: "localhost",
    HTTP_X_TEST: "ja",
  });
  assertEquals([one.body.length, unraw(two.body)], [0, "hello"]);
  assertEquals(two.headers.REQUEST_METHOD, "POST");
  // A path is decoded by nginx, a query is not; both are bytes that need not be UTF-8.
  assertEquals(three.headers.DOCUMENT_URI, "/recorded/\xc3\xbc");
  assertEquals(three.headers.QUERY_STRING, "\xfc");
  assertEquals(three.headers.HTTP_A, "1, 2");
  if (Deno.args.includes("--record")) {
    await writeCapture("scgi", {
      what: "three requests that nginx hands on, and the answers",
      with: version,
      chunks: recorder.chunks,
    });
  }

  // Answers.
  const answer = await ask(port, get("/any"));
  assertEquals(answer.status, "HTTP/1.1 200 OK");
  assertEquals(
    answer.headers.filter((line) => /^(X-Asked|Set-Cookie)/.test(line)),
    ["X-Asked: GET /any", "Set-Cookie: a=1", "Set-Cookie: b=2"],
  );
  const missing = await ask(port, get("/missing"));
  assertEquals([missing.status, unraw(missing.body)], [
    "HTTP/1.1 404 Nicht da",
    "nothing",
  ]);
  const elsewhere = await ask(port, get("/elsewhere"));
  assertEquals(elsewhere.status, "HTTP/1.1 302 Moved Temporarily");
  const broken = await ask(port, get("/broken"));
  assertEquals(broken.status, "HTTP/1.1 502 Bad Gateway");
  const pieces = await ask(port, get("/pieces"));
  assertEquals(
    unraw(pieces.body),
    `one, ${"piece, ".repeat(100)}last`,
  );

  // Bodies: of every byte, at the limit and over it.
  const random = new Random(6);
  for (const length of [1, 4096, 65_537, MIB]) {
    const body = random.bytes(length);
    const echoed = await ask(port, post("/", length), body);
    assertEquals(echoed.body.length, length);
    assert(echoed.body.every((byte, i) => byte === body[i]), `${length} bytes`);
  }
  const over = await ask(port, post("/", MIB + 1), random.bytes(MIB + 1));
  assertEquals(over.status, "HTTP/1.1 413 Content Too Large");
  assert(over.headers.includes(`X-Limit: ${MIB}`));

  // Chunks of HTTP: nginx waits for the last, as SCGI needs a length.
  const chunked = await ask(
    port,
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked",
    raw("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"),
  );
  assert(unraw(chunked.body).includes("hello, world"));
  assertEquals(asked.at(-1)?.body, raw("hello, world"));
  // That header is about the way to nginx, and still there.
  assertEquals(asked.at(-1)?.headers.HTTP_TRANSFER_ENCODING, "chunked");

  // A thousand requests, fifty at a time.
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < REQUESTS) {
      const body = raw(`request ${next++}`);
      const echoed = await ask(port, post("/", body.length), body);
      assertEquals(echoed.body, body);
    }
  }));

  // Without `scgi_param SCGI 1` it is no SCGI, and the program says so.
  assertEquals(faults.length, 0);
  const refused = await ask(port, get("/unversioned"));
  assertEquals(refused.status, "HTTP/1.1 502 Bad Gateway");
  assertEquals(faults.map(String), [
    "MalformedFrameError: Cannot read frame: SCGI must be 1: missing",
  ]);

  // The program asked by our own client, as nginx does.
  await using client = await connect(
    { port: program.addr.port },
    scgi({ role: "client" }),
  );
  await client.write({
    headers: { REQUEST_METHOD: "PUT", REQUEST_URI: "/own" },
    body: raw("own"),
  });
  const own = await client.read();
  assertEquals([own?.status, own && unraw(own.body)], [200, "own"]);
  assertEquals(own?.headers[1], ["X-Asked", "PUT /own"]);

  console.log(
    `peer: ${version}: ${asked.length} requests, ${AT_ONCE} at a time, bodies of up to ${MIB} bytes, chunked ones, redirects, 413 and 502`,
  );
});
