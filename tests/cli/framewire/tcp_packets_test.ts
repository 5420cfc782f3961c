/**
 * Packets that are made up: as they would have been.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import {
  type Endpoints,
  endpointsOf,
  TcpPackets,
} from "../../../cli/framewire/tcp_packets.ts";
import { Random } from "../../support/random.ts";
import { type Segment, segmentOf } from "../../support/captured_packets.ts";

const tcp = (hostname: string, port: number): Deno.Addr => ({
  transport: "tcp",
  hostname,
  port,
});
const UNIX: Deno.Addr = { transport: "unix", path: "/run/app.sock" };

const PAIRS: Record<string, [client: Deno.Addr, server: Deno.Addr]> = {
  "IPv4": [tcp("192.0.2.1", 50_000), tcp("198.51.100.2", 80)],
  "IPv6": [tcp("2001:db8::1", 50_000), tcp("::1", 80)],
};

function ends(kind: string): Endpoints {
  const [client, server] = PAIRS[kind];
  return endpointsOf(client, server, 1);
}

/** What matters of segments. */
function shown(segments: readonly Segment[]): string[] {
  return segments.map(({ source, flags, sequence, acknowledged, payload }) =>
    `${
      source.split(":").at(-1)
    } ${flags} ${sequence} ${acknowledged} +${payload.length}`
  );
}

for (const kind of Object.keys(PAIRS)) {
  Deno.test(`TcpPackets opens, sends and ends over ${kind}`, () => {
    const packets = new TcpPackets(ends(kind));
    const segments = [
      ...packets.open(),
      ...packets.data("client", new Uint8Array(5)),
      ...packets.data("server", new Uint8Array(7)),
      ...packets.end("client"),
      ...packets.data("server", new Uint8Array(1)),
      ...packets.end("server"),
    ].map(segmentOf);
    assertEquals(shown(segments), [
      "50000 S 0 0 +0",
      "80 SA 0 1 +0",
      "50000 A 1 1 +0",
      "50000 PA 1 1 +5",
      "80 A 1 6 +0",
      "80 PA 1 6 +7",
      "50000 A 6 8 +0",
      "50000 FA 6 8 +0",
      "80 A 8 7 +0",
      "80 PA 8 7 +1",
      "50000 A 7 9 +0",
      "80 FA 9 7 +0",
      "50000 A 7 10 +0",
    ]);
  });

  Deno.test(`TcpPackets resets over ${kind}`, () => {
    const packets = new TcpPackets(ends(kind));
    packets.open();
    packets.data("client", new Uint8Array(5));
    const segments = packets.reset("server").map(segmentOf);
    assertEquals(shown(segments), ["80 RA 1 6 +0"]);
  });

  Deno.test(`TcpPackets carries random bytes over ${kind}, in packets that are not too long`, () => {
    const random = new Random(20);
    const packets = new TcpPackets(ends(kind));
    packets.open();
    const sent = { client: new Uint8Array(), server: new Uint8Array() };
    const got = { client: new Uint8Array(), server: new Uint8Array() };
    for (let i = 0; i < 60; i++) {
      const from = random.pick(["client", "server"] as const);
      const length = random.pick([1, 2, 3, 1000, 64_999, 65_000, 65_001]);
      const bytes = random.bytes(i % 10 === 0 ? 200_000 : length);
      sent[from] = concat([sent[from], bytes]);
      const segments = packets.data(from, bytes).map(segmentOf);
      const answer = segments.pop();
      for (const { sequence, payload } of segments) {
        assertEquals(sequence, 1 + got[from].length, `seed ${random.seed}`);
        assert(payload.length > 0);
        got[from] = concat([got[from], payload]);
      }
      assertEquals(answer?.payload.length, 0);
      assertEquals(answer?.acknowledged, 1 + got[from].length);
    }
    assert(sent.client.length > 0 && sent.server.length > 0);
    assertEquals(got.client.toHex(), sent.client.toHex());
    assertEquals(got.server.toHex(), sent.server.toHex());
  });
}

Deno.test("TcpPackets counts on past 4 GiB", () => {
  const packets = new TcpPackets(ends("IPv4"));
  packets.open();
  const bytes = new Uint8Array(2 ** 26);
  // The headers alone are read: the first packet of each piece.
  let first: Uint8Array | undefined;
  for (let i = 0; i <= 64; i++) [first] = packets.data("client", bytes);
  assert(first !== undefined);
  assertEquals(segmentOf(first).sequence, (1 + 64 * 2 ** 26) % 2 ** 32);
});

Deno.test("endpointsOf() gives both ends addresses of the same kind", () => {
  const at = (client: Deno.Addr, server: Deno.Addr, number = 1) => {
    const ends = endpointsOf(client, server, number);
    return [ends.client, ends.server].map(({ ip, port }) =>
      `${ip.toHex()} ${port}`
    );
  };
  const mapped = "00000000000000000000ffff";
  assertEquals(at(tcp("127.0.0.1", 5), tcp("10.0.0.1", 6)), [
    "7f000001 5",
    "0a000001 6",
  ]);
  assertEquals(at(tcp("::ffff:127.0.0.1", 5), tcp("10.0.0.1", 6)), [
    "7f000001 5",
    "0a000001 6",
  ]);
  assertEquals(at(tcp("127.0.0.1", 5), tcp("::1", 6)), [
    `${mapped}7f000001 5`,
    "00000000000000000000000000000001 6",
  ]);
  assertEquals(at(tcp("fe80::1%eth0", 5), tcp("::1", 6)), [
    "fe800000000000000000000000000001 5",
    "00000000000000000000000000000001 6",
  ]);
  assertEquals(at(UNIX, UNIX, 3), ["7f000001 49155", "7f000002 1"]);
  assertEquals(at(UNIX, tcp("::1", 6), 20_000), [
    `${mapped}7f000001 52768`,
    "00000000000000000000000000000001 6",
  ]);
});
