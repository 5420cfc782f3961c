/**
 * The input of the comparisons in memory, lines in chunks of 64 KiB, and the clock around them:
 * `SIZE COUNT`, with the line feed counted as one of the bytes of a line.
 *
 * @module
 */

const CHUNK = 64 * 1024;
const LF = 10;

/** What an implementation found: how many lines, and how many bytes or characters in them. */
export interface Found {
  count: number;
  length: number;
}

/** Lines cut into chunks without regard to them. */
export class LineChunks {
  /** How many bytes they have in all, line feeds included. */
  readonly bytes: number;
  #size: number;
  #count: number;
  /** Behind the last chunk in it the first one fits again. */
  #pattern: Uint8Array<ArrayBuffer>;

  /** Lays out the lines that the command line asks for. */
  constructor([size, count]: readonly string[] = Deno.args) {
    this.#size = Number(size);
    this.#count = Number(count);
    if (!(this.#size > 0 && this.#count > 0)) {
      console.error("Usage: SIZE COUNT");
      Deno.exit(2);
    }
    this.bytes = this.#size * this.#count;
    this.#pattern = new Uint8Array(this.#size * CHUNK).fill(120);
    for (let i = this.#size - 1; i < this.#pattern.length; i += this.#size) {
      this.#pattern[i] = LF;
    }
  }

  /** The chunk that begins at an offset in the stream, as a view of its own. */
  at(offset: number): Uint8Array<ArrayBuffer> {
    const length = Math.min(CHUNK, this.bytes - offset);
    const { buffer, length: period } = this.#pattern;
    return new Uint8Array(buffer, offset % period, length);
  }

  /** All chunks, each when it is asked for. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let offset = 0;
    return new ReadableStream({
      pull: (controller) => {
        if (offset >= this.bytes) return controller.close();
        controller.enqueue(this.at(offset));
        offset += CHUNK;
      },
    });
  }

  /** Gives all chunks, one after the other. */
  forEach(take: (chunk: Uint8Array<ArrayBuffer>) => void): void {
    for (let offset = 0; offset < this.bytes; offset += CHUNK) {
      take(this.at(offset));
    }
  }

  /** Runs an implementation to warm it up and again to measure it, and prints how long that took. */
  async report(name: string, run: () => Found | Promise<Found>): Promise<void> {
    this.#check(name, await run());
    const start = performance.now();
    const found = await run();
    const ns = Math.round((performance.now() - start) * 1e6);
    this.#check(name, found);
    const { bytes } = this;
    console.log(JSON.stringify({ name, ns, count: found.count, bytes }));
  }

  #check(name: string, { count, length }: Found): void {
    if (count === this.#count && length === this.bytes - count) return;
    throw new Error(`${name} found ${count} lines with ${length} bytes`);
  }
}
