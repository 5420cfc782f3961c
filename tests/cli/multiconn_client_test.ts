/**
 * The multi-connection client as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  freePort,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { byConnection } from "../support/transcript.ts";
import {
  dribble,
  interrupted,
  receive,
  runAgainst,
  runClient,
} from "../support/tutorial.ts";

const MULTICONN_CLIENT = "cli/multiconn_client.ts";
const BOTH = "Message 1 from client.Message 2 from client.";
const USAGE = "usage: multiconn-client <host> <port> <num_connections>";

Deno.test("multiconn-client counts bytes, not reads", async () => {
  const { code, out, err } = await runAgainst(
    async (conn) => dribble(conn, await receive(conn, BOTH.length)),
    MULTICONN_CLIENT,
    ["1"],
  );
  assertEquals([code, err], [0, []]);
  assertEquals(byConnection(out.slice(3)), [[
    `received b'${BOTH}' from connection 1`,
    "closing connection 1",
  ]]);
});

Deno.test("multiconn-client goes on with the others when a connection breaks", async () => {
  const { code, out, err } = await runAgainst(
    async (conn, index) => {
      const request = await receive(conn, BOTH.length);
      await dribble(conn, index === 0 ? request.slice(0, 5) : request);
    },
    MULTICONN_CLIENT,
    ["3"],
  );
  assertEquals([code, err], [1, []]);
  const endings = out.map((line) =>
    line.replace(/connection \d$/, "connection")
  )
    .filter((line) => /^(error|closing)/.test(line));
  assertEquals(endings.toSorted(), [
    "closing connection",
    "closing connection",
    "error: Cannot read: the server closed after 5 of 44 bytes from connection",
  ]);
});

Deno.test("multiconn-client without all of its arguments prints the tutorial's usage", async () => {
  for (const args of [[], ["127.0.0.1"], ["127.0.0.1", "65432"]]) {
    assertEquals(await runProgram(MULTICONN_CLIENT, args), {
      code: 2,
      out: [],
      err: [USAGE],
    });
  }
});

Deno.test("multiconn-client says how many connections there may be", async () => {
  for (const count of ["0", "1001", "two", "-1"]) {
    const { code, out, err } = await runClient(MULTICONN_CLIENT, 65432, [
      count,
    ]);
    assertEquals([code, out, err[0], err.length], [2, [], USAGE, 2]);
  }
  const { err } = await runClient(MULTICONN_CLIENT, 65432, ["0"]);
  assertEquals(
    err[1],
    'multiconn-client: num_connections must be a whole number from 1 to 1000: it is "0"',
  );
});

Deno.test("multiconn-client says that nobody listens", async () => {
  const { code, out, err } = await runClient(MULTICONN_CLIENT, freePort(), [
    "2",
  ]);
  assertEquals([code, err], [1, [
    "multiconn-client: 127.0.0.1:*: connection refused; is the server running?",
  ]]);
  assertEquals(out, [
    "starting connection 1 to 127.0.0.1:*",
    "starting connection 2 to 127.0.0.1:*",
  ]);
});

Deno.test("multiconn-client closes all connections on Ctrl-C", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using client = startProgram(
    MULTICONN_CLIENT,
    ["127.0.0.1", String(port), "2"],
    { net: `127.0.0.1:${port}` },
  );
  using first = await listener.accept();
  using second = await listener.accept();
  await client.lines(6);
  const { code, err } = await interrupted(client);
  assertEquals([code, err], [130, []]);
  for (const conn of [first, second]) {
    assertEquals(await receive(conn, BOTH.length + 1), BOTH);
  }
});
