/**
 * The typed server as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { masked } from "../support/running_program.ts";
import {
  connectTo,
  dribble,
  interrupted,
  receive,
  runClient,
  send,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";

const TYPED_SERVER = "cli/typed_server.ts";
const MESSAGES = [
  "accepted connection from 127.0.0.1:*",
  "received greeting b'hello' from 127.0.0.1:*",
  "received time b'12:34:56' from 127.0.0.1:*",
  "received goodbye b'' from 127.0.0.1:*",
  "closing connection to 127.0.0.1:*",
];

Deno.test("typed-server and typed-client exchange a message of each type", () =>
  withServer(TYPED_SERVER, [], async (server, port) => {
    assertEquals(await runClient("cli/typed_client.ts", port), {
      code: 0,
      out: [
        "sending b'Ghello' to 127.0.0.1:*",
        "received greeting b'hello' from 127.0.0.1:*",
        "sending b'T12:34:56' to 127.0.0.1:*",
        "received time b'12:34:56' from 127.0.0.1:*",
        "sending b'B' to 127.0.0.1:*",
        "received goodbye b'' from 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ],
      err: [],
    });
    assertEquals(masked(await server.lines(5)), MESSAGES);
    assertEquals(await interrupted(server), STOPPED);
  }));

for (
  const [how, write] of [["in one write", send], [
    "byte by byte",
    dribble,
  ]] as const
) {
  Deno.test(`typed-server takes messages that come ${how}`, () =>
    withServer(TYPED_SERVER, [], async (server, port) => {
      using conn = await connectTo(port);
      await write(conn, "GhelloT12:34:56B");
      await conn.closeWrite();
      assertEquals(await receive(conn, 100), "GhelloT12:34:56B");
      assertEquals(masked(await server.lines(5)), MESSAGES);
    }));
}

for (
  const [what, wire, error] of [
    ["an unknown type", "Hello", "tag 72 has no rule"],
    ["a part of a message", "T12:3", "stream ended after 5 of 9 bytes"],
  ]
) {
  Deno.test(`typed-server says that it got ${what}, and serves the next client`, () =>
    withServer(TYPED_SERVER, [], async (server, port) => {
      using conn = await connectTo(port);
      await send(conn, "B" + wire);
      await conn.closeWrite();
      assertEquals(masked(await server.lines(3)), [
        "accepted connection from 127.0.0.1:*",
        "received goodbye b'' from 127.0.0.1:*",
        `error: Cannot read frame: ${error} from 127.0.0.1:*`,
      ]);
      assertEquals((await runClient("cli/typed_client.ts", port)).code, 0);
    }));
}
