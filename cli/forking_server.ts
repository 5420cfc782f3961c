/**
 * Forking server: several processes, each serving a share of the clients, send back what these send.
 *
 *     $ deno run --unstable-net --allow-net=127.0.0.1:65432 --allow-run=$(which deno) cli/forking_server.ts
 *     process 4711 started
 *     process 4712 started
 *     listening on 127.0.0.1:65432
 *     process 4712: accepted connection from 127.0.0.1:61354
 *     process 4712: echoing b'Hello, world' to 127.0.0.1:61354
 *     process 4712: closing connection to 127.0.0.1:61354
 *
 * Then run `cli/echo_client.ts` in other terminals, as often as you like. Ctrl-C ends the server, once what it
 * is sending has been sent. `--processes` says how many there are. Kill one (`kill -9 4711`): its clients lose
 * their connections, the others notice nothing, and another process takes its place.
 *
 * The tutorial forks a process for every client. Deno cannot fork, and cannot hand a connection on, so here
 * the processes (`cli/forking_child.ts`) are started beforehand and accept for themselves, on the same port.
 * The parent has no part in the connections. It prints what its children write to their stdout, which is a
 * stream like any other: frames are cut from it, as from a socket. They end when their stdin does, so that
 * they end with the parent even if that one is killed.
 *
 * It does not even out the load: the system deals connections out by where they come from, on Linux only.
 *
 * @module
 */

import {
  ConnectionError,
  formatAddr,
  Framing,
  lines,
  streamConn,
} from "../mod.ts";
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

const PROCESSES: Parameter<number> & { fallback: string } = {
  fallback: "2",
  ...wholeNumber(
    { name: "processes", about: "how many processes share the work" },
    1,
    64,
  ),
};

/** Sends back what all clients send, in several processes. */
export const forkingServer: Program = program({
  name: "forking-server",
  about: "Serves clients in several processes, and echoes",
  takes: [LISTEN_HOST, LISTEN_PORT],
  options: [PROCESSES],

  async main({ get, print, atInterrupt }) {
    needUnstableNet();
    const address = claim(get(LISTEN_HOST), get(LISTEN_PORT));
    const stop = new AbortController();
    const count = get(PROCESSES);
    let listening = 0;
    function onListening(): void {
      if (++listening !== count) return;
      print(`listening on ${formatAddr({ transport: "tcp", ...address })}`);
    }
    const kept = Array.from(
      { length: count },
      () => keepChild(address, stop.signal, onListening, print),
    );
    const served = Promise.all(kept);
    atInterrupt(async () => {
      stop.abort();
      await served;
    });
    await served;
  },
});

/** Keeps a child running, one after another if need be, until it is told to stop. */
async function keepChild(
  address: SharedAddress,
  stop: AbortSignal,
  onListening: () => void,
  print: (line: string) => void,
): Promise<void> {
  while (!stop.aborted) {
    const child = startChild(address);
    using pipes = new Framing(
      streamConn({ readable: child.stdout, writable: child.stdin }),
      lines(),
    );
    const endStdin = () => void pipes.closeWrite().catch(() => {}); // it may be dead
    stop.addEventListener("abort", endStdin);
    let started = false;
    for await (const line of pipes) {
      if (started) print(`process ${child.pid}: ${line}`);
      else {
        started = true; // that line was "listening"
        print(`process ${child.pid} started`);
        onListening();
      }
    }
    stop.removeEventListener("abort", endStdin);
    const { signal, code } = await child.status;
    if (stop.aborted) return;
    const end = signal ?? `exit code ${code}`;
    if (!started) throw new ConnectionError(`Cannot start process: ${end}`);
    print(`process ${child.pid} died: ${end}`);
  }
}

function startChild({ hostname, port }: SharedAddress): Deno.ChildProcess {
  const where = formatAddr({ transport: "tcp", hostname, port });
  const module = new URL("./forking_child.ts", import.meta.url);
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--unstable-net",
      `--allow-net=${where}`,
      module.href,
      hostname,
      String(port),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

if (import.meta.main) Deno.exit(await forkingServer.run(Deno.args));
