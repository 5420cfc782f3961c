/**
 * The application programs with peers in Python, with both byte orders in the header.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { hostByteOrder } from "../../lib/bytes/byte_order.ts";
import {
  type Ending,
  masked,
  portIn,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { hex } from "../support/wire.ts";
import { runPeerClient, startPeerServer, testWithPython } from "./python.ts";

const ORDERS = ["little", "big"] as const;

/** What is asked for, and what any of the servers must answer to it. */
interface Exchange {
  action: string;
  value: string;
  /** The request's content. */
  request: string;
  /** The response's content. */
  response: string;
  /** How our client shows the response. */
  shown: string;
}

const EXCHANGES: readonly Exchange[] = [
  search("morpheus", "Follow the white rabbit. 🐰"),
  search("🐶", "🐾 Playing ball! 🏐"),
  search("ring", "In the caves beneath the Misty Mountains. 💍"),
  search("needle", 'No match for "needle".'),
  search('"\n', 'No match for ""\n".'),
  {
    action: "binary",
    value: "😃",
    request: "binary😃",
    response: "First 10 bytes of request: binary😃",
    shown: String
      .raw`got response: b'First 10 bytes of request: binary\xf0\x9f\x98\x83'`,
  },
];

function search(value: string, result: string): Exchange {
  return {
    action: "search",
    value,
    request: JSON.stringify({ action: "search", value }),
    response: JSON.stringify({ result }),
    shown: `got result: ${result.replace("\n", "\\n")}`,
  };
}

/** A message as a peer shows it: its byte order, its type, and its content in one form. */
function shownByPeer(line: string): string[] {
  const { header, content } = JSON.parse(line);
  const { byteorder, ...rest } = header;
  const type = rest["content-type"];
  const isJson = type === "text/json";
  const text = isJson ? content : new TextDecoder().decode(hex(content));
  assertEquals(rest, {
    "content-type": type,
    "content-encoding": isJson ? "utf-8" : "binary",
    "content-length": new TextEncoder().encode(text).length,
  });
  return [
    byteorder,
    type,
    isJson ? JSON.stringify(JSON.parse(text)) : text,
  ];
}

/** The type of an exchange's messages. */
function typeOf({ action }: Exchange, side: "client" | "server"): string {
  return action === "search"
    ? "text/json"
    : `binary/custom-${side}-binary-type`;
}

/** Our server and a client in Python that asks for all exchanges in one go. */
async function askOurServer(args: readonly string[]): Promise<Ending> {
  await using server = startProgram("cli/app_server.ts", ["127.0.0.1", "0"], {
    net: "127.0.0.1:0",
  });
  const port = String(portIn(await server.line()));
  const words = EXCHANGES.flatMap(({ action, value }) => [action, value]);
  const ending = await runPeerClient("app", [port, ...args, ...words]);
  const lines = masked(await server.lines(2 + 2 * EXCHANGES.length));
  const [first, last] = [lines.at(0), lines.at(-1)];
  assertEquals(first, "accepted connection from 127.0.0.1:*");
  assertEquals(last, "closing connection to 127.0.0.1:*");
  server.interrupt();
  assertEquals(await server.end(), {
    code: 130,
    out: ["caught keyboard interrupt, exiting"],
    err: [],
  });
  return ending;
}

for (const byteorder of ORDERS) {
  testWithPython(
    `app-client understands a server in Python whose header says ${byteorder}`,
    async () => {
      for (const exchange of EXCHANGES) {
        const { action, value, request, shown } = exchange;
        const [program, port] = await startPeerServer("app", [
          "--byteorder",
          byteorder,
        ]);
        await using server = program;
        const { code, out, err } = await runProgram(
          "cli/app_client.ts",
          ["127.0.0.1", port, action, value],
          { net: `127.0.0.1:${port}` },
        );
        assertEquals([code, out.at(-2), err], [0, shown, []]);
        const got = await server.end();
        assertEquals([got.code, got.err, got.out.length], [0, [], 1]);
        assertEquals(shownByPeer(got.out[0]), [
          hostByteOrder,
          typeOf(exchange, "client"),
          request,
        ]);
      }
    },
  );

  for (const cut of ["4096", "1"]) {
    testWithPython(
      `app-server answers a client in Python whose header says ${byteorder}, in pieces of ${cut}`,
      async () => {
        const { code, out, err } = await askOurServer([
          "--byteorder",
          byteorder,
          "--cut",
          cut,
        ]);
        assertEquals([code, err], [0, []]);
        assertEquals(
          out.map(shownByPeer),
          EXCHANGES.map((exchange) => [
            hostByteOrder,
            typeOf(exchange, "server"),
            exchange.response,
          ]),
        );
      },
    );
  }
}

testWithPython(
  "app-client takes a response from a server in Python that sends byte by byte",
  async () => {
    const [program, port] = await startPeerServer("app", ["--cut", "1"]);
    await using server = program;
    const { code, out, err } = await runProgram(
      "cli/app_client.ts",
      ["127.0.0.1", port, "search", "ring"],
      { net: `127.0.0.1:${port}` },
    );
    assertEquals([code, out.at(-2), err], [0, EXCHANGES[2].shown, []]);
    assertEquals((await server.end()).code, 0);
  },
);
