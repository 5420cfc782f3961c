/**
 * The hello client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { freePort } from "../support/running_program.ts";
import {
  dribble,
  receive,
  runAgainst,
  runClient,
  send,
} from "../support/tutorial.ts";

const HELLO_CLIENT = "cli/hello_client.ts";
const CONVERSATION = [
  "sending b'Hello World' to 127.0.0.1:*",
  "received b'Hello Yourself' from 127.0.0.1:*",
  "received b'Goodbye' from 127.0.0.1:*",
  "closing connection to 127.0.0.1:*",
];

for (
  const [how, write] of [["in one write", send], [
    "byte by byte",
    dribble,
  ]] as const
) {
  Deno.test(`hello-client tells the two answers apart when they come ${how}`, async () => {
    const ending = await runAgainst(async (conn) => {
      assertEquals(await receive(conn, 11), "Hello World");
      await write(conn, "Hello YourselfGoodbye");
    }, HELLO_CLIENT);
    assertEquals(ending, { code: 0, out: CONVERSATION, err: [] });
  });
}

for (
  const [when, answer, printed] of [
    ["at once", "", 1],
    ["in the middle of its goodbye", "Hello YourselfGood", 2],
  ] as const
) {
  Deno.test(`hello-client says that the server closed ${when}`, async () => {
    const ending = await runAgainst(async (conn) => {
      await receive(conn, 11);
      await send(conn, answer);
    }, HELLO_CLIENT);
    assertEquals(ending, {
      code: 1,
      out: CONVERSATION.slice(0, printed),
      err: ["hello-client: socket connection broken"],
    });
  });
}

Deno.test("hello-client says that nobody listens", async () => {
  assertEquals(await runClient(HELLO_CLIENT, freePort()), {
    code: 1,
    out: [],
    err: [
      "hello-client: 127.0.0.1:*: connection refused; is the server running?",
    ],
  });
});
