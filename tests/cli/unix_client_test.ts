/**
 * The Unix client as a process. That it gets its answer is tested with the server.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  type Ending,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { readAll } from "../support/sockets.ts";
import { withSocketPath } from "../support/socket_paths.ts";
import { send } from "../support/tutorial.ts";
import { unraw } from "../support/wire.ts";

const CLIENT = "cli/unix_client.ts";

/** Runs the client against a server that does `answer`. */
async function runAgainst(
  answer: (conn: Deno.Conn) => Promise<void>,
): Promise<Ending> {
  let ending: Ending | undefined;
  await withSocketPath(async (path, flags) => {
    using listener = Deno.listen({ transport: "unix", path });
    async function serve(): Promise<void> {
      using conn = await listener.accept();
      await answer(conn);
    }
    [ending] = await Promise.all([
      runProgram(CLIENT, [path], { flags }),
      serve(),
    ]);
  });
  if (ending === undefined) throw new Error("it did not run");
  return ending;
}

Deno.test("unix-client takes what comes until the server closes, however it comes", async () => {
  const ending = await runAgainst(async (conn) => {
    assertEquals(unraw(await readAll(conn)), "Hello, world");
    for (const byte of "in parts") await send(conn, byte);
  });
  assertEquals(ending, { code: 0, out: ["Received b'in parts'"], err: [] });
});

Deno.test("unix-client prints that nothing came", async () => {
  const ending = await runAgainst(async (conn) => void await readAll(conn));
  assertEquals(ending, { code: 0, out: ["Received b''"], err: [] });
});

Deno.test("unix-client says that an answer is too long", async () => {
  const ending = await runAgainst(async (conn) => {
    const much = new Uint8Array(64 * 1024);
    try {
      while (true) await conn.write(much);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  });
  assertEquals([ending.code, ending.out, ending.err.length], [1, [], 1]);
  assertEquals(
    ending.err[0].replace(/at least \d+/, "at least *"),
    "unix-client: Cannot read frame: a length of at least * exceeds maxFrameLength of 1048576 bytes",
  );
});

Deno.test("unix-client says that there is no server, or none any more", () =>
  withSocketPath(async (path, flags) => {
    const where = `unix-client: ${path}`;
    const none = await runProgram(CLIENT, [path], { flags });
    assertEquals(none, {
      code: 1,
      out: [],
      err: [`${where}: no such file or directory`],
    });
    await Deno.writeTextFile(path, "");
    const noMore = await runProgram(CLIENT, [path], { flags });
    assertEquals(noMore, {
      code: 1,
      out: [],
      err: [`${where}: connection refused; is the server running?`],
    });
  }));

Deno.test("unix-client ends on Ctrl-C while it waits", () =>
  withSocketPath(async (path, flags) => {
    using listener = Deno.listen({ transport: "unix", path });
    await using client = startProgram(CLIENT, [path], { flags });
    using conn = await listener.accept();
    await readAll(conn);
    client.interrupt();
    assertEquals(await client.end(), {
      code: 130,
      out: ["caught keyboard interrupt, exiting"],
      err: [],
    });
  }));
