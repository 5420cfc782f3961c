/**
 * The input of the comparisons in memory: lines of 80 bytes, their line feed included, in chunks of 64 KiB
 * that are cut without regard to them.
 *
 * @module
 */

const CHUNK = 64 * 1024;

/** How long a line is, its line feed included. */
export const LINE = 80;

/** Five chunks hold a whole number of lines: behind the last one the first one fits again. */
function layOut(): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(5 * CHUNK);
  for (let i = 0; i < block.length; i++) {
    block[i] = i % LINE === LINE - 1 ? 10 : 97 + i % 23;
  }
  return block;
}

const block = layOut();

/** How many whole chunks hold that many lines or a few more. */
export function chunksFor(lines: number): number {
  return 5 * Math.ceil(lines * LINE / block.length);
}

/** How many lines are in so many chunks, a multiple of five. */
export function linesIn(chunks: number): number {
  return chunks * CHUNK / LINE;
}

/** The chunk at `index`, as a view of its own. */
export function chunkAt(index: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(block.buffer, index % 5 * CHUNK, CHUNK);
}

/** So many chunks as a stream, each when it is asked for. */
export function streamOf(
  chunks: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let index = 0;
  return new ReadableStream({
    pull(controller) {
      if (index === chunks) controller.close();
      else controller.enqueue(chunkAt(index++));
    },
  });
}

/** What an implementation found: how many frames, and how many bytes or characters in them. */
export interface Found {
  frames: number;
  length: number;
}

/** Runs an implementation twice, first to warm it up, checks what it found, and prints how long it took. */
export async function report(
  name: string,
  chunks: number,
  run: (chunks: number) => Found | Promise<Found>,
): Promise<void> {
  const warmUp = 5 * Math.ceil(chunks / 20);
  check(name, warmUp, await run(warmUp));
  const start = performance.now();
  const found = await run(chunks);
  const ns = Math.round((performance.now() - start) * 1e6);
  check(name, chunks, found);
  const { frames: count, length: bytes } = found;
  console.log(JSON.stringify({ name, ns, count, bytes }));
}

function check(name: string, chunks: number, found: Found): void {
  const frames = linesIn(chunks);
  const length = frames * (LINE - 1);
  if (found.frames === frames && found.length === length) return;
  throw new Error(
    `${name} found ${found.frames} frames with ${found.length} bytes, not ${frames} with ${length}`,
  );
}
