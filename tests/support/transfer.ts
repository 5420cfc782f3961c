/**
 * A large file sent from one process to another, and what that takes.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { portIn, runProgram, startProgram } from "./running_program.ts";
import { Random } from "./random.ts";

const MEBIBYTE = 1024 * 1024;

/** What a transfer took. */
export interface Transfer {
  /** How much more memory each side took than before, in MiB. */
  more: { sender: number; receiver: number };
  /** What both printed of it. */
  lines: string[];
}

/** Makes a file of so many MiB, of which some bytes are random, and the rest takes no room on the disk. */
export async function makeFile(
  path: string,
  mebibytes: number,
  seed = 1,
): Promise<void> {
  const random = new Random(seed);
  using file = await Deno.create(path);
  for (let i = 0; i < mebibytes; i += 16) {
    await file.seek(i * MEBIBYTE + random.below(1000), Deno.SeekMode.Start);
    await file.write(random.bytes(1000));
  }
  await file.truncate(mebibytes * MEBIBYTE);
}

/** Sends a file of so many MiB by `send-file` to `receive-file`. */
export async function transfer(mebibytes: number): Promise<Transfer> {
  const folder = await Deno.makeTempDir();
  try {
    await makeFile(`${folder}/large`, mebibytes);
    const into = `${folder}/received`;
    await using receiver = startProgram(
      "cli/receive_file.ts",
      ["--memory", "127.0.0.1", "0", into],
      {
        net: "127.0.0.1:0",
        flags: [`--allow-read=${into}`, `--allow-write=${into}`],
      },
    );
    const port = portIn(await receiver.line());
    const { code, out, err } = await runProgram(
      "cli/send_file.ts",
      ["--memory", `${folder}/large`, "127.0.0.1", String(port)],
      { net: `127.0.0.1:${port}`, flags: [`--allow-read=${folder}/large`] },
    );
    assertEquals([code, err], [0, []]);
    const [, , received, memory] = await receiver.lines(4);
    const [, sent, senderMemory] = out;
    const lines = [
      sent,
      `sender's ${senderMemory}`,
      received,
      `receiver's ${memory}`,
    ];
    // The checksum of both sides, by which they have compared.
    const checksums = [sent, received].map((line) => line.split(" ").at(-1));
    assertEquals(checksums[0], checksums[1]);
    const { size } = await Deno.stat(`${into}/large`);
    assertEquals(size, mebibytes * MEBIBYTE);
    return {
      more: { sender: moreIn(senderMemory), receiver: moreIn(memory) },
      lines,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function moreIn(line: string): number {
  const more = line.match(/ (-?\d+) MiB more$/)?.[1];
  assert(more !== undefined, `there must be memory in: ${line}`);
  return Number(more);
}
