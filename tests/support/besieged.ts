/**
 * A server in a process of its own, and what is printed of how it stands.
 *
 * @module
 */

import {
  type Codec,
  connect,
  type Framing,
  lengthPrefixed,
  type ServeOptions,
  text,
} from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import type { Report } from "../fixtures/besieged_server.ts";
import { type RunningProgram, startProgram } from "./running_program.ts";

/** What can be set from outside: what is left of it as JSON, so no functions and nothing infinite. */
export type Options = Omit<ServeOptions, "signal" | "onConnection" | "onError">;

/** The codec that the server speaks. */
export const words: Codec<string> = text(
  lengthPrefixed({ maxFrameLength: 1024 * 1024 }),
);

/** The server of `tests/fixtures/besieged_server.ts`. Leaving its scope ends it. */
export class Besieged implements AsyncDisposable {
  #program: RunningProgram;
  /** Where its servers listen. */
  readonly ports: readonly number[];

  private constructor(program: RunningProgram, ports: readonly number[]) {
    this.#program = program;
    this.ports = ports;
  }

  /** Starts it, with a server for each of the options. */
  static async start(...options: Options[]): Promise<Besieged> {
    const path = "tests/fixtures/besieged_server.ts";
    const args = [JSON.stringify(options.length === 0 ? [{}] : options)];
    const how = { net: "127.0.0.1", typing: true };
    return await Besieged.of(startProgram(path, args, how));
  }

  /** Takes over such a program that was started in another way. */
  static async of(program: RunningProgram): Promise<Besieged> {
    try {
      const ports = (await program.line()).split(" ").map(Number);
      return new Besieged(program, ports);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where the first of its servers listens. */
  get port(): number {
    return this.ports[0];
  }

  /** Asks it how it stands. */
  async report(): Promise<Report> {
    await this.#program.type("report\n");
    return JSON.parse(await this.#program.line());
  }

  /** Shuts it down; gives its last report. */
  async shutdown(grace: number): Promise<Report> {
    await this.#program.type(`shutdown ${grace}\n`);
    return JSON.parse(await this.#program.line());
  }

  /** Asks until something holds; fails if it does not come. */
  async until(
    holds: (report: Report) => boolean,
    what: string,
  ): Promise<Report> {
    for (let turn = 0; turn < 600; turn++) {
      const report = await this.report();
      if (holds(report)) return report;
      await pause(50);
    }
    throw new Error(
      `Waited in vain for ${what}: ${Deno.inspect(await this.report())}`,
    );
  }

  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** Waits for a while. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A client that behaves well, and takes the time. */
export class Guest implements AsyncDisposable {
  #peer: Framing<string>;
  #asked = 0;

  private constructor(peer: Framing<string>) {
    this.#peer = peer;
  }

  /** Comes in. */
  static async connect(port: number): Promise<Guest> {
    return new Guest(await connect({ port }, words));
  }

  /** Asks, wants the right answer, and gives how long it took, in milliseconds. */
  async ask(): Promise<number> {
    const word = `word ${this.#asked++}`;
    const start = performance.now();
    await this.#peer.write(word);
    assertEquals(await this.#peer.read(), word.toUpperCase());
    return performance.now() - start;
  }

  /** Asks so many times, one after another. */
  async times(count: number): Promise<number[]> {
    const times: number[] = [];
    while (times.length < count) times.push(await this.ask());
    return times;
  }

  /** Goes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

/** The value that this share of all values is no more than: 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  assert(values.length > 0, "there must be values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Bytes as people read them. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Prints a figure, in the form that all of them have. */
export function figure(of: string, value: string): void {
  console.log(`survival: ${of}: ${value}`);
}
