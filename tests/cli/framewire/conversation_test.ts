/**
 * Both directions of a connection, watched from outside.
 *
 * @module
 */

import { FrameTooLargeError, TruncatedFrameError } from "@framewire/framewire";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { concat } from "@std/bytes";
import { dialectOf } from "../../../cli/framewire/codec_names.ts";
import {
  Conversation,
  type FrameSeen,
  other,
  type Seen,
} from "../../../cli/framewire/conversation.ts";
import type { Side } from "../../../cli/framewire/dialect.ts";
import { frameJson } from "../../../cli/framewire/values.ts";
import { readCapture } from "../../support/capture.ts";
import { Random } from "../../support/random.ts";
import { raw } from "../../support/wire.ts";

type Chunk = [from: Side, bytes: Uint8Array];

/** Watches chunks, and both ends after them; every chunk is a copy, which may be written to. */
function watch(spec: string, chunks: Iterable<Chunk>): Seen[] {
  const conversation = new Conversation(dialectOf(spec));
  const seen: Seen[] = [];
  for (const [from, bytes] of chunks) {
    seen.push(...conversation.push(from, bytes.slice()));
  }
  for (const side of ["client", "server"] as const) {
    seen.push(...conversation.end(side));
  }
  return seen;
}

/** What does not depend on the cuts. */
function essence(seen: Seen): unknown {
  const { kind, from, offset } = seen;
  switch (kind) {
    case "frame": {
      const { frame, wire, pieces } = seen;
      const size = pieces.reduce((sum, piece) => sum + piece, 0);
      return { from, offset, ...frameJson(frame), wire: wire.toHex(), size };
    }
    case "fault":
      return { from, offset, fault: seen.error.message };
    case "opaque":
      return { from, offset, opaque: seen.reason };
  }
}

const isFrame = (seen: Seen): seen is FrameSeen => seen.kind === "frame";

const CAPTURES: readonly [capture: string, spec: string][] = [
  ["dns", "dns"],
  ["json_lines", "json-lines"],
  ["lsp", "lsp"],
  ["messages", "message"],
  ["mqtt", "mqtt"],
  ["mqtt_5", "mqtt"],
  ["pkt_line", "git"],
  ["postgres", "postgres"],
  ["resp", "resp"],
  ["scgi", "scgi"],
  ["syslog", "syslog"],
  ["syslog_logger", "syslog"],
];

for (const [name, spec] of CAPTURES) {
  Deno.test(`a conversation in ${name} has the same frames, offsets and wires for every cut`, async () => {
    const { chunks } = await readCapture(name);
    const whole = watch(spec, chunks);
    assert(whole.filter(isFrame).length > 2);
    const bytewise = chunks.flatMap(([from, bytes]) =>
      Array.from(bytes, (byte): Chunk => [from, Uint8Array.of(byte)])
    );
    assertEquals(watch(spec, bytewise).map(essence), whole.map(essence));
    const random = new Random(77);
    for (let i = 0; i < 10; i++) {
      const cut = chunks.flatMap(([from, bytes]) =>
        random.chunks(bytes).map((chunk): Chunk => [from, chunk])
      );
      assertEquals(
        watch(spec, cut).map(essence),
        whole.map(essence),
        `seed ${random.seed}, cut ${i}`,
      );
    }
  });

  Deno.test(`a conversation in ${name} leaves out no byte, and shows none twice`, async () => {
    const { chunks } = await readCapture(name);
    const seen = watch(spec, chunks);
    for (const side of ["client", "server"] as const) {
      const sent = concat(
        chunks.filter(([from]) => from === side).map(([, bytes]) => bytes),
      );
      let at = 0;
      for (const one of seen.filter(({ from }) => from === side)) {
        if (one.kind === "opaque") continue;
        assertEquals(one.offset, at);
        assertEquals(
          one.wire.toHex(),
          sent.subarray(at, at + one.wire.length).toHex(),
        );
        at += one.wire.length;
        if (one.kind === "fault" && !one.error.recoverable) at = sent.length;
      }
      assertEquals(at, sent.length, side);
    }
  });
}

Deno.test("frames say in which pieces they came", () => {
  const seen = watch("length:1", [
    ["client", raw("\x03abc\x02d")],
    ["server", raw("\x01s")],
    ["client", raw("")],
    ["client", raw("e\x01")],
    ["client", raw("f")],
  ]).filter(isFrame);
  assertEquals(
    seen.map(({ from, offset, pieces, shared }) => ({
      from,
      offset,
      pieces,
      shared,
    })),
    [
      {
        from: "client",
        offset: 0,
        pieces: [4],
        shared: { before: false, behind: true },
      },
      {
        from: "server",
        offset: 0,
        pieces: [2],
        shared: { before: false, behind: false },
      },
      {
        from: "client",
        offset: 4,
        pieces: [2, 1],
        shared: { before: true, behind: true },
      },
      {
        from: "client",
        offset: 7,
        pieces: [1, 1],
        shared: { before: true, behind: false },
      },
    ],
  );
});

Deno.test("a stream that goes out of step is reported once, where it did; the other goes on", () => {
  const conversation = new Conversation(dialectOf("netstring"));
  const seen = (from: Side, text: string) =>
    [...conversation.push(from, raw(text))].map(essence);
  assertEquals(seen("client", "2:ab,3:abcX"), [
    {
      from: "client",
      offset: 0,
      text: "ab",
      wire: raw("2:ab,").toHex(),
      size: 5,
    },
    {
      from: "client",
      offset: 5,
      fault: 'Cannot read frame: "," must follow the payload',
    },
  ]);
  assertEquals(seen("client", "1:c,1:d,"), []);
  assertEquals(seen("server", "1:c,"), [
    {
      from: "server",
      offset: 0,
      text: "c",
      wire: raw("1:c,").toHex(),
      size: 4,
    },
  ]);
  assertEquals([...conversation.end("client")], []);
  assertEquals(
    [conversation.sent("client"), conversation.sent("server")],
    [19, 4],
  );
});

Deno.test("what is no frame is shown with all bytes that came of it", () => {
  const [fault] = watch("netstring", [["client", raw("12")], [
    "client",
    raw("x4"),
  ]]);
  assert(fault.kind === "fault");
  assertEquals([fault.offset, fault.wire], [0, raw("12x4")]);
});

Deno.test("a direction that ends inside a frame is truncated, and ends with what the codec makes of it otherwise", () => {
  const [first, fault] = watch("length:2", [[
    "client",
    raw("\0\x01a\0\x05bc"),
  ]]);
  assertEquals([first.kind, first.offset], ["frame", 0]);
  assert(fault.kind === "fault");
  assertInstanceOf(fault.error, TruncatedFrameError);
  assertEquals([fault.offset, fault.wire], [3, raw("\0\x05bc")]);
  assertEquals(
    watch("lines", [["server", raw("a\nb")]]).map(essence),
    [
      { from: "server", offset: 0, text: "a", wire: "610a", size: 2 },
      { from: "server", offset: 2, text: "b", wire: "62", size: 1 },
    ],
  );
});

for (
  const [spec, long, short] of [
    ["length:1,max=4,skip", "\x08abcdefgh", "\x02hi"],
    ["lines:max=4,skip", "abcdefgh\n", "hi\n"],
    ["delim:;,max=4,skip", "abcdefgh;", "hi;"],
    ["netstring,max=4,skip", "8:abcdefgh,", "2:hi,"],
  ]
) {
  Deno.test(`${spec}: frames behind one that was left out are where they are, for every cut`, () => {
    const wire = raw(short + long + short + long + long + short);
    const expected = [0, short.length, short.length + long.length];
    for (let size = 1; size <= wire.length; size++) {
      const chunks: Chunk[] = [];
      for (let at = 0; at < wire.length; at += size) {
        chunks.push(["client", wire.subarray(at, at + size)]);
      }
      const seen = watch(spec, chunks);
      assertEquals(
        seen.map(({ kind }) => kind),
        ["frame", "fault", "frame", "fault", "fault", "frame"],
        `chunks of ${size}`,
      );
      assertEquals(seen.slice(0, 3).map(({ offset }) => offset), expected);
      for (const one of seen) {
        if (one.kind === "fault") {
          assertInstanceOf(one.error, FrameTooLargeError);
          assertEquals(
            one.wire,
            wire.slice(one.offset, one.offset + one.wire.length),
          );
          assert(one.wire.length > 0 && one.wire.length <= long.length);
        } else if (one.kind === "frame") {
          assertEquals(one.wire, raw(short));
          assertEquals(one.pieces.reduce((sum, n) => sum + n, 0), short.length);
          assert(one.pieces.every((piece) => piece <= size));
        }
      }
    }
  });
}

Deno.test("of a long frame no more is kept than is shown", () => {
  const MIB = 2 ** 20;
  const conversation = new Conversation(dialectOf("length:4,max=8M"));
  const seen: Seen[] = [];
  const push = (bytes: Uint8Array) =>
    seen.push(...conversation.push("client", bytes));
  push(Uint8Array.of(0, 0x40, 0, 0)); // 4 MiB
  for (let i = 0; i < 64; i++) push(new Uint8Array(MIB / 16).fill(i));
  push(raw("\0\0\0\x01a"));
  const [long, next] = seen;
  assert(long.kind === "frame" && next.kind === "frame");
  assertEquals(long.wire.length, MIB);
  assertEquals(long.wire.subarray(0, 5), Uint8Array.of(0, 0x40, 0, 0, 0));
  assertEquals(long.wire.at(-1), 15);
  assertEquals(long.pieces.length, 65);
  assertEquals([next.offset, next.wire], [4 * MIB + 4, raw("\0\0\0\x01a")]);
});

Deno.test("of what is left out hardly anything is kept, however long it is", () => {
  const conversation = new Conversation(dialectOf("length:4,max=1k,skip"));
  const [fault] = conversation.push("client", Uint8Array.of(0x7f, 0, 0, 0));
  assert(fault.kind === "fault");
  const room = new Uint8Array(2 ** 20);
  const before = Deno.memoryUsage().external;
  for (let left = 0x7f000000; left > 0; left -= room.length) {
    assertEquals([...conversation.push("client", room)], []);
  }
  // 2 GiB went through.
  assert(Deno.memoryUsage().external - before < 2 ** 28);
  const [next] = conversation.push("client", raw("\0\0\0\x01a"));
  assert(next.kind === "frame");
  assertEquals([next.offset, next.wire], [0x7f000004, raw("\0\0\0\x01a")]);
});

const SSL_REQUEST = raw("\0\0\0\x08\x04\xd2\x16\x2f");

Deno.test("postgres: a refused SSLRequest is a letter, and the session goes on", () => {
  const startup = raw("\0\0\0\x11\0\x03\0\0user\0me\0\0");
  const seen = watch("postgres", [
    ["client", SSL_REQUEST],
    ["server", raw("N")],
    ["client", startup],
    ["server", raw("R\0\0\0\x08\0\0\0\0")],
    ["client", raw("X\0\0\0\x04")],
  ]);
  assertEquals(
    seen.map((
      one,
    ) => [one.from, one.offset, one.kind === "frame" && one.frame]),
    [
      ["client", 0, { type: "sslRequest" }],
      ["server", 0, { type: "encryptionAnswer", encryption: "none" }],
      ["client", 8, seen[2].kind === "frame" && seen[2].frame],
      ["server", 1, seen[3].kind === "frame" && seen[3].frame],
      ["client", 25, { type: "terminate" }],
    ],
  );
  assertEquals(
    seen.filter(isFrame).slice(2).map(({ frame }) => typeOf(frame)),
    [
      "startup",
      "authentication",
      "terminate",
    ],
  );
});

function typeOf(frame: unknown): unknown {
  return typeof frame === "object" && frame !== null && "type" in frame
    ? frame.type
    : undefined;
}

for (const [letter, encryption] of [["S", "TLS"], ["G", "GSSAPI"]]) {
  Deno.test(`postgres: behind ${letter} only the two ends can read on`, () => {
    const request = letter === "S"
      ? SSL_REQUEST
      : raw("\0\0\0\x08\x04\xd2\x16\x30");
    for (const cut of [false, true]) {
      const hello = raw("\x16\x03\x01");
      const seen = watch("postgres", [
        ["client", request],
        ...(cut
          ? [["server", raw(letter)], ["server", hello]] as const
          : [["server", concat([raw(letter), hello])]] as const)
          .map(([from, bytes]): Chunk => [from, bytes]),
        ["client", hello],
      ]);
      const [, , opaque, ...more] = seen;
      assert(opaque?.kind === "opaque", JSON.stringify(seen));
      assertEquals([opaque.from, opaque.offset, more], ["server", 1, []]);
      assert(
        opaque.reason.toLowerCase().includes(encryption.toLowerCase()),
        opaque.reason,
      );
    }
  });
}

Deno.test("mqtt: a client that says version 5 is read so, even behind it in the same chunk", async () => {
  const { chunks } = await readCapture("mqtt_5");
  const [, connect] = chunks[0];
  const ping = raw("\xe0\x00"); // of version 5 alone: a DISCONNECT with and without a reason
  const disconnect = raw("\xe0\x02\x04\x00");
  const seen = watch("mqtt", [["client", concat([connect, disconnect])]]);
  assertEquals(seen.map(({ kind }) => kind), ["frame", "frame"]);
  const four = watch("mqtt", [["client", disconnect]]);
  assertEquals(four.map(({ kind }) => kind), ["fault"]);
  assertEquals(watch("mqtt:5", [["client", ping]]).map(({ kind }) => kind), [
    "frame",
  ]);
});

Deno.test("a conversation throws nothing, whatever is said, and shows every byte of both sides at most once", () => {
  const specs = [
    "length:2",
    "varint",
    "lines",
    "resp",
    "postgres",
    "mqtt",
    "dns",
    "syslog",
    "git",
    "scgi",
    "lsp",
    "message",
    "netstring",
    "length:1,max=9,skip",
    "lines,max=9,skip",
  ];
  const random = new Random(4711);
  for (let i = 0; i < 2000; i++) {
    const spec = random.pick(specs);
    const conversation = new Conversation(dialectOf(spec));
    const ends: Record<Side, number> = { client: 0, server: 0 };
    const take = (all: Iterable<Seen>) => {
      for (const one of all) {
        assert(
          one.offset >= ends[one.from],
          `seed ${random.seed}, ${i}: ${spec}`,
        );
        if (one.kind === "opaque") continue;
        ends[one.from] = one.offset + one.wire.length;
      }
    };
    for (let pushes = random.below(8); pushes > 0; pushes--) {
      const side = random.pick<Side>(["client", "server"]);
      take(
        conversation.push(
          side,
          random.bytes(
            random.below(12),
            raw("\0\0\0\x01\x02\x05ab*$:,\r\n \xc0\x10"),
          ),
        ),
      );
    }
    for (const side of ["client", "server"] as const) {
      take(conversation.end(side));
      assert(
        ends[side] <= conversation.sent(side),
        `seed ${random.seed}, ${i}: ${spec}, ${side} ${ends[side]}`,
      );
    }
  }
});

Deno.test("other() is the other end", () => {
  assertEquals([other("client"), other("server")], ["server", "client"]);
});

Deno.test("a frame in very many pieces is kept whole, though not all are counted one by one", () => {
  const length = 200_000;
  const conversation = new Conversation(dialectOf("length:4"));
  const wire = new Uint8Array(4 + length).map((_, i) => i * 7);
  new DataView(wire.buffer).setUint32(0, length);
  const seen: Seen[] = [];
  for (let i = 0; i < wire.length; i++) {
    seen.push(...conversation.push("client", wire.slice(i, i + 1)));
  }
  const [frame] = seen;
  assert(frame.kind === "frame" && seen.length === 1);
  assertEquals(frame.wire, wire);
  assertEquals(frame.pieces.reduce((sum, one) => sum + one, 0), wire.length);
  assert(frame.pieces.length < 2 ** 16 + 100, `${frame.pieces.length}`);
  assertEquals(frame.pieces.slice(0, 3), [1, 1, 1]);
});
