/**
 * The tour, as a process, and a stop of it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { programs } from "../../cli/programs.ts";
import { visit } from "../../cli/tour.ts";
import { freePort, portIn, startProgram } from "../support/running_program.ts";

const TOUR = "cli/tour.ts";
const FLAGS = { flags: [`--allow-run=${Deno.execPath()}`] };

Deno.test("tour runs every program on free ports, and all are ok", async () => {
  await using tour = startProgram(TOUR, [], FLAGS);
  const { code, out, err } = await tour.end();
  const faults = out.filter((line) => line.startsWith("not ok: "));
  assertEquals([faults, err, code], [[], [], 0]);
  const visited = new Set(
    out.flatMap((line) => line.match(/^== (.+)$/)?.slice(1) ?? []),
  );
  const others = programs.map(({ name }) => name)
    .filter((name) => name !== "tour");
  assertEquals([...visited].toSorted(), others.toSorted());
  const count = others.length;
  assertEquals(out.at(-1), `${count} programs, ${count} ok`);
  const commands = out.filter((line) => line.startsWith("$ deno run "));
  assert(commands.length >= count);
  assertEquals(
    commands.filter((line) => /65432|-A\b|--allow-\w+( |$)/.test(line)),
    [],
  );
});

Deno.test("tour ends on Ctrl-C, without a count", async () => {
  await using tour = startProgram(TOUR, [], FLAGS);
  await tour.line(); // the first stop is over, the second begins
  tour.interrupt();
  const { code, out, err } = await tour.end();
  assertEquals([code, err], [130, []]);
  assertEquals(out.filter((line) => / programs, /.test(line)), []);
});

Deno.test("visit() prints the transcripts, and tells which programs are not ok", async () => {
  const lines: string[] = [];
  const byteOrder = { run: "byte-order 1", allow: [] };
  const results = await visit(
    [
      [{ ...byteOrder, shows: "socket.htons(1) = 256" }],
      [
        { run: "echo-server 127.0.0.1 0", shows: "Connected by", ends: true },
        { run: "echo-client 127.0.0.1 {port}", allow: [], shows: "Received" },
      ],
      [{ ...byteOrder, shows: "socket.htons(1) = 257" }],
      [{ ...byteOrder, shows: "socket.htons(1) = 256" }],
    ],
    new AbortController().signal,
    (line) => lines.push(line),
  );
  assertEquals([...results], [
    ["byte-order", false],
    ["echo-server", false],
    ["echo-client", false],
  ]);
  const port = portIn(lines.find((line) => /^listening/.test(line)) ?? "");
  const start = lines.indexOf("== echo-server");
  assertEquals(lines.slice(start, start + 11), [
    "== echo-server",
    "$ deno run --allow-net=127.0.0.1:0 cli/echo_server.ts 127.0.0.1 0",
    `listening on 127.0.0.1:${port}`,
    "caught keyboard interrupt, exiting",
    "not ok: did not print Connected by, exit code 130 instead of 0",
    "",
    "== echo-client",
    `$ deno run cli/echo_client.ts 127.0.0.1 ${port}`,
    `echo-client: needs permission: run again with --allow-net=127.0.0.1:${port}`,
    "not ok: did not print Received, printed on stderr, exit code 1 instead of 0",
    "",
  ]);
  assertEquals(
    lines.filter((line) => line.startsWith("not ok: ")).at(-1),
    "not ok: did not print socket.htons(1) = 257",
  );
});

Deno.test("visit() ends what is running when it is told to stop", async () => {
  const port = freePort();
  const stop = new AbortController();
  const address = { hostname: "127.0.0.1", port };
  const visited = visit(
    [
      [
        {
          run: `web-server 127.0.0.1 ${port}`,
          allow: [`--allow-net=127.0.0.1:${port}`],
          shows: "listening",
        },
        {
          run: "timeout --timeout 15000",
          allow: ["--allow-net=127.0.0.1"],
          shows: "timed out",
        },
      ],
      [{ run: "byte-order 1", allow: [], shows: "socket.htons(1) = 256" }],
    ],
    stop.signal,
    () => {},
  );
  while (!(await connects(address)));
  stop.abort();
  assertEquals((await visited).size, 0);
  assertEquals(await connects(address), false);
});

async function connects(address: Deno.ConnectOptions): Promise<boolean> {
  try {
    (await Deno.connect(address)).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
