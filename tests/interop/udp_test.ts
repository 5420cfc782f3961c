/**
 * The programs for datagrams with peers in Python.
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

const FLAGS = { flags: ["--unstable-net"] };
const TEXTS = ["Hello World", "", "naïve 🐰", "x".repeat(20_000)];

function printed(text: string): string {
  return bytesLiteral(new TextEncoder().encode(text));
}

testWithPython(
  "udp-client gets its datagram back from a server in Python",
  async () => {
    for (const text of TEXTS.filter((text) => text !== "")) {
      const [program, port] = await startPeerServer("udp");
      await using server = program;
      const address = `127.0.0.1:${port}`;
      assertEquals(
        await runProgram("cli/udp_client.ts", [
          "127.0.0.1",
          port,
          "--message",
          text,
        ], { net: `127.0.0.1:0,${address}`, ...FLAGS }),
        {
          code: 0,
          out: [
            `sending ${printed(text)} to ${address}`,
            `Received ${printed(text)} from ${address}`,
          ],
          err: [],
        },
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
  "udp-client sends again when a server in Python does not answer",
  async () => {
    const [program, port] = await startPeerServer("udp", [
      "--count",
      "2",
      "--deaf",
      "1",
    ]);
    await using server = program;
    const address = `127.0.0.1:${port}`;
    assertEquals(
      await runProgram("cli/udp_client.ts", ["127.0.0.1", port], {
        net: `127.0.0.1:0,${address}`,
        ...FLAGS,
      }),
      {
        code: 0,
        out: [
          `sending b'Hello World' to ${address}`,
          `sending b'Hello World' to ${address}`,
          `Received b'Hello World' from ${address}`,
        ],
        err: [],
      },
    );
    assertEquals(await server.end(), {
      code: 0,
      out: ["b'Hello World'", "b'Hello World'"],
      err: [],
    });
  },
);

testWithPython(
  "udp-server gives the datagrams of a client in Python back",
  async () => {
    await using server = startProgram("cli/udp_server.ts", ["127.0.0.1", "0"], {
      net: "127.0.0.1",
      ...FLAGS,
    });
    const port = String(portIn(await server.line()));
    const shown = TEXTS.map(printed);
    assertEquals(
      await runPeerClient("udp", [port, ...TEXTS]),
      { code: 0, out: shown, err: [] },
    );
    assertEquals(
      masked(await server.lines(2 * TEXTS.length)),
      shown.flatMap((bytes) => [
        `received ${bytes} from 127.0.0.1:*`,
        `sending ${bytes} to 127.0.0.1:*`,
      ]),
    );
    server.interrupt();
    assertEquals((await server.end()).code, 130);
  },
);
