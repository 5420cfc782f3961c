/**
 * The fixed-length client as a process.
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

const FIXED_CLIENT = "cli/fixed_client.ts";

for (
  const [how, args, broken] of [
    ["by hand", [], "socket connection broken"],
    [
      "with the library",
      ["--library"],
      "Cannot read frame: stream ended after 5 of 12 bytes",
    ],
  ] as const
) {
  Deno.test(`fixed-client fills its message up and reads until all is back, ${how}`, async () => {
    let request = "";
    const ending = await runAgainst(
      async (conn) => {
        request = await receive(conn, 12);
        await dribble(conn, request.toUpperCase());
      },
      FIXED_CLIENT,
      [...args, "--message", "it's é"],
    );
    assertEquals(request, "it's \xc3\xa9     ");
    assertEquals(ending, {
      code: 0,
      out: [
        String.raw`sending b"it's \xc3\xa9     " to 127.0.0.1:*`,
        String.raw`received b"IT'S \xc3\xa9     " from 127.0.0.1:*`,
        "closing connection to 127.0.0.1:*",
      ],
      err: [],
    });
  });

  Deno.test(`fixed-client says that the connection is broken, ${how}`, async () => {
    const ending = await runAgainst(
      async (conn) => send(conn, (await receive(conn, 12)).slice(0, 5)),
      FIXED_CLIENT,
      args,
    );
    assertEquals(ending, {
      code: 1,
      out: ["sending b'Hello, world' to 127.0.0.1:*"],
      err: [`fixed-client: ${broken}`],
    });
  });
}

Deno.test("fixed-client refuses a message that is too long", async () => {
  assertEquals(
    await runClient(FIXED_CLIENT, 65432, ["--message", "Hello, world!"]),
    {
      code: 2,
      out: [],
      err: [
        "usage: fixed-client [<host>] [<port>] [--message <value>] [--library]",
        "fixed-client: message must be at most 12 bytes: it is 13",
      ],
    },
  );
});
