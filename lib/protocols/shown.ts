/**
 * Values as parts of messages.
 *
 * @module
 */

const MOST = 60;

/** A JSON value, or what is none, in short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}
