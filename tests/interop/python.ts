/**
 * Peers in Python, and tests that need them. Without `python3`, or without the permission to run it, those
 * tests are ignored.
 *
 * @module
 */

import {
  type Ending,
  portIn,
  RunningProgram,
} from "../support/running_program.ts";

const PYTHON = "python3";
const ignore = !hasPython();

function hasPython(): boolean {
  try {
    return new Deno.Command(PYTHON, { args: ["--version"] }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/** A test with a peer in Python. */
export function testWithPython(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** Starts one of `peers/`, as `server` or as `client`. */
export function startPeer(
  name: string,
  args: readonly string[],
): RunningProgram {
  // Without -B, Python writes compiled modules next to the peers.
  const path = `tests/interop/peers/${name}.py`;
  return new RunningProgram(PYTHON, ["-B", path, ...args]);
}

/** Starts a peer's server; the string is its port. */
export async function startPeerServer(
  name: string,
  args: readonly string[] = [],
): Promise<[RunningProgram, string]> {
  const server = startPeer(name, ["server", ...args]);
  return [server, String(portIn(await server.line()))];
}

/** Runs a peer's client to its end. */
export async function runPeerClient(
  name: string,
  args: readonly string[],
): Promise<Ending> {
  await using client = startPeer(name, ["client", ...args]);
  return await client.end();
}
