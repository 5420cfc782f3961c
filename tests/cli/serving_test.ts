/**
 * What the tutorials' servers share, seen in one that reads bytes and in one that reads frames.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { formatAddr } from "@framewire/framewire";
import {
  masked,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import {
  connectTo,
  interrupted,
  receive,
  resetAfter,
  send,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";

interface Kind {
  name: string;
  path: string;
  /** What a client sends and gets back. */
  wire: string;
  /** The part that is printed. */
  payload: string;
  /** The word before it. */
  word: string;
  idle: string;
  reset: string;
}

const KINDS: readonly Kind[] = [
  {
    name: "serveConns()",
    path: "cli/multiconn_server.ts",
    wire: "hello",
    payload: "hello",
    word: "echoing",
    idle: "Cannot read: nothing came for 1 second",
    reset: "the peer reset the connection",
  },
  {
    name: "serveFrames()",
    path: "cli/ascii_length_server.ts",
    wire: "00005hello",
    payload: "hello",
    word: "received",
    idle: "Cannot read frame: 0 bytes came within 1000 ms",
    reset: "Cannot read frame: the peer reset the connection",
  },
];

for (const { name, path, wire, payload, word, idle, reset } of KINDS) {
  Deno.test(`${name} serves others while a client says nothing`, () =>
    withServer(path, [], async (server, port) => {
      using silent = await connectTo(port);
      assertEquals(
        await server.line(),
        `accepted connection from ${formatAddr(silent.localAddr)}`,
      );
      using other = await connectTo(port);
      await send(other, wire);
      assertEquals(await receive(other, wire.length), wire);
      assertEquals(masked(await server.lines(2)), [
        "accepted connection from 127.0.0.1:*",
        `${word} b'${payload}' ${
          word === "echoing" ? "to" : "from"
        } 127.0.0.1:*`,
      ]);
    }));

  Deno.test(`${name} sends clients away that say nothing for --idle-timeout seconds`, () =>
    withServer(path, ["--idle-timeout", "1"], async (server, port) => {
      using silent = await connectTo(port);
      assertEquals(await receive(silent, 1), "");
      const from = formatAddr(silent.localAddr);
      assertEquals(await server.lines(2), [
        `accepted connection from ${from}`,
        `error: ${idle} from ${from}`,
      ]);
      using other = await connectTo(port);
      await send(other, wire);
      assertEquals(await receive(other, wire.length), wire);
    }));

  Deno.test(`${name} says in one line that a client reset the connection`, () =>
    withServer(path, [], async (server, port) => {
      using other = await connectTo(port);
      await server.line();
      await resetAfter("", port, () => server.line());
      assertEquals(masked([await server.line()]), [
        `error: ${reset} from 127.0.0.1:*`,
      ]);
      await send(other, wire);
      assertEquals(await receive(other, wire.length), wire);
    }));

  Deno.test(`${name} lets clients go on Ctrl-C, even in the middle of a message`, () =>
    withServer(path, [], async (server, port) => {
      using idling = await connectTo(port);
      await server.line();
      using busy = await connectTo(port);
      await send(busy, wire + "000");
      assertEquals(await receive(busy, wire.length), wire);
      await server.lines(2);
      server.interrupt();
      assertEquals(await receive(idling, 1), "");
      const { code, out, err } = await server.end();
      assertEquals([code, err], [130, []]);
      const endings = masked(out).filter((line) => !line.startsWith("echoing"));
      assertEquals(endings, [
        "caught keyboard interrupt, exiting",
        "closing connection to 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ]);
    }));

  Deno.test(`${name} says which permission it needs to listen on all interfaces`, async () => {
    const program = path.slice(4, -3).replaceAll("_", "-");
    assertEquals(await runProgram(path, [""]), {
      code: 1,
      out: [],
      err: [
        `${program}: needs permission: run again with --allow-net=0.0.0.0:65432`,
      ],
    });
  });

  Deno.test(`${name} says that the port is in use`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const net = `127.0.0.1:${port}`;
    const { code, err } = await runProgram(path, ["127.0.0.1", String(port)], {
      net,
    });
    const program = path.slice(4, -3).replaceAll("_", "-");
    assertEquals([code, err], [1, [
      `${program}: ${net}: another program is listening there`,
    ]]);
  });

  Deno.test({
    name: `${name} listens on IPv6`,
    ignore: !hasIpv6(),
    async fn() {
      await using server = startProgram(path, ["::1", "0"], {
        net: "[::1]:0",
      });
      const line = await server.line();
      const port = Number(line.match(/^listening on \[::1\]:(\d+)$/)?.[1]);
      assert(port > 0, line);
      using conn = await Deno.connect({ hostname: "::1", port });
      await send(conn, wire);
      assertEquals(await receive(conn, wire.length), wire);
      const from = formatAddr(conn.localAddr);
      assertEquals(await server.line(), `accepted connection from ${from}`);
    },
  });
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

for (
  const [name, args] of [["serveConns()", []], ["serveFrames()", [
    "--frames",
  ]]] as const
) {
  Deno.test(`${name} finishes on Ctrl-C what it is answering`, () =>
    withServer("tests/fixtures/slow_server.ts", args, async (server, port) => {
      using conn = await connectTo(port);
      await send(conn, "ask");
      await conn.closeWrite();
      await server.lines(2);
      assertEquals(await interrupted(server), {
        ...STOPPED,
        out: [...STOPPED.out, "closing connection to 127.0.0.1:*"],
      });
      assertEquals(await receive(conn, 20), "the answer");
    }));
}
