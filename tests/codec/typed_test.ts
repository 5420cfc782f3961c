/**
 * Frames that begin with a tag, which decides how the rest is cut.
 *
 * @module
 */

import {
  type BytesCodec,
  delimited,
  FrameDecoder,
  lengthPrefixed,
  MalformedFrameError,
  typed,
  untilClose,
  varintPrefixed,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { testEncoding } from "../support/encoding.ts";
import { outcomesByChunk, testStreams } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

const postgres = typed({ length: lengthPrefixed({ includesHeader: true }) });
const mixed = typed({
  length: { 0: 0, 1: 4, 2: lengthPrefixed({ width: 1 }) },
});

testStreams("typed()", [
  {
    name: "cuts each payload as its tag says",
    codec: mixed,
    steps: [
      ["\x01\0\0"],
      ["\0*\x02", '={"tag":1,"payload":"\\u0000\\u0000\\u0000*"}'],
      [
        "\x05hello\0",
        '={"tag":2,"payload":"hello"}',
        '={"tag":0,"payload":""}',
      ],
    ],
  },
  {
    name: "refuses a tag without a rule at once",
    codec: mixed,
    steps: [["\0", '={"tag":0,"payload":""}'], ["\x03", "malformed at 1"]],
  },
  {
    name: "reads lengths that count themselves and not the tag",
    codec: postgres,
    steps: [["Z\0\0\0"], ["\x05I", '={"tag":90,"payload":"I"}']],
  },
  {
    name: "notices that the stream ended inside a tag",
    codec: typed({ tagWidth: 3, length: 1 }),
    steps: [["\0\0"]],
    end: ["truncated: 2 of 3"],
  },
  {
    name: "notices that the stream ended behind a tag",
    codec: mixed,
    steps: [["\x01"]],
    end: ["truncated: 1 of 5"],
  },
  {
    name: "notices that the stream ended inside a payload of a fixed length",
    codec: mixed,
    steps: [["\x01ab"]],
    end: ["truncated: 3 of 5, ab"],
  },
  {
    name: "notices that the stream ended inside a payload that a codec cuts",
    codec: mixed,
    steps: [["\0\x02\x05ab", '={"tag":0,"payload":""}']],
    end: ["truncated: 4 of 7, ab at 1"],
  },
  {
    name: "lets a codec say what the bytes at the end mean",
    codec: typed({ length: delimited("\n", { tail: "emit" }) }),
    steps: [["\x01a\n\x02b", '={"tag":1,"payload":"a"}']],
    end: ['={"tag":2,"payload":"b"}', "end"],
  },
  {
    name: "yields an empty last payload that has nothing but a tag",
    codec: typed({ length: untilClose() }),
    steps: [["\x01"]],
    end: ['={"tag":1,"payload":""}', "end"],
  },
  {
    name: "gives errors of its codecs the place of the tag",
    codec: typed({ length: varintPrefixed({ maxFrameLength: 3 }) }),
    steps: [["\x01\0", '={"tag":1,"payload":""}'], [
      "\x01\x04",
      "too large: 4 > 3 at 2",
    ]],
  },
  {
    name: "leaves out tag and payload of an oversize frame",
    codec: typed({
      length: lengthPrefixed({
        width: 1,
        maxFrameLength: 1,
        onOversize: "skip",
      }),
    }),
    steps: [
      ["\x01\x03a", "left out: 3 > 1"],
      ["bc\x02\x01d", '={"tag":2,"payload":"d"}'],
    ],
  },
  {
    name:
      "leaves out tag and payload of an oversize frame that a delimiter ends",
    codec: typed({
      length: delimited("\n", { maxFrameLength: 1, onOversize: "skip" }),
    }),
    steps: [
      ["\x01abc"],
      ["d\n\x02e\n", "left out: 4 > 1", '={"tag":2,"payload":"e"}'],
    ],
  },
  {
    name: "yields frames that are nothing but a tag",
    codec: typed({
      length: 0,
      tagWidth: 2,
    }),
    steps: [["\0"], ["\x01", '={"tag":1,"payload":""}']],
  },
]);

testEncoding("typed()", [
  {
    name: "writes the tag before the payload",
    codec: typed({ tagWidth: 2, byteOrder: "little", length: 2 }),
    frame: { tag: 0x0102, payload: raw("ab") },
    wire: "\x02\x01ab",
  },
  {
    name: "writes a length that does not count the tag",
    codec: postgres,
    frame: { tag: 90, payload: raw("I") },
    wire: "Z\0\0\0\x05I",
  },
  {
    name: "refuses a tag without a rule",
    codec: mixed,
    frame: { tag: 3, payload: raw("") },
    fault: [RangeError, "Cannot write frame: tag 3 has no rule"],
  },
  ...[-1, 256, 0.5, NaN].map((tag) => ({
    name: `refuses ${tag}, which is no tag of one byte`,
    codec: typed({ length: 0 }),
    frame: { tag, payload: raw("") },
    fault: [RangeError, `Cannot write frame: tag ${tag} has no rule`] as const,
  })),
  {
    name: "refuses a payload of another length than the tag says",
    codec: mixed,
    frame: { tag: 1, payload: raw("abc") },
    fault: [
      RangeError,
      "Cannot write frame: payload of tag 1 must be 4 bytes: it is 3",
    ],
  },
  {
    name: "refuses a payload that its codec refuses",
    codec: typed({ length: { 1: lengthPrefixed({ maxFrameLength: 1 }) } }),
    frame: { tag: 1, payload: raw("ab") },
    fault: [RangeError, "length 2 exceeds maxFrameLength of 1 bytes"],
  },
]);

Deno.test("typed() says which tag has no rule", () => {
  const decoder = new FrameDecoder(typed({ tagWidth: 4, length: {} }));
  decoder.push(raw("POST / HTTP/1.1\r\n"));
  const error = assertThrows(() => decoder.next(), MalformedFrameError);
  assertEquals(
    error.message,
    "Cannot read frame: tag 1347375956 has no rule: the bytes b'POST' look like HTTP",
  );
});

Deno.test("typed() does not take inherited properties for rules", () => {
  class Rules {
    [tag: number]: number;
    get 1() {
      return 2;
    }
  }
  const codec = typed({ length: new Rules() });
  assertEquals(outcomesByChunk(codec, [raw("\x01ab")]), [["malformed"], []]);
});

Deno.test("typed() never asks a codec about nothing", () => {
  const lengths: number[] = [];
  const inner = lengthPrefixed({ width: 1 });
  const spy: BytesCodec = {
    ...inner,
    decode(received) {
      lengths.push(received.length);
      return inner.decode(received);
    },
  };
  outcomesByChunk(typed({ length: spy }), [
    raw("\x01"),
    raw("\x02"),
    raw("a"),
    raw("b"),
  ]);
  assertEquals(lengths, [1, 3]);
});

Deno.test("typed() is followed by a single raw byte, as PostgreSQL answers SSLRequest", () => {
  const startup = new FrameDecoder(lengthPrefixed({ includesHeader: true }));
  startup.push(raw("\0\0\0\x08\x04\xd2\x16\x2fS"));
  assertEquals(startup.next(), raw("\x04\xd2\x16\x2f"));
  assertEquals(startup.takeRest(), raw("S"));
});
