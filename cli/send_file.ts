/**
 * Send file: sends a file of any size, and goes on where an earlier attempt was cut.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 --allow-read=. cli/send_file.ts film.mkv
 *     sending film.mkv to 127.0.0.1:65432, from byte 3221225472 of 10737418240 on
 *     sent film.mkv: 10737418240 bytes, SHA-256 2c26b46b68ffc68f…
 *
 * Start `cli/receive_file.ts` on the other side first. While it sends, a bar on the terminal shows how far it is.
 *
 * The file is read as fast as the receiver takes it, in pieces of 256 KiB: the memory that it takes does not
 * depend on its size, which `--memory` shows. The receiver says how much it has already, with a checksum of that;
 * if it is that of the same bytes here, the rest is sent, and otherwise all. At the end both sides compare the
 * checksum of the whole. Whatever cuts it, start it again.
 *
 * It does not handle files that change while they are sent, more than one file, or encryption.
 *
 * @module
 */

import {
  connect,
  ConnectionError,
  formatAddr,
  FrameBody,
  type Framing,
  Message,
} from "../mod.ts";
import {
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
} from "./program.ts";
import {
  checksumOf,
  countIn,
  fieldsOf,
  fileFault,
  MEMORY,
  newChecksum,
  piecesOf,
  Progress,
  transferMessages,
} from "./transfer.ts";

const FILE: Parameter<string> = {
  name: "file",
  about: "the file to send",
  read(text) {
    if (text === "") throw new RangeError("file must not be empty");
    return text;
  },
};

/** Sends a file. */
export const sendFile: Program = program({
  name: "send-file",
  about: "Sends a file of any size, and resumes where it was cut",
  takes: [FILE, PEER_HOST, PEER_PORT],
  switches: [MEMORY],

  async main({ get, has, print, atInterrupt }) {
    const address = { hostname: get(PEER_HOST), port: get(PEER_PORT) };
    const to = formatAddr({ transport: "tcp", ...address });
    using file = await open(get(FILE));
    const { size } = await file.stat();
    const name = get(FILE).split(/[/\\]/).at(-1) ?? "";
    using progress = new Progress(name, size);
    using peer = await connect(address, transferMessages());
    atInterrupt(() => Promise.resolve(peer[Symbol.dispose]()));

    await peer.write(Message.json({ name, size }));
    const standing = await answerOf(peer);
    const have = countIn(standing, "have");
    let checksum = newChecksum();
    for await (const _ of piecesOf(file, have, (p) => checksum.update(p)));
    const same = have <= size && standing.sha256 === checksumOf(checksum);
    const offset = same ? have : 0;
    if (!same) checksum = newChecksum();
    await file.seek(offset, Deno.SeekMode.Start);

    print(`sending ${name} to ${to}, from byte ${offset} of ${size} on`);
    progress.begin(offset);
    const source = piecesOf(file, size - offset, (piece) => {
      checksum.update(piece);
      progress.add(piece.length);
    });
    const body = new FrameBody(size - offset, source);
    const outcome = answerOf(peer);
    const refused = outcome.then(() => new Promise<never>(() => {}));
    refused.catch(() => {}); // it is told below
    // A receiver that has to give up says so before the file is whole.
    await Promise.race([
      peer.write(Message.stream(body, { extra: { offset } })),
      refused,
    ]);
    const sha256 = checksumOf(checksum);
    await peer.write(Message.json({ sha256 }));
    const received = (await outcome).sha256;
    if (received !== sha256) {
      throw new ConnectionError(
        `Cannot send file: what arrived has SHA-256 ${received} instead of ${sha256}`,
      );
    }
    progress[Symbol.dispose]();
    print(`sent ${name}: ${size} bytes, SHA-256 ${sha256}`);
    if (has(MEMORY)) print(progress.memory);
  },
});

async function open(path: string): Promise<Deno.FsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    throw fileFault(`Cannot send file "${path}"`, error);
  }
  if ((await file.stat()).isFile) return file;
  file.close();
  throw new RangeError(`Cannot send file "${path}": it is not a file`);
}

/** What the receiver says next. */
async function answerOf(
  peer: Framing<Message>,
): Promise<Record<string, unknown>> {
  const message = await peer.read();
  if (message === null) {
    throw new ConnectionError("Cannot send file: the receiver closed");
  }
  const fields = fieldsOf(message);
  if (fields.error === undefined) return fields;
  throw new ConnectionError(
    `Cannot send file: the receiver says: ${fields.error}`,
  );
}

if (import.meta.main) Deno.exit(await sendFile.run(Deno.args));
