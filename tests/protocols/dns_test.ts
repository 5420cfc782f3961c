/**
 * DNS over TCP.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  MalformedFrameError,
} from "@framewire/framewire";
import {
  dns,
  type DnsMessage,
  type DnsMessageInit,
  type DnsRecord,
} from "@framewire/framewire/protocols";
import { checkCodec } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readCapture, sentBy, type Side } from "../support/capture.ts";
import { testEncoding } from "../support/encoding.ts";
import { fuzz, type Fuzzed } from "../support/fuzzing.ts";
import { replay } from "../support/replay.ts";
import { byteByByte, hex, unraw } from "../support/wire.ts";

const NOTHING: DnsMessage = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  responseCode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};
const BASE = { name: "a.test", class: 1, ttl: 60 };

/** A message in hexadecimal, with its length in front of it. */
function wireOf(message: string): Uint8Array<ArrayBuffer> {
  const bytes = hex(message);
  return new Uint8Array([bytes.length >> 8, bytes.length & 0xff, ...bytes]);
}

/** A message that is an answer and has one record, whose name is `a.test`. */
function answerOf(record: string): string {
  return `0000 8000 0000 0001 0000 0000 01 61 04 74657374 00 ${record}`;
}

const RECORDS: readonly [wire: string, record: DnsRecord][] = [
  ["0001 0001 0000003c 0004 c0000201", {
    ...BASE,
    type: "A",
    address: "192.0.2.1",
  }],
  ["001c 0001 0000003c 0010 20010db8 00000000 00000000 00000001", {
    ...BASE,
    type: "AAAA",
    address: "2001:db8::1",
  }],
  ["0005 0001 0000003c 0004 0162 c00e", {
    ...BASE,
    type: "CNAME",
    target: "b.test",
  }],
  ["0002 0001 0000003c 0002 c00c", { ...BASE, type: "NS", target: "a.test" }],
  ["000c 0001 0000003c 0001 00", { ...BASE, type: "PTR", target: "." }],
  ["000f 0001 0000003c 0004 000a c00c", {
    ...BASE,
    type: "MX",
    preference: 10,
    exchange: "a.test",
  }],
  [
    "0006 0001 0000003c 0018 c00c c00e 00000001 00000002 00000003 00000004 ffffffff",
    {
      ...BASE,
      type: "SOA",
      primary: "a.test",
      responsible: "test",
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: 0xffffffff,
    },
  ],
  ["0021 0001 0000003c 000c 0001 0002 1466 04 74657374 00", {
    ...BASE,
    type: "SRV",
    priority: 1,
    weight: 2,
    port: 5222,
    target: "test",
  }],
  ["0010 0001 0000003c 0005 02 c3a9 00 00", {
    ...BASE,
    type: "TXT",
    texts: [new Uint8Array([0xc3, 0xa9]), new Uint8Array(), new Uint8Array()],
  }],
  ["0029 1000 ff000000 0000", {
    name: "a.test",
    class: 4096,
    ttl: 0xff000000,
    type: 41,
    data: new Uint8Array(),
  }],
];

const SAMPLES = [
  { wire: wireOf("0000 0000 0000 0000 0000 0000"), frame: NOTHING },
  {
    wire: wireOf("ffff 0100 0001 0000 0000 0000 00 00ff 0003"),
    frame: {
      ...NOTHING,
      id: 0xffff,
      recursionDesired: true,
      questions: [{ name: ".", type: "ANY" as const, class: 3 }],
    },
  },
  {
    wire: wireOf("0001 ffbf 0000 0000 0000 0000"),
    frame: {
      ...NOTHING,
      id: 1,
      response: true,
      opcode: 15,
      authoritative: true,
      truncated: true,
      recursionDesired: true,
      recursionAvailable: true,
      authenticData: true,
      checkingDisabled: true,
      responseCode: 15,
    },
  },
  ...RECORDS.map(([wire, record]) => ({
    wire: wireOf(answerOf(wire)),
    frame: { ...NOTHING, response: true, answers: [record] },
  })),
  {
    wire: wireOf(
      "0002 8000 0001 0001 0001 0001 0178 00 0100 0001" +
        "c00c 0101 0001 00000000 0000 0179 c00c 0101 0001 00000000 0001 aa" +
        "c01f 0002 0001 00000000 0002 c00c",
    ),
    frame: {
      ...NOTHING,
      id: 2,
      response: true,
      questions: [{ name: "x", type: 256, class: 1 }],
      answers: [{
        name: "x",
        class: 1,
        ttl: 0,
        type: 257,
        data: new Uint8Array(),
      }],
      authorities: [{
        name: "y.x",
        class: 1,
        ttl: 0,
        type: 257,
        data: new Uint8Array([0xaa]),
      }],
      additionals: [{
        name: "y.x",
        class: 1,
        ttl: 0,
        type: "NS" as const,
        target: "x",
      }],
    },
  },
];

Deno.test("dns() keeps the contract", () => {
  const report = checkCodec(dns({ maxFrameLength: 200 }), SAMPLES, {
    tooLarge: [hex("00c9"), hex("ffff")],
    malformed: [hex("0000"), hex("000b 0000 0000 0000 0000 0000 00")],
  });
  assertEquals(report.samples, SAMPLES.length);
});

Deno.test("dns() reads and writes the longest message", () => {
  const frame: DnsMessage = {
    ...NOTHING,
    answers: [{
      name: ".",
      class: 1,
      ttl: 0,
      type: 10,
      data: new Uint8Array(65535 - 12 - 11),
    }],
  };
  const wire = encodeFrame(dns(), frame);
  assertEquals(wire.length, 2 + 65535);
  const decoder = new FrameDecoder(dns());
  decoder.push(wire);
  assertEquals(decoder.next()?.answers.length, 1);
});

Deno.test("dns() writes an end of a name that is there already as its place", () => {
  const name = "x".repeat(60);
  const many = Array.from({ length: 300 }, (_, i): DnsRecord => ({
    name: `${i}.${name}`,
    class: 1,
    ttl: 0,
    type: "CNAME",
    target: `${i}.${name}`,
  }));
  const wire = encodeFrame(dns(), { id: 1, answers: many });
  // Each has its number with its length, and two places, beside ten bytes and once the name.
  const digits = many.reduce((sum, _, i) => sum + 1 + String(i).length, 0);
  assertEquals(wire.length, 2 + 12 + digits + 300 * (2 + 10 + 2) + 60);
  const decoder = new FrameDecoder(dns());
  decoder.push(wire);
  assertEquals(decoder.next()?.answers, many);
});

Deno.test("dns() writes names in full that are too far away to be pointed at", () => {
  const filler: DnsRecord = {
    name: ".",
    class: 1,
    ttl: 0,
    type: 10,
    data: new Uint8Array(0x4000),
  };
  const far = { ...BASE, type: "NS", target: "b.far" } as const;
  const answers = [filler, far, far];
  const decoder = new FrameDecoder(dns());
  decoder.push(encodeFrame(dns(), { id: 1, answers }));
  assertEquals(decoder.next()?.answers, answers);
});

const QUESTION = "0000 0000 0001 0000 0000 0000";
/** What is wrong inside a message, and a part of what is said about it. */
const WRONG_INSIDE: Record<string, [wire: string, message: string]> = {
  "a name that goes on at itself": [
    `${QUESTION} c00c 0001 0001`,
    "a name at byte 12 cannot go on at byte 12",
  ],
  "a name that goes on further back than itself, and comes back": [
    `${QUESTION} 0161 c00c 0001 0001`,
    "a name at byte 12 cannot go on at byte 12",
  ],
  "a name that goes on behind itself": [
    `${QUESTION} c010 0001 0001 00`,
    "cannot go on at byte 16",
  ],
  "a name that goes on in the header": [
    `${QUESTION} c000 0001 0001`,
    "cannot go on at byte 0",
  ],
  "two names that go on in each other": [
    "0000 0000 0002 0000 0000 0000 c012 0001 0001 c00c 0001 0001",
    "a name at byte 12 cannot go on at byte 18",
  ],
  "a name that goes on in one that goes on in itself": [
    // The bytes of the first record, from 23 on, are no name until the second says so.
    "0000 8000 0000 0002 0000 0000 00 000a 0001 00000000 0004 0161 c017 c017 0001 0001 00000000 0004 c0000201",
    "a name at byte 23 cannot go on at byte 23",
  ],
  "a label that begins with the bits 01": [
    `${QUESTION} 40 00 0001 0001`,
    "a label must be at most 63 bytes: its length is 64",
  ],
  "a label that begins with the bits 10": [
    `${QUESTION} bf 00 0001 0001`,
    "its length is 191",
  ],
  "a name that is a byte too long": [
    `${QUESTION} ${"01 61".repeat(126)} 02 6161 00 0001 0001`,
    "a name must be at most 255 bytes",
  ],
  "a name that is too long": [
    `${QUESTION} ${"01 61".repeat(128)} 00 0001 0001`,
    "a name must be at most 255 bytes",
  ],
  "a name that is too long for what it goes on with": [
    "0000 0000 0002 0000 0000 0000 " +
    `${"01 61".repeat(127)} 00 0001 0001 0161 c00c 0001 0001`,
    "a name must be at most 255 bytes",
  ],
  "a name without an end": [`${QUESTION} 01 61`, "takes 1 bytes"],
  "a label without an end": [`${QUESTION} 05 61`, "takes 5 bytes"],
  "half a place": [`${QUESTION} c0`, "takes 1 bytes, and there are 0"],
  "fewer questions than announced": [
    "0000 0000 0002 0000 0000 0000 00 0001 0001",
    "takes 1 bytes, and there are 0",
  ],
  "more than announced": [
    "0000 0000 0000 0000 0000 0000 00",
    "1 byte is left behind the last field of the message",
  ],
  "a record that says more than its type": [
    answerOf("0001 0001 00000000 0005 c000020100"),
    "1 byte is left behind the last field of a record of type A",
  ],
  "a record that says less than its type": [
    answerOf("0001 0001 00000000 0003 c00002"),
    "takes 4 bytes, and there are 3",
  ],
  "a record that ends inside a name": [
    answerOf("0002 0001 00000000 0002 01 61 00"),
    "takes 1 bytes, and there are 0",
  ],
  "a record that is longer than the message": [
    answerOf("0a0a 0001 00000000 ffff 00"),
    "takes 65535 bytes, and there are 1",
  ],
  "a record with no text": [
    answerOf("0010 0001 00000000 0000"),
    "takes 1 bytes, and there are 0",
  ],
  "a record of type ANY": [
    answerOf("00ff 0001 00000000 0000"),
    "a record cannot be of type ANY",
  ],
};

for (const [name, [wire, message]] of Object.entries(WRONG_INSIDE)) {
  Deno.test(`dns() refuses ${name}, and can go on`, () => {
    for (const chunks of [[wireOf(wire)], byteByByte(wireOf(wire))]) {
      const decoder = new FrameDecoder(dns());
      for (const chunk of chunks.slice(0, -1)) decoder.push(chunk);
      assertEquals(decoder.next(), undefined);
      decoder.push(chunks[chunks.length - 1]);
      const error = assertThrows(() => decoder.next(), MalformedFrameError);
      assertStringIncludes(error.message, message);
      assert(error.recoverable);
      decoder.push(wireOf("0000 0000 0000 0000 0000 0000"));
      assertEquals(decoder.next(), NOTHING);
    }
  });
}

const RANGE = RangeError;
testEncoding<DnsMessageInit>("dns()", [
  {
    name: "fills in what goes without saying",
    codec: dns(),
    frame: { id: 1, questions: [{ name: "a", type: "A" }] },
    wire: unraw(wireOf("0001 0000 0001 0000 0000 0000 0161 00 0001 0001")),
  },
  ...([
    ["an id that is too high", { id: 65536 }, "id must be from 0 to 65535"],
    ["an opcode that is too high", { id: 1, opcode: 16 }, "opcode must be"],
    ["a response code that is too high", { id: 1, responseCode: 16 }, "resp"],
    ["a text that is too long", {
      id: 1,
      answers: [{ ...BASE, type: "TXT", texts: [new Uint8Array(256)] }],
    }, "length of a text must be from 0 to 255: it is 256"],
    ["no text", {
      id: 1,
      answers: [{ ...BASE, type: "TXT", texts: [] }],
    }, "there must be a text"],
    ["an address of the other version", {
      id: 1,
      answers: [{ ...BASE, type: "A", address: "::1" }],
    }, 'address of A cannot be "::1"'],
    ["a record that is too long", {
      id: 1,
      answers: [{ ...BASE, type: 10, data: new Uint8Array(65536) }],
    }, "length of a record must be"],
    ["a message that is too long", {
      id: 1,
      answers: [{ ...BASE, type: 10, data: new Uint8Array(65535) }],
    }, "length 65565 exceeds 65535 bytes"],
    ["a known type by its number", {
      id: 1,
      questions: [{ name: "a", type: 28 }],
    }, "type 28 must be written as AAAA"],
    ["a type that is too high", {
      id: 1,
      questions: [{ name: "a", type: 65536 }],
    }, "type must be from 0 to 65535"],
    ...([
      ["", "a label must be from 1 to 63 bytes: one is 0"],
      ["a..b", "a label must be from 1 to 63 bytes: one is 0"],
      [".a", "one is 0"],
      ["a".repeat(64), "one is 64"],
      ["é", 'it has "é" in it'],
      ["\\é", "in it"],
      ["\\256", "in it"],
      ["a\\", "in it"],
      ["a.".repeat(128), "it must be at most 255 bytes: it is 257"],
    ] satisfies [string, string][]).map((
      [name, why],
    ): [string, DnsMessageInit, string] => [
      `the name ${JSON.stringify(name.slice(0, 10))}`,
      { id: 1, questions: [{ name, type: "A" }] },
      why,
    ]),
  ] satisfies [string, DnsMessageInit, string][]).map((
    [name, frame, message],
  ) => ({
    name: `refuses to write ${name}`,
    codec: dns(),
    frame,
    fault: [RANGE, message] as const,
  })),
]);

Deno.test("dns() leaves out a message over the limit on request", () => {
  const decoder = new FrameDecoder(
    dns({ maxFrameLength: 12, onOversize: "skip" }),
  );
  decoder.push(wireOf("0000 0000 0000 0000 0000 0000 00"));
  decoder.push(wireOf("0000 0000 0000 0000 0000 0000"));
  const error = assertThrows(() => decoder.next());
  assertStringIncludes(String(error), "exceeds maxFrameLength of 12 bytes");
  assertEquals(decoder.next(), NOTHING);
});

Deno.test("dns() refuses options that cannot be", () => {
  for (const maxFrameLength of [65536, -1, 1.5]) {
    assertThrows(() => dns({ maxFrameLength }), RangeError);
  }
});

for (const side of ["client", "server"] satisfies Side[]) {
  Deno.test(`dns() reads what a ${side} sent in dns.json, however it is cut`, async () => {
    const capture = await readCapture("dns");
    const events = replay(dns(), side, capture);
    assertEquals(events.pop(), "end");
    assertEquals(events.length, 12);
    assert(events.every((event) => event.startsWith('={"id":')));
    const decoder = new FrameDecoder(dns());
    decoder.push(sentBy(side, capture));
    const messages = events.map(() => decoder.next());
    const again = new FrameDecoder(dns());
    for (const message of messages) {
      assert(message !== undefined);
      again.push(encodeFrame(dns(), message));
    }
    assertEquals(events.map(() => again.next()), messages);
  });
}

Deno.test("dns() throws documented errors only, whatever comes", () => {
  const fuzzed: Fuzzed = {
    maker: "dns",
    name: "as it is",
    codec: dns({ maxFrameLength: 1000 }),
    wires: SAMPLES.map(({ wire }) => wire),
  };
  const fates = { read: 0, refused: 0, truncated: 0 };
  for (let i = 0; i < 2000; i++) fates[fuzz(i, fuzzed, fuzzed.wires)]++;
  for (const count of Object.values(fates)) assert(count > 50);
});
