/**
 * The delimited client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { dribble, receive, runAgainst, send } from "../support/tutorial.ts";

const DELIMITED_CLIENT = "cli/delimited_client.ts";

Deno.test("delimited-client sends what --pieces says, and waits for the messages in it", async () => {
  const requests: string[] = [];
  const ending = await runAgainst(
    async (conn) => {
      requests.push(await receive(conn, 5));
      await dribble(conn, "ONE;");
      // One piece more has been answered for than sent: it stays aside until it is due.
      requests.push(await receive(conn, 3));
      await send(conn, "TWO;;");
    },
    DELIMITED_CLIENT,
    ["--pieces", "one;t|wo;|"],
  );
  assertEquals(requests, ["one;t", "wo;"]);
  assertEquals(ending, {
    code: 0,
    out: [
      "sending b'one;t' to 127.0.0.1:*",
      "received b'ONE' from 127.0.0.1:*",
      "sending b'wo;' to 127.0.0.1:*",
      "received b'TWO' from 127.0.0.1:*",
      "sending b'' to 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ],
    err: [],
  });
});

for (
  const [what, answer, error] of [
    [
      "between two messages",
      "first;",
      "Cannot read answer: the server closed the connection without one",
    ],
    [
      "inside a message",
      "first;sec",
      "Cannot read frame: stream ended after 3 bytes of a frame",
    ],
  ]
) {
  Deno.test(`delimited-client says that the server closed ${what}`, async () => {
    const ending = await runAgainst(async (conn) => {
      await receive(conn, "first;second;th".length);
      await send(conn, answer);
    }, DELIMITED_CLIENT);
    assertEquals(ending, {
      code: 1,
      out: [
        "sending b'first;second;th' to 127.0.0.1:*",
        "received b'first' from 127.0.0.1:*",
      ],
      err: [`delimited-client: ${error}`],
    });
  });
}
