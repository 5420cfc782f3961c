/**
 * What was recorded, whatever it is.
 *
 * @module
 */

import { FramingError } from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { hexdump } from "../../../cli/framewire/hexdump.ts";
import {
  captureEnd,
  captureStart,
  packetBlock,
} from "../../../cli/framewire/pcapng_writer.ts";
import {
  type Kind,
  type Recorded,
  Recording,
} from "../../../cli/framewire/recorded.ts";
import { TcpPackets } from "../../../cli/framewire/tcp_packets.ts";
import { ProgramError } from "../../../cli/program.ts";
import { mutate } from "../../support/fuzzing.ts";
import { conversation, ethernet, pcap, pcapng } from "../../support/packets.ts";
import { Random } from "../../support/random.ts";
import { byteByByte, raw, unraw } from "../../support/wire.ts";

/** What became of a recording. */
interface Heard {
  client: string;
  server: string;
  events: string[];
  told: string[];
  hasPackets: boolean | undefined;
}

function hear(chunks: Iterable<Uint8Array>, kind?: Kind): Heard {
  const heard: Heard = {
    client: "",
    server: "",
    events: [],
    told: [],
    hasPackets: undefined,
  };
  const recording = new Recording({
    kind,
    side: "client",
    tell: (text) => heard.told.push(text),
  });
  const take = (all: Iterable<Recorded>) => {
    for (const { event } of all) {
      if (event.kind === "bytes") heard[event.from] += unraw(event.bytes);
      else heard.events.push(event.kind);
    }
  };
  for (const chunk of chunks) take(recording.push(chunk.slice()));
  take(recording.end());
  heard.hasPackets = recording.hasPackets;
  return heard;
}

const SAID = [["client", "hello\n"], ["server", "and you\n"]] as const;
const packets = conversation(SAID);
const tcpdump = packets.map((packet) =>
  `12:00:00.000001 IP 10.0.0.1 > 10.0.0.2: tcp\n${
    Array.from({ length: Math.ceil(packet.length / 16) }, (_, i) => {
      const row = packet.subarray(16 * i, 16 * i + 16).toHex();
      const where = (16 * i).toString(16).padStart(4, "0");
      return `\t0x${where}:  ${row.match(/.{1,4}/g)?.join(" ")}\n`;
    }).join("")
  }`
).join("");

/** What each is taken for: packets of both sides, or bytes of one. */
const FILES: readonly (readonly [string, Uint8Array, "packets" | string])[] = [
  ["pcapng", pcapng(101, packets), "packets"],
  ["pcapng, big-endian", pcapng(101, packets, "big"), "packets"],
  ["pcap", pcap(1, packets.map((packet) => ethernet(packet))), "packets"],
  ["pcap in nanoseconds", pcap(101, packets, { nano: true }), "packets"],
  ["tcpdump -x", raw(tcpdump), "packets"],
  ["a dump", raw(`${hexdump(raw("\0\x01text")).join("\n")}\n`), "\0\x01text"],
  ["digits", raw("00 01 74\n65 78 74\n"), "\0\x01text"],
  ["bytes", raw("\0\x01text"), "\0\x01text"],
  ["text", raw("hello\nworld\n"), "hello\nworld\n"],
  ["text without an end", raw("hello"), "hello"],
  [
    "four line ends that begin no section",
    raw("\n\r\r\nand so on, in text"),
    "\n\r\r\nand so on, in text",
  ],
  ["three line ends", raw("\n\r\r"), "\n\r\r"],
  ["a long line", raw("word ".repeat(3000)), "word ".repeat(3000)],
  ["nothing", raw(""), ""],
];

for (const [what, file, expected] of FILES) {
  Deno.test(`Recording takes ${what} for what it is, however it is cut`, () => {
    const heard = hear([file]);
    if (expected === "packets") {
      assertEquals([heard.client, heard.server], ["hello\n", "and you\n"]);
      assertEquals(heard.events, ["open", "end", "end", "closed"]);
      assertEquals(heard.hasPackets, true);
    } else {
      assertEquals([heard.client, heard.server], [expected, ""]);
      assertEquals(heard.hasPackets, what === "nothing" ? undefined : false);
    }
    assertEquals(hear(byteByByte(file)), heard);
    for (let cut = 1; cut < Math.min(file.length, 400); cut++) {
      const parts = [file.subarray(0, cut), file.subarray(cut)];
      assertEquals(hear(parts), heard, `cut at ${cut}`);
    }
  });
}

Deno.test("Recording takes a file for what it is told", () => {
  const [[, file]] = FILES;
  assertEquals(hear([file], "raw").client, unraw(file));
  assertEquals(hear([raw("616263")], "hex").client, "abc");
  assertEquals(hear([raw("61 62")], "hex").told, []);
  assertThrows(
    () => hear([raw("hello")], "pcap"),
    FramingError,
    "neither pcapng nor pcap",
  );
  assertThrows(
    () => hear([raw("hello")], "hex"),
    ProgramError,
    "cannot read the dump",
  );
});

Deno.test("Recording says how it takes what may be text", () => {
  assertEquals(hear([raw("61 62\n")]).told, [
    "read as hexadecimal digits; --from raw takes it as it is",
  ]);
  assertEquals(hear([raw("hello\n")]).told, []);
});

Deno.test("Recording refuses dumps that it does not read, and says which it reads", () => {
  for (const kind of [undefined, "hex"] as const) {
    const error = assertThrows(
      () => hear([raw("0000000 6568 6c6c\n0000004\n")], kind),
      ProgramError,
      "this looks like words, of hexdump or od, which do not say the order of their bytes: of dumps, those of hexdump -C, xxd, xxd -p and od -A x -t x1 are read; --from raw takes it as it is",
    );
    assertEquals(error.exitCode, 2);
  }
});

Deno.test("Recording reads a dump behind what was typed, when told that it is one", () => {
  const pasted = "> $ hexdump -C f\n> 00000000  68 69  |hi|\n> 00000002\n";
  assertEquals(hear([raw(pasted)], "hex").client, "hi");
  assertEquals(hear(byteByByte(raw(pasted)), "hex").client, "hi");
});

Deno.test("Recording takes what has come for all there is to go by in a pause", () => {
  for (
    const [begin, rest, expected, told] of [
      ["00004", "cafe", "00004cafe", [
        "read as bytes: what has come so far is no dump; --from hex takes it for one",
      ]],
      ["68 65 ", "6c", "hel", [
        "read as hexadecimal digits; --from raw takes it as it is",
      ]],
      ["\x0a", "\x0d", "\n\r", [
        "read as bytes: what has come so far is no dump; --from hex takes it for one",
      ]],
      ["hello", ",", "hello,", []],
      ["", "hi", "hi", []],
    ] as const
  ) {
    const notes: string[] = [];
    const recording = new Recording({
      kind: undefined,
      side: "client",
      tell: (text) => notes.push(text),
    });
    const heard = [
      ...recording.push(raw(begin)),
      ...recording.pause(),
      ...recording.push(raw(rest)),
      ...recording.end(),
    ].map(({ event }) => event.kind === "bytes" ? unraw(event.bytes) : "");
    assertEquals<unknown>([heard.join(""), notes], [expected, told]);
    assertEquals(recording.waits, false);
  }
});

Deno.test("Recording reads what a tap keeps", () => {
  const random = new Random(1);
  const ends = {
    client: { ip: Uint8Array.of(127, 0, 0, 1), port: 40_000 },
    server: { ip: Uint8Array.of(127, 0, 0, 1), port: 7 },
  };
  const packets = new TcpPackets(ends);
  // More than fits into a packet.
  const [asked, answered] = [random.bytes(200_000), random.bytes(70_000)];
  const blocks = [
    ...packets.open(),
    ...packets.data("client", asked),
    ...packets.data("server", answered),
    ...packets.end("client"),
    ...packets.end("server"),
  ].map((packet) => packetBlock(packet, 5));
  const file = concat([captureStart(), ...blocks, captureEnd(9, 0, 6)]);
  const heard = hear([file]);
  assert(heard.client === unraw(asked) && heard.server === unraw(answered));
  assertEquals(heard.events, ["open", "end", "end", "closed"]);
});

Deno.test("Recording tells what it has heard before a capture is damaged", () => {
  const recording = new Recording({
    kind: undefined,
    side: "client",
    tell() {},
  });
  const file = pcapng(101, conversation(SAID, { end: false })).subarray(0, -3);
  let client = "";
  const kinds: string[] = [];
  for (const { event } of recording.push(file.slice())) {
    if (event.kind === "bytes" && event.from === "client") {
      client += unraw(event.bytes);
    }
  }
  assertThrows(
    () => {
      for (const { event } of recording.end()) kinds.push(event.kind);
    },
    FramingError,
    "stream ended",
  );
  assertEquals([client, kinds], ["hello\n", ["end", "end", "closed"]]);
});

Deno.test("Recording does not keep packets without an end", () => {
  const row = "\t0x0000:  4500 0000\n";
  const more = "\t0x0004:  0000 0000 0000 0000 0000 0000 0000 0000\n";
  const heard = hear([raw(`12:00:00.1 x\n${row}${more.repeat(30_000)}`)]);
  assertEquals([heard.client, heard.events, heard.hasPackets], ["", [], true]);
});

Deno.test("Recording comes to an end with whatever it is given", () => {
  const files = FILES.map(([, file]) => file);
  let refused = 0;
  for (let seed = 1; seed <= 4000; seed++) {
    const random = new Random(seed);
    const file = mutate(random, random.pick(files), files);
    const outcomes = [[file], random.chunks(file)].map((chunks) => {
      try {
        return hear(chunks);
      } catch (error) {
        if (!(error instanceof FramingError || error instanceof ProgramError)) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
        refused++;
        return error.message;
      }
    });
    // How much of a broken dump is quoted depends on what has come.
    if (typeof outcomes[0] === "object") {
      assertEquals<unknown>(outcomes[1], outcomes[0], `seed ${seed}`);
    }
  }
  assert(refused > 100, `${refused} were refused`);
});
