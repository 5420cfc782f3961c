/**
 * The programs for the web with the server and the client of Python's library.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  masked,
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { runPeerClient, startPeerServer, testWithPython } from "./python.ts";

for (
  const [target, status, page] of [
    ["/index.html", "200 OK", "<p>Grüße 🐰</p>"],
    ["/nowhere", "404 Not Found", "nothing here"],
  ]
) {
  testWithPython(
    `http-get prints what a server in Python answers to ${target}`,
    async () => {
      const [program, port] = await startPeerServer("web");
      await using server = program;
      const address = `127.0.0.1:${port}`;
      const { code, out, err } = await runProgram(
        "cli/http_get.ts",
        ["127.0.0.1", port, target],
        { net: address },
      );
      assertEquals([code, err], [0, []]);
      const length = new TextEncoder().encode(page + "\n").length;
      const head = out.filter((line) => !/^(Server|Date): /.test(line));
      assertEquals(head, [
        `HTTP/1.0 ${status}`,
        "Content-Type: text/html; charset=utf-8",
        `Content-Length: ${length}`,
        "",
        page,
        "",
      ]);
      assertEquals(await server.end(), {
        code: 0,
        out: [`GET ${target} HTTP/1.0 for ${address}`],
        err: [],
      });
    },
  );
}

testWithPython("url-get prints the page of a server in Python", async () => {
  const [program, port] = await startPeerServer("web");
  await using server = program;
  const { code, out, err } = await runProgram(
    "cli/url_get.ts",
    [`http://127.0.0.1:${port}/index.html`],
    { net: `127.0.0.1:${port}` },
  );
  assertEquals([code, out[0], err], [0, "<p>Grüße 🐰</p>", []]);
  assertEquals((await server.end()).code, 0);
});

for (
  const [method, target, status, hasBody] of [
    ["GET", "/", "200 OK", true],
    ["GET", "/index.html?q=1", "200 OK", true],
    ["HEAD", "/", "200 OK", false],
    ["GET", "/nowhere", "404 Not Found", true],
    ["DELETE", "/", "501 Not Implemented", true],
  ] as const
) {
  testWithPython(
    `web-server answers ${method} ${target} of a client in Python`,
    async () => {
      await using server = startProgram(
        "cli/web_server.ts",
        ["127.0.0.1", "0"],
        {
          net: "127.0.0.1:0",
        },
      );
      const port = String(portIn(await server.line()));
      const client = await runPeerClient("web", [port, method, target]);
      assertEquals([client.code, client.err], [0, []]);
      const { body, length, ...answer } = JSON.parse(client.out.join());
      assertEquals(answer, { status, type: "text/html", closes: true });
      assertEquals(
        new TextEncoder().encode(body).length,
        hasBody ? length : 0,
      );
      assertEquals(masked(await server.lines(4)), [
        "accepted connection from 127.0.0.1:*",
        `received ${method} ${target} HTTP/1.1 from 127.0.0.1:*`,
        `sending HTTP/1.0 ${status} to 127.0.0.1:*`,
        "closing connection to 127.0.0.1:*",
      ]);
      server.interrupt();
      assertEquals((await server.end()).code, 130);
    },
  );
}
