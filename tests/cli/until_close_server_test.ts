/**
 * The until-close server as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { masked } from "../support/running_program.ts";
import {
  connectTo,
  dribble,
  interrupted,
  resetAfter,
  runClient,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";

const UNTIL_CLOSE_SERVER = "cli/until_close_server.ts";
const MESSAGE = [
  "accepted connection from 127.0.0.1:*",
  "received b'Hello, world' from 127.0.0.1:*",
  "closing connection to 127.0.0.1:*",
];

Deno.test("until-close-server gets one message of the pieces that until-close-client sends", () =>
  withServer(UNTIL_CLOSE_SERVER, [], async (server, port) => {
    assertEquals(await runClient("cli/until_close_client.ts", port), {
      code: 0,
      out: [
        "sending b'Hello, ' to 127.0.0.1:*",
        "sending b'world' to 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ],
      err: [],
    });
    assertEquals(masked(await server.lines(3)), MESSAGE);
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("until-close-server waits until the client closes", () =>
  withServer(UNTIL_CLOSE_SERVER, [], async (server, port) => {
    const conn = await connectTo(port);
    await dribble(conn, "Hello, world");
    conn.close();
    assertEquals(masked(await server.lines(3)), MESSAGE);
  }));

Deno.test("until-close-server gets no message from a client that sends nothing", () =>
  withServer(UNTIL_CLOSE_SERVER, [], async (server, port) => {
    (await connectTo(port)).close();
    assertEquals(masked(await server.lines(2)), [MESSAGE[0], MESSAGE[2]]);
  }));

Deno.test("until-close-server takes a reset for no end", () =>
  withServer(UNTIL_CLOSE_SERVER, [], async (server, port) => {
    await resetAfter("", port, () => server.line());
    assertEquals(masked([await server.line()]), [
      "error: Cannot read frame: the peer reset the connection from 127.0.0.1:*",
    ]);
    assertEquals((await runClient("cli/until_close_client.ts", port)).code, 0);
    assertEquals(masked(await server.lines(3)), MESSAGE);
  }));
