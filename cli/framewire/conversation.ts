/**
 * Both directions of a connection, watched from outside: chunks go in, frames come out, each with where it was in
 * its stream and in which pieces it came.
 *
 *     stream    ├── frame ──┼──────── frame ────────┼── frame …
 *     chunks    ├──────── 12 B ───────┼── 5 B ──┼─ 3 B …
 *     pieces     8               4         5      1 …
 *
 * A stream that goes out of step is reported once, with the bytes where it did; what comes behind is counted only.
 *
 * @module
 */

import { FrameDecoder, FramingError } from "../../mod.ts";
import type { Dialect, InputCodec, Side } from "./dialect.ts";

/** What all events have. */
interface Happened {
  /** Who sent it. */
  from: Side;
  /** Where it begins, in the bytes that this side has sent. */
  offset: number;
}

/** A frame. */
export interface FrameSeen extends Happened {
  kind: "frame";
  /** What it says. */
  frame: unknown;
  /** Its bytes, with all framing. */
  wire: Uint8Array;
  /** How many of its bytes came in each of the chunks that it was in. */
  pieces: number[];
  /** Whether the first and the last of these chunks have bytes of other frames too: before it, and behind it. */
  shared: { before: boolean; behind: boolean };
}

/** Bytes that are no frame. */
export interface FaultSeen extends Happened {
  kind: "fault";
  /** What is wrong with them. */
  error: FramingError;
  /** What is known of them: those of the frame that came so far. */
  wire: Uint8Array;
}

/** From here on only the two ends can read it. */
export interface OpaqueSeen extends Happened {
  kind: "opaque";
  /** Why. */
  reason: string;
}

/** What was seen. */
export type Seen = FrameSeen | FaultSeen | OpaqueSeen;

/** The other end. */
export function other(side: Side): Side {
  return side === "client" ? "server" : "client";
}

/** The most bytes of a frame that are kept to be shown. */
const KEPT = 2 ** 20;
/** The most pieces of a frame that are counted one by one. */
const MOST_PIECES = 2 ** 16;
/** Up to which length chunks lie side by side. */
const SHORT = 2 ** 8;
/** How much memory they get at a time: four times as much each time, up to this. */
const MOST_SLAB = 2 ** 16;

/** What is left of a chunk; `bytes` is empty where they are too many to be kept. */
interface Piece {
  length: number;
  bytes: Uint8Array;
  /** Whether frames before have taken some of it. */
  begun: boolean;
}

const NO_BYTES = new Uint8Array();

/** One direction. */
class Direction {
  readonly from: Side;
  /** How many bytes were sent. */
  sent = 0;
  /** Whether frames are no longer looked for. */
  over = false;
  #decoder: FrameDecoder<unknown>;
  #pieces: Piece[] = [];
  /** How many bytes they are. */
  #held = 0;
  /** Where short chunks are kept, and how much of that is used. */
  #slab: Uint8Array = new Uint8Array(SHORT);
  #used = 0;
  /** Where the first of them is in the stream. */
  #kept = 0;

  constructor(from: Side, codec: InputCodec) {
    this.from = from;
    this.#decoder = new FrameDecoder(codec);
  }

  /** Where the next frame begins. */
  get start(): number {
    return this.#decoder.position - this.#decoder.buffered;
  }

  push(chunk: Uint8Array): void {
    this.sent += chunk.length;
    if (this.over) return;
    this.#keep(this.#copyOf(chunk)); // what was pushed belongs to the decoder
    this.#decoder.push(chunk);
  }

  /** A copy of a chunk. Short ones lie side by side: memory of its own would cost each more than it is long. */
  #copyOf(chunk: Uint8Array): Uint8Array {
    if (chunk.length > SHORT) return chunk.slice();
    if (this.#slab.length - this.#used < chunk.length) {
      this.#slab = new Uint8Array(Math.min(4 * this.#slab.length, MOST_SLAB));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += chunk.length;
    this.#slab.set(chunk, start);
    return this.#slab.subarray(start, this.#used);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const last = this.#pieces.at(-1);
    if (last !== undefined) {
      // All that is here belongs to one frame that is not over: not all of a long one is shown.
      if (this.#held - last.length >= KEPT) last.bytes = NO_BYTES;
      const before = this.#pieces.at(-2);
      if (before !== undefined && this.#pieces.length > MOST_PIECES) {
        const both = together(before.bytes, last.bytes);
        if (both !== undefined) {
          before.bytes = both;
          before.length += last.length;
          this.#pieces.pop();
        }
      }
    }
    this.#held += bytes.length;
    this.#pieces.push({ length: bytes.length, bytes, begun: false });
  }

  /** The next frame or fault. */
  next(ended: boolean): FrameSeen | FaultSeen | undefined {
    if (this.over) return undefined;
    const { from } = this;
    try {
      // What belongs to a frame that was left out, and has come since.
      if (!this.#decoder.skipping) this.#take(this.start - this.#kept);
      const offset = this.start;
      const frame = ended ? this.#decoder.end() : this.#decoder.next();
      if (frame === undefined) return undefined;
      const taken = this.#take(this.start - offset);
      return { kind: "frame", from, offset, frame, ...taken };
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      const { offset } = error;
      this.#take(offset - this.#kept);
      const length = this.start - offset;
      const wire = length > 0 && error.recoverable
        ? this.#take(length).wire
        : this.#rest();
      if (!error.recoverable) this.stop();
      return { kind: "fault", from, offset, error, wire };
    }
  }

  switchCodec(codec: InputCodec): void {
    if (!this.over) this.#decoder = this.#decoder.switchCodec(codec);
  }

  /** Looks for no more frames. */
  stop(): void {
    this.over = true;
    this.#pieces = [];
  }

  /** Takes so many bytes off the front of what is kept. */
  #take(length: number): Pick<FrameSeen, "wire" | "pieces" | "shared"> {
    const parts: Uint8Array[] = [];
    const pieces: number[] = [];
    const before = this.#pieces[0]?.begun ?? false;
    let behind = false;
    let whole = 0;
    for (let left = length; left > 0;) {
      const piece = this.#pieces[whole];
      const count = Math.min(piece.length, left);
      parts.push(piece.bytes.subarray(0, count));
      pieces.push(count);
      left -= count;
      if (count === piece.length) whole++;
      else {
        piece.length -= count;
        piece.bytes = piece.bytes.subarray(count);
        piece.begun = behind = true;
      }
    }
    this.#pieces.splice(0, whole);
    this.#held -= length;
    this.#kept += length;
    return { wire: joined(parts), pieces, shared: { before, behind } };
  }

  /** What is there of a frame that is no frame. */
  #rest(): Uint8Array {
    return joined(this.#pieces.map(({ bytes }) => bytes));
  }
}

/** Bytes that lie side by side as one; `undefined` if they do not. */
function together(a: Uint8Array, b: Uint8Array): Uint8Array | undefined {
  if (a.length === 0 && b.length === 0) return NO_BYTES;
  const end = a.byteOffset + a.length;
  return a.buffer === b.buffer && end === b.byteOffset
    ? new Uint8Array(a.buffer, a.byteOffset, a.length + b.length)
    : undefined;
}

/** Bytes one behind the other, up to what is kept. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(Math.min(length, KEPT));
  let at = 0;
  for (const part of parts) {
    const fits = part.subarray(0, bytes.length - at);
    bytes.set(fits, at);
    at += fits.length;
  }
  return bytes;
}

/** A connection that is watched. */
export class Conversation {
  #dialect: Dialect;
  #directions: Record<Side, Direction>;

  /** Begins with the first bytes of both sides. */
  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#directions = {
      client: new Direction("client", dialect.codec("server")),
      server: new Direction("server", dialect.codec("client")),
    };
  }

  /**
   * Takes what came in one piece.
   *
   * @param from Who sent it.
   * @param chunk The bytes, which belong to the conversation from now on.
   * @returns What they complete, one after another: each is to be taken before the next chunk is pushed.
   */
  push(from: Side, chunk: Uint8Array): Iterable<Seen> {
    this.#directions[from].push(chunk);
    return this.#all(from, false);
  }

  /** Ends a direction: what is left may be a frame, or truncated. */
  end(from: Side): Iterable<Seen> {
    return this.#all(from, true);
  }

  /** How many bytes a side has sent. */
  sent(from: Side): number {
    return this.#directions[from].sent;
  }

  *#all(from: Side, ended: boolean): Iterable<Seen> {
    const direction = this.#directions[from];
    let seen: Seen | undefined;
    while ((seen = direction.next(ended)) !== undefined) {
      yield seen;
      if (seen.kind !== "frame") continue;
      const change = this.#dialect.after?.(from, seen.frame);
      if (change === undefined) continue;
      if (change.client) this.#directions.server.switchCodec(change.client);
      if (change.server) this.#directions.client.switchCodec(change.server);
      if (change.opaque !== undefined) {
        const offset = direction.start;
        for (const one of Object.values(this.#directions)) one.stop();
        yield { kind: "opaque", from, offset, reason: change.opaque };
      }
    }
  }
}
