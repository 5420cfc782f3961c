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
import { ByteSink } from "../bytes/byte_sink.ts";
import { FrameBody } from "../bytes/frame_body.ts";
import type { Codec, LimitOptions } from "../codec/codec.ts";
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

/** A reader, writer or source that gives or takes nothing so many times in a row is broken. */
const MAX_EMPTY = 100;
const NO_BYTES = new Uint8Array(0);

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
  /** The content's bytes, as they are on the wire; none if the content is a {@linkcode Message.body}. */
  readonly content: Uint8Array;

  /**
   * Makes a message. Its `contentLength` is that of the content.
   *
   * @param content The content's bytes.
   * @param header What they are; without it, `binary/octet-stream` in `binary`, from this machine.
   */
  constructor(content: Uint8Array, header: MessageHeaderInit = {}) {
    this.content = content;
    this.header = headerOf(content.length, header);
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
   * Makes a message of content that is not held: it is made while it is sent.
   *
   * @param body The content.
   * @param header What it is; without it, `binary/octet-stream` in `binary`, from this machine.
   * @returns The message.
   *
   * @example Sending a file of any size
   * ```ts
   * import { FrameBody, Framing, Message, messages } from "@framewire/framewire";
   * import { connPair } from "@framewire/framewire/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const [here, there] = connPair();
   * await using client = new Framing(here, messages({ maxBodyLength: 2 ** 40 }));
   * await using server = new Framing(there, messages({ maxBodyLength: 2 ** 40 }));
   *
   * const file = new Blob(["x".repeat(2_000_000)]);
   * const body = new FrameBody(file.size, file.stream());
   * const sent = client.write(Message.stream(body, { extra: { name: "x.txt" } }));
   *
   * const message = await server.read();
   * assertEquals(message?.header.contentLength, 2_000_000);
   * assertEquals(message?.header.extra, { name: "x.txt" });
   * let count = 0;
   * for await (const chunk of message?.body ?? []) count += chunk.length;
   * assertEquals(count, 2_000_000);
   * await sent;
   * ```
   */
  static stream(body: FrameBody, header: MessageHeaderInit = {}): Message {
    return new BodyMessage(body, header);
  }

  /** The content, if it is not held: `messages` makes one of content that is longer than `maxFrameLength`. */
  get body(): FrameBody | undefined {
    return undefined;
  }

  /**
   * Reads one message from a bare connection, and not a byte more. For more than one message use a
   * `Framing` with {@linkcode messages}, which reads ahead. If it has a body, that is read from the connection too,
   * and has to be read to its end before anything else is; to cancel it is to read the rest and throw it away.
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
    const decoder = new FrameDecoder(codec, { more });
    let emptyReads = 0;
    let ended = false;
    async function more(): Promise<void> {
      // The first two bytes are the header's length; from then on the decoder knows what it needs.
      const missing = (decoder.needed ?? PREFIX) - decoder.buffered;
      const room = decoder.room().subarray(0, missing);
      const count = await source.read(room);
      if (count === null) {
        ended = true;
        if (decoder.bodyLeft > 0) decoder.end();
        return;
      }
      decoder.commit(count);
      emptyReads = count === 0 ? emptyReads + 1 : 0;
      if (emptyReads === MAX_EMPTY) {
        throw new TypeError("Cannot read message: read() gives no bytes");
      }
    }
    while (!ended) {
      const message = decoder.next();
      if (message?.body !== undefined) {
        return new BodyMessage(wholly(message.body), message.header);
      }
      if (message !== undefined) return message;
      await more();
    }
    return decoder.end() ?? null;
  }

  /**
   * Writes the message to a bare connection, all of it.
   *
   * @param target Where to write to; nobody else may be writing to it meanwhile.
   * @param options The limits.
   * @throws {RangeError} If the message is over a limit, or the source of its body does not give its length: then a
   * part of it has been written.
   * @throws {TypeError} If the writer takes no bytes again and again, or the source gives none; if the content is not as
   * long any more as when the message was made.
   */
  async write(
    target: ByteWriter,
    options: MessagesOptions = {},
  ): Promise<void> {
    const out = new ByteSink();
    messages(options).encode(this, out);
    while (out.length > 0) {
      const chunk = out.takeChunk();
      if (chunk !== undefined) await writeAll(target, chunk);
      const body = out.takeBody();
      if (body !== undefined) await writeBody(target, body);
    }
  }

  /**
   * The content as bytes.
   *
   * @returns The content itself, whatever its type and encoding.
   * @throws {TypeError} If it is a {@linkcode Message.body}.
   */
  bytes(): Uint8Array {
    if (this.body === undefined) return this.content;
    throw new TypeError(
      "Cannot read content: it is not held: read message.body",
    );
  }

  /**
   * The content as text, by its `content-encoding`: UTF-8, or any other that `TextDecoder` knows.
   *
   * @returns The text.
   * @throws {MessageHeaderError} If the encoding is `binary` or unknown; the bytes are in `content`.
   * @throws {MalformedFrameError} If the bytes are not valid in it.
   * @throws {TypeError} If it is a {@linkcode Message.body}.
   */
  text(): string {
    return decodeText(this.bytes(), this.header.contentEncoding);
  }

  /**
   * The content as a JSON value.
   *
   * @returns The value, of which nothing is known.
   * @throws {MessageHeaderError} If the encoding is `binary` or unknown; the bytes are in `content`.
   * @throws {MalformedFrameError} If the bytes are not valid in it, or the text is not JSON.
   * @throws {TypeError} If it is a {@linkcode Message.body}.
   */
  json(): unknown {
    return decodeJson(this.bytes(), this.header.contentEncoding);
  }
}

/** A message whose content is not held. */
class BodyMessage extends Message {
  override readonly header: MessageHeader;
  #body: FrameBody;

  constructor(body: FrameBody, header: MessageHeaderInit) {
    super(NO_BYTES);
    this.header = headerOf(body.length, header);
    this.#body = body;
  }

  override get body(): FrameBody {
    return this.#body;
  }
}

/** A header with all that its maker did not choose. */
function headerOf(
  contentLength: number,
  header: MessageHeaderInit,
): MessageHeader {
  return {
    byteorder: header.byteorder ?? hostByteOrder,
    contentType: header.contentType ?? "binary/octet-stream",
    contentEncoding: header.contentEncoding ?? BINARY,
    contentLength,
    extra: header.extra ?? {},
  };
}

/** A body of which nothing stays in the connection: nobody else knows what would be owed of one that is cancelled. */
function wholly(body: FrameBody): FrameBody {
  const bytes = body[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  /** One read at a time: two would both take what is missing. */
  function next(): ReturnType<typeof bytes.next> {
    const result = last.then(() => bytes.next());
    last = result.catch(() => {});
    return result;
  }
  async function cancel(): ReturnType<typeof bytes.next> {
    let result = await next();
    while (!result.done) result = await next();
    return result;
  }
  return new FrameBody(body.length, {
    [Symbol.asyncIterator]: () => ({ next, return: cancel }),
  });
}

async function writeBody(target: ByteWriter, body: FrameBody): Promise<void> {
  let left = body.length;
  let emptyPieces = 0;
  for await (const chunk of body) {
    left -= chunk.length;
    emptyPieces = chunk.length > 0 ? 0 : emptyPieces + 1;
    if (emptyPieces === MAX_EMPTY) {
      throw new TypeError(
        `Cannot write message: the source of its body gave no bytes ${MAX_EMPTY} times in a row`,
      );
    }
    if (left < 0) break;
    await writeAll(target, chunk);
  }
  if (left === 0) return;
  const [amount, kind] = left < 0 ? [-left, "too many"] : [left, "too few"];
  throw new RangeError(
    `Cannot write message: the source of its body gave ${amount} bytes ${kind} of ${body.length}`,
  );
}

async function writeAll(target: ByteWriter, bytes: Uint8Array): Promise<void> {
  let emptyWrites = 0;
  for (let sent = 0; sent < bytes.length;) {
    const count = await target.write(bytes.subarray(sent));
    emptyWrites = count > 0 ? 0 : emptyWrites + 1;
    if (!(count >= 0) || emptyWrites === MAX_EMPTY) {
      throw new TypeError("Cannot write message: write() takes no bytes");
    }
    sent += count;
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
  /**
   * The longest content that is accepted and laid out, in bytes. Content that is longer than `maxFrameLength`, which
   * is the most that is held, is a {@linkcode Message.body} then. Without it, no content is.
   */
  maxBodyLength?: number;
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
 * the limit is refused as soon as the header is here; with `maxBodyLength`, it is handed out as it comes.
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
  const { maxBodyLength } = options;
  const streams = maxBodyLength !== undefined;
  /** What no content may be longer than, held or not, and the option that says it. */
  const bound = streams
    ? checkInteger("maxBodyLength", maxBodyLength, limit)
    : limit;
  const boundOption = streams ? "maxBodyLength" : "maxFrameLength";
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
      if (contentLength > limit && contentLength <= bound) {
        const body = received.body(contentLength, contentStart);
        return new BodyMessage(body, header);
      }
      if (contentLength > bound) {
        const skipped = onOversize === "skip";
        const error = tooLarge(received, {
          length: contentLength,
          limit: bound,
          option: boundOption,
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
      const { content, header } = message;
      const { contentLength: length } = header;
      if (length > bound) throw tooLargeToWrite(length, bound, boundOption);
      const laidOut = content.length === length ? content : message.body;
      if (laidOut?.length !== length) {
        throw new TypeError(
          `Cannot write message: its content has ${content.length} bytes and its header says ${length}: was its buffer transferred or resized?`,
        );
      }
      layOutHeader(header, headerLimit, out);
      out.write(laidOut);
    },
  };
}
