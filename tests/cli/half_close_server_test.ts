/**
 * The half-close server as a process.
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
  resetAfter,
  runClient,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";

const HALF_CLOSE_SERVER = "cli/half_close_server.ts";
const EXCHANGE = [
  "accepted connection from 127.0.0.1:*",
  "received b'Hello, world' from 127.0.0.1:*",
  "sending b'You sent 12 bytes' to 127.0.0.1:*",
  "closing connection to 127.0.0.1:*",
];

Deno.test("half-close-server answers half-close-client once that is done sending", () =>
  withServer(HALF_CLOSE_SERVER, [], async (server, port) => {
    assertEquals(await runClient("cli/half_close_client.ts", port), {
      code: 0,
      out: [
        "sending b'Hello, world' to 127.0.0.1:*",
        "done sending to 127.0.0.1:*, still receiving",
        "received b'You sent 12 bytes' from 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ],
      err: [],
    });
    assertEquals(masked(await server.lines(4)), EXCHANGE);
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("half-close-server answers all that was sent before the half-close", () =>
  withServer(HALF_CLOSE_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await dribble(conn, "Hello, world");
    await conn.closeWrite();
    assertEquals(await receive(conn, 100), "You sent 12 bytes");
    assertEquals(masked(await server.lines(4)), EXCHANGE);
  }));

Deno.test("half-close-server has no answer for a client that sends nothing", () =>
  withServer(HALF_CLOSE_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await conn.closeWrite();
    assertEquals(await receive(conn, 100), "");
    assertEquals(masked(await server.lines(2)), [EXCHANGE[0], EXCHANGE[3]]);
  }));

Deno.test("half-close-server says that a client reset the connection, and serves the next", () =>
  withServer(HALF_CLOSE_SERVER, [], async (server, port) => {
    await resetAfter("", port, () => server.line());
    assertEquals(masked([await server.line()]), [
      "error: Cannot read frame: the peer reset the connection from 127.0.0.1:*",
    ]);
    assertEquals((await runClient("cli/half_close_client.ts", port)).code, 0);
  }));
