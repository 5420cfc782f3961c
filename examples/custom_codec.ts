/**
 * A codec of your own, for a line that damages what goes over it: a first byte that chooses between two layouts, a
 * checksum, and a search for the next frame behind what was damaged.
 *
 *     short    53 | length, 1 byte  | check | payload | checksum, 4 bytes
 *     long     4c | length, 2 bytes | check | payload | checksum, 4 bytes
 *
 * All bytes up to `check`, combined by exclusive or, give ff. The checksum is the CRC-32 of all in front of it.
 *
 *     deno run examples/custom_codec.ts
 */
import {
  type ByteQueue,
  type BytesCodec,
  ByteSink,
  FrameDecoder,
  FramingError,
  MalformedFrameError,
  type SkipStep,
  text,
} from "@framewire/framewire";
import { crc32 } from "node:zlib";

const SHORT = 0x53;
const LONG = 0x4c;
const LONGEST_SHORT = 0xff;
const LONGEST = 0xffff;
const CHECKSUM = 4;

/** How many bytes are in front of a payload, and how long it is said to be. */
interface Header {
  size: number;
  length: number;
}

/** The header at the front; `null` if there is none, `undefined` if it has not come whole. */
function headerIn(received: ByteQueue): Header | null | undefined {
  const tag = received.at(0);
  if (tag !== SHORT && tag !== LONG) return null;
  const width = tag === SHORT ? 1 : 2;
  const size = 1 + width + 1;
  if (received.length < size) {
    received.need(size);
    return undefined;
  }
  const check = received.peek(size).reduce((all, byte) => all ^ byte);
  return check === 0xff ? { size, length: received.uint(1, width) } : null;
}

/** Leaves out the byte at the front, and all behind it up to the next header; that is one error. */
function leaveOut(received: ByteQueue): undefined {
  const { offset } = received;
  const preview = received.preview(1);
  received.drop(1);
  let count = 1;
  const step: SkipStep = (rest, atEnd) => {
    while (rest.length > 0) {
      const header = headerIn(rest);
      if (header === undefined && !atEnd) return undefined; // it may be one
      if (header !== null) break;
      rest.drop(1);
      count++;
    }
    if (rest.length === 0 && !atEnd) return undefined;
    const message = `Cannot read frame: ${count} bytes are none`;
    return new MalformedFrameError(message, {
      offset,
      preview,
      recoverable: true,
    });
  };
  const report = step(received, false);
  if (report !== undefined) throw report;
  received.skipBy(step); // and again when more has come
  return undefined;
}

/** Cuts frames that were not damaged, and reports what lies between them. */
export function checkedFrames(): BytesCodec {
  return {
    decode(received) {
      const header = headerIn(received);
      if (header === undefined) return undefined;
      if (header === null) return leaveOut(received);
      const { size, length } = header;
      const total = size + length + CHECKSUM;
      if (received.length < total) {
        received.need(total, size);
        return undefined;
      }
      const checksum = received.uint(size + length, CHECKSUM);
      if (crc32(received.peek(size + length)) !== checksum) {
        return leaveOut(received);
      }
      const frame = received.take(length, size);
      received.drop(CHECKSUM);
      return frame;
    },
    encode(frame, out) {
      const { length } = frame;
      if (length > LONGEST) {
        throw new RangeError(
          `Cannot write frame: length ${length} exceeds the limit of ${LONGEST} bytes`,
        );
      }
      const header = length <= LONGEST_SHORT
        ? new Uint8Array([SHORT, length, 0])
        : new Uint8Array([LONG, length >> 8, length, 0]);
      header[header.length - 1] = header.reduce(
        (all, byte) => all ^ byte,
        0xff,
      );
      out.write(header);
      out.write(frame);
      out.uint(crc32(frame, crc32(header)), CHECKSUM);
    },
  };
}

if (import.meta.main) {
  const codec = text(checkedFrames());
  const out = new ByteSink();
  for (const word of ["one", "two", "three", "x".repeat(300)]) {
    codec.encode(word, out);
  }
  const wire = out.bytes();
  wire[14] ^= 1; // in the payload of the second frame

  const decoder = new FrameDecoder(codec);
  decoder.push(wire);
  while (true) {
    try {
      const word = decoder.end();
      if (word === undefined) break;
      console.log(word.length < 80 ? word : `${word.length} characters`);
    } catch (error) {
      if (!(error instanceof FramingError && error.recoverable)) throw error;
      console.log(`${error.message}, from byte ${error.offset} on`);
    }
  }
}
