/**
 * Messages as a test writes them down.
 *
 * @module
 */

import { concat } from "@std/bytes";

/** A message's bytes, of a header and a content that may be wrong in any way. */
export function wireOf(
  header: string | Uint8Array,
  content: string | Uint8Array = "",
): Uint8Array<ArrayBuffer> {
  const [first, second] = [header, content].map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : part
  );
  const { length } = first;
  return concat([new Uint8Array([length >> 8, length & 255]), first, second]);
}

/** The JSON of a header with the four fields, some of them replaced, left out (`undefined`) or added. */
export function headerJson(
  contentLength: number,
  changes: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    "byteorder": "little",
    "content-type": "text/plain",
    "content-encoding": "utf-8",
    "content-length": contentLength,
    ...changes,
  });
}
