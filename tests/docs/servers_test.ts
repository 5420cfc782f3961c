/**
 * docs/servers.md and the documentation of `serve` list the limits that hold, with the defaults that they have.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { checkLimits } from "../../lib/net/server_limits.ts";

function textOf(path: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
}

/** The options and defaults in the rows of a table, which may stand in a comment. */
function defaultsIn(text: string): Map<string, string> {
  const rows = text.matchAll(/^(?: \* )?\| `(\w+)` +\| ([\w,]+)/gm);
  return new Map(
    Array.from(rows, ([, name, value]) => [name, value.replaceAll(",", "")]),
  );
}

for (const path of ["docs/servers.md", "lib/net/serve.ts"]) {
  Deno.test(`${path} lists every limit of a server with its default`, async () => {
    const listed = defaultsIn(await textOf(path));
    const { whenFull: _, ...amounts } = checkLimits({});
    for (const [name, value] of Object.entries(amounts)) {
      assertEquals(listed.get(name), String(value), name);
    }
    assertEquals(listed.get("highWaterMark"), "65536");
  });
}

Deno.test("The documentation of the limits says the defaults that hold", async () => {
  const text = await textOf("lib/net/server_limits.ts");
  const properties = text.matchAll(
    /@default \{([^}]+)\}\s+\*\/\s+(\w+)\?:/g,
  );
  const documented = Object.fromEntries(
    Array.from(
      properties,
      ([, value, name]) => [name, value.replaceAll(/[_"]/g, "")],
    ),
  );
  const defaults = Object.entries(checkLimits({}));
  assertEquals(
    documented,
    Object.fromEntries(defaults.map(([name, value]) => [name, String(value)])),
  );
});
