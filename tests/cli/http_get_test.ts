/**
 * The HTTP client by hand, as a process. That it works with the web server is tested with that one.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import {
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { dribble, receive, runAgainst, send } from "../support/tutorial.ts";

const CLIENT = "cli/http_get.ts";
const USAGE = "usage: http-get [<host>] [<port>] [<target>]";

/** Reads a request up to its end. */
async function requestOf(conn: Deno.Conn): Promise<string[]> {
  let request = "";
  while (!request.endsWith("\r\n\r\n")) request += await receive(conn, 1);
  return request.split("\r\n");
}

Deno.test("http-get sends a request and prints all that comes, however it comes", async () => {
  const ending = await runAgainst(
    async (conn) => {
      const { hostname, port } = conn.localAddr;
      assertEquals(await requestOf(conn), [
        "GET /a?b=c HTTP/1.0",
        `Host: ${hostname}:${port}`,
        "",
        "",
      ]);
      await dribble(
        conn,
        "HTTP/1.0 200 OK\r\n\r\nGr\xc3\xbc\xc3\x9fe\x1b[2J\n\nend",
      );
    },
    CLIENT,
    ["/a?b=c"],
  );
  assertEquals(ending, {
    code: 0,
    out: ["HTTP/1.0 200 OK", "", String.raw`Grüße\x1b[2J`, "", "end"],
    err: [],
  });
});

Deno.test("http-get asks for /index.html, and prints that nothing came", async () => {
  const ending = await runAgainst(async (conn) => {
    assertEquals((await requestOf(conn))[0], "GET /index.html HTTP/1.0");
  }, CLIENT);
  assertEquals(ending, { code: 0, out: [""], err: [] });
});

Deno.test("http-get joins many chunks", async () => {
  const ending = await runAgainst(async (conn) => {
    await requestOf(conn);
    for (let i = 0; i < 100; i++) await send(conn, "0123456789".repeat(1000));
  }, CLIENT);
  assertEquals(ending, {
    code: 0,
    out: ["0123456789".repeat(100_000)],
    err: [],
  });
});

Deno.test("http-get says that an answer is too long", async () => {
  const ending = await runAgainst(async (conn) => {
    await requestOf(conn);
    const much = new Uint8Array(64 * 1024);
    try {
      while (true) await conn.write(much);
    } catch (error) {
      assertMatch(String(error), /BrokenPipe|ConnectionReset/);
    }
  }, CLIENT);
  assertEquals(ending, {
    code: 1,
    out: [],
    err: ["http-get: Cannot receive: the answer exceeds 16777216 bytes"],
  });
});

for (const target of ["index.html", "/a b", "/\r\nX: y", "/ä", ""]) {
  Deno.test(`http-get refuses to ask for ${JSON.stringify(target)}`, async () => {
    const args = ["127.0.0.1", "1", target];
    const { code, out, err } = await runProgram(CLIENT, args);
    assertEquals([code, out, err[0], err.length], [2, [], USAGE, 2]);
    assertMatch(err[1], /^http-get: target must begin with a slash and be /);
  });
}

Deno.test("http-get says that nobody listens", async () => {
  const port = freePort();
  const net = `127.0.0.1:${port}`;
  assertEquals(await runProgram(CLIENT, ["127.0.0.1", String(port)], { net }), {
    code: 1,
    out: [],
    err: [`http-get: ${net}: connection refused; is the server running?`],
  });
});

Deno.test("http-get ends on Ctrl-C while it waits", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using client = startProgram(CLIENT, ["127.0.0.1", String(port)], {
    net: `127.0.0.1:${port}`,
  });
  using conn = await listener.accept();
  await requestOf(conn);
  client.interrupt();
  assertEquals(await client.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
});
