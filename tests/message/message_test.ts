/**
 * Messages: the tutorial's, byte for byte, their limits, and single ones on a bare connection.
 *
 * @module
 */

import {
  ByteSink,
  encodeFrame,
  FrameBody,
  FrameDecoder,
  FrameTooLargeError,
  mapCodec,
  Message,
  type MessageHeaderInit,
  messages,
  type MessagesOptions,
  TruncatedFrameError,
} from "@framewire/framewire";
import {
  checkCodec,
  connPair,
  scriptedConn,
} from "@framewire/framewire/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { hostByteOrder } from "../../lib/bytes/byte_order.ts";
import tutorial from "../fixtures/tutorial_messages.json" with { type: "json" };
import { headerJson, wireOf } from "../support/messages.ts";
import { outcomes } from "../support/outcomes.ts";
import { byteByByte, hex, raw } from "../support/wire.ts";

/** The fields of a header as the constructor takes them. */
function initOf(
  header: (typeof tutorial)[number]["header"],
): MessageHeaderInit {
  const { byteorder } = header;
  assert(byteorder === "big" || byteorder === "little");
  return {
    byteorder,
    contentType: header["content-type"],
    contentEncoding: header["content-encoding"],
  };
}

function decodeOne(wire: Uint8Array, options?: MessagesOptions): Message {
  const decoder = new FrameDecoder(messages(options));
  decoder.push(wire);
  const message = decoder.next();
  assert(message !== undefined);
  assertEquals(decoder.end(), undefined);
  return message;
}

assertEquals(tutorial.length, 6);
for (const { name, header, contentHex, contentText, wireHex } of tutorial) {
  Deno.test(`messages() reads the tutorial's ${name}`, () => {
    const message = decodeOne(hex(wireHex));
    assertEquals(message.header, {
      byteorder: header.byteorder === "big" ? "big" : "little",
      contentType: header["content-type"],
      contentEncoding: header["content-encoding"],
      contentLength: header["content-length"],
      extra: {},
    });
    assertEquals(message.content.toHex(), contentHex);
    assertEquals(new TextDecoder().decode(message.content), contentText);
  });

  Deno.test(`messages() writes the tutorial's ${name}, byte for byte`, () => {
    const message = new Message(hex(contentHex), initOf(header));
    assertEquals(encodeFrame(messages(), message).toHex(), wireHex);
  });

  Deno.test(`Message makes the content of the tutorial's ${name}`, () => {
    const made = header["content-type"] === "text/json"
      ? Message.json(JSON.parse(contentText))
      : Message.binary(
        new TextEncoder().encode(contentText),
        header["content-type"],
      );
    assertEquals(made.content.toHex(), contentHex);
    assertEquals(made.header.contentType, header["content-type"]);
    assertEquals(made.header.contentEncoding, header["content-encoding"]);
    assertEquals(made.header.byteorder, hostByteOrder);
  });
}

Deno.test("messages() keeps its contract with the tutorial's messages", () => {
  const report = checkCodec(
    messages({ maxFrameLength: 100 }),
    [
      ...tutorial.map(({ header, contentHex, wireHex }) => ({
        frame: new Message(hex(contentHex), initOf(header)),
        wire: hex(wireHex),
      })),
      {
        frame: new Message(new Uint8Array(0), {
          contentType: "text/plain",
          contentEncoding: "utf-8",
          byteorder: "little",
        }),
        wire: wireOf(headerJson(0)),
        canonical: false,
      },
      { frame: new Message(raw("x".repeat(100)), { extra: { a: [1] } }) },
    ],
    {
      tooLarge: [wireOf(headerJson(101), "x"), raw("\xff\xff{"), "GET / HTTP"],
      malformed: [raw("\0\0"), raw("\0\x05hello"), wireOf("{}")],
    },
  );
  assertEquals(report.samples, 8);
  assert(report.cuts > 1000);
});

Deno.test("messages() reads many messages from one chunk, in order", () => {
  const texts = Array.from({ length: 500 }, (_, i) => `message ${i}`);
  const wire = concat(
    texts.map((text) => encodeFrame(messages(), Message.text(text))),
  );
  const decoder = new FrameDecoder(messages());
  decoder.push(wire);
  assertEquals(texts.map(() => decoder.next()?.text()), texts);
  assertEquals(decoder.end(), undefined);
});

for (
  const [place, count, have, need, partial] of [
    ["its header's length", 1, 1, 2, ""],
    ["the header before its first byte", 2, 2, 3, ""],
    ["the header", 50, 50, 102, ""],
    ["the header at its last byte", 101, 101, 102, ""],
    ["the content before its first byte", 102, 102, 143, ""],
    ["the content", 110, 110, 143, '{"action'],
  ] as const
) {
  Deno.test(`messages() reports a stream that ends inside ${place}`, () => {
    const wire = hex(tutorial[0].wireHex).slice(0, count);
    for (const chunks of [[wire], byteByByte(wire)]) {
      const decoder = new FrameDecoder(messages());
      for (const chunk of chunks) {
        decoder.push(chunk);
        assertEquals(decoder.next(), undefined);
      }
      const error = assertThrows(() => decoder.end(), TruncatedFrameError);
      assertEquals([error.have, error.need], [have, need]);
      assertEquals(error.partial, raw(partial));
      assertEquals(error.offset, 0);
      assertEquals(error.preview, wire.slice(0, 32));
      assertEquals(
        error.message,
        `Cannot read frame: stream ended after ${have} of ${need} bytes`,
      );
    }
  });
}

Deno.test("messages() refuses a content over the limit before any of it has come", () => {
  const before = encodeFrame(messages(), Message.text("ok"));
  const header = wireOf(headerJson(2 ** 40));
  for (
    const chunks of [
      [concat([before, header])],
      byteByByte(concat([before, header])),
    ]
  ) {
    const decoder = new FrameDecoder(messages());
    let last: Message | undefined;
    const error = assertThrows(() => {
      for (const chunk of chunks) {
        decoder.push(chunk);
        last = decoder.next() ?? last;
      }
      decoder.next();
    }, FrameTooLargeError);
    assertEquals(last?.text(), "ok");
    assertEquals([error.length, error.limit], [2 ** 40, 2 ** 20]);
    assertEquals(error.offset, before.length);
    assertEquals(error.preview, header.slice(0, 32));
    assertEquals(error.recoverable, false);
    assertEquals(
      error.message,
      "Cannot read frame: content-length 1099511627776 exceeds maxFrameLength of 1048576 bytes",
    );
  }
});

Deno.test("messages() accepts a content of exactly the limit and writes no longer one", () => {
  const codec = messages({ maxFrameLength: 5 });
  const wire = encodeFrame(codec, Message.text("12345"));
  assertEquals(decodeOne(wire, { maxFrameLength: 5 }).text(), "12345");
  const error = assertThrows(
    () => encodeFrame(codec, Message.text("123456")),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot write frame: length 6 exceeds maxFrameLength of 5 bytes",
  );
});

Deno.test("messages() leaves a content over the limit out if told to, and goes on", () => {
  const codec = messages({ maxFrameLength: 5, onOversize: "skip" });
  const stream = concat([
    wireOf(headerJson(2), "ok"),
    wireOf(headerJson(10), "0123456789"),
    wireOf(headerJson(3), "yes"),
    wireOf(headerJson(6), "666666"),
  ]);
  const texts = outcomes(
    mapCodec(codec, {
      decode: (message) => message.text(),
      encode: (text: string) => Message.text(text),
    }),
    byteByByte(stream),
  );
  const second = wireOf(headerJson(2)).length + 2;
  const fourth = stream.length - wireOf(headerJson(6)).length - 6;
  assertEquals(texts, [
    "=ok",
    `left out: 10 > 5 at ${second}`,
    "=yes",
    `left out: 6 > 5 at ${fourth}`,
    "end",
  ]);
});

Deno.test("messages() refuses a header over the limit by its length alone", () => {
  const codec = messages({ maxHeaderLength: 100 });
  const decoder = new FrameDecoder(codec);
  decoder.push(raw("\0\x65"));
  const error = assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals([error.length, error.limit], [101, 100]);
  assertEquals(
    error.message,
    "Cannot read frame: header length 101 exceeds maxHeaderLength of 100 bytes",
  );
  assertEquals(error.preview, raw("\0\x65"));
});

Deno.test("messages() does not leave a header over the limit out, whatever it was told", () => {
  const decoder = new FrameDecoder(messages({ onOversize: "skip" }));
  decoder.push(raw("\xff\xff"));
  const error = assertThrows(() => decoder.next(), FrameTooLargeError);
  assertEquals(error.recoverable, false);
});

Deno.test("messages() reads and writes headers of up to 65,535 bytes if told to", () => {
  const options = { maxHeaderLength: 65_535 };
  const bare = encodeFrame(messages(), Message.binary(raw("x"), "")).length - 3;
  const longest = Message.binary(raw("x"), "t".repeat(65_535 - bare));
  const wire = encodeFrame(messages(options), longest);
  assertEquals(wire.length, 2 + 65_535 + 1);
  assertEquals(wire.slice(0, 2), raw("\xff\xff"));
  assertEquals(
    decodeOne(wire, options).header.contentType,
    longest.header.contentType,
  );
  const error = assertThrows(
    () =>
      encodeFrame(
        messages(options),
        Message.binary(raw("x"), "t".repeat(65_536 - bare)),
      ),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot write message: header length 65536 exceeds maxHeaderLength of 65535 bytes",
  );
});

Deno.test("messages() leaves what is laid out already as it was when a message does not fit", () => {
  const sink = new ByteSink();
  sink.write(raw("before"));
  const tooLong = Message.binary(raw("x"), "t".repeat(8192));
  assertThrows(() => messages().encode(tooLong, sink), RangeError);
  assertThrows(
    () => messages({ maxFrameLength: 0 }).encode(Message.text("x"), sink),
    RangeError,
  );
  assertEquals(sink.position, 6);
  assertEquals(sink.bytes(), raw("before"));
});

Deno.test("Message.write() writes nothing of a message whose header is too long", async () => {
  const conn = scriptedConn([]);
  // As characters it would fit; as UTF-8 it is three times as long.
  const message = Message.binary(raw("x"), "\u20ac".repeat(3000));
  await assertRejects(
    () => message.write(conn),
    RangeError,
    "exceeds maxHeaderLength of 8192 bytes",
  );
  await assertRejects(
    () => Message.text("six...").write(conn, { maxFrameLength: 5 }),
    RangeError,
  );
  assertEquals(conn.written.length, 0);
  assertEquals(conn.writeCounts, []);
});

for (
  const [name, init] of [
    ["content-type", { contentType: "\ud83d" }],
    ["content-encoding", { contentEncoding: "\udc00" }],
    ["further field", { extra: { note: "\ud83d" } }],
  ] as const
) {
  Deno.test(`messages() carries half a surrogate pair in a ${name} as JSON escapes it`, () => {
    const wire = encodeFrame(messages(), new Message(raw(""), init));
    assert(/\\ud/.test(new TextDecoder().decode(wire)));
    const { contentType, contentEncoding, extra } = decodeOne(wire).header;
    const values: unknown[] = [contentType, contentEncoding, extra.note];
    assert(
      values.includes(
        Object.values(init).map((value) =>
          typeof value === "string" ? value : value.note
        )[0],
      ),
    );
  });
}

Deno.test("Message.text() refuses half a surrogate pair", () => {
  assertThrows(() => Message.text("\ud83d"), TypeError);
  assertThrows(() => Message.text("a\udc36"), TypeError);
});

Deno.test("Message.json() spaces as Python's json.dumps does", () => {
  const message = Message.json({ a: [1, { b: null }], "c d": "e,f: g" });
  assertEquals(message.text(), '{"a": [1, {"b": null}], "c d": "e,f: g"}');
  assertEquals(message.json(), { a: [1, { b: null }], "c d": "e,f: g" });
  assertEquals(message.header, {
    byteorder: hostByteOrder,
    contentType: "text/json",
    contentEncoding: "utf-8",
    contentLength: 40,
    extra: {},
  });
});

for (const value of [null, true, 0, "", "text", [], {}, [[]]]) {
  Deno.test(`Message.json() carries ${JSON.stringify(value)}`, () => {
    const wire = encodeFrame(messages(), Message.json(value));
    assertEquals<unknown>(decodeOne(wire).json(), value);
  });
}

Deno.test("Message.text() and Message.binary() say what they hold", () => {
  const text = Message.text("né");
  assertEquals(text.header.contentType, "text/plain");
  assertEquals(text.header.contentEncoding, "utf-8");
  assertEquals(text.header.contentLength, 3);
  assertEquals(
    Message.text("<p>", "text/html").header.contentType,
    "text/html",
  );
  const bytes = raw("\0\xff");
  const binary = Message.binary(bytes);
  assertEquals(binary.header.contentType, "binary/octet-stream");
  assertEquals(binary.header.contentEncoding, "binary");
  assert(binary.bytes() === bytes);
});

Deno.test("messages() checks its options when it is made", () => {
  for (
    const options of [
      { maxHeaderLength: 1 },
      { maxHeaderLength: 65_536 },
      { maxHeaderLength: 2.5 },
      { maxFrameLength: -1 },
      { maxFrameLength: NaN },
    ]
  ) assertThrows(() => messages(options), RangeError);
});

Deno.test("Message.read() takes not a byte more than its message", async () => {
  const first = encodeFrame(messages(), Message.text("one"));
  const second = encodeFrame(messages(), Message.text("two"));
  const conn = scriptedConn([{ chunk: concat([first, second, raw("rest")]) }]);
  assertEquals((await Message.read(conn))?.text(), "one");
  assertEquals((await Message.read(conn))?.text(), "two");
  const rest = new Uint8Array(10);
  assertEquals(await conn.read(rest), 4);
  assertEquals(rest.subarray(0, 4), raw("rest"));
});

Deno.test("Message.read() puts a message together byte by byte, with pauses and empty reads", async () => {
  const wire = hex(tutorial[1].wireHex);
  const conn = scriptedConn(
    byteByByte(wire).flatMap((chunk, i) =>
      i % 40 === 0 ? [{ empty: true }, { pause: 1 }, { chunk }] : [{ chunk }]
    ),
  );
  const message = await Message.read(conn);
  assertEquals(message?.json(), { action: "search", value: "🐶" });
  assertEquals(await Message.read(conn), null);
});

Deno.test("Message.read() asks for no more than the header's length at first", async () => {
  const asked: number[] = [];
  const conn = scriptedConn([{ chunk: hex(tutorial[0].wireHex) }]);
  await Message.read({
    read(into) {
      asked.push(into.length);
      return conn.read(into);
    },
  });
  assertEquals(asked.slice(0, 2), [2, 1]);
  assertEquals(asked.reduce((sum, count) => sum + count), 143);
});

Deno.test("Message.read() reports a stream that ends inside a message", async () => {
  const wire = hex(tutorial[0].wireHex);
  for (const count of [1, 2, 50, 102, 142]) {
    const conn = scriptedConn([{ chunk: wire.slice(0, count) }]);
    const error = await assertRejects(
      () => Message.read(conn),
      TruncatedFrameError,
    );
    assertEquals(error.have, count);
  }
});

Deno.test("Message.read() holds to its limits", async () => {
  const wire = wireOf(headerJson(6), "123456");
  const conn = scriptedConn([{ chunk: wire }]);
  await assertRejects(
    () => Message.read(conn, { maxFrameLength: 5 }),
    FrameTooLargeError,
  );
});

Deno.test("Message.read() hands on what the connection rejects with", async () => {
  const reset = new Deno.errors.ConnectionReset("gone");
  const conn = scriptedConn([{ chunk: "\0" }, { error: reset }]);
  const error = await assertRejects(() => Message.read(conn));
  assert(error === reset);
});

Deno.test("Message.write() goes on after short and empty writes", async () => {
  const { header, contentHex, wireHex } = tutorial[4];
  const conn = scriptedConn([], [1, 0, 2, 100]);
  await new Message(hex(contentHex), initOf(header)).write(conn);
  assertEquals(conn.written.toHex(), wireHex);
  assertEquals(conn.writeCounts, [1, 0, 2, 100, 33]);
});

Deno.test("Message.write() and Message.read() carry several exchanges over one connection", async () => {
  const [here, there] = connPair({ capacity: 7 });
  async function answer(): Promise<number> {
    let count = 0;
    let request: Message | null;
    while ((request = await Message.read(there)) !== null) {
      await Message.text(request.text().toUpperCase()).write(there);
      count++;
    }
    there.close();
    return count;
  }
  const answering = answer();
  for (const text of ["one", "", "three"]) {
    await Message.text(text).write(here);
    assertEquals((await Message.read(here))?.text(), text.toUpperCase());
  }
  here.close();
  assertEquals(await answering, 3);
});

Deno.test("messages() yields content that nobody writes to again", () => {
  const wire = wireOf(headerJson(3), "abc");
  const decoder = new FrameDecoder(messages());
  decoder.push(wire.slice());
  const first = decoder.next();
  decoder.push(wireOf(headerJson(3), "xyz"));
  assertEquals(decoder.next()?.text(), "xyz");
  assertEquals(first?.text(), "abc");
});

Deno.test("Message.read() never goes on behind a message over the limit", async () => {
  const [here, there] = connPair();
  await Message.text("x".repeat(30)).write(here);
  const options = { maxFrameLength: 10, onOversize: "skip" };
  const error = await assertRejects(
    () => Message.read(there, options),
    FrameTooLargeError,
  );
  assertEquals(error.recoverable, false);
  here.close();
  there.close();
});

Deno.test("Message.read() and write() give up a conn that gives and takes nothing", async () => {
  const empty = Array.from({ length: 200 }, () => ({ empty: true }) as const);
  const conn = scriptedConn(empty, new Array(200).fill(0));
  await assertRejects(() => Message.read(conn), TypeError, "gives no bytes");
  await assertRejects(
    () => Message.text("a").write(conn),
    TypeError,
    "takes no bytes",
  );
  conn.close();
});

Deno.test("messages() refuses to lay out one of the four fields twice", () => {
  const message = new Message(new Uint8Array(3), {
    extra: { "content-length": 1 },
  });
  assertThrows(
    () => encodeFrame(messages(), message),
    RangeError,
    '"content-length" must not be among the extra fields',
  );
});

Deno.test("Message.json() refuses what JSON cannot hold", () => {
  assertThrows(
    () => Message.json(undefined),
    TypeError,
    "JSON cannot hold a value of type undefined",
  );
});

/** A message whose content of so many bytes is made while it is sent. */
function streamed(length: number, given = length): Message {
  function* pieces(): Generator<Uint8Array<ArrayBuffer>> {
    for (let i = 0; i < given; i++) yield new Uint8Array([i]);
  }
  return Message.stream(new FrameBody(length, pieces()), {
    contentType: "x/y",
    extra: { offset: 7 },
  });
}

const LARGE = { maxFrameLength: 2, maxBodyLength: 9 };

Deno.test("Message.stream() makes a message whose content is its body", () => {
  const message = streamed(3);
  assertEquals(message.header.contentLength, 3);
  assertEquals(message.header.contentType, "x/y");
  assertEquals(message.header.extra, { offset: 7 });
  assertEquals(message.body?.length, 3);
  assertEquals(Message.text("x").body, undefined);
  for (const read of ["bytes", "text", "json"] as const) {
    assertThrows(() => message[read](), TypeError, "message.body");
  }
});

Deno.test("Message.read() and Message.write() carry bodies over a bare connection, and not a byte more", async () => {
  const [here, there] = connPair();
  await streamed(5).write(here, LARGE);
  await Message.text("!").write(here);
  const message = await Message.read(there, LARGE);
  assertEquals(message?.header.contentLength, 5);
  const bytes: number[] = [];
  for await (const chunk of message?.body ?? []) bytes.push(...chunk);
  assertEquals(bytes, [0, 1, 2, 3, 4]);
  assertEquals((await Message.read(there))?.text(), "!");

  await streamed(5).write(here, LARGE);
  here.close();
  const next = await Message.read(there, LARGE);
  await next?.body?.cancel(); // nothing is left for who reads on
  assertEquals(await there.read(new Uint8Array(1)), null);
  there.close();
});

Deno.test("Message.read() says that the stream ended in a body", async () => {
  const [here, there] = connPair();
  const error = await assertRejects(
    () => streamed(5, 3).write(here, LARGE),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot write message: the source of its body gave 2 bytes too few of 5",
  );
  here.close();
  const message = await Message.read(there, LARGE);
  const bytes: number[] = [];
  await assertRejects(async () => {
    for await (const chunk of message?.body ?? []) bytes.push(...chunk);
  }, TruncatedFrameError);
  assertEquals(bytes, [0, 1, 2]);
  there.close();
});

Deno.test("Message.write() refuses a body that is too long, and one that gives too much", async () => {
  const [here, there] = connPair();
  await assertRejects(
    () => streamed(10).write(here, LARGE),
    RangeError,
    "10 exceeds maxBodyLength of 9 bytes",
  );
  await assertRejects(
    () => streamed(3, 4).write(here, LARGE),
    RangeError,
    "gave 1 bytes too many of 3",
  );
  here.close();
  there.close();
});

Deno.test("messages() refuses a maxBodyLength below maxFrameLength", () => {
  assertThrows(
    () => messages({ maxFrameLength: 10, maxBodyLength: 9 }),
    RangeError,
    "maxBodyLength must be a whole number from 10",
  );
});

Deno.test("Message.read() leaves nothing of a body that is cancelled in the connection", async () => {
  const inner = encodeFrame(messages(), Message.text("a part of the content"));
  const content = concat([new Uint8Array(5000), inner]);
  for (
    const [how, leave] of [
      ["at once", (body: FrameBody) => body.cancel()],
      ["by leaving its loop", async (body: FrameBody) => {
        for await (const _ of body) break;
      }],
      ["while more is awaited", async (body: FrameBody) => {
        const bytes = body[Symbol.asyncIterator]();
        await Promise.all([bytes.next(), bytes.next(), body.cancel()]);
      }],
    ] as const
  ) {
    const [here, there] = connPair();
    const sent = (async () => {
      await new Message(content).write(here);
      await Message.text("next").write(here);
      here.close();
    })();
    const message = await Message.read(there, {
      maxFrameLength: 10,
      maxBodyLength: 10_000,
    });
    assert(message?.body !== undefined);
    await leave(message.body);
    assertEquals((await Message.read(there))?.text(), "next", how);
    await sent;
    there.close();
  }
});

Deno.test("messages() refuses a message whose buffer was transferred", () => {
  const content = new Uint8Array(5);
  const message = Message.binary(content);
  content.buffer.transfer();
  assertThrows(
    () => encodeFrame(messages(), message),
    TypeError,
    "its content has 0 bytes and its header says 5",
  );
});

Deno.test("Message.write() gives up a body whose source gives nothing for ever", async () => {
  const [here, there] = connPair();
  function* source(): Generator<Uint8Array<ArrayBuffer>> {
    while (true) yield new Uint8Array();
  }
  await assertRejects(
    () => Message.stream(new FrameBody(5, source())).write(here, LARGE),
    TypeError,
    "the source of its body gave no bytes 100 times in a row",
  );
  here.close();
  there.close();
});
