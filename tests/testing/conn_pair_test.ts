/**
 * Connections in memory, next to sockets: each scenario is played on both.
 *
 * @module
 */

import { connPair } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { createConnection } from "node:net";
import {
  CONNECTIONS,
  type Pair,
  readAll,
  rejection,
  writeAll,
} from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

/** What comes of a call: its value, or the name of its error. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    assertInstanceOf(error, Error);
    return error.name;
  }
}

function bytes(count: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(count);
}

/** Writes until nothing more is taken; gives the write that waits. */
async function fill(conn: Deno.Conn): Promise<[waiting: Promise<number>]> {
  while (true) {
    const writing = conn.write(bytes(1024 * 1024));
    writing.catch(() => {});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const full = new Promise<true>((resolve) =>
      timer = setTimeout(() => resolve(true), 10)
    );
    const first = await Promise.race([writing, full]);
    clearTimeout(timer);
    if (first === true) return [writing];
  }
}

const SCENARIOS: [
  what: string,
  play: (pair: Pair) => Promise<unknown[]>,
  outcomes: unknown[],
][] = [
  ["refuses everything once it is closed", async ([here]) => {
    here.close();
    return [
      await outcome(() => here.read(bytes(1))),
      await outcome(() => here.write(bytes(1))),
      await outcome(() => here.closeWrite()),
      await outcome(() => here.close()),
      await outcome(() => here[Symbol.dispose]()),
    ];
  }, ["BadResource", "BadResource", "BadResource", "BadResource", undefined]],

  ["never throws at once, but from close()", async ([here]) => {
    here.close();
    const calls = [
      here.read(bytes(1)),
      here.write(bytes(1)),
      here.closeWrite(),
    ];
    assertThrows(() => here.close(), Deno.errors.BadResource);
    const errors = await Promise.all(calls.map(rejection));
    return errors.map((error) => error instanceof Deno.errors.BadResource);
  }, [true, true, true]],

  ["interrupts a read when it is closed", async ([here]) => {
    const reading = outcome(() => here.read(bytes(1)));
    here.close();
    return [await reading];
  }, ["Interrupted"]],

  ["interrupts a write that waits when it is closed", async ([here]) => {
    const [writing] = await fill(here);
    here.close();
    return [await outcome(() => writing)];
  }, ["Interrupted"]],

  ["breaks a write that waits when the peer closes", async ([here, there]) => {
    const [writing] = await fill(here);
    there.close();
    return [await outcome(() => writing)];
  }, ["BrokenPipe"]],

  ["goes on with a write that waits when the peer reads", async (pair) => {
    const [here, there] = pair;
    const [writing] = await fill(here);
    const reading = readAll(there);
    const count = await writing;
    here.close();
    await reading;
    return [count > 0];
  }, [true]],

  ["gives what was written, then the end, for ever", async ([here, there]) => {
    await here.write(raw("hello"));
    here.close();
    const into = bytes(3);
    return [
      await there.read(into),
      unraw(into),
      await there.read(into),
      unraw(into),
      await there.read(into),
      await there.read(into),
    ];
  }, [3, "hel", 2, "lol", null, null]],

  ["closes by halves", async ([here, there]) => {
    await here.write(raw("question"));
    await here.closeWrite();
    const question = unraw(await readAll(there));
    await there.write(raw("answer"));
    await there.closeWrite();
    const answer = unraw(await readAll(here));
    return [
      question,
      answer,
      await outcome(() => here.write(bytes(1))),
      await outcome(() => here.closeWrite().then(() => "again")),
    ];
  }, ["question", "answer", "BrokenPipe", "again"]],

  ["half-closes while a read waits", async ([here, there]) => {
    const reading = here.read(bytes(9));
    await here.closeWrite();
    const end = await there.read(bytes(1));
    await there.write(raw("late"));
    return [end, await reading];
  }, [null, 4]],

  ["reads nothing into no room, wherever it stands", async ([here, there]) => {
    const none = bytes(0);
    const idle = await here.read(none);
    await there.write(raw("x"));
    const waiting = await here.read(none);
    there.close();
    await readAll(here);
    return [idle, waiting, await here.read(none)];
  }, [0, 0, 0]],

  ["writes nothing at no cost", async ([here, there]) => {
    const count = await here.write(bytes(0));
    here.close();
    return [count, await there.read(bytes(1))];
  }, [0, null]],

  ["gives reads their bytes in order", async ([here, there]) => {
    const one = bytes(1);
    const two = bytes(1);
    const reading = [here.read(one), here.read(two)];
    await there.write(raw("ab"));
    return [...await Promise.all(reading), unraw(one), unraw(two)];
  }, [1, 1, "a", "b"]],

  ["fails writes at last when the peer is gone", async ([here, there]) => {
    there.close();
    let count = 0;
    let last: unknown;
    do last = await outcome(() => here.write(bytes(1))); while (
      last === 1 && ++count < 1e6
    );
    return [last, await here.read(bytes(1))];
  }, ["BrokenPipe", null]],

  ["has addresses that match, closed or not", ([here, there]) => {
    here.close();
    const { remoteAddr, localAddr } = here;
    if (remoteAddr.transport === "tcp") {
      assertEquals(remoteAddr, there.localAddr);
      assertEquals(localAddr, there.remoteAddr);
    }
    return Promise.resolve([remoteAddr.transport === localAddr.transport]);
  }, [true]],

  ["keeps its own copy of what was written", async ([here, there]) => {
    const chunk = raw("hello");
    await here.write(chunk);
    chunk.fill(0);
    here.close();
    return [unraw(await readAll(there))];
  }, ["hello"]],

  ["closes with its readable stream", async ([here, there]) => {
    await writeAll(there, raw("all of it"));
    await there.closeWrite();
    const { readable } = here;
    assertStrictEquals(here.readable, readable);
    const text = await new Response(readable).text();
    return [text, await outcome(() => here.close())];
  }, ["all of it", "BadResource"]],

  ["closes when its readable stream is given up", async ([here, there]) => {
    await writeAll(there, raw("some of it"));
    for await (const chunk of here.readable) {
      assert(chunk.length > 0);
      break;
    }
    return [await outcome(() => here.close())];
  }, ["BadResource"]],

  ["closes with its writable stream", async ([here, there]) => {
    const { writable } = here;
    assertStrictEquals(here.writable, writable);
    const reading = readAll(there);
    const writer = writable.getWriter();
    await writer.write(raw("one "));
    await writer.write(new Uint8Array(200_000).fill(120));
    await writer.close();
    const received = unraw(await reading);
    return [
      received === "one " + "x".repeat(200_000),
      await outcome(() => here.read(bytes(1))),
    ];
  }, [true, "BadResource"]],

  ["closes when its writable stream is aborted", async ([here, there]) => {
    await here.writable.abort("enough");
    return [
      await there.read(bytes(1)),
      await outcome(() => here.read(bytes(1))),
    ];
  }, [null, "BadResource"]],

  ["fails its writable stream when the peer is gone", async ([here, there]) => {
    there.close();
    const writer = here.writable.getWriter();
    writer.closed.catch(() => {});
    let last: unknown;
    let count = 0;
    do last = await outcome(() => writer.write(bytes(1))); while (
      last === undefined && ++count < 1e6
    );
    return [last, await outcome(() => here.close())];
  }, ["BrokenPipe", "BadResource"]],

  ["can be referenced and unreferenced", ([here]) => {
    here.unref();
    here.ref();
    return Promise.resolve([]);
  }, []],
];

for (const [what, play, outcomes] of SCENARIOS) {
  for (const [kind, pair] of CONNECTIONS) {
    Deno.test(`connPair() does as sockets do: ${kind} ${what}`, async () => {
      const ends = await pair();
      try {
        assertEquals(await play(ends), outcomes);
      } finally {
        for (const end of ends) end[Symbol.dispose]();
      }
    });
  }
}

/** A connection that its peer can reset. */
const RESETTABLE: [
  kind: string,
  open: () => Promise<[conn: Deno.Conn, reset: () => Promise<void>]>,
][] = [
  ["a connection in memory", () => {
    const [here, there] = connPair();
    return Promise.resolve([here, () => Promise.resolve(there.reset())]);
  }],
  ["TCP", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const socket = createConnection(listener.addr.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const conn = await listener.accept();
    return [conn, async () => {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resetAndDestroy();
      await closed;
    }];
  }],
];

for (const [kind, open] of RESETTABLE) {
  Deno.test(`connPair() does as sockets do: ${kind} shows a reset once, to a read`, async () => {
    const [conn, reset] = await open();
    const reading = outcome(() => conn.read(bytes(1)));
    await reset();
    assertEquals(
      [
        await reading,
        await outcome(() => conn.read(bytes(1))),
        await outcome(() => conn.write(bytes(1))),
        await outcome(() => conn.read(bytes(1))),
        await outcome(() => conn.closeWrite().then(() => "quiet")),
      ],
      ["ConnectionReset", null, "BrokenPipe", null, "quiet"],
    );
    conn.close();
  });

  Deno.test(`connPair() does as sockets do: ${kind} shows a reset once, to a write`, async () => {
    const [conn, reset] = await open();
    await reset();
    assertEquals(
      [
        await outcome(() => conn.write(bytes(1))),
        await outcome(() => conn.write(bytes(1))),
        await outcome(() => conn.read(bytes(1))),
      ],
      ["ConnectionReset", "BrokenPipe", null],
    );
    conn.close();
  });
}

for (const [kind, open] of RESETTABLE) {
  Deno.test(`connPair() does as sockets do: ${kind} fails its readable stream by a reset, and closes`, async () => {
    const [conn, reset] = await open();
    const reader = conn.readable.getReader();
    const reading = outcome(() => reader.read());
    await reset();
    assertEquals(await reading, "ConnectionReset");
    assertThrows(() => conn.close(), Deno.errors.BadResource);
  });
}

Deno.test("MemoryConn.reset() breaks both sides and loses what was on the way", async () => {
  const [here, there] = connPair({ capacity: 3 });
  await here.write(raw("abc"));
  const writing = rejection(here.write(raw("d")));
  here.reset();
  assertInstanceOf(await writing, Deno.errors.ConnectionReset);
  assertEquals(
    await outcome(() => there.read(bytes(3))),
    "ConnectionReset",
  );
  assertEquals(await there.read(bytes(3)), null);
  assertEquals(await outcome(() => there.write(bytes(3))), "BrokenPipe");
  here.close();
  there.close();
});

Deno.test("connPair() lets what was on the way be read before a reset if told so", async () => {
  const [here, there] = connPair();
  await here.write(raw("abc"));
  await there.write(raw("xy"));
  here.reset({ keepUnread: true });
  const into = bytes(2);
  assertEquals([await there.read(into), unraw(into)], [2, "ab"]);
  assertEquals(await there.read(into), 1);
  assertEquals(await outcome(() => there.read(into)), "ConnectionReset");
  assertEquals(await there.read(into), null);
  // A write is told at once, and once.
  assertEquals(await outcome(() => here.write(into)), "ConnectionReset");
  assertEquals(await outcome(() => here.write(into)), "BrokenPipe");
  assertEquals(await here.read(into), 2);
  assertEquals(await here.read(into), null);
  here.close();
  there.close();
});

Deno.test("connPair() takes as many bytes as its capacity, in each direction", async () => {
  const [here, there] = connPair({ capacity: 5 });
  assertEquals(await here.write(raw("1234567")), 5);
  assertEquals(await there.write(raw("ab")), 2);
  let taken: number | undefined;
  const writing = here.write(raw("67")).then((count) => taken = count);
  const into = bytes(1);
  await here.read(into);
  assertEquals([unraw(into), taken], ["a", undefined]);
  await there.read(into);
  assertEquals([unraw(into), await writing], ["1", 1]);
  here.close();
  assertEquals(unraw(await readAll(there)), "23456");
  there.close();
});

for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
  Deno.test(`connPair() refuses a capacity of ${capacity}`, () => {
    assertThrows(
      () => connPair({ capacity }),
      RangeError,
      `capacity must be a whole number of at least 1: it is ${capacity}`,
    );
  });
}

Deno.test("connPair() can be left to its scope", async () => {
  const [here, there] = connPair();
  {
    using _here = here;
    await here.write(raw("x"));
  }
  await assertRejects(() => here.write(raw("y")), Deno.errors.BadResource);
  using _there = there;
  assertEquals(unraw(await readAll(there)), "x");
});
