/**
 * The ASCII-length client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { dribble, receive, runAgainst, send } from "../support/tutorial.ts";

const ASCII_LENGTH_CLIENT = "cli/ascii_length_client.ts";

Deno.test("ascii-length-client sends what --messages says, and counts bytes", async () => {
  let requests = "";
  const ending = await runAgainst(
    async (conn) => {
      requests += await receive(conn, 8);
      await dribble(conn, "00002ok");
      requests += await receive(conn, 9);
      await dribble(conn, "00000");
    },
    ASCII_LENGTH_CLIENT,
    ["--messages", "one|🐶"],
  );
  assertEquals(requests, "00003one00004\xf0\x9f\x90\xb6");
  assertEquals(ending, {
    code: 0,
    out: [
      "sending b'00003one' to 127.0.0.1:*",
      "received b'ok' from 127.0.0.1:*",
      String.raw`sending b'00004\xf0\x9f\x90\xb6' to 127.0.0.1:*`,
      "received b'' from 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ],
    err: [],
  });
});

for (
  const [what, answer, error] of [
    [
      "nothing",
      "",
      "Cannot read answer: the server closed the connection without one",
    ],
    [
      "a part of the digits",
      "0001",
      "Cannot read frame: stream ended after 4 of 5 bytes",
    ],
    [
      "no digits",
      "Hello",
      'Cannot read frame: length must be 5 digits: character 1 is "H"',
    ],
  ]
) {
  Deno.test(`ascii-length-client says that it was answered ${what}`, async () => {
    const ending = await runAgainst(async (conn) => {
      await receive(conn, "00012Hello, world".length);
      await send(conn, answer);
    }, ASCII_LENGTH_CLIENT);
    assertEquals(ending, {
      code: 1,
      out: ["sending b'00012Hello, world' to 127.0.0.1:*"],
      err: [`ascii-length-client: ${error}`],
    });
  });
}

Deno.test("ascii-length-client refuses a message that five digits cannot announce", async () => {
  const ending = await runAgainst(
    async (conn) => assertEquals(await receive(conn, 1), ""),
    ASCII_LENGTH_CLIENT,
    ["--messages", "x".repeat(100_000)],
  );
  assertEquals(ending, {
    code: 1,
    out: [],
    err: [
      "ascii-length-client: Cannot write frame: length 100000 exceeds maxFrameLength of 99999 bytes",
    ],
  });
});
