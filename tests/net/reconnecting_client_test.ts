/**
 * Many requests at a time over one connection, which is made again whenever it breaks.
 *
 * @module
 */

import {
  type ConnectAttempt,
  type ConnectedInfo,
  ConnectionClosedError,
  ConnectionError,
  type DisconnectedInfo,
  Framing,
  lines,
  PeerResetError,
  PeerVanishedError,
  ReconnectingClient,
  type ReconnectingClientOptions,
  RequestFailedError,
  RequestTimeoutError,
} from "@framewire/framewire";
import { connPair, type MemoryConn } from "@framewire/framewire/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { readAll, rejection, until } from "../support/sockets.ts";
import { unraw } from "../support/wire.ts";

type Options = ReconnectingClientOptions<string, string>;

/** Hardly any wait between two tries. */
const brief = { minDelay: 1, maxDelay: 1 };
/** A wait that no test waits out. */
const endless = { minDelay: 2 ** 30, maxDelay: 2 ** 30, jitter: 0 };

const idOf = {
  request: (line: string) => line.split(" ")[0],
  response: (line: string) => line.split(" ")[0],
};

/** One connection, as its server sees it. */
interface Line {
  peer: Framing<string>;
  conn: MemoryConn;
}

/** What a client connects to. */
class Network {
  readonly attempts: ConnectAttempt[] = [];
  /** What the next tries come to, before they succeed. */
  readonly faults: unknown[] = [];
  #lines: Line[] = [];
  #came: (() => void) | undefined;
  #capacity: number;

  constructor({ capacity = 64 * 1024, faults = [] }: {
    capacity?: number;
    faults?: unknown[];
  } = {}) {
    this.#capacity = capacity;
    this.faults = faults;
  }

  connect = (attempt: ConnectAttempt): Promise<Framing<string>> => {
    this.attempts.push(attempt);
    if (this.faults.length > 0) return Promise.reject(this.faults.shift());
    const capacity = this.#capacity;
    const [here, there] = connPair({ capacity });
    this.#lines.push({ peer: new Framing(there, lines()), conn: there });
    this.#came?.();
    const highWaterMark = Math.min(capacity, 65_536);
    return Promise.resolve(new Framing(here, lines(), { highWaterMark }));
  };

  /** The next connection that was made. */
  async next(): Promise<Line> {
    while (true) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => this.#came = resolve);
    }
  }

  /** How many connections were made of which nobody has asked for. */
  get unseen(): number {
    return this.#lines.length;
  }
}

function clientOf(network: Network, options: Options = {}) {
  return new ReconnectingClient(network.connect, { retry: brief, ...options });
}

/** How a request failed. */
async function failure(work: Promise<unknown>): Promise<RequestFailedError> {
  const error = await rejection(work);
  assertInstanceOf(error, RequestFailedError);
  return error;
}

const { setTimeout: setTimer } = globalThis;

/** Lets everything happen that needs no I/O and no time. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimer(resolve, 0));
}

const refused = () => new Deno.errors.ConnectionRefused("refused");
const forbidden = () => new Deno.errors.NotCapable("Requires net access");

// Connections

Deno.test("ReconnectingClient asks over one connection", async () => {
  const network = new Network();
  await using client = clientOf(network);
  const asked = ["one", "two"].map((line) => client.ask(line));
  assertEquals([client.connected, client.stats.queued], [false, 2]);
  const { peer } = await network.next();
  assertEquals([await peer.read(), await peer.read()], ["one", "two"]);
  assertEquals([client.connected, client.stats.queued], [true, 0]);
  const third = client.ask("three");
  assertEquals(await peer.read(), "three");
  await peer.writeMany(["1", "2", "3"]);
  assertEquals(await Promise.all([...asked, third]), ["1", "2", "3"]);
  assertEquals(client.stats, {
    attempts: 1,
    connections: 1,
    asked: 3,
    answered: 3,
    failed: 0,
    waiting: 0,
    queued: 0,
    moved: 0,
    resent: 0,
    unmatched: 0,
  });
  await client.close();
  assertEquals(await peer.read(), null);
  await peer.close();
});

Deno.test("ReconnectingClient connects again when the connection is reset, ends, or speaks nonsense", async () => {
  const network = new Network();
  const causes: unknown[] = [];
  const connected: ConnectedInfo[] = [];
  await using client = clientOf(network, {
    onDisconnect: (error) => causes.push(error),
    onConnect: (info) => connected.push(info),
  });
  for (const end of ["reset", "end", "nonsense", undefined]) {
    const { peer, conn } = await network.next();
    const asked = client.ask("hello");
    assertEquals(await peer.read(), "hello");
    await peer.write("hi");
    assertEquals(await asked, "hi");
    if (end === "reset") conn.reset();
    if (end === "end") await peer.closeWrite();
    // In order, what nobody asked for breaks the connection.
    if (end === "nonsense") await peer.write("what nobody asked for");
    if (end !== undefined) await until(() => network.unseen > 0);
    await peer.close();
  }
  assertInstanceOf(causes[0], PeerResetError);
  assertEquals(
    causes.slice(1, 3).map((cause) => cause instanceof Error && cause.message),
    [
      "Cannot read answer: the peer ended the stream",
      "Cannot read answer: it came without a request",
    ],
  );
  assertEquals([client.stats.attempts, connected.length], [4, 4]);
  assertEquals(connected.map(({ attempt }) => attempt), [1, 1, 1, 1]);
});

Deno.test("ReconnectingClient tries until it connects, and says which try it is", async () => {
  const network = new Network({ faults: [refused(), refused(), refused()] });
  const told: DisconnectedInfo[] = [];
  let connected: ConnectedInfo | undefined;
  await using client = clientOf(network, {
    retry: { minDelay: 1, maxDelay: 3, jitter: 0 },
    onDisconnect: (_, info) => told.push(info),
    onConnect: (info) => connected = info,
  });
  const asked = client.ask("hello");
  const { peer } = await network.next();
  assertEquals(await peer.read(), "hello");
  await peer.write("hi");
  assertEquals(await asked, "hi");
  assertEquals(network.attempts.map(({ attempt }) => attempt), [1, 2, 3, 4]);
  assertEquals(told, [
    { delay: 1, failures: 1 },
    { delay: 2, failures: 2 },
    { delay: 3, failures: 3 },
  ]);
  assertEquals(connected?.attempt, 4);
  assertEquals([client.stats.attempts, client.stats.connections], [4, 1]);
  await peer.close();
});

Deno.test("ReconnectingClient waits longer after each connection that was of no use, until one was", async () => {
  const network = new Network();
  const told: DisconnectedInfo[] = [];
  await using client = clientOf(network, {
    retry: { minDelay: 1, maxDelay: 10_000, jitter: 0 },
    // To have been greeted is no use.
    greet: (client) => client.ask("log in"),
    onDisconnect: (_, info) => told.push(info),
  });
  for (const useful of [false, false, false, true, false]) {
    const { peer, conn } = await network.next();
    assertEquals(await peer.read(), "log in");
    await peer.write("welcome");
    await until(() => client.connected);
    if (useful) {
      const asked = client.ask("hello");
      assertEquals(await peer.read(), "hello");
      await peer.write("hi");
      assertEquals(await asked, "hi");
    }
    const { length } = told;
    conn.reset();
    await until(() => told.length > length);
    await peer.close();
  }
  assertEquals(told, [
    { delay: 1, failures: 1 },
    { delay: 2, failures: 2 },
    { delay: 4, failures: 3 },
    { delay: 1, failures: 0 },
    { delay: 2, failures: 1 },
  ]);
});

Deno.test("ReconnectingClient takes a connection that lasted for of use", async () => {
  const network = new Network();
  const told: DisconnectedInfo[] = [];
  await using client = clientOf(network, {
    retry: { minDelay: 1, maxDelay: 1, attempts: 1 },
    onDisconnect: (_, info) => told.push(info),
  });
  const { conn } = await network.next();
  await until(() => client.connected);
  const begin = performance.now();
  while (performance.now() - begin < 5) await turn();
  conn.reset();
  const { peer } = await network.next();
  assertEquals(told.map(({ failures }) => failures), [0]);
  await peer.close();
});

Deno.test("ReconnectingClient connects again when its peer has vanished", async () => {
  const network = new Network();
  const causes: unknown[] = [];
  await using client = clientOf(network, {
    heartbeat: { interval: 10, timeout: 200, request: () => "PING" },
    resend: () => true,
    onDisconnect: (error) => causes.push(error),
  });
  const asked = client.ask("one");
  const first = await network.next();
  assertEquals(await first.peer.read(), "one");
  const { peer } = await network.next();
  assertEquals(await peer.read(), "one");
  await peer.write("1");
  assertEquals(await asked, "1");
  assertInstanceOf(causes[0], PeerVanishedError);
  // Heartbeats are none of the program's requests.
  assertEquals(await peer.read(), "PING");
  assertEquals([client.stats.asked, client.waiting], [1, 0]);
  await client.close();
  await first.peer.close();
  await peer.close();
});

// What became of each request

Deno.test("ReconnectingClient fails what may have been carried out, and moves what was not sent", async () => {
  const network = new Network({ capacity: 4 });
  await using client = clientOf(network);
  const { peer, conn } = await network.next();
  await until(() => client.connected);
  const first = failure(client.ask("long request"));
  const others = ["second", "third"].map((line) => client.ask(line));
  assertEquals(await conn.read(new Uint8Array(4)), 4);
  conn.reset();
  const error = await first;
  assertEquals([error.state, error.message], [
    "unknown",
    "Cannot get answer: the stream broke; it is not known whether the request was carried out",
  ]);
  assertInstanceOf(error.cause, PeerResetError);
  const next = await network.next();
  assertEquals(await next.peer.read(), "second");
  assertEquals(await next.peer.read(), "third");
  await next.peer.writeMany(["2", "3"]);
  assertEquals(await Promise.all(others), ["2", "3"]);
  const { asked, answered, failed, moved, resent } = client.stats;
  assertEquals([asked, answered, failed, moved, resent], [3, 2, 1, 2, 0]);
  await peer.close();
  await next.peer.close();
});

Deno.test("ReconnectingClient sends again only what resend allows, in the order of the calls", async () => {
  const network = new Network();
  const questions: [string, number][] = [];
  await using client = clientOf(network, {
    resend(request, sent) {
      questions.push([request, sent]);
      if (request === "fault") throw new Error("no");
      return request.startsWith("get") && sent < 3;
    },
  });
  const first = client.ask("get one");
  const failed = ["put two", "fault"].map((line) => failure(client.ask(line)));
  const last = failure(client.ask("get never"));
  for (const expected of [4, 2]) {
    const { peer, conn } = await network.next();
    const seen: (string | null)[] = [];
    while (seen.length < expected) seen.push(await peer.read());
    assertEquals(
      seen,
      expected === 4
        ? ["get one", "put two", "fault", "get never"]
        : ["get one", "get never"],
    );
    conn.reset();
  }
  const { peer, conn } = await network.next();
  assertEquals([await peer.read(), await peer.read()], [
    "get one",
    "get never",
  ]);
  await peer.write("1");
  assertEquals(await first, "1");
  conn.reset();
  for (const error of await Promise.all([...failed, last])) {
    assertEquals(error.state, "unknown");
  }
  assertEquals(questions, [
    ["get one", 1],
    ["put two", 1],
    ["fault", 1],
    ["get never", 1],
    ["get one", 2],
    ["get never", 2],
    ["get never", 3],
  ]);
  assertEquals([client.stats.resent, client.stats.moved], [4, 0]);
});

for (
  const [how, giveUp] of [
    ["a timeout", undefined],
    ["close()", (client: ReconnectingClient<string, string>) => client.close()],
  ] as const
) {
  Deno.test(`ReconnectingClient does not forget that a request may have been carried out, when ${how} ends it`, async () => {
    const network = new Network();
    const { promise: broken, resolve } = Promise.withResolvers<void>();
    await using client = clientOf(network, {
      retry: endless,
      resend: () => true,
      onDisconnect: () => resolve(),
      timeout: giveUp === undefined ? 100 : Infinity,
    });
    const asked = failure(client.ask("one"));
    const { peer, conn } = await network.next();
    assertEquals(await peer.read(), "one");
    conn.reset();
    await broken;
    const fresh = failure(client.ask("two"));
    assertEquals(client.stats.queued, 2);
    await giveUp?.(client);
    const errors = await Promise.all([asked, fresh]);
    assertEquals(errors.map(({ state }) => state), ["unknown", "not sent"]);
  });
}

Deno.test("ReconnectingClient reports an answer that does not come in time with the whole timeout", async () => {
  const network = new Network({ capacity: 4 });
  await using client = clientOf(network);
  const first = await network.next();
  await until(() => client.connected);
  const asked = [
    failure(client.ask("long request")),
    failure(client.ask("second", { timeout: 100 })),
  ];
  assertEquals(await first.conn.read(new Uint8Array(4)), 4);
  first.conn.reset();
  const { peer } = await network.next();
  assertEquals(await peer.read(), "second");
  const [, error] = await Promise.all(asked);
  assertInstanceOf(error, RequestTimeoutError);
  assertEquals([error.timeout, error.state], [100, "unknown"]);
  // The connection goes on.
  const third = client.ask("third");
  assertEquals(await peer.read(), "third");
  await peer.writeMany(["2", "3"]);
  assertEquals([await third, client.stats.unmatched], ["3", 1]);
  await peer.close();
});

Deno.test("ReconnectingClient rejects only the request that cannot be laid out, waiting or not", async () => {
  const network = new Network();
  await using client = clientOf(network);
  const early = rejection(client.ask("with\na line break"));
  const first = client.ask("one");
  const { peer } = await network.next();
  assertInstanceOf(await early, RangeError);
  assertInstanceOf(await rejection(client.ask("\n")), RangeError);
  assertEquals(await peer.read(), "one");
  await peer.write("1");
  assertEquals(await first, "1");
  await peer.close();
});

Deno.test("ReconnectingClient gives answers by their ids, on each connection anew", async () => {
  const network = new Network();
  const unmatched: string[] = [];
  await using client = clientOf(network, {
    idOf,
    resend: () => true,
    onUnmatched: (line) => unmatched.push(line),
  });
  const asked = ["a x", "b y"].map((line) => client.ask(line));
  const twice = rejection(client.ask("a z"));
  const { peer, conn } = await network.next();
  assertEquals([await peer.read(), await peer.read()], ["a x", "b y"]);
  assertInstanceOf(await twice, TypeError);
  await peer.write("z unknown");
  await peer.write("b 2");
  assertEquals(await asked[1], "b 2");
  conn.reset();
  const next = await network.next();
  assertEquals(await next.peer.read(), "a x");
  await next.peer.writeMany(["b late", "a 1"]);
  assertEquals(await asked[0], "a 1");
  assertEquals(unmatched, ["z unknown", "b late"]);
  assertEquals(client.stats.unmatched, 2);
  await next.peer.close();
});

// Waiting for a connection

Deno.test("ReconnectingClient does not send what was given up before there was a connection", async () => {
  const gate = Promise.withResolvers<void>();
  const network = new Network();
  await using client = new ReconnectingClient<string, string>(
    async (attempt) => {
      await gate.promise;
      return await network.connect(attempt);
    },
  );
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = rejection(client.ask("aborted", { signal }));
  const expired = failure(client.ask("expired", { timeout: 5 }));
  const asked = client.ask("one", { timeout: 60_000 });
  controller.abort("enough");
  assertEquals<unknown>(await aborted, "enough");
  const error = await expired;
  assertInstanceOf(error, RequestTimeoutError);
  assertEquals([error.timeout, error.state], [5, "not sent"]);
  assertEquals([client.waiting, client.stats.queued], [1, 1]);
  gate.resolve();
  const { peer } = await network.next();
  assertEquals(await peer.read(), "one");
  await peer.write("1");
  assertEquals(await asked, "1");
  await client.close();
  assertEquals(await peer.read(), null);
  await peer.close();
});

Deno.test("ReconnectingClient asks nothing with a signal that was aborted before, or a negative timeout", async () => {
  const network = new Network({ faults: [refused()] });
  await using client = clientOf(network, { retry: endless });
  const signal = AbortSignal.abort("no");
  assertEquals<unknown>(await rejection(client.ask("x", { signal })), "no");
  await assertRejects(() => client.ask("x", { timeout: -1 }), RangeError);
  assertEquals(client.stats.asked, 0);
});

Deno.test("ReconnectingClient leaves no listener on a signal", async () => {
  const network = new Network();
  await using client = clientOf(network, { resend: () => true });
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
  const { peer, conn } = await network.next();
  assertEquals(await peer.read(), "one");
  assertEquals(listeners.size, 1);
  conn.reset();
  const next = await network.next();
  assertEquals(await next.peer.read(), "one");
  assertEquals(listeners.size, 1);
  await next.peer.write("1");
  assertEquals(await asked, "1");
  assertEquals(listeners.size, 0);
  await peer.close();
  await next.peer.close();
});

Deno.test("ReconnectingClient refuses more than may wait, with a connection and without", async () => {
  const network = new Network({ faults: [refused()] });
  const { promise: waited, resolve: goOn } = Promise.withResolvers<void>();
  await using client = new ReconnectingClient<string, string>(
    async (attempt) => {
      if (attempt.attempt > 1) await waited;
      return await network.connect(attempt);
    },
    { maxWaiting: 2, retry: brief },
  );
  const asked = ["one", "two"].map((line) =>
    client.ask(line, { timeout: 60_000 })
  );
  const error = await failure(client.ask("three"));
  assertEquals([error.state, error.message], [
    "not sent",
    "Cannot ask: 2 requests have no answer yet, and maxWaiting is 2",
  ]);
  goOn();
  const { peer } = await network.next();
  assertEquals(await peer.read(), "one");
  assertEquals((await failure(client.ask("three"))).state, "not sent");
  await peer.writeMany(["1", "2"]);
  assertEquals(await Promise.all(asked), ["1", "2"]);
  await failure(client.ask("late", { timeout: 1 }));
  const fourth = client.ask("four");
  assertEquals(
    (await failure(client.ask("five"))).message,
    "Cannot ask: 2 requests have no answer yet, 1 of which were given up, and maxWaiting is 2",
  );
  await peer.writeMany(["late", "4"]);
  assertEquals(await fourth, "4");
  await peer.close();
});

// Greeting

Deno.test("ReconnectingClient greets on each connection before anything else is sent", async () => {
  const network = new Network();
  const greeted: number[] = [];
  await using client = clientOf(network, {
    greet: async (client, { attempt }) => {
      greeted.push(attempt);
      assertEquals(await client.ask("log in"), "welcome");
      assertEquals(await client.ask("subscribe"), "done");
    },
    resend: () => true,
  });
  const asked = client.ask("one");
  for (let i = 0; i < 2; i++) {
    const { peer, conn } = await network.next();
    assertEquals(await peer.read(), "log in");
    await turn();
    assertEquals(peer.tryRead(), undefined);
    await peer.write("welcome");
    assertEquals(await peer.read(), "subscribe");
    assertEquals(client.connected, false);
    await peer.write("done");
    assertEquals(await peer.read(), "one");
    if (i === 0) conn.reset();
    else await peer.write("1");
  }
  assertEquals(await asked, "1");
  assertEquals(greeted, [1, 2]);
  assertEquals([client.stats.asked, client.stats.connections], [1, 2]);
});

Deno.test("ReconnectingClient greets again when the connection breaks meanwhile", async () => {
  const network = new Network();
  const causes: unknown[] = [];
  await using client = clientOf(network, {
    greet: (client) => client.ask("log in"),
    onDisconnect: (error) => causes.push(error),
  });
  const first = await network.next();
  assertEquals(await first.peer.read(), "log in");
  first.conn.reset();
  const { peer } = await network.next();
  assertEquals(await peer.read(), "log in");
  await peer.write("welcome");
  await until(() => client.connected);
  assertEquals(causes.length, 1);
  assertInstanceOf(causes[0], RequestFailedError);
  assertEquals([client.stats.attempts, client.stats.connections], [2, 1]);
  await peer.close();
});

Deno.test("ReconnectingClient gives up when greeting fails for good", async () => {
  const network = new Network();
  const fault = new Error("wrong password");
  await using client = clientOf(network, {
    greet() {
      throw fault;
    },
  });
  const error = await failure(client.ask("one"));
  assertEquals(error.state, "not sent");
  assertStrictEquals(error.cause, fault);
  assertStrictEquals(await rejection(client.closed), fault);
  const { peer } = await network.next();
  assertEquals(await peer.read(), null);
  await peer.close();
});

// Giving up

Deno.test("ReconnectingClient gives up when the error is final", async () => {
  const fault = forbidden();
  const network = new Network({ faults: [refused(), fault] });
  const told: [unknown, DisconnectedInfo][] = [];
  const client = clientOf(network, {
    onDisconnect: (...all) => told.push(all),
  });
  const asked = failure(client.ask("one"));
  const error = await asked;
  assertEquals([error.state, error.message], [
    "not sent",
    "Cannot get answer: connecting was given up; the request was not sent",
  ]);
  assertStrictEquals(error.cause, fault);
  assertStrictEquals(await rejection(client.closed), fault);
  const later = await failure(client.ask("two"));
  assertEquals([later.state, later.message], [
    "not sent",
    "Cannot ask: connecting was given up",
  ]);
  assertStrictEquals(later.cause, fault);
  assertEquals(told[1], [fault, { delay: undefined, failures: 2 }]);
  await client.close();
  assertEquals(network.attempts.length, 2);
});

Deno.test("ReconnectingClient gives up after too many tries in a row", async () => {
  const faults = Array.from({ length: 9 }, refused);
  const [, , last] = faults;
  const network = new Network({ faults });
  const client = clientOf(network, { retry: { ...brief, attempts: 3 } });
  const error = await failure(client.ask("one"));
  assertEquals(error.state, "not sent");
  const { cause } = error;
  assertInstanceOf(cause, ConnectionError);
  assertEquals(
    cause.message,
    "Cannot connect: gave up after 3 attempts in a row: refused",
  );
  assertStrictEquals(cause.cause, last);
  assertStrictEquals(await rejection(client.closed), cause);
  assertEquals(network.attempts.length, 3);
});

Deno.test("ReconnectingClient gives up a server that accepts and closes at once", async () => {
  let connections = 0;
  const client = new ReconnectingClient<string, string>(
    () => {
      connections++;
      const [here, there] = connPair();
      there.close();
      return Promise.resolve(new Framing(here, lines()));
    },
    { retry: { minDelay: 1, attempts: 4 } },
  );
  const error = await rejection(client.closed);
  assertInstanceOf(error, ConnectionError);
  assertEquals([connections, client.stats.connections], [4, 4]);
});

Deno.test("ReconnectingClient asks retryIf, and gives up when that throws", async () => {
  const fault = new Error("no");
  const network = new Network({ faults: [new TypeError("one"), refused()] });
  const client = clientOf(network, {
    retry: {
      ...brief,
      retryIf(error) {
        if (error instanceof TypeError) return true;
        throw fault;
      },
    },
  });
  assertStrictEquals((await failure(client.ask("one"))).cause, fault);
  assertStrictEquals(await rejection(client.closed), fault);
  assertEquals(network.attempts.length, 2);
});

Deno.test("ReconnectingClient takes a connect that throws at once for one that rejects", async () => {
  const fault = new TypeError("no");
  const client = new ReconnectingClient<string, string>(() => {
    throw fault;
  });
  assertStrictEquals(await rejection(client.closed), fault);
  await client.close();
});

// Closing

Deno.test("ReconnectingClient.close() fails all that wait, and what is asked from then on", async () => {
  const network = new Network();
  const told: unknown[] = [];
  const client = clientOf(network, {
    onDisconnect: (error) => told.push(error),
  });
  const asked = failure(client.ask("one"));
  const { peer } = await network.next();
  assertEquals(await peer.read(), "one");
  await client.close();
  const error = await asked;
  assertEquals([error.state, error.message], [
    "unknown",
    "Cannot get answer: the client was closed; it is not known whether the request was carried out",
  ]);
  assertInstanceOf(error.cause, ConnectionClosedError);
  const after = await failure(client.ask("two"));
  assertEquals([after.state, after.message], [
    "not sent",
    "Cannot ask: the client was closed",
  ]);
  await client.closed;
  await client.close();
  assertEquals(await peer.read(), null);
  assertEquals([network.attempts.length, told], [1, []]);
  await peer.close();
});

Deno.test("ReconnectingClient.close() ends waiting for the next try", async () => {
  const network = new Network({ faults: [refused()] });
  const { promise: failed, resolve } = Promise.withResolvers<void>();
  const client = clientOf(network, {
    retry: endless,
    onDisconnect: () => resolve(),
  });
  const asked = failure(client.ask("one"));
  await failed;
  await client.close();
  assertEquals((await asked).state, "not sent");
  await client.closed;
});

Deno.test("ReconnectingClient.close() ends connecting, and closes what comes of it", async () => {
  const { promise, resolve } = Promise.withResolvers<Framing<string>>();
  let signal: AbortSignal | undefined;
  const client = new ReconnectingClient<string, string>((attempt) => {
    signal = attempt.signal;
    return promise;
  });
  const asked = failure(client.ask("one"));
  await client.close();
  assertEquals((await asked).state, "not sent");
  assertEquals(signal?.aborted, true);
  const [here, there] = connPair();
  resolve(new Framing(here, lines()));
  assertEquals(unraw(await readAll(there)), "");
  there.close();
});

Deno.test("ReconnectingClient.close() ends greeting, whatever that waits for", async () => {
  const network = new Network();
  const { promise: greeting, resolve } = Promise.withResolvers<void>();
  const client = clientOf(network, {
    greet() {
      resolve();
      return new Promise(() => {});
    },
  });
  const asked = failure(client.ask("one"));
  await greeting;
  await client.close();
  assertEquals((await asked).state, "not sent");
  const { peer } = await network.next();
  assertEquals(await peer.read(), null);
  await peer.close();
});

for (const place of ["connect", "greet", "onConnect", "onDisconnect"]) {
  Deno.test(`ReconnectingClient can be closed from ${place}`, async () => {
    const network = new Network();
    let closing: Promise<void> | undefined;
    const closeAt = (here: string) => {
      if (place === here) closing = client.close();
    };
    const client: ReconnectingClient<string, string> = new ReconnectingClient(
      async (attempt) => {
        await turn();
        closeAt("connect");
        return await network.connect(attempt);
      },
      {
        retry: brief,
        greet: () => closeAt("greet"),
        onConnect: () => closeAt("onConnect"),
        onDisconnect: () => closeAt("onDisconnect"),
      },
    );
    const asked = failure(client.ask("one"));
    const { peer } = await network.next();
    if (place === "onDisconnect") {
      assertEquals(await peer.read(), "one");
      await peer.close();
    }
    const error = await asked;
    const sent = place === "onConnect" || place === "onDisconnect";
    if (!sent) assertEquals(error.state, "not sent");
    await closing;
    await client.closed;
    assertEquals(network.attempts.length, 1);
    await peer.close();
  });
}

Deno.test("ReconnectingClient.close() lets those that wait have their answers within the grace, over new connections too", async () => {
  const network = new Network();
  const client = clientOf(network, { resend: () => true });
  const asked = client.ask("one");
  const { peer, conn } = await network.next();
  assertEquals(await peer.read(), "one");
  const closing = client.close({ grace: 60_000 });
  assertEquals((await failure(client.ask("two"))).state, "not sent");
  conn.reset();
  const next = await network.next();
  assertEquals(await next.peer.read(), "one");
  await next.peer.write("1");
  assertEquals(await asked, "1");
  await closing;
  assertEquals(await next.peer.read(), null);
  await next.peer.close();
});

for (
  const [how, options] of [
    ["ends with the grace", { grace: 5 }],
    ["is ended by another close()", { grace: Infinity }],
  ] as const
) {
  Deno.test(`ReconnectingClient.close() ${how}`, async () => {
    const network = new Network({ faults: [refused()] });
    const client = clientOf(network, { retry: endless });
    const asked = failure(client.ask("one"));
    const closing = client.close(options);
    if (options.grace === Infinity) await client.close();
    await closing;
    assertEquals((await asked).state, "not sent");
    await assertRejects(() => client.close({ grace: -1 }), RangeError, "grace");
  });
}

Deno.test("ReconnectingClient goes on when its listeners throw", async () => {
  const network = new Network({ faults: [refused()] });
  const fault = () => {
    throw new Error("no");
  };
  await using client = clientOf(network, {
    onConnect: fault,
    onDisconnect: fault,
  });
  const asked = client.ask("one");
  const { peer } = await network.next();
  assertEquals(await peer.read(), "one");
  await peer.write("1");
  assertEquals(await asked, "1");
  await peer.close();
});

for (
  const [option, options] of [
    ["maxWaiting", { maxWaiting: 0 }],
    ["timeout", { timeout: -1 }],
    ["attempts", { retry: { attempts: 0 } }],
    ["minDelay", { retry: { minDelay: 0 } }],
    ["interval", { heartbeat: { interval: 0, request: () => "PING" } }],
  ] as [string, Options][]
) {
  Deno.test(`ReconnectingClient refuses ${Deno.inspect(options)}, and does not connect`, () => {
    const network = new Network();
    assertThrows(
      () => new ReconnectingClient(network.connect, options),
      RangeError,
      option,
    );
    assertEquals(network.attempts, []);
  });
}

Deno.test("ReconnectingClient sends what waited in one write", async () => {
  const network = new Network();
  await using client = clientOf(network);
  const asked = Array.from({ length: 100 }, (_, i) => client.ask(`${i}`));
  const { peer, conn } = await network.next();
  const chunk = new Uint8Array(4096);
  const count = await conn.read(chunk);
  assert(count === 290, `${count}`);
  await peer.writeMany(Array.from({ length: 100 }, (_, i) => `${i}`));
  assertEquals((await Promise.all(asked)).length, 100);
  await peer.close();
});
