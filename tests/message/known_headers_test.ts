/**
 * Headers that were read lately.
 *
 * @module
 */

import { ByteQueue } from "@framewire/framewire";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { parseHeader } from "../../lib/message/header.ts";
import { KnownHeaders } from "../../lib/message/known_headers.ts";
import { headerJson } from "../support/messages.ts";
import { raw } from "../support/wire.ts";

function parse(text: string) {
  const bytes = raw(text);
  return {
    bytes,
    header: parseHeader(bytes, () => ({ offset: 0, preview: bytes })),
  };
}

function find(known: KnownHeaders, text: string, length = text.length) {
  const received = new ByteQueue();
  received.push(raw(`??${text}`));
  return known.find(received, length, 2);
}

Deno.test("KnownHeaders finds a header by its bytes, all of them", () => {
  const known = new KnownHeaders();
  const text = headerJson(12);
  const { bytes, header } = parse(text);
  assertEquals(find(known, text), undefined);
  assertStrictEquals(known.keep(bytes, header), header);
  assertStrictEquals(find(known, text), header);
  for (let index = 0; index < text.length; index++) {
    const changed = `${text.slice(0, index)}?${text.slice(index + 1)}`;
    assertEquals(find(known, changed), undefined, `byte ${index}`);
  }
  assertEquals(find(known, text.slice(0, -1), text.length), undefined);
});

Deno.test("KnownHeaders keeps headers of several lengths, and one of each", () => {
  const known = new KnownHeaders();
  const texts = [1, 12, 123].map((length) => headerJson(length));
  const headers = texts.map((text) => {
    const { bytes, header } = parse(text);
    return known.keep(bytes, header);
  });
  texts.forEach((text, i) => assertStrictEquals(find(known, text), headers[i]));

  const { bytes, header } = parse(headerJson(13));
  known.keep(bytes, header);
  assertEquals(find(known, texts[1]), undefined);
  assertStrictEquals(find(known, texts[0]), headers[0]);
});

Deno.test("KnownHeaders keeps none that is long or has further fields", () => {
  const known = new KnownHeaders();
  for (
    const text of [
      headerJson(1, { id: 7 }),
      headerJson(1).replace("{", `{${" ".repeat(300)}`),
    ]
  ) {
    const { bytes, header } = parse(text);
    assertStrictEquals(known.keep(bytes, header), header);
    assertEquals(find(known, text), undefined);
  }
});
