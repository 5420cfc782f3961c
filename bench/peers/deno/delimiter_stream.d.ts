/**
 * The type of the standard library's `DelimiterStream`, which comes as plain JavaScript.
 *
 * @module
 */

/** Cuts bytes at a delimiter. */
export class DelimiterStream
  extends TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  constructor(delimiter: Uint8Array);
}
