/**
 * A relay that prints the frames that go through it.
 *
 *     client ◄─ bytes, untouched ─► tap ◄─ bytes, untouched ─► server
 *                                    ├─► stdout: each frame of both directions
 *                                    └─► FILE.pcapng: the same bytes as packets, for Wireshark
 *
 * The stream waits for neither: what cannot be written in time is left out, and counted.
 *
 * @module
 */

import { ConnectionError, formatAddr } from "../../mod.ts";
import {
  type Program,
  ProgramError,
  type Switch,
  type Terminal,
} from "../program.ts";
import { CaptureFile } from "./capture_file.ts";
import { CODEC, command, USAGE } from "./command.ts";
import type { Dialect } from "./dialect.ts";
import { note, paint, put } from "./output.ts";
import {
  CA,
  LISTEN,
  type Place,
  placeText,
  SERVER_NAME,
  TARGET,
  TLS,
  tlsOf,
} from "./place.ts";
import { addressesOf, needPermissions, permissionsFor } from "./permissions.ts";
import { Printer } from "./printer.ts";
import { type Passed, Relay, type RelayOptions } from "./relay.ts";
import { type TapEvent, TappedConnection } from "./tap_events.ts";
import { TapSummary } from "./tap_summary.ts";
import { gapText, type TapStyle, tapText } from "./tap_report.ts";
import {
  counted,
  countOption,
  grouped,
  type Optional,
  sizeIn,
  textOption,
} from "./units.ts";

const WRITE: Optional<string> = textOption({
  name: "write",
  value: "file",
  about: "write what passes to this file as well, as pcapng for Wireshark",
});
const COUNT: Optional<number> = countOption({
  name: "count",
  short: "n",
  about: "end after so many frames; what is open then is closed",
});
const MAX_DUMP = {
  name: "max-dump",
  value: "size",
  about:
    "dump no more of a frame than this, and four characters of its text for each byte",
  fallback: "256",
  read: (text: string) => sizeIn("--max-dump", text, 0),
};
const HEX: Switch = { name: "hex", about: "dump every frame" };
const VALUES: Switch = { name: "values", about: "dump no frame" };
const JSON_LINES: Switch = {
  name: "json",
  about: "print a JSON object a line, with frames as long as they are",
};
const ONCE: Switch = {
  name: "once",
  about: "end when the first connection has",
};

/** A frame or another event holds about so many bytes beside its own. */
const OVERHEAD = 400;
/** How long a reader of stdout may take at the end, once Ctrl-C was pressed. */
const LAST_WRITE = 1000;

/** Where a tap stands, and who is told. */
export interface TapOptions {
  /** Where clients come. */
  listen: Place;
  /** Where they are led to. */
  target: Place;
  /** How the connections to the target are encrypted, if at all. */
  tls?: NonNullable<RelayOptions["tls"]>;
  /** How frames are cut. */
  dialect: Dialect;
  /** Is told what was seen; must not wait. */
  onEvent: (event: TapEvent) => void;
  /** Is told what passed, as it was. */
  onPassed?: (number: number, passed: Passed, time: number) => void;
}

/**
 * Stands between clients and a server.
 *
 * @param options Where, and who is told.
 * @returns The relay.
 */
export async function startTap(
  { dialect, onEvent, onPassed, ...place }: TapOptions,
): Promise<Relay> {
  const open = new Map<number, TappedConnection>();
  return await Relay.start({
    ...place,
    watch(number, passed) {
      const time = performance.timeOrigin + performance.now();
      onPassed?.(number, passed, time);
      let tapped = open.get(number);
      if (tapped === undefined) {
        tapped = new TappedConnection(number, dialect, onEvent);
        open.set(number, tapped);
      }
      if (passed.kind === "close" || passed.kind === "refused") {
        open.delete(number);
      }
      tapped.watch(passed, time);
    },
    onError: (error) => note(error.message),
  });
}

function styleOf({ get, has }: Terminal): TapStyle {
  if (has(HEX) && has(VALUES)) {
    throw new ProgramError("--hex and --values exclude each other", USAGE);
  }
  const maxDump = get(MAX_DUMP);
  return {
    paint: paint(),
    hex: has(HEX) || !has(VALUES) && "auto",
    maxDump,
    maxText: 4 * maxDump,
    pieces: true,
    json: has(JSON_LINES),
    start: performance.timeOrigin + performance.now(),
  };
}

/** About how many bytes an event holds until it is printed. */
function costOf(event: TapEvent): number {
  if (event.kind !== "seen" || event.seen.kind === "opaque") return OVERHEAD;
  const { seen } = event;
  if (seen.kind === "fault") return OVERHEAD + 2 * seen.wire.length;
  // Of a long frame not all of the wire is kept, but all that it says.
  const size = seen.pieces.reduce((sum, piece) => sum + piece, 0);
  return OVERHEAD + seen.wire.length + size + 8 * seen.pieces.length;
}

/** A tap that is its own target would connect to itself for ever. */
function refuseItself(listen: Place, target: Place): void {
  if (placeText(listen) !== placeText(target)) return;
  throw new ProgramError("listen and target must not be the same", USAGE);
}

/** Passes bytes on, and prints the frames. */
export const tapCommand: Program = command({
  name: "tap",
  about: "Passes bytes on to a server, and prints each frame of both sides",
  takes: [LISTEN, TARGET],
  options: [CODEC, COUNT, MAX_DUMP, WRITE, CA, SERVER_NAME],
  switches: [HEX, VALUES, JSON_LINES, ONCE, TLS],
  examples: [
    [
      "deno run --allow-net=127.0.0.1:6000,127.0.0.1:65432 jsr:@framewire/framewire/cli tap :6000 :65432 --codec message",
      "Show what clients of port 6000 and the server on port 65432 say to each other",
    ],
    [
      "deno run --allow-net=127.0.0.1:6000,127.0.0.1:5432 --allow-write=session.pcapng jsr:@framewire/framewire/cli tap :6000 :5432 --codec postgres --write session.pcapng",
      "Look into a PostgreSQL session, and keep it for Wireshark",
    ],
  ],

  async main(terminal) {
    const { get, has, atInterrupt } = terminal;
    const [listen, target] = [get(LISTEN), get(TARGET)];
    const style = styleOf(terminal);
    const path = get(WRITE);
    refuseItself(listen, target);
    const tls = await tlsOf(terminal);
    await needPermissions([
      ...permissionsFor(listen),
      ...permissionsFor(target),
      ...path === undefined ? [] : [{ name: "write" as const, path }],
    ]);
    // With the permission for a name, names can be looked up; the sockets of the relay are at addresses.
    const addresses = await Promise.all([listen, target].map(addressesOf));
    await needPermissions(addresses.flat().flatMap(permissionsFor));
    addresses[1].forEach((place) => refuseItself(addresses[0][0], place));
    const capture = path === undefined
      ? undefined
      : await CaptureFile.create(path);

    const summary = new TapSummary();
    const most = get(COUNT) ?? Infinity;
    const done = Promise.withResolvers<void>();
    let started = false;
    let refused: string | undefined;
    const printer = new Printer({ put, gap: (out) => gapText(out, style) });

    function onEvent(event: TapEvent): void {
      if (!started) {
        started = true;
        style.start = event.time;
      }
      const enough = summary.frames >= most;
      summary.add(event);
      const isFrame = event.kind === "seen" && event.seen.kind === "frame";
      if (!enough) {
        printer.print({
          kind: isFrame ? "frame" : "other",
          cost: costOf(event),
          layOut: () => tapText(event, style),
        });
      }
      if (summary.frames >= most) done.resolve();
      if (!has(ONCE)) return;
      if (event.kind === "refused") refused = event.reason;
      if (event.kind === "refused" || event.kind === "close") done.resolve();
    }

    const relay = await startTap({
      listen: addresses[0][0],
      target,
      ...tls !== undefined && { tls },
      dialect: get(CODEC),
      onEvent,
      ...capture && {
        onPassed: (number, passed, time) => capture.watch(number, passed, time),
      },
    });
    capture?.begin(); // had it not come so far, an older capture would still be there
    let finishing: Promise<void> | undefined;
    const finish = (patience = Infinity) => finishing ??= end(patience);
    async function end(patience: number): Promise<void> {
      await relay.close();
      if (patience !== Infinity) setTimeout(() => printer.abandon(), patience);
      await printer.flush();
      const written = await capture?.close();
      if (printer.isBroken) return; // who has closed stdout wants to hear no more
      for (const line of summary.lines()) note(line);
      const { frames } = printer.leftOut;
      if (frames > 0) note(`${counted(frames, "frame")} left out`);
      if (written !== undefined) {
        const { packets, missing } = written;
        const but = missing > 0 ? `, ${grouped(missing)} left out` : "";
        note(`${counted(packets, "packet")} written to ${path}${but}`);
      }
    }
    atInterrupt(() => finish(LAST_WRITE));
    note(`listening on ${formatAddr(relay.addr)}, to ${placeText(target)}`);
    const broken = [printer.broken, ...capture ? [capture.broken] : []];
    try {
      await Promise.race([done.promise, ...broken]);
    } finally {
      await finish();
    }
    if (refused !== undefined) throw new ConnectionError(refused);
    return summary.inStep ? 0 : 3;
  },
});

if (import.meta.main) Deno.exit(await tapCommand.run(Deno.args));
