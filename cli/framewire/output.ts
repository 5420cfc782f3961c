/**
 * Where the command prints: data on stdout, everything else on stderr.
 *
 * @module
 */

import { ProgramError } from "../program.ts";
import { oneLine } from "../python_literal.ts";

const encoder = new TextEncoder();

/**
 * Writes on stdout, and waits until it was taken.
 *
 * @param data Text, with its line feeds, or bytes.
 * @throws {ProgramError} If nobody is there to read it: it ends the program quietly.
 */
export async function put(data: string | Uint8Array): Promise<void> {
  let rest = typeof data === "string" ? encoder.encode(data) : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(await Deno.stdout.write(rest));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      // There is nothing left to do, and nothing to complain of.
      throw new ProgramError("Nobody reads the output any longer", 0);
    }
  }
}

/** Says something to whoever watches, on a line of stderr. */
export function note(text: string): void {
  console.error(`framewire: ${oneLine(text)}`);
}

/** Styles of text on a terminal. */
export interface Paint {
  /** What is less important. */
  dim(text: string): string;
  /** What a client sent. */
  client(text: string): string;
  /** What a server sent. */
  server(text: string): string;
  /** What went wrong. */
  fault(text: string): string;
}

function style(code: number): (text: string) => string {
  return (text) => `\x1b[${code}m${text}\x1b[0m`;
}

const plain = (text: string) => text;

/** Colours for stdout: none unless it is a terminal, and none under `NO_COLOR`. */
export function paint(): Paint {
  return Deno.stdout.isTerminal() && !Deno.noColor
    ? { dim: style(2), client: style(36), server: style(33), fault: style(31) }
    : { dim: plain, client: plain, server: plain, fault: plain };
}
