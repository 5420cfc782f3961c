/**
 * `framewire tap` between programs that somebody else wrote, and what Wireshark says of the packets that it keeps.
 *
 * @module
 */

import { connect } from "@framewire/framewire";
import { lsp } from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  captureEnd,
  captureStart,
  packetBlock,
} from "../../cli/framewire/pcapng_writer.ts";
import { endpointsOf, TcpPackets } from "../../cli/framewire/tcp_packets.ts";
import { Authority } from "../support/certificates.ts";
import {
  type Needed,
  PeerServer,
  run,
  ServerFolder,
  testWithPeers,
} from "../support/peer_server.ts";
import { Random } from "../support/random.ts";
import { RunningProgram, startProgram } from "../support/running_program.ts";
import { readAll, writeAll } from "../support/sockets.ts";

const POSTGRES: Needed[] = [
  { command: "postgres", package: "postgresql" },
  { command: "psql", package: "postgresql-client" },
];
const MOSQUITTO: Needed[] = [
  { command: "mosquitto", package: "mosquitto" },
  { command: "mosquitto_pub", package: "mosquitto-clients" },
];
const TSHARK: Needed[] = [{ command: "tshark", package: "tshark" }];
const TIMEOUT = 20_000;

/** A line of `--json`. */
interface Line {
  event: string;
  connection: number;
  from?: string;
  number?: number;
  value?: Record<string, unknown>;
  [more: string]: unknown;
}

/** Starts a tap in front of a server, and gives its port. */
async function startTap(
  target: number,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<[tap: RunningProgram, port: number]> {
  const program = startProgram(
    "cli/main.ts",
    ["tap", ":0", `:${target}`, "--json", ...args],
    { net: `127.0.0.1:0,127.0.0.1:${target}`, flags },
  );
  const said = await program.said(/listening on/);
  return [program, Number(said.match(/127\.0\.0\.1:(\d+), to/)?.[1])];
}

/** Waits until so many connections are over, ends the tap, and gives what it saw. */
async function seenBy(tap: RunningProgram, count: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (let closed = 0; closed < count;) {
    const line: Line = JSON.parse(await tap.line());
    lines.push(line);
    if (line.event === "close") closed++;
  }
  tap.interrupt();
  const { code, out } = await tap.end();
  assertEquals([code, out], [130, []]);
  return lines;
}

/** The types of the values that a side sent. */
function typesFrom(lines: readonly Line[], from: string): unknown[] {
  return lines.filter((line) => line.event === "frame" && line.from === from)
    .map(({ value }) => value?.type);
}

async function startPostgres(): Promise<PeerServer> {
  const authority = await Authority.make();
  const { cert, key } = await authority.issue({ name: "PostgreSQL" });
  return await PeerServer.start({
    command: "postgres",
    async prepare(folder, port) {
      await run("initdb", [
        `--pgdata=${folder.path}/data`,
        "--username=alice",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
      ]);
      await folder.write(
        "data/postgresql.conf",
        [
          `port = ${port}`,
          "listen_addresses = '127.0.0.1'",
          "unix_socket_directories = ''",
          "ssl = on",
          "fsync = off",
          "",
        ].join("\n"),
      );
      await folder.write(
        "data/pg_hba.conf",
        "host all alice 127.0.0.1/32 trust\n",
      );
      await folder.write("data/server.crt", cert);
      await folder.write("data/server.key", key);
    },
    args: ({ folder }) => ["-D", `${folder}/data`],
  });
}

/** Asks PostgreSQL; again while it is still starting up. */
async function psql(
  port: number,
  sslmode: string,
  sql: string,
): Promise<string> {
  for (let tries = 1;; tries++) {
    try {
      return await run("psql", [
        "--no-psqlrc",
        "--tuples-only",
        "--no-align",
        `--command=${sql}`,
        `host=127.0.0.1 port=${port} user=alice dbname=postgres sslmode=${sslmode} gssencmode=disable`,
      ], { env: { HOME: "/nonexistent" } });
    } catch (error) {
      if (tries === 100 || !/starting up/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

testWithPeers(POSTGRES, "tap shows what psql and PostgreSQL say", async () => {
  await using server = await startPostgres();
  await psql(server.port, "disable", "SELECT 1"); // it has started up
  const [program, port] = await startTap(server.port, ["-c", "postgres"]);
  await using tap = program;
  assertEquals(
    await psql(port, "disable", "SELECT 42 AS answer, 'ü' AS u"),
    "42|ü\n",
  );
  const lines = await seenBy(tap, 1);
  assertEquals(lines.filter(({ event }) => event === "fault"), []);
  assertEquals(typesFrom(lines, "client"), ["startup", "query", "terminate"]);
  const query = lines.find(({ value }) => value?.type === "query");
  assertEquals(query?.value?.sql, "SELECT 42 AS answer, 'ü' AS u");
  const types = typesFrom(lines, "server");
  assertEquals(types[0], "authentication");
  assertEquals(types.slice(-4), [
    "rowDescription",
    "dataRow",
    "commandComplete",
    "readyForQuery",
  ]);
  const row = lines.find(({ value }) => value?.type === "dataRow");
  assertEquals(row?.value?.values, [{ text: "42" }, { text: "ü" }]);
});

testWithPeers(
  POSTGRES,
  "tap says from where on psql and PostgreSQL are encrypted, and lets them",
  async () => {
    await using server = await startPostgres();
    await psql(server.port, "disable", "SELECT 1");
    const [program, port] = await startTap(server.port, ["-c", "postgres"]);
    await using tap = program;
    assertEquals(await psql(port, "require", "SELECT 42"), "42\n");
    const lines = await seenBy(tap, 1);
    assertEquals(typesFrom(lines, "client"), ["sslRequest"]);
    assertEquals(typesFrom(lines, "server"), ["encryptionAnswer"]);
    const opaque = lines.find(({ event }) => event === "opaque");
    assertEquals(opaque?.opaque, "encrypted by tls");
    assertEquals(lines.filter(({ event }) => event === "fault"), []);
  },
);

testWithPeers(
  MOSQUITTO,
  "tap shows what mosquitto_pub, mosquitto_sub and Mosquitto say",
  async () => {
    await using broker = await PeerServer.start({
      command: "mosquitto",
      args: ({ folder }) => ["-c", `${folder}/mosquitto.conf`],
      prepare: async (folder, port) => {
        await folder.write(
          "mosquitto.conf",
          `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_type none\n`,
        );
      },
    });
    const [program, port] = await startTap(broker.port, ["-c", "mqtt"]);
    await using tap = program;
    const place = ["-h", "127.0.0.1", "-p", String(port)];
    for (const version of ["mqttv311", "mqttv5"]) {
      const options = [...place, "-V", version, "-q", "1"];
      await run("mosquitto_pub", [
        ...options,
        ...["-t", `news/${version}`, "-m", "Grüße", "-r"],
      ]);
      const heard = await run("mosquitto_sub", [
        ...options,
        ...["-t", "news/#", "-C", "1", "-W", "20", "-v"],
      ]);
      assert(heard.endsWith(" Grüße\n"), heard);
    }
    const lines = await seenBy(tap, 4);
    assertEquals(lines.filter(({ event }) => event === "fault"), []);
    const of = (connection: number) =>
      lines.filter((line) => line.connection === connection);
    for (const connection of [1, 3]) {
      assertEquals(typesFrom(of(connection), "client"), [
        "connect",
        "publish",
        "disconnect",
      ]);
      assertEquals(typesFrom(of(connection), "server"), ["connack", "puback"]);
    }
    for (const connection of [2, 4]) {
      assertEquals(typesFrom(of(connection), "client").slice(0, 2), [
        "connect",
        "subscribe",
      ]);
      const types = typesFrom(of(connection), "server");
      assert(types.includes("suback") && types.includes("publish"));
    }
    const [publish] = of(3).filter(({ value }) => value?.type === "publish");
    assertEquals([publish.value?.topic, publish.value?.payload], [
      "news/mqttv5",
      { text: "Grüße" },
    ]);
  },
);

/** Leads the next client of a listener to the pipes of a language server. */
async function bridge(
  listener: Deno.TcpListener,
  folder: string,
): Promise<void> {
  const conn = await listener.accept();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["lsp"],
    cwd: folder,
    env: {
      DENO_DIR: folder,
      DENO_NO_UPDATE_CHECK: "1",
      HOME: folder,
      NO_COLOR: "1",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await Promise.allSettled([
    conn.readable.pipeTo(child.stdin),
    child.stdout.pipeTo(conn.writable),
    child.status,
  ]);
}

Deno.test("tap shows what an editor and deno lsp say", async () => {
  await using folder = await ServerFolder.make();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bridged = bridge(listener, folder.path);
  const [program, port] = await startTap(listener.addr.port, ["-c", "lsp"]);
  await using tap = program;
  {
    await using peer = await connect({ port }, lsp());
    const answerTo = async (id: number) => {
      while (true) {
        const message = await peer.read({ timeout: TIMEOUT });
        assert(message !== null);
        if (message.type === "response" && message.id === id) return message;
      }
    };
    await peer.write({
      type: "request",
      id: 1,
      method: "initialize",
      params: { processId: null, rootUri: null, capabilities: {} },
    });
    await answerTo(1);
    await peer.write({
      type: "notification",
      method: "initialized",
      params: {},
    });
    await peer.write({ type: "request", id: 2, method: "shutdown" });
    await answerTo(2);
    await peer.write({ type: "notification", method: "exit" });
  }
  await bridged;
  const lines = await seenBy(tap, 1);
  assertEquals(lines.filter(({ event }) => event === "fault"), []);
  const said = lines.filter(({ from, event }) =>
    from === "client" && event === "frame"
  );
  assertEquals(said.map(({ value }) => value?.method), [
    "initialize",
    "initialized",
    "shutdown",
    "exit",
  ]);
  const [first] = lines.filter(({ value }) =>
    value?.type === "response" && value.id === 1
  );
  assert("capabilities" in Object(first.value?.result));
});

/** What tshark says of a capture, by its arguments. */
async function tshark(
  path: string,
  ...args: string[]
): Promise<string[]> {
  const text = await run("tshark", [
    ...["-r", path, "-o", "tcp.check_checksum:TRUE"],
    ...["-o", "ip.check_checksum:TRUE", ...args],
  ], { env: { HOME: "/nonexistent" } });
  return text.split("\n").filter((line) => line !== "");
}

/** The bytes of each direction of a stream, as tshark follows it. */
async function followed(
  path: string,
  stream: number,
): Promise<[client: Uint8Array, server: Uint8Array]> {
  const lines = await tshark(path, "-q", "-z", `follow,tcp,raw,${stream}`);
  const rows = lines.filter((line) => /^\t?[0-9a-f]+$/.test(line));
  const of = (indented: boolean) =>
    concat(
      rows.filter((row) => row.startsWith("\t") === indented)
        .map((row) => Uint8Array.fromHex(row.trim())),
    );
  return [of(false), of(true)];
}

/** Checks that tshark finds the bytes of each stream, and nothing to complain of. */
async function check(
  path: string,
  sent: readonly [there: Uint8Array, back: Uint8Array][],
): Promise<void> {
  await Deno.chmod(path, 0o644);
  for (const [stream, [there, back]] of sent.entries()) {
    const [client, server] = await followed(path, stream);
    assertEquals(client.toHex(), there.toHex(), `stream ${stream}`);
    assertEquals(server.toHex(), back.toHex(), `stream ${stream}`);
  }
  const wrong =
    "tcp.analysis.flags || _ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0";
  assertEquals(await tshark(path, "-Y", wrong), []);
  const warnings = await tshark(path, "-q", "-z", "expert,warn");
  assertEquals(
    warnings.filter((line) =>
      /^ +\d/.test(line) && !line.endsWith("Connection reset (RST)")
    ),
    [],
  );
  // That the checks are made at all.
  const good = await tshark(path, "-Y", "tcp.checksum.status == 1");
  assertEquals(good.length, (await tshark(path)).length);
  assert(good.length > sent.length * 8);
}

testWithPeers(
  TSHARK,
  "tshark opens what tap --write keeps, and follows the same bytes both ways",
  async () => {
    const random = new Random(77);
    await using folder = await ServerFolder.make();
    const path = `${folder.path}/x.pcapng`;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [program, port] = await startTap(
      listener.addr.port,
      ["-c", "length:4", "--write", path],
      [`--allow-write=${path}`],
    );
    await using tap = program;
    const send = async (conn: Deno.TcpConn, bytes: Uint8Array) => {
      for (const chunk of random.chunks(bytes.subarray(0, 2000))) {
        await writeAll(conn, chunk);
      }
      await writeAll(conn, bytes.subarray(2000));
      await conn.closeWrite();
    };
    const sent: [Uint8Array, Uint8Array][] = [];
    for (const [there, back] of [[1, 2000], [300_000, 2], [1000, 400_000]]) {
      const bytes: [Uint8Array, Uint8Array] = [
        random.bytes(there),
        random.bytes(back),
      ];
      sent.push(bytes);
      const [client, server] = await Promise.all([
        Deno.connect({ hostname: "127.0.0.1", port }),
        listener.accept(),
      ]);
      await Promise.all([
        send(client, bytes[0]),
        send(server, bytes[1]),
        readAll(client),
        readAll(server),
      ]);
      client.close();
      server.close();
    }
    await seenBy(tap, sent.length);
    await check(path, sent);
  },
);

testWithPeers(
  TSHARK,
  "tshark takes packets of IPv6 that were made up for real ones, resets too",
  async () => {
    const random = new Random(78);
    const bytes: [Uint8Array, Uint8Array] = [
      random.bytes(70_000),
      random.bytes(5),
    ];
    const at = (hostname: string, port: number): Deno.NetAddr => ({
      transport: "tcp",
      hostname,
      port,
    });
    const ends = endpointsOf(at("2001:db8::1", 50_000), at("::1", 80), 1);
    const packets = new TcpPackets(ends);
    const all = [
      ...packets.open(),
      ...packets.data("client", bytes[0]),
      ...packets.data("server", bytes[1]),
      ...packets.end("client"),
      ...packets.reset("server"),
    ];
    await using folder = await ServerFolder.make();
    const path = `${folder.path}/x.pcapng`;
    await Deno.writeFile(
      path,
      concat([
        captureStart(),
        ...all.map((packet, i) => packetBlock(packet, i)),
        captureEnd(all.length, 0, all.length),
      ]),
    );
    const resets = await tshark(path, "-Y", "tcp.flags.reset == 1");
    assertEquals(resets.length, 1);
    await check(path, [bytes]);
  },
);

for (const noColor of ["", "1"]) {
  const has = noColor === "" ? "has colours" : "has no colours under NO_COLOR";
  testWithPeers(
    [{ command: "script", package: "bsdutils" }],
    `tap ${has} at a terminal`,
    async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const call =
        `${Deno.execPath()} run --no-prompt --allow-net=127.0.0.1 cli/main.ts tap :0 :${listener.addr.port} -c lines --once`;
      await using tap = new RunningProgram(
        "script",
        ["--quiet", "--return", "--command", call, "/dev/null"],
        { env: { NO_COLOR: noColor } },
      );
      const said = await tap.line();
      const port = Number(said.match(/127\.0\.0\.1:(\d+), to/)?.[1]);
      const [client, server] = await Promise.all([
        Deno.connect({ hostname: "127.0.0.1", port }),
        listener.accept(),
      ]);
      await writeAll(client, new TextEncoder().encode("\x1b[31mred\n"));
      await client.closeWrite();
      await readAll(server);
      await server.closeWrite();
      await readAll(client);
      client.close();
      server.close();
      const { code, out } = await tap.end();
      assertEquals(code, 0);
      const frame = out.find((line) => line.includes("@0")) ?? "";
      assertEquals(frame.includes("\x1b[36mclient\x1b[0m"), noColor === "");
      // What passes does not colour anything.
      assert(!frame.includes("\x1b[31m") && /\[31mred/.test(frame), frame);
    },
  );
}
