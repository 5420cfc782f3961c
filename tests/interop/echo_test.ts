/**
 * The echo programs with peers in Python.
 *
 * @module
 */

import { bytesLiteral } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import {
  masked,
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { runPeerClient, startPeerServer, testWithPython } from "./python.ts";

const MESSAGES: readonly [what: string, text: string][] = [
  ["the tutorial's message", "Hello, world"],
  ["one byte", "x"],
  ["text beyond ASCII", "naïve 🐰 'quoted' \\ \"too\""],
  ["more than one read takes", "0123456789".repeat(5000)],
];

function printed(text: string): string {
  return bytesLiteral(new TextEncoder().encode(text));
}

for (const [what, text] of MESSAGES) {
  testWithPython(
    `echo-client gets ${what} back from a server in Python`,
    async () => {
      for (const cut of ["4096", "7"]) {
        const [program, port] = await startPeerServer("echo", ["--cut", cut]);
        await using server = program;
        assertEquals(
          await runProgram(
            "cli/echo_client.ts",
            ["127.0.0.1", port, "--message", text],
            { net: `127.0.0.1:${port}` },
          ),
          { code: 0, out: [`Received ${printed(text)}`], err: [] },
        );
        assertEquals(await server.end(), {
          code: 0,
          out: [printed(text)],
          err: [],
        });
      }
    },
  );

  testWithPython(
    `echo-server gives ${what} back to a client in Python`,
    async () => {
      for (const cut of ["4096", "7"]) {
        await using server = startProgram(
          "cli/echo_server.ts",
          ["127.0.0.1", "0"],
          { net: "127.0.0.1:0" },
        );
        const port = String(portIn(await server.line()));
        assertEquals(
          await runPeerClient("echo", [port, text, "--cut", cut]),
          { code: 0, out: [printed(text)], err: [] },
        );
        const { code, out, err } = await server.end();
        assertEquals(masked(out), ["Connected by 127.0.0.1:*"]);
        assertEquals([code, err], [0, []]);
      }
    },
  );
}
