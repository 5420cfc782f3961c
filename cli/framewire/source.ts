/**
 * What is read offline: a file, one that is still growing, or stdin.
 *
 * @module
 */

import { type Parameter, ProgramError } from "../program.ts";
import { inputChunks } from "./input_lines.ts";
import { quoted } from "./permissions.ts";

/** A file, or stdin. */
export const FILE: Parameter<string> = {
  name: "file",
  about: "what to read; - is stdin, which takes no permission",
  fallback: "-",
  read: (text) => text,
};

/** How often a file that grows is looked at, in milliseconds. */
const PATIENCE = 100;

/**
 * Opens a file.
 *
 * @param path Where it is.
 * @param name The command that is to read it, for who lacks the permission.
 * @throws {ProgramError} If it cannot be opened.
 */
export async function openFile(
  path: string,
  name: string,
): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new ProgramError(
        `needs permission: run again with ${
          quoted(`--allow-read=${path}`)
        }, or with none: framewire ${name} … < ${quoted(path)}`,
        1,
        { cause: error },
      );
    }
    if (!(error instanceof Error)) throw error;
    const [, reason = error.message] =
      error.message.match(/^([^:(]+?) \(os error \d+\)/) ?? [];
    throw new ProgramError(`${path}: ${reason.toLowerCase()}`, 1, {
      cause: error,
    });
  }
}

/**
 * Reads a file, or stdin for `-`.
 *
 * @param path Where it is.
 * @param options The command that reads, and whether to wait for more at the end of the file, for ever.
 * @returns Its bytes in pieces, which belong to the caller.
 * @throws {ProgramError} If it cannot be read.
 */
export async function* chunksOf(
  path: string,
  { name, follow = false }: { name: string; follow?: boolean },
): AsyncIterable<Uint8Array> {
  if (path === "-") {
    yield* inputChunks();
    return;
  }
  using file = await openFile(path, name);
  let read = 0;
  while (true) {
    const chunk = new Uint8Array(65_536);
    const count = await readInto(file, chunk, path);
    if (count !== null) {
      read += count;
      yield chunk.subarray(0, count);
      continue;
    }
    if (!follow) return;
    const { size } = await file.stat();
    if (size < read) {
      throw new ProgramError(`${path}: it was cut short while it was read`, 1);
    }
    await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  }
}

async function readInto(
  file: Deno.FsFile,
  chunk: Uint8Array,
  path: string,
): Promise<number | null> {
  try {
    return await file.read(chunk);
  } catch (error) {
    // A folder can be opened, and not be read.
    if (!(error instanceof Error)) throw error;
    const reason = error.message.replace(/ \(os error \d+\)$/, "");
    throw new ProgramError(`${path}: ${reason.toLowerCase()}`, 1, {
      cause: error,
    });
  }
}

/** How long a pause is, in milliseconds. */
const PAUSE = 400;

/**
 * Gives what comes, and `undefined` once in a pause.
 *
 * @param chunks What comes.
 * @param waits Says whether pauses matter.
 */
export async function* withPauses<T>(
  chunks: AsyncIterable<T>,
  waits: () => boolean,
): AsyncIterable<T | undefined> {
  const each = chunks[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<T>> | undefined;
  try {
    while (true) {
      pending = each.next();
      if (waits() && await takesLong(pending)) yield undefined;
      const next = await pending;
      pending = undefined;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // What is asked for may never come: nobody is to wait for that.
    const returned = each.return?.();
    if (pending === undefined) await returned;
    else {
      pending.catch(() => {});
      returned?.catch(() => {});
    }
  }
}

/** Whether something is still to come after a pause. */
async function takesLong(pending: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), PAUSE);
  });
  try {
    return await Promise.race([pending.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
