/**
 * Permissions, all at once. How the command asks for them, its own tests show.
 *
 * @module
 */

import { ConnectionError } from "@framewire/framewire";
import { assertEquals, assertRejects } from "@std/assert";
import {
  addressesOf,
  needPermissions,
  permissionsFor,
} from "../../../cli/framewire/permissions.ts";
import { ProgramError } from "../../../cli/program.ts";

Deno.test("permissionsFor() is the network, and for a path reading and writing too", () => {
  assertEquals<unknown>(permissionsFor({ hostname: "::1", port: 5 }), [
    { name: "net", host: "[::1]:5" },
  ]);
  assertEquals<unknown>(permissionsFor({ path: "/run/x" }), [
    { name: "net", host: "unix:/run/x" },
    { name: "read", path: "/run/x" },
    { name: "write", path: "/run/x" },
  ]);
});

Deno.test("needPermissions() names the flags that are missing, in quotes where a shell needs them", async () => {
  await needPermissions([{ name: "net", host: "127.0.0.1:5" }]);
  await assertRejects(
    () =>
      needPermissions([
        { name: "net", host: "127.0.0.1:5" },
        { name: "write", path: "/x/it's" },
        { name: "write", path: "/y" },
        { name: "ffi", path: "/z" },
      ]),
    ProgramError,
    String
      .raw`needs permission: run again with '--allow-write=/x/it'\''s,/y' --allow-ffi=/z`,
  );
});

Deno.test("addressesOf() leaves addresses and paths as they are, and looks names up", async () => {
  for (const hostname of ["127.0.0.1", "::1", "fe80::1%lo"]) {
    assertEquals(await addressesOf({ hostname, port: 5 }), [
      { hostname, port: 5 },
    ]);
  }
  assertEquals(await addressesOf({ path: "localhost" }), [
    { path: "localhost" },
  ]);
  const found = await addressesOf({ hostname: "localhost", port: 5 });
  assertEquals(found.includes({ hostname: "localhost", port: 5 }), false);
  assertEquals(
    found.some((place) => "port" in place && place.hostname === "127.0.0.1"),
    true,
  );
  await assertRejects(
    () => addressesOf({ hostname: "nobody.invalid", port: 5 }),
    ConnectionError,
    "nobody.invalid:5: unknown host",
  );
});
