/**
 * `framewire decode` on what other programs dump and capture.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { readCapture, sentBy } from "../support/capture.ts";
import { conversation, ethernet, pcapng } from "../support/packets.ts";
import {
  type Needed,
  run,
  ServerFolder,
  testWithPeers,
} from "../support/peer_server.ts";
import { startProgram } from "../support/running_program.ts";

/** They come with it. */
const WIRESHARK: Needed[] = [
  { command: "editcap", package: "tshark" },
  { command: "text2pcap", package: "tshark" },
];

/** Runs `framewire decode` on a file. */
async function decode(path: string, ...args: string[]): Promise<string[]> {
  await using program = startProgram(
    "cli/main.ts",
    ["decode", path, "--json", ...args],
    { flags: [`--allow-read=${path}`] },
  );
  const { code, out, err } = await program.end();
  assertEquals(code, 0, err.join("\n"));
  return out;
}

/** Frames without what they were wrapped in. */
function frames(lines: readonly string[]): unknown[] {
  return lines.map((line) => {
    const { from, offset, size, value, text, base64 } = JSON.parse(line);
    return { from, offset, size, value, text, base64 };
  });
}

testWithPeers(
  WIRESHARK,
  "decode reads every format that Wireshark turns a capture into",
  async () => {
    await using folder = await ServerFolder.make();
    const capture = await readCapture("postgres");
    const packets = conversation(capture.chunks, { port: 5432 });
    const path = `${folder.path}/original.pcapng`;
    await Deno.writeFile(
      path,
      pcapng(1, packets.map((packet) => ethernet(packet))),
    );
    const original = frames(await decode(path, "--codec", "postgres"));
    assert(original.length > 50);
    for (const format of ["pcap", "nsecpcap", "pcapng"]) {
      const converted = `${folder.path}/${format}`;
      await run("editcap", ["-F", format, path, converted]);
      assertEquals(
        frames(await decode(converted, "--codec", "postgres")),
        original,
        format,
      );
    }
  },
);

testWithPeers(
  WIRESHARK,
  "decode reads what text2pcap makes of a dump",
  async () => {
    await using folder = await ServerFolder.make();
    const bytes = sentBy("client", await readCapture("messages"));
    const [raw, dump, made] = ["raw", "dump", "made"].map((name) =>
      `${folder.path}/${name}`
    );
    await Deno.writeFile(raw, bytes);
    await Deno.writeTextFile(
      dump,
      await run("od", ["-A", "x", "-t", "x1", "-v", raw]),
    );
    await run("text2pcap", ["-T", "40000,65432", dump, made]);
    const expected = frames(
      await decode(raw, "--codec", "message", "--from", "raw"),
    );
    assertEquals(expected.length, 4);
    assertEquals(frames(await decode(dump, "--codec", "message")), expected);
    assertEquals(frames(await decode(made, "--codec", "message")), expected);
  },
);

/** Programs that dump, and how. */
const DUMPERS: readonly (readonly [Needed, string[]])[] = [
  [{ command: "od", package: "coreutils" }, ["-t", "x1"]],
  [{ command: "od", package: "coreutils" }, ["-A", "d", "-t", "x1z"]],
  [{ command: "hexdump", package: "bsdextrautils" }, ["-C"]],
  [{ command: "xxd", package: "xxd" }, []],
  [{ command: "xxd", package: "xxd" }, ["-p"]],
  [{ command: "xxd", package: "xxd" }, ["-a", "-g", "1", "-u"]],
];

for (const [needed, args] of DUMPERS) {
  const call = [needed.command, ...args].join(" ");
  testWithPeers([needed], `decode reads what ${call} prints`, async () => {
    await using folder = await ServerFolder.make();
    const capture = await readCapture("resp");
    const path = `${folder.path}/raw`;
    const zeros = new Uint8Array(200); // rows that are left out
    const bulk = new TextEncoder().encode(`$${zeros.length}\r\n`);
    const bytes = new Uint8Array([
      ...sentBy("client", capture),
      ...bulk,
      ...zeros,
      13,
      10,
    ]);
    await Deno.writeFile(path, bytes);
    const dump = `${folder.path}/dump`;
    await Deno.writeTextFile(dump, await run(needed.command, [...args, path]));
    assertEquals(
      frames(await decode(dump, "--codec", "resp")),
      frames(await decode(path, "--codec", "resp", "--from", "raw")),
    );
  });
}
