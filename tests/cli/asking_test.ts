/**
 * What the tutorials' clients share.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import {
  ConnectionError,
  Framing,
  lines,
  TruncatedFrameError,
} from "@framewire/framewire";
import { scriptedConn } from "@framewire/framewire/testing";
import { readAnswer, serverAddress } from "../../cli/asking.ts";
import { type Parameter, PEER_HOST } from "../../cli/program.ts";

for (
  const [host, to] of [
    ["127.0.0.1", "127.0.0.1:65432"],
    ["::1", "[::1]:65432"],
    ["localhost", "localhost:65432"],
  ]
) {
  Deno.test(`serverAddress() writes ${host} as ${to}`, () => {
    function get<V>(parameter: Parameter<V>): V {
      const { name, fallback = "" } = parameter;
      return parameter.read(name === PEER_HOST.name ? host : fallback);
    }
    assertEquals(serverAddress({ get }), { hostname: host, port: 65432, to });
  });
}

Deno.test("readAnswer() gives the answer, even an empty one", async () => {
  using peer = new Framing(scriptedConn([{ chunk: "yes\n\n" }]), lines());
  assertEquals([await readAnswer(peer), await readAnswer(peer)], ["yes", ""]);
});

Deno.test("readAnswer() says that there is none", async () => {
  using peer = new Framing(scriptedConn([]), lines());
  const error = await assertRejects(() => readAnswer(peer), ConnectionError);
  assertEquals(
    error.message,
    "Cannot read answer: the server closed the connection without one",
  );
});

Deno.test("readAnswer() says that it is not whole", async () => {
  const conn = scriptedConn([{ chunk: "ye" }]);
  using peer = new Framing(conn, lines({ tail: "error" }));
  await assertRejects(() => readAnswer(peer), TruncatedFrameError);
});
