/**
 * When sockets die: what the survivor sees of a peer that is gone, or that has stopped.
 *
 *     $ deno run --allow-net=127.0.0.1:0 --allow-run="$(deno eval -p 'Deno.execPath()')" cli/dead_peer.ts
 *     1. the peer is killed in the middle of a frame
 *     received 'Hello, world'
 *     killing the peer
 *     TruncatedFrameError: Cannot read frame: stream ended after 9 of 16 bytes
 *     …
 *     2. the peer stalls in the middle of a frame
 *     …
 *     ReadTimeoutError: Cannot read frame: 9 of 16 bytes came within 500 ms
 *     …
 *     3. the peer sends heartbeats, then stalls between them
 *     …
 *     heartbeat missed: 3 of 3
 *     the peer is dead: closing the connection
 *
 * Three times it starts a process of its own, `cli/dying_peer.ts`, and watches the connection to it. If a
 * program dies, even by SIGKILL, its system closes its sockets: the survivor sees the end of the stream (or a
 * reset, if the dead one had not read everything), and only because the messages have lengths does it know
 * that something is missing. If the program hangs, or its machine loses its power or its network, nothing
 * comes at all; against that, only a clock helps. A read timeout is enough where an answer is due. Where
 * silence is normal, the peers tell each other now and then that they are alive: a heartbeat.
 *
 * It does not handle a machine that really loses its network; to the survivor that looks as in 2 and 3.
 * TCP's own keep-alive, `conn.setKeepAlive(true)`, finds it out as well, by default after two hours.
 *
 * @module
 */

import {
  type Codec,
  ConnectionError,
  formatAddr,
  Framing,
  FramingError,
  lengthPrefixed,
  lines,
  ReadTimeoutError,
  text,
} from "../mod.ts";
import { type Program, program } from "./program.ts";
import { pythonLiteral } from "./python_literal.ts";
import { within } from "./waiting.ts";

/** How long silence is borne, in milliseconds. */
const PATIENCE = 500;
/** How many heartbeats may be missed. */
const MAX_MISSED = 3;

/** A process that runs, and the connection to it. Leaving its scope ends both. */
class Peer implements AsyncDisposable {
  readonly stream: Framing<string>;
  #process: Deno.ChildProcess;

  constructor(
    conn: Deno.Conn,
    process: Deno.ChildProcess,
    codec: Codec<string>,
  ) {
    this.stream = new Framing(conn, codec);
    this.#process = process;
  }

  static async start(
    listener: Deno.TcpListener,
    what: "half" | "beats",
    codec: Codec<string>,
  ): Promise<Peer> {
    const { hostname, port } = listener.addr;
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        `--allow-net=${formatAddr(listener.addr)}`,
        new URL("dying_peer.ts", import.meta.url).href,
        what,
        hostname,
        String(port),
      ],
      stdin: "piped", // it ends when this does
      stdout: "null",
      stderr: "null",
    }).spawn();
    const conn = await Promise.race([
      listener.accept(),
      process.status.then(({ code }) => {
        throw new ConnectionError(
          `Cannot start the peer: it ended at once, with exit code ${code}`,
        );
      }),
    ]);
    return new Peer(conn, process, codec);
  }

  /** Kills the process, which cannot prevent it. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream[Symbol.dispose]();
    await this.#process.stdin.close();
    await this.#process[Symbol.asyncDispose]();
  }
}

/** Gives what a read fails with. */
async function failureOf(reading: Promise<unknown>): Promise<string> {
  try {
    return `nothing: read() gave ${await reading}`;
  } catch (error) {
    if (error instanceof FramingError || error instanceof ConnectionError) {
      return `${error.name}: ${error.message}`;
    }
    throw error;
  }
}

/** What a scene is played with. */
interface Stage {
  listener: Deno.TcpListener;
  print: (line: string) => void;
}

async function killed({ listener, print }: Stage): Promise<void> {
  print("1. the peer is killed in the middle of a frame");
  await using peer = await Peer.start(listener, "half", text(lengthPrefixed()));
  const { stream } = peer;
  print(`received ${pythonLiteral(await stream.read())}`);
  const reading = failureOf(stream.read());
  print("killing the peer");
  await peer.kill();
  print(await reading);
}

async function stalled({ listener, print }: Stage): Promise<void> {
  print("2. the peer stalls in the middle of a frame");
  await using peer = await Peer.start(listener, "half", text(lengthPrefixed()));
  const { stream } = peer;
  print(`received ${pythonLiteral(await stream.read())}`);
  print("read() without a timeout");
  const giveUp = new AbortController();
  const reading = stream.read({ signal: giveUp.signal });
  if (await within(reading, PATIENCE) === undefined) {
    print(`nothing within ${PATIENCE} ms, and it would wait for ever`);
  }
  giveUp.abort();
  await reading.catch(() => {}); // nothing is lost: the next read goes on
  print(`read() with a timeout of ${PATIENCE} ms`);
  print(await failureOf(stream.read({ timeout: PATIENCE })));
  print("closing the connection");
}

async function heartbeat({ listener, print }: Stage): Promise<void> {
  print("3. the peer sends heartbeats, then stalls between them");
  await using peer = await Peer.start(listener, "beats", lines());
  for (let missed = 0; missed < MAX_MISSED;) {
    try {
      const beat = await peer.stream.read({ timeout: PATIENCE });
      if (beat === null) return print("the peer closed the connection");
      print(`received ${pythonLiteral(beat)}`);
      missed = 0;
    } catch (error) {
      if (!(error instanceof ReadTimeoutError)) throw error;
      missed++;
      print(`heartbeat missed: ${missed} of ${MAX_MISSED}`);
    }
  }
  print("the peer is dead: closing the connection");
}

/** Shows what becomes of a connection when the other side dies. */
export const deadPeer: Program = program({
  name: "dead-peer",
  about: "Shows what becomes of a connection when the other side dies",
  permissions: `--allow-net=127.0.0.1:0 --allow-run=${Deno.execPath()}`,

  async main({ print }) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const stage = { listener, print };
    await killed(stage);
    print("");
    await stalled(stage);
    print("");
    await heartbeat(stage);
  },
});

if (import.meta.main) Deno.exit(await deadPeer.run(Deno.args));
