/**
 * The ways to take frames from a connection, each beside what it could have been. The connection is in memory and
 * fills every read. An iteration is 10,000 frames of 64 B.
 *
 * @module
 */

import { Framing, lengthPrefixed } from "../mod.ts";
import { expectCount, MemoryConn, wireOf } from "./chunks.ts";

const COUNT = 10_000;
const codec = lengthPrefixed();
const wire = wireOf(codec, new Uint8Array(64), COUNT);

type Peer = Framing<Uint8Array, Uint8Array>;

function bench(
  group: string,
  name: string,
  take: (peer: Peer) => Promise<number>,
  baseline = false,
): void {
  Deno.bench({
    name,
    group,
    baseline,
    fn: async () => {
      await using peer = new Framing(new MemoryConn(wire), codec);
      expectCount(await take(peer), COUNT);
    },
  });
}

async function tryFirst(peer: Peer): Promise<number> {
  let count = 0;
  while (true) {
    const frame = peer.tryRead() ?? await peer.read();
    if (frame === null) return count;
    count++;
  }
}

async function readEach(peer: Peer): Promise<number> {
  let count = 0;
  while (await peer.read() !== null) count++;
  return count;
}

async function batches(peer: Peer): Promise<number> {
  let count = 0;
  let batch: Uint8Array[] | null;
  while ((batch = await peer.readBatch()) !== null) count += batch.length;
  return count;
}

async function iterate(frames: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const _frame of frames) count++;
  return count;
}

const WAYS = `take ${COUNT} frames of 64 B`;
bench(WAYS, "tryRead() ?? await read()", tryFirst, true);
bench(WAYS, "await readBatch()", batches);
bench(WAYS, "for await", iterate);
bench(WAYS, "await read()", readEach);

/** The iterator that would be the shortest to write. */
async function* generated(peer: Peer): AsyncGenerator<Uint8Array> {
  while (true) {
    const frame = peer.tryRead() ?? await peer.read();
    if (frame === null) return;
    yield frame;
  }
}

/** An iterator whose `next` is an async function. */
function asyncNext(peer: Peer): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<Uint8Array>> {
        const frame = peer.tryRead() ?? await peer.read();
        return frame === null
          ? { value: undefined, done: true }
          : { value: frame, done: false };
      },
    }),
  };
}

const ITERATORS = `for await over ${COUNT} frames of 64 B`;
bench(ITERATORS, "an iterator that has its promises ready", iterate, true);
bench(ITERATORS, "an async next()", (peer) => iterate(asyncNext(peer)));
bench(ITERATORS, "an async generator", (peer) => iterate(generated(peer)));
