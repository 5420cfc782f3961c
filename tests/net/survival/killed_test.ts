/**
 * Peers whose process is killed, wherever it stands.
 *
 * @module
 */

import {
  connect,
  encodeFrame,
  Message,
  messages,
  PeerResetError,
  serve,
  TruncatedFrameError,
} from "@framewire/framewire";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { figure } from "../../support/besieged.ts";
import { startProgram } from "../../support/running_program.ts";
import { until } from "../../support/sockets.ts";

const codec = messages();
const frame = encodeFrame(codec, Message.text("a question"));
/** Where the content begins. */
const content = 2 + new DataView(frame.buffer).getUint16(0);

/** Up to where the peer sends its second message, and what comes of that. */
const PLACES: [
  place: string,
  sent: number,
  have: number | undefined,
  need: number | undefined,
][] = [
  ["between frames", 0, undefined, undefined],
  ["inside the prefix", 1, 1, 2],
  ["behind the prefix", 2, 2, 3], // the first byte of a header tells whether it is one
  ["inside the header", content - 5, content - 5, content],
  ["behind the header", content, content, frame.length],
  ["inside the content", frame.length - 1, frame.length - 1, frame.length],
];

for (const [place, sent, have, need] of PLACES) {
  Deno.test(`serve() loses one connection when its peer is killed ${place}`, async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    const requests: string[] = [];
    await using server = serve({ port: 0, onError }, codec, async (peer) => {
      for await (const request of peer) {
        requests.push(request.text());
        // Who is killed with an answer that nobody read resets the connection, so only the other is answered.
        if (requests.at(-1) === "still there?") await peer.write(request);
      }
    });
    await using good = await connect({ port: server.addr.port }, codec);
    const digits = frame.toHex() + frame.subarray(0, sent).toHex();
    const args = [`${server.addr.port}`, digits];
    const how = { net: "127.0.0.1", typing: true };
    await using peer = startProgram("tests/fixtures/mortal_peer.ts", args, how);
    assertEquals(await peer.line(), "sent");
    const length = frame.length + sent;
    await until(() => server.stats.bytesReceived === length, "all bytes");
    peer.signal("SIGKILL");
    await until(() => server.stats.active === 1, "the end of the connection");
    await good.write(Message.text("still there?"));
    assertEquals((await good.read())?.text(), "still there?");
    assertEquals(requests, ["a question", "still there?"]);
    if (have === undefined) {
      figure(`a peer is killed ${place}`, "no error");
      assertEquals(errors, []);
      return;
    }
    const [error] = errors;
    assertInstanceOf(error, TruncatedFrameError);
    figure(`a peer is killed ${place}`, error.message);
    assertEquals([error.have, error.need], [have, need]);
    assertEquals([errors.length, server.stats.failed], [1, 1]);
  });
}

Deno.test("serve() loses one connection when its peer is killed before it has read its answer", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  await using server = serve({ port: 0, onError }, codec, async (peer) => {
    for await (const request of peer) await peer.write(request);
  });
  await using good = await connect({ port: server.addr.port }, codec);
  const args = [`${server.addr.port}`, frame.toHex() + "00"];
  const how = { net: "127.0.0.1", typing: true };
  await using peer = startProgram("tests/fixtures/mortal_peer.ts", args, how);
  assertEquals(await peer.line(), "sent");
  await until(() => server.stats.bytesReceived > frame.length, "all bytes");
  await until(() => server.stats.bytesSent === frame.length, "the answer");
  peer.signal("SIGKILL");
  await until(() => server.stats.active === 1, "the end of the connection");
  await good.write(Message.text("still there?"));
  assertEquals((await good.read())?.text(), "still there?");
  const [error] = errors;
  assertInstanceOf(error, PeerResetError);
  figure("a peer is killed with its answer unread", error.message);
  assertEquals([errors.length, server.stats.failed], [1, 1]);
});
