/**
 * Messages whose first character says of what type they are, and the type how long they are.
 *
 *     Ghello       a greeting, five characters
 *     T12:34:56    a time, eight
 *     B            a goodbye, none
 *
 * @module
 */

import { type Codec, typed, type TypedFrame } from "../mod.ts";

/** A type of message. */
interface MessageType {
  readonly letter: string;
  readonly name: string;
  /** How many bytes follow the letter. */
  readonly length: number;
}

const TYPES: readonly MessageType[] = [
  { letter: "G", name: "greeting", length: 5 },
  { letter: "T", name: "time", length: 8 },
  { letter: "B", name: "goodbye", length: 0 },
];

/** The type that a message's first character stands for. */
export function typeOf(tag: number): MessageType | undefined {
  return TYPES.find(({ letter }) => letter.charCodeAt(0) === tag);
}

/** The rule by which they are cut: the tag is the first character. */
export const typedMessages: Codec<TypedFrame> = typed({
  length: (tag) => typeOf(tag)?.length,
});

/** Makes a message of a text such as `Ghello`, or says what is wrong with it. */
export function typedMessage(text: string): TypedFrame {
  const [tag, ...rest] = new TextEncoder().encode(text);
  const type = typeOf(tag);
  if (type === undefined) {
    const letters = TYPES.map(({ letter }) => letter).join(", ");
    throw new RangeError(
      `message must begin with one of ${letters}: it is "${text}"`,
    );
  }
  const { letter, name, length } = type;
  if (rest.length !== length) {
    throw new RangeError(
      `${name} must be ${length} bytes behind the ${letter}: it is "${text}"`,
    );
  }
  return { tag, payload: Uint8Array.from(rest) };
}
