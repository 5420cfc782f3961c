/**
 * What can be said in the protocol of Redis, as types.
 *
 * @module
 */

/** What strings are: bytes when they are read, a text too when they are written. */
export type RespBytes = Uint8Array | string;

/** A key and its value. */
export type RespPair<B extends RespBytes = Uint8Array<ArrayBuffer>> = readonly [
  key: RespValue<B>,
  value: RespValue<B>,
];

/** What any value may have beside it. */
export interface RespAttributed<B extends RespBytes = Uint8Array<ArrayBuffer>> {
  /** What else the server says of the value (`|`), which may be passed over. */
  attributes?: readonly RespPair<B>[];
}

/** A short text (`+`), such as `OK`. */
export interface RespSimple<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a short text. */
  type: "simple";
  /** The text, of one line; what is not UTF-8 in it was replaced by U+FFFD. */
  value: string;
}

/** An error that the server answers (`-` or `!`); the codec does not throw it. */
export interface RespError<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is an error. */
  type: "error";
  /** A code in capitals and a text, as a rule; what is not UTF-8 in it was replaced by U+FFFD. */
  value: string;
}

/** A whole number of 64 bits with a sign (`:`). */
export interface RespInteger<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a whole number. */
  type: "integer";
  /** The number; a `bigint` when it is read only if a `number` does not hold it exactly. */
  value: number | bigint;
}

/** A string of any bytes (`$`). */
export interface RespBulk<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a string. */
  type: "bulk";
  /** Its bytes. */
  value: B;
}

/** Nothing (`_`). */
export interface RespNull<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is nothing. */
  type: "null";
  /** Nothing. */
  value: null;
  /** What it is there instead of in RESP2: a string (`$-1`) or an array (`*-1`); not there in RESP3. */
  of?: "bulk" | "array";
}

/** A truth value (`#`). */
export interface RespBoolean<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a truth value. */
  type: "boolean";
  /** Whether it is true. */
  value: boolean;
}

/** A number that need not be whole (`,`). */
export interface RespDouble<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a number. */
  type: "double";
  /** The number. */
  value: number;
}

/** A whole number of any size (`(`). */
export interface RespBigNumber<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a large number. */
  type: "bigNumber";
  /** The number. */
  value: bigint;
}

/** A string that says how it is to be shown (`=`). */
export interface RespVerbatim<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a string to be shown. */
  type: "verbatim";
  /** Three characters: `txt`, or `mkd` for Markdown. */
  format: string;
  /** Its bytes. */
  value: B;
}

/** Values in order (`*`), or without an order (`~`), or such that nobody asked for (`>`). */
export interface RespList<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** Which of them it is. A push is never inside another value. */
  type: "array" | "set" | "push";
  /** The values. */
  value: readonly RespValue<B>[];
}

/** Keys and their values (`%`). */
export interface RespMap<B extends RespBytes = Uint8Array<ArrayBuffer>>
  extends RespAttributed<B> {
  /** That it is a map. */
  type: "map";
  /** The pairs, in the order of the wire; a key can be any value. */
  value: readonly RespPair<B>[];
}

/**
 * A value of the protocol of Redis.
 *
 * @typeParam B What strings are: bytes, and a text too when they are written.
 */
export type RespValue<B extends RespBytes = Uint8Array<ArrayBuffer>> =
  | RespSimple<B>
  | RespError<B>
  | RespInteger<B>
  | RespBulk<B>
  | RespNull<B>
  | RespBoolean<B>
  | RespDouble<B>
  | RespBigNumber<B>
  | RespVerbatim<B>
  | RespList<B>
  | RespMap<B>;

/** A command: its name and its arguments. It is written as an array of strings. */
export type RespCommand = readonly (string | Uint8Array | number | bigint)[];

/** The limits of values. */
export interface RespLimits {
  /**
   * The longest value that is accepted and laid out, in bytes, all of it counted: what is in it, and the types,
   * lengths and line ends too.
   *
   * @default {1_048_576}
   */
  maxFrameLength?: number;
  /**
   * How deep arrays, sets, maps and attributes may lie in each other, from 0, where there are none, to 1000.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * How many elements arrays, sets, maps and attributes may have, all in a value taken together and keys counted
   * too. In memory each takes some 50 to 150 bytes, however short it is on the wire.
   *
   * @default {1_048_576}
   */
  maxElements?: number;
}
