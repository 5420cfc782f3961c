/**
 * The delimited server as a process.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { masked, type RunningProgram } from "../support/running_program.ts";
import {
  connectTo,
  interrupted,
  receive,
  runClient,
  send,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";

const DELIMITED_SERVER = "cli/delimited_server.ts";

/** What the server prints up to the end of a connection, without whom it is about. */
async function printed(server: RunningProgram): Promise<string[]> {
  const lines: string[] = [];
  do lines.push(await server.line()); while (
    !/^(closing|error)/.test(lines[lines.length - 1])
  );
  return masked(lines).map((line) =>
    line.replace(/ (?:from|to) 127\.0\.0\.1:\*$/, "")
  );
}

Deno.test("delimited-server and delimited-client exchange messages that are cut anywhere", () =>
  withServer(DELIMITED_SERVER, [], async (server, port) => {
    assertEquals(await runClient("cli/delimited_client.ts", port), {
      code: 0,
      out: [
        "sending b'first;second;th' to 127.0.0.1:*",
        "received b'first' from 127.0.0.1:*",
        "received b'second' from 127.0.0.1:*",
        "sending b'ird;' to 127.0.0.1:*",
        "received b'third' from 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ],
      err: [],
    });
    // Where the bytes are cut is up to TCP, but the messages are the same.
    const lines = await printed(server);
    assertEquals(lines.filter((line) => !/^(read|put)/.test(line)), [
      "accepted connection",
      "received b'first'",
      "received b'second'",
      "received b'third'",
      "closing connection",
    ]);
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("delimited-server puts aside what comes of the next message, however long that takes", () =>
  withServer(DELIMITED_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    const lines: string[] = [await server.line()];
    // Each piece is sent once the last one has been read, so that they come one by one.
    for (
      const [piece, count] of [["a;b;c", 4], ["d", 2], ["e", 2], [
        ";;",
        3,
      ]] as const
    ) {
      await send(conn, piece);
      lines.push(...await server.lines(count));
    }
    await conn.closeWrite();
    assertEquals(await receive(conn, 100), "a;b;cde;;");
    lines.push(await server.line());
    assertEquals(masked(lines), [
      "accepted connection from 127.0.0.1:*",
      "read b'a;b;c' from 127.0.0.1:*",
      "received b'a' from 127.0.0.1:*",
      "received b'b' from 127.0.0.1:*",
      "put aside b'c' from 127.0.0.1:*",
      "read b'd' from 127.0.0.1:*",
      "put aside b'cd' from 127.0.0.1:*",
      "read b'e' from 127.0.0.1:*",
      "put aside b'cde' from 127.0.0.1:*",
      "read b';;' from 127.0.0.1:*",
      "received b'cde' from 127.0.0.1:*",
      "received b'' from 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ]);
  }));

Deno.test("delimited-server says that a client closed inside a message", () =>
  withServer(DELIMITED_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await send(conn, "one;tw");
    await conn.closeWrite();
    assertEquals(await receive(conn, 100), "one;");
    assertEquals(
      (await printed(server)).at(-1),
      "error: Cannot read frame: stream ended after 2 bytes of a frame",
    );
  }));

Deno.test("delimited-server refuses a message that does not end, and serves the next client", () =>
  withServer(DELIMITED_SERVER, [], async (server, port) => {
    using conn = await connectTo(port);
    await send(conn, "x".repeat(1001));
    assertStringIncludes(
      (await printed(server)).at(-1) ?? "",
      "error: Cannot read frame: a length of at least 1001 exceeds maxFrameLength of 1000 bytes",
    );
    assertEquals((await runClient("cli/delimited_client.ts", port)).code, 0);
  }));
