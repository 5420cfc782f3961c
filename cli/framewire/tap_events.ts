/**
 * What a tap sees of its connections, one event after another.
 *
 *     #1  open ── frame, frame, … ── end ── … ── close
 *              └─ fault: out of step from here on     └─ or reset
 *
 * @module
 */

import { MalformedFrameError } from "../../mod.ts";
import { Conversation, type Seen } from "./conversation.ts";
import type { Dialect, Side } from "./dialect.ts";
import type { Passed } from "./relay.ts";

/** What has passed in one direction. */
export interface Totals {
  /** Frames. */
  frames: number;
  /** Bytes, with those that were in no frame. */
  bytes: number;
  /** Where the direction went out of step, if it did. */
  outOfStepAt?: number;
}

/** When something happened, and to which connection. */
export interface Moment {
  /** The number of the connection, from 1. */
  connection: number;
  /** When, in milliseconds since 1970, with fractions. */
  time: number;
}

/** What was seen of a connection: what passed, without the bytes, and frames in their place. */
export type TapEvent =
  & Moment
  & (
    | Exclude<Passed, { kind: "chunk" | "close" | "end" }>
    | { kind: "seen"; seen: Seen; number: number; before: Uint8Array }
    | { kind: "end"; from: Side; bytes: number }
    | { kind: "close"; totals: Record<Side, Totals> }
  );

/** How many bytes in front of a fault are kept to be shown. */
const BEFORE = 16;
const NO_BYTES = new Uint8Array();

/** One connection: what passes goes in, events come out. */
export class TappedConnection {
  readonly #connection: number;
  readonly #emit: (event: TapEvent) => void;
  #conversation: Conversation;
  #before: Record<Side, Uint8Array> = { client: NO_BYTES, server: NO_BYTES };
  /** What has passed so far. */
  readonly totals: Record<Side, Totals> = {
    client: { frames: 0, bytes: 0 },
    server: { frames: 0, bytes: 0 },
  };

  /** Begins with nothing seen. */
  constructor(
    connection: number,
    dialect: Dialect,
    emit: (event: TapEvent) => void,
  ) {
    this.#connection = connection;
    this.#emit = emit;
    this.#conversation = new Conversation(dialect);
  }

  /** Takes what passed, and emits what there is to see. */
  watch(passed: Passed, time: number): void {
    const moment: Moment = { connection: this.#connection, time };
    switch (passed.kind) {
      case "chunk": {
        const { from, bytes } = passed;
        this.totals[from].bytes += bytes.length;
        this.#see(from, moment, () => this.#conversation.push(from, bytes));
        break;
      }
      case "end": {
        const { from } = passed;
        this.#see(from, moment, () => this.#conversation.end(from));
        const { bytes } = this.totals[from];
        this.#emit({ ...moment, kind: "end", from, bytes });
        break;
      }
      case "close":
        this.#emit({ ...moment, kind: "close", totals: this.totals });
        break;
      default:
        this.#emit({ ...moment, ...passed });
    }
  }

  #see(from: Side, moment: Moment, look: () => Iterable<Seen>): void {
    const totals = this.totals[from];
    if (totals.outOfStepAt !== undefined) return;
    for (const seen of safely(look, from, totals.bytes)) {
      if (seen.kind === "frame") totals.frames++;
      if (seen.kind === "fault" && !seen.error.recoverable) {
        totals.outOfStepAt = seen.offset;
      }
      const before = this.#before[from];
      const number = totals.frames;
      this.#emit({ ...moment, kind: "seen", seen, number, before });
      if (seen.kind !== "opaque" && seen.wire.length > 0) {
        this.#before[from] = seen.wire.slice(-BEFORE);
      }
    }
  }
}

/** What a codec sees; that it cannot cope is a fault of the stream like others, and must not break it. */
function* safely(
  look: () => Iterable<Seen>,
  from: Side,
  offset: number,
): Iterable<Seen> {
  try {
    yield* look();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    yield {
      kind: "fault",
      from,
      offset,
      error: new MalformedFrameError(reason, { offset }),
      wire: NO_BYTES,
    };
  }
}
