/**
 * The table of `deno task bench:peers`: what is measured, of whom, and what is to be reached.
 *
 * Counts are such that an exchange takes a part of a second: slow contenders have a smaller one of their own, as
 * all figures are per frame.
 *
 * @module
 */

import { DENO, type Exchange } from "./peer_process.ts";

/** What a figure of a target is: of a sample, in the unit that the name says. */
export type Measure =
  | "rate"
  | "time"
  | "ns/frame"
  | "p50"
  | "peak bytes"
  | "bytes per connection"
  | "time(2n) / time(n)";

/** What is to be reached. */
export interface Goal {
  /** Whose figure it is; `EVERY` for the worst of all. */
  of: string;
  /** Whose figure it is divided by; `null` if it stands for itself. */
  against: string | null;
  measure: Measure;
  compare: "at least" | "at most";
  value: number;
  /** What was tried, if it is not reached. */
  note?: string;
}

/** Stands for all contenders of a suite, in place of the one that does worst. */
export const EVERY = "every codec";

/** How a program is started, and what must be there first. */
export interface Program {
  /** What it is written on. */
  label: string;
  command: readonly string[];
  /** A file without which it cannot run, and what to install to have it. */
  needs?: readonly [path: string, install: string];
  /** Its prefix, if it is not four bytes. */
  framing?: "varint";
}

/** One row of a suite over sockets. */
export interface Contender {
  name: string;
  program: Program;
  mode?: string;
  /** What of the exchange is its own, such as a smaller count. */
  own?: Partial<Exchange>;
}

interface Described {
  name: string;
  title: string;
  what: string;
  goals: readonly Goal[];
}

/** Peers, each with the load on its other side. */
export interface SocketSuite extends Described {
  kind: "sockets";
  exchange: Exchange;
  /** What differs in the exchange that comes first and is not measured; without it, a quarter of the frames. */
  warmUp?: Partial<Exchange>;
  contenders: readonly Contender[];
}

/** Programs that time themselves, each with the names that it prints; none are known if they are not given. */
export interface TimedSuite extends Described {
  kind: "timed";
  programs: readonly {
    program: Program;
    args: readonly string[];
    names?: readonly string[];
  }[];
}

/** Programs that connect and send, timed from their start to their first frame. */
export interface StartSuite extends Described {
  kind: "start";
  /** How many starts are one sample, of which the median counts. */
  starts: number;
  contenders: readonly { name: string; program: Program }[];
}

/** One workload and all that run it. */
export type SuiteOfPrograms = SocketSuite | TimedSuite | StartSuite;

const KIB = 1024;
const MIB = 1024 * KIB;
const BUILD = "bench/peers/.build";
const MODULES = "bench/peers/node/node_modules";
const INSTALL = "bench/peers/install.sh";

function deno(label: string, file: string, ...args: string[]): Program {
  const flags = ["--no-check", "-q", "--allow-net"];
  return {
    label,
    command: [DENO, "run", ...flags, `bench/peers/deno/${file}.ts`, ...args],
  };
}

function node(label: string, file: string, npm?: string): Program {
  const command = ["node", `bench/peers/node/${file}.mjs`];
  return npm === undefined ? { label, command } : {
    label,
    command,
    needs: [`${MODULES}/${npm}`, `npm's ${npm}, by ${INSTALL}`],
  };
}

function built(label: string, file: string, debian: string): Program {
  return {
    label,
    command: [`${BUILD}/${file}`],
    needs: [`${BUILD}/${file}`, `Debian's ${debian}, by ${INSTALL}`],
  };
}

const FRAMEWIRE = deno("Framewire", "framewire");
const BARE = deno("Deno.Conn, as little as will do", "bare");
const NAIVE = deno("Deno.Conn, a frame at a time", "naive");
const NODE = node("node:net by hand", "net");
const DENO_NODE: Program = {
  label: "node:net by hand, run by Deno",
  command: [
    DENO,
    "run",
    "-q",
    "--no-config",
    "--allow-net",
    "bench/peers/node/net.mjs",
  ],
};
const LPS: Program = {
  ...node(
    "length-prefixed-stream on Node",
    "length_prefixed_stream",
    "length-prefixed-stream",
  ),
  framing: "varint",
};
const ITLP: Program = {
  ...node(
    "it-length-prefixed on Node",
    "it_length_prefixed",
    "it-length-prefixed",
  ),
  framing: "varint",
};
const FRAME_STREAM = node(
  "frame-stream on Node",
  "frame_stream",
  "frame-stream",
);
const SPLIT2 = node("split2 on Node", "split2", "split2");
const PYTHON: Program = {
  label: "Python's asyncio streams",
  command: ["python3", "bench/peers/python/asyncio_peer.py"],
};
const C = built("C", "c-peer", "gcc");
const GO = built("Go's bufio", "go-peer", "golang-go");
const TOKIO = built(
  "tokio-util's LengthDelimitedCodec",
  "tokio-peer",
  "librust-tokio-util-dev",
);
const NETTY = built(
  "Netty's LengthFieldBasedFrameDecoder",
  "netty-peer",
  "libnetty-java",
);

/** What rows do that share their program with another. */
const VARIANTS: Readonly<Record<string, string>> = {
  "node Buffer": "frames as Buffer",
  "node corked": "corked",
  "node each": "a write for each frame",
  "tokio wide": "a buffer of 64 KiB in place of 8 KiB",
  "go borrowed": "one buffer for all frames",
};

function contender(
  name: string,
  program: Program,
  count?: number,
  mode?: string,
): Contender {
  const variant = VARIANTS[name];
  return {
    name,
    program: variant === undefined
      ? program
      : { ...program, label: `${program.label}, ${variant}` },
    ...(count === undefined ? {} : { own: { count } }),
    ...(mode === undefined ? {} : { mode }),
  };
}

function atLeast(
  value: number,
  of: string,
  against: string,
  note?: string,
): Goal {
  return {
    of,
    against,
    measure: "rate",
    compare: "at least",
    value,
    ...(note === undefined ? {} : { note }),
  };
}

function atMost(
  value: number,
  of: string,
  against: string | null,
  measure: Measure,
  note?: string,
): Goal {
  return {
    of,
    against,
    measure,
    compare: "at most",
    value,
    ...(note === undefined ? {} : { note }),
  };
}

/*
 * What was tried where a target is not reached.
 */
const VIEWS =
  "a frame that is the caller's takes a view, 17 ns here, and a share of a fresh slab, 6 ns, beside what the " +
  "kernel takes; decoding into arrays ahead, and slabs of 128 and 256 KiB, gained nothing";
const PROMISES =
  "a promise and its turn of the microtask queue take 40 ns a frame; an iterator that returns them ready made is " +
  "the least that `for await` allows";
const SLABS =
  "C with one buffer for all frames is not always as fast as this asks for; beside what the kernel takes there is " +
  "fresh memory for slabs and collecting it, and larger slabs take as much";
const PER_READ =
  "two `then`, two closures and three views more than bare reads and writes, and what calls to the system push " +
  "out of the processor's caches meanwhile; coroutines, a promise for each request, a microtask for each " +
  "connection, and sending each answer where it is made cost more";

const PING_PONG: readonly Contender[] = [
  contender("framewire try", FRAMEWIRE, undefined, "try"),
  contender("framewire reply", FRAMEWIRE, undefined, "reply"),
  contender("deno bare", BARE),
  contender("deno node:net", DENO_NODE),
  contender("node", NODE),
  contender("c", C),
  contender("tokio", TOKIO),
  contender("go", GO),
  contender("netty", NETTY),
  contender("python asyncio", PYTHON),
];

/** Ping-pong over many connections through `serve` and `reply`. */
function pingPong(connections: number, count: number): SocketSuite {
  return {
    name: `ping-pong-${connections}`,
    title: `Ping-pong over ${connections.toLocaleString("en")} connections`,
    what:
      `A frame of 64 B goes out and back on each of ${connections} connections at a time.`,
    kind: "sockets",
    exchange: { role: "echo", size: 64, count, connections },
    warmUp: { count },
    contenders: PING_PONG.filter(({ name }) =>
      name !== "netty" && name !== "python asyncio"
    ),
    goals: [
      atLeast(0.95, "framewire reply", "deno bare", PER_READ),
      atLeast(1.05, "framewire reply", "node"),
    ],
  };
}

/** All suites, in the order in which they run. */
export const SUITES: readonly SuiteOfPrograms[] = [
  {
    name: "receive-64",
    title: "Receive 64 B",
    what:
      "Frames of 64 B come as fast as they are taken; each is handed over on its own, but deno bare only counts them where they lie.",
    kind: "sockets",
    exchange: { role: "recv", size: 64, count: 4_000_000 },
    contenders: [
      contender("framewire try", FRAMEWIRE, undefined, "try"),
      contender("framewire batch", FRAMEWIRE, undefined, "batch"),
      contender("framewire iterate", FRAMEWIRE, 2_500_000, "iterate"),
      contender("framewire borrowed", FRAMEWIRE, undefined, "borrowed"),
      contender("deno bare", BARE, 8_000_000),
      contender("deno naive", NAIVE, 40_000),
      contender("deno node:net", DENO_NODE, 2_500_000, "view"),
      contender("node", NODE, 2_000_000, "view"),
      contender("node Buffer", NODE, 2_000_000, "buffer"),
      contender("length-prefixed-stream", LPS, 1_000_000),
      contender("frame-stream", FRAME_STREAM, 800_000),
      contender("it-length-prefixed", ITLP, 200_000),
      contender("c", C, 8_000_000),
      contender("tokio", TOKIO, 3_000_000, "default"),
      contender("tokio wide", TOKIO, 3_000_000, "wide"),
      contender("go", GO, 3_000_000, "owned"),
      contender("go borrowed", GO, 3_000_000, "borrowed"),
      contender("netty", NETTY, 2_000_000),
      contender("python asyncio", PYTHON, 150_000),
    ],
    goals: [
      atLeast(2.0, "framewire try", "node", VIEWS),
      atLeast(1.3, "framewire try", "deno node:net", VIEWS),
      atLeast(1.25, "framewire try", "tokio", VIEWS),
      atLeast(0.4, "framewire try", "c", VIEWS),
      atLeast(0.5, "framewire borrowed", "c", VIEWS),
      atLeast(1.1, "framewire iterate", "node", PROMISES),
      atLeast(2.2, "framewire iterate", "length-prefixed-stream", PROMISES),
      atLeast(10, "framewire iterate", "it-length-prefixed", PROMISES),
      atLeast(40, "framewire iterate", "deno naive", PROMISES),
    ],
  },
  {
    name: "receive-1k",
    title: "Receive 1 KiB",
    what: "Frames of 1 KiB come as fast as they are taken.",
    kind: "sockets",
    exchange: { role: "recv", size: KIB, count: 600_000 },
    contenders: [
      contender("framewire try", FRAMEWIRE, undefined, "try"),
      contender("framewire batch", FRAMEWIRE, undefined, "batch"),
      contender("framewire iterate", FRAMEWIRE, undefined, "iterate"),
      contender("framewire borrowed", FRAMEWIRE, undefined, "borrowed"),
      contender("deno bare", BARE, 800_000),
      contender("deno naive", NAIVE, 30_000),
      contender("deno node:net", DENO_NODE, 400_000, "view"),
      contender("node", NODE, 400_000, "view"),
      contender("node Buffer", NODE, 400_000, "buffer"),
      contender("length-prefixed-stream", LPS, 300_000),
      contender("it-length-prefixed", ITLP, 100_000),
      contender("c", C, 1_000_000),
      contender("tokio", TOKIO, 800_000, "default"),
      contender("go", GO, 400_000, "owned"),
      contender("netty", NETTY, 400_000),
      contender("python asyncio", PYTHON, 50_000),
    ],
    goals: [atLeast(1.4, "framewire try", "node", SLABS)],
  },
  {
    name: "receive-64k",
    title: "Receive 64 KiB",
    what: "Frames of 64 KiB come as fast as they are taken.",
    kind: "sockets",
    exchange: { role: "recv", size: 64 * KIB, count: 8_000 },
    contenders: [
      contender("framewire try", FRAMEWIRE, undefined, "try"),
      contender("framewire iterate", FRAMEWIRE, undefined, "iterate"),
      contender("framewire borrowed", FRAMEWIRE, undefined, "borrowed"),
      contender("deno bare", BARE),
      contender("deno naive", NAIVE),
      contender("deno node:net", DENO_NODE, undefined, "view"),
      contender("node", NODE, undefined, "view"),
      contender("node Buffer", NODE, undefined, "buffer"),
      contender("length-prefixed-stream", LPS),
      contender("c", C, 12_000),
      contender("tokio", TOKIO, 12_000, "default"),
      contender("go", GO, undefined, "owned"),
      contender("netty", NETTY),
    ],
    goals: [
      atLeast(1.0, "framewire try", "node", SLABS),
      atLeast(0.65, "framewire try", "c", SLABS),
    ],
  },
  {
    name: "send-64",
    title: "Send 64 B",
    what: "Frames of 64 B leave as fast as they are taken.",
    kind: "sockets",
    exchange: { role: "send", size: 64, count: 4_000_000 },
    contenders: [
      contender("framewire buffered", FRAMEWIRE, undefined, "buffered"),
      contender("framewire await", FRAMEWIRE, 2_000_000, "await"),
      contender("deno naive", NAIVE, 30_000, "each"),
      contender("node", NODE, 2_000_000, "batch"),
      contender("node corked", NODE, 500_000, "cork"),
      contender("node each", NODE, 30_000, "each"),
      contender("length-prefixed-stream", LPS, 20_000),
      contender("frame-stream", FRAME_STREAM, 30_000),
      contender("it-length-prefixed", ITLP, 20_000),
      contender("c", C, 6_000_000),
      contender("tokio", TOKIO, 2_000_000, "buffered"),
      contender("go", GO, 4_000_000, "buffered"),
      contender("netty", NETTY, 200_000, "buffered"),
      contender("python asyncio", PYTHON, 1_000_000, "buffered"),
    ],
    goals: [
      atLeast(
        1.6,
        "framewire buffered",
        "tokio",
        "two thirds are the kernel's",
      ),
      atLeast(0.5, "framewire buffered", "c"),
      atLeast(50, "framewire await", "deno naive"),
    ],
  },
  {
    name: "send-1k",
    title: "Send 1 KiB",
    what: "Frames of 1 KiB leave as fast as they are taken.",
    kind: "sockets",
    exchange: { role: "send", size: KIB, count: 600_000 },
    contenders: [
      contender("framewire buffered", FRAMEWIRE, undefined, "buffered"),
      contender("framewire await", FRAMEWIRE, undefined, "await"),
      contender("deno naive", NAIVE, 30_000, "each"),
      contender("node", NODE, undefined, "batch"),
      contender("node corked", NODE, 300_000, "cork"),
      contender("node each", NODE, 30_000, "each"),
      contender("c", C),
      contender("tokio", TOKIO, 200_000, "buffered"),
      contender("go", GO, undefined, "buffered"),
      contender("netty", NETTY, 150_000, "buffered"),
      contender("python asyncio", PYTHON, 300_000, "buffered"),
    ],
    goals: [atLeast(0.7, "framewire buffered", "c")],
  },
  {
    name: "send-64k",
    title: "Send 64 KiB",
    what: "Frames of 64 KiB leave as fast as they are taken.",
    kind: "sockets",
    exchange: { role: "send", size: 64 * KIB, count: 6_000 },
    contenders: [
      contender("framewire buffered", FRAMEWIRE, undefined, "buffered"),
      contender("framewire await", FRAMEWIRE, undefined, "await"),
      contender("deno naive", NAIVE, undefined, "each"),
      contender("node", NODE, undefined, "batch"),
      contender("node each", NODE, undefined, "each"),
      contender("c", C),
      contender("tokio", TOKIO, undefined, "buffered"),
      contender("go", GO, undefined, "buffered"),
      contender("netty", NETTY, 3_000, "buffered"),
    ],
    goals: [atLeast(0.8, "framewire buffered", "c")],
  },
  {
    name: "echo-window-1000",
    title: "Echo, 1,000 under way",
    what:
      "Frames of 64 B go out and back on one connection, up to 1,000 at a time.",
    kind: "sockets",
    exchange: { role: "echo", size: 64, count: 1_500_000, window: 1_000 },
    contenders: [
      contender("framewire try", FRAMEWIRE, undefined, "try"),
      contender("framewire reply", FRAMEWIRE, 1_000_000, "reply"),
      contender("deno bare", BARE, 1_000_000),
      contender("deno node:net", DENO_NODE, 500_000, "cork"),
      contender("node", NODE, 50_000, "plain"),
      contender("node corked", NODE, 500_000, "cork"),
      contender("c", C, 3_000_000),
      contender("tokio", TOKIO, 1_000_000),
      contender("go", GO, 1_000_000),
      contender("netty", NETTY, 300_000),
      contender("python asyncio", PYTHON, 50_000),
    ],
    goals: [
      atLeast(1.2, "framewire try", "tokio", VIEWS),
      atLeast(0.65, "framewire try", "c"),
      atLeast(2.5, "framewire try", "node corked"),
    ],
  },
  {
    name: "ping-pong",
    title: "Ping-pong",
    what:
      "A frame of 64 B goes out and back on one connection, one after the other.",
    kind: "sockets",
    exchange: { role: "echo", size: 64, count: 10_000 },
    warmUp: { count: 10_000 },
    contenders: PING_PONG,
    goals: [
      atMost(1.05, "framewire try", "deno bare", "p50"),
      atMost(1.05, "framewire reply", "deno bare", "p50"),
    ],
  },
  pingPong(10, 60_000),
  pingPong(100, 60_000),
  pingPong(1_000, 60_000),
  {
    name: "big-frame",
    title: "One frame of 256 MiB",
    what: "A single frame of 256 MiB is received.",
    kind: "sockets",
    exchange: { role: "recv", size: 256 * MIB, count: 1 },
    // Not enough for buffers to be left that would be counted with the frame.
    warmUp: { size: KIB, count: 1_000 },
    contenders: [
      contender("framewire try", FRAMEWIRE, undefined, "try"),
      contender("framewire iterate", FRAMEWIRE, undefined, "iterate"),
      contender("deno naive", NAIVE),
      contender("deno node:net", DENO_NODE, undefined, "buffer"),
      contender("node", NODE, undefined, "buffer"),
      contender("length-prefixed-stream", LPS),
      contender("c", C),
      contender("tokio", TOKIO, undefined, "default"),
      contender("go", GO, undefined, "owned"),
      contender("python asyncio", PYTHON),
    ],
    goals: [
      atMost(
        1.1,
        "framewire try",
        "c",
        "time",
        "the kernel hands out the memory of the frame page by page, and copies into it",
      ),
      atMost(
        (256 + 40) * MIB,
        "framewire try",
        null,
        "peak bytes",
        "bare Deno takes 295 MiB for the same frame, and to import the library takes 8",
      ),
    ],
  },
  {
    name: "big-frame-chunks",
    title: "One frame of 256 MiB, 1,447 B a write",
    what:
      "A single frame of 256 MiB, sent in pieces of 1,447 B, and one of a quarter of its length.",
    kind: "sockets",
    exchange: { role: "recv", size: 256 * MIB, count: 1, chunk: 1447 },
    warmUp: { size: MIB, count: 8 },
    contenders: [
      contender("framewire try", FRAMEWIRE, undefined, "try"),
      {
        ...contender("framewire try, a quarter", FRAMEWIRE, undefined, "try"),
        own: { size: 64 * MIB },
      },
      contender("c", C),
      contender("tokio", TOKIO, undefined, "default"),
    ],
    // Four times the time for four times the bytes, and one more for what the machine does meanwhile.
    goals: [atMost(5, "framewire try", "framewire try, a quarter", "time")],
  },
  {
    name: "one-byte-arrival",
    title: "Bytes that arrive one at a time",
    what:
      "A frame of n bytes, one at a read, and one of twice the length, in memory; a rate is of bytes.",
    kind: "timed",
    programs: [{
      program: deno("Framewire", "one_byte"),
      args: [],
    }],
    goals: [atMost(2.5, EVERY, null, "time(2n) / time(n)")],
  },
  {
    name: "lines",
    title: "Lines of text",
    what: "Lines of 80 B out of chunks of 64 KiB, in memory.",
    kind: "timed",
    programs: [
      {
        program: deno("Framewire and the standard library", "lines"),
        args: ["80", "2000000"],
        names: ["framewire", "std TextLineStream"],
      },
      { program: SPLIT2, args: ["80", "1000000"], names: ["split2"] },
      // These two do not count the line feed.
      {
        program: GO,
        args: ["lines", "79", "4000000"],
        names: ["go"],
      },
      {
        program: TOKIO,
        args: ["lines", "79", "3000000"],
        names: ["tokio"],
      },
    ],
    goals: [
      atLeast(3, "framewire", "split2"),
      atLeast(
        5,
        "framewire",
        "std TextLineStream",
        "decoding and slicing alone take half of the time; the rest is the limit, the offset and the call per line",
      ),
    ],
  },
  {
    name: "delimited",
    title: "Delimited bytes",
    what:
      "Frames of 80 B with their delimiter out of chunks of 64 KiB, in memory.",
    kind: "timed",
    programs: [{
      program: deno("Framewire and the standard library", "delimited"),
      args: ["80", "2000000"],
      names: ["framewire", "std DelimiterStream"],
    }],
    goals: [atLeast(3, "framewire", "std DelimiterStream")],
  },
  {
    name: "messages",
    title: "Messages",
    what:
      "Messages with a header of 109 B and a content of 40 B, in memory, beside JSON alone for the header.",
    kind: "timed",
    programs: [{
      program: deno("Framewire and JSON", "messages"),
      args: [],
      names: [
        "decode",
        "decode repeated",
        "JSON.parse",
        "encode",
        "encode repeated",
        "write",
        "JSON.stringify",
      ],
    }],
    goals: [
      atMost(1.5, "decode", "JSON.parse", "ns/frame"),
      atMost(1.8, "encode", "JSON.stringify", "ns/frame"),
      atMost(0.4, "decode repeated", "JSON.parse", "ns/frame"),
    ],
  },
  {
    name: "idle",
    title: "10,000 idle connections",
    what: "A server holds 10,000 connections on which nothing comes.",
    kind: "sockets",
    exchange: { role: "idle", size: 64, count: 10_000 },
    warmUp: { count: 100 },
    contenders: [
      contender("framewire", FRAMEWIRE),
      contender("deno bare", BARE),
      contender("node", NODE),
    ],
    goals: [atMost(10 * KIB, "framewire", null, "bytes per connection")],
  },
  {
    name: "import-cost",
    title: "From start to first frame",
    what: "A program starts, imports, connects and sends its first frame.",
    kind: "start",
    starts: 5,
    contenders: [
      { name: "framewire", program: deno("Framewire", "first_frame") },
      {
        name: "deno bare",
        program: deno("Deno.Conn, nothing imported", "first_frame_bare"),
      },
    ],
    goals: [
      atMost(
        1.3,
        "framewire",
        "deno bare",
        "time",
        "the modules take 9 ms, of which 5.5 are left when all is one minified file, and 2 that many empty modules; a package from npm that took 6 more is no longer loaded",
      ),
    ],
  },
];
