/**
 * IP addresses between text and bytes.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { formatIp, parseIp } from "../../cli/ip_address.ts";
import { hex } from "../support/wire.ts";

const ADDRESSES: readonly (readonly [text: string, bytes: string])[] = [
  ["0.0.0.0", "00 00 00 00"],
  ["127.0.0.1", "7f 00 00 01"],
  ["255.249.199.9", "ff f9 c7 09"],
  ["::", "00".repeat(16)],
  ["::1", "00".repeat(15) + "01"],
  ["1::", "0001" + "00".repeat(14)],
  ["2001:db8::ff00:42:8329", "20010db8 0000 0000 0000 ff00 0042 8329"],
  ["1:2:3:4:5:6:7:8", "0001 0002 0003 0004 0005 0006 0007 0008"],
  ["fe80::1:0:0:1", "fe80 0000 0000 0000 0001 0000 0000 0001"],
  ["::ffff:10.1.2.3", "00".repeat(10) + "ffff 0a010203"],
];

for (const [text, bytes] of ADDRESSES) {
  Deno.test(`parseIp() and formatIp() know ${text}`, () => {
    assertEquals(parseIp(text), hex(bytes));
    assertEquals(formatIp(hex(bytes)), text);
  });
}

Deno.test("parseIp() knows other ways to write an address", () => {
  assertEquals(parseIp("0:0:0:0:0:0:0:1"), parseIp("::1"));
  assertEquals(parseIp("2001:DB8::0A"), parseIp("2001:db8::a"));
  assertEquals(parseIp("::ffff:7f00:1"), parseIp("::ffff:127.0.0.1"));
});

for (
  const text of [
    "",
    "localhost",
    "1",
    "127.1",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4.5",
    "1.2.3.4 ",
    "0x7f.0.0.1",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "1:2:3:4:5:6:7",
    "[::1]",
    "::1/64",
    "fe80::1%eth0",
  ]
) {
  Deno.test(`parseIp() takes ${JSON.stringify(text)} for no address`, () => {
    assertEquals(parseIp(text), undefined);
  });
}
