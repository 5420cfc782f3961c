/**
 * The multi-connection server as a process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { formatAddr } from "@framewire/framewire";
import { masked } from "../support/running_program.ts";
import { byConnection } from "../support/transcript.ts";
import {
  connectTo,
  interrupted,
  receive,
  runClient,
  send,
  STOPPED,
  withServer,
} from "../support/tutorial.ts";

const MULTICONN_SERVER = "cli/multiconn_server.ts";

Deno.test("multiconn-server and multiconn-client print what the tutorial prints", () =>
  withServer(MULTICONN_SERVER, [], async (server, port) => {
    const client = await runClient("cli/multiconn_client.ts", port, ["2"]);
    assertEquals([client.code, client.err], [0, []]);
    // In what order the connections are served, and in what pieces, is up to TCP.
    assertEquals(client.out.slice(0, 6), [
      "starting connection 1 to 127.0.0.1:*",
      "starting connection 2 to 127.0.0.1:*",
      "sending b'Message 1 from client.' to connection 1",
      "sending b'Message 2 from client.' to connection 1",
      "sending b'Message 1 from client.' to connection 2",
      "sending b'Message 2 from client.' to connection 2",
    ]);
    assertEquals(byConnection(client.out.slice(6)).toSorted(), [
      [
        "received b'Message 1 from client.Message 2 from client.' from connection 1",
        "closing connection 1",
      ],
      [
        "received b'Message 1 from client.Message 2 from client.' from connection 2",
        "closing connection 2",
      ],
    ]);

    const printed: string[] = [];
    for (let open = 2; open > 0;) {
      const line = await server.line();
      printed.push(line);
      if (line.startsWith("closing ")) open--;
    }
    const connections = byConnection(printed);
    assertEquals(connections.length, 2);
    for (const lines of connections) {
      assertEquals(masked(lines), [
        "accepted connection from 127.0.0.1:*",
        "echoing b'Message 1 from client.Message 2 from client.' to 127.0.0.1:*",
        "closing connection to 127.0.0.1:*",
      ]);
    }
    assertEquals(await interrupted(server), STOPPED);
  }));

Deno.test("multiconn-server sends back every byte, of many clients at once", () =>
  withServer(MULTICONN_SERVER, [], async (server, port) => {
    const conns = await Promise.all(
      Array.from({ length: 20 }, () => connectTo(port)),
    );
    const echoes = await Promise.all(conns.map(async (conn, i) => {
      const text = `I am number ${i}`;
      let echo = "";
      for (const byte of text) {
        await send(conn, byte);
        echo += await receive(conn, 1);
      }
      return echo;
    }));
    assertEquals(echoes, conns.map((_, i) => `I am number ${i}`));
    const names = conns.map(({ localAddr }) => formatAddr(localAddr));
    for (const conn of conns) conn.close();
    const printed: string[] = [];
    for (let open = conns.length; open > 0;) {
      const line = await server.line();
      printed.push(line);
      if (line.startsWith("closing ")) open--;
    }
    assertEquals(
      byConnection(printed).toSorted(),
      names.map((name, i) => [
        `accepted connection from ${name}`,
        `echoing b'I am number ${i}' to ${name}`,
        `closing connection to ${name}`,
      ]).toSorted(),
    );
  }));
