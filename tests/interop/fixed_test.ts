/**
 * The fixed-length programs with peers in Python.
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

for (
  const [text, shown] of [
    ["Hello, world", "b'Hello, world'"],
    ["hi", "b'hi          '"],
    ["🐰🐰🐰", String.raw`b'\xf0\x9f\x90\xb0\xf0\x9f\x90\xb0\xf0\x9f\x90\xb0'`],
  ]
) {
  for (const cut of ["4096", "1"]) {
    testWithPython(
      `fixed-client gets ${text} back from a server in Python that sends pieces of ${cut}`,
      async () => {
        for (const way of [[], ["--library"]]) {
          const [program, port] = await startPeerServer("fixed", [
            "--cut",
            cut,
          ]);
          await using server = program;
          const address = `127.0.0.1:${port}`;
          assertEquals(
            await runProgram(
              "cli/fixed_client.ts",
              ["127.0.0.1", port, "--message", text, ...way],
              { net: address },
            ),
            {
              code: 0,
              out: [
                `sending ${shown} to ${address}`,
                `received ${shown} from ${address}`,
                `closing connection to ${address}`,
              ],
              err: [],
            },
          );
          assertEquals(await server.end(), { code: 0, out: [shown], err: [] });
        }
      },
    );

    testWithPython(
      `fixed-server gives ${text} back to a client in Python that sends pieces of ${cut}`,
      async () => {
        await using server = startProgram(
          "cli/fixed_server.ts",
          ["127.0.0.1", "0"],
          { net: "127.0.0.1:0" },
        );
        const port = String(portIn(await server.line()));
        assertEquals(
          await runPeerClient("fixed", [port, text, "--cut", cut]),
          { code: 0, out: [shown], err: [] },
        );
        assertEquals(masked(await server.lines(4)), [
          "accepted connection from 127.0.0.1:*",
          `received ${shown} from 127.0.0.1:*`,
          `sending ${shown} to 127.0.0.1:*`,
          "closing connection to 127.0.0.1:*",
        ]);
        server.interrupt();
        assertEquals((await server.end()).code, 130);
      },
    );
  }
}

testWithPython(
  "fixed-server gives nothing back to a client in Python that breaks off",
  async () => {
    await using server = startProgram(
      "cli/fixed_server.ts",
      ["127.0.0.1", "0"],
      {
        net: "127.0.0.1:0",
      },
    );
    const port = String(portIn(await server.line()));
    assertEquals(
      await runPeerClient("fixed", [port, "Hello, world", "--only", "11"]),
      {
        code: 1,
        out: [],
        err: ["error: the peer closed without an answer"],
      },
    );
    const [, error] = masked(await server.lines(2));
    assertEquals(error, "error: socket connection broken from 127.0.0.1:*");
  },
);
