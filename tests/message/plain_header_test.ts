/**
 * Headers read without a JSON parser: the same as with one, or not at all.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parseHeader } from "../../lib/message/header.ts";
import { readPlainHeader } from "../../lib/message/plain_header.ts";
import { Random } from "../support/random.ts";
import { raw } from "../support/wire.ts";

const PLAIN =
  '{"byteorder": "little", "content-type": "text/json", "content-encoding": "utf-8", "content-length": 41}';

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseHeader(bytes, () => ({ offset: 0, preview: bytes }));
  } catch {
    return undefined;
  }
}

for (
  const [name, header] of [
    ["as Python lays it out", PLAIN],
    ["as JSON.stringify lays it out", PLAIN.replaceAll(" ", "")],
    ["in network byte order", PLAIN.replace("little", "big")],
    ["with an empty type", PLAIN.replace("text/json", "")],
    ["with a length of zero", PLAIN.replace("41", "0")],
    ["with a length of 15 digits", PLAIN.replace("41", "1".repeat(15))],
    ["with a type of 64 bytes", PLAIN.replace("text/json", "t".repeat(64))],
  ]
) {
  Deno.test(`readPlainHeader() reads a header ${name}`, () => {
    const bytes = raw(header);
    const read = readPlainHeader(bytes);
    assertEquals<unknown>(read, JSON.parse(JSON.stringify(parsed(bytes))));
    assertEquals<unknown>(readPlainHeader(bytes), read);
  });
}

for (
  const [name, header] of [
    ["fields in another order", '{"content-length": 41, ' + PLAIN.slice(1)],
    ["a further field", PLAIN.replace("}", ', "id": 1}')],
    ["a space where there is none", PLAIN.replace("41", "41 ")],
    ["an escape", PLAIN.replace("text/json", "text\\/json")],
    ["a control character", PLAIN.replace("text/json", "text\njson")],
    ["a character beyond ASCII", PLAIN.replace("json", "js\xc3\xb6n")],
    ["a zero before the length", PLAIN.replace("41", "041")],
    ["a negative length", PLAIN.replace("41", "-1")],
    ["a fraction", PLAIN.replace("41", "4.1")],
    ["a length of 16 digits", PLAIN.replace("41", "1".repeat(16))],
    ["no length", PLAIN.replace("41", "")],
    ["another byte order", PLAIN.replace("little", "litt1e")],
    ["something behind it", `${PLAIN} `],
    ["a type of 65 bytes", PLAIN.replace("text/json", "t".repeat(65))],
  ]
) {
  Deno.test(`readPlainHeader() leaves ${name} to the parser`, () => {
    assertEquals(readPlainHeader(raw(header)), undefined);
  });
}

Deno.test("readPlainHeader() leaves a header that is cut anywhere", () => {
  for (let length = 0; length < PLAIN.length; length++) {
    assertEquals(readPlainHeader(raw(PLAIN.slice(0, length))), undefined);
  }
});

Deno.test("readPlainHeader() never reads what the parser reads differently", () => {
  let read = 0;
  for (let seed = 0; seed < 20_000; seed++) {
    const random = new Random(seed);
    const bytes = raw(random.pick([PLAIN, PLAIN.replaceAll(" ", "")]));
    for (let change = random.below(3); change >= 0; change--) {
      bytes[random.below(bytes.length)] = random.pick([
        random.below(256),
        random.pick(bytes),
        random.pick(raw('0129 ",:{}\\')),
      ]);
    }
    const header = readPlainHeader(bytes);
    if (header === undefined) continue;
    assertEquals<unknown>(header, parsed(bytes), `seed ${seed}`);
    read++;
  }
  assertEquals(read > 1000, true, `${read} of the headers were still plain`);
});
