/**
 * The UDP server as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { DatagramSocket } from "../support/datagrams.ts";
import { bracketed, LOOPBACK } from "../support/loopback.ts";
import {
  freePort,
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { STOPPED } from "../support/tutorial.ts";

const SERVER = "cli/udp_server.ts";

async function startServer(
  args: readonly string[] = [],
): Promise<[RunningProgram, number]> {
  const server = startProgram(SERVER, ["127.0.0.1", "0", ...args], {
    net: "127.0.0.1",
    flags: ["--unstable-net"],
  });
  return [server, portIn(await server.line())];
}

Deno.test("udp-server sends datagrams back whole, each to where it came from", async () => {
  const [program, port] = await startServer();
  await using server = program;
  await using one = await DatagramSocket.open();
  await using other = await DatagramSocket.open();
  for (
    const [socket, text, literal] of [
      [one, "Hello World", "b'Hello World'"],
      [other, "", "b''"],
      [one, "it's\n", String.raw`b"it's\n"`],
      [other, "\0\xff", String.raw`b'\x00\xff'`],
    ] as const
  ) {
    await socket.send(text, port);
    assertEquals(await socket.receive(), { text, port });
    const client = `127.0.0.1:${socket.port}`;
    assertEquals(await server.lines(2), [
      `received ${literal} from ${client}`,
      `sending ${literal} to ${client}`,
    ]);
  }
  server.interrupt();
  assertEquals(await server.end(), STOPPED);
});

Deno.test("udp-server sends the longest datagram back", async () => {
  const [program, port] = await startServer();
  await using server = program;
  await using socket = await DatagramSocket.open();
  const text = "x".repeat(65_507);
  await socket.send(text, port);
  const [received, lines] = await Promise.all([
    socket.receive(),
    server.lines(2),
  ]);
  assertEquals(received.text.length, text.length);
  assertEquals(lines.map((line) => line.length > text.length), [true, true]);
  assertEquals(lines.map((line) => line.endsWith(`${socket.port}`)), [
    true,
    true,
  ]);
});

Deno.test("udp-server receives --maxsize bytes of a datagram, and the rest is gone", async () => {
  const [program, port] = await startServer(["--maxsize", "5"]);
  await using server = program;
  await using socket = await DatagramSocket.open();
  const client = `127.0.0.1:${socket.port}`;
  for (
    const [text, left, remark] of [
      ["Hi", "Hi", ""],
      ["Hello World", "Hello", ", and no more fits in 5 bytes"],
      ["again", "again", ", and no more fits in 5 bytes"],
      ["Bye", "Bye", ""],
    ]
  ) {
    await socket.send(text, port);
    assertEquals((await socket.receive()).text, left);
    assertEquals(await server.lines(2), [
      `received b'${left}' from ${client}${remark}`,
      `sending b'${left}' to ${client}`,
    ]);
  }
});

for (const hostname of LOOPBACK) {
  Deno.test(`udp-server and udp-client print what they do on ${hostname}`, async () => {
    const net = bracketed(hostname);
    await using server = startProgram(SERVER, [hostname, "0"], {
      net,
      flags: ["--unstable-net"],
    });
    const line = await server.line();
    const port = portIn(line);
    assertEquals(line, `listening on ${net}:${port}`);
    const client = await runProgram(
      "cli/udp_client.ts",
      [hostname, String(port)],
      { net: `${net}:0,${net}:${port}`, flags: ["--unstable-net"] },
    );
    assertEquals(client, {
      code: 0,
      out: [
        `sending b'Hello World' to ${net}:${port}`,
        `Received b'Hello World' from ${net}:${port}`,
      ],
      err: [],
    });
    const [received, sending] = await server.lines(2);
    const from = received.split(" ").at(-1);
    assertEquals(received, `received b'Hello World' from ${from}`);
    assertEquals(sending, `sending b'Hello World' to ${from}`);
  });
}

Deno.test("udp-server ends when it may not answer", async () => {
  const port = freePort();
  await using server = startProgram(SERVER, ["127.0.0.1", String(port)], {
    net: `127.0.0.1:${port}`,
    flags: ["--unstable-net"],
  });
  await server.line();
  await using socket = await DatagramSocket.open();
  await socket.send("x", port);
  const { code, err } = await server.end();
  assertEquals([code, err], [1, [
    "udp-server: needs permission: run again with --unstable-net --allow-net=HOST",
  ]]);
});

Deno.test("udp-server says that the port is in use", async () => {
  await using socket = await DatagramSocket.open();
  assertEquals(
    await runProgram(SERVER, ["127.0.0.1", String(socket.port)], {
      net: "127.0.0.1",
      flags: ["--unstable-net"],
    }),
    {
      code: 1,
      out: [],
      err: [
        `udp-server: 127.0.0.1:${socket.port}: another program is listening there`,
      ],
    },
  );
});

Deno.test("udp-server and udp-client say that they need --unstable-net", async () => {
  for (const name of ["udp-server", "udp-client"]) {
    const path = `cli/${name.replace("-", "_")}.ts`;
    const { code, out, err } = await runProgram(path, [], {
      net: "127.0.0.1",
    });
    assertEquals([code, out, err.length], [1, [], 1]);
    assertEquals(/ run again with --unstable-net\b/.test(err[0]), true, err[0]);
  }
});

for (const size of ["0", "65508", "x"]) {
  Deno.test(`udp-server refuses --maxsize ${size}`, async () => {
    assertEquals(await runProgram(SERVER, ["--maxsize", size]), {
      code: 2,
      out: [],
      err: [
        "usage: udp-server [<host>] [<port>] [--maxsize <value>]",
        `udp-server: maxsize must be a whole number from 1 to 65507: it is "${size}"`,
      ],
    });
  });
}
