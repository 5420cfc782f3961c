/**
 * Peers that reset their connections before anybody has accepted them.
 *
 * @module
 */

import { connect, reply, serve } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import { testWithPython } from "../../interop/python.ts";
import { figure, words } from "../../support/besieged.ts";
import { RunningProgram } from "../../support/running_program.ts";
import { until } from "../../support/sockets.ts";

const RESETS = 400;
const GOOD = 100;
/** Connects and resets, as closing does when nothing is to linger. */
const RESETTER = `
import socket, struct, sys
for _ in range(${RESETS}):
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
print("done")
`;

testWithPython(
  `serve() goes on accepting while ${RESETS} peers reset their connections at once`,
  async () => {
    const told: unknown[] = [];
    await using server = serve(
      { port: 0, onError: (error) => told.push(error) },
      words,
      reply((word) => word.toUpperCase()),
    );
    const { port } = server.addr;
    await using resetter = new RunningProgram("python3", [
      "-c",
      RESETTER,
      `${port}`,
    ]);
    for (let i = 0; i < GOOD; i++) {
      await using peer = await connect({ port }, words);
      await peer.write("hello");
      assertEquals(await peer.read(), "HELLO");
    }
    assertEquals(await resetter.line(), "done");
    // To wait after each of them, as for want of file descriptors, would take minutes.
    await until(() => {
      const { accepted, acceptErrors } = server.stats;
      return accepted + acceptErrors === RESETS + GOOD;
    });
    await until(() => server.stats.active === 0);
    const { acceptErrors, framesReceived } = server.stats;
    figure(
      `${RESETS} peers that reset their connections`,
      `${acceptErrors} were gone before they were accepted, ${framesReceived} of ${GOOD} requests were answered meanwhile, ${told.length} errors told`,
    );
    assertEquals(framesReceived, GOOD);
    await resetter.end();
  },
);
