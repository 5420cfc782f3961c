/**
 * The chat client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Framing, lines } from "@framewire/framewire";
import {
  masked,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { interrupted, STOPPED, withServer } from "../support/tutorial.ts";

const CLIENT = "cli/chat_client.ts";
const SERVER = "cli/chat_server.ts";

function startClient(
  port: number,
  args: readonly string[] = [],
): RunningProgram {
  return startProgram(CLIENT, ["127.0.0.1", String(port), ...args], {
    net: `127.0.0.1:${port}`,
    typing: true,
  });
}

Deno.test("chat-client says what is typed and prints what others say", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = startClient(port, ["--name", "ana"]);
    assertEquals(await ana.line(), "* you are ana");
    await using ben = startClient(port, ["--name=ben"]);
    assertEquals(await ben.lines(2), ["* you are ben", "* ana is here"]);
    assertEquals(await ana.line(), "* ben joined");
    await ana.type("Good ");
    await ana.type("morning!\n\nGrüße\n");
    assertEquals(await ben.lines(2), ["ana: Good morning!", "ana: Grüße"]);
    await ben.type("the last, without an end");
    await ben.endInput();
    assertEquals(await ben.end(), { code: 0, out: [], err: [] });
    assertEquals(await ana.lines(2), [
      "ben: the last, without an end",
      "* ben left",
    ]);
    await ana.endInput();
    assertEquals(await ana.end(), { code: 0, out: [], err: [] });
    assertEquals(masked(await server.lines(7)), [
      "ana joined from 127.0.0.1:*",
      "ben joined from 127.0.0.1:*",
      "ana: Good morning!",
      "ana: Grüße",
      "ben: the last, without an end",
      "ben left",
      "ana left",
    ]);
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("chat-client hears what comes after its own end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using client = startClient(listener.addr.port);
  await using peer = new Framing(await listener.accept(), lines());
  assertEquals(await peer.read(), "guest");
  await client.endInput();
  assertEquals(await peer.read(), null);
  await peer.write("one more thing\x1b[2J");
  await peer.close();
  assertEquals(await client.end(), {
    code: 0,
    out: [String.raw`one more thing\x1b[2J`],
    err: [],
  });
});

Deno.test("chat-client says that the server closed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using client = startClient(listener.addr.port);
  const peer = new Framing(await listener.accept(), lines());
  assertEquals(await peer.read(), "guest");
  await peer.close();
  assertEquals(await client.end(), {
    code: 1,
    out: [],
    err: ["chat-client: Cannot chat: the server closed"],
  });
});

Deno.test("chat-client says that what is typed is no text", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using client = startClient(listener.addr.port);
  await using peer = new Framing(await listener.accept(), lines());
  await client.type("x".repeat(70_000));
  const { code, out, err } = await client.end();
  assertEquals([code, out, err.length], [1, [], 1]);
  assertEquals(
    /^chat-client: Cannot read frame: .* exceeds maxFrameLength of 65536 bytes$/
      .test(err[0]),
    true,
    err[0],
  );
  assertEquals(await peer.read(), "guest");
});

Deno.test("chat-client ends on Ctrl-C", () =>
  withServer(SERVER, [], async (server, port) => {
    await using client = startClient(port);
    await client.line();
    assertEquals(await interrupted(client), STOPPED);
    assertEquals(masked(await server.lines(2)), [
      "guest joined from 127.0.0.1:*",
      "guest left",
    ]);
  }));

for (const name of ["two words", "*", "x".repeat(21)]) {
  Deno.test(`chat-client refuses the name ${JSON.stringify(name)}`, async () => {
    assertEquals(await runProgram(CLIENT, ["--name", name]), {
      code: 2,
      out: [],
      err: [
        "usage: chat-client [<host>] [<port>] [--name <value>]",
        `chat-client: name must have 1 to 20 letters, digits, - or _: it is "${name}"`,
      ],
    });
  });
}
