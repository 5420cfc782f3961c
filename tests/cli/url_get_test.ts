/**
 * The client around `fetch`, as a process. That it works with the web server is tested with that one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type Ending,
  freePort,
  runProgram,
} from "../support/running_program.ts";

const CLIENT = "cli/url_get.ts";

/** Gets `/` of a server that answers as told; in what is printed, the port is masked. */
async function getFrom(answer: () => Response): Promise<Ending> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    answer,
  );
  const net = `127.0.0.1:${server.addr.port}`;
  const ending = await runProgram(CLIENT, [`http://${net}/`], { net });
  return {
    ...ending,
    err: ending.err.map((line) => line.replaceAll(net, "HOST")),
  };
}

Deno.test("url-get prints text, line by line and safe to look at", async () => {
  assertEquals(await getFrom(() => new Response("Grüße\x1b[2J\r\n\nend")), {
    code: 0,
    out: [String.raw`Grüße\x1b[2J`, "", "end"],
    err: [],
  });
});

Deno.test("url-get prints that the page is empty", async () => {
  assertEquals(await getFrom(() => new Response()), {
    code: 0,
    out: [""],
    err: [],
  });
});

Deno.test("url-get says what the server says", async () => {
  assertEquals(await getFrom(() => new Response("?", { status: 404 })), {
    code: 1,
    out: [],
    err: ["url-get: Cannot get http://HOST/: the server says 404 Not Found"],
  });
});

Deno.test("url-get says that an answer is too long", async () => {
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
  });
  assertEquals(await getFrom(() => new Response(endless)), {
    code: 1,
    out: [],
    err: [
      "url-get: Cannot get http://HOST/: the answer exceeds 16777216 bytes",
    ],
  });
});

Deno.test("url-get notices that an answer broke off", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  async function breakOff(): Promise<void> {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(1024));
    const half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    await conn.write(new TextEncoder().encode(half));
  }
  const net = `127.0.0.1:${listener.addr.port}`;
  const [{ code, out, err }] = await Promise.all([
    runProgram(CLIENT, [`http://${net}/`], { net }),
    breakOff(),
  ]);
  assertEquals([code, out, err.length], [1, [], 1]);
  assertEquals(err[0].startsWith(`url-get: Cannot get http://${net}/: `), true);
});

Deno.test("url-get says that nobody listens", async () => {
  const net = `127.0.0.1:${freePort()}`;
  assertEquals(await runProgram(CLIENT, [`http://${net}/`], { net }), {
    code: 1,
    out: [],
    err: [
      `url-get: Cannot get http://${net}/: client error (Connect): tcp connect error: Connection refused`,
    ],
  });
});

Deno.test("url-get goes only where it may, also when it is sent on", async () => {
  const ending = await getFrom(() =>
    Response.redirect("http://example.invalid/")
  );
  assertEquals(ending, {
    code: 1,
    out: [],
    err: [
      "url-get: needs permission: run again with --allow-net=example.invalid:80",
    ],
  });
});

for (const url of ["example.com", "file:///etc/passwd", "http://", ""]) {
  Deno.test(`url-get refuses to get ${JSON.stringify(url)}`, async () => {
    assertEquals(await runProgram(CLIENT, [url]), {
      code: 2,
      out: [],
      err: [
        "usage: url-get <url>",
        `url-get: url must be an http or https URL: it is "${url}"`,
      ],
    });
  });
}

Deno.test("url-get prints only its usage when the URL is missing", async () => {
  assertEquals(await runProgram(CLIENT), {
    code: 2,
    out: [],
    err: ["usage: url-get <url>"],
  });
});
