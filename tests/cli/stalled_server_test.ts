/**
 * The server that never reads, as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { formatAddr } from "@framewire/framewire";
import { bracketed, LOOPBACK } from "../support/loopback.ts";
import {
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { until } from "../support/sockets.ts";

const STALLED_SERVER = "cli/stalled_server.ts";

async function startServer(
  hostname: string,
): Promise<[RunningProgram, number]> {
  const server = startProgram(STALLED_SERVER, [hostname, "0"], {
    net: `${bracketed(hostname)}:0`,
  });
  return [server, portIn(await server.line())];
}

for (const hostname of LOOPBACK) {
  Deno.test(`stalled-server accepts on ${hostname} and reads nothing`, async () => {
    const [program, port] = await startServer(hostname);
    await using server = program;
    const conns = [
      await Deno.connect({ hostname, port }),
      await Deno.connect({ hostname, port }),
    ];
    assertEquals(
      await server.lines(2),
      conns.map((conn) =>
        `accepted connection from ${formatAddr(conn.localAddr)}`
      ),
    );
    // Far more than sockets hold: if it were read, it would all go.
    let taken = 0;
    let settled = false;
    const chunk = new Uint8Array(1024 * 1024);
    async function fill(): Promise<void> {
      while (taken < 256 * chunk.length) taken += await conns[0].write(chunk);
    }
    const filling = fill().catch(() => {}).finally(() => settled = true);
    let before = -1;
    await until(() => {
      const still = taken === before;
      before = taken;
      return still && taken > 0;
    });
    assertEquals(settled, false);
    conns.forEach((conn) => conn.close());
    await filling;
    server.interrupt();
    assertEquals(await server.end(), {
      code: 130,
      out: ["caught keyboard interrupt, exiting"],
      err: [],
    });
  });
}

Deno.test("stalled-server closes its connections on Ctrl-C", async () => {
  const [program, port] = await startServer("127.0.0.1");
  await using server = program;
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await server.line();
  server.interrupt();
  assertEquals(await conn.read(new Uint8Array(1)), null);
  assertEquals((await server.end()).code, 130);
});

Deno.test("stalled-server says which permission all interfaces need", async () => {
  assertEquals(
    await runProgram(STALLED_SERVER, ["", "7777"], { net: "127.0.0.1" }),
    {
      code: 1,
      out: [],
      err: [
        "stalled-server: needs permission: run again with --allow-net=0.0.0.0:7777",
      ],
    },
  );
});

Deno.test("stalled-server says that another program listens there", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const net = formatAddr(other.addr);
  assertEquals(
    await runProgram(STALLED_SERVER, ["127.0.0.1", String(other.addr.port)], {
      net,
    }),
    {
      code: 1,
      out: [],
      err: [`stalled-server: ${net}: another program is listening there`],
    },
  );
});
