/**
 * A process of `cli/forking_server.ts`: serves a share of the connections.
 *
 *     parent ── host and port, as arguments ──► child
 *            ◄── "listening", lines, on stdout ─
 *            ─── the end of stdin: stop ───────►
 *
 * However the parent ends, its end of the pipe is closed then, and the child ends too.
 *
 * @module
 */

import { oneLine } from "./python_literal.ts";
import { serveShare } from "./shared_port.ts";

if (import.meta.main) {
  // Ctrl-C in a terminal reaches every process; it is for the parent to decide.
  Deno.addSignalListener("SIGINT", () => {});
  const print = (line: string) => console.log(oneLine(line));
  const [hostname, port] = Deno.args;
  const server = serveShare({ hostname, port: Number(port) }, print);
  print("listening");
  const ignored = new Uint8Array(1024);
  while (await Deno.stdin.read(ignored) !== null);
  await server.shutdown({ grace: 1000 });
}
