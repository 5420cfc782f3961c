/**
 * The programs with a length in five digits, with peers in Python.
 *
 * @module
 */

import { asciiLength, bytesLiteral, encodeFrame } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import {
  masked,
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { runPeerClient, startPeerServer, testWithPython } from "./python.ts";

const MESSAGES = ["Hello, world", "", "00005hello", "🐰", "x".repeat(12_345)]
  .map((text) => ({ text, bytes: new TextEncoder().encode(text) }));
const TEXTS = MESSAGES.map(({ text }) => text);
const SHOWN = MESSAGES.map(({ bytes }) => bytesLiteral(bytes));

for (const cut of ["4096", "3"]) {
  testWithPython(
    `ascii-length-client gets its messages back from a server in Python that sends pieces of ${cut}`,
    async () => {
      const [program, port] = await startPeerServer("ascii_length", [
        "--cut",
        cut,
      ]);
      await using server = program;
      const address = `127.0.0.1:${port}`;
      const { code, out, err } = await runProgram(
        "cli/ascii_length_client.ts",
        ["127.0.0.1", port, "--messages", TEXTS.join("|")],
        { net: address },
      );
      assertEquals([code, err], [0, []]);
      const codec = asciiLength({ digits: 5 });
      assertEquals(out, [
        ...MESSAGES.flatMap(({ bytes }, i) => [
          `sending ${bytesLiteral(encodeFrame(codec, bytes))} to ${address}`,
          `received ${SHOWN[i]} from ${address}`,
        ]),
        `closing connection to ${address}`,
      ]);
      assertEquals(await server.end(), { code: 0, out: SHOWN, err: [] });
    },
  );

  testWithPython(
    `ascii-length-server gives the messages of a client in Python back that sends pieces of ${cut}`,
    async () => {
      await using server = startProgram(
        "cli/ascii_length_server.ts",
        ["127.0.0.1", "0"],
        { net: "127.0.0.1:0" },
      );
      const port = String(portIn(await server.line()));
      assertEquals(
        await runPeerClient("ascii_length", [port, "--cut", cut, ...TEXTS]),
        { code: 0, out: SHOWN, err: [] },
      );
      assertEquals(masked(await server.lines(TEXTS.length + 2)), [
        "accepted connection from 127.0.0.1:*",
        ...SHOWN.map((shown) => `received ${shown} from 127.0.0.1:*`),
        "closing connection to 127.0.0.1:*",
      ]);
      server.interrupt();
      assertEquals((await server.end()).code, 130);
    },
  );
}
