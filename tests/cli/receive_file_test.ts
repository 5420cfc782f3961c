/**
 * receive-file as a process, with good and bad senders.
 *
 * @module
 */

import {
  connect,
  FrameBody,
  type Framing,
  Message,
  type MessageHeaderInit,
} from "@framewire/framewire";
import { assert, assertEquals } from "@std/assert";
import {
  checksumOf,
  newChecksum,
  transferMessages,
} from "../../cli/transfer.ts";
import {
  masked,
  portIn,
  RunningProgram,
  runProgram,
  startProgram,
} from "../support/running_program.ts";
import { makeFile } from "../support/transfer.ts";

function checksum(bytes: Uint8Array): string {
  const hash = newChecksum();
  hash.update(bytes);
  return checksumOf(hash);
}

/** Runs receive-file with a folder of its own. */
async function withReceiver(
  use: (
    receiver: RunningProgram,
    port: number,
    folder: string,
    root: string,
  ) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const root = await Deno.makeTempDir();
  const folder = `${root}/files`;
  try {
    await using receiver = startProgram(
      "cli/receive_file.ts",
      [...args, "127.0.0.1", "0", folder],
      {
        net: "127.0.0.1:0",
        flags: [`--allow-read=${folder}`, `--allow-write=${folder}`],
      },
    );
    await use(receiver, portIn(await receiver.line()), folder, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function sendFile(path: string, port: number): RunningProgram {
  return startProgram("cli/send_file.ts", [path, "127.0.0.1", `${port}`], {
    net: `127.0.0.1:${port}`,
    flags: [`--allow-read=${path}`],
  });
}

/** Asks for leave to send a file, and gives the answer. */
async function offer(
  peer: Framing<Message>,
  fields: unknown,
): Promise<unknown> {
  await peer.write(Message.json(fields));
  return (await peer.read())?.json();
}

/** Makes a link, which takes more permissions than tests have. */
async function link(to: string, path: string): Promise<void> {
  const make = "Deno.symlinkSync(...Deno.args)";
  await using program = new RunningProgram(Deno.execPath(), [
    "eval",
    make,
    to,
    path,
  ]);
  assertEquals((await program.end()).code, 0);
}

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).toSorted();
}

Deno.test("receive-file and send-file go on where a transfer was cut", () =>
  withReceiver(async (receiver, port, folder, root) => {
    const path = `${root}/large`;
    await makeFile(path, 64);
    const bytes = await Deno.readFile(path);
    async function* broken(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      yield bytes.subarray(0, CUT);
      await receiver.lines(2); // it has begun
    }
    // A sender that breaks off in the middle.
    const CUT = 40_000_000;
    {
      const peer = await connect({ port }, transferMessages());
      const standing = await offer(peer, { name: "large", size: bytes.length });
      assertEquals(standing, { have: 0, sha256: checksum(new Uint8Array()) });
      const header: MessageHeaderInit = { extra: { offset: 0 } };
      const body = new FrameBody(bytes.length, broken());
      await peer.write(Message.stream(body, header))?.catch(() => {});
      peer[Symbol.dispose]();
    }
    assertEquals(masked([await receiver.line()]), [
      `error: Cannot read frame: stream ended after ${CUT + 135} of ${
        bytes.length + 135
      } bytes from 127.0.0.1:*`,
    ]);
    assertEquals(names(folder), ["large.part"]);
    assertEquals((await Deno.stat(`${folder}/large.part`)).size, CUT);

    await using sender = sendFile(path, port);
    const { code, out, err } = await sender.end();
    assertEquals([code, err], [0, []]);
    const sum = checksum(bytes);
    const from = `from byte ${CUT} of ${bytes.length} on`;
    assertEquals(masked(out), [
      `sending large to 127.0.0.1:*, ${from}`,
      `sent large: ${bytes.length} bytes, SHA-256 ${sum}`,
    ]);
    assertEquals(masked(await receiver.lines(4)), [
      "accepted connection from 127.0.0.1:*",
      `receiving large from 127.0.0.1:*, ${from}`,
      `received large: ${bytes.length} bytes, SHA-256 ${sum}`,
      "closing connection to 127.0.0.1:*",
    ]);
    assertEquals(names(folder), ["large"]);
    assertEquals(checksum(await Deno.readFile(`${folder}/large`)), sum);
  }));

Deno.test("receive-file begins anew when it has something else", () =>
  withReceiver(async (_, port, folder, root) => {
    const path = `${root}/file`;
    await Deno.writeTextFile(path, "x".repeat(100_000));
    await Deno.writeTextFile(`${folder}/file.part`, "y".repeat(200_000));
    await using sender = sendFile(path, port);
    const { code, out } = await sender.end();
    assertEquals(code, 0);
    assert(out[0].endsWith("from byte 0 of 100000 on"), out[0]);
    assertEquals(
      await Deno.readTextFile(`${folder}/file`),
      "x".repeat(100_000),
    );
    assertEquals(names(folder), ["file"]);
  }));

Deno.test("receive-file writes nowhere but into its folder, and over nothing", () =>
  withReceiver(async (receiver, port, folder, root) => {
    await Deno.writeTextFile(`${folder}/here`, "mine");
    await link(`${root}/elsewhere`, `${folder}/link.part`);
    await link(`${root}/elsewhere`, `${folder}/link2`);
    await Deno.mkdir(`${folder}/folder`);
    const refusals: [name: unknown, because: RegExp][] = [
      ["../outside", /must be that of a file in the folder/],
      ["/etc/passwd", /must be that of a file/],
      ["a/b", /must be that of a file/],
      ["a\\b", /must be that of a file/],
      ["..", /must be that of a file/],
      [".", /must be that of a file/],
      ["", /must be that of a file/],
      ["a\nb", /must be that of a file/],
      ["a\0b", /must be that of a file/],
      ["x.part", /must be that of a file/],
      ["é".repeat(126), /must be that of a file/],
      [7, /must be that of a file/],
      [null, /must be that of a file/],
      ["here", /already/],
      ["folder", /already/],
      ["link", /is not a file/],
      ["link2", /already/],
    ];
    for (const [name, because] of refusals) {
      await using peer = await connect({ port }, transferMessages());
      const answer = JSON.stringify(await offer(peer, { name, size: 1 }));
      assert(because.test(answer), `${name}: ${answer}`);
      assertEquals(await peer.read(), null);
      const lines = masked(await receiver.lines(3));
      assert(lines[1].startsWith("error: "), lines[1]);
    }
    assertEquals(names(folder), ["folder", "here", "link.part", "link2"]);
    assertEquals(names(root), ["files"]);
    assertEquals(await Deno.readTextFile(`${folder}/here`), "mine");
  }));

Deno.test("receive-file refuses what does not fit what was offered, and serves on", () =>
  withReceiver(async (receiver, port, folder) => {
    const good = { name: "file", size: 5 };
    const hello = new TextEncoder().encode("hello");
    const at = (offset: unknown): MessageHeaderInit => ({
      extra: { offset: Number(offset) },
    });
    const cases: [
      what: string,
      send: (peer: Framing<Message>) => unknown,
      said: RegExp,
    ][] = [
      [
        "another size",
        (peer) => peer.write(new Message(hello.subarray(1), at(0))),
        /must end at byte 5/,
      ],
      [
        "a place that it does not have",
        (peer) => peer.write(new Message(hello.subarray(3), at(3))),
        /offset must be 0 or 0/,
      ],
      ["another checksum", (peer) => {
        peer.write(new Message(hello, at(0)));
        return peer.write(Message.json({ sha256: "abc" }));
      }, /instead of abc/],
      ["nothing", (peer) => peer.closeWrite(), /the sender went/],
    ];
    for (const [what, send, said] of cases) {
      await using peer = await connect({ port }, transferMessages());
      await offer(peer, good);
      await send(peer);
      const answer = JSON.stringify((await peer.read())?.json());
      assert(said.test(answer), `${what}: ${answer}`);
    }
    // Two at a time do not mix.
    await using first = await connect({ port }, transferMessages());
    assertEquals(await offer(first, good), {
      have: 0,
      sha256: checksum(new Uint8Array()),
    });
    await using second = await connect({ port }, transferMessages());
    assertEquals(await offer(second, good), {
      error: "file is being received already",
    });
    first.write(new Message(hello, at(0)));
    first.write(Message.json({ sha256: checksum(hello) }));
    assertEquals((await first.read())?.json(), { sha256: checksum(hello) });
    assertEquals(names(folder), ["file"]);
    // More files over the same connection.
    await offer(first, { name: "empty", size: 0 });
    first.write(new Message(new Uint8Array(), at(0)));
    const none = checksum(new Uint8Array());
    first.write(Message.json({ sha256: none }));
    assertEquals((await first.read())?.json(), { sha256: none });
    assertEquals(names(folder), ["empty", "file"]);
    receiver.interrupt();
    assertEquals((await receiver.end()).code, 130);
  }));

Deno.test("receive-file --discard compares, and keeps nothing", () =>
  withReceiver(async (receiver, port, folder, root) => {
    await Deno.writeTextFile(`${root}/file`, "hello");
    await using sender = sendFile(`${root}/file`, port);
    assertEquals((await sender.end()).code, 0);
    assert((await receiver.lines(3))[2].startsWith("received file: 5 bytes"));
    assertEquals(names(folder), []);
  }, ["--discard"]));

Deno.test("receive-file says that its folder cannot be made", async () => {
  const root = await Deno.makeTempDir();
  await Deno.writeTextFile(`${root}/file`, "");
  const { code, out, err } = await runProgram(
    "cli/receive_file.ts",
    ["127.0.0.1", "0", `${root}/file`],
    {
      net: "127.0.0.1:0",
      flags: [`--allow-read=${root}`, `--allow-write=${root}`],
    },
  );
  assertEquals([code, out, err], [1, [], [
    `receive-file: Cannot receive files into "${root}/file": file exists`,
  ]]);
  await Deno.remove(root, { recursive: true });
});
