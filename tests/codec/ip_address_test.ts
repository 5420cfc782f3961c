/**
 * IP addresses as bytes and as text.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  ipText,
  ipv4Bytes,
  ipv6Bytes,
  ipv6Text,
} from "../../lib/codec/ip_address.ts";
import { LOOPBACK } from "../support/loopback.ts";
import { Random } from "../support/random.ts";
import { hex } from "../support/wire.ts";

Deno.test("ipv4Bytes() reads four numbers", () => {
  assertEquals(ipv4Bytes("0.0.0.0"), [0, 0, 0, 0]);
  assertEquals(ipv4Bytes("255.255.255.255"), [255, 255, 255, 255]);
  assertEquals(ipv4Bytes("192.168.10.1"), [192, 168, 10, 1]);
});

Deno.test("ipv4Bytes() refuses what others would read in different ways", () => {
  for (
    const text of [
      "",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.",
      ".1.2.3",
      "1..2.3",
      "299.168.0.1",
      "1.2.3.256",
      "1.2.3.1000",
      "01.2.3.4",
      "1.2.3.00",
      "0x1.2.3.4",
      "+1.2.3.4",
      "1.2.3.-4",
      " 1.2.3.4",
      "1.2.3.4\n",
      "1.2.3.4/8",
      "1.2.3.１",
      "::1",
      "localhost",
    ]
  ) assertEquals(ipv4Bytes(text), undefined, JSON.stringify(text));
});

/** IPv6 addresses as they may be written, their bytes, and as Deno writes them. */
const IPV6: [text: string, bytes: string, canonical?: string][] = [
  ["::", "00".repeat(16)],
  ["::1", "00".repeat(15) + "01"],
  ["1::", "0001" + "00".repeat(14)],
  ["2001:db8::1", "20010db8" + "00".repeat(11) + "01"],
  [
    "2001:0DB8:0000:0000:0000:0000:0000:0001",
    "20010db8" + "00".repeat(11) + "01",
    "2001:db8::1",
  ],
  ["0:0:0:0:0:0:0:0", "00".repeat(16), "::"],
  [
    "1:2:3:4:5:6:7:8",
    "0001 0002 0003 0004 0005 0006 0007 0008",
  ],
  [
    "1:2:3::5:6:7:8",
    "0001 0002 0003 0000 0005 0006 0007 0008",
    "1:2:3:0:5:6:7:8",
  ],
  [
    "::2:3:4:5:6:7:8",
    "0000 0002 0003 0004 0005 0006 0007 0008",
    "0:2:3:4:5:6:7:8",
  ],
  [
    "1:2:3:4:5:6:7::",
    "0001 0002 0003 0004 0005 0006 0007 0000",
    "1:2:3:4:5:6:7:0",
  ],
  [
    "1:0:0:2:0:0:0:3",
    "0001 0000 0000 0002 0000 0000 0000 0003",
    "1:0:0:2::3",
  ],
  [
    "10:0:1:0:0:1:0:0",
    "0010 0000 0001 0000 0000 0001 0000 0000",
    "10:0:1::1:0:0",
  ],
  [
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff".repeat(16),
  ],
  ["::ffff:192.0.2.1", "00".repeat(10) + "ffff c0000201"],
  ["::ffff:c000:201", "00".repeat(10) + "ffff c0000201", "::ffff:192.0.2.1"],
  [
    "0:0:0:0:0:FFFF:192.0.2.1",
    "00".repeat(10) + "ffff c0000201",
    "::ffff:192.0.2.1",
  ],
  ["::ffff:0.0.0.0", "00".repeat(10) + "ffff 00000000"],
  ["::192.0.2.1", "00".repeat(12) + "c0000201", "::c000:201"],
  [
    "64:ff9b::192.0.2.1",
    "0064ff9b" + "00".repeat(8) + "c0000201",
    "64:ff9b::c000:201",
  ],
];

Deno.test("ipv6Bytes() reads every form, and ipText() writes the one that Deno has", () => {
  for (const [text, digits, canonical = text] of IPV6) {
    const bytes = hex(digits);
    assertEquals(ipv6Bytes(text), Array.from(bytes), text);
    assertEquals(ipText(bytes), canonical, text);
    assertEquals(ipv6Bytes(canonical), Array.from(bytes), canonical);
  }
});

Deno.test("ipv6Text() writes hexadecimal only", () => {
  assertEquals(
    ipv6Text(hex("00".repeat(10) + "ffff c0000201")),
    "::ffff:c000:201",
  );
});

Deno.test("ipv6Bytes() refuses what is no IPv6 address", () => {
  for (
    const text of [
      "",
      ":",
      ":::",
      "1",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4::5:6:7:8",
      "1::2::3",
      "::1::",
      ":1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:",
      "1:2:3:4:5:6:7:8:",
      ":1::",
      "12345::",
      "g::",
      "::1%lo",
      "[::1]",
      "::1/128",
      " ::1",
      "::1\n",
      "::-1",
      "::ffff:299.0.2.1",
      "::ffff:192.0.2",
      "::ffff:192.0.2.01",
      "192.0.2.1::",
      "1.2.3.4::1",
      "::192.0.2.1:1",
      "1:2:3:4:5:6:7:1.2.3.4",
      "192.0.2.1",
    ]
  ) assertEquals(ipv6Bytes(text), undefined, JSON.stringify(text));
});

Deno.test("ipText() writes what addresses in URLs are written as", () => {
  const random = new Random(6);
  for (let i = 0; i < 2000; i++) {
    const few = hex("00 00 00 00 01");
    const bytes = random.bytes(16, random.below(2) === 0 ? few : undefined);
    const text = ipText(bytes);
    assertEquals(ipv6Bytes(text), Array.from(bytes), text);
    if (text.startsWith("::ffff:")) continue; // URLs have hexadecimal there
    assertEquals(new URL(`http://[${text}]`).hostname, `[${text}]`);
  }
});

Deno.test("ipText() writes the addresses of sockets as Deno does", () => {
  for (const hostname of LOOPBACK) {
    using listener = Deno.listen({ hostname, port: 0 });
    const written = listener.addr.hostname;
    const bytes = ipv4Bytes(written) ?? ipv6Bytes(written);
    assertEquals(ipText(bytes ?? []), written);
  }
});
