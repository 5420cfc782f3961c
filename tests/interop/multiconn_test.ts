/**
 * The multi-connection programs with peers in Python.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  masked,
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { runPeerClient, startPeerServer, testWithPython } from "./python.ts";

const COUNT = 3;
const ALL = Array(COUNT).fill(
  "b'Message 1 from client.Message 2 from client.'",
);

/** The bytes that lines of a kind show, joined for each connection. */
function joined(lines: readonly string[], kind: RegExp): string[] {
  const parts = new Map<string, string>();
  for (const line of lines) {
    const [, bytes, connection] = line.match(kind) ?? [];
    if (connection === undefined) continue;
    parts.set(connection, (parts.get(connection) ?? "") + bytes);
  }
  return Array.from(parts.values(), (bytes) => `b'${bytes}'`);
}

for (const cut of ["4096", "5"]) {
  testWithPython(
    `multiconn-client has ${COUNT} connections at once to a server in Python that sends pieces of ${cut}`,
    async () => {
      const [program, port] = await startPeerServer("multiconn", [
        "--clients",
        String(COUNT),
        "--cut",
        cut,
      ]);
      await using server = program;
      const { code, out, err } = await runProgram(
        "cli/multiconn_client.ts",
        ["127.0.0.1", port, String(COUNT)],
        { net: `127.0.0.1:${port}` },
      );
      assertEquals([code, err], [0, []]);
      assertEquals(
        joined(out, /^received b'(.*)' from connection (\d)$/),
        ALL,
      );
      const closed = out.filter((line) =>
        line.startsWith("closing connection ")
      );
      assertEquals(closed.length, COUNT);
      assertEquals(await server.end(), { code: 0, out: ALL, err: [] });
    },
  );

  testWithPython(
    `multiconn-server serves a client in Python that has ${COUNT} connections at once and sends pieces of ${cut}`,
    async () => {
      await using server = startProgram(
        "cli/multiconn_server.ts",
        ["127.0.0.1", "0"],
        { net: "127.0.0.1:0" },
      );
      const port = String(portIn(await server.line()));
      assertEquals(
        await runPeerClient("multiconn", [
          port,
          "--clients",
          String(COUNT),
          "--cut",
          cut,
        ]),
        { code: 0, out: ALL, err: [] },
      );
      const lines: string[] = [];
      for (let closed = 0; closed < COUNT;) {
        const line = await server.line();
        if (line.startsWith("closing connection to ")) closed++;
        lines.push(line);
      }
      assertEquals(joined(lines, /^echoing b'(.*)' to (.+)$/), ALL);
      assertEquals(
        masked(lines).filter((line) => !line.startsWith("echoing ")).toSorted(),
        [
          ...Array(COUNT).fill("accepted connection from 127.0.0.1:*"),
          ...Array(COUNT).fill("closing connection to 127.0.0.1:*"),
        ],
      );
      server.interrupt();
      assertEquals((await server.end()).code, 130);
    },
  );
}
