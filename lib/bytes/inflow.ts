/**
 * The bytes of a body that is being received, for the one who reads them.
 *
 * @module
 */

/** How much there is of a frame whose body is not whole, and where it lies. */
export interface FramePart {
  /** How many bytes have come, framing bytes included. */
  have: number;
  /** How many it has. */
  need: number;
  /** Where in the stream it begins. */
  offset: number;
  /** Its first bytes. */
  preview: Uint8Array;
}

/** The queue that has the bytes. */
interface BodyQueue {
  more: (() => Promise<void>) | undefined;
  takeBody(): Uint8Array<ArrayBuffer> | undefined;
  skipBody(): void;
}

/** Where a frame lies that has a body. */
interface FramePlace {
  /** Where in the stream it begins. */
  offset: number;
  /** How many bytes come before the body. */
  framing: number;
  /** Its first bytes. */
  preview: Uint8Array;
}

const END: IteratorReturnResult<undefined> = { value: undefined, done: true };
const NOBODY =
  "Cannot read body: nobody brings more bytes: give the decoder `more`, or take what was pushed with takeBody()";

/** Owns the count of what is left of a body; the bytes are the queue's. */
export class Inflow implements AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
  /** How many bytes have not been taken. */
  left: number;
  #queue: BodyQueue;
  #length: number;
  #place: FramePlace;
  #over: PromiseWithResolvers<void> | undefined;
  #failed = false;
  #failure: unknown;

  constructor(queue: BodyQueue, length: number, place: FramePlace) {
    this.left = this.#length = length;
    this.#queue = queue;
    this.#place = place;
  }

  /** Is fulfilled when nothing more is read of it; `undefined` if it has failed, and nothing more can be. */
  get over(): Promise<void> | undefined {
    if (this.#failed) return undefined;
    this.#over ??= Promise.withResolvers();
    return this.#over.promise;
  }

  /** Tells those who wait that all has been taken. */
  end(): void {
    this.#over?.resolve();
  }

  /** Nothing more comes. */
  fail(failure: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = failure;
    this.end();
  }

  /** How much of the frame has come, given that `here` bytes have not been taken. */
  part(here: number): FramePart {
    const { offset, framing, preview } = this.#place;
    const need = framing + this.#length;
    return { have: need - this.left + here, need, offset, preview };
  }

  next(): Promise<IteratorResult<Uint8Array<ArrayBuffer>>> {
    if (this.left === 0) return Promise.resolve(END);
    const value = this.#queue.takeBody();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#failed) return Promise.reject(this.#failure);
    const { more } = this.#queue;
    if (more === undefined) return Promise.reject(new TypeError(NOBODY));
    return more().then(() => this.next());
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    if (this.left > 0) this.#queue.skipBody();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
