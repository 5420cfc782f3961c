/**
 * A connection that speaks a codec: reading, closing, handing over. Writing is in `send_buffer_test.ts`.
 *
 * @module
 */

import {
  type ByteConn,
  ConnectionClosedError,
  ConnectionError,
  encodeFrame,
  FrameBody,
  FrameTooLargeError,
  Framing,
  json,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  PeerResetError,
  ReadTimeoutError,
  text,
  TruncatedFrameError,
  WriteTimeoutError,
} from "@framewire/framewire";
import { connPair, scriptedConn } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createConnection } from "node:net";
import { lookAt, NOTHING_SEEN } from "../../lib/net/framing.ts";
import {
  CONNECTIONS,
  readAll,
  rejection,
  SOCKETS,
  tcpPair,
  unixPair,
  until,
  writeAll,
} from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

const words = text(lengthPrefixed());
const hello = encodeFrame(words, "hello");

/** Where "hello" is cut, and how much of it was said to have come, and to be needed. */
const CUTS: [where: string, cut: number, need: number | undefined][] = [
  ["before its first byte", 0, undefined],
  ["inside its prefix", 2, 4],
  ["between prefix and payload", 4, 9],
  ["inside its payload", 6, 9],
];

for (const [kind, pair] of CONNECTIONS) {
  for (const [where, cut, need] of CUTS) {
    Deno.test(`Framing.read() over ${kind} goes on with a frame that a timeout cut ${where}`, async () => {
      const [here, there] = await pair();
      await using peer = new Framing(here, words);
      await writeAll(there, hello.subarray(0, cut));
      // The first timeout may pass before the bytes have come.
      while (peer.stats.buffered < cut) {
        await assertRejects(() => peer.read({ timeout: 1 }), ReadTimeoutError);
      }
      const error = await assertRejects(
        () => peer.read({ timeout: 1 }),
        ReadTimeoutError,
      );
      assertEquals([error.have, error.need, error.timeout], [cut, need, 1]);
      await writeAll(there, hello.subarray(cut));
      assertEquals(await peer.read(), "hello");
      there.close();
      assertEquals(await peer.read(), null);
    });

    Deno.test(`Framing.read() over ${kind} goes on with a frame that an abort cut ${where}`, async () => {
      const [here, there] = await pair();
      await using peer = new Framing(here, words);
      await writeAll(there, hello.subarray(0, cut));
      const controller = new AbortController();
      const reading = rejection(peer.read({ signal: controller.signal }));
      await until(() => peer.stats.buffered === cut);
      controller.abort("enough");
      assertEquals<unknown>(await reading, "enough");
      await writeAll(there, hello.subarray(cut));
      assertEquals(await peer.read(), "hello");
      there.close();
    });
  }

  Deno.test(`Framing.read() over ${kind} loses nothing by many timeouts`, async () => {
    const [here, there] = await pair();
    await using peer = new Framing(here, words);
    const sent = ["one", "", "three", "4", "Ω"];
    const received: string[] = [];
    const sending = (async () => {
      for (
        const byte of sent.flatMap((word) => [...encodeFrame(words, word)])
      ) {
        await there.write(new Uint8Array([byte]));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      there.close();
    })();
    let timeouts = 0;
    while (true) {
      try {
        const word = await peer.read({ timeout: 0 });
        if (word === null) break;
        received.push(word);
      } catch (error) {
        assertInstanceOf(error, ReadTimeoutError);
        timeouts++;
      }
    }
    await sending;
    assertEquals(received, sent);
    assert(timeouts > 0);
  });

  Deno.test(`Framing.read() over ${kind} finds a frame whose bytes all come alone`, async () => {
    const [here, there] = await pair();
    await using peer = new Framing(here, words);
    const sending = (async () => {
      for (const byte of hello) {
        const { bytesReceived } = peer.stats;
        await there.write(new Uint8Array([byte]));
        await until(() => peer.stats.bytesReceived > bytesReceived);
      }
    })();
    assertEquals(await peer.read(), "hello");
    await sending;
    there.close();
  });

  Deno.test(`Framing over ${kind} half-closes: the answer comes behind the end of the request`, async () => {
    const [here, there] = await pair();
    await using client = new Framing(here, words);
    await using server = new Framing(there, words);
    client.write("question");
    await client.closeWrite();
    assertThrows(
      () => client.write("more"),
      ConnectionClosedError,
      "half-closed",
    );
    assertEquals(await server.read(), "question");
    assertEquals(await server.read(), null);
    await server.write("answer");
    await server.closeWrite();
    assertEquals(await client.read(), "answer");
    assertEquals(await client.read(), null);
    assertEquals(await client.read(), null);
  });

  Deno.test(`Framing.close() over ${kind} interrupts a read`, async () => {
    const [here, there] = await pair();
    const peer = new Framing(here, words);
    const reading = rejection(peer.read());
    await peer.close();
    assertInstanceOf(await reading, ConnectionClosedError);
    await assertRejects(() => peer.read(), ConnectionClosedError);
    there.close();
  });

  Deno.test(`Framing over ${kind} ends iteration when this side closes it`, async () => {
    const [here, there] = await pair();
    const peer = new Framing(here, words);
    await writeAll(there, hello);
    const received: string[] = [];
    for await (const word of peer) {
      received.push(word);
      setTimeout(() => peer.close());
    }
    assertEquals(received, ["hello"]);
    assertEquals(await peer[Symbol.asyncIterator]().next(), {
      value: undefined,
      done: true,
    });
    there.close();
  });

  for (const how of ["closes", "disposes"] as const) {
    Deno.test(`Framing over ${kind} delivers what was written before it ${how}`, async () => {
      const [here, there] = await pair();
      const peer = new Framing(here, words);
      peer.write("one");
      peer.write("two");
      if (how === "closes") await peer.close();
      else peer[Symbol.dispose]();
      const received = new Framing(there, words);
      assertEquals(await received.readBatch(), ["one", "two"]);
      assertEquals(await received.read(), null);
      await received.close();
    });
  }

  Deno.test(`Framing.close() over ${kind} delivers a mebibyte`, async () => {
    const [here, there] = await pair();
    const peer = new Framing(here, lengthPrefixed());
    const payload = new Uint8Array(1024 * 1024).fill(7);
    const receiving = readAll(there);
    peer.write(payload);
    await peer.close();
    const received = await receiving;
    assertEquals(received.length, 4 + payload.length);
    assertEquals(received.subarray(4), payload);
    there.close();
  });

  Deno.test(`Framing.close() over ${kind} gives up when the peer does not read`, async () => {
    const [here, there] = await pair();
    const peer = new Framing(here, lengthPrefixed({ maxFrameLength: 2 ** 25 }));
    const writing = peer.write(new Uint8Array(2 ** 25));
    const blocked = rejection(Promise.resolve(writing));
    const error = await assertRejects(
      () => peer.close({ timeout: 1 }),
      WriteTimeoutError,
    );
    assertEquals(error.pending, peer.stats.pending);
    assertInstanceOf(await blocked, ConnectionClosedError);
    await assertRejects(
      () => here.read(new Uint8Array(1)),
      Deno.errors.BadResource,
    );
    await peer.close();
    there.close();
  });

  Deno.test(`Framing.detach() over ${kind} gives back the connection and the bytes that are no frame`, async () => {
    const [here, there] = await pair();
    const peer = new Framing(here, words);
    await writeAll(there, raw(unraw(hello) + "EHLO"));
    assertEquals(await peer.read(), "hello");
    peer.write("bye");
    const { conn, remainder } = await peer.detach();
    assertStrictEquals(conn, here);
    assertEquals(await new Framing(there, words).read(), "bye");
    // Nothing that comes later is lost, whether it was here already or not.
    await there.closeWrite();
    assertEquals(unraw(remainder) + unraw(await readAll(conn)), "EHLO");

    await assertRejects(() => peer.read(), ConnectionClosedError, "detached");
    assertThrows(() => peer.write("x"), ConnectionClosedError, "detached");
    assertThrows(() => peer.tryRead(), ConnectionClosedError, "detached");
    await assertRejects(() => peer.detach(), ConnectionClosedError, "detached");
    peer[Symbol.dispose]();
    await peer.close();
    peer.stopReading();
    assertEquals(await conn.write(new Uint8Array(1)), 1);
    conn.close();
    there.close();
  });
}

for (const [kind, pair] of SOCKETS) {
  Deno.test(`Framing.detach() over ${kind} is refused while the connection owes bytes to a read`, async () => {
    const [here, there] = await pair();
    await using peer = new Framing(here, words);
    const reading = peer.read();
    await assertRejects(() => peer.detach(), Deno.errors.Busy);
    await writeAll(there, hello);
    assertEquals(await reading, "hello");
    await assertRejects(() => peer.read({ timeout: 0 }), ReadTimeoutError);
    await assertRejects(() => peer.detach(), Deno.errors.Busy);
    await writeAll(there, hello);
    assertEquals(await peer.read(), "hello");
    (await peer.detach()).conn.close();
    there.close();
  });

  Deno.test(`Framing over ${kind} gives frames of each kind of memory`, async () => {
    for (const frames of ["owned", "copied", "borrowed"] as const) {
      const [here, there] = await pair();
      await using peer = new Framing(here, lengthPrefixed(), { frames });
      await using sender = new Framing(there, lengthPrefixed());
      const kept: Uint8Array[] = [];
      const seen: string[] = [];
      for (let round = 0; round < 50; round++) {
        await sender.write(new Uint8Array(600).fill(round));
        await sender.write(new Uint8Array(3).fill(round));
        for (let i = 0; i < 2; i++) {
          const frame = await peer.read();
          assert(frame !== null);
          seen.push(`${frame.length} × ${frame[0]}`);
          kept.push(frame);
        }
      }
      const expected = Array.from(
        { length: 100 },
        (_, i) => `${i % 2 === 0 ? 600 : 3} × ${i >> 1}`,
      );
      assertEquals(seen, expected);
      const now = kept.map((frame) => `${frame.length} × ${frame[0]}`);
      if (frames === "borrowed") {
        assert(now.join() !== expected.join(), "the memory is used again");
      } else assertEquals(now, expected);
      if (frames === "copied") {
        assertEquals(new Set(kept.map((frame) => frame.buffer)).size, 100);
      }
    }
  });
}

Deno.test("Framing.read() refuses a signal that was aborted before, and reads nothing", async () => {
  const conn = scriptedConn([{ chunk: hello }]);
  await using peer = new Framing(conn, words);
  const signal = AbortSignal.abort("no");
  assertEquals<unknown>(await rejection(peer.read({ signal })), "no");
  assertEquals<unknown>(await rejection(peer.readBatch({ signal })), "no");
  assertEquals(conn.readCount, 0);
  assertEquals(await peer.read(), "hello");
});

Deno.test("Framing.read() refuses an aborted signal even when a frame is here, and keeps the frame", async () => {
  await using peer = new Framing(scriptedConn([{ chunk: "a\nb\n" }]), lines());
  assertEquals(await peer.read(), "a");
  assertEquals<unknown>(
    await rejection(peer.read({ signal: AbortSignal.abort(1) })),
    1,
  );
  assertEquals(await peer.read(), "b");
});

Deno.test("Framing.read() with a timeout of 0 gives a frame that is here", async () => {
  await using peer = new Framing(scriptedConn([{ chunk: "a\nb\n" }]), lines());
  assertEquals(await peer.read({ timeout: 0 }), "a");
  assertEquals(await peer.read({ timeout: 0 }), "b");
  assertEquals(await peer.read({ timeout: 0 }), null);
});

for (const timeout of [-1, NaN]) {
  Deno.test(`Framing refuses a timeout of ${timeout} and stays usable`, async () => {
    const [here, there] = connPair({ capacity: 1 });
    const peer = new Framing(here, lines());
    await assertRejects(() => peer.read({ timeout }), RangeError, "timeout");
    await assertRejects(
      () => peer.readBatch({ timeout }),
      RangeError,
      "timeout",
    );
    peer.write("ab");
    await assertRejects(() => peer.drain({ timeout }), RangeError, "timeout");
    const receiving = readAll(there);
    await peer.close();
    assertEquals(unraw(await receiving), "ab\n");
    there.close();
  });
}

Deno.test("Framing refuses a second read at once and leaves the first alone", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, words);
  const reading = peer.read();
  await assertRejects(() => peer.read(), Deno.errors.Busy, "another read");
  await assertRejects(() => peer.readBatch(), Deno.errors.Busy);
  await assertRejects(
    () => peer[Symbol.asyncIterator]().next(),
    Deno.errors.Busy,
  );
  assertThrows(() => peer.tryRead(), Deno.errors.Busy);
  assertThrows(() => peer.switchCodec(lines()), Deno.errors.Busy);
  await assertRejects(() => peer.detach(), Deno.errors.Busy);
  await there.write(hello);
  assertEquals(await reading, "hello");
  assertEquals(peer.tryRead(), undefined);
  there.close();
});

Deno.test("Framing stays usable when a loop over its frames is left", async () => {
  const script = [{ chunk: "a\nb\nc\nd\n" }];
  await using peer = new Framing(scriptedConn(script), lines());
  for await (const line of peer) {
    assertEquals(line, "a");
    break;
  }
  await assertRejects(
    async () => {
      for await (const line of peer) throw new Error(line);
    },
    Error,
    "b",
  );
  assertEquals(await peer.read(), "c");
  const iterator = peer[Symbol.asyncIterator]();
  assertEquals(await Array.fromAsync(iterator), ["d"]);
  assertEquals(await Array.fromAsync(peer), []);
});

Deno.test("Framing goes on behind an error that is recoverable", async () => {
  const script = [{ chunk: '1\n{"a":\n2\n{\n3\n' }];
  await using peer = new Framing(scriptedConn(script), json(lines()));
  assertEquals(await peer.read(), 1);
  const error = await assertRejects(() => peer.read(), MalformedFrameError);
  assert(error.recoverable);
  assertEquals(await peer.read(), 2);
  const iterator = peer[Symbol.asyncIterator]();
  await assertRejects(() => iterator.next(), MalformedFrameError);
  assertEquals(await iterator.next(), { value: 3, done: false });
  assertEquals(await peer.read(), null);
});

Deno.test("Framing throws an error that ends the stream for ever, and it never becomes an end", async () => {
  const script = [{ chunk: "\0\0\0\x01a\0\0\0\x09" }];
  const codec = text(lengthPrefixed({ maxFrameLength: 5 }));
  const peer = new Framing(scriptedConn(script), codec);
  assertEquals(await peer.read(), "a");
  const error = await assertRejects(() => peer.read(), FrameTooLargeError);
  peer.stopReading();
  for (let i = 0; i < 3; i++) {
    assertStrictEquals(await rejection(peer.read()), error);
    assertStrictEquals(await rejection(peer.readBatch()), error);
    assertStrictEquals(await rejection(Array.fromAsync(peer)), error);
    assertStrictEquals(assertThrows(() => peer.tryRead()), error);
  }
  assertStrictEquals(assertThrows(() => peer.switchCodec(lines())), error);
  await peer.write("so"); // the direction out is whole
  await peer.close();
});

Deno.test("Framing takes null for a frame where the codec gives it", async () => {
  const script = () => scriptedConn([{ chunk: "null\n1\nnull\n" }]);
  const codec = json(lines());
  await using looped = new Framing(script(), codec);
  assertEquals(await Array.fromAsync(looped), [null, 1, null]);
  await using batched = new Framing(script(), codec);
  assertEquals(await batched.readBatch(), [null, 1, null]);
  assertEquals(await batched.readBatch(), null);
  await using tried = new Framing(script(), codec);
  assertEquals(tried.tryRead(), undefined);
  assertEquals(await tried.read(), null);
  assertEquals([tried.tryRead(), tried.tryRead()], [1, null]);
  assertEquals(tried.tryRead(), undefined);
});

Deno.test("Framing.tryRead() reads nothing from the connection", async () => {
  const conn = scriptedConn([{ chunk: "a\nb\n" }]);
  await using peer = new Framing(conn, lines());
  assertEquals(peer.tryRead(), undefined);
  assertEquals(conn.readCount, 0);
  assertEquals(await peer.read(), "a");
  assertEquals([peer.tryRead(), peer.tryRead()], ["b", undefined]);
  assertEquals(conn.readCount, 1);
});

Deno.test("Framing.readBatch() gives what is here, then the error behind it, then what follows", async () => {
  const script = [{ chunk: "1\n2\n{\n3\n" }, { chunk: "4\n5" }];
  const codec = json(lines());
  await using peer = new Framing(scriptedConn(script), codec);
  assertEquals(await peer.readBatch(), [1, 2]);
  await assertRejects(() => peer.readBatch(), MalformedFrameError);
  assertEquals(await peer.readBatch(), [3]);
  assertEquals(await peer.readBatch(), [4]);
  assertEquals(await peer.readBatch(), [5]);
  assertEquals(await peer.readBatch(), null);
  assertEquals(peer.stats.framesReceived, 5);
});

Deno.test("Framing.switchCodec() and detach() throw an error that came behind a batch, once", async () => {
  for (const act of ["switchCodec", "detach"] as const) {
    const codec = json(lines());
    const conn = scriptedConn([{ chunk: "1\n{\n2\n" }]);
    await using peer = new Framing(conn, codec);
    assertEquals(await peer.readBatch(), [1]);
    await assertRejects(async () => {
      await peer[act](codec);
    }, MalformedFrameError);
    assertEquals(await peer.read(), 2);
  }
});

Deno.test("Framing.readBatch() keeps an error that ends the stream behind the frames before it", async () => {
  const script = [{ chunk: "\0\0\0\x01a\0\0\0\x09" }];
  const codec = text(lengthPrefixed({ maxFrameLength: 5 }));
  await using peer = new Framing(scriptedConn(script), codec);
  assertEquals(await peer.readBatch(), ["a"]);
  const error = await assertRejects(() => peer.readBatch(), FrameTooLargeError);
  assertStrictEquals(await rejection(peer.read()), error);
});

Deno.test("Framing.readBatch() gives up at a timeout and loses nothing", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines());
  await writeAll(there, raw("a"));
  await assertRejects(() => peer.readBatch({ timeout: 1 }), ReadTimeoutError);
  await writeAll(there, raw("b\nc\nd"));
  assertEquals(await peer.readBatch({ timeout: 60_000 }), ["ab", "c"]);
  there.close();
});

Deno.test("Framing takes a read of no bytes for neither an end nor an error", async () => {
  const empty = { empty: true } as const;
  const script = [empty, { chunk: "a" }, empty, empty, { chunk: "\n" }, empty];
  await using peer = new Framing(scriptedConn(script), lines());
  assertEquals(await peer.read(), "a");
  assertEquals(await peer.read(), null);
});

Deno.test("Framing bears many reads of no bytes, if some bytes come between", async () => {
  const empty = Array(99).fill({ empty: true } as const);
  const script = [...empty, { chunk: "a" }, ...empty, { chunk: "\n" }];
  await using peer = new Framing(scriptedConn(script), lines());
  assertEquals(await peer.read(), "a");
});

Deno.test("Framing gives a connection up that gives no bytes again and again", async () => {
  const conn = scriptedConn(Array(1000).fill({ empty: true }));
  const peer = new Framing(conn, lines());
  const error = await assertRejects(
    () => peer.read(),
    ConnectionError,
    "gave no bytes 100 times in a row",
  );
  assertStrictEquals(await rejection(peer.read()), error);
  assertEquals(conn.readCount, 100);
  await peer.close();
});

for (
  const [what, claim] of [
    ["more bytes than there was room for", (room: number) => room + 1],
    ["fewer bytes than none", () => -1],
    ["what is no number of bytes", () => NaN],
  ] as const
) {
  Deno.test(`Framing refuses a connection that claims ${what}`, async () => {
    let reads = 0;
    const conn: ByteConn = {
      read: (p) => Promise.resolve(reads++ === 0 ? p.length : claim(p.length)),
      write: (p) => Promise.resolve(p.length),
      close() {},
    };
    const peer = new Framing(conn, lengthPrefixed({ maxFrameLength: 2 ** 20 }));
    assertEquals(await peer.read(), new Uint8Array());
    let error: unknown;
    do error = await peer.read().catch((error) => error); while (
      error instanceof Uint8Array
    );
    assertInstanceOf(error, ConnectionError);
    assertStringIncludes(error.message, "there was room for");
    assertStrictEquals(await rejection(peer.read()), error);
    await peer.close();
  });
}

Deno.test("Framing delivers the frames before a reset, then says how far the next one had come", async () => {
  const reset = new Deno.errors.ConnectionReset("Connection reset by peer");
  const script = [
    { chunk: unraw(hello) + unraw(hello) + unraw(hello.subarray(0, 6)) },
    { error: reset },
    { end: true } as const,
  ];
  const peer = new Framing(scriptedConn(script), words);
  assertEquals(await peer.read(), "hello");
  assertEquals(await peer.read(), "hello");
  const error = await assertRejects(
    () => peer.read(),
    PeerResetError,
    "Cannot read frame: the peer reset the connection after 6 of 9 bytes",
  );
  assertStrictEquals(error.cause, reset);
  peer.stopReading();
  assertStrictEquals(await rejection(peer.read()), error);
  assertStrictEquals(assertThrows(() => peer.write("x")), error);
  assertStrictEquals(await rejection(peer.drain()), error);
  assertStrictEquals(await rejection(peer.closeWrite()), error);
  assertStrictEquals(await rejection(peer.detach()), error);
  await peer.close(); // it was reported
});

for (
  const [where, chunk, message] of [
    ["between frames", "a\n", "the peer reset the connection"],
    [
      "inside a frame of unknown length",
      "a\nbc",
      "the peer reset the connection after 2 bytes of a frame",
    ],
  ]
) {
  Deno.test(`Framing reports a reset ${where}`, async () => {
    const error = new Deno.errors.ConnectionReset("Connection reset by peer");
    const peer = new Framing(scriptedConn([{ chunk }, { error }]), lines());
    assertEquals(await peer.read(), "a");
    const fault = await assertRejects(() => peer.read(), PeerResetError);
    assertEquals(fault.message, `Cannot read frame: ${message}`);
    await peer.close();
  });
}

Deno.test("Framing over TCP never takes a reset for an end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = createConnection(listener.addr.port, "127.0.0.1");
  const conn = await listener.accept();
  const peer = new Framing(conn, words);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(raw(unraw(hello) + unraw(hello.subarray(0, 6))));
  assertEquals(await peer.read(), "hello");
  await assertRejects(() => peer.read({ timeout: 0 }), ReadTimeoutError);
  socket.resetAndDestroy();
  await closed;
  const error = await assertRejects(
    () => peer.read(),
    PeerResetError,
    "after 6 of 9 bytes",
  );
  assertStrictEquals(await rejection(peer.read()), error);
  await peer.close();
});

Deno.test("Framing over a Unix socket never takes a reset for an end", async () => {
  const [here, there] = await unixPair();
  const peer = new Framing(here, words);
  await writeAll(there, hello);
  await peer.write("never read");
  await peer.drain();
  there.close();
  assertEquals(await peer.read(), "hello");
  const error = await assertRejects(() => peer.read(), PeerResetError);
  assertStrictEquals(await rejection(peer.read()), error);
  await peer.close();
});

for (
  const [where, chunk, have, need, partial] of [
    ["its prefix", "\0\0", 2, 4, ""],
    ["its payload", "\0\0\0\x05he", 6, 9, "he"],
    ["its payload, before its first byte", "\0\0\0\x05", 4, 9, ""],
  ] as const
) {
  for (const [kind, pair] of CONNECTIONS) {
    Deno.test(`Framing over ${kind} reports a frame that the end of the stream cut inside ${where}`, async () => {
      const [here, there] = await pair();
      await using peer = new Framing(here, words);
      await writeAll(there, raw(unraw(hello) + chunk));
      there.close();
      assertEquals(await peer.read(), "hello");
      const error = await assertRejects(() => peer.read(), TruncatedFrameError);
      assertEquals<unknown>(
        [error.have, error.need, unraw(error.partial), error.offset],
        [have, need, partial, 9],
      );
      assertStrictEquals(await rejection(peer.read()), error);
      assertStrictEquals(await rejection(Array.fromAsync(peer)), error);
    });
  }
}

Deno.test("Framing reports a child process that was killed inside a frame", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const program = `
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
    await conn.write(new Uint8Array([0, 0, 0, 1, 97, 0, 0, 0, 5, 104, 101]));
    setInterval(() => {}, 1000);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", program],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await using peer = new Framing(await listener.accept(), words);
  assertEquals(await peer.read(), "a");
  while (peer.stats.buffered < 6) {
    await assertRejects(() => peer.read({ timeout: 1 }), ReadTimeoutError);
  }
  child.kill("SIGKILL");
  const error = await assertRejects(() => peer.read(), TruncatedFrameError);
  assertEquals([error.have, error.need], [6, 9]);
  await child.status;
});

Deno.test("Framing tells a deadline that passes as the bytes come from one that does not", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const [here, there] = connPair();
    await using peer = new Framing(here, words);
    const controller = new AbortController();
    const reading = peer.read({ signal: controller.signal })
      .catch((reason: unknown) => reason);
    there.write(hello);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    controller.abort("late");
    const first = await reading;
    if (first === "late") assertEquals(await peer.read(), "hello");
    else assertEquals(first, "hello");
    assertEquals(peer.stats.framesReceived, 1);
    there.close();
    assertEquals(await peer.read(), null);
  }
});

Deno.test("Framing tells a deadline that passes as the connection breaks from one that does not", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const [here, there] = connPair();
    const peer = new Framing(here, words);
    const controller = new AbortController();
    const reading = rejection(peer.read({ signal: controller.signal }));
    there.reset();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    controller.abort("late");
    const first = await reading;
    if (first !== "late") assertInstanceOf(first, PeerResetError);
    await assertRejects(() => peer.read(), PeerResetError);
    await peer.close();
    there.close();
  }
});

Deno.test("Framing.close() can be called again, while it is under way and after", async () => {
  const [here, there] = connPair({ capacity: 1 });
  const peer = new Framing(here, lines());
  peer.write("ab");
  const order: string[] = [];
  const closing = peer.close().then(() => order.push("first"));
  const again = peer.close().then(() => order.push("second"));
  const third = peer[Symbol.asyncDispose]().then(() => order.push("third"));
  assertThrows(() => peer.write("x"), ConnectionClosedError);
  assertEquals(unraw(await readAll(there)), "ab\n");
  await Promise.all([closing, again, third]);
  assertEquals(order.toSorted(), ["first", "second", "third"]);
  await peer.close();
  peer[Symbol.dispose]();
  assertThrows(
    () => peer.write("x"),
    ConnectionClosedError,
    "Cannot write frame: the connection is closed on this side",
  );
  await assertRejects(() => peer.closeWrite(), ConnectionClosedError);
  await assertRejects(() => peer.detach(), ConnectionClosedError);
  there.close();
});

Deno.test("Framing refuses to give the connection away while it is being closed", async () => {
  const [here, there] = connPair({ capacity: 1 });
  const peer = new Framing(here, lines());
  peer.write("ab");
  const closing = peer.close();
  assertThrows(() => peer.switchCodec(words), ConnectionClosedError);
  await assertRejects(() => peer.detach(), ConnectionClosedError);
  assertEquals(unraw(await readAll(there)), "ab\n");
  await closing;
  await assertRejects(
    () => here.read(new Uint8Array(1)),
    Deno.errors.BadResource,
  );
  there.close();
});

Deno.test("Framing.close() closes when its signal was aborted, and says that bytes were lost", async () => {
  const conn = scriptedConn([{ stall: true }]);
  const peer = new Framing(conn, lines());
  peer.write("lost");
  const closing = peer.close({ signal: AbortSignal.abort("now") });
  assertEquals<unknown>(await rejection(closing), "now");
  assert(conn.closed);
  assertEquals(unraw(conn.written), "");
});

Deno.test("Framing.close() is content with a connection that somebody else closed", async () => {
  const conn = scriptedConn([]);
  const peer = new Framing(conn, lines());
  conn.close();
  await peer.close();
  const other = scriptedConn([]);
  other.close();
  new Framing(other, lines())[Symbol.dispose]();
});

Deno.test("Framing.close() passes on what a connection's own close() throws", async () => {
  const conn: ByteConn = {
    read: () => Promise.resolve(null),
    write: (p) => Promise.resolve(p.length),
    close() {
      throw new TypeError("odd");
    },
  };
  await assertRejects(
    () => new Framing(conn, lines()).close(),
    TypeError,
    "odd",
  );
});

Deno.test("Framing can be disposed while close() is waiting", async () => {
  const [here, there] = connPair({ capacity: 1 });
  const peer = new Framing(here, lines());
  peer.write("ab");
  const closing = rejection(peer.close());
  await until(() => peer.stats.bytesSent === 1);
  peer[Symbol.dispose]();
  assertInstanceOf(await closing, ConnectionClosedError);
  assertEquals(unraw(await readAll(there)), "a");
  there.close();
});

Deno.test("Framing leaves no hole in the stream when it is disposed during a short write", async () => {
  const conn = scriptedConn([], [3]);
  const peer = new Framing(conn, lines());
  peer.write("hello");
  for (let turn = 0; conn.writeCounts.length === 0 && turn < 9; turn++) {
    await Promise.resolve();
  }
  peer.write("world");
  peer[Symbol.dispose]();
  assertEquals(unraw(conn.written), "hel");
  assert(conn.closed);
});

Deno.test("Framing.detach() sends what is written while it waits", async () => {
  const [here, there] = connPair({ capacity: 2 });
  const peer = new Framing(here, lines());
  peer.write("one");
  const detaching = peer.detach();
  peer.write("two");
  there.read(new Uint8Array(2));
  await until(() => peer.stats.bytesSent === 4);
  const writing = peer.write("three");
  const receiving = readAll(there);
  const { conn } = await detaching;
  assertEquals(writing, undefined);
  assertEquals(peer.stats.pending, 0);
  conn.close();
  assertEquals(unraw(await receiving), "e\ntwo\nthree\n");
  there.close();
});

Deno.test("Framing.detach() is refused by a read that begins while it waits, and changes nothing", async () => {
  const [here, there] = connPair({ capacity: 1 });
  const peer = new Framing(here, lines());
  peer.write("ab");
  const detaching = rejection(peer.detach());
  const reading = peer.read();
  const receiving = readAll(there);
  assertInstanceOf(await detaching, Deno.errors.Busy);
  await writeAll(there, raw("c\n"));
  assertEquals(await reading, "c");
  peer.write("d");
  await peer.close();
  assertEquals(unraw(await receiving), "ab\nd\n");
  there.close();
});

Deno.test("Framing.closeWrite() needs a connection that can be half-closed", async () => {
  const { read, write, close } = {
    read: () => Promise.resolve(null),
    write: (p: Uint8Array) => Promise.resolve(p.length),
    close() {},
  };
  const peer = new Framing({ read, write, close }, lines());
  await assertRejects(
    () => peer.closeWrite(),
    ConnectionError,
    "Cannot half-close: this kind of connection has no closeWrite()",
  );
  peer.stopReading();
  await peer.write("goes on");
  assertEquals(peer.remoteAddr, undefined);
  assertEquals(peer.localAddr, undefined);
  await peer.close();
});

Deno.test("Framing.closeWrite() gives up when the peer does not read, and can be called again", async () => {
  const [here, there] = connPair({ capacity: 1 });
  await using peer = new Framing(here, lines());
  peer.write("ab");
  await assertRejects(() => peer.closeWrite({ timeout: 1 }), WriteTimeoutError);
  assertThrows(() => peer.write("x"), ConnectionClosedError);
  const receiving = readAll(there);
  await peer.closeWrite();
  assertEquals(unraw(await receiving), "ab\n");
  there.close();
});

Deno.test("Framing.closeWrite() reports what the connection says", async () => {
  const peer = new Framing({
    read: () => Promise.resolve(null),
    write: (p) => Promise.resolve(p.length),
    closeWrite: () => Promise.reject(new Deno.errors.NotConnected("gone")),
    close() {},
  }, lines());
  await assertRejects(
    () => peer.closeWrite(),
    PeerResetError,
    "Cannot half-close",
  );
  await peer.close();
});

Deno.test("Framing does not show an end behind a write that failed", async () => {
  const failure = new Deno.errors.BrokenPipe("Broken pipe");
  const conn = scriptedConn([{ chunk: "a\n" }, { end: true }], [failure]);
  const peer = new Framing(conn, lines());
  peer.write("x");
  await new Promise((resolve) => setTimeout(resolve)); // the write fails in microtasks
  assertEquals(await peer.read(), "a");
  await assertRejects(() => peer.read(), PeerResetError, "Cannot write frame");
  await assertRejects(() => peer.read(), PeerResetError);
  await peer.close();
});

Deno.test("Framing.switchCodec() goes on with the bytes that are here", async () => {
  const script = [{ chunk: "START\n" + unraw(hello) + "\0\0" }, {
    chunk: "\0\x01aend",
  }];
  const conn = scriptedConn(script);
  const first = new Framing(conn, lines());
  assertEquals(await first.read(), "START");
  first.write("GO");
  const second = first.switchCodec(words);
  second.write("x");
  assertEquals(await second.read(), "hello");
  assertEquals(await second.read(), "a");
  const third = second.switchCodec(lines());
  assertEquals(await third.read(), "end");
  assertEquals(await third.read(), null);
  assertEquals(third.stats.framesReceived, 4);
  assertEquals(third.stats.framesSent, 2);
  assertEquals(third.stats.bytesReceived, 23);

  for (const spent of [first, second]) {
    await assertRejects(() => spent.read(), ConnectionClosedError, "switched");
    await assertRejects(
      () => spent.detach(),
      ConnectionClosedError,
      "switched",
    );
    assertThrows(() => spent.write("x"), ConnectionClosedError, "switched");
    assertThrows(() => spent.switchCodec(lines()), ConnectionClosedError);
    spent.stopReading();
    spent[Symbol.dispose]();
    await spent.close();
  }
  assert(!conn.closed);
  await third.close();
  assert(conn.closed);
  assertEquals(unraw(conn.written), "GO\n\0\0\0\x01x");
});

for (const [kind, pair] of CONNECTIONS) {
  Deno.test(`Framing.switchCodec() over ${kind} takes over a read that timed out`, async () => {
    const [here, there] = await pair();
    const first = new Framing(here, lines());
    await assertRejects(() => first.read({ timeout: 0 }), ReadTimeoutError);
    await using second = first.switchCodec(words);
    await assertRejects(() => second.read({ timeout: 0 }), ReadTimeoutError);
    await writeAll(there, hello);
    assertEquals(await second.read(), "hello");
    there.close();
  });
}

Deno.test("Framing.switchCodec() keeps whose memory the frames are", async () => {
  const conn = scriptedConn([{ chunk: "a\n\0\0\0\x01b\0\0\0\x01c" }]);
  const first = new Framing(conn, lines(), { frames: "copied" });
  assertEquals(await first.read(), "a");
  await using second = first.switchCodec(lengthPrefixed());
  assertEquals((await second.read())?.buffer.byteLength, 1);
});

Deno.test("Framing.switchCodec() takes over an end, a failure and a half-close", async () => {
  const conn = scriptedConn([]);
  const ended = new Framing(conn, lines());
  assertEquals(await ended.read(), null);
  await ended.closeWrite();
  const after = ended.switchCodec(words);
  assertEquals(await after.read(), null);
  assertEquals(conn.readCount, 1);
  assertThrows(() => after.write("x"), ConnectionClosedError, "half-closed");
  await after.close();

  const error = new Deno.errors.ConnectionReset("Connection reset by peer");
  const broken = new Framing(scriptedConn([{ error }]), lines());
  const fault = await assertRejects(() => broken.read(), PeerResetError);
  const next = broken.switchCodec(words);
  assertStrictEquals(await rejection(next.read()), fault);
  await next.close();
});

Deno.test("Framing switches Nagle's algorithm off once, unless told not to", async () => {
  const calls: (boolean | undefined)[] = [];
  const conn: ByteConn = {
    read: () => Promise.resolve(null),
    write: (p) => Promise.resolve(p.length),
    close() {},
    setNoDelay: (noDelay) => void calls.push(noDelay),
  };
  const peer = new Framing(conn, lines());
  await peer.switchCodec(words).switchCodec(lines()).close();
  assertEquals(calls, [true]);
  await new Framing(conn, lines(), { noDelay: false }).switchCodec(words)
    .close();
  assertEquals(calls, [true]);
});

Deno.test("Framing has the addresses of its connection", async () => {
  const [here, there] = await tcpPair();
  const peer = new Framing(here, lines());
  assertEquals(peer.remoteAddr, there.localAddr);
  assertEquals(peer.localAddr, there.remoteAddr);
  await peer.close();
  assertEquals(peer.remoteAddr, there.localAddr);
  there.close();
});

for (const highWaterMark of [-1, NaN]) {
  Deno.test(`Framing refuses a highWaterMark of ${highWaterMark}`, () => {
    assertThrows(
      () => new Framing(scriptedConn([]), lines(), { highWaterMark }),
      RangeError,
      "highWaterMark",
    );
  });
}

Deno.test("Framing.stats counts what went through and what waits", async () => {
  const conn = scriptedConn([{ chunk: "one\ntwo\nthr" }, { stall: true }]);
  await using peer = new Framing(conn, lines());
  assertEquals(await peer.read(), "one");
  peer.write("x");
  assertEquals(peer.stats, {
    bytesReceived: 11,
    framesReceived: 1,
    bytesSent: 0,
    framesSent: 1,
    buffered: 7,
    pending: 2,
  });
  await peer.drain();
  assertEquals(await peer.read(), "two");
  const { framesReceived, bytesSent, buffered, pending } = peer.stats;
  assertEquals([framesReceived, bytesSent, buffered, pending], [2, 2, 3, 0]);
});

Deno.test("Framing.stopReading() tells an idle peer by a half-close", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines());
  const reading = peer.read();
  peer.stopReading();
  peer.stopReading();
  assertEquals(unraw(await readAll(there)), "");
  assertThrows(() => peer.write("x"), ConnectionClosedError);
  there.close();
  assertEquals(await reading, null);
  assertEquals(await peer.read(), null);
});

Deno.test("Framing.stopReading() leaves out a frame that begins after the half-close", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines());
  const reading = peer.read();
  peer.stopReading();
  await writeAll(there, raw("too late\n"));
  assertEquals(await reading, null);
  there.close();
});

Deno.test("Framing.stopReading() sends an answer that is still waiting, then half-closes", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, lines());
  peer.write("answer");
  const reading = peer.read();
  peer.stopReading();
  assertEquals(unraw(await readAll(there)), "answer\n");
  there.close();
  assertEquals(await reading, null);
});

Deno.test("Framing.stopReading() lets frames that are here be read, and no more", async () => {
  const conn = scriptedConn([{ chunk: "a\nb\n" }, { chunk: "c\n" }]);
  await using peer = new Framing(conn, lines());
  assertEquals(await peer.read(), "a");
  peer.stopReading();
  assertEquals(await peer.read(), "b");
  await peer.write("answered");
  assertEquals(await peer.read(), null);
  assertEquals(await Array.fromAsync(peer), []);
  assertEquals(conn.readCount, 1);
});

for (const waiting of [true, false]) {
  const when = waiting ? "while a read waits for its rest" : "between reads";
  Deno.test(`Framing.stopReading() ${when} lets a frame that has begun to come be read`, async () => {
    const [here, there] = connPair();
    await using peer = new Framing(here, lines());
    await writeAll(there, raw("a\nbc"));
    assertEquals(await peer.read(), "a");
    const early = waiting ? peer.read() : undefined;
    peer.stopReading();
    const reading = early ?? peer.read();
    for (const part of ["d", "e", "f\n"]) {
      const { bytesReceived } = peer.stats;
      await writeAll(there, raw(part));
      await until(() => peer.stats.bytesReceived > bytesReceived);
    }
    assertEquals(await reading, "bcdef");
    peer.write("answered");
    await peer.drain();
    await writeAll(there, raw("too late\n"));
    assertEquals(await peer.read(), null);
    there.close();
  });
}

Deno.test("Framing.stopReading() reports a frame that had begun and never ends", async () => {
  const [here, there] = connPair();
  await using peer = new Framing(here, words);
  await writeAll(there, hello.subarray(0, 6));
  const reading = rejection(peer.read());
  await until(() => peer.stats.buffered === 6);
  peer.stopReading();
  there.close();
  assertInstanceOf(await reading, TruncatedFrameError);
});

Deno.test("Framing.stopReading() survives a change of codec", async () => {
  const [here, there] = connPair();
  const peer = new Framing(here, lines());
  peer.stopReading();
  await using next = peer.switchCodec(words);
  await writeAll(there, hello);
  assertEquals(await next.read(), null);
  there.close();
});

Deno.test("Framing.close() tells of bytes that were lost, if only a promise that may have been dropped did", async () => {
  const [here, there] = connPair({ capacity: 4 });
  const peer = new Framing(here, lines(), { highWaterMark: 0 });
  peer.write("far too long for nobody to read it"); // the promise is dropped
  await until(() => peer.stats.bytesSent === 4);
  there.close();
  await until(() => peer.stats.pending === 0 || peer.stats.bytesSent === 4);
  await assertRejects(() => peer.close(), PeerResetError);
});

Deno.test("Framing's disposal does not throw again what a write was rejected with", async () => {
  const [here, there] = connPair({ capacity: 4 });
  {
    await using peer = new Framing(here, lines(), { highWaterMark: 0 });
    const written = peer.write("far too long for nobody to read it");
    there.close();
    await assertRejects(async () => await written, PeerResetError);
  }
});

Deno.test("Framing refuses a wrong timeout even if a frame is here", async () => {
  const peer = new Framing(scriptedConn([{ chunk: "a\nb\n" }]), lines());
  assertEquals(await peer.read(), "a");
  await assertRejects(() => peer.read({ timeout: -1 }), RangeError);
  await assertRejects(() => peer.readBatch({ timeout: NaN }), RangeError);
  assertEquals(await peer.read({ timeout: 0 }), "b");
  await peer.close();
});

Deno.test("Framing.detach() is refused while the rest of a frame that is left out has not come", async () => {
  for (const onOversize of ["skip", "error"] as const) {
    const codec = lengthPrefixed({
      width: 1,
      maxFrameLength: 4,
      onOversize,
      ...(onOversize === "error" ? { maxBodyLength: 9 } : {}),
    });
    const [here, there] = connPair();
    const peer = new Framing(there, codec);
    await here.write(raw("\x06ab"));
    const frame = await peer.read().catch(() => undefined);
    if (frame instanceof FrameBody) await frame.cancel();
    await assertRejects(() => peer.detach(), Deno.errors.Busy, "has not come");
    await here.write(raw("cdef\x01g"));
    assertEquals(await peer.read(), raw("g"));
    (await peer.detach()).conn.close();
    here.close();
  }
});

Deno.test("a body that is cancelled counts as a body until all of it has come", async () => {
  const [here, there] = connPair();
  using peer = new Framing(
    there,
    lengthPrefixed({ width: 1, maxFrameLength: 4, maxBodyLength: 9 }),
  );
  const progress = { ...NOTHING_SEEN };
  await here.write(raw("\x06ab"));
  const body = await peer.read();
  assertInstanceOf(body, FrameBody);
  await body.cancel();
  lookAt(peer, progress);
  assertEquals([progress.insideFrame, progress.insideBody], [true, true]);
  const next = peer.read();
  await here.write(raw("cdef\x01g"));
  assertEquals(await next, raw("g"));
  lookAt(peer, progress);
  assertEquals([progress.insideFrame, progress.insideBody], [false, false]);
  here.close();
});

Deno.test("Framing.stopReading() lets a frame end that has begun, and reads none behind it, by any way to read", async () => {
  const ways: ((peer: Framing<string>) => Promise<(string | null)[]>)[] = [
    async (peer) => [await peer.read(), await peer.read()],
    async (peer) => [await peer.read(), peer.tryRead() ?? null],
    async (peer) => [...await peer.readBatch() ?? [], await peer.read()],
    async (peer) => [...await Array.fromAsync(peer), null],
  ];
  for (const way of ways) {
    const [here, there] = connPair();
    const peer = new Framing(here, lines());
    await writeAll(there, raw("beg"));
    await assertRejects(() => peer.read({ timeout: 1 }), ReadTimeoutError);
    peer.stopReading();
    await writeAll(there, raw("un\nbehind\n"));
    assertEquals(await way(peer), ["begun", null]);
    peer[Symbol.dispose]();
    there.close();
  }
});
