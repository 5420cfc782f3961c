/**
 * Headers of the PROXY protocol that HAProxy sent, recorded and replayed; `tests/codec/` has the rest.
 *
 * @module
 */

import { encodeFrame, FrameDecoder } from "@framewire/framewire";
import { type ProxyHeader, proxyHeader } from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { readCapture, sentBy } from "../support/capture.ts";
import { replay } from "../support/replay.ts";

/** A header in short: version, command, where from, and the types of its TLVs. */
function inShort({ version, command, source, tlvs }: ProxyHeader): string {
  const from = source === undefined
    ? "nowhere"
    : "hostname" in source
    ? source.hostname
    : source.path;
  return [version, command, from, ...tlvs.map(({ type }) => type)].join(" ");
}

Deno.test("proxyHeader() reads the headers of HAProxy, at every cut", async () => {
  const capture = await readCapture("proxy_header");
  const headers = replay(proxyHeader(), "client", capture);
  assertEquals(headers.pop(), "end");
  assertEquals(headers.map((one) => inShort(JSON.parse(one.slice(1)))), [
    "1 proxy 127.0.0.1",
    "2 proxy 127.0.0.1",
    "2 proxy 127.0.0.1 3 5",
    "2 proxy 127.0.0.1 3 1 2 32",
    "1 proxy 2001:db8::7",
    "2 proxy 2001:db8::7",
    "1 proxy nowhere",
    "2 local nowhere",
  ]);
});

Deno.test("proxyHeader() writes the headers of HAProxy byte for byte, checksums too", async () => {
  const wire = sentBy("client", await readCapture("proxy_header"));
  const decoder = new FrameDecoder(proxyHeader());
  decoder.push(wire);
  for (let at = 0; at < wire.length;) {
    const header = decoder.next();
    assert(header !== undefined);
    const written = encodeFrame(proxyHeader(), header);
    assertEquals(written, wire.slice(at, at += written.length));
  }
});
