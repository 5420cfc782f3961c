/**
 * The header of a message: what is accepted, and what is said of everything else.
 *
 * @module
 */

import {
  encodeFrame,
  FrameDecoder,
  FramingError,
  type Message,
  MessageHeaderError,
  messages,
} from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { layOutJson } from "../../lib/message/header.ts";
import { headerJson, wireOf } from "../support/messages.ts";
import { Random } from "../support/random.ts";
import { byteByByte, raw } from "../support/wire.ts";

const BEFORE = wireOf(headerJson(2), "ok");
const LENGTH = '"content-length" must be a whole number of bytes, not negative';

interface Fault {
  /** What is wrong with the header. */
  name: string;
  header: string | Uint8Array;
  message: string;
  field?: string;
  /** How many bytes of the message were looked at to judge it; all of the header unless told. */
  seen?: number;
}

function wrong(field: string, value: unknown, message: string): Fault {
  return {
    name: `${field} being ${JSON.stringify(value)}`,
    header: headerJson(0, { [field]: value }),
    field,
    message,
  };
}

const FAULTS: readonly Fault[] = [
  {
    name: "no header at all",
    header: "",
    message: "Cannot read frame: header must be a JSON object",
    seen: 2,
  },
  {
    name: "a list",
    header: "[1, 2, 3]",
    message: "Cannot read frame: header must be a JSON object",
    seen: 3,
  },
  ...["null", "7", '"text"', "nonsense", "'{}'"].map((header) => ({
    name: header,
    header,
    message: "Cannot read frame: header must be a JSON object",
    seen: 3,
  })),
  {
    name: "a list behind a space",
    header: " [1, 2]",
    message: "Cannot read message: header must be a JSON object: it is [1,2]",
  },
  {
    name: "a long list behind a space",
    header: ` [${"1,".repeat(50)}1]`,
    message: `Cannot read message: header must be a JSON object: it is [${
      "1,".repeat(28)
    }...`,
  },
  {
    name: "null behind a space",
    header: " null",
    message: "Cannot read message: header must be a JSON object: it is null",
  },
  {
    name: "bytes that are not UTF-8",
    header: raw('{"byteorder": "\xff"}'),
    message:
      "Cannot read message: header is not JSON: the bytes are not valid UTF-8",
  },
  {
    name: "UTF-16",
    header: raw("{\0}\0"),
    message: "Cannot read message: header is not JSON: ",
  },
  {
    name: "Python's quotes",
    header: "{'byteorder': 'little'}",
    message: "Cannot read message: header is not JSON: ",
  },
  {
    name: "a number that JSON does not have",
    header: headerJson(0).replace(":0}", ":NaN}"),
    message: "Cannot read message: header is not JSON: ",
  },
  {
    name: "an object that is not closed",
    header: headerJson(0).slice(0, -1),
    message: "Cannot read message: header is not JSON: ",
  },
  {
    name: "something behind the object",
    header: headerJson(0) + "x",
    message: "Cannot read message: header is not JSON: ",
  },
  {
    name: "a byte order mark before the object",
    header: "\ufeff" + headerJson(0),
    message: "Cannot read frame: header must be a JSON object",
    seen: 3,
  },
  {
    name: "an object without fields",
    header: "{}",
    field: "byteorder",
    message: 'Cannot read message: header lacks "byteorder"',
  },
  ...["byteorder", "content-type", "content-encoding", "content-length"].map(
    (field) => ({
      name: `lacking ${field}`,
      header: headerJson(0, { [field]: undefined }),
      field,
      message: `Cannot read message: header lacks "${field}"`,
    }),
  ),
  ...["byteorder", "content-type", "content-encoding"].flatMap((field) =>
    [null, 1, true, ["little"], {}].map((value) =>
      wrong(
        field,
        value,
        `Cannot read message: "${field}" must be a string: it is ${
          JSON.stringify(value)
        }`,
      )
    )
  ),
  ...["", "Big", "LITTLE", "middle", " little", "toString"].map((value) =>
    wrong(
      "byteorder",
      value,
      `Cannot read message: "byteorder" must be "big" or "little": it is "${value}"`,
    )
  ),
  ...[-1, 0.5, "41", null, true, [41], {}, 2 ** 53].map((value) =>
    wrong(
      "content-length",
      value,
      `Cannot read message: ${LENGTH}: it is ${JSON.stringify(value)}`,
    )
  ),
  {
    name: "content-length being a number too large for JSON",
    header: headerJson(0).replace(":0}", ":1e999}"),
    field: "content-length",
    message: `Cannot read message: ${LENGTH}: it is null`,
  },
];

/** Decodes one good message, then gives what the next one throws. */
function faultBehind(chunks: readonly Uint8Array[]): FramingError {
  const decoder = new FrameDecoder(messages());
  const texts: string[] = [];
  const error = assertThrows(() => {
    for (const chunk of chunks) {
      decoder.push(chunk.slice());
      let message: Message | undefined;
      while ((message = decoder.next()) !== undefined) {
        texts.push(message.text());
      }
    }
    decoder.end();
  }, FramingError);
  assertEquals(texts, ["ok"], "the message before it must be delivered");
  assert(
    assertThrows(() => decoder.next()) === error,
    "the error must be thrown again",
  );
  return error;
}

for (const { name, header, field, message, seen } of FAULTS) {
  Deno.test(`messages() refuses a header of ${name}`, () => {
    const bad = wireOf(header, "{}");
    const stream = concat([BEFORE, bad]);
    const headerEnd = bad.length - 2;
    for (const chunks of [[stream], byteByByte(stream)]) {
      const error = faultBehind(chunks);
      assert(error instanceof MessageHeaderError, error.name);
      assertEquals(error.code, "ERR_MESSAGE_HEADER");
      assertEquals(error.field, field);
      assertEquals(error.offset, BEFORE.length);
      assertEquals(
        error.preview,
        bad.slice(0, Math.min(32, seen ?? headerEnd)),
      );
      assertEquals(error.recoverable, false);
      if (message.endsWith(": ")) assert(error.message.startsWith(message));
      else assertEquals(error.message, message);
      assert(error.message.length < 200, "the message must fit a line");
    }
  });
}

const TOO_LONG = "exceeds maxHeaderLength of 8192 bytes";

for (
  const [name, begin, message] of [
    [
      "a request in HTTP",
      "GET / HTTP/1.1\r\n\r\n",
      `Cannot read frame: header length 18245 ${TOO_LONG}: the bytes b'GET ' look like HTTP`,
    ],
    [
      "a response in HTTP",
      "HTTP/1.1 200 OK\r\n\r\n",
      `Cannot read frame: header length 18516 ${TOO_LONG}: the bytes b'HTTP' look like HTTP`,
    ],
    [
      "a TLS handshake",
      "\x16\x03\x01\x02\0\x01",
      String
        .raw`Cannot read frame: header must be a JSON object: the bytes b'\x16\x03\x01' look like TLS`,
    ],
    [
      "a greeting in SSH",
      "SSH-2.0-OpenSSH\r\n",
      `Cannot read frame: header length 21331 ${TOO_LONG}: the bytes b'SSH-' look like SSH`,
    ],
    [
      "a PROXY protocol header",
      "PROXY TCP4 10.0.0.1 10.0.0.2 5 6\r\n",
      `Cannot read frame: header length 20562 ${TOO_LONG}: the bytes b'PROX' look like a PROXY protocol header`,
    ],
    [
      "text in capitals",
      "HELO there\r\n",
      `Cannot read frame: header length 18501 ${TOO_LONG}: the bytes b'HEL' are text`,
    ],
    [
      "a message without the header's length",
      '{"byteorder": "big"}',
      `Cannot read frame: header length 31522 ${TOO_LONG}`,
    ],
  ]
) {
  Deno.test(`messages() recognises ${name} by its first bytes`, () => {
    for (const chunks of [[raw(begin)], byteByByte(raw(begin))]) {
      const decoder = new FrameDecoder(messages());
      const error = assertThrows(() => {
        for (const chunk of chunks) {
          decoder.push(chunk);
          decoder.next();
        }
      }, FramingError);
      assertEquals(error.message, message);
      if (chunks.length > 1) {
        assert(decoder.position <= 4, "it must not wait for more");
      }
    }
  });
}

Deno.test("messages() reads a header in any spacing and order of fields", () => {
  const header = `\r\n\t {"content-length":2 ,"content-type":"a",
    "content-encoding":"b","byteorder":"big"}\n `;
  const decoder = new FrameDecoder(messages());
  decoder.push(wireOf(header, "hi"));
  assertEquals(decoder.next()?.header, {
    byteorder: "big",
    contentType: "a",
    contentEncoding: "b",
    contentLength: 2,
    extra: {},
  });
});

for (
  const [name, length, expected] of [
    ["0", "0", 0],
    ["minus nothing", "-0", 0],
    ["a whole number written as a fraction", "3.0", 3],
    ["a whole number with an exponent", "3e0", 3],
  ] as const
) {
  Deno.test(`messages() accepts ${name} as content-length`, () => {
    const decoder = new FrameDecoder(messages());
    const header = headerJson(0).replace(":0}", `:${length}}`);
    decoder.push(wireOf(header, "abc".slice(0, expected)));
    const message = decoder.next();
    assert(message !== undefined);
    assertEquals(message.content.length, expected);
    assert(message.header.contentLength === expected);
    assertEquals(decoder.buffered, 0);
  });
}

Deno.test("messages() takes the last of two fields of one name, as JSON does", () => {
  const decoder = new FrameDecoder(messages());
  const header = headerJson(9).replace(":9}", ':9,"content-length":2}');
  decoder.push(wireOf(header, "hi"));
  assertEquals(decoder.next()?.text(), "hi");
  assertEquals(decoder.buffered, 0);
});

/** The header of a message as it is written. */
function headerOf(message: Message): string {
  const wire = encodeFrame(messages(), message);
  const end = wire.length - message.content.length;
  return new TextDecoder().decode(wire.subarray(2, end));
}

Deno.test("messages() keeps further fields in order and writes them again", () => {
  const extra = {
    id: 7,
    "reply-to": null,
    tags: ["a", "b", []],
    nested: { 'quo"te': true, "": {} },
    a: "\u00e9 \n",
  };
  const decoder = new FrameDecoder(messages());
  decoder.push(wireOf(headerJson(0, extra)));
  const message = decoder.next();
  assert(message !== undefined);
  assertEquals<unknown>(message.header.extra, extra);
  assertEquals(Object.keys(message.header.extra), Object.keys(extra));
  assert(
    headerOf(message).endsWith(
      `"content-length": 0, "id": 7, "reply-to": null, "tags": ["a", "b", []], ` +
        `"nested": {"quo\\"te": true, "": {}}, "a": "é \\n"}`,
    ),
  );
});

Deno.test("messages() takes __proto__ for a field like any other", () => {
  const decoder = new FrameDecoder(messages());
  const header = headerJson(0).replace(
    "{",
    '{"__proto__":{"polluted":true,"content-length":5},"constructor":1,',
  );
  decoder.push(wireOf(header));
  const message = decoder.next();
  assert(message !== undefined);
  assertEquals(Object.keys(message.header.extra), ["__proto__", "constructor"]);
  assertEquals(Object.getPrototypeOf(message.header.extra), Object.prototype);
  assertEquals(Reflect.get({}, "polluted"), undefined);
  assertEquals(message.header.contentLength, 0);
  assert(
    headerOf(message).endsWith(
      '"__proto__": {"polluted": true, "content-length": 5}, "constructor": 1}',
    ),
  );
});

Deno.test("messages() does not take fields from __proto__", () => {
  const decoder = new FrameDecoder(messages());
  decoder.push(wireOf(`{"__proto__": ${headerJson(0)}}`));
  const error = assertThrows(() => decoder.next(), MessageHeaderError);
  assertEquals(error.field, "byteorder");
});

for (
  const [value, text] of [
    [{}, "{}"],
    [[], "[]"],
    [[[], {}], "[[], {}]"],
    [[1, [2, 3]], "[1, [2, 3]]"],
    [{ a: 1, b: { c: [true, null] } }, '{"a": 1, "b": {"c": [true, null]}}'],
    ["a,\n b: {", '"a,\\n b: {"'],
    [{ "x\n y": "\n}" }, '{"x\\n y": "\\n}"}'],
    ["🐶 \u2028", '"🐶 \u2028"'],
    [-1.5, "-1.5"],
  ] as const
) {
  Deno.test(`layOutJson() spaces ${JSON.stringify(value)} as Python does`, () => {
    assertEquals(layOutJson(value), text);
  });
}

Deno.test("messages() answers mutilated headers with FramingErrors only", () => {
  const random = new Random(20_260_929);
  const good = wireOf(headerJson(3, { id: [1, "é"] }), "abc");
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = good.slice();
    for (let changes = random.below(4) + 1; changes > 0; changes--) {
      bytes[2 + random.below(bytes.length - 2)] = random.below(3) === 0
        ? random.below(256)
        : random.pick(raw('{}[]":,0-9e. \\u\0tn\xc3'));
    }
    const decoder = new FrameDecoder(messages());
    try {
      for (const chunk of random.chunks(bytes)) {
        decoder.push(chunk);
        while (decoder.next() !== undefined);
      }
      decoder.end();
    } catch (error) {
      if (!(error instanceof FramingError)) {
        throw new Error(`seed ${random.seed}, round ${round}`, {
          cause: error,
        });
      }
      refused++;
    }
  }
  assert(refused > 1000 && refused < 3000, `${refused} were refused`);
});
