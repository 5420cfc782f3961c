/**
 * Ranges of addresses: who is in them, what is none, and who belongs together.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  addressRange,
  isInRange,
  sameOwner,
} from "../../lib/net/address_range.ts";

/** Ranges, some addresses that are in each, and some that are next to it. */
const RANGES: readonly [
  range: string,
  inside: readonly string[],
  outside: readonly string[],
][] = [
  ["192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8", "193.0.2.7"]],
  ["192.0.2.7/32", ["192.0.2.7"], ["192.0.2.6", "64.0.2.7"]],
  [
    "192.0.2.0/24",
    ["192.0.2.0", "192.0.2.255"],
    ["192.0.1.255", "192.0.3.0", "::1"],
  ],
  ["192.0.2.77/24", ["192.0.2.0", "192.0.2.255"], ["192.0.3.77"]],
  ["10.0.0.0/8", ["10.255.1.2"], ["11.0.0.0", "9.255.255.255"]],
  ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], [
    "172.15.255.255",
    "172.32.0.0",
  ]],
  ["192.0.2.128/25", ["192.0.2.128"], ["192.0.2.127"]],
  ["192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]],
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1", "2001:db8::1"]],
  ["128.0.0.0/1", ["128.0.0.0", "255.0.0.1"], ["127.255.255.255"]],
  ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]],
  ["2001:db8::/32", ["2001:db8::", "2001:DB8:ffff::1"], [
    "2001:db7:ffff::",
    "2001:db9::",
    "192.0.2.1",
  ]],
  ["2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]],
  ["2001:db8::/127", ["2001:db8::1"], ["2001:db8::2"]],
  ["fe80::/10", ["fe80::1", "febf::1"], ["fec0::1", "fe80::1%eth0"]],
  // What listens on IPv6 may write addresses of IPv4 in either way.
  ["192.0.2.0/24", ["::ffff:192.0.2.9", "::ffff:c000:209"], ["::c000:209"]],
  ["::ffff:192.0.2.0/120", ["192.0.2.9"], ["192.0.3.9"]],
  ["::/0", ["::1", "ffff::", "192.0.2.1"], ["", "localhost", "/run/socket"]],
];

for (const [text, inside, outside] of RANGES) {
  Deno.test(`isInRange() tells who is in ${text}: ${inside[0]} is`, () => {
    const range = addressRange(text);
    for (const hostname of inside) {
      assert(isInRange(range, hostname), `${hostname} is in ${text}`);
    }
    for (const hostname of outside) {
      assert(!isInRange(range, hostname), `${hostname} is not in ${text}`);
    }
  });
}

const NO_RANGES = [
  "",
  " ",
  "localhost",
  "proxy.example",
  "192.0.2",
  "192.0.2.256",
  "192.0.2.07",
  "192.0.2.0/",
  "/24",
  "192.0.2.0/33",
  "192.0.2.0/999",
  "192.0.2.0/1000",
  "192.0.2.0/-1",
  "192.0.2.0/+8",
  "192.0.2.0/8.0",
  "192.0.2.0/ 8",
  "192.0.2.0/24/24",
  "192.0.2.0/255.255.255.0",
  "192.0.2.*",
  "192.0.2.0 - 192.0.2.9",
  "192.0.2.1:443",
  "192.0.2.1\n",
  "[::1]",
  "::1/129",
  ":::",
  "1:2:3:4:5:6:7",
  "fe80::1%eth0",
  "*",
];

for (const text of NO_RANGES) {
  Deno.test(`addressRange() refuses ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => addressRange(text), RangeError);
    assertEquals(
      error.message,
      `Cannot serve: "${text}" is no IP address, nor a range such as 192.0.2.0/24`,
    );
  });
}

/** Addresses of one owner each. */
const OWNERS: readonly (readonly string[])[] = [
  [
    "192.0.2.1",
    "::ffff:192.0.2.1",
    "::ffff:c000:201",
    "0:0:0:0:0:FFFF:192.0.2.1",
  ],
  ["192.0.2.2"],
  ["2001:db8::", "2001:db8::1", "2001:db8:0:0:ffff::", "2001:0DB8::192.0.2.1"],
  ["2001:db8:0:1::", "2001:db8:0:1::1"],
  ["::1", "::2", "::192.0.2.1", "::fffe:192.0.2.1"],
  ["not an address"],
  [""],
];

Deno.test("sameOwner() gives the same text for those that belong together, and for nobody else", () => {
  const seen = new Set<string>();
  for (const hostnames of OWNERS) {
    const texts = new Set(hostnames.map(sameOwner));
    assertEquals(texts.size, 1, `${hostnames} belong together`);
    for (const text of texts) {
      assert(!seen.has(text), `${hostnames} belong to nobody else`);
      seen.add(text);
    }
  }
});
