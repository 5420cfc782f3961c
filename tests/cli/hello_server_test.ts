/**
 * The hello server as a process.
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

const HELLO_SERVER = "cli/hello_server.ts";
const CONVERSATION = [
  "accepted connection from 127.0.0.1:*",
  "received b'Hello World' from 127.0.0.1:*",
  "sending b'Hello Yourself' to 127.0.0.1:*",
  "sending b'Goodbye' to 127.0.0.1:*",
  "closing connection to 127.0.0.1:*",
];

Deno.test("hello-server and hello-client say what the tutorial says, again and again", () =>
  withServer(HELLO_SERVER, [], async (server, port) => {
    for (let turn = 0; turn < 2; turn++) {
      assertEquals(await runClient("cli/hello_client.ts", port), {
        code: 0,
        out: [
          "sending b'Hello World' to 127.0.0.1:*",
          "received b'Hello Yourself' from 127.0.0.1:*",
          "received b'Goodbye' from 127.0.0.1:*",
          "closing connection to 127.0.0.1:*",
        ],
        err: [],
      });
      assertEquals(masked(await server.lines(5)), CONVERSATION);
    }
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("hello-server waits for all of the greeting, and keeps nobody else waiting", () =>
  withServer(HELLO_SERVER, [], async (server, port) => {
    using slow = await connectTo(port);
    await dribble(slow, "Hello Wor");
    assertEquals(masked([await server.line()]), CONVERSATION.slice(0, 1));
    using other = await connectTo(port);
    await send(other, "Hello World");
    assertEquals(await receive(other, 100), "Hello YourselfGoodbye");
    assertEquals(masked(await server.lines(5)), CONVERSATION);
    await send(slow, "ld");
    assertEquals(await receive(slow, 100), "Hello YourselfGoodbye");
    assertEquals(masked(await server.lines(4)), CONVERSATION.slice(1));
  }));

Deno.test("hello-server says that a client closed in the middle of its greeting", () =>
  withServer(HELLO_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await send(conn, "Hello");
    await conn.closeWrite();
    assertEquals(await receive(conn, 100), "");
    assertEquals(masked(await server.lines(2)), [
      "accepted connection from 127.0.0.1:*",
      "error: socket connection broken from 127.0.0.1:*",
    ]);
  }));
