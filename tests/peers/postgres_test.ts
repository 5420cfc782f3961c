/**
 * `postgres()` with PostgreSQL: as its client, and as a server for psql.
 *
 * @module
 */

import {
  connect,
  Framing,
  MalformedFrameError,
  serve,
  startTls,
  TlsHandshakeError,
} from "@framewire/framewire";
import {
  postgres,
  type PostgresClientMessage,
  postgresEncryption,
  type PostgresEncryptionAnswer,
  type PostgresFields,
  type PostgresProof,
  type PostgresServerMessage,
} from "@framewire/framewire/protocols";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Scram } from "../../examples/scram.ts";
import { Recorder, writeCapture } from "../support/capture.ts";
import { Authority } from "../support/certificates.ts";
import {
  type Needed,
  PeerServer,
  run,
  testWithPeers,
} from "../support/peer_server.ts";

const NEEDED: Needed[] = [
  { command: "postgres", package: "postgresql" },
  { command: "psql", package: "postgresql-client" },
];
const ROWS = 100_000;
const PASSWORD = "Tür und Angel";
const SCRAM_USER = "bob";
const READY = { type: "readyForQuery", status: "idle" } as const;
/** A column of text that belongs to no table. */
const TEXT = {
  tableOid: 0,
  columnNumber: 0,
  typeOid: 25,
  typeSize: -1,
  typeModifier: -1,
  format: "text",
} as const;
const authority = await Authority.make();
const certificate = await authority.issue({ name: "PostgreSQL" });

type Peer = Framing<
  PostgresServerMessage,
  PostgresClientMessage | PostgresProof
>;
type Kind = PostgresServerMessage["type"];
type MessageOf<K extends Kind> = PostgresServerMessage & { type: K };

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | null) =>
  bytes === null ? null : new TextDecoder().decode(bytes);

function startPostgres(): Promise<PeerServer> {
  return PeerServer.start({
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
      const lines = (of: readonly string[]) => of.join("\n") + "\n";
      await folder.write(
        "data/postgresql.conf",
        lines([
          `port = ${port}`,
          "listen_addresses = '127.0.0.1'",
          "unix_socket_directories = ''",
          "ssl = on",
          "fsync = off",
        ]),
      );
      await folder.write(
        "data/pg_hba.conf",
        lines([
          `host all ${SCRAM_USER} 127.0.0.1/32 scram-sha-256`,
          "host all dave 127.0.0.1/32 password",
          "host all alice 127.0.0.1/32 trust",
        ]),
      );
      await folder.write("data/server.crt", certificate.cert);
      await folder.write("data/server.key", certificate.key);
    },
    args: ({ folder }) => ["-D", `${folder}/data`],
  });
}

/** What the server said is wrong. */
class ServerError extends Error {
  constructor(readonly fields: PostgresFields) {
    super(`${fields.severity} ${fields.code}: ${fields.message}`);
  }
}

async function next(peer: Peer): Promise<PostgresServerMessage> {
  const message = await peer.read({ timeout: 20_000 });
  assert(message !== null, "The server ended the stream");
  if (message.type === "errorResponse") throw new ServerError(message.fields);
  return message;
}

/** The next message, which must be of a certain kind. */
async function expect<K extends Kind>(
  peer: Peer,
  type: K,
): Promise<MessageOf<K>> {
  const message = await next(peer);
  const isIt = (one: PostgresServerMessage): one is MessageOf<K> =>
    one.type === type;
  if (!isIt(message)) {
    throw new Error(`Expected ${type}: ${Deno.inspect(message)}`);
  }
  return message;
}

/** All messages until the server waits for a query; an error is one of them. */
async function untilReady(peer: Peer): Promise<PostgresServerMessage[]> {
  const messages: PostgresServerMessage[] = [];
  while (true) {
    const message = await peer.read({ timeout: 20_000 });
    assert(message !== null, "The server ended the stream");
    messages.push(message);
    if (message.type === "readyForQuery") return messages;
  }
}

/** What there is to know of a session that has begun. */
interface Session {
  peer: Peer;
  settings: Map<string, string>;
  methods: string[];
  processId: number;
  secretKey: Uint8Array;
}

async function begin(peer: Peer, user: string): Promise<Session> {
  const scram = new Scram(PASSWORD);
  const settings = new Map<string, string>();
  const methods: string[] = [];
  let processId = 0;
  let secretKey = new Uint8Array();
  const parameters = { user, database: "postgres", "client_encoding": "UTF8" };
  await peer.write({ type: "startup", version: "3.0", parameters });
  while (true) {
    const message = await next(peer);
    if (message.type === "readyForQuery") {
      return { peer, settings, methods, processId, secretKey };
    } else if (message.type === "parameterStatus") {
      settings.set(message.name, message.value);
    } else if (message.type === "backendKeyData") {
      ({ processId } = message);
      secretKey = message.secretKey.slice();
    } else if (message.type === "authentication") {
      methods.push(message.method);
      if (message.method === "sasl") {
        assert(message.mechanisms.includes("SCRAM-SHA-256"));
        await peer.write({
          type: "saslInitialResponse",
          mechanism: "SCRAM-SHA-256",
          data: utf8(scram.first),
        });
      } else if (message.method === "saslContinue") {
        const answer = await scram.answer(text(message.data) ?? "");
        const data = utf8(answer);
        await peer.write({ type: "authenticationResponse", data });
      } else if (message.method === "saslFinal") {
        scram.check(text(message.data) ?? "");
      } else if (message.method === "cleartextPassword") {
        await peer.write({ type: "password", password: PASSWORD });
      }
    } else {
      throw new Error(`Unexpected: ${Deno.inspect(message)}`);
    }
  }
}

/** Connects in clear; a server that has just begun to listen may still be starting up. */
async function open(port: number, user = "alice"): Promise<Session> {
  for (let tries = 1;; tries++) {
    const peer = await connect({ port }, postgres());
    try {
      return await begin(peer, user);
    } catch (error) {
      peer.close();
      const early = error instanceof ServerError &&
        error.fields.code === "57P03";
      if (!early || tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Asks to encrypt, and says what the answer is. */
async function askToEncrypt(port: number) {
  const asking = await connect({ port }, postgresEncryption());
  await asking.write({ type: "sslRequest" });
  const answer = await asking.read({ timeout: 20_000 });
  assert(answer?.type === "encryptionAnswer");
  return { asking, encryption: answer.encryption };
}

async function openEncrypted(port: number, ca: string): Promise<
  Framing<
    PostgresServerMessage,
    PostgresClientMessage | PostgresProof
  >
> {
  const { asking, encryption } = await askToEncrypt(port);
  assertEquals(encryption, "tls");
  const detached = await asking.detach();
  assertEquals(detached.remainder.length, 0);
  const conn = await startTls(detached, { hostname: "127.0.0.1", ca });
  return new Framing(conn, postgres());
}

async function query(
  peer: Peer,
  sql: string,
): Promise<PostgresServerMessage[]> {
  await peer.write({ type: "query", sql });
  return await untilReady(peer);
}

/** The rows among messages, as text. */
function rowsOf(messages: readonly PostgresServerMessage[]) {
  return messages.flatMap((message) =>
    message.type === "dataRow" ? [message.values.map(text)] : []
  );
}

function kindsOf(messages: readonly PostgresServerMessage[]): Kind[] {
  return messages.map(({ type }) => type);
}

async function end({ peer }: Pick<Session, "peer">): Promise<void> {
  await peer.write({ type: "terminate" });
  assertEquals(await peer.read({ timeout: 20_000 }), null);
  await peer.close();
}

/** Reads the 100,000 rows, and checks every one. */
async function readManyRows(peer: Peer): Promise<void> {
  await peer.write({
    type: "query",
    sql:
      `SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('ü', i % 50) END AS t FROM generate_series(1, ${ROWS}) i`,
  });
  const { columns } = await expect(peer, "rowDescription");
  assertEquals(
    columns.map(({ name, typeOid, typeSize, format }) => [
      name,
      typeOid,
      typeSize,
      format,
    ]),
    [["i", 23, 4, "text"], ["t", 25, -1, "text"]],
  );
  let count = 0;
  for (;;) {
    const message = await next(peer);
    if (message.type !== "dataRow") {
      assertEquals(message, {
        type: "commandComplete",
        command: `SELECT ${ROWS}`,
      });
      break;
    }
    count++;
    const [i, t] = message.values;
    const expected = count % 3 === 0 ? undefined : count % 50 * 2;
    if (text(i) !== String(count) || t?.length !== expected) {
      throw new Error(`Row ${count} is ${Deno.inspect(message)}`);
    }
  }
  assertEquals(count, ROWS);
  assertEquals((await expect(peer, "readyForQuery")).status, "idle");
}

async function errorsAndNotices(peer: Peer): Promise<void> {
  const messages = await query(peer, 'SELECT * FROM "niemand 🙂"');
  assertEquals(kindsOf(messages), ["errorResponse", "readyForQuery"]);
  const [error] = messages;
  assert(error.type === "errorResponse");
  const { severity, severityNonLocalized, code, message, position, ...rest } =
    error.fields;
  assertEquals([severity, severityNonLocalized, code, message, position], [
    "ERROR",
    "ERROR",
    "42P01",
    'relation "niemand 🙂" does not exist',
    "15",
  ]);
  assertEquals(Object.keys(rest), ["file", "line", "routine"]);

  const notices = await query(
    peer,
    "DO $$ BEGIN RAISE NOTICE 'Grüße' USING HINT = 'kein Grund zur Sorge'; END $$",
  );
  assertEquals(kindsOf(notices), [
    "noticeResponse",
    "commandComplete",
    "readyForQuery",
  ]);
  const [notice] = notices;
  assert(notice.type === "noticeResponse");
  assertEquals([notice.fields.message, notice.fields.hint], [
    "Grüße",
    "kein Grund zur Sorge",
  ]);

  // An error in a transaction, and behind it an empty query and two statements in one.
  const failed = await query(peer, "BEGIN; SELECT 1/0; SELECT 2");
  assertEquals(failed.at(-1), { type: "readyForQuery", status: "failed" });
  const aborted = await query(peer, "ROLLBACK");
  assertEquals(aborted.at(-1), { type: "readyForQuery", status: "idle" });
  assertEquals(kindsOf(await query(peer, "")), [
    "emptyQueryResponse",
    "readyForQuery",
  ]);
}

async function preparedStatements(peer: Peer): Promise<void> {
  await peer.writeMany([
    {
      type: "parse",
      name: "sum",
      sql: "SELECT generate_series(1, $1), $2::text",
      typeOids: [23],
    },
    { type: "describe", what: "statement", name: "sum" },
    {
      type: "bind",
      portal: "p",
      statement: "sum",
      parameterFormats: ["binary", "text"],
      parameters: [new Uint8Array([0, 0, 0, 3]), null],
      resultFormats: ["binary"],
    },
    { type: "describe", what: "portal", name: "p" },
    { type: "execute", portal: "p", maxRows: 2 },
    { type: "execute", portal: "p", maxRows: 0 },
    { type: "close", what: "portal", name: "p" },
    { type: "parse", name: "", sql: "BEGIN", typeOids: [] },
    { type: "describe", what: "statement", name: "" },
    { type: "sync" },
  ]);
  const messages = await untilReady(peer);
  assertEquals(kindsOf(messages), [
    "parseComplete",
    "parameterDescription",
    "rowDescription",
    "bindComplete",
    "rowDescription",
    "dataRow",
    "dataRow",
    "portalSuspended",
    "dataRow",
    "commandComplete",
    "closeComplete",
    "parseComplete",
    "parameterDescription",
    "noData",
    "readyForQuery",
  ]);
  assertEquals(messages[1], {
    type: "parameterDescription",
    typeOids: [23, 25],
  });
  const portal = messages[4];
  assert(portal.type === "rowDescription");
  assertEquals(portal.columns.map(({ format }) => format), [
    "binary",
    "binary",
  ]);
  assertEquals(messages[8], {
    type: "dataRow",
    values: [new Uint8Array([0, 0, 0, 3]), null],
  });

  // What fails in a batch leaves out the rest of it, and no message behind it is taken for another.
  await peer.writeMany([
    { type: "parse", name: "", sql: "SELEKT", typeOids: [] },
    { type: "execute", portal: "", maxRows: 0 },
    { type: "sync" },
  ]);
  assertEquals(kindsOf(await untilReady(peer)), [
    "errorResponse",
    "readyForQuery",
  ]);
}

async function copies(peer: Peer): Promise<void> {
  await query(peer, "CREATE TEMPORARY TABLE t (a int, b text)");
  await peer.write({ type: "query", sql: "COPY t FROM STDIN" });
  const start = await expect(peer, "copyInResponse");
  assertEquals(start.columnFormats, ["text", "text"]);
  // Where the data is cut says nothing.
  for (const piece of ["1\teins\n2\tzw", "ei\n", "", "3\t\\N\n"]) {
    await peer.write({ type: "copyData", data: utf8(piece) });
  }
  await peer.write({ type: "copyDone" });
  assertEquals(await expect(peer, "commandComplete"), {
    type: "commandComplete",
    command: "COPY 3",
  });
  await expect(peer, "readyForQuery");

  const out = await query(peer, "COPY t TO STDOUT (FORMAT csv)");
  assertEquals(kindsOf(out), [
    "copyOutResponse",
    "copyData",
    "copyData",
    "copyData",
    "copyDone",
    "commandComplete",
    "readyForQuery",
  ]);
  const lines = out.map((one) => one.type === "copyData" ? text(one.data) : "");
  assertEquals(lines.join(""), "1,eins\n2,zwei\n3,\n");

  await peer.write({ type: "query", sql: "COPY t FROM STDIN" });
  await expect(peer, "copyInResponse");
  await peer.write({ type: "copyFail", message: "Schluß" });
  const [error] = await untilReady(peer);
  assert(error.type === "errorResponse");
  assertEquals([error.fields.code, error.fields.message], [
    "57014",
    "COPY from stdin failed: Schluß",
  ]);
}

async function cancelsAndNotifications(
  port: number,
  session: Session,
): Promise<void> {
  const { peer, processId, secretKey } = session;
  await peer.write({ type: "query", sql: "SELECT pg_sleep(60)" });
  await peer.drain();
  // Who cancels before the query is there cancels nothing.
  const watcher = await open(port);
  const state = `SELECT 1 FROM pg_stat_activity WHERE pid = ${processId}` +
    " AND wait_event = 'PgSleep'";
  while (rowsOf(await query(watcher.peer, state)).length === 0);
  await using canceller = await connect({ port }, postgres());
  await canceller.write({ type: "cancelRequest", processId, secretKey });
  assertEquals(await canceller.read({ timeout: 20_000 }), null);
  const canceled = await untilReady(peer);
  const error = canceled.find(({ type }) => type === "errorResponse");
  assert(error?.type === "errorResponse");
  assertEquals(error.fields.code, "57014");

  await query(peer, 'LISTEN "news"');
  await query(watcher.peer, "NOTIFY news, 'Hallo'");
  assertEquals(await expect(peer, "notificationResponse"), {
    type: "notificationResponse",
    processId: watcher.processId,
    channel: "news",
    payload: "Hallo",
  });
  await end(watcher);
}

/** What is recorded: a session without encryption, so that there is something to see. */
async function record(port: number, version: string): Promise<void> {
  await using recorder = new Recorder(port);
  const session = await open(recorder.port, SCRAM_USER);
  const { peer } = session;
  await query(
    peer,
    "SELECT i, 'Zeile ' || i, NULL FROM generate_series(1, 3) i",
  );
  await errorsAndNotices(peer);
  await preparedStatements(peer);
  await copies(peer);
  await end(session);
  await writeCapture("postgres", {
    what:
      "a session: SCRAM, queries, errors, a notice, prepared statements, COPY",
    with: version,
    chunks: recorder.chunks,
  });
}

/** Runs the example program. */
async function runExample(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number; out: string; err: string }> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      "--allow-env=PGPASSWORD",
      "examples/psql_query.ts",
      ...args,
    ],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1", ...env },
  }).output();
  return {
    code: output.code,
    out: text(output.stdout) ?? "",
    err: text(output.stderr) ?? "",
  };
}

testWithPeers(NEEDED, "postgres() is a client of PostgreSQL", async () => {
  const version = (await run("postgres", ["--version"])).trim();
  await using server = await startPostgres();
  const { port } = server;

  const session = await open(port);
  const { peer, settings, methods } = session;
  assertEquals(methods, ["ok"]);
  assertEquals(settings.get("client_encoding"), "UTF8");
  assertEquals(session.secretKey.length, 4);
  await readManyRows(peer);
  await errorsAndNotices(peer);
  await preparedStatements(peer);
  await copies(peer);
  await cancelsAndNotifications(port, session);
  for (const user of [SCRAM_USER, "dave"]) {
    await query(peer, `CREATE USER ${user} PASSWORD '${PASSWORD}'`);
  }

  // A value of 16 MiB is left out, and the session goes on.
  const small = peer.switchCodec(postgres({ onOversize: "skip" }));
  await small.write({ type: "query", sql: "SELECT repeat('x', 1 << 24)" });
  await expect(small, "rowDescription");
  await assertRejects(
    () => small.read(),
    Error,
    "length 16777222 exceeds maxFrameLength of 1048576 bytes",
  );
  await expect(small, "commandComplete");
  await expect(small, "readyForQuery");
  const large = small.switchCodec(postgres({ maxFrameLength: 2 ** 25 }));
  const [[value]] = rowsOf(
    await query(large, "SELECT repeat('x', 1 << 24)"),
  );
  assertEquals(value?.length, 2 ** 24);

  // Text in another encoding cannot be read, and the session goes on.
  const before = large.switchCodec(postgres());
  await query(before, "SET client_encoding = 'LATIN1'");
  await before.write({
    type: "query",
    sql: "DO $$ BEGIN RAISE NOTICE '%', chr(252); END $$",
  });
  await assertRejects(() => before.read(), MalformedFrameError, "UTF-8");
  await expect(before, "commandComplete");
  await expect(before, "readyForQuery");
  await end({ peer: before });

  // Passwords.
  const proved = await open(port, SCRAM_USER);
  assertEquals(proved.methods, ["sasl", "saslContinue", "saslFinal", "ok"]);
  await end(proved);
  const shown = await open(port, "dave");
  assertEquals(shown.methods, ["cleartextPassword", "ok"]);
  await end(shown);
  await assertRejects(() => open(port, "eve"), ServerError, "FATAL 28000");

  // TLS on the connection that began in clear.
  const secure = await openEncrypted(port, authority.cert);
  const encrypted = await begin(secure, SCRAM_USER);
  assertEquals(encrypted.methods, ["sasl", "saslContinue", "saslFinal", "ok"]);
  const [[tls]] = rowsOf(
    await query(
      secure,
      "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    ),
  );
  await readManyRows(secure);
  await secure.write({ type: "terminate" });
  await secure.close();
  const stranger = await Authority.make("Stranger");
  await assertRejects(
    () => openEncrypted(port, stranger.cert),
    TlsHandshakeError,
  );

  // The example program.
  const address = `127.0.0.1:${port}`;
  const ca = `${server.folder}/ca.crt`;
  await Deno.writeTextFile(ca, authority.cert);
  const asked = await runExample(
    ["--tls", address, SCRAM_USER, "postgres", "SELECT 1 AS a, NULL AS b"],
    { PGPASSWORD: PASSWORD, DENO_CERT: ca },
  );
  assertEquals(asked, { code: 0, out: "a|b\n1|\nSELECT 1\n", err: "" });
  const refused = await runExample(
    [address, "alice", "postgres", "SELEKT"],
    {},
  );
  assertEquals(refused, {
    code: 1,
    out: "",
    err: 'ERROR 42601: syntax error at or near "SELEKT"\n',
  });

  // The answer that there is no encryption, and going on without.
  const admin = await open(port);
  await query(admin.peer, "ALTER SYSTEM SET ssl = off");
  await query(admin.peer, "SELECT pg_reload_conf()");
  await end(admin);

  let answer = await askToEncrypt(port);
  for (let tries = 0; answer.encryption === "tls" && tries < 100; tries++) {
    answer.asking.close(); // the server has not read its configuration again
    answer = await askToEncrypt(port);
  }
  assertEquals(answer.encryption, "none");
  await end(await begin(answer.asking.switchCodec(postgres()), "alice"));

  if (Deno.args.includes("--record")) await record(port, version);
  console.log(
    `peer: ${version}: ${ROWS} rows in clear and as many over ${tls} on a connection that began in clear, errors, notices, prepared statements, COPY, cancel, NOTIFY, SCRAM`,
  );
});

testWithPeers(NEEDED, "postgres() is a server for psql", async () => {
  const psql = (await run("psql", ["--version"])).trim();
  const asked: PostgresClientMessage[] = [];
  await using server = serve(
    { port: 0 },
    postgres({ role: "server" }),
    async (peer) => {
      for await (const message of peer) {
        asked.push(message);
        await peer.writeMany(answersTo(message));
      }
    },
  );
  const args = [
    `host=127.0.0.1 port=${server.addr.port} user=alice dbname=d sslmode=prefer`,
    "--no-psqlrc",
    "--no-align",
    "--pset=null=NULL",
    "--command=SELECT 1",
  ];
  const env = { PGPASSWORD: PASSWORD };
  assertEquals(
    await run("psql", args, { env }),
    "größe|b\nSELECT 1|NULL\n|ü\n(2 rows)\n",
  );
  await assertRejects(
    () => run("psql", [...args, "--command=fail"], { env }),
    Error,
    "ERROR:  das war nichts\nHINT:  noch einmal",
  );
  assertEquals(asked.slice(0, 6).map(({ type }) => type), [
    "sslRequest",
    "startup",
    "authenticationResponse",
    "query",
    "terminate",
    "sslRequest",
  ]);
  const [, startup] = asked;
  assert(startup.type === "startup");
  assertEquals([startup.version, startup.parameters.user], ["3.0", "alice"]);
  console.log(
    `peer: ${psql}: was refused TLS, showed a password, printed our rows, a notice and an error`,
  );
});

/** What a server says that knows only two rows. */
function answersTo(
  message: PostgresClientMessage,
): (PostgresServerMessage | PostgresEncryptionAnswer)[] {
  switch (message.type) {
    case "sslRequest":
      return [{ type: "encryptionAnswer", encryption: "none" }];
    case "startup": {
      const salt = new Uint8Array([1, 2, 3, 4]);
      return [{ type: "authentication", method: "md5Password", salt }];
    }
    case "authenticationResponse":
      return [
        { type: "authentication", method: "ok" },
        { type: "parameterStatus", name: "server_version", value: "15.0" },
        { type: "parameterStatus", name: "client_encoding", value: "UTF8" },
        {
          type: "backendKeyData",
          processId: 1,
          secretKey: new Uint8Array(4),
        },
        READY,
      ];
    case "query":
      if (message.sql === "fail") {
        const fields = {
          severity: "ERROR",
          code: "XX000",
          message: "das war nichts",
          hint: "noch einmal",
        };
        return [{ type: "errorResponse", fields }, READY];
      }
      return [
        {
          type: "rowDescription",
          columns: [{ ...TEXT, name: "größe" }, { ...TEXT, name: "b" }],
        },
        {
          type: "noticeResponse",
          fields: { severity: "NOTICE", message: "Achtung" },
        },
        { type: "dataRow", values: [utf8(message.sql), null] },
        { type: "dataRow", values: [utf8(""), utf8("ü")] },
        { type: "commandComplete", command: "SELECT 2" },
        READY,
      ];
    default:
      return [];
  }
}
