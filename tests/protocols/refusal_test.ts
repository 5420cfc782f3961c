/**
 * Refusals to write.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { checkNumber, orRefuse } from "../../lib/protocols/refusal.ts";

Deno.test("orRefuse() gives what was laid out", () => {
  assertEquals(orRefuse(() => 5), 5);
});

Deno.test("orRefuse() words reasons as refusals, and keeps their kind", () => {
  for (const Fault of [RangeError, TypeError]) {
    const reason = new Fault("id must not be 0");
    const fault = assertThrows(
      () =>
        orRefuse(() => {
          throw reason;
        }),
      Fault,
    );
    assertEquals(fault.message, "Cannot write frame: id must not be 0");
    assertEquals(fault.cause, reason);
  }
});

Deno.test("orRefuse() leaves refusals as they are, and what is no error", () => {
  for (const thrown of [new RangeError("Cannot write frame: no"), "no"]) {
    let caught: unknown;
    try {
      orRefuse(() => {
        throw thrown;
      });
    } catch (error) {
      caught = error;
    }
    assertEquals(caught, thrown);
  }
});

Deno.test("checkNumber() takes whole numbers within their bounds", () => {
  assertEquals([0, 5].map((n) => checkNumber("n", n, 5)), [0, 5]);
  for (const n of [-1, 6, 1.5, NaN, Infinity]) {
    const message = `n must be from 0 to 5: it is ${n}`;
    assertThrows(() => checkNumber("n", n, 5), RangeError, message);
  }
  assertThrows(
    () => checkNumber("n", 0, 5, 1),
    RangeError,
    "n must be from 1 to 5: it is 0",
  );
});
