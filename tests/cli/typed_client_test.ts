/**
 * The typed client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  dribble,
  receive,
  runAgainst,
  runClient,
  send,
} from "../support/tutorial.ts";

const TYPED_CLIENT = "cli/typed_client.ts";

Deno.test("typed-client sends what --messages says, and reads answers of any type", async () => {
  const requests: string[] = [];
  const ending = await runAgainst(
    async (conn) => {
      requests.push(await receive(conn, 6));
      await dribble(conn, "T00:00:00");
      requests.push(await receive(conn, 1));
      await dribble(conn, "Gadieu");
    },
    TYPED_CLIENT,
    ["--messages", "Ghowdy|B"],
  );
  assertEquals(requests, ["Ghowdy", "B"]);
  assertEquals(ending, {
    code: 0,
    out: [
      "sending b'Ghowdy' to 127.0.0.1:*",
      "received time b'00:00:00' from 127.0.0.1:*",
      "sending b'B' to 127.0.0.1:*",
      "received greeting b'adieu' from 127.0.0.1:*",
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
      "a part of a message",
      "Ghel",
      "Cannot read frame: stream ended after 4 of 6 bytes",
    ],
    ["an unknown type", "xhello", "Cannot read frame: tag 120 has no rule"],
  ]
) {
  Deno.test(`typed-client says that it was answered ${what}`, async () => {
    const ending = await runAgainst(async (conn) => {
      await receive(conn, 6);
      await send(conn, answer);
    }, TYPED_CLIENT);
    assertEquals(ending, {
      code: 1,
      out: ["sending b'Ghello' to 127.0.0.1:*"],
      err: [`typed-client: ${error}`],
    });
  });
}

Deno.test("typed-client refuses a message that does not fit its type", async () => {
  assertEquals(await runClient(TYPED_CLIENT, 65432, ["--messages", "B|Ghi"]), {
    code: 2,
    out: [],
    err: [
      "usage: typed-client [<host>] [<port>] [--messages <value>]",
      'typed-client: greeting must be 5 bytes behind the G: it is "Ghi"',
    ],
  });
});
