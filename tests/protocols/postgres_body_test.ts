import { assertEquals, assertThrows } from "@std/assert";
import {
  BodyReader,
  BodyWriter,
  oneOf,
} from "../../lib/protocols/postgres_body.ts";
import { raw, unraw } from "../support/wire.ts";

Deno.test("BodyReader reads numbers with and without a sign", () => {
  const body = new BodyReader(raw("\xff\xfe\xff\xfe\x7f\xff\x80\0\0\0"));
  assertEquals([body.uint(2), body.int(2)], [65534, -2]);
  assertEquals([body.int(2), body.int(4)], [32767, -(2 ** 31)]);
  body.expectEnd();
});

Deno.test("BodyReader reads texts, values and lists", () => {
  const body = new BodyReader(
    raw("a\0\0" + "\0\0\0\x01x\xff\xff\xff\xff" + "\0\x02\x01\x02" + "bc\0d"),
  );
  assertEquals([body.text(), body.text()], ["a", ""]);
  assertEquals([body.value(), body.value()], [raw("x"), null]);
  assertEquals(body.list(() => body.uint(1)), [1, 2]);
  assertEquals(body.untilZero(() => body.letter()), ["b", "c"]);
  assertEquals(body.left, 1);
  assertEquals(body.rest(), raw("d"));
  body.expectEnd();
});

Deno.test("BodyReader takes no memory for a list that was only announced", () => {
  const body = new BodyReader(raw("\xff\xff\xff\xff"));
  let asked = 0;
  assertThrows(
    () =>
      body.list(() => {
        asked++;
        return body.uint(1);
      }, 4),
    RangeError,
    "the field at byte 4 takes 1 byte, and there are 0",
  );
  assertEquals(asked, 1);
});

Deno.test("BodyReader says what is left", () => {
  for (
    const [wire, clause] of [["x", "1 byte is"], ["xy", "2 bytes are"]]
  ) {
    assertThrows(
      () => new BodyReader(raw(wire)).expectEnd(),
      RangeError,
      `${clause} left behind the last field of the message`,
    );
  }
});

Deno.test("BodyWriter lays out what BodyReader reads", () => {
  const body = new BodyWriter();
  body.int("number", -2, 2);
  body.uint("number", 65534, 2);
  body.text("é");
  body.value(raw("x"));
  body.value(null);
  body.list("count", ["a", "b"], (letter) => body.letter(letter));
  body.format("binary", 1);
  assertEquals(
    unraw(body.finish()),
    "\xff\xfe\xff\xfe\xc3\xa9\0\0\0\0\x01x\xff\xff\xff\xff\0\x02ab\x01",
  );
});

Deno.test("BodyWriter refuses numbers that do not fit", () => {
  for (const value of [-32769, 32768, 1.5, NaN]) {
    assertThrows(
      () => new BodyWriter().int("size", value, 2),
      RangeError,
      `Cannot write frame: size must be a whole number from -32768 to 32767: it is ${value}`,
    );
  }
});

Deno.test("oneOf() names what was allowed", () => {
  assertEquals(oneOf("side", "b", ["a", "b"]), 1);
  assertThrows(
    () => oneOf("side", "c", ["a", "b"]),
    RangeError,
    'Cannot write frame: side must be one of "a", "b": it is "c"',
  );
});
