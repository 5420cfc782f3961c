/**
 * Frames behind a block of headers, one of which says how long they are.
 *
 *     Content-Length: 5\r\n
 *     Content-Type: text/plain\r\n
 *     \r\n
 *     h e l l o
 *
 * @module
 */

import type { ByteQueue } from "../bytes/byte_queue.ts";
import { bytesLiteral } from "../bytes/print_bytes.ts";
import type { BytesCodec, LimitOptions } from "./codec.ts";
import {
  countTelling,
  inOneLine,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "./faults.ts";
import { checkInteger, checkLimits } from "./options.ts";

/** The limits of a header block and of what it announces. */
export interface HeaderBlockOptions extends LimitOptions {
  /**
   * The longest header block that is accepted, in bytes, its empty line included.
   *
   * @default {8192}
   */
  maxHeaderLength?: number;
}

/** What a block begins with, and ends with, as nearly everybody lays it out. */
const USUAL_BEGINNING = viewOf("Content-Length: ");
const USUAL_END = viewOf("\r\n\r\n");
const MOST_DIGITS = 15; // as many as a length may have at all
const LF = 10;
const ZERO = 0x30;
const latin1 = new TextDecoder("latin1");
/** What the first line of a block begins with: a name, or the end of the line. */
const LINE_BEGINNING = /[!#$%&'*+\-.^_`|~0-9A-Za-z\r\n]/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\x20-\x7e\t]*)$/;

/** How long a block is, and what it announces. */
interface Block {
  header: number;
  content: number;
}

function viewOf(text: string): DataView {
  return new DataView(new TextEncoder().encode(text).buffer);
}

/**
 * Cuts frames that begin with a header block in ASCII and its `Content-Length`, as in the base protocol of
 * the Language Server Protocol and the Debug Adapter Protocol.
 *
 * Strict: every line ends with CR LF, `Content-Length` comes once, in digits only; its name may be in any
 * case. Other headers are read over.
 *
 * @param options The limits.
 * @returns The codec. Its `encode` throws a `RangeError` for a frame over the limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, headerBlock, json, text } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = encodeFrame(json(text(headerBlock())), { id: 1 });
 * assertEquals(new TextDecoder().decode(wire), 'Content-Length: 8\r\n\r\n{"id":1}');
 * ```
 */
export function headerBlock(options: HeaderBlockOptions = {}): BytesCodec {
  const headerLimit = checkInteger(
    "maxHeaderLength",
    options.maxHeaderLength ?? 8192,
    1,
  );
  const { limit, onOversize } = checkLimits(options);

  /** The line that the line feed at `end` ends, checked. */
  function lineBefore(received: ByteQueue, end: number): string {
    let start = end;
    while (start > 0 && received.at(start - 1) !== LF) start--;
    const line = latin1.decode(received.peek(end - start, start));
    if (!line.endsWith("\r")) {
      throw malformed(received, "a header line must end with CR LF", end + 1);
    }
    if (line.length > 1 && !HEADER_LINE.test(line.slice(0, -1))) {
      throw malformed(
        received,
        `a header line must be a name, a colon and a value: it is ${
          inOneLine(JSON.stringify(line.slice(0, 60)))
        }`,
        end + 1,
      );
    }
    return line.slice(0, -1);
  }

  /** The length of the block; `undefined` if its end has not come. */
  function blockLength(received: ByteQueue): number | undefined {
    // What is no text may never have a line feed in it, nor may a payload without headers.
    if (!LINE_BEGINNING.test(String.fromCharCode(received.at(0)))) {
      const seen = countTelling(received, 1);
      if (seen === undefined) return undefined;
      const found = bytesLiteral(received.peek(1));
      const what =
        `a header line must begin with a name: it begins with ${found}`;
      throw malformed(received, what, seen);
    }
    let end: number | undefined;
    while ((end = received.indexOf(LF)) !== undefined && end < headerLimit) {
      if (lineBefore(received, end) === "") return end + 1;
      received.searched = end + 1;
    }
    if (received.length < headerLimit) return undefined;
    throw tooLarge(received, {
      length: headerLimit + 1,
      limit: headerLimit,
      option: "maxHeaderLength",
      what: "a header block of at least",
      seen: headerLimit,
    });
  }

  function contentLength(received: ByteQueue, header: number): number {
    let value: string | undefined;
    const block = latin1.decode(received.peek(header));
    for (const line of block.split("\r\n")) {
      const [, name, text] = HEADER_LINE.exec(line) ?? [];
      if (name?.toLowerCase() !== "content-length") continue;
      if (value !== undefined) {
        throw malformed(received, "Content-Length comes twice", header);
      }
      value = text.trim();
    }
    if (value === undefined) {
      throw malformed(received, "Content-Length is missing", header);
    }
    if (!/^[0-9]{1,15}$/.test(value)) {
      throw malformed(
        received,
        `Content-Length must be 1 to 15 digits: it is ${
          JSON.stringify(value.slice(0, 60))
        }`,
        header,
      );
    }
    return Number(value);
  }

  /** Reads a block that has nothing but the length, by its bytes. */
  function readUsual(received: ByteQueue): Block | undefined {
    const start = USUAL_BEGINNING.byteLength;
    if (!received.matches(USUAL_BEGINNING, start)) return undefined;
    const most = Math.min(start + MOST_DIGITS, received.length);
    let content = 0;
    let end = start;
    for (; end < most; end++) {
      const digit = received.at(end) - ZERO;
      if (digit < 0 || digit > 9) break;
      content = 10 * content + digit;
    }
    const header = end + USUAL_END.byteLength;
    const usual = end > start && header <= headerLimit &&
      received.matches(USUAL_END, USUAL_END.byteLength, end);
    return usual ? { header, content } : undefined;
  }

  /** Reads any block; gives `undefined` if its end has not come. */
  function readBlock(received: ByteQueue): Block | undefined {
    const header = blockLength(received);
    if (header === undefined) return undefined;
    return { header, content: contentLength(received, header) };
  }

  return {
    decode(received) {
      const block = readUsual(received) ?? readBlock(received);
      if (block === undefined) {
        received.need(received.length + 1);
        return undefined;
      }
      const { header, content: length } = block;
      if (length > limit) {
        const skipped = onOversize === "skip";
        const error = tooLarge(received, {
          length,
          limit,
          seen: header,
          skipped,
        });
        if (skipped) received.skip(header + length);
        throw error;
      }
      if (received.length < header + length) {
        received.need(header + length, header);
        return undefined;
      }
      received.drop(header);
      return received.take(length);
    },
    encode(frame, out) {
      const { length } = frame;
      if (length > limit) throw tooLargeToWrite(length, limit);
      out.text(`Content-Length: ${length}\r\n\r\n`);
      out.write(frame);
    },
  };
}
