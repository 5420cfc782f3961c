/**
 * A thread of `cli/threaded_server.ts`: serves a share of the connections.
 *
 *     main thread ── { hostname, port }, channel ──► worker
 *                 ◄── "listening", lines ───────────
 *                 ─── stop ────────────────────────►
 *                 ◄── "stopped" ────────────────────
 *
 * @module
 */

import { serveShare, type SharedAddress } from "./shared_port.ts";

/** What a worker tells the main thread. */
export type Report =
  | { kind: "listening" | "stopped" }
  | { kind: "line"; line: string };

addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const address: SharedAddress = event.data;
  const [channel] = event.ports;
  const tell = (report: Report) => channel.postMessage(report);

  const server = serveShare(address, (line) => tell({ kind: "line", line }));
  channel.onmessage = async () => {
    await server.shutdown({ grace: 1000 });
    tell({ kind: "stopped" });
  };
  tell({ kind: "listening" });
});
