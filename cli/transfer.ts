/**
 * What send-file and receive-file have in common: how they speak, and what they show.
 *
 *     sender                                              receiver
 *     {"name": "film.mkv", "size": 7} ──────────────────►
 *             ◄────────────────────── {"have": 3, "sha256": "…"}    of the 3 bytes
 *     offset: 3, and the content from there on ─────────►
 *     {"sha256": "…"}                 ──────────────────►           of the whole file
 *             ◄──────────────────────────────── {"sha256": "…"}
 *
 * Each is a message with a header. The receiver says `{"error": "…"}` in place of an answer that it cannot give.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { type Codec, ConnectionError, type Message, messages } from "../mod.ts";
import type { Switch } from "./program.ts";

/** How much is read from a file at a time. */
const PIECE = 256 * 1024;
/** How often the progress bar moves, in milliseconds, and how wide it is. */
const REFRESH = 100;
const BAR_WIDTH = 30;
/** After how many bytes to look how much memory is used. */
const MEMORY_STEP = 4 * 1024 * 1024;
const MEBIBYTE = 1024 * 1024;

/** Says how much memory it took. */
export const MEMORY: Switch = {
  name: "memory",
  about: "print how much more memory it took",
};

/** What both sides speak. A file is handed out as it comes, unless it is short. */
export function transferMessages(): Codec<Message> {
  return messages({
    maxFrameLength: 64 * 1024,
    maxBodyLength: Number.MAX_SAFE_INTEGER,
  });
}

/** Makes the checksum that is compared. */
export function newChecksum(): Hash {
  return createHash("sha256");
}

/** The checksum of what it was given so far. */
export function checksumOf(hash: Hash): string {
  return hash.copy().digest("hex");
}

/** A value that the other side sent, as an object with unknown fields. */
export function fieldsOf(message: Message): Record<string, unknown> {
  const value = message.body === undefined ? message.json() : undefined;
  if (typeof value === "object" && value !== null) return { ...value };
  throw new ConnectionError(
    "Cannot transfer file: the other side sent what is no part of the protocol",
  );
}

/** A whole number from 0 on that the other side sent. */
export function countIn(fields: Record<string, unknown>, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw new ConnectionError(
    `Cannot transfer file: ${name} must be a whole number: it is ${
      JSON.stringify(value)
    }`,
  );
}

/** What to say of a file that the system refuses; a missing permission says it itself. */
export function fileFault(what: string, error: unknown): unknown {
  const reason = error instanceof Error
    ? error.message.match(/^(.+) \(os error /)?.[1]
    : undefined;
  return reason === undefined
    ? error
    : new RangeError(`${what}: ${reason.toLowerCase()}`);
}

/**
 * Reads a file from where it stands.
 *
 * @param file The file.
 * @param length How much of it; it is an error of who reads them if these are fewer bytes.
 * @param see Is shown each piece.
 * @returns The pieces; each is overwritten by the next.
 */
export async function* piecesOf(
  file: Deno.FsFile,
  length: number,
  see: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const room = new Uint8Array(PIECE);
  for (let left = length; left > 0;) {
    const count = await file.read(room.subarray(0, Math.min(PIECE, left)));
    if (count === null) return;
    const piece = room.subarray(0, count);
    see(piece);
    yield piece;
    left -= count;
  }
}

/** Owns what is shown of a transfer: a bar on stderr, if that is a terminal, and how much memory it took. */
export class Progress implements Disposable {
  #name: string;
  #size: number;
  #done = 0;
  #shownAt = -Infinity;
  #startedAt = performance.now();
  #startedFrom = 0;
  #bar = Deno.stderr.isTerminal();
  #memoryBefore = Deno.memoryUsage().rss;
  #memoryMost = 0;
  #memorySeenAt = -Infinity;

  /** Begins to show. */
  constructor(name: string, size: number) {
    this.#name = name;
    this.#size = size;
  }

  /** Says where the transfer begins. */
  begin(done: number): void {
    this.#done = this.#startedFrom = done;
    this.#startedAt = performance.now();
  }

  /** Says that so many bytes more were transferred. */
  add(count: number): void {
    this.#done += count;
    if (this.#done - this.#memorySeenAt >= MEMORY_STEP) {
      this.#memorySeenAt = this.#done;
      this.#memoryMost = Math.max(this.#memoryMost, Deno.memoryUsage().rss);
    }
    if (!this.#bar || performance.now() - this.#shownAt < REFRESH) return;
    this.#shownAt = performance.now();
    this.#show();
  }

  /** What the memory was, in a line. */
  get memory(): string {
    const most = Math.max(this.#memoryMost, Deno.memoryUsage().rss);
    const [before, after] = [this.#memoryBefore, most].map((bytes) =>
      Math.round(bytes / MEBIBYTE)
    );
    return `memory: ${before} MiB before, ${after} MiB at most, ${
      after - before
    } MiB more`;
  }

  #show(): void {
    const share = this.#size === 0 ? 1 : this.#done / this.#size;
    const full = Math.round(share * BAR_WIDTH);
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const rate = (this.#done - this.#startedFrom) / MEBIBYTE / seconds;
    write(
      `\r${this.#name} [${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}] ${
        Math.floor(share * 100)
      }% ${rate.toFixed(0)} MiB/s\x1b[K`,
    );
  }

  /** Leaves the line of the bar. */
  [Symbol.dispose](): void {
    if (!this.#bar || this.#shownAt < 0) return;
    this.#show();
    write("\n");
    this.#bar = false;
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
