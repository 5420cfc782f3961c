/**
 * The application server as a process, with well-behaved clients and with others.
 *
 * @module
 */

import {
  connect,
  encodeFrame,
  formatAddr,
  Message,
  messages,
} from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { connect as connectNode } from "node:net";
import tutorial from "../fixtures/tutorial_messages.json" with { type: "json" };
import { headerJson, wireOf } from "../support/messages.ts";
import {
  portIn,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { byteByByte, hex, raw } from "../support/wire.ts";

const APP_SERVER = "cli/app_server.ts";
const HOSTNAME = "127.0.0.1";

async function startServer(
  ...options: string[]
): Promise<[RunningProgram, number]> {
  const server = startProgram(APP_SERVER, [HOSTNAME, "0", ...options], {
    net: "127.0.0.1:0",
  });
  const line = await server.line();
  assert(/^listening on 127\.0\.0\.1:\d+$/.test(line), line);
  return [server, portIn(line)];
}

const RING = Message.json({ action: "search", value: "ring" });
const RING_LINES = [
  "received request {'action': 'search', 'value': 'ring'}",
  String
    .raw`sending b'\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 60}{"result": "In the caves beneath the Misty Mountains. \xf0\x9f\x92\x8d"}'`,
];

/** What the server prints for {@linkcode RING}, from an address. */
function ringLines(from: string): string[] {
  return [`${RING_LINES[0]} from ${from}`, `${RING_LINES[1]} to ${from}`];
}

Deno.test("app-server prints for the tutorial's requests what the tutorial prints", async () => {
  const [program, port] = await startServer();
  await using server = program;
  const expected = [
    [
      "received request {'action': 'search', 'value': 'morpheus'}",
      String
        .raw`sending b'\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 43}{"result": "Follow the white rabbit. \xf0\x9f\x90\xb0"}'`,
    ],
    [
      "received request {'action': 'search', 'value': '🐶'}",
      String
        .raw`sending b'\x00g{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 37}{"result": "\xf0\x9f\x90\xbe Playing ball! \xf0\x9f\x8f\x90"}'`,
    ],
    [
      "received binary/custom-client-binary-type request",
      String
        .raw`sending b'\x00\x7f{"byteorder": "little", "content-type": "binary/custom-server-binary-type", "content-encoding": "binary", "content-length": 37}First 10 bytes of request: binary\xf0\x9f\x98\x83'`,
    ],
  ];
  for (const [place, [received, sending]] of expected.entries()) {
    // The requests are the tutorial's own, from its big-endian machine.
    const request = tutorial[[0, 1, 4][place]];
    const response = tutorial[[2, 3, 5][place]];
    using conn = await Deno.connect({ hostname: HOSTNAME, port });
    const from = formatAddr(conn.localAddr);
    await conn.write(hex(request.wireHex));
    await conn.closeWrite();
    const answer = await new Response(conn.readable).bytes();
    assertEquals(answer.toHex(), response.wireHex);
    assertEquals(await server.lines(4), [
      `accepted connection from ${from}`,
      `${received} from ${from}`,
      `${sending} to ${from}`,
      `closing connection to ${from}`,
    ]);
  }
});

Deno.test("app-server answers any number of messages on a connection, in order", async () => {
  const [program, port] = await startServer();
  await using server = program;
  await using peer = await connect({ port }, messages());
  const from = formatAddr(peer.localAddr);
  for (let round = 0; round < 3; round++) {
    peer.write(RING);
    peer.write(Message.binary(raw("0123456789abc")));
    peer.write(Message.json(null));
  }
  await peer.closeWrite();
  const answers: string[] = [];
  for await (const response of peer) {
    answers.push(new TextDecoder().decode(response.content));
  }
  assertEquals(
    answers,
    Array(3).fill([
      '{"result": "In the caves beneath the Misty Mountains. 💍"}',
      "First 10 bytes of request: 0123456789",
      String.raw`{"result": "Error: invalid action \"\"."}`,
    ]).flat(),
  );
  const lines = await server.lines(20);
  assertEquals(lines.slice(0, 3), [
    `accepted connection from ${from}`,
    ...ringLines(from),
  ]);
  assertEquals(
    lines.map((line) => line.split(" ", 2).join(" ")),
    [
      "accepted connection",
      ...Array(3).fill([
        "received request",
        'sending b\'\\x00g{"byteorder":',
        "received binary/octet-stream",
        'sending b\'\\x00\\x7f{"byteorder":',
        "received request",
        'sending b\'\\x00g{"byteorder":',
      ]).flat(),
      "closing connection",
    ],
  );
  assertEquals(lines[5], `received request None from ${from}`);
});

Deno.test("app-server gives the same answer to a request that comes byte by byte", async () => {
  const [program, port] = await startServer();
  await using server = program;
  using conn = await Deno.connect({ hostname: HOSTNAME, port });
  conn.setNoDelay(true);
  for (const byte of byteByByte(hex(tutorial[1].wireHex))) {
    await conn.write(byte);
  }
  await conn.closeWrite();
  const answer = await new Response(conn.readable).bytes();
  assertEquals(answer.toHex(), tutorial[3].wireHex);
  await server.lines(4);
});

interface Fault {
  name: string;
  sends: Uint8Array;
  /** How the client goes on: it waits for the server unless told. */
  then?: "closes" | "resets";
  error: string;
  /** What else is printed before the error. */
  before?: string;
}

const MORPHEUS = hex(tutorial[0].wireHex);

const FAULTS: readonly Fault[] = [
  {
    name: "breaks off inside the header's length",
    sends: MORPHEUS.slice(0, 1),
    then: "closes",
    error: "Cannot read frame: stream ended after 1 of 2 bytes",
  },
  {
    name: "breaks off inside the header",
    sends: MORPHEUS.slice(0, 50),
    then: "closes",
    error: "Cannot read frame: stream ended after 50 of 102 bytes",
  },
  {
    name: "breaks off inside the content",
    sends: MORPHEUS.slice(0, 142),
    then: "closes",
    error: "Cannot read frame: stream ended after 142 of 143 bytes",
  },
  {
    name: "resets the connection inside a message",
    sends: MORPHEUS.slice(0, 50),
    then: "resets",
    error:
      "Cannot read frame: the peer reset the connection after 50 of 102 bytes",
  },
  {
    name: "speaks HTTP",
    sends: raw("GET / HTTP/1.1\r\n\r\n"),
    error:
      "Cannot read frame: header length 18245 exceeds maxHeaderLength of 8192 bytes: the bytes b'GET ' look like HTTP",
  },
  {
    name: "sends rubbish",
    sends: raw("\xff\xfe\xfd\xfc"),
    error:
      "Cannot read frame: header length 65534 exceeds maxHeaderLength of 8192 bytes",
  },
  {
    name: "sends a header without byteorder",
    sends: wireOf("{}"),
    error: 'Cannot read message: header lacks "byteorder"',
  },
  {
    name: "announces a terabyte",
    sends: wireOf(headerJson(2 ** 40)),
    error:
      "Cannot read frame: content-length 1099511627776 exceeds maxFrameLength of 1048576 bytes",
  },
  {
    name: "sends JSON that is none",
    sends: wireOf(headerJson(5, { "content-type": "text/json" }), "{\x1b[2J"),
    error: "Cannot read content as JSON: ",
  },
  {
    name: "sends JSON in an unknown encoding",
    sends: wireOf(
      headerJson(2, {
        "content-type": "text/json",
        "content-encoding": "rot13",
      }),
      "{}",
    ),
    error: 'Cannot read content as text: "content-encoding" "rot13" is unknown',
  },
];

/** Sends bytes, then resets the connection; gives where that came from. */
async function sendAndReset(
  port: number,
  bytes: Uint8Array,
  received: () => Promise<unknown>,
): Promise<string> {
  const socket = connectNode(port, HOSTNAME);
  socket.on("error", () => {});
  const connected = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  socket.on("connect", () => connected.resolve());
  socket.on("close", () => closed.resolve());
  await connected.promise;
  const from = `${HOSTNAME}:${socket.localPort}`;
  socket.write(bytes);
  await received();
  socket.resetAndDestroy();
  await closed.promise;
  return from;
}

Deno.test("app-server says in one line what a client does wrong, and closes that connection only", async (t) => {
  const [program, port] = await startServer();
  await using server = program;
  await using other = await connect({ port }, messages());
  const otherFrom = formatAddr(other.localAddr);
  assertEquals(await server.line(), `accepted connection from ${otherFrom}`);

  for (const { name, sends, then, error } of FAULTS) {
    await t.step(`that it ${name}`, async () => {
      let from: string;
      if (then === "resets") {
        from = await sendAndReset(port, sends, () => server.line());
      } else {
        using conn = await Deno.connect({ hostname: HOSTNAME, port });
        from = formatAddr(conn.localAddr);
        assertEquals(await server.line(), `accepted connection from ${from}`);
        await conn.write(sends);
        if (then === undefined) {
          const end = await conn.read(new Uint8Array(1)).catch((error) =>
            error
          );
          assert(
            end === null || end instanceof Deno.errors.ConnectionReset,
            "the server must close the connection",
          );
        }
      }
      const line = await server.line();
      if (error.endsWith(": ")) {
        assert(line.startsWith(`error: ${error}`), line);
        assert(line.endsWith(` from ${from}`), line);
        // deno-lint-ignore no-control-regex -- those are what it is about
        assert(!/[\x00-\x1f]/.test(line), "it must not steer the terminal");
      } else assertEquals(line, `error: ${error} from ${from}`);

      other.write(RING);
      const response = await other.read();
      assertEquals(response?.json(), {
        result: "In the caves beneath the Misty Mountains. 💍",
      });
      assertEquals(await server.lines(2), ringLines(otherFrom));
    });
  }

  await other.close();
  assertEquals(await server.line(), `closing connection to ${otherFrom}`);
});

Deno.test("app-server gives up a client that stalls, and answers others meanwhile", async () => {
  const [program, port] = await startServer("--timeout", "1");
  await using server = program;
  using stalling = await Deno.connect({ hostname: HOSTNAME, port });
  const from = formatAddr(stalling.localAddr);
  assertEquals(await server.line(), `accepted connection from ${from}`);
  await stalling.write(MORPHEUS.slice(0, 60));

  await using other = await connect({ port }, messages());
  const otherFrom = formatAddr(other.localAddr);
  other.write(RING);
  assertEquals((await other.read())?.header.contentLength, 60);
  await other.close();
  assertEquals(await server.lines(4), [
    `accepted connection from ${otherFrom}`,
    ...ringLines(otherFrom),
    `closing connection to ${otherFrom}`,
  ]);

  assertEquals(await stalling.read(new Uint8Array(1)), null);
  assertEquals(
    await server.line(),
    `error: Cannot read frame: 60 of 102 bytes came within 1000 ms from ${from}`,
  );
});

Deno.test("app-server gives up a client that never reads", async () => {
  const [program, port] = await startServer("--timeout", "1");
  await using server = program;
  using greedy = await Deno.connect({ hostname: HOSTNAME, port });
  const from = formatAddr(greedy.localAddr);
  assertEquals(await server.line(), `accepted connection from ${from}`);
  // Each of these makes a response of its own size.
  const request = encodeFrame(
    messages(),
    Message.json({ action: "search", value: "x".repeat(500_000) }),
  );
  async function send(): Promise<void> {
    while (true) {
      for (let at = 0; at < request.length;) {
        at += await greedy.write(request.subarray(at));
      }
    }
  }
  const sending = send().catch((error) => error);
  let line: string;
  do line = await server.line(); while (/^(received|sending)/.test(line));
  assert(
    /^error: Cannot write frame: the peer did not take \d+ bytes within 1000 ms from /
      .test(line),
    line,
  );
  assert(line.endsWith(from), line);
  greedy.close();
  assert(await sending instanceof Error);
});

Deno.test("app-server outlives a client that sends a message and goes away", async () => {
  const [program, port] = await startServer();
  await using server = program;
  const leaving = await Deno.connect({ hostname: HOSTNAME, port });
  const from = formatAddr(leaving.localAddr);
  await leaving.write(encodeFrame(messages(), RING));
  leaving.close();
  assertEquals(await server.lines(3), [
    `accepted connection from ${from}`,
    ...ringLines(from),
  ]);
  // Whether it learns of the end or of the reset first is up to the system.
  const last = await server.line();
  assert(
    last === `closing connection to ${from}` ||
      last.startsWith("error: ") && last.endsWith(from),
    last,
  );

  const client = await runProgram(
    "cli/app_client.ts",
    [HOSTNAME, String(port), "search", "ring"],
    { net: `${HOSTNAME}:${port}` },
  );
  assertEquals(client.code, 0);
  assertEquals((await server.lines(4)).length, 4);
});

Deno.test("app-server prints what a client calls its content on one line", async () => {
  const [program, port] = await startServer();
  await using server = program;
  await using peer = await connect({ port }, messages());
  const from = formatAddr(peer.localAddr);
  peer.write(Message.binary(raw("x"), "a\nlistening on \u001b[2Jb"));
  await peer.read();
  assertEquals(
    (await server.lines(2))[1],
    String.raw`received a\nlistening on \x1b[2Jb request from ${from}`,
  );
});

Deno.test("app-server shuts down on Ctrl-C, telling the clients that are idle", async () => {
  const [program, port] = await startServer();
  await using server = program;
  await using idle = await connect({ port }, messages());
  idle.write(RING);
  await idle.read();
  await server.lines(3);
  server.interrupt();
  assertEquals(await idle.read(), null);
  await idle.close();
  const { code, out, err } = await server.end();
  assertEquals([code, err], [130, []]);
  assertEquals(out[0], "caught keyboard interrupt, exiting");
});

Deno.test("app-server does not let an unfinished message keep it from ending on Ctrl-C", async () => {
  const [program, port] = await startServer();
  await using server = program;
  using conn = await Deno.connect({ hostname: HOSTNAME, port });
  await conn.write(concat([encodeFrame(messages(), RING), raw("\0")]));
  await server.lines(3);
  server.interrupt();
  const { code, out } = await server.end();
  assertEquals(code, 130);
  assertEquals(out[0], "caught keyboard interrupt, exiting");
});

for (
  const [args, target] of [
    [[], "127.0.0.1:65432"],
    [["", "7"], "0.0.0.0:7"],
    [["localhost", "7"], "localhost:7"],
    [["::", "7"], "[::]:7"],
  ] as const
) {
  Deno.test(`app-server says which permission it needs for ${target}`, async () => {
    assertEquals(await runProgram(APP_SERVER, args), {
      code: 1,
      out: [],
      err: [
        `app-server: needs permission: run again with --allow-net=${target}`,
      ],
    });
  });
}

Deno.test("app-server says that the port is in use", async () => {
  using listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  const { port } = listener.addr;
  const net = `${HOSTNAME}:${port}`;
  assertEquals(
    await runProgram(APP_SERVER, [HOSTNAME, String(port)], { net }),
    {
      code: 1,
      out: [],
      err: [`app-server: ${net}: another program is listening there`],
    },
  );
});

for (
  const [args, reason] of [
    [[HOSTNAME, "1", "2"], 'unexpected argument "2"'],
    [
      [HOSTNAME, "x"],
      'port must be a whole number from 0 to 65535: it is "x"',
    ],
    [["--timeout=0"], 'timeout must be a whole number, 1 or more: it is "0"'],
    [["--port=1"], "unknown option --port=1"],
  ] as const
) {
  Deno.test(`app-server refuses ${args.join(" ")}`, async () => {
    assertEquals(await runProgram(APP_SERVER, args), {
      code: 2,
      out: [],
      err: [
        "usage: app-server [<host>] [<port>] [--timeout <value>]",
        `app-server: ${reason}`,
      ],
    });
  });
}
