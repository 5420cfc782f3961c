/**
 * The chat server as a process, with clients that are lines on a socket.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, type Framing, lines } from "@framewire/framewire";
import { masked, type RunningProgram } from "../support/running_program.ts";
import { readAll, writeAll } from "../support/sockets.ts";
import {
  connectTo,
  resetAfter,
  send,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";
import { unraw } from "../support/wire.ts";

const SERVER = "cli/chat_server.ts";

/** Joins, and waits until the server says so. */
async function join(
  name: string,
  server: RunningProgram,
  port: number,
): Promise<Framing<string>> {
  const peer = await connect({ port }, lines());
  await peer.write(name);
  assertMatch(await server.line(), /^\S+ joined from 127\.0\.0\.1:\d+$/);
  return peer;
}

/** What a client hears next, as often as told. */
async function hear(peer: Framing<string>, count: number): Promise<unknown[]> {
  const heard: unknown[] = [];
  while (heard.length < count) heard.push(await peer.read());
  return heard;
}

/** Leaves, and hears what there was to hear: who closes before that resets the connection. */
async function leave(peer: Framing<string>): Promise<void> {
  await peer.closeWrite();
  while (await peer.read() !== null);
  await peer.close();
}

Deno.test("chat-server passes on what each says to all others, with names", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    await using ben = await join("ben", server, port);
    await using cid = await join("Ñandú_3-b", server, port);
    assertEquals(await hear(ana, 3), [
      "* you are ana",
      "* ben joined",
      "* Ñandú_3-b joined",
    ]);
    assertEquals(await hear(ben, 3), [
      "* you are ben",
      "* ana is here",
      "* Ñandú_3-b joined",
    ]);
    assertEquals(await hear(cid, 3), [
      "* you are Ñandú_3-b",
      "* ana is here",
      "* ben is here",
    ]);
    await ben.write("Good morning!");
    await ben.write("Grüße 🐰");
    for (const other of [ana, cid]) {
      assertEquals(await hear(other, 2), [
        "ben: Good morning!",
        "ben: Grüße 🐰",
      ]);
    }
    await ana.write("");
    assertEquals(await hear(ben, 1), ["ana: "]);
    assertEquals(await server.lines(3), [
      "ben: Good morning!",
      "ben: Grüße 🐰",
      "ana: ",
    ]);
  }));

Deno.test("chat-server tells the others that somebody left, who hears the rest", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    await using ben = await join("ben", server, port);
    await hear(ana, 2);
    await hear(ben, 2);
    await ben.write("bye");
    await ben.closeWrite();
    assertEquals(await ben.read(), null);
    assertEquals(await hear(ana, 2), ["ben: bye", "* ben left"]);
    assertEquals(await server.lines(2), ["ben: bye", "ben left"]);
    server.interrupt();
    assertEquals(await ana.read(), null);
    await ana.close();
    assertEquals(await server.end(), {
      ...STOPPED,
      out: [...STOPPED.out, "ana left"],
    });
  }));

Deno.test("chat-server gives everybody a name of their own, and names that are free again", () =>
  withServer(SERVER, [], async (server, port) => {
    await using first = await join("ana", server, port);
    {
      await using second = await join("ana", server, port);
      await using third = await join("ana", server, port);
      assertEquals(await hear(second, 2), ["* you are ana2", "* ana is here"]);
      assertEquals(await hear(third, 1), ["* you are ana3"]);
      await leave(third);
      await leave(second);
      assertEquals(await server.lines(2), ["ana3 left", "ana2 left"]);
    }
    await using fourth = await join("ana", server, port);
    assertEquals(await hear(fourth, 1), ["* you are ana2"]);
    assertEquals(await hear(first, 1), ["* you are ana"]);
  }));

for (
  const [text, shown] of [
    ["", ""],
    ["two words", "two words"],
    ["a:", "a:"],
    ["* ana", "* ana"],
    ["\x1b[2J", String.raw`\x1b[2J`],
    ["x".repeat(21), "x".repeat(21)],
    ["x".repeat(5000), "x".repeat(40)],
  ]
) {
  Deno.test(`chat-server refuses the name ${JSON.stringify(shown)}`, () =>
    withServer(SERVER, [], async (server, port) => {
      await using ana = await join("ana", server, port);
      await using peer = await connect({ port }, lines());
      await peer.write(text);
      assertEquals(await hear(peer, 2), [
        "* a name has 1 to 20 letters, digits, - or _",
        null,
      ]);
      assertEquals(masked([await server.line()]), [
        `refused 127.0.0.1:*: "${shown}" is no name`,
      ]);
      await using ben = await join("ben", server, port);
      assertEquals(await hear(ana, 2), ["* you are ana", "* ben joined"]);
      assertEquals(await hear(ben, 1), ["* you are ben"]);
    }));
}

Deno.test("chat-server lets nobody steer another's terminal", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    await using ben = await join("ben", server, port);
    await hear(ana, 2);
    await ben.write("\x1b[2J\r\u2028!");
    const said = String.raw`ben: \x1b[2J\r\u2028!`;
    assertEquals(await hear(ana, 1), [said]);
    assertEquals(await server.line(), said);
  }));

Deno.test("chat-server passes on a line of 4096 characters, and none that is longer", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    await using ben = await join("ben", server, port);
    await hear(ana, 2);
    await hear(ben, 2);
    // These are the ones that take the most room.
    const longest = "\u2028".repeat(4096);
    await ben.write("x".repeat(4097));
    await ben.write(longest);
    assertEquals(await hear(ben, 1), [
      "* too long: at most 4096 characters a line",
    ]);
    const [[heard], line] = await Promise.all([hear(ana, 1), server.line()]);
    assertEquals(heard, "ben: " + String.raw`\u2028`.repeat(4096));
    assertEquals(line, heard);
  }));

for (
  const [name, wire, error] of [
    [
      "a line that has no end",
      "x".repeat(70_000),
      /^error: Cannot read frame: .* exceeds maxFrameLength of 65536 bytes from /,
    ],
    [
      "bytes that are no text",
      "\xff\n",
      /^error: Cannot decode frame: .* UTF-8 from /,
    ],
  ] as const
) {
  Deno.test(`chat-server sends away who sends ${name}, and nobody else`, () =>
    withServer(SERVER, [], async (server, port) => {
      await using ana = await join("ana", server, port);
      using conn = await connectTo(port);
      await send(conn, "ben\n");
      await server.line();
      await send(conn, wire).catch((error) => {
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      });
      const [left, line] = await server.lines(2);
      assertEquals(left, "ben left");
      assertMatch(line, error);
      assertEquals(await hear(ana, 3), [
        "* you are ana",
        "* ben joined",
        "* ben left",
      ]);
    }));
}

Deno.test("chat-server lets go of a client that resets its connection", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    await resetAfter("ben\n", port, () => server.line());
    const [left, line] = await server.lines(2);
    assertEquals(left, "ben left");
    assertMatch(
      line,
      /^error: Cannot (read|write) frame: the peer reset the connection from /,
    );
    assertEquals(await hear(ana, 3), [
      "* you are ana",
      "* ben joined",
      "* ben left",
    ]);
  }));

Deno.test("chat-server drops a client that does not read, and keeps nobody waiting for it", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    await using ben = await join("ben", server, port);
    using deaf = await connectTo(port);
    await send(deaf, "deaf\n");
    await server.line();
    await hear(ben, 3);
    const line = "x".repeat(4096);
    const printed: string[] = [];
    const heard: unknown[] = [];
    // What the system takes for it comes on top of what is kept.
    for (let said = 0; said < 10_000 && heard.length === 0; said++) {
      await ana.write(line);
      let next: unknown;
      while ((next = await ben.read()) !== `ana: ${line}`) heard.push(next);
      while ((next = await server.line()) !== `ana: ${line}`) {
        printed.push(String(next));
      }
    }
    assertEquals(heard, ["* deaf left"]);
    const [dropped, left] = printed;
    assertMatch(dropped, /^deaf dropped: \d+ bytes unread$/);
    assertEquals(left, "deaf left");
    const unread = Number(dropped.match(/\d+/)?.[0]);
    assert(unread > 256 * 1024 && unread < 256 * 1024 + 5000, dropped);
    assert(unraw(await readAll(deaf)).startsWith("* you are deaf\n"));
  }));

Deno.test("chat-server hears a client that sends and never reads", () =>
  withServer(SERVER, [], async (server, port) => {
    await using ana = await join("ana", server, port);
    using mute = await connectTo(port);
    await send(mute, "mute\n");
    await server.line();
    await hear(ana, 2);
    await writeAll(mute, new TextEncoder().encode("hear me\n".repeat(1000)));
    const [heard] = await Promise.all([hear(ana, 1000), server.lines(1000)]);
    assertEquals(new Set(heard), new Set(["mute: hear me"]));
  }));
