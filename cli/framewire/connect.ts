/**
 * Frames to and from the terminal.
 *
 *     stdin ── a frame a line ──► server          --send FILE: one frame
 *     stdout ◄── a line a frame ── server
 *
 * The end of stdin closes the way out, and what still comes is printed until the server closes too.
 *
 * @module
 */

import {
  connect,
  ConnectionError,
  type Framing,
  FramingError,
  type OpenConn,
  ReadTimeoutError,
} from "../../mod.ts";
import {
  type Program,
  ProgramError,
  type Switch,
  type Terminal,
} from "../program.ts";
import { CODEC, command, inputFault, TIMED_OUT } from "./command.ts";
import { inputLines } from "./input_lines.ts";
import { note, put } from "./output.ts";
import { CA, SERVER_NAME, TARGET, TLS, tlsOf } from "./place.ts";
import {
  type Form,
  formOf,
  frameLine,
  HEX,
  inputOf,
  JSON_LINES,
} from "./printing.ts";
import { countOption, type Optional, textOption, timeOption } from "./units.ts";
import type { Input } from "./values.ts";

const SEND: Optional<string> = textOption({
  name: "send",
  value: "file",
  about: "send what is in this file, as one frame, in place of stdin",
});
const COUNT: Optional<number> = countOption({
  name: "count",
  short: "n",
  about: "end after so many frames",
});
const WAIT: Optional<number> = timeOption({
  name: "wait",
  about: "once all is sent, wait no longer than this for the next frame",
});
const TIMEOUT: Optional<number> = timeOption({
  name: "timeout",
  about: "give up connecting after this; 10s if not said",
});
const OPEN: Switch = {
  name: "no-half-close",
  about: "leave the way out open at the end of stdin",
};

const never = new Promise<never>(() => {});

type Peer = Framing<unknown, Input, OpenConn>;

/** Sends what is to be sent. */
async function send(
  peer: Peer,
  form: Form,
  { get, has }: Terminal,
): Promise<void> {
  const file = get(SEND);
  if (file !== undefined) {
    const bytes = await Deno.readFile(file);
    try {
      await peer.write({ kind: "bytes", bytes });
    } catch (error) {
      throw inputFault(error, "--send");
    }
  } else {
    let number = 0;
    for await (const line of inputLines()) {
      number++;
      try {
        await peer.write(inputOf(line, form));
      } catch (error) {
        const wrong = inputFault(error, `line ${number}`);
        if (!Deno.stdin.isTerminal()) throw wrong;
        note(wrong.message); // whoever types can type it again
      }
    }
  }
  if (has(OPEN)) await peer.drain();
  else await peer.closeWrite();
}

/** Prints what comes, until there is no more or it is enough; gives how many there were. */
async function receive(
  peer: Peer,
  form: Form,
  { get }: Terminal,
  sent: Promise<void>,
): Promise<number> {
  const most = get(COUNT) ?? Infinity;
  const wait = get(WAIT);
  const over = new AbortController();
  if (wait !== undefined) sent.then(() => over.abort(), () => {});
  let count = 0;
  while (count < most) {
    try {
      const frames = await peer.readBatch(
        over.signal.aborted ? { timeout: wait } : { signal: over.signal },
      );
      if (frames === null) break;
      const lines = frames.slice(0, most - count).map((frame) =>
        `${frameLine(frame, form)}\n`
      );
      count += lines.length;
      await put(lines.join(""));
    } catch (error) {
      if (error === over.signal.reason) continue; // from here on with a timeout
      if (error instanceof ReadTimeoutError) break;
      if (!(error instanceof FramingError && error.recoverable)) throw error;
      note(error.message);
    }
  }
  return count;
}

/** Frames to and from the terminal. */
export const connectCommand: Program = command({
  name: "connect",
  about: "Sends each line of stdin as a frame, and prints each frame received",
  takes: [TARGET],
  options: [CODEC, SEND, COUNT, WAIT, TIMEOUT, CA, SERVER_NAME],
  switches: [HEX, JSON_LINES, TLS, OPEN],
  examples: [
    [
      `echo hello | deno run --allow-net=127.0.0.1:65432 jsr:@framewire/framewire/cli connect 127.0.0.1:65432 --codec length:4`,
      "Send a frame, and print the answer",
    ],
    [
      `echo PING | deno run --allow-net=127.0.0.1:6379 jsr:@framewire/framewire/cli connect 127.0.0.1:6379 --codec resp --json --count 1`,
      "Ask a Redis server, and print its answer as JSON",
    ],
  ],

  async main(terminal) {
    const { get, atInterrupt } = terminal;
    const target = get(TARGET);
    const form = formOf(terminal);
    const connectTimeout = get(TIMEOUT);
    await using peer = await connect({
      ...target,
      tls: await tlsOf(terminal),
      ...(connectTimeout !== undefined && { connectTimeout }),
    }, get(CODEC).codec("client"));
    atInterrupt(() => Promise.resolve(peer.close()));
    const sent = send(peer, form, terminal);
    const refused = sent.then(() => never, (error) => {
      // What is wrong with the connection, the one who reads learns too.
      if (error instanceof ConnectionError) return never;
      throw error;
    });
    const count = await Promise.race([
      receive(peer, form, terminal, sent),
      refused,
    ]);
    const most = get(COUNT);
    if (most === undefined || count === most) return 0;
    const reason = `${count} of ${most} frames came`;
    if (get(WAIT) === undefined) {
      throw new ConnectionError(`${reason} before the end`);
    }
    throw new ProgramError(`${reason} in time`, TIMED_OUT);
  },
});

if (import.meta.main) Deno.exit(await connectCommand.run(Deno.args));
