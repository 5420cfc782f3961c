/**
 * The client that fills every buffer on the way, as a process.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { bracketed, LOOPBACK } from "../support/loopback.ts";
import {
  type Ending,
  freePort,
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const SEND_UNTIL_FULL = "cli/send_until_full.ts";
const CAT = ["--allow-run=cat"];

/** Runs the client against the server that never reads. */
async function runAgainstStalled(
  hostname: string,
  flags: readonly string[],
): Promise<[Ending, port: number]> {
  const allowed = bracketed(hostname);
  await using server = startProgram(
    "cli/stalled_server.ts",
    [hostname, "0"],
    { net: allowed },
  );
  const port = portIn(await server.line());
  const net = `${allowed}:${port}`;
  const args = [hostname, String(port)];
  return [await runProgram(SEND_UNTIL_FULL, args, { net, flags }), port];
}

/** Lines with every number in them made the same, but for the server's port. */
function masked(lines: readonly string[], port: number): string[] {
  return lines.map((line) =>
    line.replaceAll(/(?<![\d.:]|tcp)\d+(?![\d.:])/g, "N")
      .replaceAll(
        /(?<=[\d\]]:)\d+/g,
        (found) => Number(found) === port ? "PORT" : "N",
      )
      .replaceAll(/ +/g, " ")
  );
}

for (const hostname of LOOPBACK) {
  Deno.test(`send-until-full fills what is between it and a server on ${hostname}`, async () => {
    const [{ code, out, err }, port] = await runAgainstStalled(hostname, CAT);
    assertEquals([code, err], [0, []]);
    const proto = hostname === "::1" ? "tcp6" : "tcp4";
    const host = bracketed(hostname);
    assertEquals(masked(out, port), [
      `starting connection to ${host}:PORT`,
      `error: write() would block for ${host}:PORT: Resource temporarily unavailable`,
      "N bytes were taken in N writes",
      "Proto Recv-Q Send-Q Local Address Foreign Address (state)",
      `${proto} N N ${host}:PORT ${host}:N ESTABLISHED`,
      `${proto} N N ${host}:N ${host}:PORT ESTABLISHED`,
      `closing connection to ${host}:PORT`,
    ]);
    const [taken, writes] = (out[2].match(/\d+/g) ?? []).map(Number);
    assert(writes > 1 && taken > (writes - 1) * 1024, out[2]);
    const [server, client] = [out[4], out[5]].map((line) =>
      line.split(/ +/).slice(1, 3).map(Number)
    );
    // Nobody has read, so that what was taken lies in one of the two.
    assert(server[0] > 0 && server[1] === 0, out[4]);
    assert(client[0] === 0 && client[1] > 0, out[5]);
    assert(server[0] + client[1] >= taken, out.join("\n"));
  });
}

Deno.test("send-until-full shows the rest without the permission to see the queues", async () => {
  const [{ code, out, err }, port] = await runAgainstStalled("127.0.0.1", []);
  assertEquals(masked(out, port), [
    "starting connection to 127.0.0.1:PORT",
    "error: write() would block for 127.0.0.1:PORT: Resource temporarily unavailable",
    "N bytes were taken in N writes",
    "closing connection to 127.0.0.1:PORT",
  ]);
  assertEquals([code, err], [1, [
    "send-until-full: needs permission: run again with --allow-run=cat",
  ]]);
});

Deno.test("send-until-full gives up on a server that reads", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  async function readAll(): Promise<number> {
    using conn = await listener.accept();
    const chunk = new Uint8Array(1024 * 1024);
    let total = 0;
    let count: number | null;
    while ((count = await conn.read(chunk)) !== null) total += count;
    return total;
  }
  const [{ code, out, err }, total] = await Promise.all([
    runProgram(SEND_UNTIL_FULL, ["127.0.0.1", String(port)], {
      net: `127.0.0.1:${port}`,
      flags: CAT,
    }),
    readAll(),
  ]);
  assertEquals([code, err], [1, []]);
  assert(total >= 256 * 1024 * 1024);
  const writes = out[1].match(/ in (\d+) writes$/)?.[1];
  assert(Number(writes) >= 4096, out[1]);
  assertEquals(out, [
    `starting connection to 127.0.0.1:${port}`,
    `${total} bytes were taken in ${writes} writes`,
    "no write had to wait: the server is reading",
    `closing connection to 127.0.0.1:${port}`,
  ]);
});

Deno.test("send-until-full says that the server has gone", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const running = runProgram(SEND_UNTIL_FULL, ["127.0.0.1", String(port)], {
    net: `127.0.0.1:${port}`,
  });
  const conn = await listener.accept();
  await conn.read(new Uint8Array(1));
  conn.close(); // with bytes unread: that is a reset
  const { code, out, err } = await running;
  assertEquals([code, out], [1, [
    `starting connection to 127.0.0.1:${port}`,
  ]]);
  assertEquals(err.length, 1);
  assert(
    /^send-until-full: the peer (reset|closed) the connection$/
      .test(err[0]),
    err[0],
  );
});

Deno.test("send-until-full says that nobody listens", async () => {
  const port = freePort();
  const net = `127.0.0.1:${port}`;
  assertEquals(
    await runProgram(SEND_UNTIL_FULL, ["127.0.0.1", String(port)], { net }),
    {
      code: 1,
      out: [],
      err: [
        `send-until-full: ${net}: connection refused; is the server running?`,
      ],
    },
  );
});
