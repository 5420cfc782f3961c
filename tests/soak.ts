/**
 * Good clients among all attackers, for as long as is wanted: `deno task soak [seconds] [--idle N] [--active N]`.
 *
 *     a server ◄── 10,000 connections that are idle, 1,000 that ask: memory of each, latency
 *     a server ◄── 20 good clients, and a crowd for each attack, until the time is up; then it is shut down
 *
 * Every second a line on stderr says how it stands, and a summary on stdout what came of it. It exits with code 1
 * if something did not hold. The servers have a process of their own.
 *
 * @module
 */

import { connect, type Framing } from "@framewire/framewire";
import { parseArgs } from "@std/cli/parse-args";
import type { Report } from "./fixtures/besieged_server.ts";
import {
  Crowd,
  dribble,
  enter,
  type Fate,
  fateOf,
  inCrowds,
  leave,
  lengthOf,
  requests,
} from "./support/attacks.ts";
import {
  Besieged,
  mebibytes,
  type Options,
  pause,
  quantile,
  words,
} from "./support/besieged.ts";
import { Random } from "./support/random.ts";
import { startProgram } from "./support/running_program.ts";
import { writeAll } from "./support/sockets.ts";
import { raw } from "./support/wire.ts";

const MEBIBYTE = 1024 * 1024;
const BUDGET = 64 * MEBIBYTE;
/** How many clients behave well. */
const GOOD = 20;
/** How long an attack may go on before it counts as one that nobody ended, in milliseconds. */
const PATIENCE = 30_000;
/** Memory of a connection that is idle, in bytes: what is aimed at, and what does not pass any more. */
const AIM = 10 * 1024;
const MOST = 2 * AIM;

/** The servers: one for everybody, one that trusts every proxy here, one that trusts none. */
const SERVERS: Options[] = [
  {
    frameTimeout: 2_000,
    writeTimeout: 1_000,
    lingerTimeout: 500,
    memoryBudget: BUDGET,
  },
  { handshakeTimeout: 1_000, proxyProtocol: { trusted: ["127.0.0.1"] } },
  { proxyProtocol: { trusted: ["127.0.0.2"] } },
];

/** Something that may not be otherwise, and how it was. */
interface Condition {
  what: string;
  faults: readonly string[];
}

/** The fault, unless it is right. */
function unless(right: boolean, fault: string | number): string[] {
  return right ? [] : [`${fault}`];
}

/** What peers do, until their connection is gone. */
interface Attack {
  name: string;
  /** How many do it at a time. */
  crowd: number;
  /** Which of the servers it is for. */
  server: 0 | 1 | 2;
  act: (conn: Deno.TcpConn, random: Random) => Promise<Fate | "left">;
}

/** An attack that sends something, and sees what happens. */
function sending(
  name: string,
  crowd: number,
  bytes: (random: Random) => Uint8Array,
  server: 0 | 1 | 2 = 0,
): Attack {
  const act = async (conn: Deno.TcpConn, random: Random) => {
    await send(conn, bytes(random));
    return await fateOf(conn);
  };
  return { name, crowd, server, act };
}

/** Sends as much as the other side takes. */
async function send(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  await writeAll(conn, bytes).catch(() => {}); // how it ends is seen by who reads
}

/** Sends bytes and ends its side. */
async function breakOff(conn: Deno.TcpConn, bytes: Uint8Array): Promise<Fate> {
  await send(conn, bytes);
  await conn.closeWrite().catch(() => {});
  return await fateOf(conn);
}

const STRANGERS = [
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "SSH-2.0-OpenSSH_9.6\r\n",
];
const V2 = "\r\n\r\n\0\r\nQUIT\n\x21\x11";

const ATTACKS: Attack[] = [
  sending("announce 1 GiB", 20, () => raw(`${lengthOf(2 ** 30)}a few bytes`)),
  {
    name: "send a byte a second",
    crowd: 100,
    server: 0,
    async act(conn) {
      await send(conn, raw(lengthOf(MEBIBYTE)));
      return await dribble(conn, 1000);
    },
  },
  {
    name: "ask for much and do not read",
    crowd: 30,
    server: 0,
    async act(conn) {
      await send(conn, requests(Array(16).fill("much 1000000")));
      await pause(3_000);
      return await breakOff(conn, new Uint8Array());
    },
  },
  {
    name: "send random bytes",
    crowd: 5,
    server: 0,
    act: (conn, random) => breakOff(conn, random.bytes(random.below(2000))),
  },
  {
    name: "speak something else",
    crowd: 5,
    server: 0,
    act: (conn, random) => breakOff(conn, raw(random.pick(STRANGERS))),
  },
  {
    name: "end inside a frame",
    crowd: 5,
    server: 0,
    act: (conn) => breakOff(conn, raw(`${lengthOf(100)}half of it`)),
  },
  sending("make the handler throw", 5, () => requests(["throw"])),
  sending("make the handler reject", 5, () => requests(["reject"])),
  {
    name: "leave a handler that never settles",
    crowd: 1,
    server: 0,
    async act(conn) {
      await send(conn, requests(["never"]));
      await pause(500);
      return "left";
    },
  },
  {
    name: "reset the connection",
    crowd: 5,
    server: 0,
    async act(conn) {
      await send(conn, requests(Array(50).fill("much 10000")));
      await conn.read(new Uint8Array(1));
      return "left"; // with bytes that nobody read
    },
  },
  {
    name: "come and go",
    crowd: 5,
    server: 0,
    act: () => Promise.resolve("left"),
  },
  sending(
    "send a PROXY header that never ends",
    5,
    () => raw(`PROXY UNKNOWN ${"x".repeat(1000)}`),
    1,
  ),
  sending(
    "announce a PROXY header of 64 KiB",
    5,
    () => raw(`${V2}\xff\xff`),
    1,
  ),
  sending("do not end their PROXY header", 20, () => raw(`${V2}\0\x0c`), 1),
  {
    name: "break off their PROXY header",
    crowd: 5,
    server: 1,
    act: (conn) => breakOff(conn, raw("PROXY TCP4 192.0.")),
  },
  sending("are no proxy that is trusted", 5, () => raw("PROXY UNKNOWN\r\n"), 2),
];

/** The errors that a server may report when it is treated so. */
const ERRORS = new Set([
  "ConnectionClosedError", // a handler that never settles, at the end of the grace
  "ConnectionRejectedError",
  "FrameTooLargeError",
  "MalformedFrameError",
  "PeerResetError",
  "ReadTimeoutError",
  "TruncatedFrameError",
  "TypeError",
  "WriteTimeoutError",
]);

/** How often an attack ended how. */
type Outcomes = Map<string, number>;

/** Goes on with an attack until it is told to end. */
async function repeat(
  attack: Attack,
  port: number,
  random: Random,
  outcomes: Outcomes,
  over: () => boolean,
): Promise<void> {
  while (!over()) {
    const fate = await once(attack, port, random);
    outcomes.set(fate, (outcomes.get(fate) ?? 0) + 1);
    await pause(random.below(100));
  }
}

async function once(
  { act }: Attack,
  port: number,
  random: Random,
): Promise<Fate | "left" | "never ended"> {
  const conn = await enter(port);
  const { promise: late, resolve } = Promise.withResolvers<"never ended">();
  const timer = setTimeout(() => resolve("never ended"), PATIENCE);
  try {
    const done = act(conn, random);
    done.catch(() => {}); // when it is late, its connection is closed
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
    leave(conn);
  }
}

/** Starts peers that are killed in the middle of a frame. */
async function kill(
  port: number,
  outcomes: Outcomes,
  over: () => boolean,
): Promise<void> {
  const args = [`${port}`, raw(`${lengthOf(100)}half of it`).toHex()];
  const how = { net: "127.0.0.1", typing: true };
  while (!over()) {
    await using peer = startProgram("tests/fixtures/mortal_peer.ts", args, how);
    await peer.line();
    peer.signal("SIGKILL");
    outcomes.set("killed", (outcomes.get("killed") ?? 0) + 1);
    await pause(500);
  }
}

/** What the clients have seen that behave well. */
class Experience {
  /** How long each answer took, in milliseconds. */
  readonly times: number[] = [];
  /** What went wrong. */
  readonly faults: string[] = [];
  /** How many were told that the server shuts down. */
  dismissed = 0;

  /** Asks over one connection, so many times or until the end. */
  async ask(
    connecting: Promise<Framing<string>>,
    name: string,
    goesOn: (asked: number) => boolean,
  ): Promise<"on" | "end"> {
    await using peer = await connecting;
    for (let i = 0; goesOn(i); i++) {
      const word = `${name} ${i}`;
      const start = performance.now();
      await peer.write(word);
      const answer = await peer.read();
      if (answer === null) {
        this.dismissed++;
        return "end";
      }
      this.times.push(performance.now() - start);
      if (answer !== word.toUpperCase()) {
        this.faults.push(`${word} was answered by ${answer}`);
      }
      await pause(5);
    }
    return "on";
  }

  /** Asks over one connection after another until the server ends it, once that is `expected`. */
  async askOn(
    port: number,
    name: string,
    expected: () => boolean,
  ): Promise<void> {
    try {
      while (true) {
        // Whoever came back at the end might find nobody.
        const goesOn = (asked: number) => expected() || asked < 200;
        const peer = connect({ port }, words);
        if (await this.ask(peer, name, goesOn) === "end") break;
      }
      if (!expected()) this.faults.push(`${name} was dismissed too early`);
    } catch (error) {
      this.faults.push(`${name}: ${error}`);
    }
  }

  /** The summary. */
  toString(): string {
    const { times } = this;
    const [p50, p99, most] = [0.5, 0.99, 1].map((share) =>
      `${quantile(times, share).toFixed(2)} ms`
    );
    return `${times.length} answers, p50 ${p50}, p99 ${p99}, longest ${most}`;
  }
}

/** Idle connections by the thousand, and active ones beside them. */
async function multitude(
  idle: number,
  active: number,
  seconds: number,
): Promise<Condition[]> {
  const most = idle + active + 100;
  await using server = await Besieged.start({ maxConnections: most });
  const experience = new Experience();
  const { port } = server;
  await experience.ask(connect({ port }, words), "first", (n) => n < 10);
  const before = await server.report();
  using crowd = await Crowd.enter(port, idle);
  await server.until(({ stats: [{ active }] }) => active >= idle, "all idle");
  await pause(500);
  const { rss } = await server.report();
  const each = (rss - before.rss) / idle;
  console.log(
    `${idle} idle connections: ${(each / 1024).toFixed(1)} KiB each, ${
      mebibytes(rss - before.rss)
    } in all; the aim is ${AIM / 1024} KiB`,
  );
  // A hundred at a time: more than 511 at once do not fit the queue of those who wait to be accepted.
  const peers = await inCrowds(active, () => connect({ port }, words));
  const start = performance.now();
  const goesOn = () => performance.now() - start < seconds * 1000;
  const asking = new Experience();
  await Promise.all(peers.map((peer, index) => {
    const name = `active ${index}`;
    return asking.ask(Promise.resolve(peer), name, goesOn)
      .catch((error) => asking.faults.push(`${name}: ${error}`));
  }));
  console.log(`${active} active connections beside them: ${asking}`);
  const awake = await inCrowds(idle, async (index) => {
    const conn = crowd.conns[index];
    await writeAll(conn, requests(["awake?"]));
    return await conn.read(new Uint8Array(100)) === 4 + 6;
  });
  const { stats: [stats], errors } = await server.report();
  console.log(`the server: ${JSON.stringify(stats)}`);
  const silent = awake.filter((answered) => !answered).length;
  return [
    {
      what: `an idle connection takes less than ${MOST / 1024} KiB`,
      faults: unless(each < MOST || idle < 1000, each), // few tell nothing
    },
    { what: "every active connection is answered", faults: asking.faults },
    {
      what: "every idle connection is answered in the end",
      faults: unless(silent === 0, silent),
    },
    { what: "no connection fails", faults: Object.keys(errors) },
  ];
}

/** One line of how it stands. */
function standing(
  at: number,
  { stats: [stats], rss }: Report,
  answers: number,
): string {
  const { active, accepted, failed, timedOut, malformed, paused } = stats;
  return `${at} s: ${answers} answers; ${active} open of ${accepted}; ${failed} failed, ${timedOut} timed out, ${malformed} malformed, ${paused} paused; ${
    mebibytes(stats.memory)
  } in use, process ${mebibytes(rss)}`;
}

/** Good clients among all attackers. */
async function siege(seconds: number): Promise<Condition[]> {
  await using server = await Besieged.start(...SERVERS);
  const good = new Experience();
  const { port } = server;
  await good.ask(connect({ port }, words), "first", (n) => n < 100);
  const before = await server.report();

  let over = false;
  let ending = false;
  const clients = Array.from(
    { length: GOOD },
    (_, index) => good.askOn(port, `good ${index}`, () => ending),
  );
  const results = new Map<string, Outcomes>();
  const attackers = ATTACKS.flatMap((attack, place) => {
    const outcomes: Outcomes = new Map();
    results.set(attack.name, outcomes);
    return Array.from({ length: attack.crowd }, (_, index) => {
      const random = new Random(1000 * place + index);
      const port = server.ports[attack.server];
      return repeat(attack, port, random, outcomes, () => over);
    });
  });
  const killed: Outcomes = new Map();
  results.set("are killed inside a frame", killed);
  attackers.push(kill(port, killed, () => over));

  for (let at = 1; at <= seconds; at++) {
    await pause(1000);
    console.error(standing(at, await server.report(), good.times.length));
  }
  over = true;
  await Promise.all(attackers);
  const left = results.get("leave a handler that never settles")?.get("left");
  const quiet = await server.until(
    ({ stats: [{ active, memory }] }) =>
      active <= GOOD + (left ?? 0) && memory < MEBIBYTE,
    "the attackers to be gone",
  );
  ending = true;
  await pause(1500); // those that would come back have done so
  const { stats: [last], errors, rss } = await server.shutdown(2000);
  await Promise.all(clients);

  console.log(`good clients: ${good}`);
  for (const [name, outcomes] of results) {
    const counts = [...outcomes].map(([fate, count]) => `${count} ${fate}`);
    console.log(`attackers that ${name}: ${counts.join(", ")}`);
  }
  console.log(`errors reported: ${JSON.stringify(errors)}`);
  console.log(`the server: ${JSON.stringify(last)}`);
  console.log(
    `memory of its process: ${mebibytes(before.rss)} before, ${
      mebibytes(quiet.rss)
    } when the attackers were gone, ${
      mebibytes(rss)
    } at the end; of the budget ${mebibytes(last.memoryPeak)} of ${
      mebibytes(BUDGET)
    } at the most`,
  );
  const { active, memory, memoryPeak, acceptErrors } = last;
  return [
    { what: "every good client is answered", faults: good.faults },
    {
      what: "every good client is told of the shutdown",
      faults: unless(good.dismissed === GOOD, good.dismissed),
    },
    {
      what: "every attack is ended",
      faults: [...results.keys()].filter((name) =>
        results.get(name)?.has("never ended")
      ),
    },
    {
      what: "those that do not read are",
      faults: unless(errors.WriteTimeoutError > 0, "none timed out"),
    },
    {
      what: "every error is one that is documented",
      faults: Object.keys(errors).filter((name) => !ERRORS.has(name)),
    },
    {
      what: "what is in use stays within the memory budget",
      faults: unless(memoryPeak <= BUDGET, memoryPeak),
    },
    {
      what: "accepting never fails",
      faults: unless(acceptErrors === 0, acceptErrors),
    },
    {
      what: "nothing is open or in use at the end",
      faults: unless(active === 0 && memory === 0, active),
    },
  ];
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: ["idle", "active"],
    default: { idle: "10000", active: "1000" },
  });
  const seconds = Number(args._[0] ?? 60);
  const idle = Number(args.idle);
  const conditions = [
    ...idle > 0
      ? await multitude(idle, Number(args.active), Math.min(seconds, 5))
      : [],
    ...await siege(seconds),
  ];
  for (const { what, faults } of conditions) {
    console.log(
      faults.length === 0
        ? `holds: ${what}`
        : `DOES NOT HOLD: ${what}: ${faults[0]}`,
    );
  }
  Deno.exit(conditions.every(({ faults }) => faults.length === 0) ? 0 : 1);
}
