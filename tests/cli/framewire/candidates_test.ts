/**
 * Which codecs explain bytes, with the answers known.
 *
 * @module
 */

import { encodeFrame } from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  type Explanation,
  explanations,
} from "../../../cli/framewire/candidates.ts";
import { dialectOf } from "../../../cli/framewire/codec_names.ts";
import { readCapture, sentBy, type Side } from "../../support/capture.ts";
import { mutate } from "../../support/fuzzing.ts";
import { Random } from "../../support/random.ts";
import { raw } from "../../support/wire.ts";

/** A codec by all the names under which it was found. */
function namesOf({ spec, same }: Explanation): string[] {
  return [spec, ...same];
}

function shown(found: readonly Explanation[]): string {
  return found.slice(0, 5).map(({ spec, from, score, bits, same }) =>
    `${spec}${from ?? ""} ${score} (${bits} bits) ${same.join(" ")}`
  ).join("\n");
}

/** Recorded traffic: what is to be found first, where only a part of the chunks belongs together. */
const CAPTURES: readonly (readonly [
  name: string,
  side: Side,
  expected: string,
  chunk?: number,
])[] = [
  ["dns", "client", "dns"],
  ["dns", "server", "dns"],
  ["json_lines", "client", "json-lines"],
  ["json_lines", "server", "json-lines"],
  ["lsp", "client", "lsp"],
  ["lsp", "server", "lsp"],
  ["messages", "client", "message"],
  ["messages", "server", "message"],
  ["mqtt", "client", "mqtt"],
  ["mqtt", "server", "mqtt"],
  ["mqtt_5", "client", "mqtt"], // which the client says itself to be version 5
  ["mqtt_5", "server", "mqtt:5"],
  ["pkt_line", "client", "git"],
  ["pkt_line", "server", "git"],
  ["postgres", "client", "postgres"],
  ["postgres", "server", "postgres"],
  ["resp", "client", "resp"],
  ["resp", "server", "resp"],
  ["scgi", "client", "scgi"],
  ["scgi", "server", "scgi"],
  ["syslog", "client", "syslog", 0],
  ["syslog", "client", "syslog,lf", 1],
  ["syslog_logger", "client", "syslog", 0],
  ["syslog_logger", "client", "syslog", 1],
  ["syslog_logger", "client", "syslog,lf", 2],
];

for (const [name, side, expected, chunk] of CAPTURES) {
  const which = chunk === undefined ? "" : `, chunk ${chunk}`;
  Deno.test(`explanations finds ${expected} first in what a ${side} sent in ${name}${which}`, async () => {
    const capture = await readCapture(name);
    const bytes = chunk === undefined
      ? sentBy(side, capture)
      : capture.chunks[chunk][1];
    const found = explanations([{ bytes }]);
    assertEquals(found[0].spec, expected, shown(found));
    assert(found[0].score >= 75, shown(found));
    // Where the sides differ, it says which one it was.
    if (["postgres", "scgi"].includes(name)) {
      assertEquals(found[0].from, side, shown(found));
    }
    // And who says it finds the same.
    const known = explanations([{ bytes, from: side }]);
    assertEquals([known[0].spec, known[0].from], [expected, side]);
  });
}

Deno.test("explanations takes both sides of a connection together", async () => {
  for (
    const [name, expected] of [["mqtt_5", "mqtt"], ["postgres", "postgres"], [
      "resp",
      "resp",
    ]]
  ) {
    const capture = await readCapture(name);
    const sides = ["client", "server"] as const;
    const sent = sides.map((from) => ({ from, bytes: sentBy(from, capture) }));
    const [best, ...rest] = explanations(sent);
    assertEquals(
      [best.spec, best.score, best.from],
      [expected, 100, undefined],
      shown([best, ...rest]),
    );
    assertEquals(best.total, sent[0].bytes.length + sent[1].bytes.length);
    assertEquals(new Set(best.frames.map(({ from }) => from)), new Set(sides));
  }
});

/** What people send, in frames. */
const PAYLOADS: Readonly<Record<string, readonly string[]>> = {
  words: [
    "hello",
    "hi",
    "how are you",
    "a somewhat longer sentence follows",
    "ok",
  ],
  JSON: [
    '{"action":"search","value":"morpheus"}',
    '{"action":"search","value":"ring"}',
    '{"result":"Ring 💍","ok":true}',
  ],
  "two words": ["hello", "world"],
  "long text": [
    "It was the best of times, it was the worst of times. ".repeat(6),
    "It was the age of wisdom, it was the age of foolishness. ".repeat(7),
  ],
};
const BINARY: readonly Uint8Array[] = (() => {
  const random = new Random(7);
  return [40, 5, 120, 64, 9].map((length) => random.bytes(length));
})();

/** Codecs that take any bytes. */
const ANY = [
  ..."length:1 length:2 length:2le length:3 length:3le length:4 length:4le length:8 length:8le"
    .split(" "),
  ..."length:2 length:2le length:4 length:4le".split(" ").map((spec) =>
    `${spec},includes-header`
  ),
  ..."varint ascii:4 ascii:5 ascii:8 ascii,terminator=: netstring header-block message git"
    .split(" "),
];
/** Codecs that take text. */
const TEXT = [
  "lines",
  "lines:crlf",
  "delim:\\0",
  "delim:\\r",
  "delim:\\r\\n\\r\\n",
  "delim:\\x03",
];
const TYPED = [
  "typed:1,length=1",
  "typed:1,length=2",
  "typed:1,length=4",
  "typed:2,length=2",
  "typed:1,length=4le",
];

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function wireOf(
  spec: string,
  payloads: readonly (string | Uint8Array)[],
): Uint8Array<ArrayBuffer> {
  const codec = dialectOf(spec).codec("client");
  return concat(payloads.map((payload, i) => {
    const bytes = typeof payload === "string" ? utf8(payload) : payload;
    return encodeFrame(
      codec,
      spec.startsWith("typed")
        ? {
          kind: "json",
          json: JSON.stringify({
            tag: 1 + i % 2,
            payload: { base64: bytes.toBase64() },
          }),
        }
        : typeof payload === "string"
        ? { kind: "text", text: payload }
        : { kind: "bytes", bytes },
    );
  }));
}

/** Where lengths of one byte cannot be told from chance, or another codec is as good an answer. */
const OTHERWISE: Readonly<Record<string, readonly string[]>> = {
  "lines, JSON": ["json-lines"],
  "lines:crlf, JSON": ["json-lines"],
};
/** Frames that are too few, or too long for their width. */
const IMPOSSIBLE = /^(length:1|typed:1,length=1), long text$/;

for (const [kind, specs] of Object.entries({ ANY, TEXT, TYPED })) {
  for (const spec of specs) {
    const payloads: [string, readonly (string | Uint8Array)[]][] = Object
      .entries(PAYLOADS);
    if (kind !== "TEXT") payloads.push(["binary", BINARY]);
    for (const [what, frames] of payloads) {
      const name = `${spec}, ${what}`;
      if (IMPOSSIBLE.test(name)) continue;
      Deno.test(`explanations finds ${name}`, () => {
        const bytes = wireOf(spec, frames);
        const found = explanations([{ bytes }]);
        const expected = OTHERWISE[name] ?? [spec];
        assert(found.length > 0, "something must be found");
        const best = found.filter(({ score, bits }) =>
          score === found[0].score && bits === found[0].bits
        );
        assert(
          best.flatMap(namesOf).some((one) => expected.includes(one)),
          shown(found),
        );
      });
    }
  }
}

Deno.test("explanations names both where two cut the same frames", () => {
  const found = explanations([{ bytes: wireOf("varint", PAYLOADS.words) }]);
  assertEquals(namesOf(found[0]).toSorted(), ["length:1", "varint"]);
  // And not where only one of them does.
  const long = explanations([{
    bytes: wireOf("varint", ["a".repeat(200), "b".repeat(150), "c"]),
  }]);
  assertEquals(namesOf(long[0]), ["varint"]);
});

Deno.test("explanations finds records that lie below each other", () => {
  const text = [
    "alice     0042 ok  ",
    "bob       0007 fail",
    "charlie   1234 ok  ",
    "dora      0001 ok  ",
    "eve       0999 fail",
    "frank     0100 ok  ",
  ];
  assertEquals(
    explanations([{ bytes: raw(text.join("")) }])[0].spec,
    "fixed:19",
  );
  const binary = Array.from(
    { length: 12 },
    (_, i) =>
      new Uint8Array([
        0,
        0,
        1,
        i,
        0x40,
        i * 37,
        i * 91,
        0,
        20 + i % 3,
        0,
        0,
        7,
      ]),
  );
  assertEquals(explanations([{ bytes: concat(binary) }])[0].spec, "fixed:12");
});

Deno.test("explanations goes by what there is of a stream that was cut off", () => {
  for (
    const spec of [
      "length:4",
      "netstring",
      "ascii:5",
      "length:2le",
      "header-block",
    ]
  ) {
    const whole = wireOf(spec, PAYLOADS.words);
    for (const cut of [1, 2, 10]) {
      const found = explanations([{ bytes: whole.subarray(0, -cut) }]);
      assert(
        namesOf(found[0]).includes(spec),
        `${spec} without ${cut}\n${shown(found)}`,
      );
      assertEquals(found[0].end, "truncated");
    }
  }
});

Deno.test("explanations says where a codec goes out of step", () => {
  const bytes = concat([
    wireOf("length:4", PAYLOADS.words),
    raw("GET / HTTP/1.1\r\n\r\n"),
  ]);
  const found = explanations([{ bytes }]);
  const one = found.find(({ spec }) => spec === "length:4");
  assertEquals([one?.end, one?.frames.length], ["fault", 5]);
  // Three would be no worse an answer for what comes behind.
  assert(one !== undefined && found.indexOf(one) < 3, shown(found));
  assert(one.score < 80, shown(found));
});

Deno.test("explanations has what goes out of step behind good frames near the top", () => {
  const random = new Random(5);
  for (const off of [3, -3, 40]) {
    const parts = Array.from({ length: 10 }, (_, i) => {
      const query = "x".repeat(1 + random.below(30));
      const payload = raw(JSON.stringify({ id: i, method: "search", query }));
      const length = payload.length + (i === 5 ? off : 0);
      return concat([Uint8Array.of(0, 0, length >> 8, length), payload]);
    });
    const found = explanations([{ bytes: concat(parts) }]);
    const at = found.findIndex(({ spec }) => spec === "length:4");
    assert(at >= 0 && at < 2, `${off}\n${shown(found)}`);
    assertEquals([found[at].end, found[at].frames.length], ["fault", 6]);
    // What lets a frame begin that goes on and on explains no more.
    const begun = found.find(({ spec }) => spec === "typed:2,length=2");
    assert((begun?.score ?? 0) < found[at].score, shown(found));
  }
});

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function array(items: readonly string[]): string {
  return `*${items.length}\r\n${items.join("")}`;
}

Deno.test("explanations takes an answer of Redis for one that is longer than what is looked at", () => {
  const docs = array(
    Array.from({ length: 400 }, (_, i) => [
      bulk(`command${i}`),
      array([
        bulk("summary"),
        bulk(`Returns ${i} of a key`),
        array(["+ok\r\n"]),
      ]),
    ]).flat(),
  );
  const asked = array([bulk("COMMAND"), bulk("DOCS")]);
  const client = { from: "client" as const, bytes: raw(asked) };
  for (const length of [500, 5000, 16_000]) {
    const bytes = raw(docs.slice(0, length));
    const server = { from: "server" as const, bytes };
    const behind = raw("+OK\r\n:5\r\n" + docs.slice(0, length));
    for (
      const sent of [[client, server], [server], [{ bytes }], [{
        bytes: behind,
      }]]
    ) {
      const found = explanations(sent);
      assertEquals(found[0].spec, "resp", `${length}\n${shown(found)}`);
    }
  }
});

Deno.test("explanations finds nothing in nothing, and little in text without an end", () => {
  assertEquals(explanations([{ bytes: raw("") }]), []);
  assertEquals(explanations([]), []);
  const [best] = explanations([{ bytes: raw("just some words, and no more") }]);
  assert(best === undefined || best.score < 40, shown([best]));
});

Deno.test("explanations does not believe in chance: nothing scores high for random bytes", () => {
  let most = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const bytes = random.bytes(
      1 + random.below(random.pick([8, 64, 512, 2048])),
    );
    const found = explanations([{ bytes }]);
    most = Math.max(most, found[0]?.score ?? 0);
    assert(most < 40, `seed ${seed}, ${bytes.length} bytes\n${shown(found)}`);
  }
});

Deno.test("explanations does not take zeros, or one byte again and again, for frames", () => {
  for (const byte of [0, 1, 0x41, 0xff]) {
    for (const length of [1, 7, 64, 1000]) {
      const found = explanations([{
        bytes: new Uint8Array(length).fill(byte),
      }]);
      assert(
        (found[0]?.score ?? 0) < 40,
        `${length} of ${byte}\n${shown(found)}`,
      );
    }
  }
});

Deno.test("explanations comes to an end with whatever it is given", () => {
  const wires = [...ANY, ...TEXT].map((spec) => wireOf(spec, PAYLOADS.words));
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(seed);
    const bytes = mutate(random, random.pick(wires), wires);
    try {
      for (const { score, bits, whole, total } of explanations([{ bytes }])) {
        assert(score >= 0 && score <= 100 && bits >= 0 && whole <= total);
      }
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause });
    }
  }
});
