/**
 * `jsonLines()` and `messages()` with peers in Python. The programs of the tutorials meet theirs in `tests/interop/`.
 *
 * @module
 */

import {
  connect,
  type Framing,
  MalformedFrameError,
  Message,
  messages,
  reply,
  serve,
} from "@framewire/framewire";
import { jsonLines } from "@framewire/framewire/protocols";
import { assertEquals, assertRejects } from "@std/assert";
import { runPeerClient, startPeerServer } from "../interop/python.ts";
import { Recorder, writeCapture } from "../support/capture.ts";
import { testWithPeers } from "../support/peer_server.ts";
import { Random } from "../support/random.ts";
import { RunningProgram } from "../support/running_program.ts";

const needed = [{ command: "python3", package: "python3" }];
const VALUES = 5_000;
const MESSAGES = 2_000;
const SEED = 6;
const WAIT = { timeout: 10_000 };

async function pythonVersion(): Promise<string> {
  await using python = new RunningProgram("python3", ["--version"]);
  return (await python.end()).out[0];
}

/** A value of JSON of any kind. */
function randomValue(random: Random, depth = 0): unknown {
  const parts = Array.from({ length: random.below(4) });
  switch (random.below(depth < 3 ? 7 : 5)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.below(2 ** 53) * random.pick([1, -1]);
    case 2:
      return random.fraction() * 10 ** random.pick([-300, -7, 0, 21, 300]);
    case 3:
      return random.pick(["", "\n\r", "é", "€😀", '"\\/\b', "\0\x7f\u2028"]);
    case 4:
      return "x".repeat(random.below(2000));
    case 5:
      return parts.map(() => randomValue(random, depth + 1));
    default:
      return Object.fromEntries(
        parts.map((_, i) => [`é${i}`, randomValue(random, depth + 1)]),
      );
  }
}

/** Sends a value and reads what comes of it. */
async function ask(peer: Framing<unknown>, value: unknown): Promise<unknown> {
  await peer.write(value);
  return await peer.read(WAIT);
}

/** What else Python writes. */
async function askForOddities(port: number): Promise<void> {
  await using peer = await connect(
    { port },
    jsonLines({ blankLines: "skip" }),
  );
  assertEquals(await ask(peer, { a: [1.5, "é😀"] }), { a: [1.5, "é😀"] });
  assertEquals(await ask(peer, { a: [1.5, "é😀"] }), { a: [1.5, "é😀"] });
  const error = await assertRejects(
    () => ask(peer, "nan"),
    MalformedFrameError,
    "Cannot decode frame: Unexpected token 'N', \"[NaN, -Infinity]\" is not valid JSON",
  );
  assertEquals(error.recoverable, true);
  assertEquals(await ask(peer, "big"), 2 ** 64);
  assertEquals(await ask(peer, "half"), "\ud83d");
  assertEquals(await ask(peer, "bare"), true);
  assertEquals(await ask(peer, "beat"), null);
}

testWithPeers(needed, "jsonLines() is spoken by Python", async () => {
  const version = await pythonVersion();
  const random = new Random(SEED);
  const values = Array.from({ length: VALUES }, () => randomValue(random));
  {
    const [program, port] = await startPeerServer("json_lines");
    await using server = program;
    {
      await using peer = await connect({ port: Number(port) }, jsonLines());
      const written = Promise.resolve(peer.writeMany(values));
      for (const value of values) {
        assertEquals(await peer.read(WAIT), value, `seed ${SEED}`);
      }
      await written;
    }
    assertEquals(await server.end(), { code: 0, out: [], err: [] });
  }
  {
    const [program, port] = await startPeerServer("json_lines", ["--cut", "1"]);
    await using server = program;
    {
      await using recorder = new Recorder(Number(port));
      await askForOddities(recorder.port);
      if (Deno.args.includes("--record")) {
        await writeCapture("json_lines", {
          what:
            "values with and without escapes, NaN, a number beyond 2^53, half a surrogate pair, CR LF, blank lines",
          with: version,
          chunks: recorder.chunks,
        });
      }
    }
    assertEquals((await server.end()).code, 0);
  }
  {
    await using server = serve({ port: 0 }, jsonLines(), reply((x) => x));
    const some = values.slice(0, 50).map((value) => JSON.stringify(value));
    for (const cut of ["4096", "7"]) {
      const port = String(server.addr.port);
      const { code, out, err } = await runPeerClient("json_lines", [
        port,
        "--cut",
        cut,
        "--",
        ...some,
      ]);
      assertEquals([code, err], [0, []]);
      const read = out.map((line): unknown => JSON.parse(line));
      assertEquals(read, values.slice(0, 50), `seed ${SEED}`);
    }
  }
  console.log(
    `peer: ${version}: jsonLines() had ${VALUES} values back from a server, and was the server of a client that sent 7 bytes at a time`,
  );
});

/** Asks the server of the tutorial, as often as it is told. */
async function search(port: number, times: number): Promise<void> {
  await using peer = await connect({ port }, messages());
  const asked = Array.from(
    { length: times },
    (_, i) =>
      i % 2
        ? Message.json({ action: "search", value: `é${i}` })
        : Message.binary(new TextEncoder().encode(`${i}`.padStart(12, "0"))),
  );
  const written = Promise.resolve(peer.writeMany(asked));
  for (let i = 0; i < times; i++) {
    const answer = await peer.read(WAIT);
    if (i % 2) {
      assertEquals(answer?.json(), { result: `No match for "é${i}".` });
      continue;
    }
    assertEquals(
      answer?.header.contentType,
      "binary/custom-server-binary-type",
    );
    assertEquals(
      new TextDecoder().decode(answer?.content),
      `First 10 bytes of request: ${`${i}`.padStart(12, "0").slice(0, 10)}`,
    );
  }
  await written;
}

testWithPeers(
  needed,
  "messages() is spoken by the tutorial's server in Python",
  async () => {
    const version = await pythonVersion();
    for (const byteorder of ["little", "big"]) {
      const [program, port] = await startPeerServer("app", [
        "--byteorder",
        byteorder,
      ]);
      await using server = program;
      const ending = server.end(); // it prints what it is asked
      await search(Number(port), MESSAGES);
      const { code, out, err } = await ending;
      assertEquals([code, out.length, err], [0, MESSAGES, []]);
    }
    if (Deno.args.includes("--record")) {
      const [program, port] = await startPeerServer("app");
      await using server = program;
      await using recorder = new Recorder(Number(port));
      await search(recorder.port, 4);
      await server.end();
      await writeCapture("messages", {
        what: "searches and binary requests, in turn",
        with: version,
        chunks: recorder.chunks,
      });
    }
    console.log(
      `peer: ${version}: messages() had the answers to ${MESSAGES} messages at a time from the tutorial's server, in both byte orders`,
    );
  },
);
