/**
 * docs/custom_codec.md keeps what it promises: its code is that of the example, which keeps the contract of a codec
 * and reads whatever arrives whole, and what it quotes is what `checkCodec` says of the mistakes.
 *
 * @module
 */

import { encodeFrame } from "@framewire/framewire";
import { checkCodec } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  AssertionError,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { checkedFrames } from "../../examples/custom_codec.ts";
import * as wrong from "../fixtures/wrong_codecs.ts";
import { describeFrame, outcomes } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { runProgram } from "../support/running_program.ts";
import { byteByByte, hex, raw } from "../support/wire.ts";

const root = new URL("../../", import.meta.url);
const page = textOf("docs/custom_codec.md");
const STREAMS = 200;

function textOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

/** What is in the page's code blocks of a language. */
function blocks(language: string, text = page): string[] {
  return Array.from(
    text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms")),
    ([, block]) => block,
  );
}

Deno.test("docs/custom_codec.md shows the code of the example and of the mistakes", () => {
  const source = textOf("examples/custom_codec.ts") +
    textOf("tests/fixtures/wrong_codecs.ts");
  const shown = blocks("ts ignore");
  assertEquals(shown.length, 6);
  for (const block of shown) assertStringIncludes(source, block);
});

/** What terminals take for a change of colour. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

for (const name of ["impatient", "hasty", "careless"] as const) {
  Deno.test(`docs/custom_codec.md quotes what checkCodec() says of a codec that is ${name}`, () => {
    const [, section] = page.split(`export const ${name}`);
    const [quote, ...more] = blocks("text", section.split("\n### ")[0]);
    const message = assertThrows(
      () => checkCodec(wrong[name], wrong.samples, wrong.options),
      AssertionError,
    ).message.replaceAll(COLOUR, "");
    assertEquals(message.split("\n")[0], quote.trimEnd());
    for (const part of more) {
      // The page need not be indented as deep.
      const lines = message.split("\n").map((line) => line.replace(/ +/, " "));
      for (const line of part.trimEnd().split("\n")) {
        assert(lines.includes(line.replace(/ +/, " ")), line);
      }
    }
  });
}

Deno.test("docs/custom_codec.md shows what the example prints", async () => {
  const { code, out, err } = await runProgram("examples/custom_codec.ts");
  assertEquals([code, err], [0, []]);
  const command = "$ deno run examples/custom_codec.ts\n";
  assertEquals(blocks("console"), [`${command}${out.join("\n")}\n`]);
});

Deno.test("examples/custom_codec.ts keeps the contract of a codec", () => {
  const report = checkCodec(checkedFrames(), [
    // Worked out by hand, the checksums with Python's `zlib.crc32`.
    {
      frame: raw("123456789"),
      wire: concat([hex("53 09 a5"), raw("123456789"), hex("29 f1 9c 0b")]),
    },
    { frame: raw(""), wire: hex("53 00 ac 4e db a6 38") },
    {
      frame: raw(""),
      wire: hex("4c 00 00 b3 a2 ee da af"),
      canonical: false,
    },
    { frame: raw("x".repeat(256)) },
  ], {
    malformed: [
      "noise",
      hex("53 00 ad"),
      hex("4c 00 00 ac"),
      hex("53 00 ac 4e db a6 39"),
      concat([raw("noise"), hex("53 00 ac 4e db a6 38")]),
      hex("53 00 ac 53 00 ac 4e db a6 38"),
    ],
  });
  assertEquals(report.samples, 4);
});

Deno.test("examples/custom_codec.ts takes 65,535 bytes, and not one more", () => {
  const longest = new Uint8Array(65_535);
  const wire = encodeFrame(checkedFrames(), longest);
  assertEquals(outcomes(checkedFrames(), [wire]), [
    describeFrame(longest),
    "end",
  ]);
  assertThrows(
    () => encodeFrame(checkedFrames(), new Uint8Array(65_536)),
    RangeError,
    "length 65536 exceeds the limit of 65535 bytes",
  );
});

/** A frame with something wrong inside. */
function damaged(random: Random, wire: Uint8Array): Uint8Array {
  // Without its first or its last byte, noise on one side could complete it.
  const at = 1 + random.below(wire.length - 2);
  switch (random.below(4)) {
    case 0: {
      const changed = wire.slice();
      changed[at] ^= 1 << random.below(8);
      return changed;
    }
    case 1:
      return concat([wire.subarray(0, at), wire.subarray(at + 1)]);
    case 2:
      return concat([
        wire.subarray(0, at),
        new Uint8Array([~wire[at] & 0xff]),
        wire.subarray(at),
      ]);
    default:
      return random.bytes(random.below(20));
  }
}

Deno.test("examples/custom_codec.ts reads every frame that arrives whole, whatever came before it, at every cut", () => {
  let frames = 0;
  let reports = 0;
  for (let seed = 0; seed < STREAMS; seed++) {
    const random = new Random(seed);
    const stream: Uint8Array[] = [];
    const whole: string[] = [];
    for (let i = 0; i < 20; i++) {
      // Payloads full of what headers begin with.
      const payload = random.bytes(
        random.below(random.pick([4, 30, 400])),
        hex("53 4c 00 01 ac b3"),
      );
      const wire = encodeFrame(checkedFrames(), payload);
      if (random.below(3) === 0) stream.push(damaged(random, wire));
      else {
        stream.push(wire);
        whole.push(describeFrame(payload));
      }
    }
    // So that what looks like a header has as much behind it as it says.
    const bytes = concat([...stream, new Uint8Array(66_000)]);
    const expected = outcomes(checkedFrames(), [bytes]);
    const about = `seed ${seed}`;
    const read = expected.filter((outcome) => outcome.startsWith("="));
    assertEquals(read, whole, about);
    frames += whole.length;
    reports += expected.length - read.length - 1;

    const short = bytes.subarray(0, bytes.length - 65_990);
    for (const chunks of [random.chunks(short), byteByByte(short)]) {
      assertEquals(
        outcomes(checkedFrames(), chunks),
        outcomes(checkedFrames(), [short]),
        about,
      );
    }
  }
  assert(frames > STREAMS && reports > STREAMS, `${frames}, ${reports}`);
});

Deno.test("examples/custom_codec.ts notices that the stream ended inside a frame", () => {
  const wire = encodeFrame(checkedFrames(), raw("hello")).subarray(0, -1);
  assertEquals(outcomes(checkedFrames(), [wire]), [
    "truncated: 11 of 12, hello\x22\x92\x15",
  ]);
});
