/**
 * A server whose process is killed again and again under clients that connect again.
 *
 * @module
 */

import {
  connect,
  lines,
  ReconnectingClient,
  reply,
  RequestFailedError,
  type RequestState,
  serve,
} from "@framewire/framewire";
import { faultyProxy } from "@framewire/framewire/testing";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Random } from "../../support/random.ts";
import { startProgram } from "../../support/running_program.ts";
import { until } from "../../support/sockets.ts";

const CLIENTS = 50;
const RESTARTS = 20;
/** How many requests each client has waiting at a time. */
const AT_A_TIME = 4;
/** How many answers come between two kills. */
const ANSWERS = 100;
/** What some requests are given, so that they end while there is no server. */
const SHORT = 30;

/** What became of a request. */
type Outcome = "answered" | RequestState;

/** What became of all. */
class Outcomes {
  readonly all = new Map<string, Outcome>();
  answered = 0;

  /** Asks, and takes note of what comes of it. */
  async ask(
    client: ReconnectingClient<string, string>,
    request: string,
    timeout: number,
  ): Promise<void> {
    let outcome: Outcome;
    try {
      assertEquals(
        await client.ask(request, { timeout }),
        `done ${request}`,
      );
      outcome = "answered";
      this.answered++;
    } catch (error) {
      assertInstanceOf(error, RequestFailedError);
      outcome = error.state;
    }
    assertEquals(this.all.get(request), undefined, `${request} ended twice`);
    this.all.set(request, outcome);
  }

  /** How many requests of a kind ended so. */
  count(kind: string, outcome: Outcome): number {
    let count = 0;
    for (const [request, ended] of this.all) {
      if (request.startsWith(kind) && ended === outcome) count++;
    }
    return count;
  }

  /** Checks what became of each request against how many times the server has carried it out. */
  check(ledger: Map<string, number>): void {
    for (const [request, outcome] of this.all) {
      const times = ledger.get(request) ?? 0;
      const where = `${request}: ${outcome}, carried out ${times} times`;
      if (outcome === "answered") assert(times >= 1, where);
      if (outcome === "not sent") assertEquals(times, 0, where);
      if (request.startsWith("put")) assert(times <= 1, where);
    }
    for (const request of ledger.keys()) {
      assert(this.all.has(request), `nobody knows of ${request}`);
    }
  }
}

/** How many times each line is in a text. */
function tally(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n").slice(0, -1)) {
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return counts;
}

/** Prints a figure of the test. */
function figure(of: string, value: string): void {
  console.log(`survival: ${of}: ${value}`);
}

function sumOf(
  clients: readonly ReconnectingClient<string, string>[],
  count: "connections" | "attempts" | "asked" | "moved" | "resent",
): number {
  return clients.reduce((sum, { stats }) => sum + stats[count], 0);
}

Deno.test("ReconnectingClient says of every request what became of it while its server is killed twenty times", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/ledger`;
    await Deno.writeTextFile(path, "");
    const start = (port: number) =>
      startProgram("tests/fixtures/ledger_server.ts", [`${port}`, path], {
        net: "127.0.0.1",
        flags: [`--allow-write=${path}`],
      });
    let server = start(0);
    try {
      const port = Number(await server.line());
      const clients = Array.from(
        { length: CLIENTS },
        () =>
          new ReconnectingClient<string, string>(
            ({ signal }) => connect({ port, signal }, lines()),
            {
              retry: { minDelay: 10, maxDelay: 100 },
              resend: (request) => request.startsWith("get"),
            },
          ),
      );
      const outcomes = new Outcomes();
      let over = false;
      const asking = clients.flatMap((client, c) =>
        Array.from({ length: AT_A_TIME }, async (_, lane) => {
          for (let i = 0; !over; i++) {
            // Every other request may be sent twice; every fifth has little time.
            const kind = (i + lane) % 2 === 0 ? "put" : "get";
            const timeout = i % 5 === 4 ? SHORT : 60_000;
            await outcomes.ask(client, `${kind} ${c} ${lane} ${i}`, timeout);
          }
        })
      );
      for (let restart = 0; restart < RESTARTS; restart++) {
        const { answered } = outcomes;
        await until(() => outcomes.answered >= answered + ANSWERS, "answers");
        server.signal("SIGKILL");
        await server[Symbol.asyncDispose]();
        server = start(port);
      }
      const { answered } = outcomes;
      await until(() => outcomes.answered >= answered + ANSWERS, "answers");
      over = true;
      await Promise.all(asking);
      for (const { stats } of clients) {
        assertEquals(stats.asked, stats.answered + stats.failed);
        assertEquals([stats.waiting, stats.queued], [0, 0]);
      }
      const asked = sumOf(clients, "asked");
      const resent = sumOf(clients, "resent");
      await Promise.all(clients.map((client) => client.close()));

      assertEquals(outcomes.all.size, asked);
      const ledger = tally(await Deno.readTextFile(path));
      outcomes.check(ledger);
      const again = [...ledger.values()].reduce((sum, n) => sum + n - 1, 0);
      assert(again <= resent, `${again} carried out again, ${resent} resent`);
      const ended = (outcome: Outcome) =>
        outcomes.count("put", outcome) + outcomes.count("get", outcome);
      // Were it otherwise, the server would have been killed when nobody asked.
      assert(ended("unknown") > 0 && resent > 0);
      figure(
        `${CLIENTS} clients, ${RESTARTS} restarts`,
        [
          `${asked} requests`,
          `${ended("answered")} answered`,
          `${ended("not sent")} not sent`,
          `${ended("unknown")} unknown`,
          `${resent} resent as allowed, ${again} of which carried out again`,
          `none carried out twice that was not allowed to`,
          `${sumOf(clients, "connections")} connections`,
        ].join(", "),
      );
    } finally {
      await server[Symbol.asyncDispose]();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ReconnectingClient says of every request what became of it in a network that breaks all the time", async () => {
  const total = { requests: 0, answered: 0, unknown: 0, resent: 0 };
  let connections = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const random = new Random(seed);
    const ledger = new Map<string, number>();
    await using server = serve(
      { port: 0, onError: () => {} },
      lines(),
      reply((request) => {
        ledger.set(request, (ledger.get(request) ?? 0) + 1);
        return `done ${request}`;
      }),
    );
    await using proxy = await faultyProxy({
      target: server.addr,
      seed,
      faults: () => {
        const some = () => ({ min: 0, max: 600 });
        const nasty = random.pick(["there", "back", "end", "stall"]);
        const stall = { after: some() };
        return {
          cuts: { min: 1, max: 30 },
          there: nasty === "there" ? { resetAfter: some() } : {},
          back: nasty === "back"
            ? { resetAfter: some() }
            : nasty === "end"
            ? { halfCloseAfter: some() }
            : nasty === "stall"
            ? { stall }
            : {},
        };
      },
    });
    const { port } = proxy.addr;
    const client = new ReconnectingClient<string, string>(
      ({ signal }) => connect({ port, signal }, lines({ tail: "error" })),
      {
        retry: { minDelay: 1, maxDelay: 10 },
        resend: (request) => request.startsWith("get"),
        heartbeat: { interval: 20, timeout: 50, request: () => "beat" },
      },
    );
    const outcomes = new Outcomes();
    await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
      for (let i = 0; i < 25; i++) {
        const kind = random.pick(["put", "get"]);
        await outcomes.ask(client, `${kind} ${lane} ${i}`, Infinity);
      }
    }));
    const { asked, answered, failed, resent } = client.stats;
    await client.close();
    const where = `seed ${seed}`;
    assertEquals([asked, answered + failed], [200, 200], where);
    ledger.delete("beat");
    outcomes.check(ledger);
    // Without a timeout, whatever may be sent again is answered in the end.
    assertEquals(outcomes.count("get", "unknown"), 0, where);
    assertEquals(outcomes.count("put", "not sent"), 0, where);
    total.requests += asked;
    total.answered += answered;
    total.unknown += failed;
    total.resent += resent;
    connections += client.stats.connections;
  }
  figure(
    "a network that breaks all the time",
    `${total.requests} requests, ${total.answered} answered, ${total.unknown} unknown, ${total.resent} resent as allowed, ${connections} connections`,
  );
});
