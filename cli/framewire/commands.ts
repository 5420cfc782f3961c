/**
 * The commands of `framewire`; each is loaded when it is called.
 *
 * @module
 */

import type { Program } from "../program.ts";

/** A command that may not be loaded yet. */
export interface Command {
  /** What it is called. */
  readonly name: string;
  /** What it does, in one line, as the program itself says. */
  readonly about: string;
  /** Loads it. */
  load(): Promise<Program>;
}

/** Every command, in the order in which people meet them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "connect",
    about:
      "Sends each line of stdin as a frame, and prints each frame received",
    load: async () => (await import("./connect.ts")).connectCommand,
  },
  {
    name: "listen",
    about:
      "Prints each frame that clients send, and answers with stdin or as told",
    load: async () => (await import("./listen.ts")).listenCommand,
  },
  {
    name: "tap",
    about: "Passes bytes on to a server, and prints each frame of both sides",
    load: async () => (await import("./tap.ts")).tapCommand,
  },
  {
    name: "decode",
    about: "Prints the frames in a file: bytes, a dump of them, or packets",
    load: async () => (await import("./decode.ts")).decodeCommand,
  },
  {
    name: "encode",
    about: "Writes the bytes of frames: each line of stdin is one",
    load: async () => (await import("./encode.ts")).encodeCommand,
  },
  {
    name: "detect",
    about: "Says which codecs explain the bytes of a file or a server",
    load: async () => (await import("./detect.ts")).detectCommand,
  },
  {
    name: "bench",
    about: "Puts load on a server, and tells how long its answers took",
    load: async () => (await import("./bench.ts")).benchCommand,
  },
  {
    name: "codecs",
    about: "Lists the codecs that --codec names, with their options",
    load: async () => (await import("./codecs.ts")).codecsCommand,
  },
  {
    name: "completions",
    about: "Prints what has bash, zsh or fish complete this command",
    load: async () => (await import("./completions.ts")).completionsCommand,
  },
];
