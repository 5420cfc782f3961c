/**
 * Ping over TCP: measures how long it takes to connect to a server.
 *
 *     $ deno run --allow-net=127.0.0.1:65432 cli/ping.ts 127.0.0.1 65432 -c 3
 *     PING 127.0.0.1:65432: TCP connections
 *     connected to 127.0.0.1:65432: seq=0 time=0.358 ms
 *     connected to 127.0.0.1:65432: seq=1 time=0.265 ms
 *     connected to 127.0.0.1:65432: seq=2 time=0.264 ms
 *
 *     --- 127.0.0.1 ping statistics ---
 *     3 connections tried, 3 made, 0.0% loss
 *     round-trip min/avg/max/stddev = 0.264/0.296/0.358/0.044 ms
 *
 * Start `cli/app_server.ts` in another terminal first. To connect takes one round trip, as an echo does, so
 * the times compare with those of `ping`; looking a name up counts too.
 *
 * It does not send ICMP echo requests, as `ping` does: that takes raw sockets, which Deno does not have. So it
 * needs a port on which somebody listens, and it says nothing of a host where nobody does; that one refuses,
 * and a firewall or a dead host is silent.
 *
 * @module
 */

import {
  connect,
  ConnectTimeoutError,
  formatAddr,
  untilClose,
} from "../mod.ts";
import {
  explain,
  JSON_OUTPUT,
  type Parameter,
  PEER_HOST,
  PEER_PORT,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";
import { pause } from "./waiting.ts";

/** Both must be given: a ping is of somewhere. */
const HOST: Parameter<string> = required(PEER_HOST);
const PORT: Parameter<number> = required(PEER_PORT);
const COUNT: Parameter<number> & { fallback: string } = {
  fallback: "3",
  short: "c",
  ...wholeNumber({ name: "count", about: "how many connections to try" }, 1),
};
const INTERVAL: Parameter<number> & { fallback: string } = {
  fallback: "1000",
  short: "i",
  ...wholeNumber({
    name: "interval",
    about: "how many milliseconds to wait between them",
  }, 0),
};

function required<V>({ name, about, read }: Parameter<V>): Parameter<V> {
  return { name, about, read };
}

/** How long to wait for a connection, in milliseconds. */
const TIMEOUT = 5000;

/** What came of a connection. */
type Try =
  & { seq: number }
  & (
    | { to: string; time: number }
    | { lost: string }
  );

/** Connects once; the time is in milliseconds. */
async function tryOnce(
  { hostname, port, seq }: { hostname: string; port: number; seq: number },
): Promise<Try> {
  const start = performance.now();
  try {
    using peer = await connect(
      { hostname, port, connectTimeout: TIMEOUT },
      untilClose(), // any codec will do: nothing is sent
    );
    const time = performance.now() - start;
    const to = formatAddr(peer.remoteAddr);
    return { seq, to, time };
  } catch (error) {
    const lost = error instanceof Deno.errors.ConnectionRefused
      ? "connection refused"
      : error instanceof ConnectTimeoutError
      ? `no answer within ${TIMEOUT} ms`
      : isNetworkFault(error)
      ? explain(error)
      : undefined;
    if (lost === undefined) throw error;
    return { seq, lost };
  }
}

function tryText(one: Try): string {
  return "lost" in one
    ? `no connection: seq=${one.seq} ${one.lost}`
    : `connected to ${one.to}: seq=${one.seq} time=${one.time.toFixed(3)} ms`;
}

/** Whether it may be different the next time: a route that is down, a connection that was reset. */
function isNetworkFault(error: unknown): boolean {
  return error instanceof Error &&
    !(error instanceof Deno.errors.NotCapable) &&
    / \(os error \d+\)$/.test(error.message);
}

/**
 * Sums up what came of the connections, as `ping` does.
 *
 * @param host Where they went.
 * @param tried How many were tried.
 * @param times How long those that were made took, in milliseconds.
 * @returns The lines.
 */
export function statistics(
  host: string,
  tried: number,
  times: readonly number[],
): string[] {
  const made = times.length;
  const loss = tried === 0 ? 0 : 100 * (tried - made) / tried;
  const lines = [
    "",
    `--- ${host} ping statistics ---`,
    `${tried} connections tried, ${made} made, ${loss.toFixed(1)}% loss`,
  ];
  if (made === 0) return lines;
  const figures = Object.values(figuresOf(times)).map((time) =>
    time.toFixed(3)
  );
  lines.push(`round-trip min/avg/max/stddev = ${figures.join("/")} ms`);
  return lines;
}

/** What there is to say of some times. */
function figuresOf(
  times: readonly number[],
): { min: number; avg: number; max: number; stddev: number } {
  const avg = times.reduce((sum, time) => sum + time, 0) / times.length;
  const variance = times.reduce((sum, time) => sum + (time - avg) ** 2, 0) /
    times.length;
  return {
    min: Math.min(...times),
    avg,
    max: Math.max(...times),
    stddev: Math.sqrt(variance),
  };
}

/** Measures how long it takes to connect to a server. */
export const ping: Program = program({
  name: "ping",
  about: "Measures the time to connect (TCP: Deno has no raw sockets for ICMP)",
  takes: [HOST, PORT],
  options: [COUNT, INTERVAL],
  switches: [JSON_OUTPUT],
  quiet: true,
  examples: [
    [
      "deno run --allow-net=127.0.0.1:65432 jsr:@framewire/framewire/cli ping 127.0.0.1 65432 -c 3",
      "How far away a server is",
    ],
    [
      "deno run --allow-net=example.com:443 jsr:@framewire/framewire/cli ping example.com 443 -i 100 --json",
      "Every 100 ms, for another program to read",
    ],
  ],

  async main({ get, has, print, atInterrupt }) {
    const [hostname, port] = [get(HOST), get(PORT)];
    const json = has(JSON_OUTPUT);
    let tried = 0;
    const times: number[] = [];
    function sumUp(): Promise<void> {
      if (json) {
        const figures = times.length > 0 && figuresOf(times);
        print(JSON.stringify({ tried, made: times.length, ...figures }));
      } else statistics(hostname, tried, times).forEach(print);
      return Promise.resolve();
    }
    atInterrupt(sumUp);
    const address = formatAddr({ transport: "tcp", hostname, port });
    if (!json) print(`PING ${address}: TCP connections`);
    while (tried < get(COUNT)) {
      if (tried > 0) await pause(get(INTERVAL));
      const one = await tryOnce({ hostname, port, seq: tried });
      print(json ? JSON.stringify(one) : tryText(one));
      tried++;
      if ("time" in one) times.push(one.time);
    }
    await sumUp();
    return times.length > 0 ? 0 : 1;
  },
});

if (import.meta.main) Deno.exit(await ping.run(Deno.args));
