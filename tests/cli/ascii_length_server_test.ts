/**
 * The ASCII-length server as a process.
 *
 * @module
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
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

const ASCII_LENGTH_SERVER = "cli/ascii_length_server.ts";

Deno.test("ascii-length-server and ascii-length-client exchange messages", () =>
  withServer(ASCII_LENGTH_SERVER, [], async (server, port) => {
    assertEquals(await runClient("cli/ascii_length_client.ts", port), {
      code: 0,
      out: [
        "sending b'00012Hello, world' to 127.0.0.1:*",
        "received b'Hello, world' from 127.0.0.1:*",
        "sending b'00000' to 127.0.0.1:*",
        "received b'' from 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ],
      err: [],
    });
    assertEquals(masked(await server.lines(4)), [
      "accepted connection from 127.0.0.1:*",
      "received b'Hello, world' from 127.0.0.1:*",
      "received b'' from 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ]);
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("ascii-length-server waits for all five digits, and for the rest", () =>
  withServer(ASCII_LENGTH_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await dribble(conn, "00002hi00001!");
    await conn.closeWrite();
    assertEquals(await receive(conn, 100), "00002hi00001!");
    assertEquals(masked(await server.lines(4)), [
      "accepted connection from 127.0.0.1:*",
      "received b'hi' from 127.0.0.1:*",
      "received b'!' from 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ]);
  }));

Deno.test("ascii-length-server takes the longest message that five digits can announce", () =>
  withServer(ASCII_LENGTH_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    const wire = "99999" + "x".repeat(99_999);
    const [, echo] = await Promise.all([
      send(conn, wire),
      receive(conn, wire.length),
      server.lines(2),
    ]);
    assertEquals(echo === wire, true);
  }));

for (
  const [what, wire, error] of [
    ["no digits", "hello", 'length must be 5 digits: character 1 is "h"'],
    ["a sign", "-0001x", 'length must be 5 digits: character 1 is "-"'],
    ["four digits", "0005hello", 'length must be 5 digits: character 5 is "h"'],
    ["a part of the digits", "000", "stream ended after 3 of "],
    ["a part of a message", "00005hell", "stream ended after 9 of 10 bytes"],
  ]
) {
  Deno.test(`ascii-length-server says that it got ${what}, and serves the next client`, () =>
    withServer(ASCII_LENGTH_SERVER, [], async (server, port) => {
      using conn = await connectTo(port);
      await send(conn, wire);
      await conn.closeWrite();
      const [accepted, complaint] = masked(await server.lines(2));
      assertEquals(accepted, "accepted connection from 127.0.0.1:*");
      assertMatch(complaint, /^error: .* from 127\.0\.0\.1:\*$/);
      assertStringIncludes(complaint, `: Cannot read frame: ${error}`);
      const { code } = await runClient("cli/ascii_length_client.ts", port);
      assertEquals(code, 0);
    }));
}
