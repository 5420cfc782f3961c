/**
 * Many requests at a time over one connection.
 *
 * @module
 */

import {
  type ByteConn,
  connect,
  ConnectionClosedError,
  ConnectionError,
  FrameTooLargeError,
  Framing,
  type FramingError,
  type FramingOptions,
  json,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  PeerResetError,
  PeerVanishedError,
  reply,
  RequestClient,
  type RequestClientOptions,
  RequestFailedError,
  type RequestState,
  RequestTimeoutError,
  serve,
  text,
  TruncatedFrameError,
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
import { Random } from "../support/random.ts";
import {
  CONNECTIONS,
  readAll,
  rejection,
  SOCKETS,
  tcpPair,
  until,
  writeAll,
} from "../support/sockets.ts";
import { raw, unraw } from "../support/wire.ts";

type Options = RequestClientOptions<string, string>;

/** `7 hello` has the id `7`; a line without a space has none. */
const idOf = {
  request: (line: string) => line.split(" ")[0],
  response: (line: string) =>
    line.includes(" ") ? line.split(" ")[0] : undefined,
};

/** A client that asks lines. */
function asking(
  conn: ByteConn,
  options: Options = {},
  framingOptions: FramingOptions = {},
): RequestClient<string, string> {
  return new RequestClient(
    new Framing(conn, lines({ tail: "error" }), framingOptions),
    options,
  );
}

/** A client and its peer, in memory. */
function pairOf(options: Options = {}, capacity = 64 * 1024) {
  const [here, there] = connPair({ capacity });
  return {
    client: asking(here, options, { highWaterMark: Math.min(capacity, 65536) }),
    peer: new Framing(there, lines()),
    there,
  };
}

/** How a request failed. */
async function failure(work: Promise<unknown>): Promise<RequestFailedError> {
  const error = await rejection(work);
  assertInstanceOf(error, RequestFailedError);
  return error;
}

async function states(
  works: readonly Promise<unknown>[],
): Promise<RequestState[]> {
  return (await Promise.all(works.map(failure))).map(({ state }) => state);
}

const { setTimeout: setTimer } = globalThis;

/** Lets everything happen that needs no I/O and no time. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimer(resolve, 0));
}

/** How many timers are set meanwhile, other than by `turn`. */
async function countTimers(meanwhile: () => Promise<void>): Promise<number> {
  let timers = 0;
  const counting = (...args: Parameters<typeof setTimer>) => {
    timers++;
    return setTimer(...args);
  };
  Object.assign(globalThis, { setTimeout: counting });
  try {
    await meanwhile();
  } finally {
    Object.assign(globalThis, { setTimeout: setTimer });
  }
  return timers;
}

// Whose an answer is

for (const [kind, pair] of CONNECTIONS) {
  Deno.test(`RequestClient over ${kind} gives answers in the order of the requests`, async () => {
    const [here, there] = await pair();
    await using client = asking(here);
    await using peer = new Framing(there, lines());
    const asked = ["one", "two", "three"].map((line) => client.ask(line));
    assertEquals(client.waiting, 3);
    for (const line of ["one", "two", "three"]) {
      assertEquals(await peer.read(), line);
    }
    await peer.writeMany(["1", "2", "3"]);
    assertEquals(await Promise.all(asked), ["1", "2", "3"]);
    assertEquals(client.waiting, 0);
  });

  Deno.test(`RequestClient over ${kind} gives answers by their ids, in whatever order they come`, async () => {
    const [here, there] = await pair();
    await using client = asking(here, { idOf });
    await using peer = new Framing(there, lines());
    const asked = ["a x", "b y", "c z"].map((line) => client.ask(line));
    for (const line of ["a x", "b y", "c z"]) {
      assertEquals(await peer.read(), line);
    }
    const settled: string[] = [];
    for (const work of asked) work.then((line) => settled.push(line));
    await peer.writeMany(["c 3", "a 1", "b 2"]);
    assertEquals(await Promise.all(asked), ["a 1", "b 2", "c 3"]);
    assertEquals(settled, ["c 3", "a 1", "b 2"]);
  });
}

Deno.test("RequestClient asks one after another", async () => {
  await using server = serve(
    { port: 0 },
    lines(),
    reply((line) => `<${line}>`),
  );
  await using client = new RequestClient(
    await connect({ port: server.addr.port }, lines()),
    { timeout: 60_000 },
  );
  for (let i = 0; i < 200; i++) {
    assertEquals(await client.ask(`${i}`), `<${i}>`);
  }
  const { asked, answered, failed, waiting } = client.stats;
  assertEquals([asked, answered, failed, waiting], [200, 200, 0, 0]);
});

for (
  const [how, options] of [["in order", {}], ["by id", { idOf }]] as [
    string,
    Options,
  ][]
) {
  Deno.test(`RequestClient has a thousand requests answered at a time, ${how}`, async () => {
    await using server = serve(
      { port: 0 },
      lines(),
      reply((line) => `${line} answered`),
    );
    await using client = new RequestClient(
      await connect({ port: server.addr.port }, lines()),
      { ...options, timeout: 60_000 },
    );
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 1000 }, (_, i) => `${i} ${round}`);
      const answers = asked.map((line) => client.ask(line));
      assertEquals(client.waiting, 1000);
      assertEquals(
        await Promise.all(answers),
        asked.map((line) => `${line} answered`),
      );
    }
    assertEquals(client.stats.answered, 3000);
  });

  Deno.test(`RequestClient gives everybody the right answer when requests are given up at random, ${how}`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const where = `seed ${seed}`;
      const { client, peer } = pairOf(options, random.pick([1, 7, 100, 10000]));
      const serving = (async () => {
        const held: string[] = [];
        async function answerSome(count: number): Promise<void> {
          for (let i = 0; i < count; i++) {
            const at = options.idOf ? random.below(held.length) : 0;
            const [line] = held.splice(at, 1);
            await peer.write(`${line} answered`);
          }
        }
        for await (const line of peer) {
          held.push(line);
          await answerSome(random.below(held.length + 1));
          if (line.endsWith("last")) await answerSome(held.length);
        }
      })();
      const outcomes: Promise<void>[] = [];
      const aborts: Promise<void>[] = [];
      let answered = 0;
      let givenUp = 0;
      for (let i = 0; i < 100; i++) {
        const controller = new AbortController();
        const line = `${i} ${"x".repeat(random.below(20))}`;
        outcomes.push(
          client.ask(line, { signal: controller.signal }).then((answer) => {
            answered++;
            assertEquals(answer, `${line} answered`, where);
          }, (error) => {
            givenUp++;
            assertEquals(error, "given up", where);
          }),
        );
        if (random.below(3) === 0) {
          const turns = random.below(4);
          aborts.push((async () => {
            for (let i = 0; i < turns; i++) await turn();
            controller.abort("given up");
          })());
        }
        if (random.below(4) === 0) await turn();
      }
      assertEquals(await client.ask("100 last"), "100 last answered", where);
      await Promise.all([...outcomes, ...aborts]);
      assertEquals(answered + givenUp, 100, where);
      assertEquals(client.stats.waiting, 0, where);
      await client.close();
      await serving;
      await peer.close();
    }
  });
}

// One request fails

Deno.test("RequestClient throws the late answer to a request that timed out away, and its place is kept", async () => {
  const unmatched: string[] = [];
  const { client, peer } = pairOf({
    onUnmatched: (line) => unmatched.push(line),
  });
  await using _client = client;
  await using _peer = peer;
  const first = client.ask("first", { timeout: 5 });
  const second = client.ask("second");
  const error = await assertRejects(() => first, RequestTimeoutError);
  assertEquals([error.timeout, error.state], [5, "unknown"]);
  assertEquals(
    error.message,
    "Cannot get answer: none came within 5 ms; it is not known whether the request was carried out",
  );
  assertEquals([client.waiting, client.stats.givenUp], [1, 1]);
  await peer.writeMany(["1", "2"]);
  assertEquals(await second, "2");
  assertEquals(unmatched, ["1"]);
  assertEquals(client.stats, {
    asked: 2,
    answered: 1,
    failed: 1,
    waiting: 0,
    unsent: 0,
    givenUp: 0,
    unmatched: 1,
  });
});

Deno.test("RequestClient takes late and unknown answers for nobody's, by id", async () => {
  const unmatched: string[] = [];
  const { client, peer } = pairOf({
    idOf,
    onUnmatched: (line) => unmatched.push(line),
  });
  await using _client = client;
  await using _peer = peer;
  await assertRejects(
    () => client.ask("a x", { timeout: 1 }),
    RequestTimeoutError,
  );
  assertEquals(client.stats.givenUp, 0);
  const asked = client.ask("b y");
  await peer.writeMany(["a late", "z unknown", "event", "b 2", "b twice"]);
  assertEquals(await asked, "b 2");
  assertEquals(await Promise.all([client.ask("c z"), peer.write("c 3")]), [
    "c 3",
    undefined,
  ]);
  assertEquals(unmatched, ["a late", "z unknown", "event", "b twice"]);
  assertEquals(client.stats.unmatched, 4);
});

for (
  const [how, onUnmatched] of [
    ["throws", () => {
      throw new Error("no");
    }],
    ["rejects", () => Promise.reject(new Error("no"))],
  ] as [string, () => void][]
) {
  Deno.test(`RequestClient goes on when onUnmatched ${how}`, async () => {
    const { client, peer } = pairOf({ idOf, onUnmatched });
    await using _client = client;
    await using _peer = peer;
    await peer.write("z unknown");
    const asked = client.ask("a x");
    await peer.write("a 1");
    assertEquals(await asked, "a 1");
    assertEquals(client.stats.unmatched, 1);
  });
}

Deno.test("RequestClient rejects with the reason of an abort after sending, and keeps the place", async () => {
  const { client, peer } = pairOf();
  await using _client = client;
  await using _peer = peer;
  const controller = new AbortController();
  const { signal } = controller;
  const first = client.ask("first", { signal });
  const second = rejection(client.ask("second", { signal }));
  const third = client.ask("third");
  await peer.write("1");
  assertEquals(await first, "1");
  controller.abort("enough");
  assertEquals<unknown>(await second, "enough");
  assertEquals([client.waiting, client.stats.givenUp], [1, 1]);
  await peer.writeMany(["2", "3"]);
  assertEquals(await third, "3");
});

Deno.test("RequestClient asks nothing with a signal that was aborted before", async () => {
  const { client, peer } = pairOf();
  await using _peer = peer;
  const signal = AbortSignal.abort("no");
  assertEquals<unknown>(await rejection(client.ask("x", { signal })), "no");
  assertEquals(client.stats.asked, 0);
  await client.close();
  assertEquals(await peer.read(), null);
});

Deno.test("RequestClient leaves no listener on a signal", async () => {
  const { client, peer } = pairOf();
  await using _client = client;
  await using _peer = peer;
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof addEventListener>) {
      listeners.add(args[1]);
      addEventListener.apply(signal, args);
    },
    removeEventListener(...args: Parameters<typeof removeEventListener>) {
      listeners.delete(args[1]);
      removeEventListener.apply(signal, args);
    },
  });
  const asked = client.ask("one", { signal });
  const late = rejection(client.ask("two", { signal, timeout: 1 }));
  await assertRejects(() => client.ask("a\nb", { signal }), RangeError);
  assertEquals(listeners.size, 2);
  await late;
  assertEquals(listeners.size, 1);
  await peer.write("1");
  assertEquals(await asked, "1");
  assertEquals(listeners.size, 0);
});

for (
  const [how, giveUp] of [
    ["an abort", undefined],
    ["a timeout", 5],
  ] as const
) {
  Deno.test(`RequestClient does not send what ${how} ended before the peer took more`, async () => {
    const { client, peer } = pairOf({}, 4);
    const first = client.ask("a long request");
    assertEquals(client.stats.unsent, 0);
    const controller = new AbortController();
    const second = rejection(
      client.ask(
        "second",
        giveUp === undefined
          ? { signal: controller.signal }
          : { timeout: giveUp },
      ),
    );
    const third = client.ask("third");
    assertEquals(client.stats.unsent, 2);
    controller.abort("enough");
    const error = await second;
    if (giveUp === undefined) assertEquals<unknown>(error, "enough");
    else {
      assertInstanceOf(error, RequestTimeoutError);
      assertEquals(error.state, "not sent");
      assertEquals(
        error.message,
        "Cannot get answer: none came within 5 ms; the request was not sent",
      );
    }
    assertEquals([client.stats.unsent, client.stats.givenUp], [1, 0]);
    assertEquals(await peer.read(), "a long request");
    assertEquals(await peer.read(), "third");
    await peer.writeMany(["1", "3"]);
    assertEquals(await Promise.all([first, third]), ["1", "3"]);
    await client.close();
    assertEquals(await peer.read(), null);
    await peer.close();
  });
}

Deno.test("RequestClient lays out no more than the peer takes", async () => {
  const { client, peer } = pairOf({}, 4);
  const asked = Array.from({ length: 5 }, (_, i) => client.ask(`request ${i}`));
  const answers = Promise.all(asked);
  const unsent = [client.stats.unsent];
  for (let i = 0; i < 5; i++) {
    assertEquals(await peer.read(), `request ${i}`);
    await turn();
    unsent.push(client.stats.unsent);
  }
  assertEquals(unsent, [4, 3, 2, 1, 0, 0]);
  await peer.writeMany(["0", "1", "2", "3", "4"]);
  assertEquals(await answers, ["0", "1", "2", "3", "4"]);
  await client.close();
  await peer.close();
});

Deno.test("RequestClient rejects only the request that cannot be laid out", async () => {
  const { client, peer } = pairOf({}, 10);
  await using _client = client;
  await using _peer = peer;
  const asked = [
    client.ask("one"),
    rejection(client.ask("with\na line break")),
    client.ask("two, which is longer than may be on the way"),
    // These wait: the fault is found later.
    rejection(client.ask("with\nanother")),
    client.ask("three"),
  ];
  assertEquals(client.stats.unsent, 2);
  assertEquals(await peer.read(), "one");
  assertEquals((await peer.read())?.slice(0, 3), "two");
  assertEquals(await peer.read(), "three");
  await peer.writeMany(["1", "2", "3"]);
  const [one, fault, two, later, three] = await Promise.all(asked);
  assertEquals([one, two, three], ["1", "2", "3"]);
  assertInstanceOf(fault, RangeError);
  assertInstanceOf(later, RangeError);
});

Deno.test("RequestClient refuses ids that are missing or in use, until they are free", async () => {
  const [here, there] = connPair();
  await using client = new RequestClient(
    new Framing(here, json<{ id?: number }, { id?: number }>(lines())),
    { idOf: { request: ({ id }) => id, response: ({ id }) => id } },
  );
  await using peer = new Framing(there, lines());
  await assertRejects(() => client.ask({}), TypeError, "gave no id");
  const first = client.ask({ id: 7 });
  await assertRejects(
    () => client.ask({ id: 7 }),
    TypeError,
    "another request waits with the id 7",
  );
  await peer.write('{"id":7}');
  assertEquals(await first, { id: 7 });
  const again = client.ask({ id: 7 });
  await peer.write('{"id":7}');
  assertEquals(await again, { id: 7 });
  assertEquals(client.stats.asked, 2);
});

Deno.test("RequestClient fails the one whose answer cannot be read, in order", async () => {
  const errors: FramingError[] = [];
  const [here, there] = connPair();
  await using client = new RequestClient(
    new Framing(
      here,
      json<number>(lines({ maxFrameLength: 9, onOversize: "skip" })),
    ),
    { onError: (error) => errors.push(error) },
  );
  await using peer = new Framing(there, lines());
  const first = client.ask(1);
  const second = rejection(client.ask(2));
  const third = rejection(client.ask(3));
  const fourth = rejection(client.ask(4, { timeout: 1 }));
  const fifth = client.ask(5);
  await fourth;
  await peer.writeMany(["10", "{", "1".repeat(50), "[", "50"]);
  assertEquals(await first, 10);
  assertInstanceOf(await second, MalformedFrameError);
  assertInstanceOf(await third, FrameTooLargeError);
  assertEquals(await fifth, 50);
  assertEquals(errors.length, 1);
  assertInstanceOf(errors[0], MalformedFrameError);
});

Deno.test("RequestClient tells onError of an answer that cannot be read, by id", async () => {
  const errors: FramingError[] = [];
  const [here, there] = connPair();
  await using client = new RequestClient<{ id: number }, { id: number }>(
    new Framing(here, json<{ id: number }>(lines())),
    {
      idOf: { request: ({ id }) => id, response: ({ id }) => id },
      onError: (error) => errors.push(error),
    },
  );
  await using peer = new Framing(there, lines());
  const asked = client.ask({ id: 1 });
  await peer.writeMany(["{", '{"id":1}']);
  assertEquals(await asked, { id: 1 });
  assertInstanceOf(errors[0], MalformedFrameError);
  assertEquals([errors.length, client.stats.unmatched], [1, 1]);
});

// How many may wait

Deno.test("RequestClient refuses more than may wait at once", async () => {
  const { client, peer } = pairOf({ maxWaiting: 2 });
  await using _client = client;
  await using _peer = peer;
  const first = client.ask("one");
  const second = rejection(client.ask("two", { timeout: 5 }));
  const refused = await failure(client.ask("three"));
  assertEquals(
    [refused.state, refused.message],
    [
      "not sent",
      "Cannot ask: 2 requests have no answer yet, and maxWaiting is 2",
    ],
  );
  await second;
  assertEquals(
    (await failure(client.ask("three"))).message,
    "Cannot ask: 2 requests have no answer yet, 1 of which were given up, and maxWaiting is 2",
  );
  await peer.write("1");
  assertEquals(await first, "1");
  const third = client.ask("three");
  await peer.writeMany(["2", "3"]);
  assertEquals(await third, "3");
  assertEquals(client.stats.asked, 3);
});

Deno.test("RequestClient has a thousand wait unless told otherwise, those that are not sent among them", async () => {
  const { client, peer } = pairOf({}, 100);
  const asked = Array.from({ length: 1000 }, (_, i) => client.ask(`${i}`));
  assert(client.stats.unsent > 900);
  assertEquals((await failure(client.ask("more"))).state, "not sent");
  const all = states(asked);
  await client.close();
  assertEquals((await all).length, 1000);
  await peer.close();
});

for (
  const [option, options] of [
    ["maxWaiting", { maxWaiting: 0 }],
    ["maxWaiting", { maxWaiting: NaN }],
    ["timeout", { timeout: -1 }],
    ["interval", { heartbeat: { interval: 0, request: () => "PING" } }],
  ] as [string, Options][]
) {
  Deno.test(`RequestClient refuses ${Deno.inspect(options)}`, () => {
    const [here, there] = connPair();
    using framing = new Framing(here, lines());
    assertThrows(() => new RequestClient(framing, options), RangeError, option);
    there.close();
  });
}

Deno.test("RequestClient refuses durations that are negative, and goes on", async () => {
  const { client, peer } = pairOf();
  await using _client = client;
  await using _peer = peer;
  await assertRejects(() => client.ask("x", { timeout: -1 }), RangeError);
  await assertRejects(() => client.close({ grace: -1 }), RangeError, "grace");
  const asked = client.ask("one");
  await peer.write("1");
  assertEquals(await asked, "1");
});

// All fail

for (const [kind, pair] of SOCKETS) {
  Deno.test(`RequestClient over ${kind} fails all that wait when the peer closes in the middle`, async () => {
    const [here, there] = await pair();
    const client = asking(here);
    const asked = ["one", "two", "three"].map((line) => client.ask(line));
    const all = Promise.allSettled(asked);
    assertEquals(await there.read(new Uint8Array(1)), 1);
    await writeAll(there, raw("1\n2"));
    await until(() => client.waiting === 2);
    there.close();
    const [first, ...others] = await all;
    assertEquals(first, { status: "fulfilled", value: "1" });
    for (const other of others) {
      assert(other.status === "rejected");
      assertInstanceOf(other.reason, RequestFailedError);
      assertEquals(other.reason.state, "unknown");
      assertStringIncludes(
        other.reason.message,
        "Cannot get answer: the stream broke; it is not known whether",
      );
      assertStrictEquals(other.reason.cause, await rejection(client.closed));
    }
    const after = await failure(client.ask("four"));
    assertEquals([after.state, after.message], [
      "not sent",
      "Cannot ask: the stream broke",
    ]);
    assertStrictEquals(after.cause, await rejection(client.closed));
    await client.close();
  });
}

Deno.test("RequestClient over TCP fails with the reset that broke the connection", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = createConnection(listener.addr.port, "127.0.0.1");
  const client = asking(await listener.accept(), { idOf });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const received = new Promise((resolve) => socket.once("data", resolve));
  const asked = states(["a x", "b y"].map((line) => client.ask(line)));
  await received;
  socket.resetAndDestroy();
  await closed;
  assertEquals(await asked, ["unknown", "unknown"]);
  assertInstanceOf(await rejection(client.closed), PeerResetError);
});

Deno.test("RequestClient tells what was sent from what was not when the connection is reset", async () => {
  const { client, there } = pairOf({}, 4);
  const first = failure(client.ask("long request"));
  const second = failure(client.ask("second"));
  assertEquals(client.stats.unsent, 1);
  assertEquals(await there.read(new Uint8Array(4)), 4);
  there.reset();
  const [one, two] = await Promise.all([first, second]);
  assertEquals([one.state, two.state], ["unknown", "not sent"]);
  assertInstanceOf(one.cause, PeerResetError);
  assertStrictEquals(one.cause, two.cause);
  there.close();
});

Deno.test("RequestClient says of requests in the send buffer that they were not sent, and sends none of them", async () => {
  const [here, there] = connPair({ capacity: 4 });
  const framing = new Framing(here, lines());
  const client = new RequestClient(framing);
  const first = failure(client.ask("first"));
  await until(() => framing.stats.bytesSent === 4);
  const others = ["second", "third"].map((line) => failure(client.ask(line)));
  assertEquals(client.stats.unsent, 0);
  await client.close();
  assertEquals(unraw(await readAll(there)), "firs");
  assertEquals((await first).state, "unknown");
  assertEquals((await Promise.all(others)).map(({ state }) => state), [
    "not sent",
    "not sent",
  ]);
  there.close();
});

Deno.test("RequestClient never says of a request that it was not sent if the peer got any of it", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const [here, there] = connPair({ capacity: random.pick([1, 5, 30, 1000]) });
    const highWaterMark = random.pick([0, 10, 1000]);
    const client = asking(here, {}, { highWaterMark });
    const requests = Array.from({ length: 20 }, (_, i) => `<${i}>`);
    const outcomes = requests.map((line) => failure(client.ask(line)));
    const wanted = random.below(80);
    let got = "";
    while (got.length < wanted) {
      const into = new Uint8Array(1 + random.below(wanted - got.length));
      const count = await there.read(into) ?? 0;
      got += unraw(into.subarray(0, count));
    }
    const ending = random.pick(["close", "reset", "end"]);
    const rest = ending === "close" ? readAll(there) : undefined;
    if (ending === "close") await client.close();
    if (ending === "reset") there.reset();
    if (ending === "end") await there.closeWrite();
    const failed = await Promise.all(outcomes);
    if (rest !== undefined) got += unraw(await rest);
    if (ending === "end") got += unraw(await readAll(there));
    const sent = requests.filter((_, i) => failed[i].state === "unknown");
    for (const [i, { state }] of failed.entries()) {
      const where = `seed ${seed}, ${ending}, request ${i}, got ${got}`;
      assertEquals(state, i < sent.length ? "unknown" : "not sent", where);
    }
    const most = sent.map((line) => `${line}\n`).join("");
    assert(most.startsWith(got), `seed ${seed}, ${ending}, got ${got}`);
    there.close();
    await client.close();
  }
});

for (
  const [what, script, cause] of [
    ["between two frames", "1\n", ConnectionError],
    ["inside a frame", "1\n2", TruncatedFrameError],
  ] as const
) {
  Deno.test(`RequestClient fails all that wait when the stream ends ${what}`, async () => {
    const { client, there } = pairOf();
    const asked = ["one", "two", "three"].map((line) => client.ask(line));
    const failed = states(asked.slice(1));
    await writeAll(there, raw(script));
    await there.closeWrite();
    assertEquals(await asked[0], "1");
    assertEquals(await failed, ["unknown", "unknown"]);
    const error = await rejection(client.closed);
    assertInstanceOf<typeof ConnectionError | typeof TruncatedFrameError>(
      error,
      cause,
    );
    there.close();
  });
}

Deno.test("RequestClient is closed regularly when the stream ends and nobody waits", async () => {
  const { client, peer } = pairOf();
  const asked = client.ask("one");
  await peer.write("1");
  assertEquals(await asked, "1");
  await peer.close();
  await client.closed;
  const error = await failure(client.ask("two"));
  assertEquals([error.state, error.message], [
    "not sent",
    "Cannot ask: the peer ended the stream",
  ]);
});

Deno.test("RequestClient takes an answer without a request for an error of the stream, in order", async () => {
  const { client, peer } = pairOf();
  const asked = client.ask("one");
  await peer.writeMany(["1", "2"]);
  assertEquals(await asked, "1");
  const error = await rejection(client.closed);
  assertInstanceOf(error, ConnectionError);
  assertEquals(
    error.message,
    "Cannot read answer: it came without a request",
  );
  assertStrictEquals((await failure(client.ask("two"))).cause, error);
  await peer.close();
});

Deno.test("RequestClient takes an answer to what was not sent yet for one without a request", async () => {
  for (const options of [{}, { idOf }]) {
    const { client, peer, there } = pairOf({ ...options, maxWaiting: 3 }, 4);
    const first = client.ask("a long request");
    const second = failure(client.ask("b"));
    await writeAll(there, raw("a 1\n"));
    await writeAll(there, raw("b 2\n"));
    assertEquals(await first, "a 1");
    if (options.idOf === undefined) await rejection(client.closed);
    else await until(() => client.stats.unmatched === 1);
    await client.close();
    assertEquals((await second).state, "not sent");
    await peer.close();
  }
});

Deno.test("RequestClient fails when an id cannot be found in an answer", async () => {
  const fault = new Error("no id");
  const { client, peer } = pairOf({
    idOf: {
      request: () => 1,
      response() {
        throw fault;
      },
    },
  });
  const asked = failure(client.ask("one"));
  await peer.write("1");
  assertStrictEquals((await asked).cause, fault);
  assertStrictEquals(await rejection(client.closed), fault);
  await peer.close();
});

Deno.test("RequestClient fails with an answer that is no frame", async () => {
  const [here, there] = await tcpPair();
  const client = new RequestClient(new Framing(here, text(lengthPrefixed())));
  const asked = failure(client.ask("one"));
  await writeAll(there, raw("HTTP/1.1 400 Bad Request\r\n\r\n"));
  assertInstanceOf((await asked).cause, FrameTooLargeError);
  assertInstanceOf(await rejection(client.closed), FrameTooLargeError);
  there.close();
});

Deno.test("RequestClient notices that sending failed while it waits for answers", async () => {
  const conn = scriptedConn([{ stall: true }], [
    3,
    new Deno.errors.BrokenPipe("Broken pipe"),
  ]);
  const client = asking(conn);
  const error = await failure(client.ask("hello"));
  assertEquals(error.state, "unknown");
  assertInstanceOf(error.cause, PeerResetError);
  assertEquals(conn.closed, true);
});

Deno.test("RequestClient does not take a failure to send for a fault of the request", async () => {
  const conn = scriptedConn([{ stall: true }], [
    new Deno.errors.BrokenPipe("Broken pipe"),
  ]);
  const framing = new Framing(conn, lines());
  const client = new RequestClient(framing);
  framing.write("by somebody else");
  await rejection(framing.drain());
  const error = await failure(client.ask("one"));
  assertEquals(error.state, "not sent");
  assertInstanceOf(error.cause, PeerResetError);
  await rejection(client.closed);
});

Deno.test("RequestClient promises nothing about what somebody else closed", async () => {
  const [here, there] = connPair();
  const framing = new Framing(here, lines());
  const client = new RequestClient(framing);
  const asked = failure(client.ask("one"));
  framing[Symbol.dispose]();
  const error = await asked;
  assertEquals(error.state, "unknown");
  assertInstanceOf(error.cause, ConnectionClosedError);
  assertEquals(unraw(await readAll(there)), "one\n");
  there.close();
});

// Heartbeats

Deno.test("RequestClient asks a silent peer whether it is there, and ends the connection when it is not", async () => {
  const { client, peer } = pairOf({
    heartbeat: { interval: 10, timeout: 200, request: () => "PING" },
  });
  const asked = failure(client.ask("one"));
  assertEquals(await peer.read(), "one");
  assertEquals(await peer.read(), "PING");
  const error = await asked;
  assertEquals([error.state, error.message], [
    "unknown",
    "Cannot get answer: the peer has vanished; it is not known whether the request was carried out",
  ]);
  assertInstanceOf(error.cause, PeerVanishedError);
  assertStrictEquals(await rejection(client.closed), error.cause);
  assertEquals(await peer.read(), null);
  await peer.close();
});

for (
  const [how, options] of [["in order", {}], ["by id", { idOf }]] as [
    string,
    Options,
  ][]
) {
  Deno.test(`RequestClient goes on with a peer that answers its heartbeats, ${how}`, async () => {
    let beats = 0;
    const { client, peer } = pairOf({
      ...options,
      heartbeat: {
        interval: 5,
        timeout: 60_000,
        request: () => `${beats++} PING`,
      },
    });
    for (let i = 0; i < 3; i++) {
      assertEquals(await peer.read(), `${i} PING`);
      await peer.write(`${i} PONG`);
    }
    const asked = client.ask("a x");
    let line: string | null;
    while ((line = await peer.read()) !== "a x") await peer.write(`${line}`);
    await peer.write("a 1");
    assertEquals(await asked, "a 1");
    assertEquals(client.stats.unmatched, 0);
    await client.close();
    await peer.close();
  });
}

Deno.test("RequestClient sends no heartbeat while bytes come, and none when it is closed", async () => {
  const { client, peer } = pairOf({
    heartbeat: { interval: 60_000, request: () => "PING" },
  });
  const timers = await countTimers(async () => {
    for (let i = 0; i < 100; i++) {
      const asked = client.ask(`${i}`);
      assertEquals(await peer.read(), `${i}`);
      await peer.write(`${i}`);
      assertEquals(await asked, `${i}`);
    }
  });
  assertEquals([timers, client.stats.asked], [0, 100]);
  await client.close();
  assertEquals(await peer.read(), null);
  await peer.close();
});

for (
  const [what, request, fault] of [
    ["is thrown", () => {
      throw new Error("no ping");
    }, Error],
    ["cannot be laid out", () => "with\na line break", RangeError],
  ] as [string, () => string, typeof Error][]
) {
  Deno.test(`RequestClient ends when its heartbeat ${what}`, async () => {
    const { client, peer } = pairOf({ heartbeat: { interval: 1, request } });
    const error = await rejection(client.closed);
    assertInstanceOf(error, fault);
    await peer.close();
  });
}

Deno.test("RequestClient can have no more than may wait when it asks whether the peer is there", async () => {
  const { client, peer } = pairOf({
    maxWaiting: 1,
    heartbeat: { interval: 5, timeout: 50, request: () => "PING" },
  });
  const error = await failure(client.ask("one"));
  assertInstanceOf(error.cause, PeerVanishedError);
  assertEquals([await peer.read(), await peer.read()], ["one", null]);
  await peer.close();
});

// Closing

Deno.test("RequestClient.close() fails all that wait, and what is asked from then on", async () => {
  const { client, peer } = pairOf();
  const asked = ["one", "two"].map((line) => failure(client.ask(line)));
  assertEquals(await peer.read(), "one");
  const closing = client.close();
  const during = await failure(client.ask("three"));
  assertEquals([during.state, during.message], [
    "not sent",
    "Cannot ask: the client was closed",
  ]);
  await closing;
  for (const error of await Promise.all(asked)) {
    assertEquals(
      [error.state, error.message],
      [
        "unknown",
        "Cannot get answer: the client was closed; it is not known whether the request was carried out",
      ],
    );
    assertInstanceOf(error.cause, ConnectionClosedError);
  }
  await client.closed;
  await client.close();
  await client[Symbol.asyncDispose]();
  assertEquals(await peer.read(), "two");
  assertEquals(await peer.read(), null);
  await peer.close();
});

Deno.test("RequestClient.close() lets those that wait have their answers within the grace", async () => {
  const { client, peer } = pairOf({}, 4);
  const asked = ["a long one", "two"].map((line) => client.ask(line));
  assertEquals(client.stats.unsent, 1);
  const closing = client.close({ grace: 60_000 });
  assertEquals((await failure(client.ask("three"))).state, "not sent");
  assertEquals(await peer.read(), "a long one");
  assertEquals(await peer.read(), "two");
  await peer.writeMany(["1", "2"]);
  assertEquals(await Promise.all(asked), ["1", "2"]);
  await closing;
  assertEquals(await peer.read(), null);
  await peer.close();
});

for (
  const [how, end] of [
    ["ends with the grace", undefined],
    ["is ended by another close()", (client) => client.close()],
    ["is ended by the end of the stream", (_, peer) => peer.close()],
  ] as [
    string,
    (
      | ((
        client: RequestClient<string, string>,
        peer: Framing<string>,
      ) => Promise<void>)
      | undefined
    ),
  ][]
) {
  Deno.test(`RequestClient.close() ${how}`, async () => {
    const { client, peer } = pairOf();
    const asked = failure(client.ask("one"));
    assertEquals(await peer.read(), "one");
    const closing = client.close({ grace: end ? Infinity : 5 });
    await end?.(client, peer);
    await closing;
    assertEquals((await asked).state, "unknown");
    await peer.close();
  });
}

Deno.test("RequestClient.close() needs no grace when nobody waits", async () => {
  const { client, peer } = pairOf();
  await client.close({ grace: Infinity });
  assertEquals(await peer.read(), null);
  await peer.close();
});

// What it costs

Deno.test("RequestClient takes one timer for a thousand timeouts", async () => {
  const { client, peer } = pairOf({ timeout: 60_000 });
  await using _client = client;
  await using _peer = peer;
  const timers = await countTimers(async () => {
    const asked = Array.from({ length: 1000 }, (_, i) => client.ask(`${i}`));
    await peer.writeMany(Array.from({ length: 1000 }, (_, i) => `${i}`));
    assertEquals((await Promise.all(asked)).length, 1000);
  });
  assertEquals(timers, 1);
});

Deno.test("RequestClient gives up each at its own time", async () => {
  const { client, peer } = pairOf({ timeout: 60_000 });
  await using _peer = peer;
  const longest = failure(client.ask("longest"));
  for (const timeout of [20, 5, 0, 5]) {
    const error = await failure(client.ask("short", { timeout }));
    assertInstanceOf(error, RequestTimeoutError);
    assertEquals([error.timeout, client.waiting], [timeout, 1]);
  }
  const together = [30, 10, 20].map((timeout) =>
    failure(client.ask("x", { timeout }))
  );
  await Promise.all(together);
  assertEquals(client.waiting, 1);
  await client.close();
  await longest;
});

Deno.test("RequestClient waits for longer than a timer can be set to", async () => {
  const { client, peer } = pairOf();
  await using _client = client;
  await using _peer = peer;
  const timers = await countTimers(async () => {
    const asked = client.ask("one", { timeout: 2 ** 40 });
    for (let i = 0; i < 20; i++) await turn();
    await peer.write("1");
    assertEquals(await asked, "1");
  });
  assertEquals(timers, 1);
});

Deno.test("RequestClient reads only what comes", async () => {
  const answers = Array.from({ length: 50 }, (_, i) => ({ chunk: `${i}\n` }));
  const conn = scriptedConn([...answers, { stall: true }]);
  const client = asking(conn, { maxWaiting: 50 });
  const asked = Array.from({ length: 50 }, (_, i) => client.ask(`${i}`));
  assertEquals(
    await Promise.all(asked),
    answers.map(({ chunk }) => chunk.trim()),
  );
  for (let i = 0; i < 20; i++) await turn();
  assertEquals(conn.readCount, 51);
  assertEquals(conn.writeCounts.length, 1);
  await client.close();
});

Deno.test("RequestClient sends requests that are asked together in one write", async () => {
  const conn = scriptedConn([{ stall: true }]);
  const client = asking(conn);
  const asked = ["one", "two", "three"].map((line) =>
    failure(client.ask(line))
  );
  await turn();
  assertEquals(conn.writeCounts, [14]);
  await client.close();
  await Promise.all(asked);
});
