/**
 * Receive file: receives files of any size into a folder.
 *
 *     $ F=/tmp/framewire-files
 *     $ deno run --allow-net=127.0.0.1:65432 --allow-read=$F --allow-write=$F cli/receive_file.ts 127.0.0.1 65432 $F
 *     listening on 127.0.0.1:65432
 *     accepted connection from 127.0.0.1:61354
 *     receiving film.mkv from 127.0.0.1:61354, from byte 3221225472 of 10737418240 on
 *     received film.mkv: 10737418240 bytes, SHA-256 2c26b46b68ffc68f…
 *     closing connection to 127.0.0.1:61354
 *
 * Then run `cli/send_file.ts film.mkv` on the other side. Ctrl-C ends it.
 *
 * What comes is written as it comes, to `film.mkv.part`, in pieces of at most 256 KiB: the memory that it takes
 * does not depend on the file's size, which `--memory` shows, and a sender is read from no faster than the disk
 * takes it. When the connection is cut, what has come stays, and the next attempt goes on behind it. The file gets
 * its name when both sides have the same checksum of it. A name may not lead out of the folder, and a file that
 * is there is not replaced.
 *
 * It does not limit how much comes, or from whom, and does not handle encryption, or others who write into the
 * folder meanwhile.
 *
 * @module
 */

import { formatAddr, type Framing, Message, serve } from "../mod.ts";
import { errorsTo } from "./echo.ts";
import {
  LISTEN_HOST,
  LISTEN_PORT,
  type Parameter,
  type Program,
  program,
  type Switch,
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

const FOLDER: Parameter<string> = {
  name: "folder",
  about: "where the files go; it is made if it is not there",
  fallback: "/tmp/framewire-files",
  read: (text) => text,
};

const DISCARD: Switch = {
  name: "discard",
  about: "keep nothing of what was received and compared",
};

/** What the names of files end in that are not whole. */
const PART = ".part";
/** The longest name, in bytes: with what is added, systems take 255. */
const LONGEST_NAME = 250;

/** A reason not to receive a file, which the sender is told. */
class Refusal extends RangeError {}

/** Receives files. */
export const receiveFile: Program = program({
  name: "receive-file",
  about: "Receives files of any size into a folder",
  takes: [LISTEN_HOST, LISTEN_PORT, FOLDER],
  switches: [DISCARD, MEMORY],

  async main({ get, has, print, atInterrupt }) {
    const folder = get(FOLDER);
    await makeFolder(folder);
    const receiver = new Receiver(folder, print, {
      discards: has(DISCARD),
      showsMemory: has(MEMORY),
    });
    const server = serve(
      {
        hostname: get(LISTEN_HOST),
        port: get(LISTEN_PORT),
        frames: "borrowed", // each piece is written before the next is read
        onError: errorsTo(print),
      },
      transferMessages(),
      async (peer, { remoteAddr }) => {
        const from = formatAddr(remoteAddr);
        print(`accepted connection from ${from}`);
        await receiver.serve(peer, from);
        print(`closing connection to ${from}`);
      },
    );
    atInterrupt(() => server.shutdown({ grace: 0 }));
    print(`listening on ${formatAddr(server.addr)}`);
    await server.finished;
  },
});

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.stat(folder); // what is in it will be read too
  } catch (error) {
    throw fileFault(`Cannot receive files into "${folder}"`, error);
  }
}

/** What is done with a file that has come. */
interface ReceiverOptions {
  discards: boolean;
  showsMemory: boolean;
}

/** Owns a folder, and knows which files are coming. */
class Receiver {
  #folder: string;
  #print: (line: string) => void;
  #options: ReceiverOptions;
  #coming = new Set<string>();

  constructor(
    folder: string,
    print: (line: string) => void,
    options: ReceiverOptions,
  ) {
    this.#folder = folder;
    this.#print = print;
    this.#options = options;
  }

  /** Receives what one sender offers. */
  async serve(peer: Framing<Message>, from: string): Promise<void> {
    try {
      for await (const message of peer) {
        const offer = fieldsOf(message);
        const size = countIn(offer, "size");
        const name = checkName(offer.name);
        if (this.#coming.has(name)) {
          throw new Refusal(`${name} is being received already`);
        }
        this.#coming.add(name);
        try {
          await this.#receive(peer, from, name, size);
        } finally {
          this.#coming.delete(name);
        }
      }
    } catch (error) {
      const ours = error instanceof Refusal ||
        error instanceof Error && / \(os error /.test(error.message);
      if (!ours) throw error;
      // What the disk says is about this side's paths: the sender hears that there was something.
      const reason = error instanceof Refusal
        ? error.message
        : "the file cannot be written";
      this.#print(`error: ${error.message} from ${from}`);
      await peer.write(Message.json({ error: reason }));
    }
  }

  async #receive(
    peer: Framing<Message>,
    from: string,
    name: string,
    size: number,
  ): Promise<void> {
    const path = `${this.#folder}/${name}`;
    const partPath = path + PART;
    if (await typeOf(path) !== "none") {
      throw new Refusal(`there is a file of the name ${name} already`);
    }
    if (await typeOf(partPath) === "other") {
      throw new Refusal(`${name}${PART} is not a file`);
    }
    using progress = new Progress(name, size);
    using file = await Deno.open(partPath, {
      read: true,
      write: true,
      create: true,
    });
    let have = (await file.stat()).size;
    let checksum = newChecksum();
    for await (const _ of piecesOf(file, have, (p) => checksum.update(p)));
    await peer.write(Message.json({ have, sha256: checksumOf(checksum) }));

    const content = await next(peer);
    const offset = countIn(content.header.extra, "offset");
    if (offset !== 0 && offset !== have) {
      throw new Refusal(`offset must be 0 or ${have}: it is ${offset}`);
    }
    if (offset + content.header.contentLength !== size) {
      throw new Refusal(`the content must end at byte ${size}`);
    }
    if (offset !== have) {
      checksum = newChecksum();
      have = offset;
      await file.truncate(0);
    }
    await file.seek(offset, Deno.SeekMode.Start);
    this.#print(
      `receiving ${name} from ${from}, from byte ${offset} of ${size} on`,
    );
    progress.begin(offset);
    for await (const piece of content.body ?? [content.content]) {
      checksum.update(piece);
      await writeAll(file, piece);
      progress.add(piece.length);
    }

    const sha256 = checksumOf(checksum);
    const sent = fieldsOf(await next(peer)).sha256;
    if (sent !== sha256) {
      await Deno.remove(partPath);
      throw new Refusal(`${name} has SHA-256 ${sha256} instead of ${sent}`);
    }
    if (this.#options.discards) await Deno.remove(partPath);
    else {
      await file.sync();
      await Deno.rename(partPath, path);
    }
    progress[Symbol.dispose]();
    this.#print(`received ${name}: ${size} bytes, SHA-256 ${sha256}`);
    if (this.#options.showsMemory) this.#print(progress.memory);
    await peer.write(Message.json({ sha256 }));
  }
}

/** The next message of a sender that has begun. */
async function next(peer: Framing<Message>): Promise<Message> {
  const message = await peer.read();
  if (message !== null) return message;
  throw new Refusal("the sender went before its file was whole");
}

/** A name that stays in the folder and is no other file's. */
function checkName(name: unknown): string {
  const length = typeof name === "string"
    ? new TextEncoder().encode(name).length
    : 0;
  if (
    typeof name !== "string" || length === 0 || length > LONGEST_NAME ||
    /[/\\\p{Cc}]|^\.{1,2}$/u.test(name) || name.endsWith(PART)
  ) {
    throw new Refusal(
      `the name must be that of a file in the folder: it is ${
        JSON.stringify(name)
      }`,
    );
  }
  return name;
}

/** What is at a path itself: a link leads elsewhere, and is something else. */
async function typeOf(path: string): Promise<"file" | "other" | "none"> {
  try {
    return (await Deno.lstat(path)).isFile ? "file" : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done));
  }
}

if (import.meta.main) Deno.exit(await receiveFile.run(Deno.args));
