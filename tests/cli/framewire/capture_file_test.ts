/**
 * A file of packets that is written as they pass.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { CaptureFile } from "../../../cli/framewire/capture_file.ts";
import type { Passed } from "../../../cli/framewire/relay.ts";
import {
  blocksOf,
  capturedPackets,
  segmentOf,
} from "../../support/captured_packets.ts";

const addr = (port: number): Deno.Addr => ({
  transport: "tcp",
  hostname: "127.0.0.1",
  port,
});
const open = (port: number): Passed => ({
  kind: "open",
  client: addr(port),
  server: addr(80),
});

Deno.test("CaptureFile keeps the packets of all connections, with their times", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "what was there before".repeat(100));
    const file = await CaptureFile.create(path);
    file.watch(1, open(5001), 1000);
    file.watch(2, open(5002), 1001);
    const bytes = Uint8Array.of(1, 2, 3);
    file.watch(2, { kind: "chunk", from: "client", bytes }, 1002.5);
    file.watch(1, { kind: "end", from: "client" }, 1003);
    file.watch(1, { kind: "close" }, 1004);
    file.watch(2, { kind: "reset", from: "server" }, 1005);
    file.watch(2, { kind: "close" }, 1006);
    const nobody = { client: addr(5003), reason: "refused" };
    file.watch(3, { kind: "refused", ...nobody }, 1007);
    assertEquals(await file.close(), { packets: 11, missing: 0 });
    const bytesOfFile = await Deno.readFile(path);
    const packets = capturedPackets(bytesOfFile);
    assertEquals(
      packets.map(({ time, bytes }) => {
        const { source, flags, payload } = segmentOf(bytes);
        return `${time} ${source.split(":")[1]} ${flags} ${payload.length}`;
      }),
      [
        "1000000 5001 S 0",
        "1000000 80 SA 0",
        "1000000 5001 A 0",
        "1001000 5002 S 0",
        "1001000 80 SA 0",
        "1001000 5002 A 0",
        "1002500 5002 PA 3",
        "1002500 80 A 0",
        "1003000 5001 FA 0",
        "1003000 80 A 0",
        "1005000 80 RA 0",
      ],
    );
    assertEquals(blocksOf(bytesOfFile).at(-1)?.type, 5);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("CaptureFile cannot be where there is no folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assertRejects(
      () => CaptureFile.create(`${folder}/none/x.pcapng`),
      Deno.errors.NotFound,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
