/**
 * The fields of MQTT's packets.
 *
 * @module
 */

import { ByteSink } from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import { FieldReader } from "../../lib/protocols/field_reader.ts";
import {
  MAX_VARINT,
  readBytes,
  readText,
  readVarint,
  writeBytes,
  writeText,
} from "../../lib/protocols/mqtt_fields.ts";
import { hex } from "../support/wire.ts";

Deno.test("MQTT's numbers are those of the standard, section 1.5.5", () => {
  const numbers: Record<string, number> = {
    "00": 0,
    "7f": 127,
    "80 01": 128,
    "ff 7f": 16_383,
    "80 80 01": 16_384,
    "ff ff 7f": 2_097_151,
    "80 80 80 01": 2_097_152,
    "ff ff ff 7f": MAX_VARINT,
  };
  for (const [wire, number] of Object.entries(numbers)) {
    const reader = new FieldReader(hex(wire));
    assertEquals([readVarint(reader, "n"), reader.left], [number, 0]);
  }
});

Deno.test("MQTT's numbers take no more bytes than they need, and four at most", () => {
  const faults: Record<string, string> = {
    "80 00": "n 0 takes 2 bytes and needs fewer",
    "ff 80 00": "n 127 takes 3 bytes and needs fewer",
    "80 80 80 80 01": "n does not end within 4 bytes",
    "80": "takes 1 bytes, and there are 0",
  };
  for (const [wire, message] of Object.entries(faults)) {
    const reader = new FieldReader(hex(wire));
    assertThrows(() => readVarint(reader, "n"), RangeError, message);
  }
});

Deno.test("MQTT's texts and bytes are read as they were written", () => {
  const out = new ByteSink();
  writeText(out, "é\ufeff", "it");
  writeBytes(out, hex("00ff"), "it");
  writeBytes(out, new Uint8Array(65535), "it");
  const reader = new FieldReader(out.bytes());
  assertEquals(readText(reader, "it"), "é\ufeff");
  assertEquals(readBytes(reader), hex("00ff"));
  assertEquals(readBytes(reader).length, 65535);
});

Deno.test("MQTT's texts have no zero character, and are UTF-8", () => {
  const read = (wire: string) => readText(new FieldReader(hex(wire)), "it");
  assertThrows(() => read("0001 00"), RangeError, "it must not have");
  assertThrows(() => read("0001 c3"), TypeError, "not valid UTF-8");
  const write = (text: string) => writeText(new ByteSink(), text, "it");
  assertThrows(() => write("a\0"), RangeError, "it must not have");
  assertThrows(() => write("\udfff"), TypeError, "surrogate");
  assertThrows(
    () => write("é".repeat(32768)),
    RangeError,
    "length of it must be from 0 to 65535: it is 65536",
  );
});
