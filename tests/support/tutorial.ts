/**
 * A tutorial's server and client: either of them against the other, or against the test.
 *
 * @module
 */

import { connect as connectNode } from "node:net";
import {
  type Ending,
  masked,
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "./running_program.ts";
import { writeAll } from "./sockets.ts";
import { raw, unraw } from "./wire.ts";

/** Runs a server on a free port while `use` does something with it. */
export async function withServer(
  path: string,
  args: readonly string[],
  use: (server: RunningProgram, port: number) => Promise<void>,
): Promise<void> {
  await using server = startProgram(path, ["127.0.0.1", "0", ...args], {
    net: "127.0.0.1:0",
  });
  await use(server, portIn(await server.line()));
}

/** Presses Ctrl-C and waits for the end. */
export async function interrupted(server: RunningProgram): Promise<Ending> {
  server.interrupt();
  const { code, out, err } = await server.end();
  return { code, out: masked(out), err };
}

/** The ending of a server that had nothing more to say when Ctrl-C was pressed. */
export const STOPPED: Ending = {
  code: 130,
  out: ["caught keyboard interrupt, exiting"],
  err: [],
};

/** Runs a client against a port; in what it prints, ports are masked. */
export async function runClient(
  path: string,
  port: number,
  args: readonly string[] = [],
): Promise<Ending> {
  const net = `127.0.0.1:${port}`;
  const { code, out, err } = await runProgram(
    path,
    ["127.0.0.1", String(port), ...args],
    { net },
  );
  return { code, out: masked(out), err: masked(err) };
}

/** Runs a client against a server that does `answer` for every connection; in what it prints, ports are masked. */
export async function runAgainst(
  answer: (conn: Deno.TcpConn, index: number) => Promise<void>,
  path: string,
  args: readonly string[] = [],
): Promise<Ending> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answers: Promise<void>[] = [];
  async function serve(conn: Deno.TcpConn, index: number): Promise<void> {
    using _ = conn;
    await answer(conn, index);
  }
  async function accept(): Promise<void> {
    while (true) {
      const conn = await listener.accept();
      answers.push(serve(conn, answers.length));
    }
  }
  const accepting = accept().catch(() => {}); // until the listener is closed
  const ending = await runClient(path, listener.addr.port, args);
  listener.close();
  await accepting;
  await Promise.all(answers);
  return ending;
}

/** Connects to a server of 127.0.0.1. */
export async function connectTo(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return conn;
}

/** Writes a text, a character for a byte, in one write. */
export async function send(conn: Deno.Conn, text: string): Promise<void> {
  await writeAll(conn, raw(text));
}

/** Writes a text, every byte in a segment of its own as far as that can be asked for. */
export async function dribble(conn: Deno.TcpConn, text: string): Promise<void> {
  conn.setNoDelay(true);
  for (const byte of raw(text)) await conn.write(new Uint8Array([byte]));
}

/** Reads so many bytes, or as many as come before the end of the stream; a character for a byte. */
export async function receive(
  conn: Pick<Deno.Conn, "read">,
  length: number,
): Promise<string> {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const count = await conn.read(bytes.subarray(have));
    if (count === null) break;
    have += count;
  }
  return unraw(bytes.subarray(0, have));
}

/** Sends a text to a port and resets the connection once `when` is fulfilled. */
export async function resetAfter(
  text: string,
  port: number,
  when: () => Promise<unknown>,
): Promise<void> {
  const connected = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const socket = connectNode(port, "127.0.0.1", connected.resolve);
  socket.on("error", () => {});
  socket.on("close", () => closed.resolve());
  await connected.promise; // a reset before would be a mere end
  socket.write(raw(text));
  await when();
  socket.resetAndDestroy();
  await closed.promise;
}
