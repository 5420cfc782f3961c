/**
 * Frames that announce their length in text.
 *
 * @module
 */

import { asciiLength, FrameDecoder, FramingError } from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { testStreams } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

const syslog = asciiLength({ terminator: " " });
const git = asciiLength({ digits: 4, radix: 16, includesHeader: true });
const chunked = asciiLength({
  digits: 8,
  radix: 16,
  terminator: "\r\n",
  trailer: "\r\n",
});

testStreams("asciiLength()", [
  {
    name: "reads a length of five digits",
    codec: asciiLength(),
    steps: [["0000"], ["5hel"], ["lo00000", "=hello", "="]],
  },
  {
    name: "reads a length that a space ends",
    codec: syslog,
    steps: [["5"], [" hello1", "=hello"], ["1 hello"], [
      " world",
      "=hello world",
    ]],
  },
  {
    name: "reads hexadecimal digits of either case",
    codec: git,
    steps: [["000ewant 12345", "=want 12345"], [
      "000Eabcdefghij",
      "=abcdefghij",
    ]],
  },
  {
    name: "refuses what is no digit at once, though more digits are to come",
    codec: asciiLength(),
    steps: [["0"], ["x", "malformed"]],
  },
  {
    name:
      "refuses a length of fixed digits at the digit that makes it too large",
    codec: asciiLength({ maxFrameLength: 11 }),
    steps: [["0001"], ["2", "too large: 12 > 11"]],
  },
  {
    name: "refuses a length that does not count its own digits",
    codec: git,
    steps: [["0004", "="], ["0003", "malformed at 4"]],
  },
  {
    name: "waits for a terminator and a trailer of two bytes",
    codec: chunked,
    steps: [["5\r"], ["\nhello\r"], ["\n0\r\n\r\n", "=hello", "="]],
  },
  {
    name: "refuses a terminator at its first wrong byte",
    codec: chunked,
    steps: [["5\r"], ["x", "malformed"]],
  },
  {
    name: "refuses a trailer at its first wrong byte",
    codec: chunked,
    steps: [["5\r\nhello\r"], ["x", "malformed"]],
  },
  {
    name: "notices that the stream ended inside a length of fixed digits",
    codec: asciiLength(),
    steps: [["000"]],
    end: ["truncated: 3 of 4"],
  },
  {
    name: "notices that the stream ended inside a length that a space ends",
    codec: syslog,
    steps: [["12"]],
    end: ["truncated: 2 of 3"],
  },
  {
    name: "notices that the stream ended inside a terminator",
    codec: chunked,
    steps: [["5\r"]],
    end: ["truncated: 2 of 3"],
  },
  {
    name: "notices that the stream ended inside a payload",
    codec: chunked,
    steps: [["5\r\nhel"]],
    end: ["truncated: 6 of 8, hel"],
  },
  {
    name: "notices that the stream ended before a trailer",
    codec: chunked,
    steps: [["5\r\nhello"]],
    end: ["truncated: 8 of 9, hello"],
  },
  {
    name: "refuses a length at the digit that makes it too large",
    codec: asciiLength({ terminator: ":", maxFrameLength: 11 }),
    steps: [["11:hello world", "=hello world"], ["1"], [
      "2",
      "too large: 12 > 11 at 14",
    ]],
  },
  {
    name: "reads all digits of a length when it leaves out a frame",
    codec: asciiLength({
      digits: 3,
      maxFrameLength: 11,
      onOversize: "skip",
    }),
    steps: [["01"], ["2", "left out: 12 > 11"], [
      "x".repeat(12) + "001a",
      "=a",
    ]],
  },
  {
    name: "leaves out the trailer of a frame too",
    codec: asciiLength({
      terminator: ":",
      trailer: ",",
      maxFrameLength: 2,
      onOversize: "skip",
    }),
    steps: [["3:abc", "left out: 3 > 2"], [",1:d,", "=d"]],
  },
  {
    name: "takes the length of a frame that counts its own digits",
    codec: asciiLength({
      terminator: " ",
      includesHeader: true,
      maxFrameLength: 8,
    }),
    steps: [["2 11 12345678", "=", "=12345678"], [
      "12",
      "too large: 9 > 8 at 13",
    ]],
  },
]);

testEncoding("asciiLength()", [
  {
    name: "fills fixed digits up with zeros",
    codec: asciiLength(),
    frame: raw("hello"),
    wire: "00005hello",
  },
  {
    name: "writes no more digits than it needs before a terminator",
    codec: syslog,
    frame: raw("hello"),
    wire: "5 hello",
  },
  {
    name: "counts a digit more that the count itself takes",
    codec: asciiLength({ terminator: " ", includesHeader: true }),
    frame: raw("12345678"),
    wire: "11 12345678",
  },
  {
    name: "writes hexadecimal digits in lower case",
    codec: git,
    frame: raw("123456"),
    wire: "000a123456",
  },
  {
    name: "refuses a frame that its digits cannot say with themselves counted",
    codec: asciiLength({ digits: 1, includesHeader: true }),
    frame: raw("123456789"),
    fault: [
      RangeError,
      "Cannot write frame: length 9 takes more than 1 digits",
    ],
  },
  {
    name: "refuses a frame that its digits before a terminator cannot say",
    codec: asciiLength({ digits: 1, terminator: " ", includesHeader: true }),
    frame: raw("12345678"),
    fault: [RangeError, "length 8 takes more than 1 digits"],
  },
  {
    name: "refuses a frame over the limit",
    codec: asciiLength({ digits: 1 }),
    frame: raw("1234567890"),
    fault: [RangeError, "length 10 exceeds maxFrameLength of 9 bytes"],
  },
]);

Deno.test("asciiLength() says what is wrong with a length", () => {
  for (
    const [codec, wire, message, preview] of [
      [
        asciiLength(),
        "00x05",
        'length must be 5 digits: character 3 is "x"',
        "00x",
      ],
      [
        git,
        "\xff",
        'length must be 4 hexadecimal digits: character 1 is "ÿ"',
        "\xff",
      ],
      [
        asciiLength({ digits: 2, terminator: " " }),
        "123 ",
        'length must be at most 2 digits: character 3 is "3"',
        "123",
      ],
      [syslog, "05 hello", "length has a zero on the left", "05"],
      [syslog, "5,hello", '" " must follow the length', "5,"],
      [
        chunked,
        "1\r\nab",
        String
          .raw`"\r\n" must follow the payload`,
        "1\r\nab",
      ],
      [
        git,
        "0003",
        "length 3 is less than its own 4 bytes",
        "0003",
      ],
      [
        asciiLength({ maxFrameLength: 5 }),
        "00006hello!",
        "length 6 exceeds maxFrameLength of 5 bytes",
        "00006",
      ],
    ] as const
  ) {
    const decoder = new FrameDecoder(codec);
    decoder.push(raw(wire));
    const error = assertThrows(() => decoder.next(), FramingError);
    assertEquals(error.message, `Cannot read frame: ${message}`);
    assertEquals(error.preview, raw(preview));
  }
});
