/**
 * The fields of a frame that has come whole.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { FieldReader } from "../../lib/protocols/field_reader.ts";
import { hex } from "../support/wire.ts";

Deno.test("FieldReader reads numbers and bytes one after another", () => {
  const reader = new FieldReader(hex("ff 01 0203 00000004 0506 07"), 1);
  assertEquals(reader.uint(1), 1);
  assertEquals(reader.uint(2), 0x0203);
  assertEquals(reader.uint(4), 4);
  assertEquals(reader.position, 8);
  assertEquals(reader.take(2), hex("0506"));
  assertEquals(reader.left, 1);
  assertEquals(reader.rest(), hex("07"));
  assertEquals(reader.rest(), hex(""));
  reader.expectEnd("it");
});

Deno.test("FieldReader gives views, and copies nothing", () => {
  const bytes = hex("0102");
  assertEquals(new FieldReader(bytes).take(2).buffer, bytes.buffer);
});

Deno.test("FieldReader does not read behind the end, and stays where it is", () => {
  const reader = new FieldReader(hex("01 02 03"));
  reader.take(1);
  for (const read of [() => reader.uint(4), () => reader.take(3)]) {
    assertThrows(read, RangeError, "the field at byte 1 takes");
    assertEquals(reader.position, 1);
  }
  assertThrows(
    () => reader.take(3),
    RangeError,
    "the field at byte 1 takes 3 bytes, and there are 2",
  );
});

Deno.test("FieldReader says how much is left behind the last field", () => {
  const reader = new FieldReader(hex("01 02"));
  const left = (count: string) =>
    assertThrows(
      () => reader.expectEnd("a part"),
      RangeError,
      `${count} left behind the last field of a part`,
    );
  left("2 bytes are");
  reader.take(1);
  left("1 byte is");
});

Deno.test("FieldReader reads a part, all of it and nothing else", () => {
  const reader = new FieldReader(hex("01 02 03 04"));
  assertEquals(reader.within(2, "it", () => reader.rest()), hex("0102"));
  assertEquals(reader.rest(), hex("0304"));
  const faults: [count: number, read: (reader: FieldReader) => unknown][] = [
    [1, (reader) => reader.uint(2)], // more than the part has
    [3, (reader) => reader.uint(2)], // less
    [5, (reader) => reader.uint(4)], // the part is longer than the frame
  ];
  for (const [count, read] of faults) {
    const reader = new FieldReader(hex("01 02 03 04"));
    assertThrows(
      () => reader.within(count, "it", () => read(reader)),
      RangeError,
    );
  }
});
