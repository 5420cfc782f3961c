/**
 * `lsp()` with `deno lsp`, a language server, over its pipes.
 *
 * @module
 */

import { Framing, streamConn } from "@framewire/framewire";
import { type JsonRpcMessage, lsp } from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { type Capture, type Side, writeCapture } from "../support/capture.ts";
import { ServerFolder } from "../support/peer_server.ts";
import { runProgram } from "../support/running_program.ts";

const VERSION = `deno lsp ${Deno.version.deno}`;
const TIMEOUT = 20_000;
const HOVERS = 200;
/** Characters of one, two, three and four bytes; and a type error. */
const TEXT = 'const n: number = "nä€😀";\nconsole.log(n, missing);\n';
const URI = "file:///project/main.ts";

/** Keeps what goes through. */
function tap(
  from: Side,
  chunks: Capture["chunks"],
): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      chunks.push([from, chunk.slice()]);
      controller.enqueue(chunk);
    },
  });
}

/** A language server that is running. Leaving its scope ends it. */
class LanguageServer implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #log: Promise<string>;
  #ending: Promise<void>;
  /** What is said to it, and what it says. */
  readonly peer: Framing<JsonRpcMessage>;
  /** The same as bytes. */
  readonly chunks: Capture["chunks"] = [];

  /** Starts it; it keeps what it keeps in a folder. */
  constructor(folder: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
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
      stderr: "piped",
    }).spawn();
    this.#log = this.#child.stderr.text();
    const { stdin, stdout } = this.#child;
    const said = tap("client", this.chunks);
    this.#ending = said.readable.pipeTo(stdin).catch(() => {}); // it may be gone
    this.peer = new Framing(
      streamConn({
        readable: stdout.pipeThrough(tap("server", this.chunks)),
        writable: said.writable,
      }),
      lsp(),
    );
  }

  /** Its exit code, once it has ended. */
  async code(): Promise<number> {
    return (await this.#child.status).code;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer.close();
    try {
      this.#child.kill();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.#child.status;
    await this.#log;
    await this.#ending;
  }
}

type Answer = Exclude<JsonRpcMessage, { method: string }>;

/** Everything up to the answers to these requests, of which notifications are kept. */
async function answersTo(
  peer: Framing<JsonRpcMessage>,
  ids: readonly (number | string)[],
  notified: Map<string, object | undefined>,
): Promise<Map<number | string | null, Answer>> {
  const answers = new Map<number | string | null, Answer>();
  while (answers.size < ids.length) {
    const message = await peer.read({ timeout: TIMEOUT });
    assert(message !== null, "it ended");
    if (message.type === "notification") {
      notified.set(message.method, message.params);
    } else if (message.type !== "request") {
      assert(ids.some((id) => id === message.id), `nobody asked ${message.id}`);
      answers.set(message.id, message);
    }
  }
  return answers;
}

/** The diagnostics that come for a file: where they begin, and what they say. */
async function diagnosticsFrom(
  peer: Framing<JsonRpcMessage>,
): Promise<string[]> {
  while (true) {
    const message = await peer.read({ timeout: TIMEOUT });
    assert(message !== null, "it ended");
    if (message.type !== "notification") continue;
    const { method, params = {} } = message;
    if (method !== "textDocument/publishDiagnostics") continue;
    assert("uri" in params && "diagnostics" in params);
    assert(params.uri === URI && Array.isArray(params.diagnostics));
    if (params.diagnostics.length === 0) continue;
    return params.diagnostics.map(({ range: { start }, message }) =>
      `${start.line}:${start.character} ${message}`
    );
  }
}

/** What an editor says first. */
const opening: readonly JsonRpcMessage[] = [
  { type: "notification", method: "initialized", params: {} },
  {
    type: "notification",
    method: "textDocument/didOpen",
    params: {
      textDocument: {
        uri: URI,
        languageId: "typescript",
        version: 1,
        text: TEXT,
      },
    },
  },
];

Deno.test("lsp() is spoken by deno lsp", async () => {
  await using folder = await ServerFolder.make();
  await using server = new LanguageServer(folder.path);
  const { peer } = server;
  const notified = new Map<string, object | undefined>();

  await peer.write({
    type: "request",
    id: 0,
    method: "initialize",
    params: {
      processId: null,
      rootUri: null,
      capabilities: {},
      initializationOptions: { enable: true },
    },
  });
  const initialized = (await answersTo(peer, [0], notified)).get(0);
  assert(initialized?.type === "response");
  const { result } = initialized;
  assert(typeof result === "object" && result !== null);
  assert("capabilities" in result);
  await peer.writeMany(opening);
  assertEquals(await diagnosticsFrom(peer), [
    "0:6 Type 'string' is not assignable to type 'number'.",
    "1:15 Cannot find name 'missing'.",
  ]);
  const recorded = server.chunks.length;

  // Many at a time, and the answers by their ids, in whatever order they come.
  const ids = Array.from({ length: HOVERS }, (_, i) => i % 2 ? i : `h${i}`);
  await peer.writeMany(ids.map((id) => ({
    type: "request",
    id,
    method: "textDocument/hover",
    params: {
      textDocument: { uri: URI },
      position: { line: 1, character: 12 },
    },
  })));
  const hovers = await answersTo(peer, ids, notified);
  for (const id of ids) {
    const hover = hovers.get(id);
    assert(hover?.type === "response" && hover.id === id);
    assert(JSON.stringify(hover.result).includes("const n: number"));
  }

  const afterHovers = server.chunks.length;
  await peer.writeMany([
    { type: "request", id: "no such", method: "framewire/none" },
    { type: "request", id: "bye", method: "shutdown" },
  ]);
  const last = await answersTo(peer, ["no such", "bye"], notified);
  const refusal = last.get("no such");
  assert(refusal?.type === "error");
  assertEquals([refusal.id, refusal.error.code], ["no such", -32601]);
  assertEquals(last.get("bye"), { type: "response", id: "bye", result: null });
  await peer.write({ type: "notification", method: "exit" });
  assertEquals(await peer.read({ timeout: TIMEOUT }), null);
  assertEquals(await server.code(), 0);

  if (Deno.args.includes("--record")) {
    await writeCapture("lsp", {
      what:
        "initialize, open a file with two errors, receive its diagnostics, a method that there is not, shutdown",
      with: VERSION,
      chunks: [
        ...server.chunks.slice(0, recorded),
        ...server.chunks.slice(afterHovers),
      ],
    });
  }
  const { framesReceived } = peer.stats;
  console.log(
    `peer: ${VERSION}: initialized, sent the diagnostics of a file with two errors, answered ${HOVERS} requests at a time by their ids, refused one, shut down: ${framesReceived} messages`,
  );
});

Deno.test("examples/lsp_diagnostics.ts prints what deno lsp says of a file", async () => {
  await using folder = await ServerFolder.make();
  const file = await folder.write("main.ts", TEXT, 0o644);
  const { code, out, err } = await runProgram(
    "examples/lsp_diagnostics.ts",
    [file, Deno.execPath(), "lsp"],
    {
      flags: ["--allow-read", `--allow-run=${Deno.execPath()}`],
      env: { DENO_NO_UPDATE_CHECK: "1" },
    },
  );
  assertEquals([code, err], [0, []]);
  assertEquals(out, [
    `${file}:1:7: Type 'string' is not assignable to type 'number'.`,
    `${file}:2:16: Cannot find name 'missing'.`,
  ]);
});
