/**
 * The bytes of frames: what `connect` would send, on stdout.
 *
 *     hello          ──► 00 00 00 05 68 65 6c 6c 6f        --codec length:4
 *     {"text":"hi"}  ──► 00 00 00 02 68 69                 --json, as decode --json prints it
 *
 * A terminal gets a dump of them.
 *
 * @module
 */

import { encodeFrame, FrameDecoder } from "../../mod.ts";
import type { Program, Switch, Terminal } from "../program.ts";
import { CODEC, command, inputFault } from "./command.ts";
import { SIDE } from "./decode.ts";
import type { Dialect, InputCodec, Side } from "./dialect.ts";
import { hexdump } from "./hexdump.ts";
import { inputLines } from "./input_lines.ts";
import { note, put } from "./output.ts";
import { type Form, formOf, HEX, inputOf, JSON_LINES } from "./printing.ts";
import { openFile } from "./source.ts";
import { type Optional, textOption } from "./units.ts";
import type { Input } from "./values.ts";

const SEND: Optional<string> = textOption({
  name: "send",
  value: "file",
  about: "encode what is in this file, as one frame, in place of stdin",
});
const FORCE: Switch = {
  name: "force",
  about: "write the bytes themselves even on a terminal",
};

/** Lays frames out as each side would, with what frames change for those behind them. */
class Encoder {
  #dialect: Dialect;
  #codecs: Record<Side, InputCodec>;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#codecs = {
      client: dialect.codec("client"),
      server: dialect.codec("server"),
    };
  }

  /**
   * Lays a frame out.
   *
   * @throws {TypeError} If it is none.
   * @throws {RangeError} If it cannot be.
   */
  encode(from: Side, input: Input): Uint8Array<ArrayBuffer> {
    const bytes = encodeFrame(this.#codecs[from], input);
    const { codec, after } = this.#dialect;
    // Where the sides differ, each goes on writing as it does: what changes is how the other one reads.
    if (after === undefined || codec("client") !== codec("server")) {
      return bytes;
    }
    const decoder = new FrameDecoder(this.#codecs[from]);
    decoder.push(bytes.slice());
    const { client, server } = after(from, decoder.next()) ?? {};
    if (client !== undefined) this.#codecs.server = client;
    if (server !== undefined) this.#codecs.client = server;
    return bytes;
  }
}

/** Which side a line of `decode --json` is of, and whether it is a frame at all. */
function originOf(line: string): { from?: Side; isFrame: boolean } {
  if (!/^\s*\{/.test(line)) return { isFrame: true };
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== "object" || parsed === null || !("offset" in parsed)) {
    return { isFrame: true };
  }
  const isFrame = !("fault" in parsed || "opaque" in parsed);
  const from = "from" in parsed ? parsed.from : undefined;
  return from === "client" || from === "server"
    ? { from, isFrame }
    : { isFrame };
}

/** Encodes each line of stdin. */
async function* encoded(
  { get }: Terminal,
  form: Form,
): AsyncIterable<Uint8Array<ArrayBuffer>> {
  const encoder = new Encoder(get(CODEC));
  const side = get(SIDE);
  const file = get(SEND);
  if (file !== undefined) {
    yield encoder.encode(side ?? "client", {
      kind: "bytes",
      bytes: await readWhole(file),
    });
    return;
  }
  let number = 0;
  for await (const line of inputLines()) {
    number++;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      const { from, isFrame } = form === "json" && typeof line === "string"
        ? originOf(line)
        : { isFrame: true };
      if (!isFrame) {
        note(`line ${number}: left out, for it is no frame`);
        continue;
      }
      if (from !== undefined && side !== undefined && from !== side) continue;
      bytes = encoder.encode(from ?? side ?? "client", inputOf(line, form));
    } catch (error) {
      const wrong = inputFault(error, `line ${number}`);
      if (!Deno.stdin.isTerminal()) throw wrong;
      note(wrong.message); // whoever types can type it again
      continue;
    }
    yield bytes;
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  using file = await openFile(path, "encode");
  return new Uint8Array(await new Response(file.readable).arrayBuffer());
}

/** The bytes of frames. */
export const encodeCommand: Program = command({
  name: "encode",
  about: "Writes the bytes of frames: each line of stdin is one",
  options: [CODEC, SIDE, SEND],
  switches: [HEX, JSON_LINES, FORCE],
  examples: [
    [
      "echo hello | deno run jsr:@framewire/framewire/cli encode --codec length:4 > sent.bin",
      "Make bytes to send, with no permission at all",
    ],
    [
      "deno run --allow-read=image.png jsr:@framewire/framewire/cli encode --codec netstring --send image.png | nc 127.0.0.1 65432",
      "Send a file as one frame with another program",
    ],
  ],

  async main(terminal) {
    const isDump = Deno.stdout.isTerminal() && !terminal.has(FORCE);
    let offset = 0;
    for await (const bytes of encoded(terminal, formOf(terminal))) {
      await put(
        isDump
          ? hexdump(bytes, offset).map((line) => `${line}\n`).join("")
          : bytes,
      );
      offset += bytes.length;
    }
  },
});

if (import.meta.main) Deno.exit(await encodeCommand.run(Deno.args));
