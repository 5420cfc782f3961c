/**
 * Every codec with many of its options, and how frames look on the wire. `checkCodec` is put to each; other
 * tests take wires from here to break them.
 *
 * @module
 */

import {
  asciiLength,
  type BytesCodec,
  type Codec,
  delimited,
  fixedLength,
  FrameBody,
  headerBlock,
  json,
  lengthPrefixed,
  lines,
  mapCodec,
  Message,
  messages,
  netstring,
  type ProxyHeader,
  proxyHeader,
  text,
  typed,
  untilClose,
  varintPrefixed,
} from "@framewire/framewire";
import {
  checkCodec,
  type CheckCodecOptions,
  type CodecReport,
  type CodecSample,
} from "@framewire/framewire/testing";
import { raw } from "../support/wire.ts";

/** One codec and what is known of its wire. */
export interface CodecCase {
  /** The function that made the codec. */
  maker: string;
  /** What is special about it. */
  name: string;
  /** The codec's reading half. */
  codec: Codec<unknown, never>;
  /** The codec, if its frames are any bytes. */
  bytesCodec?: BytesCodec;
  /** Wires of a frame each. */
  wires: readonly Uint8Array[];
  /** Puts the codec to its contract. */
  check: () => CodecReport;
}

/** A frame and its wire, a character for a byte; `false` if it is read and not written this way. */
type BytesSample = [frame: string, wire: string, canonical?: false];

/** Faults a character for a byte. */
interface Faults {
  tooLarge?: string[];
  malformed?: string[];
  untilEnd?: boolean;
}

function checkOptions(
  { tooLarge = [], malformed = [], untilEnd = false }: Faults,
): CheckCodecOptions {
  return {
    tooLarge: tooLarge.map(raw),
    malformed: malformed.map(raw),
    untilEnd,
  };
}

function valueCase<T extends W, W>(
  maker: string,
  name: string,
  codec: Codec<T, W>,
  samples: [
    frame: T,
    wire: string,
    canonical?: boolean,
    body?: string,
  ][],
  faults: Faults = {},
): CodecCase {
  const codecSamples: CodecSample<T>[] = samples.map(
    ([frame, wire, canonical = true, body]) => ({
      frame,
      wire: raw(wire),
      canonical,
      ...(body === undefined ? {} : { body: raw(body) }),
    }),
  );
  return {
    maker,
    name,
    codec,
    wires: samples.map(([, wire]) => raw(wire)),
    check: () => checkCodec(codec, codecSamples, checkOptions(faults)),
  };
}

function bytesCase(
  maker: string,
  name: string,
  codec: BytesCodec,
  samples: BytesSample[],
  faults?: Faults,
): CodecCase {
  const rows = samples.map(
    ([frame, ...rest]): [Uint8Array<ArrayBuffer>, string, false?] => [
      raw(frame),
      ...rest,
    ],
  );
  return {
    ...valueCase(maker, name, codec, rows, faults),
    bytesCodec: codec,
  };
}

/** A UTF-8 wire as one character a byte. */
function utf8(value: string): string {
  return String.fromCharCode(...new TextEncoder().encode(value));
}

const A300 = "a".repeat(300);
const HEADER =
  '{"byteorder": "big", "content-type": "text/json", "content-encoding": "utf-8", "content-length": ';

/** The wire of a message whose header is `HEADER` with a length. */
function messageWire(content: string, header = `${HEADER}${content.length}}`) {
  return `\0${String.fromCharCode(header.length)}${header}${content}`;
}

function message(content: string): Message {
  return new Message(raw(content), {
    byteorder: "big",
    contentType: "text/json",
    contentEncoding: "utf-8",
  });
}

const fixedLengthCases = [
  bytesCase("fixedLength", "1", fixedLength(1), [["a", "a"], ["\0", "\0"]]),
  bytesCase("fixedLength", "4", fixedLength(4), [
    ["abcd", "abcd"],
    ["\0\0\0\0", "\0\0\0\0"],
    ["\xff\xfe\xfd\xfc", "\xff\xfe\xfd\xfc"],
  ]),
  bytesCase("fixedLength", "300", fixedLength(300), [[A300, A300]]),
];

const delimitedCases = [
  bytesCase("delimited", "line feed", delimited("\n"), [
    ["hello", "hello\n"],
    ["", "\n"],
    ["\0\r\xff", "\0\r\xff\n"],
  ]),
  bytesCase("delimited", "two bytes", delimited("\r\n"), [
    ["hello", "hello\r\n"],
    ["", "\r\n"],
    ["a\rb\n", "a\rb\n\r\n"],
    ["\n", "\n\r\n"],
    ["\r", "\r\r\n"],
  ]),
  bytesCase(
    "delimited",
    "two bytes and a limit",
    delimited("\r\n", { maxFrameLength: 5 }),
    [["hello", "hello\r\n"], ["", "\r\n"], ["a\r", "a\r\r\n"]],
    { tooLarge: ["hello!\r\n", "hello!", "hello\rx\r\n", "a\r\r\r\r\r\r\n"] },
  ),
  bytesCase(
    "delimited",
    "two bytes, oversize left out",
    delimited("\r\n", { maxFrameLength: 5, onOversize: "skip" }),
    [["hello", "hello\r\n"], ["", "\r\n"]],
    { tooLarge: ["hello!\r\nok\r\n", "hello\r\r\n\r\n", "123456789\r\n"] },
  ),
  bytesCase(
    "delimited",
    "a delimiter that overlaps itself",
    delimited("AAB"),
    [["A", "AAAB"], ["", "AAB"], ["BA", "BAAAB"], ["AxB", "AxBAAB"]],
  ),
  bytesCase(
    "delimited",
    "a delimiter that repeats itself",
    delimited("abab"),
    [["", "abab"], ["x", "xabab"], ["ba", "baabab"], ["abb", "abbabab"]],
  ),
  bytesCase(
    "delimited",
    "bytes that are no text",
    delimited(raw("\xff\0")),
    [["hello\xff", "hello\xff\xff\0"], ["", "\xff\0"], ["\0", "\0\xff\0"]],
  ),
  bytesCase(
    "delimited",
    "text beyond ASCII",
    delimited("é"),
    [["\xc3", "\xc3\xc3\xa9"], ["", "\xc3\xa9"]],
  ),
  bytesCase("delimited", "several", delimited([",", ";", "\n", "\r"]), [
    ["chunk 1", "chunk 1,"],
    ["chunk 2", "chunk 2;", false],
    ["chunk 3", "chunk 3\n", false],
    ["", "\r", false],
  ]),
  bytesCase(
    "delimited",
    "several, one the beginning of another",
    delimited(["\r", "\r\n", "\n"]),
    [["one", "one\r\n"], ["two", "two\n", false], ["three", "three\r", false]],
  ),
  bytesCase(
    "delimited",
    "several, one within another",
    delimited(["b", "abcd"], { maxFrameLength: 9 }),
    [["xc", "xcb"], ["x", "xabcd", false], ["", "b"], ["axcd", "axcdb"], [
      "xa",
      "xab",
      false,
    ]],
    { tooLarge: ["0123456789b", "01234567890"] },
  ),
  bytesCase(
    "delimited",
    "kept as a suffix",
    delimited("\r\n", { include: "suffix", maxFrameLength: 5 }),
    [["hello\r\n", "hello\r\n"], ["\r\n", "\r\n"], ["\r\r\n", "\r\r\n"]],
    { tooLarge: ["hello!\r\n"] },
  ),
  bytesCase(
    "delimited",
    "several, kept as a suffix",
    delimited(["\n", ";;"], { include: "suffix" }),
    [["one\n", "one\n"], ["two;;", "two;;"], [";\n", ";\n"]],
  ),
  bytesCase(
    "delimited",
    "kept as a prefix",
    delimited("\r\n", { include: "prefix", maxFrameLength: 5 }),
    [["\r\nhello", "\r\nhello"], ["\r\n", "\r\n"], ["\r\n\n", "\r\n\n"]],
    { tooLarge: ["\r\nhello!", "\r\nhello!\r\nok"] },
  ),
  bytesCase(
    "delimited",
    "kept as a prefix, oversize left out",
    delimited(["##", "#!"], {
      include: "prefix",
      maxFrameLength: 5,
      onOversize: "skip",
    }),
    [["##hello", "##hello"], ["#!", "#!"], ["#!a", "#!a"]],
    { tooLarge: ["##hello!##ok", "#!123456789"] },
  ),
  bytesCase(
    "delimited",
    "the last frame without one",
    delimited("\r\n", { tail: "emit", maxFrameLength: 5 }),
    [["hello", "hello\r\n"], ["tail", "tail", false], ["a\r", "a\r", false]],
    { untilEnd: true, tooLarge: ["hello!", "hello\r"] },
  ),
  bytesCase(
    "delimited",
    "the last frame without one, oversize left out",
    delimited("\r\n", {
      tail: "emit",
      maxFrameLength: 5,
      onOversize: "skip",
    }),
    [["hello", "hello\r\n"], ["tail", "tail", false]],
    { untilEnd: true, tooLarge: ["hello!", "hello\r", "hello!\r\nok"] },
  ),
];

const linesCases = [
  valueCase("lines", "by default", lines(), [
    ["hello", "hello\n"],
    ["", "\n"],
    ["two", "two\r\n", false],
    ["a\rb", "a\rb\n"],
    ["né 😀", utf8("né 😀\n")],
    ["\ufeffmark", utf8("\ufeffmark\n")],
  ], { malformed: ["a\xc3(b\n", "\xff\r\n", "\xc3\n"] }),
  valueCase(
    "lines",
    "written with CR LF",
    lines({ newline: "\r\n", tail: "error" }),
    [["hello", "hello\r\n"], ["", "\r\n"], ["one", "one\n", false]],
  ),
  valueCase("lines", "CR alone allowed", lines({ allowCR: true }), [
    ["one", "one\n"],
    ["two", "two\r\n", false],
    ["three", "three\r", false],
  ]),
  valueCase(
    "lines",
    "a limit",
    lines({ maxFrameLength: 6 }),
    [["line 3", "line 3\r\n", false], ["line 3", "line 3\n"]],
    { tooLarge: ["line 33\n", "line 3\r\r\n", "line 33"] },
  ),
  valueCase(
    "lines",
    "oversize left out",
    lines({ maxFrameLength: 5, onOversize: "skip" }),
    [["hello", "hello\n"], ["é", utf8("é\n")]],
    { tooLarge: ["hello!\nok\n", "0123456789\r\n", utf8("ééé\n")] },
  ),
  valueCase("lines", "the last without an end", lines({ maxFrameLength: 5 }), [
    ["hello", "hello\n"],
    ["last", "last", false],
    ["hello", "hello\r", false],
    ["\rk", "\rk", false],
  ], { untilEnd: true, malformed: ["\xc3"] }),
];

const lengthPrefixedCases = [
  bytesCase(
    "lengthPrefixed",
    "1 byte",
    lengthPrefixed({ width: 1 }),
    [["hello", "\x05hello"], ["", "\0"], [
      "a".repeat(255),
      "\xff" + "a".repeat(255),
    ]],
  ),
  bytesCase(
    "lengthPrefixed",
    "2 bytes",
    lengthPrefixed({ width: 2 }),
    [["hello", "\0\x05hello"], ["", "\0\0"], [A300, "\x01\x2c" + A300]],
  ),
  bytesCase(
    "lengthPrefixed",
    "2 bytes, little-endian",
    lengthPrefixed({ width: 2, byteOrder: "little" }),
    [["hello", "\x05\0hello"], ["", "\0\0"], [A300, "\x2c\x01" + A300]],
  ),
  bytesCase(
    "lengthPrefixed",
    "3 bytes",
    lengthPrefixed({ width: 3 }),
    [["hello", "\0\0\x05hello"], ["", "\0\0\0"], [A300, "\0\x01\x2c" + A300]],
    { tooLarge: ["\x10\0\x01", "\xff\xff\xff"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "3 bytes, little-endian",
    lengthPrefixed({ width: 3, byteOrder: "little" }),
    [["hello", "\x05\0\0hello"], ["", "\0\0\0"]],
    { tooLarge: ["\x01\0\x10"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "4 bytes",
    lengthPrefixed(),
    [["abcdefghi", "\0\0\0\x09abcdefghi"], ["", "\0\0\0\0"], [
      "*",
      "\0\0\0\x01*",
    ]],
    { tooLarge: ["\0\x10\0\x01", "\xff\xff\xff\xfc", "GET / HTTP/1.1\r\n"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "4 bytes, little-endian",
    lengthPrefixed({ width: 4, byteOrder: "little" }),
    [["abcdefghi", "\x09\0\0\0abcdefghi"], ["", "\0\0\0\0"]],
    { tooLarge: ["\xfc\xff\xff\xff", "\x01\0\x10\0"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "8 bytes",
    lengthPrefixed({ width: 8 }),
    [["hello", "\0\0\0\0\0\0\0\x05hello"], ["", "\0\0\0\0\0\0\0\0"]],
    {
      tooLarge: [
        "\0\0\0\x01\0\0\0\0",
        "\0\x20\0\0\0\0\0\0",
        "\xff\xff\xff\xff\xff\xff\xff\xff",
      ],
    },
  ),
  bytesCase(
    "lengthPrefixed",
    "8 bytes, little-endian",
    lengthPrefixed({ width: 8, byteOrder: "little" }),
    [["hello", "\x05\0\0\0\0\0\0\0hello"]],
    { tooLarge: ["\0\0\0\0\x01\0\0\0", "\0\0\0\0\0\0\0\x80"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "a limit",
    lengthPrefixed({ maxFrameLength: 5 }),
    [["hello", "\0\0\0\x05hello"]],
    { tooLarge: ["\0\0\0\x06", "\0\0\0\x09abcdefghi"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "oversize left out",
    lengthPrefixed({ width: 1, maxFrameLength: 5, onOversize: "skip" }),
    [["hello", "\x05hello"], ["", "\0"]],
    {
      tooLarge: ["\x06hello!\x02ok", "\x20" + "x".repeat(32) + "\x01a", "\x09"],
    },
  ),
  bytesCase(
    "lengthPrefixed",
    "a length that counts itself",
    lengthPrefixed({ width: 2, includesHeader: true }),
    [["abcdefghi", "\0\x0babcdefghi"], ["", "\0\x02"], ["123", "\0\x05123"]],
    { malformed: ["\0\x01", "\0\0"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "a length that counts itself, little-endian and handed out",
    lengthPrefixed({
      byteOrder: "little",
      includesHeader: true,
      strip: 0,
      maxFrameLength: 9,
    }),
    [["\x09\0\0\0hello", "\x09\0\0\0hello"], ["\x04\0\0\0", "\x04\0\0\0"]],
    { tooLarge: ["\x0a\0\0\0hello!"], malformed: ["\x03\0\0\0", "\0\0\0\0"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "a length behind other header bytes",
    lengthPrefixed({ width: 2, offset: 4 }),
    [["abcdefghi", "\0\0\0\0\0\x09abcdefghi"], ["abc", "zzzz\0\x03abc", false]],
  ),
  bytesCase(
    "lengthPrefixed",
    "a header that is handed out",
    lengthPrefixed({ width: 2, offset: 2, strip: 0 }),
    [["xx\0\x09abcdefghi", "xx\0\x09abcdefghi"], ["yy\0\0", "yy\0\0"]],
  ),
  bytesCase(
    "lengthPrefixed",
    "more header behind the length, handed out",
    lengthPrefixed({ width: 2, offset: 1, adjustment: 3, strip: 0 }),
    [["t\0\x05flghello", "t\0\x05flghello"], ["t\0\0flg", "t\0\0flg"]],
  ),
  bytesCase(
    "lengthPrefixed",
    "more header behind the length, left off",
    lengthPrefixed({ width: 3, byteOrder: "little", adjustment: 1, strip: 4 }),
    [["hello", "\x05\0\0\0hello"], ["", "\0\0\0\0"], [
      "a",
      "\x01\0\0\x07a",
      false,
    ]],
    { tooLarge: ["\x01\0\x10\0"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "the length left off and the bytes before it kept",
    lengthPrefixed({ width: 1, adjustment: -1, strip: 1 }),
    [["hello", "\x06hello"], ["", "\x01"]],
    { malformed: ["\0"] },
  ),
  bytesCase(
    "lengthPrefixed",
    "a length in the middle of a header that counts all of it",
    lengthPrefixed({
      width: 2,
      offset: 16,
      includesHeader: true,
      strip: 18,
      maxFrameLength: 4078,
    }),
    [
      ["\x04", "\0".repeat(16) + "\0\x13\x04"],
      ["\x04", "\xff".repeat(16) + "\0\x13\x04", false],
    ],
    {
      tooLarge: ["\xff".repeat(16) + "\x10\x01"],
      malformed: ["\xff".repeat(16) + "\0\x11"],
    },
  ),
  bytesCase(
    "lengthPrefixed",
    "a part of the header handed out",
    lengthPrefixed({ width: 2, offset: 2, strip: 2 }),
    [["\0\x02hi", "\0\0\0\x02hi"], ["\0\0", "ab\0\0", false]],
  ),
  bytesCase(
    "lengthPrefixed",
    "more left off than the header",
    lengthPrefixed({ width: 1, strip: 3 }),
    [["hi", "\x04\0\0hi"], ["", "\x02\0\0"], ["hi", "\x04xxhi", false]],
    { malformed: ["\x01", "\0"] },
  ),
];

/** A frame that is handed out as it comes. */
function bodyOf(length: number): FrameBody {
  return new FrameBody(length, []);
}

/** A codec of somebody's own, made with another. */
function behindByte<T, W>(codec: Codec<T, W>): Codec<T, W> {
  return {
    decode(received) {
      return received.behind(1, (rest) => {
        if (rest.length > 0) return codec.decode(rest);
        rest.need(1);
        return undefined;
      });
    },
    encode(frame, out) {
      out.byte(0);
      codec.encode(frame, out);
    },
  };
}

const streamedCases = [
  valueCase(
    "lengthPrefixed",
    "long frames as they come",
    lengthPrefixed({ width: 2, maxFrameLength: 3, maxBodyLength: 300 }),
    [
      [raw("abc"), "\0\x03abc"],
      [bodyOf(5), "\0\x05hello", true, "hello"],
      [raw(""), "\0\0"],
      [bodyOf(4), "\0\x04\0\0\0\0", true, "\0\0\0\0"],
      [bodyOf(300), `\x01\x2c${A300}`, true, A300],
    ],
    { tooLarge: ["\x01\x2d", "GET / HTTP/1.1\r\n"] },
  ),
  valueCase(
    "lengthPrefixed",
    "all but empty frames as they come, a length of eight bytes",
    lengthPrefixed({
      width: 8,
      byteOrder: "little",
      maxFrameLength: 0,
      maxBodyLength: Number.MAX_SAFE_INTEGER,
    }),
    [
      [bodyOf(1), "\x01\0\0\0\0\0\0\0a", true, "a"],
      [raw(""), "\0\0\0\0\0\0\0\0"],
    ],
    { tooLarge: ["\0\0\0\0\0\0\x20\0"] },
  ),
  valueCase(
    "lengthPrefixed",
    "long frames as they come, with a header that is left off",
    lengthPrefixed({
      width: 1,
      offset: 1,
      strip: 4,
      includesHeader: true,
      maxFrameLength: 2,
      maxBodyLength: 5,
    }),
    [
      [raw("hi"), "\0\x06\0\0hi"],
      [bodyOf(5), "\0\x09\0\0hello", true, "hello"],
      [bodyOf(3), "?\x07!!abc", false, "abc"],
    ],
    { tooLarge: ["\0\x0a\0\0hello!"], malformed: ["\0\x03"] },
  ),
  valueCase(
    "lengthPrefixed",
    "long frames as they come, longer ones left out",
    lengthPrefixed({
      width: 1,
      maxFrameLength: 1,
      maxBodyLength: 5,
      onOversize: "skip",
    }),
    [[bodyOf(5), "\x05hello", true, "hello"], [raw("a"), "\x01a"]],
    { tooLarge: ["\x06hello!\x01a"] },
  ),
  valueCase(
    "lengthPrefixed",
    "long frames as they come, behind a byte",
    behindByte(
      lengthPrefixed({ width: 1, maxFrameLength: 1, maxBodyLength: 9 }),
    ),
    [[bodyOf(5), "\0\x05hello", true, "hello"], [raw("a"), "\0\x01a"]],
    { tooLarge: ["\0\x0a"] },
  ),
  valueCase(
    "mapCodec",
    "long frames as they come",
    mapCodec(
      lengthPrefixed({ width: 1, maxFrameLength: 1, maxBodyLength: 9 }),
      {
        decode: (content) => ({ content }),
        encode: ({ content }) => content,
      },
    ),
    [[{ content: bodyOf(5) }, "\x05hello", true, "hello"]],
  ),
  valueCase(
    "messages",
    "long content as it comes",
    messages({ maxFrameLength: 2, maxBodyLength: 5 }),
    [
      [message("hi"), messageWire("hi")],
      [
        Message.stream(bodyOf(5), message("").header),
        messageWire("hello"),
        true,
        "hello",
      ],
      [message(""), messageWire("")],
    ],
    { tooLarge: [messageWire("hello!")] },
  ),
];

const varintPrefixedCases = [
  bytesCase("varintPrefixed", "by default", varintPrefixed(), [
    ["\x01\x01\x01\x01", "\x04\x01\x01\x01\x01"],
    ["", "\0"],
    ["a".repeat(127), "\x7f" + "a".repeat(127)],
    ["a".repeat(128), "\x80\x01" + "a".repeat(128)],
    [A300, "\xac\x02" + A300],
  ], {
    tooLarge: ["\x81\x80\x40", "\xff\xff\xff\xff\x7f"],
    malformed: [
      "\x80\x80\x80\x80\x80",
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
      "\x80\0",
      "\x81\x80\0",
    ],
  }),
  bytesCase(
    "varintPrefixed",
    "a limit",
    varintPrefixed({ maxFrameLength: 5 }),
    [["hello", "\x05hello"]],
    { tooLarge: ["\x06", "\x80\x01"] },
  ),
  bytesCase(
    "varintPrefixed",
    "oversize left out",
    varintPrefixed({ maxFrameLength: 5, onOversize: "skip" }),
    [["hello", "\x05hello"], ["", "\0"]],
    { tooLarge: ["\x06hello!\x02ok", "\xac\x02" + A300 + "\x01a"] },
  ),
  bytesCase(
    "varintPrefixed",
    "1 byte at the most",
    varintPrefixed({ maxWidth: 1 }),
    [["hello", "\x05hello"]],
    { malformed: ["\x80"] },
  ),
  bytesCase(
    "varintPrefixed",
    "8 bytes at the most",
    varintPrefixed({ maxWidth: 8 }),
    [["hello", "\x05hello"]],
    {
      tooLarge: ["\xff\xff\xff\xff\xff\xff\xff\x7f"],
      malformed: ["\xff\xff\xff\xff\xff\xff\xff\xff"],
    },
  ),
];

const asciiLengthCases = [
  bytesCase(
    "asciiLength",
    "five digits",
    asciiLength({ digits: 5 }),
    [["hello", "00005hello"], ["", "00000"], ["0", "000010"]],
    {
      malformed: [
        "0x",
        "0000x",
        "+0005hello",
        " 0005hello",
        "-0001",
        "0x005",
        "\0",
      ],
    },
  ),
  bytesCase(
    "asciiLength",
    "one digit",
    asciiLength({ digits: 1, maxFrameLength: 5 }),
    [["hello", "5hello"], ["", "0"]],
    { tooLarge: ["6", "9"], malformed: ["a", "\xff"] },
  ),
  bytesCase(
    "asciiLength",
    "a space behind (syslog)",
    asciiLength({ terminator: " " }),
    [["hello", "5 hello"], ["", "0 "], ["<34>1 - x y", "11 <34>1 - x y"]],
    {
      tooLarge: ["1048577", "99999999999999999999999"],
      malformed: [" 5 hello", "05 hello", "00 ", "5hello", "-5 hello", "<34>1"],
    },
  ),
  bytesCase(
    "asciiLength",
    "hexadecimal that counts itself (git)",
    asciiLength({ digits: 4, radix: 16, includesHeader: true }),
    [["hello", "0009hello"], ["a", "0005a"], ["", "0004"], [
      A300,
      "0130" + A300,
    ], ["want...\n", "000Cwant...\n", false]],
    { malformed: ["b\xbe", "0000", "0003", "000g", "00 9"] },
  ),
  bytesCase(
    "asciiLength",
    "hexadecimal, ended and trailed by CR LF (chunks of HTTP)",
    asciiLength({ digits: 8, radix: 16, terminator: "\r\n", trailer: "\r\n" }),
    [["hello", "5\r\nhello\r\n"], ["", "0\r\n\r\n"], [
      "a".repeat(26),
      "1a\r\n" + "a".repeat(26) + "\r\n",
    ], ["a".repeat(10), "A\r\n" + "a".repeat(10) + "\r\n", false]],
    {
      tooLarge: ["100001", "fffffff"],
      malformed: [
        "5;x\r\nhello",
        "5\n",
        "5\r\r",
        "5\r\nhello\n",
        "5\r\nhello\r\r",
        "G\r\n",
      ],
    },
  ),
  bytesCase(
    "asciiLength",
    "a length that counts itself and its terminator",
    asciiLength({ terminator: " ", includesHeader: true, maxFrameLength: 100 }),
    [
      ["", "2 "],
      ["hello", "7 hello"],
      ["1234567", "9 1234567"],
      ["12345678", "11 12345678"],
      ["a".repeat(96), "99 " + "a".repeat(96)],
      ["a".repeat(97), "101 " + "a".repeat(97)],
    ],
    { tooLarge: ["105 ", "200"], malformed: ["1 ", "0 "] },
  ),
  bytesCase(
    "asciiLength",
    "oversize left out",
    asciiLength({
      digits: 3,
      terminator: ":",
      trailer: ",",
      maxFrameLength: 5,
      onOversize: "skip",
    }),
    [["hello", "5:hello,"], ["", "0:,"]],
    {
      tooLarge: ["6:hello!,2:ok,", "123:" + "x".repeat(123) + ",0:,"],
      malformed: ["1234:"],
    },
  ),
];

const netstringCases = [
  bytesCase("netstring", "by default", netstring(), [
    ["", "0:,"],
    ["a", "1:a,"],
    ["1:a,", "4:1:a,,"],
    ["hello world!", "12:hello world!,"],
  ], {
    tooLarge: ["9999999999999999999999", "1048577:"],
    malformed: [
      "2:aaa,",
      "0:a,",
      ":aaa,",
      "3aaa,",
      "aaa,",
      "4:abcde",
      "-1:a,",
      " 1:a,",
      "1 :a,",
      "+1:a,",
      "01:a,",
      "00:,",
      "1:a;",
      "\n",
    ],
  }),
  bytesCase(
    "netstring",
    "a limit",
    netstring({ maxFrameLength: 11 }),
    [["hello world", "11:hello world,"]],
    { tooLarge: ["12", "12:", "1000:"] },
  ),
  bytesCase(
    "netstring",
    "oversize left out",
    netstring({ maxFrameLength: 3, onOversize: "skip" }),
    [["abc", "3:abc,"]],
    { tooLarge: ["4:abcd,1:a,"], malformed: ["9999999999999999999999"] },
  ),
];

const typedCases = [
  valueCase(
    "typed",
    "one length for all",
    typed({ length: 2 }),
    [[{ tag: 1, payload: raw("ab") }, "\x01ab"], [{
      tag: 255,
      payload: raw("\0\0"),
    }, "\xff\0\0"]],
  ),
  valueCase(
    "typed",
    "nothing behind the tag",
    typed({ length: 0, tagWidth: 2 }),
    [[{ tag: 0, payload: raw("") }, "\0\0"], [
      { tag: 258, payload: raw("") },
      "\x01\x02",
    ]],
  ),
  valueCase(
    "typed",
    "a rule for each tag",
    typed({
      length: {
        0: 0,
        1: 4,
        2: lengthPrefixed({ width: 2, maxFrameLength: 9 }),
        3: netstring(),
        4: delimited("\n", { maxFrameLength: 9, onOversize: "skip" }),
        5: headerBlock(),
      },
    }),
    [
      [{ tag: 0, payload: raw("") }, "\0"],
      [{ tag: 1, payload: raw("\0\0\0*") }, "\x01\0\0\0*"],
      [{ tag: 2, payload: raw("hello") }, "\x02\0\x05hello"],
      [{ tag: 3, payload: raw("hello") }, "\x035:hello,"],
      [{ tag: 4, payload: raw("hello") }, "\x04hello\n"],
      [{ tag: 5, payload: raw("hi") }, "\x05Content-Length: 2\r\n\r\nhi"],
    ],
    {
      tooLarge: ["\x02\0\x0a", "\x040123456789\n\0"],
      malformed: ["\x06", "\xff", "\x03x", "\x05\n"],
    },
  ),
  valueCase(
    "typed",
    "little-endian tags and a rule by function",
    typed({
      tagWidth: 2,
      byteOrder: "little",
      length: (tag) => tag < 3 ? tag : undefined,
    }),
    [[{ tag: 1, payload: raw("a") }, "\x01\0a"], [{
      tag: 2,
      payload: raw("ab"),
    }, "\x02\0ab"]],
    { malformed: ["\0\x01", "\x03\0"] },
  ),
  ...([3, 4, 8] as const).map((tagWidth) =>
    valueCase(
      "typed",
      `tags of ${tagWidth} bytes`,
      typed({ tagWidth, length: { 7: 1 } }),
      [[{ tag: 7, payload: raw("a") }, "\x07a".padStart(tagWidth + 1, "\0")]],
      { malformed: ["\x08".padStart(tagWidth, "\0")] },
    )
  ),
  valueCase(
    "typed",
    "varint lengths of 4 bytes at the most (MQTT)",
    typed({ length: varintPrefixed({ maxWidth: 4, maxFrameLength: 1000 }) }),
    [
      [{ tag: 0xc0, payload: raw("") }, "\xc0\0"],
      [{ tag: 0x30, payload: raw("\0\x03a/bhi") }, "\x30\x07\0\x03a/bhi"],
      [{ tag: 0x30, payload: raw(A300) }, "\x30\xac\x02" + A300],
    ],
    { tooLarge: ["\x30\xe9\x07"], malformed: ["\x30\xff\xff\xff\xff"] },
  ),
  valueCase(
    "typed",
    "lengths that count themselves and not the tag (PostgreSQL)",
    typed({ length: lengthPrefixed({ includesHeader: true }) }),
    [
      [{ tag: 0x5a, payload: raw("I") }, "Z\0\0\0\x05I"],
      [{ tag: 0x53, payload: raw("") }, "S\0\0\0\x04"],
    ],
    { tooLarge: ["D\x7f\xff\xff\xff"], malformed: ["D\0\0\0\x03"] },
  ),
  valueCase(
    "typed",
    "oversize left out",
    typed({
      length: lengthPrefixed({
        width: 1,
        maxFrameLength: 5,
        onOversize: "skip",
      }),
    }),
    [[{ tag: 1, payload: raw("hello") }, "\x01\x05hello"]],
    { tooLarge: ["\x02\x06hello!\x03\0", "\x02\x06"] },
  ),
  valueCase(
    "typed",
    "the last until the end",
    typed({ length: { 1: untilClose({ maxFrameLength: 5 }), 2: 1 } }),
    [[{ tag: 1, payload: raw("hello") }, "\x01hello"], [{
      tag: 1,
      payload: raw(""),
    }, "\x01"]],
    { untilEnd: true, tooLarge: ["\x01hello!"] },
  ),
];

const headerBlockCases = [
  bytesCase("headerBlock", "by default", headerBlock(), [
    ['{"a":1}', 'Content-Length: 7\r\n\r\n{"a":1}'],
    ["", "Content-Length: 0\r\n\r\n"],
    ["hi", "content-length:2\r\n\r\nhi", false],
    ["hi", "CONTENT-LENGTH: \t 2 \t\r\n\r\nhi", false],
    [
      "hi",
      "Content-Type: a/b; c=d\r\nContent-Length: 2\r\nX:\r\n\r\nhi",
      false,
    ],
    ["hi", "Content-Length: 002\r\n\r\nhi", false],
  ], {
    tooLarge: ["Content-Length: 1048577\r\n\r\n"],
    malformed: [
      "\r\n",
      "\n",
      "Content-Length: 2\n",
      "Content-Length: 2\r\n\n",
      "Content-Length: 2\n\n",
      "Content-Type: text/plain\r\n\r\n",
      "Content-Length: 2\r\ncontent-length: 2\r\n\r\n",
      "Content-Length: -2\r\n\r\n",
      "Content-Length: +2\r\n\r\n",
      "Content-Length: 2.0\r\n\r\n",
      "Content-Length: 0x2\r\n\r\n",
      "Content-Length: 2 2\r\n\r\n",
      "Content-Length:\r\n\r\n",
      "Content-Length: 9999999999999999\r\n\r\n",
      "Content-Length : 2\r\n\r\n",
      " Content-Length: 2\r\n\r\n",
      "Content-Length: 2\r\n more\r\n",
      "Content-Length 2\r\n",
      "Content-Length: 2\r\r\n",
      "GET / HTTP/1.1\r\n",
      "X: caf\xe9\r\n",
      "X: \0\r\n",
    ],
  }),
  bytesCase(
    "headerBlock",
    "limits",
    headerBlock({ maxFrameLength: 5, maxHeaderLength: 21 }),
    [["hello", "Content-Length: 5\r\n\r\nhello"]],
    {
      tooLarge: [
        "Content-Length: 6\r\n\r\n",
        "Content-Length: 05\r\n\r\n",
        "a".repeat(21),
        "a".repeat(30) + "\r\n",
      ],
    },
  ),
  bytesCase(
    "headerBlock",
    "oversize left out",
    headerBlock({ maxFrameLength: 5, onOversize: "skip" }),
    [["hello", "Content-Length: 5\r\n\r\nhello"]],
    { tooLarge: ["Content-Length: 6\r\n\r\nhello!Content-Length: 1\r\n\r\na"] },
  ),
];

const untilCloseCases = [
  bytesCase(
    "untilClose",
    "by default",
    untilClose(),
    [["hello", "hello"], ["\0", "\0"], [A300, A300]],
    { untilEnd: true },
  ),
  bytesCase(
    "untilClose",
    "a limit",
    untilClose({ maxFrameLength: 5 }),
    [["hello", "hello"]],
    { untilEnd: true, tooLarge: ["hello!", "hello, world"] },
  ),
];

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
/** 192.168.0.1, 192.168.0.11, 56324 and 443. */
const ADDRESSES = "\xc0\xa8\0\x01\xc0\xa8\0\x0b\xdc\x04\x01\xbb";
/** A server name, a checksum, and that the client came by TLS 1.3. */
const TLVS = "\x02\0\x09a.example" + "\x03\0\x04\xa1\xd5\x75\xb1" +
  "\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.3";

function relayed(
  version: 1 | 2,
  source: string,
  destination: string,
  transport: "tcp" | "udp" = "tcp",
): ProxyHeader {
  return {
    version,
    command: "proxy",
    source: { transport, hostname: source, port: 56324 },
    destination: { transport, hostname: destination, port: 443 },
    tlvs: [],
  };
}

const proxyHeaderCases = [
  valueCase<ProxyHeader, ProxyHeader>(
    "proxyHeader",
    "version 1",
    proxyHeader(),
    [
      [
        relayed(1, "192.168.0.1", "192.168.0.11"),
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
      ],
      [
        relayed(1, "2001:db8::1", "::ffff:192.0.2.1"),
        "PROXY TCP6 2001:db8::1 ::ffff:c000:201 56324 443\r\n",
      ],
      [
        relayed(1, "2001:db8::1", "::1"),
        "PROXY TCP6 2001:0DB8:0:0:0:0:0:1 0::1 56324 443\r\n",
        false,
      ],
      [{ version: 1, command: "proxy", tlvs: [] }, "PROXY UNKNOWN\r\n"],
      [
        { version: 1, command: "proxy", tlvs: [] },
        "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
        false,
      ],
      [
        { version: 1, command: "proxy", tlvs: [] },
        "PROXY UNKNOWN \xff\r\n",
        false,
      ],
    ],
    {
      tooLarge: [
        "PROXY UNKNOWN " + "x".repeat(93) + "\r\n",
        "PROXY TCP4 " + "1".repeat(100),
      ],
      malformed: [
        "GET / HTTP/1.1\r\n",
        "\x16\x03\x01",
        "SSH-2.0-x\r\n",
        "PING TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP7 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 80000\r\n",
        "PROXY TCP4 299.168.0.1 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP6 ::1::2 ::1 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY UNKNOWN a\nb\r\n",
        "PROXY UNKNOWN\n",
      ],
    },
  ),
  valueCase<ProxyHeader, ProxyHeader>(
    "proxyHeader",
    "version 2",
    proxyHeader(),
    [
      [
        relayed(2, "192.168.0.1", "192.168.0.11"),
        `${SIGNATURE}\x21\x11\0\x0c${ADDRESSES}`,
      ],
      [
        relayed(2, "192.168.0.1", "192.168.0.11", "udp"),
        `${SIGNATURE}\x21\x12\0\x0c${ADDRESSES}`,
      ],
      [
        relayed(2, "2001:db8::1", "::ffff:192.0.2.1"),
        `${SIGNATURE}\x21\x21\0\x24\x20\x01\x0d\xb8${"\0".repeat(11)}\x01${
          "\0".repeat(10)
        }\xff\xff\xc0\0\x02\x01\xdc\x04\x01\xbb`,
      ],
      [
        {
          version: 2,
          command: "proxy",
          source: { transport: "unix", path: "/run/a.sock" },
          destination: { transport: "unix", path: "\0name" },
          tlvs: [],
        },
        `${SIGNATURE}\x21\x31\0\xd8${"/run/a.sock".padEnd(108, "\0")}${
          "\0name".padEnd(108, "\0")
        }`,
      ],
      [
        {
          ...relayed(2, "192.168.0.1", "192.168.0.11"),
          tlvs: [
            { type: 2, value: raw("a.example") },
            { type: 3, value: raw("\xa1\xd5\x75\xb1") },
            { type: 0x20, value: raw("\x01\0\0\0\0\x21\0\x07TLSv1.3") },
          ],
        },
        `${SIGNATURE}\x21\x11\0\x31${ADDRESSES}${TLVS}`,
      ],
      [{ version: 2, command: "local", tlvs: [] }, `${SIGNATURE}\x20\0\0\0`],
      [
        {
          version: 2,
          command: "local",
          tlvs: [{ type: 3, value: raw("\xa9\xb8\x7e\x8f") }],
        },
        `${SIGNATURE}\x20\0\0\x07\x03\0\x04\xa9\xb8\x7e\x8f`,
      ],
      [
        { version: 2, command: "local", tlvs: [] },
        `${SIGNATURE}\x20\x11\0\x0c${ADDRESSES}`,
        false,
      ],
      [{ version: 2, command: "proxy", tlvs: [] }, `${SIGNATURE}\x21\0\0\0`],
      [
        { version: 2, command: "proxy", tlvs: [] },
        `${SIGNATURE}\x21\x10\0\x0c${ADDRESSES}`,
        false,
      ],
    ],
    {
      tooLarge: [
        `${SIGNATURE}\x21\x11\x02\x09`,
        `${SIGNATURE}\x20\0\xff\xff${ADDRESSES}`,
      ],
      malformed: [
        "\r\n\r\n\r\n",
        `${SIGNATURE}\x11\x11\0\x0c${ADDRESSES}`,
        `${SIGNATURE}\x23\x11\0\x0c${ADDRESSES}`,
        `${SIGNATURE}\x21\x41\0\x0c${ADDRESSES}`,
        `${SIGNATURE}\x21\x14\0\x0c${ADDRESSES}`,
        `${SIGNATURE}\x21\x11\0\x0b${ADDRESSES}`,
        `${SIGNATURE}\x21\x11\0\x0e${ADDRESSES}\x02\0`,
        `${SIGNATURE}\x21\x11\0\x13${ADDRESSES}\x03\0\x04\0\0\0\0`,
        `${SIGNATURE}\x21\x31\0\xd8${"\xff".repeat(216)}`,
      ],
    },
  ),
];

const textCases = [
  valueCase(
    "text",
    "lengths in one byte",
    text(lengthPrefixed({ width: 1 })),
    [["né", "\x03n\xc3\xa9"], ["", "\0"], ["😀\0", "\x05\xf0\x9f\x98\x80\0"]],
    {
      malformed: [
        "\x01\xff\x01a",
        "\x02\xc3(",
        "\x03\xed\xa0\x80",
        "\x02\xc0\x80",
      ],
    },
  ),
  valueCase(
    "text",
    "netstrings left out when oversize",
    text(netstring({ maxFrameLength: 5, onOversize: "skip" })),
    [["hello", "5:hello,"]],
    { tooLarge: ["6:hello!,"], malformed: ["1:\x80,1:a,"] },
  ),
  valueCase(
    "text",
    "everything until the end",
    text(untilClose()),
    [["né", "n\xc3\xa9"]],
    { untilEnd: true, malformed: ["n\xc3"] },
  ),
];

const jsonCases = [
  valueCase<unknown, unknown>("json", "one value a line", json(lines()), [
    [{ a: [1, null, "é"] }, utf8('{"a":[1,null,"é"]}\n')],
    [0, "0\n"],
    ["", '""\n'],
    [null, "null\n"],
    [false, " false \r\n", false],
  ], {
    malformed: ['{"a":\n{"b":2}\n', "\n", "undefined\n", "\xff\n", "NaN\n"],
  }),
  valueCase<unknown, unknown>(
    "json",
    "behind a header block (LSP)",
    json(text(headerBlock())),
    [[{ id: 1 }, 'Content-Length: 8\r\n\r\n{"id":1}'], [
      { a: "é" },
      utf8('Content-Length: 10\r\n\r\n{"a":"é"}'),
    ]],
    {
      malformed: [
        'Content-Length: 1\r\n\r\n{Content-Length: 8\r\n\r\n{"id":1}',
        "Content-Length: 0\r\n\r\n",
      ],
    },
  ),
];

const mapCodecCases = [
  valueCase(
    "mapCodec",
    "numbers of two bytes",
    mapCodec(fixedLength(2), {
      decode: ([high, low]) => high * 256 + low,
      encode: (value: number) => new Uint8Array([value >> 8, value]),
    }),
    [[0, "\0\0"], [0x0102, "\x01\x02"]],
  ),
  valueCase(
    "mapCodec",
    "days, of which not every number is one",
    mapCodec(text(netstring()), {
      decode(name) {
        const day = ["Mon", "Tue", "Wed"].indexOf(name);
        if (day < 0) throw new RangeError(`${name} is no day`);
        return day;
      },
      encode: (day: number) => ["Mon", "Tue", "Wed"][day],
    }),
    [[0, "3:Mon,"], [2, "3:Wed,"]],
    { malformed: ["3:Xmas,", "2:Mo,3:Mon,", "3:\xff\xff\xff,"] },
  ),
];

const messagesCases = [
  valueCase("messages", "by default", messages(), [
    [message('{"a": 1}'), messageWire('{"a": 1}')],
    [message(""), messageWire("")],
    [
      new Message(raw("\0\xff"), {
        byteorder: "little",
        contentType: "x/é",
        extra: { id: [1, { a: "b, c" }] },
      }),
      (() => {
        const header = utf8(
          '{"byteorder": "little", "content-type": "x/é", "content-encoding": "binary", ' +
            '"content-length": 2, "id": [1, {"a": "b, c"}]}',
        );
        return messageWire("\0\xff", header);
      })(),
    ],
    [
      message("hi"),
      messageWire(
        "hi",
        ' {"content-length":2,"content-encoding":"utf-8","content-type":"text/json","byteorder":"big"}',
      ),
      false,
    ],
  ], {
    tooLarge: [
      messageWire("", `${HEADER}1048577}`),
      "\x20\x01",
      "GET / HTTP/1.1\r\n",
    ],
    malformed: [
      "\0\0",
      "\0\x05hello",
      "\0\x01[",
      messageWire("", "{}"),
      messageWire("", "{"),
      messageWire("", `${HEADER}-1}`),
      messageWire("", `${HEADER}1.5}`),
      messageWire("", `${HEADER}"1"}`),
      messageWire("", `${HEADER}null}`),
      messageWire("", `${HEADER}1}`.replace('"big"', '"middle"')),
      messageWire("", `${HEADER}1}`.replace('"utf-8"', "8")),
      messageWire("", `${HEADER}1}`.replace("text/json", "\xff")),
    ],
  }),
  valueCase(
    "messages",
    "limits, oversize left out",
    messages({ maxFrameLength: 5, maxHeaderLength: 99, onOversize: "skip" }),
    [[message("hello"), messageWire("hello")]],
    { tooLarge: [messageWire("hello!") + messageWire("ok"), "\0\x64{"] },
  ),
];

/** Every codec, with all that is known of its wire. */
export const codecCases: readonly CodecCase[] = [
  ...fixedLengthCases,
  ...delimitedCases,
  ...linesCases,
  ...lengthPrefixedCases,
  ...streamedCases,
  ...varintPrefixedCases,
  ...asciiLengthCases,
  ...netstringCases,
  ...typedCases,
  ...headerBlockCases,
  ...untilCloseCases,
  ...proxyHeaderCases,
  ...textCases,
  ...jsonCases,
  ...mapCodecCases,
  ...messagesCases,
];

/** How much is checked when every codec is put to its contract. */
export function countChecks(): CodecReport {
  const total: CodecReport = { samples: 0, cuts: 0, truncations: 0 };
  for (const { check } of codecCases) {
    const { samples, cuts, truncations } = check();
    total.samples += samples;
    total.cuts += cuts;
    total.truncations += truncations;
  }
  return total;
}
