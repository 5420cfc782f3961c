/**
 * Asks PostgreSQL and prints the rows, as `psql --no-align` does.
 *
 *     deno run --allow-net=HOST:PORT --allow-env=PGPASSWORD examples/psql_query.ts \
 *       [--tls] HOST:PORT USER DATABASE QUERY
 *
 * A password is read from PGPASSWORD, and given as SCRAM-SHA-256 only. `--tls` encrypts; whom it trusts, DENO_CERT
 * and DENO_TLS_CA_STORE say.
 *
 * @module
 */

import { connect, Framing, startTls } from "@framewire/framewire";
import {
  postgres,
  type PostgresClientMessage,
  postgresEncryption,
  type PostgresProof,
  type PostgresServerMessage,
} from "@framewire/framewire/protocols";
import { Scram } from "./scram.ts";

type Peer = Framing<
  PostgresServerMessage,
  PostgresClientMessage | PostgresProof
>;

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Connects, encrypted if that is wanted. */
async function open(
  hostname: string,
  port: number,
  tls: boolean,
): Promise<Peer> {
  if (!tls) return await connect({ hostname, port }, postgres());
  const plain = await connect({ hostname, port }, postgresEncryption());
  await plain.write({ type: "sslRequest" });
  const answer = await plain.read();
  if (answer?.type !== "encryptionAnswer" || answer.encryption !== "tls") {
    throw new Error("The server does not encrypt");
  }
  const conn = await startTls(await plain.detach(), { hostname });
  return new Framing(conn, postgres());
}

/** The next message; throws what the server says is wrong. */
async function next(peer: Peer): Promise<PostgresServerMessage> {
  const message = await peer.read();
  if (message === null) throw new Error("The server closed the connection");
  if (message.type !== "errorResponse") return message;
  const { severity, code, message: what } = message.fields;
  throw new Error(`${severity} ${code}: ${what}`);
}

/** Begins a session: until the server waits for a query. */
async function begin(
  peer: Peer,
  user: string,
  database: string,
): Promise<void> {
  const parameters = { user, database, "client_encoding": "UTF8" };
  const scram = new Scram(Deno.env.get("PGPASSWORD") ?? "");
  await peer.write({ type: "startup", version: "3.0", parameters });
  while (true) {
    const message = await next(peer);
    if (message.type === "readyForQuery") return;
    if (message.type !== "authentication" || message.method === "ok") continue;
    if (message.method === "sasl") {
      const data = utf8(scram.first);
      const mechanism = "SCRAM-SHA-256";
      await peer.write({ type: "saslInitialResponse", mechanism, data });
    } else if (message.method === "saslContinue") {
      const data = utf8(await scram.answer(text(message.data)));
      await peer.write({ type: "authenticationResponse", data });
    } else if (message.method === "saslFinal") {
      scram.check(text(message.data));
    } else {
      throw new Error(`The server asks for ${message.method}`);
    }
  }
}

/** Prints what a message says. */
function print(message: PostgresServerMessage): void {
  if (message.type === "rowDescription") {
    console.log(message.columns.map(({ name }) => name).join("|"));
  } else if (message.type === "dataRow") {
    const values = message.values.map((value) => value ? text(value) : "");
    console.log(values.join("|"));
  } else if (message.type === "commandComplete") {
    console.log(message.command);
  } else if (message.type === "noticeResponse") {
    console.error(`${message.fields.severity}: ${message.fields.message}`);
  }
}

const tls = Deno.args[0] === "--tls";
const [address, user, database, sql] = tls ? Deno.args.slice(1) : Deno.args;
if (sql === undefined) {
  console.error("Usage: psql_query.ts [--tls] HOST:PORT USER DATABASE QUERY");
  Deno.exit(2);
}
const { hostname, port } = new URL(`postgres://${address}`);
try {
  await using peer = await open(hostname, Number(port), tls);
  await begin(peer, user, database);
  await peer.write({ type: "query", sql });
  for (
    let message = await next(peer);
    message.type !== "readyForQuery";
    message = await next(peer)
  ) print(message);
  await peer.write({ type: "terminate" });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
