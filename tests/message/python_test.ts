/**
 * What a client and the tutorial's server in Python said to each other, recorded and replayed.
 *
 * @module
 */

import { encodeFrame, FrameDecoder, messages } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import { readCapture, sentBy } from "../support/capture.ts";
import { replay } from "../support/replay.ts";

/** How many messages each side sent. */
const MESSAGES = 4;

Deno.test("messages() reads what a client and Python said, at every cut", async () => {
  const capture = await readCapture("messages");
  for (const side of ["client", "server"] as const) {
    const outcomes = replay(messages(), side, capture);
    assertEquals(outcomes.length, MESSAGES + 1);
    assertEquals(outcomes.at(-1), "end");
  }
});

Deno.test("messages() writes what Python wrote byte for byte", async () => {
  const wire = sentBy("server", await readCapture("messages"));
  const decoder = new FrameDecoder(messages());
  decoder.push(wire);
  const texts: string[] = [];
  for (let at = 0; at < wire.length;) {
    const message = decoder.next();
    if (message === undefined) break;
    texts.push(new TextDecoder().decode(message.content));
    const written = encodeFrame(messages(), message);
    assertEquals(written, wire.slice(at, at += written.length));
  }
  assertEquals(texts, [
    "First 10 bytes of request: 0000000000",
    '{"result": "No match for \\"é1\\"."}',
    "First 10 bytes of request: 0000000000",
    '{"result": "No match for \\"é3\\"."}',
  ]);
});
