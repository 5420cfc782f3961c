/**
 * The half-close client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { dribble, receive, runAgainst } from "../support/tutorial.ts";

const HALF_CLOSE_CLIENT = "cli/half_close_client.ts";
const SENT = [
  "sending b'Hello' to 127.0.0.1:*",
  "done sending to 127.0.0.1:*, still receiving",
];

Deno.test("half-close-client ends its stream and reads the answer to its end", async () => {
  let request = "";
  const ending = await runAgainst(
    async (conn) => {
      request = await receive(conn, 100); // ends at the half-close
      await dribble(conn, "take your time");
    },
    HALF_CLOSE_CLIENT,
    ["--message", "Hello"],
  );
  assertEquals(request, "Hello");
  assertEquals(ending, {
    code: 0,
    out: [
      ...SENT,
      "received b'take your time' from 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ],
    err: [],
  });
});

Deno.test("half-close-client says that there is no answer", async () => {
  const ending = await runAgainst(
    async (conn) => {
      await receive(conn, 100);
    },
    HALF_CLOSE_CLIENT,
    ["--message", "Hello"],
  );
  assertEquals(ending, {
    code: 1,
    out: SENT,
    err: [
      "half-close-client: Cannot read answer: the server closed the connection without one",
    ],
  });
});
