/**
 * Chat server: what one client says, all others hear.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/chat_server.ts
 *     listening on 127.0.0.1:65432
 *     ana joined from 127.0.0.1:61354
 *     ben joined from 127.0.0.1:61355
 *     ana: Good morning!
 *     ben left
 *
 * Then run `cli/chat_client.ts --name ana` in another terminal, and `--name ben` in a third. Ctrl-C ends the
 * server. Frames are lines of UTF-8, so that any program that sends lines is a client:
 *
 *     client ─── ana ────────────────► server   its name first: letters, digits, - and _, at most 20
 *            ◄── * you are ana ───────          ana2, if there is an ana already
 *            ─── Good morning! ──────►          then what it says, at most 4096 characters a line
 *            ◄── ben: Hello! ─────────          what others say
 *            ◄── * ben left ──────────          what has happened
 *
 * Nobody waits for a client that is slow to read. What it has not read is kept for it, up to 256 KiB; then it
 * is dropped.
 *
 * It does not handle passwords, rooms or history, and does not limit how many clients there are or how much
 * they say.
 *
 * @module
 */

import {
  type Codec,
  formatAddr,
  type Framing,
  type Handler,
  lines,
  serve,
} from "../mod.ts";
import { errorsTo } from "./echo.ts";
import { LISTEN_HOST, LISTEN_PORT, type Program, program } from "./program.ts";
import { oneLine } from "./python_literal.ts";

/** What a name looks like. */
export const NAME_PATTERN: RegExp = /^[\p{L}\p{N}_-]{1,20}$/u;
const NAME_TIMEOUT = 60_000;
const LONGEST = 4096;
/** How many bytes are kept for a client that does not read. */
const BACKLOG = 256 * 1024;

/**
 * Makes the codec of the chat.
 *
 * @returns The codec: lines with room for a name, and for control characters that were spelled out.
 */
export function chatLines(): Codec<string> {
  return lines({ maxFrameLength: 64 * 1024 });
}

/** Passes on what clients say until it is stopped. */
export const chatServer: Program = program({
  name: "chat-server",
  about: "Passes on what each client says to all others",
  takes: [LISTEN_HOST, LISTEN_PORT],

  async main({ get, print, atInterrupt }) {
    const server = serve(
      {
        hostname: get(LISTEN_HOST),
        port: get(LISTEN_PORT),
        onError: errorsTo(print),
        idleTimeout: Infinity, // nobody has to say anything
      },
      chatLines(),
      chatting(print),
    );
    atInterrupt(() => server.shutdown({ grace: 1000 }));
    print(`listening on ${formatAddr(server.addr)}`);
    await server.finished;
  },
});

/** Makes the handler: one room, in which everybody hears everybody else. */
function chatting(print: (line: string) => void): Handler<string> {
  const members = new Map<string, Framing<string>>();

  function tellOthers(line: string, name: string): void {
    for (const [other, peer] of members) {
      if (other !== name) tell(other, peer, line);
    }
  }

  function tell(name: string, peer: Framing<string>, line: string): void {
    const { pending } = peer.stats;
    if (pending > BACKLOG) {
      print(`${name} dropped: ${pending} bytes unread`);
      peer[Symbol.dispose](); // its handler does the rest
      return;
    }
    try {
      peer.write(line); // nobody waits for that
    } catch {
      // The connection is broken, as its own handler is about to find out.
    }
  }

  function freeName(name: string): string {
    let free = name;
    for (let i = 2; members.has(free); i++) free = `${name}${i}`;
    return free;
  }

  return async (peer, { remoteAddr }) => {
    const from = formatAddr(remoteAddr);
    const wanted = await peer.read({ timeout: NAME_TIMEOUT });
    if (wanted === null) return;
    if (!NAME_PATTERN.test(wanted)) {
      print(`refused ${from}: "${wanted.slice(0, 40)}" is no name`);
      await peer.write("* a name has 1 to 20 letters, digits, - or _");
      return;
    }
    const name = freeName(wanted);
    tell(name, peer, `* you are ${name}`);
    for (const other of members.keys()) tell(name, peer, `* ${other} is here`);
    members.set(name, peer);
    print(`${name} joined from ${from}`);
    tellOthers(`* ${name} joined`, name);
    try {
      for await (const line of peer) {
        if (line.length > LONGEST) {
          tell(name, peer, `* too long: at most ${LONGEST} characters a line`);
          continue;
        }
        // Not every client knows that what others say must not steer its terminal.
        const said = `${name}: ${oneLine(line)}`;
        print(said);
        tellOthers(said, name);
      }
    } finally {
      members.delete(name);
      print(`${name} left`);
      tellOthers(`* ${name} left`, name);
    }
  };
}

if (import.meta.main) Deno.exit(await chatServer.run(Deno.args));
