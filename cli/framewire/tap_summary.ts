/**
 * What a tap has seen, of all connections together.
 *
 *     2 connections: 3 frames, 101 B from the client; 3 frames, 23 B from the server
 *     #2 client: out of step at offset 0, behind 0 good frames
 *
 * @module
 */

import { TruncatedFrameError } from "../../mod.ts";
import type { Side } from "./dialect.ts";
import type { TapEvent, Totals } from "./tap_events.ts";
import { counted, grouped } from "./units.ts";

/** The most streams out of step that are named. */
const MOST_NAMED = 10;
const SIDES: readonly Side[] = ["client", "server"];

/** What has passed of all connections together. */
export class TapSummary {
  #connections = 0;
  #totals: Record<Side, Totals> = {
    client: { frames: 0, bytes: 0 },
    server: { frames: 0, bytes: 0 },
  };
  #faults: string[] = [];
  #faultCount = 0;

  /** Takes an event. */
  add(event: TapEvent): void {
    if (event.kind === "open") this.#connections++;
    if (event.kind === "close") {
      for (const side of SIDES) {
        this.#totals[side].bytes += event.totals[side].bytes;
      }
    }
    if (event.kind !== "seen") return;
    const { seen, number, connection } = event;
    if (seen.kind === "frame") this.#totals[seen.from].frames++;
    if (seen.kind !== "fault" || seen.error.recoverable) return;
    this.#faultCount++;
    if (this.#faults.length === MOST_NAMED) return;
    const what = seen.error instanceof TruncatedFrameError
      ? "cut short inside a frame"
      : "out of step";
    const good = counted(number, "good frame");
    this.#faults.push(
      `#${connection} ${seen.from}: ${what} at offset ${seen.offset}, behind ${good}`,
    );
  }

  /** How many frames there were. */
  get frames(): number {
    return this.#totals.client.frames + this.#totals.server.frames;
  }

  /** Whether all bytes were frames. */
  get inStep(): boolean {
    return this.#faultCount === 0;
  }

  /** What there is to say. */
  lines(): string[] {
    const said = SIDES.map((side) => {
      const { frames, bytes } = this.#totals[side];
      return `${counted(frames, "frame")}, ${
        grouped(bytes)
      } B from the ${side}`;
    });
    const more = this.#faultCount - this.#faults.length;
    return [
      `${counted(this.#connections, "connection")}: ${said.join("; ")}`,
      ...this.#faults,
      ...more > 0 ? [`${grouped(more)} more out of step`] : [],
    ];
  }
}
