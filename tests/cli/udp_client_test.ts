/**
 * The UDP client as a process. That it works with the server is tested with that one.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { DatagramSocket } from "../support/datagrams.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";

const CLIENT = "cli/udp_client.ts";

function startClient(
  port: number,
  args: readonly string[] = [],
): RunningProgram {
  return startProgram(CLIENT, ["127.0.0.1", String(port), ...args], {
    net: `127.0.0.1:0,127.0.0.1:${port}`,
    flags: ["--unstable-net"],
  });
}

Deno.test("udp-client sends again until an answer comes", async () => {
  await using server = await DatagramSocket.open();
  const args = ["--message", "it's me", "--timeout", "1", "--tries", "5"];
  await using client = startClient(server.port, args);
  const first = await server.receive();
  const second = await server.receive();
  assertEquals([first.text, second], ["it's me", first]);
  await server.send("yes", second.port);
  const address = `127.0.0.1:${server.port}`;
  assertEquals(await client.end(), {
    code: 0,
    out: [
      `sending b"it's me" to ${address}`,
      `sending b"it's me" to ${address}`,
      `Received b'yes' from ${address}`,
    ],
    err: [],
  });
});

Deno.test("udp-client takes an empty datagram for an answer", async () => {
  await using server = await DatagramSocket.open();
  await using client = startClient(server.port);
  const { port } = await server.receive();
  await server.send("", port);
  const { code, out } = await client.end();
  assertEquals([code, out.at(-1)], [
    0,
    `Received b'' from 127.0.0.1:${server.port}`,
  ]);
});

Deno.test("udp-client prints whoever answers", async () => {
  await using server = await DatagramSocket.open();
  await using stranger = await DatagramSocket.open();
  await using client = startClient(server.port);
  const { port } = await server.receive();
  await stranger.send("it was me", port);
  const { code, out } = await client.end();
  assertEquals([code, out.at(-1)], [
    0,
    `Received b'it was me' from 127.0.0.1:${stranger.port}`,
  ]);
});

Deno.test("udp-client gives up, and does not know whether anybody is there", async () => {
  await using server = await DatagramSocket.open();
  await using client = startClient(server.port, ["--tries", "2"]);
  const { code, out, err } = await client.end();
  assertEquals([code, out.length], [1, 2]);
  assertEquals(err, [
    "udp-client: Cannot receive: no answer to 2 datagrams, 1 s each",
  ]);
});

Deno.test("udp-client says that a message is longer than a datagram", async () => {
  await using server = await DatagramSocket.open();
  const args = ["--message", "x".repeat(65_508)];
  await using client = startClient(server.port, args);
  const { code, err } = await client.end();
  assertEquals([code, err], [1, [
    `udp-client: 127.0.0.1:${server.port}: message too long`,
  ]]);
});

Deno.test("udp-client names each permission that it lacks", async () => {
  for (
    const [net, missing] of [
      [undefined, "127.0.0.1:0"],
      ["127.0.0.1:0", "127.0.0.1:65432"],
    ] as const
  ) {
    const options = { flags: ["--unstable-net"], ...net && { net } };
    const { code, err } = await runProgram(CLIENT, [], options);
    assertEquals([code, err], [1, [
      `udp-client: needs permission: run again with --allow-net=${missing}`,
    ]]);
  }
});

Deno.test("udp-client ends on Ctrl-C while it waits", async () => {
  await using server = await DatagramSocket.open();
  await using client = startClient(server.port, ["--timeout", "600"]);
  await server.receive();
  await client.line();
  client.interrupt();
  assertEquals(await client.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
});
