/**
 * The type of the standard library's `TextLineStream`, which comes as plain JavaScript.
 *
 * @module
 */

/** Cuts text into lines. */
export class TextLineStream extends TransformStream<string, string> {}
