/**
 * Demonstration: the application's client speaks through `tap` to its server, first as usual, then with every byte
 * in a segment of its own.
 *
 *     $ deno run --allow-net=127.0.0.1 cli/framewire/tap_demo.ts
 *     == The client sends its request as usual
 *     $ app-client 127.0.0.1 37555 search morpheus
 *     0.000000 #1 opened by 127.0.0.1:41210, to 127.0.0.1:46711
 *     0.001551 #1 → 1  client  @0  146 B  {"header":…,"content":{"action":"search","value":"morpheus"}}
 *              00000000  00 67 7b 22 62 79 74 65  6f 72 64 65 72 22 3a 20  |.g{"byteorder": |
 *     …
 *     == The same bytes, each in a segment of its own
 *     …
 *     0.071552 #2 → 1  client  @0  146 B in 1 + 1 + 1 + 1 + …
 *     …
 *     146 bytes in 1 piece, then in 146: the server gave the same answer
 *
 * That is what takes Wireshark otherwise: which bytes went where, in which pieces, and what they mean. It ends by
 * itself.
 *
 * @module
 */

import {
  encodeFrame,
  Framing,
  type Message,
  messages,
  untilClose,
} from "../../mod.ts";
import { makeRequest, sendRequest } from "../app_client.ts";
import { serveSearch } from "../app_server.ts";
import { type Program, program } from "../program.ts";
import { dialectOf } from "./codec_names.ts";
import { paint } from "./output.ts";
import type { Relay } from "./relay.ts";
import { startTap } from "./tap.ts";
import type { TapEvent } from "./tap_events.ts";
import { type TapStyle, tapText } from "./tap_report.ts";
import { counted } from "./units.ts";

const HOST = { hostname: "127.0.0.1", port: 0 };
const TIMEOUT = 10_000;

/** A tap whose user can wait for what it sees. */
class WatchedTap implements AsyncDisposable {
  readonly #relay: Relay;
  #changed = Promise.withResolvers<void>();
  /** What it has seen. */
  readonly events: TapEvent[];

  static async start(
    target: { hostname: string; port: number },
    print: (line: string) => void,
  ): Promise<WatchedTap> {
    const events: TapEvent[] = [];
    const style: TapStyle = {
      paint: paint(),
      hex: true,
      maxDump: 256,
      pieces: true,
      json: false,
      start: 0,
    };
    const relay = await startTap({
      listen: HOST,
      target,
      dialect: dialectOf("message"),
      onEvent(event) {
        if (events.length === 0) style.start = event.time;
        events.push(event);
        tapText(event, style).trimEnd().split("\n").forEach(print);
        tap.#wake();
      },
      onPassed: () => tap.#passed(),
    });
    const tap = new WatchedTap(relay, events);
    return tap;
  }

  private constructor(relay: Relay, events: TapEvent[]) {
    this.#relay = relay;
    this.events = events;
  }

  /** Where it listens. */
  get addr(): { hostname: string; port: number } {
    const { addr } = this.#relay;
    if (addr.transport === "tcp") return addr;
    throw new TypeError("The tap has no port");
  }

  /** How often something has passed. */
  passed = 0;

  #passed(): void {
    this.passed++;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits until something is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.close();
  }
}

/** Sends a request byte by byte, each once the one before it has gone through; gives the response. */
async function sendByteByByte(
  request: Message,
  tap: WatchedTap,
): Promise<Uint8Array> {
  using conn = await Deno.connect(tap.addr);
  conn.setNoDelay(true);
  await tap.until(() => tap.events.at(-1)?.kind === "open");
  for (const byte of encodeFrame(messages(), request)) {
    const { passed } = tap;
    await conn.write(Uint8Array.of(byte));
    await tap.until(() => tap.passed > passed);
  }
  await conn.closeWrite();
  using stream = new Framing(conn, untilClose());
  return await stream.read({ timeout: TIMEOUT }) ?? new Uint8Array();
}

/** In how many pieces the clients' requests came. */
function piecesOf(events: readonly TapEvent[]): number[] {
  return events.flatMap((event) =>
    event.kind === "seen" && event.seen.kind === "frame" &&
      event.seen.from === "client"
      ? [event.seen.pieces.length]
      : []
  );
}

/** Shows a tap at work. */
export const tapDemo: Program = program({
  name: "demo:tap",
  about: "Shows the application's client and server through a tap",
  permissions: "--allow-net=127.0.0.1",

  async main({ print }) {
    const request = makeRequest("search", "morpheus");
    await using server = serveSearch({
      ...HOST,
      timeout: TIMEOUT,
      print: () => {},
    });
    await using tap = await WatchedTap.start(server.addr, print);
    const { hostname, port } = tap.addr;
    const closed = (count: number) =>
      tap.until(() =>
        tap.events.filter(({ kind }) => kind === "close").length === count
      );

    print("== The client sends its request as usual");
    print(`$ app-client ${hostname} ${port} search morpheus`);
    const whole = await sendRequest(request, {
      hostname,
      port,
      print: () => {},
    });
    await closed(1);
    print("== The same bytes, each in a segment of its own");
    const cut = await sendByteByByte(request, tap);
    await closed(2);

    const same = encodeFrame(messages(), whole).toHex() === cut.toHex();
    const [first, second] = piecesOf(tap.events);
    const { length } = encodeFrame(messages(), request);
    print(
      `${length} bytes in ${
        counted(first, "piece")
      }, then in ${second}: the server gave ${
        same ? "the same answer" : "different answers"
      }`,
    );
    if (!same) return 1;
  },
});

if (import.meta.main) Deno.exit(await tapDemo.run(Deno.args));
