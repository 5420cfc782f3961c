/**
 * Streams out of packets.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  type TcpEvent,
  type TcpLimits,
  TcpStreams,
} from "../../../cli/framewire/tcp_streams.ts";
import { mutate } from "../../support/fuzzing.ts";
import {
  conversation,
  ethernet,
  ipv4,
  ipv6,
  numbers,
  type SegmentInit,
  tcp,
} from "../../support/packets.ts";
import { Random } from "../../support/random.ts";
import { raw, unraw } from "../../support/wire.ts";

const RAW_IP = 101;

/** An event in a few words. */
function told(event: TcpEvent): string {
  switch (event.kind) {
    case "open":
      return `${event.id} open ${event.client} ${event.server}`;
    case "bytes":
      return `${event.id} ${event.from} ${unraw(event.bytes)}`;
    case "gap":
      return `${event.id} ${event.from} lacks ${event.missing}`;
    case "end":
      return `${event.id} ${event.from} ends`;
    case "closed":
      return `${event.id} closed${
        event.reason === undefined ? "" : `: ${event.reason}`
      }`;
  }
}

/** What comes of packets. */
function eventsOf(
  packets: Iterable<Uint8Array>,
  { linkType = RAW_IP, ...limits }: TcpLimits & { linkType?: number } = {},
): string[] {
  const streams = new TcpStreams(limits);
  const events = Array.from(
    packets,
    (packet) => streams.push(linkType, packet),
  );
  return [...events.flat(), ...streams.end()].map(told);
}

/** What the client says, from sequence number 1000, and the server not a word. */
function fromClient(
  ...said: readonly (readonly [number, string, flags?: string])[]
): Uint8Array[] {
  return said.map(([at, data, flags]) =>
    segment({
      seq: 1000 + at,
      data,
      ...flags !== undefined && { flags },
    })
  );
}

function segment(
  init: Omit<SegmentInit, "from" | "to">,
  back = false,
): Uint8Array<ArrayBuffer> {
  const [from, to] = back ? [7, 40_000] : [40_000, 7];
  return ipv4(tcp({ from, to, ...init }), { back });
}

const OPEN = "1 open 10.0.0.1:40000 10.0.0.2:7";
const ENDS = ["1 client ends", "1 server ends", "1 closed"];

const SYN = segment({ seq: 999, flags: "S" });

Deno.test("TcpStreams tells of both sides of a connection, from SYN to FIN", () => {
  assertEquals(
    eventsOf(
      conversation([["client", "hi"], ["server", "hello"], ["client", "!"]]),
    ),
    [OPEN, "1 client hi", "1 server hello", "1 client !", ...ENDS],
  );
});

/** What the client sends behind its SYN, and what is told of it. */
const ORDERS: readonly (readonly [
  string,
  readonly (readonly [number, string, string?])[],
  readonly string[],
])[] = [
  ["in order", [[0, "ab"], [2, "cd"]], ["1 client ab", "1 client cd"]],
  ["in reverse", [[4, "ef"], [2, "cd"], [0, "ab"]], [
    "1 client ab",
    "1 client cd",
    "1 client ef",
  ]],
  ["twice", [[0, "ab"], [0, "ab"], [2, "c"], [0, "ab"]], [
    "1 client ab",
    "1 client c",
  ]],
  ["twice while something is missing", [[2, "c"], [2, "c"], [0, "ab"]], [
    "1 client ab",
    "1 client c",
  ]],
  ["again, and longer", [[0, "ab"], [0, "abcd"]], [
    "1 client ab",
    "1 client cd",
  ]],
  ["overlapping, late", [[2, "cdef"], [1, "bc"], [3, "defgh"], [0, "ab"]], [
    "1 client ab",
    "1 client c",
    "1 client def",
    "1 client gh",
  ]],
  ["within what came", [[0, "abcdef"], [2, "cd"]], ["1 client abcdef"]],
  ["with other bytes the second time", [[0, "ab"], [0, "XYc"]], [
    "1 client ab",
    "1 client c",
  ]],
  ["with signs of life, empty or of a byte", [[0, "ab"], [1, ""], [1, "\0"], [
    2,
    "c",
  ]], [
    "1 client ab",
    "1 client c",
  ]],
  ["with nothing", [[0, ""]], []],
  ["with a segment from far away", [[0, "ab"], [2 ** 31 - 5, "no"], [2, "c"]], [
    "1 client ab",
    "1 client c",
  ]],
];

for (const [how, said, expected] of ORDERS) {
  Deno.test(`TcpStreams puts together what comes ${how}`, () => {
    const events = eventsOf([SYN, ...fromClient(...said)]);
    assertEquals(events, [OPEN, ...expected, ...ENDS]);
  });
}

Deno.test("TcpStreams says how much is missing, and nothing of what is behind", () => {
  const packets = fromClient([0, "ab"], [5, "fg"], [9, "jk"], [20, "", "F"]);
  assertEquals(eventsOf([SYN, ...packets]), [
    OPEN,
    "1 client ab",
    "1 client lacks 3",
    "1 server ends",
    "1 closed",
  ]);
});

Deno.test("TcpStreams says what is missing before the end alone", () => {
  assertEquals(eventsOf([SYN, ...fromClient([0, "ab"], [6, "", "FA"])]), [
    OPEN,
    "1 client ab",
    "1 client lacks 4",
    "1 server ends",
    "1 closed",
  ]);
});

Deno.test("TcpStreams counts on when sequence numbers begin again", () => {
  const start = 2 ** 32 - 2;
  const packets = [
    segment({ seq: start - 1, flags: "S" }),
    segment({ seq: 1, data: "de" }),
    segment({ seq: start, data: "abc" }),
    segment({ seq: start, data: "abcdef" }),
    segment({ seq: 4, flags: "FA" }),
  ];
  assertEquals(eventsOf(packets), [
    OPEN,
    "1 client abc",
    "1 client de",
    "1 client f",
    ...ENDS,
  ]);
});

Deno.test("TcpStreams takes a FIN that comes before what it is behind", () => {
  assertEquals(
    eventsOf([SYN, ...fromClient([4, "", "FA"], [2, "cd"], [0, "ab"])]),
    [
      OPEN,
      "1 client ab",
      "1 client cd",
      ...ENDS,
    ],
  );
});

Deno.test("TcpStreams ends both directions at a reset, and hears nothing after it", () => {
  const packets = [
    SYN,
    ...fromClient([0, "ab"]),
    segment({ seq: 500, flags: "R" }, true),
    ...fromClient([2, "cd"]),
  ];
  assertEquals(eventsOf(packets), [
    OPEN,
    "1 client ab",
    "1 client ends",
    "1 server ends",
    "1 closed: reset",
  ]);
});

Deno.test("TcpStreams reads a connection of which it did not see the beginning", () => {
  const packets = [
    segment({ seq: 50, flags: "A" }, true), // nothing is made of an acknowledgement
    segment({ seq: 50, data: "hello" }, true),
    segment({ seq: 900, data: "hi" }),
    segment({ seq: 55, data: "!" }, true),
  ];
  assertEquals(eventsOf(packets), [
    OPEN,
    "1 server hello",
    "1 client hi",
    "1 server !",
    ...ENDS,
  ]);
});

Deno.test("TcpStreams takes a port that is given out for the client's, even where the server's is higher", () => {
  const pairs = [[40_000, 65_432], [62_000, 7], [50_000, 40_000], [7, 7]];
  for (const [client, server] of pairs) {
    for (const [from, to] of [[client, server], [server, client]]) {
      const [opened] = eventsOf([ipv4(tcp({ from, to, seq: 1, data: "x" }))]);
      const ports = opened.matchAll(/:(\d+)/g);
      assertEquals(Array.from(ports, ([, port]) => Number(port)), [
        client,
        server,
      ]);
    }
  }
});

Deno.test("TcpStreams takes who sent SYN for the client, whatever the ports", () => {
  const back = { from: 40_000, to: 7 };
  const packets = [
    ipv4(tcp({ from: 7, to: 40_000, seq: 1, flags: "S" })),
    ipv4(tcp({ ...back, seq: 9, flags: "SA" }), { back: true }),
    ipv4(tcp({ ...back, seq: 10, data: "x" }), { back: true }),
  ];
  const expected = ["1 open 10.0.0.1:7 10.0.0.2:40000", "1 server x", ...ENDS];
  assertEquals(eventsOf(packets), expected);
  assertEquals(eventsOf(packets.slice(1)), expected);
});

Deno.test("TcpStreams takes a SYN on known ports for another connection, but not the same SYN again", () => {
  const packets = [
    SYN,
    SYN,
    ...fromClient([0, "ab"]),
    SYN,
    segment({ seq: 7000, flags: "S" }),
    segment({ seq: 7001, data: "new" }),
  ];
  assertEquals(eventsOf(packets), [
    OPEN,
    "1 client ab",
    ...ENDS,
    OPEN.replace("1", "2"),
    "2 client new",
    ...ENDS.map((line) => line.replace("1", "2")),
  ]);
});

Deno.test("TcpStreams makes nothing of what comes again after the end", () => {
  const said = conversation([["client", "hi"]]);
  assertEquals(eventsOf([...said, ...said.slice(2)]), [
    OPEN,
    "1 client hi",
    ...ENDS,
  ]);
});

/** Ways in which the same packet is wrapped. */
const inside = tcp({ from: 40_000, to: 7, seq: 1, data: "data" });
const v4 = ipv4(inside);
const v6 = ipv6(inside);
const LINKS: readonly (readonly [string, number, Uint8Array])[] = [
  ["Ethernet", 1, ethernet(v4)],
  ["Ethernet with padding", 1, concat([ethernet(v4), raw("padding")])],
  ["Ethernet in a virtual network", 1, ethernet(v4, [0x8100])],
  ["Ethernet in two virtual networks", 1, ethernet(v4, [0x88a8, 0x8100])],
  ["IP", 101, v4],
  ["IP, as it was numbered before", 12, v4],
  ["IP, by another number", 14, v4],
  ["BSD loopback", 0, concat([numbers("little", 4, 2), v4])],
  ["OpenBSD loopback", 108, concat([numbers("big", 4, 2), v4])],
  [
    "Linux, all interfaces",
    113,
    concat([new Uint8Array(14), numbers("big", 2, 0x0800), v4]),
  ],
  [
    "Linux, all interfaces, version 2",
    276,
    concat([numbers("big", 2, 0x0800), new Uint8Array(18), v4]),
  ],
  ["IPv4 with options", 101, ipv4(inside, { options: new Uint8Array(40) })],
  [
    "TCP with options",
    101,
    ipv4(tcp({
      from: 40_000,
      to: 7,
      seq: 1,
      data: "data",
      options: new Uint8Array(40),
    })),
  ],
  ["IPv4 of unknown length", 101, v4.map((byte, i) => i === 3 ? 0 : byte)],
];

for (const [what, linkType, packet] of LINKS) {
  Deno.test(`TcpStreams finds TCP in ${what}`, () => {
    assertEquals(eventsOf([packet], { linkType }), [
      OPEN,
      "1 client data",
      ...ENDS,
    ]);
  });
}

const LINKS_V6: readonly (readonly [string, number, Uint8Array])[] = [
  ["Ethernet", 1, ethernet(v6)],
  ["IP", 101, v6],
  ["BSD loopback", 0, concat([numbers("little", 4, 30), v6])],
  [
    "IP with headers for hops, routes and the destination",
    101,
    ipv6(inside, [0, 43, 60]),
  ],
];

for (const [what, linkType, packet] of LINKS_V6) {
  Deno.test(`TcpStreams finds TCP over IPv6 in ${what}`, () => {
    assertEquals(eventsOf([packet], { linkType }), [
      "1 open [::1]:40000 [::1]:7",
      "1 client data",
      ...ENDS,
    ]);
  });
}

/** What no connection is made of, and what it is counted as. */
const LEFT_OUT: readonly (readonly [string, number, Uint8Array, string])[] = [
  ["a link that nobody knows", 4711, v4, "others"],
  ["nothing", 101, new Uint8Array(), "others"],
  ["half an Ethernet header", 1, ethernet(v4).subarray(0, 13), "others"],
  [
    "tags without an end",
    1,
    concat([
      new Uint8Array(12),
      ...Array.from({ length: 100 }, () => numbers("big", 2, 0x8100, 1)),
    ]),
    "others",
  ],
  [
    "ARP",
    1,
    concat([new Uint8Array(12), numbers("big", 2, 0x0806), v4]),
    "others",
  ],
  ["UDP", 101, ipv4(inside, { protocol: 17 }), "others"],
  [
    "version 5 of IP",
    101,
    v4.map((byte, i) => i === 0 ? 0x55 : byte),
    "others",
  ],
  ["the first fragment", 101, ipv4(inside, { fragment: 0x2000 }), "fragments"],
  ["a later fragment", 101, ipv4(inside, { fragment: 5 }), "fragments"],
  ["a fragment of IPv6", 101, ipv6(inside, [44]), "fragments"],
  ["half an IPv4 header", 101, v4.subarray(0, 19), "damaged"],
  [
    "an IPv4 header of 16 bytes",
    101,
    v4.map((byte, i) => i === 0 ? 0x44 : byte),
    "damaged",
  ],
  [
    "an IPv4 header longer than the packet",
    101,
    v4.map((byte, i) => i === 3 ? 19 : byte),
    "damaged",
  ],
  ["half an IPv6 header", 101, v6.subarray(0, 39), "damaged"],
  [
    "a header of IPv6 that is cut off",
    101,
    ipv6(inside, [0]).subarray(0, 41),
    "damaged",
  ],
  ["half a TCP header", 101, v4.subarray(0, 39), "damaged"],
  [
    "a TCP header of 16 bytes",
    101,
    v4.map((byte, i) => i === 32 ? 0x40 : byte),
    "damaged",
  ],
  [
    "a TCP header longer than its packet",
    101,
    v4.map((byte, i) => i === 32 ? 0xf0 : byte),
    "damaged",
  ],
];

for (const [what, linkType, packet, as] of LEFT_OUT) {
  Deno.test(`TcpStreams leaves out ${what}`, () => {
    const streams = new TcpStreams();
    assertEquals([...streams.push(linkType, packet), ...streams.end()], []);
    assertEquals<unknown>(
      streams.leftOut,
      { others: 0, fragments: 0, damaged: 0, [as]: 1 },
    );
    assertEquals(streams.count, 0);
  });
}

Deno.test("TcpStreams takes what was kept of a packet, and misses the rest", () => {
  const [long] = fromClient([0, "abcdef"]);
  const packets = [SYN, long.subarray(0, -2), ...fromClient([6, "gh"])];
  assertEquals(eventsOf(packets), [
    OPEN,
    "1 client abcd",
    "1 client lacks 2",
    "1 server ends",
    "1 closed",
  ]);
});

Deno.test("TcpStreams waits for so many segments only", () => {
  const late = fromClient([2, "c"], [4, "e"], [6, "g"], [8, "i"]);
  const packets = [SYN, ...late, ...fromClient([0, "ab"])];
  assertEquals(eventsOf(packets, { segments: 3 }), [
    OPEN,
    "1 client lacks 2",
    "1 server ends",
    "1 closed",
  ]);
});

Deno.test("TcpStreams keeps so many bytes only, in all connections together", () => {
  const streams = new TcpStreams({ bytes: 10 });
  const events: string[] = [];
  for (const from of [1001, 1002, 1003]) {
    for (
      const [seq, flags, data] of [[0, "S", ""], [5, "A", "1234"]] as const
    ) {
      const packet = ipv4(tcp({ from, to: 7, seq, flags, data }));
      events.push(...streams.push(RAW_IP, packet).map(told));
    }
  }
  assertEquals(events.filter((line) => line.includes("lacks")), [
    "3 client lacks 4",
  ]);
  // What was given up is free for others.
  const more = ipv4(tcp({ from: 1001, to: 7, seq: 10, data: "x" }));
  assertEquals(streams.push(RAW_IP, more), []);
  const missing = ipv4(tcp({ from: 1001, to: 7, seq: 1, data: "abcd" }));
  assertEquals(streams.push(RAW_IP, missing).map(told), [
    "1 client abcd",
    "1 client 1234",
  ]);
});

Deno.test("TcpStreams gives up the connection that was silent for longest", () => {
  const streams = new TcpStreams({ connections: 2 });
  const say = (from: number, seq: number) =>
    streams.push(RAW_IP, ipv4(tcp({ from, to: 7, seq, data: "x" }))).map(told);
  say(1001, 0);
  say(1002, 0);
  say(1001, 1);
  assertEquals(say(1003, 0), [
    "3 open 10.0.0.1:1003 10.0.0.2:7",
    "2 client ends",
    "2 server ends",
    "2 closed: given up: there are too many connections",
    "3 client x",
  ]);
  assertEquals(say(1001, 2), ["1 client x"]);
});

Deno.test("TcpStreams holds on to a bounded number of 10,000 connections", () => {
  const streams = new TcpStreams();
  let open = 0;
  let most = 0;
  for (let i = 0; i < 10_000; i++) {
    const from = 10_000 + i;
    for (const seq of [0, 5]) {
      const packet = ipv4(tcp({ from, to: 7, seq, data: "x" }));
      for (const { kind } of streams.push(RAW_IP, packet)) {
        if (kind === "open") open++;
        if (kind === "closed") open--;
      }
    }
    most = Math.max(most, open);
  }
  assertEquals([streams.count, most], [10_000, 4096]);
  for (const { kind } of streams.end()) if (kind === "closed") open--;
  assertEquals(open, 0);
});

Deno.test("TcpStreams puts any order of any cuts together, and misses what is missing", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const text = unraw(random.bytes(random.below(200), raw("abcdefghij")));
    const start = random.pick([1000, 2 ** 32 - 50]);
    const pieces: [number, string][] = [];
    for (let at = 0; at < text.length;) {
      const length = 1 + random.below(20);
      pieces.push([at, text.slice(at, at + length)]);
      // Some overlap, and some come twice.
      at += random.below(4) === 0 ? Math.ceil(length / 2) : length;
    }
    const lost = random.below(3) === 0 && pieces.length > 2
      ? pieces.splice(random.below(pieces.length - 1), 1)
      : [];
    const covered = (at: number) =>
      pieces.some(([from, data]) => at >= from && at < from + data.length);
    let whole = 0;
    while (whole < text.length && covered(whole)) whole++;
    const shuffled = [...pieces, ...pieces.slice(0, 2)]
      .map((piece) => ({ piece, key: random.fraction() }))
      .sort((a, b) => a.key - b.key)
      .map(({ piece }) => piece);
    const events = eventsOf([
      segment({ seq: start - 1, flags: "S" }),
      ...shuffled.map(([at, data]) =>
        segment({ seq: (start + at) % 2 ** 32, data })
      ),
    ]);
    const got = events.filter((line) =>
      line.startsWith("1 client ") && !/lacks|ends/.test(line)
    )
      .map((line) => line.slice("1 client ".length)).join("");
    assertEquals(got, text.slice(0, whole), `seed ${seed}`);
    assertEquals(
      events.some((line) => line.includes("lacks")),
      whole < text.length,
      `seed ${seed}, lost ${lost}`,
    );
  }
});

Deno.test("TcpStreams comes to an end with whatever it is given", () => {
  const packets = [...LINKS, ...LINKS_V6].map(([, , packet]) => packet);
  const linkTypes = LINKS.map(([, linkType]) => linkType);
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new Random(seed);
    const streams = new TcpStreams({ connections: 3, segments: 3, bytes: 100 });
    try {
      for (let i = 0; i < 5; i++) {
        const packet = random.below(5) === 0
          ? random.bytes(random.below(80))
          : mutate(random, random.pick(packets), packets);
        streams.push(random.pick(linkTypes), packet);
      }
      streams.end();
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause });
    }
    const { others, fragments, damaged } = streams.leftOut;
    assert(others + fragments + damaged <= 5);
  }
});
