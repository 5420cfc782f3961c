/**
 * The content of a message, as text: what its `content-encoding` stands for.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes/utf8.ts";
import { MalformedFrameError, MessageHeaderError } from "../errors.ts";
import { UTF_8 } from "./header.ts";

/** The `content-encoding` of content that is not text. */
export const BINARY = "binary";

/**
 * Decodes content into text.
 *
 * @param content The bytes.
 * @param encoding `utf-8`, or any label of the Encoding Standard; `latin1` is windows-1252 there.
 * @returns The text.
 * @throws {MessageHeaderError} If the encoding is `binary` or unknown.
 * @throws {MalformedFrameError} If the bytes are not valid in it.
 */
export function decodeText(content: Uint8Array, encoding: string): string {
  const preview = content.slice(0, 32);
  if (encoding === BINARY) {
    throw new MessageHeaderError(
      'Cannot read content as text: "content-encoding" is "binary"',
      { field: "content-encoding", preview, recoverable: true },
    );
  }
  let decode = decodeUtf8;
  if (encoding !== UTF_8) {
    try {
      const decoder = new TextDecoder(encoding, { fatal: true });
      decode = (bytes) => decoder.decode(bytes);
    } catch (cause) {
      throw new MessageHeaderError(
        `Cannot read content as text: "content-encoding" ${
          JSON.stringify(encoding)
        } is unknown`,
        { field: "content-encoding", preview, recoverable: true, cause },
      );
    }
  }
  try {
    return decode(content);
  } catch (cause) {
    throw new MalformedFrameError(
      `Cannot read content as text: the bytes are not valid ${encoding}`,
      { preview, recoverable: true, cause },
    );
  }
}

/**
 * Parses content as JSON.
 *
 * @param content The bytes.
 * @param encoding As for {@linkcode decodeText}.
 * @returns The value.
 * @throws {MessageHeaderError} If the encoding is `binary` or unknown.
 * @throws {MalformedFrameError} If the bytes are not valid in it, or the text is not JSON.
 */
export function decodeJson(content: Uint8Array, encoding: string): unknown {
  const text = decodeText(content, encoding);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MalformedFrameError(`Cannot read content as JSON: ${reason}`, {
      preview: content.slice(0, 32),
      recoverable: true,
      cause,
    });
  }
}
