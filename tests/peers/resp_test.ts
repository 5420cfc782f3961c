/**
 * `resp()` with Redis itself, in both versions of its protocol.
 *
 * @module
 */

import { connect, type Framing, RequestClient } from "@framewire/framewire";
import {
  resp,
  type RespBytes,
  type RespCommand,
  type RespLimits,
  type RespPair,
  type RespValue,
} from "@framewire/framewire/protocols";
import { assert, assertEquals } from "@std/assert";
import { Recorder, writeCapture } from "../support/capture.ts";
import {
  type Needed,
  PeerServer,
  run,
  testWithPeers,
} from "../support/peer_server.ts";
import { Random } from "../support/random.ts";
import { runProgram } from "../support/running_program.ts";
import { raw } from "../support/wire.ts";

const needed: Needed[] = [{ command: "redis-server", package: "redis-server" }];
const MIB = 1024 * 1024;
const WAIT = { timeout: 5_000 };

type Peer = Framing<RespValue, RespCommand | RespValue<RespBytes>>;

function startRedis(): Promise<PeerServer> {
  return PeerServer.start({
    command: "redis-server",
    args: ({ port, folder }) => [
      "--bind",
      "127.0.0.1",
      "--port",
      String(port),
      "--dir",
      folder,
      "--save",
      "",
      "--enable-debug-command",
      "yes",
    ],
  });
}

/** Such as `redis-server 7.0.15`. */
async function versionOfRedis(): Promise<string> {
  const text = await run("redis-server", ["--version"]);
  return `redis-server ${/v=(\S+)/.exec(text)?.[1]}`;
}

/** Says what is asked, and gives the answer. */
async function ask(peer: Peer, ...command: RespCommand): Promise<RespValue> {
  await peer.write(command);
  const answer = await peer.read(WAIT);
  assert(answer !== null);
  return answer;
}

function connectTo(port: number, options?: RespLimits): Promise<Peer> {
  return connect({ port }, resp(options));
}

function bulk(text: string): RespValue {
  return { type: "bulk", value: new TextEncoder().encode(text) };
}

function integer(value: number | bigint): RespValue {
  return { type: "integer", value };
}

/** What a map has for a key that is a string. */
function valueOf(map: RespValue, key: string): RespValue | undefined {
  assert(map.type === "map");
  const pair = map.value.find(([{ value }]) =>
    value instanceof Uint8Array && new TextDecoder().decode(value) === key
  );
  return pair?.[1];
}

testWithPeers(
  needed,
  "resp() has 10,000 commands answered in a pipeline",
  async () => {
    const COUNT = 10_000;
    await using redis = await startRedis();
    await using client = new RequestClient(await connectTo(redis.port), {
      maxWaiting: Infinity,
      timeout: 10_000,
    });
    const random = new Random(6);
    const values = Array.from(
      { length: COUNT / 2 },
      () => random.bytes(random.below(100)),
    );
    const answers = await Promise.all(
      values.flatMap((value, i) => [
        client.ask(["SET", `key ${i}`, value]),
        client.ask(["GET", `key ${i}`]),
      ]),
    );
    assertEquals(
      answers,
      values.flatMap((
        value,
      ): RespValue[] => [
        { type: "simple", value: "OK" },
        { type: "bulk", value },
      ]),
    );
    console.log(
      `peer: ${await versionOfRedis()}: ${
        answers.length.toLocaleString("en-US")
      } pipelined commands answered in order`,
    );
  },
);

testWithPeers(
  needed,
  "resp() carries a value of 16 MiB there and back",
  async () => {
    await using redis = await startRedis();
    await using peer = await connectTo(redis.port, {
      maxFrameLength: 17 * MIB,
    });
    const value = new Uint8Array(16 * MIB);
    for (let i = 0; i < value.length; i++) value[i] = i * 31 >> 5;
    const ok = await ask(peer, "SET", "large", value);
    assertEquals(ok, { type: "simple", value: "OK" });
    const answer = await ask(peer, "GET", "large");
    assert(answer.type === "bulk");
    assertEquals(answer.value.length, value.length);
    assert(answer.value.every((byte, i) => byte === value[i]));
    console.log("peer: redis-server: a value of 16 MiB came back");
  },
);

testWithPeers(
  needed,
  "resp() reads pub/sub in version 2 and in version 3",
  async () => {
    await using redis = await startRedis();
    await using publisher = await connectTo(redis.port);
    for (const version of [2, 3]) {
      await using peer = await connectTo(redis.port);
      const type = version === 2 ? "array" as const : "push" as const;
      if (version === 3) await ask(peer, "HELLO", 3);
      assertEquals(await ask(peer, "SUBSCRIBE", "news"), {
        type,
        value: [bulk("subscribe"), bulk("news"), integer(1)],
      });
      assertEquals(
        await ask(publisher, "PUBLISH", "news", "héllo"),
        integer(1),
      );
      assertEquals(await peer.read(WAIT), {
        type,
        value: [bulk("message"), bulk("news"), bulk("héllo")],
      });
      // In version 3, a push may come between commands and their answers.
      if (version === 2) continue;
      await ask(publisher, "PUBLISH", "news", "again");
      await peer.write(["PING"]);
      assertEquals((await peer.read(WAIT))?.type, "push");
      assertEquals(await peer.read(WAIT), { type: "simple", value: "PONG" });
    }
    console.log("peer: redis-server: messages as arrays, and as pushes");
  },
);

/** Asks for a value of every type that the server has, and checks it. */
async function askForEveryType(peer: Peer): Promise<void> {
  const answer = (...command: RespCommand) => ask(peer, ...command);
  const sample = (type: string) => answer("DEBUG", "PROTOCOL", type);

  // Version 2: nothing, in both ways.
  assertEquals(await answer("GET", "no such key"), {
    type: "null",
    value: null,
    of: "bulk",
  });
  assertEquals(await answer("LPOP", "no such key", 2), {
    type: "null",
    value: null,
    of: "array",
  });
  assertEquals(await answer("LRANGE", "no such key", 0, 9), {
    type: "array",
    value: [],
  });

  const hello = await answer("HELLO", 3);
  assertEquals(valueOf(hello, "proto"), integer(3));
  assertEquals(valueOf(hello, "modules"), { type: "array", value: [] });

  assertEquals(await answer("GET", "no such key"), {
    type: "null",
    value: null,
  });
  assertEquals(await sample("ATTRIB"), {
    type: "bulk",
    value: raw("Some real reply following the attribute"),
    attributes: [[bulk("key-popularity"), {
      type: "array",
      value: [bulk("key:123"), integer(90)],
    }]],
  });
  assertEquals(await sample("MAP"), {
    type: "map",
    value: [0, 1, 2].map((i): RespPair => [
      integer(i),
      { type: "boolean", value: i === 1 },
    ]),
  });
  assertEquals(await sample("SET"), {
    type: "set",
    value: [0, 1, 2].map(integer),
  });
  assertEquals(await sample("DOUBLE"), { type: "double", value: 3.141 });
  assertEquals(await sample("TRUE"), { type: "boolean", value: true });
  assertEquals(await sample("BIGNUM"), {
    type: "bigNumber",
    value: 1234567999999999999999999999999999999n,
  });
  assertEquals(await sample("VERBATIM"), {
    type: "verbatim",
    format: "txt",
    value: raw("This is a verbatim\nstring"),
  });
  // The server sends the push before the answer.
  assertEquals(await sample("PUSH"), {
    type: "push",
    value: [bulk("server-cpu-usage"), integer(42)],
  });
  assertEquals((await peer.read(WAIT))?.type, "bulk");

  await answer("ZADD", "z", "-inf", "low", "1e300", "high", "0.1", "some");
  for (
    const [member, value] of [["low", -Infinity], ["high", 1e300], [
      "some",
      0.1,
    ]] as const
  ) {
    assertEquals(await answer("ZSCORE", "z", member), {
      type: "double",
      value,
    });
  }
  await answer("SET", "n", "9223372036854775806");
  assertEquals(await answer("INCR", "n"), integer(9223372036854775807n));
  assertEquals(await answer("SET", "n", -5n), { type: "simple", value: "OK" });
  assertEquals(await answer("DECR", "n"), integer(-6));

  // What was sent is quoted in the error, though it is no UTF-8.
  const error = await answer(raw("\xff\xfeX"));
  assert(error.type === "error" && /^ERR .*\ufffd\ufffdX/.test(error.value));

  // Tables in tables; what a script nests is nested as deep in the answer.
  const nested = await answer(
    "EVAL",
    "return {{{{}, 'a'}, 1}, {err='MY no'}}",
    0,
  );
  assertEquals(nested, {
    type: "array",
    value: [
      {
        type: "array",
        value: [
          { type: "array", value: [{ type: "array", value: [] }, bulk("a")] },
          integer(1),
        ],
      },
      { type: "error", value: "MY no" },
    ],
  });
  const array = await answer("COMMAND", "DOCS", "set", "get");
  assertEquals(
    valueOf(valueOf(array, "set") ?? array, "group"),
    bulk("string"),
  );
}

/** Makes the capture anew. */
async function record(port: number): Promise<void> {
  await using recorder = new Recorder(port);
  await using peer = await connectTo(recorder.port);
  await askForEveryType(peer);
  await ask(peer, "QUIT");
  await writeCapture("resp", {
    what: "every type that the server has, in version 2 and in version 3",
    with: await versionOfRedis(),
    chunks: recorder.chunks,
  });
}

testWithPeers(needed, "resp() reads every type that Redis has", async () => {
  await using redis = await startRedis();
  await using peer = await connectTo(redis.port);
  await askForEveryType(peer);
  if (Deno.args.includes("--record")) await record(redis.port);
  assertEquals((await ask(peer, "INFO", "server")).type, "verbatim");
  const docs = await ask(peer, "COMMAND", "DOCS");
  assert(docs.type === "map" && docs.value.length > 200);
  const { bytesReceived } = peer.stats;

  // A client is told of keys that others change, between its commands.
  await using other = await connectTo(redis.port);
  await ask(peer, "CLIENT", "TRACKING", "ON");
  await ask(peer, "GET", "tracked");
  await ask(other, "SET", "tracked", "1");
  assertEquals(await peer.read(WAIT), {
    type: "push",
    value: [bulk("invalidate"), { type: "array", value: [bulk("tracked")] }],
  });
  console.log(
    `peer: redis-server: every type of RESP3, and ${docs.value.length} commands documented, ${bytesReceived} bytes in all`,
  );
});

testWithPeers(needed, "resp() ends a pipeline as Redis does", async () => {
  await using redis = await startRedis();
  await using peer = await connectTo(redis.port);
  await peer.writeMany([["MULTI"], ["SET", "a", 1], ["NO SUCH"], ["EXEC"], [
    "QUIT",
  ]]);
  const answers: unknown[] = [];
  for await (const { type, value } of peer) answers.push([type, value]);
  assertEquals(answers, [
    ["simple", "OK"],
    ["simple", "QUEUED"],
    [
      "error",
      "ERR unknown command 'NO SUCH', with args beginning with: ",
    ],
    [
      "error",
      "EXECABORT Transaction discarded because of previous errors.",
    ],
    ["simple", "OK"],
  ]);
});

testWithPeers(
  needed,
  "examples/redis_pipeline.ts prints what Redis answers",
  async () => {
    await using redis = await startRedis();
    const { code, out, err } = await runProgram(
      "examples/redis_pipeline.ts",
      [String(redis.port)],
      { net: `127.0.0.1:${redis.port}` },
    );
    assertEquals([code, err], [0, []]);
    assertEquals(out, [
      "SET framewire:greeting hello, world",
      "  OK",
      "GET framewire:greeting",
      '  "hello, world"',
      "HSET framewire:hits monday 3 tuesday 5",
      "  2",
      "HINCRBY framewire:hits tuesday 1",
      "  6",
      "HGETALL framewire:hits",
      '  "monday": "3", "tuesday": "6"',
      "INCR framewire:greeting",
      "  error: ERR value is not an integer or out of range",
      "GET framewire:nothing",
      "  null",
      "DEL framewire:greeting framewire:hits",
      "  2",
    ]);
  },
);
