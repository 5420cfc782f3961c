/**
 * What every server that sends back what comes must do, however it serves its clients.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { formatAddr } from "@framewire/framewire";
import { bracketed, LOOPBACK } from "./loopback.ts";
import {
  freePort,
  masked,
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "./running_program.ts";
import { readAll, writeAll } from "./sockets.ts";
import { connectTo, receive, resetAfter, send, STOPPED } from "./tutorial.ts";

/** A server that sends back what comes. */
export interface EchoServer {
  /** Its name. */
  name: string;
  /** Its file. */
  path: string;
  /** What it must be allowed beside a port. */
  flags?: readonly string[];
}

/** Starts one on a free port. Gives what it printed before it was listening, too. */
export async function startEchoServer(
  { path, flags = [] }: EchoServer,
  args: readonly string[] = [],
): Promise<[server: RunningProgram, port: number, before: string[]]> {
  const port = freePort();
  const server = startProgram(path, ["127.0.0.1", String(port), ...args], {
    net: `127.0.0.1:${port}`,
    flags,
  });
  const before: string[] = [];
  let line: string;
  while (!(line = await server.line()).startsWith("listening on ")) {
    before.push(line);
  }
  assertEquals(line, `listening on 127.0.0.1:${port}`);
  return [server, port, before];
}

/** A line without the name of the thread or the process that it came from. */
export function withoutWho(line: string): string {
  return line.replace(/^(thread|process) \d+: /, "");
}

/** Reads lines up to one that ends in `end`; gives them without who printed them. */
export async function linesUpTo(
  server: RunningProgram,
  end: string,
): Promise<string[]> {
  const lines: string[] = [];
  do lines.push(withoutWho(await server.line())); while (
    !lines.at(-1)?.endsWith(end)
  );
  return lines;
}

/** The tests of a server. */
export function testEchoServer(kind: EchoServer): void {
  const { name, path, flags } = kind;

  Deno.test(`${name} serves clients one after another, and prints what it does`, async () => {
    const [program, port] = await startEchoServer(kind);
    await using server = program;
    for (let i = 0; i < 2; i++) {
      const client = await runProgram(
        "cli/echo_client.ts",
        ["127.0.0.1", String(port)],
        { net: `127.0.0.1:${port}` },
      );
      assertEquals(client, {
        code: 0,
        out: ["Received b'Hello, world'"],
        err: [],
      });
      const lines = await server.lines(3);
      assertEquals(masked(lines).map(withoutWho), [
        "accepted connection from 127.0.0.1:*",
        "echoing b'Hello, world' to 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ]);
    }
    server.interrupt();
    assertEquals(await server.end(), STOPPED);
  });

  Deno.test(`${name} serves clients at the same time, and sends each its own`, async () => {
    const [program, port] = await startEchoServer(kind);
    await using server = program;
    using stack = new DisposableStack();
    const conns: Deno.TcpConn[] = [];
    for (let i = 0; i < 5; i++) {
      conns.push(stack.use(await connectTo(port)));
      await linesUpTo(server, formatAddr(conns[i].localAddr));
    }
    for (const i of [3, 0, 4, 2, 1, 3]) {
      await send(conns[i], `I am ${i}`);
      assertEquals(await receive(conns[i], 6), `I am ${i}`);
      assertEquals(
        withoutWho(await server.line()),
        `echoing b'I am ${i}' to ${formatAddr(conns[i].localAddr)}`,
      );
    }
  });

  Deno.test(`${name} sends back all of much, and ends after the half-close`, async () => {
    const [program, port] = await startEchoServer(kind);
    await using server = program;
    using conn = await connectTo(port);
    const sent = Uint8Array.from({ length: 500_000 }, (_, i) => i * 7);
    async function send(): Promise<void> {
      await writeAll(conn, sent);
      await conn.closeWrite();
    }
    const [received] = await Promise.all([
      readAll(conn),
      send(),
      linesUpTo(server, `closing connection to ${formatAddr(conn.localAddr)}`),
    ]);
    assertEquals(received.length, sent.length);
    assert(received.every((byte, i) => byte === sent[i]));
  });

  Deno.test(`${name} prints a line for a reset, and goes on`, async () => {
    const [program, port] = await startEchoServer(kind);
    await using server = program;
    using other = await connectTo(port);
    await server.line();
    let lines: string[] = [];
    await resetAfter("x", port, async () => {
      lines = await server.lines(2);
    });
    lines.push(await server.line());
    const peer = lines[0].split(" ").at(-1);
    const [, , error] = lines.map(withoutWho);
    assert(/^error: .*reset.* from /i.test(error), error);
    assert(error.endsWith(` from ${peer}`), error);
    await send(other, "still here");
    assertEquals(await receive(other, 10), "still here");
  });

  Deno.test(`${name} ends on Ctrl-C with clients that wait, and closes their connections`, async () => {
    const [program, port] = await startEchoServer(kind);
    await using server = program;
    using conn = await connectTo(port);
    await send(conn, "hello");
    assertEquals(await receive(conn, 5), "hello");
    await server.lines(2);
    server.interrupt();
    assertEquals(await conn.read(new Uint8Array(1)), null);
    conn.close();
    const { code, out, err } = await server.end();
    assertEquals([code, masked(out).map(withoutWho), err], [
      130,
      [
        "caught keyboard interrupt, exiting",
        "closing connection to 127.0.0.1:*",
      ],
      [],
    ]);
  });

  Deno.test(`${name} says that the port is in use`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const net = `127.0.0.1:${port}`;
    const ending = await runProgram(path, ["127.0.0.1", String(port)], {
      net,
      ...flags && { flags },
    });
    assertEquals(ending, {
      code: 1,
      out: [],
      err: [`${name}: ${net}: another program is listening there`],
    });
  });

  for (const hostname of LOOPBACK) {
    Deno.test(`${name} finds a free port on ${hostname}`, async () => {
      const net = bracketed(hostname);
      await using server = startProgram(path, [hostname, "0"], {
        net,
        ...flags && { flags },
      });
      let line: string;
      do line = await server.line(); while (!line.startsWith("listening on "));
      const port = portIn(line);
      assertEquals(line, `listening on ${net}:${port}`);
      using conn = await Deno.connect({ hostname, port });
      await send(conn, "hello");
      assertEquals(await receive(conn, 5), "hello");
      assertEquals(
        withoutWho(await server.line()),
        `accepted connection from ${formatAddr(conn.localAddr)}`,
      );
    });
  }
}
