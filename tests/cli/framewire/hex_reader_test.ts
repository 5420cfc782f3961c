/**
 * Bytes out of dumps, as other programs print them.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  type HexLayout,
  hexLayout,
  HexReader,
  pastedLayout,
  type Unread,
} from "../../../cli/framewire/hex_reader.ts";
import { hexdump } from "../../../cli/framewire/hexdump.ts";
import { mutate } from "../../support/fuzzing.ts";
import { Random } from "../../support/random.ts";
import { byteByByte, hex, raw, unraw } from "../../support/wire.ts";

/** What a dump says, each packet as a text of its own. */
function readDump(
  layout: HexLayout,
  chunks: Iterable<Uint8Array>,
): Uint8Array<ArrayBuffer>[] {
  const reader = new HexReader(layout);
  const packets: Uint8Array<ArrayBuffer>[][] = [[]];
  const take = (pieces: ReturnType<HexReader["push"]>) => {
    for (const { bytes, begins } of pieces) {
      if (begins) packets.push([]);
      packets.at(-1)?.push(bytes);
    }
  };
  for (const chunk of chunks) take(reader.push(chunk));
  take(reader.end());
  return packets.map(concat).filter(({ length }) => length > 0);
}

/** Reads a dump as what it looks like. */
function read(text: string, chunks: Uint8Array[] = [raw(text)]): string[] {
  const layout = hexLayout(text, true);
  assert(
    layout === "rows" || layout === "packets" || layout === "digits",
    "must be a dump",
  );
  return readDump(layout, chunks).map(unraw);
}

const TEXT = "hello, world: 20 bytes";
/** Sixteen zeros three times, and some bytes. */
const ZEROS = `${"\0".repeat(48)}end`;

/** A dump as a program prints it, and what it is of. */
const DUMPS: readonly (readonly [string, string, string])[] = [
  [
    "hexdump -C",
    `00000000  68 65 6c 6c 6f 2c 20 77  6f 72 6c 64 3a 20 32 30  |hello, world: 20|
00000010  20 62 79 74 65 73                                 | bytes|
00000016
`,
    TEXT,
  ],
  [
    "hexdump -C with rows left out",
    `00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000030  65 6e 64                                          |end|
00000033
`,
    ZEROS,
  ],
  [
    "xxd",
    `00000000: 6865 6c6c 6f2c 2077 6f72 6c64 3a20 3230  hello, world: 20
00000010: 2062 7974 6573                            bytes
`,
    TEXT,
  ],
  [
    "xxd -g1",
    `00000000: 68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 3a 20 32 30  hello, world: 20
00000010: 20 62 79 74 65 73                                 bytes
`,
    TEXT,
  ],
  [
    "xxd -a",
    `00000000: 0000 0000 0000 0000 0000 0000 0000 0000  ................
*
00000030: 656e 64                                  end
`,
    ZEROS,
  ],
  ["xxd -p", "68656c6c6f2c20776f726c643a\n203230206279746573\n", TEXT],
  ["xxd -p in capitals", "68656C6C6F2C20776F726C643A203230206279746573", TEXT],
  [
    "od -A x -t x1",
    `000000 68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 3a 20 32 30
000010 20 62 79 74 65 73
000016
`,
    TEXT,
  ],
  [
    "od -A x -t x1z",
    `000000 68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 3a 20 32 30  >hello, world: 20<
000010 20 62 79 74 65 73                                > bytes<
000016
`,
    TEXT,
  ],
  [
    "od -t x1, which counts in octal",
    `0000000 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
*
0000060 65 6e 64
0000063
`,
    ZEROS,
  ],
  [
    "od -A d -t x1, which counts in tens",
    `0000000 61 62 63 64 65 66 67 68 61 62 63 64 65 66 67 68
0000016 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
*
0000064 65 6e 64
0000067
`,
    `abcdefghabcdefgh${ZEROS}`,
  ],
  [
    "Wireshark",
    `0000   68 65 6c 6c 6f 2c 20 77 6f 72 6c 64 3a 20 32 30   hello, world: 20
0010   20 62 79 74 65 73                                  bytes
`,
    TEXT,
  ],
  ["digits apart", "68 65 6c\t6c 6f\n2c 20\n", "hello, "],
  ["digits with colons", "68:65:6c:6c:6f", "hello"],
  ["digits as in C", "0x68, 0x65, 0x6c,\n0x6c, 0x6f", "hello"],
  ["lines ended by \\r\\n", "00000000  68 69  |hi|\r\n00000002\r\n", "hi"],
];

for (const [what, dump, expected] of DUMPS) {
  Deno.test(`HexReader reads ${what}, wherever it is cut`, () => {
    assertEquals(read(dump), [expected]);
    assertEquals(read(dump, byteByByte(raw(dump))), [expected]);
    for (let cut = 1; cut < dump.length; cut++) {
      const parts = [raw(dump.slice(0, cut)), raw(dump.slice(cut))];
      assertEquals(read(dump, parts), [expected], `cut at ${cut}`);
    }
  });
}

Deno.test("HexReader reads what framewire dumps", () => {
  const random = new Random(1);
  for (let length = 1; length < 70; length++) {
    const bytes = random.bytes(length);
    const lines = hexdump(bytes, random.below(1000)).map((line) => `${line}\n`);
    assertEquals(read(lines.join("")), [unraw(bytes)]);
  }
});

Deno.test("HexReader tells the packets of tcpdump apart", () => {
  const dump = `12:00:00.000001 IP 10.0.0.1.40000 > 10.0.0.2.7: Flags [P.]
\t0x0000:  4500 0102 0304 0506 0708 090a 0b0c 0d0e  E...............
\t0x0010:  0f                                       .
12:00:00.000002 IP 10.0.0.2.7 > 10.0.0.1.40000: Flags [.]
\t0x0000:  4500 ff                                  E..
`;
  const expected = [
    "E\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
    "E\0\xff",
  ];
  assertEquals(read(dump), expected);
  assertEquals(read(dump, byteByByte(raw(dump))), expected);
});

/** What is none. */
const NO_DUMPS: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["text", "hello\nworld\n"],
  ["JSON", '{"a":1}\n'],
  ["a word of hexadecimal digits", "decade\n"],
  ["a number", "123456\n"],
  ["an odd number of digits", "123456789\n"],
  ["a length of digits and text", "00005hello"],
  ["a line feed", "\n68656c6c6f\n"],
  ["binary", "\0\0\0\x05hello\n"],
  ["a time and text", "12:00:00.000001 it began\nand went on\n"],
  ["a header of HTTP", "Content-Length: 5\n"],
  ["another time and a row", "12:00:00.5 x\n00000000  00 00  |..|\n"],
];

for (const [what, text] of NO_DUMPS) {
  Deno.test(`hexLayout does not take ${what} for a dump`, () => {
    assertEquals(hexLayout(text, true), undefined);
  });
}

/** What is printed of bytes and not read. */
const UNREAD: readonly (readonly [string, string, Unread])[] = [
  ["hexdump", "0000000 6568 6c6c 2c6f 7720\n0000008\n", "words"],
  ["hexdump -x", "0000000    6568    6c6c    2c6f    7720\n", "words"],
  ["od -x", "0000000 6568 6c6c\n0000004\n", "words"],
  ["od", "0000000 062550 066154\n0000004\n", "words"],
  [
    "xxd -b",
    "00000000: 01101000 01100101 01101100 01101100 01101111 00101100  hello,\n",
    "bits",
  ],
  ["xxd -b at its end", "00000000: 01101000                    h\n", "bits"],
  ["xxd -i", "unsigned char f[] = {\n  0x68, 0x65\n};\n", "array"],
];

for (const [what, text, expected] of UNREAD) {
  Deno.test(`hexLayout knows ${what}`, () => {
    assertEquals(hexLayout(text, true), expected);
  });
}

Deno.test("hexLayout takes groups of digits that may be bits for digits", () => {
  const row = "00000000: 00010001 01010101  ........\n";
  assertEquals(hexLayout(row, true), "rows");
});

/** The first line of a stream as far as it has come, that is no dump whatever comes. */
const CERTAIN = [
  "5:h",
  "100:x",
  "00005h",
  "16 <",
  "12:34:x",
  "\0",
  "{",
  "unsigned int",
  "0000: 68 z",
];

for (const text of CERTAIN) {
  Deno.test(`hexLayout knows by ${JSON.stringify(text)} that it is no dump`, () => {
    assertEquals(hexLayout(text, false), undefined);
  });
}

const ROWS = "00000000  68 69  |hi|\n00000002\n";
/** What is pasted with what is around it. */
const PASTED: readonly (readonly [string, string])[] = [
  ["as it is", ROWS],
  ["indented", ROWS.replaceAll(/^(?=.)/gm, "    ")],
  ["quoted", ROWS.replaceAll(/^(?=.)/gm, "> ")],
  ["behind its command", `$ hexdump -C f\n${ROWS}`],
  ["behind a prompt and in a mail", `> me@host:~$ hexdump -C f\n> ${ROWS}`],
  ["in a fence", `\`\`\`\n${ROWS}`],
  ["as digits behind their command", "$ xxd -p f\n68656c6c\n"],
];

for (const [what, text] of PASTED) {
  Deno.test(`pastedLayout finds a dump ${what}, however much has come`, () => {
    const found = pastedLayout(text, true);
    assert(typeof found === "object");
    const { layout, skip } = found;
    assert(layout === "rows" || layout === "digits");
    assertEquals(
      readDump(layout, [raw(text.slice(skip))]).map(unraw),
      [layout === "rows" ? "hi" : "hell"],
    );
    for (let length = 0; length < text.length; length++) {
      const some = pastedLayout(text.slice(0, length), false);
      if (some !== "unknown") assertEquals(some, found, `after ${length}`);
    }
  });
}

Deno.test("hexLayout says the same however much has come, or that it does not know yet", () => {
  const texts = [
    ...DUMPS.map(([, dump]) => dump),
    ...NO_DUMPS.map(([, text]) => text),
    ...UNREAD.map(([, text]) => text),
  ];
  for (const text of texts) {
    const whole = hexLayout(text, true);
    for (let length = 0; length < text.length; length++) {
      const found = hexLayout(text.slice(0, length), false);
      assert(
        found === whole || found === "unknown",
        `${found} for ${text.slice(0, length)}`,
      );
    }
  }
});

Deno.test("hexLayout does not wait for ever for the end of a line", () => {
  assertEquals(hexLayout("a".repeat(8192), false), "digits");
  assertEquals(hexLayout("a ".repeat(4096), false), undefined);
});

/** What is wrong with a dump, how it is laid out, the dump, and what is said. */
const BROKEN: readonly (readonly [string, HexLayout, string, RegExp])[] = [
  [
    "text between the rows",
    "rows",
    "0000  00 01\nhello\n",
    /^line 2 is no row of a dump: "hello"$/,
  ],
  ["a digit too few in a row", "rows", "0000  00 0\n", /^line 1 is no row/],
  ["a row without an end", "rows", "0".repeat(5000), /^line 0 is no row/],
  ["an odd digit at the end", "digits", "00 01 0", /pairs/],
  [
    "a letter between digits",
    "digits",
    "00 01\x1b[31m 02",
    /found "\\x1b\[31m/,
  ],
  [
    "more rows left out than there can be",
    "rows",
    "00000000: 00\n*\nffffffffffffffff: 00\n",
    /^line 3 is no row/,
  ],
  [
    "rows left out backwards",
    "rows",
    "00000010: 00\n*\n00000000: 00\n",
    /^line 3 is no row/,
  ],
  [
    "rows left out by halves",
    "rows",
    "00000000: 0000\n*\n00000005: 00\n",
    /^line 3 is no row/,
  ],
  [
    "rows left out before the first one",
    "rows",
    "*\n00000005: 00\n",
    /^line 1 is no row/,
  ],
];

for (const [what, layout, dump, message] of BROKEN) {
  Deno.test(`HexReader refuses ${what}`, () => {
    const error = assertThrows(
      () => readDump(layout, [raw(dump)]),
      SyntaxError,
    );
    assert(message.test(error.message), error.message);
  });
}

Deno.test("HexReader repeats a row without holding what it says", () => {
  const reader = new HexReader("rows");
  const dump = "00000000: 00\n*\n00100000: 01\n";
  let count = 0;
  for (const { bytes } of reader.push(raw(dump))) {
    assertEquals(bytes.length, 1);
    if (++count === 1000) break; // the rest is never made
  }
  assertEquals(count, 1000);
  assertEquals(hex("00"), raw("\0"));
});

Deno.test("HexReader comes to an end with whatever it is given", () => {
  const dumps = DUMPS.map(([, dump]) => raw(dump));
  let refused = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const text = random.below(5) === 0
      ? random.bytes(random.below(60), raw("0123456789abcdef *\n:|"))
      : mutate(random, random.pick(dumps), dumps);
    const layout = random.pick(["rows", "digits", "packets"] as const);
    try {
      let total = 0;
      const reader = new HexReader(layout);
      for (const chunk of random.chunks(text)) {
        for (const { bytes } of reader.push(chunk)) {
          total += bytes.length;
          if (total > 10_000) break; // a row that is repeated
        }
      }
      reader.end();
    } catch (error) {
      if (!(error instanceof SyntaxError)) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      assert(!/[\p{Cc}]/u.test(error.message));
      refused++;
    }
    hexLayout(unraw(text), random.below(2) === 0);
  }
  assert(refused > 500, `${refused} were refused`);
});
