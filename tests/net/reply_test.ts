/**
 * A handler made of a function from request to response.
 *
 * @module
 */

import {
  type Codec,
  connect,
  encodeFrame,
  FrameTooLargeError,
  type Handler,
  json,
  lengthPrefixed,
  lines,
  MalformedFrameError,
  PeerResetError,
  reply,
  serve,
} from "@framewire/framewire";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { readAll, writeAll } from "../support/sockets.ts";

Deno.test("reply() answers requests one after another", async () => {
  const shout = reply((line: string) => line.toUpperCase());
  await using server = serve({ port: 0 }, lines(), shout);
  await using peer = await connect({ port: server.addr.port }, lines());
  for (let i = 0; i < 100; i++) {
    await peer.write(`a${i}`);
    assertEquals(await peer.read(), `A${i}`);
  }
});

Deno.test("reply() answers pipelined requests in their order, however long each takes", async () => {
  const handler = reply(async (line: string) => {
    if (line.endsWith("0")) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return line;
  });
  await using server = serve({ port: 0 }, lines(), handler);
  await using peer = await connect({ port: server.addr.port }, lines());
  const sent = Array.from({ length: 200 }, (_, i) => `${i}`);
  const writing = peer.writeMany(sent).then(() => peer.closeWrite());
  assertEquals(await Array.fromAsync(peer), sent);
  await writing;
});

Deno.test("reply() waits for a client that does not take its answers", async () => {
  let answered = 0;
  const answer = new Uint8Array(300_000);
  const handler: Handler<Uint8Array> = reply(() => {
    answered++;
    return answer;
  });
  await using server = serve({ port: 0 }, lengthPrefixed(), handler);
  await using peer = await connect(
    { port: server.addr.port },
    lengthPrefixed(),
  );
  const requests = 200;
  await peer.writeMany(Array(requests).fill(new Uint8Array(1)));
  await peer.closeWrite();
  assertEquals((await peer.read())?.length, 300_000);
  assert(answered < requests, `${answered} answers were made`);
  let received = 1;
  for await (const frame of peer) received += frame.length / 300_000;
  assertEquals([received, answered], [requests, requests]);
});

for (
  const [how, answer] of [
    ["throws", () => {
      throw new Error("no answer");
    }],
    ["rejects", () => Promise.reject(new Error("no answer"))],
  ] as [string, () => Promise<string>][]
) {
  Deno.test(`reply() ends the connection when the function ${how}, behind the answers before`, async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    const handler = reply((line: string) => line === "bad" ? answer() : line);
    await using server = serve({ port: 0, onError }, lines(), handler);
    await using peer = await connect({ port: server.addr.port }, lines());
    await peer.writeMany(["good", "bad"]);
    assertEquals(await peer.read(), "good");
    assertEquals(await peer.read(), null);
    assertInstanceOf(errors[0], Error);
    assertEquals(errors.length, 1);
    assertEquals(errors[0].message, "no answer");
    assertEquals(server.stats.failed, 1);
  });
}

Deno.test("reply() ends the connection when an answer cannot be laid out", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const handler = reply((line: string) => `${line}\n${line}`);
  await using server = serve({ port: 0, onError }, lines(), handler);
  await using peer = await connect({ port: server.addr.port }, lines());
  await peer.write("x");
  assertEquals(await peer.read(), null);
  assertInstanceOf(errors[0], RangeError);
});

Deno.test("reply() gives the function the address of the peer", async () => {
  const handler = reply((_: string, { remoteAddr }) =>
    JSON.stringify(remoteAddr)
  );
  await using server = serve({ port: 0 }, lines(), handler);
  await using peer = await connect({ port: server.addr.port }, lines());
  await peer.write("who am I");
  assertEquals(JSON.parse(await peer.read() ?? ""), peer.localAddr);
});

Deno.test("reply() is over when the client goes away", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const handler = reply((line: string) => line.repeat(1_000_000));
  {
    await using server = serve({ port: 0, onError }, lines(), handler);
    using peer = await connect(
      { port: server.addr.port },
      lines({ maxFrameLength: 2 ** 21 }),
    );
    await peer.writeMany(Array(100).fill("x"));
    await peer.read();
  }
  assertInstanceOf(errors[0], PeerResetError);
  assertEquals(errors.length, 1);
});

Deno.test("reply() goes on behind a request that its codec leaves out, and reports it", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const codec = lines({ maxFrameLength: 10, onOversize: "skip" });
  const handler = reply((line: string) => `got ${line}`);
  await using server = serve({ port: 0, onError }, codec, handler);
  await using peer = await connect({ port: server.addr.port }, lines());
  await peer.writeMany(["short", "x".repeat(50), "again"]);
  assertEquals([await peer.read(), await peer.read()], [
    "got short",
    "got again",
  ]);
  assertInstanceOf(errors[0], FrameTooLargeError);
  assertEquals([errors[0].length, errors.length, server.stats.failed], [
    50,
    1,
    0,
  ]);
});

Deno.test("reply() ends with a request that is malformed", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const handler = reply((value: unknown) => value);
  await using server = serve({ port: 0, onError }, json(lines()), handler);
  await using peer = await connect({ port: server.addr.port }, lines());
  await peer.writeMany(["1", "{", "2"]);
  assertEquals([await peer.read(), await peer.read()], ["1", null]);
  assertInstanceOf(errors[0], MalformedFrameError);
});

Deno.test("reply() answers thousands of requests that the end of the stream completes", async () => {
  /** Each byte is a frame, and none is known to be one before the end. */
  const late: Codec<Uint8Array> = {
    decode: () => undefined,
    decodeEnd: (received) => received.length > 0 ? received.take(1) : undefined,
    encode: (frame, out) => out.write(frame),
  };
  const bytes = new Uint8Array(20_000).map((_, i) => i);
  await using server = serve({ port: 0 }, late, reply((frame) => frame));
  const conn = await Deno.connect({ port: server.addr.port });
  const [received] = await Promise.all([
    readAll(conn),
    writeAll(conn, bytes).then(() => conn.closeWrite()),
  ]);
  conn.close();
  assertEquals(received, bytes);
});

Deno.test("reply() answers those that ask in the same turn within the memory budget", async () => {
  const LIMIT = 1024 * 1024;
  const SIZE = 60_000;
  await using server = serve(
    { port: 0, memoryBudget: LIMIT, onError: () => {} },
    lines(),
    reply(() => "x".repeat(SIZE)),
  );
  const held = () => server.stats.memoryPeak > LIMIT / 2;
  const { port } = server.addr;
  const conns = await Promise.all(
    Array.from({ length: 150 }, () => Deno.connect({ port })),
  );
  // Nobody reads, so that the answers fill the buffers of the system, then the server's.
  const asking = encodeFrame(lines(), "?");
  for (let more = 20; more > 0; more -= held() ? 1 : 0) {
    await Promise.all(conns.map((conn) => conn.write(asking)));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const conn of conns) conn.close();
  const { memoryPeak } = server.stats;
  assert(memoryPeak < LIMIT + 2 * SIZE, `${memoryPeak}`);
});
