/**
 * The Unix server as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { linesUpTo } from "../support/echo_servers.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { readAll, writeAll } from "../support/sockets.ts";
import { exists, withSocketPath } from "../support/socket_paths.ts";
import { STOPPED } from "../support/tutorial.ts";

const SERVER = "cli/unix_server.ts";
const PERMISSIONS =
  "--allow-net=unix:PATH --allow-read=PATH --allow-write=PATH";

async function startServer(
  path: string,
  flags: readonly string[],
): Promise<RunningProgram> {
  const server = startProgram(SERVER, [path], { flags });
  assertEquals(await server.line(), `listening on unix:${path}`);
  return server;
}

Deno.test("unix-server and unix-client print what they do, and the path is gone in the end", () =>
  withSocketPath(async (path, flags) => {
    await using server = await startServer(path, flags);
    for (const message of ["Hello, world", "it's\n"]) {
      const { code, out, err } = await runProgram(
        "cli/unix_client.ts",
        [path, "--message", message],
        { flags },
      );
      const bytes = message === "it's\n"
        ? String.raw`b"it's\n"`
        : "b'Hello, world'";
      assertEquals([code, out, err], [0, [`Received ${bytes}`], []]);
      assertEquals(await server.lines(3), [
        "accepted connection from unix:",
        `echoing ${bytes} to unix:`,
        "closing connection to unix:",
      ]);
    }
    server.interrupt();
    assertEquals(await server.end(), STOPPED);
    assertEquals(await exists(path), false);
  }));

Deno.test("unix-server serves clients at the same time", () =>
  withSocketPath(async (path, flags) => {
    await using server = await startServer(path, flags);
    using idle = await Deno.connect({ transport: "unix", path });
    assertEquals(await server.line(), "accepted connection from unix:");
    using busy = await Deno.connect({ transport: "unix", path });
    const bytes = new Uint8Array(100_000).fill(7);
    await Promise.all([
      linesUpTo(server, "closing connection to unix:"),
      writeAll(busy, bytes).then(() => busy.closeWrite()),
      readAll(busy).then((echo) => assertEquals(echo, bytes)),
    ]);
    await idle.closeWrite();
    assertEquals(await readAll(idle), new Uint8Array());
  }));

Deno.test("unix-server takes the path of a server that was killed", () =>
  withSocketPath(async (path, flags) => {
    {
      await using _killed = await startServer(path, flags);
    }
    assertEquals(await exists(path), true);
    await using server = await startServer(path, flags);
    using conn = await Deno.connect({ transport: "unix", path });
    await conn.closeWrite();
    assertEquals(await readAll(conn), new Uint8Array());
    server.interrupt();
    assertEquals((await server.end()).code, 130);
    assertEquals(await exists(path), false);
  }));

Deno.test("unix-server leaves a path at which another one listens", () =>
  withSocketPath(async (path, flags) => {
    await using server = await startServer(path, flags);
    assertEquals(await runProgram(SERVER, [path], { flags }), {
      code: 1,
      out: [],
      err: [`unix-server: ${path}: another program is listening there`],
    });
    // The question was a connection.
    assertEquals(await server.lines(2), [
      "accepted connection from unix:",
      "closing connection to unix:",
    ]);
    using conn = await Deno.connect({ transport: "unix", path });
    assertEquals(conn.remoteAddr, { transport: "unix", path });
  }));

Deno.test("unix-server leaves a file that is not a socket", () =>
  withSocketPath(async (path, flags) => {
    await Deno.writeTextFile(path, "dear");
    assertEquals(await runProgram(SERVER, [path], { flags }), {
      code: 1,
      out: [],
      err: [
        `unix-server: Cannot listen on ${path}: what is there is not a socket`,
      ],
    });
    assertEquals(await Deno.readTextFile(path), "dear");
  }));

Deno.test("unix-server says that there is no such folder", () =>
  withSocketPath(async (path, flags) => {
    const inside = `${path}/socket`;
    assertEquals(
      await runProgram(SERVER, [inside], {
        flags: flags.map((flag) => `${flag}/socket`),
      }),
      {
        code: 1,
        out: [],
        err: [`unix-server: ${inside}: no such file or directory`],
      },
    );
  }));

Deno.test("unix-server names each permission that it lacks", () =>
  withSocketPath(async (path, flags) => {
    for (const lacking of flags) {
      const rest = flags.filter((flag) => flag !== lacking);
      assertEquals(await runProgram(SERVER, [path], { flags: rest }), {
        code: 1,
        out: [],
        err: [`unix-server: needs permission: run again with ${PERMISSIONS}`],
      });
    }
  }));

for (
  const [name, path, length] of [
    ["empty", "", 0],
    ["too long", `/tmp/${"ä".repeat(50)}`, 105],
  ] as const
) {
  Deno.test(`unix-server refuses a path that is ${name}`, async () => {
    assertEquals(await runProgram(SERVER, [path]), {
      code: 2,
      out: [],
      err: [
        "usage: unix-server [<path>]",
        `unix-server: path must be from 1 to 103 bytes long: it has ${length}`,
      ],
    });
  });
}
