/**
 * What servers do that share a port. That connections are dealt out is in the tests of the servers that do it,
 * as sharing takes a flag.
 *
 * @module
 */

import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { claim } from "../../cli/shared_port.ts";

Deno.test("claim() finds a free port, and leaves it free", () => {
  const address = claim("127.0.0.1", 0);
  assertNotEquals(address.port, 0);
  assertEquals(claim("127.0.0.1", address.port), address);
  using listener = Deno.listen(address);
  assertEquals(listener.addr.port, address.port);
});

Deno.test("claim() refuses a port that somebody listens on", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertThrows(
    () => claim("127.0.0.1", listener.addr.port),
    Deno.errors.AddrInUse,
  );
});
