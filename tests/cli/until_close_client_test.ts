/**
 * The until-close client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { freePort } from "../support/running_program.ts";
import { receive, runAgainst, runClient } from "../support/tutorial.ts";

const UNTIL_CLOSE_CLIENT = "cli/until_close_client.ts";

Deno.test("until-close-client sends the --pieces and closes", async () => {
  let message = "";
  const ending = await runAgainst(
    async (conn) => {
      message = await receive(conn, 100);
    },
    UNTIL_CLOSE_CLIENT,
    ["--pieces", "a|bc||d"],
  );
  assertEquals(message, "abcd");
  assertEquals(ending, {
    code: 0,
    out: [
      "sending b'a' to 127.0.0.1:*",
      "sending b'bc' to 127.0.0.1:*",
      "sending b'' to 127.0.0.1:*",
      "sending b'd' to 127.0.0.1:*",
      "closing connection to 127.0.0.1:*",
    ],
    err: [],
  });
});

Deno.test("until-close-client says that nobody listens", async () => {
  assertEquals(await runClient(UNTIL_CLOSE_CLIENT, freePort()), {
    code: 1,
    out: [],
    err: [
      "until-close-client: 127.0.0.1:*: connection refused; is the server running?",
    ],
  });
});
