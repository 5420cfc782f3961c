/**
 * Views, copies, numbers and searches: the small steps that every frame takes, each beside those that were not
 * taken. An iteration is a slab of 64 KiB.
 *
 * @module
 */

import { readUint } from "../lib/bytes/byte_order.ts";
import { expectCount } from "./chunks.ts";

const SLAB = 64 * 1024;
const FRAME = 64;
const FRAMES = SLAB / FRAME;
const buffer = new ArrayBuffer(SLAB);
const slab = new Uint8Array(buffer);

function bench(
  group: string,
  name: string,
  fn: () => void,
  baseline = false,
): void {
  Deno.bench({ name, group, baseline, fn });
}

/** Adds up the lengths of all frames of the slab. */
function eachFrame(take: (start: number) => Uint8Array): () => void {
  return () => {
    let bytes = 0;
    for (let start = 0; start < SLAB; start += FRAME) {
      bytes += take(start).length;
    }
    expectCount(bytes, SLAB);
  };
}

const VIEW = `a frame of ${FRAME} B from a slab, ${FRAMES} of them`;
bench(
  VIEW,
  "new Uint8Array(buffer, offset, length)",
  eachFrame((start) => new Uint8Array(buffer, start, FRAME)),
  true,
);
bench(
  VIEW,
  "subarray",
  eachFrame((start) => slab.subarray(start, start + FRAME)),
);
bench(
  VIEW,
  "new Uint8Array(slab.buffer, offset, length)",
  eachFrame((start) => new Uint8Array(slab.buffer, start, FRAME)),
);
bench(VIEW, "slice", eachFrame((start) => slab.slice(start, start + FRAME)));
bench(
  VIEW,
  "memory of its own and set",
  eachFrame((start) => {
    const frame = new Uint8Array(FRAME);
    frame.set(new Uint8Array(buffer, start, FRAME));
    return frame;
  }),
);

/** Something with a state that is asked for at every frame. */
class Asked {
  #begun = 0;
  #ended = SLAB;

  #isEmpty(): boolean {
    return this.#begun === this.#ended;
  }

  get #empty(): boolean {
    return this.#begun === this.#ended;
  }

  callMethod(): void {
    for (this.#begun = 0; !this.#isEmpty();) this.#begun += FRAME;
    expectCount(this.#begun, SLAB);
  }

  useGetter(): void {
    for (this.#begun = 0; !this.#empty;) this.#begun += FRAME;
    expectCount(this.#begun, SLAB);
  }
}

const ASK = `a private condition, ${FRAMES} times`;
const asked = new Asked();
bench(ASK, "a method", () => asked.callMethod(), true);
bench(ASK, "a getter", () => asked.useGetter());

/** Reads a number at the front of each frame. */
function eachNumber(read: (position: number) => number): () => void {
  return () => {
    let sum = 0;
    for (let position = 0; position < SLAB; position += FRAME) {
      sum += read(position);
    }
    expectCount(sum, 0);
  };
}

const NUMBER = `a length of 4 bytes, ${FRAMES} of them`;
const view = new DataView(buffer);
bench(
  NUMBER,
  "four shifts",
  eachNumber((p) => readUint(slab, p, 4, "big")),
  true,
);
bench(NUMBER, "one DataView", eachNumber((p) => view.getUint32(p)));
bench(
  NUMBER,
  "a DataView for each",
  eachNumber((p) => new DataView(buffer, p, 4).getUint32(0)),
);

const LINE = 80;
const LINES = Math.floor(SLAB / LINE);
const text = new Uint8Array(LINES * LINE).fill(0x61);
for (let end = LINE - 1; end < text.length; end += LINE) text[end] = 0x0a;

/** Finds the end of every line. */
function eachLine(find: (from: number) => number): () => void {
  return () => {
    let lines = 0;
    for (let from = 0; from < text.length; lines++) from = find(from) + 1;
    expectCount(lines, LINES);
  };
}

const SEARCH = `the end of a line of ${LINE} B, ${LINES} of them`;
bench(
  SEARCH,
  "a loop over bytes",
  eachLine((from) => {
    let i = from;
    while (text[i] !== 0x0a) i++;
    return i;
  }),
  true,
);
bench(SEARCH, "indexOf", eachLine((from) => text.indexOf(0x0a, from)));

/** Copies a payload behind each other until the slab is full. */
function eachCopy(
  length: number,
  copy: (payload: Uint8Array, start: number) => void,
): () => void {
  const payload = new Uint8Array(length);
  return () => {
    let copied = 0;
    for (let start = 0; start < SLAB; start += length) {
      copy(payload, start);
      copied += length;
    }
    expectCount(copied, SLAB);
  };
}

for (const length of [16, FRAME]) {
  const COPY = `a payload of ${length} B into a buffer, ${
    SLAB / length
  } of them`;
  bench(
    COPY,
    "set",
    eachCopy(length, (payload, start) => slab.set(payload, start)),
    true,
  );
  bench(
    COPY,
    "a loop over bytes",
    eachCopy(length, (payload, start) => {
      for (let i = 0; i < payload.length; i++) slab[start + i] = payload[i];
    }),
  );
}
