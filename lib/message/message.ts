/**
 * Messages: a header that says what the content is, and the content.
 *
 *     | header length: u16, big-endian | header: JSON in UTF-8 | content: content-length bytes |
 *     |             00 64              | {"byteorder": ...}    | {"action": "search", ...}     |
 *
 * @module
 */

import type { ByteReader, ByteWriter } from "../bytes/byte_io.ts";
import { hostByteOrder } from "../bytes/byte_order.ts";
import type { ByteQueue } from "../bytes/byte_queue.ts";
import type { Codec, LimitOptions } from "../codec/codec.ts";
import { encodeFrame } from "../codec/encode_frame.ts";
import {
  countTelling,
  malformed,
  tooLarge,
  tooLargeToWrite,
} from "../codec/faults.ts";
import { FrameDecoder } from "../codec/frame_decoder.ts";
import { checkInteger, checkLimits } from "../codec/options.ts";
import { encodeUtf8 } from "../codec/text.ts";
import { MessageHeaderError } from "../errors.ts";
import { BINARY, decodeJson, decodeText } from "./content.ts";
import {
  HEADER_PREFIX as PREFIX,
  type HeaderPlace,
  layOutHeader,
  layOutJson,
  type MessageHeader,
  parseHeader,
  UTF_8,
} from "./header.ts";
import { KnownHeaders } from "./known_headers.ts";
import { readPlainHeader } from "./plain_header.ts";

/** A reader or writer that gives or takes nothing so many times in a row is broken. */
const MAX_EMPTY = 100;

/** The parts of a header that the maker of a message may choose. */
export type MessageHeaderInit = Partial<Omit<MessageHeader, "contentLength">>;

/**
 * A header and a content, as one value.
 *
 * @example Usage
 * ```ts
 * import { Message } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const request = Message.json({ action: "search", value: "morpheus" });
 * assertEquals(request.header.contentType, "text/json");
 * assertEquals(request.header.contentLength, 41);
 * assertEquals(request.json(), { action: "search", value: "morpheus" });
 * ```
 */
export class Message {
  /** What the content is. */
  readonly header: MessageHeader;
  /** The content's bytes, as they are on the wire. */
  readonly content: Uint8Array;

  /**
   * Makes a message. Its `contentLength` is that of the content.
   *
   * @param content The content's bytes.
   * @param header What they are; without it, `binary/octet-stream` in `binary`, from this machine.
   */
  constructor(content: Uint8Array, header: MessageHeaderInit = {}) {
    this.content = content;
    this.header = {
      byteorder: header.byteorder ?? hostByteOrder,
      contentType: header.contentType ?? "binary/octet-stream",
      contentEncoding: header.contentEncoding ?? BINARY,
      contentLength: content.length,
      extra: header.extra ?? {},
    };
  }

  /**
   * Makes a message of a JSON value: `text/json` in UTF-8, spaced as Python's `json.dumps` does.
   *
   * @param value The value.
   * @returns The message.
   * @throws {TypeError} If it is a value that JSON cannot hold.
   */
  static json(value: unknown): Message {
    return new Message(encodeUtf8(layOutJson(value)), {
      contentType: "text/json",
      contentEncoding: UTF_8,
    });
  }

  /**
   * Makes a message of text, in UTF-8.
   *
   * @param text The text.
   * @param contentType What it is.
   * @returns The message.
   * @throws {TypeError} If the text has half a surrogate pair in it.
   */
  static text(text: string, contentType: string = "text/plain"): Message {
    return new Message(encodeUtf8(text), {
      contentType,
      contentEncoding: UTF_8,
    });
  }

  /**
   * Makes a message of bytes.
   *
   * @param bytes The bytes; they are kept, not copied.
   * @param contentType What they are.
   * @returns The message.
   */
  static binary(
    bytes: Uint8Array,
    contentType: string = "binary/octet-stream",
  ): Message {
    return new Message(bytes, { contentType, contentEncoding: BINARY });
  }

  /**
   * Reads one message from a bare connection, and not a byte more. For more than one message use a
   * `Framing` with {@linkcode messages}, which reads ahead.
   *
   * @param source Where to read from.
   * @param options The limits; a message over them is always the end.
   * @returns The message; `null` if the stream ended before its first byte.
   * @throws {FramingError} If what comes is not a message, or only a part of one.
   * @throws {TypeError} If the reader gives no bytes again and again.
   *
   * @example Usage
   * ```ts
   * import { Message } from "@framewire/framewire";
   * import { connPair } from "@framewire/framewire/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const [here, there] = connPair();
   * await Message.text("hello").write(here);
   * const message = await Message.read(there);
   * assertEquals(message?.text(), "hello");
   * here.close();
   * assertEquals(await Message.read(there), null);
   * there.close();
   * ```
   */
  static async read(
    source: ByteReader,
    options: Omit<MessagesOptions, "onOversize"> = {},
  ): Promise<Message | null> {
    // What is left of a message that is left out would be taken for the next one by whoever reads on.
    const codec = messages({ ...options, onOversize: "error" });
    const decoder = new FrameDecoder(codec);
    let emptyReads = 0;
    while (true) {
      const message = decoder.next();
      if (message !== undefined) return message;
      // The first two bytes are the header's length; from then on the decoder knows what it needs.
      const missing = (decoder.needed ?? 2) - decoder.buffered;
      const room = decoder.room().subarray(0, missing);
      const count = await source.read(room);
      if (count === null) return decoder.end() ?? null;
      decoder.commit(count);
      emptyReads = count === 0 ? emptyReads + 1 : 0;
      if (emptyReads === MAX_EMPTY) {
        throw new TypeError("Cannot read message: read() gives no bytes");
      }
    }
  }

  /**
   * Writes the message to a bare connection, all of it.
   *
   * @param target Where to write to; nobody else may be writing to it meanwhile.
   * @param options The limits.
   * @throws {RangeError} If the message is over a limit.
   * @throws {TypeError} If the writer takes no bytes again and again.
   */
  async write(
    target: ByteWriter,
    options: MessagesOptions = {},
  ): Promise<void> {
    const wire = encodeFrame(messages(options), this);
    let emptyWrites = 0;
    for (let sent = 0; sent < wire.length;) {
      const count = await target.write(wire.subarray(sent));
      emptyWrites = count > 0 ? 0 : emptyWrites + 1;
      if (!(count >= 0) || emptyWrites === MAX_EMPTY) {
        throw new TypeError("Cannot write message: write() takes no bytes");
      }
      sent += count;
    }
  }

  /**
   * The content as bytes.
   *
   * @returns The content itself, whatever its type and encoding.
   */
  bytes(): Uint8Array {
    return this.content;
  }

  /**
   * The content as text, by its `content-encoding`: UTF-8, or any other that `TextDecoder` knows.
   *
   * @returns The text.
   * @throws {MessageHeaderError} If the encoding is `binary` or unknown; the bytes are in `content`.
   * @throws {MalformedFrameError} If the bytes are not valid in it.
   */
  text(): string {
    return decodeText(this.content, this.header.contentEncoding);
  }

  /**
   * The content as a JSON value.
   *
   * @returns The value, of which nothing is known.
   * @throws {MessageHeaderError} If the encoding is `binary` or unknown; the bytes are in `content`.
   * @throws {MalformedFrameError} If the bytes are not valid in it, or the text is not JSON.
   */
  json(): unknown {
    return decodeJson(this.content, this.header.contentEncoding);
  }
}

/** The limits of messages. `maxFrameLength` counts the content. */
export interface MessagesOptions extends LimitOptions {
  /**
   * The longest header that is accepted and laid out, in bytes, at most 65,535.
   *
   * @default {8192}
   */
  maxHeaderLength?: number;
}

/** Where the message at the front of the queue lies, and how it begins. */
function placeOf(received: ByteQueue, seen: number): HeaderPlace {
  return { offset: received.offset, preview: received.preview(seen) };
}

const BRACE = 0x7b;
const SPACE = 0x20;

/** Whether the byte at `index` is here, and white space, which may be in front of a JSON object. */
function isBlank(received: ByteQueue, index: number): boolean {
  if (index >= received.length) return false;
  const byte = received.at(index);
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * Cuts messages: two bytes with the length of a JSON header, the header, and as much content as the header
 * says.
 *
 * The header is read strictly: {@linkcode MessageHeaderError} says what is wrong with it. A content over
 * the limit is refused as soon as the header is here.
 *
 * @param options The limits.
 * @returns The codec. Its `encode` throws a `RangeError` for a content or a header over its limit.
 * @throws {TypeError} If an option is of the wrong type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Usage
 * ```ts
 * import { encodeFrame, FrameDecoder, Message, messages } from "@framewire/framewire";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new FrameDecoder(messages());
 * decoder.push(encodeFrame(messages(), Message.text("hello")));
 * assertEquals(decoder.next()?.text(), "hello");
 * ```
 */
export function messages(options: MessagesOptions = {}): Codec<Message> {
  const headerLimit = checkInteger(
    "maxHeaderLength",
    options.maxHeaderLength ?? 8192,
    2,
    0xffff,
  );
  const { limit, onOversize } = checkLimits(options);
  const known = new KnownHeaders();

  /** The header, if it is here, and what needs to be known when it is not. */
  function readHeader(
    received: ByteQueue,
    headerLength: number,
  ): MessageHeader | undefined {
    if (headerLength > headerLimit) {
      const seen = countTelling(received, PREFIX);
      if (seen === undefined) return undefined;
      throw tooLarge(received, {
        length: headerLength,
        limit: headerLimit,
        option: "maxHeaderLength",
        what: "header length",
        binary: true,
        seen,
      });
    }
    const contentStart = PREFIX + headerLength;
    // Another protocol is recognised by its third byte, not after waiting for a header that never comes; that
    // of proxies, which begins with line ends, by the first byte that cannot be in JSON.
    let begin = PREFIX;
    while (begin < contentStart && isBlank(received, begin)) begin++;
    if (begin < contentStart && begin === received.length) {
      received.need(begin + 1);
      return undefined;
    }
    const wrong = begin === PREFIX
      ? headerLength === 0 || received.at(begin) !== BRACE
      : begin < contentStart && received.at(begin) < SPACE;
    if (wrong) {
      const seen = countTelling(received, Math.min(begin + 1, contentStart));
      if (seen === undefined) return undefined;
      throw new MessageHeaderError(
        malformed(received, "header must be a JSON object", seen).message,
        placeOf(received, seen),
      );
    }
    if (received.length < contentStart) {
      received.need(contentStart);
      return undefined;
    }
    const bytes = received.peek(headerLength, PREFIX);
    const place = () => placeOf(received, contentStart);
    const header = readPlainHeader(bytes) ?? parseHeader(bytes, place);
    return known.keep(bytes, header);
  }

  return {
    decode(received) {
      if (received.length < PREFIX) {
        received.need(PREFIX);
        return undefined;
      }
      const headerLength = received.uint(0, PREFIX);
      const header = known.find(received, headerLength, PREFIX) ??
        readHeader(received, headerLength);
      if (header === undefined) return undefined;
      const contentStart = PREFIX + headerLength;
      const { contentLength } = header;
      const total = contentStart + contentLength;
      if (contentLength > limit) {
        const skipped = onOversize === "skip";
        const error = tooLarge(received, {
          length: contentLength,
          limit,
          what: "content-length",
          seen: contentStart,
          skipped,
        });
        if (skipped) received.skip(total);
        throw error;
      }
      if (received.length < total) {
        received.need(total, contentStart);
        return undefined;
      }
      return new Message(received.take(contentLength, contentStart), header);
    },
    encode(message, out) {
      const { length } = message.content;
      if (length > limit) throw tooLargeToWrite(length, limit);
      layOutHeader(message.header, headerLimit, out);
      out.write(message.content);
    },
  };
}
