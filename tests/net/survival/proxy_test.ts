/**
 * PROXY headers of peers that are no proxies, or bad ones.
 *
 * @module
 */

import {
  encodeFrame,
  type PeerInfo,
  proxyHeader,
  reply,
  serve,
} from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import { dribble, enter, fateOf, inCrowds } from "../../support/attacks.ts";
import { figure, words } from "../../support/besieged.ts";
import { until, writeAll } from "../../support/sockets.ts";
import { raw } from "../../support/wire.ts";

const PEERS = 100;
const LIMIT = 200;
const V1 = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
const V2 = encodeFrame(proxyHeader(), {
  version: 2,
  command: "proxy",
  source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
  destination: { transport: "tcp", hostname: "192.0.2.2", port: 443 },
  tlvs: [{ type: 5, value: new Uint8Array(50) }],
});
/** Signature, version and family of version 2, then a length of 65535. */
const ENDLESS_V2 = new Uint8Array([...V2.subarray(0, 14), 0xff, 0xff]);

/** What such a peer does, until it is gone. */
type Attack = (conn: Deno.TcpConn) => Promise<unknown>;

/** Sends the start of a header and ends its side. */
function truncated(start: Uint8Array): Attack {
  return async (conn) => {
    await writeAll(conn, start);
    await conn.closeWrite();
    return fateOf(conn);
  };
}

/** Sends a start and then bytes without end. */
function endless(start: Uint8Array): Attack {
  return async (conn) => {
    const fate = fateOf(conn);
    try {
      await writeAll(conn, start);
      while (true) await conn.write(new Uint8Array(1000).fill(120));
    } catch {
      return await fate; // it is closed
    }
  };
}

const CASES: [
  what: string,
  trusted: string,
  attack: Attack,
  error: string,
  message: RegExp,
][] = [
  [
    "comes from an address that is not trusted",
    "127.0.0.2/32",
    truncated(raw(V1)),
    "ConnectionRejectedError",
    /127\.0\.0\.1:\d+ is none of the proxies in proxyProtocol\.trusted$/,
  ],
  [
    "in version 1 is truncated",
    "127.0.0.1",
    truncated(raw(V1.slice(0, 20))),
    "TruncatedFrameError",
    /ended after 20 /,
  ],
  [
    "in version 2 is truncated",
    "127.0.0.1",
    truncated(V2.subarray(0, V2.length - 1)),
    "TruncatedFrameError",
    /ended after 80 of 81 bytes/,
  ],
  [
    "in version 1 never ends",
    "127.0.0.1",
    endless(raw("PROXY UNKNOWN ")),
    "FrameTooLargeError",
    /a line of at least 108 exceeds version 1's limit of 107 bytes/,
  ],
  [
    "in version 2 is announced with 64 KiB",
    "127.0.0.1",
    endless(ENDLESS_V2),
    "FrameTooLargeError",
    /exceeds maxFrameLength of 200 bytes/,
  ],
  [
    "never ends, a byte at a time",
    "127.0.0.1",
    async (conn) => {
      await writeAll(conn, V2.subarray(0, 16));
      return await dribble(conn, 100);
    },
    "ReadTimeoutError",
    /the handshake did not end within handshakeTimeout of 500 ms$/,
  ],
];

for (const [what, trusted, attack, name, message] of CASES) {
  Deno.test(`serve() refuses 100 connections whose PROXY header ${what}`, async () => {
    const errors: unknown[] = [];
    let handled = 0;
    const options = {
      port: 0,
      handshakeTimeout: 500,
      proxyProtocol: { trusted: [trusted], maxHeaderLength: LIMIT },
      onError: (error: unknown, _: PeerInfo | undefined) =>
        void errors.push(error),
      onConnection: () => void handled++,
    };
    const handler = reply((word: string) => word.toUpperCase());
    await using server = serve(options, words, handler);
    await inCrowds(
      PEERS,
      async () => await attack(await enter(server.addr.port)),
    );
    await until(() => server.stats.active === 0, "the end of all");
    const { bytesReceived, refused, failed, malformed, timedOut, accepted } =
      server.stats;
    const names = new Set(errors.map((e) => e instanceof Error ? e.name : e));
    const first = errors[0] instanceof Error ? errors[0].message : "";
    figure(
      `100 PROXY headers, each ${what}`,
      `${errors.length} refused, ${
        bytesReceived / PEERS
      } bytes taken of each: ${first}`,
    );
    assertEquals([...names], [name]);
    assert(message.test(first), first);
    assertEquals([errors.length, handled, accepted], [PEERS, 0, PEERS]);
    assertEquals(refused + failed, PEERS);
    assertEquals([malformed, timedOut, refused].filter((n) => n > 0), [PEERS]);
    if (trusted === "127.0.0.1") return;
    assertEquals(bytesReceived, 0);
  });
}
