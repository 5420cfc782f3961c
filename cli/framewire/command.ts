/**
 * What the subcommands of `framewire` share.
 *
 *     exit code 0   it did what it should
 *               1   the network, a peer or a missing permission prevented it
 *               2   it was called wrongly
 *               3   the bytes are no frames
 *               4   it took too long
 *             130   Ctrl-C
 *
 * @module
 */

import {
  ConnectTimeoutError,
  FramingError,
  PeerVanishedError,
  ReadTimeoutError,
  RequestTimeoutError,
  WriteTimeoutError,
} from "../../mod.ts";
import {
  type Parameter,
  type Program,
  program,
  ProgramError,
  type ProgramInit,
} from "../program.ts";
import { dialectOf } from "./codec_names.ts";
import type { Dialect } from "./dialect.ts";

/** It was called wrongly, or given what cannot be sent. */
export const USAGE = 2;
/** It took too long. */
export const TIMED_OUT = 4;

/** Says which line of the input cannot be sent; what is no fault of the input is thrown again. */
export function inputFault(error: unknown, where: string): ProgramError {
  if (
    error instanceof TypeError || error instanceof SyntaxError ||
    error instanceof RangeError
  ) {
    return new ProgramError(`${where}: ${error.message}`, USAGE, {
      cause: error,
    });
  }
  throw error;
}

const TIMEOUTS = [
  ConnectTimeoutError,
  PeerVanishedError,
  ReadTimeoutError,
  RequestTimeoutError,
  WriteTimeoutError,
];

/** What it means for the exit code that something was thrown. */
function exitCodeOf(error: unknown): number {
  if (error instanceof FramingError) return 3;
  return TIMEOUTS.some((kind) => error instanceof kind) ? TIMED_OUT : 1;
}

/** The options of the library by those of the command. */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ["tls.ca", "--ca"],
  ["tls.serverName", "--server-name"],
]);

function inFlags(message: string): string {
  return message.replaceAll(
    /\boption (tls\.\w+)/g,
    (said, name) => FLAGS.get(name) ?? said,
  );
}

/** What a subcommand is made of: two examples are the least, with the permissions that they take. */
export interface CommandInit
  extends Omit<ProgramInit, "exitCode" | "quiet" | "reword"> {
  readonly examples: NonNullable<ProgramInit["examples"]>;
}

/** Makes a subcommand. */
export function command(init: CommandInit): Program {
  const { name } = init;
  const full = program({
    ...init,
    name: `framewire ${name}`,
    exitCode: exitCodeOf,
    reword: inFlags,
    quiet: true,
  });
  return { ...full, name };
}

/** How frames are cut. */
export const CODEC: Parameter<Dialect> & { fallback: string } = {
  name: "codec",
  value: "codec",
  short: "c",
  about: "how frames are cut; framewire codecs lists them",
  fallback: "lines",
  read: dialectOf,
};
