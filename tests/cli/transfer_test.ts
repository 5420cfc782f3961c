/**
 * What send-file and receive-file have in common, and a large file between them.
 *
 * @module
 */

import { ConnectionError, FrameBody, Message } from "@framewire/framewire";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checksumOf,
  countIn,
  fieldsOf,
  newChecksum,
  piecesOf,
  Progress,
} from "../../cli/transfer.ts";
import { transfer } from "../support/transfer.ts";

/** What is sent, and how much more memory a side may take for it, in MiB. */
const SIZE = 256;
const MOST = 64;

Deno.test(`send-file and receive-file take less than ${MOST} MiB more memory for a file of ${SIZE} MiB`, async () => {
  const { more, lines } = await transfer(SIZE);
  for (const line of lines) console.log(`transfer: ${line}`);
  assert(more.sender < MOST, `sender: ${more.sender} MiB`);
  assert(more.receiver < MOST, `receiver: ${more.receiver} MiB`);
});

Deno.test("checksumOf() says what it is so far, and goes on", () => {
  const hash = newChecksum();
  hash.update("ab");
  const before = checksumOf(hash);
  hash.update("c");
  assertEquals(
    checksumOf(hash),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assert(before !== checksumOf(hash));
});

Deno.test("fieldsOf() and countIn() refuse what is no part of the protocol", () => {
  assertEquals(fieldsOf(Message.json({ size: 1 })), { size: 1 });
  for (
    const message of [
      Message.json(null),
      Message.json("size"),
      Message.stream(new FrameBody(1, [])),
    ]
  ) {
    assertThrows(() => fieldsOf(message), ConnectionError, "no part");
  }
  assertEquals(countIn({ size: 0 }, "size"), 0);
  for (const size of [-1, 0.5, 2 ** 53, "1", null, undefined]) {
    assertThrows(() => countIn({ size }, "size"), ConnectionError, "size must");
  }
});

Deno.test("piecesOf() reads as much as it is told, and shows it before it gives it", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(600_000).fill(7));
  using file = await Deno.open(path);
  await file.seek(100_000, Deno.SeekMode.Start);
  const log: number[] = [];
  for await (const piece of piecesOf(file, 400_000, (p) => log.push(p[0]))) {
    log.push(piece.length);
  }
  assertEquals(log, [7, 262_144, 7, 137_856]);
  // What is not there is for others to miss.
  assertEquals(
    (await Array.fromAsync(piecesOf(file, 999_999, () => {}))).length,
    1,
  );
  await Deno.remove(path);
});

Deno.test("Progress shows no bar where stderr is no terminal, and says what memory there was", () => {
  using progress = new Progress("x", 10);
  progress.begin(2);
  progress.add(8);
  assert(
    /^memory: \d+ MiB before, \d+ MiB at most, \d+ MiB more$/.test(
      progress.memory,
    ),
    progress.memory,
  );
});
