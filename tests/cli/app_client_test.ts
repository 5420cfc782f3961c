/**
 * The application client as a process.
 *
 * @module
 */

import {
  type Handler,
  Message,
  messages,
  reply,
  serve,
} from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { makeRequest } from "../../cli/app_client.ts";
import { search } from "../../lib/app/search.ts";
import {
  type Ending,
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { raw } from "../support/wire.ts";

const APP_CLIENT = "cli/app_client.ts";
const HOSTNAME = "127.0.0.1";
const USAGE = "usage: app-client <host> <port> <action> <value>";

/** Runs the client against a server in this process; ports are masked. */
async function runAgainst(
  handler: Handler<Message>,
  action: string,
  value: string,
): Promise<Ending> {
  await using server = serve({ port: 0 }, messages(), handler);
  const port = String(server.addr.port);
  const ending = await runProgram(
    APP_CLIENT,
    [HOSTNAME, port, action, value],
    { net: `${HOSTNAME}:${port}` },
  );
  const mask = (line: string) => line.replaceAll(`:${port}`, ":*");
  return { ...ending, out: ending.out.map(mask), err: ending.err.map(mask) };
}

const TO = "127.0.0.1:*";

for (
  const [action, value, sending, received, got] of [
    [
      "search",
      "morpheus",
      String
        .raw`b'\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 41}{"action": "search", "value": "morpheus"}'`,
      "response {'result': 'Follow the white rabbit. 🐰'}",
      "result: Follow the white rabbit. 🐰",
    ],
    [
      "search",
      "🐶",
      String
        .raw`b'\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 37}{"action": "search", "value": "\xf0\x9f\x90\xb6"}'`,
      "response {'result': '🐾 Playing ball! 🏐'}",
      "result: 🐾 Playing ball! 🏐",
    ],
    [
      "search",
      "it's",
      String
        .raw`b'\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 37}{"action": "search", "value": "it\'s"}'`,
      String.raw`response {'result': 'No match for "it\'s".'}`,
      `result: No match for "it's".`,
    ],
    [
      "binary",
      "😃",
      String
        .raw`b'\x00\x7f{"byteorder": "little", "content-type": "binary/custom-client-binary-type", "content-encoding": "binary", "content-length": 10}binary\xf0\x9f\x98\x83'`,
      "binary/custom-server-binary-type response",
      String
        .raw`response: b'First 10 bytes of request: binary\xf0\x9f\x98\x83'`,
    ],
  ]
) {
  Deno.test(`app-client prints for ${action} ${value} what the tutorial prints`, async () => {
    assertEquals(await runAgainst(reply(search), action, value), {
      code: 0,
      out: [
        `starting connection to ${TO}`,
        `sending ${sending} to ${TO}`,
        `received ${received} from ${TO}`,
        `got ${got}`,
        `closing connection to ${TO}`,
      ],
      err: [],
    });
  });
}

for (
  const [content, received, result] of [
    [{ result: [1, true] }, "{'result': [1, True]}", "[1, True]"],
    [{ other: 1 }, "{'other': 1}", "None"],
    [null, "None", "None"],
    [["a"], "['a']", "None"],
    [
      { result: "a\n\u001b[2J" },
      String.raw`{'result': 'a\n\x1b[2J'}`,
      String.raw`a\n\x1b[2J`,
    ],
  ] as const
) {
  Deno.test(`app-client prints ${received} when that is the response`, async () => {
    const answer = reply(() => Message.json(content));
    const { code, out } = await runAgainst(answer, "search", "ring");
    assertEquals(code, 0);
    assertEquals(out.slice(2, 4), [
      `received response ${received} from ${TO}`,
      `got result: ${result}`,
    ]);
  });
}

Deno.test("app-client says that the server closed without a response", async () => {
  const { code, out, err } = await runAgainst(
    async (peer) => {
      await peer.read();
    },
    "search",
    "ring",
  );
  assertEquals([code, out.length], [1, 2]);
  assertEquals(err, [
    "app-client: Cannot read response: the server closed the connection without one",
  ]);
});

Deno.test("app-client says that the response is not what it says it is", async () => {
  const answer = reply(() => Message.text("ring", "text/json"));
  const { code, err } = await runAgainst(answer, "search", "ring");
  assertEquals([code, err.length], [1, 1]);
  assert(err[0].startsWith("app-client: Cannot read content as JSON: "));
});

Deno.test("app-client says that the server speaks something else", async () => {
  using listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  const { port } = listener.addr;
  async function greet(): Promise<void> {
    using conn = await listener.accept();
    await conn.write(raw("SSH-2.0-OpenSSH_9.2\r\n"));
    await conn.read(new Uint8Array(1000));
  }
  const [ending] = await Promise.all([
    runProgram(APP_CLIENT, [HOSTNAME, String(port), "search", "ring"], {
      net: `${HOSTNAME}:${port}`,
    }),
    greet(),
  ]);
  assertEquals([ending.code, ending.err], [1, [
    "app-client: Cannot read frame: header length 21331 exceeds maxHeaderLength of 8192 bytes: the bytes b'SSH-' look like SSH",
  ]]);
});

Deno.test("app-client says that nobody listens", async () => {
  const port = freePort();
  const net = `${HOSTNAME}:${port}`;
  const args = [HOSTNAME, String(port), "search", "ring"];
  assertEquals(await runProgram(APP_CLIENT, args, { net }), {
    code: 1,
    out: [`starting connection to ${net}`],
    err: [`app-client: ${net}: connection refused; is the server running?`],
  });
});

Deno.test("app-client says that there is no such host", async () => {
  const net = "nowhere.invalid:7";
  const args = ["nowhere.invalid", "7", "search", "ring"];
  assertEquals(await runProgram(APP_CLIENT, args, { net }), {
    code: 1,
    out: [`starting connection to ${net}`],
    err: [`app-client: ${net}: unknown host`],
  });
});

Deno.test("app-client says which permission it needs", async () => {
  assertEquals(await runProgram(APP_CLIENT, ["::1", "7", "search", "ring"]), {
    code: 1,
    out: ["starting connection to [::1]:7"],
    err: ["app-client: needs permission: run again with --allow-net=[::1]:7"],
  });
});

Deno.test("app-client ends on Ctrl-C while it waits for the response", async () => {
  const received = Promise.withResolvers<void>();
  await using server = serve({ port: 0 }, messages(), async (peer) => {
    await peer.read();
    received.resolve();
    await peer.read();
  });
  const port = String(server.addr.port);
  await using client = startProgram(
    APP_CLIENT,
    [HOSTNAME, port, "search", "ring"],
    { net: `${HOSTNAME}:${port}` },
  );
  await received.promise;
  await client.lines(2);
  client.interrupt();
  assertEquals(await client.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
});

for (const args of [[], [HOSTNAME], [HOSTNAME, "65432", "search"]]) {
  Deno.test(`app-client prints its usage when it is given ${args.length} arguments`, async () => {
    const ending = await runProgram(APP_CLIENT, args);
    assertEquals(ending, { code: 2, out: [], err: [USAGE] });
  });
}

Deno.test("makeRequest() makes JSON of a search and bytes of anything else", () => {
  const json = makeRequest("search", "ring");
  assertEquals(json.header.contentType, "text/json");
  assertEquals(json.json(), { action: "search", value: "ring" });
  const binary = makeRequest("Search", "é");
  assertEquals(binary.header.contentType, "binary/custom-client-binary-type");
  assertEquals(binary.content, raw("Search\xc3\xa9"));
});
