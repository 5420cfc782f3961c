/**
 * The state of real sockets, as a process shows it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { formatAddr } from "@framewire/framewire";
import { bracketed, LOOPBACK } from "../support/loopback.ts";
import { runProgram } from "../support/running_program.ts";
import { tcpPair } from "../support/sockets.ts";

const NETSTAT = "cli/netstat.ts";
const TITLE = "Active Internet connections (including servers)";
const ALL = ["--allow-run=cat,ls"];

/**
 * The rows of a table, its cells with single spaces between them; without those of connections that were
 * closed a while ago, by whoever had the port before.
 */
function rowsOf(out: readonly string[]): string[] {
  return out.filter((line) => !line.includes(" TIME_WAIT "))
    .map((line) => line.replaceAll(/ +/g, " "));
}

for (const hostname of LOOPBACK) {
  Deno.test(`netstat shows who listens on ${hostname}`, async () => {
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    const { code, out, err } = await runProgram(NETSTAT, [String(port)], {
      flags: ALL,
    });
    assertEquals([code, err], [0, []]);
    const proto = hostname === "::1" ? "tcp6" : "tcp4";
    assertEquals(rowsOf(out), [
      TITLE,
      "Proto Recv-Q Send-Q Local Address Foreign Address (state) COMMAND PID",
      `${proto} 0 0 ${bracketed(hostname)}:${port} *:* LISTEN deno ${Deno.pid}`,
    ]);
  });
}

Deno.test("netstat shows both sides of a connection, and what waits in them", async () => {
  const [client, server] = await tcpPair();
  using _client = client;
  using _server = server;
  await client.write(new Uint8Array(1000));
  const [here, there] = [client.localAddr, client.remoteAddr].map(formatAddr);
  const { out } = await runProgram(NETSTAT, [String(server.localAddr.port)], {
    flags: ALL,
  });
  const rows = rowsOf(out).slice(2);
  assertEquals(
    rows.toSorted(),
    [
      `tcp4 0 0 ${here} ${there} ESTABLISHED deno ${Deno.pid}`,
      `tcp4 1000 0 ${there} ${here} ESTABLISHED deno ${Deno.pid}`,
    ].toSorted(),
  );
});

Deno.test("netstat shows all sockets without a port, those that listen first", async () => {
  const [client, server] = await tcpPair();
  using _client = client;
  using _server = server;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, out } = await runProgram(NETSTAT, [], { flags: ALL });
  assertEquals([code, out[0]], [0, TITLE]);
  const listening = out.findIndex((line) =>
    line.includes(` ${formatAddr(listener.addr)} `)
  );
  const connected = out.findIndex((line) =>
    line.includes(` ${formatAddr(server.localAddr)} `)
  );
  assert(listening > 1 && connected > listening, out.join("\n"));
});

Deno.test("netstat --json prints an object for each socket", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const args = [String(port), "--json"];
  const socket = {
    proto: "tcp4",
    recvQ: 0,
    sendQ: 0,
    local: `127.0.0.1:${port}`,
    remote: "*:*",
    state: "LISTEN",
  };
  // A connection that an earlier test closed may have had the same port.
  const listening = (out: readonly string[]) =>
    out.map((line) => JSON.parse(line)).filter(({ state }) =>
      state === "LISTEN"
    );
  const all = await runProgram(NETSTAT, args, { flags: ALL });
  assertEquals([all.code, all.err, listening(all.out)], [
    0,
    [],
    [{ ...socket, command: "deno", pid: Deno.pid }],
  ]);
  const some = await runProgram(NETSTAT, args, { flags: ["--allow-run=cat"] });
  assertEquals([some.code, some.err.length], [1, 1]);
  assertEquals(listening(some.out), [socket]);
});

Deno.test("netstat shows the head alone for a port that nobody uses", async () => {
  const { code, out } = await runProgram(NETSTAT, ["1"], { flags: ALL });
  assertEquals(code, 0);
  assertEquals(rowsOf(out), [
    TITLE,
    "Proto Recv-Q Send-Q Local Address Foreign Address (state) COMMAND PID",
  ]);
});

Deno.test("netstat shows the rest without the permission to find the owners", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, out, err } = await runProgram(NETSTAT, [String(port)], {
    flags: ["--allow-run=cat"],
  });
  assertEquals(rowsOf(out), [
    TITLE,
    "Proto Recv-Q Send-Q Local Address Foreign Address (state)",
    `tcp4 0 0 127.0.0.1:${port} *:* LISTEN`,
  ]);
  assertEquals([code, err], [1, [
    "netstat: needs permission: run again with --allow-run=cat,ls",
  ]]);
});

Deno.test("netstat says which permissions it needs", async () => {
  assertEquals(await runProgram(NETSTAT, ["80"]), {
    code: 1,
    out: [],
    err: ["netstat: needs permission: run again with --allow-run=cat,ls"],
  });
});

for (const port of ["0", "65536", "http", ""]) {
  Deno.test(`netstat refuses the port "${port}"`, async () => {
    assertEquals(await runProgram(NETSTAT, [port], { flags: ALL }), {
      code: 2,
      out: [],
      err: [
        "usage: netstat [<port>] [--json]",
        `netstat: port must be a whole number from 1 to 65535, or all: it is "${port}"`,
      ],
    });
  });
}
