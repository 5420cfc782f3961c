/**
 * Threaded server: several threads, each serving a share of the clients, send back what these send.
 *
 *     $ deno run --unstable-net --allow-net=127.0.0.1:65432 --allow-read=. cli/threaded_server.ts
 *     thread 1 started
 *     thread 2 started
 *     listening on 127.0.0.1:65432
 *     thread 2: accepted connection from 127.0.0.1:61354
 *     thread 2: echoing b'Hello, world' to 127.0.0.1:61354
 *     thread 2: closing connection to 127.0.0.1:61354
 *
 * Then run `cli/echo_client.ts` in other terminals, as often as you like. Ctrl-C ends the server, once what it
 * is sending has been sent. `--threads` says how many there are.
 *
 * The tutorial accepts in one thread and hands each connection to a new one. A connection of Deno's belongs
 * to the worker that made it and cannot be handed on, so here every worker (`cli/threaded_worker.ts`) accepts
 * for itself, on the same port. That costs nothing for each connection, and a thread has many clients, as one
 * event loop easily does; more threads than processors gain nothing. A thread that dies takes its connections
 * with it, and is replaced.
 *
 * It does not even out the load: the system deals connections out by where they come from, on Linux only.
 * Reading is allowed because a worker's modules are read while the program runs.
 *
 * @module
 */

import { ConnectionError, formatAddr } from "../mod.ts";
import {
  LISTEN_HOST,
  LISTEN_PORT,
  needUnstableNet,
  type Parameter,
  type Program,
  program,
  wholeNumber,
} from "./program.ts";
import { claim, type SharedAddress } from "./shared_port.ts";
import type { Report } from "./threaded_worker.ts";

const THREADS: Parameter<number> & { fallback: string } = {
  fallback: "2",
  ...wholeNumber(
    { name: "threads", about: "how many threads share the work" },
    1,
    64,
  ),
};

const WORKER = new URL("./threaded_worker.ts", import.meta.url);

/** Sends back what all clients send, in several threads. */
export const threadedServer: Program = program({
  name: "threaded-server",
  about: "Serves clients in several threads, and echoes",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [THREADS],

  async main({ get, print, atInterrupt }) {
    needUnstableNet();
    const address = claim(get(LISTEN_HOST), get(LISTEN_PORT));
    await needToRead(WORKER);
    const stop = new AbortController();
    const served = serveInThreads(
      { worker: WORKER, count: get(THREADS), address, print },
      stop.signal,
    );
    atInterrupt(() => {
      stop.abort();
      return served;
    });
    await served;
  },
});

/** Makes sure that workers can be started: one without its modules would fail with more than a line. */
async function needToRead(module: URL): Promise<void> {
  if (module.protocol !== "file:") return;
  const { state } = await Deno.permissions.query({
    name: "read",
    path: module,
  });
  if (state === "granted") return;
  const { pathname } = new URL("..", module);
  throw new Deno.errors.NotCapable(
    `needs permission: run again with --allow-read=${pathname}`,
  );
}

/** The threads, and what they serve. */
export interface ThreadsOptions {
  /** The module that each runs. */
  worker: URL;
  /** How many there are. */
  count: number;
  /** Where they listen. */
  address: SharedAddress;
  /** Prints a line. */
  print: (line: string) => void;
}

/**
 * Keeps threads running until it is told to stop.
 *
 * @param options The threads.
 * @param stop Ends them, in good order.
 * @throws {ConnectionError} If a thread dies before it listens.
 */
export async function serveInThreads(
  { worker, count, address, print }: ThreadsOptions,
  stop: AbortSignal,
): Promise<void> {
  let listening = 0;
  async function keepThread(number: number): Promise<void> {
    while (!stop.aborted) {
      let started = false;
      const death = await runThread(worker, address, stop, (report) => {
        if (report.kind === "line") print(`thread ${number}: ${report.line}`);
        if (report.kind !== "listening") return;
        started = true;
        print(`thread ${number} started`);
        if (++listening === count) print(`listening on ${where}`);
      });
      if (death === undefined || stop.aborted) return;
      if (!started) throw new ConnectionError(`Cannot start thread: ${death}`);
      print(`thread ${number} died: ${death}`);
    }
  }
  const where = formatAddr({ transport: "tcp", ...address });
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  await Promise.all(numbers.map(keepThread));
}

/** Runs a thread until it has stopped, which gives `undefined`, or has died, which gives the reason. */
async function runThread(
  module: URL,
  address: SharedAddress,
  stop: AbortSignal,
  onReport: (report: Report) => void,
): Promise<string | undefined> {
  const worker = new Worker(module, { type: "module" });
  const { port1: channel, port2 } = new MessageChannel();
  const ended = Promise.withResolvers<string | undefined>();
  const tellStop = () => channel.postMessage("stop");
  channel.onmessage = ({ data }: MessageEvent<Report>) => {
    if (data.kind === "stopped") ended.resolve(undefined);
    else onReport(data);
  };
  worker.onerror = (event) => {
    event.preventDefault(); // it is the end of the thread, not of the program
    ended.resolve(event.message.split("\n")[0]);
  };
  stop.addEventListener("abort", tellStop);
  worker.postMessage(address, [port2]);
  try {
    return await ended.promise;
  } finally {
    stop.removeEventListener("abort", tellStop);
    worker.terminate();
    channel.close();
  }
}

if (import.meta.main) Deno.exit(await threadedServer.run(Deno.args));
