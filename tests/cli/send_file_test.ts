/**
 * send-file as a process, with receivers that do something else than receive-file.
 *
 * @module
 */

import { Framing, type Message, Message as M } from "@framewire/framewire";
import { assertEquals } from "@std/assert";
import {
  checksumOf,
  newChecksum,
  transferMessages,
} from "../../cli/transfer.ts";
import { type Ending, runProgram } from "../support/running_program.ts";

const CONTENT = new TextEncoder().encode(
  "Follow the white rabbit. ".repeat(8000),
);

function checksum(bytes: Uint8Array): string {
  const hash = newChecksum();
  hash.update(bytes);
  return checksumOf(hash);
}

/** Runs send-file with a file, against a receiver of the test's own. */
async function sendTo(
  receive: (peer: Framing<Message>) => Promise<void>,
  content: Uint8Array = CONTENT,
): Promise<Ending> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/file`;
    await Deno.writeFile(path, content);
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const ending = runProgram(
      "cli/send_file.ts",
      [path, "127.0.0.1", `${port}`],
      { net: `127.0.0.1:${port}`, flags: [`--allow-read=${folder}`] },
    );
    {
      const conn = await listener.accept();
      using peer = new Framing(conn, transferMessages());
      await receive(peer);
    }
    const { code, out, err } = await ending;
    const masked = (line: string) => line.replaceAll(`${port}`, "*");
    return { code, out: out.map(masked), err: err.map(masked) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bytesOf(message: Message | null): Promise<Uint8Array> {
  if (message?.body === undefined) return message?.content ?? new Uint8Array();
  return await new Response(message.body.stream()).bytes();
}

/** The message that is not the end of the stream. */
async function next(peer: Framing<Message>): Promise<Message> {
  const message = await peer.read();
  if (message === null) throw new TypeError("must be a message");
  return message;
}

for (
  const [what, standing, offset] of [
    [
      "all to who has nothing",
      { have: 0, sha256: checksum(new Uint8Array()) },
      0,
    ],
    [
      "the rest to who has the beginning",
      { have: 5000, sha256: checksum(CONTENT.subarray(0, 5000)) },
      5000,
    ],
    [
      "nothing to who has all",
      { have: CONTENT.length, sha256: checksum(CONTENT) },
      CONTENT.length,
    ],
    ["all to who has something else", {
      have: 5000,
      sha256: checksum(new Uint8Array(5000)),
    }, 0],
    ["all to who has more", {
      have: CONTENT.length + 1,
      sha256: checksum(CONTENT),
    }, 0],
  ] as const
) {
  Deno.test(`send-file sends ${what}`, async () => {
    const sha256 = checksum(CONTENT);
    const ending = await sendTo(async (peer) => {
      const offer = await next(peer);
      assertEquals(offer.json(), { name: "file", size: CONTENT.length });
      await peer.write(M.json(standing));
      const content = await next(peer);
      assertEquals(content.header.extra, { offset });
      assertEquals(await bytesOf(content), CONTENT.slice(offset));
      assertEquals((await next(peer)).json(), { sha256 });
      await peer.write(M.json({ sha256 }));
    });
    assertEquals(ending, {
      code: 0,
      out: [
        `sending file to 127.0.0.1:*, from byte ${offset} of 200000 on`,
        `sent file: 200000 bytes, SHA-256 ${sha256}`,
      ],
      err: [],
    });
  });
}

Deno.test("send-file says what the receiver says, also while it sends", async () => {
  const refused = await sendTo(async (peer) => {
    await next(peer);
    await peer.write(M.json({ error: "no room" }));
  });
  assertEquals(refused, {
    code: 1,
    out: [],
    err: ["send-file: Cannot send file: the receiver says: no room"],
  });
  const given = await sendTo(async (peer) => {
    await next(peer);
    await peer.write(M.json({ have: 0, sha256: "" }));
    const { body } = await next(peer);
    await peer.write(M.json({ error: "no room any more" }));
    await peer.drain();
    await body?.cancel();
    await peer.read().catch(() => {}); // until it goes
  }, new Uint8Array(20_000_000));
  assertEquals([given.code, given.err], [
    1,
    ["send-file: Cannot send file: the receiver says: no room any more"],
  ]);
});

Deno.test("send-file says when something else has arrived, or nobody says what", async () => {
  const sha256 = checksum(CONTENT);
  const other = await sendTo(async (peer) => {
    await next(peer);
    await peer.write(M.json({ have: 0, sha256: "" }));
    await bytesOf(await next(peer));
    await next(peer);
    await peer.write(M.json({ sha256: "abc" }));
  });
  assertEquals(other.err, [
    `send-file: Cannot send file: what arrived has SHA-256 abc instead of ${sha256}`,
  ]);
  const gone = await sendTo(async (peer) => {
    await next(peer);
  });
  assertEquals([gone.code, gone.err], [
    1,
    ["send-file: Cannot send file: the receiver closed"],
  ]);
});

Deno.test("send-file refuses what is no file", async () => {
  const flags = { flags: ["--allow-read=."] };
  for (
    const [path, reason] of [
      ["tests", "it is not a file"],
      ["tests/no_such_file", "no such file or directory"],
    ]
  ) {
    assertEquals(await runProgram("cli/send_file.ts", [path], flags), {
      code: 1,
      out: [],
      err: [`send-file: Cannot send file "${path}": ${reason}`],
    });
  }
});
