/**
 * The declarations in `links/` are written by hand. Here their promises are
 * compiled, the misuses that they must refuse are refused, and the functions
 * behind them run.
 *
 * @module
 */

import * as assertModule from "@std/assert";
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertMatch,
  assertNotEquals,
  assertNotInstanceOf,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
  unreachable,
} from "@std/assert";
import * as bytesModule from "@std/bytes";
import { concat, copy, equals, indexOfNeedle, repeat } from "@std/bytes";
import { parseArgs } from "@std/cli";
import * as parseArgsModule from "@std/cli/parse-args";

/** `true` if `A` and `B` are one type, else `false`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles only where `_Statement` is true. */
function holds<_Statement extends true>(): void {}

/** Something of the type `T`, of which the compiler forgets what it is. */
function some<T>(value: T): T {
  return value;
}

class CodedError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const HELLO = new TextEncoder().encode("hello");

Deno.test("@std/assert declares the names that it has", () => {
  const declared: Record<keyof typeof assertModule, true> = {
    AssertionError: true,
    assert: true,
    assertAlmostEquals: true,
    assertArrayIncludes: true,
    assertEquals: true,
    assertExists: true,
    assertFalse: true,
    assertGreater: true,
    assertGreaterOrEqual: true,
    assertInstanceOf: true,
    assertIsError: true,
    assertLess: true,
    assertLessOrEqual: true,
    assertMatch: true,
    assertNotEquals: true,
    assertNotInstanceOf: true,
    assertNotMatch: true,
    assertNotStrictEquals: true,
    assertObjectMatch: true,
    assertRejects: true,
    assertStrictEquals: true,
    assertStringIncludes: true,
    assertThrows: true,
    equal: true,
    fail: true,
    unimplemented: true,
    unreachable: true,
  };
  assertEquals(Object.keys(assertModule).sort(), Object.keys(declared).sort());
});

Deno.test("@std/bytes declares the names that it has", () => {
  const declared: Record<keyof typeof bytesModule, true> = {
    concat: true,
    copy: true,
    endsWith: true,
    equals: true,
    includesNeedle: true,
    indexOfNeedle: true,
    lastIndexOfNeedle: true,
    repeat: true,
    startsWith: true,
  };
  assertEquals(Object.keys(bytesModule).sort(), Object.keys(declared).sort());
});

Deno.test("@std/cli/parse-args declares the name that it has", () => {
  const declared: Record<keyof typeof parseArgsModule, true> = {
    parseArgs: true,
  };
  assertEquals(Object.keys(parseArgsModule), Object.keys(declared));
  assertStrictEquals(parseArgsModule.parseArgs, parseArgs);
});

Deno.test("assert() and its kin narrow what they were given", () => {
  const text = some<string | number>("5");
  assert(typeof text === "string");
  holds<Same<typeof text, string>>();

  const empty = some<"" | "full">("");
  assertFalse(empty);
  holds<Same<typeof empty, "">>();

  const present = some<string | null | undefined>("here");
  assertExists(present);
  holds<Same<typeof present, string>>();

  const exact = some<unknown>(7);
  assertStrictEquals(exact, 7);
  holds<Same<typeof exact, 7>>();

  assertThrows(() => assert(some(0)), AssertionError);
});

Deno.test("assertInstanceOf() and assertIsError() narrow to the class", () => {
  const caught = some<unknown>(new CodedError(3, "Cannot read: closed"));
  assertInstanceOf(caught, CodedError);
  holds<Same<typeof caught.code, number>>();

  const chunk = some<unknown>(HELLO);
  assertInstanceOf(chunk, Uint8Array);
  holds<Same<typeof chunk.byteLength, number>>();

  const either = some<CodedError | string>("text");
  assertNotInstanceOf(either, CodedError);
  holds<Same<typeof either, string>>();

  const error = some<unknown>(new CodedError(4, "Cannot write: closed"));
  assertIsError(error, CodedError, /closed$/);
  holds<Same<typeof error, CodedError>>();

  const plain = some<unknown>(new Error("Cannot read"));
  assertIsError(plain);
  holds<Same<typeof plain, Error>>();

  assertThrows(() => assertInstanceOf(some({}), CodedError), AssertionError);
  // @ts-expect-error: an instance is not a class
  assertThrows(() => assertInstanceOf(some({}), new Error()));
});

Deno.test("assertThrows() returns the error that it was told to expect", () => {
  const fail = (): never => {
    throw new CodedError(5, "Cannot open: refused");
  };
  const error = assertThrows(fail, CodedError, "refused");
  holds<Same<typeof error, CodedError>>();
  assertEquals(error.code, 5);

  const anything = assertThrows(fail);
  holds<Same<typeof anything, unknown>>();
  assertThrows(() => assertThrows(fail, TypeError), AssertionError);
  assertThrows(() => assertThrows(() => {}), AssertionError);

  // @ts-expect-error: what it returns is a CodedError
  const wrong: RangeError & { kind: 1 } = assertThrows(fail, CodedError);
  assertExists(wrong);
});

Deno.test("assertRejects() resolves to the error that it was told to expect", async () => {
  const fail = (): Promise<never> =>
    Promise.reject(new CodedError(6, "Cannot open: refused"));
  const error = await assertRejects(fail, CodedError, "refused");
  holds<Same<typeof error, CodedError>>();
  assertEquals(error.code, 6);

  const anything = await assertRejects(fail);
  holds<Same<typeof anything, unknown>>();

  // @ts-expect-error: a function that returns no promise has nothing to reject
  await assertRejects(() => assertRejects(() => 5), AssertionError);
});

Deno.test("the comparing assertions take values of one type", () => {
  assertEquals(HELLO, new Uint8Array([104, 101, 108, 108, 111]));
  assertEquals<unknown>({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] });
  assertNotEquals([1, 2], [1, 3]);
  assertGreater(2, 1);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertArrayIncludes([1, 2, 3], [2, 3]);
  assertArrayIncludes(HELLO, [104]);
  assertMatch("echo-server", /^echo/);
  assertObjectMatch(new CodedError(7, "Cannot read"), { code: 7 });

  assertThrows(() => assertEquals(some<unknown>(1), "1"), AssertionError);
  // @ts-expect-error: a number is never a string
  assertThrows(() => assertEquals(1, "1"), AssertionError);
  // @ts-expect-error: a pattern is no string
  assertThrows(() => assertMatch("echo", "echo"));
  // @ts-expect-error: the message of an AssertionError is required
  assertExists(new AssertionError());
});

Deno.test("unreachable() never returns", () => {
  const width = some<1 | 2>(2);
  const bits = (): number => {
    switch (width) {
      case 1:
        return 8;
      case 2:
        return 16;
      default:
        unreachable();
    }
  };
  assertEquals(bits(), 16);
  assertThrows(() => unreachable(), AssertionError);
});

Deno.test("@std/bytes works on byte arrays, and makes new ones", () => {
  const twice = concat([HELLO, HELLO]);
  holds<Same<typeof twice, Uint8Array<ArrayBuffer>>>();
  assert(equals(twice, repeat(HELLO, 2)));
  assertEquals(indexOfNeedle(twice, HELLO, 1), 5);
  assertEquals(copy(HELLO, new Uint8Array(7), 4), 3);

  // @ts-expect-error: the arrays come in an array
  assertExists(() => concat(HELLO, HELLO));
  // @ts-expect-error: text is to be encoded first
  assertFalse(bytesModule.startsWith(HELLO, "hello"));
});

Deno.test("parseArgs() infers its result from the options", () => {
  const args = parseArgs(
    [
      "--port=80",
      "-v",
      "--header=a",
      "--header=b",
      "--no-color",
      "--limit.frame=9",
      "other",
      "5",
      "--",
      "--rest",
    ],
    {
      "--": true,
      alias: { verbose: ["v", "chatty"], port: "p" },
      boolean: ["verbose", "color", "quiet"],
      collect: ["header", "mark", "item"],
      default: { host: "127.0.0.1", color: true, codec: "lines" },
      negatable: ["color", "codec"],
      string: ["host", "port", "header", "mark", "codec", "limit.frame"],
      unknown: (arg) => !arg.startsWith("--"),
    },
  );
  assertEquals(args, {
    _: ["other", 5],
    "--": ["--rest"],
    chatty: true,
    codec: "lines",
    color: false,
    header: ["a", "b"],
    host: "127.0.0.1",
    limit: { frame: "9" },
    mark: [],
    p: "80",
    port: "80",
    quiet: false,
    v: true,
    verbose: true,
  });

  holds<Same<typeof args._, (string | number)[]>>();
  holds<Same<typeof args["--"], string[]>>();
  holds<Same<typeof args.host, string>>();
  holds<Same<typeof args.port, string | undefined>>();
  holds<Same<typeof args.p, string | undefined>>();
  holds<Same<typeof args.verbose, boolean>>();
  holds<Same<typeof args.v, boolean>>();
  holds<Same<typeof args.chatty, boolean>>();
  holds<Same<typeof args.color, boolean>>();
  holds<Same<typeof args.codec, string | false>>();
  holds<Same<typeof args.header, string[]>>();
  holds<Same<typeof args.mark, string[]>>();
  holds<Same<typeof args.item, unknown[] | undefined>>();
  holds<Same<NonNullable<typeof args.limit>["frame"], string | undefined>>();
  holds<Same<typeof args.unheard, unknown>>();

  // @ts-expect-error: without a default a string may be missing
  const port: string = args.port;
  assertEquals(port, "80");
  // @ts-expect-error: a flag that was not declared can be anything
  const unheard: string = args.unheard;
  assertEquals<unknown>(unheard, undefined);
  // @ts-expect-error: a switch is no number
  const level: number = args.verbose;
  assertEquals<unknown>(level, true);
});

Deno.test("parseArgs() takes single names, and knows what it cannot know", () => {
  const single = parseArgs(["--name", "7", "--loud"], {
    boolean: "loud",
    string: "name",
  });
  holds<Same<typeof single.name, string | undefined>>();
  holds<Same<typeof single.loud, boolean>>();
  holds<Same<typeof single["--"], unknown>>();
  assertEquals(single, { _: [], loud: true, name: "7" });

  const bare = parseArgs(["--name", "7"]);
  holds<Same<typeof bare.name, unknown>>();
  assertEquals(bare, { _: [], name: 7 });

  const all = parseArgs(["--name", "7"], { boolean: true });
  holds<Same<typeof all.name, unknown>>();
  assertEquals(all, { _: [7], name: true });

  const names: string[] = ["name"];
  const late = parseArgs(["--name", "7", "8"], { string: names });
  holds<Same<typeof late.name, unknown>>();
  holds<Same<typeof late._, (string | number)[]>>();
  assertEquals(late, { _: [8], name: "7" });

  const words = parseArgs(["7", "x"], { string: ["_"] });
  holds<Same<typeof words._, (string | number)[]>>();
  assertEquals(words, { _: ["7", "x"] });

  // @ts-expect-error: no such option
  assertExists(parseArgs([], { strings: ["name"] }));
  // @ts-expect-error: names are strings
  assertThrows(() => parseArgs([], { boolean: [5] }), TypeError);
});
