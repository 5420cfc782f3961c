/**
 * What the echo servers do with a connection.
 *
 * @module
 */

import { Framing, PeerResetError } from "@framewire/framewire";
import {
  checkCodec,
  connPair,
  scriptedConn,
} from "@framewire/framewire/testing";
import { assertEquals, assertThrows } from "@std/assert";
import { chunks, echoing, errorsTo } from "../../cli/echo.ts";

const remoteAddr: Deno.NetAddr = {
  transport: "tcp",
  hostname: "127.0.0.1",
  port: 61354,
};

Deno.test("chunks() gives whatever one read gave", async () => {
  const conn = scriptedConn([{ chunk: "Hello, " }, { chunk: "world" }]);
  await using peer = new Framing(conn, chunks());
  const text = new TextDecoder();
  assertEquals(text.decode(await peer.read() ?? undefined), "Hello, ");
  assertEquals(text.decode(await peer.read() ?? undefined), "world");
  assertEquals(await peer.read(), null);
});

Deno.test("chunks() is no codec to build on: it matters where the bytes are cut", () => {
  assertThrows(() =>
    checkCodec(chunks(), [{ frame: new Uint8Array([1, 2, 3]) }])
  );
});

Deno.test("echoing() sends back what comes, and prints every step", async () => {
  const [here, there] = connPair();
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  await using peer = new Framing(here, chunks());
  await there.write(new TextEncoder().encode("Hello, world"));
  await there.closeWrite();
  await echoing(print)(peer, { remoteAddr });
  await peer.closeWrite();
  const echo = new Uint8Array(20);
  const count = await there.read(echo) ?? 0;
  assertEquals(
    new TextDecoder().decode(echo.subarray(0, count)),
    "Hello, world",
  );
  assertEquals(lines, [
    "accepted connection from 127.0.0.1:61354",
    "echoing b'Hello, world' to 127.0.0.1:61354",
    "closing connection to 127.0.0.1:61354",
  ]);
  there.close();
});

Deno.test("errorsTo() prints what went wrong as one line, with the peer if there is one", () => {
  const lines: string[] = [];
  const report = errorsTo((line) => void lines.push(line));
  report(new PeerResetError("Cannot read frame: reset"), { remoteAddr });
  report(new Error("Too many open files"));
  report("a text");
  assertEquals(lines, [
    "error: Cannot read frame: reset from 127.0.0.1:61354",
    "error: Too many open files",
    "error: a text",
  ]);
});
