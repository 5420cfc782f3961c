/**
 * The other side: waits for connections, prints each frame that comes, and answers it or not.
 *
 *     clients ── frames ──► stdout, a line each
 *     clients ◄── each line of stdin, to all of them     --echo, --reply FILE: an answer to each frame
 *
 * It ends with its first connection, unless it is told to `--keep` on.
 *
 * @module
 */

import {
  formatAddr,
  type Framing,
  FramingError,
  type PeerInfo,
  serve,
  type ServedConn,
  type TlsServeOptions,
} from "../../mod.ts";
import {
  explain,
  type Program,
  ProgramError,
  type Switch,
  type Terminal,
} from "../program.ts";
import { CODEC, command, inputFault, USAGE } from "./command.ts";
import { inputLines } from "./input_lines.ts";
import { note, put } from "./output.ts";
import { LISTEN } from "./place.ts";
import {
  type Form,
  formOf,
  frameLine,
  HEX,
  inputOf,
  JSON_LINES,
} from "./printing.ts";
import { countOption, type Optional, textOption } from "./units.ts";
import { type Input, inputOfFrame } from "./values.ts";

const REPLY: Optional<string> = textOption({
  name: "reply",
  value: "file",
  about: "answer each frame with what is in this file",
});
const MOST: Optional<number> = countOption({
  name: "max-connections",
  value: "n",
  about: "how many at a time with --keep; others wait",
});
const CERT: Optional<string> = textOption({
  name: "cert",
  value: "file",
  about: "speak TLS with the certificate in this file; it takes --key",
});
const KEY: Optional<string> = textOption({
  name: "key",
  value: "file",
  about: "the private key of --cert",
});
const ECHO: Switch = { name: "echo", about: "answer each frame with itself" };
const KEEP: Switch = {
  name: "keep",
  about: "go on after the first connection, and take several at a time",
};

type Peer = Framing<unknown, Input, ServedConn>;

/** Whoever debugs may take their time. */
const PATIENT = {
  handshakeTimeout: 60_000,
  firstFrameTimeout: Infinity,
  idleTimeout: Infinity,
  frameTimeout: Infinity,
  minimumRate: 0,
};

/** What is sent back for a frame, if anything is. */
async function answerOf(
  { get, has }: Terminal,
): Promise<((frame: unknown) => Input) | undefined> {
  const file = get(REPLY);
  if (file !== undefined && has(ECHO)) {
    throw new ProgramError("--echo and --reply exclude each other", USAGE);
  }
  if (file === undefined) return has(ECHO) ? inputOfFrame : undefined;
  const bytes = await Deno.readFile(file);
  return () => ({ kind: "bytes", bytes });
}

async function certificateOf(
  { get }: Terminal,
): Promise<TlsServeOptions | undefined> {
  const [cert, key] = [get(CERT), get(KEY)];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new ProgramError("--cert and --key need each other", USAGE);
  }
  return {
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
  };
}

/** Sends each line of stdin to all who are connected: at the pace of the slowest, which serve does not wait for long. */
async function sendAll(peers: ReadonlySet<Peer>, form: Form): Promise<void> {
  let number = 0;
  for await (const line of inputLines()) {
    number++;
    let input: Input;
    try {
      input = inputOf(line, form);
    } catch (error) {
      note(inputFault(error, `line ${number}`).message);
      continue;
    }
    if (peers.size === 0) note(`line ${number}: nobody is connected`);
    try {
      await Promise.all(
        [...peers].map((peer) => peer.write(input)?.catch(() => {})),
      );
    } catch (error) {
      note(inputFault(error, `line ${number}`).message);
    }
  }
}

/** Prints the frames of one connection, and answers them. */
async function converse(
  peer: Peer,
  { who, form, answer }: {
    who: string;
    form: Form;
    answer: ((frame: unknown) => Input) | undefined;
  },
): Promise<void> {
  while (true) {
    try {
      const frames = await peer.readBatch();
      if (frames === null) return;
      const lines = frames.map((frame) =>
        `${frameLine(frame, form, { peer: who })}\n`
      );
      await put(lines.join(""));
      if (answer === undefined) continue;
      for (const frame of frames) {
        const input = answer(frame);
        try {
          await peer.write(input);
        } catch (error) {
          throw inputFault(error, "the answer");
        }
      }
    } catch (error) {
      if (!(error instanceof FramingError && error.recoverable)) throw error;
      note(`${who}: ${error.message}`);
    }
  }
}

/** Whether there is nothing to be said of an error. */
function isQuiet(error: unknown): boolean {
  return error instanceof ProgramError && error.exitCode === 0;
}

/** Waits for connections and prints what they send. */
export const listenCommand: Program = command({
  name: "listen",
  about:
    "Prints each frame that clients send, and answers with stdin or as told",
  takes: [LISTEN],
  options: [CODEC, REPLY, MOST, CERT, KEY],
  switches: [ECHO, KEEP, HEX, JSON_LINES],
  examples: [
    [
      "deno run --allow-net=127.0.0.1:65432 jsr:@framewire/framewire/cli listen :65432 --codec length:4 --echo",
      "Answer one client with what it sends",
    ],
    [
      "deno run --allow-net=0.0.0.0:5140 jsr:@framewire/framewire/cli listen 0.0.0.0:5140 --codec syslog --keep --json",
      "Print as JSON what all who log send",
    ],
  ],

  async main(terminal) {
    const { get, has, atInterrupt } = terminal;
    const keep = has(KEEP);
    const form = formOf(terminal);
    const answer = await answerOf(terminal);
    const tls = await certificateOf(terminal);
    const peers = new Set<Peer>();
    const arrived = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    let reported: unknown;
    const most = get(MOST);
    if (most !== undefined && !keep) {
      throw new ProgramError("--max-connections needs --keep", USAGE);
    }

    async function handle(peer: Peer, info: PeerInfo): Promise<void> {
      const who = formatAddr(info.remoteAddr);
      note(`${who} connected`);
      peers.add(peer);
      arrived.resolve();
      try {
        await converse(peer, { who, form, answer });
        await peer.close();
        note(`${who} closed`);
        if (!keep) first.resolve();
      } catch (error) {
        // Without a reader of stdout, nobody needs the other connections either.
        if (!keep || isQuiet(error)) {
          reported = error;
          first.reject(error);
        }
        throw error;
      } finally {
        peers.delete(peer);
      }
    }

    const server = serve(
      {
        ...get(LISTEN),
        ...PATIENT,
        tls,
        ...(!keep && { maxConnections: 1 }),
        ...(most !== undefined && { maxConnections: most }),
        onError(error, info) {
          if (error === reported) return;
          const who = info === undefined
            ? ""
            : `${formatAddr(info.remoteAddr)}: `;
          note(who + explain(error));
        },
      },
      get(CODEC).codec("server"),
      handle,
    );
    atInterrupt(() => server.shutdown({ grace: 0 }));
    note(`listening on ${formatAddr(server.addr)}`);
    if (answer === undefined) {
      // What is piped in is for the first who comes.
      arrived.promise.then(() => sendAll(peers, form))
        .catch((error) => first.reject(error));
    }
    try {
      await first.promise;
    } finally {
      await server.shutdown({ grace: 0 });
    }
  },
});

if (import.meta.main) Deno.exit(await listenCommand.run(Deno.args));
