/**
 * Checks of the options that codecs are made with.
 *
 * @module
 */

import {
  asciiLength,
  delimited,
  encodeFrame,
  fixedLength,
  headerBlock,
  lengthPrefixed,
  lines,
  messages,
  netstring,
  typed,
  untilClose,
  varintPrefixed,
} from "@framewire/framewire";
import { assertEquals, assertThrows } from "@std/assert";
import {
  checkInteger,
  checkLimits,
  checkOneOf,
  DEFAULT_MAX_FRAME_LENGTH,
} from "../../lib/codec/options.ts";
import { outcomes } from "../support/outcomes.ts";
import { raw } from "../support/wire.ts";

/** Options as they may come from a file, about which the compiler knows nothing. */
const parsed = JSON.parse;

Deno.test("a codec refuses wrong options when it is made, and says what is allowed", () => {
  const { MAX_SAFE_INTEGER: most } = Number;
  for (
    const [make, kind, message] of [
      [
        () => fixedLength(0),
        RangeError,
        `length must be a whole number from 1 to ${most}: it is 0`,
      ],
      [() => fixedLength(-1), RangeError, "it is -1"],
      [() => fixedLength(1.5), RangeError, "it is 1.5"],
      [() => fixedLength(NaN), RangeError, "it is NaN"],
      [() => fixedLength(Infinity), RangeError, "it is Infinity"],
      [() => fixedLength(2 ** 53), RangeError, "it is 9007199254740992"],
      [
        () => fixedLength(parsed('"4"')),
        TypeError,
        "length must be a number: it is of type string",
      ],

      [() => delimited(""), RangeError, "delimiter must not be empty"],
      [() => delimited(raw("")), RangeError, "delimiter must not be empty"],
      [() => delimited([",", ""]), RangeError, "delimiter must not be empty"],
      [() => delimited([]), RangeError, "there must be a delimiter"],
      [() => delimited(parsed("5")), TypeError, ""],
      [
        () => delimited("|", { include: "prefix", tail: "error" }),
        RangeError,
        'tail must be "emit" with include "prefix", as no delimiter ends the last frame',
      ],
      [
        () => delimited("|", { include: parsed("true") }),
        RangeError,
        'include must be one of false, "suffix", "prefix": it is true',
      ],
      [
        () => delimited("|", { tail: parsed('"drop"') }),
        RangeError,
        'tail must be one of "error", "emit": it is "drop"',
      ],

      [
        () => lines({ newline: parsed('"\\r"') }),
        RangeError,
        String.raw`newline must be one of "\n", "\r\n": it is "\r"`,
      ],
      [
        () => lines({ allowCR: parsed('"yes"') }),
        TypeError,
        'allowCR must be one of true, false: it is "yes"',
      ],
      [
        () => lines({ tail: parsed('"drop"') }),
        RangeError,
        "tail must be one of",
      ],

      [
        () => lengthPrefixed({ width: parsed("0") }),
        RangeError,
        "width must be one of 1, 2, 3, 4, 8: it is 0",
      ],
      [() => lengthPrefixed({ width: parsed("5") }), RangeError, "it is 5"],
      [() => lengthPrefixed({ width: parsed("-4") }), RangeError, "it is -4"],
      [() => lengthPrefixed({ width: parsed('"4"') }), TypeError, 'it is "4"'],
      [
        () => lengthPrefixed({ byteOrder: parsed('"network"') }),
        RangeError,
        'byteOrder must be one of "big", "little": it is "network"',
      ],
      [
        () => lengthPrefixed({ offset: -1 }),
        RangeError,
        "offset must be a whole number from 0 to 65535: it is -1",
      ],
      [() => lengthPrefixed({ offset: 65_536 }), RangeError, "it is 65536"],
      [
        () => lengthPrefixed({ strip: -1 }),
        RangeError,
        "strip must be a whole number from 0 to 65535: it is -1",
      ],
      [
        () => lengthPrefixed({ adjustment: 0.5 }),
        RangeError,
        "adjustment must be a whole number from -4294967295 to 4294967295",
      ],
      [
        () => lengthPrefixed({ adjustment: parsed('"1"') }),
        TypeError,
        "adjustment must be a number: it is of type string",
      ],
      [
        () => lengthPrefixed({ includesHeader: parsed("1") }),
        TypeError,
        "includesHeader must be one of true, false: it is 1",
      ],
      [
        () => lengthPrefixed({ width: 1, maxFrameLength: 256 }),
        RangeError,
        "maxFrameLength must be a whole number from 0 to 255: it is 256",
      ],
      [
        () =>
          lengthPrefixed({ width: 2, offset: 2, strip: 0, maxFrameLength: 3 }),
        RangeError,
        "no frame can be within maxFrameLength of 3 bytes",
      ],
      [
        () => lengthPrefixed({ width: 1, adjustment: -300 }),
        RangeError,
        "no frame can be within maxFrameLength of 0 bytes",
      ],

      [
        () => varintPrefixed({ maxWidth: 0 }),
        RangeError,
        "maxWidth must be a whole number from 1 to 8: it is 0",
      ],
      [() => varintPrefixed({ maxWidth: 9 }), RangeError, "it is 9"],
      [
        () => varintPrefixed({ maxWidth: 4, maxFrameLength: 2 ** 28 }),
        RangeError,
        "maxFrameLength must be a whole number from 0 to 268435455: it is 268435456",
      ],

      [
        () => asciiLength({ digits: 0 }),
        RangeError,
        "digits must be a whole number from 1 to 15: it is 0",
      ],
      [() => asciiLength({ digits: 16 }), RangeError, "it is 16"],
      [
        () => asciiLength({ radix: parsed("8") }),
        RangeError,
        "radix must be one of 10, 16: it is 8",
      ],
      [
        () => asciiLength({ terminator: "0" }),
        RangeError,
        'terminator must not begin with a digit: it is "0"',
      ],
      [
        () => asciiLength({ terminator: "F", radix: 16 }),
        RangeError,
        'it is "F"',
      ],
      [
        () => asciiLength({ terminator: "é" }),
        RangeError,
        'terminator must be at most 16 ASCII characters: it is "é"',
      ],
      [
        () => asciiLength({ trailer: "-".repeat(17) }),
        RangeError,
        "trailer must be at most 16 ASCII characters",
      ],
      [
        () => asciiLength({ terminator: parsed("5") }),
        TypeError,
        "terminator must be a string: it is of type number",
      ],
      [
        () => asciiLength({ includesHeader: parsed("0") }),
        TypeError,
        "includesHeader must be one of true, false: it is 0",
      ],
      [
        () => asciiLength({ digits: 4, maxFrameLength: 10_000 }),
        RangeError,
        "maxFrameLength must be a whole number from 0 to 9999: it is 10000",
      ],
      [
        () => netstring({ maxFrameLength: 1e15 }),
        RangeError,
        "from 0 to 999999999999999",
      ],

      [
        () => typed({ length: -1 }),
        RangeError,
        "length must be a whole number from 0",
      ],
      [
        () => typed({ length: { 1: 4, 2: -4 } }),
        RangeError,
        "length of tag 2 must be a whole number from 0",
      ],
      [
        () => typed({ length: 0, tagWidth: parsed("5") }),
        RangeError,
        "tagWidth must be one of 1, 2, 3, 4, 8: it is 5",
      ],
      [
        () => typed({ length: 0, byteOrder: parsed('"host"') }),
        RangeError,
        'byteOrder must be one of "big", "little": it is "host"',
      ],

      [
        () => headerBlock({ maxHeaderLength: 0 }),
        RangeError,
        "maxHeaderLength must be a whole number from 1",
      ],
      [
        () => messages({ maxHeaderLength: 1 }),
        RangeError,
        "maxHeaderLength must be a whole number from 2 to 65535: it is 1",
      ],
      [() => messages({ maxHeaderLength: 65_536 }), RangeError, "it is 65536"],
    ] as const
  ) {
    const error = assertThrows(make, kind, message);
    if (message !== "") {
      assertEquals(error.message.slice(0, 19), "Cannot make codec: ");
    }
  }
});

Deno.test("every codec with a limit refuses a wrong one", () => {
  for (
    const make of [
      (options: object) => delimited("\n", options),
      lines,
      lengthPrefixed,
      varintPrefixed,
      asciiLength,
      netstring,
      headerBlock,
      untilClose,
      messages,
    ]
  ) {
    for (const maxFrameLength of [-1, 0.5, NaN, Infinity]) {
      assertThrows(
        () => make({ maxFrameLength }),
        RangeError,
        "Cannot make codec: maxFrameLength must be a whole number",
        make.name,
      );
    }
    assertThrows(
      () => make(parsed('{"maxFrameLength": "5"}')),
      TypeError,
      "Cannot make codec: maxFrameLength must be a number: it is of type string",
    );
    if (make === untilClose) continue;
    assertThrows(
      () => make(parsed('{"onOversize": "drop"}')),
      RangeError,
      'Cannot make codec: onOversize must be one of "error", "skip": it is "drop"',
    );
  }
});

Deno.test("every codec with a limit has one of 1 MiB by default, or what its length can say", () => {
  for (
    const [codec, wire, limit] of [
      [lengthPrefixed(), "\0\x10\0\x01", 1_048_576],
      [varintPrefixed(), "\x81\x80\x40", 1_048_576],
      [netstring(), "1048577", 1_048_576],
      [headerBlock(), "Content-Length: 1048577\r\n\r\n", 1_048_576],
      [delimited("\n"), "x".repeat(1_048_577), 1_048_576],
      [untilClose(), "x".repeat(1_048_577), 1_048_576],
    ] as const
  ) {
    const [outcome] = outcomes(codec, [raw(wire)]);
    assertEquals(outcome, `too large: ${limit + 1} > ${limit}`);
  }
  assertEquals(checkLimits({}), { limit: 1_048_576, onOversize: "error" });
  assertEquals(checkLimits({}, 255).limit, 255);
  assertEquals(DEFAULT_MAX_FRAME_LENGTH, 1_048_576);
});

Deno.test("every limit is exact: a payload of that length passes, one byte more does not", () => {
  const most = 6;
  const makers = {
    delimited: (maxFrameLength: number) => delimited("\n", { maxFrameLength }),
    lengthPrefixed: (maxFrameLength: number) =>
      lengthPrefixed({ maxFrameLength }),
    varintPrefixed: (maxFrameLength: number) =>
      varintPrefixed({ maxFrameLength }),
    asciiLength: (maxFrameLength: number) => asciiLength({ maxFrameLength }),
    netstring: (maxFrameLength: number) => netstring({ maxFrameLength }),
    headerBlock: (maxFrameLength: number) => headerBlock({ maxFrameLength }),
    untilClose: (maxFrameLength: number) => untilClose({ maxFrameLength }),
  };
  for (const [name, make] of Object.entries(makers)) {
    const unlimited = make(2 * most);
    for (let limit = 0; limit <= most; limit++) {
      const codec = make(limit);
      for (let length = 1; length <= 2 * most; length++) {
        const payload = new Uint8Array(length).fill(97);
        const wire = encodeFrame(unlimited, payload);
        const passes = length <= limit;
        const [outcome] = outcomes(codec, [wire]);
        const about = `${name}: ${length} of ${limit}`;
        assertEquals(outcome.startsWith("="), passes, about);
        if (passes) assertEquals(encodeFrame(codec, payload), wire, about);
        else {assertThrows(
            () => encodeFrame(codec, payload),
            RangeError,
            "exceeds maxFrameLength",
            about,
          );}
      }
    }
  }
});

Deno.test("checkInteger(), checkOneOf() and checkLimits() return what is right", () => {
  assertEquals(checkInteger("length", 5, 5, 5), 5);
  assertEquals(checkOneOf("tail", "emit", ["error", "emit"]), "emit");
  assertEquals(
    checkLimits({ maxFrameLength: 0, onOversize: "skip" }),
    { limit: 0, onOversize: "skip" },
  );
});

Deno.test("checkOneOf() shows any value that it refuses", () => {
  for (
    const [value, shown] of [
      [NaN, "NaN"],
      [Infinity, "Infinity"],
      ["\n", String.raw`"\n"`],
      [parsed("null"), "null"],
      [parsed("[1]"), "1"],
    ]
  ) {
    assertThrows(
      () => checkOneOf("radix", value, []),
      TypeError,
      `it is ${shown}`,
    );
  }
});
