/**
 * Frames behind a block of headers.
 *
 * @module
 */

import {
  FrameDecoder,
  FramingError,
  headerBlock,
  json,
  MalformedFrameError,
  text,
} from "@framewire/framewire";
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { outcomes, testStreams } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { byteByByte, raw } from "../support/wire.ts";

testStreams("headerBlock()", [
  {
    name: "reads a block and a payload that came in pieces",
    codec: headerBlock(),
    steps: [
      ["Content-Length: 7\r"],
      ["\n\r"],
      ['\n{"a"'],
      [":1}", '={"a":1}'],
    ],
  },
  {
    name: "yields an empty payload at once",
    codec: headerBlock(),
    steps: [["content-length:0\r\n\r\n", "="]],
  },
  {
    name:
      "refuses a line that a line feed alone ends, without waiting for more",
    codec: headerBlock(),
    steps: [["Content-Length: 2"], ["\n", "malformed"]],
  },
  {
    name: "refuses an empty line that a line feed alone ends",
    codec: headerBlock(),
    steps: [["Content-Length: 2\r\n"], ["\n", "malformed"]],
  },
  {
    name: "refuses a block in which nothing is said of a length",
    codec: headerBlock(),
    steps: [["\r"], ["\n", "malformed"]],
  },
  {
    name: "takes a block at its limit",
    codec: headerBlock({ maxHeaderLength: 21 }),
    steps: [["Content-Length: 2\r\n\r\nhi", "=hi"]],
  },
  {
    name: "refuses a block one byte over its limit",
    codec: headerBlock({ maxHeaderLength: 20 }),
    steps: [["Content-Length: 2\r\n"], ["\r", "too large: 21 > 20"]],
  },
  {
    name: "notices that the stream ended inside a block",
    codec: headerBlock(),
    steps: [["Content-"]],
    end: ["truncated: 8 of 9"],
  },
  {
    name: "notices that the stream ended inside a payload",
    codec: headerBlock(),
    steps: [["Content-Length: 2\r\n\r\nh"]],
    end: ["truncated: 22 of 23, h"],
  },
  {
    name: "leaves out an oversize payload, and reads on behind it",
    codec: headerBlock({ maxFrameLength: 2, onOversize: "skip" }),
    steps: [
      ["Content-Length: 3\r\n\r\n", "left out: 3 > 2"],
      ["abcContent-Length: 1\r\n\r\nd", "=d"],
    ],
  },
]);

testStreams("json(text(headerBlock()))", [
  {
    name: "goes on behind a payload that is not JSON",
    codec: json(text(headerBlock())),
    steps: [
      ['Content-Length: 4\r\n\r\n{"a"', "malformed, goes on"],
      ['Content-Length: 7\r\n\r\n{"a":1}', '={"a":1}'],
    ],
  },
]);

testEncoding("headerBlock()", [
  {
    name: "writes the length in bytes",
    codec: text(headerBlock()),
    frame: '{"a":"é"}',
    wire: 'Content-Length: 10\r\n\r\n{"a":"\xc3\xa9"}',
  },
  {
    name: "refuses a frame over the limit",
    codec: text(headerBlock({ maxFrameLength: 1 })),
    frame: "é",
    fault: [RangeError, "length 2 exceeds maxFrameLength of 1 bytes"],
  },
]);

Deno.test("headerBlock() says what is wrong with a block", () => {
  for (
    const [wire, message] of [
      ["\n", "a header line must end with CR LF"],
      [
        "Content-Length 2\r\n",
        `a header line must be a name, a colon and a value: it is "Content-Length 2\\r"`,
      ],
      [
        "Content-Length: 2\r\nCONTENT-LENGTH: 2\r\n\r\n",
        `Content-Length comes twice`,
      ],
      [
        "a: b\r\n\r\n",
        String
          .raw`Content-Length is missing`,
      ],
      [
        "Content-Length: 1e3\r\n\r\n",
        `Content-Length must be 1 to 15 digits: it is "1e3"`,
      ],
      [
        "GET / HTTP/1.1\r\n",
        "a header line must be a name, a colon and a value: it is \"GET / HTTP/1.1\\r\": the bytes b'GET / HT' look like HTTP",
      ],
    ]
  ) {
    const decoder = new FrameDecoder(headerBlock());
    decoder.push(raw(wire));
    const error = assertThrows(() => decoder.next(), FramingError);
    assertEquals(error.message, `Cannot read frame: ${message}`);
  }
});

Deno.test("headerBlock() reads the usual block as any other", () => {
  const alphabet = raw("0123456789\r\n :x");
  for (let seed = 0; seed < 2000; seed++) {
    const random = new Random(seed);
    const digits = random.bytes(random.below(17), raw("0019"));
    const block = [...digits, ...raw("\r\n\r\n")];
    if (random.below(2) === 0) {
      block[random.below(block.length)] = random.pick([...alphabet]);
    }
    const rest = [...block, ...random.bytes(random.below(30))];
    const maxHeaderLength = random.pick([20, 25, 35, 100]);
    const maxFrameLength = random.pick([3, 20, 1 << 20]);
    const codec = headerBlock({ maxHeaderLength, maxFrameLength });
    const [usual, other] = ["Content-Length: ", "Content-length: "].map(
      (name) => Uint8Array.from([...raw(name), ...rest]),
    );
    const cuts = random.below(1000);
    assertEquals(
      outcomes(codec, new Random(cuts).chunks(usual)),
      outcomes(codec, new Random(cuts).chunks(other)),
      `seed ${seed}`,
    );
  }
});

Deno.test("headerBlock() refuses a block without an end at its limit", () => {
  const stream = raw("X: " + "a".repeat(64 * 1024));
  const expected = ["too large: 8193 > 8192"];
  assertEquals(outcomes(headerBlock(), [stream]), expected);
  assertEquals(outcomes(headerBlock(), byteByByte(stream)), expected);
});

Deno.test("headerBlock() looks at each byte of a block once, however it is cut", () => {
  const codec = headerBlock({ maxHeaderLength: 100_000 });
  let searched = 0;
  const decoder = new FrameDecoder({
    ...codec,
    decode(received) {
      const before = received.searched;
      const frame = codec.decode(received);
      searched += received.length - before;
      return frame;
    },
  });
  const block = raw("X: " + "a".repeat(40_000));
  for (const byte of byteByByte(block)) {
    decoder.push(byte);
    assertEquals(decoder.next(), undefined);
  }
  assertLess(searched, 2 * block.length);
});

Deno.test("headerBlock() takes no longer for a line of blanks than for another", () => {
  // One that is refused only at its end: a search that goes back would go back to every blank.
  const line = raw("A:" + " ".repeat(8000) + "\x01\r\n");
  const decoder = new FrameDecoder(headerBlock());
  decoder.push(line);
  assertThrows(() => decoder.next(), MalformedFrameError);
  const spaced = new FrameDecoder(headerBlock());
  spaced.push(raw("Content-Length: \t 2 \t\r\n\r\nhi"));
  assertEquals(spaced.next(), raw("hi"));
});
