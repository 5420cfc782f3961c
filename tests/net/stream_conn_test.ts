import {
  Framing,
  lengthPrefixed,
  lines,
  PeerResetError,
  streamConn,
  text,
} from "@framewire/framewire";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";

const ECHO = `
  const chunk = new Uint8Array(5);
  let count;
  while ((count = await Deno.stdin.read(chunk)) !== null) {
    for (let sent = 0; sent < count;) {
      sent += await Deno.stdout.write(chunk.subarray(sent, count));
    }
  }`;

Deno.test("streamConn() carries frames to a child process and back, and half-closes", async () => {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["eval", ECHO],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const conn = streamConn({ readable: child.stdout, writable: child.stdin });
  await using peer = new Framing(conn, text(lengthPrefixed()));
  await peer.writeMany(["hello", "", "wörld"]);
  assertEquals(
    [await peer.read(), await peer.read(), await peer.read()],
    ["hello", "", "wörld"],
  );
  await peer.closeWrite();
  assertEquals(await peer.read(), null);
});

Deno.test("streamConn() gives a chunk in as many reads as it takes", async () => {
  const conn = streamConn({
    readable: ReadableStream.from([new Uint8Array([1, 2, 3])]),
    writable: new WritableStream(),
  });
  const into = new Uint8Array(2);
  assertEquals([await conn.read(into), ...into], [2, 1, 2]);
  assertEquals([await conn.read(into), into[0]], [1, 3]);
  assertEquals(await conn.read(into), null);
  conn.close();
});

Deno.test("streamConn() keeps nothing of the memory that was written", async () => {
  const kept: Uint8Array[] = [];
  const conn = streamConn({
    readable: ReadableStream.from([]),
    writable: new WritableStream({ write: (chunk) => void kept.push(chunk) }),
  });
  const bytes = new Uint8Array([1, 2]);
  assertEquals(await conn.write(bytes), 2);
  bytes.fill(9);
  assertEquals(kept, [new Uint8Array([1, 2])]);
  conn.close();
});

Deno.test("streamConn() reports a stream that fails, and can be closed after that", async () => {
  const reset = new Deno.errors.ConnectionReset("gone");
  const conn = streamConn({
    readable: new ReadableStream({
      pull: (controller) => controller.error(reset),
    }),
    writable: new WritableStream({
      write() {
        throw new Deno.errors.BrokenPipe("gone");
      },
    }),
  });
  const peer = new Framing(conn, lines());
  await assertRejects(() => peer.read(), PeerResetError);
  await peer.close();
});

Deno.test("streamConn() refuses a stream that somebody reads already", () => {
  const readable = new ReadableStream<Uint8Array>();
  readable.getReader();
  assertThrows(
    () => streamConn({ readable, writable: new WritableStream() }),
    TypeError,
  );
});

Deno.test("streamConn() reads over empty chunks, however many there are", async () => {
  const empty = Array.from({ length: 1000 }, () => new Uint8Array(0));
  const conn = streamConn({
    readable: ReadableStream.from([...empty, new Uint8Array([97, 10])]),
    writable: new WritableStream(),
  });
  await using peer = new Framing(conn, lines());
  assertEquals(await peer.read(), "a");
});
