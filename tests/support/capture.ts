/**
 * Traffic with real servers, recorded once and replayed where there are none.
 *
 *     {
 *       "what": "…",  "with": "redis-server 7.0.15",
 *       "chunks": [["client", "KjENCiQ0…"], ["server", "KzANCg=="], …]     in base64, as they were read
 *     }
 *
 * @module
 */

/** Who sent a chunk. */
export type Side = "client" | "server";

/** A conversation, chunk by chunk. */
export interface Capture {
  /** What is done in it. */
  what: string;
  /** The program on the other side, with its version. */
  with: string;
  /** What was read, in the order in which it came by. */
  chunks: [from: Side, bytes: Uint8Array<ArrayBuffer>][];
}

const FOLDER = new URL("../captures/", import.meta.url);

/** Reads a capture of `tests/captures`. */
export async function readCapture(name: string): Promise<Capture> {
  const text = await Deno.readTextFile(new URL(`${name}.json`, FOLDER));
  const { chunks, ...rest } = JSON.parse(text);
  return {
    ...rest,
    chunks: chunks.map(([from, bytes]: [Side, string]) => [
      from,
      Uint8Array.fromBase64(bytes),
    ]),
  };
}

/** Writes a capture to `tests/captures`. */
export async function writeCapture(
  name: string,
  { chunks, ...rest }: Capture,
): Promise<void> {
  const text = JSON.stringify(
    {
      ...rest,
      chunks: chunks.map(([from, bytes]) => [from, bytes.toBase64()]),
    },
    null,
    2,
  );
  await Deno.writeTextFile(new URL(`${name}.json`, FOLDER), `${text}\n`);
}

/** All that one side sent, in one piece. */
export function sentBy(
  side: Side,
  { chunks }: Capture,
): Uint8Array<ArrayBuffer> {
  const parts = chunks.filter(([from]) => from === side)
    .map(([, bytes]) => bytes);
  return new Uint8Array(parts.flatMap((bytes) => [...bytes]));
}

/** Sits between a client and a server, passes bytes on, and keeps what came by. Leaving its scope ends it. */
export class Recorder implements AsyncDisposable {
  #listener: Deno.TcpListener;
  #conns: Deno.Conn[] = [];
  #passing: Promise<void>[] = [];
  #accepting: Promise<void>;
  /** What came by. */
  readonly chunks: Capture["chunks"] = [];

  /** Begins to listen for clients of the server on a port of this machine. */
  constructor(port: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept(port);
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(port: number): Promise<void> {
    try {
      while (true) {
        const client = await this.#listener.accept();
        const server = await Deno.connect({ hostname: "127.0.0.1", port });
        this.#conns.push(client, server);
        this.#passing.push(
          this.#pass("client", client, server),
          this.#pass("server", server, client),
        );
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #pass(from: Side, source: Deno.Conn, target: Deno.Conn): Promise<void> {
    const room = new Uint8Array(65536);
    try {
      let count: number | null;
      while ((count = await source.read(room)) !== null) {
        const bytes = room.slice(0, count);
        this.chunks.push([from, bytes]);
        for (let sent = 0; sent < count;) {
          sent += await target.write(bytes.subarray(sent));
        }
      }
      await target.closeWrite();
    } catch {
      return; // one of the two is gone
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#passing);
  }
}
