/**
 * The fixed-length server as a process.
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

const FIXED_SERVER = "cli/fixed_server.ts";
const EXCHANGE = [
  "accepted connection from 127.0.0.1:*",
  "received b'Hello, world' from 127.0.0.1:*",
  "sending b'Hello, world' to 127.0.0.1:*",
  "closing connection to 127.0.0.1:*",
];

Deno.test("fixed-server and fixed-client exchange a message, by hand and with the library", () =>
  withServer(FIXED_SERVER, [], async (server, port) => {
    for (const args of [[], ["--library"]]) {
      assertEquals(await runClient("cli/fixed_client.ts", port, args), {
        code: 0,
        out: [
          "sending b'Hello, world' to 127.0.0.1:*",
          "received b'Hello, world' from 127.0.0.1:*",
          "closing connection to 127.0.0.1:*",
        ],
        err: [],
      });
      assertEquals(masked(await server.lines(4)), EXCHANGE);
    }
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("fixed-server waits for all of the message", () =>
  withServer(FIXED_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await dribble(conn, "Hello, world");
    assertEquals(await receive(conn, 100), "Hello, world");
    assertEquals(masked(await server.lines(4)), EXCHANGE);
  }));

Deno.test("fixed-server says that the connection is broken, and serves the next client", () =>
  withServer(FIXED_SERVER, [], async (server, port) => {
    for (const part of ["", "Hello, worl"]) {
      using conn = await connectTo(port);
      await send(conn, part);
      await conn.closeWrite();
      assertEquals(await receive(conn, 100), "");
      assertEquals(masked(await server.lines(2)), [
        "accepted connection from 127.0.0.1:*",
        "error: socket connection broken from 127.0.0.1:*",
      ]);
    }
    using conn = await connectTo(port);
    await send(conn, "Hello, world");
    assertEquals(await receive(conn, 100), "Hello, world");
  }));

Deno.test("fixed-server does not blame a client for Ctrl-C in the middle of its message", () =>
  withServer(FIXED_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await server.line();
    await send(conn, "Hello");
    assertEquals(await interrupted(server), {
      ...STOPPED,
      out: [...STOPPED.out, "closing connection to 127.0.0.1:*"],
    });
  }));
