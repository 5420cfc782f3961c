/**
 * The names of DNS.
 *
 *     07 e x a m p l e 03 c o m 00      "example.com": labels behind their lengths, up to the root
 *     03 w w w c0 0c                    "www", and the rest is what stands at byte 12 of the message
 *
 * @module
 */

import type { ByteSink } from "../bytes/byte_sink.ts";
import { FieldReader } from "./field_reader.ts";

const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;
/** The first two bits of what points elsewhere, and how far that can point. */
const POINTER = 0xc0;
const FURTHEST = 0x3fff;
/** No name has more labels, and so none needs more steps. */
const MOST_STEPS = 127;
const HEADER_LENGTH = 12;
const ROOT = ".";

/** A label as text: what is not printable, or would be taken for something else, is escaped. */
function labelText(label: Uint8Array): string {
  let text = "";
  for (const byte of label) {
    const char = String.fromCharCode(byte);
    if (char === "." || char === "\\") text += `\\${char}`;
    else if (byte > 0x20 && byte < 0x7f) text += char;
    else text += `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

/**
 * Reads a name, which may go on elsewhere in the message: always further back, so that it comes to an end.
 *
 * @param message The message.
 * @param body Where the name begins; behind it afterwards.
 * @returns The name.
 */
export function readName(message: Uint8Array, body: FieldReader): string {
  const labels: string[] = [];
  let length = 1;
  let reader = body;
  let start = body.position;
  let steps = 0;
  for (let size: number; (size = reader.uint(1)) > 0;) {
    if (size <= LONGEST_LABEL) {
      length += 1 + size;
      if (length > LONGEST_NAME) {
        throw new RangeError(`a name must be at most ${LONGEST_NAME} bytes`);
      }
      labels.push(labelText(reader.take(size)));
      continue;
    }
    if (size < POINTER) {
      throw new RangeError(
        `a label must be at most ${LONGEST_LABEL} bytes: its length is ${size}`,
      );
    }
    const target = (size - POINTER) << 8 | reader.uint(1);
    if (target >= start || target < HEADER_LENGTH) {
      throw new RangeError(
        `a name at byte ${start} cannot go on at byte ${target}`,
      );
    }
    if (++steps > MOST_STEPS) {
      throw new RangeError(`a name must be in at most ${MOST_STEPS} places`);
    }
    start = target;
    reader = new FieldReader(message, target);
  }
  return labels.join(".") || ROOT;
}

/** The labels of a name. */
function labelsOf(name: string): Uint8Array[] {
  if (name === ROOT) return [];
  const labels: number[][] = [[]];
  for (
    const [part, digits, char] of name.matchAll(/\\(?:([0-9]{3})|(.))|./gsu)
  ) {
    const byte = digits === undefined
      ? (char ?? part).charCodeAt(0)
      : Number(digits);
    if (byte > 0xff || digits === undefined && byte > 0x7e || part === "\\") {
      throw refused(name, `it has ${JSON.stringify(part)} in it`);
    }
    if (part === ".") labels.push([]);
    else labels[labels.length - 1].push(byte);
  }
  const last = labels[labels.length - 1];
  if (last.length === 0 && labels.length > 1) labels.pop(); // the dot at the end
  let length = 1;
  for (const label of labels) {
    length += 1 + label.length;
    if (label.length === 0 || label.length > LONGEST_LABEL) {
      throw refused(
        name,
        `a label must be from 1 to ${LONGEST_LABEL} bytes: one is ${label.length}`,
      );
    }
  }
  if (length > LONGEST_NAME) {
    throw refused(
      name,
      `it must be at most ${LONGEST_NAME} bytes: it is ${length}`,
    );
  }
  return labels.map((label) => new Uint8Array(label));
}

function refused(name: string, why: string): RangeError {
  const shown = JSON.stringify(name.slice(0, LONGEST_NAME));
  return new RangeError(`name cannot be ${shown}: ${why}`);
}

/** Lays out the names of one message. */
export class DnsNameWriter {
  /** Where ends of names lie. */
  #places = new Map<string, number>();

  /**
   * Lays a name out; an end of it that the message has already is left out.
   *
   * @param out Where to.
   * @param name The name.
   * @param start Where in the message `out` begins.
   */
  write(out: ByteSink, name: string, start = 0): void {
    const labels = labelsOf(name);
    const ends = labels.map(labelText);
    for (const [i, label] of labels.entries()) {
      const end = ends.slice(i).join(".");
      const place = this.#places.get(end);
      if (place !== undefined) return out.uint(POINTER << 8 | place, 2);
      const here = start + out.position;
      if (here <= FURTHEST) this.#places.set(end, here);
      writeLabel(out, label);
    }
    out.byte(0);
  }

  /** Lays a name out where nothing may be left out (RFC 3597, section 4). */
  writeWhole(out: ByteSink, name: string): void {
    for (const label of labelsOf(name)) writeLabel(out, label);
    out.byte(0);
  }
}

function writeLabel(out: ByteSink, label: Uint8Array): void {
  out.byte(label.length);
  out.write(label);
}
