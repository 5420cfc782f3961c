/**
 * Peers that speak something else: what a server says of them.
 *
 * Real sockets; the random input that codecs get without any is in tests/codec/random_test.ts.
 *
 * @module
 */

import {
  asciiLength,
  type Codec,
  delimited,
  fixedLength,
  FramingError,
  headerBlock,
  json,
  lengthPrefixed,
  lines,
  messages,
  netstring,
  proxyHeader,
  ReadTimeoutError,
  serve,
  text,
  typed,
  untilClose,
  varintPrefixed,
} from "@framewire/framewire";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Random } from "../../support/random.ts";
import { readAll, until, writeAll } from "../../support/sockets.ts";
import { hex, raw } from "../../support/wire.ts";

/** What a TLS client (Deno's) sent to `localhost`. */
const CLIENT_HELLO = hex(
  "16030100f4010000f00303c5733d4e5fa6becd703343fb087499dc156c5d9384" +
    "042b991d2004386dcadc6b20485b80c520868b676118bb91a81fcd4e93954c71" +
    "4ac3831b81279a14cdae95f00014130213011303c02cc02bcca9c030c02fcca8" +
    "00ff0100009300230000002b00050403040303000500050100000000000d0016" +
    "00140503040306030807080608050804060105010401003300260024001d0020" +
    "b04c1d0e2f31c68b02ae26a27bee11d04b0dc9f699d73940c5084df5514dca28" +
    "002d0002010100170000000a000a0008001d0017001811ec0000000e000c0000" +
    "096c6f63616c686f7374000b00020100001000050003026832",
);

/** What strangers send, and what it must be said to look like. */
const STRANGERS = {
  "HTTP": [
    raw("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"),
    "HTTP",
  ],
  "HTTP with a body": [
    raw("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"),
    "HTTP",
  ],
  "HTTP/2": [
    raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d"),
    "HTTP",
  ],
  "TLS": [CLIENT_HELLO, "TLS"],
  "SSH": [raw("SSH-2.0-OpenSSH_9.9\r\n"), "SSH"],
  "PROXY 1": [
    raw("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"),
    "a PROXY protocol header",
  ],
  "PROXY 2": [
    raw(
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb",
    ),
    "a PROXY protocol header",
  ],
} as const;

type Stranger = keyof typeof STRANGERS;

/**
 * What comes of a stranger:
 *
 * - `named`: refused at once, by a line that names it; what is not listed is
 * - `ended`: waited for, as its first bytes are a length that is allowed; named when it gives up
 * - `unknown`: refused, by a line that says what is wrong but not what it is
 * - `taken`: its bytes are frames
 */
type Fate = "named" | "ended" | "unknown" | "taken";

const ALL: readonly Stranger[] = [
  "HTTP",
  "HTTP with a body",
  "HTTP/2",
  "TLS",
  "SSH",
  "PROXY 1",
  "PROXY 2",
];
/** Those that begin with letters. */
const IN_LETTERS = ALL.filter((stranger) => !/^(TLS|PROXY 2)$/.test(stranger));

interface Port {
  name: string;
  codec: Codec<unknown, never>;
  /** A frame as the server expects it. */
  frame: string;
  ended?: readonly Stranger[];
  unknown?: readonly Stranger[];
  taken?: readonly Stranger[];
}

const PORTS: readonly Port[] = [
  { name: "lengthPrefixed()", codec: lengthPrefixed(), frame: "\0\0\0\x01a" },
  {
    name: "lengthPrefixed(), little-endian",
    codec: lengthPrefixed({ byteOrder: "little" }),
    frame: "\x01\0\0\0a",
    ended: ["TLS"],
  },
  {
    name: "lengthPrefixed() of 8 bytes",
    codec: lengthPrefixed({ width: 8 }),
    frame: "\0\0\0\0\0\0\0\x01a",
  },
  {
    name: "lengthPrefixed() of 3 bytes",
    codec: lengthPrefixed({ width: 3 }),
    frame: "\0\0\x01a",
    ended: ["PROXY 2"],
  },
  {
    name: "lengthPrefixed() of 2 bytes",
    codec: lengthPrefixed({ width: 2 }),
    frame: "\0\x01a",
    ended: ALL,
  },
  {
    name: "lengthPrefixed() of 2 bytes, up to 1000",
    codec: lengthPrefixed({ width: 2, maxFrameLength: 1000 }),
    frame: "\0\x01a",
  },
  {
    name: "varintPrefixed()",
    codec: varintPrefixed(),
    frame: "\x01a",
    ended: IN_LETTERS,
    unknown: ["TLS"],
    taken: ["PROXY 2"],
  },
  {
    name: "varintPrefixed() up to 10",
    codec: varintPrefixed({ maxFrameLength: 10 }),
    frame: "\x01a",
  },
  { name: "netstring()", codec: netstring(), frame: "1:a," },
  { name: "asciiLength()", codec: asciiLength(), frame: "00001a" },
  {
    name: "asciiLength() with a terminator",
    codec: asciiLength({ terminator: " " }),
    frame: "1 a",
  },
  {
    name: "asciiLength() in hexadecimal digits",
    codec: asciiLength({ digits: 4, radix: 16, includesHeader: true }),
    frame: "0005a",
  },
  {
    name: "typed()",
    codec: typed({ length: { 1: 4, 2: lengthPrefixed({ width: 2 }) } }),
    frame: "\x01abcd",
  },
  {
    name: "headerBlock()",
    codec: headerBlock(),
    frame: "Content-Length: 1\r\n\r\na",
    unknown: ["PROXY 2"],
  },
  {
    name: "json(text(headerBlock()))",
    codec: json(text(headerBlock())),
    frame: "Content-Length: 1\r\n\r\n1",
    unknown: ["PROXY 2"],
  },
  {
    name: "messages()",
    codec: messages(),
    frame: "\0\x5b" +
      '{"byteorder":"big","content-type":"a","content-encoding":"binary","content-length":1} '
        .padEnd(0x5b) +
      "a",
  },
  {
    name: "json(lines())",
    codec: json(lines()),
    frame: "1\n",
    ended: ["TLS"],
    unknown: ["PROXY 2"],
  },
  {
    name: "lines()",
    codec: lines(),
    frame: "a\n",
    ended: ["TLS"],
    unknown: ["PROXY 2"],
    taken: IN_LETTERS,
  },
  {
    name: "lines() up to 8",
    codec: lines({ maxFrameLength: 8 }),
    frame: "a\n",
    unknown: ["PROXY 2"],
  },
  {
    name: "delimited() by a byte that no text has",
    codec: delimited("\0"),
    frame: "a\0",
    ended: IN_LETTERS.filter((stranger) => stranger !== "HTTP/2"),
    unknown: ["PROXY 2", "HTTP/2", "TLS"],
  },
  {
    name: "fixedLength()",
    codec: fixedLength(1),
    frame: "a",
    taken: ALL,
  },
  { name: "untilClose()", codec: untilClose(), frame: "a", taken: ALL },
  {
    name: "proxyHeader()",
    codec: proxyHeader(),
    frame: "PROXY UNKNOWN\r\n",
    unknown: [
      ...IN_LETTERS.filter((stranger) => stranger !== "PROXY 1"),
      "TLS",
    ],
    taken: ["PROXY 1", "PROXY 2"],
  },
];

function fateAt(port: Port, stranger: Stranger): Fate {
  for (const fate of ["ended", "unknown", "taken"] as const) {
    if (port[fate]?.includes(stranger)) return fate;
  }
  return "named";
}

/** A server of a codec that reads what comes, and what it reports. */
class Listening implements AsyncDisposable {
  errors: unknown[] = [];
  frames = 0;
  #server;

  constructor(codec: Codec<unknown, never>, frameTimeout?: number) {
    const options = {
      port: 0,
      onError: (error: unknown) => void this.errors.push(error),
      ...frameTimeout !== undefined && { frameTimeout },
    };
    this.#server = serve<unknown, never>(options, codec, async (peer) => {
      for await (const _ of peer) this.frames++;
    });
  }

  /**
   * Sends bytes to it, and waits until it has closed the connection.
   *
   * @param bytes The bytes.
   * @param leaves Whether the sender ends its side then, or waits for an answer for ever.
   * @returns The errors that were reported.
   */
  async meet(bytes: Uint8Array, leaves: boolean): Promise<unknown[]> {
    this.errors = [];
    const { addr: { hostname, port }, stats: { accepted } } = this.#server;
    using conn = await Deno.connect({ hostname, port });
    await writeAll(conn, bytes).catch(() => {}); // it may have closed already
    // So must it have closed already if this fails.
    if (leaves) await conn.closeWrite().catch(() => {});
    await readAll(conn).catch(() => {}); // ended or reset
    await until(() => {
      const { active, accepted: now } = this.#server.stats;
      return active === 0 && now > accepted;
    }, "the end of the connection");
    return this.errors;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The one error that was reported: of a class that is documented, and one clear line. */
function onlyLine(errors: readonly unknown[]): string {
  assertEquals(errors.length, 1, Deno.inspect(errors));
  const [error] = errors;
  assert(error instanceof FramingError || error instanceof ReadTimeoutError);
  assertMatch(error.message, /^Cannot (read|decode) (frame|message): /);
  assert(!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(error.message), error.message);
  assert(error.message.length < 200, error.message);
  return error.message;
}

Deno.test("serve() says who a stranger is", async (t) => {
  const met: Record<Fate, number> = {
    named: 0,
    ended: 0,
    unknown: 0,
    taken: 0,
  };
  for (const port of PORTS) {
    await t.step(`on a port of ${port.name}`, async () => {
      await using server = new Listening(port.codec);
      for (const stranger of ALL) {
        const [bytes, name] = STRANGERS[stranger];
        const fate = fateAt(port, stranger);
        // Who is refused at once need not end its side first.
        const errors = await server.meet(bytes, fate !== "named");
        met[fate]++;
        if (fate === "taken") {
          assertEquals(errors, [], stranger);
          continue;
        }
        const line = onlyLine(errors);
        const says = line.endsWith(`look like ${name}`);
        assertEquals(says, fate !== "unknown", `${stranger}: ${line}`);
      }
      // It is as well as before.
      server.frames = 0;
      assertEquals(await server.meet(raw(port.frame), true), []);
      assertEquals(server.frames, 1);
    });
  }
  const { named, ended, unknown, taken } = met;
  console.log(
    `survival: strangers: ${ALL.length} on ${PORTS.length} kinds of port: ${named} named at once, ${ended} when they gave up, ${unknown} refused without a name, ${taken} taken for frames`,
  );
});

Deno.test("serve() says in a line what is wrong with random bytes", async () => {
  const random = new Random(26);
  let refused = 0;
  for (const { codec } of PORTS) {
    await using server = new Listening(codec);
    for (let i = 0; i < 10; i++) {
      const bytes = random.bytes(1 + random.below(300));
      const errors = await server.meet(bytes, true);
      if (errors.length === 0) continue; // some are frames to some codecs
      refused++;
      onlyLine(errors);
    }
  }
  assert(refused > 100, `${refused}`);
});

Deno.test("serve() ends a stranger whose first bytes are a length that is allowed by frameTimeout", async () => {
  for (const stranger of ["TLS", "HTTP"] as const) {
    await using server = new Listening(lengthPrefixed({ width: 2 }), 100);
    const [bytes] = STRANGERS[stranger];
    // It waits for an answer and ends nothing.
    const line = onlyLine(await server.meet(bytes, false));
    assertMatch(line, /came within frameTimeout of 100 ms/);
  }
});
