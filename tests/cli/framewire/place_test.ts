/**
 * Where to connect or to listen.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  LISTEN,
  placeIn,
  placeText,
  TARGET,
} from "../../../cli/framewire/place.ts";

const PLACES: readonly [text: string, place: unknown, written?: string][] = [
  ["127.0.0.1:80", { hostname: "127.0.0.1", port: 80 }],
  ["example.com:65535", { hostname: "example.com", port: 65_535 }],
  [":65432", { hostname: "127.0.0.1", port: 65_432 }, "127.0.0.1:65432"],
  ["[::1]:80", { hostname: "::1", port: 80 }],
  ["[fe80::1%eth0]:80", { hostname: "fe80::1%eth0", port: 80 }],
  ["unix:/run/a.sock", { path: "/run/a.sock" }, "unix:/run/a.sock"],
  ["unix:a b:1", { path: "a b:1" }],
];
for (const [text, place, written = text] of PLACES) {
  Deno.test(`placeIn() reads ${text}`, () => {
    const read = placeIn("target", text, 1);
    assertEquals<unknown>(read, place);
    assertEquals(
      placeText(read).replace(/^unix:/, ""),
      written.replace(/^unix:/, ""),
    );
  });
}

for (
  const text of [
    "",
    "127.0.0.1",
    "80",
    "::1:80",
    "[::1]",
    "host:",
    "host:http",
    "host:80:90",
    "[]:80",
    "[a]b:80",
    "unix:",
    "host: 80",
    "host:-1",
    "host:8e1",
  ]
) {
  Deno.test(`placeIn() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(
      () => TARGET.read(text),
      RangeError,
      `target must be HOST:PORT, [IPV6]:PORT or unix:/PATH: it is "${text}"`,
    );
  });
}

for (const port of ["0", "65536", "123456"]) {
  Deno.test(`placeIn() refuses port ${port}`, () => {
    assertThrows(
      () => TARGET.read(`host:${port}`),
      RangeError,
      `target must have a port from 1 to 65535: it is "host:${port}"`,
    );
  });
}

Deno.test("LISTEN takes port 0 for any that is free, and names itself", () => {
  assertEquals(LISTEN.read(":0"), { hostname: "127.0.0.1", port: 0 });
  assertThrows(() => LISTEN.read(""), RangeError, "listen must be");
});
