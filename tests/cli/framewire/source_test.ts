/**
 * What is read offline.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { chunksOf, withPauses } from "../../../cli/framewire/source.ts";
import { ProgramError } from "../../../cli/program.ts";
import { Random } from "../../support/random.ts";

async function withFolder(
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("chunksOf gives a file in pieces, each in memory of its own", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/file`;
    const bytes = new Random(1).bytes(200_000);
    await Deno.writeFile(path, bytes);
    const chunks: Uint8Array[] = [];
    for await (const chunk of chunksOf(path, { name: "decode" })) {
      chunks.push(chunk);
    }
    assert(chunks.length > 2);
    assertEquals(
      new Set(chunks.map(({ buffer }) => buffer)).size,
      chunks.length,
    );
    assertEquals(
      await new Blob(chunks.map((chunk) => chunk.slice())).bytes(),
      bytes,
    );
  });
});

Deno.test("chunksOf goes on with what is added to a file", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/file`;
    await Deno.writeTextFile(path, "one");
    const chunks = chunksOf(path, { name: "decode", follow: true })
      [Symbol.asyncIterator]();
    const next = async () =>
      new TextDecoder().decode((await chunks.next()).value);
    assertEquals(await next(), "one");
    const more = next();
    await Deno.writeTextFile(path, "two", { append: true });
    assertEquals(await more, "two");
    const cut = assertRejects(
      next,
      ProgramError,
      "it was cut short while it was read",
    );
    await Deno.truncate(path, 2);
    await cut;
  });
});

Deno.test("chunksOf says why a file cannot be read", async () => {
  await withFolder(async (folder) => {
    const read = async (path: string) => {
      for await (const _ of chunksOf(path, { name: "decode" }));
    };
    await assertRejects(
      () => read(`${folder}/none`),
      ProgramError,
      "none: no such file or directory",
    );
    await assertRejects(() => read(folder), ProgramError, "is a directory");
    const refused = await assertRejects(
      () => read("/a 'b'/c"),
      ProgramError,
    );
    assertEquals(refused.exitCode, 1);
    assertEquals(
      refused.message,
      `needs permission: run again with '--allow-read=/a '\\''b'\\''/c', or with none: framewire decode … < '/a '\\''b'\\''/c'`,
    );
  });
});

Deno.test("withPauses says once of each pause that nothing comes, as long as that matters", async () => {
  const more = Promise.withResolvers<void>();
  const heard: (string | undefined)[] = [];
  let ended = false;
  async function* chunks() {
    try {
      yield "one";
      await more.promise;
      yield "two";
      yield "three";
    } finally {
      ended = true;
    }
  }
  for await (const chunk of withPauses(chunks(), () => heard.length < 2)) {
    heard.push(chunk);
    if (chunk === undefined) more.resolve();
  }
  assertEquals(heard, ["one", undefined, "two", "three"]);
  assertEquals(ended, true);
});

Deno.test("withPauses waits for nothing where nobody wants more", async () => {
  const never = Promise.withResolvers<void>();
  async function* chunks() {
    await never.promise;
    yield "late";
  }
  for await (const chunk of withPauses(chunks(), () => true)) {
    assertEquals(chunk, undefined);
    break; // with a chunk that is still asked for
  }
  never.reject(new Error("nobody hears of this"));
});
