/**
 * Every codec, put to the contract that `checkCodec` checks.
 *
 * @module
 */

import { assertEquals, assertGreater } from "@std/assert";
import { codecCases } from "./samples.ts";

for (const { maker, name, check } of codecCases) {
  Deno.test(`${maker}() keeps the contract of codecs: ${name}`, () => {
    const { samples, cuts, truncations } = check();
    assertGreater(samples, 0);
    // Whole, byte by byte, and byte by byte with empty chunks is the least.
    assertGreater(cuts, 3 * samples);
    // Only a wire of a single byte has no place to be cut off at.
    if (`${maker} ${name}` !== "fixedLength 1") assertGreater(truncations, 0);
  });
}

Deno.test("the contract is checked for every function that makes a codec", async () => {
  const exported = await Deno.readTextFile(
    new URL("../../mod.ts", import.meta.url),
  );
  const makers = ["messages"];
  for (
    const [, names] of exported.matchAll(/\{([^}]*)\} from ".\/lib\/codec\//g)
  ) {
    for (const name of names.split(",").map((name) => name.trim())) {
      if (/^[a-z]\w*$/.test(name) && name !== "encodeFrame") makers.push(name);
    }
  }
  const checked = new Set(codecCases.map(({ maker }) => maker));
  assertEquals([...checked].sort(), makers.sort());
});
